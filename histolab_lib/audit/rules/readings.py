"""What a claimed improvement can mean, in numbers."""

import re
from collections.abc import Sequence
from fractions import Fraction

from histolab_lib.audit.intervals import Interval
from histolab_lib.audit.rules.cells import LOWER_IS_BETTER, better, is_mean, name, quantity
from histolab_lib.audit.rules.sentences import Pair, quotation
from histolab_lib.claims import SCORES, Claim

__all__ = ["PLAIN", "claimed", "fitting", "given", "opponents", "readings"]

#: Readings that a reader thinks of first.
PLAIN = ("in points", "as a difference", "relative to the other")


def opponents(found: Sequence[Pair]) -> list[Pair]:
    """Return the pairs that a gain is measured by: the data as a whole or the mean; of "all others" the best.

    Of the others of the same table, data and metric, each that rounding leaves a candidate for the best is kept.
    """
    whole = [pair for pair in found if not pair.ahead.group or is_mean(pair.ahead)] or list(found)
    kept = []
    for pair in whole:
        rivals = [one for one in whole if one.everybody and one.ahead == pair.ahead]
        if not pair.everybody or not any(better(one.behind, pair.behind) for one in rivals):
            kept.append(pair)
    return kept


def claimed(said: Claim) -> Interval | None:
    """Return what a printed improvement may be, in its own unit; for "2 % to 3 %" all from the low to the high end."""
    if said.interval is None or said.number is None:
        return None
    low, high = map(Fraction, said.interval)
    shown = re.escape(f"{said.number:f}")
    upper = re.search(rf"(?<![\d.]){shown} ?%? ?(?:to|-|–) ?(\d+(?:\.\d+)?)", quotation(said))
    if upper:
        high = max(high, Fraction(upper[1]) + (high - low) / 2)
    return Interval(low, high)


def readings(said: Claim, pair: Pair) -> dict[str, Interval]:
    """Return what the improvement from `behind` to `ahead` is in each reading, in the unit of the claim.

    Examples
    --------
    >>> from histolab_lib.claims import claim
    >>> from dataclasses import replace
    >>> cells = [claim(f"histoseg/table-iv/{row}/glas/test/f1") for row in ("u-net++", "u-net")]
    >>> said = replace(cells[0], row="U-Net++ > U-Net in f1", metric="gain", value="0.25")
    >>> [f"{name}: {float(found.low):.3f} to {float(found.high):.3f}" for name, found in
    ...  list(readings(said, Pair(*cells, everybody=False)).items())[:2]]
    ['in points: 0.240 to 0.260', 'relative to the other: 0.309 to 0.334']
    """
    a, b = quantity(pair.ahead), quantity(pair.behind)
    if a is None or b is None:
        return {}
    up = b - a if pair.ahead.metric in LOWER_IS_BETTER else a - b
    score = pair.ahead.metric in SCORES
    found = {"in points" if score else "as a difference": up}
    if said.unit != "px":
        quotients = {"relative to the other": b, "relative to the better one": a}
        if score:
            quotients["as a share of the error left"] = Interval.of(1) - b
        found |= {reading: up / whole for reading, whole in quotients.items() if not whole.low <= 0 <= whole.high}
    scale = {"percent": 100}.get(said.unit, 1)
    scaled = {reading: value * Interval.of(scale) for reading, value in found.items()}
    if said.unit == "none":
        scaled |= {f"{reading}, in percent": value * Interval.of(100) for reading, value in found.items()}
    return scaled


def fitting(said: Claim, printed: Interval | None, found: Sequence[Pair], only: Sequence[str] = ()) -> dict[str, Pair]:
    """Return the readings that meet the printed improvement, each with the first pair of cells that makes it so."""
    fits: dict[str, Pair] = {}
    for pair in found:
        for reading, value in readings(said, pair).items():
            if printed is not None and value.meets(printed) and (not only or reading in only):
                fits.setdefault(reading, pair)
    return fits


def given(said: Claim, found: Sequence[Pair]) -> str:
    """Say what the table gives in the two plainest readings, for an explanation."""
    parts = []
    for pair in found:
        values = ", ".join(
            f"{_span(value)} {reading}" for reading, value in readings(said, pair).items() if reading in PLAIN
        )
        parts.append(f"{values} ({name(pair.ahead)}, {pair.behind.row}: {pair.behind.value})")
    return "; ".join(parts)


def _span(value: Interval) -> str:
    return f"{float(value.low):.2f} to {float(value.high):.2f}"
