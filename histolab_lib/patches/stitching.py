"""Put maps of windows together again, blended where they overlap."""

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from histolab_lib.patches.windows import Window

__all__ = ["BLENDS", "stitch"]

#: How windows that share a pixel are weighed: alike; by the distance to their border, rows times columns; or by a
#: Gaussian around their middle with a standard deviation of an eighth of their size, as nnU-Net (Isensee et al. 2021).
BLENDS = ("mean", "linear", "gaussian")


def stitch(
    patches: npt.NDArray[np.floating[Any]],
    where: Sequence[Window],
    shape: tuple[int, int],
    *,
    blend: str,
    fill: float | None = None,
) -> npt.NDArray[np.floating[Any]]:
    """Put the maps of windows together: the weighted mean of all windows that hold a pixel.

    Parameters
    ----------
    patches : ndarray of float, shape (N, h, w) or (N, h, w, C)
        Probabilities, logits, concentrations: maps whose mean means something.
    where : sequence of Window, length N
        Where each belongs; what overhangs the tile is cut off.
    shape : (int, int)
        Height and width of the tile, in pixels.
    blend : {"mean", "linear", "gaussian"}
        See `BLENDS`. No default: near the border of a window a network knows little, and papers differ in what they
        make of that.
    fill : float, optional
        Value of pixels that no window holds; without it they are an error.

    Returns
    -------
    ndarray of the type of `patches`, shape (H, W) or (H, W, C)
        Where all windows agree, exactly what they say (for float32 and float16; float64 to the last digits): stitching
        undoes cutting.

    Raises
    ------
    TypeError
        If `patches` are whole numbers or booleans. Instance ids, classes and masks have no mean: stitch the
        probabilities, then find objects on the whole map.
    ValueError
        If numbers or sizes disagree, `blend` is unknown, or pixels are uncovered and `fill` is not given.

    Examples
    --------
    >>> from histolab_lib.patches.windows import windows
    >>> where = windows((1, 4), (1, 3), 1, border="drop")
    >>> stitch(np.array([[[0.0, 0.0, 0.0]], [[1.0, 1.0, 1.0]]]), where, (1, 4), blend="linear").round(2)
    array([[0.  , 0.33, 0.67, 1.  ]])
    >>> stitch(np.array([[[0.5]]]), [Window(0, 0, 1, 1)], (1, 3), blend="mean")
    Traceback (most recent call last):
        ...
    ValueError: 2 of 3 pixels are in no window; cover them (border='shift' or 'pad') or say what they are: fill=
    """
    _check(patches, where, blend)
    weight = _weight(where[0].height, where[0].width, blend)
    # Double precision, so that equal values of half the digits come out as they went in.
    total = np.zeros((*shape, *patches.shape[3:]), np.float64)
    weights = np.zeros(shape, np.float64)
    for patch, window in zip(patches, where, strict=True):
        target = total[window.slices]
        height, width = target.shape[:2]
        inside = weight[:height, :width]
        target += patch[:height, :width] * (inside if patch.ndim == 2 else inside[..., None])
        weights[window.slices] += inside
    empty = weights == 0
    if empty.any() and fill is None:
        raise ValueError(
            f"{np.count_nonzero(empty)} of {empty.size} pixels are in no window; cover them (border='shift' or 'pad') "
            "or say what they are: fill="
        )
    np.divide(total, weights if total.ndim == 2 else weights[..., None], out=total, where=~_like(empty, total))
    if fill is not None:
        total[empty] = fill
    return total.astype(patches.dtype)


def _weight(height: int, width: int, blend: str) -> npt.NDArray[np.float64]:
    """Weights of a window's pixels, shape (h, w): the product of those along its sides, all above 0."""
    sides = []
    for length in (height, width):
        away = np.abs(np.arange(length) - (length - 1) / 2)  # px from the middle
        shapes = {
            "mean": np.ones(length),
            "linear": (length + 1) / 2 - away,
            "gaussian": np.exp(-32 * (away / length) ** 2),
        }
        sides.append(shapes[blend])
    return reduce(np.multiply.outer, sides)


def _like(empty: npt.NDArray[np.bool_], total: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    return empty if total.ndim == 2 else np.broadcast_to(empty[..., None], total.shape)


def _check(patches: npt.NDArray[Any], where: Sequence[Window], blend: str) -> None:
    if blend not in BLENDS:
        raise ValueError(f"blend must be one of {', '.join(map(repr, BLENDS))}, got {blend!r}")
    if not np.issubdtype(patches.dtype, np.floating):
        raise TypeError(
            f"patches: expected float maps, got {patches.dtype}; ids, classes and masks have no mean: stitch "
            "probabilities, then find objects on the whole map"
        )
    sizes = {tuple(window[2:]) for window in where}
    if patches.ndim not in (3, 4) or len(patches) != len(where) or sizes != {patches.shape[1:3]}:
        raise ValueError(f"{len(where)} windows of sizes {sorted(sizes)} do not fit patches of shape {patches.shape}")
    if any(min(window[:2]) < 0 for window in where):
        raise ValueError("windows must begin inside the tile, got a negative row or column")
