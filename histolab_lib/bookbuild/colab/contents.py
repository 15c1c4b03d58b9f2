"""What an edition must know of the whole book: titles, numbers of figures and equations, cited works."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from pybtex.database import Entry, parse_file  # type: ignore[import-untyped]
from pybtex.richtext import Text  # type: ignore[import-untyped]

from histolab_lib.bookbuild.chapters import BookError, Chapter, chapters, static_pages
from histolab_lib.bookbuild.colab.release import Release

__all__ = ["DOLLARS", "Contents", "Labelled", "Work", "read_chapter", "read_contents"]

#: A block of mathematics between dollars, with its label where it has one.
DOLLARS = r"\$\$(?P<math>.+?)\$\$(?:[ \t]*\((?P<label>[\w:-]+)\))?"

_DIRECTIVE = r"^[ \t]*(?:`{3,}|:{3,})\{math\}[^\n]*\n(?:[ \t]*:\w+:[^\n]*\n)*?[ \t]*:label:[ \t]*(?P<named>\S+)"
_EQUATION = re.compile(f"{DOLLARS}|{_DIRECTIVE}", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Labelled:
    """A figure or an equation: the chapter in which it stands, and its number on the published pages."""

    docname: str
    number: int


@dataclass(frozen=True)
class Work:
    """A cited work: how the text calls it, and its address (None where it has none)."""

    words: str
    url: str | None


@dataclass(frozen=True)
class Contents:
    """What the chapters say of each other.

    Attributes
    ----------
    release : Release
    titles : mapping of str to str
        Title by page, such as ``book/index``.
    figures, equations : mapping of str to Labelled
        By label. Numbers run through the book, as on its pages.
    works : mapping of str to Work
        By key of the bibliography.
    """

    release: Release
    titles: Mapping[str, str]
    figures: Mapping[str, Labelled]
    equations: Mapping[str, Labelled]
    works: Mapping[str, Work]


def read_chapter(chapter: Chapter) -> NotebookNode:
    """Return the committed notebook of a chapter.

    Raises
    ------
    BookError
        If there is none, or it cannot be read.
    """
    try:
        return nbformat.read(chapter.ipynb, as_version=4)
    except FileNotFoundError:
        raise BookError(f"{chapter.key}.ipynb does not exist; run make pairs") from None
    except Exception as error:
        raise BookError(f"{chapter.key}.ipynb: not a notebook ({error})") from error


def read_contents(root: Path, release: Release) -> Contents:
    """Read the book at `root` as far as its chapters refer to each other."""
    figures: dict[str, Labelled] = {}
    equations: dict[str, Labelled] = {}
    titles = {page.with_suffix("").as_posix(): _title((root / page).read_text("utf-8")) for page in static_pages(root)}
    captions = 0
    for chapter in chapters(root):
        titles[chapter.key] = _title(chapter.md.read_text(encoding="utf-8"))
        for cell in read_chapter(chapter).cells:
            if cell.cell_type == "markdown":
                for match in _EQUATION.finditer(cell.source):
                    if label := match["label"] or match["named"]:  # pages number no other
                        equations[label] = Labelled(chapter.key, len(equations) + 1)
            elif figure := cell.metadata.get("mystnb", {}).get("figure"):
                captions += 1
                if figure.get("name"):
                    figures[figure["name"]] = Labelled(chapter.key, captions)
    return Contents(release, titles, figures, equations, dict(_works(root / "book" / "references.bib")))


def _title(text: str) -> str:
    found = re.search(r"^# (.+)$", text, re.MULTILINE)
    return found[1].strip() if found else "a page of the book"


def _works(path: Path) -> Iterator[tuple[str, Work]]:
    for key, entry in parse_file(str(path), bib_format="bibtex").entries.items():
        fields = entry.fields
        url = f"https://doi.org/{fields['doi']}" if "doi" in fields else fields.get("url")
        if url is None and "eprint" in fields:
            url = f"https://arxiv.org/abs/{fields['eprint']}"
        yield key, Work(f"{_authors(entry)}, {fields['year']}", url)


def _authors(entry: Entry) -> str:
    names = [str(Text.from_latex(" ".join(person.last_names))) for person in entry.persons["author"]]
    return " and ".join(names) if len(names) < 3 else f"{names[0]} et al."
