"""Printed numbers made comparable: what a number is about, how large it may be, which of two is better."""

from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from histolab_lib.audit.intervals import Interval
from histolab_lib.audit.rules.names import one_name
from histolab_lib.claims import COMPARING, DISTANCES, WORDED, Claim

__all__ = ["LOWER_IS_BETTER", "What", "better", "dimension", "is_mean", "name", "numbers", "quantity", "what"]

#: What one wants little of; of everything else more is better.
LOWER_IS_BETTER = (*DISTANCES, "training_time", "parameters", "memory")
#: How tables call the mean over the parts of the data.
_MEAN = ("average", "avg", "mean")
_DIMENSIONS = {
    "fraction": ("share", Fraction(1)),
    "percent": ("share", Fraction(1, 100)),
    "count": ("count", Fraction(1)),
    "million": ("count", Fraction(10**6)),
    "seconds": ("time", Fraction(1)),
    "minutes": ("time", Fraction(60)),
    "hours": ("time", Fraction(3600)),
}


class What(NamedTuple):
    """What a number is about, wherever it is printed; two claims with the same one speak of the same figure."""

    system: str
    group: str
    dataset: str
    split: str
    metric: str
    dimension: str


@lru_cache(maxsize=2**16)
def what(claim: Claim) -> What:
    """Return what a claim is about. The mean over the parts of the data counts as the data as a whole.

    Examples
    --------
    >>> from histolab_lib.claims import claim
    >>> what(claim("dan_nucnet/table-4/nucleisegnet/kumar/test/f1"))[:5]
    ('nucleisegnet', '', 'kumar', 'test', 'f1')
    """
    group = "" if is_mean(claim) else claim.group.casefold()
    system = one_name(claim.paper, claim.system)
    return What(system, group, claim.dataset, claim.split, claim.metric, dimension(claim))


def is_mean(claim: Claim) -> bool:
    """Whether the row is the mean over the parts of the data."""
    return claim.group.casefold() in _MEAN


def dimension(claim: Claim) -> str:
    """Return what its unit measures; numbers of one dimension can be compared."""
    return _DIMENSIONS[claim.unit][0] if claim.unit in _DIMENSIONS else claim.unit


@lru_cache(maxsize=2**16)
def quantity(claim: Claim) -> Interval | None:
    """Return what a printed number may be, as a fraction, a count or seconds; None for what is no number.

    Examples
    --------
    >>> from histolab_lib.claims import claim
    >>> quantity(claim("gland_linknet/section-ii-b/linknet/parameters"))
    Interval(low=Fraction(10500000, 1), high=Fraction(11500000, 1))
    """
    if claim.interval is None or claim.metric in (*COMPARING, *WORDED):
        return None
    scale = _DIMENSIONS.get(claim.unit, ("", Fraction(1)))[1]
    return Interval(Fraction(claim.interval[0]) * scale, Fraction(claim.interval[1]) * scale)


def numbers(claims: Iterable[Claim]) -> list[Claim]:
    """Return the claims that are numbers, not words and not comparisons."""
    return [one for one in claims if quantity(one) is not None]


def better(one: Claim, other: Claim) -> bool:
    """Whether the one is surely better than the other, whatever rounding has hidden.

    Examples
    --------
    >>> from histolab_lib.claims import claim
    >>> rows = [claim(f"histoseg/table-iv/{row}/monuseg/test/f1") for row in ("u-net", "u-net++")]
    >>> better(rows[1], rows[0]), better(rows[0], rows[0])
    (True, False)
    """
    first, second = quantity(one), quantity(other)
    if first is None or second is None or dimension(one) != dimension(other):
        return False
    return second.above(first) if one.metric in LOWER_IS_BETTER else first.above(second)


def name(claim: Claim, *, place: bool = True) -> str:
    """Name a number for a reader: where, row, metric, data, value.

    Examples
    --------
    >>> from histolab_lib.claims import claim
    >>> name(claim("histoseg/table-iv/u-net/monuseg/test/f1"))
    'Table IV, U-Net, f1 on monuseg: 79.43'
    """
    split = "" if claim.split in ("none", "unstated", "all", "test") else f", {claim.split}"
    data = f" on {claim.dataset}{split}" if claim.dataset != "none" else ""
    parts = (claim.location if place else "", claim.row, f"{claim.metric}{data}: {claim.value}")
    return ", ".join(part for part in parts if part)
