"""Windows over an image that overlap, what they weigh where they do, and how they are read beyond the border."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["ramp", "read_mirrored", "spans", "weights"]

Weights = npt.NDArray[np.float32]


def spans(side_px: int, window_px: int, overlap_px: int) -> Iterator[slice]:
    """Cover one side of an image by windows that overlap by at least `overlap_px`; the last one ends at the border.

    Examples
    --------
    >>> list(spans(10, 4, 2))
    [slice(0, 4, None), slice(2, 6, None), slice(4, 8, None), slice(6, 10, None)]
    >>> list(spans(3, 4, 2))
    [slice(0, 3, None)]
    """
    window = min(window_px, side_px)
    last = side_px - window
    for start in range(0, last, window_px - overlap_px):
        yield slice(start, start + window)
    yield slice(last, side_px)


def ramp(span: slice, side_px: int, overlap_px: int) -> Weights:
    """Return the weights of a window along one axis: 1 inside and at the image's border, falling to 0 at inner sides.

    The outer quarter of an overlap weighs nothing, the middle half rises linearly.
    """
    weight = np.ones(span.stop - span.start, np.float32)
    at = (np.arange(overlap_px, dtype=np.float32) + 0.5) / max(overlap_px, 1)
    rise = np.clip(2 * at - 0.5, 0, 1)
    if span.start > 0:
        weight[:overlap_px] *= rise
    if span.stop < side_px:
        weight[weight.size - overlap_px :] *= rise[::-1]
    return weight


def weights(where: list[slice], side_px: int, overlap_px: int) -> Weights:
    """Return what all windows together weigh along one axis, shape (side_px,); nowhere 0."""
    total = np.zeros(side_px, np.float32)
    for span in where:
        total[span] += ramp(span, side_px, overlap_px)
    return total


def read_mirrored(image: Any, rows: slice, cols: slice) -> npt.NDArray[np.uint8]:
    """Return a window of an image; beyond the right and lower border the image is mirrored, as by numpy's ``reflect``.

    Parameters
    ----------
    image : array, shape (H, W, 3)
        Only what the window needs is read, so it may be a map of a file.
    rows, cols : slice
        May end beyond the border.

    Examples
    --------
    >>> image = np.repeat(np.arange(4, dtype=np.uint8)[None, :, None], 3, axis=2)
    >>> read_mirrored(image, slice(0, 2), slice(2, 7))[:, :, 0]
    array([[2, 3, 2, 1, 0],
           [2, 3, 2, 1, 0]], dtype=uint8)
    """
    down, right = (_mirrored(span, side) for span, side in zip((rows, cols), image.shape[:2], strict=True))
    top, left = int(down.min()), int(right.min())
    block = np.asarray(image[top : int(down.max()) + 1, left : int(right.max()) + 1])
    if len(block) == len(down) and block.shape[1] == len(right):  # nothing is mirrored
        return block
    return block[np.ix_(down - top, right - left)]


def _mirrored(span: slice, side_px: int) -> npt.NDArray[np.intp]:
    """Places of a span in a side that goes back and forth without repeating its ends."""
    period = max(1, 2 * (side_px - 1))
    places = np.arange(span.start, span.stop) % period
    return np.minimum(places, period - places) if side_px > 1 else np.zeros_like(places)
