"""Which runs are meant: those of a configuration by length, pairs that differ in one thing; a run's worst images."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from histolab_lib.choices import choose
from histolab_lib.claims import DISTANCES
from histolab_lib.metrics import Comparison, compare
from histolab_lib.record import Record
from histolab_lib.results.store import seed_means
from histolab_lib.scoring import BOOTSTRAP
from histolab_lib.wanted import SCHEDULE_NAMES, UNTRAINED

__all__ = ["by_schedule", "less", "longest", "pairs", "ranked"]

_LENGTH = (UNTRAINED, *SCHEDULE_NAMES)


def by_schedule(
    records: Iterable[Record], key: str, variant: str = "base", reading: str = "paper"
) -> list[list[Record]]:
    """Return the runs of a configuration, all seeds of a schedule together, the longest schedule last.

    Parameters
    ----------
    records : iterable of Record
        Those of one set, or of several: they are not told apart here.
    key, variant, reading : str

    Returns
    -------
    list of list of Record
        By seed within a schedule. Empty where nothing is recorded; runs of the schedule ``smoke`` are left out.

    Examples
    --------
    >>> by_schedule([], "msal_net")
    []
    """
    groups: dict[str, list[Record]] = {}
    for one in sorted(records, key=lambda one: (_LENGTH.index(one.schedule), one.seed)):
        if (one.key, one.variant, one.reading) == (key, variant, reading) and one.schedule != "smoke":
            groups.setdefault(one.schedule, []).append(one)
    return list(groups.values())


def longest(records: Iterable[Record], key: str, variant: str = "base", reading: str = "paper") -> list[Record]:
    """Return all seeds of the longest schedule of a configuration; nothing where nothing is recorded.

    Parameters
    ----------
    records, key, variant, reading
        As for `by_schedule`.
    """
    return (by_schedule(records, key, variant, reading) or [[]])[-1]


def pairs(
    records: Iterable[Record], key: str, variant: str, other: str = "base", reading: str = "paper"
) -> list[tuple[Record, Record]]:
    """Return the runs of a variant, each beside the run of another one that is alike in schedule and seed.

    Parameters
    ----------
    records, key, variant, reading
        As for `by_schedule`.
    other : str
        The variant that stands second.

    Returns
    -------
    list of (Record, Record)
        Of the longest schedule that both have, by seed; empty where they have none in common.
    """
    rows = list(records)
    mine, theirs = (
        {(one.schedule, one.seed): one for runs in by_schedule(rows, key, name, reading) for one in runs}
        for name in (variant, other)
    )
    both = [alike for alike in mine if alike in theirs]
    return [(mine[alike], theirs[alike]) for alike in both if alike[0] == both[-1][0]]


def ranked(record: Record, metric: str, split: str | None = None) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the images of a run, the worst first.

    Parameters
    ----------
    record : Record
    metric : str
    split : str, optional
        One test split alone; None: all of the record's.

    Returns
    -------
    list of (str, mapping)
        Split and row of each image. The largest distance is the worst, of any other score the smallest; undefined
        scores (NaN) come first, as infinite distances do. Images that score the same are in the record's order.

    Raises
    ------
    ValueError
        If the record has no such split.
    """
    chosen = record.images if split is None else [choose("split", split, record.images)]
    rows = [(part, row) for part in chosen for row in record.images[part]]
    sign = -1 if metric in DISTANCES else 1
    return sorted(rows, key=lambda one: -math.inf if math.isnan(one[1][metric]) else sign * float(one[1][metric]))


def less(
    records: Iterable[Record], key: str, variant: str, metric: str, *, other: str = "base", reading: str = "paper"
) -> Comparison | None:
    """Return what a variant scores less another one, image by image, on all test images; None where they do not pair.

    Parameters
    ----------
    records, key, variant, other, reading
        As for `pairs`; of the seeds that both have, each image's mean is taken first.
    metric : str

    Notes
    -----
    The interval says how the difference would move with other images (patients, where they are known); of seeds there
    are too few to say.
    """
    alike = pairs(records, key, variant, other, reading)
    if not alike:
        return None
    a, b = (seed_means(side, "test", metric) for side in zip(*alike, strict=True))
    groups = {row["name"]: row["group"] for row in a if "group" in row}
    return compare(a, b, metric, groups=groups or None, n_boot=BOOTSTRAP, seed=0)
