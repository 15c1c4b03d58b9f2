"""Scores of objects against masks and loops, hand-made maps, and what must hold for every pair of maps."""

import math
import time
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from histolab_lib.metrics import (
    Contingency,
    aji,
    aji_plus,
    average_precision,
    contingency,
    dice,
    dice2,
    iou,
    object_dice,
    object_f1,
    panoptic_quality,
    precision_recall_f1,
)
from histolab_lib.metrics.matching import as_fraction, best_matching, count_matches
from tests.benchmarks.large_maps import even_walls, ragged_walls
from tests.literal import maps
from tests.literal import metrics as literal
from tests.literal.examples import EXAMPLES

HALF = Fraction(1, 2)


@pytest.mark.parametrize("name", EXAMPLES)
def test_maps_counted_by_hand(name):
    true, pred, expected = EXAMPLES[name]
    panoptic = panoptic_quality(true, pred, empty="one")
    ours = {
        "dice": dice(true, pred, empty="one"),
        "iou": iou(true, pred, empty="one"),
        "precision": precision_recall_f1(true, pred, empty="one").precision,
        "recall": precision_recall_f1(true, pred, empty="one").recall,
        "aji": aji(true, pred, empty="one"),
        "aji_plus": aji_plus(true, pred, empty="one"),
        "dice2": dice2(true, pred, empty="one"),
        "dq": panoptic.dq,
        "sq": panoptic.sq,
        "pq": panoptic.pq,
        "ap50": average_precision(true, pred, thresholds=[HALF], empty="one")[0],
        "ap50_strict": average_precision(true, pred, thresholds=[HALF], strict=True, empty="one")[0],
        "ap75": average_precision(true, pred, thresholds=[(3, 4)], empty="one")[0],
    }
    assert ours == {key: pytest.approx(float(expected[key]), abs=1e-12) for key in ours}
    assert panoptic[3:] == expected["tp_fp_fn"]


@pytest.mark.thorough
@settings(deadline=None)
@given(maps.pairs())
def test_aji_equals_masks_and_loops(pair):
    np.testing.assert_allclose(aji(*pair), literal.aji(*pair), rtol=0, atol=1e-12)
    np.testing.assert_array_equal(aji(contingency(*pair)), aji(*pair))


@settings(deadline=None)
@given(maps.pairs())
def test_aji_is_never_above_the_iou_of_the_foregrounds(pair):
    assert np.isnan(aji(*pair)) or aji(*pair) <= iou(*pair) + 1e-12


@settings(deadline=None)
@given(maps.pairs())
def test_aji_is_a_plain_ratio_where_no_prediction_is_taken_twice(pair):
    true, pred = pair
    shared, _, took = literal.aji_counts(true, pred)
    partners = [p for p in took.values() if p is not None]
    if len(partners) == len(set(partners)) and (true.any() or pred.any()):
        area = np.count_nonzero(true) + np.count_nonzero(pred)
        assert aji(true, pred) == pytest.approx(shared / (area - shared), abs=1e-12)


@settings(deadline=None)
@given(maps.pairs())
def test_identical_maps_score_1(pair):
    true, _ = pair
    assert aji(true, true, empty="one") == 1


@pytest.mark.thorough
@settings(deadline=None)
@given(maps.pairs())
def test_ids_with_gaps_turned_or_padded_maps_change_nothing(pair):
    true, pred = (each.astype(np.int64) for each in pair)
    expected = aji(true, pred)
    variants = [
        (5 * true, 1000 * pred),  # order of ids kept, so ties fall alike
        (np.rot90(true), np.rot90(pred)),
        (true[:, ::-1], pred[:, ::-1]),
        (np.pad(true, 2), np.pad(pred, 2)),
    ]
    for variant in variants:
        np.testing.assert_array_equal(aji(*variant), expected)


@settings(deadline=None)
@given(maps.pairs(), st.permutations(range(1, 8)))
def test_relabelling_changes_nothing_unless_there_is_a_tie(pair, order):
    true, pred = pair
    table = contingency(true, pred)
    tied = any(
        np.count_nonzero(table.iou[table.i == i] == table.iou[table.i == i].max()) > 1 for i in np.unique(table.i)
    )
    if not tied:
        new_id = {0: 0} | dict(zip(literal.ids_of(pred), order, strict=False))
        relabelled = np.vectorize(new_id.__getitem__, otypes=[int])(pred)
        np.testing.assert_array_equal(aji(true, relabelled), aji(true, pred))


