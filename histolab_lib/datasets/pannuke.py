"""PanNuke: three folds of 256 x 256 pixels from 19 tissues, nuclei of five classes, read from memory maps."""

from collections.abc import Mapping
from functools import partial
from itertools import permutations
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from histolab_lib.choices import choose
from histolab_lib.data_dir import DataError
from histolab_lib.datasets.channels import unite_channels
from histolab_lib.datasets.files import set_folder
from histolab_lib.datasets.folds import Fold, locate_fold, open_fold, read_row, tissues
from histolab_lib.datasets.sequence import TileSequence
from histolab_lib.tile import Tile

__all__ = ["CLASSES", "GROUP", "SPLITS", "TISSUES", "VERSIONS", "groups", "load", "present", "read_tile", "validate"]

SPLITS = ("fold1", "fold2", "fold3")
_PARTS = ("train", "val", "test")
#: The splits of each version; the first is the default. ``"213"`` learns from fold 2, steers by 1, is tested on 3.
VERSIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"folds": SPLITS, **{"".join(folds): _PARTS for folds in permutations("123")}}
)
GROUP = "organ"  # the patient is not told

# The first five channels of the masks; the sixth is background.
CLASSES = ("neoplastic", "inflammatory", "connective", "dead", "epithelial")

# As types.npy spells them (read in public code), and the organ as the other sets call it.
TISSUES: Mapping[str, str] = {
    "Adrenal_gland": "adrenal gland",
    "Bile-duct": "bile duct",
    "Bladder": "bladder",
    "Breast": "breast",
    "Cervix": "cervix",
    "Colon": "colon",
    "Esophagus": "esophagus",
    "HeadNeck": "head and neck",
    "Kidney": "kidney",
    "Liver": "liver",
    "Lung": "lung",
    "Ovarian": "ovary",
    "Pancreatic": "pancreas",
    "Prostate": "prostate",
    "Skin": "skin",
    "Stomach": "stomach",
    "Testis": "testis",
    "Thyroid": "thyroid",
    "Uterus": "uterus",
}

_PAGE = "https://warwick.ac.uk/fac/cross_fac/tia/data/pannuke/"
_TILES = {"fold1": 2656, "fold2": 2523, "fold3": 2722}
_KINDS = ("kept", "merged")


def load(split: str, *, classes: str = "kept", version: str = "folds") -> TileSequence:
    """Return the tiles of one fold, lazily.

    Parameters
    ----------
    split : {"fold1", "fold2", "fold3", "train", "val", "test"}
        There is no official training split: one fold trains, one validates, one tests, in turn.
    classes : {"kept", "merged"}
        Whether each nucleus has one of five `CLASSES`, or none (`Tile.classes` is None).
    version : {"folds", "123", "132", "213", "231", "312", "321"}
        ``"folds"`` has the first three splits. The others have the last three, and say in this order which folds
        they are.

    Returns
    -------
    TileSequence
        Named by fold and place in the file, as in ``fold2_0017``. `organ` is the tissue. Each tile's `source` has
        ``image``, ``labels`` (paths), ``index`` (place in the file, from 0), ``regions`` (nuclei in the five
        channels), ``vanished`` (those that others cover wholly), ``contested_px`` (pixels in more than one
        channel) and ``background_px_differing`` (pixels where the sixth channel and the five say different things).
        Some tiles hold no nucleus. The files tell no patient or pixel size.

    Raises
    ------
    ValueError
        If split, classes or version are unknown.
    DataError
        If a file of the fold is missing, cut off, no plain array, or does not fit its neighbours in shape or length.
        Values are checked when a tile is read.

    Notes
    -----
    Ids are unique within one channel only, so they are given anew: 1, 2, ... by channel, and by id in a channel.
    Where channels overlap, the later one keeps the pixel, as in the authors' evaluation (PanNuke-metrics,
    ``utils.py``, ``binarize``).

    Nothing is loaded whole: a fold is 13 GB, and reading a tile takes its 5 MB from a memory map. Any number of tiles
    is read; `validate` says where there are not as many as published.
    """
    choose("'pannuke' classes", classes, _KINDS)
    name = _fold(split, version)
    fold = locate_fold(set_folder("pannuke", page=_PAGE), name)
    open_fold(fold)
    organs = _organs(fold, name)
    return TileSequence(organs, partial(_read, fold, organs, classes))


