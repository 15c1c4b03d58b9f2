"""Contours as OpenCV's Canny draws them on an instance map, and with the fault that released code puts into them."""

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["canny_contour", "canny_contour_8_bit"]

_TAN_22 = 13573  # tan(22.5 degrees) times 2 ** 15, rounded: OpenCV's own
_THICKEST_PX = 15


def canny_contour(instances: Tensor, thickness_px: int) -> Tensor:
    """Return ``cv2.dilate(cv2.Canny(instances, 0, 1), ones)``, which HARU-Net learns as contours, for any ids.

    Canny's gradient is Sobel's, in rows and columns; where its size is a maximum along its direction, there is a
    contour. Between two values that is the last pixel before the step, seen from the left or from above. Every step
    counts, since a Sobel sum of whole numbers is 0 or at least 2, above both thresholds. Where three values meet, the
    smallest step may lose its pixel to a larger one: this depends on the numbers that nuclei happen to have.

    Parameters
    ----------
    instances : Tensor of integers, shape (N, H, W)
        0 is background; ids below 2 ** 24.
    thickness_px : int
        Side of the square of ones: 1 leaves lines as they are, 2 is that of HARU-Net's released code, 3 that of its
        first commit. The paper prints none. An even square reaches one pixel further to the left and above, so that
        2 gives both pixels beside a step.

    Returns
    -------
    Tensor of bool, shape (N, 1, H, W)
        What lies beyond the border makes no contour.

    Raises
    ------
    ValueError
        If `thickness_px` is not in 1..15.

    Examples
    --------
    >>> ids = torch.tensor([[[0, 0, 4, 4, 9, 9]]])
    >>> [canny_contour(ids, side).int().flatten().tolist() for side in (1, 2, 3)]
    [[0, 1, 0, 1, 0, 0], [0, 1, 1, 1, 1, 0], [1, 1, 1, 1, 1, 0]]
    """
    if not 1 <= thickness_px <= _THICKEST_PX:
        raise ValueError(f"thickness_px must be in 1..{_THICKEST_PX}, got {thickness_px}")
    lines = _lines(instances)[:, None]
    before, after = thickness_px // 2, thickness_px - 1 - thickness_px // 2
    padded = F.pad(lines.float(), (before, after, before, after))
    return F.max_pool2d(padded, thickness_px, stride=1) > 0


def canny_contour_8_bit(instances: Tensor, thickness_px: int) -> Tensor:
    """Return `canny_contour` of ids modulo 256: an exhibit, what HARU-Net's released code draws.

    It casts the instance map to 8 bits. Nuclei 256, 512, ... become background and lose their contour, and so do two
    that touch where their ids differ by a multiple of 256. A tile of MoNuSeg has up to some 1,800 nuclei.

    Examples
    --------
    >>> ids = torch.tensor([[[0, 256, 256, 256, 0, 0, 0, 3, 3, 3, 259, 259]]])
    >>> [draw(ids, 1).int().flatten().tolist() for draw in (canny_contour, canny_contour_8_bit)]
    [[1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0], [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]]
    """
    return canny_contour(instances % 256, thickness_px)


def _lines(instances: Tensor) -> Tensor:
    """Canny's lines of one pixel, bool (N, H, W). Whole numbers throughout: autocast must not round them."""
    ids = F.pad(instances[:, None].float(), (1, 1, 1, 1), mode="replicate")[:, 0].long()
    right = ids[:, :, 2:] - ids[:, :, :-2]
    down = ids[:, 2:] - ids[:, :-2]
    dx = right[:, :-2] + 2 * right[:, 1:-1] + right[:, 2:]
    dy = down[:, :, :-2] + 2 * down[:, :, 1:-1] + down[:, :, 2:]
    size = dx.abs() + dy.abs()
    height, width = size.shape[1:]
    around = F.pad(size, (1, 1, 1, 1))

    def beside(rows: int, columns: int) -> Tensor:
        return around[:, 1 + rows : 1 + rows + height, 1 + columns : 1 + columns + width]

    flat = dx.abs() * _TAN_22
    steep = flat + (dx.abs() << 16)
    across, along = (dy.abs() << 15) < flat, (dy.abs() << 15) > steep
    falling = (dx < 0) == (dy < 0)  # the gradient points to the lower right, or to the upper left
    peak = torch.where(
        across,
        (size > beside(0, -1)) & (size >= beside(0, 1)),
        torch.where(
            along,
            (size > beside(-1, 0)) & (size >= beside(1, 0)),
            torch.where(
                falling,
                (size > beside(-1, -1)) & (size > beside(1, 1)),
                (size > beside(-1, 1)) & (size > beside(1, -1)),
            ),
        ),
    )
    return peak & (size > 0)
