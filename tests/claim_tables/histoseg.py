"""The tables of HistoSeg: which number stands in which column.

Tables I and II print sizes as height x width x channels and call all rows images; the one row of Table III is nameless;
Table V puts "IoU" behind each number, and the text has lost the order of one of its lines, the name after the numbers.
"""

from tests.claim_tables.layout import Table

__all__ = ["NAMELESS", "SPLIT", "TABLES"]

#: Stands for the split that the row names, in tables whose rows are splits.
SPLIT = "of the row"

#: The row that a table prints without a name.
NAMELESS = {"Table III": "Proposed Network"}


def _splits(dataset: str) -> Table:
    sizes = ("height_px", "width_px", "channels")
    printed = ("patches", *sizes, *(f"mask {one}" for one in sizes))
    return Table(tuple((dataset, SPLIT, one) for one in printed))


def _scores(*metrics: str) -> Table:
    return Table(tuple((dataset, "test", metric) for dataset in ("monuseg", "glas") for metric in metrics))


TABLES: dict[str, Table] = {
    "Table I": _splits("monuseg"),
    "Table II": _splits("glas"),
    "Table III": _scores("f1", "iou", "dice"),
    "Table IV": _scores("f1", "iou"),
    "Table V": _scores("iou"),
}
