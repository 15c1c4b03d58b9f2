import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from histolab_lib.datasets.synthetic import scene
from histolab_lib.patches import SCHEMES, UM_PER_PX, cut, resample, resize
from histolab_lib.tile import Tile


def _tile(height, width, um_per_px=None, classes=None):
    rng = np.random.default_rng(0)
    image = rng.integers(256, size=(height, width, 3), dtype=np.uint8)
    ids = np.array([0, 3, 70_000, 2**31 - 1], np.int32)
    instances = ids[rng.integers(4, size=(height, width))]
    return Tile("demo", image, instances, classes=classes, um_per_px=um_per_px, source={"file": "x"})


@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 30), st.integers(1, 30))
def test_every_new_pixel_has_the_id_of_the_old_pixel_under_its_centre(height, width, new_height, new_width):
    tile = _tile(height, width)
    got = resize(tile, (new_height, new_width))
    assert got.image.shape == (new_height, new_width, 3)
    for i, j in np.ndindex(new_height, new_width):
        old = int((i + 0.5) * height / new_height + 1e-9), int((j + 0.5) * width / new_width + 1e-9)
        assert got.instances[i, j] == tile.instances[old]


def test_a_tile_of_the_same_size_is_the_same_tile():
    tile = _tile(20, 30, um_per_px=0.25)
    same = resize(tile, (20, 30))
    np.testing.assert_array_equal(same.image, tile.image)
    np.testing.assert_array_equal(same.instances, tile.instances)
    assert (same.um_per_px, same.source["vanished_by_resizing"]) == (0.25, 0)


def test_shrinking_averages_the_image_instead_of_picking_pixels():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    small = resize(Tile("stripes", stripes, np.zeros((64, 64), np.int32)), (16, 16))
    assert small.image[4:-4, 4:-4].min() > 120
    assert small.image[4:-4, 4:-4].max() < 136


def test_image_and_instances_stay_aligned():
    made = scene("train", 0, size=96)
    picture = np.where(made.instances[..., None] > 0, np.uint8(60), np.uint8(220)).repeat(3, axis=2)
    for shape in ((192, 192), (70, 83)):
        got = resize(Tile("demo", picture, made.instances), shape)
        inside, outside = got.mask, ~got.mask
        for shift in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            moved = np.roll(got.image[..., 0], shift, axis=(0, 1)).astype(int)
            assert moved[outside].mean() - moved[inside].mean() < 0.999 * (
                got.image[outside].mean() - got.image[inside].mean()
            )


def test_what_vanishes_is_counted_and_loses_its_class():
    instances = np.zeros((8, 8), np.int32)
    instances[:4, :4], instances[7, 7] = 5, 9
    tile = Tile("demo", np.zeros((8, 8, 3), np.uint8), instances, classes={5: "a", 9: "b"}, source={"file": "x"})
    small = resize(tile, (2, 2))
    assert small.source == {"file": "x", "resized_from": (8, 8), "vanished_by_resizing": 1}
    assert small.classes == {5: "a"}
    assert small.count == 1


def test_the_scale_follows_and_is_unknown_where_sides_change_differently():
    assert resize(_tile(20, 30, um_per_px=0.25), (10, 15)).um_per_px == 0.5
    assert resize(_tile(20, 30, um_per_px=0.25), (10, 30)).um_per_px is None
    assert resize(_tile(20, 30), (10, 15)).um_per_px is None


def test_resampling_goes_from_20x_to_40x_and_from_what_a_file_says():
    assert resample(_tile(20, 30, um_per_px=0.5), UM_PER_PX["40x"]).shape == (40, 60)
    measured = resample(_tile(100, 100, um_per_px=0.2527), UM_PER_PX["40x"])
    assert measured.shape == (101, 101)
    assert measured.um_per_px == pytest.approx(0.25, abs=1e-3)
    assert resample(_tile(20, 30), 0.5, from_um_per_px=0.25).shape == (10, 15)


def test_a_scale_that_is_unknown_contradicted_or_impossible_is_an_error():
    with pytest.raises(ValueError, match="tile demo does not say its micrometres per pixel; pass from_um_per_px="):
        resample(_tile(4, 4), 0.25)
    with pytest.raises(ValueError, match=r"tile demo says 0.25 um per pixel, from_um_per_px=0.5"):
        resample(_tile(4, 4, um_per_px=0.25), 0.25, from_um_per_px=0.5)
    with pytest.raises(ValueError, match="micrometres per pixel must be above 0, got 0"):
        resample(_tile(4, 4, um_per_px=0.25), 0)
    with pytest.raises(ValueError, match="tile demo: cannot be resized to 0x4 pixels"):
        resize(_tile(4, 4), (0, 4))


def test_linknets_scheme_is_resizing_and_four_quarters():
    scheme = SCHEMES["gland_linknet"]
    assert scheme.resize_px == (576, 832)
    crops = cut(resize(_tile(52, 77), scheme.resize_px), scheme.windows((52, 77)))
    assert crops.images.shape == (4, 288, 416, 3)
