"""Published numbers beside what is possible: regions, gaps, intervals, means."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from histolab_lib.audit.intervals import Interval
from histolab_lib.claims import PAPERS
from histolab_lib.plotting.look import PALETTE, check_there, finish, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_gaps", "draw_intervals", "draw_mean_rows", "draw_region"]

#: One for each paper of the book, the same in every figure, told apart without colour, too.
_LOOKS = (("purple", "D"), ("blue", "o"), ("black", "v"), ("orange", "s"), ("green", "^"))
_STEPS = 200
#: A gap is shown in hundredths: points, where the paper prints percent.
_POINTS = 100
Row = tuple[Interval, ...]
Points = Mapping[str, Sequence[Row]]


def draw_region(
    points: Points, region: Callable[[Interval], Interval], *, xlabel: str, ylabel: str, edge: str = "low"
) -> "Figure":
    """Draw printed pairs of scores over the region of what is possible, and beside it how far each is from its edge.

    Parameters
    ----------
    points : mapping of str to sequence of (Interval, Interval)
        Name of the paper, then what the two scores of each row may be.
    region : callable
        What the first score leaves to the second; must grow with the first, as those of
        `histolab_lib.audit.rules.bounds`.
    xlabel, ylabel : str
        Names of the two scores.
    edge : {"low", "high"}, optional
        The edge that gaps are measured from.

    Notes
    -----
    A mark that is outside of the region is filled in both panels, and in both the region is coloured, to both its
    edges.
    """
    import matplotlib.pyplot as plt

    check_there("points", points)
    with style():
        figure, (plane, gaps) = plt.subplots(1, 2, figsize=(8.4, 4.1), width_ratios=(1, 1.15))
        grid = [Fraction(step, _STEPS) for step in range(_STEPS + 1)]
        ends = [region(Interval.of(x)) for x in grid]
        x = [float(one) for one in grid]
        plane.fill_between(
            x,
            [float(one.low) for one in ends],
            [float(one.high) for one in ends],
            color=PALETTE["sky"],
            alpha=0.35,
            linewidth=0,
            label="possible",
        )
        for name, pairs in points.items():
            look = _look(points, name)
            inside = [pair for pair in pairs if _possible(pair, region)]
            outside = [pair for pair in pairs if pair not in inside]
            _marks(plane, [_middle(p[0]) for p in inside], [_middle(p[1]) for p in inside], look, name, filled=False)
            _marks(plane, [_middle(p[0]) for p in outside], [_middle(p[1]) for p in outside], look, name, filled=True)
        plane.set(xlabel=xlabel, ylabel=ylabel, xlim=(0, 1), ylim=(0, 1), aspect="equal")
        _bars(gaps, points, region, lambda *given: _middle(given[0]), edge, lambda row: not _possible(row, region))
        _shade_region(gaps, grid, ends, edge)
        side = "least" if edge == "low" else "largest"
        gaps.set(xlabel=xlabel, ylabel=f"{ylabel} less\nthe {side} possible (points)")
        gaps.locator_params(nbins=5)
        _key(figure, gaps)
    return finish(figure)


def draw_gaps(
    points: Points,
    region: Callable[..., Interval],
    *,
    at: Callable[..., float],
    edge: str,
    xlabel: str,
    ylabel: str,
) -> "Figure":
    """Draw how far printed scores are from the edge of what other scores of their rows allow.

    Parameters
    ----------
    points : mapping of str to sequence of tuple of Interval
        Name of the paper, then the scores of each row, the judged one last.
    region : callable
        What the others leave to the last; must grow with each of them.
    at : callable
        Where on the x axis a row stands, from the others.
    edge : {"low", "high"}
        The edge that gaps are measured from.
    xlabel, ylabel : str
    """
    import matplotlib.pyplot as plt

    check_there("points", points)
    with style():
        figure, ax = plt.subplots(figsize=(8, 3.4))
        _gaps(ax, points, region, at, edge)
        ax.set(xlabel=xlabel, ylabel=ylabel)
        _key(figure, ax)
    return finish(figure)


def _gaps(ax: "Axes", points: Points, region: Callable[..., Interval], at: Callable[..., float], edge: str) -> None:
    """Each row as a bar that rounding allows, filled where none of it is on the possible side, which is coloured."""

    def outside(row: Row) -> bool:
        low, high = _gap(row[:-1], row[-1], region, edge)
        return high < 0 if edge == "low" else low > 0

    _bars(ax, points, region, at, edge, outside)
    low, high = ax.get_ylim()
    ax.axhspan(*((0, high) if edge == "low" else (low, 0)), color=PALETTE["sky"], alpha=0.35, linewidth=0, zorder=0)
    ax.set_ylim(low, high)


def _bars(
    ax: "Axes",
    points: Points,
    region: Callable[..., Interval],
    at: Callable[..., float],
    edge: str,
    outside: Callable[[Row], bool],
) -> None:
    """Each row as a bar that rounding allows, its mark filled where it is outside, and the edge."""
    for name, rows in points.items():
        look = _look(points, name)
        for wanted in (False, True):
            marked: tuple[list[float], list[float]] = ([], [])
            for row in rows:
                if outside(row) is wanted:
                    low, high = _gap(row[:-1], row[-1], region, edge)
                    x = at(*row[:-1])
                    ax.plot([x, x], [low, high], color=PALETTE[look[0]], linewidth=1, zorder=2)
                    marked[0].append(x)
                    marked[1].append((low + high) / 2)
            _marks(ax, *marked, look, name, filled=wanted)
    ax.axhline(0, color=PALETTE["black"], linewidth=1)


def _possible(row: Row, region: Callable[..., Interval]) -> bool:
    """Whether rounding leaves a pair of scores that can be."""
    return row[-1].meets(region(*row[:-1]))


def _shade_region(ax: "Axes", grid: Sequence[Fraction], ends: Sequence[Interval], edge: str) -> None:
    """What is possible, measured from one edge as far as the other; the axes stay as the marks ask for."""
    limits = ax.get_xlim(), ax.get_ylim()
    from_edge = [
        (float(one.low - getattr(one, edge)) * _POINTS, float(one.high - getattr(one, edge)) * _POINTS) for one in ends
    ]
    lows, highs = zip(*from_edge, strict=True)
    ax.fill_between([float(x) for x in grid], lows, highs, color=PALETTE["sky"], alpha=0.35, linewidth=0, zorder=0)
    ax.set(xlim=limits[0], ylim=limits[1])


def _look(points: Points, name: str) -> tuple[str, str]:
    """Colour and marker: of a paper of the book its own, of any other by its place among those drawn."""
    papers = list(PAPERS.values())
    return _LOOKS[(papers if name in papers else list(points)).index(name) % len(_LOOKS)]


def _gap(
    given: Sequence[Interval], printed: Interval, region: Callable[..., Interval], edge: str
) -> tuple[float, float]:
    least = getattr(region(*(Interval.of(one.low) for one in given)), edge)
    most = getattr(region(*(Interval.of(one.high) for one in given)), edge)
    return float(printed.low - most) * _POINTS, float(printed.high - least) * _POINTS


def _marks(
    ax: "Axes", x: Sequence[float], y: Sequence[float], look: tuple[str, str], name: str, *, filled: bool
) -> None:
    if not x:
        return
    colour, marker = PALETTE[look[0]], look[1]
    kind = {"facecolor": colour, "s": 34, "zorder": 4} if filled else {"facecolor": "white", "s": 20, "zorder": 3}
    label = f"{name}, outside" if filled else name
    ax.scatter(x, y, marker=marker, edgecolor=colour, linewidth=1, label=label, **kind)  # type: ignore[arg-type]


def _key(figure: "Figure", ax: "Axes") -> None:
    from matplotlib.patches import Patch

    handles, labels = ax.get_legend_handles_labels()
    handles.append(Patch(color=PALETTE["sky"], alpha=0.35))
    labels.append("possible")
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=9)


def _middle(one: Interval) -> float:
    return float(one.low + one.high) / 2


def draw_intervals(rows: Mapping[str, Mapping[str, tuple[float, float]]], *, xlabel: str) -> "Figure":
    """Draw intervals under one another: a row for each case, a bar for each kind of number in it.

    Parameters
    ----------
    rows : mapping of str to mapping of str to (float, float)
        Name of the case, then of the kind, then low and high end. A kind has its colour in every row; at most five.
    xlabel : str
    """
    import matplotlib.pyplot as plt

    check_there("rows", rows)
    kinds = list(dict.fromkeys(kind for row in rows.values() for kind in row))
    colours = dict(zip(kinds, ("vermilion", "blue", "green", "orange", "purple"), strict=False))
    with style():
        figure, ax = plt.subplots(figsize=(8, (0.17 * len(kinds) + 0.22) * len(rows) + 1.2))
        for place, row in enumerate(rows.values()):
            shown = [kind for kind in kinds if kind in row]
            for n, kind in enumerate(shown):
                low, high = row[kind]
                y = place + 0.7 * ((n + 0.5) / len(shown) - 0.5)
                ax.plot([low, high], [y, y], color=PALETTE[colours[kind]], linewidth=2)
                ends = {"marker": "|", "markersize": 8, "linestyle": "none", "markeredgewidth": 1.5}
                label = kind if kind not in ax.get_legend_handles_labels()[1] else None
                ax.plot([low, high], [y, y], color=PALETTE[colours[kind]], label=label, **ends)  # type: ignore[arg-type]
        for place in range(1, len(rows)):
            ax.axhline(place - 0.5, color="0.9", linewidth=0.8, zorder=0)
        ax.set(yticks=range(len(rows)), yticklabels=list(rows), xlabel=xlabel, ylim=(len(rows) - 0.5, -0.5))
        ax.tick_params(axis="y", length=0)
        figure.legend(loc="outside lower center", ncols=len(kinds), frameon=False, fontsize=9)
    return finish(figure)


def draw_mean_rows(columns: Mapping[str, tuple[Sequence[float], tuple[float, float]]], *, xlabel: str) -> "Figure":
    """Draw the numbers of each column as dots, with the reach of their means, and the printed mean.

    Parameters
    ----------
    columns : mapping of str to (sequence of float, (float, float))
        Name of the column, then its numbers, then what the printed mean may be.
    xlabel : str
    """
    import matplotlib.pyplot as plt

    check_there("columns", columns)
    with style():
        figure, ax = plt.subplots(figsize=(8, 0.42 * len(columns) + 1.3))
        for y, (values, printed) in enumerate(columns.values()):
            first = y == 0
            ax.plot(
                [min(values), max(values)],
                [y, y],
                color=PALETTE["sky"],
                alpha=0.35,
                linewidth=12,
                solid_capstyle="butt",
                label="any mean" if first else None,
            )
            ax.scatter(
                values,
                [y] * len(values),
                s=16,
                facecolor="white",
                edgecolor=PALETTE["blue"],
                linewidth=0.8,
                zorder=2,
                label="printed rows" if first else None,
            )
            plain, middle = sum(values) / len(values), sum(printed) / 2
            ax.scatter(
                [plain], [y], marker="|", s=230, linewidth=2, color=PALETTE["blue"], zorder=3,
                label="their unweighted mean" if first else None,
            )  # fmt: skip
            ax.scatter(
                [middle], [y], marker="D", s=22, color=PALETTE["vermilion"], zorder=4,
                label="printed mean" if first else None,
            )  # fmt: skip
        ax.set(yticks=range(len(columns)), yticklabels=list(columns), xlabel=xlabel, ylim=(len(columns) - 0.5, -0.5))
        ax.tick_params(axis="y", length=0)
        figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    return finish(figure)
