"""MyST text as plain Markdown that any notebook shows: directives, labels, roles, links."""

import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import takewhile

from histolab_lib.bookbuild.chapters import BookError
from histolab_lib.bookbuild.colab.contents import DOLLARS
from histolab_lib.bookbuild.colab.roles import Place, resolve

__all__ = ["markdown"]

_FENCE = re.compile(r"(\s*)(`{3,}|~{3,}|:{3,})\s*(?:\{([\w:-]+)\})?\s*(.*?)\s*$")
_OPTION = re.compile(r"\s*:([\w-]+):\s*(.*?)\s*$")
# Roles, and what must be left alone or loses its label: the leftmost match wins, so a role inside code is code.
_INLINE = re.compile(
    r"\{(?P<role>[\w:-]+)\}(?P<ticks>`+)(?P<text>.+?)(?<!`)(?P=ticks)(?!`)"
    r"|(?P<code>(?P<fence>`+)(?!`).+?(?<!`)(?P=fence)(?!`))"
    rf"|{DOLLARS}"
    r"|(?P<open>!?\[[^\]\n]*\])\((?P<target>[^)\s]+)\)"
    r"|^\((?P<anchor>[\w:-]+)\)=\n?",
    re.DOTALL | re.MULTILINE,
)


def markdown(text: str, place: Place) -> str:
    """Return a chapter's MyST text as plain Markdown.

    Parameters
    ----------
    text : str
        Source of a text cell.
    place : Place
        The chapter it stands in.

    Raises
    ------
    BookError
        If a role or directive has no counterpart in plain Markdown, or refers to what the book does not have.
    """
    parts: list[str] = []
    prose: list[str] = []
    lines = text.split("\n")
    while lines:
        fence = _FENCE.fullmatch(lines[0])
        if fence is None:
            prose.append(lines.pop(0))
            continue
        body, lines = _block(lines, fence[2])
        parts += [_inline("\n".join(prose), place)] if prose else []
        prose = []
        parts.append(_directive(fence, body, place))
    return "\n".join(parts + ([_inline("\n".join(prose), place)] if prose else []))


def _block(lines: Sequence[str], fence: str) -> tuple[list[str], list[str]]:
    """Split at the line that closes a fence: what it holds, and what follows."""
    close = re.compile(rf"\s*{re.escape(fence[0])}{{{len(fence)},}}\s*")
    body = list(takewhile(lambda line: not close.fullmatch(line), lines[1:]))
    return body, list(lines[len(body) + 2 :])


def _directive(fence: re.Match[str], body: list[str], place: Place) -> str:
    _, ticks, name, argument = fence.groups()
    if name is None:
        return "\n".join([f"{fence[1]}{ticks}{argument}", *body, f"{fence[1]}{ticks}"])
    if name not in _DIRECTIVES:
        raise BookError(
            f"{place.docname}: editions have nothing for the directive {{{name}}}; "
            f"give it a line in {__name__}, beside {', '.join(_DIRECTIVES)}"
        )
    head = list(takewhile(_OPTION.fullmatch, body))
    options = {found[1]: found[2] for found in map(_OPTION.fullmatch, head) if found}
    return _DIRECTIVES[name](argument, options, "\n".join(body[len(head) :]).strip("\n"), place)


_Writer = Callable[[str, Mapping[str, str], str, Place], str]


def _admonition(title: str | None) -> _Writer:
    def write(argument: str, _options: Mapping[str, str], body: str, place: Place) -> str:
        # Where a kind has its own title, text on the opening line is the beginning of the body.
        said = f"{argument}\n{body}" if title and argument else body
        head = title or _inline(argument, place)
        inside = ([f"**{head}**", ""] if head else []) + markdown(said.strip("\n"), place).split("\n")
        return "\n".join(f"> {line}".rstrip() for line in inside)

    return write


def _dropdown(argument: str, _options: Mapping[str, str], body: str, place: Place) -> str:
    return f"<details><summary>{argument}</summary>\n\n{markdown(body, place)}\n\n</details>"


def _code(argument: str, _options: Mapping[str, str], body: str, _place: Place) -> str:
    return f"```{argument}\n{body}\n```"


def _math(argument: str, options: Mapping[str, str], body: str, place: Place) -> str:
    return _equation("\n".join(filter(None, (argument, body))), options.get("label"), place)


def _figure(argument: str, options: Mapping[str, str], body: str, place: Place) -> str:
    picture = f"![{options.get('alt', '')}]({_address(argument, place, picture=True)})"
    return f"{picture}\n\n*{' '.join(_inline(body, place).split())}*" if body.strip() else picture


_DIRECTIVES: Mapping[str, _Writer] = {
    **{
        kind: _admonition(kind.capitalize())
        for kind in ("note", "tip", "hint", "warning", "caution", "attention", "danger", "error", "important")
    },
    "seealso": _admonition("See also"),
    "admonition": _admonition(None),
    "margin": _admonition(None),
    "sidebar": _admonition(None),
    "dropdown": _dropdown,
    "code": _code,
    "code-block": _code,
    "math": _math,
    "figure": _figure,
    "image": _figure,
}


def _equation(source: str, label: str | None, place: Place) -> str:
    if label is None:
        return f"$${source}$$" if source.startswith("\n") else f"$$\n{source}\n$$"
    found = place.contents.equations.get(label)
    if found is None:
        raise BookError(f"{place.docname}: no equation of the book is called {label!r}")
    return f"$$\n{source.strip()} \\tag{{{found.number}}}\n$$"


def _address(target: str, place: Place, *, picture: bool) -> str:
    """A file or page beside the chapter, as an address that holds anywhere; any other target as it is."""
    if re.match(r"[a-z]+:|#|//", target):
        return target
    release = place.contents.release
    path = posixpath.normpath(posixpath.join(posixpath.dirname(place.docname), target))
    page = None if picture else release.page(re.sub(r"\.(md|ipynb)$", "", path))
    return page if page and re.search(r"\.(md|ipynb)$", path) else release.file(path)


def _inline(text: str, place: Place) -> str:
    def plain(match: re.Match[str]) -> str:
        if match["role"]:
            return resolve(match["role"], match["text"], place)
        if match["math"]:
            return _equation(match["math"], match["label"], place) if match["label"] else match[0]
        if match["target"]:
            picture = match["open"].startswith("!")
            return f"{_inline_words(match['open'], place)}({_address(match['target'], place, picture=picture)})"
        return "" if match["anchor"] else match[0]

    return _INLINE.sub(plain, text)


def _inline_words(words: str, place: Place) -> str:
    return f"{words[0]}{_inline(words[1:], place)}"
