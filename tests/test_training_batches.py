"""The patches of a scheme: each once in an epoch, and batch k the same whatever was asked before."""

import numpy as np
import pytest
import torch

from histolab_lib.augment import RECIPES
from histolab_lib.tile import Tile
from histolab_lib.training.batches import PatchBatches


def _tile(name, side=1000):
    rng = np.random.default_rng(len(name))
    return Tile(name, rng.integers(0, 256, (side, side, 3), np.uint8), rng.integers(0, 9, (side, side), np.int32))


TILES = [_tile("a"), _tile("bb")]


def _batches(recipe="none", **changes):
    settings = {"scheme": "histoseg_text", "batch_size": 4, "steps": 9, "seed": 0, **changes}
    return PatchBatches(settings.pop("tiles", TILES), recipe=RECIPES[recipe], **settings)


def test_every_patch_is_seen_once_in_an_epoch_in_an_order_of_its_own():
    origins = [origin for batch in _batches().iterate() for origin in batch.origins]  # two epochs of 18 patches
    expected = {(name, row, col) for name in ("a", "bb") for row in (0, 256, 512) for col in (0, 256, 512)}
    assert set(origins[:18]) == set(origins[18:]) == expected
    assert len(origins) == 36
    assert origins[:18] != origins[18:]


def test_a_batch_depends_on_seed_and_step_alone():
    batches = _batches("haru_net")
    last = list(batches.iterate())[8]
    for again in (next(batches.iterate(8)), _batches("haru_net", steps=20)[8]):
        assert torch.equal(last.images, again.images)
        assert torch.equal(last.instances, again.instances)
        assert last.origins == again.origins
    assert _batches("haru_net", seed=1)[8].origins != last.origins


def test_patches_are_what_lies_at_their_origins():
    tiles = {tile.name: tile for tile in TILES}
    batch = _batches()[3]
    assert batch.images.is_contiguous(memory_format=torch.channels_last)
    for image, instances, (name, row, col) in zip(batch.images, batch.instances[:, 0], batch.origins, strict=True):
        window = slice(row, row + 256), slice(col, col + 256)
        np.testing.assert_allclose(image.permute(1, 2, 0).numpy() * 255, tiles[name].image[window], atol=1e-4)
        np.testing.assert_array_equal(instances.numpy(), tiles[name].instances[window])


def test_patches_need_not_be_square():
    batch = _batches(scheme="gland_linknet", tiles=[_tile("g", 64)])[0]
    assert batch.images.shape == (4, 3, 288, 416)


def test_patches_of_several_sizes_cannot_make_a_batch():
    with pytest.raises(ValueError, match=r"patches of scheme 'haru_net' must be of one size, got \[\(40, 40\), \(50"):
        _batches(scheme="haru_net", tiles=[_tile("a", 40), _tile("b", 50)])
    with pytest.raises(ValueError, match="found no tiles to cut patches from"):
        _batches(tiles=[])
