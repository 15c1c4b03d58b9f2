"""All rules on claims, and what they find as a table, as JSON and as CSV."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence

from histolab_lib.audit.finding import SEVERITIES, Finding, finding
from histolab_lib.audit.registry import Rule
from histolab_lib.audit.rules import RULES
from histolab_lib.audit.rules.cells import what
from histolab_lib.audit.rules.paper import Paper
from histolab_lib.claims import Claim

__all__ = ["COLUMNS", "audit", "to_csv", "to_json"]

#: The fields of a finding, as JSON and CSV have them.
COLUMNS = ("paper", "location", "rows", "values", "rule", "severity", "explanation")


def audit(claims: Iterable[Claim], rules: Mapping[str, Rule] | None = None) -> list[Finding]:
    """Apply every rule to the claims of every paper.

    Parameters
    ----------
    claims : iterable of Claim
    rules : mapping of str to Rule, optional
        Default: all.

    Returns
    -------
    list of Finding
        Every check once, those that found nothing (``fine``) included, and one for the same numbers of the same system
        printed in several places; by paper in the order of the claims, then from
        the gravest, then in the order of the rules.

    Examples
    --------
    >>> from histolab_lib.claims import load_claims
    >>> found = audit(load_claims())
    >>> "impossible" in {one.severity for one in found}
    True
    """
    papers: dict[str, list[Claim]] = {}
    for claim in claims:
        papers.setdefault(claim.paper, []).append(claim)
    asked = RULES if rules is None else rules
    return [one for own in papers.values() for one in _of_paper(Paper(own), asked)]


def _of_paper(claims: Sequence[Claim], rules: Mapping[str, Rule]) -> list[Finding]:
    found: dict[tuple[str, frozenset[str], str], Finding] = {}
    for one in (one for rule in rules.values() for one in rule.check(claims)):
        found.setdefault((one.rule, frozenset(one.rows), one.severity), one)
    return sorted(_once(found.values(), claims), key=lambda one: SEVERITIES.index(one.severity))


def _once(found: Iterable[Finding], claims: Sequence[Claim]) -> list[Finding]:
    """Findings that say the same of the same figures in several places made one; what is ``fine`` is left apart."""
    told = {one.key: one for one in claims}
    same: dict[object, list[Finding]] = {}
    for one in found:
        about = tuple(what(told[row]) for row in one.rows if row in told) if one.severity != "fine" else one.rows
        same.setdefault((one.rule, one.severity, one.explanation, one.values, about), []).append(one)
    return [_joined(ones, told) if len(ones) > 1 else ones[0] for ones in same.values()]


def _joined(ones: Sequence[Finding], told: Mapping[str, Claim]) -> Finding:
    rows = dict.fromkeys(row for one in ones for row in one.rows)
    return finding([told[row] for row in rows], ones[0].rule, ones[0].severity, ones[0].explanation)


def to_json(findings: Iterable[Finding]) -> str:
    """Return findings as a JSON list of objects with the fields `COLUMNS`."""
    return json.dumps([one.to_dict() for one in findings], ensure_ascii=False, indent=1) + "\n"


def to_csv(findings: Iterable[Finding]) -> str:
    """Return findings as CSV with the columns `COLUMNS`; several rows and values are joined by "; "."""
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    for one in findings:
        table.writerow({**one.to_dict(), "rows": "; ".join(one.rows), "values": "; ".join(one.values)})
    return text.getvalue()
