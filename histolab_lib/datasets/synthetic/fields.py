"""Smooth random fields and local windows: what everything in synthetic tissue is drawn with."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

__all__ = ["Field", "enlarge", "fibres", "noise", "smoothstep", "window"]

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
    length_px = min(length_px, size)  # of a longer one nothing but rounding errors is left
    reach = min(size // 2, int(np.ceil(2.5 * size / (2 * np.pi * length_px))) + 1)
    decay = np.exp(-2 * (np.pi * length_px / size * np.r_[0:reach, -reach:0]) ** 2).astype(np.float32)
    weight = np.outer(decay, decay[:reach])
    weight[0, 0] = 0  # no constant term: the mean is 0
    draws = rng.standard_normal((2, 2 * reach, reach), dtype=np.float32) * weight
    low = draws[0] + 1j * draws[1]
    columns = np.zeros((size, reach), np.complex64)
    columns[:reach], columns[-reach:] = low[:reach], low[reach:]
    columns *= np.float32(size**2) / _deviation(columns)
    field: Field = fft.irfft(fft.ifft(columns, axis=0), n=size, axis=1)
    return field


def _deviation(columns: npt.NDArray[np.complex64]) -> np.float32:
    """Standard deviation times size squared of the real field with these first columns of its spectrum (Parseval)."""
    mirrored = np.roll(columns[::-1, 0], 1).conj()  # of column 0 only the Hermitian part makes a real field
    power = 2 * _power(columns[:, 1:]) + _power(0.5 * (columns[:, 0] + mirrored))
    return np.sqrt(power)


def _power(values: npt.NDArray[np.complex64]) -> np.float32:
    return np.square(values.real).sum() + np.square(values.imag).sum()


def smoothstep(values: Field, low: float, high: float) -> Field:
    """Rise smoothly from 0 at ``low`` to 1 at ``high`` (either may be the larger one)."""
    t = np.clip((values - np.float32(low)) / np.float32(high - low), 0, 1)
    return t * t * (3 - 2 * t)


def enlarge(half: Field, size: int) -> Field:
    """Double a field that was computed at every second pixel, linearly between them, and cut it to ``size``."""
    rows = np.empty((2 * len(half), half.shape[1]), half.dtype)
    rows[::2] = half
    rows[1:-1:2] = 0.5 * (half[:-1] + half[1:])
    rows[-1] = half[-1]
    full = np.empty((len(rows), 2 * half.shape[1]), half.dtype)
    full[:, ::2] = rows
    full[:, 1:-1:2] = 0.5 * (rows[:, :-1] + rows[:, 1:])
    full[:, -1] = rows[:, -1]
    return full[:size, :size]


def fibres(rng: np.random.Generator, size: int, wave_px: float = 45.0) -> tuple[Field, Field]:
    """Wavy bundles of fibres, and the direction in which they run.

    Noise that is long along one direction and short across it, sampled in coordinates which a smooth field bends.

    Returns
    -------
    texture : ndarray of float32, shape (size, size)
        Mean about 0, deviation about 1; far below where bundles have come apart.
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
    bundles = enlarge(_stretched(rng, across[::2, ::2] / 4.5, along[::2, ::2] / 35), size)
    cracks = smoothstep(np.abs(bundles), 0.30, 0.05) * smoothstep(noise(rng, size, 0.5 * wave_px), 0.2, 1.1)
    grain = 0.5 * _stretched(rng, across / 1.3, along / 8) + 0.85 * bundles - np.float32(rng.uniform(0, 4)) * cracks
    return grain, np.arctan2(slope_x, -slope_y).astype(np.float32) + np.float32(np.pi)


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
