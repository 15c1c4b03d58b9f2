import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from histolab_lib.postprocess import (
    fill_and_open,
    hematoxylin_floor,
    otsu_mask,
    remove_small,
    split_components,
    watershed_instances,
)

shapes = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=14)
masks = arrays(bool, shapes)
connectivities = st.sampled_from([4, 8])


def discs(*centres, radius=6, shape=(20, 40)):
    row, column = np.indices(shape)
    return np.any([(row - r) ** 2 + (column - c) ** 2 <= radius**2 for r, c in centres], axis=0)


def flood(mask, connectivity):
    """Components one pixel at a time, in the order of their first pixels."""
    steps = [(0, 1), (1, 0), (0, -1), (-1, 0)] + [(1, 1), (1, -1), (-1, 1), (-1, -1)] * (connectivity == 8)
    labels = np.zeros(mask.shape, int)
    for start in zip(*np.nonzero(mask), strict=True):
        if labels[start]:
            continue
        number, todo = labels.max() + 1, [start]
        while todo:
            r, c = todo.pop()
            if 0 <= r < mask.shape[0] and 0 <= c < mask.shape[1] and mask[r, c] and not labels[r, c]:
                labels[r, c] = number
                todo += [(r + dr, c + dc) for dr, dc in steps]
    return labels


def reaches_border(background):
    """Pixels of background that sides join to the border."""
    labels = flood(background, 4)
    edge = np.ones_like(background)
    edge[1:-1, 1:-1] = False
    return np.isin(labels, labels[edge & background]) & background


# otsu_mask


def test_otsu_separates_two_levels():
    values = np.where(discs((10, 10)), 0.8, 0.1) + np.random.default_rng(0).normal(0, 0.02, (20, 40))
    np.testing.assert_array_equal(otsu_mask(values), discs((10, 10)))


@pytest.mark.parametrize("sigma_px", [0.7, 2.0])
def test_otsu_blurs_as_scikit_image_does_and_thresholds_the_blurred(sigma_px):
    from skimage.filters import gaussian, threshold_otsu

    values = np.random.default_rng(1).gamma(2, 1, (30, 41))
    blurred = gaussian(values, sigma_px)
    np.testing.assert_array_equal(otsu_mask(values, sigma_px=sigma_px), blurred > threshold_otsu(blurred))


def test_otsu_maximises_the_variance_between_two_classes():
    values = np.random.default_rng(2).integers(0, 12, 400).reshape(20, 20)

    def between(threshold):
        high, low = values[values > threshold], values[values <= threshold]
        return high.size * low.size * (high.mean() - low.mean()) ** 2

    best = max(range(11), key=between)
    np.testing.assert_array_equal(otsu_mask(values), values > best)


def test_otsu_of_a_constant_image_is_empty():
    for sigma_px in (0.0, 2.0):
        assert not otsu_mask(np.full((9, 9), 0.3), sigma_px=sigma_px).any()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.zeros((2, 2, 3)), r"values: expected finite numbers \(H, W\), got float64 \(2, 2, 3\)"),
        (np.array([[0.0, np.nan]]), r"values: expected finite numbers"),
        (np.zeros((0, 4)), r"got float64 \(0, 4\)"),
    ],
)
def test_otsu_refuses_what_is_no_image(values, words):
    with pytest.raises(ValueError, match=words):
        otsu_mask(values)


def test_a_negative_blur_is_refused():
    with pytest.raises(ValueError, match="sigma_px: must be 0 or more, got -1"):
        otsu_mask(np.eye(3), sigma_px=-1)


# fill_and_open


@settings(deadline=None)
@given(masks)
def test_radius_0_only_fills_what_is_shut_off_from_the_border(mask):
    np.testing.assert_array_equal(fill_and_open(mask, radius_px=0), ~reaches_border(~mask))


@settings(deadline=None)
@given(masks)
def test_opening_keeps_exactly_what_the_disc_of_13_pixels_fits_into(mask):
    beyond = np.pad(mask, 4, mode="symmetric")
    row, column = np.indices(beyond.shape)
    opened = np.zeros_like(beyond)
    for r in range(2, beyond.shape[0] - 2):
        for c in range(2, beyond.shape[1] - 2):
            disc = (row - r) ** 2 + (column - c) ** 2 <= 4
            if beyond[disc].all():
                opened |= disc
    inner = opened[4:-4, 4:-4]
    np.testing.assert_array_equal(fill_and_open(mask, radius_px=2), ~reaches_border(~inner))


def test_opening_comes_before_filling():
    ring = discs((10, 10)) & ~discs((10, 10), radius=5)  # filled first, it would stay
    assert not fill_and_open(ring, radius_px=2).any()
    assert fill_and_open(fill_and_open(ring, radius_px=0), radius_px=2).any()


@pytest.mark.parametrize("radius_px", [-1, 1.5, None])
def test_a_radius_is_a_whole_number(radius_px):
    with pytest.raises(ValueError, match="radius_px: expected a whole number of pixels"):
        fill_and_open(np.ones((3, 3), bool), radius_px=radius_px)


# remove_small, split_components


@settings(deadline=None)
@given(masks, connectivities)
def test_components_equal_a_flood_fill(mask, connectivity):
    labels = split_components(mask, connectivity=connectivity)
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, flood(mask, connectivity))


