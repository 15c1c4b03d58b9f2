"""Rules inside one table: the row of means, and a number that is ten times too small."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from fractions import Fraction

from histolab_lib.audit.finding import Finding, finding
from histolab_lib.audit.intervals import Interval
from histolab_lib.audit.registry import rule
from histolab_lib.audit.rules.cells import is_mean, name, quantity
from histolab_lib.audit.rules.names import one_name
from histolab_lib.claims import SCORES, Claim

__all__ = ["mean_row", "scale"]

_MEAN_ROW, _SCALE = "mean-row", "scale"
_Column = tuple[Claim, list[Claim]]


@rule(
    _MEAN_ROW,
    title="Is the row of means the mean of its rows?",
    assumes="the mean is taken over the rows that are printed, each counted once or with a weight that is not negative",
)
def mean_row(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""The printed mean of a column must be within reach of the printed numbers above it.

    Let $x_1, \dots, x_n$ be the numbers before rounding, $x_i \in [l_i, u_i]$ by their printed digits.

    1. *Any* mean with weights $w_i \ge 0$, $\sum_i w_i = 1$ lies in $[\min_i l_i, \max_i u_i]$, for
       $\min_i l_i \le \sum_i w_i l_i \le \sum_i w_i x_i \le \sum_i w_i u_i \le \max_i u_i$. A pooled score, a ratio of
       sums, is such a mean of the pooled scores of the parts, with their denominators as weights. So a printed mean
       whose interval does not meet this one is `impossible`.
    2. The *unweighted* mean lies in $[\frac1n\sum_i l_i, \frac1n\sum_i u_i]$. Where the paper says that it averages
       over the groups, a printed mean that does not meet this interval is `inconsistent`. Where the paper does not say
       how it averages, weights (the numbers of images in the groups) may explain it: `unlikely`. Where it averages over
       images or pools, only 1. is tested.

    A score that cannot be read counts as anything from 0 to 1; another number that cannot be read ends the test.

    Sure: both statements are exact, whatever the authors round. A pooled mean of rows that are means over images is no
    mean of its rows, so there 1. says `unlikely`.

    **False alarms.** None of unweighted means. Of means over images, in tables that do not say so, nearly all, since
    parts seldom have equal numbers of images: the finding asks how the mean was taken.
    """
    columns = _columns(claims)
    beside: dict[tuple[str, ...], dict[str, _Column]] = defaultdict(dict)
    for key, column in columns.items():
        beside[key[:-1]][key[-1]] = column
    for key, (mean, rows) in columns.items():
        parts = [_possible(one) for one in rows]
        if any(one is None for one in parts):
            continue
        known = [one for one in parts if one is not None]
        target = quantity(mean)
        if target is None:
            continue
        others = {metric: column for metric, column in beside[key[:-1]].items() if metric != key[-1]}
        severity, words = _judge(mean, rows, target, known)
        if severity != "fine":
            words += _explain(mean, rows, target, known, others)
        yield finding([mean, *rows], _MEAN_ROW, severity, words)


def _columns(claims: Sequence[Claim]) -> dict[tuple[str, ...], _Column]:
    """Columns of tables that have a row of means and at least two rows of parts."""
    parts: dict[tuple[str, ...], list[Claim]] = defaultdict(list)
    for one in claims:
        if one.group:
            system = one_name(one.paper, one.system)
            parts[one.location, system, one.dataset, one.split, one.unit, one.metric].append(one)
    found: dict[tuple[str, ...], _Column] = {}
    for key, column in parts.items():
        rows = [one for one in column if not is_mean(one)]
        means = [one for one in column if is_mean(one)]
        if len(means) == 1 and len(rows) >= 2:
            found[key] = (means[0], rows)
    return found


def _possible(claim: Claim) -> Interval | None:
    if claim.number is None and claim.metric in SCORES:
        return Interval.of(0, 1)
    return quantity(claim)


def _mean(parts: Sequence[Interval]) -> Interval:
    total = sum(parts, Interval.of(0))
    return Interval(total.low / len(parts), total.high / len(parts))


