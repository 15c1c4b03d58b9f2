"""How much of each stain a pixel holds, when the stains are known: with or without negative amounts."""

from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from histolab_lib.stain.density import as_density

__all__ = ["SOLVERS", "concentrations", "non_negative"]

#: Ways to solve ``density = concentrations @ stains``.
SOLVERS = ("least_squares", "non_negative")

_Floats = npt.NDArray[np.float64]


def concentrations(image: npt.NDArray[Any], stains: npt.NDArray[np.floating[Any]], *, solver: str) -> _Floats:
    """The amounts that explain a pixel best: the least sum of squares over its three channels.

    Parameters
    ----------
    image : ndarray of uint8 or float, shape (H, W, 3)
        RGB or densities, see `as_density`.
    stains : ndarray of float, shape (K, 3), K of 1 to 3
        Optical density of each stain in red, green and blue.
    solver : {"least_squares", "non_negative"}
        Allow negative amounts (Macenko et al. 2009, and with three stains `separate`), or none, as matter has it
        (Vahadane et al. 2016). No default: published code does either.

    Returns
    -------
    ndarray of float64, shape (H, W, K)

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above, or the stains are not independent.

    Examples
    --------
    A red pixel is explained by eosin and less than no hematoxylin, or by eosin alone:

    >>> from histolab_lib.stain.density import RUIFROK_HED
    >>> red = np.array([[[255, 100, 255]]], np.uint8)
    >>> concentrations(red, RUIFROK_HED[:2], solver="least_squares").round(2)
    array([[[-0.07,  0.45]]])
    >>> concentrations(red, RUIFROK_HED[:2], solver="non_negative").round(2)
    array([[[0. , 0.4]]])
    """
    if solver not in SOLVERS:
        raise ValueError(f"solver must be 'least_squares' or 'non_negative', got {solver!r}")
    density, rows = as_density(image), _rows(stains)
    if solver == "least_squares":
        return density @ np.linalg.pinv(rows)
    flat = non_negative(density.reshape(-1, 3), rows)
    return flat.reshape(*density.shape[:2], len(rows))


def non_negative(density: _Floats, stains: _Floats, sparsity: float = 0.0) -> _Floats:
    """Minimise ``|density - c @ stains|^2 / 2 + sparsity * sum(c)`` over c of at least 0, exactly.

    At the minimum some of the amounts are positive, and those solve a linear system. There are 2^K - 1 choices of which
    ones, so for up to three stains all are tried, on all pixels at once.

    Parameters
    ----------
    density : ndarray of float64, shape (N, 3)
    stains : ndarray of float64, shape (K, 3)
        Independent rows.
    sparsity : float
        Not negative.

    Returns
    -------
    ndarray of float64, shape (N, K)
    """
    gram, pull = stains @ stains.T, density @ stains.T - sparsity
    best, least = np.zeros_like(pull), np.zeros(len(density))  # nothing at all costs 0, up to a constant
    for count in range(1, len(stains) + 1):
        for some in combinations(range(len(stains)), count):
            chosen = list(some)
            amounts = pull[:, chosen] @ np.linalg.inv(gram[np.ix_(chosen, chosen)])
            cost = -(amounts * pull[:, chosen]).sum(axis=1) / 2
            better = (amounts >= 0).all(axis=1) & (cost < least)
            full = np.zeros((np.count_nonzero(better), len(stains)))
            full[:, chosen] = amounts[better]
            best[better], least[better] = full, cost[better]
    return best


def _rows(stains: Any) -> _Floats:
    rows = np.asarray(stains, np.float64)
    if rows.ndim != 2 or rows.shape[1] != 3 or not 1 <= len(rows) <= 3 or not np.isfinite(rows).all():
        raise ValueError(f"stains: expected 1 to 3 finite rows of red, green, blue, got shape {rows.shape}")
    if np.linalg.cond(rows) > 1e8:
        raise ValueError(f"stains: rows must be independent to be told apart, got\n{rows}")
    return rows
