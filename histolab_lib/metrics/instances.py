"""Scores of nuclei from overlapping pairs: the aggregated Jaccard index, its one-to-one variant, and ensemble Dice."""

from typing import Any, Literal, overload

import numpy as np
import numpy.typing as npt

from histolab_lib.metrics.contingency import as_contingency
from histolab_lib.metrics.matching import best_matching, best_of_each
from histolab_lib.metrics.ratios import Empty, Maps, Ratio, ratio_scores

__all__ = ["aji", "aji_plus", "dice2"]

_Scores = npt.NDArray[np.float64]


@overload
def aji(
    true: Maps, pred: Maps | None = ..., *, empty: Empty = ..., reduction: Literal["mean", "pooled"] = ...
) -> float: ...
@overload
def aji(true: Maps, pred: Maps | None = ..., *, empty: Empty = ..., reduction: Literal["none"]) -> _Scores: ...
def aji(true: Maps, pred: Maps | None = None, *, empty: str = "nan", reduction: str = "mean") -> float | _Scores:
    """Aggregated Jaccard index (Kumar et al. 2017), by the rule of the authors' released program.

    Every true object that overlaps anything takes the predicted object of largest IoU, the lowest id where several
    tie. Intersections and unions of these pairs are summed; true objects without overlap and predicted objects that
    nobody took are added to the union in full.

    Parameters
    ----------
    true, pred : ndarray of integers or bool, shape (H, W)
        Instance maps, 0 = background; an id is an object, connected or not. A list or tuple of maps is a batch. One
        `Contingency` (or a list of them) may stand in place of the two.
    empty : {"nan", "one", "zero"}
        What two empty maps score; with "nan" they are left out of means. Exactly one empty map scores 0.
    reduction : {"mean", "pooled", "none"}
        What a batch gives: the mean over images (as MoNuSeg was scored), the ratio of the summed intersections and
        unions (not official), or an array of one score for each image.

    Returns
    -------
    float, or ndarray of float64 with ``reduction="none"``

    Raises
    ------
    TypeError, ValueError
        For maps that `contingency` refuses, and for an unknown `empty` or `reduction`.

    Notes
    -----
    Not symmetric: ``aji(a, b) != aji(b, a)`` in general, so the order of the arguments matters. One predicted object
    may be taken by several true ones, and its union then counts each time; that belongs to the definition. Never
    above the IoU of the foregrounds. Ties are decided on IoU as float64, which is exact for unions under 2**26 pixels.

    References
    ----------
    Kumar et al., IEEE Transactions on Medical Imaging 36 (2017) 1550; ``Aggregated_Jaccard_Index_v1_0.m`` of the
    MoNuSeg organisers. The paper's pseudo-code, read literally, also pairs a true object that overlaps nothing; the
    program adds its area alone, and so do we.

    Examples
    --------
    One prediction lies over two nuclei of 6 px; both take it, and its union of 15 px counts twice:

    >>> true = np.array([[1, 1, 0, 2, 2]] * 3)
    >>> merged = np.ones((3, 5), int)
    >>> aji(true, merged)  # (6 + 6) / (15 + 15)
    0.4
    >>> aji(merged, true)  # the other way round: 6 / (15 + 6)
    0.2857142857142857

    Equal IoU: object 3 takes 5 rather than 8, which would have given 2/7:

    >>> aji(np.array([[3, 3, 3, 0], [0, 0, 0, 0], [0, 0, 0, 0]]), np.array([[5, 8, 8, 8], [0, 0, 0, 8], [0, 0, 0, 8]]))
    0.125

    Nothing on either side is no evidence either way:

    >>> nothing = np.zeros((3, 5), int)
    >>> aji(nothing, nothing), aji(true, nothing), aji(nothing, true)
    (nan, 0.0, 0.0)
    """
    return ratio_scores(_aji, true, pred, empty=empty, reduction=reduction)[0]


