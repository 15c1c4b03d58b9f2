import numpy as np
import pytest

from histolab_lib.postprocess import by_name, erode_instances, split_components, watershed_instances
from histolab_lib.postprocess.named import names
from tests.literal import postprocess as literal

HALF = {"mask": 0.5}


def _pair() -> np.ndarray:
    """Two discs that touch, as probabilities."""
    row, column = np.ogrid[:15, :26]
    mask = ((row - 7) ** 2 + (column - 7) ** 2 <= 36) | ((row - 7) ** 2 + (column - 18) ** 2 <= 36)
    return np.where(mask, 0.9, 0.1)


def test_the_names_are_those_that_recipes_use():
    assert names() == ["components", "solid_components", "watershed", "contour_watershed", "contour_propagation"]


def test_an_unknown_name_gives_the_nearest():
    with pytest.raises(ValueError, match="unknown post-processing 'watersheds', did you mean 'watershed'\\? Allowed"):
        by_name("watersheds")


def test_components_and_watershed_are_the_plain_functions_on_the_thresholded_mask():
    maps = {"mask": _pair()}
    mask = maps["mask"] > 0.5
    one = by_name("components")(maps, thresholds=HALF)
    two = by_name("watershed")(maps, thresholds=HALF, min_distance_px=3)
    np.testing.assert_array_equal(one, split_components(mask, connectivity=4))
    np.testing.assert_array_equal(two, watershed_instances(mask, connectivity=4, min_distance_px=3))
    assert (one.max(), two.max(), one.dtype, two.dtype) == (1, 2, np.int32, np.int32)


@pytest.mark.parametrize("name", ["components", "watershed"])
def test_objects_that_meet_at_a_corner_are_two_unless_8_is_asked_for(name: str):
    maps = {"mask": np.kron(np.eye(2), np.ones((6, 6)))}
    assert by_name(name)(maps, thresholds=HALF).max() == 2
    assert by_name("components")(maps, thresholds=HALF, connectivity=8).max() == 1


OPTIONS = {
    "contour_watershed": {"opening_px": 0, "min_seed_px": 0},
    "contour_propagation": {"connectivity": 4},
    "solid_components": {"opening_px": 0, "connectivity": 4},
}


@pytest.mark.parametrize("name", names())
def test_small_objects_are_dropped_and_ids_have_no_gaps(name: str):
    mask = np.zeros((20, 20))
    mask[:2, :2] = mask[5:15, 5:15] = mask[18:, 10:] = 1
    maps = {"mask": mask, "contour": np.zeros_like(mask)}
    options = OPTIONS.get(name, {})
    every = by_name(name)(maps, thresholds={"mask": 0.5, "contour": 0.5}, **options)
    large = by_name(name)(maps, thresholds={"mask": 0.5, "contour": 0.5}, min_area_px=5, **options)
    assert np.unique(every[:2, :2]).tolist() == [1]
    np.testing.assert_array_equal(large, np.where(every > 1, every - 1, 0))


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_nothing_and_everything_are_objects_too(name: str, value: float):
    maps = {"mask": np.full((9, 12), value), "contour": np.zeros((9, 12))}
    found = by_name(name)(maps, thresholds={"mask": 0.5, "contour": 0.5}, **OPTIONS.get(name, {}))
    assert np.unique(found).tolist() == [int(value)]


def test_a_mask_is_opened_then_filled_and_only_then_rid_of_what_is_small():
    row, column = np.ogrid[:60, :90]
    far = np.hypot(row - 30, column - 30)
    mask = (far <= 24) & (far > 9)  # a gland of 15 px around its lumen
    mask[28:32, 54:90] = True  # a bridge of 4 px to the border
    mask[5:12, 70:77] = True  # a speck that a disk of 3 px fits into
    find = by_name("solid_components")
    found = find({"mask": mask * 0.8}, thresholds={"mask": "otsu"}, opening_px=3, connectivity=8, min_area_px=100)
    disc = far <= 24
    assert found.max() == 1
    assert 2 * (disc & (found > 0)).sum() / (disc.sum() + (found > 0).sum()) > 0.99
    assert find({"mask": mask * 0.8}, thresholds=HALF, opening_px=3, connectivity=8).max() == 2
    thick = find({"mask": mask * 0.8}, thresholds=HALF, opening_px=8, connectivity=8)  # the ring is 15 px wide, not 17
    assert not thick.any()


def test_a_mask_may_be_thresholded_by_otsu():
    maps = {"mask": np.where(_pair() > 0.5, 0.4, 0.1)}  # all below a half
    assert by_name("components")(maps, thresholds={"mask": "otsu"}).max() == 1
    assert by_name("components")(maps, thresholds=HALF).max() == 0


def test_contours_part_touching_nuclei_and_every_pixel_of_the_mask_beside_a_seed_is_given_back():
    mask, contour = _pair(), np.zeros((15, 26))
    contour[:, 12:14] = 0.9
    thresholds = {"mask": 0.5, "contour": 0.45}
    found = by_name("contour_watershed")({"mask": mask, "contour": contour}, thresholds=thresholds)
    np.testing.assert_array_equal(found > 0, mask > 0.5)
    assert set(np.unique(found[:, :12])) == {0, 1}
    assert set(np.unique(found[:, 14:])) == {0, 2}
    parted = by_name("contour_watershed")({"mask": mask, "contour": 0 * contour}, thresholds=thresholds)
    assert parted.max() == 1


