"""Losses by name: from what a network gives and the truth of a batch to one number."""

from collections.abc import Callable, Mapping
from inspect import Parameter, signature
from typing import Any, Protocol, TypeAlias

import torch.nn.functional as F
from torch import Tensor

from histolab_lib.choices import choose
from histolab_lib.losses.deep import deep_mask_contour
from histolab_lib.losses.pixels import bce_loss, focal_loss, true_class_loss
from histolab_lib.losses.regions import soft_dice_loss, soft_jaccard_loss
from histolab_lib.losses.sums import bce_dice, bce_focal_dice, bce_pixel_dice, dice_jaccard, exp_dice
from histolab_lib.losses.targets import Targets, contour_band

__all__ = ["Loss", "build", "names"]


class _Maps(Protocol):
    """What a network with several outputs gives (`histolab_lib.outputs.Output`)."""

    @property
    def mask(self) -> Tensor: ...
    @property
    def extra(self) -> Mapping[str, Tensor]: ...


Loss: TypeAlias = Callable[[Any, Targets], Tensor]


def build(name: str, **options: Any) -> Loss:
    """Return a loss by name.

    Parameters
    ----------
    name : str
        One of `names`.
    **options
        What the loss of this name takes and, where it has no default, must be given.

    Returns
    -------
    callable
        ``loss(output, targets)``: of a Tensor of logits (N, 1, H, W) or an `Output`, and `Targets`, a Tensor of
        float32, shape ().

    Raises
    ------
    ValueError
        If name or an option is unknown, or an option is missing; the message lists what there is.

    Notes
    -----
    Most look at the mask alone. ``mask_contour`` adds ``bce_dice`` of the map ``extra["contour"]`` against
    `contour_band`. ``exp_dice`` adds `inner_weight` times the same of the coarse map ``extra["inner"]``, where the
    network has one, against the mask at its size (the modified LinkNet's equation 1). `deep_mask_contour` looks at all
    side maps of mask and contour, too.

    ``bce_hematoxylin`` looks at no truth at all: it is the cross-entropy of the mask against ``extra["hematoxylin"]``,
    a map in 0..1 that the network brings along (`training.pretext`). It is least where the probability is that number.
    So is the absolute error, whose gradient behind a sigmoid vanishes where the network is sure and wrong.

    Examples
    --------
    >>> import torch
    >>> loss = build("bce_dice", smooth=1.0)
    >>> round(float(loss(torch.zeros(1, 1, 2, 2), Targets.of(torch.ones(1, 2, 2)))), 4)
    0.9789
    >>> build("bce_dce", smooth=1.0)
    Traceback (most recent call last):
        ...
    ValueError: unknown loss 'bce_dce', did you mean 'bce_dice'? Allowed: 'bce', 'bce_dice', ...
    """
    function = _LOSSES[choose("loss", name, names())]
    _check_options(name, function, options)
    return lambda output, targets: function(output, targets, **options)


def names() -> tuple[str, ...]:
    """Return the names of all losses, sorted."""
    return tuple(sorted(_LOSSES))


def _check_options(name: str, function: Callable[..., Tensor], options: Mapping[str, Any]) -> None:
    takes = _options_of(function)
    for option in options:
        if option not in takes:
            raise ValueError(f"loss {name!r} has no option {option!r}; it takes {', '.join(takes) or 'none'}")
    needed = [option for option, one in takes.items() if one.default is Parameter.empty]
    if missing := [option for option in needed if option not in options]:
        raise ValueError(f"loss {name!r} needs {', '.join(missing)}")


def _options_of(function: Callable[..., Tensor]) -> dict[str, Parameter]:
    return {n: one for n, one in signature(function).parameters.items() if one.kind is Parameter.KEYWORD_ONLY}


def _mask(output: Tensor | _Maps) -> Tensor:
    return output if isinstance(output, Tensor) else output.mask


def _extra(output: Tensor | _Maps, name: str) -> Tensor | None:
    return None if isinstance(output, Tensor) else output.extra.get(name)


def _of_mask(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Make a loss of logits and mask one of output and targets, with the same options."""

    def loss(output: Tensor | _Maps, targets: Targets, **options: Any) -> Tensor:
        return function(_mask(output), targets.mask, **options)

    ours = list(signature(loss).parameters.values())[:2]
    loss.__signature__ = signature(function).replace(  # type: ignore[attr-defined]
        parameters=[*ours, *_options_of(function).values()]
    )
    return loss


def _mask_contour(
    output: Tensor | _Maps, targets: Targets, *, smooth: float, width_px: int, contour_weight: float = 1.0
) -> Tensor:
    contour = _extra(output, "contour")
    if contour is None:
        raise ValueError("loss 'mask_contour' needs a network whose output has an extra map 'contour'")
    band = contour_band(targets.instances, width_px)
    mask = bce_dice(_mask(output), targets.mask, smooth=smooth)
    return mask + contour_weight * bce_dice(contour, band, smooth=smooth)


def _bce_hematoxylin(output: Tensor | _Maps, targets: Targets) -> Tensor:
    told = _extra(output, "hematoxylin")
    if told is None:
        raise ValueError("loss 'bce_hematoxylin' needs a network that brings the answer as an extra map 'hematoxylin'")
    return bce_loss(_mask(output), told)


def _exp_dice(
    output: Tensor | _Maps,
    targets: Targets,
    *,
    bce_weight: float,
    accuracy_weight: float,
    smooth: float,
    over: str,
    inner_weight: float,
    accuracy: str = "soft",
) -> Tensor:
    settings: dict[str, Any] = {
        "bce_weight": bce_weight,
        "accuracy_weight": accuracy_weight,
        "smooth": smooth,
        "over": over,
        "accuracy": accuracy,
    }
    outer = exp_dice(_mask(output), targets.mask, **settings)
    inner = _extra(output, "inner")
    if inner is None:
        return outer
    size = inner.shape[-2], inner.shape[-1]
    coarse = F.adaptive_avg_pool2d(targets.mask, size)  # the share of foreground in each pixel
    return outer + inner_weight * exp_dice(inner, coarse, **settings)


_LOSSES: Mapping[str, Callable[..., Tensor]] = {
    "bce": _of_mask(bce_loss),
    "bce_dice": _of_mask(bce_dice),
    "bce_focal_dice": _of_mask(bce_focal_dice),
    "bce_hematoxylin": _bce_hematoxylin,
    "bce_pixel_dice": _of_mask(bce_pixel_dice),
    "deep_mask_contour": deep_mask_contour,
    "dice": _of_mask(soft_dice_loss),
    "dice_jaccard": _of_mask(dice_jaccard),
    "exp_dice": _exp_dice,
    "focal": _of_mask(focal_loss),
    "jaccard": _of_mask(soft_jaccard_loss),
    "mask_contour": _mask_contour,
    "true_class": _of_mask(true_class_loss),
}
