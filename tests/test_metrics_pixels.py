import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histolab_lib.metrics import aji, contingency, dice, iou, precision_recall_f1
from tests.literal import maps
from tests.literal import metrics as literal

TRUE = np.array([[1, 1, 0], [0, 0, 0]])
PRED = np.array([[0, 5, 5], [0, 5, 5]])
NOTHING = np.zeros((2, 3), int)


@settings(deadline=None)
@given(maps.pairs())
def test_equal_counting_pixel_by_pixel(pair):
    ours = dice(*pair), iou(*pair), *precision_recall_f1(*pair)
    f1 = literal.dice(*pair)
    expected = f1, literal.iou(*pair), literal.precision(*pair), literal.recall(*pair), f1
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-12)


@settings(deadline=None)
@given(maps.pairs())
def test_one_table_gives_what_the_maps_give(pair):
    table = contingency(*pair)
    np.testing.assert_array_equal(dice(table), dice(*pair))
    np.testing.assert_array_equal(iou(table), iou(*pair))
    np.testing.assert_array_equal(precision_recall_f1(table), precision_recall_f1(*pair))


@settings(deadline=None)
@given(maps.pairs())
def test_dice_follows_from_iou_and_swapping_exchanges_precision_and_recall(pair):
    true, pred = pair
    jaccard = iou(true, pred)
    np.testing.assert_allclose(dice(true, pred), 2 * jaccard / (1 + jaccard), rtol=0, atol=1e-12)
    np.testing.assert_array_equal((dice(pred, true), iou(pred, true)), (dice(true, pred), jaccard))
    forth, back = precision_recall_f1(true, pred), precision_recall_f1(pred, true)
    np.testing.assert_array_equal(forth, (back.recall, back.precision, back.f1))


def test_a_bool_mask_is_not_added_but_intersected():
    true, pred = np.array([[True, True, False]]), np.array([[False, True, True]])
    assert dice(true, pred) == 0.5


@pytest.mark.parametrize("metric", [dice, iou, aji, lambda *a, **k: precision_recall_f1(*a, **k).precision])
@pytest.mark.parametrize(("empty", "worth"), [("nan", math.nan), ("one", 1.0), ("zero", 0.0)])
def test_two_empty_maps_follow_the_policy_and_one_empty_map_scores_0(metric, empty, worth):
    for reduction in ("mean", "pooled"):
        value = metric(NOTHING, NOTHING, empty=empty, reduction=reduction)
        assert isinstance(value, float)
        np.testing.assert_array_equal(value, worth)
        assert metric(TRUE, NOTHING, empty=empty, reduction=reduction) == 0
        assert metric(NOTHING, TRUE, empty=empty, reduction=reduction) == 0


def test_the_policy_decides_what_a_mean_counts():
    true, pred = [TRUE, TRUE, NOTHING], [PRED, TRUE, NOTHING]
    assert dice(true, pred) == pytest.approx((1 / 3 + 1) / 2, abs=1e-12)
    assert dice(true, pred, empty="one") == pytest.approx((1 / 3 + 1 + 1) / 3, abs=1e-12)
    assert dice(true, pred, empty="zero") == pytest.approx((1 / 3 + 1) / 3, abs=1e-12)


@pytest.mark.parametrize("empty", ["nan", "one", "zero"])
def test_pooling_sums_pixels_so_that_empty_images_have_no_say(empty):
    true, pred = [TRUE, TRUE, NOTHING], [PRED, TRUE, NOTHING]
    assert dice(true, pred, empty=empty, reduction="pooled") == pytest.approx(6 / 10, abs=1e-12)
    assert iou(true, pred, empty=empty, reduction="pooled") == pytest.approx(3 / 7, abs=1e-12)


def test_none_gives_one_score_for_each_image_so_that_left_out_ones_can_be_counted():
    scores = dice([TRUE, TRUE, NOTHING], [PRED, TRUE, NOTHING], reduction="none")
    np.testing.assert_allclose(scores, [1 / 3, 1, np.nan])
    assert dice(TRUE, PRED, reduction="none").shape == (1,)
    three = precision_recall_f1([TRUE, TRUE], [PRED, TRUE], reduction="none")
    np.testing.assert_allclose(three, [[1 / 4, 1], [1 / 2, 1], [1 / 3, 1]])


@settings(deadline=None)
@given(st.lists(maps.pairs(), min_size=1, max_size=4), st.sampled_from(["nan", "one", "zero"]))
def test_a_batch_is_the_mean_of_its_images_whether_of_maps_or_of_tables(batch, empty):
    true, pred = (list(column) for column in zip(*batch, strict=True))
    single = np.array([dice(t, p, empty=empty) for t, p in batch])
    left = single[~np.isnan(single)]
    expected = left.mean() if left.size else np.nan
    tables = tuple(contingency(t, p) for t, p in batch)
    for value in (dice(true, pred, empty=empty), dice(tables, empty=empty)):
        np.testing.assert_allclose(value, expected, rtol=0, atol=1e-12)
    joined = [np.concatenate([np.ravel(each) > 0 for each in column])[None] for column in (true, pred)]
    np.testing.assert_allclose(
        dice(true, pred, empty=empty, reduction="pooled"), dice(*joined, empty=empty), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("metric", [dice, iou, precision_recall_f1, aji])
def test_unknown_policies_are_refused_with_the_allowed_ones(metric):
    with pytest.raises(ValueError, match=r"empty: got 'skip', allowed are 'nan', 'one', 'zero'"):
        metric(TRUE, PRED, empty="skip")
    with pytest.raises(ValueError, match=r"reduction: got 'sum', allowed are 'mean', 'pooled', 'none'"):
        metric(TRUE, PRED, reduction="sum")


@pytest.mark.parametrize("metric", [dice, iou, precision_recall_f1, aji])
@pytest.mark.parametrize(
    ("true", "pred", "error", "words"),
    [
        ([], [], ValueError, "true: an empty batch has no score"),
        ([TRUE, TRUE], [PRED], ValueError, "pred: expected a list of 2 maps, as true is, got 1 maps"),
        ([TRUE], PRED, ValueError, "pred: expected a list of 1 maps, as true is, got one ndarray"),
        ([TRUE, TRUE], [PRED, PRED.T], ValueError, "image 1 of 2: true and pred must have one shape"),
        ([TRUE], [PRED / 2], TypeError, r"image 0 of 1: pred: .* got float64 \(2, 3\)"),
        (TRUE, PRED / 2, TypeError, r"^pred: .* threshold probabilities first"),
        (TRUE, None, TypeError, "pred: missing; expected a map like true, .* .or one Contingency"),
        (contingency(TRUE, PRED), PRED, TypeError, "pred: a Contingency holds both maps already"),
        (TRUE, contingency(TRUE, PRED), TypeError, "pred: expected .* got Contingency"),
        (TRUE - 3, PRED, ValueError, "true: ids must not be negative, got -3"),
    ],
)
def test_bad_input_is_refused_by_name_and_place(metric, true, pred, error, words):
    with pytest.raises(error, match=words):
        metric(true, pred)
