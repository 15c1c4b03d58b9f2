"""Stain, exposure, blur and noise: against the stain module, plain loops and scipy."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from histolab_lib.augment import add_noise, adjust_contrast, blur, jitter_concentrations
from histolab_lib.stain import RUIFROK_HED, combine, separate
from tests.literal import augment as literal


def _images(n=3, height=9, width=7, seed=0):
    return torch.rand(n, 3, height, width, generator=torch.Generator().manual_seed(seed))


def test_concentrations_change_pixel_by_pixel_as_the_formula_says():
    images = _images()
    images[0, :, 0, 0] = 0
    rng = np.random.default_rng(0)
    scale, shift = rng.uniform(0.7, 1.35, (3, 3)), rng.uniform(-0.06, 0.06, (3, 3))
    changed = jitter_concentrations(images, scale, shift)
    for sample in range(3):
        for row in range(9):
            for column in range(7):
                pixel = images[sample, :, row, column].double().tolist()
                expected = literal.stained(pixel, scale[sample], shift[sample], RUIFROK_HED.tolist())
                np.testing.assert_allclose(changed[sample, :, row, column].numpy(), expected, atol=2e-6)


def test_concentrations_change_as_the_stain_module_separates_and_combines():
    image = np.random.default_rng(1).integers(40, 250, (12, 10, 3)).astype(np.uint8)
    scale, shift = np.array([[1.2, 0.8, 1.1]]), np.array([[0.03, 0.02, -0.01]])
    expected = combine(separate(image) * scale[0] + shift[0])
    tensor = torch.from_numpy(image.transpose(2, 0, 1)[None]).float() / 255
    changed = (jitter_concentrations(tensor, scale, shift)[0] * 255).round().numpy().transpose(1, 2, 0)
    np.testing.assert_allclose(changed, expected, atol=1)
    assert (changed == expected).mean() > 0.99


def test_other_stains_may_be_given():
    images = _images(1)
    stains = np.eye(3)  # three dyes, each absorbing one colour: a change of red alone
    changed = jitter_concentrations(images, np.array([[2.0, 1.0, 1.0]]), np.zeros((1, 3)), stains)
    torch.testing.assert_close(changed[:, 0], images.clamp(min=1 / 255)[:, 0] ** 2, rtol=0, atol=1e-6)
    torch.testing.assert_close(changed[:, 1:], images.clamp(min=1 / 255)[:, 1:], rtol=0, atol=1e-6)


def test_arguments_of_the_wrong_shape_are_an_error():
    with pytest.raises(ValueError, match=r"scale and shift \(N, 3\), got images \(2, 3, 9, 7\), scale \(3, 3\)"):
        jitter_concentrations(_images(2), np.ones((3, 3)), np.zeros((3, 3)))


def test_contrast_stretches_each_sample_about_its_own_mean():
    images = _images() * 0.4 + 0.3
    changed = adjust_contrast(images, np.array([1.0, 0.5, 1.2]), np.array([0.0, 0.0, 0.05]))
    torch.testing.assert_close(changed[0], images[0], rtol=0, atol=1e-6)
    for sample, factor, offset in ((1, 0.5, 0.0), (2, 1.2, 0.05)):
        pixels = images[sample].double().numpy()
        expected = (pixels - pixels.mean()) * factor + pixels.mean() + offset
        np.testing.assert_allclose(changed[sample].numpy(), expected, atol=1e-6)
    assert adjust_contrast(_images(), np.full(3, 9.0), np.zeros(3)).max() == 1


def test_blur_is_that_of_scipy_and_none_without_a_sigma():
    images = _images(3, 33, 40)
    sigma = np.array([0.0, 0.8, 1.5])
    blurred = blur(images, sigma)
    torch.testing.assert_close(blurred[0], images[0], rtol=0, atol=1e-6)
    for sample in (1, 2):
        for channel in range(3):
            expected = gaussian_filter(images[sample, channel].double().numpy(), sigma[sample], mode="mirror", radius=6)
            np.testing.assert_allclose(blurred[sample, channel].numpy(), expected, atol=1e-6)


def test_a_blur_that_reaches_beyond_the_mirrored_image_is_an_error():
    with pytest.raises(ValueError, match=r"sigma_px must be in 0\.\.1\.5 for images of 9x7 pixels, got 0\.0 to 2\.0"):
        blur(_images(2), np.array([0.0, 2.0]))
    with pytest.raises(ValueError, match=r"sigma_px must be in 0\.\."):
        blur(_images(1), np.array([-1.0]))


def test_noise_has_the_standard_deviation_asked_for_in_each_sample():
    grey = torch.full((2, 3, 64, 64), 0.5)
    noisy = add_noise(grey, np.array([0.0, 0.02]), np.random.default_rng(0))
    assert torch.equal(noisy[0], grey[0])
    assert 0.0195 < float(noisy[1].std()) < 0.0205
    assert abs(float(noisy[1].mean()) - 0.5) < 0.001
    again = add_noise(grey, np.array([0.0, 0.02]), np.random.default_rng(0))
    assert torch.equal(noisy, again)


def test_noise_leaves_the_global_random_state_alone():
    before = torch.get_rng_state()
    add_noise(torch.zeros(1, 3, 4, 4), np.array([0.1]), np.random.default_rng(0))
    assert torch.equal(torch.get_rng_state(), before)
