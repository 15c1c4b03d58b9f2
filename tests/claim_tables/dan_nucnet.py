"""The tables of DAN-NucNet."""

from tests.claim_tables.layout import Table

__all__ = ["TABLES"]

_RECALL_FIRST = ("f1", "iou", "recall", "precision")
_PRECISION_FIRST = ("f1", "iou", "precision", "recall")
_BESIDE = ("NucliSegNet",) * 4 + ("Proposed",) * 4

TABLES = {
    "Table 2": Table(tuple(("pannuke", "unstated", metric) for metric in _RECALL_FIRST * 2), _BESIDE),
    "Table 3": Table(tuple(("kumar", "test", metric) for metric in _RECALL_FIRST * 2), _BESIDE),
    "Table 4": Table(
        tuple(
            (name, split, metric)
            for name, split in (("pannuke", "unstated"), ("kumar", "test"), ("cpm17", "test"))
            for metric in _PRECISION_FIRST
        )
    ),
    "Table 5": Table(tuple(("pannuke", "unstated", metric) for metric in _PRECISION_FIRST)),
}
