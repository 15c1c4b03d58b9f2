"""Each chapter is a pair: the MyST source people edit, and the notebook that tests compare and Colab opens.

Both directions are deterministic: the same text gives the same bytes, on every machine, whatever the
times of the files are. That is why this is not ``jupytext --sync``, which gives new cells random ids and
decides by file time.
"""

import ast
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import jupytext
import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from jupytext.config import load_jupytext_configuration_file
from nbformat import NotebookNode

from histolab_lib.bookbuild.chapters import BookError, Chapter
from histolab_lib.bookbuild.repository import git

__all__ = ["bare", "check_pair", "notebook_text", "parse_source", "read_source", "syntax_tree", "write_pair"]

_NOTEBOOK_METADATA = ("histolab", "jupytext", "kernelspec")
_FORMAT = {"extension": ".md", "format_name": "myst"}

Half = Literal["md", "ipynb"]


def _with_ids(notebook: NotebookNode) -> NotebookNode:
    """Give each cell an id made from its text, so that inserting a cell leaves the ids of the others alone."""
    seen: Counter[str] = Counter()
    for cell in notebook.cells:
        digest = hashlib.sha256(f"{cell.cell_type}:{cell.source}".encode()).hexdigest()[:12]
        seen[digest] += 1
        cell["id"] = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
    return notebook


