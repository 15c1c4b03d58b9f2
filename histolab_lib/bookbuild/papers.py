"""What the chapter of every paper has: the headings of ``book/papers/_template.md``, and a few things in its cells."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from histolab_lib.bookbuild.chapters import BookError
from histolab_lib.bookbuild.exercises import exercises
from histolab_lib.bookbuild.pairs import syntax_tree

__all__ = ["FOLDER", "LEAST_DICE", "paper_faults", "template_headings"]

#: Chapters below it are about one paper each.
FOLDER = "book/papers/"
#: What the live run of such a chapter must reach on tissue that it has not seen.
LEAST_DICE = 0.7

_YOURS = "(yours:"  # marks a heading that a chapter gives its own name, or leaves out
_HEADING = re.compile(r"^(#{2,3} .+?)\s*$", re.MULTILINE)
_OPENING = ("**You will learn**", "**You need**", "**Time**")
_LEAST_EXERCISES = 3


def template_headings(root: Path) -> list[str]:
    """Return the headings that every chapter of a paper has, in their order.

    Raises
    ------
    BookError
        If the template is missing, or has none.
    """
    path = root / FOLDER / "_template.md"
    try:
        found = _HEADING.findall(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BookError(f"{path}: the template of papers' chapters cannot be read ({error.strerror})") from error
    wanted = [heading for heading in found if _YOURS not in heading]
    if not wanted:
        raise BookError(f"{path}: holds no heading (## ...) that a chapter must have")
    return wanted


def paper_faults(key: str, notebook: NotebookNode, root: Path) -> Iterator[str]:
    """Yield a line for each thing that the chapter of a paper lacks; nothing for other chapters."""
    if not key.startswith(FOLDER):
        return
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    yield from (f"{key}: {fault}" for fault in _headings(text, template_headings(root)))
    for words in _OPENING:
        if words not in notebook.cells[0].source:
            yield f"{key}: the first cell does not say {words}, as {FOLDER}_template.md has it"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if not any("demo" in cell.metadata.get("tags", []) for cell in code):
        yield f"{key}: no cell is tagged demo; a chapter of a paper has one interactive figure"
    if (count := len(exercises(notebook))) < _LEAST_EXERCISES:
        yield f"{key}: {count} exercises; a chapter of a paper has at least {_LEAST_EXERCISES}"
    if not any(_asserts_learning(syntax_tree(cell)) for cell in code):
        yield f"{key}: no cell asserts that the live run has learned (assert ... > {LEAST_DICE}, or more)"


def _headings(text: str, wanted: list[str]) -> Iterator[str]:
    found = _HEADING.findall(text)
    for heading in wanted:
        if found.count(heading) != 1:
            yield f"the heading {heading!r} stands there {found.count(heading)} times, expected once"
    there = [heading for heading in found if heading in wanted]
    if sorted(there) == sorted(wanted) and there != wanted:
        yield f"headings stand in the order {', '.join(there)}; the template has {', '.join(wanted)}"


def _asserts_learning(tree: ast.AST) -> bool:
    """Whether something is asserted to be greater than a number of at least `LEAST_DICE`, and at most 1."""
    return any(
        isinstance(node, ast.Assert)
        and isinstance(node.test, ast.Compare)
        and isinstance(node.test.ops[0], ast.Gt)
        and isinstance(limit := node.test.comparators[0], ast.Constant)
        and isinstance(limit.value, float)
        and LEAST_DICE <= limit.value <= 1
        for node in ast.walk(tree)
    )
