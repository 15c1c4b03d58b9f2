"""MoNuSeg 2018: 30 training and 14 test tiles of 1000 x 1000 pixels at 40x, nuclei outlined in Aperio XML."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from histolab_lib.data_dir import DataError, data_dir
from histolab_lib.datasets.aperio import read_annotation
from histolab_lib.datasets.choices import choose
from histolab_lib.datasets.files import read_labels, read_rgb, require, set_folder
from histolab_lib.datasets.polygons import CONVENTIONS, DEFAULT_CONVENTION, rasterise
from histolab_lib.datasets.sequence import TileSequence
from histolab_lib.tile import Tile

__all__ = ["LABELS", "SPLITS", "TileFiles", "facts", "load", "locate", "present", "read_tile"]

SPLITS = ("train", "test", "extra")
LABELS = ("auto", "xml", "png")

_PAGE = "https://monuseg.grand-challenge.org/Data/"
_TRAIN = "MoNuSeg 2018 Training Data"
_TEST = "MoNuSegTestData"


@dataclass(frozen=True)
class TileFiles:
    """Where one tile lies; `xml` and `png` are None where there is no such file."""

    image: Path
    xml: Path | None
    png: Path | None


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
    choose("'monuseg' raster", raster, CONVENTIONS)
    choose("'monuseg' labels", labels, LABELS)
    if labels == "png" and raster != "official":
        raise ValueError(f"raster={raster!r} needs outlines, but labels='png' are drawn by the official rule already")
    files = locate(set_folder("monuseg", page=_PAGE), split)
    _check(files, split, raster, labels)
    return TileSequence(files, partial(_read, files, raster, labels))


def locate(folder: Path, split: str) -> dict[str, TileFiles]:
    """Return the files of each tile of a split; images are named whether they exist or not.

    Parameters
    ----------
    folder : pathlib.Path
        Holds ``MoNuSeg 2018 Training Data/{Tissue Images,Annotations,Labels}`` and ``MoNuSegTestData`` (images and
        XML side by side, ``Labels`` below). ``Labels`` are not in the official archives: 16-bit PNG, optional.
    split : str
        As in `load`.
    """
    top = folder / (_TEST if split == "test" else _TRAIN)
    images, annotations = (top, top) if split == "test" else (top / "Tissue Images", top / "Annotations")
    known = [tile for tile, row in facts().items() if row["set"] == split]
    if split == "extra":
        known = sorted(path.stem for path in images.glob("*.tif") if path.stem not in facts())

    def there(path: Path) -> Path | None:
        return path if path.is_file() else None

    return {
        name: TileFiles(
            images / f"{name}.tif", there(annotations / f"{name}.xml"), there(top / "Labels" / f"{name}.png")
        )
        for name in sorted(known)
    }


def present(folder: Path) -> dict[str, int]:
    """Return how many tiles of each split have an image and some labels."""
    return {
        split: sum(
            tile.image.is_file() and (tile.xml or tile.png) is not None for tile in locate(folder, split).values()
        )
        for split in SPLITS
    }


@cache
def facts() -> Mapping[str, Mapping[str, str]]:
    """Return ``data/facts/monuseg_tiles.csv``, row by tile name (its columns: ``data/facts/README.md``)."""
    path = data_dir() / "facts" / "monuseg_tiles.csv"
    with path.open(newline="", encoding="utf-8") as file:
        return {row["tile"]: row for row in csv.DictReader(file)}


def read_tile(name: str, files: TileFiles, *, raster: str = DEFAULT_CONVENTION, labels: str = "auto") -> Tile:
    """Read one tile: see `load`, of which this is one item.

    Raises
    ------
    DataError
        If a file is missing or damaged or is not what it should be, or if no object at all would result.
    """
    image = read_rgb(files.image)
    drawn = files.xml is not None if labels == "auto" and raster == "official" else labels != "png"
    path = files.xml if drawn else files.png
    if path is None:
        raise DataError(f"{files.image}: this tile has no {'XML' if drawn else 'label PNG'}; unpack the set again")
    shape = (image.shape[0], image.shape[1])
    instances, um_per_px, noticed = _outlines(path, shape, raster) if drawn else _labels(path, shape)
    if not instances.any():
        raise DataError(f"{path}: nothing in it covers a pixel, expected nuclei; unpack or download it again")
    noticed["vanished"] = noticed["regions"] - int(np.count_nonzero(np.unique(instances)))
    return Tile(
        name,
        image,
        instances,
        organ=facts()[name]["organ"] if name in facts() else None,
        patient="-".join(name.split("-")[:3]),
        um_per_px=um_per_px,
        source={"image": str(files.image), "labels": str(path), "raster": raster, **noticed},
    )


def _outlines(
    path: Path, shape: tuple[int, int], raster: str
) -> tuple[npt.NDArray[np.int32], float | None, dict[str, int]]:
    found = read_annotation(path, shape)
    noticed = {
        "regions": len(found.polygons),
        "degenerate": found.degenerate,
        "overhanging": found.overhanging,
        "negative": found.negative,
    }
    return rasterise(found.polygons, shape, raster), found.um_per_px, noticed


def _labels(path: Path, shape: tuple[int, int]) -> tuple[npt.NDArray[np.int32], None, dict[str, int]]:
    instances = read_labels(path, shape)
    return instances, None, {"regions": int(instances.max())}


def _read(files: Mapping[str, TileFiles], raster: str, labels: str, name: str) -> Tile:
    return read_tile(name, files[name], raster=raster, labels=labels)


def _check(files: Mapping[str, TileFiles], split: str, raster: str, labels: str) -> None:
    """Raise where a file is missing that the split needs: half a set gives wrong means in silence."""
    again = f"unpack the archive of split {split!r} of 'monuseg' again, from {_PAGE}"
    if not files:
        raise DataError(f"no tile beyond the 30 of 2018 in {_TRAIN}/Tissue Images, so split 'extra' is empty; {again}")
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
