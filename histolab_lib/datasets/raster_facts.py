"""What a convention of rasterisation costs: the same outlines of MoNuSeg drawn by each, scored against the official."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from histolab_lib.data_dir import DataError
from histolab_lib.datasets import monuseg
from histolab_lib.datasets.aperio import read_annotation
from histolab_lib.datasets.files import read_rgb, set_folder
from histolab_lib.datasets.polygons import CONVENTIONS, rasterise

__all__ = ["compare_conventions"]

_OFFICIAL = "official"


def compare_conventions() -> dict[str, Any]:
    """Draw the outlines of every MoNuSeg tile that has an XML by every convention.

    Returns
    -------
    dict
        By convention, ``official`` left out: binary Dice against ``official``, as ``tiles`` (by name) and as ``train``,
        ``test`` and ``all``, each with ``tiles`` (their number), ``mean``, ``min`` and ``max``.

    Raises
    ------
    DataError
        If the set is not on disk, or no tile has outlines.
    """
    folder = set_folder("monuseg", page=monuseg.PAGE)
    scores: dict[str, dict[str, dict[str, float]]] = {}
    for split in ("train", "test"):
        for name, files in monuseg.locate(folder, split).items():
            if files.xml is None:
                continue
            height, width, _ = read_rgb(files.image).shape
            polygons = read_annotation(files.xml, (height, width)).polygons
            drawn = {convention: rasterise(polygons, (height, width), convention) > 0 for convention in CONVENTIONS}
            for convention in set(CONVENTIONS) - {_OFFICIAL}:
                value = _dice(drawn[_OFFICIAL], drawn[convention])
                scores.setdefault(convention, {}).setdefault(split, {})[name] = value
    if not scores:
        raise DataError(f"{folder}: expected XML files with outlines, found none; add them from {monuseg.PAGE}")
    return {convention: _ranges(scores[convention]) for convention in sorted(scores)}


def _dice(true: npt.NDArray[np.bool_], pred: npt.NDArray[np.bool_]) -> float:
    """Binary Dice of two masks that are not both empty."""
    return float(2 * np.count_nonzero(true & pred) / (np.count_nonzero(true) + np.count_nonzero(pred)))


def _ranges(splits: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    together = {name: value for values in splits.values() for name, value in values.items()}
    ranges: dict[str, Any] = {}
    for split, values in {**splits, "all": together}.items():
        numbers = list(values.values())
        found = {"mean": float(np.mean(numbers)), "min": min(numbers), "max": max(numbers)}
        ranges[split] = {"tiles": len(numbers)} | {key: round(value, 6) for key, value in found.items()}
    return ranges | {"tiles": {name: round(value, 6) for name, value in sorted(together.items())}}