def test_seeds_are_opened_and_small_ones_dropped():
    mask, contour = np.ones((21, 21)), np.ones((21, 21))
    contour[3:8, 3:8] = contour[12:18, 12:18] = 0  # two seeds ...
    contour[np.arange(7, 13), np.arange(7, 13)] = contour[np.arange(7, 12), np.arange(8, 13)] = 0  # and a thin gap
    maps, thresholds = {"mask": mask, "contour": contour}, {"mask": 0.5, "contour": 0.5}
    find = by_name("contour_watershed")
    assert find(maps, thresholds=thresholds).max() == 2
    assert find(maps, thresholds=thresholds, opening_px=0).max() == 1
    assert find(maps, thresholds=thresholds, min_seed_px=25).max() == 1  # an opened square of 25 px has 21
    assert find(maps, thresholds=thresholds, min_seed_px=21).max() == 2


def test_a_component_without_a_seed_gets_no_object():
    mask = np.zeros((10, 20))
    mask[2:8, 2:8] = mask[2:8, 12:18] = 1
    contour = np.zeros((10, 20))
    contour[:, 10:] = 1
    found = by_name("contour_watershed")({"mask": mask, "contour": contour}, thresholds={"mask": 0.5, "contour": 0.5})
    np.testing.assert_array_equal(found[:, :10] > 0, mask[:, :10] > 0)
    assert not found[:, 10:].any()


@pytest.mark.parametrize("rounds", [None, 0, 2, 6])
def test_propagation_is_the_printed_algorithm_for_as_many_rounds(rounds):
    rng = np.random.default_rng(3)
    mask, contour = (np.kron(rng.random((7, 8)), np.ones((3, 3))) for _ in range(2))
    thresholds = {"mask": 0.25, "contour": 0.4}
    find = by_name("contour_propagation")
    found = find({"mask": mask, "contour": contour}, thresholds=thresholds, connectivity=8, rounds=rounds)
    seeds = split_components((mask > 0.25) & ~(contour > 0.4), connectivity=8)
    np.testing.assert_array_equal(found, literal.grow(seeds, mask > 0.25, rounds))
    assert found.max() > 2


def test_a_component_that_is_contour_all_over_gets_no_object_and_ends():
    mask = np.zeros((9, 20))
    mask[2:7, 2:7] = mask[2:7, 12:17] = 1
    contour = np.where(np.arange(20) >= 10, 1.0, 0.0) * np.ones((9, 1))
    found = by_name("contour_propagation")(
        {"mask": mask, "contour": contour}, thresholds={"mask": 0.5, "contour": 0.5}, connectivity=8
    )
    np.testing.assert_array_equal(found > 0, (mask > 0) & (np.arange(20) < 10))


def test_what_was_propagated_may_be_eroded():
    maps, thresholds = {"mask": _pair(), "contour": 0 * _pair()}, {"mask": 0.5, "contour": 0.5}
    whole, eroded = (
        by_name("contour_propagation")(maps, thresholds=thresholds, connectivity=8, erosion_px=px) for px in (0, 1)
    )
    np.testing.assert_array_equal(eroded, erode_instances(whole, 1))
    assert 0 < (eroded > 0).sum() < (whole > 0).sum()


@pytest.mark.parametrize(
    ("maps", "thresholds", "message"),
    [
        ({}, HALF, "needs the map 'mask', got none"),
        ({"mask": _pair()}, {}, "needs the threshold 'mask', got none"),
        ({"mask": _pair()}, {**HALF, "contour": 0.5}, "needs the map 'contour', got mask"),
        ({"mask": _pair() > 0.5}, HALF, r"map 'mask': expected probabilities, float \(H, W\), got bool \(15, 26\)"),
        ({"mask": _pair()[0]}, HALF, r"expected probabilities, float \(H, W\), got float64 \(26,\)"),
        ({"mask": [[0.5]]}, HALF, "got list"),
        ({"mask": _pair()}, {"mask": 50}, "threshold of map 'mask': expected a number in 0..1 or 'otsu', got 50"),
        ({"mask": _pair()}, {"mask": "ots"}, "expected a number in 0..1 or 'otsu', got 'ots'"),
    ],
)
def test_maps_and_thresholds_that_do_not_fit_are_errors(maps: dict, thresholds: dict, message: str):
    with pytest.raises(ValueError, match=message):
        by_name("contour_watershed")(maps, thresholds=thresholds)


@pytest.mark.parametrize("option", ["min_area_px", "min_seed_px", "opening_px"])
def test_sizes_that_are_no_whole_numbers_are_errors(option: str):
    maps = {"mask": _pair(), "contour": 0 * _pair()}
    with pytest.raises(ValueError, match=rf"{option}: expected a whole number of pixels, 0 or more, got -1"):
        by_name("contour_watershed")(maps, thresholds={"mask": 0.5, "contour": 0.5}, **{option: -1})
