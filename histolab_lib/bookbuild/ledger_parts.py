"""The parts of the claim ledger as HTML: counts, departures, released code, findings, claims, runs, rules."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from histolab_lib.audit.false_alarms import FalseAlarms
from histolab_lib.audit.finding import SEVERITIES, Finding, by_place
from histolab_lib.audit.ledger import NOT_A_SCORE, UNTOUCHED, Line
from histolab_lib.audit.registry import Rule
from histolab_lib.audit.released_code import ASPECTS, ReleasedCode
from histolab_lib.audit.verdicts import VERDICTS
from histolab_lib.claims import PAPERS, Claim
from histolab_lib.record import Record
from histolab_lib.results import words

__all__ = [
    "ACCUSING",
    "Links",
    "claims_table",
    "code_table",
    "counts",
    "file_of_test",
    "findings_table",
    "rules_table",
    "runs_table",
]

#: Severities that a reader wants to see first, and that are explained one by one.
ACCUSING = SEVERITIES[:3]
_TESTS = Path(__file__).resolve().parents[2] / "tests"
# Of a run, in this order; of glands and nuclei alike, as far as they were scored.
_SHOWN = ("dice", "iou", "aji", "pq", "object_f1", "object_dice", "object_hausdorff")


@dataclass(frozen=True)
class Links:
    """Where things are.

    Attributes
    ----------
    rule : callable
        Takes a rule, gives the address of its derivation; empty where it has none.
    file : callable
        Takes a path in the repository, gives its address; empty where no repository is known.
    """

    rule: Callable[[Rule], str]
    file: Callable[[str], str]


def _link(address: str, text: str) -> str:
    return f'<a href="{escape(address)}">{escape(text)}</a>' if address else escape(text)


def _box(name: str, label: str, head: Iterable[str], body: Iterable[str]) -> str:
    """A table in a box that scrolls, by keyboard too. A column's name that begins with "*" can be chosen from."""
    cells = "".join(
        f'<th scope="col"{" data-choose" if one[:1] == "*" else ""}>{escape(one.lstrip("*"))}</th>' for one in head
    )
    return (
        f'<div class="ledger" id="ledger-{name}" tabindex="0" role="region" aria-label="{escape(label)}">'
        f'<table class="table"><thead><tr>{cells}</tr></thead><tbody>\n{chr(10).join(body)}\n</tbody></table></div>'
    )


def _row(cells: Iterable[str], anchor: str = "") -> str:
    return f"<tr{f' id={_quoted(anchor)}' if anchor else ''}>{''.join(f'<td>{one}</td>' for one in cells)}</tr>"


def _quoted(text: str) -> str:
    return f'"{escape(text)}"'


def counts(lines: Sequence[Line], findings: Sequence[Finding], links: Links) -> str:
    """Return how many claims each paper has, how many a rule has looked at, what came of it, what holds the digits."""
    told = (*(f"found {one}" for one in ACCUSING), *_verdict_words(lines))
    body = []
    for key, name in PAPERS.items():
        own = [one for one in lines if one.claim.paper == key]
        body.append(_row((escape(name), *_counted(own, findings, lines))))
    body.append(_row(("all", *_counted(lines, findings, lines))))
    head = ("paper", "claims", "looked at by a rule", *told)
    test = "tests/test_claims_texts.py"
    summary = (
        f"<p>{len(lines):,} published numbers and comparisons, each digit held against the papers' texts by "
        f"{_link(links.file(test), test)}; {len(findings):,} checks by rules.</p>"
    )
    return summary + _box("counts", "Claims by paper", head, body)


def _verdict_words(lines: Iterable[Line]) -> list[str]:
    given = {one.verdict.word for one in lines}
    return [one for one in (*VERDICTS, NOT_A_SCORE) if one in given]


def _counted(own: Sequence[Line], findings: Iterable[Finding], lines: Iterable[Line]) -> list[str]:
    papers = {one.claim.paper for one in own}
    severities = Counter(one.severity for one in findings if one.paper in papers)
    verdicts = Counter(one.verdict.word for one in own)
    numbers = (
        len(own),
        sum(one.severity != UNTOUCHED for one in own),
        *(severities[one] for one in ACCUSING),
        *(verdicts[one] for one in _verdict_words(lines)),
    )
    return [f"{one:,}" for one in numbers]


