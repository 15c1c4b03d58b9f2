"""What a network gives back: the logits of the mask and, where there are several outputs, the other maps beside it."""

from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor

__all__ = ["Output", "mask_logits"]


class Output(NamedTuple):
    """What a network with more than one output returns.

    Attributes
    ----------
    mask : Tensor of float, shape (N, 1, H, W)
        Logits of the foreground. Of a head with two classes: foreground minus background, since the softmax of the
        two is the sigmoid of their difference.
    extra : mapping of str to Tensor
        The other maps as they leave the network, each (N, C, h, w), by the name that the network documents.

    Examples
    --------
    >>> import torch
    >>> output = Output(torch.zeros(1, 1, 4, 4), {"contour": torch.ones(1, 1, 4, 4)})
    >>> output.mask.shape, list(output.extra)
    (torch.Size([1, 1, 4, 4]), ['contour'])
    """

    mask: Tensor
    extra: Mapping[str, Tensor]


def mask_logits(output: Tensor | Output) -> Tensor:
    """Return the logits of the foreground, (N, 1, H, W), of what any network of this library gives.

    Raises
    ------
    TypeError
        If `output` is neither a tensor nor an `Output`.

    Examples
    --------
    >>> import torch
    >>> logits = torch.zeros(1, 1, 2, 2)
    >>> mask_logits(logits) is mask_logits(Output(logits, {})) is logits
    True
    """
    if isinstance(output, Output):
        return output.mask
    if isinstance(output, Tensor):
        return output
    raise TypeError(f"a network must return a tensor or an Output, got {type(output).__name__}")
