"""What lens and sensor add: blur and noise."""

import math

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["add_noise", "blur"]


def blur(images: Tensor, sigma_px: npt.NDArray[np.float64]) -> Tensor:
    """Gaussian blur of each sample by its own sigma.

    Parameters
    ----------
    images : Tensor of float32, shape (N, C, H, W)
    sigma_px : ndarray of float, shape (N,)
        In pixels; 0 leaves the sample as it is. Kernels end at four times the largest sigma.

    Returns
    -------
    Tensor of float32, shape (N, C, H, W)
        As ``scipy.ndimage.gaussian_filter(mode="mirror")``: beyond the border the image is mirrored, its outermost
        pixel not repeated.

    Raises
    ------
    ValueError
        If a sigma is negative, or four of the largest reach beyond the mirrored image.
    """
    radius = math.ceil(4 * float(sigma_px.max(initial=0)))
    if (sigma_px < 0).any() or radius >= min(images.shape[-2:]):
        height, width = images.shape[-2:]
        raise ValueError(
            f"sigma_px must be in 0..{(min(height, width) - 1) / 4} for images of {height}x{width} pixels, "
            f"got {sigma_px.min()} to {sigma_px.max()}"
        )
    count = images.shape[0] * images.shape[1]
    kernels = torch.from_numpy(_kernels(sigma_px, radius)).to(images).repeat_interleave(images.shape[1], dim=0)
    padded = functional.pad(images, (radius,) * 4, mode="reflect").reshape(
        1, count, *(s + 2 * radius for s in images.shape[-2:])
    )
    # each channel of each sample is a group of its own: columns first, then rows
    columns = functional.conv2d(padded, kernels[:, None, :, None], groups=count)
    return functional.conv2d(columns, kernels[:, None, None, :], groups=count).reshape(images.shape)


def add_noise(images: Tensor, sd: npt.NDArray[np.float64], rng: np.random.Generator) -> Tensor:
    """Add Gaussian noise of its own standard deviation to each sample, and clip to 0..1.

    Parameters
    ----------
    images : Tensor of float32, shape (N, C, H, W)
    sd : ndarray of float, shape (N,)
        In units of intensity, 1 being white.
    rng : numpy.random.Generator
        Gives one seed; the noise itself is drawn on the device of `images`, and differs between kinds of device.
    """
    generator = torch.Generator(images.device).manual_seed(int(rng.integers(2**63)))
    noise = torch.randn(images.shape, generator=generator, device=images.device, dtype=images.dtype)
    return (images + noise * torch.from_numpy(sd).to(images)[:, None, None, None]).clamp(0, 1)


def _kernels(sigma_px: npt.NDArray[np.float64], radius: int) -> npt.NDArray[np.float64]:
    """One row for each sigma, sum 1, shape (N, 2 radius + 1)."""
    distance = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * (distance / np.maximum(sigma_px, 1e-3)[:, None]) ** 2)  # 1e-3: all weight in the middle
    return weights / weights.sum(axis=1, keepdims=True)
