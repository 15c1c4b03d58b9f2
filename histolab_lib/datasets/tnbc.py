"""TNBC (Naylor et al. 2019): 50 tiles of 512 x 512 pixels at 40x, from 11 patients with triple-negative breast cancer.

The masks are binary. Nuclei that touch are parted by a gap of background, so the nuclei are the 4-connected
components, 4,056 in all, which is the published count; with 8-connectivity two pairs that meet at a corner come out
as one, and bits of annotation dust hang on to their neighbours: 4,028.

No official split exists. HARU-Net's paper alone tells of three, each drawn at random and none listed: 30 tiles for
training and 20 for testing where it describes the set, 25 and 15 (40 of the 50) where it describes the training, and
35 and 15 in the discussion. All of them put tiles of one patient on both sides; ``patients`` does not.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

import numpy as np

from histolab_lib.choices import choose
from histolab_lib.data_dir import DataError
from histolab_lib.datasets.draw import pick_groups, shuffled
from histolab_lib.datasets.files import read_labels, read_mask, read_rgb, require, set_folder
from histolab_lib.datasets.problems import absent, told, unexpected
from histolab_lib.datasets.sequence import TileSequence
from histolab_lib.postprocess import split_components
from histolab_lib.tile import Tile

__all__ = [
    "CONNECTIVITY",
    "GROUP",
    "NUCLEI",
    "PAGE",
    "SEED",
    "SPLITS",
    "TILES",
    "VERSIONS",
    "groups",
    "load",
    "locate",
    "names",
    "present",
    "validate",
]

#: What a validation split keeps apart.
GROUP = "patient"
SPLITS = ("train", "test")
#: The splits of each version; the first is the default.
VERSIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    dict.fromkeys(("30_20", "25_15", "35_15", "patients"), SPLITS)
)
#: The lists of all versions are drawn from it. It was the first tried, and no score was looked at.
SEED = 0
#: With 8, nuclei that meet at a corner would be one, and the count not the published one.
CONNECTIVITY = 4
#: Tiles, and nuclei by 4-connectivity, of the slides 01 to 11.
TILES = (7, 3, 5, 8, 4, 3, 3, 4, 6, 4, 3)
NUCLEI = (460, 192, 290, 601, 422, 209, 559, 449, 302, 316, 256)
PAGE = "https://zenodo.org/records/2579118"

_FOLDER = "TNBC_NucleiSegmentation"
_SIDE_PX = 512
_SLIDES = tuple(f"{slide:02d}" for slide in range(1, len(TILES) + 1))
_ALL = tuple(f"{slide}_{tile}" for slide, count in zip(_SLIDES, TILES, strict=True) for tile in range(1, count + 1))

_Files = tuple[Path, Path]  # image, mask


def load(split: str, *, version: str = "30_20") -> TileSequence:
    """Return the tiles of a split, lazily.

    Parameters
    ----------
    split : {"train", "test"}
    version : {"30_20", "25_15", "35_15", "patients"}
        Which split: see `names`.

    Returns
    -------
    TileSequence
        Sorted by name (``01_1`` is the first tile of slide 01). `patient` is the slide: each is of another patient.
        `organ` is ``breast``; no file tells the pixel size. `source` has ``image`` and ``labels`` (paths) and
        ``connectivity``: the instances are the 4-connected components of the mask.

    Raises
    ------
    ValueError
        If an option is unknown.
    DataError
        If files that the split needs are missing. What is wrong inside a file is told when the tile is read.
    """
    wanted = names(split, version=version)
    files = locate(set_folder("tnbc", page=PAGE), wanted)
    again = f"unpack the archive of 'tnbc' again, from {PAGE}"
    for place, what in enumerate(("images", "masks")):
        missing = [
            f"{pair[place].parent.name}/{pair[place].name}" for pair in files.values() if not _there(pair, place)
        ]
        require(missing, of=len(files), problem=f"{what} of split {split!r} of 'tnbc' are missing", advice=again)
    return TileSequence(files, partial(_read, files))


def names(split: str, *, version: str = "30_20") -> tuple[str, ...]:
    """Return the names of the tiles of a split; no file of the set is read.

    Parameters
    ----------
    split : {"train", "test"}
    version : {"30_20", "25_15", "35_15", "patients"}
        Tiles for training and testing; of ``25_15`` ten are left out. ``patients``: whole slides, as near to 30 and
        20 tiles as they allow, which is exactly so.

    Notes
    -----
    Drawn with `histolab_lib.datasets.draw` from `SEED`, so the list is the same on every machine. The first three
    versions cut one order of the 50 tiles: the 15 test tiles of two versions are the same, and among the 20 of the
    other.

    Examples
    --------
    >>> {version: (len(names("train", version=version)), len(names("test", version=version))) for version in VERSIONS}
    {'30_20': (30, 20), '25_15': (25, 15), '35_15': (35, 15), 'patients': (30, 20)}
    >>> sorted({name[:2] for name in names("test", version="patients")})
    ['02', '03', '05', '08', '10']
    """
    choose("'tnbc' split", split, SPLITS)
    choose("'tnbc' version", version, VERSIONS)
    if version == "patients":
        test = pick_groups(dict(zip(_SLIDES, TILES, strict=True)), 20, SEED)
        return tuple(name for name in _ALL if (name[:2] in test) == (split == "test"))
    for_train, for_test = map(int, version.split("_"))
    order = shuffled(_ALL, SEED)
    return tuple(sorted(order[:for_test] if split == "test" else order[for_test : for_test + for_train]))


def groups(split: str, *, version: str = "30_20") -> dict[str, str]:
    """Return the patient of each tile, which is its slide; no file of the set is read.

    Examples
    --------
    >>> groups("train", version="35_15")["11_1"]
    '11'
    """
    return {name: name[:2] for name in names(split, version=version)}


def locate(folder: Path, tiles: tuple[str, ...] = _ALL) -> dict[str, tuple[Path, Path]]:
    """Return image and mask of each tile, whether they exist or not.

    Parameters
    ----------
    folder : pathlib.Path
        Holds ``TNBC_NucleiSegmentation/{Slide_01..11,GT_01..11}``.
    tiles : tuple of str
        Their names; all 50 if not given.
    """
    top = folder / _FOLDER
    return {name: (top / f"Slide_{name[:2]}" / f"{name}.png", top / f"GT_{name[:2]}" / f"{name}.png") for name in tiles}


def present(folder: Path) -> dict[str, int]:
    """Return how many tiles of each split of the first version have an image and a mask."""
    files = locate(folder)
    return {split: sum(_there(files[name], 0) and _there(files[name], 1) for name in names(split)) for split in SPLITS}


def validate(folder: Path) -> list[str]:
    """Return what is wrong with the files on disk, a sentence each; an empty list where all is in order.

    Every file is read. Checked are: the 50 tiles by name, and that there is no other; 512 x 512 pixels; masks of 0
    and 255; the number of nuclei of each slide.

    Parameters
    ----------
    folder : pathlib.Path
        As in `locate`.
    """
    top, files = folder / _FOLDER, locate(folder)
    found = []
    for place, (what, where) in enumerate((("images", "Slide_*"), ("masks", "GT_*"))):
        wanted = [pair[place] for pair in files.values()]
        found += absent(top, wanted, what=what) + unexpected(top, top.glob(f"{where}/*.png"), wanted, what=what)
    for slide, nuclei in zip(_SLIDES, NUCLEI, strict=True):
        pairs = [pair for name, pair in files.items() if name[:2] == slide]
        faults = [fault for pair in pairs for fault in _problems(pair)]
        found += faults
        if not faults and all(_there(pair, 1) for pair in pairs):
            found += told(_check_count, top / f"GT_{slide}", [pair[1] for pair in pairs], nuclei)
    return found


def _there(pair: _Files, place: int) -> bool:
    return pair[place].is_file()


def _read(files: Mapping[str, _Files], name: str) -> Tile:
    image_path, mask_path = files[name]
    image = read_rgb(image_path)
    mask = read_mask(mask_path, (image.shape[0], image.shape[1]))
    if not mask.any():
        raise DataError(f"{mask_path}: nothing in it is foreground, expected nuclei; unpack or download it again")
    source = {"image": str(image_path), "labels": str(mask_path), "connectivity": CONNECTIVITY}
    instances = split_components(mask, connectivity=CONNECTIVITY)
    return Tile(name, image, instances, organ="breast", patient=name[:2], source=source)


def _problems(pair: _Files) -> list[str]:
    """Return the faults of the files of one tile that are there."""
    image, mask = pair
    return (told(_check_image, image) if image.is_file() else []) + (told(_check_mask, mask) if mask.is_file() else [])


def _check_image(path: Path) -> None:
    _check_size(path, read_rgb(path).shape)


def _check_mask(path: Path) -> None:
    labels = read_labels(path)
    _check_size(path, labels.shape)
    values = np.unique(labels).tolist()
    if values != [0, 255]:
        shown = ", ".join(map(str, values[:6])) + (", ..." if len(values) > 6 else "")
        raise DataError(f"{path}: expected a mask of 0 and 255, found the values {shown}; take the original")


def _check_size(path: Path, shape: tuple[int, ...]) -> None:
    if shape[:2] != (_SIDE_PX, _SIDE_PX):
        raise DataError(
            f"{path}: expected {_SIDE_PX}x{_SIDE_PX} pixels, found {shape[0]}x{shape[1]} (height x width); "
            "take the original"
        )


def _check_count(folder: Path, masks: list[Path], nuclei: int) -> None:
    found = sum(int(split_components(read_mask(path), connectivity=CONNECTIVITY).max()) for path in masks)
    if found != nuclei:
        raise DataError(
            f"{folder}: expected {nuclei} nuclei ({CONNECTIVITY}-connected components) in its {len(masks)} masks, "
            f"found {found}; take the originals"
        )
