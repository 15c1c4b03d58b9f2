import numpy as np
import pytest
import torch

from histolab_lib.augment import augment, jitter_stain, turn_and_flip


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_images_and_masks_stay_aligned():
    images = torch.rand(16, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    masks = (images.sum(dim=1, keepdim=True) > 1.5).float()
    moved, moved_masks = turn_and_flip(images, masks, _rng())
    assert not torch.equal(moved, images)
    torch.testing.assert_close(moved_masks, (moved.sum(dim=1, keepdim=True) > 1.5).float(), rtol=0, atol=0)


def test_each_sample_gets_one_of_the_eight_symmetries_and_all_eight_occur():
    square = np.arange(9.0).reshape(3, 3)
    expected = {tuple(s.ravel()) for k in range(4) for s in (np.rot90(square, k), np.fliplr(np.rot90(square, k)))}
    assert len(expected) == 8
    batch = torch.from_numpy(square).expand(200, 1, 3, 3)
    moved, _ = turn_and_flip(batch, batch, _rng())
    found = [tuple(sample.flatten().tolist()) for sample in moved]
    assert set(found) == expected
    assert all(12 <= found.count(one) <= 40 for one in expected)  # 25 each on average, sd 4.7


def test_stain_jitter_is_linear_in_optical_density_per_sample_and_channel():
    images = torch.rand(5, 3, 16, 16, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 0.5 + 0.2
    jittered = jitter_stain(images, _rng(), od_scale=0.25, od_shift=0.06)
    before, after = -np.log10(images.numpy()), -np.log10(jittered.numpy())
    fitted = []
    for sample in range(5):
        for channel in range(3):
            x, y = before[sample, channel].ravel(), after[sample, channel].ravel()
            scale, shift = np.polyfit(x, y, 1)
            np.testing.assert_allclose(scale * x + shift, y, atol=1e-9)
            fitted.append((scale, shift))
    scales, shifts = np.array(fitted).T
    assert np.unique(scales.round(6)).size == np.unique(shifts.round(6)).size == 15  # every channel drew its own
    assert 0.75 <= scales.min() < 0.9
    assert 1.1 < scales.max() <= 1.25
    assert -0.06 <= shifts.min() < -0.02
    assert 0.02 < shifts.max() <= 0.06


def test_stain_jitter_keeps_black_and_white_finite_and_in_range():
    images = torch.zeros(8, 3, 2, 2)
    images[..., 1] = 1
    jittered = jitter_stain(images, _rng())
    assert torch.isfinite(jittered).all()
    assert jittered.min() > 0
    assert jittered.max() == 1


def test_no_jitter_gives_the_image_back():
    images = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(2)).clamp(min=1 / 255)
    torch.testing.assert_close(jitter_stain(images, _rng(), od_scale=0, od_shift=0), images)


def test_the_same_generator_state_gives_the_same_batch_and_the_input_is_left_alone():
    images = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(3))
    before = images.clone()
    first, again, other = (augment(images, images[:, :1], _rng(seed)) for seed in (5, 5, 6))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])
    assert torch.equal(images, before)


def test_crops_that_are_not_square_or_do_not_match_are_errors():
    with pytest.raises(ValueError, match="quarter turns need square crops, got 8x6 pixels"):
        turn_and_flip(torch.zeros(1, 3, 8, 6), torch.zeros(1, 1, 8, 6), _rng())
    with pytest.raises(ValueError, match="differ in number or size"):
        turn_and_flip(torch.zeros(2, 3, 8, 8), torch.zeros(1, 1, 8, 8), _rng())
    with pytest.raises(ValueError, match=r"od_scale must be in 0\.\.1 .* got 1\.5, 0\.06"):
        jitter_stain(torch.zeros(1, 3, 8, 8), _rng(), od_scale=1.5)
