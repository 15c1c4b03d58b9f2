"""Every number of DAN-NucNet's tables and sentences against its text."""

import re
from dataclasses import replace

import pytest

from histolab_lib.claims import UNREADABLE, load_claims
from histolab_lib.data_dir import data_dir
from tests.claim_tables.dan_nucnet import TABLES

pytestmark = pytest.mark.real

READABLE = ("Table 2", "Table 3", "Table 4")
HEADS = {"F1": "f1", "JI": "iou", "Recall": "recall", "Recsll": "recall", "Prec": "precision"}
# What has a digit in the running text and is no number of the paper's own: names, headings, references, placeholders.
NO_CLAIM = (
    r"\([^()]*\d{4}[a-z]?\)",
    r"\b(?:Fig\.|Figure|Tabel|Table|Section|Eq\.)[ ]?\(?\d(?:\.\d)?\)?",
    r"(?m)^\d(?:\.\d)?\. [A-Z][\w ]+$",
    r"(?m)^- \d\. ",
    r"CPM-?17|Computational Precision Medicine - 2017|Preact-ResNet50|P63|\bF1\b",
    r"0000, 1111 2000 MSC: 0000, 1111",
    r"(?s)\$\$.*?\$\$",
    r"(?m)^\(\d\)$",
)
# Counted by no metric: the stages of the ablation.
UNCOUNTED = {"4"}


@pytest.fixture
def text(papers):
    return (papers / "dan_nucnet.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def own():
    return load_claims(data_dir() / "claims" / "dan_nucnet.csv")


def _plain(text):
    text = re.sub(r"-[ ]*\n\s*", "", text).replace("$", " ").replace("\\times", " × ")
    return " ".join(text.split())


def _grids(text):
    """The three readable tables: the line of their heads, then rows of cells, blanks inside a number taken out."""
    blocks = [block for block in text.split("\n\n") if "F1\tJI" in block]
    for location, block in zip(READABLE, blocks, strict=True):
        lines = [[cell.strip() for cell in line.split("\t")] for line in block.splitlines()]
        head = next(n for n, line in enumerate(lines) if "JI" in line)
        heads = [HEADS[cell] for cell in lines[head] if cell in HEADS]
        rows = [(re.sub(r" \([^()]*\)$", "", line[0]), [cell.replace(" ", "") for cell in line[1:] if cell])
                for line in lines[head + 1 :]]  # fmt: skip
        yield location, heads, rows


def _expected(location, rows):
    """What the file must hold, in order: (row, data set, split, metric, value)."""
    table = TABLES[location]
    for name, values in rows:
        assert len(values) == len(table.columns), (location, name)
        for place, (column, value) in enumerate(zip(table.columns, values, strict=True)):
            row = f"{table.systems[place]}: {name}" if table.systems else name
            yield row, *column, value


def _found(claims, location):
    return [(c.row, c.dataset, c.split, c.metric, c.value) for c in claims if c.location == location]


def _wrong(text, claims):
    """The tables that differ from the text."""
    return [where for where, _, rows in _grids(text) if _found(claims, where) != list(_expected(where, rows))]


def test_every_row_of_every_readable_table_is_there_whole_and_in_order(text, own):
    assert _wrong(text, own) == []
    assert {one.unit for one in own if one.location in TABLES} == {"percent"}


def test_the_layouts_have_the_columns_in_the_order_of_the_printed_heads(text):
    for location, heads, _ in _grids(text):
        assert heads == [metric for _, _, metric in TABLES[location].columns]
    sets = [line for line in text.splitlines() if line.startswith("\t\tPan")]
    assert [re.sub(r"\t", "", line) for line in sets] == ["PanNukeKumarCIPM"]


def test_the_tables_have_as_many_rows_as_the_text_has_lines_of_eight_numbers_or_more(text, own):
    lines = [line for line in text.splitlines() if len(re.findall(r"\t\d\d\. ?\d\d(?=\t|$)", line)) >= 8]
    assert len(lines) == 20 + 8 + 10
    groups = {where: {one.group for one in own if one.location == where} for where in ("Table 2", "Table 3")}
    systems = {one.row for one in own if one.location == "Table 4"}
    assert sorted([*groups["Table 2"], *groups["Table 3"], *systems]) == sorted(
        re.sub(r" \(.*", "", line.split("\t")[0]) for line in lines
    )


@pytest.mark.parametrize("location", READABLE)
def test_a_changed_digit_a_lost_row_and_a_row_too_many_are_caught(text, own, location):
    places = [n for n, one in enumerate(own) if one.location == location]
    for n in places[:: len(places) // 8]:
        spoilt = f"{own[n].value[:-1]}{(int(own[n].value[-1]) + 1) % 10}"
        assert _wrong(text, [*own[:n], replace(own[n], value=spoilt), *own[n + 1 :]]) == [location]
        assert _wrong(text, [*own[:n], *own[n + 1 :]]) == [location]
        assert _wrong(text, [*own[: n + 1], own[n], *own[n + 1 :]]) == [location]
    first, last = places[0], places[-1]
    swapped = list(own)
    swapped[first], swapped[last] = own[last], own[first]
    assert _wrong(text, swapped) == [location]


def test_the_ablation_is_unreadable_for_us_and_really_so_in_the_text(text, own):
    ruin = text[text.index("Table 5: ") :].splitlines()[2:7]
    names = [line.split("\t")[0] for line in ruin]
    assert all(not re.search(r"(?<![\d.])\d\d\.\d\d(?!\d)", line) for line in ruin)
    expected = [(name, *column, UNREADABLE) for name in names for column in TABLES["Table 5"].columns]
    assert _found(own, "Table 5") == expected
    assert {one.location for one in own if one.value == UNREADABLE} == {"Table 5"}


def test_every_number_of_a_sentence_stands_in_its_quotation_and_the_quotation_in_the_text(text, own):
    plain = _plain(text)
    for one in own:
        if one.location not in TABLES:
            quote = re.match('"([^"]+)"', one.note)[1]
            assert quote in plain, one
            assert re.search(rf"(?<![\d.,]){re.escape(one.value)}(?!\d|[.,]\d)", quote), one


def _left(text, claims):
    """The digits of the running text that stand in no quotation."""
    body = text[: text.index("Acknowledgments")]
    for block in (block for block in text.split("\n\n") if "\t" in block):
        body = body.replace(block, "")
    for pattern in NO_CLAIM:
        body = re.sub(pattern, " ", body)
    whole = _plain(body)
    quotes = {match[1] for one in claims if (match := re.match('"([^"]+)"', one.note))}
    for quote in sorted(quotes, key=len, reverse=True):
        for pattern in NO_CLAIM:
            quote = re.sub(pattern, " ", quote)
        whole = whole.replace(" ".join(quote.split()), " ")
    return re.findall(r"\d[\d.,]*\d|\d", whole)


def test_no_number_of_the_running_text_is_left_out(text, own):
    assert set(_left(text, own)) == UNCOUNTED
    assert "9.276" in _left(text, [one for one in own if one.metric != "parameters"])
