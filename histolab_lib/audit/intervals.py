"""Arithmetic with what rounding allows: exact rational numbers, closed intervals, no floating point."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from histolab_lib.claims import Claim

__all__ = ["Interval", "share"]


@dataclass(frozen=True)
class Interval:
    """All numbers from `low` to `high`, both included.

    Examples
    --------
    >>> Interval.of("0.1", "0.2") + Interval.of(1)
    Interval(low=Fraction(11, 10), high=Fraction(6, 5))
    >>> Interval.of("0.1", "0.2").above(Interval.of("0.2"))
    False
    """

    low: Fraction
    high: Fraction

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"low must not be above high, got {self.low} and {self.high}")

    @classmethod
    def of(cls, low: Decimal | Fraction | int | str, high: Decimal | Fraction | int | str | None = None) -> "Interval":
        """Make one from its ends, or from one exact number."""
        return cls(Fraction(low), Fraction(low if high is None else high))

    def __add__(self, other: "Interval") -> "Interval":
        return Interval(self.low + other.low, self.high + other.high)

    def __sub__(self, other: "Interval") -> "Interval":
        return Interval(self.low - other.high, self.high - other.low)

    def __mul__(self, other: "Interval") -> "Interval":
        ends = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(min(ends), max(ends))

    def __truediv__(self, other: "Interval") -> "Interval":
        """Divide by an interval without zero.

        Raises
        ------
        ZeroDivisionError
            If `other` holds zero.
        """
        if other.low <= 0 <= other.high:
            raise ZeroDivisionError(f"an interval that holds zero cannot divide: {other}")
        return self * Interval(1 / other.high, 1 / other.low)

    def meets(self, other: "Interval") -> bool:
        """Whether some number lies in both."""
        return self.low <= other.high and other.low <= self.high

    def above(self, other: "Interval") -> bool:
        """Whether every number of this one is larger than every number of the other."""
        return self.low > other.high


def share(claim: Claim) -> Interval | None:
    """Return what a printed score may be, as a fraction whatever its unit; None where it cannot be read.

    Examples
    --------
    >>> from histolab_lib.claims import claim
    >>> share(claim("histoseg/table-iv/u-net/monuseg/test/f1"))
    Interval(low=Fraction(3177, 4000), high=Fraction(15887, 20000))
    """
    if claim.interval is None or claim.unit not in ("fraction", "percent"):
        return None
    scale = 100 if claim.unit == "percent" else 1
    return Interval(Fraction(claim.interval[0]) / scale, Fraction(claim.interval[1]) / scale)
