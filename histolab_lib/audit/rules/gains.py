"""A rule on claimed improvements: does the table have them, in any reading?"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations

from histolab_lib.audit.finding import Finding, finding
from histolab_lib.audit.intervals import Interval
from histolab_lib.audit.registry import rule
from histolab_lib.audit.rules.cells import better, name, what
from histolab_lib.audit.rules.readings import PLAIN, claimed, fitting, given, opponents, readings
from histolab_lib.audit.rules.sentences import Pair, metrics_of, names_everybody, names_metric, pairs, quotation
from histolab_lib.claims import SCORES, Claim

__all__ = ["gain"]

_RULE = "gain"
_EACH = re.compile(r"\b(all|each|every|both|three|four)\b", re.IGNORECASE)
_ORDER_OPEN = re.compile(r"\b(three|four|all|both|these) [\w ]{0,20}metrics", re.IGNORECASE)


@dataclass(frozen=True)
class _Misfit:
    said: tuple[Claim, ...]
    cells: tuple[Claim, ...]
    severity: str
    words: str


@rule(
    _RULE,
    title="Does the table have the claimed improvement?",
    assumes="the improvement is a difference of two printed cells, in points or relative to one of them",
)
def gain(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""A claimed improvement must be within reach of the cells that it compares, in one of its readings.

    Let $a \in [a_l, a_u]$ be the number of the better one, $b$ that of the other, before rounding (exchanged where less
    is better). Read as points the improvement is $a - b \in [a_l - b_u, a_u - b_l]$; relative to the other
    $(a - b) / b$; relative to the better one $(a - b) / a$; as a share of the error that was left
    $(a - b) / (1 - b)$. Interval arithmetic encloses each, whether the authors subtracted before or after rounding. The
    claimed number has an interval of its own; "around 2 % to 3 %" reaches from the low end of the first to the high end
    of the second. Where no reading meets it, the claim is `inconsistent` with the table.

    Against "all others" the opponent is the best of them in that metric (each that rounding leaves a candidate). Of a
    claim with several metrics each must fit in one reading if the words say "all", else one of them suffices.

    What could explain a misfit is tried: another order of the metrics in one sentence (if all its numbers fit then, the
    sentence is one finding: `inconsistent` where it names the metrics, `unlikely` where it leaves their order open); a
    number cut off instead of rounded (`unlikely`); a worse opponent than the best, where the words do not say that all
    are meant, or another score, where they name none (`unlikely`); one digit; a factor of ten; another metric of the
    same two rows. Misfits of one sentence are one finding, and so is one that is said twice. `not testable here`: no
    printed cell tells of both sides.

    Sure: exact for the readings listed; another could excuse a claim, so the finding says what the table gives.

    **False alarms.** Of gains that are rounded, over the opponent and in the score that the words name, none. Of gains
    that are cut off, over an opponent or in a score that the words leave open, or in an order that they leave open, as
    many as do not also fit the plain reading: the finding names the reading that fits.
    """
    sentences: dict[tuple[object, ...], list[Claim]] = defaultdict(list)
    for one in claims:
        if one.metric == "gain" and one.comparison:
            key = (one.location, quotation(one), one.comparison.ranks, one.comparison.table, one.dataset, one.split)
            sentences[key].append(one)
    misfits: list[_Misfit] = []
    for together in sentences.values():
        found = {one: opponents(pairs(one, claims, metrics_of(one))) for one in together}
        misfit = []
        for one, its in found.items():
            fit = _fit(one, its)
            if not its:
                words = "No table has numbers for both sides of this improvement."
                yield finding([one], _RULE, "not testable here", words)
            elif fit:
                yield finding([one, *_cells(its)], _RULE, "fine", f"{one.value} fits {fit}.")
            else:
                misfit.append(one)
        if misfit:
            misfits.append(_misfit(together, misfit, found, claims))
    for same in _merged(misfits):
        yield finding([*same.said, *same.cells], _RULE, same.severity, same.words)


def _cells(found: Sequence[Pair]) -> tuple[Claim, ...]:
    return tuple(dict.fromkeys(one for pair in found for one in (pair.ahead, pair.behind)))


