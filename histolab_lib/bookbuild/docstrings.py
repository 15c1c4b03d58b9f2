"""Repairs of docstrings for the reference pages: mathematics between dollars, comments of constants with a colon."""

import re

from sphinx.application import Sphinx

__all__ = ["connect", "math_between_dollars", "without_type"]

_MATH = re.compile(r"\$([^$`]+)\$")


def math_between_dollars(lines: list[str]) -> list[str]:
    r"""Return the lines of a docstring with ``$...$`` turned into the role that Sphinx knows.

    Examples
    --------
    >>> print(*math_between_dollars([r"So $J\\le D$ for", "each $i$, $a", "+ b$."]), sep="\n")
    So :math:`J\\le D` for
    each :math:`i`, :math:`a + b`.
    """
    return _MATH.sub(_role, "\n".join(lines)).split("\n")


def without_type(lines: list[str]) -> list[str]:
    """Return the comment of a constant so that napoleon leaves it whole.

    It takes what stands before the first colon of the first line for a type. Our comments are sentences, so an empty
    comment of reStructuredText, which leaves no trace on the page, goes before them.

    Examples
    --------
    >>> without_type(["What it can be: a, or b."])
    ['..', '', 'What it can be: a, or b.']
    """
    return ["..", "", *lines]


def _role(found: re.Match[str]) -> str:
    return f":math:`{' '.join(found[1].split())}`"


def _repair(_app: Sphinx, what: str, name: str, _object: object, _options: object, lines: list[str]) -> None:
    if name.startswith("histolab_lib.audit"):
        lines[:] = math_between_dollars(lines)
    if what in ("data", "attribute"):
        lines[:] = without_type(lines)


def connect(app: Sphinx) -> None:
    """Repair docstrings before napoleon sees them."""
    app.connect("autodoc-process-docstring", _repair, priority=400)
