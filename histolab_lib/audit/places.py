"""A rule across places: the same figure in two tables, or in a table and in the text."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

from histolab_lib.audit.cells import What, name, numbers, quantity, what
from histolab_lib.audit.finding import Finding, finding
from histolab_lib.audit.misprints import misprint
from histolab_lib.audit.registry import rule
from histolab_lib.claims import Claim

__all__ = ["same_figure"]

_RULE = "same-figure"
_Clash = tuple[What, Claim, Claim]
_Places = dict[tuple[str, What], Claim]


@rule(
    _RULE,
    title="Is a figure the same wherever it is printed?",
    assumes="rows of one system, data set, split and metric, averaged alike over the same images, are one figure",
)
def same_figure(claims: Sequence[Claim]) -> Iterator[Finding]:
    """A figure that a paper prints twice has one value before rounding, so the intervals of its prints must meet.

    Two claims are prints of one figure if they agree in system, part of the data, data set, split, metric and dimension
    of the unit. Names of systems agree if they differ only in case, blanks and hyphens, or if the table of aliases
    (``data/claims/aliases.toml``) says so with a reason. The mean over the parts of the data counts as the data as a
    whole. Claims whose averaging or number of images is stated and differs are two figures.

    *Derivation.* Rounding to any number of places, and printing as fraction or percent, leaves the number before
    rounding in the closed interval of half a unit of the last place to both sides. One number lies in all intervals of
    its prints; so two prints whose intervals do not meet are of two numbers: `inconsistent`. If they would meet had one
    been cut off rather than rounded, or if one of them leaves open how it was averaged while the other does not, it is
    `unlikely` only.

    What could explain a clash is looked for: two columns, rows or data sets exchanged (each place has the other's
    number), a point displaced, a digit wrong or lost. Clashes that one exchange explains, and those of several metrics
    of one row between the same places, are one finding.
    """
    same: dict[What, list[Claim]] = defaultdict(list)
    for one in numbers(claims):
        same[what(one)].append(one)
    clashes: list[_Clash] = []
    for about, prints in same.items():
        pairs = [(one, other) for one, other in combinations(prints, 2) if _comparable(one, other)]
        apart = [(one, other) for one, other in pairs if not _meet(one, other)]
        clashes += [(about, one, other) for one, other in apart]
        if pairs and not apart:
            yield finding(prints, _RULE, "fine", f"{name(prints[0])}: printed {len(prints)} times, the same each time.")
    explained, rest = _exchanges(clashes)
    yield from explained
    yield from _others(rest, {(one.location, about): one for about, prints in same.items() for one in prints})


def _comparable(one: Claim, other: Claim) -> bool:
    stated = {one.averaging, other.averaging} - {"", "unstated"}
    images = {one.images, other.images} - {None}
    return len(stated) < 2 and len(images) < 2


def _meet(one: Claim, other: Claim) -> bool:
    first, second = quantity(one), quantity(other)
    return first is None or second is None or first.meets(second)


def _exchanges(clashes: list[_Clash]) -> tuple[list[Finding], list[_Clash]]:
    """Clashes in which two figures stand in each other's place, and the rest."""
    found: dict[tuple[str, ...], dict[Claim, None]] = defaultdict(dict)
    done: set[_Clash] = set()
    for first, second in combinations(clashes, 2):
        differing = [place for place, (a, b) in enumerate(zip(first[0], second[0], strict=True)) if a != b]
        if len(differing) != 1 or _locations(first) != _locations(second):
            continue
        if _meet(first[1], second[2]) and _meet(first[2], second[1]):
            field = What._fields[differing[0]]
            sides = sorted((getattr(first[0], field), getattr(second[0], field)))
            key = (*_locations(first), field, *sides)
            found[key] |= dict.fromkeys((first[1], first[2], second[1], second[2]))
            done |= {first, second}
    return [_exchange(key, list(involved)) for key, involved in found.items()], [c for c in clashes if c not in done]


def _exchange(key: tuple[str, ...], involved: list[Claim]) -> Finding:
    here, there, field, one, other = key
    called = {"metric": "the columns", "dataset": "the data sets"}.get(field, "the rows")
    rows = ", ".join(dict.fromkeys(f"{claim.row or 'the data'} on {claim.dataset}" for claim in involved))
    words = (
        f"In {there} {called} {one} and {other} stand the other way round than in {here} ({rows}). Which of the two "
        f"places is right, these numbers do not tell."
    )
    return finding(involved, _RULE, "inconsistent", words)


def _locations(clash: _Clash) -> tuple[str, str]:
    return clash[1].location, clash[2].location


def _others(clashes: list[_Clash], places: _Places) -> Iterator[Finding]:
    """One finding for all metrics of one row that clash between the same places."""
    figures: dict[What, dict[Claim, None]] = defaultdict(dict)
    pairs: dict[What, list[tuple[Claim, Claim]]] = defaultdict(list)
    for about, one, other in clashes:
        figures[about] |= dict.fromkeys((one, other))
        pairs[about].append((one, other))
    rows: dict[tuple[str, ...], list[What]] = defaultdict(list)
    for about, involved in figures.items():
        rows[(*about[:4], *(one.location for one in involved))].append(about)
    for together in rows.values():
        involved = [one for about in together for one in figures[about]]
        hints = [hint for about in together for pair in pairs[about] for hint in _hints(about, *pair, places)]
        sure = any(_sure(*pair) for about in together for pair in pairs[about])
        words = f"One figure, several values: {'; '.join(name(one) for one in involved)}."
        words += "".join(f" {hint}" for hint in dict.fromkeys(hints))
        yield finding(involved, _RULE, "inconsistent" if sure else "unlikely", words)


def _sure(one: Claim, other: Claim) -> bool:
    return one.averaging == other.averaging and misprint(one, other) != "cut"


_MISPRINTS = {
    "cut": "They agree if one was cut off, not rounded.",
    "point": "They have the same digits: in one the point is displaced.",
    "digit": "They differ in one digit.",
    "neighbours": "Two neighbouring digits are exchanged.",
    "lost": "One has lost a digit.",
}


def _hints(about: What, one: Claim, other: Claim, places: _Places) -> Iterator[str]:
    kind = misprint(one, other)
    if kind:
        yield f"{_MISPRINTS[kind]}"
    for claim, elsewhere in ((one, other), (other, one)):
        for (location, figure), candidate in places.items():
            differing = {field for field in What._fields if getattr(figure, field) != getattr(about, field)}
            near = len(differing) == 1 and differing <= {"system", "group", "dataset", "metric"}
            if location == elsewhere.location and near and len(claim.value) > 2 and candidate.value == claim.value:
                yield f"But {name(candidate)}."
