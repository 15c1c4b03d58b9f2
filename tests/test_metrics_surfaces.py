"""Surface metrics against loops over boundary pixels, hand-made maps and MONAI."""

from math import inf, nan, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histolab_lib.metrics import boundary_f1, hd95
from tests.literal import distances as literal
from tests.literal import maps

BLOCK = "0000/0110/0110/0000"
NONE = "0000/0000/0000/0000"
E5 = ("11000/11000/00000/00000", "00000/01110/00000/00000")

# name: true, predicted, hd95 "max" and "pooled", boundary F1 at 1 px and at 0
BY_HAND = {
    "IoU exactly 1/2, and a gap": (
        "11000/11022/00022/33000/33000",
        "11100/11102/00002/00000/00444",
        *(2, 2, 18 / 23, 12 / 23),
    ),
    "one prediction over two": ("11022/11022/11022/00000", "11111/11111/11111/00000", 1, 1, 1, 5 / 6),
    "equal halves": ("1111/1111/0000/0000", "2233/2233/0000/0000", 0, 0, 1, 1),
    "two pairs against one": ("2220/1111/1110/1110", "1110/1111/1110/2220", 0, 0, 1, 1),
    "prediction mostly on background": (*E5, 1.9, 1.8242641, 12 / 17, 2 / 7),
    "disc and ring": ("11111/11111/11111/11111/11111", "11111/10001/10001/10001/11111", 0, 0, 1, 1),
    "no overlap": ("11000/11000/00000/00000/00002", "00000/00000/00700/00000/00000", sqrt(8), sqrt(8), 0, 0),
    "equal IoU, different sizes": ("1110/0000/0000", "5888/0008/0008", 2.0306045, 1.9073264, 4 / 5, 2 / 3),
    "both empty": (NONE, NONE, 0, 0, 1, 1),
    "no true object": (NONE, BLOCK, inf, inf, 0, 0),
    "no prediction": (BLOCK, NONE, inf, inf, 0, 0),
    "identical": (BLOCK, BLOCK, 0, 0, 1, 1),
}


def close(ours, expected, atol=1e-9):
    np.testing.assert_allclose(ours, expected, rtol=0, atol=atol)


@pytest.mark.parametrize("name", BY_HAND)
def test_maps_measured_by_hand(name):
    true, pred, *expected = BY_HAND[name]
    pair = maps.grid(true), maps.grid(pred)
    distances = [hd95(*pair, variant=variant) for variant in ("max", "pooled")]
    scores = [boundary_f1(*pair, tolerance_px=px, empty="one") for px in (1, 0)]
    close(distances + scores, expected, atol=1e-6)


@settings(deadline=None, max_examples=200)
@given(maps.pairs(), st.sampled_from(["max", "pooled"]))
def test_hd95_equals_loops_over_boundary_pixels(pair, variant):
    close(hd95(*pair, variant=variant), literal.hd95(*pair, variant))


@settings(deadline=None, max_examples=200)
@given(maps.pairs(), st.sampled_from([0, 1, sqrt(2), 1.5, 2, sqrt(5), 7]))
def test_boundary_f1_equals_loops_over_boundary_pixels(pair, tolerance_px):
    close(boundary_f1(*pair, tolerance_px=tolerance_px), literal.boundary_f1(*pair, tolerance_px))


@settings(deadline=None)
@given(maps.pairs())
def test_swapping_the_maps_or_renaming_objects_changes_nothing(pair):
    true, pred = pair
    for variant in ("max", "pooled"):
        close(hd95(true, pred, variant=variant), hd95(pred != 0, true != 0, variant=variant))
    close(boundary_f1(true, pred, tolerance_px=1), boundary_f1(pred != 0, true != 0, tolerance_px=1))


@pytest.mark.parametrize(("true", "pred", "largest", "pooled"), [("110", "011", 0.95, 1.0), (*E5, 1.9, 1.824264)])
def test_either_variant_can_be_the_larger(true, pred, largest, pooled):
    pair = maps.grid(true), maps.grid(pred)
    close([hd95(*pair), hd95(*pair, variant="pooled")], [largest, pooled], atol=1e-6)


def test_a_tolerance_includes_itself():
    true, pred = maps.grid("100/000"), maps.grid("000/010")
    assert boundary_f1(true, pred, tolerance_px=sqrt(2)) == 1
    assert boundary_f1(true, pred, tolerance_px=1.414) == 0


def test_touching_objects_have_no_boundary_between_them():
    assert hd95(maps.grid("1111/1111/1111"), maps.grid("1122/1122/1122")) == 0


# MONAI


def noise(seed):
    return np.random.default_rng(seed).random((2, 24, 31)) < 0.02 * (1 + seed) ** 2


def test_hd95_is_what_monai_gave():
    """Noted from MONAI 1.6.1 (``compute_hausdorff_distance``, percentile 95), which counts in float32."""
    close([hd95(*noise(seed)) for seed in range(6)], [5.82426, 3.16228, 2.23607, 1.97071, 1.0, 1.0], atol=1e-5)


