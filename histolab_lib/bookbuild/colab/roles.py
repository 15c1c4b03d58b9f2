"""Inline roles of MyST as plain Markdown: words, and links to the published pages."""

import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from histolab_lib.bookbuild.chapters import BookError
from histolab_lib.bookbuild.colab.contents import Contents, Labelled
from histolab_lib.bookbuild.roles import claim_words
from histolab_lib.claims import PAPERS, claim
from histolab_lib.results import result, words

__all__ = ["Place", "page_link", "resolve"]


@dataclass(frozen=True)
class Place:
    """Where a text stands: the book, and the chapter in it (its key, such as ``book/foundations/scores``)."""

    contents: Contents
    docname: str


def page_link(place: Place, docname: str, words: str | None = None) -> str:
    """Return a link to a page of the book; its words alone where it is not known where the book is published.

    Raises
    ------
    BookError
        If the book has no such page.
    """
    contents = place.contents
    if docname not in contents.titles:
        raise BookError(f"{place.docname}: the book has no page {docname!r}")
    words, url = words or contents.titles[docname], contents.release.page(docname)
    return f"[{words}]({url})" if url else words


def _split(text: str) -> tuple[str | None, str]:
    """Take ``words <target>`` apart; the words are None where a role gives its target alone."""
    found = re.fullmatch(r"(.*\S)\s*<([^<>]+)>", text)
    return (found[1], found[2]) if found else (None, text)


def _doc(text: str, place: Place) -> str:
    words, target = _split(text)
    folder = "/" if target.startswith("/") else posixpath.dirname(place.docname)
    docname = posixpath.normpath(posixpath.join(folder, target)).lstrip("/")
    return page_link(place, docname.removesuffix(".md").removesuffix(".ipynb"), words)


def _known(labels: Mapping[str, Labelled], label: str, place: Place) -> Labelled:
    if label not in labels:
        raise BookError(f"{place.docname}: nothing in the book is called {label!r}")
    return labels[label]


def _elsewhere(found: Labelled, place: Place) -> str:
    return "" if found.docname == place.docname else f" of {page_link(place, found.docname)}"


def _numref(text: str, place: Place) -> str:
    words, label = _split(text)
    found = _known(place.contents.figures, label, place)
    number = str(found.number)
    shown = re.sub(r"%s|\{number\}", number, words) if words else f"Figure {number}"
    return shown + _elsewhere(found, place)


def _eq(text: str, place: Place) -> str:
    found = _known(place.contents.equations, text, place)
    return f"({found.number})" + _elsewhere(found, place)


def _cite(text: str, place: Place) -> str:
    works = place.contents.works
    keys = [key.strip() for key in text.split(",")]
    if missing := [key for key in keys if key not in works]:
        raise BookError(f"{place.docname}: not in the bibliography: {', '.join(missing)}")
    links = [f"[{works[key].words}]({works[key].url})" if works[key].url else works[key].words for key in keys]
    return f"({'; '.join(links)})"


def _claim(text: str, place: Place) -> str:
    try:
        found = claim(text)
    except LookupError as error:
        raise BookError(f"{place.docname}: claim: {error.args[0]}") from None
    row = f", row {found.row}" if found.row else ""
    return f"{claim_words(found)} ({PAPERS.get(found.paper, found.paper)}, {found.location}{row})"


def _result(text: str, place: Place) -> str:
    try:
        found = result(text)
    except LookupError as error:
        raise BookError(f"{place.docname}: result: {error.args[0]}") from None
    mean, low, high = (words(value, found.metric) for value in (found.mean, found.low, found.high))
    where = f"our run of {found.record.key} on {found.record.dataset}, {found.split}"
    return f"{mean} ({where}; 95 % interval {low} to {high})"


_ROLES: Mapping[str, Callable[[str, Place], str]] = {
    "cite": _cite,
    "cite:p": _cite,
    "claim": _claim,
    "doc": _doc,
    "eq": _eq,
    "glue:text": lambda text, _: f"`{text.partition(':')[0]}`",  # without the format; the number is in an output
    "math": lambda text, _: f"${text}$",
    "numref": _numref,
    "result": _result,
    "term": lambda text, _: _split(text)[0] or text,
}


def resolve(role: str, text: str, place: Place) -> str:
    """Return what stands in an edition for a role of a chapter.

    Parameters
    ----------
    role, text : str
        As in ``{role}`text```.
    place : Place

    Raises
    ------
    BookError
        If the role has no counterpart here, or what it names is not in the book.
    """
    if role not in _ROLES:
        raise BookError(
            f"{place.docname}: editions have nothing for the role {{{role}}}; "
            f"give it a line in {__name__}, beside {', '.join(_ROLES)}"
        )
    return _ROLES[role](" ".join(text.split()), place)
