"""A rule on equal numbers of different systems, with the rate at which chance alone makes them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from math import comb, prod

from histolab_lib.audit.finding import Finding, finding
from histolab_lib.audit.registry import rule
from histolab_lib.audit.rules.cells import is_mean, name
from histolab_lib.audit.rules.names import one_name
from histolab_lib.claims import DISTANCES, SCORES, Claim

__all__ = ["same_number"]

_RULE = "same-number"
#: Flag what chance gives in fewer than one of this many papers.
_ONE_IN = 20
#: How many neighbours tell how densely the numbers of a column lie.
_NEIGHBOURS = 2
_Column = dict[str, Claim]
_Row = tuple[str, str, str, str]


@rule(
    _RULE,
    title="Do two systems have the same numbers by chance?",
    assumes="the numbers of different systems are independent, and lie about as densely as their nearest neighbours",
)
def same_number(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""Two systems with the same training time, or with a whole row of the same scores: is one a copy of the other?

    Let $n$ systems have a number in a column, and let the second nearest number of a third system lie $d$ units of the
    last printed place away from a number that two of them share. Then about $2 / (2d + 1)$ systems are to be expected
    at each value there, and two given ones are equal there with probability $p = 2 / (n (2d + 1))$. A training time is
    compared alone, scores of one data set only all together (at least two of them): that one score of two networks
    agrees is common. Chance gives about $f \binom{n}{2} \prod p$ such pairs in a paper with $f$ columns of times and
    rows of scores to compare. Where that is less than one twentieth, the equality is `unlikely`.

    How sure: no proof.

    **False alarms.** Meant to be at most one paper in twenty; in tables whose scores vary and go together like those of
    the five papers they are fewer, as measured.
    """
    families = _families(claims)
    rows: dict[_Row, _Column] = defaultdict(dict)
    for cell in claims:
        if cell.metric in SCORES:
            rows[_row(cell)][cell.metric] = cell
    for family in families:
        systems = sorted({system for column in family for system in column})
        flagged = False
        for one, other in _equal_pairs(family):
            shared = [column for column in family if one in column and other in column]
            if any(_differ(column[one], column[other]) for column in shared):
                continue
            size = min(len(column) for column in shared)
            expected = len(families) * comb(size, 2) * prod(_chance(column, one, other) for column in shared)
            involved = [column[system] for column in shared for system in (one, other)]
            same = "; ".join(f"{name(column[one])} and {name(column[other])}" for column in shared)
            flagged = expected * _ONE_IN < 1
            words = f"Two systems, the same: {same}. Chance gives {expected:.1g} such pairs in a paper like this."
            words += _as_one(rows, involved[0], involved[1]) if flagged else ""
            yield finding(involved, _RULE, "unlikely" if flagged else "fine", words)
        if not flagged and len(systems) > 1:
            cells = [claim for column in family for claim in column.values()]
            words = f"No two of {len(systems)} systems are the same beyond chance in {cells[0].metric} and its like."
            yield finding(cells, _RULE, "fine", words)


def _families(claims: Sequence[Claim]) -> list[list[_Column]]:
    """Columns that are compared together: each of times alone, all scores of one data set; by system, printed first."""
    found: dict[tuple[str, ...], dict[tuple[str, str], _Column]] = defaultdict(lambda: defaultdict(dict))
    for one in claims:
        if one.number is None or (one.group and not is_mean(one)):
            continue
        if one.metric in (*SCORES, *DISTANCES, "training_time"):
            kind = "time" if one.metric == "training_time" else "score"
            column = found[one.dataset, one.split, kind][one.metric, one.unit]
            column.setdefault(one_name(one.paper, one.system), one)
    return [list(columns.values()) for (*_, kind), columns in found.items() if kind == "time" or len(columns) > 1]


def _equal_pairs(family: Sequence[_Column]) -> list[tuple[str, str]]:
    """Pairs of systems that are equal in at least two columns, or in the only one; in the order of their names."""
    found: set[tuple[str, str]] = set()
    for columns in combinations(family, min(2, len(family))):
        equal: dict[tuple[Decimal | None, ...], list[str]] = defaultdict(list)
        for system in sorted(set.intersection(*map(set, columns))):
            equal[tuple(column[system].number for column in columns)].append(system)
        found.update(pair for systems in equal.values() for pair in combinations(systems, 2))
    return sorted(found)


def _as_one(rows: Mapping[_Row, _Column], one: Claim, other: Claim) -> str:
    """That the two are one system is the plainest reading; the scores that speak against it."""
    first, second = rows.get(_row(one), {}), rows.get(_row(other), {})
    apart = [metric for metric in first if metric in second and _differ(first[metric], second[metric])]
    if not apart:
        return ""
    told = ", ".join(f"{metric} {first[metric].value} and {second[metric].value}" for metric in apart)
    return f" Were they one, it would have two sets of scores: {told}."


def _row(cell: Claim) -> _Row:
    return cell.location, cell.row, cell.dataset, cell.split


def _differ(one: Claim, other: Claim) -> bool:
    return one.number != other.number


def _chance(column: _Column, one: str, other: str) -> float:
    """How probable it is that these two are equal where they are; 1 where there are too few others to tell."""
    value = Fraction(column[one].number or 0)
    rest = [Fraction(claim.number or 0) for system, claim in column.items() if system not in (one, other)]
    if len(rest) < _NEIGHBOURS:
        return 1.0
    number = column[one].number
    place = Fraction(10) ** int(number.as_tuple().exponent) if number is not None else Fraction(1)
    away = sorted(abs(there - value) for there in rest)[_NEIGHBOURS - 1] / place
    return min(1.0, float(_NEIGHBOURS / (len(column) * (2 * away + 1))))
