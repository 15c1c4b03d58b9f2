"""From the colour of a pixel to how much of each dye it holds, and back (Beer-Lambert)."""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["RUIFROK_HED", "as_density", "combine", "hematoxylin", "od_to_rgb", "rgb_to_od", "separate"]

#: Optical density of hematoxylin, eosin and DAB (rows) in red, green and blue (columns): Ruifrok and Johnston,
#: Analytical and Quantitative Cytology and Histology 23 (2001) 291, as scikit-image's ``rgb_from_hed``. Unit vectors
#: but for the two decimals that the paper prints (lengths 0.998, 0.999, 1.003); left so on purpose, because with
#: normalised rows `separate` would no longer give the numbers of ``rgb2hed``.
RUIFROK_HED: npt.NDArray[np.float64] = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]])
RUIFROK_HED.setflags(write=False)

# An intensity of 0 has no logarithm: it counts as 1e-6 of white, scikit-image's choice, that is six decades.
_DARKEST_OD = 6.0
_OD_OF_VALUE = np.concatenate(([_DARKEST_OD], -np.log10(np.arange(1, 256) / 255)))
_OD_OF_VALUE[255] = 0.0  # not -0.0

_Floats = npt.NDArray[np.float64]


def rgb_to_od(image: npt.NDArray[np.uint8]) -> _Floats:
    """Optical density of each channel: ``-log10(value / 255)``, and 6 where the value is 0.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
        RGB on white; 255 is taken as the light that falls in.

    Returns
    -------
    ndarray of float64, shape (H, W, 3)
        0 for white, 2.41 for a value of 1, then a jump to 6: nothing says how dark a 0 is.

    Raises
    ------
    TypeError, ValueError
        If `image` is not uint8 or not (H, W, 3).

    Examples
    --------
    >>> rgb_to_od(np.array([[[255, 26, 0]]], np.uint8)).round(3)
    array([[[0.   , 0.992, 6.   ]]])
    """
    return _OD_OF_VALUE[_rgb(image)]


def as_density(image: npt.NDArray[Any]) -> _Floats:
    """Optical density of what is an image or holds densities already: what the estimators take.

    Parameters
    ----------
    image : ndarray of uint8 or float, shape (H, W, 3)
        RGB goes through `rgb_to_od`, which takes 255 for white; floats are densities and come back as they are. So a
        scanner whose glass is (240, 238, 241) is served by ``rgb_to_od(image) - rgb_to_od(glass)``.

    Returns
    -------
    ndarray of float64, shape (H, W, 3)

    Raises
    ------
    TypeError, ValueError
        If `image` is neither, or holds values that are not finite.
    """
    floats = isinstance(image, np.ndarray) and np.issubdtype(image.dtype, np.floating)
    return _channels("od", image) if floats else rgb_to_od(image)


def od_to_rgb(od: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.uint8]:
    """The colour of an optical density: ``255 * 10**-od``, rounded and held to 0..255; inverse of `rgb_to_od`.

    Examples
    --------
    >>> od_to_rgb(np.array([[[0.0, 1.0, 6.0]]]))
    array([[[255,  26,   0]]], dtype=uint8)
    """
    od = _channels("od", od)
    # Less than no absorption is brighter than white: held to white before the power can overflow.
    return np.rint(255 * 10.0 ** -np.maximum(od, 0)).astype(np.uint8)


def separate(image: npt.NDArray[np.uint8], stains: npt.NDArray[np.floating[Any]] = RUIFROK_HED) -> _Floats:
    """How much of each stain a pixel holds: solves ``rgb_to_od(image) = concentrations @ stains``.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
        RGB.
    stains : ndarray of float, shape (3, 3)
        One row for each stain: its optical density in red, green and blue.

    Returns
    -------
    ndarray of float64, shape (H, W, 3)
        Channel k belongs to row k of `stains`; 1 is an optical density of 1. Negative where a colour lies outside what
        the stains can mix. scikit-image's ``rgb2hed`` is a sixth of this (it takes logarithms to the base 1e-6), with
        negative values clipped to 0, which cannot be undone.

    Raises
    ------
    TypeError, ValueError
        If `image` is not uint8 (H, W, 3), or `stains` not three independent rows.

    Examples
    --------
    White holds nothing; a pixel of pure hematoxylin holds some of that alone:

    >>> white_and_blue = np.array([[[255, 255, 255], [57, 51, 131]]], np.uint8)
    >>> separate(white_and_blue).round(2) + 0.0
    array([[[0., 0., 0.],
            [1., 0., 0.]]])
    """
    return rgb_to_od(image) @ np.linalg.inv(_stains(stains))


def combine(
    concentrations: npt.NDArray[np.floating[Any]], stains: npt.NDArray[np.floating[Any]] = RUIFROK_HED
) -> npt.NDArray[np.uint8]:
    """The image that concentrations give; ``combine(separate(image)) == image`` for every image.

    Parameters
    ----------
    concentrations : ndarray of float, shape (H, W, 3)
        As `separate` gives them.
    stains : ndarray of float, shape (3, 3)
        The rows that they were separated with.

    Examples
    --------
    >>> combine(np.array([[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]]))
    array([[[255, 255, 255],
            [ 57,  51, 131]]], dtype=uint8)
    """
    concentrations = _channels("concentrations", concentrations)
    return od_to_rgb(concentrations @ _stains(stains))


def hematoxylin(image: npt.NDArray[np.uint8]) -> _Floats:
    """The hematoxylin channel as ``skimage.color.rgb2hed(image)[..., 0]`` gives it: negative values are set to 0.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
        RGB.

    Returns
    -------
    ndarray of float64, shape (H, W)
        In scikit-image's unit, a sixth of an optical density. The floor of the book, Otsu's threshold on this channel,
        is defined on it.

    Examples
    --------
    >>> hematoxylin(np.array([[[255, 255, 255], [57, 51, 131], [255, 100, 255]]], np.uint8)).round(3) + 0.0
    array([[0.   , 0.167, 0.   ]])
    """
    weights = np.linalg.inv(RUIFROK_HED)[:, 0] / _DARKEST_OD
    return np.maximum(rgb_to_od(image) @ weights, 0.0)


def _rgb(image: Any) -> npt.NDArray[np.uint8]:
    got = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
        raise TypeError(f"image: expected uint8 (H, W, 3) with values 0 to 255, got {got}")
    if image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"image: expected uint8 (H, W, 3), got {got}; drop an alpha channel with image[..., :3]")
    return image


def _channels(name: str, values: Any) -> _Floats:
    array = np.asarray(values, np.float64)
    if array.ndim != 3 or array.shape[2] != 3:
        raise ValueError(f"{name}: expected float (H, W, 3), got {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: expected finite values, got {np.count_nonzero(~np.isfinite(array))} that are not")
    return array


def _stains(stains: Any) -> _Floats:
    rows = np.asarray(stains, np.float64)
    if rows.shape != (3, 3) or not np.isfinite(rows).all():
        raise ValueError(f"stains: expected three finite rows of red, green, blue, shape (3, 3), got {rows.shape}")
    if np.linalg.cond(rows) > 1e8:
        raise ValueError(f"stains: rows must be independent to be told apart, got\n{rows}")
    return rows
