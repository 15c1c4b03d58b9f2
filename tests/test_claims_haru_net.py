"""The claims of HARU-Net against the text of the paper: every row of its tables, every number of its sentences."""

import re
from dataclasses import replace

import pytest

from histolab_lib.claims import COMPARING, WORDED, load_claims
from histolab_lib.data_dir import data_dir
from tests.claim_tables.haru_net import TABLES

HEADS = {"dice": "Dice", "aji": "AJI", "pq": "PQ"}
# Numbers that claim nothing: the year in which MoNuSeg came out, the ends of an index, shapes, images that are flat.
NO_CLAIMS = ("2017", "[1, 6]", "1 × 1 × C", "H × W × 1", "i=1", "2D medical image")
# What has digits and is a reference or a name.
NAMES = re.compile(r"\[\d+(?:, \d+)*\]|(?:Fig\.|Figure|Table) \d+|cpm-17|CPM-17|U2Net|\(\d\)")
NUMBER = re.compile(r"\d[\d,.]*\d%?|\d(?:e-\d+|%)?")


@pytest.fixture
def text(papers):
    return (papers / "haru_net.txt").read_text(encoding="utf-8")


@pytest.fixture
def own():
    return load_claims(data_dir() / "claims" / "haru_net.csv")


def _plain(text):
    """Running text: hyphens at line ends, formulae and line breaks undone."""
    text = re.sub(r"-[ ]*\n\s*", "", text)
    return " ".join(text.replace("$", " ").replace("\\times", " × ").split())


def _bare(cell):
    return re.sub(r"</?b>|\[\d+\]", "", cell).strip()


def _lines(text, location):
    """The lines of a table, cell by cell, from below its caption to the next empty line."""
    below = re.split(rf"^{location}: .*\n\n", text, flags=re.MULTILINE)[1]
    return [[_bare(cell) for cell in line.split("\t")] for line in below.split("\n\n")[0].splitlines()]


def _printed(text, location):
    """What the table prints, in order: row, data set, split, metric and value; empty cells left out."""
    columns = TABLES[location].columns
    heads = [line[1:] for line in _lines(text, location) if not re.search(r"\d\.", "".join(line[1:]))]
    assert heads[-1] == [HEADS[metric] for _, _, metric in columns]
    rows = [line for line in _lines(text, location) if re.search(r"\d\.", "".join(line[1:]))]
    assert all(len(row) == 1 + len(columns) for row in rows)
    return [(row[0], *column, value) for row in rows for column, value in zip(columns, row[1:], strict=True) if value]


def _claimed(claims, location):
    return [(one.row, one.dataset, one.split, one.metric, one.value) for one in claims if one.location == location]


def _differs(printed, claims):
    """The tables whose rows are not those of the paper, all of them and in order."""
    return [location for location, cells in printed.items() if cells != _claimed(claims, location)]


def _sections(text):
    """The paper cut at its headings, as running text; the captions of figures under the names of the figures."""
    parts = re.split(r"^#+ (.*)$", text.partition("\n## References")[0], flags=re.MULTILINE)
    found = {}
    for heading, body in zip(parts[1::2], parts[2::2], strict=True):
        number = re.match(r"(\d[\d.]*?)\.? ", heading)
        found[f"Section {number[1]}" if number else heading] = _plain(body)
    found.update((f"Figure {number}", words) for number, words in re.findall(r"^Figure (\d+): (.*)$", text, re.M))
    return found


def _quote(one):
    return re.match('"([^"]+)"', one.note)[1]


def _unquoted(text, claims, name):
    """The numbers of a section that no claim about it quotes: equations, Algorithm 1, captions and tables apart."""
    text = re.sub(r"^\$\$[^$]*\$\$", "", text, flags=re.MULTILINE)
    text = re.sub(r"^#### Algorithm 1.*?^Output: objects", "", text, flags=re.MULTILINE | re.DOTALL)
    section = _sections(re.sub(r"^(?:(?:Table|Figure) \d+: .*|.*\t.*)$", "", text, flags=re.MULTILINE))[name]
    said = {*NO_CLAIMS, *(_quote(one) for one in claims if one.location == name)}
    spans = [found.span() for words in said for found in re.finditer(re.escape(words), section)]
    spans += [found.span() for found in NAMES.finditer(section)]
    numbers = NUMBER.finditer(section)
    return [one[0] for one in numbers if not any(low <= one.start() and one.end() <= high for low, high in spans)]


