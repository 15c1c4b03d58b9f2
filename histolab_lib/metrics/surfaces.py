"""Scores of the outline of the foreground, objects not told apart: surface metrics, not those of the GlaS contest."""

from math import isfinite
from typing import Any, Literal, overload

import numpy as np
import numpy.typing as npt

from histolab_lib.metrics.distances import DistanceMaps, checked_pair, each_image, reduce_distances
from histolab_lib.metrics.ratios import Empty, Ratio, ratio_scores

__all__ = ["boundary_f1", "hd95"]

_Floats = npt.NDArray[np.float64]


@overload
def hd95(
    true: DistanceMaps, pred: DistanceMaps, *, variant: Literal["max", "pooled"] = ..., reduction: Literal["mean"] = ...
) -> float: ...
@overload
def hd95(
    true: DistanceMaps, pred: DistanceMaps, *, variant: Literal["max", "pooled"] = ..., reduction: Literal["none"]
) -> _Floats: ...
def hd95(true: DistanceMaps, pred: DistanceMaps, *, variant: str = "max", reduction: str = "mean") -> float | _Floats:
    """95th percentile of the distances between the two foregrounds' boundaries, in px; lower is better.

    Parameters
    ----------
    true, pred : ndarray of integers or bool, shape (H, W)
        Whatever is not 0 is foreground. A list or tuple of maps is a batch.
    variant : {"max", "pooled"}
        Distances are taken from each boundary pixel to the nearest of the other boundary, both ways. "max": the larger
        of the two directions' percentiles (MONAI). "pooled": one percentile of both together (medpy). Either can be
        the larger.
    reduction : {"mean", "none"}
        What a batch gives: the mean of the finite distances (count the others with "none"; where all are infinite, so
        is the mean), or an array of one distance for each image.

    Returns
    -------
    float, or ndarray of float64 with ``reduction="none"``
        Two empty maps are at distance 0, and stay in the mean; exactly one empty map is infinitely far.

    Raises
    ------
    TypeError, ValueError
        For what is no pair of maps, and for an unknown `variant` or `reduction`.

    Notes
    -----
    A surface metric, of the foreground as a whole: `object_hausdorff` compares object with object, over all their
    pixels and up to the maximum. A pixel is boundary where one of its four neighbours is background or beyond the
    border of the image. Percentiles are interpolated linearly.

    Others differ: MONAI 1.6.1 gives NaN for one empty map as for two, medpy an error, DeepMind's surface-distance
    infinity for either, and weights by the length of the contour.

    Examples
    --------
    >>> true, pred = np.zeros((4, 5), int), np.zeros((4, 5), int)
    >>> true[:2, :2], pred[1, 1:4] = 1, 1
    >>> round(hd95(true, pred), 3), round(hd95(true, pred, variant="pooled"), 3)
    (1.9, 1.824)

    A disc and its rim have one boundary:

    >>> rim = np.pad(np.zeros((3, 3), int), 1, constant_values=1)
    >>> hd95(np.ones((5, 5), int), rim)
    0.0
    >>> hd95(rim, 0 * rim), hd95(0 * rim, 0 * rim)
    (inf, 0.0)
    """
    _check("variant", variant, ("max", "pooled"))
    _check("reduction", reduction, ("mean", "none"))

    def measure(true: Any, pred: Any) -> float:
        from_true, from_pred = _distances(*checked_pair(true, pred))
        if not (from_true.size and from_pred.size):
            return float("inf") if from_true.size or from_pred.size else 0.0
        if variant == "pooled":
            return float(np.percentile(np.concatenate([from_true, from_pred]), 95))
        return float(max(np.percentile(from_true, 95), np.percentile(from_pred, 95)))

    result: float | _Floats = reduce_distances(each_image(measure, true, pred), reduction)
    return result


