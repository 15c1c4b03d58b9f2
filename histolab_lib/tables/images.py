"""Recorded runs image by image: the worst ones, and all of them by group."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from histolab_lib.choices import choose
from histolab_lib.datasets import facts
from histolab_lib.plotting import short_name
from histolab_lib.record import Record
from histolab_lib.results import images_of, ranked, run_label, score_name

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["by_group", "errors", "group_means", "worst"]

_MARK = " *"
_OF_PIXELS = ("dice", "precision", "recall")
_OBJECTS = {"objects": "true_objects", "found": "pred_objects", "right": "object_tp"}


def worst(record: Record, metric: str, *, also: Sequence[str] = (), n: int = 5) -> "pd.DataFrame":
    """Return the images that a run scores worst on, in the order of `plotting.draw_worst`.

    Parameters
    ----------
    record : Record
    metric : str
    also : sequence of str
        What else to tell of each: scores and counts that the record has, such as ``"aji"`` or ``"pred_objects"``, and
        facts of the image, such as ``"organ"`` or ``"grade"`` (`datasets.facts.tiles`).
    n : int
        How many images; all of them where there are fewer.

    Returns
    -------
    DataFrame
        Columns: image, by its short name; test set, where there are several; the score, and what else was asked for.

    Raises
    ------
    ValueError
        If `n` is below 1, or neither the record nor the facts of its set have what is asked for.
    """
    import pandas as pd

    if n < 1:
        raise ValueError(f"n must be at least 1 image, got {n}")
    known = facts.tiles(record.dataset) if record.dataset in facts.TILES else {}
    lines = []
    for split, row in ranked(record, metric)[:n]:
        told = {**known.get(row["name"], {}), **row}
        line = {"image": short_name(row["name"]), **({"test set": split} if len(record.images) > 1 else {})}
        lines.append(line | {score_name(name): told[choose("score or fact", name, told)] for name in (metric, *also)})
    return pd.DataFrame(lines)


def errors(runs: Sequence[Record]) -> "pd.DataFrame":
    """Return what each run finds, misses and invents on all test images together, in pixels and in objects.

    Parameters
    ----------
    runs : sequence of Record

    Returns
    -------
    DataFrame
        A line a run. Columns: run; schedule; Dice, precision and recall of pixels, means over images; objects, how many
        there are, found, how many were found, and right, how many of these cover more than half of the object that they
        are matched with (the detections of `metrics.object_f1`), as sums.
    """
    import pandas as pd

    lines = []
    for one in runs:
        rows = images_of(one)
        line: dict[str, Any] = {"run": run_label(one), "schedule": one.schedule}
        line |= {score_name(name): sum(row[name] for row in rows) / len(rows) for name in _OF_PIXELS}
        lines.append(line | {words: sum(row[name] for row in rows) for words, name in _OBJECTS.items()})
    return pd.DataFrame(lines)


def by_group(
    runs: Sequence[Record], metric: str, groups: Mapping[str, str], *, mark: Collection[str] = ()
) -> "pd.DataFrame":
    """Return a score of every image by every run, for ``plotting.draw_dots(..., row="group")``.

    Parameters
    ----------
    runs : sequence of Record
        On one set.
    metric : str
    groups : mapping of str to str
        Image name to group, such as its organ.
    mark : collection of str
        Groups that get an asterisk, such as organs of which there is no training tile.

    Returns
    -------
    DataFrame
        One row an image, sorted by group. Columns: group, then a run each, by its label; runs of one label are told
        apart by schedule and seed.

    Raises
    ------
    ValueError
        If an image has no group, or two runs have the same name.
    """
    import pandas as pd

    rows: dict[str, dict[str, Any]] = {}
    for label, one in zip(_labels(runs), runs, strict=True):
        for image in images_of(one):
            name = image["name"]
            if name not in groups:
                raise ValueError(f"groups: no group for {name} of {one.name}")
            group = groups[name] + (_MARK if groups[name] in mark else "")
            rows.setdefault(name, {"group": group})[label] = image[metric]
    return pd.DataFrame([*rows.values()], columns=["group", *_labels(runs)]).sort_values("group", kind="stable")


def _labels(runs: Sequence[Record]) -> list[str]:
    """A label for each run, with schedule, and seed, where others have the same without."""
    labels = [run_label(one, break_lines=True) for one in runs]
    for more in ("schedule", "seed"):
        often = Counter(labels)
        labels = [
            f"{label},\n{_how(one, more)}" if often[label] > 1 else label
            for label, one in zip(labels, runs, strict=True)
        ]
    if len(set(labels)) < len(labels):
        raise ValueError(f"runs: expected each once, got {', '.join(one.name for one in runs)}")
    return labels


def _how(one: Record, field: str) -> str:
    return one.schedule if field == "schedule" else f"seed {one.seed}"


def group_means(dots: "pd.DataFrame") -> "pd.DataFrame":
    """Return the mean over the images of each group: a row for each run, a column for each group.

    Parameters
    ----------
    dots : DataFrame
        As `by_group` makes it.

    Examples
    --------
    >>> import pandas as pd
    >>> group_means(pd.DataFrame({"group": ["liver", "liver", "lung *"], "unet,\\ncpu": [0.5, 0.6, 0.8]}))
    group      liver  lung *
    unet, cpu   0.55     0.8
    """
    means = dots.groupby("group").mean().round(3).T
    means.index = means.index.str.replace(",\n", "\n").str.replace("\n", ", ")
    return means
