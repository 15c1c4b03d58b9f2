"""The claim files against the texts of the papers: every row of every table, every number of every sentence."""

import random
import re
from dataclasses import replace
from pathlib import Path

import pytest

from histolab_lib.claims import PAPERS, UNREADABLE, Claim, load_claims
from histolab_lib.data_dir import data_dir
from tests.claim_tables import READERS
from tests.claim_tables.checks import (
    Reading,
    in_table,
    left_out,
    problems,
    quotation,
    read,
    wrong_quotes,
    wrong_rows,
    wrong_tables,
)
from tests.claim_tables.layout import Paper, Row, Table, cut, plain

TABLE = Table((("glas", "test", "dice"), ("glas", "test", "iou")))
TEXT = "Abstract\n1. Data\nWe use 80 images\n2. Net\nIt has 1,234 fil-\nters [7].\nTable 1: U-Net 0.8 0.7\n"


def _rows(text: str) -> list[Row]:
    return [TABLE.row(name, tuple(values)) for name, *values in re.findall(r": (\S+) (\S+) (\S+)", text)]


MADE_UP = Paper(
    key="mine",
    tables={"Table 1": _rows},
    captions=r"^Table (\d+):",
    count=lambda text: (text.count("Net 0."), len(re.findall(r"0\.\d", text))),
    sections=lambda text: cut(text, r"^(?P<top>\d)\. \w+$"),
    sentences=lambda text: re.sub("^Table.*", "", text, flags=re.MULTILINE),
)


def _claim(location: str, metric: str, value: str, note: str = "") -> Claim:
    table = location == "Table 1"
    return Claim("mine", location, "U-Net" if table else "", "glas", "test", metric, value, "count", "", note=note)


OWN = (
    _claim("Section 1", "images", "80", '"We use 80 images"; of test'),
    _claim("Section 2", "filters", "1,234", '"It has 1,234 filters"'),
    _claim("Table 1", "dice", "0.8"),
    _claim("Table 1", "iou", "0.7"),
)


@pytest.fixture(scope="module")
def made_up() -> Reading:
    return read(MADE_UP, TEXT)


def test_a_file_that_agrees_with_its_text_has_no_problem(made_up):
    assert problems(made_up, OWN) == []


@pytest.mark.parametrize(
    ("place", "changes", "said"),
    [
        (0, {"value": "8"}, "mine/section-1/glas/test/images: 8 does not stand in the words that the note quotes"),
        (0, {"note": '"We use 81"'}, "mine/section-1/glas/test/images: the note must begin with printed words of Sect"),
        (0, {"note": ""}, "mine/section-1/glas/test/images: the note must begin with printed words of Section 1"),
        (0, {"location": "Section 2"}, "mine/section-2/glas/test/images: the note must begin with printed words of"),
        (0, {"value": "We use"}, "Section 1: no claim has 80 in: We use 80 images"),
        (1, {"value": "234"}, "mine/section-2/glas/test/filters: 234 does not stand in the words"),
        (2, {"value": "0.80"}, "Table 1: in the text U-Net, dice on glas, test: 0.8, in the file U-Net, dice on glas,"),
        (3, {"row": "Unet"}, "Table 1: in the text U-Net, iou on glas, test: 0.7, in the file Unet, iou on glas,"),
        (3, {"location": "Table 2"}, "tables in the text: ['Table 1']; in the file: ['Table 1', 'Table 2']"),
        (3, {"value": UNREADABLE}, "rows and numbers of all tables: (1, 2) in the text; 1 rows read, 2 numbers filed"),
    ],
)
def test_a_wrong_claim_is_told_with_what_the_text_has(made_up, place, changes, said):
    spoilt = [*OWN[:place], replace(OWN[place], **changes), *OWN[place + 1 :]]
    assert any(one.startswith(said) for one in problems(made_up, spoilt))


@pytest.mark.parametrize("place", range(len(OWN)))
def test_a_claim_that_is_left_out_or_stands_twice_is_told(made_up, place):
    assert len(problems(made_up, [*OWN[:place], *OWN[place + 1 :]])) >= 1
    if place > 1:
        assert len(problems(made_up, [*OWN, OWN[place]])) >= 1


def test_a_hyphen_at_the_end_of_a_line_may_belong_to_the_word_or_not():
    assert plain("second-\nbest") == plain("second-best") == plain("secondbest")
    assert plain("from -15 to\n15, Res-\n34") == "from -15 to 15, Res-34"


def test_every_paper_has_a_reader():
    assert list(READERS) == list(PAPERS)
    assert all(key == one.key for key, one in READERS.items())


def test_gains_and_orderings_name_rows_of_the_table_that_they_speak_of():
    rows = {(one.paper, one.location, one.row) for one in load_claims()}
    compared = [one for one in load_claims() if one.comparison and one.comparison.table.startswith("Table")]
    assert len(compared) > 50
    for one in compared:
        for name in (name for rank in one.comparison.ranks for name in rank):
            assert name == "*" or (one.paper, one.comparison.table, name) in rows, one


