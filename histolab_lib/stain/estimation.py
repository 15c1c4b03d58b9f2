"""The stains of a tile, estimated from its own pixels: Macenko et al. (2009) and Vahadane et al. (2016)."""

from typing import Any

import numpy as np
import numpy.typing as npt

from histolab_lib.stain.amounts import non_negative
from histolab_lib.stain.density import RUIFROK_HED
from histolab_lib.stain.tissue import BETA, LEAST_SHARE, StainError, tissue_density

__all__ = ["estimate_macenko", "estimate_vahadane", "stain_angles"]

_Floats = npt.NDArray[np.float64]

# Macenko's vectors lie 15 to 31 degrees apart on the 30 training tiles of MoNuSeg, Vahadane's 8 to 20; one stain and
# noise of two grey levels gives up to 4.7.
_LEAST_ANGLE_DEG = 5.0
_MOST_PIXELS = 20_000  # for the factorisation: its vectors are within 0.2 degrees of those of all pixels of a tile
_MOST_ROUNDS, _SETTLED = 300, 1e-5


def estimate_macenko(
    image: npt.NDArray[Any], *, beta: float = BETA, alpha: float = 1.0, least_share: float = LEAST_SHARE
) -> _Floats:
    """Estimate hematoxylin and eosin as the two edges of the fan that the pixels' densities span.

    The densities of all mixtures of two stains lie in one plane, between the two stain vectors. The plane is that of
    the two largest singular values; in it, the vectors are the `alpha`-th and (100 - `alpha`)-th percentile of the
    angle (Macenko et al., ISBI 2009).

    Parameters
    ----------
    image : ndarray of uint8 or float, shape (H, W, 3)
        RGB or densities, see `as_density`.
    beta : float
        Pixels of less optical density are glass: see `tissue_mask`. Macenko's value.
    alpha : float
        Percent of the pixels beyond each edge, from 0 to below 50. Macenko's value.
    least_share : float
        Share of the image that must be tissue, 0 to 1.

    Returns
    -------
    ndarray of float64, shape (2, 3)
        Unit rows. Hematoxylin is the one that absorbs more red, so the order does not depend on signs or on how much
        there is of either. A vector may have a slightly negative entry, where noise tilts the plane.

    Raises
    ------
    StainError
        If too little is tissue, or the two edges are less than 5 degrees apart: the tile shows one stain.
    TypeError, ValueError
        If an argument is not as above.

    Notes
    -----
    The MATLAB code that most packages follow (Veta, 2013) takes natural logarithms, (value + 1) / 240,
    each channel at least 0.15 for tissue, and the plane of the *centred* covariance, which need not hold the origin;
    and it leaves the signs of the axes to chance. This follows the paper; signs are turned to where the tissue is.

    Examples
    --------
    >>> from histolab_lib.stain.density import od_to_rgb
    >>> amounts = np.random.default_rng(0).gamma(1.0, 0.3, (64, 64, 2))
    >>> estimate_macenko(od_to_rgb(amounts @ RUIFROK_HED[:2])).round(2)
    array([[0.65, 0.71, 0.29],
           [0.08, 0.99, 0.11]])
    >>> estimate_macenko(np.full((8, 8, 3), 250, np.uint8))
    Traceback (most recent call last):
        ...
    histolab_lib.stain.tissue.StainError: too little tissue to estimate stains: 0 of 64 pixels (0.00%) have ...
    """
    if not 0 <= alpha < 50:
        raise ValueError(f"alpha must be a percentage from 0 to below 50, got {alpha}")
    tissue = tissue_density(image, beta=beta, least_share=least_share)
    axes = np.linalg.eigh(tissue.T @ tissue)[1][:, [2, 1]]  # (3, 2), the plane of the two largest singular values
    axes *= np.where(tissue.mean(axis=0) @ axes < 0, -1, 1)
    across, along = (tissue @ axes).T[::-1]
    edges = np.radians(np.percentile(np.degrees(np.arctan2(across, along)), [alpha, 100 - alpha]))
    return _ordered(np.stack([np.cos(edges), np.sin(edges)], axis=1) @ axes.T)


