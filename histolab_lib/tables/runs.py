"""Scores of recorded runs in words: with their interval, beside what a paper prints, less those of another run."""

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from histolab_lib.audit.verdicts import Verdict, judge
from histolab_lib.claims import DISTANCES, Claim
from histolab_lib.metrics import Summary
from histolab_lib.record import Record
from histolab_lib.results import NOT_RUN, NOTHING, across_seeds, less, longest, score_name, words
from histolab_lib.results.comparison import variant_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["against_paper", "difference", "interval", "with_interval"]

_COLUMNS = ("set", "score", "paper", "released code, here", "the text, here", "schedule", "verdict", "why")


def with_interval(score: Summary, *, percent: bool = False) -> str:
    """Return a mean over images with its 95 % interval in brackets.

    Parameters
    ----------
    score : Summary
        As `metrics.summarise` gives it.
    percent : bool
        In percent with one decimal; not for distances.

    Examples
    --------
    >>> from histolab_lib.metrics import summarise
    >>> alike = summarise([{"name": "a", "dice": 0.5}, {"name": "b", "dice": 0.5}], "dice")
    >>> with_interval(alike), with_interval(alike, percent=True)
    ('0.500 [0.500, 0.500]', '50.0 [50.0, 50.0] %')
    """
    return _spoken(score.mean, score.low, score.high, score.metric, percent)


def _spoken(mean: float, low: float, high: float, metric: str, percent: bool) -> str:
    if not percent:
        return f"{words(mean, metric)} [{words(low, metric)}, {words(high, metric)}]"
    if metric in DISTANCES:
        raise ValueError(f"percent: {metric} is a distance in pixels")
    return f"{100 * mean:.1f} [{100 * low:.1f}, {100 * high:.1f}] %"


def interval(runs: Sequence[Record], metric: str, *, split: str = "test", percent: bool = False) -> str:
    """Return what runs score, with its interval; `results.NOT_RUN` where there are none.

    Parameters
    ----------
    runs : sequence of Record
        They differ by their seed alone, as `results.longest` gives them.
    metric : str
    split : str
        One of their splits, or ``"test"``, all of them together.
    percent : bool
        As for `with_interval`.

    Examples
    --------
    >>> interval([], "dice")
    'not run'
    """
    return with_interval(across_seeds(runs, split, metric), percent=percent) if runs else NOT_RUN


def against_paper(claims: Iterable[Claim], records: Iterable[Record]) -> "pd.DataFrame":
    """Return published scores of a paper's own network beside what its runs reached here, and the verdict.

    Parameters
    ----------
    claims : iterable of Claim
        A line for each. A row of an ablation is held against the runs of that variant.
    records : iterable of Record
        Of any sets and networks; those of the longest schedule are shown, on glands those with the rules for glands.

    Returns
    -------
    DataFrame
        Columns: set; score; paper; released code, here and the text, here (mean or, where the verdict is about it,
        pooled score, with its interval, in the unit of the paper; `results.NOT_RUN`; `results.NOTHING` where no code
        was released or the printed value cannot be read); schedule of the runs by the text, and how many seeds; verdict
        and why (`audit.verdicts.judge`), of the text alone.
    """
    import pandas as pd

    rows = list(records)
    return pd.DataFrame([_line(one, rows) for one in claims], columns=list(_COLUMNS))


def _line(claim: Claim, records: Sequence[Record]) -> tuple[str, ...]:
    from histolab_lib.papers.registry import networks

    text, code = (_runs_of(claim, records, reading) for reading in ("paper", "code"))
    verdict, of_code = (judge(claim, runs, _split(claim)) for runs in (text, code))
    return (
        claim.dataset if _split(claim) == "test" else f"{claim.dataset}, {claim.split}",
        score_name(claim.metric),
        f"{claim.value} %" if claim.unit == "percent" else claim.value,
        _reached(claim, of_code) if code or networks()[claim.paper].code else NOTHING,
        _reached(claim, verdict),
        _how(text),
        verdict.word,
        verdict.reason,
    )


def _split(claim: Claim) -> str:
    """Of the records: where a paper does not say on which images it scored, all test images."""
    return "test" if claim.split == "unstated" else claim.split


def _runs_of(claim: Claim, records: Sequence[Record], reading: str) -> list[Record]:
    of_set = [one for one in records if one.dataset == claim.dataset]
    variant = variant_of(claim)
    for_glands = "glands" if variant == "base" else f"{variant}__glands"
    return longest(of_set, claim.paper, for_glands, reading) or longest(of_set, claim.paper, variant, reading)


def _reached(claim: Claim, ours: Verdict) -> str:
    if math.isnan(ours.ours):
        return NOTHING if claim.number is None else NOT_RUN
    metric = "dice" if claim.metric == "f1" else claim.metric
    return _spoken(ours.ours, ours.low, ours.high, metric, claim.unit == "percent")


def _how(runs: Sequence[Record]) -> str:
    if not runs:
        return NOTHING
    return runs[0].schedule + (f", {len(runs)} seeds" if len(runs) > 1 else "")


def difference(
    records: Iterable[Record],
    key: str,
    variant: str,
    metric: str,
    *,
    other: str = "base",
    percent: bool = False,
) -> str:
    """Return what a variant by the paper's text scores less another one, image by image, with its interval.

    Parameters
    ----------
    records : iterable of Record
        Those of one set.
    key, variant : str
    metric : str
    other : str
        The variant that is subtracted.
    percent : bool
        In points of percent with one decimal; not for distances.

    Returns
    -------
    str
        Of the longest schedule that both have, over the seeds that both have, on all test images;
        `results.NOT_RUN` where they have none in common, `results.NOTHING` for a variant less itself.

    Examples
    --------
    >>> difference([], "msal_net", "eca", "dice"), difference([], "msal_net", "base", "dice")
    ('not run', '-')
    """
    if variant == other:
        return NOTHING
    if percent and metric in DISTANCES:
        raise ValueError(f"percent: {metric} is a distance in pixels")
    found = less(records, key, variant, metric, other=other)
    if found is None:
        return NOT_RUN
    mean, low, high = (_signed(value, metric, percent) for value in (found.difference, found.low, found.high))
    return f"{mean} [{low}, {high}]" + (" points" if percent else "")


def _signed(value: float, metric: str, percent: bool) -> str:
    return f"{100 * value:+.1f}" if percent else f"{value:+.{1 if metric in DISTANCES else 3}f}"
