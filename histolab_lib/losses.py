"""What training makes small."""

import torch.nn.functional as F
from torch import Tensor

__all__ = ["bce_dice", "soft_dice_loss"]


def soft_dice_loss(logits: Tensor, target: Tensor, *, smooth: float) -> Tensor:
    r"""Return one minus the Dice score of probabilities, over all pixels of the batch together.

    .. math:: L = 1 - \frac{2 \sum_i p_i t_i + s}{\sum_i p_i + \sum_i t_i + s}, \qquad p_i = \sigma(z_i)

    Parameters
    ----------
    logits : Tensor, any shape
        Values before the sigmoid. Half precision is computed in float32.
    target : Tensor, same shape
        Truth in 0..1, bool or float.
    smooth : float
        The s above, greater than 0, in pixels. It decides what an empty target means: with no foreground the loss
        is :math:`1 - s / (\sum_i p_i + s)`, 0 for an empty prediction too. Papers differ (1e-7 to 1), so
        it has no default.

    Returns
    -------
    Tensor of float32, shape ()
        In 0..1, finite for all finite logits.

    Notes
    -----
    The sums run over the batch, not over each crop: a crop without nuclei then neither rewards nor punishes by
    itself. The mean of the losses of single crops is another loss.

    Examples
    --------
    >>> import torch
    >>> empty = torch.zeros(1, 1, 4, 4)
    >>> float(soft_dice_loss(empty - 100, empty, smooth=1.0))
    0.0
    """
    _check(logits, target, smooth)
    probability, truth = logits.float().sigmoid(), target.float()
    overlap = (probability * truth).sum()
    return 1 - (2 * overlap + smooth) / (probability.sum() + truth.sum() + smooth)


def bce_dice(logits: Tensor, target: Tensor, *, smooth: float) -> Tensor:
    r"""Return the mean binary cross-entropy of the pixels plus `soft_dice_loss`, with equal weights.

    .. math:: L = -\frac{1}{n} \sum_i \left[ t_i \log p_i + (1 - t_i) \log (1 - p_i) \right] + L_\text{Dice}

    Cross-entropy judges each pixel by itself and so gives even gradients early on; Dice counts the foreground as a
    whole and so keeps a rare class from being given up. Parameters and errors are those of `soft_dice_loss`.

    Returns
    -------
    Tensor of float32, shape ()
        Not negative, finite for all finite logits: the cross-entropy is computed from logits
        (``max(z, 0) - z t + log(1 + exp(-|z|))``), never as the logarithm of a rounded probability.

    Examples
    --------
    An undecided network, all logits 0, on a half-filled target: log 2 plus 1 - 0.5.

    >>> import torch
    >>> target = torch.tensor([0.0, 1.0])
    >>> round(float(bce_dice(torch.zeros(2), target, smooth=1e-6)), 4)
    1.1931
    """
    dice = soft_dice_loss(logits, target, smooth=smooth)
    return F.binary_cross_entropy_with_logits(logits.float(), target.float()) + dice


def _check(logits: Tensor, target: Tensor, smooth: float) -> None:
    if logits.shape != target.shape:
        raise ValueError(f"logits {tuple(logits.shape)} and target {tuple(target.shape)} must have the same shape")
    if not smooth > 0:
        raise ValueError(f"smooth must be greater than 0, else an empty target gives 0/0; got {smooth}")
