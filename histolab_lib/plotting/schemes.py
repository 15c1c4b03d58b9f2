"""Schemes of networks, drawn from the shapes that a run of them had: a U, and a chain with links."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from histolab_lib.plotting.look import PALETTE, WIDE_IN, check_there, finish, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_chain", "draw_u", "shape_of"]

_BOX = (1.5, 0.62)  # width and height of a box; levels are 1 apart
_LEAN = 0.62  # how far each level moves inwards
_GAP = 0.5  # between the boxes above the deepest
_ROW = 3.0  # a box of a chain


def shape_of(maps: Any) -> str:
    """Return channels, height and width of maps as a box of a scheme has them.

    Parameters
    ----------
    maps : Tensor or ndarray, shape (..., C, H, W)

    Examples
    --------
    >>> import numpy as np
    >>> shape_of(np.zeros((1, 64, 128, 96)))
    '64 x 128 x 96'
    """
    return " x ".join(str(side) for side in maps.shape[-3:])


def draw_u(
    down: Sequence[str], up: Sequence[str], *, marked: Collection[int] = (), note: str = "attention"
) -> "Figure":
    """Draw a U: one box a level on the way down and up, arrows between them, and the skips across.

    Parameters
    ----------
    down : sequence of str
        What stands in the boxes on the way down, the finest first; the last is the bottom.
    up : sequence of str
        The same on the way up, the finest first; one fewer.
    marked : collection of int
        Levels, 0 the finest, whose skip goes through something.
    note : str
        What that is; written on the uppermost of them.

    Raises
    ------
    ValueError
        If `up` does not have one box fewer than `down`, or a marked level has no skip.

    Examples
    --------
    >>> draw_u(["64", "128", "256"], ["64", "128"], marked=[0]).axes[0].texts[0].get_text()
    '64'
    """
    check_there("down", down)
    if len(up) != len(down) - 1:
        raise ValueError(f"up must have one box fewer than down, got {len(up)} and {len(down)}")
    if lost := sorted(set(marked) - set(range(len(up)))):
        raise ValueError(f"marked levels {lost} have no skip; there are {len(up)}, the finest is 0")
    import matplotlib.pyplot as plt

    deepest = len(down) - 1
    width = 2 * _LEAN * deepest + _BOX[0] + _GAP
    with style():
        figure, ax = plt.subplots(figsize=(min(1.15 * (width + 0.4), WIDE_IN), 0.78 * (deepest + 1)))
        for level, text in enumerate(down):
            middle = width / 2 if level == deepest else _BOX[0] / 2 + _LEAN * level
            _box(ax, middle, -level, text)
        for level, text in enumerate(up):
            left, right = _BOX[0] / 2 + _LEAN * level, width - _BOX[0] / 2 - _LEAN * level
            _box(ax, right, -level, text)
            _steps(ax, left, right, level, width / 2 if level + 1 == deepest else None)
            _skip(ax, left, right, level, note if marked and level == min(marked) else None, passes=level in marked)
        ax.set(xlim=(-0.1, width + 0.1), ylim=(-deepest - 0.5, 0.5))
        ax.set_axis_off()
    return finish(figure)


def draw_chain(
    boxes: Sequence[tuple[str, str]],
    *,
    links: Mapping[tuple[int, int], str] | None = None,
    marked: Collection[int] = (),
) -> "Figure":
    """Draw a network as a chain, from top to bottom, with links that pass boxes by.

    Parameters
    ----------
    boxes : sequence of (str, str)
        What a step is, and the shape that comes out of it, which stands beside its box.
    links : mapping of (int, int) to str
        From the place of one box to that of a later one: what the link is called.
    marked : collection of int
        Places of boxes that the page speaks of.

    Raises
    ------
    ValueError
        If there is no box, or a link or a mark has no box.

    Examples
    --------
    >>> draw_chain([("conv", "32 x 8 x 8"), ("head", "1 x 8 x 8")], links={(0, 1): "skip"}).axes[0].texts[0].get_text()
    'conv'
    """
    check_there("boxes", boxes)
    links = links or {}
    named = {place for link in links for place in link} | set(marked)
    if lost := sorted(named - set(range(len(boxes)))):
        raise ValueError(f"places {lost} have no box; there are {len(boxes)}, the first is 0")
    if back := [link for link in links if link[0] >= link[1]]:
        raise ValueError(f"a link leads from a box to a later one, got {back[0]}")
    import matplotlib.pyplot as plt

    with style():
        figure, ax = plt.subplots(figsize=(5.4, 0.5 * len(boxes)))
        for place, (what, shape) in enumerate(boxes):
            _box(ax, 0, -place, what, (_ROW, _BOX[1]), strong=place in marked)
            ax.text(-_ROW / 2 - 0.15, -place, shape, ha="right", va="center", fontsize=8)
            if place:
                _arrow(ax, (0, 1 - place - _BOX[1] / 2), (0, -place + _BOX[1] / 2))
        for number, ((start, end), name) in enumerate(links.items()):
            _link(ax, start, end, name, _ROW / 2 + 0.35 * (number + 1))
        ax.set(xlim=(-_ROW / 2 - 1.7, _ROW / 2 + 1.7), ylim=(0.5 - len(boxes), 0.5))
        ax.set_axis_off()
    return finish(figure)


def _link(ax: "Axes", start: int, end: int, name: str, x: float) -> None:
    """From the right of a box outwards, down, and back to the right of a later one."""
    colour = PALETTE["vermilion"]
    ax.plot([_ROW / 2, x, x], [-start, -start, -end], color=colour, linewidth=1.3)
    _arrow(ax, (x, -end), (_ROW / 2, -end), colour)
    ax.text(x + 0.1, -(start + end) / 2, name, ha="left", va="center", fontsize=8, color=colour)


def _box(ax: "Axes", x: float, y: float, text: str, size: tuple[float, float] = _BOX, *, strong: bool = False) -> None:
    from matplotlib.patches import FancyBboxPatch

    wide, high = size
    shape = FancyBboxPatch(
        (x - wide / 2, y - high / 2), wide, high, boxstyle="round,pad=0,rounding_size=0.08",
        facecolor="#FBE9DF" if strong else "#E8F1F8", edgecolor=PALETTE["vermilion" if strong else "blue"],
    )  # fmt: skip
    ax.add_patch(shape)
    ax.text(x, y, text, ha="center", va="center", fontsize=8, linespacing=1.25)


def _steps(ax: "Axes", left: float, right: float, level: int, bottom: float | None) -> None:
    """The arrow from a level down to the next, and the one back up."""
    below = bottom if bottom is not None else left + _LEAN
    _arrow(ax, (left, -level - _BOX[1] / 2), (below - 0.12 * (bottom is not None), -level - 1 + _BOX[1] / 2))
    below = bottom if bottom is not None else right - _LEAN
    _arrow(ax, (below + 0.12 * (bottom is not None), -level - 1 + _BOX[1] / 2), (right, -level - _BOX[1] / 2))


def _skip(ax: "Axes", left: float, right: float, level: int, note: str | None, *, passes: bool) -> None:
    colour = PALETTE["vermilion"] if passes else "0.5"
    _arrow(ax, (left + _BOX[0] / 2, -level), (right - _BOX[0] / 2, -level), colour)
    if note:
        ax.text((left + right) / 2, -level + 0.1, note, ha="center", va="bottom", fontsize=8, color=colour)


def _arrow(ax: "Axes", start: tuple[float, float], end: tuple[float, float], colour: str = "0.3") -> None:
    ax.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": colour, "shrinkA": 1, "shrinkB": 1})
