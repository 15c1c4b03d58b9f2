"""Scores of nuclei: which object is which, and how well it is outlined."""

from typing import Any, Literal, overload

import numpy as np
import numpy.typing as npt

from histolab_lib.metrics.contingency import Contingency, as_contingency
from histolab_lib.metrics.ratios import Empty, Maps, Ratio, ratio_scores

__all__ = ["aji"]

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


def _aji(true: Any, pred: Any) -> tuple[Ratio]:
    table = as_contingency(true, pred)
    taken = _best_partner(table)
    union = int(table.union[taken].sum()) + _left_over(table.true_areas, table.i[taken])
    return (Ratio(int(table.n[taken].sum()), union + _left_over(table.pred_areas, table.j[taken]), table.empty),)


def _best_partner(table: Contingency) -> npt.NDArray[np.int64]:
    """For each true object that overlaps anything, the entry of the table with the largest IoU, first on ties."""
    if not table.n.size:
        return table.n
    score = table.iou
    starts = _first_of_each(table.i)
    best = np.maximum.reduceat(score, starts)
    is_best = score == np.repeat(best, np.diff(starts, append=score.size))
    candidates = np.flatnonzero(is_best)  # entries come by ascending true, then predicted id
    return candidates[_first_of_each(table.i[candidates])]


def _first_of_each(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.flatnonzero(np.concatenate(([True], values[1:] != values[:-1])))


def _left_over(areas: npt.NDArray[np.int64], used: npt.NDArray[np.int64]) -> int:
    """Pixels of the objects that take no part in any pair."""
    unused = np.ones(areas.size, bool)
    unused[used] = False
    return int(areas[unused].sum())
