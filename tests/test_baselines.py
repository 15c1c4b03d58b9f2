import pytest
import torch

from histolab_lib.baselines import small_unet


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
