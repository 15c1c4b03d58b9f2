"""Rotation, shift, shear and zoom in one step: one matrix and one interpolation for each sample."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from histolab_lib.augment.symmetries import check_pair

__all__ = ["affine_matrices", "warp"]

_Floats = npt.NDArray[np.float64]


def affine_matrices(
    *,
    angle_deg: npt.ArrayLike = 0.0,
    shift_px: npt.ArrayLike = 0.0,
    shear_deg: npt.ArrayLike = 0.0,
    zoom: npt.ArrayLike = 1.0,
    turns: npt.ArrayLike = 0,
    flips: npt.ArrayLike = 0,
) -> _Floats:
    """Matrices that tell where a point of the picture goes, in pixels from its centre, x to the right, y down.

    A point is turned and mirrored as `apply_symmetries` does, then sheared, magnified, rotated and shifted. Without
    `turns` and `flips` it is the matrix of ``torchvision.transforms.v2.functional.affine``.

    Parameters
    ----------
    angle_deg : array_like, shape (N,)
        Clockwise, as it looks on the screen.
    shift_px : array_like, shape (N, 2)
        To the right and down.
    shear_deg : array_like, shape (N,)
        Rows slide by ``-tan(shear_deg)`` times their height below the centre: torchvision's sign.
    zoom : array_like, shape (N,)
        2 shows things twice as large.
    turns, flips : array_like of int, shape (N,)
        Quarter turns counter-clockwise, and whether to mirror left to right after them.

    Returns
    -------
    ndarray of float64, shape (N, 2, 3)
        Arguments that are one number hold for all samples.

    Examples
    --------
    A quarter turn clockwise takes what lay to the right of the centre to below it:

    >>> affine_matrices(angle_deg=[90.0]).round(6)[0] @ [1, 0, 1] + 0.0
    array([0., 1.])
    """
    shift = np.atleast_2d(np.asarray(shift_px, np.float64))
    sizes = [np.asarray(one, np.float64) for one in (angle_deg, shear_deg, zoom, turns, flips)]
    angle, shear, scale, quarters, mirrored = np.broadcast_arrays(*sizes, np.zeros(len(shift)))[:5]
    one, zero = np.ones_like(angle), np.zeros_like(angle)
    radians, turned = np.radians(angle), -np.pi / 2 * quarters
    flip = _matrix(np.where(mirrored != 0, -1.0, 1.0), zero, zero, one)
    slide = _matrix(one, -np.tan(np.radians(shear)), zero, one)
    linear = scale[:, None, None] * _rotation(radians) @ slide @ flip @ _rotation(turned)
    return np.concatenate([linear, np.broadcast_to(shift, (len(angle), 2))[..., None]], axis=2)


def warp(
    images: Tensor, masks: Tensor, matrices: _Floats, *, size_px: tuple[int, int] | None = None
) -> tuple[Tensor, Tensor]:
    """Move the pixels of each sample as its matrix says; images bilinear, masks nearest, from the same positions.

    Beyond the border both are mirrored, the outermost pixel repeated: tissue goes on where the crop ends, and what it
    mirrors has its truth at hand. So a nucleus at the border may come twice with one id: label anew what is counted.

    Parameters
    ----------
    images : Tensor of float, shape (N, C, H, W)
    masks : Tensor, shape (N, K, H, W)
        Any type; values are looked up and never computed with, so that an int32 id of any size survives (float32 holds
        none above 2**24 for sure).
    matrices : ndarray of float, shape (N, 2, 3)
        As `affine_matrices` gives them.
    size_px : (int, int), optional
        Height and width of the result, taken from the middle; None: as they come.

    Returns
    -------
    images, masks : Tensor
        On the device and of the types of the arguments.

    Raises
    ------
    ValueError
        If the numbers or sizes of the arguments disagree, or a matrix cannot be inverted.

    Examples
    --------
    >>> ids = torch.tensor([[[[7, 0], [0, 2**31 - 1]]]], dtype=torch.int32)
    >>> images, turned = warp(ids.float(), ids, affine_matrices(angle_deg=[90.0]))
    >>> turned.tolist()
    [[[[0, 7], [2147483647, 0]]]]
    """
    check_pair(images, masks)
    if matrices.shape != (len(images), 2, 3):
        raise ValueError(f"expected a matrix for each of {len(images)} samples, (N, 2, 3), got {matrices.shape}")
    height, width = images.shape[-2:]
    out = (height, width) if size_px is None else size_px
    theta = torch.from_numpy(_theta(matrices, (height, width), out)).to(images)
    x, y = _positions(theta, out)
    grid = torch.stack([x, y], dim=-1)
    moved = functional.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    places = _pixel(y, height) * width + _pixel(x, width)  # (N, H, W), flat indices into the source
    ids = masks.flatten(2).gather(2, places.flatten(1)[:, None].expand(-1, masks.shape[1], -1))
    return moved, ids.unflatten(2, out)


def _rotation(radians: _Floats) -> _Floats:
    cos, sin = np.cos(radians), np.sin(radians)
    return _matrix(cos, -sin, sin, cos)


def _matrix(a: _Floats, b: _Floats, c: _Floats, d: _Floats) -> _Floats:
    return np.stack([a, b, c, d], axis=-1).reshape(-1, 2, 2)


def _theta(matrices: _Floats, size: tuple[int, int], out: tuple[int, int]) -> _Floats:
    """From pixels of the result to pixels of the source, in torch's unit: a side runs from -1 to 1."""
    linear, shift = matrices[:, :, :2], matrices[:, :, 2:]
    if (np.abs(np.linalg.det(linear)) < 1e-9).any():
        raise ValueError("a matrix maps the picture onto a line; zooms must be above 0, shears below 90 degrees")
    back = np.linalg.inv(linear)
    half, half_out = np.array(size[::-1]) / 2, np.array(out[::-1]) / 2  # width first, as x is
    return np.concatenate([back * half_out, -back @ shift], axis=2) / half[:, None]


def _positions(theta: Tensor, out: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Where each pixel of the result comes from, x and y of shape (N, H, W): as ``affine_grid``, in half its time."""
    rows, columns = ((2 * torch.arange(size, device=theta.device) + 1) / size - 1 for size in out)
    x, y = (theta[:, k, :1, None] * columns + (theta[:, k, 1:2] * rows + theta[:, k, 2:])[..., None] for k in (0, 1))
    return x, y


def _pixel(position: Tensor, size: int) -> Tensor:
    """Index of the pixel at a position in -1..1, mirrored into 0..size - 1 from beyond."""
    edge = ((position + 1) * (size / 2)).remainder(2 * size)  # pixels from the outer border of the first one
    return (size - (edge - size).abs()).long().clamp_(max=size - 1)
