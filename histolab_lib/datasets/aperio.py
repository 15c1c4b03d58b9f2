"""Outlines in the XML of Aperio ImageScope, as MoNuSeg and others publish them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import ParseError

import numpy as np
import numpy.typing as npt

from histolab_lib.data_dir import DataError

__all__ = ["Annotation", "read_annotation"]


@dataclass(frozen=True)
class Annotation:
    """The outlines of one image.

    Attributes
    ----------
    polygons : tuple of ndarray of float64, each (n, 2)
        x and y of the vertices in pixels, regions in file order (their Ids are not in order, and have gaps).
    um_per_px : float or None
        ``MicronsPerPixel``, where the file tells it.
    degenerate : int
        Regions of fewer than three vertices.
    overhanging : int
        Regions that reach over the border of the image.
    negative : int
        Regions marked ``NegativeROA``.
    """

    polygons: tuple[npt.NDArray[np.float64], ...]
    um_per_px: float | None
    degenerate: int
    overhanging: int
    negative: int


def read_annotation(path: Path, shape: tuple[int, int]) -> Annotation:
    """Read an Aperio XML.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    shape : tuple of int
        Height and width of the image it belongs to, in pixels.

    Raises
    ------
    DataError
        If the file is missing or malformed, has no region, a vertex without finite numbers, a region wholly outside
        the image, or one that reaches out further than the image is large; or if defusedxml is not installed.
    """
    try:
        from defusedxml.common import DefusedXmlException
        from defusedxml.ElementTree import DefusedXMLParser
    except ImportError as error:
        raise DataError(f"{path}: reading XML needs defusedxml; install the extra `data` of histolab-lib") from error
    collector = _Collector()
    parser = DefusedXMLParser(target=collector)
    try:
        parser.feed(path.read_bytes())
        parser.close()
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; unpack the set again") from None
    except (ParseError, DefusedXmlException, LookupError, ValueError) as error:
        raise DataError(f"{path}: malformed XML ({error}); unpack or download it again") from error
    if not collector.regions:
        raise DataError(f"{path}: expected Region elements with the outlines of nuclei, found none; download it again")
    polygons = tuple(np.array(region, np.float64).reshape(-1, 2) for region in collector.regions)
    return Annotation(
        polygons,
        _um_per_px(path, collector.root),
        degenerate=sum(len(polygon) < 3 for polygon in polygons),
        overhanging=_overhanging(path, polygons, shape),
        negative=collector.negative,
    )


class _Collector:
    """Keeps what is needed while the file is read: half the time of building the whole tree."""

    def __init__(self) -> None:
        self.root: Mapping[str, str] | None = None
        self.regions: list[list[tuple[float, float]]] = []
        self.negative = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if self.root is None:
            self.root = attributes
        if tag == "Region":
            self.regions.append([])
            self.negative += attributes.get("NegativeROA") == "1"
        elif tag == "Vertex":
            self._vertex(attributes)

    def _vertex(self, attributes: Mapping[str, str]) -> None:
        where = f"region {len(self.regions)}, vertex {len(self.regions[-1]) + 1}" if self.regions else "a vertex"
        try:
            x, y = float(attributes["X"]), float(attributes["Y"])
        except (KeyError, ValueError):
            raise ValueError(f"{where}: expected numbers X and Y, got {dict(attributes)}") from None
        if not (math.isfinite(x) and math.isfinite(y)):
            raise ValueError(f"{where}: expected finite numbers X and Y, got {dict(attributes)}")
        if not self.regions:
            raise ValueError("a Vertex outside any Region")
        self.regions[-1].append((x, y))

    def end(self, tag: str) -> None:
        """Nothing; the parser asks for the method."""

    def close(self) -> None:
        """Nothing; the parser asks for the method."""


def _um_per_px(path: Path, root: Mapping[str, str] | None) -> float | None:
    text = (root or {}).get("MicronsPerPixel", "")
    if not text.strip():
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise DataError(f"{path}: MicronsPerPixel is {text!r}, expected a positive number of micrometres; correct it")
    return value


def _overhanging(path: Path, polygons: tuple[npt.NDArray[np.float64], ...], shape: tuple[int, int]) -> int:
    size = np.array(shape[::-1], np.float64)  # width, height: vertices are (x, y)
    count = 0
    for number, polygon in enumerate(polygons, start=1):
        if not len(polygon):
            continue
        low, high = polygon.min(axis=0), polygon.max(axis=0)
        if (high < 0).any() or (low > size).any():
            problem = "lies wholly outside"
        elif (low < -size).any() or (high > 2 * size).any():
            problem = "reaches further out than the image is large from"
        else:
            count += bool((low < 0).any() or (high > size).any())
            continue
        raise DataError(
            f"{path}: region {number} (x {low[0]:g} to {high[0]:g}, y {low[1]:g} to {high[1]:g}) {problem} its image "
            f"of {shape[1]}x{shape[0]} pixels (width x height); is this the XML of another tile, or of the whole slide?"
        )
    return count