@settings(deadline=None)
@given(masks, connectivities, st.integers(0, 9))
def test_small_components_go_and_the_others_stay(mask, connectivity, min_area_px):
    labels = flood(mask, connectivity)
    keep = [number for number in range(1, labels.max() + 1) if (labels == number).sum() >= min_area_px]
    ours = remove_small(mask, min_area_px=min_area_px, connectivity=connectivity)
    assert ours.dtype == bool
    np.testing.assert_array_equal(ours, np.isin(labels, keep))


@settings(deadline=None)
@given(arrays(np.uint16, shapes, elements=st.sampled_from([0, 3, 4, 60_000])), st.integers(0, 9))
def test_ids_of_an_instance_map_are_counted_over_all_their_pieces(labels, min_area_px):
    ours = remove_small(labels, min_area_px=min_area_px)
    expected = labels.copy()
    for number in (3, 4, 60_000):
        if (labels == number).sum() < min_area_px:
            expected[labels == number] = 0
    assert ours.dtype == labels.dtype
    np.testing.assert_array_equal(ours, expected)


def test_connectivity_is_asked_for_where_it_matters_and_refused_where_not():
    mask = np.eye(3, dtype=bool)
    for function in (split_components, watershed_instances):
        with pytest.raises(ValueError, match=r"connectivity: expected 4 .* or 8 .*, got 6"):
            function(mask, connectivity=6)
    with pytest.raises(ValueError, match=r"connectivity: expected 4 .* got None"):
        remove_small(mask, min_area_px=2)
    with pytest.raises(ValueError, match="connectivity: an id of an instance map is an object as it is, got 4"):
        remove_small(mask.astype(int), min_area_px=2, connectivity=4)


@pytest.mark.parametrize(
    "function",
    [
        fill_and_open,
        lambda mask: split_components(mask, connectivity=4),
        lambda mask: watershed_instances(mask, connectivity=4),
    ],
)
def test_a_mask_must_be_bool(function):
    with pytest.raises(ValueError, match=r"mask: expected bool \(H, W\), got float64 \(2, 2\); .* mask > 0.5"):
        function(np.zeros((2, 2)))


def test_remove_small_refuses_probabilities():
    with pytest.raises(ValueError, match=r"mask_or_labels: expected bool or integers .* got float64 \(2, 2\)"):
        remove_small(np.zeros((2, 2)), min_area_px=3)


# watershed_instances


@settings(deadline=None)
@given(masks, connectivities, st.integers(1, 6), st.sampled_from([0.0, 1.0, 2.5]))
def test_watershed_gives_each_pixel_of_the_mask_one_object_inside_one_component(
    mask, connectivity, min_distance_px, sigma_px
):
    labels = watershed_instances(mask, connectivity=connectivity, min_distance_px=min_distance_px, sigma_px=sigma_px)
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels > 0, mask)
    assert set(labels[mask]) == set(range(1, labels.max() + 1))
    components = flood(mask, connectivity)
    for number in range(1, labels.max() + 1):
        assert len(set(components[labels == number])) == 1
        assert flood(labels == number, connectivity).max() == 1


def test_touching_discs_are_split_between_them():
    mask = discs((10, 10), (10, 21))
    labels = watershed_instances(mask, connectivity=4)
    assert labels.max() == 2
    assert (labels[:, :15][mask[:, :15]] == labels[10, 10]).all()
    assert (labels[:, 17:][mask[:, 17:]] == labels[10, 21]).all()


def test_peaks_nearer_than_the_distance_asked_for_become_one_object():
    mask = discs((10, 10), (10, 21))
    assert watershed_instances(mask, connectivity=4, min_distance_px=12).max() == 1


def test_a_small_component_beside_a_large_one_keeps_its_object():
    mask = discs((10, 10))
    mask[10, 18] = True
    assert watershed_instances(mask, connectivity=4, min_distance_px=15).max() == 2


def test_a_mask_without_background_or_without_foreground():
    assert (watershed_instances(np.ones((3, 4), bool), connectivity=4) == 1).all()
    assert not watershed_instances(np.zeros((3, 4), bool), connectivity=4).any()


@pytest.mark.parametrize("wrong", [{"min_distance_px": 0}, {"sigma_px": -1.0}])
def test_distances_below_what_means_anything_are_refused(wrong):
    with pytest.raises(ValueError, match="expected min_distance_px of 1 or more and sigma_px of 0 or more"):
        watershed_instances(np.eye(3, dtype=bool), connectivity=4, **wrong)


# hematoxylin_floor


def test_the_floor_is_its_five_steps_in_scikit_image_and_scipy():
    from scipy.ndimage import binary_fill_holes, gaussian_filter, label
    from skimage.filters import gaussian, threshold_otsu
    from skimage.morphology import disk, opening

    values = gaussian_filter(np.random.default_rng(3).normal(size=(160, 140)), 2.5)
    blurred = gaussian(values, 2)
    expected = binary_fill_holes(opening(blurred > threshold_otsu(blurred), disk(2)))
    labels, count = label(expected)
    small = [number for number in range(1, count + 1) if (labels == number).sum() <= 50]
    assert small
    expected[np.isin(labels, small)] = False
    np.testing.assert_array_equal(hematoxylin_floor(values), expected)


def test_the_floor_of_blank_glass_is_empty():
    assert not hematoxylin_floor(np.zeros((20, 20))).any()
