"""Numbers that start a search for a fault, not a tuning."""

from collections.abc import Sequence

from histolab_lib.floors import HEMATOXYLIN
from histolab_lib.record import Record
from histolab_lib.results.store import load_results, words

__all__ = ["alarms"]

# Lowest mean Dice that validation on held-out organs may end with, for a full schedule of a full-width network.
_ORGANS_HELD_OUT = 0.79
# Lowest object Dice of glands that validation on held-out patients may end with, by schedule.
_PATIENTS_HELD_OUT = {"gpu": 0.80, "cpu": 0.60, "cpu_long": 0.60}


def alarms(record: Record, others: Sequence[Record] | None = None) -> list[str]:
    """Return what is suspicious about a record, each in a sentence; empty for most.

    Parameters
    ----------
    record : Record
    others : sequence of Record, optional
        Among which to look for the floor; default: those of this book.

    Notes
    -----
    Below thresholded hematoxylin on any split: Dice of nuclei, object Dice of glands. Below 0.79 mean Dice in
    validation on held-out organs of MoNuSeg, for the schedule ``gpu``. Below 0.60 mean object Dice in validation on
    held-out patients of GlaS, 0.80 for the schedule ``gpu``. No run of the schedule ``smoke`` is suspicious.
    """
    if record.key == HEMATOXYLIN or record.schedule == "smoke":
        return []
    metric = "object_dice" if record.dataset == "glas" else "dice"
    found = []
    for floor in load_results() if others is None else others:
        if floor.key != HEMATOXYLIN or floor.dataset != record.dataset or floor.options != record.options:
            continue
        for split in sorted(set(floor.summary) & set(record.summary)):
            ours, lowest = record.summary[split][metric]["mean"], floor.summary[split][metric]["mean"]
            if ours < lowest:
                found.append(
                    f"{record.name}, {split}: {metric} {words(ours, metric)} is below thresholded hematoxylin, "
                    f"{words(lowest, metric)}"
                )
    if record.schedule == "gpu" and record.dataset == "monuseg":
        found += _ended_low(record, "dice", _ORGANS_HELD_OUT, "held-out organs")
    if record.dataset == "glas" and record.schedule in _PATIENTS_HELD_OUT:
        found += _ended_low(record, "object_dice", _PATIENTS_HELD_OUT[record.schedule], "held-out patients")
    return found


def _ended_low(record: Record, metric: str, lowest: float, who: str) -> list[str]:
    seen = [value for value in record.history.get(f"validation_{metric}", ()) if value is not None]
    if not seen or seen[-1] >= lowest:
        return []
    return [f"{record.name}: validation on {who} ended with {metric} {words(seen[-1], metric)}, below {lowest}"]
