"""Which pixels are tissue, and an error where there is too little of it to say anything about its stains."""

from typing import Any

import numpy as np
import numpy.typing as npt

from histolab_lib.stain.density import as_density

__all__ = ["BETA", "LEAST_SHARE", "StainError", "check_little_tissue", "tissue_density", "tissue_mask"]

#: Optical density below which a pixel is glass: beta of Macenko et al., ISBI 2009.
BETA = 0.15
#: Share of a tile that must be tissue before its stains are estimated. Ours; code without such a
#: rule fails on white tiles inside its linear algebra, or returns vectors made of noise.
LEAST_SHARE = 0.05

_ON_LITTLE_TISSUE = ("raise", "identity")


class StainError(ValueError):
    """A tile does not say what its stains are: too little tissue, or only one stain on it."""


def tissue_mask(image: npt.NDArray[Any], *, beta: float = BETA) -> npt.NDArray[np.bool_]:
    """True where light is absorbed: where the optical density vector is at least `beta` long.

    Parameters
    ----------
    image : ndarray of uint8 or float, shape (H, W, 3)
        RGB or densities, see `as_density`.
    beta : float
        In decimal optical density.

    Returns
    -------
    ndarray of bool, shape (H, W)

    Notes
    -----
    The paper asks for "OD intensity" and leaves the norm open. The MATLAB code that most packages follow
    (Veta, 2013) asks every channel for 0.15 in natural logarithms (0.065 here). Every channel with the paper's decimal
    0.15 would drop nearly half of synthetic tissue, eosin above all, which hardly absorbs red.

    Examples
    --------
    >>> tissue_mask(np.array([[[255, 255, 255], [240, 240, 240], [240, 180, 220]]], np.uint8))
    array([[False, False,  True]])
    """
    return np.asarray(np.linalg.norm(as_density(image), axis=2) >= beta)


def tissue_density(image: npt.NDArray[Any], *, beta: float, least_share: float) -> npt.NDArray[np.float64]:
    """Densities of the tissue pixels, shape (N, 3), row by row of the image.

    Raises
    ------
    StainError
        If fewer than `least_share` of all pixels are tissue.
    """
    density = as_density(image)
    tissue = density[tissue_mask(density, beta=beta)]
    pixels = density.shape[0] * density.shape[1]
    if len(tissue) < max(1, least_share * pixels):
        raise StainError(
            f"too little tissue to estimate stains: {len(tissue)} of {pixels} pixels "
            f"({len(tissue) / max(1, pixels):.2%}) have an optical density of {beta:g} or more, needed are "
            f"{least_share:.2%}; leave the tile as it is, or use stains estimated on its slide"
        )
    return tissue


def check_little_tissue(value: str) -> None:
    """Raise ValueError unless `value` is one of the two things to do about too little tissue."""
    if value not in _ON_LITTLE_TISSUE:
        raise ValueError(f"on_little_tissue must be 'raise' or 'identity', got {value!r}")
