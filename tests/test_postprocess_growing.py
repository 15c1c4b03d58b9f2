"""Growing bit for bit as the literal loop, contours subtracted, objects eroded."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from histolab_lib.postprocess import erode_instances, grow_labels, split_components, subtract_contours
from tests.literal import maps
from tests.literal import postprocess as literal

shapes = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)


@st.composite
def growth(draw):
    """Seeds, some of them outside the mask, and a mask with walls, rooms without seeds, or no background at all."""
    shape = draw(shapes)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    mask = rng.random(shape) < draw(st.sampled_from([0.0, 0.4, 0.6, 0.8, 1.0]))
    seeds = np.zeros(shape, np.int64)
    for number in rng.permutation(np.arange(1, 8))[: draw(st.integers(0, 7))]:
        seeds[rng.integers(0, shape[0]), rng.integers(0, shape[1])] = number
    if draw(st.booleans()):
        seeds[~mask] = 0
    return maps.disguise(draw, seeds), maps.disguise(draw, mask.astype(int)).astype(bool)


@settings(deadline=None, max_examples=400)
@given(growth(), st.sampled_from([None, None, 0, 1, 2, 6]))
def test_equals_the_printed_algorithm_bit_for_bit(case, steps):
    seeds, mask = case
    if seeds.dtype == bool:
        seeds = seeds.astype(np.uint8)
    before = seeds.copy(), mask.copy()
    grown = grow_labels(seeds, mask, steps)
    assert grown.dtype == seeds.dtype
    np.testing.assert_array_equal(grown, literal.grow(seeds, mask, steps))
    np.testing.assert_array_equal(seeds, before[0])
    np.testing.assert_array_equal(mask, before[1])


@settings(deadline=None)
@given(growth())
def test_what_is_labelled_stays_and_nothing_outside_the_mask_is_claimed(case):
    seeds, mask = case[0].astype(np.int64), case[1]
    grown = grow_labels(seeds, mask)
    np.testing.assert_array_equal(grown[seeds > 0], seeds[seeds > 0])
    np.testing.assert_array_equal(grown[~mask], seeds[~mask])


def test_the_lowest_of_several_labels_wins_and_walls_are_walked_around():
    seeds = maps.grid("20001/00000/00000")
    mask = maps.grid("11111/00100/11111") > 0
    expected = maps.grid("22111/00100/11111")
    np.testing.assert_array_equal(grow_labels(seeds, mask), expected)


def test_labels_meet_a_step_at_a_time_not_one_after_the_other():
    seeds = maps.grid("1000000002")
    np.testing.assert_array_equal(grow_labels(seeds, np.ones((1, 10), bool)), maps.grid("1111122222"))
    np.testing.assert_array_equal(grow_labels(seeds, np.ones((1, 10), bool), 2), maps.grid("1110000222"))


def test_a_room_without_a_seed_stays_empty():
    np.testing.assert_array_equal(grow_labels(maps.grid("10000"), maps.grid("11011") > 0), maps.grid("11000"))


def test_a_seed_outside_the_mask_is_kept_and_grows_into_it():
    np.testing.assert_array_equal(grow_labels(maps.grid("50000"), maps.grid("01100") > 0), maps.grid("55500"))


def test_rows_do_not_run_into_one_another():
    seeds = maps.grid("0001/0000/0000")
    mask = maps.grid("0001/1000/1000") > 0
    np.testing.assert_array_equal(grow_labels(seeds, mask), seeds)


def test_corners_are_neighbours():
    np.testing.assert_array_equal(grow_labels(np.diag([3, 0, 0]), np.eye(3, dtype=bool)), np.diag([3, 3, 3]))


def test_a_corridor_is_walked_to_its_end():
    mask = np.ones((41, 41), bool)
    mask[1::2] = False
    mask[1::4, -1] = mask[3::4, 0] = True
    seeds = np.zeros(mask.shape, np.uint8)
    seeds[0, 0] = 255
    np.testing.assert_array_equal(grow_labels(seeds, mask), np.where(mask, 255, 0))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64])
def test_ids_as_large_as_their_type_holds_neither_wrap_nor_change_type(dtype):
    largest = np.iinfo(dtype).max
    seeds = np.array([[largest, 0, 0, 0, 0, 0, largest - 1]], dtype)
    grown = grow_labels(seeds, np.ones((1, 7), bool))
    assert grown.dtype == dtype
    np.testing.assert_array_equal(grown, np.array([[largest] * 3 + [largest - 1] * 4], dtype))


def test_bytes_in_the_other_order_are_read_and_kept():
    seeds = np.array([[1, 0, 0, 500]], ">u2")
    grown = grow_labels(seeds, np.ones((1, 4), bool))
    assert grown.dtype == seeds.dtype
    np.testing.assert_array_equal(grown, [[1, 1, 500, 500]])


@pytest.mark.parametrize("shape", [(0, 0), (0, 4), (4, 0)])
def test_a_map_without_pixels(shape):
    assert grow_labels(np.zeros(shape, int), np.ones(shape, bool)).shape == shape
    assert erode_instances(np.zeros(shape, int), 2).shape == shape
    assert subtract_contours(np.ones(shape, bool), np.ones(shape, bool), connectivity=4).shape == shape


SEEDS, MASK = np.zeros((2, 3), int), np.ones((2, 3), bool)


@pytest.mark.parametrize(
    ("seeds", "mask", "steps", "words"),
    [
        (SEEDS + 0.5, MASK, None, r"seeds: expected integers \(H, W\) with 0 as background, got float64 \(2, 3\)"),
        (MASK, MASK, None, r"seeds: expected integers .* got bool \(2, 3\)"),
        (SEEDS[None], MASK, None, r"seeds: expected integers \(H, W\) .* got int64 \(1, 2, 3\)"),
        (SEEDS.tolist(), MASK, None, "seeds: expected integers .* got list"),
        (SEEDS - 3, MASK, None, r"seeds: ids must not be negative, got -3 in int64 \(2, 3\)"),
        (SEEDS, SEEDS, None, r"mask: expected bool \(H, W\), got int64 \(2, 3\); threshold it first, as in mask > 0.5"),
        (SEEDS, np.full((2, 3), np.nan), None, r"mask: expected bool \(H, W\), got float64"),
        (SEEDS, MASK.T, None, r"seeds and mask must have one shape, got seeds \(2, 3\) and mask \(3, 2\)"),
        (SEEDS, MASK, -1, "steps: expected a whole number, 0 or more, got -1"),
        (SEEDS, MASK, 2.0, "steps: expected a whole number, 0 or more, got 2.0"),
        (SEEDS, MASK, True, "steps: expected a whole number, 0 or more, got True"),
    ],
)
def test_growing_refuses_what_it_cannot_grow(seeds, mask, steps, words):
    with pytest.raises(ValueError, match=words):
        grow_labels(seeds, mask, steps)


# subtract_contours


@settings(deadline=None)
@given(arrays(bool, shapes), st.data(), st.sampled_from([4, 8]))
def test_seeds_are_the_components_of_what_the_contour_leaves(mask, data, connectivity):
    contour = data.draw(arrays(bool, mask.shape))
    seeds = subtract_contours(mask, contour, connectivity=connectivity)
    left = np.array([m and not c for m, c in zip(mask.ravel(), contour.ravel(), strict=True)]).reshape(mask.shape)
    np.testing.assert_array_equal(seeds, split_components(left, connectivity=connectivity))


def test_contours_part_touching_nuclei_and_growing_gives_their_pixels_back():
    row, column = np.ogrid[:15, :26]
    mask = ((row - 7) ** 2 + (column - 7) ** 2 <= 36) | ((row - 7) ** 2 + (column - 18) ** 2 <= 36)
    contour = np.zeros_like(mask)
    contour[:, 12:14] = True
    grown = grow_labels(subtract_contours(mask, contour, connectivity=8), mask, steps=6)
    np.testing.assert_array_equal(grown > 0, mask)
    np.testing.assert_array_equal(np.unique(grown[:, :13]), [0, 1])
    np.testing.assert_array_equal(np.unique(grown[:, 13:]), [0, 2])


@pytest.mark.parametrize(
    ("mask", "contour", "connectivity", "words"),
    [
        (SEEDS, MASK, 8, r"mask: expected bool \(H, W\), got int64 \(2, 3\)"),
        (
            MASK,
            SEEDS * 0.1,
            8,
            r"contour: expected bool .* got float64 .*; threshold it first, as in contour > 0.5",
        ),
        (MASK, MASK.T, 8, r"mask and contour must have one shape, got mask \(2, 3\) and contour \(3, 2\)"),
        (MASK, MASK, None, "connectivity: expected 4 .* or 8 .*, got None"),
    ],
)
def test_subtracting_refuses_what_is_no_mask(mask, contour, connectivity, words):
    with pytest.raises(ValueError, match=words):
        subtract_contours(mask, contour, connectivity=connectivity)


# erode_instances


@st.composite
def instances(draw):
    labels = maps.disguise(draw, draw(maps.label_maps(draw(shapes))))
    return labels.astype(np.uint8) if labels.dtype == bool else labels


@settings(deadline=None, max_examples=200)
@given(instances(), st.integers(0, 4))
def test_eroding_keeps_exactly_what_the_disc_fits_into(labels, radius_px):
    before = labels.copy()
    eroded = erode_instances(labels, radius_px)
    assert eroded.dtype == labels.dtype
    np.testing.assert_array_equal(eroded, literal.erode(labels, radius_px))
    np.testing.assert_array_equal(labels, before)


def test_eroding_takes_nothing_away_at_the_border_of_the_image():
    assert (erode_instances(np.full((4, 5), 3), 2) == 3).all()


def test_eroding_agrees_with_scikit_image_object_by_object():
    from skimage.morphology import disk, erosion

    rng = np.random.default_rng(0)
    labels = np.kron(rng.integers(0, 4, (6, 6)), np.ones((7, 9), int))
    expected = sum(number * erosion(labels == number, disk(3)) for number in (1, 2, 3))
    np.testing.assert_array_equal(erode_instances(labels, 3), expected)


@pytest.mark.parametrize(
    ("labels", "radius_px", "words"),
    [
        (SEEDS * 1.5, 1, r"instances: expected integers \(H, W\) with 0 as background, got float64 \(2, 3\)"),
        (SEEDS - 1, 1, r"instances: ids must not be negative, got -1"),
        (SEEDS, 1.5, "radius_px: expected a whole number of pixels, 0 or more, got 1.5"),
        (SEEDS, -1, "radius_px: expected a whole number of pixels, 0 or more, got -1"),
    ],
)
def test_eroding_refuses_what_is_no_instance_map(labels, radius_px, words):
    with pytest.raises(ValueError, match=words):
        erode_instances(labels, radius_px)
