"""Rows quoted from another paper that stand among the paper's own runs."""

import random
from dataclasses import replace

from histolab_lib.audit.rules.quotations import quoted_as_own
from tests.audit_papers import accusations, consistent_paper, made

NOTE = "quoted there from another paper"
SCORES = {"dice": "0.758", "aji": "0.556", "pq": "0.478"}


def _row(values, location, note="", row="U-Net"):
    return [made(value, row, metric, location, note=note) for metric, value in zip(SCORES, values, strict=False)]


def test_the_same_scores_among_the_own_runs_are_unlikely_in_whatever_order():
    quoted = _row(SCORES.values(), "Table 1", NOTE)
    for values, order in (("0.758 0.556 0.478", ""), ("0.758 0.478 0.556", " in another order")):
        (found,) = quoted_as_own(quoted + _row(values.split(), "Table 5", row="u-net"))
        assert (found.severity, len(found.rows)) == ("unlikely", 6)
        assert f"have the same 3 scores{order} ({values})" in found.explanation


def test_a_run_that_differs_in_one_digit_is_fine():
    quoted = _row(SCORES.values(), "Table 1", NOTE)
    (found,) = quoted_as_own(quoted + _row(("0.758", "0.556", "0.479"), "Table 5"))
    assert found.severity == "fine"


def test_nothing_is_said_of_one_score_of_other_data_or_of_rows_that_are_both_quoted():
    quoted = _row(SCORES.values(), "Table 1", NOTE)
    again = _row(SCORES.values(), "Table 5")
    assert list(quoted_as_own(quoted + again[:1])) == []
    assert list(quoted_as_own(quoted + [replace(one, dataset="tnbc") for one in again])) == []
    assert list(quoted_as_own(quoted + _row(SCORES.values(), "Table 5", NOTE))) == []
    assert list(quoted_as_own(again + _row(SCORES.values(), "Table 1"))) == []
    assert list(quoted_as_own(quoted + _row(SCORES.values(), "Section 4"))) == []


def test_two_trainings_are_accused_at_most_as_often_as_the_rule_says():
    rng = random.Random(5)
    alarms, pairs = 0, 3000
    for _ in range(pairs):
        shift = rng.gauss(0, 0.003 * 2**0.5)
        values = [rng.uniform(0.5, 0.9) for _ in SCORES]
        quoted = _row([f"{one:.3f}" for one in values], "Table 1", NOTE)
        alarms += bool(accusations(quoted_as_own, quoted + _row([f"{one + shift:.3f}" for one in values], "Table 5")))
    assert 0 < alarms <= 0.1 * pairs


def test_consistent_papers_quote_nothing_as_their_own():
    assert not any(accusations(quoted_as_own, consistent_paper(seed)) for seed in range(20))
