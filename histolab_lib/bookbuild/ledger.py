"""The directive ``{ledger}``: parts of the claim ledger, made from the data while the site is built."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from html import escape
from typing import Any, NamedTuple
from urllib.parse import quote

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

from histolab_lib.audit.finding import Finding
from histolab_lib.audit.ledger import Line, ledger
from histolab_lib.audit.registry import Rule
from histolab_lib.audit.released_code import released_code
from histolab_lib.audit.verdicts import counterparts
from histolab_lib.bookbuild import ledger_parts as parts
from histolab_lib.bookbuild.ledger_parts import Links
from histolab_lib.claims import PAPERS, UNREADABLE, load_claims
from histolab_lib.data_dir import data_dir
from histolab_lib.record import Record
from histolab_lib.results import compare, load_results

__all__ = [
    "LEDGER",
    "PARTS",
    "LedgerDirective",
    "address_of",
    "connect",
    "html_of",
    "ledger_part",
    "rates_of",
    "sections",
]

#: The page of the ledger, as Sphinx names it.
LEDGER = "book/synthesis/claim_ledger"
#: The comment on a reference page that gives way to a section for each module with rules.
_MODULES = re.compile(r"^% Here stand all modules with rules.*$", re.MULTILINE)


class ledger_part(nodes.General, nodes.Element):
    """A part of the ledger, named by ``part``; written when everything that it links to has been read."""


class _Facts(NamedTuple):
    lines: Sequence[Line]
    findings: Sequence[Finding]
    records: Sequence[Record]
    rules: Mapping[str, Rule]


@cache
def _facts() -> _Facts:
    from histolab_lib.audit.report import audit
    from histolab_lib.audit.rules import RULES

    claims, records = load_claims(), load_results()
    findings = audit(claims)
    return _Facts(ledger(claims, findings, compare(records, claims)), findings, records, RULES)


def _departures(lines: Sequence[Line], records: Sequence[Record]) -> str:
    """Return in what this book's own experiments depart from those that the papers report, as far as data tell."""
    built = json.loads((data_dir() / "facts" / "parameters.json").read_text(encoding="utf-8"))["networks"]
    missing = [name for key, name in PAPERS.items() if key not in built]
    trained = [one for one in records if one.key in PAPERS]
    lost = sum(one.claim.value == UNREADABLE for one in lines)
    untestable = sum(one.severity == "not testable here" for one in lines)
    told = [
        f"Networks of the papers that are built: {len(PAPERS) - len(missing)} of {len(PAPERS)}"
        + (f"; not yet: {', '.join(missing)}." if missing else "."),
        f"{len(records)} runs are recorded, {len(trained)} of them of the five networks.",
        *(f"{PAPERS[one.paper]} on {', '.join(one.datasets)}: {one.why}." for one in counterparts()),
        f"{lost} values cannot be read in our copies of the papers, and are left so.",
        f"{untestable} claims are about data that are not at hand, and no rule can test them.",
    ]
    return f"<ul>{''.join(f'<li>{escape(one)}</li>' for one in told)}</ul>"


_PARTS: Mapping[str, Callable[[_Facts, Links], str]] = {
    "counts": lambda facts, links: parts.counts(facts.lines, facts.findings, links),
    "departures": lambda facts, _: _departures(facts.lines, facts.records),
    "code": lambda _, links: parts.code_table(released_code(), links),
    "findings": lambda facts, _: parts.findings_table(facts.findings, facts.lines),
    "claims": lambda facts, _: parts.claims_table(facts.lines, facts.findings),
    "runs": lambda facts, _: parts.runs_table(facts.records),
    "rules": lambda facts, links: parts.rules_table(facts.rules, facts.findings, links),
}
#: What the directive can show.
PARTS = tuple(_PARTS)


def html_of(part: str, links: Links) -> str:
    """Return a part of the ledger, one of `PARTS`, as HTML."""
    return _PARTS[part](_facts(), links)


