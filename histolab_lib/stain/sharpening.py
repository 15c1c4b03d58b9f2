"""Unsharp masking: what a blur takes away is added once more."""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["unsharp_mask"]


def unsharp_mask(image: npt.NDArray[Any], *, sigma_px: float, amount: float) -> npt.NDArray[Any]:
    """Sharpen: ``image + amount * (image - blurred)``, with a Gaussian blur, each channel alone.

    scikit-image's ``unsharp_mask``, but that keeps the scale of what it is given: a stain channel in optical densities
    may exceed 1, where scikit-image's default clips, and uint8 stays uint8. Rezaei et al.'s gland network sharpens the
    hematoxylin channel with it and says neither radius nor amount, so there is no default.

    Parameters
    ----------
    image : ndarray of uint8 or float, shape (H, W) or (H, W, C)
        An image or stain channels.
    sigma_px : float
        Standard deviation of the blur, above 0; scikit-image's ``radius``. The border is mirrored.
    amount : float
        0 changes nothing.

    Returns
    -------
    ndarray, shape and type of `image`
        Floats may leave the range they had, on both sides of an edge; uint8 is rounded and held to 0..255.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Examples
    --------
    >>> edge = np.repeat([[0.0, 0.0, 2.0, 2.0]], 3, axis=0)
    >>> unsharp_mask(edge, sigma_px=1, amount=1)[0].round(2)
    array([-0.13, -0.6 ,  2.6 ,  2.13])
    >>> unsharp_mask(100 * edge.astype(np.uint8), sigma_px=1, amount=1)[0]
    array([  0,   0, 255, 213], dtype=uint8)
    """
    from skimage.filters import unsharp_mask as sharpen

    if not isinstance(image, np.ndarray) or not (image.dtype == np.uint8 or np.issubdtype(image.dtype, np.floating)):
        raise TypeError(f"image: expected an array of uint8 or float, got {getattr(image, 'dtype', type(image))}")
    if image.ndim not in (2, 3):
        raise ValueError(f"image: expected shape (H, W) or (H, W, C), got {image.shape}")
    if not sigma_px > 0:
        raise ValueError(f"sigma_px must be above 0, got {sigma_px}")
    axis = 2 if image.ndim == 3 else None
    floats = image.astype(np.float64)
    sharp = sharpen(floats, radius=sigma_px, amount=amount, preserve_range=True, channel_axis=axis)
    if image.dtype == np.uint8:
        sharp = np.rint(sharp.clip(0, 255))
    return np.asarray(sharp.astype(image.dtype))
