"""Which object belongs to which: best partners, one-to-one matchings, and thresholds compared in integers."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from histolab_lib.metrics.contingency import Contingency, as_contingency
from histolab_lib.metrics.ratios import Ratio, ratio_scores

__all__ = [
    "Detections",
    "Threshold",
    "as_fraction",
    "best_matching",
    "best_of_each",
    "count_matches",
    "detection_scores",
    "passing",
]

Threshold: TypeAlias = Fraction | tuple[int, int] | float

_Ints = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float64]

# Thresholds are compared as q * n > p * u in int64, which this keeps from wrapping on maps of up to 4e12 pixels.
_MAX_DENOMINATOR = 1_000_000
# Among matchings of equal total IoU the one that shares most pixels is wanted: a bonus for pixels, too small to matter
# otherwise (IoU is at most 1, and so is the share of pixels that it multiplies).
_TIE_BREAK = 1e-9
# The solver's time grows with the square of its rows: small components go to it in groups of about so many pairs.
_GROUP_PAIRS = 512
# Each round settles most of what can be settled; the cap keeps a long chain from taking a round for every link.
_ROUNDS = 8


class Detections(NamedTuple):
    """How many objects were found, predicted for nothing, or missed in one image."""

    tp: int
    fp: int
    fn: int
    empty: bool  # neither map holds an object
    iou_sum: Any = 0  # float: the summed IoU of the tp pairs, where a score needs it


def detection_scores(
    detect: Callable[[Contingency], Detections],
    ratios: Callable[[Detections], tuple[Ratio, ...]],
    true: Any,
    pred: Any,
    *,
    empty: str,
    reduction: str,
) -> tuple[Any, ...]:
    """Scores of `ratio_scores`, followed by tp, fp and fn: summed over the batch, or one each with "none"."""
    found = []

    def measure(true: Any, pred: Any) -> tuple[Ratio, ...]:
        found.append(detect(as_contingency(true, pred)))
        return ratios(found[-1])

    scores = ratio_scores(measure, true, pred, empty=empty, reduction=reduction)
    counts = np.array([each[:3] for each in found], np.int64)
    return scores + (tuple(counts.T) if reduction == "none" else tuple(counts.sum(axis=0).tolist()))


def as_fraction(name: str, value: Any) -> Fraction:
    """Read an IoU threshold exactly: a Fraction, a pair ``(p, q)``, or a float as the decimal that it prints as.

    Raises
    ------
    TypeError, ValueError
        If it is none of these, not above 0 and at most 1, or has more than six decimals: 0.6000000000000001, which is
        what ``np.arange(0.5, 1, 0.05)`` holds in place of 0.6, would refuse a pair whose IoU is 3/5.
    """
    expected = f"{name}: expected a Fraction, a pair (p, q) of integers or a float such as 0.55, got {value!r}"
    if isinstance(value, tuple) and len(value) == 2 and all(type(each) is int for each in value) and value[1]:
        fraction = Fraction(*value)
    elif isinstance(value, Fraction | float | int) and not isinstance(value, bool) and np.isfinite(float(value)):
        fraction = Fraction(repr(float(value))) if isinstance(value, float) else Fraction(value)
    else:
        raise TypeError(expected)
    if not 0 < fraction <= 1:
        raise ValueError(f"{name}: an IoU threshold lies above 0 and is at most 1, got {value!r}")
    if fraction.denominator > _MAX_DENOMINATOR:
        raise ValueError(f"{name}: got {value!r}, no short fraction; write the one you mean, as in (3, 5) for 0.6")
    return fraction


def passing(table: Contingency, threshold: Fraction, *, strict: bool) -> npt.NDArray[np.bool_]:
    """Whether each overlapping pair has IoU > `threshold` (strict) or >= `threshold`, decided in integers."""
    shared, needed = threshold.denominator * table.n, threshold.numerator * table.union
    return shared > needed if strict else shared >= needed


def count_matches(table: Contingency, threshold: Fraction, *, strict: bool) -> int:
    """Size of the largest one-to-one matching of pairs that pass `threshold`.

    An object can have only one partner with IoU > 1/2, so there it is the number of pairs; at exactly 1/2 and below
    several may pass, and a maximum bipartite matching decides.
    """
    ok = passing(table, threshold, strict=strict)
    count = int(np.count_nonzero(ok))
    if count < 2 or threshold > Fraction(1, 2) or (strict and threshold == Fraction(1, 2)):
        return count
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    graph = csr_array((np.ones(count, np.int8), (table.i[ok], table.j[ok])))
    return int(np.count_nonzero(maximum_bipartite_matching(graph, perm_type="column") >= 0))


def best_of_each(group: npt.NDArray[np.int64], score: npt.NDArray[Any]) -> _Ints:
    """For each run of equal values of `group`, where its largest score stands: the first of those that tie."""
    if not group.size:
        return np.zeros(0, np.int64)
    starts = _starts(group)
    best = np.maximum.reduceat(score, starts)
    candidates = np.flatnonzero(score == np.repeat(best, np.diff(starts, append=score.size)))
    return candidates[_starts(group[candidates])]


def best_matching(table: Contingency) -> _Ints:
    """Pairs of the one-to-one matching with the largest sum of IoU: their entries in the table, ascending.

    Where several matchings reach that sum, the one that shares most pixels (IoU + 1e-9 n / max n, the maximum taken
    over the connected component of overlaps, so that ids and the rest of the map have no say; float64 tells single
    pixels apart where no overlap in the component exceeds about 1e6 px).

    Pairs that are worth at least the best alternatives of both their objects together belong to an optimum and are
    taken at once; what is left goes, component by component, to SciPy's sparse assignment solver.

    Time grows with the pairs, and within one component that nothing settles with the square of its objects.
    """
    if not table.n.size:
        return table.n
    largest = np.zeros(table.true_ids.size + table.pred_ids.size, np.int64)
    component = _components(table.i, table.j)
    np.maximum.at(largest, component, table.n)
    weight = table.iou + _TIE_BREAK * (table.n / largest[component])
    taken, left = _settle(table.i, table.j, weight)
    for group in _groups(table.i[left], table.j[left]):
        entries = left[group]
        taken.append(entries[_assign(table.i[entries], table.j[entries], weight[entries])])
    return np.sort(np.concatenate(taken))


def _starts(values: _Ints) -> _Ints:
    """Where each run of equal values begins."""
    return np.flatnonzero(np.concatenate(([True], values[1:] != values[:-1])))


def _components(i: _Ints, j: _Ints) -> _Ints:
    """Number of the connected component of overlaps that each pair belongs to."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    offset = int(i.max()) + 1
    nodes = offset + int(j.max()) + 1
    graph = csr_array((np.ones(i.size, np.int8), (i, offset + j)), shape=(nodes, nodes))
    return connected_components(graph, directed=False)[1].astype(np.int64)[i]


