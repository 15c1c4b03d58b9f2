"""Scores that call an object found or not: panoptic quality, and precision at thresholds of IoU."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from histolab_lib.metrics.contingency import Contingency, as_contingency
from histolab_lib.metrics.matching import Detections, Threshold, as_fraction, count_matches, detection_scores, passing
from histolab_lib.metrics.ratios import Maps, Ratio, ratio_scores

__all__ = ["DSB_THRESHOLDS", "PanopticQuality", "average_precision", "panoptic_quality"]

# 0.50, 0.55, ..., 0.95 without rounding: np.arange(0.5, 1, 0.05) holds 0.6000000000000001 in place of 0.6.
DSB_THRESHOLDS = tuple(Fraction(k, 20) for k in range(10, 20))


class PanopticQuality(NamedTuple):
    """Detection quality, segmentation quality, their product, and the objects counted."""

    dq: Any
    sq: Any
    pq: Any
    tp: Any
    fp: Any
    fn: Any


def panoptic_quality(
    true: Maps, pred: Maps | None = None, *, threshold: Threshold = 0.5, empty: str = "nan", reduction: str = "mean"
) -> PanopticQuality:
    """Panoptic quality (Kirillov et al. 2019) of one class of objects, background left out.

    Pairs with IoU above `threshold` are true positives, every other predicted object a false positive, every other
    true object a false negative. ``dq = 2 tp / (2 tp + fp + fn)``, ``sq`` is the mean IoU of the true positives (0
    without any), ``pq`` their product.

    Parameters
    ----------
    true, pred : ndarray of integers or bool, shape (H, W)
        Instance maps, 0 = background; an id is an object, connected or not. A list or tuple of maps is a batch. One
        `Contingency` (or a list of them) may stand in place of the two.
    threshold : Fraction, (p, q) or float, at least 1/2 and below 1
        A pair matches if its IoU is strictly above; compared in integers. A float is read as the decimal it prints as.
    empty : {"nan", "one", "zero"}
        What two empty maps score; with "nan" they are left out of means. Exactly one empty map scores 0.
    reduction : {"mean", "pooled", "none"}
        What a batch gives: for each of dq, sq, pq the mean over images (then pq is not dq * sq), the scores of the
        summed counts and IoU (as `panopticapi` pools), or arrays of one value for each image. The counts tp, fp, fn
        are summed over the batch unless "none".

    Returns
    -------
    PanopticQuality
        Named ``dq, sq, pq, tp, fp, fn``.

    Raises
    ------
    TypeError, ValueError
        For maps that `contingency` refuses, a threshold out of range, and an unknown `empty` or `reduction`.

    Notes
    -----
    Above 1/2 an object can have only one partner, which is why lower thresholds are refused: there the score would
    depend on a choice among matchings that the definition does not make. IoU of exactly 1/2 is no match. Nothing is
    void: feeding background as the void class of `panopticapi` gives another, higher number.

    References
    ----------
    Kirillov et al., CVPR 2019, eq. 1; Graham et al., Medical Image Analysis 58 (2019) 101563 for nuclei, whose code
    divides by ``tp + 1e-6`` (identical maps then score 0.999999).

    Examples
    --------
    Three nuclei of 4 px: one found with IoU 4/6, one pair of IoU exactly 1/2, one missed, one predicted for nothing:

    >>> true = np.array([[1, 1, 0, 0, 0], [1, 1, 0, 2, 2], [0, 0, 0, 2, 2], [3, 3, 0, 0, 0], [3, 3, 0, 0, 0]])
    >>> pred = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 0, 2], [0, 0, 0, 0, 2], [0, 0, 0, 0, 0], [0, 0, 4, 4, 4]])
    >>> panoptic_quality(true, pred)  # dq = 2 / 6, sq = 2/3
    PanopticQuality(dq=0.3333333333333333, sq=0.6666666666666666, pq=0.2222222222222222, tp=1, fp=2, fn=2)
    >>> nothing = np.zeros((5, 5), int)
    >>> panoptic_quality(nothing, nothing)
    PanopticQuality(dq=nan, sq=nan, pq=nan, tp=0, fp=0, fn=0)
    """
    limit = as_fraction("threshold", threshold)
    if not Fraction(1, 2) <= limit < 1:
        raise ValueError(
            f"threshold: panoptic quality needs at least 1/2 (an object then has one partner at most) and less than 1,"
            f" got {threshold!r}; average_precision takes lower ones"
        )

    def detect(table: Contingency) -> Detections:
        return _panoptic(table, limit)

    scores = detection_scores(detect, _panoptic_ratios, true, pred, empty=empty, reduction=reduction)
    return PanopticQuality(*scores)


def average_precision(
    true: Maps,
    pred: Maps | None = None,
    *,
    thresholds: Sequence[Threshold] = DSB_THRESHOLDS,
    strict: bool = False,
    empty: str = "nan",
    reduction: str = "mean",
) -> npt.NDArray[np.float64]:
    """Average precision as nucleus challenges use the term: ``tp / (tp + fp + fn)`` at each threshold of IoU.

    Parameters
    ----------
    true, pred
        As for `panoptic_quality`.
    thresholds : sequence of Fraction, (p, q) or float, each above 0 and at most 1
        Compared in integers; by default 0.50, 0.55, ..., 0.95. A float is read as the decimal that it prints as.
    strict : bool
        Whether a pair has to lie above the threshold (kernels of the Data Science Bowl) or may equal it (StarDist,
        Cellpose, our default).
    empty, reduction
        As for `panoptic_quality`; "pooled" sums tp, fp and fn over the images first (StarDist's default).

    Returns
    -------
    ndarray of float64
        One value for each threshold; with ``reduction="none"`` of shape (images, thresholds). Its mean is the score
        of the Data Science Bowl 2018.

    Raises
    ------
    TypeError, ValueError
        As `panoptic_quality`; also where no threshold is given, or a float is no short decimal.

    Notes
    -----
    Not the area under a curve of precision and recall that COCO calls average precision: there is no confidence to
    sort by. Each object counts once: where several pairs of one object pass (IoU of 1/2 and less), tp is the largest
    number of pairs that can be had at the same time.

    Examples
    --------
    >>> true = np.array([[1, 1, 0, 2, 2]])
    >>> pred = np.array([[1, 1, 0, 0, 2]])  # IoU 1, and exactly 1/2
    >>> average_precision(true, pred, thresholds=[(1, 2), (3, 4)])
    array([1.        , 0.33333333])
    >>> average_precision(true, pred, thresholds=[(1, 2)], strict=True)
    array([0.33333333])
    >>> float(average_precision(true, pred).mean())  # (1 + 9 / 3) / 10
    0.4
    """
    limits = _fractions(thresholds)

    def measure(true: Any, pred: Any) -> tuple[Ratio, ...]:
        table = as_contingency(true, pred)
        objects = table.true_ids.size + table.pred_ids.size
        found = [count_matches(table, limit, strict=strict) for limit in limits]
        return tuple(Ratio(tp, objects - tp, table.empty) for tp in found)

    return np.stack(ratio_scores(measure, true, pred, empty=empty, reduction=reduction), axis=-1)


def _panoptic(table: Contingency, limit: Fraction) -> Detections:
    matched = passing(table, limit, strict=True)
    tp = int(np.count_nonzero(matched))
    total = float(table.iou[matched].sum())
    return Detections(tp, table.pred_ids.size - tp, table.true_ids.size - tp, table.empty, total)


def _panoptic_ratios(found: Detections) -> tuple[Ratio, ...]:
    tp, fp, fn, empty, total = found
    objects = 2 * tp + fp + fn
    return Ratio(2 * tp, objects, empty), Ratio(total, tp, empty), Ratio(2 * total, objects, empty)


def _fractions(thresholds: Any) -> list[Fraction]:
    if isinstance(thresholds, str) or not isinstance(thresholds, Sequence | np.ndarray) or not len(thresholds):
        raise TypeError(f"thresholds: expected a list of IoU thresholds such as [(1, 2), (3, 4)], got {thresholds!r}")
    return [as_fraction(f"thresholds[{k}]", each) for k, each in enumerate(thresholds)]
