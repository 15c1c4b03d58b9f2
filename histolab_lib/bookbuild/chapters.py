"""The pages of the book, as the table of contents names them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

__all__ = ["BookError", "Chapter", "chapters", "find_root", "static_pages"]


class BookError(Exception):
    """The book cannot be built; the message names the page and the fault."""


@dataclass(frozen=True)
class Chapter:
    """A chapter that is executed: ``KEY.md`` (the source) and ``KEY.ipynb`` (its committed pair).

    Attributes
    ----------
    root : Path
        The repository root.
    key : str
        Path below the root without its ending, such as ``book/foundations/first_segmentation``.
    """

    root: Path
    key: str

    @property
    def md(self) -> Path:
        """The MyST source."""
        return self.root / f"{self.key}.md"

    @property
    def ipynb(self) -> Path:
        """The committed notebook with the outputs of the smoke profile."""
        return self.root / f"{self.key}.ipynb"


def find_root(start: Path | None = None) -> Path:
    """Return the nearest folder at or above `start` (default: here) that holds the book.

    Raises
    ------
    BookError
        If no folder up to the file system's root has both ``_config.yml`` and ``_toc.yml``.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "_config.yml").is_file() and (folder / "_toc.yml").is_file():
            return folder
    raise BookError(f"no _config.yml and _toc.yml at or above {here}; run this inside a checkout of the book")


def _files(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("root", "file"):
                yield str(value)
            else:
                yield from _files(value)
    elif isinstance(node, list):
        for item in node:
            yield from _files(item)


def _entries(root: Path) -> list[str]:
    try:
        found = list(_files(yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))))
    except yaml.YAMLError as error:
        raise BookError(f"{root / '_toc.yml'}: not YAML ({error})") from error
    if not found:
        raise BookError(f"{root / '_toc.yml'} names no page; expected root: and file: entries")
    return found


def chapters(root: Path) -> list[Chapter]:
    """Return the chapters in reading order: the entries of ``_toc.yml`` that end in ``.ipynb``.

    Raises
    ------
    BookError
        If the source of a chapter is missing, or ``_toc.yml`` names nothing.
    """
    found = [Chapter(root, entry.removesuffix(".ipynb")) for entry in _entries(root) if entry.endswith(".ipynb")]
    for chapter in found:
        if not chapter.md.is_file():
            raise BookError(f"_toc.yml names {chapter.key}.ipynb, but its source {chapter.md} does not exist")
    return found


def static_pages(root: Path) -> list[Path]:
    """Return the pages that run no code, as paths below `root`, in reading order.

    Raises
    ------
    BookError
        If a page that ``_toc.yml`` names does not exist.
    """
    pages = [Path(entry).with_suffix(".md") for entry in _entries(root) if not entry.endswith(".ipynb")]
    for page in pages:
        if not (root / page).is_file():
            raise BookError(f"_toc.yml names {page}, which does not exist below {root}")
    return pages
