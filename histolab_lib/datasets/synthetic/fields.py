"""Smooth random fields and local windows: what everything in synthetic tissue is drawn with."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

__all__ = ["Field", "fibres", "noise", "smoothstep", "window"]

Field = npt.NDArray[np.float32]


def noise(rng: np.random.Generator, size: int, length_px: float) -> Field:
    """Gaussian noise of mean 0 and deviation 1 with a Gaussian correlation of the given length.

    Only the frequencies that survive the smoothing are drawn, so coarse fields cost one inverse transform.

    Parameters
    ----------
    rng : numpy.random.Generator
    size : int
        Side of the square field in pixels. The field is periodic.
    length_px : float
        Standard deviation of the equivalent Gaussian blur.

    Returns
    -------
    ndarray of float32, shape (size, size)
    """
    reach = min(size // 2, int(np.ceil(2.5 * size / (2 * np.pi * length_px))) + 1)
    rows = np.r_[0:reach, -reach:0]
    decay = np.exp(-2 * (np.pi * length_px / size * rows) ** 2).astype(np.float32)
    weight = np.outer(decay, decay[:reach])
    weight[0, 0] = 0  # no constant term: the mean is 0
    draws = rng.standard_normal((2, 2 * reach, reach), dtype=np.float32) * weight
    spectrum = np.zeros((size, size // 2 + 1), np.complex64)
    spectrum[rows, :reach] = draws[0] + 1j * draws[1]
    field: Field = fft.irfft2(spectrum, s=(size, size))
    return field / np.float32(field.std())


def smoothstep(values: Field, low: float, high: float) -> Field:
    """Rise smoothly from 0 at ``low`` to 1 at ``high`` (either may be the larger one)."""
    t = np.clip((values - np.float32(low)) / np.float32(high - low), 0, 1)
    return t * t * (3 - 2 * t)


def fibres(rng: np.random.Generator, size: int, wave_px: float = 45.0) -> tuple[Field, Field]:
    """Wavy bundles of fibres, and the direction in which they run.

    Noise that is long along one direction and short across it, sampled in coordinates which a smooth field bends.

    Returns
    -------
    texture : ndarray of float32, shape (size, size)
        Mean about 0, deviation about 1.
    angle : ndarray of float32, shape (size, size)
        Direction of the fibres in radians, from the x axis towards the y axis.
    """
    direction = rng.uniform(0, np.pi)
    cos, sin = np.float32(np.cos(direction)), np.float32(np.sin(direction))
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    bend = np.float32(0.30 * wave_px) * noise(rng, size, wave_px) + np.float32(1.5) * noise(rng, size, 7)
    across = cos * y - sin * x + bend
    along = cos * x + sin * y
    slope_y, slope_x = np.gradient(across)
    grain = 0.7 * _stretched(rng, across / 1.3, along / 8) + 0.65 * _stretched(rng, across / 4.5, along / 35)
    return grain.astype(np.float32), np.arctan2(slope_x, -slope_y).astype(np.float32) + np.float32(np.pi)


def _stretched(rng: np.random.Generator, across: Field, along: Field) -> Field:
    tile = noise(rng, 192, 0.8)  # repeats after 250 px across the finest fibres
    sampled: Field = ndimage.map_coordinates(tile, np.stack([across, along]), order=1, mode="grid-wrap")
    return sampled


def window(
    size: int, y: float, x: float, reach_px: float
) -> tuple[tuple[slice, slice], npt.NDArray[Any], npt.NDArray[Any]] | None:
    """Cut the square of half side ``reach_px`` around a centre out of a tile.

    Returns
    -------
    (slices, dy, dx) or None
        Where to write, and the offsets from the centre, shapes (h, 1) and (1, w); None where nothing of it lies
        inside the tile.
    """
    top, bottom = max(0, int(y - reach_px)), min(size, int(y + reach_px) + 2)
    left, right = max(0, int(x - reach_px)), min(size, int(x + reach_px) + 2)
    if top >= bottom or left >= right:
        return None
    dy = np.arange(top, bottom, dtype=np.float32)[:, None] - np.float32(y)
    dx = np.arange(left, right, dtype=np.float32)[None, :] - np.float32(x)
    return (slice(top, bottom), slice(left, right)), dy, dx