def code_table(found: Mapping[str, ReleasedCode], links: Links) -> str:
    """Return what the authors of each paper have released: in one word each, then in sentences."""
    overview, details = [], []
    for paper, one in found.items():
        there = {aspect.name: aspect.there for aspect in one.aspects}
        name = escape(PAPERS[paper])
        overview.append(_row((name, *(there.get(aspect, "no") for aspect in ASPECTS), one.follow)))
        details += [_row((name, *cells)) for cells in _details(one)]
    short = _box("code", "Released code in short", ("paper", *ASPECTS, "do the numbers follow?"), overview)
    return short + _box("code-details", "Released code", ("*paper", "*what", "*there", "what was seen"), details)


def _details(one: ReleasedCode) -> Iterator[tuple[str, str, str]]:
    if one.repository:
        commit = _link(f"{one.repository}/tree/{one.commit}", f"commit {one.commit[:10]}")
        yield "repository", "yes", f"{escape(one.repository)}, {commit} of {one.dated}, read on {one.seen}."
    else:
        yield "repository", "no", f"Nothing was found on {one.seen}."
    for aspect in one.aspects:
        files = f" ({', '.join(f'<code>{escape(file)}</code>' for file in aspect.files)})" if aspect.files else ""
        yield aspect.name, aspect.there, escape(aspect.what) + files
    yield "do the numbers follow?", one.follow, escape(one.why)


def _place(claim: Claim) -> str:
    return _lines(escape(claim.location), escape(claim.row))


def _lines(first: str, second: str) -> str:
    """Two lines in one cell; readers choose by the first."""
    return f"{first}<br>{second}" if second else first


def _printed(claim: Claim) -> str:
    sign = " %" if claim.unit == "percent" and not claim.value.endswith("%") else ""
    unit = f" {claim.unit}" if claim.unit in ("px", "million", "seconds", "minutes", "hours", "gigabytes") else ""
    return escape(claim.value) + sign + unit


def findings_table(findings: Sequence[Finding], lines: Sequence[Line]) -> str:
    """Return every finding that says more than ``fine``, the gravest first, each with an anchor of its number."""
    shown, claims = _accusing(findings), {one.claim.key: one.claim for one in lines}
    body = [
        _row(
            (
                f"<strong>{one.severity}</strong>",
                one.paper,
                _lines(escape(one.explanation), f"<b>Printed.</b> {_values_of([claims[row] for row in one.rows])}"),
                f'<a href="#rule-{one.rule}">{one.rule}</a>',
            ),
            f"finding-{number}",
        )
        for number, one in enumerate(shown, 1)
    ]
    head = ("*severity", "*paper", "what follows", "*rule")
    return _box("findings", "Findings", head, body)


