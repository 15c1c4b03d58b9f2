"""Scores of masks: which pixels are foreground, whatever object they belong to."""

from typing import Any, Literal, NamedTuple, overload

import numpy as np
import numpy.typing as npt

from histolab_lib.metrics.contingency import Contingency, as_contingency, check_ids, check_maps
from histolab_lib.metrics.ratios import Empty, Maps, Ratio, ratio_scores

__all__ = ["PrecisionRecallF1", "dice", "iou", "precision_recall_f1"]

_Scores = npt.NDArray[np.float64]


class PrecisionRecallF1(NamedTuple):
    """Shares of the predicted and of the true foreground that were right, and their harmonic mean."""

    precision: Any
    recall: Any
    f1: Any


class _Areas(NamedTuple):
    """Pixels of foreground: in both maps, in the true one, in the predicted one."""

    both: int
    true: int
    pred: int


@overload
def dice(
    true: Maps, pred: Maps | None = ..., *, empty: Empty = ..., reduction: Literal["mean", "pooled"] = ...
) -> float: ...
@overload
def dice(true: Maps, pred: Maps | None = ..., *, empty: Empty = ..., reduction: Literal["none"]) -> _Scores: ...
def dice(true: Maps, pred: Maps | None = None, *, empty: str = "nan", reduction: str = "mean") -> float | _Scores:
    """Dice coefficient of two foregrounds: ``2 |T and P| / (|T| + |P|)``, which is also the F1 of the pixels.

    Parameters
    ----------
    true, pred : ndarray of integers or bool, shape (H, W)
        Masks or instance maps: every value but 0 is foreground. A list or tuple of maps is a batch. One `Contingency`
        (or a list of them) may stand in place of the two.
    empty : {"nan", "one", "zero"}
        What two empty maps score; see Notes. Exactly one empty map scores 0.
    reduction : {"mean", "pooled", "none"}
        What a batch gives: the mean of the images' scores, the score of their summed pixels, or an array of one score
        for each image. The first two differ wherever images hold different amounts of foreground.

    Returns
    -------
    float, or ndarray of float64 with ``reduction="none"``

    Raises
    ------
    TypeError, ValueError
        For maps that `contingency` refuses, and for an unknown `empty` or `reduction`.

    Notes
    -----
    With ``empty="nan"`` images without any foreground are left out of the mean; count them with
    ``np.isnan(dice(..., reduction="none")).sum()``. Libraries disagree here: some score such an image 1, some 0, some
    fail.

    Examples
    --------
    >>> true = np.array([[1, 1, 0], [0, 0, 0]])
    >>> pred = np.array([[0, 5, 5], [0, 5, 5]])
    >>> dice(true, pred)  # 2 * 1 / (2 + 4)
    0.3333333333333333
    >>> nothing = np.zeros((2, 3), int)
    >>> dice(nothing, nothing), dice(nothing, nothing, empty="one"), dice(true, nothing)
    (nan, 1.0, 0.0)
    >>> dice([true, true, nothing], [pred, true, nothing])  # the mean of 1/3 and 1
    0.6666666666666666
    >>> dice([true, true, nothing], [pred, true, nothing], reduction="pooled")  # 2 * (1 + 2) / (6 + 4)
    0.6
    """
    return ratio_scores(_dice, true, pred, empty=empty, reduction=reduction)[0]


@overload
def iou(
    true: Maps, pred: Maps | None = ..., *, empty: Empty = ..., reduction: Literal["mean", "pooled"] = ...
) -> float: ...
@overload
def iou(true: Maps, pred: Maps | None = ..., *, empty: Empty = ..., reduction: Literal["none"]) -> _Scores: ...
def iou(true: Maps, pred: Maps | None = None, *, empty: str = "nan", reduction: str = "mean") -> float | _Scores:
    """Intersection over union (Jaccard index) of two foregrounds: ``|T and P| / |T or P|``.

    Parameters, policies and errors are those of `dice`. Background is not averaged in: what Keras calls the mean IoU
    of two classes is another number, and higher.

    Examples
    --------
    >>> iou(np.array([[1, 1, 0], [0, 0, 0]]), np.array([[0, 5, 5], [0, 5, 5]]))  # 1 / (2 + 4 - 1)
    0.2
    """
    return ratio_scores(_iou, true, pred, empty=empty, reduction=reduction)[0]


def precision_recall_f1(
    true: Maps, pred: Maps | None = None, *, empty: str = "nan", reduction: str = "mean"
) -> PrecisionRecallF1:
    """Precision ``|T and P| / |P|``, recall ``|T and P| / |T|`` and F1 of the foreground's pixels; F1 equals Dice.

    Parameters, policies and errors are those of `dice`. The three are reduced each for itself, so the mean F1 of a
    batch is not the harmonic mean of its mean precision and mean recall. Precision without any predicted pixel is
    0/0: it counts as 0 where there was something to find.

    Examples
    --------
    >>> true = np.array([[1, 1, 0], [0, 0, 0]])
    >>> precision_recall_f1(true, np.array([[0, 5, 5], [0, 5, 5]]))
    PrecisionRecallF1(precision=0.25, recall=0.5, f1=0.3333333333333333)
    >>> precision_recall_f1(true, np.zeros((2, 3), int))
    PrecisionRecallF1(precision=0.0, recall=0.0, f1=0.0)
    """
    return PrecisionRecallF1(*ratio_scores(_precision_recall_f1, true, pred, empty=empty, reduction=reduction))


def _areas(true: Any, pred: Any) -> _Areas:
    if isinstance(true, Contingency) or pred is None:
        table = as_contingency(true, pred)
        return _Areas(int(table.n.sum()), int(table.true_areas.sum()), int(table.pred_areas.sum()))
    check_maps(true, pred)
    for name, values in (("true", true), ("pred", pred)):
        if values.size and values.dtype.kind != "b":
            check_ids(name, int(values.min()), int(values.max()), f"{values.dtype} {values.shape}")
    t, p = true != 0, pred != 0
    return _Areas(int(np.count_nonzero(t & p)), int(np.count_nonzero(t)), int(np.count_nonzero(p)))


def _dice(true: Any, pred: Any) -> tuple[Ratio]:
    both, t, p = _areas(true, pred)
    return (Ratio(2 * both, t + p, t + p == 0),)


def _iou(true: Any, pred: Any) -> tuple[Ratio]:
    both, t, p = _areas(true, pred)
    return (Ratio(both, t + p - both, t + p == 0),)


def _precision_recall_f1(true: Any, pred: Any) -> tuple[Ratio, Ratio, Ratio]:
    both, t, p = _areas(true, pred)
    nothing = t + p == 0
    return Ratio(both, p, nothing), Ratio(both, t, nothing), Ratio(2 * both, t + p, nothing)
