"""What a recorded run says of a published score, by a rule that was fixed before any run was compared.

The rule stands in ``data/verdicts.toml``: how near is near enough, which pairs are counterparts, and every change with
its date.
"""

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import mean
from typing import Any, NamedTuple

from histolab_lib.claims import DISTANCES, Claim
from histolab_lib.data_dir import DataError, data_dir
from histolab_lib.metrics import pooled_interval
from histolab_lib.record import LEAK, Record
from histolab_lib.results import Row, across_seeds, images_of, words

__all__ = [
    "VERDICTS",
    "Counterpart",
    "Spread",
    "Verdict",
    "changes",
    "counterparts",
    "judge",
    "judge_gain",
    "judge_row",
    "spread_over_seeds",
]

#: What a verdict can be. ``not tested``: no run, or one too short to speak against the paper.
VERDICTS = (
    "reproduced", "exceeded", "not reproduced", "attained on a reduced schedule", "not tested", "leak", "counterpart",
)  # fmt: skip

#: Schedules that train as long as the paper says; ``none``: nothing is trained.
_FULL = ("gpu", "none")


@dataclass(frozen=True)
class Verdict:
    """A verdict and what it rests on.

    Attributes
    ----------
    word : str
        Of `VERDICTS`.
    reason : str
        A sentence for readers.
    ours, low, high : float
        Our score and its interval, in the metric's own unit (shares of 1, pixels); NaN without a run.
    """

    word: str
    reason: str
    ours: float = math.nan
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True)
class Spread:
    """How much a score moves with the seed alone.

    Attributes
    ----------
    seeds : int
    width : float
        The largest mean over images less the smallest; NaN for a single seed.
    """

    seeds: int
    width: float


class Counterpart(NamedTuple):
    """Where what can be run here is another experiment than the one that a paper reports.

    Attributes
    ----------
    paper : str
    datasets : tuple of str
        Sets of which this holds.
    why : str
        What differs, in words that can follow a colon.
    metrics : tuple of str
        Published metrics of which this holds; empty: all.
    """

    paper: str
    datasets: tuple[str, ...]
    why: str
    metrics: tuple[str, ...] = ()


@cache
def _rule() -> Mapping[str, Any]:
    path = data_dir() / "verdicts.toml"
    try:
        with path.open("rb") as file:
            rule = tomllib.load(file)
        _ = rule["within"]["score"], rule["within"]["distance"], rule["interval"]["level"], rule["change"]
        _ = [(one["paper"], one["datasets"], one["why"]) for one in rule.get("counterpart", ())]
        _ = [(one["paper"], one["metrics"], one["why"]) for one in rule.get("pooled", ())]
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise DataError(f"{path}: cannot be read as the rule of verdicts ({error!r})") from error
    return rule


def changes() -> list[tuple[str, str]]:
    """Return the day and the words of every change of the rule, the first version included."""
    return [(change["date"].isoformat(), change["what"]) for change in _rule()["change"]]


def counterparts() -> list[Counterpart]:
    """Return the pairs of paper and sets that the rule names as other experiments, in its order.

    Examples
    --------
    >>> [one.datasets for one in counterparts() if "Kumar" in one.why]
    [('kumar',)]
    """
    told = _rule().get("counterpart", ())
    return [
        Counterpart(one["paper"], tuple(one["datasets"]), one["why"], tuple(one.get("metrics", ()))) for one in told
    ]


def judge(claim: Claim, runs: Sequence[Record], split: str | None = None) -> Verdict:
    """Judge a published score by recorded runs.

    Parameters
    ----------
    claim : Claim
        A score or a distance.
    runs : sequence of Record
        Of one network, set, variant, reading and schedule; they differ by their seed alone. Empty: nothing was run.
    split : str, optional
        Of the records; default: that of the claim.

    Returns
    -------
    Verdict
        In this order. *not tested*: no run, or the value cannot be read. *leak*: the run chose on test data.
        *counterpart*: another experiment or another score, as ``data/verdicts.toml`` says, or another protocol than the
        paper's. With the paper's own schedule *reproduced*: the printed value lies inside our interval, or within 0.01
        (5 % for distances) of our mean; else *exceeded* or *not reproduced*. With a shorter one *attained on a reduced
        schedule*: ours is equal or better, rounding allowed for; else *not tested*. Ours is pooled over all images
        where the printed score is, by its own words or by that file.

    Raises
    ------
    ValueError
        If the claim is no score, or the runs differ by more than their seed.
    """
    metric = "dice" if claim.metric == "f1" else claim.metric  # of pixels, the same number
    if not claim.averaging:
        raise ValueError(f"{claim.key}: only scores are judged by runs, {claim.metric} is none")
    if claim.number is None:
        return Verdict("not tested", "the printed value cannot be read")
    split = claim.split if split is None else split
    able = [run for run in runs if metric in run.summary.get(split, {})]
    if not able:
        return Verdict("not tested", "no run is recorded")
    if len({(run.key, run.dataset, run.variant, run.reading, run.schedule) for run in able}) > 1:
        raise ValueError(f"{claim.key}: runs must differ by their seed alone, got {[run.name for run in able]}")
    ours, low, high = _ours(able, split, metric, pooled=_is_pooled(claim))
    word, reason = _word(claim, able[0], metric, ours, low, high)
    return Verdict(word, reason, ours, low, high)


