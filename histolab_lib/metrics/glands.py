"""Scores of the gland challenge that need only counts: object F1 and object Dice."""

from typing import Any, Literal, NamedTuple, overload

import numpy as np
import numpy.typing as npt

from histolab_lib.metrics.contingency import Contingency, as_contingency
from histolab_lib.metrics.matching import Detections, best_of_each, detection_scores
from histolab_lib.metrics.ratios import Empty, Maps, Ratio, ratio_scores

__all__ = ["ObjectF1", "object_dice", "object_f1", "partners"]

_Ints = npt.NDArray[np.int64]
_Scores = npt.NDArray[np.float64]


class ObjectF1(NamedTuple):
    """F1, precision and recall of whole objects, and the objects counted."""

    f1: Any
    precision: Any
    recall: Any
    tp: Any
    fp: Any
    fn: Any


def object_f1(
    true: Maps,
    pred: Maps | None = None,
    *,
    fn: Literal["unmatched", "unpointed"] = "unmatched",
    empty: str = "nan",
    reduction: str = "mean",
) -> ObjectF1:
    """F1 of glands as the GlaS challenge counted them (Sirinukunwattana et al. 2017).

    Each predicted object points to the true object that it shares most pixels with, the lowest id where several tie,
    background left out. It is a true positive if it covers more than half of that object, else a false positive.

    Parameters
    ----------
    true, pred : ndarray of integers or bool, shape (H, W)
        Instance maps, 0 = background; an id is an object, connected or not. A list or tuple of maps is a batch. One
        `Contingency` (or a list of them) may stand in place of the two.
    fn : {"unmatched", "unpointed"}
        Which true objects count as missed. Two programs were released: in the newer one those without a true positive
        (so tp + fn is their number); in the older one those that no predicted object points to, so that an object
        pointed to but covered by half or less is neither found nor missed.
    empty : {"nan", "one", "zero"}
        What two empty maps score; "one" is the challenge's own rule. Exactly one empty map scores 0.
    reduction : {"mean", "pooled", "none"}
        What a batch gives: the mean over images of each score, the scores of the summed tp, fp and fn (the
        challenge's tables are of a whole set), or arrays of one value for each image. The counts are summed over the
        batch unless "none".

    Returns
    -------
    ObjectF1
        Named ``f1, precision, recall, tp, fp, fn``.

    Raises
    ------
    TypeError, ValueError
        For maps that `contingency` refuses, and for an unknown `fn`, `empty` or `reduction`.

    Notes
    -----
    Not symmetric, and no threshold on IoU: what a prediction covers besides its partner costs nothing, so one that
    fills the image finds the largest gland. Never below the detection quality of `panoptic_quality`. "Half" is
    compared in integers and strictly, as both programs do; the contest page says "at least 50 %", but with that two
    halves of one gland would both be true positives, and fn -1.

    References
    ----------
    Sirinukunwattana et al., Medical Image Analysis 35 (2017) 489; ``F1score.m``, two versions, of the organisers.

    Examples
    --------
    >>> true = np.array([[1, 1, 0, 2, 2], [1, 1, 0, 2, 2], [1, 1, 0, 2, 2]])
    >>> object_f1(true, np.ones((3, 5), int))  # one blob over both: it points to gland 1
    ObjectF1(f1=0.6666666666666666, precision=1.0, recall=0.5, tp=1, fp=0, fn=1)

    Half a gland, exactly, is not enough, and the two rules differ on what that makes of the gland:

    >>> half = np.array([[5, 0, 0, 0, 0]] * 3)
    >>> object_f1(true, half).fn, object_f1(true, half, fn="unpointed").fn
    (2, 1)
    >>> nothing = np.zeros((3, 5), int)
    >>> object_f1(nothing, nothing).f1, object_f1(nothing, nothing, empty="one").f1, object_f1(true, nothing).f1
    (nan, 1.0, 0.0)
    """
    if fn not in ("unmatched", "unpointed"):
        raise ValueError(f"fn: got {fn!r}, allowed are 'unmatched', 'unpointed'")

    def detect(table: Contingency) -> Detections:
        return _detect(table, fn)

    return ObjectF1(*detection_scores(detect, _f1_ratios, true, pred, empty=empty, reduction=reduction))


