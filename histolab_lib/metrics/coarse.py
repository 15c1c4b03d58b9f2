"""The best that a map of fewer pixels can do."""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["coarsened"]


def coarsened(mask: npt.NDArray[Any], factor: int) -> npt.NDArray[np.bool_]:
    """Return a mask as a map of ``1/factor`` of its size would give it: the share of foreground in squares, enlarged.

    Parameters
    ----------
    mask : ndarray of bool or integers, shape (H, W)
        0 is background.
    factor : int
        Side of a square in pixels; squares at the lower and right border may be cut off.

    Returns
    -------
    ndarray of bool, shape (H, W)
        Where the shares, interpolated linearly between the middles of the squares, are above one half.

    Raises
    ------
    ValueError
        If `mask` has not two dimensions, or `factor` is below 1.

    Examples
    --------
    A line of one pixel is lost at half the size, a bar of three keeps its middle:

    >>> coarsened(np.array([[0, 1, 0, 0, 0, 1, 1, 1]]), 2).astype(int)
    array([[0, 0, 0, 0, 0, 1, 1, 1]])
    """
    if mask.ndim != 2:
        raise ValueError(f"mask must have the shape (H, W), got {mask.shape}")
    if factor < 1:
        raise ValueError(f"factor must be at least 1 pixel, got {factor}")
    rows, columns = (_there_and_back(side, factor) for side in mask.shape)
    return rows @ (mask != 0).astype(float) @ columns.T > 0.5


def _there_and_back(side: int, factor: int) -> npt.NDArray[np.float64]:
    """Means of squares and linear interpolation along one side, as a matrix, shape (side, side)."""
    square = np.arange(side) // factor
    means = (square == np.arange(square[-1] + 1)[:, None]).astype(float)
    means /= means.sum(axis=1, keepdims=True)
    at = np.clip((np.arange(side) + 0.5) / factor - 0.5, 0, square[-1])
    low = np.floor(at).astype(int)
    share = (at - low)[:, None]
    interpolated: npt.NDArray[np.float64] = (1 - share) * means[low] + share * means[np.minimum(low + 1, square[-1])]
    return interpolated
