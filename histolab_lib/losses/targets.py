"""What a network is to say, computed from instances on the device where the loss is."""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

__all__ = ["Targets", "contour_band"]


class Targets(NamedTuple):
    """The truth of a batch.

    Attributes
    ----------
    mask : Tensor of float32, shape (N, 1, H, W)
        1 where any object is, else 0.
    instances : Tensor of int32, shape (N, H, W)
        Ids of objects, 0 is background. Contours and distances are computed from them where a loss wants them.
    """

    mask: Tensor
    instances: Tensor

    @classmethod
    def of(cls, instances: Tensor) -> "Targets":
        """Make them from instances (N, H, W) or (N, 1, H, W).

        Examples
        --------
        >>> import torch
        >>> targets = Targets.of(torch.tensor([[[0, 7]]]))
        >>> targets.mask, targets.instances.shape
        (tensor([[[[0., 1.]]]]), torch.Size([1, 1, 2]))
        """
        ids = instances[:, 0] if instances.ndim == 4 else instances
        return cls((ids > 0)[:, None].float(), ids)


def contour_band(instances: Tensor, width_px: int) -> Tensor:
    """Return the pixels of objects at most `width_px` from a pixel that is not of the same object.

    Distance is the larger of the differences in rows and in columns, so that the band is the object minus its erosion
    by a square. What lies beyond the border of the batch is unknown and makes no contour: an object that a crop cuts
    is open there.

    Parameters
    ----------
    instances : Tensor of integers, shape (N, H, W)
        0 is background; ids below 2 ** 24.
    width_px : int
        At least 1.

    Returns
    -------
    Tensor of bool, shape (N, 1, H, W)

    Examples
    --------
    Two objects side by side, each with the column at which they touch:

    >>> import torch
    >>> contour_band(torch.tensor([[[4, 4, 4, 9, 9]]]), 1).int()
    tensor([[[[0, 0, 1, 1, 0]]]], dtype=torch.int32)
    """
    if width_px < 1:
        raise ValueError(f"width_px must be at least 1, got {width_px}")
    ids = instances[:, None].float()  # exact up to 2 ** 24, and pooling wants floating point
    side = 2 * width_px + 1
    highest = F.max_pool2d(ids, side, stride=1, padding=width_px)  # beyond the border: minus infinity
    lowest = -F.max_pool2d(-ids, side, stride=1, padding=width_px)
    return (ids > 0) & (highest != lowest)
