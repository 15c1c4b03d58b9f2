"""Seals of the claim files: without the papers' texts they show that no row has changed since it agreed with them."""

import json
from dataclasses import replace

import pytest

from histolab_lib.claims import HEADER, load_claims
from tests import seal_claims
from tests.claim_tables import READERS
from tests.seal_claims import SEALS, differences, disagreements, main, seals

KEY = "haru_net/table-1/u-net/monuseg/test/dice"


@pytest.fixture(scope="module")
def claims():
    return load_claims()


@pytest.fixture(scope="module")
def sealed():
    return json.loads(SEALS.read_text(encoding="utf-8"))


def test_every_published_number_is_as_it_was_when_it_agreed_with_the_paper(claims, sealed):
    assert list(differences(claims, sealed)) == []


@pytest.mark.parametrize(
    ("column", "value"),
    [("value", "0.759"), ("unit", "percent"), ("averaging", "pooled"), ("images", 15), ("note", "our reading")],
)
def test_whatever_is_changed_in_a_row_breaks_its_seal(claims, sealed, column, value):
    one = next(one for one in claims if one.key == KEY)
    changed = [replace(one, **{column: value}) if each is one else each for each in claims]
    said = f"{KEY} is not as it was sealed; see 'A published number' in CONTRIBUTING.md"
    assert list(differences(changed, sealed)) == [said]


def test_a_row_without_a_seal_and_a_seal_without_a_row_are_told(claims, sealed):
    assert next(differences(claims[1:], sealed)).startswith(f"{claims[0].key} is gone; see")
    rest = {key: seal for key, seal in sealed.items() if key != claims[0].key}
    assert next(differences(claims, rest)).startswith(f"{claims[0].key} has no seal; see")


def test_no_two_rows_can_have_the_same_seal_by_shifting_words_between_columns(claims):
    one, other = replace(claims[0], dataset="glas", split=""), replace(claims[0], dataset="gla", split="s")
    assert seals([one]).popitem()[1] != seals([other]).popitem()[1]
    assert len(set(seals(claims).values())) == len(claims)
    assert len(HEADER) == 11


def test_nothing_is_sealed_without_the_texts(monkeypatch, tmp_path):
    monkeypatch.setattr(seal_claims, "SEALS", tmp_path / "seals.json")
    monkeypatch.delenv("HISTOLAB_PAPERS", raising=False)
    assert main() == "HISTOLAB_PAPERS is not set: rows are sealed only where they agree with the papers' texts"
    assert not (tmp_path / "seals.json").exists()


def test_nothing_is_sealed_where_a_row_differs_from_its_text(monkeypatch, tmp_path):
    monkeypatch.setattr(seal_claims, "SEALS", tmp_path / "seals.json")
    monkeypatch.setattr(seal_claims, "disagreements", lambda claims, folder: ["mine: Table 1: in the text 0.8"])
    monkeypatch.setenv("HISTOLAB_PAPERS", str(tmp_path))
    assert main() == "mine: Table 1: in the text 0.8\nnothing sealed"
    assert not (tmp_path / "seals.json").exists()


@pytest.mark.real
def test_the_seals_are_of_rows_that_agree_with_the_texts(papers, claims, monkeypatch, tmp_path, sealed):
    monkeypatch.setattr(seal_claims, "SEALS", tmp_path / "seals.json")
    monkeypatch.setenv("HISTOLAB_PAPERS", str(papers))
    assert main() is None
    assert json.loads((tmp_path / "seals.json").read_text(encoding="utf-8")) == sealed


@pytest.mark.real
@pytest.mark.parametrize("paper", READERS)
def test_one_wrong_digit_stops_the_sealing(papers, claims, paper):
    place = next(n for n, one in enumerate(claims) if one.paper == paper and one.metric == "images" and one.number)
    wrong = replace(claims[place], value=f"{claims[place].value}1")
    spoilt = [*claims[:place], wrong, *claims[place + 1 :]]
    assert next(disagreements(spoilt, papers)).startswith(f"{paper}: {wrong.key}: ")
