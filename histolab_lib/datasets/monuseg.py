"""MoNuSeg 2018: 30 training and 14 test tiles of 1000 x 1000 pixels at 40x, nuclei outlined in Aperio XML."""

import hashlib
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

from histolab_lib.choices import choose
from histolab_lib.data_dir import DataError
from histolab_lib.datasets.files import read_rgb, require, set_folder
from histolab_lib.datasets.monuseg_files import TRAIN_FOLDER, TileFiles, facts, locate, patient_of, read_tile
from histolab_lib.datasets.polygons import CONVENTIONS, DEFAULT_CONVENTION
from histolab_lib.datasets.problems import absent, told
from histolab_lib.datasets.sequence import TileSequence
from histolab_lib.tile import Tile

__all__ = [
    "GROUP",
    "GROUPS",
    "LABELS",
    "PAGE",
    "SPLITS",
    "TileFiles",
    "facts",
    "grouped",
    "groups",
    "load",
    "locate",
    "present",
    "read_tile",
    "sequence",
    "validate",
]

#: What a validation split keeps apart, and what else it may keep apart.
GROUP = "organ"
GROUPS = ("organ", "patient")
SPLITS = ("train", "test", "extra")
LABELS = ("auto", "xml", "png")
PAGE = "https://monuseg.grand-challenge.org/Data/"

_SIDE_PX = 1000


def load(split: str, *, raster: str = DEFAULT_CONVENTION, labels: str = "auto") -> TileSequence:
    """Return the tiles of a split, lazily.

    Parameters
    ----------
    split : {"train", "test", "extra"}
        The 30 training tiles of 2018, by name, whatever else the folder holds; the 14 test tiles; or the other
        tiles in the training folder (today's archive has 7).
    raster : {"official", "skimage", "skimage_half"}
        How outlines become pixels: see `histolab_lib.datasets.polygons.rasterise`.
    labels : {"auto", "xml", "png"}
        Draw the XML outlines, or read the instance-label PNG (which follows the official rule). ``auto`` takes the
        XML where a tile has one and the PNG otherwise; under the official rule both give the same pixels.

    Returns
    -------
    TileSequence
        Sorted by name. Each tile's `source` has ``image``, ``labels`` (paths), ``raster``, ``regions`` (in the XML,
        or the largest label of the PNG), ``vanished`` (regions that no pixel shows), and for outlines from XML also
        ``degenerate`` (fewer than three vertices), ``overhanging`` (reaching over the border) and ``negative``
        (marked as negative; drawn like all others, as the official code does). `patient` is the TCGA participant,
        the first three fields of the name. `um_per_px` is known only where an XML was read and tells it.

    Raises
    ------
    ValueError
        If an option is unknown, or ``raster`` is not official with ``labels="png"``.
    DataError
        If files that the split needs are missing. What is wrong inside a file is told when the tile is read.
    """
    choose("'monuseg' split", split, SPLITS)
    _check_options("monuseg", raster, labels)
    files = locate(set_folder("monuseg", page=PAGE), split)
    again = f"unpack the archive of split {split!r} of 'monuseg' again, from {PAGE}"
    if not files:
        raise DataError(
            f"no tile beyond the 30 of 2018 in {TRAIN_FOLDER}/Tissue Images, so split 'extra' is empty; {again}"
        )
    return sequence("monuseg", files, raster=raster, labels=labels, again=again)


def sequence(
    name: str,
    files: Mapping[str, TileFiles],
    *,
    raster: str,
    labels: str,
    again: str = f"unpack the training archive of 'monuseg' again, from {PAGE}",
) -> TileSequence:
    """Return the tiles at these places, lazily: what `load` and other views of the same files end in.

    Parameters
    ----------
    name : str
        The set, for messages.
    files : mapping of str to TileFiles
        From `locate`, at least one.
    raster, labels : str
        As in `load`.
    again : str
        What to do where files are missing.
    """
    _check_options(name, raster, labels)
    _check_files(files, raster, labels, again)
    return TileSequence(files, partial(_read, files, raster, labels))


def present(folder: Path) -> dict[str, int]:
    """Return how many tiles of each split have an image and some labels."""
    return {split: sum(tile.complete for tile in locate(folder, split).values()) for split in SPLITS}


def groups(split: str, *, by: str = GROUP, raster: str = DEFAULT_CONVENTION, labels: str = "auto") -> dict[str, str]:
    """Return what each tile must not be parted from: its organ, or its patient (``by="patient"``).

    The other options are those of `load`, and change nothing here. No image is read.

    Raises
    ------
    ValueError
        If an option is unknown, or if the organs of ``extra`` are asked for, which no file tells.
    DataError
        If ``extra`` is asked for and the set is not where ``HISTOLAB_DATA`` says.

    Examples
    --------
    >>> organs = groups("train")
    >>> organs["TCGA-18-5592-01Z-00-DX1"], len(set(organs.values())), len(set(groups("train", by="patient").values()))
    ('liver', 7, 30)
    """
    choose("'monuseg' split", split, SPLITS)
    if split != "extra":
        return grouped((name for name, row in facts().items() if row["set"] == split), by)
    if by == "organ":
        raise ValueError("the organs of the 'extra' tiles of 'monuseg' are not known here; ask for by='patient'")
    return grouped(locate(set_folder("monuseg", page=PAGE), split), by)


