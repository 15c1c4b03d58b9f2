"""From records of images to a number for a set, with what it hides: spread, interval, and the images left out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from histolab_lib.metrics.counts import families_in, pool, scores_of

__all__ = ["Comparison", "Summary", "compare", "pooled_interval", "summarise"]

_Floats = npt.NDArray[np.float64]
_Records = Sequence[Mapping[str, Any]]

# Resampled indices are drawn in blocks of about this many, to bound memory.
_BLOCK = 1 << 20


class Summary(NamedTuple):
    """A set of images in one row.

    Attributes
    ----------
    metric : str
    images : int
        How many the numbers are made of; `undefined` (NaN) and `infinite` ones are left out.
    groups : int
        How many patients (or other groups) were resampled; the images where none were given.
    mean, sd, median : float
        Over images. The standard deviation is that of a sample (n - 1), NaN for a single image.
    low, high : float
        Bootstrap 95 % interval of the mean; NaN where there are fewer than two groups to draw from.
    pooled : float
        The score of the counts of all images together; NaN for a metric that keeps no counts.
    undefined, infinite : int
        Images left out: those without a score, and distances to an empty map.
    """

    metric: str
    images: int
    groups: int
    mean: float
    sd: float
    median: float
    low: float
    high: float
    pooled: float
    undefined: int
    infinite: int


class Comparison(NamedTuple):
    """Two sets of predictions for the same images.

    Attributes
    ----------
    metric : str
    images, groups : int
        Pairs that the numbers are made of, and how many groups were resampled.
    mean_a, mean_b, difference : float
        Means over those pairs, and the mean of ``a - b``.
    low, high : float
        Bootstrap 95 % interval of the difference; NaN where there are fewer than two groups.
    left_out : int
        Pairs in which either score is NaN or infinite.
    """

    metric: str
    images: int
    groups: int
    mean_a: float
    mean_b: float
    difference: float
    low: float
    high: float
    left_out: int


def summarise(
    records: _Records,
    metric: str,
    *,
    groups: Mapping[str, str] | None = None,
    n_boot: int = 10_000,
    seed: int | np.random.Generator = 0,
) -> Summary:
    """Mean, spread and bootstrap interval of one score over images, the pooled score beside it.

    Parameters
    ----------
    records : sequence of mappings
        As `evaluate` makes them.
    metric : str
        A score that all of them hold: "dice", "aji", "pq", "object_f1", "ap_50" ...
    groups : mapping of str to str, optional
        Image name to patient (or slide, or centre). Images of one patient are alike; whole patients are then drawn, and
        the interval says what it should.
    n_boot : int
        Resampled sets.
    seed : int or numpy Generator
        The same seed gives the same interval.

    Returns
    -------
    Summary

    Raises
    ------
    ValueError
        For no records, a metric that a record lacks, names that are missing or double, an image without a group.

    Notes
    -----
    Percentile bootstrap: as many groups as there are, drawn with replacement, each with all its images; the mean over
    the images so drawn; the 2.5th and 97.5th percentile of `n_boot` such means. With few groups (fewer than about 20)
    such an interval is too narrow; no way of computing knows what was never sampled. It says how the mean would move
    with other images, not with another training.

    Examples
    --------
    >>> from histolab_lib.metrics.evaluate import evaluate
    >>> nothing, one = np.zeros((1, 4), int), np.array([[1, 1, 0, 0]])
    >>> records = evaluate([one, one, nothing], [one, np.array([[0, 1, 1, 1]]), nothing], names=["a", "b", "c"])
    >>> row = summarise(records, "dice")
    >>> row.mean, row.pooled, row.images, row.undefined  # the mean of 1 and 2/5; 2 * (2 + 1) / (4 + 5); c left out
    (0.7, 0.6666666666666666, 2, 1)
    """
    values = _values(records, metric)
    kept = np.isfinite(values)
    codes = _codes(_names(records, "records"), groups)[kept]
    chosen = values[kept]
    low, high = _interval(chosen, codes, n_boot, seed)
    return Summary(
        metric=metric,
        images=chosen.size,
        groups=np.unique(codes).size,
        mean=_mean(chosen),
        sd=float(chosen.std(ddof=1)) if chosen.size > 1 else float("nan"),
        median=float(np.median(chosen)) if chosen.size else float("nan"),
        low=low,
        high=high,
        pooled=_pooled(records, metric),
        undefined=int(np.count_nonzero(np.isnan(values))),
        infinite=int(np.count_nonzero(np.isinf(values))),
    )


def pooled_interval(
    records: _Records,
    metric: str,
    *,
    groups: Mapping[str, str] | None = None,
    n_boot: int = 2_000,
    seed: int | np.random.Generator = 0,
) -> tuple[float, float]:
    """Bootstrap interval of the pooled score: that of the counts of all images together.

    Parameters
    ----------
    records, metric, groups, n_boot, seed
        As for `summarise`. Images at an infinite distance stay out, as they do of `Summary.pooled`.

    Returns
    -------
    low, high : float
        2.5th and 97.5th percentile of the scores of resampled sets; NaN where there are fewer than two groups to draw
        from, or the metric keeps no counts.

    Raises
    ------
    ValueError
        As `summarise`.

    Examples
    --------
    >>> from histolab_lib.metrics.evaluate import evaluate
    >>> one = np.array([[1, 1, 0, 0]])
    >>> records = evaluate([one, one], [one, np.array([[0, 1, 1, 1]])], names=["a", "b"])
    >>> pooled_interval(records, "dice")  # only b drawn, only a drawn
    (0.4, 1.0)
    """
    values = _values(records, metric)
    kept = [record for record, value in zip(records, values, strict=True) if not np.isinf(value)]
    if not kept or np.isnan(_pooled(records, metric)):
        return float("nan"), float("nan")
    policy, names = str(kept[0].get("empty", "nan")), list(pool(kept))
    _, position = np.unique(_codes(_names(kept, "records"), groups), return_inverse=True)
    counts = np.zeros((position.max() + 1, len(names)))
    np.add.at(counts, position, np.array([[record[name] for name in names] for record in kept], np.float64))
    if len(counts) < 2:
        return float("nan"), float("nan")
    rng = np.random.default_rng(seed)
    scores = []
    for _ in range(n_boot):
        drawn = dict(zip(names, counts[rng.integers(0, len(counts), len(counts))].sum(axis=0), strict=True))
        scores.append(scores_of(drawn, families_in(drawn), policy)[metric])
    low, high = np.nanpercentile(scores, [2.5, 97.5])
    return float(low), float(high)


def compare(
    a: _Records,
    b: _Records,
    metric: str,
    *,
    groups: Mapping[str, str] | None = None,
    n_boot: int = 10_000,
    seed: int | np.random.Generator = 0,
) -> Comparison:
    """Paired bootstrap of the difference between two sets of predictions for the same images.

    Parameters
    ----------
    a, b : sequences of mappings
        Records of the same images, in any order; matched by name.
    metric, groups, n_boot, seed
        As for `summarise`.

    Returns
    -------
    Comparison
        Its difference is ``a - b``: for a score, above 0 where `a` is better.

    Raises
    ------
    ValueError
        As `summarise`; and where an image has no partner, with the names of all such images.

    Notes
    -----
    Some images are harder than others, for every method. Pairing takes that out: each image is compared with itself,
    and the interval is that of the mean difference, often far narrower than two separate intervals suggest. Pairs in
    which either side is NaN or infinite are left out and counted; look at them: one side may be so for having failed.

    Examples
    --------
    >>> a = [{"name": "x", "dice": 0.9}, {"name": "y", "dice": 0.5}]
    >>> b = [{"name": "y", "dice": 0.25}, {"name": "x", "dice": 0.65}]
    >>> row = compare(a, b, "dice")
    >>> row.difference, row.low, row.high
    (0.25, 0.25, 0.25)
    >>> compare(a, b[:1], "dice")
    Traceback (most recent call last):
        ...
    ValueError: images must pair by name; without partner: x (only in a)
    """
    names, others = _names(a, "a"), _names(b, "b")
    partner = dict(zip(others, b, strict=True))
    alone = [f"{name} (only in a)" for name in names if name not in partner]
    alone += [f"{name} (only in b)" for name in sorted(set(others) - set(names), key=others.index)]
    if alone:
        raise ValueError(f"images must pair by name; without partner: {', '.join(alone)}")
    of_a = _values(a, metric)
    of_b = _values([partner[name] for name in names], metric)
    kept = np.isfinite(of_a) & np.isfinite(of_b)
    codes = _codes(names, groups)[kept]
    difference = of_a[kept] - of_b[kept]
    low, high = _interval(difference, codes, n_boot, seed)
    return Comparison(
        metric=metric,
        images=difference.size,
        groups=np.unique(codes).size,
        mean_a=_mean(of_a[kept]),
        mean_b=_mean(of_b[kept]),
        difference=_mean(difference),
        low=low,
        high=high,
        left_out=int(np.count_nonzero(~kept)),
    )


def _values(records: _Records, metric: str) -> _Floats:
    for record in records:
        if not isinstance(record.get(metric), int | float):
            have = ", ".join(key for key, value in record.items() if isinstance(value, float))
            raise ValueError(f"metric: image {record.get('name')} holds no {metric!r}; it has {have}")
    return np.array([record[metric] for record in records], np.float64)


def _names(records: _Records, argument: str) -> list[str]:
    if not records:
        raise ValueError(f"{argument}: expected at least one record, got none")
    names = [record.get("name") for record in records]
    wrong = sorted({str(name) for name, times in Counter(names).items() if times > 1 or name is None})
    if wrong:
        raise ValueError(f"{argument}: each record needs a name of its own; missing or double: {', '.join(wrong)}")
    return [str(name) for name in names]


def _codes(names: list[str], groups: Mapping[str, str] | None) -> npt.NDArray[np.int64]:
    """Return a number for each image, the same for images of one group."""
    if groups is None:
        return np.arange(len(names))
    missing = [name for name in names if name not in groups]
    if missing:
        raise ValueError(f"groups: no group for {', '.join(missing)}")
    labels = [groups[name] for name in names]
    order = {label: k for k, label in enumerate(dict.fromkeys(labels))}
    return np.array([order[label] for label in labels], np.int64)


def _mean(values: _Floats) -> float:
    return float(values.mean()) if values.size else float("nan")


def _interval(
    values: _Floats, codes: npt.NDArray[np.int64], n_boot: int, seed: int | np.random.Generator
) -> tuple[float, float]:
    """2.5th and 97.5th percentile of the means of resampled groups."""
    if n_boot < 1:
        raise ValueError(f"n_boot: expected at least 1 resampled set, got {n_boot}")
    _, position = np.unique(codes, return_inverse=True)
    sizes = np.bincount(position)
    if sizes.size < 2:
        return float("nan"), float("nan")
    totals = np.bincount(position, weights=values)
    rng = np.random.default_rng(seed)
    rows = max(1, _BLOCK // sizes.size)
    means = []
    for start in range(0, n_boot, rows):
        drawn = rng.integers(0, sizes.size, (min(rows, n_boot - start), sizes.size))
        means.append(totals[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))
    low, high = np.percentile(np.concatenate(means), [2.5, 97.5])
    return float(low), float(high)


def _pooled(records: _Records, metric: str) -> float:
    """Return the score of the summed counts; images at infinite distance stay out."""
    finite = [record for record in records if not np.isinf(record[metric])]
    if not finite or not all("true_objects" in record for record in records):
        return float("nan")
    policies = sorted({str(record.get("empty", "nan")) for record in records})
    if len(policies) > 1:
        raise ValueError(f"records: scored under different policies for empty maps: {', '.join(policies)}")
    counts = pool(finite)
    return scores_of(counts, families_in(counts), policies[0]).get(metric, float("nan"))
