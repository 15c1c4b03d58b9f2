"""Losses that judge each pixel by itself."""

import torch.nn.functional as F
from torch import Tensor

from histolab_lib.losses.checks import check_pair, check_smooth

__all__ = ["bce_loss", "focal_loss", "pixel_dice_loss", "pixel_jaccard_loss", "soft_accuracy", "true_class_loss"]


def bce_loss(logits: Tensor, target: Tensor) -> Tensor:
    r"""Return the binary cross-entropy, mean over pixels.

    .. math:: L = -\frac{1}{n} \sum_i \left[ t_i \log p_i + (1 - t_i) \log (1 - p_i) \right], \qquad p_i = \sigma(z_i)

    Computed from logits (``max(z, 0) - z t + log(1 + exp(-|z|))``), never as the logarithm of a rounded probability:
    finite for all finite logits. The cross-entropy of a softmax over two classes is this, with the difference of the
    two logits as z.

    Parameters
    ----------
    logits : Tensor, any shape
        Values before the sigmoid. Half precision is computed in float32, here and in all losses.
    target : Tensor, same shape
        Truth in 0..1, bool or float.

    Returns
    -------
    Tensor of float32, shape ()

    Examples
    --------
    An undecided network pays log 2 for each pixel:

    >>> import torch
    >>> round(float(bce_loss(torch.zeros(4), torch.ones(4))), 4)
    0.6931
    """
    check_pair(logits, target)
    return F.binary_cross_entropy_with_logits(logits.float(), target.float())


def focal_loss(logits: Tensor, target: Tensor, *, alpha: float | None, gamma: float) -> Tensor:
    r"""Return the focal loss, mean over pixels: cross-entropy that counts what is already right for little.

    .. math:: L = -\frac{1}{n} \sum_i \alpha_i (1 - q_i)^\gamma \log q_i, \qquad
              q_i = p_i \text{ where } t_i = 1 \text{, else } 1 - p_i

    Lin et al. 2017, equation 5, where it is summed and divided by the number of boxes; in segmentation the mean has
    become usual. HistoSeg uses alpha 0.25 and gamma 2 (its section III-D).

    Parameters
    ----------
    logits, target : Tensor
        As in `bce_loss`; the target must be 0 or 1.
    alpha : float or None
        Weight of the foreground, ``1 - alpha`` that of the background; None: both weigh 1.
    gamma : float
        0 is cross-entropy (not 1, as HistoSeg's text has it); else at least 1, since below that the gradient of a
        pixel that is entirely right would be infinite.

    Returns
    -------
    Tensor of float32, shape ()

    Examples
    --------
    >>> import torch
    >>> zeros, truth = torch.zeros(4), torch.tensor([0.0, 1.0, 1.0, 1.0])
    >>> round(float(focal_loss(zeros, truth, alpha=None, gamma=2) / bce_loss(zeros, truth)), 4)
    0.25
    """
    check_pair(logits, target)
    if not (gamma == 0 or gamma >= 1):
        raise ValueError(f"gamma must be 0 or at least 1, got {gamma}")
    if alpha is not None and not 0 <= alpha <= 1:
        raise ValueError(f"alpha must be in 0..1 or None, got {alpha}")
    truth = target.float()
    entropy = F.binary_cross_entropy_with_logits(logits.float(), truth, reduction="none")
    wrong = -(-entropy).expm1()  # 1 - q, exact also where q is nearly 1
    weight = 1.0 if alpha is None else alpha * truth + (1 - alpha) * (1 - truth)
    return (weight * wrong**gamma * entropy).mean()


def pixel_dice_loss(logits: Tensor, target: Tensor, *, smooth: float) -> Tensor:
    r"""Return one minus a "Dice" of each pixel by itself, mean over pixels.

    .. math:: L = \frac{1}{n} \sum_i \left[ 1 - \frac{2 p_i t_i + s}{p_i^2 + t_i^2 + s} \right]

    What HistoSeg's released code computes, where the sums run over a channel axis of length 1: a bounded regression of
    each pixel (with s = 1: :math:`p^2 / (p^2 + 1)` on background), no overlap of regions.

    Examples
    --------
    >>> import torch
    >>> round(float(pixel_dice_loss(torch.zeros(1), torch.zeros(1), smooth=1.0)), 4)  # 0.25 / 1.25
    0.2
    """
    check_pair(logits, target)
    check_smooth(smooth)
    p, t = logits.float().sigmoid(), target.float()
    return (1 - (2 * p * t + smooth) / (p**2 + t**2 + smooth)).mean()


def pixel_jaccard_loss(logits: Tensor, target: Tensor, *, smooth: float) -> Tensor:
    r"""Return s times one minus a smoothed "Jaccard" for each pixel by itself, not yet averaged.

    .. math:: L_i = s \left[ 1 - \frac{p_i t_i + s}{p_i + t_i - p_i t_i + s} \right]

    As DAN-NucNet's released code has it, with s = 100: nearly the absolute error :math:`|p_i - t_i|`.

    Returns
    -------
    Tensor of float32, the shape of `logits`
        In 0..1.

    Examples
    --------
    >>> import torch
    >>> pixel_jaccard_loss(torch.tensor([-100.0, 100.0]), torch.ones(2), smooth=100.0)
    tensor([0.9901, 0.0000])
    """
    check_pair(logits, target)
    check_smooth(smooth)
    p, t = logits.float().sigmoid(), target.float()
    union = p + t - p * t
    return smooth * (union - p * t) / (union + smooth)


def soft_accuracy(logits: Tensor, target: Tensor) -> Tensor:
    r"""Return the mean probability of the true class, :math:`\frac{1}{n} \sum_i [t_i p_i + (1 - t_i)(1 - p_i)]`.

    What accuracy is when a probability may be right in part; unlike accuracy at a threshold it has a gradient.

    Examples
    --------
    >>> import torch
    >>> float(soft_accuracy(torch.zeros(4), torch.ones(4)))
    0.5
    """
    check_pair(logits, target)
    p, t = logits.float().sigmoid(), target.float()
    return (t * p + (1 - t) * (1 - p)).mean()


def true_class_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Return one minus `soft_accuracy`.

    What HARU-Net's released code calls Dice: it pools two classes whose probabilities sum to one, and then numerator
    and denominator are the probabilities of the true classes and the number of pixels. It balances no classes.

    Examples
    --------
    Nine pixels in ten are background; to call all of them so costs a tenth.

    >>> import torch
    >>> round(float(true_class_loss(torch.full((10,), -100.0), torch.eye(10)[0])), 4)
    0.1
    """
    return 1 - soft_accuracy(logits, target)
