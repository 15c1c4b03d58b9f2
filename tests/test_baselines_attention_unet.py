"""The Attention U-Net: its count, its gates; what every network must do is in test_papers.py."""

import numpy as np
import pytest
import torch

from histolab_lib.baselines import attention_unet
from histolab_lib.baselines.attention_unet import AttentionGate
from tests import base_network as base
from tests.literal import baselines as literal

pytestmark = pytest.mark.thorough


def count(part):
    return sum(p.numel() for p in part.parameters())


def on_meta(**options):
    with torch.device("meta"):
        return attention_unet(**options)


def pair(i, o):
    """Two 3x3 convolutions without bias, each with batch norm."""
    return 9 * i * o + 9 * o * o + 4 * o


def gate(c):
    return 2 * (c * c // 2 + c) + c // 2 + 2


CHANNELS = [64, 128, 256, 512, 1024]


def test_every_stage_has_the_parameters_counted_by_hand():
    network = on_meta()
    assert [count(one) for one in network.down] == [pair(i, o) for i, o in zip([3, *CHANNELS], CHANNELS, strict=False)]
    assert [count(one) for one in network.up] == [
        2 * c * c * 4 + c + gate(c) + pair(2 * c, c) for c in CHANNELS[-2::-1]
    ]
    assert [count(one.gate) for one in network.up] == [gate(c) for c in CHANNELS[-2::-1]]
    assert count(network.head) == 65
    assert count(network) == 31_388_201


def test_the_count_differs_from_the_usual_re_implementations_by_what_the_docstring_says():
    copied_then_convolved = sum(9 * 2 * c * c + c + 2 * c - (4 * 2 * c * c + c) for c in CHANNELS[:-1])
    biases = 2 * sum(CHANNELS) + 2 * sum(CHANNELS[:-1]) + sum(c + 1 for c in CHANNELS[:-1])
    assert 34_878_573 - count(on_meta()) == copied_then_convolved + biases


@pytest.mark.slow
@pytest.mark.parametrize("size", [(256, 256), (512, 512), (16, 48)])
def test_every_map_has_its_shape(size):
    network, seen = on_meta(), {}
    for name, part in network.named_modules():
        part.register_forward_hook(lambda _, __, out, name=name: seen.update({name: out}))
    network(torch.empty(2, 3, *size, device="meta"))
    shapes = {f"down.{level}": (c, 2**level) for level, c in enumerate(CHANNELS)}
    for place, level in enumerate((3, 2, 1, 0)):
        shapes |= {f"up.{place}{part}": (CHANNELS[level], 2**level) for part in ("", ".up", ".gate")}
        shapes |= {f"up.{place}.gate.psi": (1, 2**level)}
    found = {name: tuple(seen[name].shape) for name in shapes}
    assert found == {name: (2, c, size[0] // r, size[1] // r) for name, (c, r) in shapes.items()}
    assert tuple(seen[""].shape) == (2, 1, *size)


def test_a_gate_is_that_of_the_paper_pixel_by_pixel():
    rng = np.random.default_rng(0)
    block = AttentionGate(6, 4).double().eval()
    layers = []
    for part in (block.of_skip, block.of_gating, block.psi):
        conv, norm = part
        numbers = [rng.normal(size=norm.weight.shape), rng.normal(size=norm.weight.shape),
                   rng.normal(size=norm.weight.shape), rng.uniform(0.5, 2, size=norm.weight.shape)]  # fmt: skip
        held = (norm.weight.data, norm.bias.data, norm.running_mean, norm.running_var)
        for there, given in zip(held, numbers, strict=True):
            there.copy_(torch.from_numpy(given))
        layers.append((conv.weight.detach().numpy()[:, :, 0, 0], numbers))
    skip, gating = rng.normal(size=(2, 6, 5, 7))
    with torch.inference_mode():
        found = block(torch.from_numpy(skip)[None], torch.from_numpy(gating)[None])[0].numpy()
    np.testing.assert_allclose(found, literal.attention_gate(skip, gating, *layers), rtol=1e-12, atol=1e-12)


def test_a_closed_gate_lets_nothing_pass_and_an_open_one_everything():
    network = attention_unet(width=4).eval()
    image = base.images(1, 32, 32)
    block = network.up[-1]
    kept = {}
    block.convs.register_forward_hook(lambda _, given, __: kept.update(joined=given[0]))
    block.gate.register_forward_hook(lambda _, given, __: kept.update(skip=given[0]))
    for bias, share in ((-1e3, 0.0), (1e3, 1.0)):
        block.gate.psi[1].bias.data.fill_(bias)
        with torch.inference_mode():
            network(image)
        assert torch.equal(kept["joined"][:, :4], share * kept["skip"])


def test_a_width_below_two_is_an_error():
    with pytest.raises(ValueError, match="width must be at least 2, got 1"):
        attention_unet(1)


def test_what_it_sees_can_be_chosen():
    stained = attention_unet(width=2, inputs="rgb+hematoxylin")
    assert stained.down[0][0].in_channels == 4
    assert stained(base.images(2, 16, 32)).shape == (2, 1, 16, 32)
