"""The scores of one system, side by side, and what is said of one that the others do not allow."""

import re
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor

from histolab_lib.audit.finding import Finding, finding
from histolab_lib.audit.intervals import Interval, share
from histolab_lib.audit.rules.cells import what
from histolab_lib.audit.rules.known import known
from histolab_lib.audit.rules.paper import Paper
from histolab_lib.claims import Claim

__all__ = ["averaging", "doubts", "images", "judged", "named", "released", "shares", "together", "unit_share"]

_NAMES = {
    "dice": "Dice", "iou": "IoU", "f1": "F1", "aji": "AJI", "aji_plus": "AJI+", "pq": "PQ", "dq": "DQ", "sq": "SQ",
    "object_f1": "object F1", "object_dice": "object Dice", "boundary_f1": "boundary F1", "hd95": "HD95",
}  # fmt: skip
# A paper that says this of a metric, as the notes of its claims quote it, may have meant another one.
_DOUBTS = {
    "f1": (r"\bobjects?\b", "The paper also describes its F1 as one of objects, which has no such bound."),
    "iou": (r"\bclasses\b|\bmIoU\b", "The paper also speaks of a mean IoU over classes."),
    "dice": (r"\bclasses\b", "The paper also speaks of a mean over classes."),
}


def together(claims: Sequence[Claim], *metrics: str) -> Iterator[tuple[Claim, ...]]:
    """Yield the claims of these metrics that stand side by side: one paper, location, row, data set and split.

    Left out are rows in which one of them is missing, unreadable or outside 0 to 1 (another rule says so), and those
    whose stated averagings, or stated numbers of images, differ.

    Parameters
    ----------
    claims : sequence of Claim
    *metrics : str
        Names of scores; the tuples have their order.

    Examples
    --------
    >>> from histolab_lib.claims import claim
    >>> row = [claim(f"haru_net/table-1/u-net/monuseg/test/{metric}") for metric in ("aji", "dice", "pq")]
    >>> [one.value for group in together(row, "dice", "aji") for one in group]
    ['0.758', '0.556']
    >>> list(together(row, "dice", "iou"))
    []
    """
    rows: dict[tuple[str, ...], dict[str, Claim]] = {}
    for one in claims:
        if one.metric in metrics and unit_share(one):
            rows.setdefault((one.paper, one.location, one.row, one.dataset, one.split), {})[one.metric] = one
    for scores in rows.values():
        if len(scores) == len(metrics):
            group = tuple(scores[metric] for metric in metrics)
            ways = {one.averaging for one in group} - {"unstated"}
            sizes = {one.images for one in group} - {None}
            if len(ways) < 2 and len(sizes) < 2:
                yield group


@lru_cache(maxsize=2**16)
def unit_share(claim: Claim) -> Interval | None:
    """Return what a printed score may be, between 0 and 1; None where it cannot be read or lies outside."""
    printed = share(claim)
    if printed is None or printed.low > 1 or printed.high < 0:
        return None
    return _clipped(printed)


def _clipped(printed: Interval) -> Interval:
    low, high = (min(max(end, Fraction(0)), Fraction(1)) for end in (printed.low, printed.high))
    return Interval(low, high)


def shares(group: Sequence[Claim]) -> tuple[Interval, ...]:
    """Return what each score of a group of `together` may be."""
    return tuple(printed for printed in map(unit_share, group) if printed)


def averaging(group: Sequence[Claim]) -> str:
    """Return how the claims are averaged if all say the same, else "unstated"."""
    ways = {one.averaging for one in group}
    return ways.pop() if len(ways) == 1 else "unstated"


def images(group: Sequence[Claim]) -> int | None:
    """Return over how many images the claims are plain means, where all of them say so."""
    sizes = {one.images for one in group}
    return sizes.pop() if averaging(group) == "per_image" and len(sizes) == 1 else None


def named(claim: Claim) -> str:
    """Return a score for a sentence: ``"IoU 65.99"``."""
    return f"{_NAMES.get(claim.metric, claim.metric.replace('_', ' '))} {claim.value}"


