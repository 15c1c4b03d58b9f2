"""A rule on what papers say of their tables: who is better than whom."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from histolab_lib.audit.finding import Finding, finding
from histolab_lib.audit.registry import rule
from histolab_lib.audit.rules.cells import better, is_mean, name
from histolab_lib.audit.rules.names import one_name
from histolab_lib.audit.rules.sentences import (
    Pair,
    metrics_of,
    names_data,
    names_everybody,
    names_metric,
    names_rows,
    pairs,
    quotation,
)
from histolab_lib.claims import DISTANCES, SCORES, SPLITS, Claim

__all__ = ["ordering"]

_RULE = "ordering"
_TWIN = {"precision": "recall", "recall": "precision"}
_POSSIBLE = re.compile(r"\b(can|could|may|might)\b")
#: So many cells an explanation names; the finding has them all.
_NAMED = 4


@dataclass(frozen=True)
class _Contradiction:
    said: tuple[Claim, ...]
    wrong: tuple[Pair, ...]
    of: int
    reading: str
    hint: str


@rule(
    _RULE,
    title="Is the better one better in every cell?",
    assumes="the sentence speaks of the printed tables, and its row in the claim file says what it says",
)
def ordering(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""If A is said to be better than B, no cell may show B surely better than A.

    Less is better of distances, training time, parameters and memory; of all else more.

    *Derivation.* Rounding is monotone: if $a \ge b$, the rounded $a$ is not below the rounded $b$, at whatever places.
    So where the whole interval of B lies beyond that of A, B was better before rounding, against the sentence:
    `inconsistent`, and the cells are named. Intervals that meet leave it open who was better: no contradiction.

    A claim file has to name metrics, table, data and opponents even where the sentence does not. What the printed words
    leave open is given every reading before anything is called inconsistent; where one holds, the claim is `unlikely`
    only, with that reading named: a metric that the words do not name (another score of the same cells may be meant);
    data or rows that they do not name (the same sentence, entered for others, may hold there); "all others" where the
    words do not say all; the means, where the words do not name parts of the data.

    "Can", "could", "may" and "might" say that there is a case: of the entries of such a sentence one that no cell
    contradicts is enough, and the finding tells how many cells show it and how many the contrary.

    One contradiction that several sentences share, and those of one sentence on the same data, are one finding. `not
    testable here`: no printed cell tells of both sides.

    Sure: exact for what the words pin down; how far they do is read from their key words (metrics, "all", "best", names
    of rows and data sets).

    **False alarms.** Of sentences that are true of the numbers before rounding none, as rounding is monotone. What the
    words leave open is the claim file's reading: where the author means another one (a score among several, some of the
    others, one of the data sets, the mean and not the parts), many are, and the finding says which reading holds.
    """
    verdicts = {one: pairs(one, claims, metrics_of(one)) for one in claims if one.metric == "ordering"}
    against = []
    possible = _possible(verdicts)
    for entries in possible:
        yield _case(entries)
    for said, found in verdicts.items():
        wrong = tuple(_wrong(found))
        if any(said in entries for entries in possible):
            continue
        if not found:
            yield finding([said], _RULE, "not testable here", _untold(said))
        elif not wrong:
            words = f"In {_count(len(found))} none contradicts it{_ties(found)}{_without(said, found)}."
            yield finding([said, *_cells(found)], _RULE, "fine", words)
        else:
            reading = _reading(said, claims, found, verdicts)
            hint = "" if reading else _hint(said, claims, wrong)
            against.append(_Contradiction((said,), wrong, len(found), reading, hint))
    for one in _merged(against):
        verb = "speaks" if len(one.wrong) == 1 else "speak"
        words = f"Against it {verb}: {_named(one.wrong)} ({len(one.wrong)} of {_count(one.of)}).{one.hint}"
        words += f" It {one.reading}." if one.reading else ""
        severity = "unlikely" if one.reading else "inconsistent"
        yield finding([*one.said, *_cells(one.wrong)], _RULE, severity, words)


def _possible(verdicts: Mapping[Claim, list[Pair]]) -> list[dict[Claim, list[Pair]]]:
    """The entries of each sentence that says "can", where cells tell of them and contradict not all."""
    sentences: dict[object, dict[Claim, list[Pair]]] = defaultdict(dict)
    for said, found in verdicts.items():
        if found and _POSSIBLE.search(said.value):
            sentences[said.location, quotation(said), metrics_of(said)][said] = found
    return [entries for entries in sentences.values() if not all(map(_wrong, entries.values()))]


def _case(entries: Mapping[Claim, list[Pair]]) -> Finding:
    """A sentence that says "can", for which there is a case."""
    found = [pair for pairs in entries.values() for pair in pairs]
    shown, wrong = sum(better(pair.ahead, pair.behind) for pair in found), len(_wrong(found))
    words = f"The words say that it can be so, and there is a case: {shown} of {_count(len(found))} show it"
    words += f", {wrong} the contrary, and in {len(found) - shown - wrong} rounding hides it."
    return finding([*entries, *_cells(found)], _RULE, "fine", words)


def _untold(said: Claim) -> str:
    if said.comparison and len(said.comparison.ranks) == 1:
        return "It calls them comparable, and no difference of cells contradicts that word."
    return "No table has numbers for both sides of this comparison."


