"""Batches: the same whatever makes them, cut where they say, and changed as the recipe says."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from histolab_lib.augment import RECIPES, Augmentation
from histolab_lib.datasets.sequence import TileSequence
from histolab_lib.loading import Batch, Batches
from histolab_lib.patches import random_crops
from histolab_lib.tile import Tile

pytestmark = pytest.mark.thorough

NONE, STRONG = RECIPES["none"], RECIPES["strong_unet"]


def _tile(name="a", height=60, width=50):
    rng = np.random.default_rng(len(name))
    instances = np.arange(height * width, dtype=np.int32).reshape(height, width)  # an id tells its place
    return Tile(name, rng.integers(0, 256, (height, width, 3)).astype(np.uint8), instances)


TILES = [_tile("a"), _tile("bb", 40, 70), _tile("ccc", 33, 33)]


def _batches(tiles=TILES, **settings):
    return Batches(tiles, **{"size_px": 32, "batch_size": 4, "steps": 6, "seed": 3, "recipe": STRONG, **settings})


def _same(first: Batch, second: Batch):
    return (
        all(torch.equal(a, b) for a, b in zip(first[:2], second[:2], strict=True)) and first.origins == second.origins
    )


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_give_the_batches_that_one_process_gives(workers):
    alone = list(_batches())
    together = list(_batches(workers=workers))
    assert len(alone) == len(together) == 6
    assert all(_same(a, b) for a, b in zip(alone, together, strict=True))


def test_a_batch_depends_on_seed_and_step_alone():
    batches = _batches()
    last = batches[5]
    assert _same(last, list(batches)[5])
    assert _same(last, next(batches.iterate(start=5)))
    assert _same(last, _batches(steps=9)[5])
    assert not _same(last, batches[4])
    assert not _same(last, _batches(seed=4)[5])


def test_workers_that_only_cut_and_a_process_that_changes_give_the_same():
    batches = _batches()
    cut = batches._cut(2)  # what travels to a GPU
    assert (cut.images.dtype, cut.images.shape[1:]) == (torch.uint8, (44, 44, 3))
    assert _same(batches._change(cut._replace(origins=[list(origin) for origin in cut.origins]), 2), batches[2])
    helped = _batches(workers=1)
    helped._workers_change = False  # as for a GPU
    assert all(_same(a, b) for a, b in zip(batches, helped, strict=True))


def test_the_global_random_state_is_left_alone():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    for workers in (0, 1):
        list(_batches(workers=workers, steps=2))
    assert torch.equal(torch.get_rng_state(), before)


def test_crops_lie_where_their_origins_say():
    by_name = {tile.name: tile for tile in TILES}
    for batch in _batches(recipe=NONE):
        for image, ids, (name, top, left) in zip(*batch, strict=True):
            window = slice(top, top + 32), slice(left, left + 32)
            np.testing.assert_array_equal(ids[0].numpy(), by_name[name].instances[window])
            expected = by_name[name].image[window].transpose(2, 0, 1) / 255
            np.testing.assert_allclose(image.numpy(), expected, atol=1e-6)


def test_tiles_and_places_are_drawn_as_random_crops_draws_them():
    origins = [origin for batch in _batches(recipe=NONE, steps=300) for origin in batch.origins]
    expected = random_crops(TILES, 1200, 32, np.random.default_rng(0)).origins
    for found in (origins, expected):
        names, tops, lefts = zip(*found, strict=True)
        assert all(340 <= names.count(name) <= 460 for name in ("a", "bb", "ccc"))  # 400 on average, sd 16
        assert {top for name, top, _ in found if name == "a"} == set(range(29))
        assert {left for name, _, left in found if name == "bb"} == set(range(39))
        assert min(tops) == min(lefts) == 0


def test_a_recipe_sees_the_tissue_around_the_crop_and_a_mirror_image_beyond_the_tile():
    half = Augmentation(name="half", zoom=(0.5, 0.5))
    tile = _tile("a", 100, 100)
    batches = _batches([tile], recipe=half, steps=40)
    mirror = np.pad(tile.instances, 16, mode="symmetric")
    inside = 0
    for batch in batches:
        for ids, (_, top, left) in zip(batch.instances, batch.origins, strict=True):
            # at half the size, pixel (i, j) shows one of the four pixels around (2 i, 2 j): ties are rounded
            around = mirror[top : top + 64, left : left + 64]
            shown = ids[0].numpy()
            quarters = [around[a::2, b::2] for a in (0, 1) for b in (0, 1)]
            assert np.any([shown == one for one in quarters], axis=0).all()
            inside += 16 <= top <= 52 and 16 <= left <= 52
    assert 20 <= inside <= 140


def test_masks_are_the_instances_and_memory_is_channels_last():
    batch = _batches()[0]
    assert torch.equal(batch.masks, (batch.instances > 0).float())
    assert (batch.masks.shape, batch.masks.dtype) == ((4, 1, 32, 32), torch.float32)
    assert (batch.images.dtype, batch.instances.dtype) == (torch.float32, torch.int32)
    assert batch.images.is_contiguous(memory_format=torch.channels_last)


def test_tiles_are_read_once_or_for_every_crop_and_give_the_same():
    reads = []

    def read(name):
        reads.append(name)
        tile = next(tile for tile in TILES if tile.name == name)
        image = tile.image.copy()
        image.setflags(write=False)  # as a memory-mapped file
        return replace(tile, image=image)

    lazy = TileSequence([tile.name for tile in TILES], read)
    kept = list(_batches(lazy))
    assert reads == ["a", "bb", "ccc"]
    again = list(_batches(lazy, keep=False))
    assert len(reads) == 3 + 6 * 4
    assert all(_same(a, b) for a, b in zip(kept, again, strict=True))


def test_numbers_out_of_range_and_tiles_that_do_not_fit_are_errors():
    for name, value in (("size_px", 0), ("batch_size", 0), ("steps", 0), ("seed", -1), ("workers", -1)):
        with pytest.raises(ValueError, match=f"{name} must be at least {value + 1}, got {value}"):
            _batches(**{name: value})
    with pytest.raises(ValueError, match="found no tiles to cut crops from"):
        _batches([])
    with pytest.raises(ValueError, match="tile ccc is 33x33 pixels, smaller than the crop of 34x34"):
        _batches(size_px=34)
    with pytest.raises(ValueError, match="tile ccc is 33x33 pixels, smaller than the crop of 34x34"):
        list(_batches(TILES[2:], size_px=34, keep=False))
    with pytest.raises(IndexError, match="batch 6 asked for, but there are 6, counted from 0"):
        _batches()[6]