@overload
def object_dice(
    true: Maps, pred: Maps | None = ..., *, empty: Empty = ..., reduction: Literal["mean", "pooled"] = ...
) -> float: ...
@overload
def object_dice(true: Maps, pred: Maps | None = ..., *, empty: Empty = ..., reduction: Literal["none"]) -> _Scores: ...
def object_dice(
    true: Maps, pred: Maps | None = None, *, empty: str = "nan", reduction: str = "mean"
) -> float | _Scores:
    """Object-level Dice of the GlaS challenge (Sirinukunwattana et al. 2017).

    Every object is compared with the object of the other map that it shares most pixels with (the lowest id where
    several tie, background left out; Dice 0 without any). The Dice of these pairs are averaged over the predicted
    objects, weighted by their areas, and over the true objects likewise; the score is the mean of the two.

    Parameters
    ----------
    true, pred, empty
        As for `object_f1`.
    reduction : {"mean", "pooled", "none"}
        What a batch gives: the mean of the images' scores (the released programs score one image), the score of all
        images taken as one, so that areas weigh over the whole set (the wording of the contest page), or an array of
        one score for each image.

    Returns
    -------
    float, or ndarray of float64 with ``reduction="none"``

    Raises
    ------
    TypeError, ValueError
        For maps that `contingency` refuses, and for an unknown `empty` or `reduction`.

    Notes
    -----
    Symmetric. Where two partners share equally many pixels the rule "lowest id" decides, and the value with it. A
    well-known port keeps background among the candidates; a prediction that lies mostly on background then loses its
    partner.

    References
    ----------
    Sirinukunwattana et al., Medical Image Analysis 35 (2017) 489; ``ObjectDice.m`` of the organisers.

    Examples
    --------
    >>> true = np.array([[1, 1, 1, 1], [1, 1, 1, 1]])
    >>> object_dice(true, np.array([[2, 2, 3, 3], [2, 2, 3, 3]]))  # every pair: 2 * 4 / (8 + 4)
    0.6666666666666666
    >>> nothing = np.zeros((2, 4), int)
    >>> object_dice(nothing, nothing), object_dice(nothing, nothing, empty="one"), object_dice(true, nothing)
    (nan, 1.0, 0.0)
    """
    of_pred, of_true = ratio_scores(_object_dice, true, pred, empty=empty, reduction=reduction)
    return (of_pred + of_true) / 2


def partners(table: Contingency) -> tuple[_Ints, _Ints]:
    """Entries of the table that hold the partner of each true and of each predicted object that overlaps anything.

    The partner shares most pixels, the lowest id where several tie. Both arrays follow ascending ids; the two choices
    need not be mutual.
    """
    of_true = best_of_each(table.i, table.n)
    by_pred = np.argsort(table.j, kind="stable")  # ascending true id within each predicted object
    return of_true, by_pred[best_of_each(table.j[by_pred], table.n[by_pred])]


def _detect(table: Contingency, fn: str) -> Detections:
    pointing = partners(table)[1]
    tp = int(np.count_nonzero(2 * table.n[pointing] > table.true_areas[table.i[pointing]]))
    found = tp if fn == "unmatched" else np.unique(table.i[pointing]).size
    return Detections(tp, table.pred_ids.size - tp, table.true_ids.size - found, table.empty)


def _f1_ratios(found: Detections) -> tuple[Ratio, ...]:
    tp, fp, fn, empty, _ = found
    return Ratio(2 * tp, 2 * tp + fp + fn, empty), Ratio(tp, tp + fp, empty), Ratio(tp, tp + fn, empty)


def _object_dice(true: Any, pred: Any) -> tuple[Ratio, Ratio]:
    """Area-weighted sums of Dice over predicted and over true objects; both areas stay integers."""
    table = as_contingency(true, pred)
    dice = 2 * table.n / (table.true_areas[table.i] + table.pred_areas[table.j])
    of_true, of_pred = partners(table)
    sum_pred: Any = float((table.pred_areas[table.j[of_pred]] * dice[of_pred]).sum())
    sum_true: Any = float((table.true_areas[table.i[of_true]] * dice[of_true]).sum())
    return (
        Ratio(sum_pred, int(table.pred_areas.sum()), table.empty),
        Ratio(sum_true, int(table.true_areas.sum()), table.empty),
    )
