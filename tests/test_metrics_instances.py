"""AJI against masks and loops, hand-made maps, and what must hold for every pair of maps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histolab_lib.metrics import aji, contingency, dice, iou
from tests.literal import maps
from tests.literal import metrics as literal

BLOCK = "0000/0110/0110/0000"
NONE = "0000/0000/0000/0000"

# name: true, predicted, Dice, IoU, AJI (two empty maps count 1)
BY_HAND = {
    "IoU exactly 1/2, and a gap": (
        "11000/11022/00022/33000/33000",
        "11100/11102/00002/00000/00444",
        12 / 23,
        6 / 17,
        6 / 17,
    ),
    "one prediction over two": ("11022/11022/11022/00000", "11111/11111/11111/00000", 8 / 9, 4 / 5, 2 / 5),
    "equal halves": ("1111/1111/0000/0000", "2233/2233/0000/0000", 1, 1, 1 / 3),
    "two pairs against one": ("2220/1111/1110/1110", "1110/1111/1110/2220", 1, 1, 5 / 13),
    "prediction mostly on background": ("11000/11000/00000/00000", "00000/01110/00000/00000", 2 / 7, 1 / 6, 1 / 6),
    "disc and ring": ("11111/11111/11111/11111/11111", "11111/10001/10001/10001/11111", 32 / 41, 16 / 25, 16 / 25),
    "no overlap": ("11000/11000/00000/00000/00002", "00000/00000/00700/00000/00000", 0, 0, 0),
    "equal IoU, different sizes": ("1110/0000/0000", "5888/0008/0008", 2 / 3, 1 / 2, 1 / 8),
    "both empty": (NONE, NONE, 1, 1, 1),
    "no true object": (NONE, BLOCK, 0, 0, 0),
    "no prediction": (BLOCK, NONE, 0, 0, 0),
    "identical": (BLOCK, BLOCK, 1, 1, 1),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_maps_counted_by_hand(name):
    true, pred, *expected = BY_HAND[name]
    ours = [metric(maps.grid(true), maps.grid(pred), empty="one") for metric in (dice, iou, aji)]
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-12)


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
