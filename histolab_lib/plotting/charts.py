"""Scores and learning, as lines, dots and tables."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from histolab_lib.plotting.look import PALETTE, WIDE_IN, check_there, finish, style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.container import BarContainer
    from matplotlib.figure import Figure

__all__ = ["draw_bars", "draw_curves", "draw_dots", "draw_learning", "draw_scores", "draw_table"]


def draw_learning(losses: Sequence[float], validation: Mapping[int, float], *, floor: float | None = None) -> "Figure":
    """Draw the loss of each step with its running mean, and beside it the Dice of held-out tiles.

    Parameters
    ----------
    losses : sequence of float
        One a step.
    validation : mapping of int to float
        Mean Dice after so many steps.
    floor : float, optional
        Dice without learning, as a dashed line.
    """
    import matplotlib.pyplot as plt

    check_there("losses", losses)
    with style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(8, 2.8))
        steps = np.arange(1, len(losses) + 1)
        left.plot(steps, losses, color=PALETTE["sky"], linewidth=0.8, alpha=0.7, label="each batch")
        window = max(1, len(losses) // 15)
        mean = np.convolve(losses, np.ones(window) / window, mode="valid")
        left.plot(steps[window - 1 :], mean, color=PALETTE["blue"], label=f"mean of {window}")
        left.set(xlabel="step", ylabel="loss", ylim=(0, None))
        left.legend(frameon=False)
        right.plot(list(validation), list(validation.values()), "o-", color=PALETTE["vermilion"], label="network")
        if floor is not None:
            right.axhline(floor, linestyle="--", color=PALETTE["black"], linewidth=1, label="without learning")
        right.set(xlabel="step", ylabel="Dice on held-out tiles", ylim=(0, 1))
        right.legend(frameon=False, loc="lower right")
    return finish(figure)


def draw_scores(scores: Mapping[str, Mapping[str, float]], *, score: str) -> "Figure":
    """Draw the score of every image as a dot, one row for each method, the means as bars, and a key for both.

    Parameters
    ----------
    scores : mapping of str to mapping of str to float
        Method, then image name, then its score. Images missing from a method are drawn for the others alone.
    score : str
        Name of the score, for the axis.
    """
    import matplotlib.pyplot as plt

    check_there("scores", scores)
    with style():
        figure, ax = plt.subplots(figsize=(8, 0.7 * len(scores) + 1.2))
        methods = list(scores)
        shared = [name for name in scores[methods[0]] if all(name in scores[m] for m in methods)]
        for name in shared if len(methods) > 1 else []:
            places = [scores[m][name] for m in methods]
            ax.plot(places, range(len(methods)), color="0.8", linewidth=0.8, zorder=1, label="the same image")
        for row, method in enumerate(methods):
            values = np.array(list(scores[method].values()))
            dots: dict[str, Any] = {"s": 28, "color": PALETTE["sky"], "edgecolor": PALETTE["blue"]}
            ax.scatter(values, np.full(values.size, row), zorder=2, label="one image", **dots)
            mean = [np.nanmean(values)] * 2
            ends = [row - 0.28, row + 0.28]
            ax.plot(mean, ends, color=PALETTE["vermilion"], linewidth=2, zorder=3, label="mean of the row")
        ax.set(yticks=range(len(methods)), yticklabels=methods, xlabel=f"{score} of each image")
        ax.set_ylim(len(methods) - 0.5, -0.5)
        handles, labels = ax.get_legend_handles_labels()
        key = dict(zip(labels, handles, strict=True))  # one of each
        figure.legend(key.values(), key, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return finish(figure)


def draw_curves(
    x: npt.ArrayLike,
    panels: Mapping[str, Mapping[str, npt.ArrayLike]],
    *,
    xlabel: str,
    colours: Sequence[str] = ("blue", "vermilion", "green", "orange", "purple"),
) -> "Figure":
    """Draw curves over one axis, a panel for each quantity, with one key for all.

    Parameters
    ----------
    x : array_like of float, shape (N,)
    panels : mapping of str to mapping of str to array_like of float, shape (N,)
        Name of the quantity, then name of the curve, then its values.
    xlabel : str
    colours : sequence of str
        Names in `PALETTE`, one a curve, the same in each panel.

    Raises
    ------
    ValueError
        If there is nothing to draw, or a panel has more curves than there are colours.
    """
    import matplotlib.pyplot as plt

    check_there("panels", panels)
    for quantity, curves in panels.items():
        if len(curves) > len(colours):
            raise ValueError(
                f"panel {quantity!r} has {len(curves)} curves, and there are {len(colours)} colours: "
                f"draw {len(colours)} at most, or give more names of PALETTE as colours"
            )
    with style():
        width = min(3.4 * len(panels) + 1.6, WIDE_IN + 0.4)
        figure, axes = plt.subplots(1, len(panels), figsize=(width, 2.7), squeeze=False)
        for ax, (quantity, curves) in zip(axes.flat, panels.items(), strict=True):
            for (name, values), colour in zip(curves.items(), colours, strict=False):
                ax.plot(np.asarray(x), np.asarray(values), color=PALETTE[colour], label=name)
            ax.set(xlabel=xlabel, ylabel=quantity)
        key: dict[str, Any] = {"loc": "outside right center"}
        if len(panels) > 2:
            key = {"loc": "outside lower center", "ncols": len(colours)}
        figure.legend(*axes.flat[0].get_legend_handles_labels(), frameon=False, **key)
    return finish(figure)


def draw_dots(table: "pd.DataFrame", *, row: str, limits: tuple[float, float] | None = None) -> "Figure":
    """Draw every measurement as a dot, a panel for each column, a line for each group.

    Parameters
    ----------
    table : DataFrame
        One row a measurement: the group in column `row`, numbers in all other columns.
    row : str
        The column whose values are the groups.
    limits : (float, float), optional
        Ends of all horizontal axes, for columns of one quantity; None: each as its own numbers ask for.
    """
    import matplotlib.pyplot as plt
    import seaborn as sns

    check_there("table", table)
    columns = [name for name in table.columns if name != row]
    with style():
        height = 0.42 * table[row].nunique() + 0.9
        width = min(1.9 * len(columns), WIDE_IN)
        figure, axes = plt.subplots(1, len(columns), figsize=(width, height), sharey=True, squeeze=False)
        for ax, column in zip(axes.flat, columns, strict=True):
            dots = {"color": PALETTE["blue"], "size": 4.5, "alpha": 0.6, "jitter": False}
            sns.stripplot(table, x=column, y=row, ax=ax, **dots)
            ax.set(xlabel=column, ylabel="", **({} if limits is None else {"xlim": limits}))
    return finish(figure)


def draw_bars(table: "pd.DataFrame", *, xlabel: str) -> "Figure":
    """Draw counts as horizontal bars, a bar for each column side by side, the number at its end.

    Parameters
    ----------
    table : DataFrame of float
        One row a group of bars, at most five columns.
    xlabel : str
    """
    import matplotlib.pyplot as plt

    check_there("table", table)
    with style():
        figure, ax = plt.subplots(figsize=(7, 0.26 * table.size + 0.9))
        table.plot.barh(ax=ax, width=0.8)
        for bars in ax.containers:
            ax.bar_label(cast("BarContainer", bars), fmt="%g", padding=2, fontsize=8)
        ax.set(xlabel=xlabel, ylabel="")
        ax.invert_yaxis()
        ax.legend(frameon=False)
    return finish(figure)


def draw_table(table: "pd.DataFrame", *, low: float, high: float) -> "Figure":
    """Draw a table of scores as a heat map with the numbers in it; undefined ones stay empty.

    Parameters
    ----------
    table : DataFrame of float
        One row a case, one column a score.
    low, high : float
        Scores drawn darkest and lightest.
    """
    import matplotlib.pyplot as plt
    import seaborn as sns

    check_there("table", table)
    with style():
        figure, ax = plt.subplots(figsize=(0.95 * len(table.columns) + 1.6, 0.42 * len(table) + 0.9))
        sns.heatmap(table, vmin=low, vmax=high, cmap="cividis", annot=True, fmt=".2f", linewidths=1, cbar=False, ax=ax)
        ax.set(xlabel="", ylabel="")
        ax.tick_params(length=0)
        ax.xaxis.tick_top()
    return finish(figure)
