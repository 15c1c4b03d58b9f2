import pytest
import torch

from histolab_lib.baselines import deeplabv3plus, linknet, small_unet, strong_unet, unet, unetpp
from histolab_lib.compat import ensure_torchvision
from histolab_lib.inputs import Inputs
from histolab_lib.outputs import Output, mask_logits

pytestmark = pytest.mark.thorough


def _images(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


def test_the_network_of_the_floors_has_482737_parameters():
    assert sum(p.numel() for p in small_unet(width=16, levels=4).parameters()) == 482_737


def test_parameters_are_those_counted_by_hand_for_two_levels():
    double = lambda i, o: 9 * i * o + 9 * o * o + 4 * o  # noqa: E731 - two convolutions, two batch norms
    by_hand = double(3, 8) + double(8, 16) + (16 * 8 * 4 + 8) + double(16, 8) + (8 + 1)
    assert sum(p.numel() for p in small_unet(width=8, levels=2).parameters()) == by_hand


@pytest.mark.parametrize(("levels", "stride"), [(1, 1), (2, 2), (4, 8)])
def test_logits_are_as_large_as_the_image(levels: int, stride: int):
    network = small_unet(width=4, levels=levels)
    assert network.stride_px == stride
    assert network(_images(2, 3, 3 * stride, 5 * stride)).shape == (2, 1, 3 * stride, 5 * stride)


def test_gradients_reach_every_parameter():
    network = small_unet(width=4)
    network(_images(2, 3, 32, 32)).square().sum().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []


def test_evaluation_is_deterministic_and_treats_samples_alone():
    network = small_unet(width=4).eval()
    images = _images(3, 3, 32, 32)
    with torch.inference_mode():
        whole = network(images)
        assert torch.equal(whole, network(images))
        torch.testing.assert_close(network(images[1:2]), whole[1:2], rtol=0, atol=1e-5)


def test_the_seed_alone_decides_the_weights_and_the_global_state_is_untouched():
    before = torch.random.get_rng_state()
    first = small_unet(width=4, seed=1).state_dict()
    torch.rand(1)
    torch.random.set_rng_state(before)
    again, other = small_unet(width=4, seed=1).state_dict(), small_unet(width=4, seed=2).state_dict()
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["head.weight"], other["head.weight"])


def test_optical_density_can_be_switched_off():
    images = _images(1, 3, 16, 16) * 0.8 + 0.1
    inside, outside = small_unet(width=4).eval(), small_unet(width=4, optical_density=False).eval()
    torch.testing.assert_close(inside(images), outside(-torch.log10(images)))
    assert not torch.allclose(inside(images), outside(images))


def test_a_size_that_the_stride_does_not_divide_is_told_the_padded_one():
    with pytest.raises(ValueError, match=r"images are 100x64 pixels, .* sides that 8 divides; pad them to 104x64"):
        small_unet(width=4)(_images(1, 3, 100, 64))


@pytest.mark.parametrize("name", ["width", "levels", "in_channels"])
def test_numbers_below_one_are_errors(name: str):
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
        small_unet(**{name: 0})


def _parameters(network) -> int:
    return sum(p.numel() for p in network.parameters())


def _block(inside: int, outside: int) -> int:
    """Two 3x3 convolutions without bias, each with batch norm."""
    return 9 * inside * outside + 9 * outside**2 + 4 * outside


@pytest.mark.slow
def test_the_strong_unet_has_2662178_parameters_counted_by_hand():
    encoder = 1_811_712  # MobileNetV2 without its head: 3,504,872 less 409,600, 2,560 and 1,281,000
    decoder = _block(320 + 96, 128) + _block(128 + 32, 64) + _block(64 + 24, 48) + _block(48 + 16, 32) + _block(32, 16)
    head = 16 * 9 * 2 + 2
    assert _parameters(strong_unet()) == encoder + decoder + head == 2_662_178
    assert _parameters(strong_unet(contour=False)) == 2_662_178 - head // 2


@pytest.mark.slow
def test_the_strong_unet_gives_mask_and_contour_and_without_a_contour_the_same_kind_of_mask():
    images = _images(2, 3, 64, 32)
    output, plain = strong_unet()(images), strong_unet(contour=False)(images)
    assert isinstance(output, Output)
    assert list(output.extra) == ["contour"]
    assert output.mask.shape == output.extra["contour"].shape == plain.shape == (2, 1, 64, 32)
    assert isinstance(plain, torch.Tensor)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "kind", "stride", "encoder", "parameters"),
    [
        (unet, "Unet", 32, "resnet34", 24_436_369),
        (unetpp, "UnetPlusPlus", 32, "resnet18", 15_970_449),
        (linknet, "Linknet", 32, "mobilenetv2_100", 1_963_459),
        (deeplabv3plus, "DeepLabV3Plus", 16, "resnet18", 12_329_297),
    ],
)
def test_a_baseline_gives_what_segmentation_models_pytorch_gives(make, kind, stride, encoder, parameters):
    ensure_torchvision()
    import segmentation_models_pytorch as smp

    network = make(encoder, seed=1).eval()
    theirs = getattr(smp, kind)(f"tu-{encoder}", encoder_weights=None).eval()
    names = {"encoder": network.encoder, "decoder": network.decoder, "segmentation_head": network.head}
    for name, part in names.items():
        getattr(theirs, name).load_state_dict(part.state_dict(), strict=True)
    images = _images(2, 3, 64, 96)
    with torch.inference_mode():
        torch.testing.assert_close(network(images), theirs(Inputs("imagenet")(images)), rtol=0, atol=1e-6)
    assert network.stride_px == stride
    assert _parameters(network) == _parameters(theirs) == parameters


@pytest.mark.slow
def test_a_baseline_sees_what_its_inputs_say():
    images = _images(1, 3, 64, 64) * 0.8 + 0.1
    inside, outside = unet("resnet18", inputs="optical_density").eval(), unet("resnet18", inputs="rgb").eval()
    torch.testing.assert_close(inside(images), outside(-torch.log10(images)))
    stained = unet("resnet18", inputs="imagenet+hematoxylin")
    assert stained.encoder.model.conv1.in_channels == 4
    assert stained(images).shape == (1, 1, 64, 64)


def test_mask_logits_takes_what_networks_give_and_nothing_else():
    mask = torch.zeros(1, 1, 2, 2)
    assert mask_logits(Output(mask, {"contour": mask + 1})) is mask
    assert mask_logits(mask) is mask
    with pytest.raises(TypeError, match="a network must return a tensor or an Output, got dict"):
        mask_logits({"mask": mask})