def _wrong(found: Iterable[Pair]) -> list[Pair]:
    return [pair for pair in found if better(pair.behind, pair.ahead)]


def _cells(found: Iterable[Pair]) -> list[Claim]:
    return list(dict.fromkeys(one for pair in found for one in (pair.ahead, pair.behind)))


def _count(number: int) -> str:
    return f"{number} comparison{'s' if number > 1 else ''} of cells"


def _ties(found: Sequence[Pair]) -> str:
    ties = sum(not better(pair.ahead, pair.behind) for pair in found)
    return f"; in {ties} rounding hides who is better" if ties else ""


def _without(said: Claim, found: Sequence[Pair]) -> str:
    """The systems that the sentence names and for which no cell has a number."""
    there = {one_name(said.paper, label) for one in _cells(found) for label in (one.system, one.row)}
    ranks = said.comparison.ranks if said.comparison else ()
    labels = [label for rank in ranks for label in rank if label != "*" and label not in SPLITS]
    missing = [label for label in labels if one_name(said.paper, label) not in there]
    return f"; no number is printed for {', '.join(missing)}" if missing else ""


def _named(wrong: Sequence[Pair]) -> str:
    named = [f"{name(one.ahead)} is not better than {one.behind.row}: {one.behind.value}" for one in wrong[:_NAMED]]
    return "; ".join(named) + (f"; and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else "")


def _merged(against: Iterable[_Contradiction]) -> list[_Contradiction]:
    """Contradictions by the same cells made one, then those of the same sentences on the same data."""
    by_cells: dict[object, list[_Contradiction]] = defaultdict(list)
    for one in against:
        by_cells[one.wrong, one.reading].append(one)
    by_sentence: dict[object, list[_Contradiction]] = defaultdict(list)
    for one in map(_joined, by_cells.values()):
        sentences = frozenset((said.location, quotation(said), said.dataset, said.split) for said in one.said)
        by_sentence[sentences, one.reading].append(one)
    return [_joined(together) for together in by_sentence.values()]


def _joined(together: Sequence[_Contradiction]) -> _Contradiction:
    wrong = tuple(dict.fromkeys(pair for one in together for pair in one.wrong))
    said = tuple(dict.fromkeys(claim for one in together for claim in one.said))
    of = max(one.of for one in together) if len({one.wrong for one in together}) == 1 else sum(o.of for o in together)
    readings = dict.fromkeys(one.reading for one in together if one.reading)
    return _Contradiction(
        said, wrong, of, " and it ".join(readings), "".join(dict.fromkeys(one.hint for one in together))
    )


def _reading(said: Claim, claims: Sequence[Claim], found: list[Pair], verdicts: Mapping[Claim, list[Pair]]) -> str:
    """A reading that the words leave open and that holds; empty where there is none."""
    wrong = _wrong(found)
    if not any(names_metric(said, pair.ahead.metric) for pair in wrong):
        for metric in dict.fromkeys((*metrics_of(said), *SCORES, *DISTANCES)):
            other = pairs(said, claims, (metric,))
            if other and not _wrong(other) and (metric in metrics_of(said) or not names_metric(said, metric)):
                return f"{_holds(other)} in {metric}, and the sentence does not name the score"
    for twin, theirs in verdicts.items():
        if twin != said and theirs and not _wrong(theirs) and _may_be_meant(said, twin):
            where = f"on {twin.dataset}, {twin.split} ({twin.row})"
            return f"{_holds(theirs)} {where}, and the sentence leaves open which is meant"
    if all(pair.everybody for pair in wrong) and not names_everybody(said):
        beaten = {pair.behind.row for pair in found} - {pair.behind.row for pair in wrong}
        if beaten:
            return f"holds against {', '.join(sorted(beaten))}, and the sentence does not say whom it compares with"
    if not any(is_mean(pair.ahead) for pair in wrong) and any(is_mean(pair.ahead) for pair in found):
        return "holds for the means, and the sentence does not speak of the parts"
    return ""


def _holds(found: Sequence[Pair]) -> str:
    return "holds" if all(better(pair.ahead, pair.behind) for pair in found) else "is not contradicted"


def _may_be_meant(said: Claim, twin: Claim) -> bool:
    """Whether another entry of the same sentence differs only in what the words leave open: the data, the rows."""
    if (twin.location, quotation(twin), metrics_of(twin)) != (said.location, quotation(said), metrics_of(said)):
        return False
    same_data = (twin.dataset, twin.split) == (said.dataset, said.split)
    same_rows = twin.row.partition(" in ")[0] == said.row.partition(" in ")[0]
    return (same_data or not names_data(said)) and (same_rows or not names_rows(said))


def _hint(said: Claim, claims: Sequence[Claim], wrong: Sequence[Pair]) -> str:
    metrics = {pair.ahead.metric for pair in wrong}
    if len(metrics) == 1 and (twin := _TWIN.get(metrics.pop())):
        other = pairs(said, claims, (twin,))
        if other and not _wrong(other) and twin not in metrics_of(said):
            return " It would hold if precision and recall were exchanged, in the table or in the sentence."
    return ""
