"""Claimed improvements: every reading, what explains a misfit, and that no consistent paper is ever accused."""

from dataclasses import replace

import pytest

from histolab_lib.audit.rules.contradictions import opposite_orderings
from histolab_lib.audit.rules.gains import gain
from histolab_lib.audit.rules.places import same_figure
from histolab_lib.audit.rules.tables import mean_row, scale
from histolab_lib.audit.rules.words import ordering
from tests.audit_papers import accusations, consistent_paper, made

ROWS = {"Ours": ("0.838", "0.656", "0.624"), "A": ("0.823", "0.649", "0.610"), "B": ("0.758", "0.556", "0.478")}
TABLE = [
    made(value, row, metric)
    for row, values in ROWS.items()
    for metric, value in zip(("dice", "aji", "pq"), values, strict=True)
]


def _said(value, row="Ours > B in dice (Table 1)", words="", unit="percent", location="Text"):
    note = f'"{words}"' if words else ""
    return made(value, row, "gain", location, unit=unit, averaging="", note=note)


def _verdict(value, row="Ours > B in dice (Table 1)", words="", unit="percent", claims=TABLE):
    (found,) = gain([*claims, _said(value, row, words, unit)])
    return found


@pytest.mark.parametrize(
    ("value", "unit", "reading"),
    [
        ("8.0", "percent", "in points"),
        ("0.080", "fraction", "in points"),
        ("10.6%", "percent", "relative to the other"),
        ("9.5", "percent", "relative to the better one"),
        ("33", "percent", "as a share of the error left"),
        ("0.08", "none", "in points"),
        ("8", "none", "in points, in percent"),
    ],
)
def test_every_reading_that_meets_the_number_is_fine_and_named(value, unit, reading):
    found = _verdict(value, unit=unit)
    assert (found.severity, found.explanation.startswith(f"{value} fits {reading}: ")) == ("fine", True)


def test_rounding_of_the_cells_is_allowed_and_no_more():
    # 0.838 - 0.758 is between 0.079 and 0.081, relative between 10.42 and 10.69 %.
    assert _verdict("8.1").severity == "fine"
    assert _verdict("7.9").severity == "fine"
    assert _verdict("8.2").severity == "inconsistent"
    assert _verdict("7.7").severity == "inconsistent"


def test_a_number_in_no_reading_is_inconsistent_and_the_table_is_quoted():
    found = _verdict("5.0")
    assert (found.severity, found.values) == ("inconsistent", ("5.0", "0.838", "0.758"))
    assert (
        "5.0 claimed; the table gives 7.90 to 8.10 in points, 10.42 to 10.69 relative to the other" in found.explanation
    )


def test_a_loss_is_no_gain():
    assert _verdict("8.0", "B > Ours in dice (Table 1)").severity == "inconsistent"


def test_against_all_others_the_best_counts():
    row = "Ours > * in aji (Table 1)"
    assert _verdict("0.7", row).severity == "fine"
    assert _verdict("10.0", row, "10.0 better than all others in AJI").severity == "inconsistent"
    found = _verdict("10.0", row, "10.0 better in AJI")
    assert (found.severity, "an opponent that is not the best" in found.explanation) == ("unlikely", True)


def test_a_number_cut_off_instead_of_rounded_is_unlikely():
    claims = [made("0.8387"), made("0.8000", "B")]
    found = _verdict("3.8", "U-Net > B in dice (Table 1)", claims=claims)
    assert (found.severity, "cut off instead of rounded" in found.explanation) == ("unlikely", True)


def test_a_score_that_the_words_do_not_name_may_be_another():
    found = _verdict("10.0", words="an improvement of 10.0 %")
    assert (found.severity, "a score that the sentence does not name, in points" in found.explanation) == (
        "unlikely",
        True,
    )
    named = _verdict("10.0", words="an improvement of 10.0 % in Dice")
    assert named.severity == "inconsistent"
    assert "The number fits another metric, in points: Table 1, Ours, aji" in named.explanation


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("0.80", "With its point displaced it would fit in points"),
        ("7.0", "The printed cells differ by 8.0 points: one digit is another."),
        ("5.0", "B: 0.758)."),
    ],
)
def test_what_may_have_gone_wrong_is_told(value, hint):
    assert _verdict(value).explanation.endswith(hint) or hint in _verdict(value).explanation


def test_against_all_others_the_rows_that_are_not_the_best_are_tried():
    found = _verdict("10.6", "Ours > * in dice (Table 1)", "10.6 % better than all others in Dice")
    assert (
        "It fits one that is not the best, relative to the other: Table 1, Ours, dice on monuseg: 0.838, B: 0.758."
        in (found.explanation)
    )
    # over B: Dice 8.0 and AJI 10.0 points, relative 10.6 and 18.0 %
    both = _verdict("18.0", "Ours > * in dice, aji (Table 1)", "18.0 % better than all others in all metrics")
    assert (both.severity, "not the best" in both.explanation) == ("inconsistent", False)
    eight = _verdict(
        "around 8", "Ours > * in dice, aji (Table 1)", "around 8 to 10 % better than others in all metrics"
    )
    assert "It fits one that is not the best, in points, in each metric, over B." in eight.explanation
    none = _verdict("20", "Ours > * in dice, aji (Table 1)", "20 % better than all others")
    assert none.explanation.endswith("No other row of the table makes it fit, either.")
    assert "alone" not in none.explanation


def test_metrics_that_fit_one_by_one_are_told():
    # over A: Dice 1.5 points, AJI 0.7, PQ 1.4
    found = _verdict("1.4", "Ours > A in dice, aji, pq (Table 1)", "1.4 % better in all metrics")
    assert (found.severity, "In points or relative to the other it fits dice and pq alone." in found.explanation) == (
        "inconsistent",
        True,
    )