def bare(notebook: NotebookNode) -> NotebookNode:
    """Drop outputs, counts and all metadata that is not the author's."""
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = NotebookNode({k: notebook.metadata[k] for k in _NOTEBOOK_METADATA if k in notebook.metadata})
    notebook.metadata.get("jupytext", {}).pop("default_lexer", None)
    notebook.metadata.get("jupytext", {}).get("text_representation", {}).pop("jupytext_version", None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return _with_ids(notebook)


def parse_source(text: str) -> NotebookNode:
    """Return the notebook that the MyST `text` describes, without outputs."""
    return bare(jupytext.reads(text, fmt=_FORMAT))


def read_source(chapter: Chapter) -> NotebookNode:
    """Return the chapter's source as a notebook without outputs.

    Raises
    ------
    BookError
        If the source cannot be parsed.
    """
    try:
        return parse_source(chapter.md.read_text(encoding="utf-8"))
    except Exception as error:
        raise BookError(f"{chapter.key}.md: not a MyST notebook ({error})") from error


def syntax_tree(cell: NotebookNode) -> ast.Module:
    """Parse a code cell; its magics and shell lines become calls, and what is not Python an empty tree.

    The run itself says where a cell is not Python.
    """
    try:
        return ast.parse(TransformerManager().transform_cell(cell.source))
    except SyntaxError:
        return ast.Module(body=[], type_ignores=[])


def notebook_text(notebook: NotebookNode) -> str:
    """Return the bytes-stable text of a notebook file."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook, version=4) + "\n"


def _cells(notebook: NotebookNode) -> list[tuple[str, str, Any]]:
    return [(cell.cell_type, cell.source, dict(cell.metadata)) for cell in notebook.cells]


def _read_pair(chapter: Chapter) -> NotebookNode | None:
    if not chapter.ipynb.is_file():
        return None
    try:
        return nbformat.read(chapter.ipynb, as_version=4)
    except Exception as error:
        raise BookError(f"{chapter.key}.ipynb: not a notebook ({error})") from error


def _last_commit(chapter: Chapter) -> NotebookNode | None:
    """The chapter as it stands in the last commit, or None where it (or git) is not there."""
    text = git(chapter.root, "show", f"HEAD:./{chapter.key}.md")
    return None if text is None else parse_source(text)


def _cells_text(notebook: NotebookNode) -> str:
    return json.dumps(_cells(notebook), sort_keys=True)


def _agreement(chapter: Chapter) -> Path:
    """Where the cells are noted on which both halves last agreed: uncommitted work may be written twice."""
    return chapter.root / "_build" / "pairs" / f"{chapter.key}.json"


def _note_agreement(chapter: Chapter, notebook: NotebookNode) -> None:
    path = _agreement(chapter)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_cells_text(notebook), encoding="utf-8")


def _is_unchanged(chapter: Chapter, half: NotebookNode, base: NotebookNode) -> bool:
    """Whether a half still says what it said in the last commit, or when it was last written from the other."""
    noted = _agreement(chapter)
    return _cells(half) == _cells(base) or (noted.is_file() and noted.read_text(encoding="utf-8") == _cells_text(half))


def _difference(left: NotebookNode, right: NotebookNode) -> str:
    """Name the cells in which two versions of a chapter differ, by position and first line."""
    one, two = _cells(left), _cells(right)
    places = [i for i in range(max(len(one), len(two))) if one[i : i + 1] != two[i : i + 1]]
    shown = []
    for i in places[:5]:
        source = (one[i : i + 1] or two[i : i + 1])[0][1]
        first_line = source.splitlines()[0][:60] if source else "(empty)"
        shown.append(f"cell {i + 1} ({first_line!r})")
    more = f" and {len(places) - 5} more" if len(places) > 5 else ""
    return ", ".join(shown) + more


def _refuse_to_lose(chapter: Chapter, source: NotebookNode, pair: NotebookNode, direction: Half) -> None:
    """Raise where writing one half would lose what somebody changed in the other since the last commit."""
    if _cells(source) == _cells(pair):
        return
    base = _last_commit(chapter)
    if base is None:
        return
    target, giver = (pair, source) if direction == "md" else (source, pair)
    if _is_unchanged(chapter, target, base):
        return
    ending, other = (".ipynb", "FROM=ipynb") if direction == "md" else (".md", "without FROM")
    if _is_unchanged(chapter, giver, base):
        raise BookError(
            f"{chapter.key}: only the {ending} changed since the last commit, in {_difference(target, base)}; "
            f"writing it anew would lose that. Run make pairs {other} instead"
        )
    raise BookError(
        f"{chapter.key}: .md and .ipynb both changed since the last commit and disagree in "
        f"{_difference(source, pair)}; bring one of them back first (git checkout -- FILE)"
    )


def _keep_outputs(fresh: NotebookNode, old: NotebookNode) -> NotebookNode:
    """Carry outputs and counts over to the cells whose text did not change."""
    kept = {cell["id"]: cell for cell in _with_ids(old).cells if cell.cell_type == "code"}
    for cell in fresh.cells:
        if cell.cell_type == "code" and cell["id"] in kept:
            cell["outputs"] = kept[cell["id"]].outputs
            cell["execution_count"] = kept[cell["id"]].execution_count
    return fresh


def _write(path: Path, text: str) -> bool:
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    path.write_text(text, encoding="utf-8", newline="\n")
    return True


def write_pair(chapter: Chapter, direction: Half = "md") -> bool:
    """Write one half of a pair from the other; outputs of unchanged cells stay.

    Parameters
    ----------
    chapter : Chapter
    direction : {"md", "ipynb"}
        Which half is the giver.

    Returns
    -------
    bool
        Whether a file changed.

    Raises
    ------
    BookError
        If that would lose a change made to the other half since the last commit, with the cells named.
    """
    source, pair = read_source(chapter), _read_pair(chapter)
    if direction == "ipynb":
        if pair is None:
            raise BookError(f"{chapter.key}.ipynb does not exist, so {chapter.key}.md cannot be written from it")
        _refuse_to_lose(chapter, source, pair, direction)
        _note_agreement(chapter, pair)
        # Where the cells say the same, the source keeps its own line breaks in captions and alt texts.
        return _cells(source) != _cells(pair) and _write(chapter.md, _source_text(chapter, pair))
    if pair is not None:
        _refuse_to_lose(chapter, source, pair, direction)
        source = _keep_outputs(source, pair)
    _note_agreement(chapter, source)
    return _write(chapter.ipynb, notebook_text(source))


def _source_text(chapter: Chapter, pair: NotebookNode) -> str:
    """Write the notebook's cells as MyST, with the filters of jupytext.toml (so that no version number churns)."""
    config = load_jupytext_configuration_file(str(chapter.root / "jupytext.toml"))
    return jupytext.writes(bare(pair), fmt=_FORMAT, config=config)


def check_pair(chapter: Chapter) -> list[str]:
    """Return what is wrong with a pair as it stands: nothing, or one line per fault.

    The two halves must have the same cells, ids and metadata, and every code cell its count 1..n.
    """
    source, pair = read_source(chapter), _read_pair(chapter)
    if pair is None:
        return [f"{chapter.key}: pair out of step: there is no .ipynb; run make references"]
    if _cells(source) != _cells(pair):
        return [
            f"{chapter.key}: pair out of step: .md and .ipynb differ in {_difference(source, pair)}; run make pairs"
        ]
    fresh = _keep_outputs(source, pair)
    if notebook_text(fresh) != chapter.ipynb.read_text(encoding="utf-8"):
        return [f"{chapter.key}: pair out of step: ids or metadata of the .ipynb differ; run make pairs"]
    counts: Sequence[int | None] = [cell.execution_count for cell in pair.cells if cell.cell_type == "code"]
    if list(counts) != list(range(1, len(counts) + 1)):
        return [f"{chapter.key}: stale reference: counts of the .ipynb are {list(counts)}; run make references"]
    return []
