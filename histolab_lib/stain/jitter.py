"""Stain augmentation: the same tissue, stained stronger or paler, in one stain and not the other."""

import numpy as np
import numpy.typing as npt

from histolab_lib.stain.density import RUIFROK_HED, combine, separate

__all__ = ["jitter_concentrations"]


def jitter_concentrations(
    image: npt.NDArray[np.uint8],
    rng: np.random.Generator,
    *,
    scale: float,
    shift: float,
    stains: npt.NDArray[np.floating] = RUIFROK_HED,
) -> npt.NDArray[np.uint8]:
    """Scale and shift the amount of each stain at random: ``c -> alpha * c + beta``.

    Tellez et al., Medical Image Analysis 58 (2019) 101544, *HED* augmentation: ``alpha`` is uniform in 1 +- `scale`,
    ``beta`` in +- `shift`, one pair for each of the three stains.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
        RGB.
    rng : numpy.random.Generator
        Six numbers are drawn: three times alpha, then three times beta.
    scale : float
        0 to below 1.
    shift : float
        Not negative; decimal optical density. In scikit-image's HED space the same shift is a sixth of it.
    stains : ndarray of float, shape (3, 3)
        As `separate` takes them.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        Glass is shifted, too, as by a thicker or thinner section; what would be brighter than white is white.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Examples
    --------
    >>> image = np.array([[[255, 255, 255], [57, 51, 131]]], np.uint8)
    >>> bool((jitter_concentrations(image, np.random.default_rng(0), scale=0, shift=0) == image).all())
    True
    >>> jitter_concentrations(image, np.random.default_rng(0), scale=0.3, shift=0)
    array([[[255, 255, 255],
            [ 50,  45, 124]]], dtype=uint8)
    """
    if not 0 <= scale < 1 or not shift >= 0:
        raise ValueError(f"scale must be in 0..1 (1 excluded) and shift not negative, got {scale}, {shift}")
    alpha, beta = rng.uniform(1 - scale, 1 + scale, 3), rng.uniform(-shift, shift, 3)
    return combine(separate(image, stains) * alpha + beta, stains)
