"""Equal numbers of two systems: what is unlikely, and how often chance alone is accused."""

import random

import pytest

from histolab_lib.audit.rules.coincidences import same_number
from tests.audit_papers import accusations, consistent_paper, made

TIMES = ("178.3", "211.9", "271.1", "480.6", "1133.7", "194.5", "181.3", "317.7", "429.1")


def _time(value, row):
    return made(value, row, "training_time", unit="seconds", averaging="")


def test_two_systems_with_one_training_time_are_unlikely():
    claims = [_time(value, f"Net {place}") for place, value in enumerate(TIMES)]
    assert accusations(same_number, claims) == []
    (found,) = accusations(same_number, [*claims, _time("211.9", "Net + Res-18")])
    assert (found.severity, found.values) == ("unlikely", ("211.9", "211.9"))
    assert "Chance gives 0.01 such pairs in a paper like this." in found.explanation


def test_scores_that_speak_against_one_system_are_told():
    claims = [_time(value, f"Net {place}") for place, value in enumerate(TIMES)] + [_time("211.9", "Net + Res-18")]
    scores = [made("0.773", "Net 1"), made("0.781", "Net + Res-18"), made("0.78", "Net 1", "iou")]
    (found,) = accusations(same_number, claims + scores)
    assert found.explanation.endswith("Were they one, it would have two sets of scores: dice 0.781 and 0.773.")
    scores[1] = made("0.773", "Net + Res-18")
    (found,) = accusations(same_number, claims + scores)
    assert "Were they one" not in found.explanation


def test_one_system_in_two_places_is_no_coincidence():
    claims = [_time(value, f"Net {place}") for place, value in enumerate(TIMES)]
    again = made("211.9", "net-1", "training_time", "Table 2", unit="seconds", averaging="")
    assert accusations(same_number, [*claims, again]) == []


def test_a_whole_row_of_equal_scores_is_unlikely_and_one_equal_score_is_not():
    rng = random.Random(3)
    rows = [[f"{rng.uniform(0.6, 0.9):.3f}" for _ in range(4)] for _ in range(8)]
    rows[5][0] = rows[2][0]
    assert accusations(same_number, _table(rows)) == []
    rows[5] = rows[2]
    (found,) = accusations(same_number, _table(rows))
    assert len(found.rows) == 8


def test_too_few_systems_tell_nothing():
    assert accusations(same_number, _table([["0.812", "0.713"]] * 2)) == []


def _table(rows):
    return [
        made(value, f"Net {place}", metric)
        for place, row in enumerate(rows)
        for metric, value in zip(("dice", "iou", "aji", "pq"), row, strict=False)
    ]


def test_every_number_is_in_a_finding():
    claims = [_time(value, f"Net {place}") for place, value in enumerate(TIMES)]
    assert {key for found in same_number(claims) for key in found.rows} == {one.key for one in claims}


@pytest.mark.parametrize("spread", ["even", "normal", "skew"])
def test_chance_alone_is_accused_in_fewer_than_one_paper_of_twenty(spread):
    rng = random.Random(11)
    draw = {
        "even": lambda: rng.uniform(60, 90),
        "normal": lambda: rng.gauss(80, 4),
        "skew": lambda: rng.lognormvariate(5, 0.6),
    }[spread]
    alarms, papers = 0, 200
    for _ in range(papers):
        scores = _table([[f"{draw() / 1000:.3f}" for _ in range(3)] for _ in range(8)])
        times = [_time(f"{draw():.{rng.randint(0, 2)}f}", f"Net {place}") for place in range(8)]
        alarms += bool(accusations(same_number, scores + times))
    assert alarms <= papers / 20


def test_consistent_papers_are_accused_as_rarely():
    assert sum(bool(accusations(same_number, consistent_paper(seed))) for seed in range(40)) <= 2
