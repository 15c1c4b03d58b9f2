"""The eight symmetries of a square: turns and flips that move pixels and change none."""

import numpy as np
import numpy.typing as npt
from torch import Tensor, rot90, stack

__all__ = ["apply_symmetries", "check_pair", "turn_and_flip"]


def turn_and_flip(images: Tensor, masks: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Apply to each sample one of the eight symmetries of a square, all equally likely.

    Tissue has no upright: a turned or mirrored nucleus is as good an example as the one we have.

    Raises
    ------
    ValueError
        If crops are not square, or images and masks disagree in number or size.

    Examples
    --------
    >>> import torch
    >>> images = torch.rand(4, 3, 8, 8)
    >>> turned, mask = turn_and_flip(images, images[:, :1], np.random.default_rng(0))
    >>> torch.equal(turned[:, :1], mask)
    True
    """
    check_pair(images, masks)
    turns, flips = rng.integers(4, size=len(images)), rng.integers(2, size=len(images))
    return apply_symmetries(images, masks, turns, flips)


def apply_symmetries(
    images: Tensor, masks: Tensor, turns: npt.NDArray[np.integer], flips: npt.NDArray[np.integer]
) -> tuple[Tensor, Tensor]:
    """Turn each sample by `turns` quarters, counter-clockwise, then mirror it left to right where `flips` is 1.

    Parameters
    ----------
    images : Tensor, shape (N, C, H, W)
    masks : Tensor, shape (N, K, H, W)
        Any type.
    turns, flips : ndarray of int, shape (N,)
        A flip upside down is two turns and a flip.

    Raises
    ------
    ValueError
        If images and masks disagree in number or size, or crops that are not square are to be turned by an odd number
        of quarters.
    """
    check_pair(images, masks)
    height, width = images.shape[-2:]
    if height != width and (turns % 2).any():
        raise ValueError(f"quarter turns need square crops, got {height}x{width} pixels")
    moved = [[_move(x, k, f) for x, k, f in zip(batch, turns, flips, strict=True)] for batch in (images, masks)]
    return stack(moved[0]), stack(moved[1])


def check_pair(images: Tensor, masks: Tensor) -> None:
    """Raise ValueError unless images and masks are equally many and equally large."""
    if len(images) != len(masks) or masks.shape[-2:] != images.shape[-2:]:
        raise ValueError(f"images {tuple(images.shape)} and masks {tuple(masks.shape)} differ in number or size")


def _move(sample: Tensor, turns: int, flip: int) -> Tensor:
    turned = rot90(sample, int(turns), dims=(-2, -1))
    return turned.flip(-1) if flip else turned
