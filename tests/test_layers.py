import numpy as np
import pytest
import torch

from histolab_lib.layers import (
    CBAM,
    ChannelAttention,
    OpticalDensity,
    SpatialAttention,
    UpBlock,
    check_images,
    double_conv,
)


def test_optical_density_is_that_of_every_8_bit_value_and_black_counts_as_one():
    values = np.arange(256)
    expected = [-np.log10(max(value, 1) / 255) for value in values]
    found = OpticalDensity()(torch.from_numpy(values).float() / 255)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-6)


def test_double_conv_keeps_the_size_and_sees_two_pixels_far():
    block = double_conv(1, 4).eval()
    for layer in (block[0], block[3]):
        torch.nn.init.ones_(layer.weight)
    image = torch.zeros(1, 1, 11, 11)
    image[0, 0, 5, 5] = 1
    expected = np.zeros((11, 11), bool)
    expected[3:8, 3:8] = True
    np.testing.assert_array_equal(block(image)[0, 0].detach().numpy() > 0, expected)


def test_up_block_doubles_the_size_and_uses_both_inputs():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        block = UpBlock(8, 4)
        below = torch.rand(2, 8, 3, 5, requires_grad=True)
        skip = torch.rand(2, 4, 6, 10, requires_grad=True)
    out = block(below, skip)
    assert out.shape == (2, 4, 6, 10)
    out.square().sum().backward()
    assert below.grad.abs().sum() > 0
    assert skip.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((3, 16, 16), r"must have the shape \(N, 3, H, W\), got \(3, 16, 16\)"),
        ((1, 4, 16, 16), r"must have the shape \(N, 3, H, W\), got \(1, 4, 16, 16\)"),
        ((1, 3, 17, 16), r"images are 17x16 pixels, but this network needs sides that 8 divides; pad them to 24x16"),
        ((1, 3, 16, 0), r"pad them to 16x8"),
    ],
)
def test_a_batch_of_the_wrong_shape_is_told_what_to_do(shape: tuple[int, ...], message: str):
    with pytest.raises(ValueError, match=message):
        check_images(torch.zeros(shape), 3, 8)


def test_integer_images_are_an_error_and_half_precision_is_not():
    with pytest.raises(ValueError, match=r"must be float in 0\.\.1, got torch\.uint8; divide 8-bit values by 255"):
        check_images(torch.zeros(1, 3, 8, 8, dtype=torch.uint8), 3, 8)
    check_images(torch.zeros(1, 3, 8, 8, dtype=torch.bfloat16), 3, 8)


def test_channel_attention_is_its_formula_in_numpy():
    torch.manual_seed(0)
    block, x = ChannelAttention(8, 4), torch.randn(2, 8, 5, 3)
    first, second = (block.shared[place].weight[:, :, 0, 0].detach().numpy() for place in (0, 2))
    for one, found in zip(x.numpy(), block(x).detach().numpy(), strict=True):
        score = sum(second @ np.maximum(first @ pooled, 0) for pooled in (one.mean((1, 2)), one.max((1, 2))))
        np.testing.assert_allclose(found, one / (1 + np.exp(-score))[:, None, None], rtol=1e-5, atol=1e-6)


def test_spatial_attention_is_a_convolution_of_the_largest_and_the_mean_channel():
    torch.manual_seed(0)
    block, x = SpatialAttention(3), torch.randn(1, 4, 6, 5)
    kernel = block.conv.weight[0].detach().numpy()
    seen = np.pad(np.stack([x[0].numpy().max(0), x[0].numpy().mean(0)]), ((0, 0), (1, 1), (1, 1)))
    score = [[(kernel * seen[:, r : r + 3, c : c + 3]).sum() for c in range(5)] for r in range(6)]
    expected = x[0].numpy() / (1 + np.exp(-np.array(score)))
    np.testing.assert_allclose(block(x)[0].detach().numpy(), expected, rtol=1e-5, atol=1e-6)


def test_cbam_weighs_channels_first_and_places_then():
    torch.manual_seed(0)
    block, x = CBAM(16, 4), torch.randn(2, 16, 7, 7)
    channels, places = block
    torch.testing.assert_close(block(x), places(channels(x)))
    assert not torch.allclose(block(x), channels(places(x)))
