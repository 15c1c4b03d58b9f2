"""MSAL-Net's own blocks beside literal versions: dense dilated convolutions, attention with refinement.

On one thread; `bench_networks.py` has the whole network (HISTOLAB_BENCH=msal_net).
"""

import pytest
import torch
import torch.nn.functional as F

from histolab_lib.layers import DenseDilated
from histolab_lib.papers.msal_net import BoundaryRefinement, EfficientChannelAttention
from tests.benchmarks.timing import one_thread, seconds

BATCH = 2


@pytest.fixture(autouse=True)
def _alone():
    with one_thread():
        yield


def literal_ddc(block, x):
    """Each branch from the start, as CE-Net's code has it: seven 3x3 convolutions where four suffice."""

    def d(conv, seen):
        return F.conv2d(seen, conv.weight, conv.bias, padding=conv.padding, dilation=conv.dilation)

    first = d(block.d1, x)
    second = d(block.p, d(block.d3, x))
    third = d(block.p, d(block.d3, d(block.d1, x)))
    fourth = d(block.p, d(block.d5, d(block.d3, d(block.d1, x))))
    return x + first.relu() + second.relu() + third.relu() + fourth.relu()


def test_dense_dilated_convolutions_that_share_what_they_saw_are_faster(table):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        block = DenseDilated(512).to(memory_format=torch.channels_last)
        x = torch.rand(BATCH, 512, 16, 16).to(memory_format=torch.channels_last)
    torch.testing.assert_close(block(x), literal_ddc(block, x), rtol=1e-3, atol=1e-4)
    ours = seconds(lambda: block(x).sum().backward())
    plain = seconds(lambda: literal_ddc(block, x).sum().backward())
    table("DDC of two patches, forward and back", {"ours s": ours, "literal s": plain, "ratio": plain / ours})
    assert plain / ours > 1.2


def literal_step(attention, refinement, x):
    """The mean of each channel, its neighbours padded by hand, and two convolutions."""
    means = F.pad(x.flatten(2).mean(2), (1, 1))
    scores = sum(attention.conv.weight[0, 0, place] * means[:, place : place + x.shape[1]] for place in range(3))
    x = x * scores.sigmoid()[:, :, None, None]
    first, second = refinement.convs
    seen = F.relu(F.conv2d(x, first.weight, first.bias, padding=1))
    return x + F.conv2d(seen, second.weight, second.bias, padding=1)


def test_attention_and_refinement_of_the_finest_map_cost_no_more_than_their_layers(table):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        attention, refinement = EfficientChannelAttention(64), BoundaryRefinement(64)
        refinement.to(memory_format=torch.channels_last)
        x = torch.rand(BATCH, 64, 128, 128).to(memory_format=torch.channels_last)  # of crops of 256 px

    def ours_of(x):
        return refinement(attention(x))

    torch.testing.assert_close(ours_of(x), literal_step(attention, refinement, x), rtol=1e-3, atol=1e-4)
    ours = seconds(lambda: ours_of(x).sum().backward())
    plain = seconds(lambda: literal_step(attention, refinement, x).sum().backward())
    alone = seconds(lambda: attention(x).sum().backward())
    table("ECA and BR, forward and back", {"ours s": ours, "literal s": plain, "ECA s": alone, "ratio": plain / ours})
    assert plain / ours > 0.7
