"""Cut windows out of a tile or an array, and fill where they overhang it."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from histolab_lib.patches.crops import Crops
from histolab_lib.patches.windows import Window
from histolab_lib.tile import Tile

__all__ = ["PADDINGS", "cut", "cut_array"]

#: What fills the part of a window that lies beyond its tile: white glass without objects, or the tile mirrored,
#: objects with it (they keep their ids).
PADDINGS = ("white", "reflect")


def cut(tile: Tile, where: Iterable[Window], *, padding: str | None = None) -> Crops:
    """Cut windows of one size out of a tile.

    Parameters
    ----------
    tile : Tile
    where : iterable of Window
        All of one size, as `windows`, `corners`, `quarters` or a scheme gives them.
    padding : {"white", "reflect"}, optional
        What to put beyond the border, see `PADDINGS`. Needed as soon as a window overhangs; no default, because
        white and mirrored borders train and score differently.

    Returns
    -------
    Crops
        Copies. A crop whose origin and size reach beyond the tile is padded below and to the right.

    Raises
    ------
    ValueError
        If there is no window, sizes differ, a window lies outside the tile, or one overhangs and nothing says how to
        fill it.

    Examples
    --------
    >>> from histolab_lib.patches.windows import windows
    >>> tile = Tile("demo", np.zeros((40, 60, 3), np.uint8), np.zeros((40, 60), np.int32))
    >>> cut(tile, windows(tile.shape, 32, 32, border="drop")).origins
    (('demo', 0, 0),)
    >>> cut(tile, windows(tile.shape, 32, 32, border="pad"), padding="white").images[3, 8:, 28:].min()
    np.uint8(255)
    >>> cut(tile, windows(tile.shape, 32, 32, border="pad"))
    Traceback (most recent call last):
        ...
    ValueError: tile demo: a window of 32x32 pixels at row 0, column 32 overhangs its 40x60; say padding='white' or ...
    """
    try:
        placed = _check(where, tile.shape, padding)
    except ValueError as error:
        raise ValueError(f"tile {tile.name}: {error}") from None
    mirrored = padding == "reflect"
    images = _cut(tile.image, placed, "reflect" if mirrored else 255)
    instances = _cut(tile.instances, placed, "reflect" if mirrored else 0)
    return Crops(images, instances, tuple((tile.name, window.top, window.left) for window in placed))


def cut_array(
    array: npt.NDArray[Any], where: Iterable[Window], *, fill: float | Literal["reflect"] | None = None
) -> npt.NDArray[Any]:
    """Cut windows of one size out of any map.

    Parameters
    ----------
    array : ndarray, shape (H, W) or (H, W, C)
    where : iterable of Window
        All of one size.
    fill : float or "reflect", optional
        The value beyond the border, or the map mirrored. Needed as soon as a window overhangs.

    Returns
    -------
    ndarray of the type of `array`, shape (N, h, w) or (N, h, w, C)
        A copy.

    Raises
    ------
    ValueError
        As `cut`.

    Examples
    --------
    >>> cut_array(np.arange(6).reshape(2, 3), [Window(0, 1, 2, 3)], fill=-1)
    array([[[ 1,  2, -1],
            [ 4,  5, -1]]])
    """
    if array.ndim not in (2, 3):
        raise ValueError(f"expected a map of shape (H, W) or (H, W, C), got {array.shape}")
    return _cut(array, _check(where, (array.shape[0], array.shape[1]), fill), 0 if fill is None else fill)


def _check(where: Iterable[Window], shape: tuple[int, int], filled: object) -> Sequence[Window]:
    placed = list(where)
    if not placed:
        raise ValueError(f"no window to cut: is {shape[0]}x{shape[1]} pixels smaller than a window?")
    height, width = placed[0][2:]
    if isinstance(filled, str) and filled not in PADDINGS:
        raise ValueError(f"padding must be 'white' or 'reflect', got {filled!r}")
    for window in placed:
        if window[2:] != (height, width):
            raise ValueError(f"windows must be of one size, got {height}x{width} and {window[2]}x{window[3]}")
        place = f"a window of {height}x{width} pixels at row {window.top}, column {window.left}"
        if not (0 <= window.top < shape[0] and 0 <= window.left < shape[1]) or min(height, width) < 1:
            raise ValueError(f"{place} is outside of {shape[0]}x{shape[1]}")
        if filled is None and (window.top + height > shape[0] or window.left + width > shape[1]):
            raise ValueError(
                f"{place} overhangs its {shape[0]}x{shape[1]}; say padding='white' or 'reflect' (for arrays: fill=), "
                "or ask for windows with border='drop' or 'shift'"
            )
    return placed


def _cut(array: npt.NDArray[Any], placed: Sequence[Window], fill: float | Literal["reflect"]) -> npt.NDArray[Any]:
    below = max(0, *(w.top + w.height - array.shape[0] for w in placed))
    beyond = max(0, *(w.left + w.width - array.shape[1] for w in placed))
    if below or beyond:
        margins = [(0, below), (0, beyond), (0, 0)][: array.ndim]
        # "symmetric" repeats the last row, where numpy's "reflect" does not and fails on a single one.
        if fill == "reflect":
            array = np.pad(array, margins, mode="symmetric")
        else:
            array = np.pad(array, margins, constant_values=fill)
    return np.stack([array[w.slices] for w in placed])
