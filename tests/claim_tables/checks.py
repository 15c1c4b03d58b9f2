"""A claim file against the text of its paper: what differs, in sentences; nothing where all is in order."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest

from histolab_lib.claims import Claim
from tests.claim_tables.layout import SHARED, Cell, Paper, Row, plain

__all__ = [
    "Reading",
    "in_table",
    "left_out",
    "problems",
    "quotation",
    "read",
    "wrong_quotes",
    "wrong_rows",
    "wrong_tables",
]

# A digit after a letter belongs to a name (U2Net, Res-34); after an x it is a size (256x256).
_NUMBER = re.compile(r"(?<![A-Za-wyz\d])(?<![A-Za-wyz]-)\d+(?:,\d{3}(?!\d))*(?:\.\d+)?")


@dataclass(frozen=True)
class Reading:
    """The text of a paper, taken apart once.

    Attributes
    ----------
    tables : mapping of str to list of Row
        By location.
    captions : list of str
        The locations of the tables that the text has captions of.
    counted : (int, int)
        Rows and numbers of all tables, counted without the layout.
    sections, sentences : mapping of str to str
        Running text by location, or all of it under ""; the same without tables, displayed equations and references.
    numbers : mapping of str to list of (int, int)
        Where in the sentences of each section a number stands that must be a claim.
    """

    tables: Mapping[str, list[Row]]
    captions: list[str]
    counted: tuple[int, int]
    sections: Mapping[str, str]
    sentences: Mapping[str, str]
    numbers: Mapping[str, list[tuple[int, int]]]


def read(paper: Paper, text: str) -> Reading:
    """Take the text of a paper apart."""
    sentences = paper.sections(paper.sentences(text))
    free = [re.compile(one) for patterns in (*paper.no_claims.values(), *SHARED.values()) for one in patterns]
    return Reading(
        {location: rows(text) for location, rows in paper.tables.items()},
        [f"Table {number}" for number in re.findall(paper.captions, text, re.MULTILINE)],
        paper.count(text),
        paper.sections(text),
        sentences,
        {name: _required(words, free) for name, words in sentences.items()},
    )


def problems(reading: Reading, claims: Sequence[Claim]) -> list[str]:
    """Return everything in which the claims of a paper differ from its text."""
    return [
        *wrong_tables(reading, claims),
        *wrong_rows(reading, claims).values(),
        *wrong_quotes(reading, claims),
        *left_out(reading, claims),
    ]


def in_table(one: Claim) -> bool:
    """Whether the number stands in a table."""
    return one.location.startswith("Table ")


def quotation(one: Claim) -> str:
    """Return the printed words that the note begins with; empty where it quotes none."""
    found = re.match('"([^"]+)"', one.note)
    return plain(found[1]) if found else ""


def wrong_tables(reading: Reading, claims: Iterable[Claim]) -> Iterator[str]:
    """Yield what is wrong with the tables as a whole: which there are, how many rows and numbers they have."""
    filed = [one for one in claims if in_table(one)]
    if {one.location for one in filed} != set(reading.captions):
        yield f"tables in the text: {reading.captions}; in the file: {sorted({one.location for one in filed})}"
    rows = sum(map(len, reading.tables.values()))
    if (rows, sum(one.number is not None for one in filed)) != reading.counted:
        found = f"{rows} rows read, {len(filed)} numbers filed"
        yield f"rows and numbers of all tables: {reading.counted} in the text; {found}"


def wrong_rows(reading: Reading, claims: Iterable[Claim]) -> dict[str, str]:
    """Return, by location, the first cell in which a table of the file differs from the printed one, order included."""
    filed: dict[str, list[Cell]] = {}
    for one in filter(in_table, claims):
        filed.setdefault(one.location, []).append(Cell(one.row, one.dataset, one.split, one.metric, one.value))
    printed = {name: [cell for row in rows for cell in row.cells] for name, rows in reading.tables.items()}
    return {
        name: _first_difference(name, printed.get(name, []), filed.get(name, []))
        for name in sorted({*printed, *filed})
        if printed.get(name) != filed.get(name)
    }


def _first_difference(location: str, printed: list[Cell], filed: list[Cell]) -> str:
    pairs = zip_longest(printed, filed)
    text, file = next(((a, b) for a, b in pairs if a != b), (None, None))
    return f"{location}: in the text {_cell(text)}, in the file {_cell(file)}"


def _cell(cell: Cell | None) -> str:
    return f"{cell.row}, {cell.metric} on {cell.dataset}, {cell.split}: {cell.value}" if cell else "nothing more"


def wrong_quotes(reading: Reading, claims: Iterable[Claim]) -> Iterator[str]:
    """Yield the claims whose note does not quote its section, or whose value is not in the quoted words."""
    for one in claims:
        if in_table(one):
            continue
        words = quotation(one)
        if not words or words not in _section(reading.sections, one.location):
            yield f"{one.key}: the note must begin with printed words of {one.location}, in quotation marks"
        elif not _within(one.value, words):
            yield f"{one.key}: {one.value} does not stand in the words that the note quotes: {words}"


def left_out(reading: Reading, claims: Iterable[Claim]) -> Iterator[str]:
    """Yield the numbers of the running text that are no claim, each with what stands around it."""
    told = [one for one in claims if not in_table(one)]
    for name, numbers in reading.numbers.items():
        words = reading.sentences[name]
        here = {(quotation(one), one.value) for one in told if name in ("", one.location)}
        said = [span for quote, value in here for span in _said(words, quote, value)]
        for start, end in numbers:
            if not _covered((start, end), said):
                yield f"{name}: no claim has {words[start:end]} in: {words[max(0, start - 50) : end + 30]}"


@cache
def _said(words: str, quote: str, value: str) -> list[tuple[int, int]]:
    """Where in a section the value stands in the quoted words."""
    inside = _within(value, quote)
    places = re.finditer(re.escape(quote), words) if quote else ()
    return [(place.start() + low, place.start() + high) for place in places for low, high in inside]


def _within(value: str, words: str) -> list[tuple[int, int]]:
    """Where the value stands as a number of its own: the 12 of "6,12,18", no part of 1,234 or 0.85 and not -12."""
    before = r"(?<!\d)(?<!\d\.)(?<!\s-)" + (r"(?<!\d,)" if re.match(r"\d{3}(?!\d)", value) else "")
    return _spans(re.compile(rf"{before}{re.escape(plain(value))}(?!\d|\.\d|,\d{{3}}(?!\d))"), words)


def _section(sections: Mapping[str, str], location: str) -> str:
    return sections.get(location, sections.get("", ""))


def _spans(pattern: re.Pattern[str], text: str) -> list[tuple[int, int]]:
    return [found.span() for found in pattern.finditer(text)]


def _required(words: str, free: Iterable[re.Pattern[str]]) -> list[tuple[int, int]]:
    """Where the numbers stand that are not part of what claims nothing."""
    spans = [span for pattern in free for span in _spans(pattern, words)]
    return [one for one in _spans(_NUMBER, words) if not _covered(one, spans)]


def _covered(one: tuple[int, int], spans: Iterable[tuple[int, int]]) -> bool:
    return any(low <= one[0] and one[1] <= high for low, high in spans)
