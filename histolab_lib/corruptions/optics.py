"""Another microscope and another file: out of focus, too little light, noise, compression."""

import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image as Picture

__all__ = ["NOT_COMPRESSED", "add_gaussian_noise", "add_photon_noise", "blur", "change_light", "compress_jpeg"]

Image = npt.NDArray[np.uint8]

#: The quality that stands for a file without losses.
NOT_COMPRESSED = 100
_BEST_JPEG = 95  # above it Pillow's files grow and hardly improve (its documentation)
_SUBSAMPLING = {"4:4:4": 0, "4:2:2": 1, "4:2:0": 2}


def blur(image: Image, sigma_px: float) -> Image:
    """Blur by a Gaussian, as a lens that is slightly out of focus.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
    sigma_px : float
        Standard deviation in pixels, 0 or more. A sharp edge then rises from a tenth to nine tenths within 2.56 of it.
        Kernels end at four of it; beyond the border the image is mirrored.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        Light is averaged, not optical density: values of a pixel are taken as proportional to the light, as they are
        when stains are separated.

    Raises
    ------
    ValueError
        If `sigma_px` is negative.
    """
    from scipy.ndimage import gaussian_filter

    _at_least("sigma_px", sigma_px, 0)
    return _as_bytes(gaussian_filter(image.astype(np.float64), (sigma_px, sigma_px, 0), mode="mirror"))


def compress_jpeg(image: Image, quality: int, *, subsampling: str = "4:2:2") -> Image:
    """Write a JPEG and read it.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
    quality : int
        That of Pillow (libjpeg), 1 to 95; or 100 for no compression at all, the image as it is.
    subsampling : {"4:2:2", "4:4:4", "4:2:0"}
        How coarse colours are kept; the first as many slide scanners write it, the last is Pillow's default.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        Tiles of public sets were cut from slides that had been compressed before.

    Raises
    ------
    ValueError
        If quality or subsampling are not among those allowed.
    """
    if quality != int(quality) or not (1 <= quality <= _BEST_JPEG or quality == NOT_COMPRESSED):
        raise ValueError(f"quality must be whole, 1 to {_BEST_JPEG}, or {NOT_COMPRESSED} for no JPEG, got {quality}")
    if subsampling not in _SUBSAMPLING:
        raise ValueError(f"subsampling must be one of {', '.join(map(repr, _SUBSAMPLING))}, got {subsampling!r}")
    if quality == NOT_COMPRESSED:
        return image
    file = io.BytesIO()
    Picture.fromarray(image).save(file, "JPEG", quality=int(quality), subsampling=_SUBSAMPLING[subsampling])
    return np.array(Picture.open(file))


def add_gaussian_noise(image: Image, sd: float, rng: np.random.Generator) -> Image:
    """Add noise of the electronics: equally strong everywhere, each colour of each pixel on its own.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
    sd : float
        Standard deviation in grey levels of 0 to 255, before rounding and before what leaves that range is held to it.
    rng : numpy.random.Generator
        The pattern drawn does not depend on `sd`.
    """
    _at_least("sd", sd, 0)
    return _as_bytes(image + sd * rng.standard_normal(image.shape))


def add_photon_noise(image: Image, sd: float, rng: np.random.Generator) -> Image:
    """Add noise of too few photons: the variance is proportional to the light.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
    sd : float
        Standard deviation in grey levels where the image is white; at a value v it is ``sd * sqrt(v / 255)``, as if
        ``(255 / sd) ** 2`` photons were counted in white (Poisson's law).
    rng : numpy.random.Generator
    """
    _at_least("sd", sd, 0)
    if sd == 0:
        return image
    photons = 255 / sd**2  # for each grey level
    return _as_bytes(rng.poisson(image * photons) / photons)


def change_light(image: Image, factor: float) -> Image:
    """Shine so many times the light through the slide.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
    factor : float
        Above 0. Adds ``-log10(factor)`` to every optical density, white included, so it is no change of stain. Above 1
        what would exceed 255 is held to it.

    Examples
    --------
    >>> change_light(np.array([[[255, 200, 100]]], np.uint8), 0.5)
    array([[[128, 100,  50]]], dtype=uint8)
    """
    if not 0 < factor < np.inf:
        raise ValueError(f"factor must be above 0, got {factor}")
    return _as_bytes(image * float(factor))


def _at_least(name: str, value: float, least: float) -> None:
    if not least <= value < np.inf:
        raise ValueError(f"{name} must be {least:g} or more, got {value}")


def _as_bytes(values: npt.NDArray[np.floating[Any]]) -> Image:
    return np.rint(values).clip(0, 255).astype(np.uint8)