@overload
def boundary_f1(
    true: DistanceMaps,
    pred: DistanceMaps,
    *,
    tolerance_px: float,
    empty: Empty = ...,
    reduction: Literal["mean", "pooled"] = ...,
) -> float: ...
@overload
def boundary_f1(
    true: DistanceMaps, pred: DistanceMaps, *, tolerance_px: float, empty: Empty = ..., reduction: Literal["none"]
) -> _Floats: ...
def boundary_f1(
    true: DistanceMaps,
    pred: DistanceMaps,
    *,
    tolerance_px: float,
    empty: str = "nan",
    reduction: str = "mean",
) -> float | _Floats:
    """How much of the foregrounds' boundaries agrees within a tolerance: F1 of boundary pixels; higher is better.

    Precision is the share of predicted boundary pixels at most `tolerance_px` from the true boundary, recall the share
    of true boundary pixels as near to the predicted one.

    Parameters
    ----------
    true, pred : ndarray of integers or bool, shape (H, W)
        Whatever is not 0 is foreground. A list or tuple of maps is a batch.
    tolerance_px : float
        Largest distance between pixel centres that counts, itself included; 0 or more. No default: MATLAB's
        ``bfscore`` takes 0.75 % of the image diagonal, others 1 or 2 px.
    empty : {"nan", "one", "zero"}
        What two empty maps score; with "nan" they are left out of means. Exactly one empty map scores 0.
    reduction : {"mean", "pooled", "none"}
        What a batch gives: the mean over images, F1 from the boundary pixels of all images together, or an array of
        one score for each image.

    Returns
    -------
    float, or ndarray of float64 with ``reduction="none"``

    Raises
    ------
    TypeError, ValueError
        For what is no pair of maps, a tolerance below 0, and an unknown `empty` or `reduction`.

    Notes
    -----
    A surface metric, of the foreground as a whole, not the object F1 of the GlaS contest; boundary pixels as in
    `hd95`. Surface Dice (DeepMind, MONAI) adds both shares before dividing and is another score.

    Examples
    --------
    >>> true, pred = np.zeros((4, 5), int), np.zeros((4, 5), int)
    >>> true[:2, :2], pred[1, 1:4] = 1, 1
    >>> round(boundary_f1(true, pred, tolerance_px=0), 4), round(boundary_f1(true, pred, tolerance_px=1), 4)
    (0.2857, 0.7059)
    >>> nothing = 0 * true
    >>> boundary_f1(nothing, nothing, tolerance_px=1), boundary_f1(true, nothing, tolerance_px=1)
    (nan, 0.0)
    """
    if isinstance(tolerance_px, bool) or not isinstance(tolerance_px, int | float | np.number):
        raise TypeError(f"tolerance_px: expected a number of pixels, got {type(tolerance_px).__name__}")
    if not (isfinite(tolerance_px) and tolerance_px >= 0):
        raise ValueError(f"tolerance_px: must be a finite number of pixels, 0 or more, got {tolerance_px}")

    def measure(true: Any, pred: Any) -> tuple[Ratio, Ratio]:
        near = [each <= tolerance_px for each in _distances(*checked_pair(true, pred))]
        nothing = not (near[0].size or near[1].size)
        recall, precision = (Ratio(int(each.sum()), each.size, nothing) for each in near)
        return precision, recall

    each = "pooled" if reduction == "pooled" else "none"
    _check("reduction", reduction, ("mean", "pooled", "none"))
    scores = _harmonic(*ratio_scores(measure, true, pred, empty=empty, reduction=each))
    if reduction == "mean":
        return float(scores[~np.isnan(scores)].mean()) if not np.isnan(scores).all() else float("nan")
    return float(scores) if reduction == "pooled" else scores


def _harmonic(precision: Any, recall: Any) -> _Floats:
    precision, recall = np.asarray(precision), np.asarray(recall)
    total = precision + recall
    return np.asarray(2 * precision * recall / np.where(total == 0, 1, total))


def _distances(true: npt.NDArray[Any], pred: npt.NDArray[Any]) -> tuple[_Floats, _Floats]:
    """Distance of each true boundary pixel to the nearest predicted one, and the other way round; inf if there is none.

    A search tree of the few boundary pixels is two to seven times faster here than a distance map of the image.
    """
    from scipy.spatial import KDTree

    points = [np.argwhere(_boundary(labels != 0)) for labels in (true, pred)]
    if not (len(points[0]) and len(points[1])):
        return np.full(len(points[0]), np.inf), np.full(len(points[1]), np.inf)
    trees = [KDTree(each, balanced_tree=False, compact_nodes=False) for each in points]
    return np.asarray(trees[1].query(points[0])[0]), np.asarray(trees[0].query(points[1])[0])


def _boundary(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Pixels of the mask with a side on background or on the border of the image."""
    framed = np.pad(mask, 1)
    inside = framed[:-2, 1:-1] & framed[2:, 1:-1] & framed[1:-1, :-2] & framed[1:-1, 2:]
    return mask & ~inside


def _check(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name}: got {value!r}, allowed are {', '.join(map(repr, allowed))}")
