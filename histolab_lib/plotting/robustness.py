"""Scores along the steps of corruptions: one panel each, its own axis, a curve for each system."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from histolab_lib.choices import choose
from histolab_lib.corruptions import CORRUPTIONS
from histolab_lib.plotting.look import PALETTE, WIDE_IN, check_there, finish, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_corruptions"]

_LOOKS = (("vermilion", "o"), ("blue", "s"), ("black", "D"), ("green", "^"), ("orange", "v"), ("purple", "P"))
_COLUMNS = 3  # as many as fit side by side in words that can be read


def draw_corruptions(
    curves: Mapping[str, Mapping[str, Mapping[float, float]]], *, score: str, limits: tuple[float, float] = (0, 1)
) -> "Figure":
    """Draw scores of systems on images made worse: undisturbed at the left of each panel, worst at the right.

    Parameters
    ----------
    curves : mapping
        As `corruptions.means` returns them: by corruption, a name in `corruptions.CORRUPTIONS`, then by system, at most
        six, then by strength.
    score : str
        What the score is called, for the axis.
    limits : (float, float)
        Ends of the vertical axis, which all panels share.

    Raises
    ------
    ValueError
        If there is nothing to draw, a corruption is unknown, or there are more than six systems.
    """
    import matplotlib.pyplot as plt

    check_there("curves", curves)
    systems = list(dict.fromkeys(name for panel in curves.values() for name in panel))
    if len(systems) > len(_LOOKS):
        raise ValueError(f"at most {len(_LOOKS)} systems can be told apart, got {len(systems)}: {', '.join(systems)}")
    looks = dict(zip(systems, _LOOKS, strict=False))
    columns = min(_COLUMNS, len(curves))
    rows = -(-len(curves) // columns)
    with style():
        size = (min(2.5 * columns + 0.4, WIDE_IN), 2.1 * rows + 0.4)
        figure, axes = plt.subplots(rows, columns, figsize=size, sharey=True, squeeze=False)
        for ax in axes.flat[len(curves) :]:
            ax.set_axis_off()
        for ax, (name, panel) in zip(axes.flat, curves.items(), strict=False):
            _panel(ax, choose("corruption", name, CORRUPTIONS), panel, looks)
        axes[0, 0].set_ylim(*limits)
        for first in axes[:, 0]:
            first.set_ylabel(score)
        handles = {label: one for ax in axes.flat for one, label in zip(*ax.get_legend_handles_labels(), strict=True)}
        figure.legend(handles.values(), handles, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return finish(figure)


def _panel(
    ax: "Axes", name: str, panel: Mapping[str, Mapping[float, float]], looks: Mapping[str, tuple[str, str]]
) -> None:
    for system, curve in panel.items():
        colour, mark = looks[system]
        ax.plot(
            list(curve),
            list(curve.values()),
            marker=mark,
            markersize=4,
            linewidth=1.4,
            color=PALETTE[colour],
            label=system,
        )
    steps = list(dict.fromkeys(step for curve in panel.values() for step in curve))
    ax.set_xticks(steps, [f"{step:g}" for step in steps], fontsize=8)
    if steps[-1] < steps[0]:
        ax.invert_xaxis()
    ax.set_title("JPEG" if name == "jpeg" else name.replace("_", " "), loc="left")
    ax.set_xlabel(CORRUPTIONS[name].unit, fontsize=8.5)
