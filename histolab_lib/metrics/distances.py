"""Batches of distances: what is infinite is left out of a mean, and how a batch is read."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from histolab_lib.metrics.contingency import check_ids, check_maps

__all__ = ["DistanceMaps", "checked_pair", "each_image", "reduce_distances"]

DistanceMaps: TypeAlias = npt.NDArray[Any] | Sequence[npt.NDArray[Any]]

_T = TypeVar("_T")


def checked_pair(true: Any, pred: Any) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return both maps; raise unless they are integer or bool arrays (H, W) of one shape, without negative ids."""
    check_maps(true, pred)
    for name, labels in (("true", true), ("pred", pred)):
        if labels.size:
            check_ids(name, int(labels.min()), int(labels.max()), f"{labels.dtype} {labels.shape}")
    return true, pred


def each_image(measure: Callable[[Any, Any], _T], true: Any, pred: Any) -> list[_T]:
    """Measure one pair of maps, or each pair of two lists; an error names the image that it is about."""
    if not isinstance(true, list | tuple):
        return [measure(true, pred)]
    if not true:
        raise ValueError("true: an empty batch has no distance; expected at least one map")
    if not isinstance(pred, list | tuple) or len(pred) != len(true):
        got = f"{len(pred)} maps" if isinstance(pred, list | tuple) else f"one {type(pred).__name__}"
        raise ValueError(f"pred: expected a list of {len(true)} maps, as true is, got {got}")
    measured = []
    for k, pair in enumerate(zip(true, pred, strict=True)):
        try:
            measured.append(measure(*pair))
        except (TypeError, ValueError) as error:
            raise type(error)(f"image {k} of {len(true)}: {error}") from error
    return measured


def reduce_distances(values: Sequence[float], reduction: str) -> Any:
    """Return an array of one distance for each image ("none"), or the mean of those that are finite ("mean").

    Where none is finite the mean is infinite; a single pair of maps is a batch of one.
    """
    distances = np.array(values, np.float64)
    if reduction == "none":
        return distances
    finite = distances[np.isfinite(distances)]
    return float(finite.mean()) if finite.size else float("inf")
