"""NucleiSegNet: its count, its shapes, its layers; what every network must do is in test_papers.py."""

import pytest
import torch

from histolab_lib.baselines import nuclei_seg_net
from histolab_lib.baselines.nuclei_seg_net import ReLUGate
from histolab_lib.claims import network_called
from tests import base_network as base
from tests.literal import nuclei_seg_net as literal

pytestmark = pytest.mark.thorough


def count(part):
    return sum(p.numel() for p in part.parameters())


def on_meta(**options):
    with torch.device("meta"):
        return nuclei_seg_net(**options)


def block(c, f):
    """3x3, separable 3x3, 3x3, and 3x3 of both; a bias and batch norm each."""
    return (9 * c * f + 3 * f) + (9 * f + f * f + 3 * f) + (9 * f * f + 3 * f) + (9 * (c + f) * f + 3 * f)


def step(f):
    """The gate, the transposed convolution, two layers."""
    gate = (9 * f * f // 2 + f // 2) + (2 * f * f + f) + (9 * f * f // 2 + f // 2) + (f * f // 2 + 3 * f)
    return gate + (4 * 2 * f * f + f) + (18 * f * f + 3 * f) + (9 * f * f + 3 * f)


def test_it_has_the_parameters_that_its_authors_notebook_prints():
    network = on_meta()
    assert [count(one) for one in network.down] == [block(*pair) for pair in ((3, 32), (32, 64), (64, 128), (128, 256))]
    assert count(network.bottleneck) == 9 * 512 * (256 + 2 * 512) + 3 * 3 * 512
    assert [count(one) for one in network.up] == [step(f) for f in (256, 128, 64, 32)]
    assert count(network.head) == 33
    assert count(network) == 12_395_713
    statistics = sum(b.numel() for name, b in network.named_buffers() if "running" in name)
    assert (statistics, count(network) + statistics) == (9_792, 12_405_505)


@pytest.mark.parametrize("size", [(256, 256), (512, 512), (96, 160)])
def test_every_map_has_its_shape(size):
    network, seen = on_meta(), {}
    for name, part in network.named_modules():
        part.register_forward_hook(lambda _, __, out, name=name: seen.update({name: out}))
    network(torch.empty(2, 3, *size, device="meta"))
    shapes = {
        "down.0": (32, 1), "down.1": (64, 2), "down.2": (128, 4), "down.3": (256, 8), "bottleneck": (512, 16),
        "up.0.gate": (256, 8), "up.0": (256, 8), "up.1": (128, 4), "up.2": (64, 2), "up.3.gate": (32, 1),
        "up.3.gate.of_below": (16, 2), "up.3": (32, 1), "": (1, 1),
    }  # fmt: skip
    expected = {name: (2, c, size[0] // r, size[1] // r) for name, (c, r) in shapes.items()}
    assert {name: tuple(seen[name].shape) for name in shapes} == expected


@pytest.mark.slow
def test_it_is_the_released_network_layer_by_layer():
    network = base.settled(nuclei_seg_net(seed=2)).double()
    images = base.images(1, 32, 48).double()
    expected = literal.network(network.state_dict().values(), network.prepare(images))
    (found,) = base.run(network, images)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-9 * float(expected.abs().max()))


def test_a_gate_of_a_trained_norm_cannot_close_below_one_weight_for_each_channel():
    gate = ReLUGate(8).eval()
    skip = torch.randn(4, 8, 6, 6, generator=torch.Generator().manual_seed(0))
    below = torch.randn(4, 16, 3, 3, generator=torch.Generator().manual_seed(1))
    norm = gate.psi[2]
    torch.nn.init.constant_(norm.weight, 3.0)
    norm.running_mean.uniform_(0.0, 0.3, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        weights = gate.weights(skip, below)
        floor = norm(torch.zeros(1, 8, 1, 1)).sigmoid()  # of a ReLU that gives 0
    assert (weights >= floor - 1e-6).all()
    assert weights.shape == skip.shape


def test_a_width_that_cannot_be_halved_is_an_error():
    for width in (0, 7):
        with pytest.raises(ValueError, match=f"width must be even and at least 2, got {width}"):
            nuclei_seg_net(width)


def test_it_is_known_by_the_names_that_papers_print():
    for name in ("NucleiSegNet", "NucliSegNet", "NucleiSeg-Net"):
        assert network_called(name, "dan_nucnet") == "nuclei_seg_net"
    assert network_called("Proposed", "dan_nucnet") == "dan_nucnet"
