"""Who overlaps whom: the sparse table from which every score that is no distance can be computed."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Contingency", "as_contingency", "check_ids", "check_maps", "contingency"]

# Rows are taken in blocks of about this many pixels: their temporaries stay in cache, and a map of any size
# needs little memory beyond itself.
_BLOCK_PX = 1 << 18

_Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Contingency:
    """Overlaps and areas of the objects of two maps, background (0) left out; all counts are exact int64.

    Attributes
    ----------
    true_ids, pred_ids : ndarray of int64, shapes (m,) and (n,)
        The ids found, ascending.
    true_areas, pred_areas : ndarray of int64, shapes (m,) and (n,)
        Pixels of each object, overlapped or not.
    i, j, n : ndarray of int64, each of shape (k,)
        One entry for every pair that overlaps, by ascending `i`, then `j`: true object ``true_ids[i]`` and predicted
        object ``pred_ids[j]`` share ``n`` pixels (always > 0).
    pixels : int
        Pixels of the map, background included.
    """

    true_ids: _Ints
    pred_ids: _Ints
    true_areas: _Ints
    pred_areas: _Ints
    i: _Ints
    j: _Ints
    n: _Ints
    pixels: int

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    @property
    def union(self) -> _Ints:
        """Pixels of the union of each overlapping pair, shape (k,)."""
        return self.true_areas[self.i] + self.pred_areas[self.j] - self.n

    @property
    def iou(self) -> npt.NDArray[np.float64]:
        """Intersection over union of each overlapping pair, shape (k,)."""
        return self.n / self.union

    @property
    def empty(self) -> bool:
        """Whether neither map holds an object."""
        return not (self.true_ids.size or self.pred_ids.size)


def contingency(true: npt.NDArray[Any], pred: npt.NDArray[Any]) -> Contingency:
    """Count how many pixels each true object shares with each predicted one.

    Parameters
    ----------
    true, pred : ndarray of integers or bool, shape (H, W), both of one shape
        0 is background, every other value one object, connected or not. Ids may have gaps and be as large as int64
        holds, and a map need not contain background. A bool map is one object, id 1.

    Returns
    -------
    Contingency
        Its size is that of what overlaps, whatever the largest id.

    Raises
    ------
    TypeError
        If a map is no numpy array of integers or bool (a probability map has to be thresholded first).
    ValueError
        If a map is not two-dimensional, the shapes differ, or an id is negative or above 2**63 - 1.

    Notes
    -----
    Maps are cut into runs of equal (true, pred) first, as there are many times fewer runs than pixels; only runs are
    sorted. Time grows with pixels plus runs, memory with objects and pairs.

    Examples
    --------
    >>> true = np.array([[1, 1, 0, 0], [1, 1, 0, 9]])
    >>> pred = np.array([[4, 4, 4, 0], [7, 0, 0, 0]])
    >>> table = contingency(true, pred)
    >>> for i, j, n in zip(table.i, table.j, table.n):
    ...     print(f"true {table.true_ids[i]} and predicted {table.pred_ids[j]} share {n} px")
    true 1 and predicted 4 share 2 px
    true 1 and predicted 7 share 1 px
    >>> table.true_ids, table.true_areas  # object 9 overlaps nothing, and is here all the same
    (array([1, 9]), array([4, 1]))

    Two empty maps give an empty table, not an error:

    >>> contingency(np.zeros((2, 2), int), np.zeros((2, 2), int)).empty
    True
    """
    check_maps(true, pred)
    blocks = [_merge(*_runs(rows_true, rows_pred)) for rows_true, rows_pred in _blocks(true, pred)]
    columns = [np.concatenate([block[k] for block in blocks]) for k in range(3)] if blocks else [_none()] * 3
    true_at, pred_at, count = columns if len(blocks) <= 1 else _merge(*columns)
    true_ids, i = _ranks(true_at)
    pred_ids, j = _ranks(pred_at)
    both = (true_at > 0) & (pred_at > 0)
    return Contingency(
        true_ids=true_ids[true_ids > 0],
        pred_ids=pred_ids[pred_ids > 0],
        true_areas=_areas(true_ids, i, count),
        pred_areas=_areas(pred_ids, j, count),
        i=i[both] - np.count_nonzero(true_ids == 0),
        j=j[both] - np.count_nonzero(pred_ids == 0),
        n=count[both],
        pixels=true.size,
    )


def as_contingency(true: npt.NDArray[Any] | Contingency, pred: npt.NDArray[Any] | None = None) -> Contingency:
    """Return `true` where it is a table already (then `pred` must be left out), else the table of the two maps."""
    if isinstance(true, Contingency):
        if pred is not None:
            raise TypeError(f"pred: a Contingency holds both maps already, so leave pred out; got {_describe(pred)}")
        return true
    if pred is None:
        raise TypeError(f"pred: missing; expected a map like true, {_describe(true)} (or one Contingency in its place)")
    return contingency(true, pred)


def check_maps(true: Any, pred: Any) -> None:
    """Raise unless both are numpy arrays of integers or bool, two-dimensional and of one shape."""
    for name, value in (("true", true), ("pred", pred)):
        expected = f"{name}: expected an integer or bool array (H, W) with 0 as background, got {_describe(value)}"
        if not isinstance(value, np.ndarray):
            raise TypeError(expected)
        if value.dtype.kind == "f":
            raise TypeError(f"{expected}; threshold probabilities first, as in {name} > 0.5")
        if value.dtype.kind not in "iub":
            raise TypeError(expected)
        if value.ndim != 2:
            raise ValueError(f"{expected}; give several maps as a list")
    if true.shape != pred.shape:
        raise ValueError(f"true and pred must have one shape, got true {_describe(true)} and pred {_describe(pred)}")


def check_ids(name: str, low: int, high: int, described: str) -> None:
    """Raise if the smallest or largest id of the map called `name` cannot be an object's."""
    if low < 0:
        raise ValueError(f"{name}: ids must not be negative, got {low} in {described}; 0 is background")
    if high > np.iinfo(np.int64).max:
        raise ValueError(f"{name}: ids must be at most 2**63 - 1, got {high} in {described}")


