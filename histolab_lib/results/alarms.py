"""Numbers that start a search for a fault, not a tuning."""

from collections.abc import Sequence

from histolab_lib.floors import HEMATOXYLIN
from histolab_lib.record import Record
from histolab_lib.results.store import load_results, words

__all__ = ["alarms"]

# Lowest mean Dice that validation on held-out organs may end with, for a full schedule of a full-width network.
_ORGANS_HELD_OUT = 0.79


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
    validation on held-out organs of MoNuSeg, for the schedule ``gpu``. No run of the schedule ``smoke`` is suspicious.
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
    validated = [value for value in record.history.get("validation_dice", ()) if value is not None]
    if record.schedule == "gpu" and record.dataset == "monuseg" and validated and validated[-1] < _ORGANS_HELD_OUT:
        found.append(
            f"{record.name}: validation on held-out organs ended with Dice {words(validated[-1], 'dice')}, below "
            f"{_ORGANS_HELD_OUT}"
        )
    return found
