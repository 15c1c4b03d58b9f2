"""HARU-Net: systems down, Dice, AJI and PQ across; each row is one line, cells apart by tabs."""

import re

from tests.claim_tables.layout import Paper, Row, Sections, Table, by_location, cut

__all__ = ["PAPER"]

_DATASETS = {"Table 1": "monuseg", "Table 2": "consep", "Table 3": "tnbc", "Table 4": "cpm17", "Table 5": "monuseg"}
_HEADS = {"Dice": "dice", "AJI": "aji", "PQ": "pq"}


def _cells(line: str) -> list[str]:
    return [re.sub(r"</?b>|\[\d+\]", "", cell).strip() for cell in line.split("\t")]


def _rows(text: str, location: str) -> list[Row]:
    """From below the caption to the next empty line; what has no decimals is the head, its last line the metrics."""
    below = re.split(rf"^{location}: .*\n\n", text, flags=re.MULTILINE)[1].split("\n\n")[0]
    lines = [_cells(line) for line in below.splitlines()]
    head = [line for line in lines if not re.search(r"\d\.", "".join(line[1:]))]
    table = Table(tuple((_DATASETS[location], "test", _HEADS[one]) for one in head[-1][1:]))
    return [table.row(name, tuple(values)) for name, *values in lines[len(head) :]]


def _count(text: str) -> tuple[int, int]:
    rows = re.findall(r"^[^\t\n]+\t.*0\.\d{3}", text, re.MULTILINE)
    return len(rows), len(re.findall(r"\t(?:<b>)?0\.\d{3}\b", text))


def _sections(text: str) -> Sections:
    text = text.partition("\n## References")[0]
    return cut(text, r"^#+ (?P<top>\d[\d.]*?)\.? .*$", captions=r"^Figure (\d+): .*$")


def _sentences(text: str) -> str:
    text = re.sub(r"^\$\$[^$]*\$\$", "", text, flags=re.MULTILINE)
    text = re.sub(r"^#### Algorithm 1.*?^Output: objects", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"^(?:Table \d+: .*|.*\t.*)$", "", text, flags=re.MULTILINE)


PAPER = Paper(
    key="haru_net",
    tables=by_location(_rows, _DATASETS),
    captions=r"^Table (\d+)(?=:)",
    count=_count,
    sections=_sections,
    sentences=_sentences,
    no_claims={
        "a postal code": (r"211100, China",),
        "the year in which MoNuSeg came out": (r"in 2017, designed",),
        "shapes": (r"1 × 1 × C", r"H × W × 1"),
        "signs of formulae": (r"i=1",),
        "images that are flat": (r"2D medical image",),
        "said a second time in its section": (r"Out of the 50 images",),
    },
)
