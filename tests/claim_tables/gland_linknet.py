"""The tables of the modified LinkNet for glands: three numbers after a name that the text breaks over several lines."""

import re

from tests.claim_tables.layout import Table

__all__ = ["TABLES", "block", "printed"]

_METRICS = ("object_dice", "object_f1", "object_hausdorff")

#: By location; no table of this paper sets two systems side by side.
TABLES = {
    "Table 1": Table(columns=tuple(("glas", "testA", metric) for metric in _METRICS)),
    "Table 2": Table(columns=tuple(("glas", "testB", metric) for metric in _METRICS)),
}

# The running text goes on with these words below each table.
_AFTER = {"Table 1": "As shown in Table 1", "Table 2": r"The\s+B test-set contains"}
_ROW = re.compile(r"(\D.*?)(?: \[\d+\])? (\d+\.\d+) (\d+\.\d+) (\d+\.\d+)(?: |$)")


def block(text: str, location: str) -> str:
    """Return what stands between the head of a table and the text below it."""
    caption = re.search(rf"^{location}\. Segmentation results.*$", text, re.MULTILINE)
    head = re.compile(r"Hausdorff\s*$", re.MULTILINE).search(text, caption.end())
    return text[head.end() : re.compile(_AFTER[location]).search(text, head.end()).start()]


def printed(text: str, location: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return the rows of a table in order: name without reference mark, and its numbers.

    A row ends with its third number, wherever the lines break.
    """
    rows = _ROW.finditer(" ".join(block(text, location).split()))
    return [(found[1], found.groups()[1:]) for found in rows]
