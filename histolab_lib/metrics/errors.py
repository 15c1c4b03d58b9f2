"""What went wrong, object by object: matched, missed, false, split or merged, and the map that draws it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from histolab_lib.metrics.contingency import Contingency, contingency

__all__ = ["ERROR_NAMES", "Errors", "errors"]

#: Class of each code in the maps and arrays of `Errors`.
ERROR_NAMES = ("background", "matched", "missed", "false", "split", "merged")
_MATCHED, _MISSED, _FALSE, _SPLIT, _MERGED = range(1, len(ERROR_NAMES))

_Codes = npt.NDArray[np.uint8]
_Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class Errors:
    """The class of each object of two maps, as a code: its place in `ERROR_NAMES`.

    Attributes
    ----------
    true_ids, pred_ids : ndarray of int64, shapes (m,) and (n,)
        The ids found, ascending.
    true_codes, pred_codes : ndarray of uint8, shapes (m,) and (n,)
        True objects are matched, missed, split or merged; predicted ones matched, false, split or merged.
    true_map, pred_map : ndarray of uint8, shape (H, W)
        Each object filled with its code, 0 = background.
    """

    true_ids: npt.NDArray[np.int64]
    pred_ids: npt.NDArray[np.int64]
    true_codes: _Codes
    pred_codes: _Codes
    true_map: _Codes
    pred_map: _Codes

    @property
    def map(self) -> _Codes:
        """Both maps in one, shape (H, W): the code of the true object, and where there is none of the predicted one."""
        return np.where(self.true_map > 0, self.true_map, self.pred_map)

    @property
    def true_counts(self) -> dict[str, int]:
        """Number of true objects of each class that they can have; together, all of them."""
        return _counts(self.true_codes, (_MATCHED, _MISSED, _SPLIT, _MERGED))

    @property
    def pred_counts(self) -> dict[str, int]:
        """Number of predicted objects of each class that they can have; together, all of them."""
        return _counts(self.pred_codes, (_MATCHED, _FALSE, _SPLIT, _MERGED))


def errors(true: npt.NDArray[Any], pred: npt.NDArray[Any], *, match_iou: float = 0.5, cover: float = 0.5) -> Errors:
    """Give each true and each predicted object the one word that says what became of it.

    Say that object A *holds* object B of the other map if more than the share `cover` of B's pixels lies in A. The
    first line that applies is an object's class:

    - **matched**: it has a partner with IoU above `match_iou`.
    - **merged**: a predicted object that holds two or more true ones, or a true object held by such a one.
    - **split**: a true object that holds two or more predicted ones, or a predicted object held by such a one.
    - **missed** (true) or **false** (predicted): anything else.

    Parameters
    ----------
    true, pred : ndarray of integers or bool, shape (H, W)
        Instance maps, 0 = background; an id is an object, connected or not.
    match_iou, cover : float
        From 0.5 up to, not including, 1; both strict. From one half on an object has at most one partner, and at most
        one object holds it. The default of `match_iou` is that of panoptic quality, so that as many objects of either
        map are matched as it counts true positives.

    Returns
    -------
    Errors

    Raises
    ------
    TypeError, ValueError
        For maps that `contingency` refuses, and for a threshold outside its range.

    Notes
    -----
    What counts as held need not be unmatched. Two nuclei under one prediction that outlines the larger one well
    (IoU above one half): prediction and larger nucleus are matched, the smaller one is merged. Likewise a fragment
    beside a good match is split.

    An object found, but outlined too badly to be matched, is missed, and its prediction false: one pair, two errors,
    as in panoptic quality.

    Time is that of `contingency` plus one pass over each map; memory two bytes a pixel.

    Examples
    --------
    >>> true = np.array([[1, 1, 2, 2, 0, 3, 3, 3, 3, 0, 4]])
    >>> pred = np.array([[9, 9, 9, 9, 0, 5, 5, 6, 6, 7, 0]])
    >>> found = errors(true, pred)
    >>> found.true_counts
    {'matched': 0, 'missed': 1, 'split': 1, 'merged': 2}
    >>> found.pred_counts
    {'matched': 0, 'false': 1, 'split': 2, 'merged': 1}
    >>> [ERROR_NAMES[code] for code in found.map[0, [0, 5, 9, 10]]]
    ['merged', 'split', 'false', 'missed']

    An IoU of exactly one half is no match, and half of an object does not hold it:

    >>> errors(np.array([[1, 1]]), np.array([[2, 0]])).true_counts["matched"]
    0
    """
    for name, value in (("match_iou", match_iou), ("cover", cover)):
        _check_share(name, value)
    table = contingency(true, pred)
    true_codes, pred_codes = _classes(table, match_iou, cover)
    return Errors(
        true_ids=table.true_ids,
        pred_ids=table.pred_ids,
        true_codes=true_codes,
        pred_codes=pred_codes,
        true_map=_drawn(true, table.true_ids, true_codes),
        pred_map=_drawn(pred, table.pred_ids, pred_codes),
    )


def _classes(table: Contingency, match_iou: float, cover: float) -> tuple[_Codes, _Codes]:
    matched = table.iou > match_iou
    in_pred = table.n / table.true_areas[table.i] > cover  # entries whose predicted object holds the true one
    in_true = table.n / table.pred_areas[table.j] > cover
    sides = [(table.i, table.true_ids.size, _MISSED), (table.j, table.pred_ids.size, _FALSE)]
    codes = [np.full(count, otherwise, np.uint8) for _, count, otherwise in sides]
    merging = _twice(table.j, in_pred, table.pred_ids.size)
    splitting = _twice(table.i, in_true, table.true_ids.size)
    # From the weakest word to the strongest: a later one overwrites.
    codes[0][splitting] = codes[1][table.j[in_true & splitting[table.i]]] = _SPLIT
    codes[1][merging] = codes[0][table.i[in_pred & merging[table.j]]] = _MERGED
    for code, (places, _, _) in zip(codes, sides, strict=True):
        code[places[matched]] = _MATCHED
    return codes[0], codes[1]


def _twice(holder: npt.NDArray[np.int64], holds: _Flags, count: int) -> _Flags:
    """Which of `count` objects hold two others or more; `holder` and `holds` have one value for each pair."""
    return np.bincount(holder[holds], minlength=count) > 1


def _drawn(labels: npt.NDArray[Any], ids: npt.NDArray[np.int64], codes: _Codes) -> _Codes:
    high = int(ids[-1]) if ids.size else 0
    if high <= 4 * labels.size + 1024:
        table = np.zeros(high + 1, np.uint8)
        table[ids] = codes
        return table[labels.astype(np.int64, copy=False)]
    rank = np.searchsorted(ids, labels.astype(np.int64, copy=False))
    return np.where(labels > 0, codes[rank], np.uint8(0))  # background ranks 0, as the lowest id does


def _counts(codes: _Codes, classes: tuple[int, ...]) -> dict[str, int]:
    return {ERROR_NAMES[code]: int(np.count_nonzero(codes == code)) for code in classes}


def _check_share(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise TypeError(f"{name}: expected a number, got {type(value).__name__}")
    if not 0.5 <= value < 1:
        raise ValueError(f"{name}: must be at least 0.5 and below 1, got {value}")
