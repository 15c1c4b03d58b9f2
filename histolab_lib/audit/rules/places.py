"""A rule across places: the same figure in two tables, or in a table and in the text."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Container, Iterator, Sequence
from fractions import Fraction
from itertools import combinations
from operator import itemgetter

from histolab_lib.audit.finding import Finding, finding
from histolab_lib.audit.registry import rule
from histolab_lib.audit.rules.cells import What, name, numbers, quantity, what
from histolab_lib.audit.rules.misprints import misprint
from histolab_lib.claims import Claim

__all__ = ["same_figure"]

_RULE = "same-figure"
_Clash = tuple[What, Claim, Claim]
_Places = dict[tuple[str, What], Claim]
_Alike = dict[tuple[str, str, str, What], list[tuple[int, What, Claim]]]
_Exchanged = tuple[str, ...]
#: What can have been mistaken for another one of its kind.
_MISTAKEN = ("system", "group", "dataset", "metric")


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
    been cut off rather than rounded, or rounded twice (0.8447 to 0.845 to 0.85), or if one of them leaves open how it
    was averaged while the other does not, it is `unlikely` only.

    **False alarms.** Of numbers rounded once none, by the derivation and in every paper of the measurement. Where an
    author cuts digits off, rounds what a table has rounded, or averages in another way without a word, as often as it
    shows in the digits.

    What could explain a clash is looked for: two columns, rows or data sets exchanged (each place has the other's
    number), a point displaced, a digit wrong or lost. Clashes that one exchange explains, and those of several metrics
    and splits of one row between the same places, are one finding.
    """
    order = {location: place for place, location in enumerate(dict.fromkeys(one.location for one in claims))}
    same: dict[What, list[Claim]] = defaultdict(list)
    for one in sorted(numbers(claims), key=lambda one: order[one.location]):
        same[what(one)].append(one)
    clashes: list[_Clash] = []
    for about, prints in same.items():
        pairs = [(one, other) for one, other in combinations(prints, 2) if _comparable(one, other)]
        apart = [(one, other) for one, other in pairs if not _meet(one, other)]
        clashes += [(about, one, other) for one, other in apart]
        if pairs and not apart:
            yield finding(prints, _RULE, "fine", f"{name(prints[0])}: printed {len(prints)} times, the same each time.")
    places = {(one.location, about): one for about, prints in same.items() for one in prints}
    explained, rest = _exchanges(clashes, places)
    yield from explained
    yield from _others(rest, places)


def _comparable(one: Claim, other: Claim) -> bool:
    stated = {one.averaging, other.averaging} - {"", "unstated"}
    images = {one.images, other.images} - {None}
    return len(stated) < 2 and len(images) < 2


def _meet(one: Claim, other: Claim) -> bool:
    first, second = quantity(one), quantity(other)
    return first is None or second is None or first.meets(second)


def _exchanges(clashes: list[_Clash], places: _Places) -> tuple[list[Finding], list[_Clash]]:
    """Clashes in which two figures stand in each other's place, and the rest."""
    found: dict[_Exchanged, dict[Claim, None]] = defaultdict(dict)
    done: set[_Clash] = set()
    for first, second, field in _crossed(clashes):
        sides = sorted(getattr(clash[0], field) for clash in (first, second))
        found[*_locations(first), field, *sides] |= dict.fromkeys((first[1], first[2], second[1], second[2]))
        done |= {first, second}
    standing: dict[Claim, dict[_Exchanged, None]] = defaultdict(dict)
    figures: dict[tuple[_Exchanged, What], list[Claim]] = defaultdict(list)
    for key, involved in found.items():
        for one in involved:
            standing[one][key] = None
            figures[key, what(one)].append(one)
    agreeing: dict[_Exchanged, dict[str, str]] = defaultdict(dict)
    for clash in clashes:
        if clash not in done:
            for key in list(standing[clash[1]] | standing[clash[2]]):
                if third := _third_place(clash, key[:2], found[key], figures[key, clash[0]]):
                    found[key][third[0]] = None
                    standing[third[0]][key] = None
                    figures[key, clash[0]].append(third[0])
                    agreeing[key][third[0].location] = third[1].location
                    done.add(clash)
    explained = [_exchange(key, list(involved), agreeing[key], places) for key, involved in found.items()]
    return explained, [clash for clash in clashes if clash not in done]


def _crossed(clashes: list[_Clash]) -> Iterator[tuple[_Clash, _Clash, str]]:
    """Pairs of clashes between the same places that meet crosswise and differ in one field, and this field.

    Held against each other are only those whose second number can meet the other's first one.
    """
    groups: dict[tuple[tuple[str, str], str, What], list[int]] = defaultdict(list)
    for number, clash in enumerate(clashes):
        for field in What._fields:
            groups[_locations(clash), field, clash[0]._replace(**{field: ""})].append(number)
    found = []
    for (_, field, _), group in groups.items():
        seconds = sorted((_ends(clashes[number][2])[0], number) for number in group)
        widest = max(high - low for low, high in (_ends(clashes[number][2]) for number in group))
        for number in group:
            about, here, there = clashes[number]
            low, high = _ends(here)
            for _, other in seconds[
                bisect_left(seconds, (low - widest, -1)) : bisect_left(seconds, (high, len(clashes)))
            ]:
                if (
                    number < other
                    and about != clashes[other][0]
                    and _meet(here, clashes[other][2])
                    and _meet(there, clashes[other][1])
                ):
                    found.append((number, other, field))
    for number, other, field in sorted(found):
        yield clashes[number], clashes[other], field


