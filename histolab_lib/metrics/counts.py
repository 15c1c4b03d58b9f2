"""The counts of one image from which scores can be computed again, and the scores that they give."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from histolab_lib.metrics import glands, instances
from histolab_lib.metrics.contingency import Contingency
from histolab_lib.metrics.detection import DSB_THRESHOLDS
from histolab_lib.metrics.matching import count_matches
from histolab_lib.metrics.ratios import EMPTY

__all__ = ["COUNTED", "Counts", "count_objects", "counts_of", "families_in", "pool", "scores_of"]

Counts: TypeAlias = dict[str, int | float]
_Scores: TypeAlias = dict[str, float]

_ALWAYS = ("true_objects", "pred_objects", "true_px", "pred_px", "both_px")
# Thresholds of IoU in per cent, as the names of counts and scores have them: 50, 55, ..., 95.
_PERCENT = tuple(int(100 * threshold) for threshold in DSB_THRESHOLDS)


class _Family(NamedTuple):
    """What one metric adds to the counts that every record holds, and the scores that follow."""

    names: tuple[str, ...]  # of the counts
    measure: Callable[[Contingency], tuple[Any, ...]]
    score: Callable[[Mapping[str, Any], "_Value"], _Scores]


class _Value:
    """Turns a numerator and a denominator into a score, two empty maps by the policy."""

    def __init__(self, nothing: bool, empty: str) -> None:
        self.nothing, self.policy = nothing, EMPTY[empty]

    def __call__(self, numerator: float, denominator: float) -> float:
        if self.nothing:
            return self.policy
        return float(numerator / denominator) if denominator else 0.0


def count_objects(table: Contingency) -> Counts:
    """Objects and pixels of both maps: what every record holds."""
    px = (int(each.sum()) for each in (table.true_areas, table.pred_areas, table.n))
    return dict(zip(_ALWAYS, (table.true_ids.size, table.pred_ids.size, *px), strict=True))


def counts_of(table: Contingency, metrics: Iterable[str]) -> Counts:
    """Counts of one image: those of `count_objects`, and what each metric needs besides.

    Parameters
    ----------
    table : Contingency
    metrics : iterable of str
        Names among `COUNTED`.

    Returns
    -------
    dict of str to int or float
        Pixels end in ``_px``; sums of IoU and of area-weighted Dice are floats, all others integers.
    """
    counts = count_objects(table)
    for metric in metrics:
        family = _FAMILIES[metric]
        counts.update(zip(family.names, family.measure(table), strict=True))
    return counts


def scores_of(counts: Mapping[str, Any], metrics: Iterable[str], empty: str) -> _Scores:
    """Scores that follow from counts: of one image, or of the summed counts of several (pooled)."""
    value = _Value(not counts["true_objects"] + counts["pred_objects"], empty)
    scores: _Scores = {}
    for metric in metrics:
        scores.update(_FAMILIES[metric].score(counts, value))
    return scores


def families_in(counts: Mapping[str, Any]) -> list[str]:
    """Metrics whose scores follow from these counts.

    Raises
    ------
    ValueError
        If one of the counts that every record holds is missing.
    """
    missing = [name for name in _ALWAYS if name not in counts]
    if missing:
        raise ValueError(f"counts: {', '.join(missing)} missing; found {', '.join(counts)}")
    return [metric for metric, family in _FAMILIES.items() if all(name in counts for name in family.names)]


def pool(records: Sequence[Mapping[str, Any]]) -> Counts:
    """Sum, over images, the counts that all of them hold."""
    metrics = set(families_in(records[0])).intersection(*(families_in(record) for record in records))
    names = dict.fromkeys(_ALWAYS + tuple(name for metric in metrics for name in _FAMILIES[metric].names))
    return {name: sum(record[name] for record in records) for name in names}


def _no_more(table: Contingency) -> tuple[()]:
    return ()


def _dice(c: Mapping[str, Any], value: _Value) -> _Scores:
    return {"dice": value(2 * c["both_px"], c["true_px"] + c["pred_px"])}


def _iou(c: Mapping[str, Any], value: _Value) -> _Scores:
    return {"iou": value(c["both_px"], c["true_px"] + c["pred_px"] - c["both_px"])}


def _precision_recall_f1(c: Mapping[str, Any], value: _Value) -> _Scores:
    precision, recall = value(c["both_px"], c["pred_px"]), value(c["both_px"], c["true_px"])
    return {"precision": precision, "recall": recall, "f1": _dice(c, value)["dice"]}


def _count_aji(table: Contingency) -> tuple[int, int]:
    (ratio,) = instances._aji(table, None)
    return ratio.numerator, ratio.denominator


def _aji(c: Mapping[str, Any], value: _Value) -> _Scores:
    return {"aji": value(c["aji_shared_px"], c["aji_union_px"])}


def _count_aji_plus(table: Contingency) -> tuple[int]:
    return (instances._aji_plus(table, None)[0].numerator,)


def _aji_plus(c: Mapping[str, Any], value: _Value) -> _Scores:
    shared = c["aji_plus_shared_px"]
    return {"aji_plus": value(shared, c["true_px"] + c["pred_px"] - shared)}


def _count_dice2(table: Contingency) -> tuple[int]:
    return (instances._dice2(table, None)[0].denominator,)


def _dice2(c: Mapping[str, Any], value: _Value) -> _Scores:
    return {"dice2": value(2 * c["both_px"], c["dice2_areas_px"])}  # all overlaps together are the shared foreground


def _count_pq(table: Contingency) -> tuple[int, int, int, float]:
    ious = table.iou[2 * table.n > table.union]
    tp = ious.size
    return tp, table.pred_ids.size - tp, table.true_ids.size - tp, float(ious.sum())


def _pq(c: Mapping[str, Any], value: _Value) -> _Scores:
    tp, total = c["pq_tp"], c["pq_iou_sum"]
    objects = 2 * tp + c["pq_fp"] + c["pq_fn"]
    return {"dq": value(2 * tp, objects), "sq": value(total, tp), "pq": value(2 * total, objects)}


def _count_object_f1(table: Contingency) -> tuple[int, ...]:
    newer, older = glands.object_f1(table), glands.object_f1(table, fn="unpointed")
    return newer.tp, newer.fp, newer.fn, older.fn


def _object_f1(c: Mapping[str, Any], value: _Value) -> _Scores:
    tp, fp = c["object_tp"], c["object_fp"]
    return {
        "object_f1": value(2 * tp, 2 * tp + fp + c["object_fn"]),
        "object_precision": value(tp, tp + fp),
        "object_recall": value(tp, tp + c["object_fn"]),
        "object_f1_unpointed": value(2 * tp, 2 * tp + fp + c["object_fn_unpointed"]),
    }


def _count_object_dice(table: Contingency) -> tuple[float, ...]:
    return tuple(float(ratio.numerator) for ratio in glands._object_dice(table, None))


def _object_dice(c: Mapping[str, Any], value: _Value) -> _Scores:
    of_pred, of_true = (value(c[f"object_dice_{side}_sum"], c[f"{side}_px"]) for side in ("pred", "true"))
    return {"object_dice": (of_pred + of_true) / 2}


def _count_ap(table: Contingency) -> tuple[int, ...]:
    return tuple(count_matches(table, threshold, strict=False) for threshold in DSB_THRESHOLDS)


def _ap(c: Mapping[str, Any], value: _Value) -> _Scores:
    objects = c["true_objects"] + c["pred_objects"]
    scores = {f"ap_{k}": value(c[f"ap_tp_{k}"], objects - c[f"ap_tp_{k}"]) for k in _PERCENT}
    return {**scores, "ap": float(np.mean(list(scores.values())))}


def _need_maps(table: Contingency) -> tuple[()]:
    raise TypeError("object_hausdorff: its sums need the maps, not their table")


def _object_hausdorff(c: Mapping[str, Any], value: _Value) -> _Scores:
    """Two empty maps are at distance 0, whatever the policy; exactly one is infinitely far."""
    if not (c["true_px"] and c["pred_px"]):
        return {"object_hausdorff": 0.0 if c["true_px"] == c["pred_px"] else float("inf")}
    return {"object_hausdorff": (c["hausdorff_true_sum"] / c["true_px"] + c["hausdorff_pred_sum"] / c["pred_px"]) / 2}


_FAMILIES = {
    "dice": _Family((), _no_more, _dice),
    "iou": _Family((), _no_more, _iou),
    "precision_recall_f1": _Family((), _no_more, _precision_recall_f1),
    "aji": _Family(("aji_shared_px", "aji_union_px"), _count_aji, _aji),
    "aji_plus": _Family(("aji_plus_shared_px",), _count_aji_plus, _aji_plus),
    "dice2": _Family(("dice2_areas_px",), _count_dice2, _dice2),
    "panoptic_quality": _Family(("pq_tp", "pq_fp", "pq_fn", "pq_iou_sum"), _count_pq, _pq),
    "object_f1": _Family(("object_tp", "object_fp", "object_fn", "object_fn_unpointed"), _count_object_f1, _object_f1),
    "object_dice": _Family(("object_dice_pred_sum", "object_dice_true_sum"), _count_object_dice, _object_dice),
    "average_precision": _Family(tuple(f"ap_tp_{k}" for k in _PERCENT), _count_ap, _ap),
    "object_hausdorff": _Family(("hausdorff_true_sum", "hausdorff_pred_sum"), _need_maps, _object_hausdorff),
}
# The metrics that follow from a table alone, by the names of their functions.
COUNTED = tuple(metric for metric in _FAMILIES if metric != "object_hausdorff")
