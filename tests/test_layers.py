import numpy as np
import pytest
import torch

from histolab_lib.layers import (
    CBAM,
    ChannelAttention,
    DenseDilated,
    LinkNetBlock,
    OpticalDensity,
    SpatialAttention,
    UpBlock,
    check_images,
    copy_weights,
    count_weights,
    double_conv,
    full_conv,
    with_norm,
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


def test_a_full_convolution_paints_its_kernel_around_every_pixel():
    torch.manual_seed(0)
    conv, x = full_conv(1, 1, 2, bias=False), torch.randn(1, 1, 3, 4)
    kernel, painted = conv.weight[0, 0].detach().numpy(), np.zeros((8, 10))
    for r in range(3):
        for c in range(4):
            painted[2 * r : 2 * r + 3, 2 * c : 2 * c + 3] += float(x[0, 0, r, c]) * kernel
    np.testing.assert_allclose(conv(x)[0, 0].detach().numpy(), painted[1:7, 1:9], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("bias", "parameters"), [(False, 8 * 4 + 4 * 4 * 9 + 4 * 6), (True, 200 + 4 + 4 + 6)])
def test_linknets_block_is_two_pointwise_convolutions_around_one_that_enlarges(bias, parameters):
    block = LinkNetBlock(19, 6, 2, bias=bias).eval()  # 4 channels in the middle: 19 / 4, rounded down
    assert sum(p.numel() for p in block.parameters()) == parameters + 11 * 4 + 2 * (4 + 4 + 6)
    x = torch.randn(2, 19, 3, 5)
    assert block(x).shape == (2, 6, 6, 10)
    for part in block:
        conv, norm, _ = part
        norm.running_mean.normal_()
        expected = (conv(x) - norm.running_mean[:, None, None]) / np.sqrt(1 + norm.eps)
        torch.testing.assert_close(part(x), expected.clamp(min=0))
        x = part(x)
    assert LinkNetBlock(16, 16, 1)(torch.randn(2, 16, 3, 5)).shape == (2, 16, 3, 5)


def test_with_norm_takes_its_channels_from_the_convolution():
    assert with_norm(torch.nn.Conv2d(3, 7, 1))[1].num_features == 7
    assert with_norm(full_conv(3, 5, 2, bias=True))[1].num_features == 5


def dilated(x, conv):
    """A dilated 3x3 (or 1x1) convolution of (C, H, W), tap by tap."""
    weight, bias = (p.detach().double().numpy() for p in (conv.weight, conv.bias))
    height, width = x.shape[1:]
    taps, rate = weight.shape[-1], conv.dilation[0]
    margin = taps // 2 * rate
    wide = np.pad(x, ((0, 0), (margin, margin), (margin, margin)))
    out = np.zeros((len(weight), height, width)) + bias[:, None, None]
    for row in range(taps):
        for col in range(taps):
            seen = wide[:, row * rate : row * rate + height, col * rate : col * rate + width]
            out += np.einsum("oi,ihw->ohw", weight[:, :, row, col], seen)
    return out


def test_the_dense_dilated_block_is_its_equation_in_numpy():
    torch.manual_seed(0)
    block = DenseDilated(4)
    for conv in (block.d1, block.d3, block.d5, block.p):
        assert not conv.bias.any()  # so they start
        torch.nn.init.normal_(conv.bias)
    images = torch.randn(2, 4, 9, 12)
    for image, found in zip(images.double().numpy(), block(images).detach().numpy(), strict=True):
        d1, d3, d5, p = ((lambda x, conv=conv: dilated(x, conv)) for conv in (block.d1, block.d3, block.d5, block.p))
        terms = d1(image), p(d3(image)), p(d3(d1(image))), p(d5(d3(d1(image))))
        np.testing.assert_allclose(found, image + sum(np.maximum(one, 0) for one in terms), rtol=1e-4, atol=1e-5)


def test_the_branches_of_the_dense_dilated_block_see_3_7_9_and_19_pixels():
    torch.manual_seed(0)
    x = torch.randn(1, 2, 25, 25, requires_grad=True)
    sides, seen = [], []
    for branch in DenseDilated(2).branches(x):
        (gradient,) = torch.autograd.grad(branch[0, :, 12, 12].sum(), x, retain_graph=True)
        touched = gradient[0].abs().amax(0) > 0
        rows, cols = (touched.any(axis).nonzero() for axis in (1, 0))
        assert rows.min() + rows.max() == cols.min() + cols.max() == 2 * 12
        sides.append(int(rows.max() - rows.min()) + 1)
        seen.append(int(touched.sum()))
    assert sides == [3, 7, 9, 19]
    assert seen == [9, 9, 81, 361]  # of the second branch 9 of 49 pixels, of the others all


def test_weights_are_counted_without_running_statistics():
    assert count_weights(torch.nn.Sequential(torch.nn.Conv2d(2, 3, 5), torch.nn.BatchNorm2d(3))) == 2 * 3 * 25 + 3 + 6


def test_copied_weights_make_two_networks_give_the_same_whatever_their_layers_are_called():
    class Named(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.norm = torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)

        def forward(self, x):
            return self.norm(self.first(x))

    source, target = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)), Named()
    images = torch.linspace(0, 1, 3 * 36).view(1, 3, 6, 6)
    source(images)  # moves the running statistics
    copy_weights(source, target)
    assert torch.equal(source.eval()(images), target.eval()(images))
    torch.nn.init.zeros_(source[0].weight)
    assert target.first.weight.abs().sum() > 0


def test_weights_of_other_layers_are_not_copied_and_the_target_is_as_it_was():
    target = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 4))
    before = [value.clone() for value in target.state_dict().values()]
    with pytest.raises(ValueError, match="source has 2 tensors and target 4"):
        copy_weights(torch.nn.Linear(2, 3), target)
    with pytest.raises(ValueError, match=r"'1.weight' of source and '1.weight' of target have other shapes: \(5, 3\)"):
        copy_weights(torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 5)), target)
    assert all(torch.equal(a, b) for a, b in zip(before, target.state_dict().values(), strict=True))