def judge_row(row: Row) -> list[Verdict]:
    """Judge each printed number of a line of `results.compare` by the runs that stand in it."""
    return [judge(one, row.runs, row.split) for one in row.printed]


def _is_pooled(claim: Claim) -> bool:
    """Whether a published score is one of all images' pixels together, as it says or the rule knows."""
    known = ((one["paper"], metric) for one in _rule().get("pooled", ()) for metric in one["metrics"])
    return claim.averaging == "pooled" or (claim.averaging == "unstated" and (claim.paper, claim.metric) in known)


def _ours(runs: Sequence[Record], split: str, metric: str, *, pooled: bool) -> tuple[float, float, float]:
    found = across_seeds(runs, split, metric)
    if not pooled:
        return found.mean, found.low, found.high
    each = [_pooled(run, split, metric) for run in runs]
    return mean(one[0] for one in each), mean(one[1] for one in each), mean(one[2] for one in each)


def _pooled(run: Record, split: str, metric: str) -> tuple[float, float, float]:
    rows = images_of(run, split)
    groups = {row["name"]: row["group"] for row in rows if "group" in row}
    return run.summary[split][metric]["pooled"], *pooled_interval(rows, metric, groups=groups or None)


def _word(claim: Claim, run: Record, metric: str, ours: float, low: float, high: float) -> tuple[str, str]:
    if LEAK in run.variant.split("__"):
        return "leak", "the run chose on test tiles, as the released code does; it proves nothing"
    if why := _counterpart(claim, run):
        return "counterpart", why
    printed = float(claim.number or 0) / (100 if claim.unit == "percent" else 1)
    better = ours - printed if metric not in DISTANCES else printed - ours
    said = f"ours {words(ours, metric)} [{words(low, metric)}, {words(high, metric)}]"
    if run.schedule not in _FULL:
        if better >= -_rounding(claim):
            return "attained on a reduced schedule", f"{said} after the schedule {run.schedule}"
        return "not tested", f"{said}, but the schedule {run.schedule} is shorter than the paper's"
    within = _rule()["within"]
    near = within["distance"] * ours if metric in DISTANCES else within["score"]
    if low <= printed <= high:
        return "reproduced", f"the printed value lies inside our interval: {said}"
    if abs(better) <= near:
        return "reproduced", f"the printed value lies within {words(near, metric)} of our mean: {said}"
    return ("exceeded", f"{said} is better") if better > 0 else ("not reproduced", f"{said} is worse")


def _counterpart(claim: Claim, run: Record) -> str:
    for one in counterparts():
        if (
            claim.paper == one.paper
            and run.dataset in one.datasets
            and claim.metric in (one.metrics or (claim.metric,))
        ):
            return one.why
    if run.reading == "clean":
        return "our protocol, the same for all networks, not the one by which the printed value was reached"
    return ""


def _rounding(claim: Claim) -> float:
    low, high = claim.interval or (0, 0)
    return float(high - low) / 2 / (100 if claim.unit == "percent" else 1)


def spread_over_seeds(runs: Sequence[Record], split: str, metric: str) -> Spread:
    """Return how much the mean over images moves between runs that differ by their seed alone."""
    means = [run.summary[split][metric]["mean"] for run in runs if metric in run.summary.get(split, {})]
    return Spread(len(means), max(means) - min(means) if len(means) > 1 else math.nan)


def judge_gain(gain: Claim, spread: Spread) -> str:
    """Say whether a claimed gain is larger than what another seed would have changed.

    Parameters
    ----------
    gain : Claim
        Of the metric ``gain``, in fraction, percent (read as points) or pixels.
    spread : Spread
        Of the same score.

    Examples
    --------
    >>> from histolab_lib.claims import Claim
    >>> gain = Claim("mine", "Abstract", "A > B in dice", "monuseg", "test", "gain", "0.7%", "percent", "")
    >>> judge_gain(gain, Spread(3, 0.012))
    'smaller than what another seed changes: 0.012 between 3 seeds'
    """
    if gain.number is None or spread.seeds < 2:
        return "not tested: fewer than two seeds are recorded"
    size = float(gain.number) / (100 if gain.unit == "percent" else 1)
    how = "larger" if size > spread.width else "smaller"
    return f"{how} than what another seed changes: {spread.width:.3f} between {spread.seeds} seeds"
