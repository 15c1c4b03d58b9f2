"""Another laboratory: more or less of each stain, and stains of another colour."""

from typing import Any

import numpy as np
import numpy.typing as npt

from histolab_lib.stain import combine, estimate_macenko, separate

__all__ = ["own_stains", "scale_stains", "turn_stains"]

Image = npt.NDArray[np.uint8]
Stains = npt.NDArray[np.floating[Any]]


def own_stains(image: Image) -> npt.NDArray[np.float64]:
    """Return the stains of a tile, estimated after Macenko et al. (ISBI 2009), and what neither of them explains.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)

    Returns
    -------
    ndarray of float64, shape (3, 3)
        Unit rows: hematoxylin, eosin, and the direction at right angles to both.

    Raises
    ------
    ValueError
        If the tile shows too little tissue, or one stain only (`stain.StainError`).
    """
    return _completed(estimate_macenko(image))


def scale_stains(image: Image, *, hematoxylin: float = 1.0, eosin: float = 1.0, stains: Stains | None = None) -> Image:
    """Give every pixel so many times its hematoxylin and its eosin.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
    hematoxylin, eosin : float
        Factors of the amounts, 0 or more; a section twice as thick has 2 and 2. On the 30 training tiles of MoNuSeg the
        amount in nuclei differs between tiles by 30 % (hematoxylin) and 45 % (eosin): one standard deviation over the
        mean, by ``data/facts/synthetic.json``.
    stains : ndarray of float, shape (2, 3), optional
        Optical density of hematoxylin and eosin in red, green and blue; None: `own_stains`.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        What neither stain explains is left as it is; what would be brighter than white is white.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above, or no stains are given and the tile does not say them (`stain.StainError`).

    Examples
    --------
    >>> from histolab_lib.stain import RUIFROK_HED
    >>> blue = np.array([[[57, 51, 131]]], np.uint8)  # hematoxylin of optical density 1
    >>> scale_stains(blue, hematoxylin=0.5, stains=RUIFROK_HED[:2])
    array([[[121, 114, 183]]], dtype=uint8)
    """
    for name, factor in (("hematoxylin", hematoxylin), ("eosin", eosin)):
        if not 0 <= factor < np.inf:
            raise ValueError(f"{name} must be a factor of 0 or more, got {factor}")
    rows = own_stains(image) if stains is None else _completed(stains)
    return combine(separate(image, rows) * (hematoxylin, eosin, 1.0), rows)


def turn_stains(image: Image, degrees: float, *, stains: Stains | None = None) -> Image:
    """Turn both stain vectors within their plane, the angle between them and all amounts kept.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
    degrees : float
        By so much in the space of optical densities (`stain.stain_angles` measures it), -90 to 90. Above 0 hematoxylin
        turns towards eosin, and eosin beyond it: redder. Below 0: bluer. Between the tiles of MoNuSeg's training set
        stain vectors differ by several degrees.
    stains : ndarray of float, shape (2, 3), optional
        As in `scale_stains`.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        A stain that is turned so far that it would add light of one colour adds none where the image is white in it
        already.

    Raises
    ------
    TypeError, ValueError
        As `scale_stains`.

    Examples
    --------
    >>> from histolab_lib.stain import RUIFROK_HED
    >>> blue = np.array([[[57, 51, 131]]], np.uint8)
    >>> turn_stains(blue, 15, stains=RUIFROK_HED[:2])
    array([[[ 90,  35, 149]]], dtype=uint8)
    """
    if not -90 <= degrees <= 90:
        raise ValueError(f"degrees must be in -90..90, got {degrees}")
    rows = own_stains(image) if stains is None else _completed(stains)
    return combine(separate(image, rows), _turned(rows, degrees))


def _completed(stains: Stains) -> npt.NDArray[np.float64]:
    """Two stains and the unit vector at right angles to both."""
    rows = np.asarray(stains, np.float64)
    if rows.shape != (2, 3) or not np.isfinite(rows).all():
        raise ValueError(f"stains: expected two finite rows, hematoxylin and eosin, shape (2, 3), got {rows.shape}")
    rest = np.cross(rows[0], rows[1])
    length = np.linalg.norm(rest)
    if not length > 1e-6 * np.linalg.norm(rows[0]) * np.linalg.norm(rows[1]):
        raise ValueError(f"stains: rows must be independent to be told apart, got\n{rows}")
    return np.vstack([rows, rest / length])


def _turned(rows: npt.NDArray[np.float64], degrees: float) -> npt.NDArray[np.float64]:
    """Rodrigues' rotation about the third row, which is at right angles to the first two and stays."""
    radians = np.radians(degrees)
    ahead = np.cross(rows[2], rows[:2])  # where a small turn moves each stain: from hematoxylin to eosin
    return np.vstack([np.cos(radians) * rows[:2] + np.sin(radians) * ahead, rows[2]])