def groups(split: str, *, classes: str = "kept", version: str = "folds") -> dict[str, str]:
    """Return the organ of each tile of a split; options and errors are those of `load`."""
    choose("'pannuke' classes", classes, _KINDS)
    name = _fold(split, version)
    return _organs(locate_fold(set_folder("pannuke", page=_PAGE), name), name)


def present(folder: Path) -> dict[str, int]:
    """Return how many tiles each fold has; 0 where one of its three files is missing or does not fit the others."""
    found = {}
    for split in SPLITS:
        try:
            found[split] = len(open_fold(locate_fold(folder, split))[0])
        except DataError:
            found[split] = 0
    return found


def read_tile(name: str, fold: Fold, organ: str, *, classes: str = "kept") -> Tile:
    """Read one tile: see `load`, of which this is one item.

    Raises
    ------
    DataError
        If the image has values beyond 0 to 255, or the masks negative ids, or either a fraction.
    """
    index = int(name.rpartition("_")[2])
    image, masks = read_row(fold, index)
    instances, kinds, noticed = unite_channels(masks, CLASSES)
    return Tile(
        name,
        image,
        instances,
        classes=kinds if classes == "kept" else None,
        organ=organ,
        source={"image": str(fold.images), "labels": str(fold.masks), "index": index, **noticed},
    )


def validate(folder: Path) -> list[str]:
    """Return what is wrong with the files in `folder`, one sentence each; nothing where all is in order.

    Checked: that the three files of each fold are there, whole, of the published shape and length and of the same
    type of number as in the other folds, that tissues are among the 19, and every value of every tile. That
    reads all 38 GB, so it takes as long as the disk does.
    """
    problems: list[str] = []
    kinds: dict[str, dict[str, np.dtype[Any]]] = {"images": {}, "masks": {}}
    for split in SPLITS:
        try:
            fold = locate_fold(folder, split)
            for what, array in zip(kinds, open_fold(fold), strict=True):
                kinds[what][split] = array.dtype
            organs = _organs(fold, split)
        except DataError as error:
            problems.append(str(error))
            continue
        problems += _odd(fold, split, organs) + _unreadable(fold, organs)
    for what, found in kinds.items():
        if len(set(found.values())) > 1:
            listed = ", ".join(f"{kind} in {split}" for split, kind in found.items())
            problems.append(f"{folder}: {what}.npy differ in the type of their numbers: {listed}")
    return problems


def _fold(split: str, version: str) -> str:
    """The fold that a split is."""
    splits = VERSIONS[choose("'pannuke' version", version, VERSIONS)]
    choose("'pannuke' split" if version == "folds" else f"'pannuke' {version!r} split", split, splits)
    return split if version == "folds" else f"fold{version[splits.index(split)]}"


def _organs(fold: Fold, split: str) -> dict[str, str]:
    """Return the organ of each tile by its name; a tissue that is not among the 19 is kept as it is spelt."""
    return {f"{split}_{index:04d}": TISSUES.get(tissue, tissue) for index, tissue in enumerate(tissues(fold))}


def _odd(fold: Fold, split: str, organs: Mapping[str, str]) -> list[str]:
    problems = []
    if len(organs) != _TILES[split]:
        problems.append(f"{fold.images}: {len(organs)} tiles, expected {_TILES[split]}")
    if unknown := sorted(set(organs.values()) - set(TISSUES.values())):
        problems.append(f"{fold.types}: not among the 19 tissues: {', '.join(unknown)}")
    return problems


def _unreadable(fold: Fold, organs: Mapping[str, str]) -> list[str]:
    problems = []
    for name in organs:
        try:
            _read(fold, organs, "kept", name)
        except DataError as error:
            problems.append(str(error))
    return problems


def _read(fold: Fold, organs: Mapping[str, str], classes: str, name: str) -> Tile:
    return read_tile(name, fold, organs[name], classes=classes)
