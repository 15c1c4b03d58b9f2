"""The committed outputs of a chapter, and whether a new run still says the same."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy

from nbformat import NotebookNode

from histolab_lib.bookbuild.chapters import Chapter
from histolab_lib.bookbuild.pairs import bare, notebook_text

__all__ = ["TOLERANCE", "compare", "moved", "reference", "reference_text"]

#: How far a number of a ``trained`` cell may move, unless the cell's metadata (``tolerance``) says otherwise.
TOLERANCE = 0.02

_ADDRESS = re.compile(r"at 0x[0-9a-f]+")
_NUMBER = re.compile(r"(?<![\w.])[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w])")
_PICTURES = ("image/png", "image/jpeg", "image/svg+xml")


def _clean(text: str) -> str:
    return _ADDRESS.sub("at 0x", text)


def _clean_output(output: NotebookNode) -> NotebookNode | None:
    """Drop pictures and memory addresses; None where nothing is left to compare."""
    if output.output_type == "stream":
        output.text = _clean(output.text)
        return output
    if "data" not in output:
        return output
    for mime in _PICTURES:
        output.data.pop(mime, None)
        output.metadata.pop(mime, None)
    for mime, content in output.data.items():
        if isinstance(content, str):
            output.data[mime] = _clean(content)
    return output if output.data else None


def reference(executed: NotebookNode) -> NotebookNode:
    """Return what of an executed chapter is committed: cells, text outputs and counts; no pictures, no times.

    Parameters
    ----------
    executed : NotebookNode
        As papermill wrote it; left as it is.
    """
    notebook = deepcopy(executed)
    outputs = [(c.outputs, c.execution_count) for c in notebook.cells if c.cell_type == "code"]
    for cell in notebook.cells:
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        if not cell.metadata.get("tags", True):
            del cell.metadata["tags"]
    notebook = bare(notebook)
    for cell, (kept, count) in zip((c for c in notebook.cells if c.cell_type == "code"), outputs, strict=True):
        # What a demonstration holds is data for its page, and hundreds of lines.
        wanted = [] if "demo" in cell.metadata.get("tags", []) else _joined(kept)
        cell.outputs = [clean for output in wanted if (clean := _clean_output(output)) is not None]
        cell.execution_count = count
    return notebook


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join neighbouring pieces of one stream: a kernel may split what a cell prints anywhere."""
    joined: list[NotebookNode] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if last and last.output_type == output.output_type == "stream" and last.name == output.name:
            last.text += output.text
        else:
            joined.append(output)
    return joined


def _texts(cell: NotebookNode) -> Iterator[tuple[str, str]]:
    """The text outputs of a cell, in order, each with its kind."""
    for output in _joined(cell.outputs):
        if output.output_type == "stream":
            yield output.name, output.text
        for mime in sorted(output.get("data", {})):
            content = output.data[mime]
            yield mime, content if isinstance(content, str) else json.dumps(content, sort_keys=True)


def moved(old: str, new: str, tolerance: float) -> str | None:
    """Say how two texts differ beyond their numbers' tolerance, up or down; None where they agree.

    Examples
    --------
    >>> moved("Dice 0.80", "Dice 0.81", 0.02) is None
    True
    >>> moved("Dice 0.80", "Dice 0.75", 0.02)
    '0.80 became 0.75, further than 0.02'
    """
    # A number that gains a digit or a sign moves the padding of its column: blanks are no words.
    if _NUMBER.sub("#", old).split() != _NUMBER.sub("#", new).split():
        return f"the words differ: {old.strip()[:80]!r} against {new.strip()[:80]!r}"
    for was, now in zip(_NUMBER.findall(old), _NUMBER.findall(new), strict=True):
        if not abs(float(was) - float(now)) <= tolerance:
            return f"{was} became {now}, further than {tolerance}"
    return None


def _compare_cell(place: str, old: NotebookNode, new: NotebookNode) -> Iterator[str]:
    trained = "trained" in new.metadata.get("tags", [])
    tolerance = float(new.metadata.get("tolerance", TOLERANCE)) if trained else 0.0
    fault = "trained number moved too far" if trained else "output changed"
    one, two = list(_texts(old)), list(_texts(new))
    if [kind for kind, _ in one] != [kind for kind, _ in two]:
        yield f"{fault}: {place}: kinds of output were {[k for k, _ in one]}, are {[k for k, _ in two]}"
        return
    for (_, was), (_, now) in zip(one, two, strict=True):
        if not trained and was != now:
            yield f"{fault}: {place}: {was.strip()[:80]!r} became {now.strip()[:80]!r}"
        elif trained and (how := moved(was, now, tolerance)):
            yield f"{fault}: {place}: {how}"


def compare(chapter: Chapter | str, committed: NotebookNode, executed: NotebookNode) -> list[str]:
    """Return what a new run of a chapter says differently from its committed outputs.

    Text must be the same to the letter; in cells tagged ``trained`` each number may move by the cell's
    tolerance, up or down, and the words around the numbers must not change.

    Parameters
    ----------
    chapter : Chapter or str
        For the messages.
    committed, executed : NotebookNode
        The pair as committed; the notebook as papermill wrote it.
    """
    key = chapter if isinstance(chapter, str) else chapter.key
    fresh = reference(executed)
    if [(c.cell_type, c.source) for c in committed.cells] != [(c.cell_type, c.source) for c in fresh.cells]:
        return [f"{key}: pair out of step: the executed notebook has other cells than the committed one"]
    return [
        f"{key}: {line}"
        for i, (old, new) in enumerate(zip(committed.cells, fresh.cells, strict=True))
        if new.cell_type == "code"
        for line in _compare_cell(f"cell {i + 1}", old, new)
    ]


def reference_text(executed: NotebookNode) -> str:
    """Return the bytes of the pair that a finished smoke run makes."""
    return notebook_text(reference(executed))
