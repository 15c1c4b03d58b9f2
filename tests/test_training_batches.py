"""The patches of a scheme: each once in an epoch, and batch k the same whatever was asked before."""

import numpy as np
import pytest
import torch

from histolab_lib.augment import RECIPES, augment
from histolab_lib.patches import SCHEMES, resize
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


def _turned(tile, rng):
    """The tile as a batch of one, changed as the modified LinkNet's are, in its size of 576 x 832 px."""
    whole = resize(tile, (576, 832))
    image = torch.from_numpy(whole.image).permute(2, 0, 1)[None].float() / 255
    return augment(image, torch.from_numpy(whole.instances)[None, None], rng, RECIPES["gland_linknet"])


def test_a_scheme_that_changes_tiles_first_cuts_its_patches_from_changed_tiles():
    tile = _tile("g", 64)
    patches = _batches("gland_linknet", scheme="gland_linknet", tiles=[tile], batch_size=1)
    for step in (0, 3):
        batch = patches[step]
        _, top, left = batch.origins[0]
        images, instances = _turned(tile, np.random.default_rng([0, step, 1]))
        window = slice(top, top + 288), slice(left, left + 416)
        assert batch.images.is_contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(batch.images, images[..., *window], rtol=0, atol=1e-6)
        assert torch.equal(batch.instances, instances[..., *window])


def test_of_a_tile_that_is_changed_whole_each_patch_is_seen_once_in_an_epoch_and_again_when_taken_up():
    tiles = [_tile("g", 64), _tile("hh", 90)]
    made = _batches("gland_linknet", scheme="gland_linknet", tiles=tiles, steps=4)
    batches = list(made.iterate())
    origins = [origin for batch in batches[:2] for origin in batch.origins]
    assert set(origins) == {(name, top, left) for name in ("g", "hh") for top in (0, 288) for left in (0, 416)}
    again = next(iter(_batches("gland_linknet", scheme="gland_linknet", tiles=tiles, steps=9).iterate(3)))
    assert torch.equal(batches[3].images, again.images)
    assert torch.equal(batches[3].instances, again.instances)
    assert batches[3].origins == again.origins


def test_only_the_modified_linknet_changes_tiles_before_it_cuts():
    assert [name for name, scheme in SCHEMES.items() if scheme.changed_whole] == ["gland_linknet"]


def test_patches_of_several_sizes_cannot_make_a_batch():
    with pytest.raises(ValueError, match=r"patches of scheme 'haru_net' must be of one size, got \[\(40, 40\), \(50"):
        _batches(scheme="haru_net", tiles=[_tile("a", 40), _tile("b", 50)])
    with pytest.raises(ValueError, match="found no tiles to cut patches from"):
        _batches(tiles=[])