def _accusing(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that say more than ``fine``, from the gravest."""
    return sorted((one for one in findings if one.severity in ACCUSING), key=lambda one: ACCUSING.index(one.severity))


def _values_of(claims: Iterable[Claim]) -> str:
    """What is printed and where, each value leading to its claim."""
    return "; ".join(
        f"{escape(place)}: {', '.join(f'{one.metric} {_linked(one)}' for one in own)}"
        for place, own in by_place(claims).items()
    )


def _linked(claim: Claim) -> str:
    return f'<a href="#{escape(claim.key)}">{escape(claim.value)}</a>'


def claims_table(lines: Sequence[Line], findings: Sequence[Finding]) -> str:
    """Return all claims, each row with its key as anchor; under severity stand the rules, under verdict the reason."""
    numbers = {id(one): number for number, one in enumerate(_accusing(findings), 1)}
    body = [
        _row(
            (
                one.claim.paper,
                _place(one.claim),
                _lines(one.claim.dataset, one.claim.split if one.claim.split != "none" else ""),
                one.claim.metric,
                _printed(one.claim),
                _lines(one.severity, _tested(one, numbers)),
                _lines(one.verdict.word, escape(one.verdict.reason)),
            ),
            one.claim.key,
        )
        for one in lines
    ]
    head = ("*paper", "where", "*set", "*metric", "printed", "*severity", "*verdict")
    return _box("claims", "All claims", head, body)


def _tested(line: Line, numbers: Mapping[int, int]) -> str:
    """The rules: those that found something lead to the finding, others to the rule."""
    grave = [one for one in line.findings if id(one) in numbers]
    told = [f'<a href="#finding-{numbers[id(one)]}"><b>{one.rule}</b></a>' for one in grave]
    others = dict.fromkeys(one.rule for one in line.findings if id(one) not in numbers)
    told += [f'<a href="#rule-{rule}">{rule}</a>' for rule in others if rule not in {one.rule for one in grave}]
    return ", ".join(told)


def runs_table(records: Sequence[Record]) -> str:
    """Return the recorded runs, one row for each split, anchored by the run's name and the split."""
    body = []
    for one in records:
        for split, summary in one.summary.items():
            scores = [_score(summary[metric], metric) for metric in _SHOWN if metric in summary]
            images = summary[next(iter(summary))]["images"]
            cells = (
                _lines(one.key, one.variant if one.variant != "base" else ""),
                _lines(one.dataset, f"{split}, {images} images"),
                f"{one.reading}, {one.schedule}, seed {one.seed}",
                one.date,
                "; ".join(scores),
            )
            body.append(_row(cells, f"{one.name}/{split}"))
    return _box("runs", "Recorded runs", ("network", "set", "reading, schedule", "recorded", "scores"), body)


def _score(values: Mapping[str, float], metric: str) -> str:
    mean, low, high = (words(values[one], metric) for one in ("mean", "low", "high"))
    return f"{metric} {mean} [{low}, {high}]"


def rules_table(rules: Mapping[str, Rule], findings: Sequence[Finding], links: Links) -> str:
    """Return the rules: what each asks and assumes, how often it was applied, its rate, its derivation and its test."""
    body = []
    for name, one in rules.items():
        told = Counter(finding.severity for finding in findings if finding.rule == name)
        given = ", ".join(f"{told[severity]} {severity}" for severity in SEVERITIES if told[severity]) or "none"
        address, test = links.rule(one), file_of_test(one)
        derivation = _link(address, "derivation") if address else "-"
        alarms, shown = _false_alarms(one.false_alarms), _link(links.file(test), test)
        cells = (name, escape(one.title), escape(one.assumes), given, alarms, derivation, shown)
        body.append(_row(cells, f"rule-{name}"))
    head = ("rule", "what it asks", "what it assumes", "checks", "false alarms", "why it holds", "its test")
    return _box("rules", "Rules", head, body)


def _false_alarms(found: FalseAlarms | None) -> str:
    """Return how many innocent papers are accused, and what they are like, in a box that opens."""
    if found is None:
        return "-"
    others = "".join(f"<li>where {escape(name)}: {told.words}</li>" for name, told in found.accused_when.items())
    meant = f"<p>Otherwise:</p><ul>{others}</ul>" if others else ""
    return (
        f"{found.innocent.words}<details><summary>of what</summary><p>{escape(found.model)} "
        f"{found.innocent.checks:,} checks.</p>{meant}<p>Guilty ones ({escape(found.fault)}): {found.guilty.words}.</p>"
        "</details>"
    )


def file_of_test(rule: Rule, tests: Path = _TESTS) -> str:
    """Return the file that tests a rule, below the root: that of its module, else the first that names it.

    Empty where none does, as outside of a checkout.
    """
    own = f"test_audit_{rule.check.__module__.rpartition('.')[2]}.py"
    named = re.compile(rf"\b({re.escape(rule.check.__name__)}|{re.escape(rule.name)})\b")
    for path in sorted(tests.glob("test_audit_*.py"), key=lambda one: (one.name != own, one.name)):
        if named.search(path.read_text(encoding="utf-8")):
            return f"tests/{path.name}"
    return ""