def judged(
    rule: str, claims: Sequence[Claim], group: Sequence[Claim], region: Callable[..., Interval], *, hint: str = ""
) -> Finding:
    """Return what a rule finds: whether the last claim of the group can be what the others allow.

    Parameters
    ----------
    rule : str
        Its name.
    claims : sequence of Claim
        All of the paper: their notes tell where it defines a metric in two ways. An accusation is then
        ``inconsistent``, as another reading may allow the numbers, and so it is if they would fit with digits cut off
        instead of rounded; else ``impossible``.
    group : sequence of Claim
        As `together` yields them, the judged one last.
    region : callable
        Takes the intervals of the others, gives the one that they leave to the last.
    hint : str
        For an accusation: what could explain it. What the authors' released program does otherwise is added, and a
        number that the paper prints for the same score elsewhere, where that one would fit.
    """
    *given, claim = group
    *known, printed = shares(group)
    allowed = region(*known)
    others = " and ".join(named(one) for one in given)
    if printed.meets(allowed):
        ends = f"{_shown(allowed.low, claim, floor)} to {_shown(allowed.high, claim, ceil)}"
        return finding(list(group), rule, "fine", f"{named(claim)} lies within {ends}, which {others} leave to it.")
    side, most = ("above", "most") if printed.above(allowed) else ("below", "least")
    bound = _shown(allowed.high, claim, ceil) if side == "above" else _shown(allowed.low, claim, floor)
    said = f"{named(claim)} lies {side} {bound}, the {most} that {others} can go with on the same images and masks"
    said += "." if averaging(group) == "pooled" else ", however they are averaged, if all in the same way."
    reasons = doubts(claims, group) + _cut_off(group, region)
    severity = "inconsistent" if reasons else "impossible"
    found = _elsewhere(claims, group, region) + released(group, too_low=side == "below")
    return finding(list(group), rule, severity, " ".join(one for one in (said, *reasons, hint, *found) if one))


def released(group: Sequence[Claim], *, too_low: bool = False) -> list[str]:
    """Return what the released program of the paper is known to compute instead of these metrics, in sentences.

    What raises a score is left out where the last of the group is too low.

    Examples
    --------
    >>> from histolab_lib.claims import claim
    >>> released([claim("dan_nucnet/table-4/proposed/cpm17/test/iou")])
    ['The released program adds 100 pixels to intersection and union, which raises IoU.']
    """
    about = {(one.paper, one.metric) for one in group}
    told = [one for one in known()["evaluation"] if (one["paper"], one["metric"]) in about]
    return [one["words"] for one in told if not (too_low and one.get("raises"))]


def _elsewhere(claims: Sequence[Claim], group: Sequence[Claim], region: Callable[..., Interval]) -> list[str]:
    """Other prints of one of the scores with which the group would fit: then this one may be a misprint."""
    fitting = []
    for place, one in enumerate(group):
        for other in Paper.of(claims).prints.get(what(one), ()):
            if other.location != one.location and _apart(one, other):
                *known, last = shares([*group[:place], other, *group[place + 1 :]])
                fitting += (
                    [f"{other.location} has {named(other)}, which would fit."] if last.meets(region(*known)) else []
                )
    return fitting


def _apart(one: Claim, other: Claim) -> bool:
    """Whether two printed scores cannot be one number before rounding."""
    first, second = unit_share(one), unit_share(other)
    return first is not None and second is not None and not first.meets(second)


def _cut_off(group: Sequence[Claim], region: Callable[..., Interval]) -> list[str]:
    *known, last = (_clipped(one + Interval.of((one.high - one.low) / 2)) for one in map(share, group) if one)
    return ["Had digits been cut off instead of rounded, they would fit."] if last.meets(region(*known)) else []


def doubts(claims: Sequence[Claim], group: Sequence[Claim]) -> list[str]:
    """Return what the notes of a paper's claims tell of other readings of the metrics of a group, in sentences."""
    metrics = {one.metric for one in group}
    papers = {one.paper for one in group}
    return [
        words
        for metric, (pattern, words) in _DOUBTS.items()
        if metric in metrics
        and any(
            re.search(pattern, note) for paper in papers for note in Paper.of(claims).notes.get((paper, metric), ())
        )
    ]


def _shown(bound: Fraction, claim: Claim, rounded: Callable[[Fraction], int]) -> str:
    """Return a bound in the unit of a claim, with one place more than is printed there, rounded outwards."""
    places = max(0, -int(claim.number.as_tuple().exponent)) + 1 if claim.number is not None else 4
    scale = 100 if claim.unit == "percent" else 1
    return f"{rounded(bound * scale * 10**places) / 10**places:.{places}f}"
