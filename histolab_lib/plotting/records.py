"""Recorded runs side by side: one point for each experiment, with its interval."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from histolab_lib.claims import PAPERS
from histolab_lib.datasets.registry import entries
from histolab_lib.floors import HEMATOXYLIN
from histolab_lib.metrics import Summary
from histolab_lib.plotting.look import PALETTE, check_there, finish, style
from histolab_lib.record import LEAK, Record
from histolab_lib.results import across_seeds, run_label, score_name, variant_in_words
from histolab_lib.wanted import FLOOR_UNET, SCHEDULE_NAMES, UNTRAINED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

__all__ = ["Experiment", "draw_records", "experiments", "main_scores"]

_FLOORS, _OWN = (HEMATOXYLIN, FLOOR_UNET), ("small_unet", "strong_unet")
_FAMILIES: Mapping[str, str] = {
    "floors": "black", "usual networks": "blue", "the book's own": "green", "networks of the papers": "vermilion",
}  # fmt: skip
_MARKS: Mapping[str, str] = dict(zip((UNTRAINED, *SCHEDULE_NAMES), "D.os^", strict=True))
_FLOOR_LINE: Mapping[str, object] = {"color": "0.5", "linestyle": ":", "linewidth": 1.2}
_OTHER_MARK = "X"  # of a schedule that is not the book's
_SPLIT = "test"  # of every record; where a set has several, all of them together
_ROW_IN, _PANEL_IN = 0.19, 0.75


class Experiment(NamedTuple):
    """Runs that differ by their seed alone.

    Attributes
    ----------
    family, system, variant, dataset, schedule : str
        Variant: what differs from the system as it is meant, in words, and whose recipe it is where that is not the
        paper's; empty where nothing does.
    scores : tuple of (str, Summary)
        Main and second score on the test tiles by name, see `main_scores`; means over images of their means over seeds.
    runs : tuple of Record
    """

    family: str
    system: str
    variant: str
    dataset: str
    schedule: str
    scores: tuple[tuple[str, Summary], ...]
    runs: tuple[Record, ...]

    @property
    def label(self) -> str:
        """System and variant."""
        return run_label(self.runs[0])


def main_scores(dataset: str) -> tuple[str, str]:
    """Return the score by which runs on a set are compared first, and the second one.

    Examples
    --------
    >>> main_scores("monuseg"), main_scores("glas")
    (('dice', 'aji'), ('object_dice', 'dice'))
    """
    return ("object_dice", "dice") if dataset == "glas" else ("dice", "aji")


def experiments(records: Iterable[Record]) -> list[Experiment]:
    """Join runs that differ by their seed alone.

    Parameters
    ----------
    records : iterable of Record

    Returns
    -------
    list of Experiment
        By set, family and system; the system as it is meant first, then its variants by their main score. Runs of the
        schedule ``smoke`` and exhibits that chose on test data are not among them.

    Examples
    --------
    >>> from histolab_lib.results import load_results
    >>> first = experiments(one for one in load_results() if one.dataset == "tnbc")[0]
    >>> first.label, first.scores[0][0], round(first.scores[0][1].mean, 2)
    ('floor_hematoxylin', 'dice', 0.72)
    """
    found: dict[tuple[str, ...], list[Record]] = {}
    for one in records:
        if one.schedule != "smoke" and LEAK not in one.variant.split("__"):
            found.setdefault((one.dataset, one.key, one.variant, one.reading, one.schedule), []).append(one)
    return sorted((_experiment(tuple(runs)) for runs in found.values()), key=_order)


def _order(one: Experiment) -> tuple[str, int, str, bool, float]:
    family = list(_FAMILIES).index(one.family)
    return one.dataset, family, one.system, one.variant != "", one.scores[0][1].mean


def _experiment(runs: tuple[Record, ...]) -> Experiment:
    one = runs[0]
    scores = tuple((metric, across_seeds(runs, _SPLIT, metric)) for metric in main_scores(one.dataset))
    return Experiment(_family(one.key), one.key, variant_in_words(one), one.dataset, one.schedule, scores, runs)


def _family(key: str) -> str:
    floors, usual, own, papers = _FAMILIES
    return floors if key in _FLOORS else own if key in _OWN else papers if key in PAPERS else usual


def draw_records(records: Iterable[Record]) -> "Figure":
    """Draw the main score of every experiment with its 95 % interval: a panel for each set, a line for each experiment.

    Parameters
    ----------
    records : iterable of Record
        As for `experiments`.

    Notes
    -----
    Colours tell families, marks tell schedules. The dotted line is thresholded hematoxylin, and the key says so. Panels
    of one score have one axis.
    """
    import matplotlib.pyplot as plt

    sets: dict[str, list[Experiment]] = {}
    for one in experiments(records):
        sets.setdefault(one.dataset, []).append(one)
    check_there("records", sets)
    columns = _columns(sets)
    with style():
        tall = max(sum(map(_height, column)) for column in columns)
        figure = plt.figure(figsize=(4.1 * len(columns), tall + 0.6))
        limits = _limits(sets.values())
        for place, column in zip(figure.subfigures(1, len(columns), squeeze=False).flat, columns, strict=True):
            for ax, lines in zip(_panels(place, column, tall), column, strict=True):
                _panel(ax, lines)
                ax.set_xlim(limits[lines[0].scores[0][0]])
        _key(figure, [one for lines in sets.values() for one in lines])
    return finish(figure)


def _height(lines: Sequence[Experiment]) -> float:
    return _ROW_IN * len(lines) + _PANEL_IN


def _columns(sets: Mapping[str, list[Experiment]]) -> list[list[list[Experiment]]]:
    """The panels in one or two columns of about the same height, the tallest first."""
    columns: list[list[list[Experiment]]] = [[] for _ in range(min(2, len(sets)))]
    for lines in sorted(sets.values(), key=len, reverse=True):
        min(columns, key=lambda column: sum(map(_height, column))).append(lines)
    return columns


def _panels(place: "SubFigure", column: Sequence[Sequence[Experiment]], tall: float) -> "list[Axes]":
    """One set of axes for each panel, all lines as far apart; what is left of the column stays empty."""
    heights = [_height(lines) for lines in column]
    rest = tall - sum(heights)
    if rest < _PANEL_IN / 2:
        return list(place.subplots(len(column), 1, height_ratios=heights, squeeze=False).flat)
    *axes, empty = place.subplots(len(column) + 1, 1, height_ratios=[*heights, rest], squeeze=False).flat
    empty.set_axis_off()
    return axes


def _limits(sets: Iterable[Sequence[Experiment]]) -> dict[str, tuple[float, float]]:
    """Ends of the axis of each main score: those of all its intervals, and a little more."""
    ends: dict[str, list[float]] = {}
    for lines in sets:
        for one in lines:
            metric, score = one.scores[0]
            ends.setdefault(metric, []).extend((score.low, score.high))
    return {metric: (min(both) - 0.02, max(both) + 0.02) for metric, both in ends.items()}


def _panel(ax: "Axes", lines: Sequence[Experiment]) -> None:
    for y, one in enumerate(lines):
        score, colour = one.scores[0][1], PALETTE[_FAMILIES[one.family]]
        ax.plot([score.low, score.high], [y, y], color=colour, linewidth=1.4, zorder=2)
        mark = _MARKS.get(one.schedule, _OTHER_MARK)
        ax.plot([score.mean], [y], mark, color=colour, markerfacecolor="white", markersize=5.5, zorder=3)
        if y and lines[y - 1].family != one.family:
            ax.axhline(y - 0.5, color="0.85", linewidth=0.8, zorder=0)
        if one.system == HEMATOXYLIN:
            ax.axvline(score.mean, zorder=1, **_FLOOR_LINE)  # type: ignore[arg-type]
    ax.set(yticks=range(len(lines)), ylim=(len(lines) - 0.5, -0.5), xlabel=score_name(lines[0].scores[0][0]))
    ax.set_yticklabels([one.label for one in lines], fontsize=8.5)
    ax.set_title(_set_name(lines[0].dataset), loc="left", fontweight="bold")
    ax.tick_params(axis="y", length=0)


def _set_name(dataset: str) -> str:
    """What a set is called in the registry; a reader's own has no other name."""
    known = entries()
    return known[dataset].title.partition(":")[0] if dataset in known else dataset


def _key(figure: "Figure", drawn: Sequence[Experiment]) -> None:
    """What colours and marks mean, of those that occur."""
    from matplotlib.lines import Line2D

    families, schedules = {one.family for one in drawn}, {one.schedule for one in drawn}
    handles = [Line2D([], [], color=PALETTE[c], linewidth=3, label=n) for n, c in _FAMILIES.items() if n in families]
    empty = {"color": "0.3", "linestyle": "none", "markerfacecolor": "white"}
    for name in (*_MARKS, *sorted(schedules - set(_MARKS))):
        if name in schedules:
            said = "nothing trained" if name == UNTRAINED else f"schedule {name}"
            handles.append(Line2D([], [], marker=_MARKS.get(name, _OTHER_MARK), label=said, **empty))  # type: ignore[arg-type]
    if HEMATOXYLIN in {one.system for one in drawn}:
        handles.append(Line2D([], [], **_FLOOR_LINE, label="hematoxylin, thresholded"))  # type: ignore[arg-type]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
