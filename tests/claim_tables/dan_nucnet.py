"""DAN-NucNet: cells apart by tabs, two systems side by side in Tables 2 and 3, and Table 5 a ruin."""

import re

from histolab_lib.claims import UNREADABLE
from tests.claim_tables.layout import Paper, Row, Sections, Table, by_location, cut, without

__all__ = ["PAPER"]

# The data set of each printed column.
_SETS = {
    "Table 2": ("pannuke",) * 8,
    "Table 3": ("kumar",) * 8,
    "Table 4": ("pannuke",) * 4 + ("kumar",) * 4 + ("cpm17",) * 4,
}
_SPLITS = {"pannuke": "unstated", "kumar": "test", "cpm17": "test"}
_HEADS = {"F1": "f1", "JI": "iou", "Recall": "recall", "Recsll": "recall", "Prec": "precision"}
_BESIDE = ("NucliSegNet: {}",) * 4 + ("Proposed: {}",) * 4
# The head of its columns is lost as well; four scores, as in Table 4, are supposed.
_RUIN = Table(tuple(("pannuke", "unstated", one) for one in ("f1", "iou", "precision", "recall")))


def _blocks(text: str) -> dict[str, str]:
    return dict(zip(_SETS, (one for one in text.split("\n\n") if "F1\tJI" in one), strict=True))


def _layout(location: str, metrics: list[str]) -> Table:
    columns = tuple((name, _SPLITS[name], metric) for name, metric in zip(_SETS[location], metrics, strict=True))
    return Table(columns, () if location == "Table 4" else _BESIDE)


def _rows(text: str, location: str) -> list[Row]:
    """The printed head gives the order of the scores; blanks inside a number are taken out."""
    lines = [[cell.strip() for cell in line.split("\t")] for line in _blocks(text)[location].splitlines()]
    head = next(place for place, line in enumerate(lines) if "JI" in line)
    table = _layout(location, [_HEADS[cell] for cell in lines[head] if cell in _HEADS])
    values = [tuple(cell.replace(" ", "") for cell in line[1:] if cell) for line in lines[head + 1 :]]
    names = [re.sub(r" \([^()]*\)$", "", line[0]) for line in lines[head + 1 :]]
    return [table.row(*row) for row in zip(names, values, strict=True)]


def _ruined(text: str) -> list[Row]:
    """The rows below "Ablation studies": a line in which no score has stayed whole is unreadable."""
    lines = [line.split("\t") for line in text[text.index("Table 5: ") :].splitlines()[2:7]]
    whole = re.compile(r"(?<![\d.])\d\d\.\d\d(?!\d)")
    return [_RUIN.row(name, tuple(whole.findall(" ".join(rest))) or (UNREADABLE,) * 4) for name, *rest in lines]


def _count(text: str) -> tuple[int, int]:
    lines = [re.findall(r"\t\d\d\. ?\d\d(?=\t|$)", line) for line in text.splitlines()]
    scores = [line for line in lines if len(line) >= 8]
    ruined = re.findall(r"^Model performance with(?:out)? |^Proposed\t[A-Z]", text, re.MULTILINE)
    return len(scores) + len(ruined), sum(map(len, scores))


def _sections(text: str) -> Sections:
    text = text[: text.index("Acknowledgments")]
    return cut(text, r"^(?P<top>\d(?:\.\d)?)\. [A-Z][\w ]+$", captions=r"^Figure (\d): .*$")


def _sentences(text: str) -> str:
    text = without(text, [one for one in text.split("\n\n") if "\t" in one])
    return re.sub(r"(?s)\$\$.*?\$\$", "", text)


PAPER = Paper(
    key="dan_nucnet",
    tables={**by_location(_rows, _SETS), "Table 5": _ruined},
    captions=r"^ ?Table ([2-9]):",
    count=_count,
    sections=_sections,
    sentences=_sentences,
    no_claims={
        "years of references": (r"\([^()]*\d{4}[a-z]?\)",),
        "numbers of items": (r"(?:(?<=^)|(?<=[.,:] ))- \d\. ",),
        "placeholders": (r"0000, 1111 2000 MSC: 0000, 1111",),
        "stages of an ablation, which no metric counts": (r"ablation study in 4 stages",),
    },
)
