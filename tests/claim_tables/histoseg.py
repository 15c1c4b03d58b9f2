"""HistoSeg: which number stands in which column, and what its text has lost.

Tables I and II print sizes as height x width x channels and call all rows images; the one row of Table III is nameless;
Table V puts "IoU" behind each number, and the text has lost the order of one of its lines, the name after the numbers.
The columns of its pages are mixed, so that a section is no stretch of the text.
"""

import re

from tests.claim_tables.layout import Paper, Row, Sections, Table, by_location, plain, without

__all__ = ["PAPER"]

_SPLITS = {"Training Set": "train", "Validation Set": "val", "Test Set": "test"}
_SIZES = ("height_px", "width_px", "channels")
_SETS = {"Table I": "monuseg", "Table II": "glas"}
_SCORES = {"Table III": ("f1", "iou", "dice"), "Table IV": ("f1", "iou"), "Table V": ("iou",)}
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])")


def _layout(location: str, name: str) -> Table:
    if location in _SETS:
        split = _SPLITS[name]
        metrics = ("images" if split == "test" else "patches", *_SIZES, *_SIZES)
        return Table(tuple((_SETS[location], split, one) for one in metrics), ("{}",) * 4 + ("{}, Mask",) * 3)
    return Table(tuple((dataset, "test", one) for dataset in ("monuseg", "glas") for one in _SCORES[location]))


def _lines(text: str, location: str) -> list[tuple[str, str, list[str]]]:
    """The lines of a table with as many numbers as it has columns, with what is left as name."""
    body = re.split(rf"^TABLE {location.removeprefix('Table ')}:", text, flags=re.MULTILINE)[1]
    body = re.split(r"^TABLE ", body, flags=re.MULTILINE)[0]
    wide = len(_layout(location, "Test Set").columns)
    found = []
    for line in body.splitlines():
        bare = re.sub(r"(?<=\d)x(?=\d)", " ", re.sub(r"\[[\d, ]+\]", " ", line))
        name = " ".join(re.sub(r"\bIoU\b", " ", _NUMBER.sub(" ", bare)).split())
        if len(numbers := _NUMBER.findall(bare)) == wide:
            found.append((line, name or "Proposed Network", numbers))
    return found


def _rows(text: str, location: str) -> list[Row]:
    return [_layout(location, name).row(name, tuple(numbers)) for _, name, numbers in _lines(text, location)]


def _count(text: str) -> tuple[int, int]:
    sizes = re.findall(r"^.*\b\d+x\d+x3 +\d+x\d+x1\b", text, re.MULTILINE)
    scores = re.findall(r"^.*(?: \d\d\.\d\d(?! ?%)){4}.*$", text, re.MULTILINE)
    percents = [number for line in scores for number in re.findall(r"\b\d\d\.\d\d\b", line)]
    fractions = re.findall(r"\b0\.\d\d IoU", text)
    return len(sizes) + len(scores) + len(fractions) // 2, 7 * len(sizes) + len(percents) + len(fractions)


def _sentences(text: str) -> str:
    return without(text, [line for location in (*_SETS, *_SCORES) for line, _, _ in _lines(text, location)])


def _sections(text: str) -> Sections:
    return {"": plain(text)}


PAPER = Paper(
    key="histoseg",
    tables=by_location(_rows, (*_SETS, *_SCORES)),
    captions=r"^TABLE ([IVX]+):",
    count=_count,
    sections=_sections,
    sentences=_sentences,
    no_claims={
        "shapes": (r"1x1xC",),
        "labels inside Figure 1": (r"256x256x1\. 1x1 1x1(?= Fig)",),
        "numbers of blocks": (r"convolution 6,", r"from 1 to 6 have", r"from 7 to 13 have", r"from 14 to(?= 16 have)"),
        "what is allowed": (r"either 0 or 1", r"α is between 0 to 1"),
        "signs of formulae": (
            r"BCELoss \(y, y\) = .{,40} \(2\)",
            r"FocalLoss \(p ?\) = .{,30} \(3\)",
            r"DiceLoss \(y, p\) = .{,40} \(4\)",
            r"y = p = 0",
            r"F 1\(A, B\) =",
            r"= 2\|A · B\|",
        ),
    },
)
