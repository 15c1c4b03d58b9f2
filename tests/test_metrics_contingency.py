import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histolab_lib.metrics import Contingency, contingency
from tests.literal import maps
from tests.literal import metrics as literal

module = sys.modules["histolab_lib.metrics.contingency"]  # the package exports a function of that name


def as_dict(table):
    return {
        (int(table.true_ids[i]), int(table.pred_ids[j])): int(n)
        for i, j, n in zip(table.i, table.j, table.n, strict=True)
    }


def areas(ids, counts):
    return dict(zip(ids.tolist(), counts.tolist(), strict=True))


@pytest.mark.thorough
@settings(deadline=None)
@given(maps.pairs())
def test_equals_counting_object_by_object(pair):
    true, pred = pair
    table = contingency(true, pred)
    assert as_dict(table) == literal.overlaps(true, pred)
    assert areas(table.true_ids, table.true_areas) == {k: len(v) for k, v in literal.objects_of(true).items()}
    assert areas(table.pred_ids, table.pred_areas) == {k: len(v) for k, v in literal.objects_of(pred).items()}
    assert table.pixels == true.size


@settings(deadline=None)
@given(maps.pairs())
def test_entries_come_by_ascending_ids_and_are_positive(pair):
    table = contingency(*pair)
    assert (np.diff(table.true_ids) > 0).all()
    assert (np.diff(table.pred_ids) > 0).all()
    assert list(zip(table.i, table.j, strict=True)) == sorted(set(zip(table.i, table.j, strict=True)))
    assert (table.n > 0).all()


@settings(deadline=None)
@given(maps.pairs())
def test_swapping_the_maps_transposes_the_table(pair):
    true, pred = pair
    swapped = {(p, t): n for (t, p), n in as_dict(contingency(pred, true)).items()}
    assert as_dict(contingency(true, pred)) == swapped


@settings(deadline=None)
@given(maps.pairs(), st.integers(1, 30))
def test_blocks_of_rows_give_the_table_of_the_whole(pair, block_px):
    whole = contingency(*pair)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BLOCK_PX", block_px)
        blocks = contingency(*pair)
    for name in Contingency.__slots__:
        np.testing.assert_array_equal(getattr(blocks, name), getattr(whole, name))


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64])
def test_every_integer_type_is_read_and_counts_are_int64(dtype):
    labels = np.array([[0, 1, 1]]).astype(dtype)
    table = contingency(labels, labels)
    assert as_dict(table) == {(1, 1): 2}
    assert {getattr(table, name).dtype for name in Contingency.__slots__[:-1]} == {np.dtype(np.int64)}


def test_products_of_ids_do_not_wrap():
    huge = np.array([[2**62, 2**62, 2**63 - 1]])
    table = contingency(huge, huge[:, ::-1])
    assert as_dict(table) == {(2**62, 2**62): 1, (2**62, 2**63 - 1): 1, (2**63 - 1, 2**62): 1}
    wide = np.array([[65535, 65535, 40000]], np.uint16)
    assert as_dict(contingency(wide, wide)) == {(40000, 40000): 1, (65535, 65535): 2}


def test_maps_of_different_integer_types_can_meet():
    table = contingency(np.array([[True, False]]), np.array([[2**63 - 1, 0]], np.uint64))
    assert as_dict(table) == {(1, 2**63 - 1): 1}


def test_many_objects_with_large_ids_take_memory_of_their_number():
    ids = np.arange(1, 10_001).reshape(100, 100) * 10**9
    tracemalloc.start()
    table = contingency(ids, ids)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert table.n.sum() == 10_000
    assert peak < 5e6


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0)])
def test_a_map_without_pixels_is_empty(shape):
    table = contingency(np.zeros(shape, int), np.zeros(shape, int))
    assert table.empty
    assert table.pixels == table.n.size == 0


def test_the_table_cannot_be_changed():
    table = contingency(np.array([[1]]), np.array([[1]]))
    with pytest.raises(AttributeError):
        table.pixels = 3
    with pytest.raises(ValueError, match="read-only"):
        table.n[0] = 3


def test_the_inputs_are_left_as_they_were():
    true, pred = np.array([[1, 0], [0, 2]]), np.array([[0, 0], [0, 2]])
    before = true.copy(), pred.copy()
    contingency(true, pred)
    np.testing.assert_array_equal(true, before[0])
    np.testing.assert_array_equal(pred, before[1])
    assert true.flags.writeable


GOOD = np.zeros((2, 3), int)


@pytest.mark.parametrize(
    ("true", "pred", "error", "words"),
    [
        (GOOD, np.zeros((2, 3)), TypeError, r"pred: expected an integer or bool array .* got float64 \(2, 3\); .* 0.5"),
        (np.full((2, 3), np.nan), GOOD, TypeError, r"true: .* got float64 \(2, 3\)"),
        (GOOD.astype(object), GOOD, TypeError, r"true: .* got object \(2, 3\)"),
        (GOOD, GOOD.astype(complex), TypeError, r"pred: .* got complex128"),
        (GOOD, [[0, 1, 0], [0, 0, 0]], TypeError, r"pred: expected .* got list"),
        (GOOD, None, TypeError, r"pred: expected .* got NoneType"),
        (GOOD[None], GOOD[None], ValueError, r"true: .* got int64 \(1, 2, 3\); give several maps as a list"),
        (GOOD[0], GOOD[0], ValueError, r"true: .* got int64 \(3,\)"),
        (GOOD, GOOD.T, ValueError, r"one shape, got true int64 \(2, 3\) and pred int64 \(3, 2\)"),
        (GOOD - 1, GOOD, ValueError, r"true: ids must not be negative, got -1 in a map of int64"),
        (GOOD, GOOD.astype(np.int8) - 7, ValueError, r"pred: ids must not be negative, got -7"),
        (GOOD, GOOD.astype(np.uint64) + 2**63, ValueError, r"pred: ids must be at most 2\*\*63 - 1, got 9223372036"),
    ],
)
def test_what_is_no_instance_map_is_refused_by_name(true, pred, error, words):
    with pytest.raises(error, match=words):
        contingency(true, pred)