def _judge(mean: Claim, rows: list[Claim], target: Interval, parts: list[Interval]) -> tuple[str, str]:
    called = f"{name(mean)} over {len(rows)} rows"
    hull = Interval(min(one.low for one in parts), max(one.high for one in parts))
    if not target.meets(hull):
        mixed = mean.averaging == "pooled" and any(one.averaging != "pooled" for one in rows)
        side = "above the largest" if target.low > hull.high else "below the smallest"
        return "unlikely" if mixed else "impossible", f"{called}: it is {side} of them, which no mean can be."
    if target.meets(_mean(parts)):
        return "fine", f"{called}: it is their unweighted mean, within rounding."
    if mean.averaging in ("per_image", "pooled"):
        return "fine", f"{called}: not their unweighted mean, but it is one over images, and lies between them."
    if mean.averaging == "per_group":
        return "inconsistent", f"{called}: it is not their unweighted mean."
    return "unlikely", f"{called}: it is not their unweighted mean; unequal numbers of images could explain it."


def _explain(
    mean: Claim, rows: list[Claim], target: Interval, parts: list[Interval], others: dict[str, _Column]
) -> str:
    for metric, (other_mean, other_rows) in others.items():
        theirs = [one for one in map(_possible, other_rows) if one is not None]
        there = quantity(other_mean)
        if there is None or len(theirs) < len(other_rows):
            continue
        if target.meets(_mean(theirs)) and there.meets(_mean(parts)):
            return f" The means of {mean.metric} and {metric} seem to be exchanged."
    if len(rows) > 2:
        left_out = [
            row.group for place, row in enumerate(rows) if target.meets(_mean(parts[:place] + parts[place + 1 :]))
        ]
        if left_out and len(left_out) < len(rows):
            return f" Without one row it would be: {', '.join(left_out)}."
    return ""


@rule(
    _SCALE,
    title="Has a score lost a factor of ten?",
    assumes="the scores of one column lie within a factor of three of each other",
)
def scale(claims: Sequence[Claim]) -> Iterator[Finding]:
    """A score of less than a third of all others in its column that ten times as large, or a hundred, lies among them.

    A point that slipped, or a fraction in a column of percents, divides a score by ten or a hundred. In a column of at
    least four scores, one that is surely less than a third of the next smallest, while ten or a hundred times as much
    is at least that one and at most 1, is `unlikely` to be what was measured.

    How sure: no proof, for a network can fail. Of columns whose true scores lie within a factor of three, none is ever
    accused. Scores that the paper prints in two places are left to the rule that compares those.

    **False alarms.** As rare as networks that fail by so much: measured on tables like those of the five papers in
    which one in fifty, or every fifth, has failed.
    """
    columns: dict[tuple[str, ...], list[Claim]] = defaultdict(list)
    for one in claims:
        if one.metric in SCORES and quantity(one) is not None:
            columns[one.location, one.dataset, one.split, one.metric, one.group].append(one)
    for column in columns.values():
        if len(column) < 4:
            continue
        slipped = _slipped(column)
        if slipped:
            words = f"{name(slipped)} is less than a third of every other in its column; has it lost a factor of ten?"
            yield finding([slipped], _SCALE, "unlikely", words)
        rest = [one for one in column if one is not slipped]
        words = f"The {len(rest)} values of {rest[0].metric} in {rest[0].location} are of one scale."
        yield finding(rest, _SCALE, "fine", words)


def _slipped(column: list[Claim]) -> Claim | None:
    """The smallest score of a column if it has slipped; no other can be so far below all the rest."""
    sizes = sorted(((found.low, place) for place, found in enumerate(map(quantity, column)) if found is not None))
    (_, place), (least, _) = sizes[:2]
    own = quantity(column[place])
    if own is None or own.high * 3 >= least:
        return None
    grown = [Interval(own.low * factor, own.high * factor) for factor in (Fraction(10), Fraction(100))]
    return column[place] if any(larger.high >= least and larger.low <= 1 for larger in grown) else None
