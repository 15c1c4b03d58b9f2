"""CPM-17: 32 training and 32 test tiles of the segmentation challenge of MICCAI 2017, nuclei of four tumours."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from histolab_lib.choices import choose
from histolab_lib.data_dir import DataError
from histolab_lib.datasets.files import read_rgb, set_folder
from histolab_lib.datasets.matlab import label_map, read_mat
from histolab_lib.datasets.paired import Pair, check_pairs, count_pairs, locate_pairs, pair_problems, tile_problems
from histolab_lib.datasets.sequence import TileSequence
from histolab_lib.tile import Tile

__all__ = ["GROUP", "SPLITS", "load", "locate", "present", "read_tile", "validate"]

SPLITS = ("train", "test")
GROUP = None  # the files tell neither patient nor organ

_PAGE = "https://drive.google.com/drive/folders/1sJ4nmkif6j4s2FOGj8j6i_Ye7z9w0TfA"
_TILES = 32  # in each split
_SIZES_PX = (500, 600)


def load(split: str) -> TileSequence:
    """Return the tiles of a split, lazily.

    Parameters
    ----------
    split : {"train", "test"}
        32 tiles each, of 500 to 600 pixels a side.

    Returns
    -------
    TileSequence
        In the order of the files. A tile is called after its split and its file, as in ``test_image_07``, because
        both splits call their files ``image_00`` to ``image_31``. Each tile's `source` has ``image`` and ``labels``
        (paths). The files tell no organ, patient or pixel size.

    Raises
    ------
    ValueError
        If there is no such split.
    DataError
        If files of the split are missing. What is wrong inside a file is told when the tile is read.
    """
    choose("'cpm17' split", split, SPLITS)
    pairs = locate(set_folder("cpm17", page=_PAGE), split)
    check_pairs(pairs, again=f"download split {split!r} of 'cpm17' again, from {_PAGE}")
    return TileSequence(pairs, partial(_read, pairs))


def locate(folder: Path, split: str) -> dict[str, Pair]:
    """Return the files of each tile of a split, whether they exist or not.

    Parameters
    ----------
    folder : pathlib.Path
        Holds ``train`` and ``test``, each with ``Images/image_00.png`` and ``Labels/image_00.mat`` and so on, or one
        folder that does.
    split : str
        As in `load`.
    """
    stems = [f"image_{number:02d}" for number in range(_TILES)]
    return locate_pairs(folder, split, {f"{split}_{stem}": stem for stem in stems})


def present(folder: Path) -> dict[str, int]:
    """Return how many tiles of each split have image and labels."""
    return {split: count_pairs(locate(folder, split)) for split in SPLITS}


def read_tile(name: str, pair: Pair) -> Tile:
    """Read one tile: see `load`, of which this is one item.

    Raises
    ------
    DataError
        If a file is missing or damaged or is not what it should be, or if there is no object at all.
    """
    image = read_rgb(pair.image)
    values = read_mat(pair.labels, ["inst_map"])["inst_map"]
    instances = label_map(pair.labels, "inst_map", values, (image.shape[0], image.shape[1]))
    if not instances.any():
        raise DataError(f"{pair.labels}: inst_map is 0 throughout, expected nuclei; download it again")
    return Tile(name, image, instances, source={"image": str(pair.image), "labels": str(pair.labels)})


def validate(folder: Path) -> list[str]:
    """Return what is wrong with the files in `folder`, one sentence each; nothing where all is in order.

    Checked: that all 64 images and label files are there and nothing else is, that each can be read, that labels are
    whole numbers on the grid of their image with at least one nucleus, and that sides are 500 to 600 pixels.
    """
    problems = []
    for split in SPLITS:
        pairs = locate(folder, split)
        problems += pair_problems(pairs) + tile_problems(pairs, partial(_read, pairs), _odd_size)[0]
    return problems


def _odd_size(tile: Tile) -> list[str]:
    low, high = _SIZES_PX
    if all(low <= side <= high for side in tile.shape):
        return []
    size = f"{tile.shape[0]}x{tile.shape[1]} pixels (height x width)"
    return [f"{tile.source['image']}: {size}, expected {low} to {high} a side"]


def _read(pairs: Mapping[str, Pair], name: str) -> Tile:
    return read_tile(name, pairs[name])
