"""GlaS (Warwick-QU, 2015): 165 images of colon at 20x, most of 775 x 522 pixels, every gland outlined.

Two things to know. The split is not by patient: 8 of the 9 patients of ``testA`` and all 5 of ``testB`` are in
``train``, too. And four masks of ``testB`` (3, 11, 18 and 19) were published without ids: all their glands have the
value 1, and whoever counts ids finds 95 glands in ``testB`` where there are 118.
"""

import csv
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np

from histolab_lib.choices import choose
from histolab_lib.data_dir import DataError, data_dir
from histolab_lib.datasets.files import read_labels, read_rgb, require, set_folder
from histolab_lib.datasets.grades import FILE, Grade, grade_problems, read_grades
from histolab_lib.datasets.problems import absent, told, unexpected
from histolab_lib.datasets.sequence import TileSequence
from histolab_lib.postprocess import split_components
from histolab_lib.tile import Tile

__all__ = [
    "BINARY",
    "CONNECTIVITY",
    "GROUP",
    "PAGE",
    "SPLITS",
    "UM_PER_PX",
    "TileFiles",
    "facts",
    "groups",
    "load",
    "locate",
    "present",
    "validate",
]

#: What a validation split keeps apart.
GROUP = "patient"
SPLITS = ("train", "testA", "testB")
#: The tiles whose masks were published without ids.
BINARY = ("testB_3", "testB_11", "testB_18", "testB_19")
#: The published ids of all other masks are 8-connected components, bar none; 4 would break 12 glands at a corner.
CONNECTIVITY = 8
#: Zeiss MIRAX MIDI at 20x, says the page of the contest; no file does.
UM_PER_PX = 0.62005
PAGE = "https://warwick.ac.uk/fac/cross_fac/tia/data/glascontest/"

_FOLDER = "Warwick QU Dataset (Released 2016_07_08)"
_SUFFIXES = (".bmp", ".png")  # as published; as often passed on


@dataclass(frozen=True)
class TileFiles:
    """Where one tile lies; the official name where there is no such file."""

    image: Path
    mask: Path

    @property
    def complete(self) -> bool:
        """Whether both are there."""
        return self.image.is_file() and self.mask.is_file()


def load(split: str, *, relabel: bool = True) -> TileSequence:
    """Return the tiles of a split, lazily.

    Parameters
    ----------
    split : {"train", "testA", "testB"}
    relabel : bool
        Give the glands of the four masks without ids (`BINARY`) ids of their own, as the 8-connected components of
        the mask. False leaves them as published: one id, that is one gland, an image.

    Returns
    -------
    TileSequence
        In the order of the numbers in their names: ``train_2`` comes before ``train_10``. `patient` is the number in
        ``Grade.csv``; `organ` is ``colon``; `um_per_px` is `UM_PER_PX`, which the page of the contest tells and no
        file. `source` has ``image`` and ``labels`` (paths), ``relabelled`` (whether the ids are ours), ``grade`` and
        ``grade_2015`` (see `histolab_lib.datasets.grades`) and ``um_per_px`` (where that is known from).

    Raises
    ------
    ValueError
        If an option is unknown.
    DataError
        If files that the split needs are missing or come twice, or if ``Grade.csv`` is not in order. What is wrong
        inside an image is told when the tile is read.
    """
    choose("'glas' split", split, SPLITS)
    _check_relabel(relabel)
    folder = set_folder("glas", page=PAGE)
    files = locate(folder, split)
    _check_files(files, split)
    grades = read_grades(folder / _FOLDER / FILE, files)
    return TileSequence(files, partial(_read, files, grades, relabel))


def groups(split: str, *, relabel: bool = True) -> dict[str, str]:
    """Return the patient of each tile, read in ``Grade.csv``; no image is read.

    The option is that of `load`, and changes nothing here.

    Raises
    ------
    ValueError
        If the split is unknown.
    DataError
        If the set is not where ``HISTOLAB_DATA`` says, or ``Grade.csv`` is not in order.
    """
    choose("'glas' split", split, SPLITS)
    path = set_folder("glas", page=PAGE) / _FOLDER / FILE
    return {name: grade.patient for name, grade in read_grades(path, _names(split)).items()}


def locate(folder: Path, split: str) -> dict[str, TileFiles]:
    """Return the files of each tile of a split, whether they exist or not.

    Parameters
    ----------
    folder : pathlib.Path
        Holds ``Warwick QU Dataset (Released 2016_07_08)``, and that ``train_1.bmp``, ``train_1_anno.bmp`` and so on.
        PNG is taken where there is no BMP.
    split : str
        As in `load`.
    """

    def there(stem: str) -> Path:
        paths = [folder / _FOLDER / f"{stem}{suffix}" for suffix in _SUFFIXES]
        return next((path for path in paths if path.is_file()), paths[0])

    return {name: TileFiles(there(name), there(f"{name}_anno")) for name in _names(split)}


def present(folder: Path) -> dict[str, int]:
    """Return how many tiles of each split have an image and a mask."""
    return {split: sum(tile.complete for tile in locate(folder, split).values()) for split in SPLITS}


