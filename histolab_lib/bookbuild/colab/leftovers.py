"""What only the book's own tools understand: none of it may be left in an edition."""

import re

__all__ = ["left_over"]

_BLOCK = re.compile(r"^[ \t]*(`{3,}|~{3,})(?!\s*\{)[^\n`]*\n.*?^[ \t]*\1[ \t]*$", re.DOTALL | re.MULTILINE)
_DIRECTIVE = re.compile(r"^[ \t]*(?:(?:`{3,}|~{3,})[ \t]*\{|:{3,})[^\n]*", re.MULTILINE)
_FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})[^\n`]*$", re.MULTILINE)
# The leftmost match wins, so that a role inside code is code.
_SPAN = re.compile(r"(?P<role>\{[\w:.+-]+\}`+[^`]*`*)|(`+)(?!`).+?(?<!`)\2(?!`)", re.DOTALL)
_DISPLAYED = re.compile(r"\$\$.*?\$\$", re.DOTALL)
_INLINE = re.compile(r"(?<![\\$])\$[^$\n]+\$(?!\$)")
_MYST = (
    re.compile(r"^\([\w:-]+\)=", re.MULTILINE),  # a target
    re.compile(r"\$\$[ \t]*\([\w:-]+\)"),  # the label of an equation
    re.compile(r"\{\{[^\n]*?\}\}"),  # a substitution
    re.compile(r"[\])]\{[.#\w][^\n}]*\}"),  # attributes
    re.compile(r"^(?:%|\+\+\+)[^\n]*", re.MULTILINE),  # a comment, a cell break
    re.compile(r"\]\((?![a-z]+:|#)[^)\n]*\)"),  # a link that holds only beside the chapter
)


def left_over(markdown: str) -> list[str]:
    """Return what of MyST stands in a text that is meant to be plain Markdown; code and mathematics are excepted.

    Examples
    --------
    >>> left_over("The mean is {glue:text}`mean`, see `{doc}` and [there](other.md).")
    ['{glue:text}`mean`', '](other.md)']
    >>> left_over("The mean is `mean`, see **there**: $x_{1}$.")
    []
    """
    text = _BLOCK.sub(" ", markdown)
    found = _DIRECTIVE.findall(text)
    text = _FENCE.sub(" ", _DIRECTIVE.sub(" ", text))
    found += [span["role"] for span in _SPAN.finditer(text) if span["role"]]
    text = _INLINE.sub(" ", _DISPLAYED.sub("$$", _SPAN.sub(" ", text)))
    return found + [match[0] for pattern in _MYST for match in pattern.finditer(text)]
