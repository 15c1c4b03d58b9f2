import numpy as np
import pytest
import torch
from torch import nn

from histolab_lib.baselines import small_unet
from histolab_lib.inference import predict


def _image(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(256, size=(height, width, 3), dtype=np.uint8)


def _literal(network: nn.Module, image: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return torch.sigmoid(network(torch.tensor(image / 255.0).permute(2, 0, 1)[None].float()))[0, 0].numpy()


def _pooling_network() -> nn.Module:
    """Stride 4, and no pixel looks further than 6 pixels."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1), nn.AvgPool2d(4), nn.Tanh(), nn.ConvTranspose2d(4, 1, 4, stride=4)
        )
        for parameter in network.parameters():
            nn.init.normal_(parameter)
    return network


def test_the_whole_image_is_the_sigmoid_of_the_logits():
    network, image = small_unet(width=4).eval(), _image(48, 64)
    probability = predict(network, image)
    assert probability.dtype == np.float32
    np.testing.assert_allclose(probability, _literal(network, image), atol=1e-5)


def test_an_image_that_the_stride_does_not_divide_is_mirrored_and_cut_back():
    network, image = _pooling_network(), _image(41, 62)
    padded = np.pad(image, [(0, 3), (0, 2), (0, 0)], mode="reflect")
    np.testing.assert_allclose(predict(network, image, stride_px=4), _literal(network, padded)[:41, :62], atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (3, 100), (100, 3)])
def test_an_image_smaller_than_the_stride_works(shape: tuple[int, int]):
    network = small_unet(width=4)
    for window_px in (None, 32):
        probability = predict(network, _image(*shape), window_px=window_px, overlap_px=16)
        assert probability.shape == shape
        assert ((probability > 0) & (probability < 1)).all()


@pytest.mark.parametrize("shape", [(128, 128), (150, 131), (64, 200), (65, 64), (40, 300)])
@pytest.mark.parametrize("batch_size", [1, 3])
def test_windows_give_what_the_whole_image_gives_where_the_field_fits(shape: tuple[int, int], batch_size: int):
    network, image = _pooling_network(), _image(*shape)
    whole = predict(network, image, stride_px=4)
    windows = predict(network, image, window_px=64, overlap_px=32, batch_size=batch_size, stride_px=4)
    np.testing.assert_allclose(windows, whole, atol=1e-4)
    assert whole.std() > 0.1  # the comparison would see a shift


def test_a_u_net_by_windows_stays_near_the_whole_image():
    network, image = small_unet(width=4, levels=2).eval(), _image(192, 160)
    windows = predict(network, image, window_px=96, overlap_px=48)
    np.testing.assert_allclose(windows, predict(network, image), atol=1e-4)  # it looks 10 pixels far, 48 / 4 = 12


def test_blending_has_no_seams_where_windows_disagree():
    class FirstPixel(nn.Module):
        """Every window answers with its own first pixel everywhere."""

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return (images[:, :1, :1, :1] * 8 - 4).expand(-1, 1, *images.shape[2:])

    image = np.zeros((64, 256, 3), np.uint8)
    image[:, 128:] = 255
    row = predict(FirstPixel(), image, window_px=128, overlap_px=64, stride_px=1)[0]
    steps = np.abs(np.diff(row))
    assert row.min() < 0.05
    assert row.max() > 0.95
    assert steps.max() < 0.05  # a hard edge would be 0.96


def test_the_mode_and_the_gradients_of_the_network_are_left_as_they_were():
    network = small_unet(width=4)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    predict(network, _image(32, 32))
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in network.parameters())


def test_two_predictions_are_equal_and_the_image_is_left_alone():
    network, image = small_unet(width=4), _image(40, 40)
    before = image.copy()
    np.testing.assert_array_equal(predict(network, image), predict(network, image))
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("image", [np.zeros((8, 8)), np.zeros((8, 8, 4), np.uint8), np.zeros((0, 8, 3), np.uint8)])
def test_what_is_no_8_bit_rgb_is_an_error(image: np.ndarray):
    with pytest.raises(ValueError, match=r"image must be 8-bit RGB, uint8 \(H, W, 3\), got (float64|uint8) \("):
        predict(small_unet(width=4), image)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window_px": 60, "overlap_px": 16}, "window_px must be divisible by .* 8 pixels, got 60; the next is 64"),
        ({"window_px": 64, "overlap_px": 12}, "overlap_px must be divisible by .* 8 pixels, got 12; the next is 16"),
        ({"window_px": 64, "overlap_px": 40}, "overlap_px must be between 0 and half of window_px = 64, got 40"),
        ({"window_px": 0, "overlap_px": 0}, "window_px must be divisible .* got 0; the next is 8"),
        ({"window_px": 64, "overlap_px": 16, "batch_size": 0}, "batch_size must be at least 1 window, got 0"),
    ],
)
def test_windows_that_do_not_fit_together_are_errors(options: dict[str, int], message: str):
    with pytest.raises(ValueError, match=message):
        predict(small_unet(width=4), _image(64, 64), **options)


def test_a_network_that_does_not_tell_its_stride_is_an_error():
    with pytest.raises(ValueError, match=r"Conv2d has no stride_px; pass stride_px="):
        predict(nn.Conv2d(3, 1, 1), _image(8, 8))


def test_a_device_that_is_not_there_is_an_error_that_lists_those_that_are():
    with pytest.raises(ValueError, match=r"unknown device 'tpu': this machine has cpu"):
        predict(nn.Conv2d(3, 1, 1), np.zeros((4, 4, 3), np.uint8), stride_px=1, device="tpu")