def address_of(builder: Builder, here: str, anchor: str) -> str:
    """Return the address of a row of the ledger from the page `here`; empty in a site without a ledger."""
    if LEDGER not in builder.env.found_docs:
        return ""
    return f"{builder.get_relative_uri(here, LEDGER)}#{quote(anchor, safe='/+')}"


def _links(builder: Builder, here: str) -> Links:
    labels: Mapping[str, tuple[str, str]] = builder.env.domaindata["std"]["anonlabels"]
    objects: Mapping[str, Any] = builder.env.domaindata["py"]["objects"]
    options = builder.config.html_theme_options
    repository, branch = options.get("repository_url"), options.get("repository_branch")

    def rule(one: Rule) -> str:
        name = f"{one.check.__module__}.{one.check.__name__}"
        found = labels.get(f"rule-{one.name}") or (objects[name][:2] if name in objects else None)
        return f"{builder.get_relative_uri(here, found[0])}#{found[1]}" if found else ""

    def file(path: str) -> str:
        return f"{repository}/blob/{branch}/{path}" if repository else ""

    return Links(rule, file)


class LedgerDirective(SphinxDirective):
    """``{ledger} PART`` puts a part of the ledger, one of `PARTS`, into a page."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the place for it, or the complaint that names the parts there are."""
        try:
            part = directives.choice(self.arguments[0], PARTS)
        except ValueError as error:
            raise self.error(f"ledger: {error}") from error
        return [ledger_part(part=part)]


def _write(translator: HTML5Translator, node: ledger_part) -> None:
    builder = translator.builder
    translator.body.append(html_of(node["part"], _links(builder, builder.current_docname)))
    raise nodes.SkipNode


def sections(rules: Iterable[Rule]) -> str:
    """Return the reference of all modules with rules, as MyST."""
    modules = dict.fromkeys(one.check.__module__ for one in rules)
    return "\n".join(f"## `{one}`\n\n```{{eval-rst}}\n.. automodule:: {one}\n   :members:\n```\n" for one in modules)


def rates_of(rule: Rule) -> list[str]:
    """Return the measured false alarms of a rule as lines of reStructuredText; none for one that has no rate."""
    found = rule.false_alarms
    if found is None:
        return []
    told = f"*Measured.* {found.model} Accused: {found.innocent.words}."
    others = [f"* {counted.words}, where {meaning}" for meaning, counted in found.accused_when.items()]
    guilty = f"Guilty papers ({found.fault}): {found.guilty.words}."
    return ["", told, "", *others, "", guilty, ""]


def _add_rates(_app: Sphinx, _what: str, _name: str, thing: object, _options: object, lines: list[str]) -> None:
    if getattr(thing, "__module__", "").startswith("histolab_lib.audit.rules."):
        from histolab_lib.audit.rules import RULES

        lines += [line for rule in RULES.values() if rule.check is thing for line in rates_of(rule)]


def _list_modules(_app: Sphinx, _page: str, source: list[str]) -> None:
    if _MODULES.search(source[0]):
        from histolab_lib.audit.rules import RULES

        source[0] = _MODULES.sub(lambda _: sections(RULES.values()), source[0])


def connect(app: Sphinx) -> None:
    """Register the directive, its script for the page of the ledger, the list of modules with rules, their rates."""
    app.add_node(ledger_part, html=(_write, None))
    app.add_directive("ledger", LedgerDirective)
    app.connect("source-read", _list_modules)
    app.connect("html-page-context", _script)
    if "sphinx.ext.autodoc" in app.extensions:
        app.connect("autodoc-process-docstring", _add_rates, priority=700)  # after napoleon


def _script(app: Sphinx, page: str, _template: str, _context: dict[str, Any], _doctree: object) -> None:
    if page == LEDGER:
        app.add_js_file("elements.js")
        app.add_js_file("ledger.js")
