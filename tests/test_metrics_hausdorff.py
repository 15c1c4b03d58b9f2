"""Object Hausdorff distance against loops over all pixels, hand-made maps, and what must hold for every pair."""

from math import inf, sqrt

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from histolab_lib.metrics import farthest, object_hausdorff
from histolab_lib.metrics.hausdorff import HausdorffSums, hausdorff_sums
from tests.literal import distances as literal
from tests.literal import maps

pytestmark = pytest.mark.thorough

BLOCK = "0000/0110/0110/0000"
NONE = "0000/0000/0000/0000"
FULL, RING = "11111/11111/11111/11111/11111", "11111/10001/10001/10001/11111"

BY_HAND = {
    "IoU exactly 1/2, and a gap": ("11000/11022/00022/33000/33000", "11100/11102/00002/00000/00444", 53 / 33),
    "one prediction over two": ("11022/11022/11022/00000", "11111/11111/11111/00000", 3),
    "equal halves": ("1111/1111/0000/0000", "2233/2233/0000/0000", 2),
    "two pairs against one": ("2220/1111/1110/1110", "1110/1111/1110/2220", (26 + 3 * sqrt(5)) / 26),
    "prediction mostly on background": ("11000/11000/00000/00000", "00000/01110/00000/00000", 2),
    "disc and ring": (FULL, RING, 2),
    "no overlap": ("11000/11000/00000/00000/00002", "00000/00000/00700/00000/00000", 2 * sqrt(2)),
    "equal IoU, different sizes": ("1110/0000/0000", "5888/0008/0008", (sqrt(5) + (2 + 5 * sqrt(5)) / 6) / 2),
    "both empty": (NONE, NONE, 0),
    "no true object": (NONE, BLOCK, inf),
    "no prediction": (BLOCK, NONE, inf),
    "identical": (BLOCK, BLOCK, 0),
}


def close(ours, expected):
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-9)


@pytest.fixture(params=["as shipped", "every shortcut", "trees"])
def shortcuts(request, monkeypatch):
    """The small maps of these tests would not need what large ones do."""
    if request.param != "as shipped":
        monkeypatch.setattr(farthest, "_FEW", 2)
        monkeypatch.setattr(farthest, "_STEP", 3)
    if request.param == "trees":
        monkeypatch.setattr(farthest, "_PAIRS", 3)


def test_distances_counted_by_hand(shortcuts):
    for true, pred, expected in BY_HAND.values():
        close(object_hausdorff(maps.grid(true), maps.grid(pred)), expected)


@pytest.mark.usefixtures("shortcuts")
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(maps.pairs())
def test_equals_loops_over_all_pixels(pair):
    close(object_hausdorff(*pair), literal.object_hausdorff(*pair))


