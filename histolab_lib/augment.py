"""Random changes that leave the truth true: the eight symmetries of a square, and a stain that varies."""

import numpy as np
import torch
from torch import Tensor

__all__ = ["augment", "jitter_stain", "turn_and_flip"]


def augment(images: Tensor, masks: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Turn, flip and stain each sample of a batch anew: `turn_and_flip`, then `jitter_stain`.

    Parameters
    ----------
    images : Tensor of float32, shape (N, 3, S, S)
        RGB in 0..1.
    masks : Tensor, shape (N, C, S, S)
        Turned and flipped as their images, values untouched.
    rng : numpy.random.Generator
        The same state gives the same batch.

    Returns
    -------
    images, masks : Tensor
        New tensors of the same shapes and types.
    """
    images, masks = turn_and_flip(images, masks, rng)
    return jitter_stain(images, rng), masks


def turn_and_flip(images: Tensor, masks: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Apply to each sample one of the eight symmetries of a square, all equally likely.

    Tissue has no upright: a turned or mirrored nucleus is as good an example as the one we have.

    Raises
    ------
    ValueError
        If crops are not square, or images and masks disagree in number or size.

    Examples
    --------
    >>> images = torch.rand(4, 3, 8, 8)
    >>> turned, mask = turn_and_flip(images, images[:, :1], np.random.default_rng(0))
    >>> torch.equal(turned[:, :1], mask)
    True
    """
    _check_pair(images, masks)
    turns, flips = rng.integers(4, size=len(images)), rng.integers(2, size=len(images))
    images = torch.stack([_move(x, k, f) for x, k, f in zip(images, turns, flips, strict=True)])
    masks = torch.stack([_move(x, k, f) for x, k, f in zip(masks, turns, flips, strict=True)])
    return images, masks


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
    return (images.clamp(min=1 / 255) ** scale * 10**-shift).clamp(max=1)


def _move(sample: Tensor, turns: int, flip: int) -> Tensor:
    turned = torch.rot90(sample, int(turns), dims=(-2, -1))
    return turned.flip(-1) if flip else turned


def _check_pair(images: Tensor, masks: Tensor) -> None:
    height, width = images.shape[-2:]
    if height != width:
        raise ValueError(f"quarter turns need square crops, got {height}x{width} pixels")
    if len(images) != len(masks) or masks.shape[-2:] != images.shape[-2:]:
        raise ValueError(f"images {tuple(images.shape)} and masks {tuple(masks.shape)} differ in number or size")