def test_ties_go_to_the_lowest_id_whatever_the_sizes():
    true = maps.grid("1110/0000/0000")
    assert aji(true, maps.grid("5888/0008/0008")) == 1 / 8
    assert aji(true, maps.grid("8555/0005/0005")) == 2 / 7


def test_the_order_of_the_arguments_matters():
    true, merged = maps.grid("11022/11022/11022"), maps.grid("11111/11111/11111")
    assert aji(true, merged) == pytest.approx(2 / 5, abs=1e-12)
    assert aji(merged, true) == pytest.approx(2 / 7, abs=1e-12)


def test_an_object_in_two_pieces_is_one_object():
    assert aji(maps.grid("101"), maps.grid("101")) == 1
    assert aji(maps.grid("101"), maps.grid("102")) == pytest.approx(1 / 3, abs=1e-12)


def test_pooled_aji_sums_intersections_and_unions():
    true, pred = [maps.grid("11/11"), maps.grid("11110/00000")], [maps.grid("11/00"), maps.grid("11110/00001")]
    np.testing.assert_allclose(aji(true, pred, reduction="none"), [2 / 4, 4 / 5])
    assert aji(true, pred) == pytest.approx(0.65, abs=1e-12)
    assert aji(true, pred, reduction="pooled") == pytest.approx(6 / 9, abs=1e-12)


@pytest.mark.thorough
@settings(deadline=None, max_examples=200)
@given(maps.pairs())
def test_one_to_one_scores_equal_masks_and_every_matching_tried(pair):
    close = {"rtol": 0, "atol": 1e-9}
    np.testing.assert_allclose(aji_plus(*pair), literal.aji_plus(*pair), **close)
    np.testing.assert_allclose(dice2(*pair), literal.dice2(*pair), **close)
    np.testing.assert_allclose(panoptic_quality(*pair), literal.panoptic_quality(*pair), **close)
    for strict in (False, True):
        limits = [(1, 5), (1, 3), 0.5, (4, 7), 0.6, Fraction(3, 4), 1.0]
        expected = [literal.average_precision(*pair, as_fraction("t", limit), strict) for limit in limits]
        np.testing.assert_allclose(average_precision(*pair, thresholds=limits, strict=strict), expected, **close)


@pytest.mark.thorough
@settings(deadline=None)
@given(maps.pairs(), st.fractions(HALF, Fraction(49, 50), max_denominator=50))
def test_panoptic_quality_at_any_threshold_equals_masks(pair, threshold):
    for given_as in (threshold, (threshold.numerator, threshold.denominator)):
        ours = panoptic_quality(*pair, threshold=given_as)
        np.testing.assert_allclose(ours, literal.panoptic_quality(*pair, threshold), rtol=0, atol=1e-9)


def test_large_knots_of_objects_are_paired_as_by_a_dense_solver():
    rng = np.random.default_rng(0)
    for _ in range(200):
        true, pred = rng.integers(0, 12, (2, *rng.integers(5, 14, 2)))
        table = contingency(true, pred)
        iou_of, shared = np.zeros((2, table.true_ids.size, table.pred_ids.size))
        iou_of[table.i, table.j], shared[table.i, table.j] = table.iou, table.n
        best = linear_sum_assignment(iou_of + 1e-9 * shared / shared.max(), maximize=True)
        ours = best_matching(table)
        assert len({*table.i[ours]}) == len({*table.j[ours]}) == ours.size
        assert table.iou[ours].sum() == pytest.approx(iou_of[best].sum(), abs=1e-12)
        assert table.n[ours].sum() == shared[best].sum()


def test_every_score_is_the_same_from_maps_and_from_their_table():
    rng = np.random.default_rng(1)
    for _ in range(20):
        pair = rng.integers(0, 6, (2, 8, 9))
        for metric in (aji_plus, dice2, panoptic_quality, average_precision):
            np.testing.assert_array_equal(metric(contingency(*pair)), metric(*pair))