def grouped(names: Iterable[str], by: str) -> dict[str, str]:
    """Return organ or patient of tiles of the 44, sorted by name; the patient is known of any TCGA name."""
    choose("group of 'monuseg'", by, GROUPS)
    return {name: facts()[name]["organ"] if by == "organ" else patient_of(name) for name in sorted(names)}


def validate(folder: Path, *, splits: Iterable[str] = SPLITS) -> list[str]:
    """Return what is wrong with the files on disk, a sentence each; an empty list where all is in order.

    Every file is read, which takes some seconds. Checked are: the tiles of 2018 by name; that images are 1000 x 1000
    pixels; that an XML is the official file (its git blob hash); that each label image, and each XML that is not the
    official file, has the number of nuclei and the largest id of ``data/facts/monuseg_tiles.csv``. Tiles of ``extra``
    need not be there; those that are must be readable.

    Parameters
    ----------
    folder : pathlib.Path
        As in `locate`.
    splits : iterable of str
        Those to look at.
    """
    found = []
    for split in splits:
        files = locate(folder, split)
        found += absent(folder, [tile.image for tile in files.values()], what=f"images of split {split!r}")
        without = [name for name, tile in files.items() if not (tile.xml or tile.png)]
        if without:
            found.append(
                f"{folder}: expected an XML or a label PNG for each of {len(files)} tiles of split {split!r}, found "
                f"neither for {', '.join(without)}; unpack the set again"
            )
        for name, tile in files.items():
            found += _problems(name, tile)
    return found


def _read(files: Mapping[str, TileFiles], raster: str, labels: str, name: str) -> Tile:
    return read_tile(name, files[name], raster=raster, labels=labels)


def _check_options(name: str, raster: str, labels: str) -> None:
    choose(f"{name!r} raster", raster, CONVENTIONS)
    choose(f"{name!r} labels", labels, LABELS)
    if labels == "png" and raster != "official":
        raise ValueError(f"raster={raster!r} needs outlines, but labels='png' are drawn by the official rule already")


def _check_files(files: Mapping[str, TileFiles], raster: str, labels: str, again: str) -> None:
    """Raise where a file is missing that the split needs: half a set gives wrong means in silence."""
    folder = next(iter(files.values())).image.parent
    images = [tile.image.name for tile in files.values() if not tile.image.is_file()]
    require(images, of=len(files), problem=f"images are missing in {folder}", advice=again)
    if raster != "official":
        labels = "xml"
        again = f"raster={raster!r} needs outlines; label PNGs follow the official rule: ask for that, or add the XML"
    problem, kinds = _WANTED[labels]
    without = [name for name, tile in files.items() if not any(getattr(tile, kind) for kind in kinds)]
    require(without, of=len(files), problem=f"tiles have {problem} beside {folder}", advice=again)


_WANTED = {
    "auto": ("neither XML nor label PNG", ("xml", "png")),
    "xml": ("no XML", ("xml",)),
    "png": ("no label PNG", ("png",)),
}


def _problems(name: str, tile: TileFiles) -> list[str]:
    """Return the faults of one tile whose image is there; that it is missing is told for all together."""
    if not tile.image.is_file():
        return []
    row = facts().get(name)
    damaged = told(_check_size, tile.image)
    altered = told(_check_official, tile.xml, row["xml_git_sha1"]) if tile.xml and row else []
    found = damaged + altered
    if damaged:  # labels cannot be held against it
        return found
    if tile.xml and (altered or not row):
        found += told(_check_labels, name, tile, "xml")
    return found + (told(_check_labels, name, tile, "png") if tile.png else [])


def _check_size(path: Path) -> None:
    height, width = read_rgb(path).shape[:2]
    if (height, width) != (_SIDE_PX, _SIDE_PX):
        raise DataError(
            f"{path}: expected {_SIDE_PX}x{_SIDE_PX} pixels, found {height}x{width} (height x width); take the original"
        )


def _check_labels(name: str, tile: TileFiles, labels: str) -> None:
    read = read_tile(name, tile, labels=labels)
    row = facts().get(name)
    if row and (read.count, read.source["regions"]) != (int(row["label_ids"]), int(row["largest_id"])):
        raise DataError(
            f"{read.source['labels']}: expected {row['label_ids']} nuclei with ids up to {row['largest_id']}, found "
            f"{read.count} with ids up to {read.source['regions']}; take the original"
        )


def _check_official(path: Path, expected: str) -> None:
    """Raise unless the file has the git blob hash by which the official XML are known."""
    data = path.read_bytes()
    found = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    if found != expected:
        raise DataError(
            f"{path}: expected the official file, of git blob hash {expected}, found {found}; download it again"
        )
