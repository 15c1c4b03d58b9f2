"""CoNSeP: 27 training and 14 test tiles of colon cancer, 1000 x 1000 pixels at 40x, nuclei of seven classes."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from histolab_lib.choices import choose
from histolab_lib.data_dir import DataError
from histolab_lib.datasets.files import read_rgb, set_folder
from histolab_lib.datasets.matlab import label_map, read_mat, whole_numbers
from histolab_lib.datasets.paired import Pair, check_pairs, count_pairs, locate_pairs, pair_problems, tile_problems
from histolab_lib.datasets.sequence import TileSequence
from histolab_lib.tile import Tile

__all__ = ["CLASSES", "GROUP", "SPLITS", "load", "locate", "present", "read_tile", "validate"]

SPLITS = ("train", "test")
GROUP = None  # 16 patients, but the files do not tell whose a tile is

# By number in the files, 1 to 7. "merged" is the usual merge into four: 3 with 4, and 5 with 6 and 7.
CLASSES: Mapping[str, tuple[str, ...]] = {
    "all": (
        "miscellaneous",
        "inflammatory",
        "normal epithelium",
        "malignant epithelium",
        "fibroblast",
        "muscle",
        "endothelial",
    ),
    "merged": (
        "miscellaneous",
        "inflammatory",
        "epithelial",
        "epithelial",
        "spindle-shaped",
        "spindle-shaped",
        "spindle-shaped",
    ),
}

_PAGE = "https://warwick.ac.uk/fac/cross_fac/tia/data/hovernet/"
_KEYS = ("inst_map", "type_map", "inst_type", "inst_centroid")
_TILES = {"train": 27, "test": 14}
_SIDE_PX = 1000
_NUCLEI = 24_319  # published, both splits together


def load(split: str, *, classes: str = "all") -> TileSequence:
    """Return the tiles of a split, lazily.

    Parameters
    ----------
    split : {"train", "test"}
        27 and 14 tiles of 1000 x 1000 pixels.
    classes : {"all", "merged"}
        The seven classes as published, or the usual four: `CLASSES` has both.

    Returns
    -------
    TileSequence
        In the order of the files' numbers: ``train_1``, ``train_2`` ... Each tile's `source` has ``image``, ``labels``
        (paths), ``regions`` (nuclei that have a type), ``vanished`` (those of them that no pixel shows), and
        where the type of a nucleus and the map of types differ: ``type_px_differing`` (pixels of nuclei) and
        ``type_px_outside`` (pixels of a type outside every nucleus). The files tell no patient or pixel size.

    Raises
    ------
    ValueError
        If split or classes are unknown.
    DataError
        If files of the split are missing. What is wrong inside a file is told when the tile is read.

    Notes
    -----
    The class of a nucleus is its ``inst_type``. Where most of its pixels have another type in ``type_map``, the file
    contradicts itself, and the tile is an error; where some do, they are counted.
    """
    choose("'consep' split", split, SPLITS)
    choose("'consep' classes", classes, CLASSES)
    pairs = locate(set_folder("consep", page=_PAGE), split)
    check_pairs(pairs, again=f"unpack split {split!r} of 'consep' again, from {_PAGE}")
    return TileSequence(pairs, partial(_read, pairs, classes))


def locate(folder: Path, split: str) -> dict[str, Pair]:
    """Return the files of each tile of a split, whether they exist or not.

    Parameters
    ----------
    folder : pathlib.Path
        Holds ``Train`` and ``Test``, each with ``Images/train_1.png`` and ``Labels/train_1.mat`` and so on, or one
        folder that does.
    split : str
        As in `load`.
    """
    stems = [f"{split}_{number}" for number in range(1, _TILES[split] + 1)]
    return locate_pairs(folder, split.capitalize(), {stem: stem for stem in stems})


def present(folder: Path) -> dict[str, int]:
    """Return how many tiles of each split have image and labels."""
    return {split: count_pairs(locate(folder, split)) for split in SPLITS}


def read_tile(name: str, pair: Pair, *, classes: str = "all") -> Tile:
    """Read one tile: see `load`, of which this is one item.

    Raises
    ------
    DataError
        If a file is missing or damaged or is not what it should be, if there is no object at all, or if the four
        arrays of the label file do not fit one another.
    """
    image = read_rgb(pair.image)
    shape = (image.shape[0], image.shape[1])
    found = read_mat(pair.labels, _KEYS)
    instances = label_map(pair.labels, "inst_map", found["inst_map"], shape)
    if not instances.any():
        raise DataError(f"{pair.labels}: inst_map is 0 throughout, expected nuclei; unpack or download it again")
    types = label_map(pair.labels, "type_map", found["type_map"], shape, highest=len(CLASSES["all"]))
    ids = np.unique(instances[instances > 0])
    listed = _listed(pair.labels, found, shape)
    kinds = _by_id(pair.labels, ids, listed)
    noticed = {
        "regions": len(listed),
        "vanished": len(listed) - len(ids),
        "type_px_differing": _differing(pair.labels, instances, types, ids, kinds),
        "type_px_outside": int(np.count_nonzero(types[instances == 0])),
    }
    return Tile(
        name,
        image,
        instances,
        classes={int(key): CLASSES[classes][kind - 1] for key, kind in zip(ids, kinds, strict=True)},
        source={"image": str(pair.image), "labels": str(pair.labels), **noticed},
    )


def validate(folder: Path) -> list[str]:
    """Return what is wrong with the files in `folder`, one sentence each; nothing where all is in order.

    Checked: that all 41 images and label files are there and nothing else is, that each can be read and its arrays fit
    one another, that tiles are 1000 x 1000 pixels, and that there are 24,319 nuclei in all, as published.
    """
    problems, nuclei = [], 0
    for split in SPLITS:
        pairs = locate(folder, split)
        found, objects = tile_problems(pairs, partial(_read, pairs, "all"), _odd)
        problems += pair_problems(pairs) + found
        nuclei += objects
    if not problems and nuclei != _NUCLEI:
        problems.append(f"{folder}: {nuclei} nuclei in all, expected {_NUCLEI} as published")
    return problems


def _listed(path: Path, found: Mapping[str, npt.NDArray[Any]], shape: tuple[int, int]) -> npt.NDArray[np.int32]:
    """Return the listed types, shape (N,), after checking them and the centroids listed beside them."""
    listed, centroids = found["inst_type"], found["inst_centroid"]
    if listed.size != max(listed.shape, default=0):
        raise DataError(f"{path}: inst_type must be a list (N, 1), got shape {listed.shape}; unpack it again")
    types = whole_numbers(path, "inst_type", listed.ravel(), highest=len(CLASSES["all"]))
    if not types.all():
        raise DataError(f"{path}: inst_type must be 1 to {len(CLASSES['all'])}, got 0 for a nucleus; unpack it again")
    if centroids.shape != (len(types), 2) or centroids.dtype.kind not in "iuf":
        got = f"{centroids.dtype} {centroids.shape}"
        raise DataError(f"{path}: inst_centroid must be numbers ({len(types)}, 2), as inst_type is long, got {got}")
    inside = (centroids >= 0) & (centroids <= shape[::-1])  # x, y; false of what is not a number
    if not inside.all():
        row = int(np.flatnonzero(~inside.all(axis=1))[0])
        raise DataError(f"{path}: inst_centroid {row + 1} is {centroids[row].tolist()}, outside the image of {shape}")
    return types


def _by_id(path: Path, ids: npt.NDArray[np.int32], listed: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Return the type of each id. The list is in order of ids: of 1 to N, or of those that occur."""
    if len(listed) == ids[-1]:
        return listed[ids - 1]
    if len(listed) == len(ids):
        return listed
    raise DataError(
        f"{path}: inst_type lists {len(listed)} nuclei, but inst_map has {len(ids)} with ids up to {ids[-1]}; "
        "unpack or download it again"
    )


