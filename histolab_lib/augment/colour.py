"""Stain and exposure: the same tissue as another laboratory and another scanner would show it."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from histolab_lib.stain import RUIFROK_HED

__all__ = ["adjust_contrast", "jitter_concentrations", "jitter_stain"]

_DARKEST = 1 / 255  # an intensity of 0 has no logarithm; black in an 8-bit file counts as its next value


def jitter_stain(images: Tensor, rng: np.random.Generator, *, od_scale: float = 0.25, od_shift: float = 0.06) -> Tensor:
    """Scale and shift the optical density of each colour channel, as a darker, paler or bluer slide would.

    With D = -log10(I), the decimal optical density of an intensity I in 0..1, each channel of each sample becomes
    ``10 ** -(a D + b)``, a uniform in ``1 +- od_scale`` and b in ``+- od_shift``, clipped to 0..1.

    Parameters
    ----------
    images : Tensor of float32, shape (N, C, H, W)
        RGB in 0..1. Intensities below 1/255, black in an 8-bit file, count as 1/255.
    rng : numpy.random.Generator
        2 N C numbers are drawn, however large the crops.
    od_scale, od_shift : float
        The defaults are those of the book's small U-Net; chosen by us, on no test tile.

    Returns
    -------
    Tensor of float32, shape (N, C, H, W)

    Examples
    --------
    White stays nearly white, since its density is 0 and only the shift moves it:

    >>> jittered = jitter_stain(torch.ones(2, 3, 4, 4), np.random.default_rng(0))
    >>> bool(jittered.min() >= 10 ** -0.06), bool(jittered.max() <= 1)
    (True, True)
    """
    if not 0 <= od_scale < 1 or od_shift < 0:
        raise ValueError(f"od_scale must be in 0..1 (1 excluded) and od_shift not negative, got {od_scale}, {od_shift}")
    shape = (*images.shape[:2], 1, 1)
    scale = torch.from_numpy(rng.uniform(1 - od_scale, 1 + od_scale, shape)).to(images)
    shift = torch.from_numpy(rng.uniform(-od_shift, od_shift, shape)).to(images)
    # 10 ** -(a D + b) without leaving intensities: I ** a * 10 ** -b
    return (images.clamp(min=_DARKEST) ** scale * 10**-shift).clamp(max=1)


def jitter_concentrations(
    images: Tensor,
    scale: npt.NDArray[np.float64],
    shift: npt.NDArray[np.float64],
    stains: npt.NDArray[np.floating[Any]] = RUIFROK_HED,
) -> Tensor:
    """Give each sample another amount of each stain: concentrations c become ``scale * c + shift``.

    Stain augmentation of Tellez et al. (Medical Image Analysis 58, 2019, 101544), who took it from their work of 2018
    (IEEE Transactions on Medical Imaging 37, 2126): separate as `stain.separate` does, change, combine. Unlike
    `jitter_stain` it keeps the colour of each stain.

    Parameters
    ----------
    images : Tensor of float32, shape (N, 3, H, W)
        RGB in 0..1. Intensities below 1/255 count as 1/255.
    scale, shift : ndarray of float, shape (N, 3)
        For each sample and stain; a shift of 1 is an optical density of 1.
    stains : ndarray of float, shape (3, 3)
        One row for each stain: its optical density in red, green and blue.

    Returns
    -------
    Tensor of float32, shape (N, 3, H, W)
        In 0..1, clipped.

    Examples
    --------
    Without any hematoxylin, what is left of a blue pixel is white:

    >>> blue = torch.tensor([57, 51, 131]).reshape(1, 3, 1, 1) / 255
    >>> pale = jitter_concentrations(blue, np.array([[0.0, 1.0, 1.0]]), np.zeros((1, 3)))
    >>> [round(value, 2) for value in pale.flatten().tolist()]
    [1.0, 1.0, 1.0]
    """
    rows = np.asarray(stains, np.float64)
    if images.shape[1] != 3 or scale.shape != (len(images), 3) or shift.shape != scale.shape:
        got = f"images {tuple(images.shape)}, scale {scale.shape}, shift {shift.shape}"
        raise ValueError(f"expected images (N, 3, H, W) with scale and shift (N, 3), got {got}")
    # D' = (D inv(S) * scale + shift) S, in one 3x3 matrix and one offset; on columns, hence transposed
    mix = np.linalg.inv(rows) @ (scale[:, :, None] * rows)  # (N, 3, 3)
    offset = -math.log(10) * shift @ rows  # of ln I = -ln(10) D
    matrix, bias = (torch.from_numpy(a).to(images) for a in (mix.transpose(0, 2, 1), offset[:, :, None]))
    logs = torch.baddbmm(bias, matrix, images.clamp(min=_DARKEST).log().flatten(2))
    return logs.exp().clamp(max=1).unflatten(2, images.shape[-2:])


def adjust_contrast(images: Tensor, factor: npt.NDArray[np.float64], offset: npt.NDArray[np.float64]) -> Tensor:
    """Stretch each sample about its own mean by `factor`, brighten it by `offset`, and clip to 0..1.

    Parameters
    ----------
    images : Tensor of float32, shape (N, C, H, W)
    factor, offset : ndarray of float, shape (N,)
        1 and 0 change nothing.

    Examples
    --------
    >>> grey = torch.tensor([0.4, 0.6]).reshape(1, 1, 1, 2)
    >>> [round(value, 2) for value in adjust_contrast(grey, np.array([2.0]), np.array([0.1])).flatten().tolist()]
    [0.4, 0.8]
    """
    # summed in float64, so that the number of threads does not show in the result
    mean = images.mean(dim=(1, 2, 3), dtype=torch.float64).to(images.dtype)[:, None, None, None]
    stretch, lift = (torch.from_numpy(a).to(images)[:, None, None, None] for a in (factor, offset))
    return ((images - mean) * stretch + (mean + lift)).clamp(0, 1)