def _ends(claim: Claim) -> tuple[Fraction, Fraction]:
    found = quantity(claim)
    return (found.low, found.high) if found else (Fraction(0), Fraction(0))


def _third_place(
    clash: _Clash, places: Sequence[str], involved: Container[Claim], figure: Sequence[Claim]
) -> tuple[Claim, Claim] | None:
    """The claim of a clash that stands in a third place and agrees with one side of an exchange, and that side."""
    for one, other in ((clash[1], clash[2]), (clash[2], clash[1])):
        if other in involved and one.location not in places:
            agreeing = [claim for claim in figure if _meet(claim, one)]
            if agreeing:
                return one, agreeing[0]
    return None


def _exchange(key: tuple[str, ...], involved: list[Claim], agreeing: dict[str, str], places: _Places) -> Finding:
    here, there, field, one, other = key
    called = {"metric": "the columns", "dataset": "the data sets"}.get(field, "the rows")
    rows = ", ".join(dict.fromkeys(f"{claim.row or 'the data'} on {claim.dataset}" for claim in involved))
    words = f"In {there} {called} {one} and {other} stand the other way round than in {here} ({rows})."
    if field == "metric" and (straight := _straight(key, involved, places)):
        words += f" Other rows have the same numbers in both: {', '.join(straight)}."
    words += "".join(f" {third} agrees with {side}." for third, side in agreeing.items())
    words += "" if agreeing else " Which of the two places is right, these numbers do not tell."
    return finding(involved, _RULE, "inconsistent", words)


def _straight(key: tuple[str, ...], involved: list[Claim], places: _Places) -> list[str]:
    """Rows of the same data that have the same numbers in both places: not the whole columns are exchanged."""
    here, there, _, *metrics = key
    data = {(one.dataset, one.split) for one in involved}
    agreeing: dict[str, set[str]] = defaultdict(set)
    for (location, about), one in places.items():
        other = places.get((there, about))
        if location != here or other is None or one in involved or not _meet(one, other):
            continue
        if (about.dataset, about.split) in data and about.metric in metrics:
            agreeing[one.row].add(about.metric)
    return [row for row, found in agreeing.items() if found == set(metrics)]


def _locations(clash: _Clash) -> tuple[str, str]:
    return clash[1].location, clash[2].location


def _others(clashes: list[_Clash], places: _Places) -> Iterator[Finding]:
    """One finding for all metrics and splits of one row that clash between the same places."""
    figures: dict[What, dict[Claim, None]] = defaultdict(dict)
    pairs: dict[What, list[tuple[Claim, Claim]]] = defaultdict(list)
    for about, one, other in clashes:
        figures[about] |= dict.fromkeys((one, other))
        pairs[about].append((one, other))
    alike = _alike(places)
    rows: dict[tuple[str, ...], list[What]] = defaultdict(list)
    for about, prints in figures.items():
        rows[(*about[:3], about.dimension, *(one.location for one in prints))].append(about)
    for together in rows.values():
        involved = [one for about in together for one in figures[about]]
        hints = [hint for about in together for pair in pairs[about] for hint in _hints(about, *pair, alike)]
        sure = any(_sure(*pair) for about in together for pair in pairs[about])
        words = f"One figure, several values: {'; '.join(name(one) for one in involved)}."
        words += "".join(f" {hint}" for hint in dict.fromkeys(hints))
        yield finding(involved, _RULE, "inconsistent" if sure else "unlikely", words)


def _sure(one: Claim, other: Claim) -> bool:
    return one.averaging == other.averaging and misprint(one, other) not in ("cut", "twice")


_MISPRINTS = {
    "cut": "They agree if one was cut off, not rounded.",
    "twice": "They agree if one was rounded twice.",
    "point": "They have the same digits: in one the point is displaced.",
    "digit": "They differ in one digit.",
    "neighbours": "Two neighbouring digits are exchanged.",
    "lost": "One has lost a digit.",
}


def _alike(places: _Places) -> _Alike:
    """Long enough numbers by place, digits and what they are about but for one field that could have been mistaken."""
    found: _Alike = defaultdict(list)
    for number, ((location, about), one) in enumerate(places.items()):
        if len(one.value) > 2:
            for field in _MISTAKEN:
                found[location, one.value, field, about._replace(**{field: ""})].append((number, about, one))
    return found


def _hints(about: What, one: Claim, other: Claim, alike: _Alike) -> Iterator[str]:
    kind = misprint(one, other)
    if kind:
        yield f"{_MISPRINTS[kind]}"
    for claim, elsewhere in ((one, other), (other, one)):
        location = elsewhere.location
        keys = ((location, claim.value, field, about._replace(**{field: ""})) for field in _MISTAKEN)
        found = {
            number: candidate for key in keys for number, figure, candidate in alike.get(key, ()) if figure != about
        }
        for _, candidate in sorted(found.items(), key=itemgetter(0)):
            yield f"{location} has {claim.value} for another: {name(candidate, place=False)}."
