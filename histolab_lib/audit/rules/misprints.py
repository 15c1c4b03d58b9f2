"""How one printed number may have become another: a displaced point, a wrong or a lost digit, a cut, two rounds."""

from decimal import Decimal

from histolab_lib.audit.intervals import Interval
from histolab_lib.audit.rules.cells import dimension, quantity
from histolab_lib.claims import Claim

__all__ = ["misprint"]


def misprint(one: Claim, other: Claim) -> str:
    """Say which slip makes one printed number of the other.

    Returns
    -------
    str
        ``"cut"``: the shorter is the longer without its last digits; ``"twice"``: the longer was rounded, and what came
        of it once more, to the shorter; ``"point"``: same digits, the point displaced;
        ``"digit"``: one digit differs; ``"neighbours"``: two neighbouring digits exchanged; ``"lost"``: one has a digit
        less; empty where it is none of these. Numbers of fewer than three digits are not told apart by digits.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from histolab_lib.claims import claim
    >>> dice = claim("haru_net/table-1/u-net/monuseg/test/dice")
    >>> [misprint(dice, replace(dice, value=value)) for value in ("7.58", "0.785", "0.768", "0.75", "0.7589", "0.71")]
    ['point', 'neighbours', 'digit', 'cut', 'cut', '']
    >>> [misprint(dice, replace(dice, value=value)) for value in ("0.75748", "0.75742")]
    ['twice', '']
    """
    if _cut(one, other) or _cut(other, one):
        return "cut"
    if _twice(one, other) or _twice(other, one):
        return "twice"
    first, second = _digits(one), _digits(other)
    if min(len(first), len(second)) < 2 or max(len(first), len(second)) < 3:
        return ""
    if first.rstrip("0") == second.rstrip("0"):
        return "lost" if dimension(one) in ("count", "px") else "point"
    if len(first) == len(second):
        differing = [place for place, (a, b) in enumerate(zip(first, second, strict=True)) if a != b]
        if len(differing) == 1:
            return "digit"
        if len(differing) == 2 and differing[1] == differing[0] + 1 and sorted(first) == sorted(second):
            return "neighbours"
        return ""
    longer, shorter = sorted((first, second), key=len, reverse=True)
    lost = any(longer[:place] + longer[place + 1 :] == shorter for place in range(len(longer)))
    return "lost" if lost else ""


def _cut(short: Claim, long: Claim) -> bool:
    """Whether `short` may be what remains of the number behind `long` when digits are dropped; not for exact counts."""
    first, second = quantity(short), quantity(long)
    if first is None or second is None or first.low == first.high or first.meets(second):
        return False
    middle, width = (first.low + first.high) / 2, first.high - first.low
    return second.high - second.low < width and middle <= second.high and second.low < middle + width


def _twice(short: Claim, long: Claim) -> bool:
    """Whether rounding to one place more than `short` has, then to its own, may make it of `long`: 0.8447, 0.845, 0.85.

    The first rounding moves a number by at most half a unit of that place, a twentieth of a unit of the last one.
    """
    first, second = quantity(short), quantity(long)
    if first is None or second is None or (first.high - first.low) < 100 * (second.high - second.low):
        return False
    slack = Interval.of(-(first.high - first.low) / 20, (first.high - first.low) / 20)
    return first.low < first.high and not first.meets(second) and (first + slack).meets(second)


def _digits(claim: Claim) -> str:
    """The digits that tell, whatever unit they are printed in: 0.80 and 80 % have the same."""
    number = Decimal(0) if claim.number is None else abs(claim.number)
    return "".join(one for one in f"{number:f}" if one.isdigit()).lstrip("0")
