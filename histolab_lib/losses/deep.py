"""Deep supervision: a loss of every map that a network has of mask and contour (HARU-Net's section 3.5)."""

from collections.abc import Mapping
from typing import Literal, Protocol

import torch.nn.functional as F
from torch import Tensor

from histolab_lib.losses.checks import check_pair
from histolab_lib.losses.contours import canny_contour
from histolab_lib.losses.pixels import bce_loss, true_class_loss
from histolab_lib.losses.regions import soft_dice_loss
from histolab_lib.losses.targets import Targets

__all__ = ["deep_mask_contour", "summed_pixel_dice_loss"]

_TINY = 1e-12  # below it a sum of squares is taken for it: 0 over 0 is 0

Pixels = Literal["mean", "sum"]
Overlap = Literal["ratio", "summed", "true_class"]


class _Maps(Protocol):
    @property
    def mask(self) -> Tensor: ...
    @property
    def extra(self) -> Mapping[str, Tensor]: ...


def summed_pixel_dice_loss(logits: Tensor, target: Tensor) -> Tensor:
    r"""Return HARU-Net's equation 5 as it is printed, for each image (first axis), mean over images.

    .. math:: L = 1 - \sum_i \frac{2 p_i t_i}{p_i^2 + t_i^2}

    A sum of ratios where a ratio of sums must be meant (`soft_dice_loss` with ``squares=True``): it is at best one
    minus the number of pixels of foreground, and background adds nothing, whatever is predicted there.

    Examples
    --------
    A perfect prediction of 50 pixels out of 100, and one that calls all of them foreground:

    >>> import torch
    >>> target = (torch.arange(100) < 50).float()[None]
    >>> [float(summed_pixel_dice_loss(logits, target)) for logits in (200 * (target - 0.5), 100 * target**0)]
    [-49.0, -49.0]
    """
    check_pair(logits, target)
    p, t = logits.float().sigmoid().flatten(1), target.float().flatten(1)
    return (1 - (2 * p * t / (p**2 + t**2).clamp_min(_TINY)).sum(1)).mean()


def deep_mask_contour(
    output: Tensor | _Maps,
    targets: Targets,
    *,
    pixels: Pixels,
    overlap: Overlap,
    thickness_px: int,
    smooth: float | None = None,
    mask_weight: float = 1.0,
    contour_weight: float = 1.0,
    side_weight: float = 1.0,
) -> Tensor:
    r"""Return HARU-Net's equation 3: cross-entropy and "Dice" of each map of mask and of contour, weighed and summed.

    .. math:: L = \omega_m \zeta + \omega_c \tau + \omega_s \sum_i (\zeta_i + \tau_i)

    Parameters
    ----------
    output : Tensor or Output
        The mask's logits, and in `extra` those of ``contour``, of the side maps ``mask_1``, ``mask_2``, ... and
        ``contour_1``, ...; which of them are there depends on network and mode. Maps smaller than the truth are
        compared with every so manieth of its pixels.
    targets : Targets
    pixels : {"mean", "sum"}
        Cross-entropy of an image: mean over its pixels (released code), or their sum (equation 4).
    overlap : {"ratio", "summed", "true_class"}
        Equation 5, read as a ratio of sums over each image (`soft_dice_loss` with ``squares=True``); as it is printed
        (`summed_pixel_dice_loss`); or what the released code computes (`true_class_loss`).
    thickness_px : int
        Of contours (`canny_contour`).
    smooth : float, optional
        Of ``"ratio"``, which needs it.
    mask_weight, contour_weight, side_weight : float
        The weights above, which are not printed.

    Returns
    -------
    Tensor of float32, shape ()

    Raises
    ------
    ValueError
        If a name is unknown, or ``"ratio"`` has no `smooth`.
    """
    _check(pixels, overlap, smooth)
    maps = {"mask": output} if isinstance(output, Tensor) else {"mask": output.mask, **output.extra}
    truths = {"mask": targets.mask, "contour": canny_contour(targets.instances, thickness_px).float()}
    weights = {"mask": mask_weight, "contour": contour_weight}
    total = targets.mask.new_zeros(())
    for name, logits in maps.items():
        branch, _, side = name.partition("_")
        if branch in truths:
            cost = _cost(logits, _sized(truths[branch], logits), pixels, overlap, smooth)
            total = total + (side_weight if side else weights[branch]) * cost
    return total


def _cost(logits: Tensor, truth: Tensor, pixels: Pixels, overlap: Overlap, smooth: float | None) -> Tensor:
    """Equation 6: cross-entropy and Dice."""
    entropy = bce_loss(logits, truth) * (logits[0].numel() if pixels == "sum" else 1)
    if overlap == "ratio" and smooth is not None:
        return entropy + soft_dice_loss(logits, truth, smooth=smooth, over="image", squares=True)
    return entropy + (true_class_loss if overlap == "true_class" else summed_pixel_dice_loss)(logits, truth)


def _sized(truth: Tensor, logits: Tensor) -> Tensor:
    """The pixel in whose area the middle of a smaller one lies, as Pillow shrinks a mask."""
    if truth.shape[2:] == logits.shape[2:]:
        return truth
    return F.interpolate(truth, size=(logits.shape[2], logits.shape[3]), mode="nearest-exact")


def _check(pixels: str, overlap: str, smooth: float | None) -> None:
    if pixels not in ("mean", "sum"):
        raise ValueError(f"pixels must be 'mean' or 'sum', got {pixels!r}")
    if overlap not in ("ratio", "summed", "true_class"):
        raise ValueError(f"overlap must be 'ratio', 'summed' or 'true_class', got {overlap!r}")
    if overlap == "ratio" and smooth is None:
        raise ValueError("overlap 'ratio' needs smooth")
