"""MSAL-Net: one line per row, "–" where there is no number; headings without numbers."""

import re

from tests.claim_tables.layout import CELL, Paper, Row, Sections, Table, by_location, cut, without

__all__ = ["PAPER"]

_SCORES = tuple(("monuseg", "test", one) for one in ("dice", "iou", "precision", "recall", "training_time"))
_TABLES = {"Table 1": Table((("none", "none", "kernel_px"), *_SCORES)), "Table 2": Table(_SCORES)}
_CELL = rf"(?:–|{CELL})"
_TOP = "Introduction|Methodology|Results|Discussion|Conclusion"
_SUB = (
    "Encoder structure|Dense dilated convolutions|Decoder structure|Dataset|Implementation details|Performance metrics"
    "|Ablation study|The effect of ECA and BR with decoder|Computation analysis"
)


def _block(text: str, location: str) -> str:
    """The lines of a table: from below its head to the last line that ends in cells."""
    head = rf"^\W*{location}\b(?:.*\n)+?.*Training Time *\n"
    below = re.split(head, text, maxsplit=1, flags=re.MULTILINE)[1]
    return "".join(re.findall(rf"\A(?:.*{f' {_CELL}' * 4} *\n|\s*\n)+", below))


def _rows(text: str, location: str) -> list[Row]:
    table = _TABLES[location]
    lines = re.compile(r"^ *(\S.*?)" + rf" ({_CELL})" * len(table.columns) + r" *$", re.MULTILINE)
    rows = []
    for name, *values in lines.findall(_block(text, location)):
        rows.append(table.row(re.sub(r" \[\d+\]", "", name), tuple(one.replace("–", "") for one in values)))
    return rows


def _count(text: str) -> tuple[int, int]:
    lines = re.findall(r"^.*(?: (?:–|\d[\d.]*)){4,} *$", text, re.MULTILINE)
    return len(lines), len(re.findall(r"(?<![-\w.])\d+\.\d+|(?<=\s)3(?=\s0\.)", "\n".join(lines)))


def _sections(text: str) -> Sections:
    abstract = r"(?P<sub>(?:(?:Background|Results|Conclusion)(?=: )|(?:" + _SUB + r")(?= *$)))"
    headings = rf"^ ?(?:(?P<top>Abstract|{_TOP}) *$|{abstract})"
    return cut(text, headings, form="{}", joint=", ", captions=r"^ ?Fig\. (\d) (?:a )?[A-Z].*\n(?:\S.*\n)*")


def _sentences(text: str) -> str:
    return without(text, [_block(text, location) for location in _TABLES], "\n")


PAPER = Paper(
    key="msal_net",
    tables=by_location(_rows, _TABLES),
    captions=r"^ ?Table (\d) (?:Represents|Compared)",
    count=_count,
    sections=_sections,
    sentences=_sentences,
    no_claims={
        "names": (r"Resnet 34", r"ResNet 34"),
        "hospitals, which no metric counts": (r"18 different hospitals",),
        "what is allowed": (r"between 0 and 1\.",),
        "signs of formulae": (r"= 2\|A ∩ B",),
        "a dimension": (r"1D convolution",),
        "the opposite of the largest rotation": (r"rotation from -15",),
        "said a second time in its section": (
            r"there was 4 Residual",
            r"worse in IoU 0\.678",
            r"in terms of DC 0\.839 and IoU 0\.706",
        ),
    },
)
