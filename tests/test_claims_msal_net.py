"""The claims of MSAL-Net against its text: whole rows of every table, and every number in a sentence."""

import re
from collections import Counter
from dataclasses import replace

import pytest

from histolab_lib.claims import COMPARING, UNREADABLE, load_claims
from histolab_lib.data_dir import data_dir
from tests.claim_tables.msal_net import TABLES

CELL = r"(?:–|\d[\d.]*)"
# Numbers that claim nothing of their own: references, figures, tables, equations, lists, names of networks, bounds
# of a formula; the lower end of the rotation; blocks told of twice; and what the vocabulary has no word for (channels,
# rates of dilation, hospitals). "#" stands for a number that is claimed.
NO_CLAIM = (
    r"\[[\d,– ]+\]", r"\bFig(?:ure)?\.? ?\d+", r"\bTable \d", r"are: \(1\)|\. \([2345]\)",
    r"\([1234]\)(?=Dice|IoU|PR|RC)",
    r"(?<= )CNN3", r"Res(?:[Nn]et)?[- ]?\d+", r"GTX 1080", r"between 0 and 1\.", r"1D convolution", r"(?<== )2\|A ∩ B",
    r"from -15", r"there was 4 Residual-Blocks", r"such as 3 ×", r"from # to #, #, 5",
    r"18 different hospitals",
)  # fmt: skip


@pytest.fixture
def text(papers):
    return (papers / "msal_net.txt").read_text(encoding="utf-8")


@pytest.fixture
def own():
    return load_claims(data_dir() / "claims" / "msal_net.csv")


def _plain(text):
    return " ".join(re.sub(r"-[ ]*\n\s*", "", text).split())


def _block(text, location):
    """The lines of a table, and where they stand: from below its header to the last line that ends in cells."""
    start = re.compile(rf"^\W*{location}\b(?:.*\n)+?.*Training Time *\n", re.MULTILINE).search(text).end()
    body = re.compile(rf"(?:.*{CELL} {CELL} {CELL} {CELL} *\n|\s*\n)+").match(text, start)
    return body[0], body.span()


def _rows(text, location):
    """The rows of a table as the text has them: name without reference marks, and cells."""
    width = len(TABLES[location].columns)
    for line in filter(None, map(str.strip, _block(text, location)[0].splitlines())):
        name, *cells = re.fullmatch(r"(.+?)" + rf" ({CELL})" * width, line).groups()
        yield re.sub(r" \[\d+\]", "", name), tuple(cells)


def _claimed(own, location):
    """The same of the claims, in the order of the file; a cell without a claim is "–"."""
    rows = {}
    for one in own:
        if one.location == location:
            place = TABLES[location].columns.index((one.dataset, one.split, one.metric))
            rows.setdefault(one.row, ["–"] * len(TABLES[location].columns))[place] = one.value
    return [(name, tuple(cells)) for name, cells in rows.items()]


def _differ(text, own):
    return [place for place in TABLES if _claimed(own, place) != list(_rows(text, place))]


@pytest.mark.real
def test_every_row_of_every_table_is_claimed_whole_and_in_order(text, own):
    assert _differ(text, own) == []
    assert {one.location for one in own if one.location.startswith("Table")} == set(TABLES)
    assert set(re.findall(r"^ ?(Table \d) (?:Represents|Compared)", text, re.MULTILINE)) == set(TABLES)


@pytest.mark.real
def test_no_row_and_no_number_of_a_table_is_left_out(text, own):
    """Counted without the layout: lines that end in four cells or more, and numbers with three decimals or one."""
    lines = [line for line in text.splitlines() if re.search(rf"(?: {CELL}){{4,}} *$", line)]
    tabled = [one for one in own if one.location in TABLES]
    assert len(lines) == len({(one.location, one.row) for one in tabled}) == 20
    printed = Counter(re.findall(r"(?<![-\w.])\d+\.\d+|(?<=\s)3(?=\s0\.)", "\n".join(lines)))
    assert printed == Counter(one.value for one in tabled)


@pytest.mark.real
def test_what_is_unreadable_is_so_in_the_text(text, own):
    """Every cell of both tables can be read, so none may be called lost."""
    assert all("�" not in cell for place in TABLES for _, cells in _rows(text, place) for cell in cells)
    assert UNREADABLE not in {one.value for one in own}


@pytest.mark.real
def test_spoilt_claims_are_caught(text, own):
    tabled = [place for place, one in enumerate(own) if one.location in TABLES]
    assert len(tabled) == 89
    for place in tabled:
        digit = next(n for n in reversed(range(len(own[place].value))) if own[place].value[n].isdigit())
        value = own[place].value
        wrong = value[:digit] + str((int(value[digit]) + 1) % 10) + value[digit + 1 :]
        spoilt = [*own[:place], replace(own[place], value=wrong), *own[place + 1 :]]
        assert _differ(text, spoilt) == [own[place].location]
        assert _differ(text, [*own[:place], *own[place + 1 :]]) == [own[place].location]
        assert _differ(text, [*own, replace(own[place], row="made up")]) == [own[place].location]
    dropped = [one for one in own if (one.location, one.row) != ("Table 2", "Unet")]
    assert _differ(text, dropped) == ["Table 2"]


@pytest.mark.real
def test_every_number_of_a_sentence_stands_in_the_printed_words(text, own):
    plain = _plain(text)
    for one in own:
        if one.location in TABLES:
            continue
        quote = re.match('"([^"]+)"', one.note)[1]
        assert quote in plain, one
        if one.metric in (*COMPARING[1:], "software", "hardware"):
            assert one.value in quote, one
        else:
            assert re.search(rf"(?<![\d.,]){re.escape(one.value)}(?![\d]|[.,]\d)", quote), one


def _left(text, own):
    """Numbers outside tables that no claim quotes, each with what stands around it."""
    for place in TABLES:
        start, end = _block(text, place)[1]
        text = text[:start] + " " * (end - start) + text[end:]
    plain = _plain(text)
    said = [one for one in own if one.location not in TABLES]
    quotes = {(re.match('"([^"]+)"', one.note)[1], one.location) for one in said}
    for words, place in sorted(quotes, key=lambda quote: len(quote[0]), reverse=True):
        values = "|".join(re.escape(one.value) for one in said if one.location == place)
        plain = plain.replace(words, re.sub(rf"(?<![\d.,])(?:{values})(?![\d]|[.,]\d)", "#", words))
    for pattern in NO_CLAIM:
        plain = re.sub(pattern, " ", plain)
    return [plain[max(0, found.start() - 40) : found.end() + 20] for found in re.finditer(r"\d[\d.,]*", plain)]


@pytest.mark.real
def test_no_number_of_a_sentence_is_left_out(text, own):
    assert _left(text, own) == []
    for one in own:
        if one.location not in TABLES and one.metric not in ("ordering", "software", "hardware"):
            rest = [other for other in own if (other.location, other.value) != (one.location, one.value)]
            assert _left(text, rest) or not any(map(str.isdigit, one.value)), one