def _fit(said: Claim, found: Sequence[Pair], printed: Interval | None = None, only: Sequence[str] = ()) -> str:
    """The reading in which the table has the claimed improvement, in words; empty where there is none."""
    by_metric: dict[str, list[Pair]] = defaultdict(list)
    for pair in found:
        by_metric[pair.ahead.metric].append(pair)
    fits = [fitting(said, printed or claimed(said), its, only) for its in by_metric.values()]
    if len(fits) > 1 and _EACH.search(quotation(said)):
        common = [reading for reading in fits[0] if all(reading in fit for fit in fits)] if fits else []
        return f"{common[0]}, in each metric" if common else ""
    return next((_told(reading, pair) for fit in fits for reading, pair in fit.items()), "")


def _told(reading: str, pair: Pair) -> str:
    return f"{reading}: {name(pair.ahead)}, {pair.behind.row}: {pair.behind.value}"


def _misfit(
    together: Sequence[Claim], misfit: Sequence[Claim], found: dict[Claim, list[Pair]], claims: Sequence[Claim]
) -> _Misfit:
    cells = tuple(dict.fromkeys(one for said in together for one in _cells(found[said])))
    order, number = _best_order(together, found)
    shown = ", ".join(f"{value.value} for {metrics_of(one)[0]}" for one, value in zip(together, order, strict=True))
    if number == len(together):
        open_order = _ORDER_OPEN.search(quotation(together[0])) or not names_metric(
            together[0], metrics_of(order[0])[0]
        )
        words = f"The numbers fit the metrics in another order than the sentence has them: {shown}."
        return _Misfit(tuple(together), cells, "unlikely" if open_order else "inconsistent", words)
    parts, severities = [], set()
    for one in misfit:
        printed = claimed(one)
        upto = (
            f" (up to {float(printed.high):g})" if printed and one.interval and printed.high > one.interval[1] else ""
        )
        words = f"{one.value}{upto} claimed; the table gives {given(one, found[one])}."
        loose = _loose(one, found[one], claims)
        severities.add("unlikely" if loose else "inconsistent")
        parts.append(words + (f" It fits {loose}." if loose else _hint(one, found[one], claims)))
    if number > len(together) - len(misfit) + 1:
        parts.append(f"In another order all but {len(together) - number} would fit: {shown}.")
    own = tuple(dict.fromkeys(cell for said in misfit for cell in _cells(found[said])))
    severity = "inconsistent" if "inconsistent" in severities else "unlikely"
    return _Misfit(tuple(misfit), own, severity, " ".join(parts))


def _best_order(together: Sequence[Claim], found: dict[Claim, list[Pair]]) -> tuple[Sequence[Claim], int]:
    """The order of the numbers of a sentence in which most fit the metrics, in plain readings, and how many do."""
    if not 2 <= len(together) <= 5 or len({metrics_of(one) for one in together}) < len(together):
        return together, 0
    fits = {
        (one, number): bool(fitting(one, claimed(number), found[one], PLAIN)) for one in together for number in together
    }
    orders = list(permutations(together))
    counts = [sum(fits[one, number] for one, number in zip(together, order, strict=True)) for order in orders]
    return orders[counts.index(max(counts))], max(counts)


def _loose(said: Claim, found: Sequence[Pair], claims: Sequence[Claim]) -> str:
    """A reading that needs goodwill: cut off instead of rounded; not the best opponent; a score that is not named."""
    printed = claimed(said)
    if printed is not None and said.number is not None:
        number = Fraction(said.number)
        cut = _fit(said, found, Interval(number, number + (printed.high - printed.low)))
        if cut:
            return f"cut off instead of rounded, {cut}"
    if not names_everybody(said) and (other := _not_the_best(said, found, claims)):
        return f"an opponent that is not the best, {other}"
    if not any(names_metric(said, one) for one in metrics_of(said)):
        fits = fitting(said, printed, opponents(pairs(said, claims, SCORES)), PLAIN)
        if fits:
            return f"a score that the sentence does not name, {_told(*next(iter(fits.items())))}"
    return ""


