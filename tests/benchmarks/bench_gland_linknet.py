"""The modified LinkNet's costliest own layers beside a literal version, its sharpening, and changing tiles whole.

On one thread; `bench_networks.py` has the whole network (HISTOLAB_BENCH=gland_linknet).
"""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from histolab_lib.augment import RECIPES
from histolab_lib.inputs import UnsharpMask
from histolab_lib.papers.gland_linknet import gland_linknet
from histolab_lib.tile import Tile
from histolab_lib.training.batches import PatchBatches
from tests.benchmarks.timing import one_thread, seconds

BATCH = 4


@pytest.fixture(autouse=True)
def _alone():
    with one_thread():
        yield


def literal_ending(network, d1):
    """F1 to F3, one call after the other; of the network the weights alone are used."""
    (up, first), (conv, second), last = network.f1[:2], network.f2[:2], network.f3
    x = F.conv_transpose2d(d1, up.weight, up.bias, stride=2, padding=1, output_padding=1)
    x = F.relu(F.batch_norm(x, None, None, first.weight, first.bias, training=True))
    x = F.conv2d(x, conv.weight, conv.bias, padding=1)
    x = F.relu(F.batch_norm(x, None, None, second.weight, second.bias, training=True))
    return F.conv_transpose2d(x, last.weight, last.bias, stride=2)


def test_the_ending_costs_no_more_than_its_layers_one_by_one(table):
    network = gland_linknet().to(memory_format=torch.channels_last)  # three quarters of what is not ResNet-18's
    d1 = torch.rand(BATCH, 64, 72, 104).to(memory_format=torch.channels_last)
    ending = torch.nn.Sequential(network.f1, network.f2, network.f3)
    torch.testing.assert_close(ending(d1), literal_ending(network, d1), rtol=1e-3, atol=1e-4)
    ours = seconds(lambda: ending(d1).sum().backward())
    plain = seconds(lambda: literal_ending(network, d1).sum().backward())
    table("LinkNet's ending, forward and back", {"ours s": ours, "literal s": plain, "ratio": plain / ours})
    assert plain / ours > 0.7


def test_sharpening_row_by_row_is_faster_than_by_one_large_kernel(table):
    sharpen, x = UnsharpMask(2.0, 1.0), torch.rand(BATCH, 1, 288, 416)
    kernel = torch.outer(sharpen.kernel, sharpen.kernel)[None, None]

    def at_once():
        return 2 * x - F.conv2d(F.pad(x, (sharpen.radius_px,) * 4, mode="reflect"), kernel)

    inner = (..., slice(8, -8), slice(8, -8))
    torch.testing.assert_close(sharpen(x)[inner], at_once()[inner], rtol=1e-4, atol=1e-4)
    ours, plain = seconds(lambda: sharpen(x)), seconds(at_once)
    table("unsharp mask of four patches", {"ours s": ours, "at once s": plain, "ratio": plain / ours})
    assert plain / ours > 1.0


def test_to_change_whole_tiles_costs_less_than_a_training_step(table):
    rng = np.random.default_rng(0)
    tile = Tile("one", rng.integers(0, 256, (522, 775, 3), np.uint8), rng.integers(0, 2, (522, 775)).astype(np.int32))
    batches = PatchBatches(
        [tile], scheme="gland_linknet", batch_size=BATCH, steps=9, seed=0, recipe=RECIPES["gland_linknet"]
    )
    network = gland_linknet().to(memory_format=torch.channels_last)
    images = batches[0].images
    made = seconds(lambda: batches[1])
    step = seconds(lambda: network(images).mask.sum().backward())
    table("a batch of changed tiles, and a step", {"batch s": made, "step s": step, "ratio": step / made})
    assert step / made > 1.5