@pytest.fixture(params=PAPERS, scope="module")
def paper(request) -> str:
    return request.param


@pytest.fixture
def own(paper) -> list[Claim]:
    return list(load_claims(data_dir() / "claims" / f"{paper}.csv"))


_READ: dict[tuple[Path, str], Reading] = {}


@pytest.fixture
def reading(papers, paper) -> Reading:
    """Taken apart once, though the folder is asked for by every test."""
    if (papers, paper) not in _READ:
        _READ[papers, paper] = read(READERS[paper], (papers / f"{paper}.txt").read_text(encoding="utf-8"))
    return _READ[papers, paper]


@pytest.mark.real
def test_every_row_of_every_table_is_filed_whole_and_in_order(reading, own):
    assert wrong_rows(reading, own) == {}


@pytest.mark.real
def test_no_table_no_row_and_no_number_is_missing_or_too_many(reading, own):
    assert list(wrong_tables(reading, own)) == []
    assert reading.counted > (15, 50)


@pytest.mark.real
def test_every_quotation_stands_in_its_section_with_the_value_in_it(reading, own):
    assert sum(not in_table(one) for one in own) > 30
    assert list(wrong_quotes(reading, own)) == []


@pytest.mark.real
def test_no_number_of_the_running_text_is_left_out(reading, own):
    assert sum(map(len, reading.numbers.values())) > 10
    assert list(left_out(reading, own)) == []


@pytest.mark.real
def test_every_exemption_from_being_a_claim_is_needed(papers, paper, own):
    text, reader = (papers / f"{paper}.txt").read_text(encoding="utf-8"), READERS[paper]
    for reason, patterns in reader.no_claims.items():
        for pattern in patterns:
            rest = {reason: tuple(one for one in patterns if one != pattern)}
            assert list(left_out(read(replace(reader, no_claims={**reader.no_claims, **rest}), text), own)), pattern


@pytest.mark.real
def test_a_changed_digit_in_whichever_cell_is_caught(reading, own):
    for place, one in _cells(own):
        last = max(n for n, letter in enumerate(one.value) if letter.isdigit())
        wrong = f"{one.value[:last]}{(int(one.value[last]) + 1) % 10}{one.value[last + 1 :]}"
        spoilt = [*own[:place], replace(one, value=wrong), *own[place + 1 :]]
        assert list(wrong_rows(reading, spoilt)) == [one.location]


@pytest.mark.real
def test_a_dropped_row_and_a_row_too_many_are_caught(reading, own):
    for location, row in {(one.location, one.row) for one in own if in_table(one)}:
        rest = [one for one in own if (one.location, one.row) != (location, row)]
        twice = [*own, *(one for one in own if (one.location, one.row) == (location, row))]
        assert list(wrong_rows(reading, rest)) == list(wrong_rows(reading, twice)) == [location]


@pytest.mark.real
def test_two_values_in_each_others_place_are_caught(reading, own):
    rng = random.Random(0)
    cells = _cells(own)
    for place, one in cells:
        others = [n for n, other in cells if other.location == one.location and other.value != one.value]
        spoilt, other = list(own), rng.choice(others)
        spoilt[place], spoilt[other] = replace(one, value=own[other].value), replace(own[other], value=one.value)
        assert list(wrong_rows(reading, spoilt)) == [one.location]


@pytest.mark.real
def test_unreadable_is_what_cannot_be_read_and_nothing_else(reading, own):
    for place, one in enumerate(own):
        if in_table(one):
            invented = "80.00" if one.value == UNREADABLE else UNREADABLE
            spoilt = [*own[:place], replace(one, value=invented), *own[place + 1 :]]
            assert list(wrong_rows(reading, spoilt)) == [one.location]
    lost = {one.location for one in own if one.value == UNREADABLE}
    assert lost == ({"Table 5"} if own[0].paper == "dan_nucnet" else set())


@pytest.mark.real
def test_a_number_of_a_sentence_that_is_dropped_is_missed(reading, own):
    """Every number, except where the words of an ordering hold it too, or where it is spelt or in an equation."""
    dropped = 0
    for one in own:
        words = reading.sentences.get(one.location, reading.sentences.get("", ""))
        if in_table(one) or not re.search(r"\d", one.value) or quotation(one) not in words or not one.number:
            continue
        same = (one.location, one.value)
        rest = [other for other in own if (other.location, other.value) != same]
        if not any(re.search(r"\d", other.value) and not other.number for other in rest if other.location == same[0]):
            assert list(left_out(reading, rest)), one
            dropped += 1
    assert dropped > 5


def _cells(own: list[Claim]) -> list[tuple[int, Claim]]:
    return [(place, one) for place, one in enumerate(own) if in_table(one) and one.value != UNREADABLE]
