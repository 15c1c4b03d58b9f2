import numpy as np
import pytest
import torch

from histolab_lib.layers import OpticalDensity, UpBlock, check_images, double_conv


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
