"""One record for each image: the counts from which its scores can be computed again, and the scores."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias, overload

import numpy.typing as npt

from histolab_lib.metrics.contingency import Contingency, as_contingency
from histolab_lib.metrics.counts import COUNTED, counts_of, families_in, scores_of
from histolab_lib.metrics.ratios import EMPTY, Maps

__all__ = ["DISTANCES", "ImageRecord", "check_record", "evaluate", "scores_from_counts"]

# str: name and empty policy; int: counts; float: scores, and sums that are no integers.
ImageRecord: TypeAlias = dict[str, str | int | float]

# What needs the maps themselves; the last two are recorded as they are, everything else follows from counts.
DISTANCES = ("object_hausdorff", "hd95", "boundary_f1")


@overload
def evaluate(
    true: npt.NDArray[Any] | Contingency,
    pred: npt.NDArray[Any] | None = ...,
    metrics: Iterable[str] = ...,
    *,
    names: str | None = ...,
    empty: str = ...,
    tolerance_px: float | None = ...,
) -> ImageRecord: ...
@overload
def evaluate(
    true: Sequence[npt.NDArray[Any]] | Sequence[Contingency],
    pred: Sequence[npt.NDArray[Any]] | None = ...,
    metrics: Iterable[str] = ...,
    *,
    names: Sequence[str] | None = ...,
    empty: str = ...,
    tolerance_px: float | None = ...,
) -> list[ImageRecord]: ...
def evaluate(
    true: Maps,
    pred: Any = None,
    metrics: Iterable[str] = COUNTED,
    *,
    names: str | Sequence[str] | None = None,
    empty: str = "nan",
    tolerance_px: float | None = None,
) -> ImageRecord | list[ImageRecord]:
    """Score images, and keep for each the counts that its scores are made of.

    Parameters
    ----------
    true, pred : ndarray of integers or bool, shape (H, W)
        Instance maps, 0 = background. Lists are a batch. One `Contingency` (or a list of them) may stand in place of
        the two, unless a distance is asked for.
    metrics : iterable of str
        Names of functions of `histolab_lib.metrics`. All that follow from counts by default; ``object_hausdorff``,
        ``hd95`` and ``boundary_f1``, which need the maps, on request.
    names : str or sequence of str, optional
        What the images are called, each name once; by default their position in the batch, "0", "1", ...
    empty : {"nan", "one", "zero"}
        What two empty maps score; kept in the record.
    tolerance_px : float, optional
        For ``boundary_f1``, which has no default: pixels by which an outline may be off.

    Returns
    -------
    dict, or list of dict for a batch
        Flat, so that a list of them makes a table: ``name``, ``empty``; counts (``true_objects``, ``pred_px``,
        ``aji_union_px``, ``pq_tp`` ...); scores (``dice``, ``aji``, ``pq``, ``object_f1``, ``ap_50`` ...). Plain int,
        float and str. An undefined score is NaN, a distance to an empty map infinite.

    Raises
    ------
    TypeError, ValueError
        For maps that `contingency` refuses, and for a metric, name or policy that is not allowed; the message says
        which image.

    Examples
    --------
    >>> import numpy as np
    >>> true, pred = np.array([[1, 1, 0, 2]]), np.array([[5, 5, 5, 0]])
    >>> record = evaluate(true, pred, ["dice", "panoptic_quality"], names="demo")
    >>> [record[key] for key in ("name", "true_px", "pred_px", "both_px", "pq_tp", "pq_fn")]
    ['demo', 3, 3, 2, 1, 1]
    >>> record["dice"], record["pq"]
    (0.6666666666666666, 0.4444444444444444)

    Two empty maps have counts, too; what they score is the policy's business:

    >>> nothing = np.zeros((1, 4), int)
    >>> record = evaluate(nothing, nothing, ["dice"])
    >>> record["true_px"], record["dice"]
    (0, nan)
    """
    chosen = _check_metrics(metrics, tolerance_px)
    if empty not in EMPTY:
        raise ValueError(f"empty: got {empty!r}, allowed are {', '.join(map(repr, EMPTY))}")
    if not isinstance(true, list | tuple):
        return _record(true, pred, str(_check_names(names, None)[0]), chosen, empty, tolerance_px)
    if not true:
        raise ValueError("true: an empty batch has no record; expected at least one map")
    if pred is not None and not (isinstance(pred, list | tuple) and len(pred) == len(true)):
        got = f"{len(pred)}" if isinstance(pred, list | tuple) else f"one {type(pred).__name__}"
        raise ValueError(f"pred: expected a list of {len(true)} maps, as true is, got {got}")
    preds = [None] * len(true) if pred is None else pred
    rows = zip(true, preds, _check_names(names, len(true)), strict=True)
    return [_record(t, p, name, chosen, empty, tolerance_px) for t, p, name in rows]


def scores_from_counts(record: Mapping[str, Any]) -> dict[str, float]:
    """Compute every score that a record's counts allow, without looking at the scores that it holds.

    Parameters
    ----------
    record : mapping
        As `evaluate` makes it; the scores may be missing.

    Returns
    -------
    dict of str to float
        At least the scores that `evaluate` stored beside these counts, but for hd95 and boundary_f1.

    Raises
    ------
    ValueError
        If the record lacks the counts that every record holds.

    Examples
    --------
    >>> import numpy as np
    >>> record = evaluate(np.array([[1, 1, 0]]), np.array([[0, 1, 1]]), ["aji"])
    >>> scores_from_counts(record)["aji"] == record["aji"] == 1 / 3
    True
    """
    return scores_of(record, families_in(record), str(record.get("empty", "nan")))


def check_record(record: Mapping[str, Any]) -> None:
    """Raise unless a record's counts fit each other and give exactly the scores that stand beside them.

    What no score shows is not found: a wrong union, say, under an intersection of 0.

    Raises
    ------
    ValueError
        Names the image, the first score or count that is wrong, what stands there and what would be right.

    Examples
    --------
    >>> import numpy as np
    >>> record = evaluate(np.array([[1, 1, 0]]), np.array([[0, 1, 1]]), ["dice"], names="demo")
    >>> check_record({**record, "both_px": 2})
    Traceback (most recent call last):
        ...
    ValueError: image demo: dice is 0.5, but its counts give 1.0
    """
    for expected, parts in _SUMS.items():
        if all(part in record for part in parts) and sum(record[part] for part in parts) != record[expected]:
            terms = " + ".join(f"{part} ({record[part]})" for part in parts)
            raise ValueError(f"image {record.get('name')}: {terms} is not {expected} ({record[expected]})")
    for name, value in scores_from_counts(record).items():
        stored = record.get(name, value)
        if stored != value and not (math.isnan(stored) and math.isnan(value)):
            raise ValueError(f"image {record.get('name')}: {name} is {stored}, but its counts give {value}")


# Counts that must add up to another one.
_SUMS = {
    "true_objects": ("pq_tp", "pq_fn"),
    "pred_objects": ("pq_tp", "pq_fp"),
}


def _record(
    true: Any, pred: Any, name: str, metrics: Sequence[str], empty: str, tolerance_px: float | None
) -> ImageRecord:
    counted = [metric for metric in metrics if metric in COUNTED]
    try:
        table = as_contingency(true, pred)
        counts = counts_of(table, counted)
        scores = scores_of(counts, counted, empty)
        for metric in (each for each in metrics if each in DISTANCES):
            more, scores[metric] = _distance(metric, true, pred, empty, tolerance_px)
            counts.update(more)
    except (TypeError, ValueError) as error:
        raise type(error)(f"image {name}: {error}") from error
    return {"name": name, "empty": empty, **counts, **scores}


def _distance(
    metric: str, true: Any, pred: Any, empty: Any, tolerance_px: float | None
) -> tuple[dict[str, float], float]:
    """Return what a distance adds to the counts, and its value."""
    if pred is None:
        raise TypeError(f"{metric} needs the maps, got a Contingency; give true and pred, or leave {metric} out")
    if metric == "object_hausdorff":
        from histolab_lib.metrics.hausdorff import hausdorff_sums

        sums = hausdorff_sums(true, pred)
        return {"hausdorff_true_sum": sums.true_sum, "hausdorff_pred_sum": sums.pred_sum}, sums.value
    from histolab_lib.metrics import surfaces

    if metric == "hd95":
        return {}, float(surfaces.hd95(true, pred))
    assert tolerance_px is not None
    return {"tolerance_px": tolerance_px}, float(
        surfaces.boundary_f1(true, pred, tolerance_px=tolerance_px, empty=empty)
    )


def _check_metrics(metrics: Iterable[str], tolerance_px: float | None) -> list[str]:
    if isinstance(metrics, str):
        raise TypeError(f"metrics: expected a list of names, got the string {metrics!r}; write [{metrics!r}]")
    chosen = list(dict.fromkeys(metrics))
    for metric in chosen:
        if metric not in COUNTED + DISTANCES:
            raise ValueError(f"metrics: got {metric!r}, allowed are {', '.join(COUNTED + DISTANCES)}")
    if "boundary_f1" in chosen and tolerance_px is None:
        raise ValueError("tolerance_px: boundary_f1 needs a tolerance in pixels, as in tolerance_px=2")
    return chosen


def _check_names(names: Any, images: int | None) -> list[str]:
    """Return the names of so many images, or of the one that is no batch (None)."""
    if images is None:
        if names is not None and not isinstance(names, str):
            raise TypeError(f"names: expected one string for one image, got {type(names).__name__}")
        return [names or "0"]
    if names is None:
        return [str(k) for k in range(images)]
    if isinstance(names, str) or len(names) != images:
        got = repr(names) if isinstance(names, str) else f"{len(names)}"
        raise ValueError(f"names: expected {images} names, as there are images, got {got}")
    twice = sorted({str(name) for name, times in Counter(names).items() if times > 1})
    if twice:
        raise ValueError(f"names: each image needs a name of its own, got {', '.join(twice)} more than once")
    return [str(name) for name in names]