@pytest.mark.thorough
@settings(deadline=None)
@given(maps.pairs())
def test_scores_relate_as_proven(pair):
    if not any(each.any() for each in pair):
        return
    quality, table = panoptic_quality(*pair), contingency(*pair)
    jaccard, area = iou(*pair), int(table.true_areas.sum() + table.pred_areas.sum())
    assert dice(*pair) == pytest.approx(2 * jaccard / (1 + jaccard), abs=1e-12)
    assert dice(*pair) == pytest.approx(precision_recall_f1(*pair).f1, abs=1e-12)
    assert quality.pq == pytest.approx(quality.dq * quality.sq, abs=1e-12)
    assert quality.sq == 0 if quality.tp == 0 else 0.5 < quality.sq <= 1
    above_half = average_precision(*pair, thresholds=[HALF], strict=True)[0]
    assert above_half == pytest.approx(quality.dq / (2 - quality.dq), abs=1e-12)
    assert aji_plus(*pair) <= jaccard + 1e-12
    shared = int(table.n[best_matching(table)].sum())
    assert aji_plus(*pair) == pytest.approx(shared / (area - shared), abs=1e-12)
    assert object_f1(*pair).f1 >= quality.dq - 1e-12
    assert (np.diff(average_precision(*pair)) <= 1e-12).all()


@pytest.mark.thorough
@settings(deadline=None)
@given(maps.pairs())
def test_symmetric_scores_do_not_mind_the_order_of_the_maps(pair):
    true, pred = pair
    for metric in (aji_plus, dice2, average_precision):
        np.testing.assert_allclose(metric(pred, true), metric(true, pred), rtol=0, atol=1e-12)
    forth, back = panoptic_quality(true, pred), panoptic_quality(pred, true)
    np.testing.assert_allclose((*back[:4], back.fn, back.fp), forth, rtol=0, atol=1e-12)


@pytest.mark.thorough
@settings(deadline=None)
@given(maps.pairs(), st.permutations(range(1, 8)))
def test_ids_have_no_say_in_one_to_one_scores(pair, order):
    true, pred = pair
    new_id = {0: 0} | dict(zip(literal.ids_of(pred), order, strict=False))
    renamed = np.vectorize(new_id.__getitem__, otypes=[int])(pred)
    for metric in (aji_plus, dice2, panoptic_quality, average_precision):
        np.testing.assert_allclose(metric(true, renamed), metric(true, pred), rtol=0, atol=1e-12)


@pytest.mark.thorough
@settings(deadline=None)
@given(maps.pairs())
def test_gaps_turns_and_padding_change_no_score(pair):
    true, pred = (each.astype(np.int64) for each in pair)
    variants = [
        (5 * true, 1000 * pred),
        (true + 2**40 * (true > 0), pred),
        (np.rot90(true), np.rot90(pred)),
        (true[:, ::-1], pred[:, ::-1]),
        (np.pad(true, 2), np.pad(pred, 2)),
    ]
    for metric in (aji_plus, dice2, panoptic_quality, average_precision):
        for variant in variants:
            np.testing.assert_allclose(metric(*variant), metric(true, pred), rtol=0, atol=1e-12)


def test_what_one_might_expect_of_these_scores_and_is_false():
    mixed, merged, split, crossed = (EXAMPLES[name][:2] for name in list(EXAMPLES)[:4])
    assert aji_plus(*merged) < aji(*merged)  # a fairer pairing does not always score higher
    assert dice2(*mixed) > dice(*mixed)
    assert dice(*mixed) < object_dice(*mixed) < dice2(*mixed)
    found_and_a_large_false_one = maps.grid("1100000000"), maps.grid("1102222222")
    assert panoptic_quality(*found_and_a_large_false_one).pq > aji(*found_and_a_large_false_one)
    assert aji(*merged) != aji(*merged[::-1])
    assert object_f1(*split).f1 != object_f1(*split[::-1]).f1
    table = contingency(*crossed)
    match_of_pq, pairs_of_aji_plus = np.flatnonzero(table.iou > 0.5), best_matching(table)
    assert match_of_pq.size == 1
    assert match_of_pq[0] not in pairs_of_aji_plus


def test_of_equal_sums_of_iou_the_one_that_shares_most_pixels_counts_whatever_the_ids():
    true = maps.grid("1110/0000/0000")
    assert aji_plus(true, maps.grid("5888/0008/0008")) == 2 / 7
    assert aji_plus(true, maps.grid("8555/0005/0005")) == 2 / 7


