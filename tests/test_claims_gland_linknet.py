"""The claim file of the modified LinkNet for glands against the text: whole tables, and every quoted sentence."""

import re
from dataclasses import replace

import pytest

from histolab_lib.claims import Claim, load_claims
from histolab_lib.data_dir import data_dir
from tests.claim_tables.gland_linknet import TABLES, block, printed

PAPER = "gland_linknet"


def _own() -> list[Claim]:
    return list(load_claims(data_dir() / "claims" / f"{PAPER}.csv"))


def _filed(own, location):
    """The rows of a table as the claim file has them, in its order: name, then its cells by column."""
    rows: dict[str, dict[tuple[str, str, str], str]] = {}
    for one in own:
        if one.location == location:
            rows.setdefault(one.row, {})[one.dataset, one.split, one.metric] = one.value
    return list(rows.items())


def _wrong(own, text):
    """Every table whose rows in the claim file are not those of the text: names, digits, order, number."""
    return [
        location
        for location, table in TABLES.items()
        if _filed(own, location)
        != [(name, dict(zip(table.columns, cells, strict=True))) for name, cells in printed(text, location)]
    ]


def _plain(text):
    """Running text: hyphens at line ends and line breaks undone."""
    return " ".join(re.sub(r"-[ ]*\n\s*", "", text).split())


@pytest.fixture
def text(papers):
    return (papers / f"{PAPER}.txt").read_text(encoding="utf-8")


@pytest.mark.real
def test_every_row_of_every_table_is_there_with_every_digit(text):
    assert _wrong(_own(), text) == []
    assert {one.location for one in _own() if one.location.startswith("Table")} == set(TABLES)
    assert set(re.findall(r"^Table \d+(?=\.)", text, re.MULTILINE)) == set(TABLES)


@pytest.mark.real
@pytest.mark.parametrize("location", TABLES)
def test_a_table_has_as_many_rows_as_one_counts_without_reading_them(text, location):
    lines = block(text, location).splitlines()
    named = [line for line in lines if re.match(r"Hemotoxillin|\S+.*\[\d+\]", line)]
    with_numbers = [line for line in lines if re.search(r"\d+\.\d+", line)]
    numbers = re.findall(r"\d+\.\d+", " ".join(lines))
    own = [one for one in _own() if one.location == location]
    assert len(named) == len(with_numbers) == len(printed(text, location)) == 9
    assert len(numbers) == len(own) == 27


@pytest.mark.real
def test_no_cell_is_unreadable_for_none_is_lost_in_the_text(text):
    assert not [one for one in _own() if one.value == "unreadable"]


@pytest.mark.real
def test_one_changed_digit_is_caught_in_whichever_cell(text):
    own = _own()
    cells = [index for index, one in enumerate(own) if one.location in TABLES]
    assert len(cells) == 54
    for index in cells:
        value = own[index].value
        for place in (index for index, letter in enumerate(value) if letter.isdigit()):
            digit = str((int(value[place]) + 1) % 10)
            spoilt = [*own]
            spoilt[index] = replace(own[index], value=value[:place] + digit + value[place + 1 :])
            assert _wrong(spoilt, text) == [own[index].location]


@pytest.mark.real
def test_a_missing_cell_a_missing_row_and_a_row_too_many_are_caught(text):
    own = _own()
    for index, one in enumerate(own):
        if one.location in TABLES:
            assert _wrong(own[:index] + own[index + 1 :], text) == [one.location]
            rest = [other for other in own if (other.location, other.row) != (one.location, one.row)]
            assert _wrong(rest, text) == [one.location]
            assert _wrong([*own, replace(one, row="LinkNet")], text) == [one.location]


@pytest.mark.real
def test_two_rows_in_each_others_place_and_a_lost_zero_are_caught(text):
    own = _own()
    first, second = (index for index, one in enumerate(own) if one.value in ("0.816", "0.817") and one.split == "testB"
                     and "Unsharp" in one.row)  # fmt: skip
    swapped = [*own]
    swapped[first], swapped[second] = (
        replace(own[first], value=own[second].value),
        replace(own[second], value=own[first].value),
    )
    assert _wrong(swapped, text) == ["Table 2"]
    padded = [replace(one, value="0.80") if one.value == "0.8" else one for one in own]
    assert _wrong(padded, text) == ["Table 2"]


@pytest.mark.real
def test_every_sentence_stands_in_the_text_and_holds_its_value(text):
    plain = _plain(text)
    told = [one for one in _own() if one.location not in TABLES]
    assert len(told) == 34
    for one in told:
        quote = re.match('"([^"]+)"', one.note)[1]
        assert quote in plain, one
        assert re.search(rf"(?<![\d.,]){re.escape(one.value)}(?![\d]|[.,]\d)", quote), one


@pytest.mark.real
def test_no_number_of_the_running_text_is_left_out(text):
    for location in TABLES:
        text = text.replace(block(text, location), " ")
    text = re.sub(r"\[\d+(?:, ?\d+)*\]|http\S+", " ", text)
    # Up to ten they number equations, figures, sections and losses; 30 are the clusters of another paper's method.
    numbers = {one for one in re.findall(r"\d+(?:\.\d+)?", text) if float(one) > 10} - {"30"}
    filed = {digits for one in _own() if one.location not in TABLES for digits in re.findall(r"\d+", one.value)}
    assert numbers == {one for one in filed if int(one) > 10}


def test_orderings_name_rows_of_the_table_that_they_speak_of():
    own = _own()
    rows = {location: {one.row for one in own if one.location == location} for location in TABLES}
    spoken = [one.comparison for one in own if one.metric == "ordering" and one.comparison.table]
    assert len(spoken) == 7
    for said in spoken:
        names = {name for rank in said.ranks for name in rank}
        assert names <= rows[said.table]
        assert set(said.metrics) == {"object_dice", "object_f1", "object_hausdorff"}
