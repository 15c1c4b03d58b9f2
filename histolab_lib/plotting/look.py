"""One palette and one look for every figure of the book."""

from collections.abc import Iterator, Mapping, Sized
from contextlib import contextmanager
from textwrap import fill
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["PALETTE", "WIDE_IN", "check_there", "finish", "folded", "panels", "rgb", "style"]


#: Okabe and Ito (2008): distinguishable with every common form of colour blindness.
PALETTE: Mapping[str, str] = {
    "black": "#000000",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "vermilion": "#D55E00",
    "purple": "#CC79A7",
}


#: A page shrinks what is wider to its column of text, and the words with it: 8 points are 9 px in a column of 670 px.
WIDE_IN = 8.0
_PER_POINT = 0.54  # width of a letter of the title's font


@contextmanager
def style() -> Iterator[None]:
    """Draw in the book's style inside a ``with`` block; the reader's own settings are left alone."""
    from matplotlib import rc_context
    from matplotlib.rcsetup import cycler

    settings: dict[Any, Any] = {
        "figure.dpi": 150,
        "savefig.dpi": 150,
        "figure.constrained_layout.use": True,
        "font.size": 10,
        "axes.titlesize": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.prop_cycle": cycler(color=[PALETTE[c] for c in ("blue", "vermilion", "green", "orange", "purple")]),
        "image.interpolation": "nearest",
    }
    with rc_context(settings):
        yield


def finish(figure: "Figure") -> "Figure":
    """Take a figure out of pyplot's hands: a notebook would show it once as the cell's value and once as leftover."""
    import matplotlib.pyplot as plt

    plt.close(figure)
    return figure


def check_there(what: str, items: Sized, crop_px: int | None = None) -> None:
    """Raise unless there is something to draw, and a crop, where one is asked for, has a size."""
    if len(items) == 0:
        raise ValueError(f"{what} is empty: there is nothing to draw")
    if crop_px is not None and crop_px < 1:
        raise ValueError(f"crop_px must be at least 1 pixel, or None for whole tiles, got {crop_px}")


def folded(title: str, wide_in: float, points: float = 10) -> str:
    """Break a title so that it stands over a panel of so many inches; lines that it has are kept.

    Examples
    --------
    >>> folded("hematoxylin, sharpened twice", 2)
    'hematoxylin, sharpened\\ntwice'
    """
    letters = int(wide_in * 72 / (_PER_POINT * points))
    return "\n".join(fill(line, letters, break_long_words=False) for line in title.split("\n"))


def panels(count: int, columns: int, size: float) -> "tuple[Figure, list[Axes]]":
    """Make a figure of `count` square panels of `size` inches without axes, so many in a row; smaller if it is full."""
    import matplotlib.pyplot as plt

    columns = min(columns, count)
    size = min(size, WIDE_IN / columns)
    rows = -(-count // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(size * columns, size * rows + 0.3), squeeze=False)
    flat = list(axes.flat)
    for ax in flat:
        ax.set_axis_off()
    return figure, flat[:count]


def rgb(colour: str) -> tuple[int, int, int]:
    """Return red, green and blue of ``#rrggbb``, each 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
