"""Losses that judge the overlap of what is predicted with what is true."""

from typing import Literal

from torch import Tensor

from histolab_lib.losses.checks import check_pair, check_smooth

__all__ = ["soft_dice_loss", "soft_jaccard_loss"]

Over = Literal["batch", "image"]


def soft_dice_loss(
    logits: Tensor, target: Tensor, *, smooth: float, over: Over = "batch", squares: bool = False
) -> Tensor:
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
    over : {"batch", "image"}
        What the sums run over: all of the batch, where a crop without nuclei neither rewards nor punishes by itself,
        or each image (first axis), whose losses are then averaged, every image counting alike.
    squares : bool
        Whether the denominator has :math:`p_i^2` and :math:`t_i^2`, as in Milletari et al. 2016 (HARU-Net's
        equation 5, read as a ratio of sums).

    Returns
    -------
    Tensor of float32, shape ()
        In 0..1, finite for all finite logits.

    Examples
    --------
    >>> import torch
    >>> empty = torch.zeros(1, 1, 4, 4)
    >>> float(soft_dice_loss(empty - 100, empty, smooth=1.0))
    0.0
    """
    check_pair(logits, target)
    check_smooth(smooth)
    p, t = _by(over, logits.float().sigmoid(), target.float())
    overlap = (p * t).sum(-1)
    size = (p**2).sum(-1) + (t**2).sum(-1) if squares else p.sum(-1) + t.sum(-1)
    return (1 - (2 * overlap + smooth) / (size + smooth)).mean()


def soft_jaccard_loss(logits: Tensor, target: Tensor, *, smooth: float, over: Over = "batch") -> Tensor:
    r"""Return one minus the Jaccard index (intersection over union) of probabilities.

    .. math:: L = 1 - \frac{\sum_i p_i t_i + s}{\sum_i p_i + \sum_i t_i - \sum_i p_i t_i + s}

    Parameters and extremes are those of `soft_dice_loss`. Never smaller than it for the same s > 0: half an overlap
    is a Dice of one half, but a Jaccard index of one third.

    Examples
    --------
    >>> import torch
    >>> undecided, half = torch.zeros(4), torch.tensor([0.0, 0.0, 1.0, 1.0])
    >>> [round(float(loss(undecided, half, smooth=1e-6)), 4) for loss in (soft_dice_loss, soft_jaccard_loss)]
    [0.5, 0.6667]
    """
    check_pair(logits, target)
    check_smooth(smooth)
    p, t = _by(over, logits.float().sigmoid(), target.float())
    overlap = (p * t).sum(-1)
    return (1 - (overlap + smooth) / (p.sum(-1) + t.sum(-1) - overlap + smooth)).mean()


def _by(over: str, *maps: Tensor) -> tuple[Tensor, ...]:
    """Maps as rows over which to sum: one row, or one for each image."""
    if over == "image":
        return tuple(one.flatten(1) for one in maps)
    if over != "batch":
        raise ValueError(f"over must be 'batch' or 'image', got {over!r}")
    return tuple(one.flatten() for one in maps)
