"""Where to cut: windows of one size, by a step, in the corners, or in quarters."""

from itertools import product
from typing import NamedTuple

__all__ = ["BORDERS", "Window", "corners", "positions", "quarters", "windows"]

#: What happens where steps do not end at the border: the rest is left out; one more window is moved inside, so that it
#: overlaps its neighbour more than the others do; or one more window overhangs, to be filled when it is cut.
BORDERS = ("drop", "shift", "pad")

Size = int | tuple[int, int]


class Window(NamedTuple):
    """A rectangle of pixels; it may reach beyond the lower and right border of its tile.

    Attributes
    ----------
    top, left : int
        Its first row and column, in pixels.
    height, width : int
        In pixels.
    """

    top: int
    left: int
    height: int
    width: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns, to index an array with."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)


def positions(length_px: int, size_px: int, step_px: int, *, border: str) -> list[int]:
    """First pixels of windows along one side.

    Parameters
    ----------
    length_px : int
        Length of the side.
    size_px : int
        Length of a window.
    step_px : int
        From one window to the next; below `size_px` they overlap, above it they leave gaps.
    border : {"drop", "shift", "pad"}
        See `BORDERS`. No default: it decides how many windows there are. ``"shift"`` and ``"pad"`` add a window only
        where pixels at the end would otherwise be in none.

    Returns
    -------
    list of int
        Ascending, from 0. Empty only for ``"drop"`` on a side shorter than a window.

    Raises
    ------
    ValueError
        If a number is below 1, `border` is unknown, or a side shorter than a window shall be shifted.

    Examples
    --------
    >>> positions(1000, 256, 256, border="drop")
    [0, 256, 512]
    >>> positions(1000, 256, 256, border="shift")
    [0, 256, 512, 744]
    >>> positions(1000, 256, 256, border="pad")
    [0, 256, 512, 768]
    >>> positions(200, 256, 256, border="drop"), positions(200, 256, 256, border="pad")
    ([], [0])
    """
    if border not in BORDERS:
        raise ValueError(f"border must be one of {', '.join(map(repr, BORDERS))}, got {border!r}")
    for name, value in (("length_px", length_px), ("size_px", size_px), ("step_px", step_px)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1 pixel, got {value}")
    first = list(range(0, length_px - size_px + 1, step_px))
    if border == "drop" or (first and first[-1] + size_px == length_px):
        return first
    if border == "shift":
        if length_px < size_px:
            raise ValueError(f"a window of {size_px} pixels cannot be shifted into {length_px}; use border='pad'")
        return [*first, length_px - size_px]
    # One more step may begin beyond the end where windows leave gaps: then there is nothing to cover.
    following = first[-1] + step_px if first else 0
    return [*first, following] if following < length_px else first


def windows(shape: tuple[int, int], size_px: Size, step_px: Size, *, border: str) -> tuple[Window, ...]:
    """Sliding windows over a tile, row by row.

    Parameters
    ----------
    shape : (int, int)
        Height and width of the tile, in pixels.
    size_px, step_px : int or (int, int)
        Of a window, and from one to the next: one number, or one for rows and one for columns.
    border : {"drop", "shift", "pad"}
        See `positions`.

    Raises
    ------
    ValueError
        As `positions`.

    Examples
    --------
    >>> len(windows((1000, 1000), 256, 120, border="drop"))
    49
    >>> windows((4, 6), (4, 3), 3, border="drop")
    (Window(top=0, left=0, height=4, width=3), Window(top=0, left=3, height=4, width=3))
    """
    (height, width), (down, right) = _both(size_px), _both(step_px)
    rows = positions(shape[0], height, down, border=border)
    columns = positions(shape[1], width, right, border=border)
    return tuple(Window(top, left, height, width) for top, left in product(rows, columns))


def corners(shape: tuple[int, int], size_px: Size) -> tuple[Window, ...]:
    """The four windows that lie in the corners of a tile; they overlap where it is less than twice their size.

    Raises
    ------
    ValueError
        If a side of the tile is no longer than the window: the corners would be the same.

    Examples
    --------
    >>> [window[:2] for window in corners((1000, 1000), 512)]
    [(0, 0), (0, 488), (488, 0), (488, 488)]
    """
    height, width = _both(size_px)
    if shape[0] <= height or shape[1] <= width:
        raise ValueError(f"a tile of {shape[0]}x{shape[1]} pixels has no four corners of {height}x{width}")
    return windows(shape, (height, width), (shape[0] - height, shape[1] - width), border="drop")


def quarters(shape: tuple[int, int]) -> tuple[Window, ...]:
    """The four equal parts of a tile, without overlap.

    Raises
    ------
    ValueError
        If a side is odd: no four equal parts would hold every pixel.

    Examples
    --------
    >>> quarters((576, 832))[3]
    Window(top=288, left=416, height=288, width=416)
    """
    if shape[0] % 2 or shape[1] % 2 or min(shape) < 2:
        raise ValueError(f"a tile of {shape[0]}x{shape[1]} pixels has no four equal quarters; resize it to even sides")
    half = (shape[0] // 2, shape[1] // 2)
    return windows(shape, half, half, border="drop")


def _both(value: Size) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)