def test_one_digit_is_told_of_several_metrics_where_one_suffices():
    row = "Ours > B in dice, aji (Table 1)"
    assert "differ by 8.0 points: one digit is another" in _verdict("7.0", row, "7.0 % better").explanation
    assert "one digit" not in _verdict("7.0", row, "7.0 % better in all metrics").explanation


def test_a_range_reaches_from_its_low_to_its_high_end():
    words = "an improvement of around 1% to 2% in all metrics"
    assert _verdict("around 1%", "Ours > A in dice, pq (Table 1)", words).severity == "fine"
    assert _verdict("around 1%", "Ours > B in dice, pq (Table 1)", words).severity == "inconsistent"


def test_all_metrics_means_each_in_one_reading_and_else_one_suffices():
    row = "Ours > A in dice, aji, pq (Table 1)"
    assert _verdict("1.5", row, "an improvement of 1.5 in all metrics").severity == "inconsistent"
    assert _verdict("1.5", row, "an improvement of 1.5").severity == "fine"


def _sentence(numbers, words, metrics=("dice", "aji", "pq")):
    return [_said(value, f"Ours > A in {m} (Table 1)", words) for value, m in zip(numbers, metrics, strict=True)]


def test_numbers_in_another_order_than_the_metrics_are_one_finding():
    claims = [one if one.row != "A" else replace(one, value=v) for one, v in zip(TABLE, _values(), strict=True)]
    named = _sentence(("5.8", "1.8", "3.5"), "increases of 5.8% in Dice, 1.8% in AJI and 3.5% in PQ")
    (found,) = accusations(gain, [*claims, *named])
    assert found.severity == "inconsistent"
    assert "in another order than the sentence has them: 1.8 for dice, 5.8 for aji, 3.5 for pq." in found.explanation
    open_order = _sentence(("5.8", "1.8", "3.5"), "improvements of 5.8%, 1.8% and 3.5% in the three evaluation metrics")
    (found,) = accusations(gain, [*claims, *open_order])
    assert found.severity == "unlikely"


def _values():
    return [*ROWS["Ours"], "0.820", "0.598", "0.589", *ROWS["B"]]


def test_misfits_of_one_sentence_are_one_finding_and_the_best_order_is_told():
    claims = [one if one.row != "A" else replace(one, value=v) for one, v in zip(TABLE, _values(), strict=True)]
    said = _sentence(("5.8", "2.9", "1.8"), "5.8% in Dice, 2.9% in AJI and 1.8% in PQ")
    (found,) = accusations(gain, [*claims, *said])
    assert len(found.rows) == 3 + 6
    assert found.explanation.endswith("In another order all but 1 would fit: 1.8 for dice, 5.8 for aji, 2.9 for pq.")


def test_one_misfit_that_is_said_twice_is_one_finding():
    said = [_said("5.0", location=place) for place in ("Abstract", "Conclusion")]
    (found,) = accusations(gain, [*TABLE, *said])
    assert found.location == "Abstract, Conclusion, Table 1"


def test_a_gain_in_a_distance_is_what_it_falls_by():
    claims = [made("45.4", "A", "hd95", unit="px"), made("55.1", "B", "hd95", unit="px")]
    assert _verdict("9.7", "A > B in hd95", unit="px", claims=claims).severity == "fine"
    assert _verdict("9.7", "B > A in hd95", unit="px", claims=claims).severity == "inconsistent"
    assert _verdict("17.6", "A > B in hd95", unit="percent", claims=claims).severity == "fine"


def test_gains_are_measured_by_the_mean_where_the_table_has_parts():
    claims = [
        made(value, f"{row}: {group}")
        for row, values in (("Ours", ("0.9", "0.80")), ("B", ("0.5", "0.70")))
        for group, value in zip(("Liver", "Average"), values, strict=True)
    ]
    assert _verdict("10", "Ours > B in dice", claims=claims).severity == "fine"
    assert _verdict("40", "Ours > B in dice", claims=claims).severity == "inconsistent"


def test_a_gain_over_what_no_table_has_is_not_testable():
    assert _verdict("8.0", "Ours > C in dice (Table 1)").severity == "not testable here"


def test_no_consistent_paper_is_accused():
    checked = 0
    for seed in range(30):
        found = list(gain(consistent_paper(seed)))
        assert {one.severity for one in found} == {"fine"}, seed
        checked += len(found)
    assert checked > 80


def test_a_gain_of_twice_what_is_possible_is_always_found():
    for seed in range(15):
        claims = consistent_paper(seed)
        place = next(i for i, one in enumerate(claims) if one.metric == "gain")
        claims[place] = replace(claims[place], value="103.7")
        assert [found.rows[0] for found in accusations(gain, claims)] == [claims[place].key], seed


def test_the_pair_of_rows_that_a_number_fits_is_told():
    found = _verdict("6.5", "Ours > A in dice (Table 1)", "6.5 more Dice than A")
    assert found.explanation.endswith(
        "The number fits other rows, in points: Table 1, A, dice on monuseg: 0.823, B: 0.758."
    )


@pytest.mark.thorough
def test_none_of_many_consistent_papers_is_accused_by_any_rule_on_tables_or_words():
    rules = (mean_row, scale, same_figure, ordering, gain, opposite_orderings)
    for seed in range(1000, 1200):
        claims = consistent_paper(seed)
        for check in rules:
            assert accusations(check, claims) == [], (seed, check.__name__)