def estimate_vahadane(
    image: npt.NDArray[Any], *, beta: float = BETA, sparsity: float = 0.1, least_share: float = LEAST_SHARE
) -> _Floats:
    """Estimate hematoxylin and eosin by a sparse non-negative factorisation of the pixels' densities.

    Minimises, over amounts of at least 0 and unit stains with entries of at least 0, the mean over the tissue of
    ``|density - amounts @ stains|^2 / 2 + sparsity * sum(amounts)`` (after Vahadane et al., IEEE Transactions on
    Medical Imaging 35, 2016): most pixels shall need one stain only. Amounts are solved exactly, then each stain
    in turn, until the entries move by less than 1e-5.

    Parameters
    ----------
    image : ndarray of uint8 or float, shape (H, W, 3)
        RGB or densities, see `as_density`.
    beta : float
        Pixels of less optical density are glass: see `tissue_mask`.
    sparsity : float
        The weight lambda for densities in natural logarithms (as staintools has it, 0.1 too). With 0 the
        result depends on where the search starts, with 0.1 no longer noticeably.
    least_share : float
        Share of the image that must be tissue, 0 to 1.

    Returns
    -------
    ndarray of float64, shape (2, 3)
        Unit rows with no negative entry; hematoxylin is the one that absorbs more red.

    Raises
    ------
    StainError
        As `estimate_macenko`, or if one of the two stains is used by no pixel.
    TypeError, ValueError
        If an argument is not as above.

    Notes
    -----
    No chance is involved: the search starts at Ruifrok's vectors and sees about 20,000 tissue pixels, every n-th.

    Examples
    --------
    >>> from histolab_lib.stain.density import od_to_rgb
    >>> rng = np.random.default_rng(0)
    >>> one_or_other = rng.gamma(4.0, 0.15, (64, 64, 1)) * np.eye(2)[rng.integers(2, size=(64, 64))]
    >>> estimate_vahadane(od_to_rgb(one_or_other @ RUIFROK_HED[:2])).round(2)
    array([[0.65, 0.7 , 0.29],
           [0.07, 0.99, 0.11]])
    """
    if sparsity < 0:
        raise ValueError(f"sparsity must not be negative, got {sparsity}")
    tissue = np.maximum(tissue_density(image, beta=beta, least_share=least_share), 0)
    tissue = tissue[:: max(1, len(tissue) // _MOST_PIXELS)]
    stains = RUIFROK_HED[:2] / np.linalg.norm(RUIFROK_HED[:2], axis=1, keepdims=True)
    for _ in range(_MOST_ROUNDS):
        before, amounts = stains, non_negative(tissue, stains, sparsity / np.log(10))
        if not amounts.any(axis=0).all():
            raise StainError("one of the two stains is found in no pixel of the tile; use stains of its slide")
        stains = _better_stains(tissue, amounts, before)
        if np.abs(stains - before).max() < _SETTLED:
            break
    return _ordered(stains)


def stain_angles(true: npt.NDArray[np.floating[Any]], pred: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
    """Angle between the stain vectors of two estimates, row by row, in degrees.

    Parameters
    ----------
    true, pred : ndarray of float, shape (K, 3)
        Lengths do not matter.

    Returns
    -------
    ndarray of float64, shape (K,)
        0 to 180.

    Raises
    ------
    ValueError
        If shapes differ or are not (K, 3), or a vector has no length.

    Examples
    --------
    >>> stain_angles(np.eye(3)[:2], np.array([[2.0, 0, 0], [1, 1, 0]])).round(1)
    array([ 0., 45.])
    """
    true, pred = np.asarray(true, np.float64), np.asarray(pred, np.float64)
    if true.shape != pred.shape or true.ndim != 2 or true.shape[1] != 3:
        raise ValueError(f"expected two sets of stains of one shape (K, 3), got {true.shape} and {pred.shape}")
    if not (true.any(axis=1).all() and pred.any(axis=1).all()):
        raise ValueError("a stain vector of length 0 has no direction")
    # By the half angle: exact for nearly equal vectors, where the arc cosine loses eight digits.
    true, pred = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (true, pred))
    apart, together = np.linalg.norm(true - pred, axis=1), np.linalg.norm(true + pred, axis=1)
    return np.degrees(2 * np.arctan2(apart, together))


def _better_stains(tissue: _Floats, amounts: _Floats, stains: _Floats) -> _Floats:
    """One round of block coordinate descent: each stain given the amounts and the other stain."""
    stains = stains.copy()
    shared, pull = amounts.T @ amounts, amounts.T @ tissue
    for k in range(len(stains)):
        row = np.maximum(stains[k] + (pull[k] - shared[k] @ stains) / shared[k, k], 0)
        if not row.any():
            raise StainError("one of the two stains is found in no pixel of the tile; use stains of its slide")
        stains[k] = row / np.linalg.norm(row)
    return stains


def _ordered(stains: _Floats) -> _Floats:
    """Hematoxylin first, that is the more red of two unit vectors; an error where they are nearly one."""
    angle = float(stain_angles(stains[:1], stains[1:])[0])
    if angle < _LEAST_ANGLE_DEG:
        raise StainError(
            f"the two stains found are {angle:.1f} degrees apart, needed are {_LEAST_ANGLE_DEG:g}: the tile seems to "
            "show one stain only; leave it as it is, or use stains estimated on its slide"
        )
    return stains[np.argsort(-stains[:, 0], kind="stable")]
