"""Scores of the gland challenge against masks and loops, and what their two released programs disagree on."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histolab_lib.metrics import contingency, object_dice, object_f1
from tests.literal import maps
from tests.literal import metrics as literal
from tests.literal.examples import EXAMPLES

NOTHING = np.zeros((3, 4), int)
SCENE = maps.grid("1102/1102/0002")


@pytest.mark.parametrize("name", EXAMPLES)
def test_maps_counted_by_hand(name):
    true, pred, expected = EXAMPLES[name]
    found = object_f1(true, pred, empty="one")
    assert found[3:] == expected["gland_tp_fp_fn"]
    assert found.f1 == pytest.approx(float(expected["gland_f1"]), abs=1e-12)
    assert object_dice(true, pred, empty="one") == pytest.approx(float(expected["object_dice"]), abs=1e-12)


@settings(deadline=None, max_examples=200)
@given(maps.pairs(), st.sampled_from(["unmatched", "unpointed"]))
def test_equal_masks_and_loops(pair, fn):
    np.testing.assert_allclose(object_f1(*pair, fn=fn), literal.object_f1(*pair, fn), rtol=0, atol=1e-9)
    np.testing.assert_allclose(object_dice(*pair), literal.object_dice(*pair), rtol=0, atol=1e-9)


@settings(deadline=None)
@given(maps.pairs())
def test_a_table_gives_what_the_maps_give(pair):
    table = contingency(*pair)
    np.testing.assert_array_equal(object_f1(table), object_f1(*pair))
    np.testing.assert_array_equal(object_dice(table), object_dice(*pair))


@settings(deadline=None)
@given(maps.pairs())
def test_object_dice_does_not_mind_the_order_and_both_are_1_for_identical_maps(pair):
    true, pred = pair
    np.testing.assert_allclose(object_dice(pred, true), object_dice(true, pred), rtol=0, atol=1e-12)
    assert object_dice(true, true, empty="one") == pytest.approx(1, abs=1e-12)
    assert object_f1(true, true, empty="one")[:3] == (1, 1, 1)


@settings(deadline=None)
@given(maps.pairs())
def test_the_newer_rule_accounts_for_every_object_and_the_older_misses_no_more(pair):
    newer, older, table = object_f1(*pair), object_f1(*pair, fn="unpointed"), contingency(*pair)
    assert newer.tp + newer.fn == table.true_ids.size
    assert newer.tp + newer.fp == table.pred_ids.size
    assert (older.tp, older.fp) == (newer.tp, newer.fp)
    assert 0 <= older.fn <= newer.fn


@settings(deadline=None)
@given(maps.pairs())
def test_gaps_turns_and_padding_change_nothing(pair):
    true, pred = (each.astype(np.int64) for each in pair)
    for variant in [(5 * true, 1000 * pred), (np.rot90(true), np.rot90(pred)), (np.pad(true, 2), np.pad(pred, 2))]:
        np.testing.assert_allclose(object_f1(*variant), object_f1(true, pred), rtol=0, atol=1e-12)
        np.testing.assert_allclose(object_dice(*variant), object_dice(true, pred), rtol=0, atol=1e-12)


def test_a_gland_pointed_to_but_half_covered_is_missed_by_one_rule_only():
    true, pred, _ = EXAMPLES["IoU exactly 1/2, and a gap"]
    assert object_f1(true, pred) == (1 / 3, 1 / 3, 1 / 3, 1, 2, 2)
    assert object_f1(true, pred, fn="unpointed") == (0.4, 1 / 3, 0.5, 1, 2, 1)


def test_two_exact_halves_find_no_gland():
    true, pred, _ = EXAMPLES["equal halves"]
    assert object_f1(true, pred)[3:] == (0, 2, 1)
    assert object_f1(true, maps.grid("2223/2233/0000/0000"))[3:] == (1, 1, 0)


def test_a_blob_over_everything_finds_its_largest_gland():
    true = maps.grid("1102/1102/0002/3333")
    assert object_f1(true, np.ones((4, 4), int))[3:] == (1, 0, 2)


def test_equal_shares_point_to_the_lowest_id_and_that_changes_the_value():
    small_first, large_first, pred = maps.grid("11220/00220"), maps.grid("22110/00110"), maps.grid("11110/00000")
    assert object_f1(small_first, pred)[3:] == (1, 0, 1)
    assert object_f1(large_first, pred)[3:] == (0, 1, 2)
    assert object_dice(small_first, pred) == pytest.approx(11 / 18, abs=1e-12)
    assert object_dice(large_first, pred) == pytest.approx(19 / 36, abs=1e-12)


def test_background_is_nobodys_partner():
    true, pred, _ = EXAMPLES["prediction mostly on background"]
    assert object_dice(true, pred) == pytest.approx(2 / 7, abs=1e-12)


def test_the_order_of_the_maps_matters_for_f1():
    true, pred, _ = EXAMPLES["equal halves"]
    assert object_f1(true, pred).f1 == 0
    assert object_f1(pred, true).f1 == pytest.approx(2 / 3, abs=1e-12)


@pytest.mark.parametrize("metric", [object_dice, lambda *a, **k: object_f1(*a, **k)[:3]])
@pytest.mark.parametrize(("empty", "worth"), [("nan", math.nan), ("one", 1.0), ("zero", 0.0)])
@pytest.mark.parametrize("reduction", ["mean", "pooled", "none"])
def test_empty_maps_follow_the_policy_and_never_fail(metric, empty, worth, reduction):
    how = {"empty": empty, "reduction": reduction}
    for value in np.ravel(metric(NOTHING, NOTHING, **how)):
        np.testing.assert_array_equal(value, worth)
    assert not np.any(metric(SCENE, NOTHING, **how))
    assert not np.any(metric(NOTHING, SCENE, **how))


def test_pooled_object_dice_weighs_areas_over_the_whole_set():
    true, pred = [maps.grid("1111"), maps.grid("1100")], [maps.grid("1111"), maps.grid("0110")]
    np.testing.assert_allclose(object_dice(true, pred, reduction="none"), [1, 0.5])
    assert object_dice(true, pred) == pytest.approx(0.75, abs=1e-12)
    assert object_dice(true, pred, reduction="pooled") == pytest.approx((4 * 1 + 2 * 0.5) / 6, abs=1e-12)


def test_pooled_f1_sums_counts_and_each_image_can_be_had():
    true, pred = [SCENE, SCENE, NOTHING], [SCENE, maps.grid("0000/0000/3300"), NOTHING]
    assert object_f1(true, pred, reduction="pooled") == (4 / 7, 2 / 3, 0.5, 2, 1, 2)
    assert object_f1(true, pred) == (0.5, 0.5, 0.5, 2, 1, 2)
    np.testing.assert_array_equal(object_f1(true, pred, reduction="none").fn, [0, 2, 0])


def test_unknown_rules_are_refused_with_the_allowed_ones():
    with pytest.raises(ValueError, match=r"fn: got 'older', allowed are 'unmatched', 'unpointed'"):
        object_f1(SCENE, SCENE, fn="older")