@overload
def aji_plus(
    true: Maps, pred: Maps | None = ..., *, empty: Empty = ..., reduction: Literal["mean", "pooled"] = ...
) -> float: ...
@overload
def aji_plus(true: Maps, pred: Maps | None = ..., *, empty: Empty = ..., reduction: Literal["none"]) -> _Scores: ...
def aji_plus(true: Maps, pred: Maps | None = None, *, empty: str = "nan", reduction: str = "mean") -> float | _Scores:
    """Aggregated Jaccard index with one-to-one pairs (Graham et al. 2019): ``C / (A + B - C)``.

    Objects are paired so that the sum of the pairs' IoU is as large as it can be, each object in one pair at most. C is
    what the pairs share, A and B are the pixels of all true and of all predicted objects.

    Parameters, policies and errors are those of `aji`; the order of the maps does not matter here.

    Notes
    -----
    Where several pairings reach the same sum, the one that shares most pixels counts, so ids have no say. Sums that
    differ by less than about 1e-9 count as the same. Neither above nor below `aji` in general, never above the IoU of
    the foregrounds. A pair with IoU above 1/2, a match of `panoptic_quality`, may stay out of the pairing.

    Time grows with the overlapping pairs; for objects that all hang together by overlaps which nothing decides (walls
    of equal bricks), with the square of their number: 50,000 on either side take seconds, and little memory.

    References
    ----------
    Graham et al., Medical Image Analysis 58 (2019) 101563, and their program ``get_fast_aji_plus``, which needs a
    dense table of all true by all predicted objects.

    Examples
    --------
    >>> true = np.array([[1, 1, 0, 2, 2]] * 3)
    >>> merged = np.ones((3, 5), int)
    >>> aji_plus(true, merged)  # 6 / (12 + 15 - 6), below the AJI of 0.4
    0.2857142857142857

    The middle pair has IoU 7/13, but the two others have 3/10 each, and together more:

    >>> true = np.array([[2, 2, 2, 0], [1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 1, 0]])
    >>> aji_plus(true, np.array([[1, 1, 1, 0], [1, 1, 1, 1], [1, 1, 1, 0], [2, 2, 2, 0]]))  # 6 / (13 + 13 - 6)
    0.3
    >>> nothing = np.zeros((4, 4), int)
    >>> aji_plus(nothing, nothing), aji_plus(true, nothing)
    (nan, 0.0)
    """
    return ratio_scores(_aji_plus, true, pred, empty=empty, reduction=reduction)[0]


@overload
def dice2(
    true: Maps, pred: Maps | None = ..., *, empty: Empty = ..., reduction: Literal["mean", "pooled"] = ...
) -> float: ...
@overload
def dice2(true: Maps, pred: Maps | None = ..., *, empty: Empty = ..., reduction: Literal["none"]) -> _Scores: ...
def dice2(true: Maps, pred: Maps | None = None, *, empty: str = "nan", reduction: str = "mean") -> float | _Scores:
    """Ensemble Dice of the 2017 challenge on nuclei (CPM): ``2 sum(n) / sum(a + b)`` over all overlapping pairs.

    Parameters, policies and errors are those of `aji`; the order of the maps does not matter here.

    Notes
    -----
    An object counts once for each partner, and objects that overlap nothing do not count at all: missed nuclei and
    nuclei predicted for nothing cost nothing, so the score can exceed Dice. Where there are objects but no overlap it
    is 0/0, and counts as 0.

    Examples
    --------
    >>> true, pred = np.array([[1, 1, 0, 0, 2]]), np.array([[1, 1, 0, 3, 0]])
    >>> dice2(true, pred)  # one pair, perfect; the missed and the false nucleus have no say
    1.0
    >>> dice2(true, np.array([[0, 0, 7, 0, 0]]))
    0.0
    """
    return ratio_scores(_dice2, true, pred, empty=empty, reduction=reduction)[0]


def _aji(true: Any, pred: Any) -> tuple[Ratio]:
    table = as_contingency(true, pred)
    taken = best_of_each(table.i, table.iou)
    union = int(table.union[taken].sum()) + _left_over(table.true_areas, table.i[taken])
    return (Ratio(int(table.n[taken].sum()), union + _left_over(table.pred_areas, table.j[taken]), table.empty),)


def _aji_plus(true: Any, pred: Any) -> tuple[Ratio]:
    table = as_contingency(true, pred)
    shared = int(table.n[best_matching(table)].sum())
    # the unions of the pairs and the areas of all others add up to this
    return (Ratio(shared, int(table.true_areas.sum() + table.pred_areas.sum()) - shared, table.empty),)


def _dice2(true: Any, pred: Any) -> tuple[Ratio]:
    table = as_contingency(true, pred)
    areas = table.true_areas[table.i] + table.pred_areas[table.j]
    return (Ratio(2 * int(table.n.sum()), int(areas.sum()), table.empty),)


def _left_over(areas: npt.NDArray[np.int64], used: npt.NDArray[np.int64]) -> int:
    """Pixels of the objects that take no part in any pair."""
    unused = np.ones(areas.size, bool)
    unused[used] = False
    return int(areas[unused].sum())