def blobs(rng, size, count):
    """Overlapping ellipses, later ones above; some ids are far larger than any table could be."""
    labels = np.zeros((size, size), np.int64)
    row, column = np.ogrid[:size, :size]
    for number in rng.choice([3, 7, 70_000, 2**33, 2**40], count, replace=False):
        r, c, a, b = *rng.integers(0, size, 2), *rng.integers(2, size // 3, 2)
        labels[((row - r) / a) ** 2 + ((column - c) / b) ** 2 <= 1] = number
    return labels


@pytest.mark.parametrize("seed", range(8))
def test_objects_of_hundreds_of_pixels_far_apart_and_overlapping(seed, shortcuts):
    rng = np.random.default_rng(seed)
    true, pred = blobs(rng, 36, 4), blobs(rng, 36, 4)
    close(object_hausdorff(true, pred), literal.object_hausdorff(true, pred))


def specks(rng, size, count):
    labels = np.zeros((size, size), int)
    for number in range(1, count + 1):
        r, c, height, width = *rng.integers(0, size, 2), *rng.integers(1, 7, 2)
        labels[r : r + height, c : c + width] = number
    return labels


@pytest.mark.parametrize("seed", range(6))
def test_the_nearest_of_many_objects_is_found(seed):
    rng = np.random.default_rng(seed)
    true, pred = specks(rng, 40, 14), specks(rng, 40, 14)
    close(object_hausdorff(true, pred), literal.object_hausdorff(true, pred))


@pytest.mark.parametrize("seed", range(6))
def test_the_nearest_is_found_where_nothing_overlaps(seed):
    rng = np.random.default_rng(seed)
    true, pred = specks(rng, 24, 40), specks(rng, 24, 40)
    stripes = np.indices(true.shape).sum(axis=0) % 6 < 3  # slanted stripes, true in one, predicted in the next
    true[stripes], pred[~stripes] = 0, 0
    close(object_hausdorff(true, pred), literal.object_hausdorff(true, pred))


def test_objects_of_two_distant_pieces():
    true, pred = np.zeros((9, 40), int), np.zeros((9, 40), int)
    true[:4, :4] = true[5:, 36:] = 1
    pred[:4, :4], pred[4:, 20:24] = 1, 2
    close(object_hausdorff(true, pred), literal.object_hausdorff(true, pred))


TIED = (
    np.array([[0, 4, 1, 1, 2, 2], [0, 4, 1, 1, 2, 2], [0, 5, 1, 1, 2, 2]]),
    maps.GAPS[np.array([[3, 2, 1, 1, 0, 6], [3, 1, 1, 1, 4, 6], [3, 1, 1, 1, 5, 5]])],
)


@settings(deadline=None)
@example(TIED)
@given(maps.pairs())
def test_the_order_of_the_arguments_turned_or_padded_maps_and_gaps_change_nothing(pair):
    true, pred = (each.astype(np.int64) for each in pair)
    expected = object_hausdorff(true, pred)
    variants = [
        (pred, true),
        (5 * true, 2**20 * pred),  # 2**40 is the largest id of these maps
        (np.rot90(true), np.rot90(pred)),
        (true[:, ::-1], pred[:, ::-1]),
        (np.pad(true, 2), np.pad(pred, 2)),
    ]
    for variant in variants:
        close(object_hausdorff(*variant), expected)


@settings(deadline=None)
@given(maps.pairs())
def test_identical_maps_are_at_distance_0(pair):
    assert object_hausdorff(pair[0], pair[0]) == 0


def test_all_pixels_count_not_the_boundaries_alone():
    disc, ring = maps.grid(FULL), maps.grid(RING)
    assert literal.object_hausdorff(disc, ring, literal.hausdorff_of_boundaries) == 0
    assert object_hausdorff(disc, ring) == 2


def test_the_partner_is_an_object_never_the_background():
    true, pred = maps.grid("11000/11000/00000/00000"), maps.grid("00000/01110/00000/00000")
    assert hausdorff_sums(true, pred) == HausdorffSums(8.0, 4, 6.0, 3)


def test_ties_for_the_partner_go_to_the_lowest_id():
    true = maps.grid("1111111")
    assert hausdorff_sums(true, maps.grid("2000003")).true_sum == 7 * 6
    assert hausdorff_sums(true, maps.grid("2200330")).true_sum == 7 * 5
    assert hausdorff_sums(true, maps.grid("3300220")).true_sum == 7 * 4


def test_an_object_without_partner_takes_the_nearest_whatever_its_id():
    true, pred = maps.grid("1000000000002"), maps.grid("1008050000000")
    # true object 2 is 7 from object 5; predicted 8 and 5 are 3 and 5 from object 1
    assert hausdorff_sums(true, pred) == HausdorffSums(0.0 + 7, 2, 0.0 + 3 + 5, 3)


# batches


def batch():
    near, far = maps.grid("1100/0000"), maps.grid("1111/1111")
    return [near, far, maps.grid("0000"), far], [maps.grid("0110/0000"), far, maps.grid("0000"), 0 * far]


def test_what_is_infinite_is_left_out_of_the_mean_and_two_empty_maps_are_not():
    np.testing.assert_array_equal(object_hausdorff(*batch(), reduction="none"), [1, 0, 0, inf])
    close(object_hausdorff(*batch()), 1 / 3)


def test_pooled_is_one_mean_over_all_objects_weighted_by_area():
    close(object_hausdorff(*batch(), reduction="pooled"), 2 * 1 / (2 + 8))


@pytest.mark.parametrize("reduction", ["mean", "pooled"])
def test_where_all_is_infinite_so_is_the_mean(reduction):
    one = np.ones((2, 2), int)
    assert object_hausdorff([one, 0 * one], [0 * one, one], reduction=reduction) == inf
    assert object_hausdorff(one, 0 * one, reduction=reduction) == inf


@settings(deadline=None)
@given(st.lists(maps.pairs(), min_size=1, max_size=4))
def test_a_pool_of_images_equals_the_sums_of_the_literal(pairs):
    true, pred = zip(*pairs, strict=True)
    kept = [pair for pair in pairs if pair[0].any() and pair[1].any()]
    sums = np.array([literal.sides(*pair) for pair in kept]).reshape(-1, 2, 2).sum(axis=0)
    only_empty = any(not t.any() and not p.any() for t, p in pairs)
    expected = (sums[:, 0] / sums[:, 1]).mean() if kept else (0 if only_empty else inf)
    close(object_hausdorff(true, pred, reduction="pooled"), expected)


# bad input

GOOD = np.zeros((2, 3), int)


@pytest.mark.parametrize(
    ("true", "pred", "error", "words"),
    [
        (GOOD, np.zeros((2, 3)), TypeError, r"pred: expected an integer or bool array .* got float64 \(2, 3\); .* 0.5"),
        (np.full((2, 3), np.nan), GOOD, TypeError, r"true: .* got float64 \(2, 3\)"),
        (GOOD[None], GOOD[None], ValueError, r"true: .* got int64 \(1, 2, 3\); give several maps as a list"),
        (GOOD, GOOD.T, ValueError, r"one shape, got true int64 \(2, 3\) and pred int64 \(3, 2\)"),
        (GOOD - 1, GOOD, ValueError, r"true: ids must not be negative, got -1"),
        ([], [], ValueError, "true: an empty batch has no distance"),
        ([GOOD], GOOD, ValueError, "pred: expected a list of 1 maps, as true is, got one ndarray"),
        ([GOOD], [GOOD, GOOD], ValueError, "pred: expected a list of 1 maps, as true is, got 2 maps"),
        ([GOOD, GOOD], [GOOD, GOOD - 2], ValueError, r"image 1 of 2: pred: ids must not be negative, got -2"),
    ],
)
def test_what_is_no_pair_of_maps_is_refused_by_name(true, pred, error, words):
    with pytest.raises(error, match=words):
        object_hausdorff(true, pred)


def test_an_unknown_reduction_is_refused_with_what_is_allowed():
    with pytest.raises(ValueError, match="reduction: got 'sum', allowed are 'mean', 'pooled', 'none'"):
        object_hausdorff(GOOD, GOOD, reduction="sum")
