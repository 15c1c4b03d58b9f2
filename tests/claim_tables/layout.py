"""What the printed tables and sentences of a paper look like in its text: the terms that all papers share."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

__all__ = ["CELL", "SHARED", "Cell", "Paper", "Row", "Sections", "Table", "by_location", "cut", "plain", "without"]

#: A number in a table.
CELL = r"\d[\d,]*(?:\.\d+)?"

#: What has a digit in every paper and claims nothing: reasons, and patterns.
SHARED: Mapping[str, tuple[str, ...]] = {
    "marks of references": (r"\[\d[\d,– ]*\]",),
    "parts of the paper": (r"\b(?:Fig(?:ure)?\.?|Tabel|Table|[Ss]ection|Eq\.|equation) ?\(?\d(?:\.\d)?[a-f]?\)?",),
    "numbers of equations and of items": (r"\(\d\d?\)",),
}

Sections = Mapping[str, str]


class Cell(NamedTuple):
    """One number of a table, in the words of a claim file."""

    row: str
    dataset: str
    split: str
    metric: str
    value: str


class Row(NamedTuple):
    """A row of a table: its printed name, and its numbers."""

    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """What stands in a table, column by column.

    Attributes
    ----------
    columns : tuple of (str, str, str)
        Data set, split and metric of each printed column of numbers, in order.
    rows : tuple of str
        What a claim file calls the row of each column, with "{}" for the printed name; empty where it is that name.
    """

    columns: tuple[tuple[str, str, str], ...]
    rows: tuple[str, ...] = ()

    def row(self, name: str, values: tuple[str, ...]) -> Row:
        """Return what a printed line says; a cell is empty where the table has no number."""
        called = [one.format(name) for one in self.rows or ("{}",) * len(self.columns)]
        cells = (Cell(row, *column, value) for row, column, value in zip(called, self.columns, values, strict=True))
        return Row(name, tuple(cell for cell in cells if cell.value))


@dataclass(frozen=True)
class Paper:
    """How to read one paper.

    Attributes
    ----------
    key : str
        Of `PAPERS`; its text is ``KEY.txt``.
    tables : mapping of str to callable
        By location: from the text to the rows, read by the layout.
    captions : str
        Pattern of the captions of tables that print numbers, with the table's number as group.
    count : callable
        From the text to the number of rows and of numbers in all tables, found without the layout.
    sections : callable
        From the text to its running text by location; one section "" where the text does not keep their order.
    sentences : callable
        From the text to what is left of it without tables, displayed equations and references.
    no_claims : mapping of str to tuple of str
        Why some numbers claim nothing, and patterns of them.
    """

    key: str
    tables: Mapping[str, Callable[[str], list[Row]]]
    captions: str
    count: Callable[[str], tuple[int, int]]
    sections: Callable[[str], Sections]
    sentences: Callable[[str], str]
    no_claims: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def by_location(rows: Callable[..., list[Row]], locations: Iterable[str]) -> dict[str, Callable[[str], list[Row]]]:
    """Return what reads each table, where one function reads all: ``rows(text, location=LOCATION)``."""
    return {location: partial(rows, location=location) for location in locations}


def without(text: str, blocks: Iterable[str], instead: str = "") -> str:
    """Return a text with its tables, or lines of them, taken out."""
    for block in blocks:
        text = text.replace(block, instead)
    return text


def plain(text: str) -> str:
    """Return running text as it can be searched: without formula marks, line breaks and hyphens inside words.

    At the end of a line nobody can tell whether a hyphen belongs to the word, so none counts.

    Examples
    --------
    >>> plain("the second-\\nbest of $3 \\\\times 3$") == plain("the second-best of 3 × 3")
    True
    """
    text = re.sub(r"-[ ]*\n\s*", "-", text).replace("$", " ").replace("\\times", " × ")
    return re.sub(r"(?<=[^\W\d_])-(?=[^\W\d_])", "", " ".join(text.split()))


def cut(text: str, headings: str, form: str = "Section {}", joint: str = "-", captions: str = "") -> Sections:
    """Cut a text at its headings, as running text by location.

    Parameters
    ----------
    text : str
        The paper.
    headings : str
        Pattern of a heading, ``^`` being the beginning of a line, with its number or name in the group `top`, that of
        a part of a section in the group `sub`.
    form, joint : str
        How a location is called: `form` with `top`, or with `top`, `joint` and `sub`.
    captions : str, optional
        Pattern of the captions of figures, with the number as group: sections of their own, "Figure NUMBER".
    """
    text = text.replace("\N{NO-BREAK SPACE}", " ")
    figures = list(re.finditer(captions, text, re.MULTILINE)) if captions else []
    for one in figures:
        text = text.replace(one[0], "")
    found = [(f"Figure {one[1]}", one[0]) for one in figures]
    found += _parts(text, re.compile(headings, re.MULTILINE), form, joint)
    sections: dict[str, str] = {}
    for name, words in found:
        sections[name] = f"{sections.get(name, '')} {plain(words)}".strip()
    return sections


def _parts(text: str, headings: re.Pattern[str], form: str, joint: str) -> Iterator[tuple[str, str]]:
    top, name, start = "", "Abstract", 0
    for heading in headings.finditer(text):
        yield name, text[start : heading.start()]
        top = heading["top"] or top
        name = top if top in ("Abstract", "") else form.format(top)
        name = f"{name}{joint}{heading['sub']}" if heading.groupdict().get("sub") else name
        start = heading.end()
    yield name, text[start:]
