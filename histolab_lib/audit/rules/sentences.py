"""What the printed words of a claim pin down, and the cells of the tables that a comparison speaks of."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from histolab_lib.audit.rules.cells import dimension, numbers, what
from histolab_lib.audit.rules.names import one_name
from histolab_lib.claims import SPLITS, Claim

__all__ = ["Pair", "metrics_of", "names_data", "names_everybody", "names_metric", "names_rows", "pairs", "quotation"]

_METRICS = {
    "dice": r"dice|\bDS?C\b",
    "iou": r"\bm?iou\b|jaccard|\bJI\b",
    "f1": r"\bf1\b|f-score|f-measure",
    "precision": r"precision|\bPR\b",
    "recall": r"recall|\bRC\b|sensitivity",
    "object_dice": r"dice",
    "object_f1": r"\bf1\b|f-score",
    "object_precision": r"precision",
    "object_recall": r"recall|sensitivity",
    "object_hausdorff": r"hausdorff",
    "hd95": r"hausdorff|\bHD",
    "training_time": r"\btim(e|es)\b|fast|slow|speed|longer to train|computationally",
    "parameters": r"parameters|complex",
}
_ALL = re.compile(
    r"\b(all|every|each|both|three|four)\b[\w ]{0,30}\b(metric|matri[cx]|score|measure|ind(ex|ices)|criteri)",
    re.IGNORECASE,
)
_ONLY = re.compile(r"\bonly\b", re.IGNORECASE)
_EVERYBODY = re.compile(
    r"\b(all|any|every|each|best|most|highest|lowest|maximum|minimum)\b|state-of-the-art"
    r"|\bother (models?|networks?|methods?|approaches|systems?)\b",
    re.IGNORECASE,
)
_ALL_DATA = re.compile(
    r"\b(all|both|each|every|two|three|four)\b[\w -]{0,40}\b(data ?sets?|tasks|benchmarks|sections)", re.IGNORECASE
)
_DATA = {
    "monuseg": "monuseg", "kumar": "kumar", "glas": "glas|warwick", "tnbc": r"tnbc|\bbns\b", "cpm17": "cpm",
    "consep": "conse[pg]", "pannuke": "pannuke",
}  # fmt: skip


def quotation(claim: Claim) -> str:
    """Return the printed words, quoted at the beginning of the note; empty where there are none.

    Examples
    --------
    >>> from histolab_lib.claims import claim
    >>> quotation(claim("histoseg/section-iv/monuseg/all/images"))
    'MoNuSeg Dataset consists of 44'
    """
    found = re.match(r'"([^"]+)"', claim.note)
    return found[1] if found else ""


def names_metric(claim: Claim, metric: str) -> bool:
    """Whether the printed words name this metric, or all; True where no words are given and the row alone speaks.

    "In precision only" speaks of all metrics: of the others it says the contrary.

    A claim file names metrics even where the sentence does not, because it must: those are a reading, not a statement.
    """
    words = quotation(claim)
    pattern = _METRICS.get(metric, rf"\b{metric.replace('_', '[ _-]?')}\b")
    return not words or bool(_ALL.search(words) or _ONLY.search(words) or re.search(pattern, words, re.IGNORECASE))


def names_everybody(claim: Claim) -> bool:
    """Whether the printed words compare with everybody ("all", "best", "other methods"); True without words."""
    words = quotation(claim)
    return not words or bool(_EVERYBODY.search(f"{words} {claim.value}"))


def names_data(claim: Claim) -> bool:
    """Whether the printed words name the data set, or all; True without words."""
    words = quotation(claim)
    pattern = _DATA.get(claim.dataset, claim.dataset)
    named = not words or claim.dataset == "none" or _ALL_DATA.search(words) or re.search(pattern, words, re.IGNORECASE)
    return bool(named)


def names_rows(claim: Claim) -> bool:
    """Whether the printed words name the row that is said to be the better one, or its part of the data."""
    words = _letters(quotation(claim))
    first = claim.comparison.ranks[0] if claim.comparison else ()
    return not words or any(_letters(name.partition(": ")[2] or name) in words for name in first)


def _letters(text: str) -> str:
    return re.sub(r"[^a-z0-9+]", "", text.casefold())


def metrics_of(claim: Claim) -> tuple[str, ...]:
    """Return the metrics of a gain or an ordering."""
    return claim.comparison.metrics if claim.comparison else ()


@dataclass(frozen=True)
class Pair:
    """Two cells that a comparison sets against each other, the one that is said to be better first.

    Attributes
    ----------
    ahead, behind : Claim
        Cells of one metric, data set and split.
    everybody : bool
        Whether `behind` is one of "all others", not named.
    """

    ahead: Claim
    behind: Claim
    everybody: bool


def pairs(said: Claim, claims: Sequence[Claim], metrics: Sequence[str]) -> list[Pair]:
    """Return the pairs of cells that a claimed gain or ordering is about, in these metrics.

    Where the claim names a table, only its cells; else the cells of every place in which both sides stand, and where no
    place has both, cells across places. A name without a part of the data stands for all parts: like is compared with
    like. ``*`` is every system of the place that the claim does not name; where no table is named, variants of the
    better one (``A + B`` of ``A``) are no others. Names of splits (``testA > testB``) compare each system with itself.
    """
    comparison = said.comparison
    if comparison is None:
        return []
    if {name for rank in comparison.ranks for name in rank} <= set(SPLITS):
        return _between_splits(said, claims, metrics)
    named = {one_name(said.paper, name) for rank in comparison.ranks for name in rank}
    cells = numbers(one for one in claims if one.metric in metrics and _told_of(said, comparison.table, one))
    found = []
    for place, rank in enumerate(comparison.ranks):
        for low in (name for lower in comparison.ranks[place + 1 :] for name in lower):
            for name in rank:
                found += _against(said, name, low, cells, named)
    return found


def _between_splits(said: Claim, claims: Sequence[Claim], metrics: Sequence[str]) -> list[Pair]:
    """Each system, and each part of the data, on the one split and on the other."""
    ranks = said.comparison.ranks if said.comparison else ()
    cells = [one for one in numbers(claims) if one.metric in metrics and said.dataset in ("none", one.dataset)]
    orders = [(a, b) for place, rank in enumerate(ranks) for a in rank for low in ranks[place + 1 :] for b in low]
    return [
        Pair(one, other, everybody=False)
        for better, worse in orders
        for one in cells
        for other in cells
        if (one.split, other.split) == (better, worse) and what(one)._replace(split=worse) == what(other)
    ]


def _told_of(said: Claim, table: str, cell: Claim) -> bool:
    return (
        (not table or cell.location.casefold() == table.casefold())
        and said.dataset in ("none", cell.dataset)
        and (said.split in ("none", "unstated", "all", cell.split) or cell.split == "unstated")
    )


def _against(said: Claim, name: str, low: str, cells: list[Claim], named: set[str]) -> list[Pair]:
    ahead = _rows(said.paper, name, cells)
    if low == "*":
        systems = {one.partition(": ")[0] for one in named}
        variant = one_name(said.paper, name.partition(": ")[0]) + "+"
        open_table = said.comparison is not None and not said.comparison.table
        behind = [
            one
            for one in cells
            if one_name(one.paper, one.system) not in systems
            and not (open_table and one_name(one.paper, one.system).startswith(variant))
        ]
    else:
        behind = _rows(said.paper, low, cells)
    groups_told = ": " in name and ": " in low
    fitting = [
        (one, other)
        for one in ahead
        for other in behind
        if (one.metric, one.dataset, one.split, dimension(one))
        == (other.metric, other.dataset, other.split, dimension(other))
        and (groups_told or one.group == other.group)
    ]
    together = [pair for pair in fitting if pair[0].location == pair[1].location]
    return [Pair(one, other, low == "*") for one, other in together or fitting]


def _rows(paper: str, name: str, cells: list[Claim]) -> list[Claim]:
    wanted = one_name(paper, name)
    exact = [one for one in cells if one_name(paper, one.row) == wanted]
    return exact or [one for one in cells if one_name(paper, one.system) == wanted]
