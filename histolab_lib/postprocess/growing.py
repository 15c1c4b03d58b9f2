"""Objects cut apart by their contours, and grown back over the mask (HARU-Net's post-processing)."""

from typing import Any

import numpy as np
import numpy.typing as npt

from histolab_lib.postprocess.checks import Mask, checked_instances, checked_mask, checked_whole
from histolab_lib.postprocess.objects import split_components

__all__ = ["grow_labels", "subtract_contours"]


def subtract_contours(mask: Mask, contour: Mask, *, connectivity: int | None) -> npt.NDArray[np.int32]:
    """Number what is left of a mask where no contour is drawn: one seed for each nucleus, if contours are closed.

    Parameters
    ----------
    mask, contour : ndarray of bool, shape (H, W)
        Foreground and contours, as two branches of a network give them.
    connectivity : {4, 8}
        Whether pixels that share only a corner are one seed. No default; HARU-Net's released code has 8, and a contour
        one pixel wide that runs diagonally then parts nothing.

    Returns
    -------
    ndarray of int32, shape (H, W)
        0 is background and contour; ids 1, 2, ... in the order of their first pixels. `grow_labels` gives the pixels
        of the contours back.

    Raises
    ------
    ValueError
        If `mask` or `contour` is not bool (H, W), their shapes differ, or `connectivity` is neither 4 nor 8.

    References
    ----------
    Chen et al., HARU-Net, arXiv 2308.03382, Algorithm 1, lines 2 and 3 (the idea is DCAN's, Chen et al. 2017). OpenCV,
    which the released code calls, numbers 8-connected components by blocks of 2 x 2 pixels; where two seeds reach a
    pixel at the same time, another order of ids gives it to the other one.

    Examples
    --------
    >>> mask = np.ones((3, 7), bool)
    >>> contour = np.zeros((3, 7), bool)
    >>> contour[:, 3] = True
    >>> seeds = subtract_contours(mask, contour, connectivity=8)
    >>> seeds[0]
    array([1, 1, 1, 0, 2, 2, 2], dtype=int32)
    >>> grow_labels(seeds, mask)[0]
    array([1, 1, 1, 1, 2, 2, 2], dtype=int32)

    A nucleus that is contour all over leaves no seed, and does not come back:

    >>> int(subtract_contours(mask, mask, connectivity=8).max())
    0
    """
    mask, contour = checked_mask(mask), checked_mask(contour, "contour")
    _check_shapes(mask, contour, "contour")
    return split_components(mask & ~contour, connectivity=connectivity)


