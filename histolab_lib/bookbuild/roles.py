"""Roles for numbers that no run of the page made: ``{claim}`` is a published one, looked up as the site is built."""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxRole
from sphinx.writers.html5 import HTML5Translator

from histolab_lib.claims import Claim, claim

__all__ = ["ClaimRole", "claim_words", "connect", "quoted"]


class quoted(nodes.inline):
    """A number from elsewhere, with what a reader wants to know of it in ``tip``."""


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


class ClaimRole(SphinxRole):
    """The role ``{claim}`` with a key of ``data/claims``; an unknown key fails the build."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the number, or the error that names the key and those like it."""
        try:
            found = claim(self.text.strip())
        except LookupError as error:
            message = self.inliner.reporter.error(f"claim: {error.args[0]}", line=self.lineno)
            return [self.inliner.problematic(self.rawtext, self.rawtext, message)], [message]
        words = claim_words(found)
        return [quoted(words, words, tip=found.tooltip, classes=["claim"])], []


def _open(translator: HTML5Translator, node: quoted) -> None:
    # A title is shown to a mouse; the style sheet shows data-tip to who comes by keyboard or finger.
    attributes = {"tabindex": "0", "title": node["tip"], "data-tip": node["tip"]}
    translator.body.append(translator.starttag(node, "span", "", **attributes))


def _close(translator: HTML5Translator, _node: quoted) -> None:
    translator.body.append("</span>")


def connect(app: Sphinx) -> None:
    """Register the roles."""
    app.add_node(quoted, html=(_open, _close))
    app.add_role("claim", ClaimRole())