def _hint(said: Claim, found: Sequence[Pair], claims: Sequence[Claim]) -> str:
    """What may have gone wrong: another metric, a digit, another row of the table, the point."""
    printed = claimed(said)
    if printed is None:
        return ""
    one_is_enough = len(metrics_of(said)) == 1 or not _EACH.search(quotation(said))
    if one_is_enough and (digit := _digit(said, found)):
        return digit
    if any(pair.everybody for pair in found) and (other := _not_the_best(said, found, claims)):
        return f" It fits one that is not the best, {other}."
    if len(metrics_of(said)) > 1:
        by_metric = {one: [pair for pair in found if pair.ahead.metric == one] for one in metrics_of(said)}
        fits = [one for one, its in by_metric.items() if _fit(said, its, only=PLAIN)]
        alone = bool(fits) and len(fits) < len(by_metric)
        words = f" In points or relative to the other it fits {' and '.join(fits)} alone." if alone else ""
        everybody = any(pair.everybody for pair in found)
        return words + (" No other row of the table makes it fit, either." if everybody else "")
    others = opponents(pairs(said, claims, [one for one in SCORES if one not in metrics_of(said)]))
    rows = _other_rows(found, claims)
    if fit := _closest(said, printed, others):
        return f" The number fits another metric, {fit}."
    if fit := _closest(said, printed, rows):
        return f" The number fits other rows, {fit}."
    for factor in (Fraction(10), Fraction(1, 10), Fraction(100), Fraction(1, 100)):
        if fit := _closest(said, printed * Interval.of(factor), [*found, *rows]):
            return f" With its point displaced it would fit {fit}."
    return ""


def _not_the_best(said: Claim, found: Sequence[Pair], claims: Sequence[Claim]) -> str:
    """Another of "all others", of one name in all metrics, over whom the improvement would be as claimed; in words."""
    others: dict[tuple[str, str, str], list[Pair]] = defaultdict(list)
    for pair in pairs(said, claims, metrics_of(said)):
        others[pair.behind.row, pair.behind.location, pair.ahead.location].append(pair)
    for (row, *_), its in others.items():
        if not set(its) <= set(found) and (fit := _fit(said, its, only=PLAIN)):
            return fit if row in fit else f"{fit}, over {row}"
    return ""


def _closest(said: Claim, printed: Interval, found: Sequence[Pair]) -> str:
    """The pair of cells whose difference, in points, is nearest to the number among those that fit it."""
    fits = [pair for pair in found if fitting(said, printed, [pair], PLAIN[:2])]
    if not fits:
        return ""
    values = {pair: next(iter(readings(said, pair).values())) for pair in fits}
    middle = printed.low + printed.high
    best = min(fits, key=lambda pair: abs(values[pair].low + values[pair].high - middle))
    return _told(PLAIN[0] if best.ahead.metric in SCORES else PLAIN[1], best)


def _other_rows(found: Sequence[Pair], claims: Sequence[Claim]) -> list[Pair]:
    """Pairs of which one row is as claimed and the other is another row of the same table."""
    tried = []
    for pair in found:
        same = [one for one in claims if what(one)[1:] == what(pair.ahead)[1:] and one.location == pair.ahead.location]
        tried += [Pair(pair.ahead, one, everybody=False) for one in same if one.row != pair.ahead.row]
        tried += [Pair(one, pair.behind, everybody=False) for one in same if one.row != pair.behind.row]
        tried += [Pair(one, pair.ahead, everybody=False) for one in same if one.row != pair.ahead.row]
        tried += [Pair(pair.behind, one, everybody=False) for one in same if one.row != pair.behind.row]
    return [pair for pair in tried if better(pair.ahead, pair.behind)]


def _digit(said: Claim, found: Sequence[Pair]) -> str:
    """Whether a wrong digit explains the number, compared with the difference of the printed cells.

    Of numbers with two digits only neighbours count, 6.7 for 5.7: too many others have one digit in common.
    """
    shown = f"{said.number:f}"
    places = len(shown.partition(".")[2])
    for pair in found:
        value = readings(said, pair).get("in points")
        if value is None or value.low <= 0:
            continue
        middle = f"{float((value.low + value.high) / 2):.{places}f}"
        other = [(a, b) for a, b in zip(middle, shown, strict=False) if a != b]
        digits = len(shown.replace(".", ""))
        if digits < 2 or len(middle) != len(shown) or len(other) != 1 or "." in other[0]:
            continue
        if digits > 2 or abs(int(other[0][0]) - int(other[0][1])) == 1:
            return f" The printed cells differ by {middle} points: one digit is another."
    return ""


def _merged(misfits: Sequence[_Misfit]) -> list[_Misfit]:
    """The same misfit said in several places made one."""
    found: dict[object, list[_Misfit]] = defaultdict(list)
    for one in misfits:
        found[one.cells, tuple(said.number for said in one.said)].append(one)
    return [
        _Misfit(tuple(said for one in same for said in one.said), same[0].cells, same[0].severity, same[0].words)
        for same in found.values()
    ]
