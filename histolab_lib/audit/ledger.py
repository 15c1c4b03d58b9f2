"""One line for each published number: what was tested of it, and what recorded runs say of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from histolab_lib.audit.finding import SEVERITIES, Finding
from histolab_lib.audit.verdicts import Verdict, judge, judge_gain, spread_over_seeds
from histolab_lib.claims import Claim
from histolab_lib.record import Record
from histolab_lib.results import Row
from histolab_lib.results.comparison import network_of, variant_of

__all__ = ["NOT_A_SCORE", "UNTOUCHED", "Line", "ledger"]

#: Severity of a claim that no rule has looked at.
UNTOUCHED = "no rule applies"
#: Verdict on what no run of ours could reproduce: counts, settings, comparisons.
NOT_A_SCORE = "not a score"

_Rows = Mapping[tuple[str, str, str, str, str], Row]


@dataclass(frozen=True)
class Line:
    """A published number and what is known of it.

    Attributes
    ----------
    claim : Claim
    findings : tuple of Finding
        Every check that it was part of, from the gravest.
    verdict : Verdict
        Of the recorded runs; its word is `NOT_A_SCORE` where no run could reproduce the number.
    """

    claim: Claim
    findings: tuple[Finding, ...]
    verdict: Verdict

    @property
    def severity(self) -> str:
        """The gravest of its findings; `UNTOUCHED` without any."""
        return self.findings[0].severity if self.findings else UNTOUCHED


def ledger(claims: Iterable[Claim], findings: Iterable[Finding], rows: Iterable[Row]) -> list[Line]:
    """Join claims with what rules found and with what was recorded.

    Parameters
    ----------
    claims : iterable of Claim
    findings : iterable of Finding
        Of all rules, those that are ``fine`` included.
    rows : iterable of Row
        Of `histolab_lib.results.compare`.

    Returns
    -------
    list of Line
        One for each claim, in their order.

    Examples
    --------
    >>> from histolab_lib.claims import claim
    >>> (line,) = ledger([claim("haru_net/table-1/u-net/monuseg/test/dice")], [], [])
    >>> line.severity, line.verdict.word
    ('no rule applies', 'not tested')
    """
    touching: dict[str, list[Finding]] = {}
    for one in sorted(findings, key=lambda one: SEVERITIES.index(one.severity)):
        for key in dict.fromkeys(one.rows):
            touching.setdefault(key, []).append(one)
    recorded: dict[tuple[str, str, str, str, str], Row] = {}
    for row in rows:  # most of our variants of a network are in no paper: those rows have nothing printed
        if row.printed:
            place = (row.key, variant_of(row.printed[0]), row.dataset, row.split, row.metric)
            recorded.setdefault(place, row)
    return [Line(one, tuple(touching.get(one.key, ())), _verdict(one, recorded)) for one in claims]


def _verdict(claim: Claim, recorded: _Rows) -> Verdict:
    if claim.metric == "gain":
        return Verdict(NOT_A_SCORE, _gain(claim, recorded))
    if not claim.averaging:
        return Verdict(NOT_A_SCORE, "")
    if claim.group:  # the mean over parts too: ours is one over images
        return Verdict("not tested", "runs are scored by image, not by part of the data")
    network = network_of(claim)
    if network is None:
        return Verdict("not tested", "the book has no network of this name")
    return judge(claim, _runs(network, claim, claim.metric, recorded))


def _runs(network: str, claim: Claim, metric: str, recorded: _Rows) -> Sequence[Record]:
    metric = "dice" if metric == "f1" else metric  # of pixels, the same number
    row = recorded.get((network, variant_of(claim), claim.dataset, claim.split, metric))
    return row.runs if row else ()


def _gain(claim: Claim, recorded: _Rows) -> str:
    """Whether the gain is larger than what another seed changes, by the runs of whoever is said to be better."""
    comparison = claim.comparison
    for name in comparison.ranks[0] if comparison else ():
        named = replace(claim, row=name)
        network = network_of(named)
        for metric in comparison.metrics if comparison and network else ():
            runs = _runs(network or "", named, metric, recorded)
            if runs:
                spread = spread_over_seeds(runs, claim.split, "dice" if metric == "f1" else metric)
                return judge_gain(claim, spread)
    return "not tested: no run is recorded of what is said to be better"