@pytest.mark.thorough
@pytest.mark.filterwarnings("ignore:.*always_return_as_numpy:FutureWarning")  # MONAI 1.6.1 calls itself in an old way
def test_hd95_is_what_monai_gives():
    import torch
    from monai import metrics

    for seed in range(40):
        true, pred = noise(seed % 6) ^ (np.random.default_rng(100 + seed).random((2, 24, 31)) < 0.05)
        batch = [torch.as_tensor(each)[None, None].float() for each in (pred, true)]
        theirs = metrics.compute_hausdorff_distance(*batch, include_background=True, percentile=95)
        close(hd95(true, pred), float(theirs), atol=1e-5)


# batches


def test_hd95_leaves_infinite_images_out_of_the_mean():
    some, none = maps.grid("1100"), maps.grid("0000")
    moved = maps.grid("0110")
    batch = [some, some, none, none], [moved, none, some, none]
    np.testing.assert_array_equal(hd95(*batch, reduction="none"), [0.95, inf, inf, 0])
    assert hd95(*batch) == 0.475
    assert hd95([some], [none]) == inf


def test_boundary_f1_of_a_batch_is_a_mean_or_pools_boundary_pixels():
    true = [maps.grid("1111"), maps.grid("1000"), maps.grid("0000")]
    pred = [maps.grid("1100"), maps.grid("0001"), maps.grid("0000")]
    first = 2 * 1 * 0.5 / 1.5
    close(boundary_f1(true, pred, tolerance_px=0, reduction="none"), [first, 0, nan])
    close(boundary_f1(true, pred, tolerance_px=0), first / 2)
    close(boundary_f1(true, pred, tolerance_px=0, empty="one"), (first + 1) / 3)
    precision, recall = 2 / 3, 2 / 5
    pooled = boundary_f1(true, pred, tolerance_px=0, reduction="pooled")
    close(pooled, 2 * precision * recall / (precision + recall))
    assert isinstance(pooled, float)


@pytest.mark.parametrize(("empty", "score"), [("nan", nan), ("one", 1.0), ("zero", 0.0)])
def test_boundary_f1_of_two_empty_maps_follows_the_policy(empty, score):
    none = np.zeros((3, 4), int)
    for reduction in ("mean", "pooled"):
        close(boundary_f1(none, none, tolerance_px=1, empty=empty, reduction=reduction), score)


# bad input

GOOD = np.zeros((2, 3), int)


@pytest.mark.parametrize("metric", [hd95, lambda *pair: boundary_f1(*pair, tolerance_px=1)])
@pytest.mark.parametrize(
    ("true", "pred", "error", "words"),
    [
        (GOOD, np.full((2, 3), np.nan), TypeError, r"pred: expected an integer or bool array .* got float64 \(2, 3\)"),
        (GOOD[None], GOOD[None], ValueError, r"true: .* got int64 \(1, 2, 3\)"),
        (GOOD, GOOD.T, ValueError, r"one shape, got true int64 \(2, 3\) and pred int64 \(3, 2\)"),
        (GOOD - 4, GOOD, ValueError, r"true: ids must not be negative, got -4"),
        ([GOOD, GOOD], [GOOD], ValueError, "pred: expected a list of 2 maps, as true is, got 1 maps"),
        ([GOOD, GOOD], [GOOD, GOOD[0]], ValueError, r"image 1 of 2: pred: .* got int64 \(3,\)"),
    ],
)
def test_what_is_no_pair_of_maps_is_refused_by_name(metric, true, pred, error, words):
    with pytest.raises(error, match=words):
        metric(true, pred)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"variant": "mean"}, "variant: got 'mean', allowed are 'max', 'pooled'"),
        ({"reduction": "pooled"}, "reduction: got 'pooled', allowed are 'mean', 'none'"),
    ],
)
def test_hd95_refuses_what_it_does_not_know(options, words):
    with pytest.raises(ValueError, match=words):
        hd95(GOOD, GOOD, **options)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"tolerance_px": -1}, ValueError, "tolerance_px: must be a finite number of pixels, 0 or more, got -1"),
        ({"tolerance_px": nan}, ValueError, "tolerance_px: must be a finite number of pixels, 0 or more, got nan"),
        ({"tolerance_px": "2"}, TypeError, "tolerance_px: expected a number of pixels, got str"),
        ({"tolerance_px": 1, "empty": "two"}, ValueError, "empty: got 'two', allowed are 'nan', 'one', 'zero'"),
        ({"tolerance_px": 1, "reduction": "sum"}, ValueError, "reduction: got 'sum', allowed are 'mean', 'pooled'"),
    ],
)
def test_boundary_f1_refuses_what_it_does_not_know(options, error, words):
    with pytest.raises(error, match=words):
        boundary_f1(GOOD, GOOD, **options)


def test_a_tolerance_is_asked_for():
    with pytest.raises(TypeError, match="tolerance_px"):
        boundary_f1(GOOD, GOOD)