@pytest.mark.parametrize("few_first", [True, False])
def test_a_huge_object_elsewhere_does_not_drown_a_tie(few_first):
    shared, areas = ([1, 2], [1, 5]) if few_first else ([2, 1], [5, 1])  # IoU 1/3 both
    huge = 10**9
    columns = ([1, 2], [1, 2, 3], [3, huge], [*areas, huge], [0, 0, 1], [0, 1, 2], [*shared, huge])
    table = Contingency(*(np.array(column) for column in columns), pixels=2 * huge)
    assert table.n[best_matching(table)].tolist() == [2, huge]


@pytest.mark.thorough
def test_fifty_thousand_objects_in_one_component_are_paired_in_seconds_and_little_memory():
    table = contingency(*even_walls(160, 4))
    assert table.true_ids.size + table.pred_ids.size > 50_000
    graph = csr_array((np.ones(table.n.size), (table.i, table.true_ids.size + table.j)), shape=(60_000,) * 2)
    assert np.bincount(connected_components(graph, directed=False)[1]).max() > 50_000
    tracemalloc.start()
    start = time.perf_counter()
    pairs = best_matching(table)
    seconds, peak = time.perf_counter() - start, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seconds < 20
    assert peak < 100e6  # a dense table would take 5e9
    # squares of 16 px overlap four others by 4 px each; only those cut by the upper and left edge can do better
    inner = table.pred_areas[table.j[pairs]] == 16
    np.testing.assert_allclose(table.iou[pairs][inner], 4 / 28, rtol=0, atol=1e-12)
    assert pairs.size == 160**2


def test_a_component_that_nothing_settles_is_paired_as_by_a_dense_solver():
    table = contingency(*ragged_walls(30, 6))
    iou_of = np.zeros((table.true_ids.size, table.pred_ids.size))
    iou_of[table.i, table.j] = table.iou
    best = linear_sum_assignment(iou_of, maximize=True)
    assert table.iou[best_matching(table)].sum() == pytest.approx(iou_of[best].sum(), abs=1e-9)


def test_below_one_half_the_largest_number_of_pairs_counts_and_not_the_largest_sum_of_iou():
    true, pred = maps.grid("11111111111222"), maps.grid("11122222222222")  # IoU 3/11, 4/7 and 3/11 in a chain
    table = contingency(true, pred)
    assert best_matching(table).size == 1
    assert count_matches(table, Fraction(1, 5), strict=False) == 2
    assert average_precision(true, pred, thresholds=[(1, 5), (1, 2)]).tolist() == [1, pytest.approx(1 / 3, abs=1e-12)]


def test_thresholds_are_compared_without_rounding():
    true, pred = maps.grid("1111100000"), maps.grid("1110000000")  # 3/5
    for exact in (0.6, (3, 5), Fraction(3, 5), np.float64(0.6)):
        assert average_precision(true, pred, thresholds=[exact]) == 1
        assert average_precision(true, pred, thresholds=[exact], strict=True) == 0
        assert panoptic_quality(true, pred, threshold=exact).tp == 0
    assert panoptic_quality(true, pred, threshold=(599_999, 1_000_000)).tp == 1
    assert average_precision(true, true, thresholds=[1.0]) == 1


@pytest.mark.parametrize(
    ("threshold", "error", "words"),
    [
        (np.arange(0.5, 1, 0.05)[2], ValueError, r"got .*0\.6000000000000001.*, no short fraction; .* \(3, 5\)"),
        (0, ValueError, "an IoU threshold lies above 0 and is at most 1, got 0"),
        ((3, 2), ValueError, r"at most 1, got \(3, 2\)"),
        (50, ValueError, "at most 1, got 50"),
        ("0.5", TypeError, "expected a Fraction, a pair .* got '0.5'"),
        ((1, 0), TypeError, r"expected a Fraction, .* got \(1, 0\)"),
        (True, TypeError, "got True"),
        (math.nan, TypeError, "got nan"),
    ],
)
def test_thresholds_that_cannot_be_meant_are_refused(threshold, error, words):
    labels = np.array([[1]])
    with pytest.raises(error, match=words):
        panoptic_quality(labels, labels, threshold=threshold)
    with pytest.raises(error, match=r"^thresholds\[0\]: .*" + words):
        average_precision(labels, labels, thresholds=[threshold])


