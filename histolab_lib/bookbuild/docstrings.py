"""Mathematics in docstrings: written between dollars, as on the pages, and set as such on the reference pages."""

import re

from sphinx.application import Sphinx

__all__ = ["connect", "math_between_dollars"]

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


def _role(found: re.Match[str]) -> str:
    return f":math:`{' '.join(found[1].split())}`"


def _repair(_app: Sphinx, _what: str, name: str, _object: object, _options: object, lines: list[str]) -> None:
    if name.startswith("histolab_lib.audit"):
        lines[:] = math_between_dollars(lines)


def connect(app: Sphinx) -> None:
    """Repair docstrings of the audit before napoleon sees them."""
    app.connect("autodoc-process-docstring", _repair, priority=400)
