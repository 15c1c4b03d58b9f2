"""A whole recipe on a batch: numbers are drawn for each sample, then the changes are made in one order."""

import math

import numpy as np
from torch import Tensor

from histolab_lib.augment.colour import adjust_contrast, jitter_concentrations, jitter_stain
from histolab_lib.augment.geometry import affine_matrices, warp
from histolab_lib.augment.optics import add_noise, blur
from histolab_lib.augment.recipes import RECIPES, Augmentation, varies
from histolab_lib.augment.symmetries import apply_symmetries, check_pair

__all__ = ["augment", "move", "recolour"]

_SMALL_UNET = RECIPES["small_unet"]


def augment(
    images: Tensor,
    masks: Tensor,
    rng: np.random.Generator,
    recipe: Augmentation = _SMALL_UNET,
    *,
    size_px: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Change each sample of a batch anew: move, stain, blur, expose, add noise, as far as `recipe` asks for each.

    Parameters
    ----------
    images : Tensor of float32, shape (N, 3, H, W)
        RGB in 0..1, on any device.
    masks : Tensor, shape (N, K, H, W)
        Masks, instance maps, contours, distance maps ... of any type: moved as their images, values untouched.
    rng : numpy.random.Generator
        The same state gives the same batch (noise: on the same kind of device).
    recipe : Augmentation
        By default that of the book's small U-Net: `turn_and_flip`, then `jitter_stain`.
    size_px : int, optional
        Side of the square that is kept from the middle of the result; None: all of it. Give crops that are larger by
        ``recipe.margin_px(size_px)`` on each side, and no border is mirrored into the result.

    Returns
    -------
    images, masks : Tensor
        New tensors of the same types.

    Raises
    ------
    TypeError, ValueError
        If images are not float, images and masks disagree in number or size, `size_px` is larger than the crops, or
        crops that are not square are to make quarter turns.

    Examples
    --------
    >>> import torch
    >>> images, ids = torch.rand(2, 3, 48, 48), torch.ones(2, 1, 48, 48, dtype=torch.int32)
    >>> images, ids = augment(images, ids, np.random.default_rng(0), RECIPES["strong_unet"], size_px=32)
    >>> images.shape, ids.dtype
    (torch.Size([2, 3, 32, 32]), torch.int32)
    """
    images, masks = move(images, masks, rng, recipe, size_px=size_px)
    return recolour(images, rng, recipe), masks


def move(
    images: Tensor, masks: Tensor, rng: np.random.Generator, recipe: Augmentation, *, size_px: int | None = None
) -> tuple[Tensor, Tensor]:
    """Do what `recipe` says about where pixels lie. Without interpolation where flips and quarter turns are all."""
    check_pair(images, masks)
    if not images.is_floating_point():
        raise TypeError(f"images must be float in 0..1, got {images.dtype}; divide 8-bit pixels by 255")
    count, (height, width) = len(images), images.shape[-2:]
    side = (height, width) if size_px is None else (size_px, size_px)
    if size_px is not None and not 1 <= size_px <= min(height, width):
        raise ValueError(f"size_px must be in 1..{min(height, width)} for crops of {height}x{width}, got {size_px}")
    if recipe.quarter_turns and height != width:
        raise ValueError(f"quarter turns need square crops, got {height}x{width} pixels")
    turns, flips = _symmetries(count, rng, recipe)
    if not recipe.warps:
        if turns.any() or flips.any():
            images, masks = apply_symmetries(images, masks, turns, flips)
        return _middle(images, side), _middle(masks, side)
    low, high = recipe.zoom
    matrices = affine_matrices(
        angle_deg=rng.uniform(-recipe.rotate_deg, recipe.rotate_deg, count),
        shift_px=rng.uniform(-recipe.shift, recipe.shift, (count, 2)) * side[::-1],
        shear_deg=rng.uniform(-recipe.shear_deg, recipe.shear_deg, count),
        zoom=np.exp(rng.uniform(math.log(low), math.log(high), count)),
        turns=turns,
        flips=flips,
    )
    return warp(images, masks, matrices, size_px=side)


def recolour(images: Tensor, rng: np.random.Generator, recipe: Augmentation) -> Tensor:
    """Do what `recipe` says about stain, blur, exposure and noise, in this order, as light meets them."""
    count = len(images)
    if recipe.od_scale or recipe.od_shift:
        images = jitter_stain(images, rng, od_scale=recipe.od_scale, od_shift=recipe.od_shift)
    if varies(recipe.stain_scale) or recipe.stain_shift:
        scale = rng.uniform(*recipe.stain_scale, (count, 3))
        shift = rng.uniform(-recipe.stain_shift, recipe.stain_shift, (count, 3))
        images = jitter_concentrations(images, scale, shift)
    if recipe.blur_share:
        chosen = np.flatnonzero(rng.random(count) < recipe.blur_share)
        sigma = rng.uniform(*recipe.blur_sigma_px, count)
        if chosen.size:
            images = images.clone()  # a batch that was not changed so far is the caller's
            images[chosen] = blur(images[chosen], sigma[chosen])
    if varies(recipe.contrast) or recipe.brightness:
        factor = rng.uniform(*recipe.contrast, count)
        images = adjust_contrast(images, factor, rng.uniform(-recipe.brightness, recipe.brightness, count))
    if recipe.noise_sd:
        images = add_noise(images, rng.uniform(0, recipe.noise_sd, count), rng)
    return images


def _symmetries(count: int, rng: np.random.Generator, recipe: Augmentation) -> tuple[np.ndarray, np.ndarray]:
    """Quarter turns and flips of each sample. Upside down is two turns and a flip."""
    none = np.zeros(count, np.int64)
    if recipe.quarter_turns:  # with them one flip makes all eight symmetries, whichever it is
        turns = rng.integers(4, size=count)
        return turns, rng.integers(2, size=count) if recipe.flip_h or recipe.flip_v else none
    across = rng.integers(2, size=count) if recipe.flip_h else none
    down = rng.integers(2, size=count) if recipe.flip_v else none
    return 2 * down, across ^ down


def _middle(batch: Tensor, side: tuple[int, int]) -> Tensor:
    top, left = ((have - want) // 2 for have, want in zip(batch.shape[-2:], side, strict=True))
    return batch[..., top : top + side[0], left : left + side[1]]
