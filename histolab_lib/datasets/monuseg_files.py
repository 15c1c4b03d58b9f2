"""Where the files of MoNuSeg lie, what is known of each tile, and how one tile is read."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from histolab_lib.data_dir import DataError, data_dir
from histolab_lib.datasets.drawn import draw_annotation
from histolab_lib.datasets.files import read_labels, read_rgb
from histolab_lib.datasets.polygons import DEFAULT_CONVENTION
from histolab_lib.tile import Tile

__all__ = ["TRAIN_FOLDER", "TileFiles", "facts", "locate", "patient_of", "read_tile"]

TRAIN_FOLDER = "MoNuSeg 2018 Training Data"
_TEST_FOLDER = "MoNuSegTestData"


@dataclass(frozen=True)
class TileFiles:
    """Where one tile lies; `xml` and `png` are None where there is no such file."""

    image: Path
    xml: Path | None
    png: Path | None

    @property
    def complete(self) -> bool:
        """Whether there is an image, and labels of one kind or the other."""
        return self.image.is_file() and (self.xml or self.png) is not None


def locate(folder: Path, split: str) -> dict[str, TileFiles]:
    """Return the files of each tile of a split; images are named whether they exist or not.

    Parameters
    ----------
    folder : pathlib.Path
        Holds ``MoNuSeg 2018 Training Data/{Tissue Images,Annotations,Labels}`` and ``MoNuSegTestData`` (images and
        XML side by side, ``Labels`` below). ``Labels`` are not in the official archives: 16-bit PNG, optional.
    split : str
        As in `histolab_lib.datasets.monuseg.load`.
    """
    top = folder / (_TEST_FOLDER if split == "test" else TRAIN_FOLDER)
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


@cache
def facts() -> Mapping[str, Mapping[str, str]]:
    """Return ``data/facts/monuseg_tiles.csv``, row by tile name (its columns: ``data/facts/README.md``)."""
    path = data_dir() / "facts" / "monuseg_tiles.csv"
    with path.open(newline="", encoding="utf-8") as file:
        return {row["tile"]: row for row in csv.DictReader(file)}


def patient_of(name: str) -> str:
    """Return the participant of a TCGA barcode: its first three fields.

    Examples
    --------
    >>> patient_of("TCGA-18-5592-01Z-00-DX1")
    'TCGA-18-5592'
    """
    return "-".join(name.split("-")[:3])


def read_tile(name: str, files: TileFiles, *, raster: str = DEFAULT_CONVENTION, labels: str = "auto") -> Tile:
    """Read one tile: see `histolab_lib.datasets.monuseg.load`, of which this is one item.

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
    instances, um_per_px, noticed = draw_annotation(path, shape, raster) if drawn else _labels(path, shape)
    if not instances.any():
        raise DataError(f"{path}: nothing in it covers a pixel, expected nuclei; unpack or download it again")
    noticed["vanished"] = noticed["regions"] - int(np.count_nonzero(np.unique(instances)))
    return Tile(
        name,
        image,
        instances,
        organ=facts()[name]["organ"] if name in facts() else None,
        patient=patient_of(name),
        um_per_px=um_per_px,
        source={"image": str(files.image), "labels": str(path), "raster": raster, **noticed},
    )


def _labels(path: Path, shape: tuple[int, int]) -> tuple[npt.NDArray[np.int32], None, dict[str, int]]:
    instances = read_labels(path, shape)
    return instances, None, {"regions": int(instances.max())}