@cache
def facts() -> Mapping[str, Mapping[str, str]]:
    """Return ``data/facts/glas_tiles.csv``, row by tile name (its columns: ``data/facts/README.md``)."""
    path = data_dir() / "facts" / "glas_tiles.csv"
    with path.open(newline="", encoding="utf-8") as file:
        return {row["tile"]: row for row in csv.DictReader(file)}


def validate(folder: Path) -> list[str]:
    """Return what is wrong with the files on disk, a sentence each; an empty list where all is in order.

    Every file is read. Checked are: the 165 tiles by name, and that there is no other; ``Grade.csv``, row by row;
    width and height of each image and mask; that ids are 1 to n, with the published n; and the SHA-256 of each BMP
    (of a PNG copy none is known).

    Parameters
    ----------
    folder : pathlib.Path
        As in `locate`.
    """
    top = folder / _FOLDER
    files = {name: tile for split in SPLITS for name, tile in locate(folder, split).items()}
    images, masks = [tile.image for tile in files.values()], [tile.mask for tile in files.values()]
    found = absent(top, images, what="images") + absent(top, masks, what="masks")
    known = [path.with_suffix(suffix) for path in images + masks for suffix in _SUFFIXES]
    there = [path for suffix in _SUFFIXES for path in top.glob(f"*{suffix}")]
    found += unexpected(top, there, known, what="images and masks") + _twice(images + masks)
    found += grade_problems(top / FILE, files)
    for name, tile in files.items():
        found += _problems(tile, facts()[name])
    return found


def _names(split: str) -> list[str]:
    return [name for name, row in facts().items() if row["split"] == split]


def _check_relabel(relabel: object) -> None:
    if not isinstance(relabel, bool):
        raise ValueError(f"'glas' relabel must be True or False, got {relabel!r}")


def _check_files(files: Mapping[str, TileFiles], split: str) -> None:
    again = f"unpack the archive of 'glas' again, from {PAGE}"
    folder = next(iter(files.values())).image.parent
    for what in ("image", "mask"):
        paths = [getattr(tile, what) for tile in files.values()]
        missing = [path.name for path in paths if not path.is_file()]
        require(missing, of=len(files), problem=f"{what}s of split {split!r} are missing in {folder}", advice=again)
        if twice := _twice(paths):
            raise DataError(twice[0])


def _twice(paths: list[Path]) -> list[str]:
    """Return one sentence if some files are there as BMP and as PNG: which of them counts, nobody can say."""
    names = [path.stem for path in paths if all(path.with_suffix(suffix).is_file() for suffix in _SUFFIXES)]
    if not names:
        return []
    return [f"{paths[0].parent}: {', '.join(names)} lie there both as BMP and as PNG; keep one of the two"]


def _read(files: Mapping[str, TileFiles], grades: Mapping[str, Grade], relabel: bool, name: str) -> Tile:
    tile, row = files[name], grades[name]
    image = read_rgb(tile.image)
    instances = read_labels(tile.mask, (image.shape[0], image.shape[1]))
    if not instances.any():
        raise DataError(f"{tile.mask}: nothing in it covers a pixel, expected glands; unpack or download it again")
    # A copy in which someone has given them ids already keeps those.
    relabelled = relabel and name in BINARY and np.count_nonzero(np.unique(instances)) == 1
    if relabelled:
        instances = split_components(instances > 0, connectivity=CONNECTIVITY)
    source = {
        "image": str(tile.image),
        "labels": str(tile.mask),
        "relabelled": f"{CONNECTIVITY}-connected components of a mask without ids" if relabelled else "no",
        "grade": row.grade,
        "grade_2015": row.grade_2015,
        "um_per_px": "page of the contest; no file tells it",
    }
    return Tile(name, image, instances, organ="colon", patient=row.patient, um_per_px=UM_PER_PX, source=source)


def _problems(tile: TileFiles, row: Mapping[str, str]) -> list[str]:
    """Return the faults of the files of one tile that are there."""
    found = []
    if tile.image.is_file():
        found += told(_check_image, tile.image, row) + told(_check_hash, tile.image, row["image_sha256"])
    if tile.mask.is_file():
        found += told(_check_mask, tile.mask, row) + told(_check_hash, tile.mask, row["mask_sha256"])
    return found


def _check_image(path: Path, row: Mapping[str, str]) -> None:
    _check_size(path, read_rgb(path).shape, row)


def _check_mask(path: Path, row: Mapping[str, str]) -> None:
    labels = read_labels(path)
    _check_size(path, labels.shape, row)
    ids = [int(number) for number in np.unique(labels) if number]
    if ids != list(range(1, int(row["label_ids"]) + 1)):
        last = f" up to {ids[-1]}" if ids else ""
        raise DataError(f"{path}: expected the ids 1 to {row['label_ids']}, found {len(ids)}{last}; take the original")


def _check_size(path: Path, shape: tuple[int, ...], row: Mapping[str, str]) -> None:
    if shape[:2] != (int(row["height_px"]), int(row["width_px"])):
        raise DataError(
            f"{path}: expected {row['height_px']}x{row['width_px']} pixels, found {shape[0]}x{shape[1]} "
            "(height x width); take the original"
        )


def _check_hash(path: Path, expected: str) -> None:
    if path.suffix == ".bmp" and (found := hashlib.sha256(path.read_bytes()).hexdigest()) != expected:
        raise DataError(f"{path}: expected sha256 {expected}, found {found}; take the original")
