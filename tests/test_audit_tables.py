"""Rows of means and lost factors of ten: what is accused, and that no consistent table ever is."""

import random
from dataclasses import replace
from fractions import Fraction

import pytest

from histolab_lib.audit.finding import SEVERITIES
from histolab_lib.audit.rules.tables import mean_row, scale
from tests.audit_papers import accusations, consistent_paper, made, printed


def _column(values, mean, metric="dice", averaging="per_group", **told):
    rows = [made(value, f"U-Net: Organ {place}", metric, **told) for place, value in enumerate(values)]
    return [*rows, made(mean, "U-Net: Average", metric, **(told | {"averaging": averaging}))]


def test_a_mean_that_its_rows_can_have_is_fine():
    (found,) = mean_row(_column(["0.80", "0.70", "0.61"], "0.70"))
    assert found.severity == "fine"
    assert found.values == ("0.70", "0.80", "0.70", "0.61")
    assert "it is their unweighted mean, within rounding" in found.explanation


def test_the_last_digit_decides():
    # The rows sum to between 2.105 and 2.135, a third of that is 0.70166... to 0.71166...
    rows = ["0.80", "0.70", "0.62"]
    found = {mean: next(mean_row(_column(rows, mean))).severity for mean in ("0.69", "0.70", "0.71", "0.72")}
    assert found == {"0.69": "inconsistent", "0.70": "fine", "0.71": "fine", "0.72": "inconsistent"}


@pytest.mark.parametrize(
    ("averaging", "severity"),
    [("per_group", "inconsistent"), ("unstated", "unlikely"), ("per_image", "fine"), ("pooled", "fine")],
)
def test_weights_may_explain_a_mean_unless_the_paper_averages_over_groups(averaging, severity):
    (found,) = mean_row(_column(["0.80", "0.60"], "0.75", averaging=averaging))
    assert found.severity == severity


def test_no_mean_lies_beyond_its_rows():
    for mean, side in (("0.82", "above the largest"), ("0.58", "below the smallest")):
        for averaging in ("per_group", "unstated", "per_image"):
            (found,) = mean_row(_column(["0.80", "0.60"], mean, averaging=averaging))
            assert (found.severity, side in found.explanation) == ("impossible", True)
    (found,) = mean_row(_column(["0.80", "0.60"], "0.82", averaging="pooled"))
    assert found.severity == "unlikely"
    pooled = [replace(one, averaging="pooled") for one in _column(["0.80", "0.60"], "0.82")]
    assert next(mean_row(pooled)).severity == "impossible"


def test_means_of_two_columns_that_are_exchanged_are_told():
    claims = _column(["0.80", "0.60"], "0.50") + _column(["0.40", "0.60"], "0.70", "recall")
    found = accusations(mean_row, claims)
    assert ["The means of dice and recall seem to be exchanged" in found[0].explanation, len(found)] == [True, 2]


def test_a_row_that_was_left_out_of_the_mean_is_told():
    (found,) = accusations(mean_row, _column(["0.80", "0.60", "0.10"], "0.70"))
    assert found.explanation.endswith("Without one row it would be: Organ 2.")


def test_a_score_that_cannot_be_read_may_be_any_and_a_distance_ends_the_test():
    assert next(mean_row(_column(["0.80", "unreadable"], "0.60"))).severity == "fine"
    assert next(mean_row(_column(["0.90", "unreadable"], "0.30"))).severity == "inconsistent"
    assert list(mean_row(_column(["80", "unreadable"], "60", "hd95", unit="px"))) == []
    assert list(mean_row(_column(["0.80", "0.70"], "unreadable"))) == []


def test_a_table_without_groups_or_without_a_mean_is_not_tested():
    assert list(mean_row([made("0.8"), made("0.7", "FCN")])) == []
    assert list(mean_row(_column(["0.8", "0.7"], "0.75")[:2])) == []
    assert list(mean_row(_column(["0.8"], "0.9"))) == []


def test_weighted_means_are_never_called_impossible():
    rng = random.Random(5)
    for _ in range(300):
        values = [Fraction(rng.randint(0, 1000), 1000) for _ in range(rng.randint(2, 6))]
        weights = [rng.randint(0, 20) for _ in values[1:]] + [1]
        mean = sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights)
        digits = rng.randint(1, 4)
        claims = _column(
            [printed(one, digits, rng) for one in values], printed(mean, digits, rng), averaging="per_image"
        )
        assert [found.severity for found in mean_row(claims)] == ["fine"]


def test_a_score_that_lost_a_factor_of_ten_is_unlikely():
    claims = [made(value, row) for row, value in zip("ABCDE", ("0.81", "0.83", "0.0895", "0.79", "0.86"), strict=True)]
    (found,) = accusations(scale, claims)
    assert (found.severity, found.values) == ("unlikely", ("0.0895",))
    assert "has it lost a factor of ten?" in found.explanation
    assert accusations(scale, claims[:3]) == []


def test_percents_among_fractions_are_brought_to_one_scale():
    claims = [made("0.81"), made("83", "B", unit="percent"), made("0.9", "C"), made("0.85", "D", unit="percent")]
    assert [found.values for found in accusations(scale, claims)] == [("0.85",)]


def test_a_network_that_failed_is_not_accused_when_ten_times_as_much_would_not_fit():
    claims = [made(value, row) for row, value in zip("ABCD", ("0.81", "0.83", "0.02", "0.79"), strict=True)]
    assert accusations(scale, claims) == []
    near = [made(value, row) for row, value in zip("ABCD", ("0.25", "0.30", "0.09", "0.28"), strict=True)]
    assert accusations(scale, near) == []


@pytest.mark.parametrize("check", [mean_row, scale])
def test_no_consistent_paper_is_accused(check):
    for seed in range(25):
        found = list(check(consistent_paper(seed)))
        assert {one.severity for one in found} <= {"fine"}, seed
        assert all(one.severity in SEVERITIES for one in found)
    assert sum(len(list(mean_row(consistent_paper(seed)))) for seed in range(8)) > 40


def test_a_mean_that_is_off_by_more_than_rounding_is_always_found():
    for seed in range(15):
        claims = consistent_paper(seed)
        target = next(one for one in claims if one.group == "Average")
        last = target.number.as_tuple().exponent
        off = replace(target, value=str(target.number + 3 * type(target.number)(10) ** last))
        found = accusations(mean_row, [off if one is target else one for one in claims])
        assert [one.values[0] for one in found] == [off.value], seed
