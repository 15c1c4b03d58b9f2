"""The second opinion that is kept: every row that it could be asked about, and what our rules say of each today."""

import json
from dataclasses import replace
from fractions import Fraction
from importlib.metadata import PackageNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from histolab_lib.claims import load_claims
from tests.audit_papers import made
from tests.second_opinion import ASKED, FILE, NAMES, asked, main, ours, pixels, rows


@pytest.fixture(scope="module")
def kept():
    return json.loads(FILE.read_text(encoding="utf-8"))


def test_every_row_that_can_be_asked_about_is_kept_with_its_question(kept):
    today = [
        ([one.key for one in row], asked(row), pixels(row[0].dataset, row[0].split)) for row in rows(load_claims())
    ]
    assert [(one["claims"], one["asked"], (one["p"], one["n"])) for one in kept["rows"]] == today
    assert len(today) > 50


def test_our_rules_say_today_what_is_kept_beside_it(kept):
    claims = {one.key: one for one in load_claims()}
    for entry in kept["rows"]:
        row = [claims[key] for key in entry["claims"]]
        near = [one for one in claims.values() if (one.paper, one.location) == (row[0].paper, row[0].location)]
        pooled = [replace(one, averaging="pooled") for one in row]
        assert ours(row, near) == entry["ours"], entry["claims"]
        assert (ours(pooled, pooled) == "fine") is (entry["ours_if_pooled"] == "consistent"), entry["claims"]


def test_it_agrees_with_our_rules_about_every_row(kept):
    assert [one["theirs_if_pooled"] for one in kept["rows"]] == [one["ours_if_pooled"] for one in kept["rows"]]
    assert {one["theirs_if_pooled"] for one in kept["rows"]} == {"consistent", "inconsistent"}


def test_pixels_are_those_of_all_parts_of_a_test_set():
    fore, back = pixels("monuseg", "test")
    assert (fore, fore + back) == (round(0.197515 * 14_000_000), 14_000_000)
    parts = [pixels("glas", split) for split in ("testA", "testB")]
    assert pixels("glas", "test") == tuple(map(sum, zip(*parts, strict=True)))
    assert pixels("cpm17", "test") is pixels("folder", "test") is pixels("glas", "test9") is None


def test_a_row_with_dice_and_f1_is_asked_about_twice_and_one_score_not_at_all():
    row = [made("0.80", metric=metric) for metric in ("dice", "f1", "iou")]
    assert [[one.metric for one in found] for found in rows(row)] == [["dice", "iou"], ["f1", "iou"]]
    assert rows(row[:2]) == []
    assert rows([made("0.80", "U-Net: Liver", metric) for metric in ("dice", "iou")]) == []


@given(st.integers(ASKED, 10**8), st.data())
def test_scores_of_a_large_set_scaled_to_the_one_asked_about_move_less_than_the_margin(fore, data):
    hit = data.draw(st.integers(fore // 2 + 1, fore))
    wrong = data.draw(st.integers(0, 2 * fore))

    def scores(true, found, false):
        both = {"precision": Fraction(found, found + false), "recall": Fraction(found, true)}
        return both | {"dice": Fraction(2 * found, true + found + false), "iou": Fraction(found, true + false)}

    real, scaled = (
        scores(fore, hit, wrong),
        scores(ASKED, *(round(Fraction(one * ASKED, fore)) for one in (hit, wrong))),
    )
    row = [made(f"{float(value):.5f}", metric=metric) for metric, value in real.items()]
    question = asked(row)
    for metric, value in scaled.items():
        middle, eps = question["scores"][NAMES[metric]], question["eps"][NAMES[metric]]
        assert abs(float(value) - middle) <= eps + 1e-8


def test_the_margin_is_as_wide_as_what_rounding_to_four_digits_allows():
    row = [made("0.7943", metric="dice"), made("66.0", metric="iou", unit="percent")]
    assert asked(row)["eps"] == {"f1p": 0.000100003, "ji": 0.000550003}


def test_without_the_package_it_says_what_to_install(monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.version", missing)
    with pytest.raises(SystemExit, match="pip install mlscorecheck"):
        main()
