"""From probabilities or stain to a clean mask."""

from typing import Any

import numpy as np
import numpy.typing as npt

from histolab_lib.postprocess.checks import Mask, checked_mask, checked_whole
from histolab_lib.postprocess.objects import remove_small

__all__ = ["fill_and_open", "hematoxylin_floor", "otsu_mask"]


def otsu_mask(values: npt.NDArray[Any], *, sigma_px: float = 0.0) -> Mask:
    """Pixels above Otsu's threshold (256 bins), after a Gaussian blur.

    Parameters
    ----------
    values : ndarray of numbers, shape (H, W)
        Higher is foreground.
    sigma_px : float
        Standard deviation of the blur, which acts on what is thresholded and on the threshold alike; 0 for none. The
        image is continued beyond its border by its nearest pixel.

    Returns
    -------
    ndarray of bool, shape (H, W)

    Raises
    ------
    ValueError
        If `values` is not two-dimensional and finite, or `sigma_px` is negative.

    Notes
    -----
    A constant image has no threshold and gives an empty mask.

    Examples
    --------
    >>> otsu_mask(np.array([[0.1, 0.2, 0.8], [0.1, 0.9, 0.8]])).astype(int)
    array([[0, 0, 1],
           [0, 1, 1]])
    >>> otsu_mask(np.full((2, 2), 0.7)).any()
    np.False_
    """
    from scipy.ndimage import gaussian_filter
    from skimage.filters import threshold_otsu

    values = np.asarray(values)
    if values.ndim != 2 or not values.size or values.dtype.kind not in "biuf" or not np.isfinite(values).all():
        raise ValueError(f"values: expected finite numbers (H, W), got {values.dtype} {values.shape}")
    if not sigma_px >= 0:
        raise ValueError(f"sigma_px: must be 0 or more, got {sigma_px}")
    values = values.astype(np.float64)
    if sigma_px:
        values = gaussian_filter(values, sigma_px, mode="nearest", truncate=4.0)
    return values > threshold_otsu(values, nbins=256)


def fill_and_open(mask: Mask, *, radius_px: int = 2) -> Mask:
    """Clean a mask: an opening with a disk, and then every hole filled.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
    radius_px : int
        Radius of the disk (2 px: 13 pixels). What no such disk fits into goes: specks, bridges, thin tails. 0 only
        fills. Objects at the border are treated as if they went on beyond it.

    Returns
    -------
    ndarray of bool, shape (H, W)

    Notes
    -----
    The opening comes first: a speck is gone before its ring could be filled. A hole is background that no
    4-connected path joins to the border.

    Examples
    --------
    >>> mask = np.zeros((5, 9), bool)
    >>> mask[1:4, 1:4] = True
    >>> mask[2, 6] = True  # a speck
    >>> fill_and_open(mask, radius_px=1).astype(int)
    array([[0, 0, 0, 0, 0, 0, 0, 0, 0],
           [0, 0, 1, 0, 0, 0, 0, 0, 0],
           [0, 1, 1, 1, 0, 0, 0, 0, 0],
           [0, 0, 1, 0, 0, 0, 0, 0, 0],
           [0, 0, 0, 0, 0, 0, 0, 0, 0]])
    >>> ring = np.pad(np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], bool), 1)
    >>> int(fill_and_open(ring, radius_px=0).sum()), int(fill_and_open(ring, radius_px=1).sum())
    (9, 0)
    """
    from scipy.ndimage import binary_fill_holes
    from skimage.morphology import disk, opening

    mask = checked_mask(mask)
    radius_px = checked_whole(radius_px, "radius_px", " of pixels")
    if radius_px and mask.size:
        mask = opening(mask, disk(radius_px))
    return np.asarray(binary_fill_holes(mask), bool)


def hematoxylin_floor(hematoxylin: npt.NDArray[np.floating[Any]]) -> Mask:
    """The floor that every network of the book has to beat: nuclei without any learning.

    Gaussian blur of 2 px; Otsu's threshold; opening with a disk of radius 2 px; holes filled; 4-connected components
    of at most 50 px removed. In this order, with nothing to set: another order or border moves the score.

    Parameters
    ----------
    hematoxylin : ndarray of float, shape (H, W)
        ``histolab_lib.stain.hematoxylin(image)``.

    Returns
    -------
    ndarray of bool, shape (H, W)

    Notes
    -----
    Chosen on the 30 training tiles of MoNuSeg, where its mean Dice is 0.742; 0.770 on the 14 test tiles.

    Examples
    --------
    >>> row, column = np.ogrid[:32, :32]
    >>> stained = (row - 16) ** 2 + (column - 16) ** 2 <= 49
    >>> stained[2:5, 2:5] = True  # a nucleus, and a speck of 9 px
    >>> mask = hematoxylin_floor(stained * 0.2)
    >>> mask[16, 16], mask[3, 3]
    (np.True_, np.False_)
    """
    mask = fill_and_open(otsu_mask(hematoxylin, sigma_px=2.0), radius_px=2)
    return remove_small(mask, min_area_px=51, connectivity=4)
