import numpy as np
import pytest
import torch

from histolab_lib.inputs import IMAGENET_MEAN, IMAGENET_SD, Hematoxylin, Inputs, Standardise, UnsharpMask, as_tensor
from histolab_lib.layers import OpticalDensity
from histolab_lib.stain import hematoxylin, separate, unsharp_mask


def _colours(n=500, seed=0):
    """8-bit colours from 1 to 255: at 0, `separate` jumps and a network's input does not."""
    return np.random.default_rng(seed).integers(1, 256, (n, 1, 3)).astype(np.uint8)


def _batch(colours):
    return torch.from_numpy(colours).permute(1, 2, 0)[..., None].float() / 255


def test_hematoxylin_is_that_of_colour_deconvolution_with_negative_values_set_to_0():
    colours = _colours()
    found = Hematoxylin()(_batch(colours)).flatten().numpy()
    np.testing.assert_allclose(found, np.maximum(separate(colours)[:, 0, 0], 0), atol=2e-5)
    np.testing.assert_allclose(found, 6 * hematoxylin(colours)[:, 0], atol=2e-5)
    assert (found == 0).any()
    assert found.max() > 1


@pytest.mark.parametrize("shape", [(40, 33), (64, 64), (9, 1), (1, 3)])
@pytest.mark.parametrize(("sigma_px", "amount"), [(2.0, 1.0), (0.7, 0.4), (3.0, 2.0)])
def test_unsharp_masking_is_that_of_the_stain_also_at_borders_and_on_tiny_maps(shape, sigma_px, amount):
    values = np.random.default_rng(1).gamma(1.0, 0.4, shape).astype(np.float32)
    expected = unsharp_mask(values, sigma_px=sigma_px, amount=amount)
    found = UnsharpMask(sigma_px, amount)(torch.from_numpy(values)[None, None])[0, 0].numpy()
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_unsharp_hematoxylin_is_the_sharpened_map_of_hematoxylin():
    image = np.random.default_rng(2).integers(1, 256, (2, 48, 40, 3)).astype(np.uint8)
    batch = torch.from_numpy(image).permute(0, 3, 1, 2).float() / 255
    made = Inputs("unsharp_hematoxylin")
    assert made.channels == 1
    stained = Hematoxylin()(batch)[:, 0].numpy()
    expected = np.stack([unsharp_mask(one, sigma_px=2.0, amount=1.0) for one in stained])
    np.testing.assert_allclose(made(batch)[:, 0].numpy(), expected, atol=2e-5)
    joined = Inputs("rgb+unsharp_hematoxylin")(batch)
    assert torch.equal(joined, torch.cat([batch, made(batch)], dim=1))
    assert made.state_dict() == {}


def test_a_blur_without_width_is_an_error():
    with pytest.raises(ValueError, match="sigma_px must be above 0, got 0"):
        UnsharpMask(0, 1)


def test_black_has_finite_hematoxylin_and_gradient():
    image = torch.zeros(1, 3, 1, 1, requires_grad=True)
    Inputs("optical_density+hematoxylin")(image).sum().backward()
    assert image.grad is not None
    assert image.grad.isfinite().all()


def test_imagenet_standardises_each_channel():
    colours = _colours()
    expected = (colours[:, 0] / 255 - np.array(IMAGENET_MEAN)) / np.array(IMAGENET_SD)
    np.testing.assert_allclose(Inputs("imagenet")(_batch(colours))[0, ..., 0].T.numpy(), expected, atol=1e-5)


def test_symmetric_is_what_the_mobilenet_weights_ask_for():
    colours = _colours()
    found = Inputs("symmetric")(_batch(colours))[0, ..., 0].T.numpy()
    np.testing.assert_allclose(found, colours[:, 0] / 127.5 - 1, atol=1e-6)


def test_joined_inputs_follow_one_another():
    batch = _batch(_colours(16))
    joined = Inputs("rgb+hematoxylin+optical_density")
    assert joined.channels == 7
    parts = [batch, Hematoxylin()(batch), OpticalDensity()(batch)]
    assert torch.equal(joined(batch), torch.cat(parts, dim=1))


def test_rgb_is_passed_on_as_it_is():
    batch = _batch(_colours(4))
    assert Inputs("rgb")(batch) is batch


def test_constants_are_no_part_of_a_checkpoint_but_move_with_the_network():
    inputs = Inputs("imagenet+hematoxylin")
    assert inputs.state_dict() == {}
    assert list(inputs.parameters()) == []
    assert {buffer.dtype for buffer in inputs.double().buffers()} == {torch.float64}


@pytest.mark.parametrize("kinds", ["imagnet", "rgb+imagnet", "rgb+", ""])
def test_an_unknown_input_is_an_error(kinds):
    with pytest.raises(ValueError, match=r"unknown input '(imagnet', did you mean 'imagenet'|)"):
        Inputs(kinds)


def test_standardise_takes_any_number_of_channels():
    found = Standardise((1.0, 2.0), (2.0, 4.0))(torch.tensor([3.0, 4.0]).view(1, 2, 1, 1))
    assert found.flatten().tolist() == [1.0, 0.5]


def test_an_image_becomes_a_batch_of_one_with_channels_first_and_is_left_alone():
    image = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    image.flags.writeable = False
    for given in (image, image[::-1], image[:, ::2]):
        found = as_tensor(given)
        assert found.dtype == torch.float32
        np.testing.assert_allclose(found[0].numpy(), np.moveaxis(given, 2, 0) / 255, atol=1e-7)
    with pytest.raises(ValueError, match=r"image must be uint8 \(H, W, 3\), got float64 \(2, 2, 3\)"):
        as_tensor(np.zeros((2, 2, 3)))
    with pytest.raises(ValueError, match=r"got uint8 \(2, 2, 4\)"):
        as_tensor(np.zeros((2, 2, 4), np.uint8))
