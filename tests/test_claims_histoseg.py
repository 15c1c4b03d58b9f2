"""The claims of HistoSeg against its text: whole tables row by row, and every number in a sentence."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest

from histolab_lib.claims import UNREADABLE, load_claims
from histolab_lib.claims.vocabulary import COMPARING
from histolab_lib.data_dir import data_dir
from tests.claim_tables.histoseg import NAMELESS, SPLIT, TABLES

NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])")
MARK = re.compile(r"\[[\d, ]+\]")
ROWS = {"Table I": 3, "Table II": 3, "Table III": 1, "Table IV": 8, "Table V": 4}
SPLITS = {"Training Set": "train", "Validation Set": "val", "Test Set": "test"}

# What is left of the sentences without tables and quotations: words with a digit, each after the word before it.
# They number figures, equations, items and blocks, stand in formulae, or say a claim a second time.
LEFT = [
    "x (1)", "the 1x1xC", "Fig 1.", "Fig 1", "Fig 1", "convolution 6,", ". 1x1", "1x1 1x1", "Fig. 1:", "below, (1)",
    "either 0", "or 1,", "+ (1", "log (1", "y)) (2)", "value (2)", "−α (1", ") (3)", "between 0", "to 1,",
    "hyperparameter. (3)", "= 1", "− (2yp", "+ 1)", "+ 1)", "1) (4)", "= 0", "below (1)", "DiceLoss (5)", "F 1(A,",
    "B| (6)", "minus. (2)", "= 2|A", "|B| (7)", "Dice (3)", "|A| (8)", "Fig 3", "Fig 2.", "Fig. 2:", "Fig. 3:",
]  # fmt: skip


@pytest.fixture
def text(papers):
    return (papers / "histoseg.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def own():
    return load_claims(data_dir() / "claims" / "histoseg.csv")


def _plain(text):
    """Running text: hyphens at line ends and line breaks undone."""
    return " ".join(re.sub(r"-[ ]*\n\s*", "", text).split())


def _body(text, table):
    """What is printed between the caption of a table and the next one."""
    start = re.search(rf"^TABLE {table.removeprefix('Table ')}:", text, re.MULTILINE).end()
    following = re.search(r"^TABLE ", text[start:], re.MULTILINE)
    return text[start : start + following.start()] if following else text[start:]


def _numbers(line):
    """The numbers of a line, those of sizes one by one, without reference marks; and the words around them."""
    line = re.sub(r"(?<=\d)x(?=\d)", " ", MARK.sub(" ", line))
    words = re.sub(r"\bIoU\b", " ", NUMBER.sub(" ", line))
    return " ".join(words.split()), NUMBER.findall(line)


def _printed(text, table):
    """The rows of a table as the text has them: lines with exactly as many numbers as the table has columns."""
    found = [_numbers(line) for line in _body(text, table).splitlines()]
    return [(row or NAMELESS[table], numbers) for row, numbers in found if len(numbers) == len(TABLES[table].columns)]


def _place(one):
    """The column of a claim: data set, split and metric in the words of the layout."""
    if one.location not in ("Table I", "Table II"):
        return one.dataset, one.split, one.metric
    row, _, mask = one.row.partition(", ")
    assert one.split == SPLITS[row], one
    metric = "patches" if one.metric == "images" else one.metric
    return one.dataset, SPLIT, f"mask {metric}" if mask == "Mask" else metric


def _claimed(claims, table):
    """The rows of a table as the file has them, blank where it has nothing."""
    rows = {}
    for one in claims:
        if one.location == table:
            row = one.row.partition(", ")[0] if table in ("Table I", "Table II") else one.row
            places = rows.setdefault(row, [""] * len(TABLES[table].columns))
            place = TABLES[table].columns.index(_place(one))
            assert not places[place], one
            places[place] = one.value
    return list(rows.items())


def _differences(text, claims):
    """Every table of the paper whose rows in the file are not those in the text, whole and in order."""
    return [table for table in TABLES if _printed(text, table) != _claimed(claims, table)]


@pytest.mark.real
def test_every_table_of_the_paper_is_in_the_file_row_by_row_with_every_digit(text, own):
    captions = re.findall(r"^TABLE ([IVX]+):", text, re.MULTILINE)
    assert [f"Table {one}" for one in captions] == list(TABLES)
    assert {one.location for one in own if one.location.startswith("Table")} == set(TABLES)
    assert _differences(text, own) == []


@pytest.mark.real
def test_the_text_has_as_many_rows_and_numbers_as_the_tables_are_taken_to_have(text):
    assert {table: len(_printed(text, table)) for table in TABLES} == ROWS
    tables = "".join(_body(text, table) for table in ("Table I", "Table II"))
    assert len(re.findall(r"\b\d+x\d+x3 +\d+x\d+x1\b", tables)) == ROWS["Table I"] + ROWS["Table II"]
    assert len(re.findall(r"\b\d\d\.\d\d(?!\d| ?%)", text)) == 6 * ROWS["Table III"] + 4 * ROWS["Table IV"]
    assert len(re.findall(r"\b0\.\d\d IoU", text)) == 2 * ROWS["Table V"]
    assert sum(len(re.findall(rf"^\W*{re.escape(row)}", text, re.MULTILINE)) for row in SPLITS) == 6


@pytest.mark.real
def test_a_changed_digit_or_a_dropped_row_does_not_pass(text, own):
    cells = [one for one in own if one.location in TABLES]
    for one in cells:
        changed = replace(one, value=one.value[:-1] + str((int(one.value[-1]) + 1) % 10))
        assert _differences(text, [changed if each is one else each for each in own]) == [one.location], one
    for location, row in {(one.location, one.row) for one in cells}:
        rest = [one for one in own if (one.location, one.row) != (location, row)]
        assert _differences(text, rest) == [location], row
    swapped = [one for one in own if one.row != "FCN"] + [one for one in own if one.row == "FCN"]
    assert _differences(text, swapped) == ["Table IV"]


def test_nothing_in_the_paper_is_unreadable(own):
    assert UNREADABLE not in {one.value for one in own}


@pytest.mark.real
def test_every_claim_in_a_sentence_stands_in_the_words_that_its_note_quotes(text, own):
    said = [one for one in own if one.location not in TABLES]
    assert len(said) > 50
    for one in said:
        quote = re.match('"([^"]+)"', one.note)[1]
        assert quote in _plain(text), one
        assert re.search(rf"(?<![\d.]){re.escape(one.value)}(?![\d%]|[.]\d)", quote), one


@pytest.mark.real
def test_no_number_in_a_sentence_is_missing_from_the_file(text, own):
    running = text
    for table in TABLES:
        for line in _body(running, table).splitlines():
            if len(_numbers(line)[1]) == len(TABLES[table].columns):
                running = running.replace(line, "\n")
    running = _plain(MARK.sub(" ", running))
    for quote in {re.match('"([^"]+)"', one.note)[1] for one in own if one.location not in TABLES}:
        running = running.replace(quote, " ... ")
    words = running.split()
    numbered = [f"{before} {word}" for before, word in pairwise(words) if re.search(r"(?<![A-Za-z])\d", word)]
    assert numbered == LEFT


def test_gains_and_orderings_name_rows_of_the_tables(own):
    rows = {one.row for one in own if one.location.startswith("Table")}
    for one in own:
        if one.metric in COMPARING and one.location != "Section VII":
            names = {name for rank in one.comparison.ranks for name in rank}
            assert names <= rows | {"*"}, one