def _differing(
    path: Path,
    instances: npt.NDArray[np.int32],
    types: npt.NDArray[np.int32],
    ids: npt.NDArray[np.int32],
    kinds: npt.NDArray[np.int32],
) -> int:
    """Count pixels of nuclei whose type in the map is not the nucleus's own; raise where those are most of one."""
    inside = instances > 0
    rank = np.searchsorted(ids, instances[inside])
    columns = len(CLASSES["all"]) + 1
    pixels = np.bincount(rank * columns + types[inside], minlength=len(ids) * columns).reshape(-1, columns)
    own = pixels[np.arange(len(ids)), kinds]
    wrong = np.flatnonzero(own < pixels.max(axis=1))
    if len(wrong):
        first = wrong[0]
        raise DataError(
            f"{path}: {len(wrong)} nuclei have one type in inst_type and another in type_map: id {ids[first]} has "
            f"{kinds[first]} and {pixels[first].argmax()}; unpack or download it again"
        )
    return int(pixels.sum() - own.sum())


def _odd(tile: Tile) -> list[str]:
    problems = []
    if tile.shape != (_SIDE_PX, _SIDE_PX):
        size = f"{tile.shape[0]}x{tile.shape[1]} pixels (height x width)"
        problems.append(f"{tile.source['image']}: {size}, expected {_SIDE_PX}x{_SIDE_PX}")
    labels, vanished = tile.source["labels"], tile.source["vanished"]
    if vanished:
        problems.append(f"{labels}: {vanished} of {tile.source['regions']} nuclei in inst_type have no pixel")
    differing = tile.source["type_px_differing"] + tile.source["type_px_outside"]
    if differing:
        problems.append(f"{labels}: {differing} pixels have a type in type_map that their nucleus does not have")
    return problems


def _read(pairs: Mapping[str, Pair], classes: str, name: str) -> Tile:
    return read_tile(name, pairs[name], classes=classes)
