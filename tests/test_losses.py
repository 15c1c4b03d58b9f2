import numpy as np
import pytest
import torch

from histolab_lib.losses import bce_dice, soft_dice_loss


def _literal(logits: np.ndarray, target: np.ndarray, smooth: float) -> tuple[float, float]:
    """Cross-entropy and Dice loss pixel by pixel, in double precision."""
    entropy = overlap = predicted = truth = 0.0
    for z, t in zip(logits.ravel().astype(float), target.ravel().astype(float), strict=True):
        p = 1 / (1 + np.exp(-z))
        entropy -= t * np.log(p) + (1 - t) * np.log(1 - p)
        overlap, predicted, truth = overlap + p * t, predicted + p, truth + t
    return entropy / logits.size, 1 - (2 * overlap + smooth) / (predicted + truth + smooth)


@pytest.mark.parametrize("smooth", [1e-6, 1.0, 100.0])
def test_values_are_those_of_a_loop_over_pixels(smooth: float):
    rng = np.random.default_rng(0)
    logits, target = rng.normal(0, 3, (2, 1, 7, 5)).astype(np.float32), rng.random((2, 1, 7, 5)) < 0.3
    entropy, dice = _literal(logits, target, smooth)
    z, t = torch.from_numpy(logits), torch.from_numpy(target)
    assert float(soft_dice_loss(z, t, smooth=smooth)) == pytest.approx(dice, abs=1e-6)
    assert float(bce_dice(z, t, smooth=smooth)) == pytest.approx(entropy + dice, abs=1e-6)


def test_the_gradient_is_that_of_finite_differences():
    rng = np.random.default_rng(1)
    logits, target = rng.normal(0, 2, 6), (rng.random(6) < 0.5).astype(float)
    z = torch.tensor(logits, dtype=torch.float32, requires_grad=True)
    bce_dice(z, torch.tensor(target), smooth=1.0).backward()
    for i in range(6):
        up, down = logits.copy(), logits.copy()
        up[i], down[i] = up[i] + 1e-5, down[i] - 1e-5
        slope = (sum(_literal(up, target, 1.0)) - sum(_literal(down, target, 1.0))) / 2e-5
        assert float(z.grad[i]) == pytest.approx(slope, abs=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("logit", [-1e4, -100.0, 0.0, 100.0, 1e4])
@pytest.mark.parametrize("truth", [0.0, 1.0])
def test_loss_and_gradient_are_finite_at_the_extremes(dtype: torch.dtype, logit: float, truth: float):
    z = torch.full((1, 1, 8, 8), logit, dtype=dtype, requires_grad=True)
    loss = bce_dice(z, torch.full((1, 1, 8, 8), truth), smooth=1.0)
    loss.backward()
    assert loss.dtype == torch.float32
    assert torch.isfinite(loss)
    assert torch.isfinite(z.grad).all()


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_a_perfect_prediction_costs_nothing_whatever_the_share_of_foreground(share: float):
    target = (torch.arange(64) < 64 * share).float()
    assert float(bce_dice(200 * (target - 0.5), target, smooth=1.0)) == pytest.approx(0, abs=1e-6)


def test_the_opposite_of_the_truth_costs_the_whole_dice_term():
    target = (torch.arange(64) < 32).float()
    assert float(soft_dice_loss(200 * (0.5 - target), target, smooth=1e-6)) == pytest.approx(1, abs=1e-6)


def test_shapes_that_differ_and_smooth_zero_are_errors():
    with pytest.raises(ValueError, match=r"logits \(2, 1\) and target \(2,\) must have the same shape"):
        bce_dice(torch.zeros(2, 1), torch.zeros(2), smooth=1.0)
    with pytest.raises(ValueError, match=r"smooth must be greater than 0, .* got 0"):
        bce_dice(torch.zeros(2), torch.zeros(2), smooth=0)
