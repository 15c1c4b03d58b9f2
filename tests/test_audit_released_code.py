"""What authors have released, as data: complete, and every fault of the file is named."""

import tomllib
from datetime import date

import pytest

from histolab_lib.audit import released_code as module
from histolab_lib.audit.released_code import ASPECTS, released_code
from histolab_lib.claims import PAPERS, load_claims
from histolab_lib.data_dir import DataError, data_dir

FILE = data_dir() / "released_code.toml"


def test_every_paper_of_the_book_has_an_entry_and_no_other():
    assert list(released_code()) == list(PAPERS)


def test_a_release_tells_of_every_aspect_and_a_search_of_none():
    told = {paper: tuple(aspect.name for aspect in found.aspects) for paper, found in released_code().items()}
    assert {paper for paper, aspects in told.items() if aspects} == {"haru_net", "histoseg", "dan_nucnet"}
    assert set(told.values()) == {ASPECTS, ()}


def test_no_commit_is_younger_than_the_day_on_which_it_was_read():
    for found in released_code().values():
        assert found.dated is None or found.dated <= found.seen
        assert found.seen <= date(2100, 1, 1)


def test_sentences_are_sentences():
    for found in released_code().values():
        for text in (found.why, *(aspect.what for aspect in found.aspects)):
            assert text[0].isupper()
            assert text.endswith(".")


def test_the_printed_precision_that_the_entry_quotes_is_the_claims():
    (colon,) = (
        one
        for one in load_claims()
        if (one.paper, one.location, one.row, one.metric) == ("dan_nucnet", "Table 2", "Proposed: Colon", "precision")
    )
    results = {aspect.name: aspect for aspect in released_code()["dan_nucnet"].aspects}["results"]
    assert f"where {colon.value} is printed" in results.what


@pytest.fixture
def read(tmp_path):
    """The file with one piece of text replaced, read."""

    def run(old, new):
        text = FILE.read_text(encoding="utf-8")
        assert old in text
        path = tmp_path / "released_code.toml"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return module._read(path)

    return run


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[haru_net]", "[haru_net", "released_code.toml: cannot be read"),
        ("[msal_net]", "[msal]", "released_code.toml: lacks msal_net"),
        ("[msal_net]", "[other]\n\n[msal_net]", "released_code.toml: unknown key 'other'"),
        ("[haru_net.weights]", "[haru_net.licences]", "haru_net: lacks weights"),
        ('repository = "https', 'kind = 1\nrepository = "https', "haru_net: unknown key 'kind'"),
        ('repository = "https', 'repository = "http', r"haru_net.repository: expected text that matches https://\\S\+"),
        ('commit = "df', 'commit = "xx', "haru_net.commit: expected text that matches"),
        ("date = 2024-02-12", 'date = "2024"', "haru_net.date: expected a day such as 2026-01-31, got '2024'"),
        ("searched = 2026-11-21", "searched = 2026-11-21T10:00:00", "gland_linknet.searched: expected a day"),
        ('there = "part"', 'there = "half"', "haru_net.dependencies: unknown there 'half'"),
        ('answer = "no"', 'answer = "never"', "haru_net.numbers_follow: unknown answer 'never'"),
        ('why = "Without', 'reason = "Without', "haru_net.numbers_follow: lacks why"),
        ('what = "Neither tables nor predictions are there."', 'what = " "', "haru_net.results.what: expected text"),
        ('files = ["requirements.txt", "README.md"]', 'files = "README.md"', "dependencies.files: expected a list"),
        ('files = ["requirements.txt", "README.md"]', 'files = [""]', "dependencies.files: expected a list of paths"),
        ('there = "no"', 'there = "yes"', "haru_net.weights.files: what is there must name a file"),
    ],
)
def test_a_fault_of_the_file_is_named_with_its_key(read, old, new, message):
    with pytest.raises(DataError, match=message):
        read(old, new)


def test_what_is_no_table_is_named():
    table = tomllib.loads(FILE.read_text(encoding="utf-8"))["haru_net"] | {"numbers_follow": "no"}
    with pytest.raises(DataError, match=r"haru_net.numbers_follow: expected a table, got 'no'"):
        module._paper(FILE, "haru_net", table)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"released_code.toml: cannot be read"):
        module._read(tmp_path / "released_code.toml")
