"""Sums and products of losses, as the papers of this book train with."""

from typing import Literal

from torch import Tensor

from histolab_lib.losses.pixels import bce_loss, focal_loss, pixel_dice_loss, pixel_jaccard_loss, soft_accuracy
from histolab_lib.losses.regions import Over, soft_dice_loss, soft_jaccard_loss

__all__ = ["bce_dice", "bce_focal_dice", "bce_pixel_dice", "dice_jaccard", "exp_dice"]

_TINY = 1e-8  # below it a sum of two losses is taken for 0


def bce_dice(logits: Tensor, target: Tensor, *, smooth: float, over: Over = "batch") -> Tensor:
    r"""Return the mean binary cross-entropy of the pixels plus `soft_dice_loss`, with equal weights.

    .. math:: L = -\frac{1}{n} \sum_i \left[ t_i \log p_i + (1 - t_i) \log (1 - p_i) \right] + L_\text{Dice}

    Cross-entropy judges each pixel by itself and so gives even gradients early on; Dice counts the foreground as a
    whole and so keeps a rare class from being given up. Parameters and errors are those of `soft_dice_loss`.

    Returns
    -------
    Tensor of float32, shape ()
        Not negative, finite for all finite logits.

    Examples
    --------
    An undecided network, all logits 0, on a half-filled target: log 2 plus 1 - 0.5.

    >>> import torch
    >>> target = torch.tensor([0.0, 1.0])
    >>> round(float(bce_dice(torch.zeros(2), target, smooth=1e-6)), 4)
    1.1931
    """
    dice = soft_dice_loss(logits, target, smooth=smooth, over=over)
    return bce_loss(logits, target) + dice


def bce_focal_dice(
    logits: Tensor, target: Tensor, *, alpha: float | None, gamma: float, smooth: float, over: Over
) -> Tensor:
    """Return `bce_loss` plus `focal_loss` plus `soft_dice_loss`: HistoSeg's equation 5 (alpha 0.25, gamma 2, smooth 1).

    Its equation 4 does not say whether its sums run over a pixel, an image or the batch, hence `over`.

    Examples
    --------
    >>> import torch
    >>> target = torch.ones(1, 4)
    >>> round(float(bce_focal_dice(torch.zeros(1, 4), target, alpha=0.25, gamma=2, smooth=1.0, over="image")), 4)
    1.0222
    """
    dice = soft_dice_loss(logits, target, smooth=smooth, over=over)
    return bce_loss(logits, target) + focal_loss(logits, target, alpha=alpha, gamma=gamma) + dice


def bce_pixel_dice(logits: Tensor, target: Tensor, *, smooth: float, double_sigmoid: bool = False) -> Tensor:
    """Return `bce_loss` plus `pixel_dice_loss`: what HistoSeg's released code trains with (smooth 1).

    Parameters
    ----------
    logits, target : Tensor
        As in `bce_loss`.
    smooth : float
        Greater than 0.
    double_sigmoid : bool
        Whether the cross-entropy takes the probability for a logit, as that code does with versions of its framework
        that do not remember what the sigmoid was applied to; a pixel then costs between 0.313 and 1.313.

    Examples
    --------
    >>> import torch
    >>> certain, target = torch.full((4,), 100.0), torch.ones(4)
    >>> [round(float(bce_pixel_dice(certain, target, smooth=1.0, double_sigmoid=twice)), 3) for twice in (False, True)]
    [0.0, 0.313]
    """
    seen = logits.float().sigmoid() if double_sigmoid else logits
    return bce_loss(seen, target) + pixel_dice_loss(logits, target, smooth=smooth)


def dice_jaccard(
    logits: Tensor,
    target: Tensor,
    *,
    dice_smooth: float,
    jaccard_smooth: float,
    jaccard: Literal["region", "pixel"],
) -> Tensor:
    r"""Return :math:`D J / (D + J)` of a Dice loss D and a Jaccard loss J, half their harmonic mean.

    DAN-NucNet's equation 5 (after Lal et al. 2021). D is `soft_dice_loss` over the batch.

    Parameters
    ----------
    logits, target : Tensor
        As in `bce_loss`.
    dice_smooth, jaccard_smooth : float
        Greater than 0. The released code has 1 and 100.
    jaccard : {"region", "pixel"}
        J over the batch (`soft_jaccard_loss`), as the formula reads, or for each pixel (`pixel_jaccard_loss`), as the
        released code has it; the mean is then taken last.

    Returns
    -------
    Tensor of float32, shape ()
        In 0..0.5; 0, with gradient 0, where both are 0 (the code released divides 0 by 0).

    Examples
    --------
    >>> import torch
    >>> undecided, half = torch.zeros(2), torch.tensor([0.0, 1.0])
    >>> round(float(dice_jaccard(undecided, half, dice_smooth=1e-6, jaccard_smooth=1e-6, jaccard="region")), 4)
    0.2857
    """
    if jaccard not in ("region", "pixel"):
        raise ValueError(f"jaccard must be 'region' or 'pixel', got {jaccard!r}")
    j = (soft_jaccard_loss if jaccard == "region" else pixel_jaccard_loss)(logits, target, smooth=jaccard_smooth)
    d = soft_dice_loss(logits, target, smooth=dice_smooth)
    return (d * j / (d + j).clamp_min(_TINY)).mean()


def exp_dice(
    logits: Tensor,
    target: Tensor,
    *,
    bce_weight: float,
    accuracy_weight: float,
    smooth: float,
    over: Over,
    accuracy: Literal["soft", "hard"] = "soft",
) -> Tensor:
    r"""Return :math:`w_b \, \text{BCE} - e^{1 + \text{Dice}} - w_a \, \text{Acc}`.

    The three losses of the modified LinkNet: L1 (1, 0), L2 (1, 1), L3 (2, 1) as (w_b, w_a). Negative where it is
    small: at best :math:`-e^2 - w_a`.

    Parameters
    ----------
    logits, target : Tensor
        As in `bce_loss`.
    bce_weight, accuracy_weight : float
        The weights above.
    smooth : float
        Of the Dice, equation 3, whose S is not printed.
    over : {"batch", "image"}
        What one Dice is computed over. With ``"image"`` the exponential of the mean of their losses is taken.

    accuracy : {"soft", "hard"}
        `soft_accuracy`, or the share of pixels on the right side of one half. The second is what equation 4 prints; it
        has no gradient, so that L2 teaches exactly what L1 does.

    Examples
    --------
    >>> import torch
    >>> certain = torch.tensor([100.0, -100.0])
    >>> round(float(exp_dice(certain, certain > 0, bce_weight=2, accuracy_weight=1, smooth=1.0, over="batch")), 3)
    -8.389
    """
    if accuracy not in ("soft", "hard"):
        raise ValueError(f"accuracy must be 'soft' or 'hard', got {accuracy!r}")
    dice = 1 - soft_dice_loss(logits, target, smooth=smooth, over=over)
    right = soft_accuracy(logits, target) if accuracy == "soft" else ((logits > 0) == (target > 0.5)).float().mean()
    return bce_weight * bce_loss(logits, target) - (1 + dice).exp() - accuracy_weight * right
