"""The same figure in two places: what is accused, how it is explained, and that no consistent paper ever is."""

from dataclasses import replace

import pytest

from histolab_lib.audit.rules.misprints import misprint
from histolab_lib.audit.rules.places import same_figure
from tests.audit_papers import accusations, consistent_paper, made


def test_a_figure_that_is_printed_twice_alike_is_fine_whatever_its_unit_and_digits():
    (found,) = same_figure(
        [made("0.758"), made("75.8", location="Text", unit="percent"), made("0.76", location="Abstract")]
    )
    assert found.severity == "fine"
    assert "printed 3 times, the same each time" in found.explanation
    assert found.location == "Table 1, Text, Abstract"


def test_a_figure_that_is_printed_once_is_not_tested():
    assert list(same_figure([made("0.758"), made("0.7", "FCN"), made("0.9", metric="iou")])) == []


def test_two_values_of_one_figure_are_inconsistent():
    (found,) = same_figure([made("0.758"), made("0.761", location="Text")])
    assert (found.severity, found.values) == ("inconsistent", ("0.758", "0.761"))


def test_figures_averaged_in_two_ways_or_over_other_images_are_two():
    one = made("0.758", averaging="pooled")
    assert list(same_figure([one, made("0.761", location="Text", averaging="per_image")])) == []
    assert list(same_figure([replace(one, images=14), replace(one, images=30, location="Text", value="0.7")])) == []
    (found,) = same_figure([one, made("0.81", location="Text")])
    assert found.severity == "unlikely"


def test_the_mean_over_groups_and_the_whole_are_one_figure():
    claims = [
        made("0.758", "U-Net: Average", averaging="per_group"),
        made("0.768", location="Text", averaging="per_group"),
    ]
    assert [one.severity for one in same_figure(claims)] == ["inconsistent"]
    parts = [made("0.758", "U-Net: Liver"), made("0.768", location="Text")]
    assert list(same_figure(parts)) == []


def test_columns_that_are_exchanged_are_one_finding_for_all_their_rows():
    claims = [
        made(value, row, metric, place)
        for row, first, second in (("A", "0.91", "0.82"), ("B", "0.88", "0.79"))
        for place, values in (("Table 1", (first, second)), ("Table 2", (second, first)))
        for metric, value in zip(("precision", "recall"), values, strict=True)
    ]
    (found,) = accusations(same_figure, claims)
    assert found.severity == "inconsistent"
    assert len(found.rows) == 8
    assert "In Table 2 the columns precision and recall stand the other way round than in Table 1" in found.explanation


def test_clashes_between_other_places_are_no_exchange():
    claims = [made(v, metric="precision", location=place) for v, place in (("0.91", "Table 1"), ("0.82", "Table 2"))]
    claims += [made(v, metric="recall", location=place) for v, place in (("0.82", "Table 3"), ("0.91", "Table 4"))]
    assert [len(one.rows) for one in accusations(same_figure, claims)] == [2, 2]


def test_a_third_place_tells_which_of_two_is_right():
    claims = [
        made(value, metric=metric, location=place)
        for place, values in (("Table 1", ("0.91", "0.82")), ("Table 2", ("0.82", "0.91")), ("Text", ("0.912",)))
        for metric, value in zip(("precision", "recall"), values, strict=False)
    ]
    (found,) = accusations(same_figure, claims)
    assert found.explanation.endswith("Text agrees with Table 1.")
    assert len(found.rows) == 5


@pytest.mark.parametrize(("field", "values"), [("row", ("A", "B")), ("dataset", ("monuseg", "tnbc"))])
def test_rows_and_data_sets_that_are_exchanged_are_told(field, values):
    claims = []
    for place, numbers in (("Table 1", ("0.91", "0.82")), ("Text", ("0.82", "0.91"))):
        for value, number in zip(values, numbers, strict=True):
            claims.append(replace(made(number, location=place), **{field: value}))
    (found,) = accusations(same_figure, claims)
    assert "stand the other way round" in found.explanation
    assert len(found.rows) == 4


def test_clashes_of_several_metrics_of_one_row_between_two_places_are_one_finding():
    claims = [made("512", "", m, "Section 1", unit="px", averaging="") for m in ("width_px", "height_px")]
    claims += [replace(one, location="Section 2", value="600") for one in claims]
    claims += [replace(claims[0], location="Section 2", dataset="cpm17")]
    (found,) = accusations(same_figure, claims)
    assert found.values == ("512", "600", "512", "600")
    assert found.explanation.endswith("Section 2 has 512 for another: width_px on cpm17: 512.")


def test_counts_that_three_sections_give_differently_are_one_finding():
    claims = [made(v, "", "images", f"Section {v}", unit="count", averaging="") for v in ("30", "25", "35", "30 ")]
    (found,) = accusations(same_figure, claims)
    assert found.values == ("30", "25", "35", "30 ")


@pytest.mark.parametrize(
    ("value", "unit", "severity", "words"),
    [
        ("8.95", "percent", "inconsistent", "They have the same digits: in one the point is displaced."),
        ("0.859", "fraction", "inconsistent", "Two neighbouring digits are exchanged."),
        ("0.795", "fraction", "inconsistent", "They differ in one digit."),
        ("0.8895", "fraction", "inconsistent", "One has lost a digit."),
        ("0.89", "fraction", "fine", ""),
        ("0.8957", "fraction", "unlikely", "They agree if one was cut off, not rounded."),
        ("0.712", "fraction", "inconsistent", ""),
    ],
)
def test_slips_of_the_pen_are_named(value, unit, severity, words):
    (found,) = same_figure([made("0.895"), made(value, location="Text", unit=unit)])
    assert found.severity == severity
    assert words in found.explanation


def test_a_count_that_lost_a_zero_lost_a_digit():
    one = made("100,000", metric="width_px", unit="px", averaging="")
    assert misprint(one, replace(one, value="100,00")) == "lost"
    assert misprint(one, replace(one, value="7")) == ""


def test_words_and_lost_cells_are_no_figures():
    lost = [made("unreadable"), made("unreadable", location="Text")]
    words = [made("breast", metric="organ", unit="none", location=place) for place in ("Text", "Abstract")]
    assert list(same_figure(lost + words)) == []


def test_no_consistent_paper_is_accused():
    checked = 0
    for seed in range(30):
        found = list(same_figure(consistent_paper(seed)))
        assert {one.severity for one in found} <= {"fine"}, seed
        checked += len(found)
    assert checked > 200


def test_a_planted_change_beyond_rounding_is_always_found():
    for seed in range(20):
        claims = consistent_paper(seed)
        place = next(i for i, one in enumerate(claims) if one.location == "Table 2")
        one = claims[place]
        claims[place] = replace(one, value=str(one.number * 11 / 10))
        assert any(claims[place].key in found.rows for found in accusations(same_figure, claims)), seed


def test_planted_exchanges_of_two_columns_are_always_explained():
    for seed in range(20):
        claims = consistent_paper(seed)
        table = [one for one in claims if one.location == "Table 2" and one.dataset == claims[0].dataset]
        first, second = list(dict.fromkeys(one.metric for one in table))[:2]
        other = {first: second, second: first}
        claims = [replace(one, metric=other.get(one.metric, one.metric)) if one in table else one for one in claims]
        found = accusations(same_figure, claims)
        assert found
        assert all("stand the other way round" in one.explanation for one in found), seed
