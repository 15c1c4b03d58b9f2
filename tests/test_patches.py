import numpy as np
import pytest

from histolab_lib.patches import check_crop_fits, random_crops
from histolab_lib.tile import Tile


def _tile(name: str, height: int, width: int, seed: int = 0) -> Tile:
    rng = np.random.default_rng(seed)
    image = rng.integers(256, size=(height, width, 3), dtype=np.uint8)
    return Tile(name, image, rng.integers(5, size=(height, width), dtype=np.int32))


def test_every_crop_is_cut_where_its_origin_says():
    tiles = {"a": _tile("a", 40, 50, 1), "b": _tile("b", 64, 33, 2)}
    crops = random_crops(list(tiles.values()), 50, 32, np.random.default_rng(0))
    assert crops.images.shape == (50, 32, 32, 3)
    assert crops.images.dtype == np.uint8
    assert crops.instances.shape == (50, 32, 32)
    assert crops.instances.dtype == np.int32
    for image, instances, (name, top, left) in zip(*crops, strict=True):
        window = slice(top, top + 32), slice(left, left + 32)
        np.testing.assert_array_equal(image, tiles[name].image[window])
        np.testing.assert_array_equal(instances, tiles[name].instances[window])
    assert {name for name, _, _ in crops.origins} == {"a", "b"}


def test_all_places_are_reached_the_last_ones_too():
    crops = random_crops([_tile("a", 10, 9)], 200, 8, np.random.default_rng(0))
    assert {(top, left) for _, top, left in crops.origins} == {(t, c) for t in range(3) for c in range(2)}


def test_the_same_generator_state_gives_the_same_crops():
    tiles = [_tile("a", 40, 50), _tile("b", 40, 50)]
    first, again, other = (random_crops(tiles, 6, 16, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert first.origins == again.origins
    assert first.origins != other.origins


def test_writing_to_a_crop_leaves_the_tile_alone():
    tile = _tile("a", 16, 16)
    before = tile.image.copy()
    random_crops([tile], 1, 16, np.random.default_rng(0)).images[:] = 0
    np.testing.assert_array_equal(tile.image, before)


def test_a_crop_as_large_as_the_tile_fits():
    assert random_crops([_tile("a", 16, 16)], 1, 16, np.random.default_rng(0)).origins == (("a", 0, 0),)


def test_a_tile_smaller_than_the_crop_is_named_with_both_sizes():
    with pytest.raises(ValueError, match=r"tile small is 60x20 pixels, smaller than the crop of 32x32.*at most 20 pix"):
        random_crops([_tile("large", 64, 64), _tile("small", 60, 20)], 1, 32, np.random.default_rng(0))


def test_no_tiles_no_pixels_or_no_crops_are_errors():
    with pytest.raises(ValueError, match="found no tiles to cut crops from"):
        random_crops([], 1, 32, np.random.default_rng(0))
    with pytest.raises(ValueError, match="size_px must be at least 1 pixel, got 0"):
        check_crop_fits([_tile("a", 8, 8)], 0)
    with pytest.raises(ValueError, match="n must be at least 1 crop, got 0"):
        random_crops([_tile("a", 8, 8)], 0, 4, np.random.default_rng(0))
