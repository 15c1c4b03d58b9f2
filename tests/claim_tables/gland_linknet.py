"""The modified LinkNet for glands: three numbers after a name that the text breaks over several lines."""

import re

from tests.claim_tables.layout import Paper, Row, Sections, Table, by_location, cut, without

__all__ = ["PAPER"]

_TABLES = {
    location: Table(tuple(("glas", split, one) for one in ("object_dice", "object_f1", "object_hausdorff")))
    for location, split in (("Table 1", "testA"), ("Table 2", "testB"))
}
# The running text goes on with these words below each table.
_AFTER = {"Table 1": "As shown in Table 1", "Table 2": r"The\s+B test-set contains"}
_ROW = re.compile(r"(\D.*?)(?: \[\d+\])? (\d+\.\d+) (\d+\.\d+) (\d+\.\d+)(?: |$)")


def _block(text: str, location: str) -> str:
    """What stands between the head of a table and the text below it."""
    below = re.split(rf"^{location}\. Segmentation results.*$", text, flags=re.MULTILINE)[1]
    body = re.split(r"Hausdorff\s*$", below, maxsplit=1, flags=re.MULTILINE)[1]
    return re.split(_AFTER[location], body)[0]


def _rows(text: str, location: str) -> list[Row]:
    """A row ends with its third number, wherever the lines break."""
    rows = _ROW.findall(" ".join(_block(text, location).split()))
    return [_TABLES[location].row(name, tuple(values)) for name, *values in rows]


def _count(text: str) -> tuple[int, int]:
    lines = [line for location in _TABLES for line in _block(text, location).splitlines()]
    named = [line for line in lines if re.match(r"Hemotoxillin|\S+.*\[\d+\]", line)]
    return len(named), len(re.findall(r"\d+\.\d+", " ".join(lines)))


def _sections(text: str) -> Sections:
    return cut(text, r"^(?:(?P<top>IV|I+)\. [A-Z][A-Z ]+$|(?P<sub>[ABC])\. [A-Za-z -]+$)")


def _sentences(text: str) -> str:
    return without(text, [_block(text, location) for location in _TABLES], " ")


PAPER = Paper(
    key="gland_linknet",
    tables=by_location(_rows, _TABLES),
    captions=r"^Table (\d+)(?=\.)",
    count=_count,
    sections=_sections,
    sentences=_sentences,
    no_claims={
        "methods of other papers": (r"into 30 groups by Kmeans",),
        "the number of a page": (r"proposed model 3 For",),
        "a footnote": (r"dataset 1for", r"1 http\S+"),
        "signs of formulae": (r"[(]1 ?[−+]", r"2×[|]", r"𝐿𝐿[1-3](?= =)", r"𝐹𝐹1 = 2", r"[𝑓𝑜𝑘]=1", r"= 1 2"),
    },
)