@pytest.mark.real
def test_every_table_row_of_haru_net_is_there_in_order_with_every_digit(text, own):
    assert _differs({location: _printed(text, location) for location in TABLES}, own) == []
    assert {one.location for one in own if one.location.startswith("Table")} == set(TABLES)
    assert not [one for one in own if one.value == "unreadable"]


@pytest.mark.real
def test_haru_net_s_text_has_as_many_tables_and_scores_as_the_file(text, own):
    assert re.findall(r"^Table \d+(?=:)", text, re.MULTILINE) == list(TABLES)
    assert len(re.findall(r"\t(?:<b>)?0\.\d{3}\b", text)) == 98
    assert sum(one.location.startswith("Table") for one in own) == 98
    assert len({(one.location, one.row) for one in own if one.location.startswith("Table")}) == 33
    assert len(re.findall(r"^[^\t\n]+\t.*0\.\d{3}", text, re.MULTILINE)) == 33


@pytest.mark.real
def test_a_spoilt_copy_of_haru_net_s_claims_is_caught(text, own):
    printed = {location: _printed(text, location) for location in TABLES}
    for place, one in enumerate(own):
        if not one.location.startswith("Table"):
            continue
        before, after = own[:place], own[place + 1 :]
        digit = replace(one, value=one.value[:-1] + str((int(one.value[-1]) + 1) % 10))
        assert _differs(printed, (*before, digit, *after)) == [one.location]
        assert _differs(printed, (*before, *after)) == [one.location]
        assert _differs(printed, (*before, one, one, *after)) == [one.location]
        row = [other for other in own if (other.location, other.row) != (one.location, one.row)]
        assert _differs(printed, row) == [one.location]
        assert _differs(printed, (*before, replace(one, row=one.row + "+"), *after)) == [one.location]


@pytest.mark.real
def test_every_sentence_quoted_from_haru_net_stands_in_its_section_with_the_value_in_it(text, own):
    sections = _sections(text)
    for one in own:
        if one.location.startswith("Table"):
            continue
        assert _quote(one) in sections[one.location], one
        assert re.search(rf"(?<![\d.,]){re.escape(one.value)}(?!\d|[.,]\d)", _quote(one)), one
        if one.metric in COMPARING:
            assert one.comparison is not None


@pytest.mark.real
def test_every_number_in_haru_net_s_sentences_is_in_a_quoted_one(text, own):
    names = [name for name in _sections(text) if name.startswith(("Abstract", "Section"))]
    assert len(names) == 26
    assert [(name, number) for name in names for number in _unquoted(text, own, name)] == []


@pytest.mark.real
def test_a_number_that_no_claim_of_haru_net_quotes_is_caught(text, own):
    for metric, name, lost in (
        ("batch_size", "Section 4.3", ["4", "12"]),
        ("learning_rate", "Section 4.3", ["1e-5"]),
        ("nuclei", "Section 4.4.3", ["2754", "5", "293"]),
        ("gain", "Section 4.5.4", ["1.0%", "3.5%", "5.8%"]),
    ):
        assert _unquoted(text, [one for one in own if one.metric != metric], name) == lost


@pytest.mark.real
def test_every_percentage_of_haru_net_s_sentences_is_a_gain(text, own):
    said = re.findall(r"\d+(?:\.\d+)?%", _plain(text))
    gains = [one.value.removeprefix("around ") for one in own if one.metric == "gain"]
    # "3%" is the upper end of "around 2% to 3%"; one 0.6% is said of two metrics.
    assert sorted([*said, "0.6%"]) == sorted([*gains, "3%"])


def test_every_value_of_haru_net_that_is_no_number_is_words_of_the_paper(own):
    for one in own:
        assert (one.number is None) == (one.metric in WORDED), one