@pytest.mark.parametrize("threshold", [0.49, 1, Fraction(1, 3)])
def test_panoptic_quality_refuses_thresholds_at_which_partners_are_not_unique(threshold):
    with pytest.raises(ValueError, match=r"threshold: panoptic quality needs at least 1/2 .* got .* average_precision"):
        panoptic_quality(np.array([[1]]), np.array([[1]]), threshold=threshold)


@pytest.mark.parametrize("thresholds", [0.5, [], "0.5", None])
def test_average_precision_needs_a_list_of_thresholds(thresholds):
    with pytest.raises(
        TypeError, match=r"thresholds: expected a list of IoU thresholds such as \[\(1, 2\), \(3, 4\)\]"
    ):
        average_precision(np.array([[1]]), np.array([[1]]), thresholds=thresholds)


NOTHING = np.zeros((2, 3), int)
SCENE = np.array([[1, 1, 0], [0, 0, 2]])
SCORES = [aji, aji_plus, dice2, lambda *a, **k: panoptic_quality(*a, **k)[:3], average_precision]


@pytest.mark.parametrize("metric", SCORES)
@pytest.mark.parametrize(("empty", "worth"), [("nan", math.nan), ("one", 1.0), ("zero", 0.0)])
@pytest.mark.parametrize("reduction", ["mean", "pooled", "none"])
def test_empty_maps_follow_the_policy_and_never_fail(metric, empty, worth, reduction):
    how = {"empty": empty, "reduction": reduction}
    for value in np.ravel(metric(NOTHING, NOTHING, **how)):
        np.testing.assert_array_equal(value, worth)
    assert not np.any(metric(SCENE, NOTHING, **how))
    assert not np.any(metric(NOTHING, SCENE, **how))


def test_batches_are_averaged_pooled_or_left_apart():
    true, pred = [SCENE, SCENE, NOTHING], [SCENE, np.array([[5, 0, 0], [7, 7, 0]]), NOTHING]
    each = panoptic_quality(true, pred, reduction="none")
    np.testing.assert_array_equal(each.pq, [1, 0, np.nan])
    np.testing.assert_array_equal(each[3:], [[2, 0, 0], [0, 2, 0], [0, 2, 0]])
    assert panoptic_quality(true, pred) == (0.5, 0.5, 0.5, 2, 2, 2)
    assert panoptic_quality(true, pred, reduction="pooled") == (0.5, 1.0, 0.5, 2, 2, 2)
    half = {"thresholds": [0.5, 0.75]}
    np.testing.assert_allclose(average_precision(true, pred, **half), [(1 + 1 / 3) / 2, 0.5])
    np.testing.assert_allclose(average_precision(true, pred, **half, reduction="pooled"), [3 / 5, 2 / 6])
    assert average_precision(true, pred, **half, reduction="none").shape == (3, 2)
    assert dice2(true, pred, reduction="pooled") == pytest.approx(2 * (3 + 1) / (6 + 3), abs=1e-12)
    assert aji_plus(true, pred, reduction="pooled") == pytest.approx((3 + 1) / (3 + 5), abs=1e-12)


def test_pooled_panoptic_quality_is_that_of_the_images_side_by_side():
    rng = np.random.default_rng(2)
    true, pred = rng.integers(0, 4, (2, 5, 4, 4))
    sheet = [np.hstack([each[k] + 10 * k * (each[k] > 0) for k in range(5)]) for each in (true, pred)]
    tables = [contingency(*images) for images in zip(true, pred, strict=True)]
    for metric in (panoptic_quality, average_precision, dice2, object_f1, object_dice, aji, aji_plus):
        np.testing.assert_allclose(metric(tables, reduction="pooled"), metric(*sheet), rtol=0, atol=1e-12)


def test_bad_maps_and_policies_are_refused_by_every_score():
    for metric in (aji_plus, dice2, panoptic_quality, average_precision, object_f1, object_dice):
        with pytest.raises(TypeError, match=r"^pred: .* threshold probabilities first"):
            metric(SCENE, SCENE / 2)
        with pytest.raises(ValueError, match="image 1 of 2: true and pred must have one shape"):
            metric([SCENE, SCENE], [SCENE, SCENE.T])
        with pytest.raises(ValueError, match="empty: got 'skip', allowed are"):
            metric(SCENE, SCENE, empty="skip")
        with pytest.raises(ValueError, match="reduction: got 'sum', allowed are"):
            metric(SCENE, SCENE, reduction="sum")
