"""DAN-NucNet's own blocks beside literal versions: its gate, and pools that see what TensorFlow's see.

On one thread; `bench_networks.py` has the whole network (HISTOLAB_BENCH=dan_nucnet).
"""

import pytest
import torch
import torch.nn.functional as F

from histolab_lib.papers.dan_nucnet import ChannelGate, DualGate, SpatialGate
from tests.benchmarks.timing import one_thread, seconds

BATCH = 4


@pytest.fixture(autouse=True)
def _alone():
    with one_thread():
        yield


def literal_mean(x):
    """The sum of what a window sees, divided by how much that is."""
    ones = F.avg_pool2d(F.pad(torch.ones_like(x), (0, 1, 0, 1)), 2, 1)
    return F.avg_pool2d(F.pad(x, (0, 1, 0, 1)), 2, 1) / ones


def literal_maximum(x):
    return F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=-torch.inf), 2, 1)


def literal_gate(gate, skip, below):
    """Each layer by itself, one after the other."""
    places = [
        way(literal_maximum(literal_mean(x)))
        for way, x in ((gate.spatial.of_skip, skip), (gate.spatial.of_below, below))
    ]
    c = gate.channel
    a = c.of_skip(c.mean_of_skip(literal_mean(skip)) + c.maximum_of_skip(literal_maximum(skip)))
    b = c.of_below(c.mean_of_below(literal_mean(below)) + c.maximum_of_below(literal_maximum(below)))
    refined = skip * (places[0] + places[1]).sigmoid() * c.last(a + b).sigmoid()
    return gate.fuse(torch.cat([refined, below], 1))


def test_the_finest_gate_costs_no_more_than_its_layers_one_by_one(table):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        gate = DualGate(32, SpatialGate(32), ChannelGate(32, 8)).to(memory_format=torch.channels_last)
        skip, below = torch.rand(2, BATCH, 32, 128, 128)
    skip, below = (one.to(memory_format=torch.channels_last) for one in (skip, below))
    torch.testing.assert_close(gate(skip, below), literal_gate(gate, skip, below), rtol=1e-3, atol=1e-4)
    ours = seconds(lambda: gate(skip, below).sum().backward())
    plain = seconds(lambda: literal_gate(gate, skip, below).sum().backward())
    fusion = seconds(lambda: gate.fuse(torch.cat([skip, below], 1)).sum().backward())
    row = {"ours s": ours, "literal s": plain, "fusion alone s": fusion, "ratio": plain / ours}
    table("the finest gate of four crops of 128 px, forward and back", row)
    assert plain / ours > 0.9
