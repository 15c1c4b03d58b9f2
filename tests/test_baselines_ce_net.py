"""CE-Net: its count, its shapes, its pooling; what every network must do is in test_papers.py."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from histolab_lib.baselines import ce_net
from histolab_lib.baselines.ce_net import MultiKernelPooling
from tests.literal import baselines as literal

pytestmark = pytest.mark.thorough


def count(part):
    return sum(p.numel() for p in part.parameters())


def on_meta(*args, **options):
    with torch.device("meta"):
        return ce_net(*args, **options)


def decoder(i, o):
    """1x1, 3x3 full convolution, 1x1, each with a bias and batch norm."""
    k = i // 4
    return i * k + 3 * k + 9 * k * k + 3 * k + k * o + 3 * o


@pytest.mark.slow
def test_every_stage_has_the_parameters_counted_by_hand():
    network = on_meta()
    stages = {
        "encoder": 21_284_672,  # ResNet-34, 21,797,672, without its classifier of 513,000
        "dilated": 7_342_080,
        "pooling": 513,
        "decoder4": decoder(516, 256),
        "decoder3": decoder(256, 128),
        "decoder2": decoder(128, 64),
        "decoder1": decoder(64, 64),
        "head": (64 * 32 * 16 + 32) + (32 * 32 * 9 + 32) + (32 * 9 + 1),
    }
    assert {name: count(getattr(network, name)) for name in stages} == stages
    assert count(network) == sum(stages.values()) == 29_003_093


@pytest.mark.slow
@pytest.mark.parametrize("encoder", ["resnet34", "mobilenetv2_100"])
@pytest.mark.parametrize("size", [(256, 256), (512, 512), (64, 96)])
def test_every_map_has_its_shape(encoder, size):
    padding = {"padding": "same", "inputs": "symmetric"} if encoder == "mobilenetv2_100" else {}
    network, seen = on_meta(encoder, **padding), {}
    for name, part in network.named_modules():
        part.register_forward_hook(lambda _, __, out, name=name: seen.update({name: out}))
    network(torch.empty(2, 3, *size, device="meta"))
    c1, c2, c3, c4 = (64, 128, 256, 512) if encoder == "resnet34" else (24, 32, 96, 320)
    shapes = {
        "dilated": (c4, 32), "pooling": (c4 + 4, 32), "decoder4": (c3, 16), "decoder3": (c2, 8), "decoder2": (c1, 4),
        "decoder1": (c1, 2), "head.0": (32, 1), "": (1, 1),
    }  # fmt: skip
    expected = {name: (2, c, size[0] // r, size[1] // r) for name, (c, r) in shapes.items()}
    assert {name: tuple(seen[name].shape) for name in shapes} == expected


def test_pooling_is_that_of_the_paper_pixel_by_pixel():
    rng = np.random.default_rng(0)
    for shape in ((6, 6), (14, 14), (8, 17)):
        block = MultiKernelPooling(3).double()
        weight, bias, x = rng.normal(size=3), rng.normal(), rng.normal(size=(3, *shape))
        block.conv.weight.data.copy_(torch.from_numpy(weight).view(1, 3, 1, 1))
        block.conv.bias.data.fill_(bias)
        with torch.inference_mode():
            found = block(torch.from_numpy(x)[None])[0].numpy()
        np.testing.assert_allclose(found, literal.multi_kernel_pooling(x, weight, bias), rtol=1e-12, atol=1e-12)


def test_a_map_smaller_than_a_window_is_pooled_as_a_whole():
    block = MultiKernelPooling(2)
    x = torch.rand(1, 2, 2, 4, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        found = block(x)
        maximum = block.conv(nn.functional.max_pool2d(x, (2, 3)))  # 4 columns hold one window of 3
        torch.testing.assert_close(found[:, 1:2], maximum.expand(1, 1, 2, 4))
        torch.testing.assert_close(found[:, 3:4], block.conv(x.amax((2, 3), keepdim=True)).expand(1, 1, 2, 4))
    assert torch.equal(found[:, 4:], x)


@pytest.mark.slow
def test_the_maps_of_the_encoder_are_added_and_its_weights_can_be_loaded(tmp_path):
    network = ce_net("resnet18", seed=1).eval()
    state = {name: value.contiguous() for name, value in network.encoder.state_dict().items()}
    save_file(state, tmp_path / "encoder.safetensors")
    other = ce_net("resnet18", seed=2, pretrained=tmp_path / "encoder.safetensors")
    plain = ce_net("resnet18", seed=2)
    for name, value in other.state_dict().items():
        expected = network if name.startswith("encoder.") else plain
        assert torch.equal(value, expected.state_dict()[name]), name
    for name in ("decoder4", "decoder3", "decoder2"):
        getattr(network, name).register_forward_hook(lambda _, __, out: torch.zeros_like(out))
    given = {}
    network.decoder1.register_forward_hook(lambda _, inputs, __: given.update(d2=inputs[0]))
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        network(image)
        e1 = network.encoder(network.prepare(image))[0]
    assert torch.equal(given["d2"], e1)
