"""A rule on two sentences: one says that A is better than B, the other that B is better than A."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

from histolab_lib.audit.finding import Finding, finding
from histolab_lib.audit.registry import rule
from histolab_lib.audit.rules.names import one_name
from histolab_lib.audit.rules.sentences import metrics_of, names_everybody, names_metric, pairs
from histolab_lib.claims import Claim

__all__ = ["opposite_orderings"]

_RULE = "opposite-orderings"


@rule(
    _RULE,
    title="Do two sentences order the same pair alike?",
    assumes="the sentences speak of the same table, metric and data",
)
def opposite_orderings(claims: Sequence[Claim]) -> Iterator[Finding]:
    """Of two systems one at most is better; two sentences must not name each of them.

    An ordering says for each of its metrics and each pair of its ranks that the first is better; "all others" holds
    every system that it does not name. Two orderings of the same table, data set and split, one with (A, B) and one
    with (B, A) in one metric, exclude each other, whatever the numbers are: `inconsistent`. Where the words of one do
    not name the metric, or do not say that all others are meant, it is `unlikely`: a reading remains in which both
    hold.

    Tested only where no table prints the cells of the pair: where one does, each sentence is held against it, and the
    one that is wrong is found there.

    Sure: the relation "better than" in one metric is asymmetric.

    **False alarms.** Of true sentences none, in the reading that the claim file has taken: there the two exclude each
    other. Where words name no metric and mean another, or name some networks and the claim file has all others, some
    are.
    """
    places: dict[tuple[str, str, str], list[Claim]] = defaultdict(list)
    for one in claims:
        if one.metric == "ordering" and one.comparison and not pairs(one, claims, metrics_of(one)):
            places[one.comparison.table, one.dataset, one.split].append(one)
    for together in places.values():
        agreeing: dict[Claim, None] = {}
        for one, other in combinations(together, 2):
            common = [metric for metric in metrics_of(one) if metric in metrics_of(other)]
            opposite = [found for metric in common for found in _opposite(one, other, metric)]
            if opposite:
                better, worse, metric, sure = opposite[0]
                words = f"In {metric}, {one.location} has {better} ahead of {worse}, {other.location} the reverse."
                words += "" if sure else " The words of one leave open whether all others, or this metric, are meant."
                yield finding([one, other], _RULE, "inconsistent" if sure else "unlikely", words)
            elif common:
                agreeing |= dict.fromkeys((one, other))
        if agreeing:
            yield finding(list(agreeing), _RULE, "fine", "Sentences on one table that can all be true together.")


def _opposite(one: Claim, other: Claim, metric: str) -> Iterator[tuple[str, str, str, bool]]:
    for better, worse in _stated(one):
        for first, second in _stated(other):
            if _may_be(first, worse, one) and _may_be(better, second, other):
                named = names_metric(one, metric) and names_metric(other, metric)
                everybody = (worse != "*" or names_everybody(one)) and (second != "*" or names_everybody(other))
                yield better, first, metric, named and everybody


def _stated(said: Claim) -> list[tuple[str, str]]:
    ranks = said.comparison.ranks if said.comparison else ()
    return [
        (better, worse)
        for place, rank in enumerate(ranks)
        for better in rank
        for lower in ranks[place + 1 :]
        for worse in lower
    ]


def _may_be(name: str, meant: str, said: Claim) -> bool:
    """Whether a name is what a sentence means; "*" is everybody that the sentence does not name."""
    wanted = one_name(said.paper, name)
    if meant != "*":
        return wanted == one_name(said.paper, meant)
    ranks = said.comparison.ranks if said.comparison else ()
    return wanted not in {one_name(said.paper, other) for rank in ranks for other in rank}