def _describe(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape}"
    return type(value).__name__


def _none() -> _Ints:
    return np.zeros(0, np.int64)


def _blocks(true: npt.NDArray[Any], pred: npt.NDArray[Any]) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
    """Cut two maps into blocks of whole rows, each flat; non-contiguous memory is copied block by block."""
    height, width = true.shape
    rows = max(1, _BLOCK_PX // max(1, width))
    for top in range(0, height if width else 0, rows):
        yield true[top : top + rows].ravel(), pred[top : top + rows].ravel()


def _runs(true: npt.NDArray[Any], pred: npt.NDArray[Any]) -> tuple[_Ints, _Ints, _Ints]:
    """Ids and length of each run of pixels over which neither map changes; runs of background alone left out."""
    change = true[1:] != true[:-1]
    change |= pred[1:] != pred[:-1]
    start = np.concatenate(([0], np.flatnonzero(change) + 1))
    length = np.diff(start, append=true.size)
    at = []
    for name, values in (("true", true), ("pred", pred)):
        ids = values[start]
        check_ids(name, int(ids.min()), int(ids.max()), f"a map of {values.dtype}")
        at.append(ids.astype(np.int64))
    keep = (at[0] | at[1]) > 0
    return at[0][keep], at[1][keep], length[keep]


def _merge(true_at: _Ints, pred_at: _Ints, count: _Ints) -> tuple[_Ints, _Ints, _Ints]:
    """Sum the counts of equal pairs; the result is sorted by true id, then predicted id."""
    if not count.size:
        return true_at, pred_at, count
    true_ids, i = _ranks(true_at)
    pred_ids, j = _ranks(pred_at)
    key = i * pred_ids.size + j  # ranks, not ids: cannot overflow int64
    order = np.argsort(key, kind="stable")
    key = key[order]
    first = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1])))
    i, j = np.divmod(key[first], pred_ids.size)
    return true_ids[i], pred_ids[j], np.add.reduceat(count[order], first)


def _ranks(values: _Ints) -> tuple[_Ints, _Ints]:
    """Sorted distinct values, and for each value its position among them."""
    high = int(values.max(initial=0))
    if high > 4 * values.size + 1024:  # a lookup table would outgrow the data
        return np.unique(values, return_inverse=True)
    seen = np.zeros(high + 1, bool)
    seen[values] = True
    rank = np.cumsum(seen, dtype=np.int64) - 1
    return np.flatnonzero(seen), rank[values]


def _areas(ids: _Ints, rank: _Ints, count: _Ints) -> _Ints:
    """Total count of each id but 0."""
    total = np.zeros(ids.size, np.int64)
    np.add.at(total, rank, count)
    return total[ids > 0]
