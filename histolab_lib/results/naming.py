"""Scores and runs in words: the same in every table and figure."""

from collections.abc import Mapping

from histolab_lib.claims import PAPERS
from histolab_lib.record import Record

__all__ = ["run_label", "score_name", "variant_in_words"]

_SCORES: Mapping[str, str] = {
    "dice": "Dice", "iou": "IoU", "f1": "F1", "aji": "AJI", "aji_plus": "AJI+", "dice2": "Dice 2", "pq": "PQ",
    "dq": "DQ", "sq": "SQ", "object_dice": "object Dice", "object_f1": "object F1",
    "object_hausdorff": "object Hausdorff distance (px)",
}  # fmt: skip
_READINGS: Mapping[str, str] = {"code": "released code", "clean": "our protocol"}


def score_name(metric: str) -> str:
    """Return what a score, or a count of a record's row, is called on pages.

    Examples
    --------
    >>> score_name("aji_plus"), score_name("object_dice"), score_name("true_objects")
    ('AJI+', 'object Dice', 'true objects')
    """
    return _SCORES.get(metric, metric.replace("_", " "))


def variant_in_words(record: Record) -> str:
    """Return what differs from the system as it is meant, and whose recipe it is where that is not the paper's.

    Empty where nothing does. Networks of no paper of this book have one recipe, which is not named.
    """
    words = [word for word in record.variant.split("__") if word != "base"]
    if record.key in PAPERS and record.reading in _READINGS:
        words.append(_READINGS[record.reading])
    return ", ".join(words)


def run_label(record: Record, *, break_lines: bool = False) -> str:
    """Return a run in few words: the system, and what differs from it as it is meant.

    Parameters
    ----------
    record : Record
    break_lines : bool
        A line for each of the words: for figures with narrow panels.
    """
    words = variant_in_words(record)
    if not words:
        return record.key
    return f"{record.key}\n" + words.replace(", ", ",\n") if break_lines else f"{record.key}, {words}"