def _settle(i: _Ints, j: _Ints, weight: _Floats) -> tuple[list[_Ints], _Ints]:
    """Take pairs that some optimum holds for certain; also return the entries that are still open.

    If an optimum lacks (i, j), putting it in drives out at most one pair of i and one of j. Where the pair weighs no
    less than the best two that it could drive out, nothing is lost.
    """
    left, taken = np.arange(i.size), []
    for _ in range(_ROUNDS):
        rows, columns, worth = i[left], j[left], weight[left]
        sure = left[worth >= _best_other(rows, worth) + _best_other(columns, worth)]
        # Two sure pairs can share an object only where they weigh the same and their other objects have no alternative:
        # either will do.
        sure = sure[np.unique(i[sure], return_index=True)[1]]
        sure = sure[np.unique(j[sure], return_index=True)[1]]
        taken.append(sure)
        left = left[~(np.isin(rows, i[sure]) | np.isin(columns, j[sure]))]
        if not (sure.size and left.size):
            break
    return taken, left


def _best_other(group: _Ints, weight: _Floats) -> _Floats:
    """For each entry, the largest weight among the other entries of its group; 0 where there is none."""
    order = np.lexsort((weight, group))
    ordered = weight[order]
    starts = _starts(group[order])
    sizes = np.diff(starts, append=order.size)
    last = starts + sizes - 1
    other = np.repeat(ordered[last], sizes)
    other[last] = np.where(sizes > 1, ordered[last - 1], 0)
    result = np.empty_like(weight)
    result[order] = other
    return result


def _groups(i: _Ints, j: _Ints) -> list[_Ints]:
    """Positions of whole components, several small ones together."""
    if not i.size:
        return []
    component = _components(i, j)
    order = np.argsort(component, kind="stable")
    starts = _starts(component[order])
    number = np.repeat(starts // _GROUP_PAIRS, np.diff(starts, append=order.size))
    return np.split(order, _starts(number)[1:])


def _assign(i: _Ints, j: _Ints, weight: _Floats) -> _Ints:
    """Positions of the pairs of a one-to-one matching of largest total weight."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    rows, row = np.unique(i, return_inverse=True)
    columns, column = np.unique(j, return_inverse=True)
    # Every row has a column of its own that is worth next to nothing, and may so stay without partner. The solver
    # reads an exact 0 as no edge.
    idle = np.arange(rows.size)
    worthless = np.full(rows.size, np.finfo(np.float64).tiny)
    where = np.concatenate((row, idle)), np.concatenate((column, columns.size + idle))
    graph = csr_array((np.concatenate((weight, worthless)), where))
    took = min_weight_full_bipartite_matching(graph, maximize=True)[1]
    return np.flatnonzero(column == took[row])
