"""HistoSeg's costliest block beside a literal version of it, and its attentions beside one another.

On one thread; `bench_networks.py` has the whole network (HISTOLAB_BENCH=histoseg).
"""

import pytest
import torch
import torch.nn.functional as F

from histolab_lib.papers.histoseg import ASPP, ATTENTIONS
from tests.benchmarks.timing import one_thread, seconds

BATCH, SIDE_PX = 4, 32


@pytest.fixture(autouse=True)
def _alone():
    with one_thread():
        yield


def literal_aspp(block, x):
    """Fig. 1 d, one convolution after the other; of `block` the weights alone are used."""

    def step(part, given):
        conv, norm = part[0], part[1]
        made = F.conv2d(given, conv.weight, padding=conv.padding, dilation=conv.dilation)
        made = F.batch_norm(made, None, None, norm.weight, norm.bias, training=True)
        return F.relu(made)

    image = step(block.image, F.adaptive_avg_pool2d(x, 1))
    seen = [F.interpolate(image, x.shape[2:], mode="bilinear"), *(step(one, x) for one in block.branches)]
    return step(block.mix, torch.cat(seen, 1))


def test_aspp_costs_no_more_than_its_convolutions_one_by_one(table):
    block = ASPP(320, 256).to(memory_format=torch.channels_last)  # 2.8 of 4.8 billion multiply-adds at 256 px
    x = torch.rand(BATCH, 320, SIDE_PX, SIDE_PX).to(memory_format=torch.channels_last)
    torch.testing.assert_close(block(x), literal_aspp(block, x), rtol=1e-3, atol=1e-4)
    ours = seconds(lambda: block(x).sum().backward())
    plain = seconds(lambda: literal_aspp(block, x).sum().backward())
    table("ASPP, forward and back", {"ours s": ours, "literal s": plain, "ratio": plain / ours})
    assert plain / ours > 0.7


def test_quick_attention_is_the_quickest_of_its_table(table):
    x = torch.rand(BATCH, 64, SIDE_PX, SIDE_PX, requires_grad=True)
    blocks = {name: make(64) for name, make in ATTENTIONS.items() if name != "none"}
    took = {name: seconds(lambda block=block: block(x).sum().backward()) for name, block in blocks.items()}
    table("attention on 64 channels of 32 px, forward and back, s", took)
    assert took["quick_one_filter"] < took["self"]
