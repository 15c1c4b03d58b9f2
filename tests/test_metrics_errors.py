"""Every object gets one class: hand-made cases, a literal version on sets of pixels, and counts that add up."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histolab_lib.metrics import ERROR_NAMES, errors
from tests.literal import distances as literal
from tests.literal import maps
from tests.literal import metrics as counted

# name: true, predicted, {true id: class}, {predicted id: class}
BY_HAND = {
    "IoU exactly 1/2 is no match": (
        "11000/11022/00022/33000/33000",
        "11100/11102/00002/00000/00444",
        {1: "matched", 2: "missed", 3: "missed"},
        {1: "matched", 2: "false", 4: "false"},
    ),
    "one prediction over two": ("11022/11022", "11111/11111", {1: "merged", 2: "merged"}, {1: "merged"}),
    "equal halves": ("1111/1111", "2233/2233", {1: "split"}, {2: "split", 3: "split"}),
    "a good outline that swallows a neighbour": (
        "111110/111110/000002",
        "333330/333333/000003",
        {1: "matched", 2: "merged"},
        {3: "matched"},
    ),
    "a fragment beside a good match": ("11111", "66667", {1: "matched"}, {6: "matched", 7: "split"}),
    "prediction far too large": ("0100", "5555", {1: "missed"}, {5: "false"}),
    "prediction far too small": ("1111", "0500", {1: "missed"}, {5: "false"}),
    "both merged and split is merged": (
        "1111111222",
        "5555346555",
        {1: "merged", 2: "merged"},
        {3: "split", 4: "split", 5: "merged", 6: "split"},
    ),
    "half of an object does not hold it": ("1122", "0330", {1: "missed", 2: "missed"}, {3: "false"}),
    "two pieces are one object": ("101", "202", {1: "matched"}, {2: "matched"}),
    "both empty": ("000", "000", {}, {}),
    "no true object": ("000", "220", {}, {2: "false"}),
    "no prediction": ("110", "000", {1: "missed"}, {}),
}


def classes(found):
    named = [(found.true_ids, found.true_codes), (found.pred_ids, found.pred_codes)]
    return tuple(
        {number: ERROR_NAMES[code] for number, code in zip(ids.tolist(), codes.tolist(), strict=True)}
        for ids, codes in named
    )


@pytest.mark.parametrize("name", BY_HAND)
def test_maps_judged_by_hand(name):
    true, pred, *expected = BY_HAND[name]
    assert classes(errors(maps.grid(true), maps.grid(pred))) == tuple(expected)


@settings(deadline=None, max_examples=300)
@given(maps.pairs())
def test_equals_sets_of_pixels(pair):
    assert classes(errors(*pair)) == literal.error_classes(*pair)


thresholds = st.sampled_from([Fraction(1, 2), Fraction(3, 5), Fraction(2, 3), Fraction(3, 4), Fraction(9, 10)])


@settings(deadline=None)
@given(maps.pairs(), thresholds, thresholds)
def test_both_thresholds_are_strict_and_take_effect(pair, match_iou, cover):
    found = errors(*pair, match_iou=float(match_iou), cover=float(cover))
    assert classes(found) == literal.error_classes(*pair, match_iou, cover)


@settings(deadline=None)
@given(maps.pairs())
def test_counts_add_up_to_all_objects_and_as_many_are_matched_on_either_side(pair):
    found = errors(*pair)
    assert list(found.true_counts) == ["matched", "missed", "split", "merged"]
    assert list(found.pred_counts) == ["matched", "false", "split", "merged"]
    assert sum(found.true_counts.values()) == len(counted.ids_of(pair[0])) == found.true_codes.size
    assert sum(found.pred_counts.values()) == len(counted.ids_of(pair[1])) == found.pred_codes.size
    assert found.true_counts["matched"] == found.pred_counts["matched"]


@settings(deadline=None)
@given(maps.pairs())
def test_maps_are_filled_with_the_classes_of_their_objects(pair):
    found = errors(*pair)
    for labels, drawn, of_id in zip(pair, (found.true_map, found.pred_map), classes(found), strict=True):
        assert drawn.dtype == np.uint8
        expected = [[ERROR_NAMES.index(of_id[n]) if (n := int(value)) else 0 for value in row] for row in labels]
        np.testing.assert_array_equal(drawn, np.array(expected).reshape(labels.shape))
    for place in np.ndindex(found.map.shape):
        assert found.map[place] == (found.true_map[place] or found.pred_map[place])


def test_what_splits_from_one_side_merges_from_the_other():
    whole, halves = maps.grid("1111/1111"), maps.grid("2233/2233")
    assert errors(whole, halves).true_counts["split"] == errors(halves, whole).pred_counts["merged"] == 1


def test_a_map_without_pixels_has_no_errors():
    found = errors(np.zeros((0, 3), int), np.zeros((0, 3), int))
    assert found.map.shape == (0, 3)
    assert not any(found.true_counts.values())


GOOD = np.zeros((2, 3), int)


@pytest.mark.parametrize(
    ("true", "pred", "error", "words"),
    [
        (GOOD, np.full((2, 3), np.nan), TypeError, r"pred: expected an integer or bool array .* got float64 \(2, 3\)"),
        ([GOOD], [GOOD], TypeError, r"true: expected an integer or bool array .* got list"),
        (GOOD[0], GOOD[0], ValueError, r"true: .* got int64 \(3,\)"),
        (GOOD, GOOD.T, ValueError, r"one shape, got true int64 \(2, 3\) and pred int64 \(3, 2\)"),
        (GOOD, GOOD - 3, ValueError, r"pred: ids must not be negative, got -3"),
    ],
)
def test_what_is_no_pair_of_maps_is_refused_by_name(true, pred, error, words):
    with pytest.raises(error, match=words):
        errors(true, pred)


@pytest.mark.parametrize("name", ["match_iou", "cover"])
@pytest.mark.parametrize("value", [0.49, 1.0, -1, float("nan")])
def test_a_threshold_at_which_an_object_could_have_two_partners_is_refused(name, value):
    with pytest.raises(ValueError, match=f"{name}: must be at least 0.5 and below 1, got {value}"):
        errors(GOOD, GOOD, **{name: value})


@pytest.mark.parametrize("value", ["0.5", None, True])
def test_a_threshold_is_a_number(value):
    with pytest.raises(TypeError, match=f"cover: expected a number, got {type(value).__name__}"):
        errors(GOOD, GOOD, cover=value)