def grow_labels(seeds: npt.NDArray[Any], mask: Mask, steps: int | None = None) -> npt.NDArray[Any]:
    """Let every seed grow through the mask, one pixel a step in all eight directions, until they meet.

    Parameters
    ----------
    seeds : ndarray of integers, shape (H, W)
        0 where nothing is labelled yet.
    mask : ndarray of bool, shape (H, W)
        Where labels may grow. Labels outside it are kept and grow into it.
    steps : int, optional
        How many pixels at most. None: until nothing changes, as HARU-Net's paper has it; its released code has 6.

    Returns
    -------
    ndarray of the dtype and shape of `seeds`
        A pixel that several labels reach at the same step gets the lowest of them. What no seed reaches stays 0.

    Raises
    ------
    ValueError
        If `seeds` holds no integers (H, W), or a negative one, `mask` is not bool of the same shape, or `steps` is
        neither None nor a whole number, 0 or more.

    Notes
    -----
    Algorithm 1 of the paper dilates one label after another and lets it claim the free pixels of the mask; labels do
    not see what others claimed in the same pass, so a pass gives each free pixel the lowest label among its eight
    neighbours at the start of the pass. We do just that for the rim of what is labelled, which is equal bit for bit.
    As printed, the loop never ends where a part of the mask holds no seed; we stop when a pass claims nothing.

    It is neither a watershed (whose ties fall by the order of a queue) nor an expansion by Euclidean distance (which
    walks through walls). Time grows with the pixels of the map plus those claimed, however many labels there are;
    each step costs some 0.02 ms on top.

    References
    ----------
    Chen et al., HARU-Net, arXiv 2308.03382, Algorithm 1, lines 4 to 10.

    Examples
    --------
    Labels 2 and 1 meet in the middle; the pixel both reach goes to 1, and background is a wall:

    >>> grow_labels(np.array([[2, 0, 0, 0, 1, 0, 0]]), np.array([[1, 1, 1, 1, 1, 0, 1]], bool))
    array([[2, 2, 1, 1, 1, 0, 0]])

    No seed, no label, and no endless loop:

    >>> grow_labels(np.zeros((1, 3), int), np.ones((1, 3), bool))
    array([[0, 0, 0]])
    """
    seeds, mask = checked_instances(seeds, "seeds"), checked_mask(mask)
    _check_shapes(seeds, mask, "mask", "seeds")
    left = mask.size if steps is None else checked_whole(steps, "steps")
    labels, free = _framed(seeds, mask)
    width = mask.shape[1] + 2
    rim, around = _first_rim(labels, free, width), _around(width)
    while left and rim.size:
        labels[rim] = _lowest(labels, rim, around)
        left -= 1
        rim = _next_rim(rim, free, around)
    inside = labels.reshape(-1, width)[1:-1, 1:-1]
    grown = (inside + inside.dtype.type(1)).view(seeds.dtype.newbyteorder("="))
    return grown.astype(seeds.dtype, copy=False)


def _framed(seeds: npt.NDArray[Any], mask: Mask) -> tuple[npt.NDArray[Any], Mask]:
    """Labels less 1, unsigned, so that 0 wraps to the largest and a plain minimum ignores it; and pixels to claim.

    Both flat, with a frame of one pixel, so that a neighbour is an offset and no row runs into the next.
    """
    unsigned = np.dtype(f"u{seeds.dtype.itemsize}").type
    labels = np.pad(seeds, 1).astype(seeds.dtype.newbyteorder("=")).view(unsigned) - unsigned(1)
    return labels.ravel(), np.pad(mask & (seeds == 0), 1).ravel()


def _around(width: int) -> npt.NDArray[np.intp]:
    """Offsets of the eight neighbours in a flat array whose rows have `width` pixels."""
    return np.array([down * width + right for down in (-1, 0, 1) for right in (-1, 0, 1) if down or right], np.intp)


def _first_rim(labels: npt.NDArray[Any], free: Mask, width: int) -> npt.NDArray[np.intp]:
    """Free pixels that touch a label; they are taken out of `free`."""
    near = labels != np.iinfo(labels.dtype).max
    for step in (1, width):  # to the sides first, then up and down: the corners come by themselves
        once = near.copy()
        once[step:] |= near[:-step]
        once[:-step] |= near[step:]
        near = once
    near &= free
    rim = np.flatnonzero(near)
    free[rim] = False
    return rim


def _lowest(labels: npt.NDArray[Any], rim: npt.NDArray[np.intp], around: npt.NDArray[np.intp]) -> npt.NDArray[Any]:
    """The lowest label beside each pixel of the rim, all read before any is written."""
    best = labels[rim + around[0]]
    for offset in around[1:]:
        np.minimum(best, labels[rim + offset], out=best)
    return best


def _next_rim(rim: npt.NDArray[np.intp], free: Mask, around: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Free pixels that touch the rim, each once: whoever finds one first takes it out of `free`."""
    found = []
    for offset in around:
        beside = rim + offset
        beside = beside[free[beside]]
        free[beside] = False
        found.append(beside)
    return np.concatenate(found)


def _check_shapes(one: npt.NDArray[Any], other: npt.NDArray[Any], name: str, first: str = "mask") -> None:
    if one.shape != other.shape:
        raise ValueError(f"{first} and {name} must have one shape, got {first} {one.shape} and {name} {other.shape}")
