"""The exhibits: each does what the released program does, and differs from the score it is named after as claimed."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from histolab_lib.metrics import aji, aji_plus, dice, iou, legacy, panoptic_quality, precision_recall_f1
from histolab_lib.metrics.legacy.glands import _hausdorff
from tests.literal import maps
from tests.literal import metrics as literal

pytestmark = pytest.mark.thorough

GAP = (maps.grid("11000/11022/00022/33000/33000"), maps.grid("11100/11102/00002/00000/00444"))
MERGE = (maps.grid("11022/11022/11022/00000"), maps.grid("11111/11111/11111/00000"))
HALVES = (maps.grid("1111/1111/0000/0000"), maps.grid("2233/2233/0000/0000"))
CROSSED = (maps.grid("2220/1111/1110/1110"), maps.grid("1110/1111/1110/2220"))
BESIDE = (maps.grid("11000/11000/00000/00000"), maps.grid("00000/01110/00000/00000"))
APART = (maps.grid("11000/11000/00000/00000/00002"), maps.grid("00000/00000/00700/00000/00000"))
TIE = (maps.grid("1110/0000/0000"), maps.grid("5888/0008/0008"))


def sparse_masks():
    """64 x 64 pixels, 416 foreground in each, 47 of them shared: about what two random masks of 10 % have."""
    true, pred = np.zeros(4096, int), np.zeros(4096, int)
    true[:416] = 1
    pred[416 - 47 : 832 - 47] = 1
    return true.reshape(64, 64), pred.reshape(64, 64)


def masks():
    shape = st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 6))
    return shape.flatmap(lambda s: st.tuples(*[arrays.arrays(np.int64, s, elements=st.integers(0, 1))] * 2))


# HistoSeg


@given(masks())
def test_histoseg_s_dice_is_one_half_plus_half_the_accuracy(pair):
    true, pred = pair
    accuracy = np.mean(true == pred)
    assert legacy.histoseg_dice(true, pred) == pytest.approx((1 + accuracy) / 2, abs=1e-12)


def test_histoseg_s_dice_of_sparse_masks_is_0_91_where_dice_is_0_11():
    true, pred = sparse_masks()
    assert legacy.histoseg_dice(true, pred) == pytest.approx(0.909912109375, abs=1e-12)
    assert dice(true, pred) == pytest.approx(0.11298076923076923, abs=1e-12)


@given(masks())
def test_histoseg_s_mean_iou_counts_a_pixel_only_where_the_probability_is_exactly_1(pair):
    true, pred = pair
    empty = legacy.histoseg_mean_iou(true, 0 * pred)
    assert legacy.histoseg_mean_iou(true, 0.999 * pred) == empty
    if true.any() and not true.all():
        assert empty == pytest.approx((1 - true.mean()) / 2, abs=1e-12)


@given(masks())
def test_histoseg_s_mean_iou_of_binary_maps_averages_background_in(pair):
    true, pred = pair
    flat = true.reshape(1, -1), pred.reshape(1, -1)
    both = [iou(*flat), iou(1 - flat[0], 1 - flat[1])]  # NaN for a class that neither map holds
    assert legacy.histoseg_mean_iou(true, pred) == pytest.approx(np.nanmean(both), abs=1e-12)


@settings(deadline=None)
@given(masks())
def test_histoseg_s_f1_is_pooled_within_a_batch_and_averaged_over_batches(pair):
    true, pred = pair
    pooled = dice(list(true), list(pred), empty="zero", reduction="pooled")
    single = dice(list(true), list(pred), empty="zero")
    assert legacy.histoseg_f1(true, pred) == pytest.approx(pooled, abs=1e-5)
    assert legacy.histoseg_f1(true, pred, batch=1) == pytest.approx(single, abs=1e-5)


def test_histoseg_s_f1_weighs_a_last_small_batch_like_a_full_one():
    true = np.ones((5, 2, 2))
    pred = true.copy()
    pred[4] = 0
    assert legacy.histoseg_f1(true, pred, batch=4) == pytest.approx(0.5, abs=1e-5)
    assert legacy.histoseg_f1(true, pred, batch=5) == pytest.approx(2 * 16 / 36, abs=1e-5)


# DAN-NucNet


def test_dan_nucnet_s_jaccard_of_sparse_masks_is_17_percent_where_it_is_6():
    true, pred = sparse_masks()
    assert legacy.dan_nucnet_jaccard(true, pred) == pytest.approx(16.610169491525422, abs=1e-10)
    assert 100 * iou(true, pred) == pytest.approx(5.987261146496815, abs=1e-10)
    assert legacy.dan_nucnet_jaccard(0 * true, 0 * pred) == 100


@given(masks())
def test_dan_nucnet_s_jaccard_is_never_below_the_iou(pair):
    true, pred = (each[0] for each in pair)
    assert legacy.dan_nucnet_jaccard(true, pred) >= 100 * iou(true, pred, empty="one") - 1e-9


@given(masks())
def test_dan_nucnet_s_precision_is_the_recall_and_the_other_way_round(pair):
    true, pred = (each[0] for each in pair)
    precision, recall, _ = precision_recall_f1(true, pred, empty="zero")
    assert legacy.dan_nucnet_precision(true, pred) == pytest.approx(100 * recall, abs=1e-9)
    assert legacy.dan_nucnet_recall(true, pred) == pytest.approx(100 * precision, abs=1e-9)


@settings(deadline=None)
@given(st.lists(st.integers(0, 16), min_size=1, max_size=6))
def test_dan_nucnet_s_averages_are_plain_means_where_nothing_fails(shifts):
    true = [np.eye(4, dtype=int) | (np.arange(16).reshape(4, 4) == 5)] * len(shifts)
    pred = [(np.arange(16).reshape(4, 4) >= shift) | np.eye(4, dtype=bool) for shift in shifts]
    row = legacy.dan_nucnet_averages(true, pred)
    assert row.images == len(shifts)
    assert row.f1 == pytest.approx(100 * dice(true, pred), abs=1e-4)
    jaccard = np.mean([legacy.dan_nucnet_jaccard(*pair) for pair in zip(true, pred, strict=True)])
    assert row.jaccard == pytest.approx(jaccard, abs=1e-4)


def test_dan_nucnet_drops_a_missed_image_in_the_middle():
    found, nothing = np.ones((4, 4), int), np.zeros((4, 4), int)
    row = legacy.dan_nucnet_averages([found] * 3, [found, nothing, found])
    assert row == (100, 100, 100, 100, 2)


def test_dan_nucnet_keeps_the_jaccard_of_a_missed_last_image():
    found, nothing = np.ones((4, 4), int), np.zeros((4, 4), int)
    row = legacy.dan_nucnet_averages([found] * 2, [found, nothing])
    assert row.images == 1
    assert row.f1 == 100
    assert row.jaccard == pytest.approx(100 + 100 * 100 / 116, abs=1e-4)


def test_dan_nucnet_takes_two_places_back_for_an_empty_image_at_the_start():
    found, nothing = np.ones((4, 4), int), np.zeros((4, 4), int)
    row = legacy.dan_nucnet_averages([nothing, found, found], [nothing, found, found])
    assert row == (200, 200, 200, 200, 1)  # the first one found fills the last place, and is in no divisor


# HARU-Net


@settings(deadline=None)
@given(maps.pairs())
def test_haru_net_s_aji_is_aji_plus_where_one_pairing_is_best(pair):
    score, shared = literal.jaccards(*pair), literal.overlaps(*pair)
    assume(len(score) <= 8)  # every matching is tried
    reached = [(sum(score[p] for p in m), sum(shared[p] for p in m)) for m in literal.matchings(list(score))]
    best = max(total for total, _ in reached)
    if len({pixels for total, pixels in reached if total > best - 1e-4}) == 1:
        np.testing.assert_allclose(legacy.haru_net_aji(*pair), aji_plus(*pair), rtol=0, atol=1e-12)


def test_haru_net_s_aji_is_not_aji():
    assert legacy.haru_net_aji(*MERGE) == pytest.approx(2 / 7, abs=1e-12)
    assert aji(*MERGE) == pytest.approx(2 / 5, abs=1e-12)


@settings(deadline=None)
@given(maps.pairs())
def test_haru_net_s_pq_is_too_small_by_a_millionth(pair):
    true, pred = pair
    if not (true.any() or pred.any()):
        with pytest.raises(ZeroDivisionError):
            legacy.haru_net_pq(true, pred)
        return
    exact = panoptic_quality(true, pred)
    assert legacy.haru_net_pq(true, pred) == pytest.approx(exact.pq * exact.tp / (exact.tp + 1e-6), abs=1e-12)


@settings(deadline=None)
@given(maps.pairs())
def test_haru_net_s_first_pq_and_its_dice_are_dice(pair):
    true, pred = pair
    np.testing.assert_allclose(legacy.haru_net_first_pq(true, pred), dice(true, pred), rtol=0, atol=1e-12)
    if np.any((true != 0) & (pred != 0)):
        assert legacy.haru_net_dice(true, pred) == pytest.approx(dice(true, pred), abs=1e-12)
    else:
        assert np.isnan(legacy.haru_net_dice(true, pred))


def test_one_missed_image_makes_haru_net_s_mean_nan():
    true, pred = GAP
    row = legacy.haru_net_averages([true, true], [pred, 0 * pred])
    assert np.isnan(row.dice)
    assert row.aji == pytest.approx(aji_plus(true, pred) / 2, abs=1e-12)
    assert row.pq == pytest.approx(panoptic_quality(true, pred).pq / 2, abs=1e-5)


# GlaS


def test_background_in_the_mode_changes_object_dice_and_hausdorff():
    true, pred = BESIDE
    assert legacy.glas_port_object_dice(true, pred) == pytest.approx(0.24812030075187969, abs=1e-12)
    assert literal.object_dice(true, pred) == pytest.approx(2 / 7, abs=1e-12)
    assert _hausdorff(pred == 1, true == 0) == pytest.approx(2.23606797749979, abs=1e-12)
    assert _hausdorff(pred == 1, true == 1) == 2
    assert legacy.glas_port_object_hausdorff(true, pred) == pytest.approx((5**0.5 + 13**0.5) / 2, abs=1e-12)


@settings(deadline=None)
@given(maps.pairs())
def test_the_port_is_right_where_no_object_lies_mostly_on_background(pair):
    true, pred = pair
    mostly = any(
        np.count_nonzero(other[one == number] == 0) >= max(np.unique(other[one == number], return_counts=True)[1])
        for one, other in ((true, pred), (pred, true))
        for number in literal.ids_of(one)
        if np.any(other[one == number] == 0)
    )
    if not mostly and true.any() and pred.any():
        assert legacy.glas_port_object_dice(true, pred) == pytest.approx(literal.object_dice(true, pred), abs=1e-12)


def test_the_port_has_no_distance_for_a_map_without_object():
    true, _ = BESIDE
    with pytest.raises(ValueError, match="each map needs an object"):
        legacy.glas_port_object_hausdorff(true, 0 * true)
    assert legacy.glas_port_object_dice(true, 0 * true) == 0
    assert legacy.glas_port_object_dice(0 * true, 0 * true) == 1


def test_at_least_half_counts_two_halves_of_one_gland_as_two():
    assert legacy.glas_f1_from_half(*HALVES) == (2, 0, -1, pytest.approx(4 / 3, abs=1e-12))
    assert literal.object_f1(*HALVES)[3:] == (0, 2, 1)


@settings(deadline=None)
@given(maps.pairs())
def test_at_least_half_finds_no_fewer_than_more_than_half(pair):
    true, pred = pair
    if true.any() or pred.any():
        tp, fp, fn, _ = legacy.glas_f1_from_half(true, pred)
        assert tp >= literal.object_f1(true, pred)[3]
        assert tp + fp == len(literal.ids_of(pred))
        assert tp + fn == len(literal.ids_of(true))


# Nuclei


def test_the_pseudo_code_read_literally_punishes_a_miss_twice():
    assert legacy.kumar_pseudocode_aji(*GAP) == pytest.approx(6 / 23, abs=1e-12)
    assert aji(*GAP) == pytest.approx(6 / 17, abs=1e-12)
    assert legacy.kumar_pseudocode_aji(*APART) == aji(*APART) == 0


@settings(deadline=None)
@given(maps.pairs())
def test_the_pseudo_code_is_right_where_no_nucleus_is_missed(pair):
    true, pred = pair
    _, _, took = literal.aji_counts(true, pred)
    if not pred.any():
        with pytest.raises(ValueError, match="holds no object"):
            legacy.kumar_pseudocode_aji(true, pred)
    elif None not in took.values():
        assert legacy.kumar_pseudocode_aji(true, pred) == pytest.approx(aji(true, pred), abs=1e-12)
    else:
        assert legacy.kumar_pseudocode_aji(true, pred) <= aji(true, pred) + 1e-12


def test_hover_net_decides_ties_for_the_larger_object():
    assert legacy.hover_net_aji(*TIE) == pytest.approx(2 / 7, abs=1e-12)
    assert aji(*TIE) == 1 / 8


@settings(deadline=None)
@given(maps.pairs())
def test_hover_net_s_aji_is_right_where_nothing_ties(pair):
    true, pred = pair
    ious = literal.jaccards(true, pred)
    rows = [[value for (t, _), value in ious.items() if t == number] for number in literal.ids_of(true)]
    tied = any(row.count(max(row)) > 1 for row in rows if row)
    if pred.any() and not tied:
        assert legacy.hover_net_aji(true, pred) == pytest.approx(aji(true, pred), abs=1e-12)


def test_hover_net_s_aji_fails_without_prediction():
    with pytest.raises(ValueError, match="holds no object"):
        legacy.hover_net_aji(GAP[0], 0 * GAP[0])


@settings(deadline=None)
@given(maps.pairs())
def test_hover_net_s_dice_of_bool_maps_divides_by_the_union(pair):
    true, pred = (each != 0 for each in pair)
    numbers = legacy.hover_net_dice(true.astype(int), pred.astype(int))
    np.testing.assert_allclose(numbers, dice(true, pred), rtol=0, atol=1e-12)
    np.testing.assert_allclose(legacy.hover_net_dice(true, pred), 2 * iou(true, pred), rtol=0, atol=1e-12)


def test_cellpose_s_aggregated_jaccard_index_is_neither_aji_nor_aji_plus():
    for pair, expected in ((GAP, 6 / 17), (MERGE, 2 / 5), (CROSSED, 7 / 13)):
        assert legacy.cellpose_aji(*pair) == pytest.approx(expected, abs=1e-12)
    assert aji(*CROSSED) == pytest.approx(5 / 13, abs=1e-12)
    assert aji_plus(*CROSSED) == pytest.approx(3 / 10, abs=1e-12)
    assert np.isnan(legacy.cellpose_aji(0 * GAP[0], 0 * GAP[0]))


@settings(deadline=None)
@given(maps.pairs())
def test_cellpose_s_score_never_exceeds_the_iou_of_the_foregrounds(pair):
    score = legacy.cellpose_aji(*pair)
    assert np.isnan(score) or score <= iou(*pair) + 1e-12


def test_background_as_void_hides_what_a_prediction_spills():
    assert legacy.panopticapi_pq(*GAP) == (1, 1, 2, pytest.approx(0.4, abs=1e-12))
    assert panoptic_quality(*GAP).pq == pytest.approx(2 / 9, abs=1e-12)


@settings(deadline=None)
@given(maps.pairs())
def test_background_as_void_changes_nothing_where_no_prediction_touches_it(pair):
    true, pred = pair
    inside = np.where(true != 0, pred, 0)
    exact = panoptic_quality(true, inside, empty="zero")
    tp, fp, fn, pq = legacy.panopticapi_pq(true, inside)
    assert (tp, fp, fn) == (exact.tp, exact.fp, exact.fn)
    assert pq == pytest.approx(exact.pq, abs=1e-12)


# All


@settings(deadline=None)
@given(maps.pairs())
def test_exhibits_leave_their_maps_as_they_were(pair):
    before = [each.copy() for each in pair]
    for score in (legacy.hover_net_dice, legacy.cellpose_aji, legacy.glas_port_object_dice, legacy.haru_net_dice):
        score(*pair)
    for each, copy in zip(pair, before, strict=True):
        np.testing.assert_array_equal(each, copy)
