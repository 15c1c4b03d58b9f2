"""Roles for numbers that no run of the page made, looked up as the site is built.

``{claim}`` is a published one, ``{result}`` one of a recorded run. Each leads to its row of the claim ledger.
"""

from abc import ABC, abstractmethod

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxRole
from sphinx.writers.html5 import HTML5Translator

from histolab_lib.bookbuild.ledger import address_of
from histolab_lib.claims import Claim, claim
from histolab_lib.results import Result, result, words

__all__ = ["ClaimRole", "ResultRole", "claim_words", "connect", "quoted", "result_words"]


class quoted(nodes.inline):
    """A number from elsewhere, with what a reader wants to know of it in ``tip``, and its ``row`` of the ledger."""


def claim_words(found: Claim) -> str:
    """Return a published number as prose shows it: as printed, with the percent sign where the table means percent.

    Examples
    --------
    >>> claim_words(claim("dan_nucnet/table-4/unet/pannuke/unstated/f1"))
    '77.56 %'
    >>> claim_words(claim("haru_net/table-1/u-net/monuseg/test/dice"))
    '0.758'
    """
    return f"{found.value} %" if found.unit == "percent" and not found.value.endswith("%") else found.value


def result_words(found: Result) -> str:
    """Return a number of a recorded run as prose shows it: three decimals, of a distance in pixels one.

    Examples
    --------
    >>> result_words(result("floor_hematoxylin/monuseg/base-clean-none-seed0/test/dice"))
    '0.770'
    """
    return words(found.mean, found.metric)


class _Quoting(SphinxRole, ABC):
    """Shows a number that is looked up by its key; an unknown key fails the build."""

    kind: str

    @abstractmethod
    def look_up(self, key: str) -> tuple[str, str, str]:
        """Return what the text shows, what a reader is told of it, and its row of the ledger; raises LookupError."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the number, or the error that names the key and those like it."""
        try:
            shown, tip, row = self.look_up(self.text.strip())
        except LookupError as error:
            message = self.inliner.reporter.error(f"{self.kind}: {error.args[0]}", line=self.lineno)
            return [self.inliner.problematic(self.rawtext, self.rawtext, message)], [message]
        return [quoted(shown, shown, tip=tip, row=row, classes=["claim"])], []


class ClaimRole(_Quoting):
    """The role ``{claim}`` with a key of ``data/claims``."""

    kind = "claim"

    def look_up(self, key: str) -> tuple[str, str, str]:
        """Return the number as printed, where, and its key."""
        found = claim(key)
        return claim_words(found), found.tooltip, found.key


class ResultRole(_Quoting):
    """The role ``{result}`` with the name of a record, a split and a metric, joined by slashes."""

    kind = "result"

    def look_up(self, key: str) -> tuple[str, str, str]:
        """Return the mean, its interval and run, and the run and split that have a row."""
        found = result(key)
        return result_words(found), found.tooltip, f"{found.record.name}/{found.split}"


def _open(translator: HTML5Translator, node: quoted) -> None:
    # A title is shown to a mouse; the style sheet shows data-tip to who comes by keyboard or finger.
    tips = {"title": node["tip"], "data-tip": node["tip"]}
    address = _address(translator, node)
    tag, more = ("a", {"href": address}) if address else ("span", {"tabindex": "0"})
    translator.body.append(translator.starttag(node, tag, "", **more, **tips))


def _close(translator: HTML5Translator, node: quoted) -> None:
    translator.body.append("</a>" if _address(translator, node) else "</span>")


def _address(translator: HTML5Translator, node: quoted) -> str:
    builder = translator.builder
    return address_of(builder, builder.current_docname, node["row"])


def connect(app: Sphinx) -> None:
    """Register the roles."""
    app.add_node(quoted, html=(_open, _close))
    app.add_role("claim", ClaimRole())
    app.add_role("result", ResultRole())
