"""What a chapter must satisfy before it is published. Each gate has a name, and says which cell broke it.

The gates look at the notebook as papermill wrote it, never at a cleaned or renumbered copy.
"""

import ast
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from nbformat import NotebookNode

from histolab_lib.bookbuild.exercises import exercise_faults
from histolab_lib.bookbuild.pairs import syntax_tree
from histolab_lib.bookbuild.prose import pictures_without_alt, typed_numbers
from histolab_lib.datasets.registry import entries
from histolab_lib.demos import DEMO_MIME

__all__ = ["GATES", "Fault", "check_notebook"]


@dataclass(frozen=True)
class Fault:
    """One broken rule.

    Attributes
    ----------
    page : str
        The chapter's key.
    gate : str
        The name of the rule, one of `GATES`.
    detail : str
        The cell and what is wrong with it.
    """

    page: str
    gate: str
    detail: str

    def __str__(self) -> str:
        return f"{self.page}: {self.gate}: {self.detail}"


def _name(index: int, cell: NotebookNode) -> str:
    lines = cell.source.strip().splitlines()
    return f"cell {index + 1} ({lines[0][:60] if lines else 'empty'!r})"


def _code(notebook: NotebookNode) -> Iterator[tuple[int, NotebookNode]]:
    return ((i, cell) for i, cell in enumerate(notebook.cells) if cell.cell_type == "code")


def _tags(cell: NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", []))


def _errors(notebook: NotebookNode) -> Iterator[str]:
    for i, cell in _code(notebook):
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"{_name(i, cell)} raised {output.ename}: {output.evalue}"


def _unexecuted(notebook: NotebookNode) -> Iterator[str]:
    for i, cell in _code(notebook):
        if cell.execution_count is None:
            yield f"{_name(i, cell)} was not executed"


def _out_of_order(notebook: NotebookNode) -> Iterator[str]:
    counts = [cell.execution_count for _, cell in _code(notebook)]
    if None not in counts and counts != list(range(1, len(counts) + 1)):
        yield f"execution counts are {counts}, expected 1 to {len(counts)} in order"


def _stderr(notebook: NotebookNode) -> Iterator[str]:
    for i, cell in _code(notebook):
        for output in cell.outputs:
            if output.output_type == "stream" and output.name == "stderr":
                yield f"{_name(i, cell)} wrote to stderr: {output.text.strip()[:200]}"


def _injected(notebook: NotebookNode) -> Iterator[str]:
    for i, cell in _code(notebook):
        if "injected-parameters" in _tags(cell):
            yield f"{_name(i, cell)} was injected; a run takes its profile from HISTOLAB_PROFILE"


def _parameters_cells(notebook: NotebookNode) -> list[tuple[int, NotebookNode]]:
    return [(i, cell) for i, cell in _code(notebook) if "parameters" in _tags(cell)]


def _no_parameters(notebook: NotebookNode) -> Iterator[str]:
    found = _parameters_cells(notebook)
    if len(found) != 1:
        yield f"{len(found)} cells are tagged parameters, expected exactly one"


def _unread_parameter(notebook: NotebookNode) -> Iterator[str]:
    for index, parameters in _parameters_cells(notebook):
        stored = {
            n.id for n in ast.walk(syntax_tree(parameters)) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }
        read = {
            node.id
            for i, cell in _code(notebook)
            if i != index
            for node in ast.walk(syntax_tree(cell))
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        }
        for name in sorted(stored - read):
            yield f"{_name(index, parameters)} sets {name!r}, which no other cell reads"


def _metadata(notebook: NotebookNode) -> Iterator[str]:
    metadata = notebook.metadata
    if metadata.get("kernelspec", {}).get("name") != "python3":
        yield "the notebook's kernelspec must be named python3"
    if not str(metadata.get("histolab", {}).get("description", "")).strip():
        yield "the front matter needs histolab: description: (one sentence, for search engines and the index)"
    first = notebook.cells[0] if notebook.cells else None
    if first is None or first.cell_type != "markdown" or not first.source.startswith("# "):
        yield "the first cell must be text that begins with the chapter's title (# ...)"


def _no_alt_text(notebook: NotebookNode) -> Iterator[str]:
    for i, cell in _code(notebook):
        pictures = sum(any(mime.startswith("image/") for mime in out.get("data", {})) for out in cell.outputs)
        alt = str(cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")).strip()
        if pictures and not alt:
            yield f"{_name(i, cell)} draws a figure without alt text (mystnb: image: alt:)"
        if "figure" in cell.metadata.get("mystnb", {}) and not pictures:
            yield f"{_name(i, cell)} has the caption of a figure (mystnb: figure:) and draws none: end it with that"
        if pictures > 1:
            yield f"{_name(i, cell)} draws {pictures} figures, but one alt text describes one figure; split the cell"
    for i, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            for picture in pictures_without_alt(cell.source):
                yield f"{_name(i, cell)} shows a picture without alt text: {picture}"


#: What would make papermill, nbval or the build look away.
_LOOPHOLES = frozenset({"nbval-skip", "nbval-raises-exception", "raises-exception", "skip-execution", "remove-stderr"})
_COMMENT = re.compile(r"^\s*#+\s*(?:NBVAL|PYTEST_VALIDATE)_\w+\s*$", re.MULTILINE)


def _tag_rules(notebook: NotebookNode) -> Iterator[str]:
    for i, cell in _code(notebook):
        tags = _tags(cell)
        if "trained" in tags and "nbval-ignore-output" not in tags:
            yield f"{_name(i, cell)} is tagged trained without nbval-ignore-output"
        if "nbval-ignore-output" in tags and not tags & {"trained", "demo"}:
            yield f"{_name(i, cell)} is tagged nbval-ignore-output, which stands only beside trained or demo"
        for tag in sorted(tags & _LOOPHOLES):
            yield f"{_name(i, cell)} is tagged {tag}; no cell is exempt from running cleanly and being compared"
        if _COMMENT.search(cell.source):
            yield f"{_name(i, cell)} steers nbval by a comment; use the tags trained and nbval-ignore-output"
        if "tolerance" in cell.metadata and "trained" not in tags:
            yield f"{_name(i, cell)} has a tolerance, which stands only beside trained"


def _exercise(notebook: NotebookNode) -> Iterator[str]:
    yield from exercise_faults(notebook)


#: A page with more than this in one figure is slow to open on a telephone.
_DEMO_BYTES = 200_000


def _demo(notebook: NotebookNode) -> Iterator[str]:
    for i, cell in _code(notebook):
        shown = [output.data[DEMO_MIME] for output in cell.outputs if DEMO_MIME in output.get("data", {})]
        if bool(shown) != ("demo" in _tags(cell)):
            yield f"{_name(i, cell)} must show a Demo if, and only if, it is tagged demo"
        for size in (len(json.dumps(data)) for data in shown):
            if size > _DEMO_BYTES:
                yield f"{_name(i, cell)} puts {size} bytes into the page, more than {_DEMO_BYTES}; take fewer states"


def _hidden_tissue(notebook: NotebookNode) -> Iterator[str]:
    real = {name for name, entry in entries().items() if entry.folder}
    for i, cell in _code(notebook):
        for name in sorted(real & set(_loaded(syntax_tree(cell)))):
            yield f"{_name(i, cell)} loads {name!r} itself; take tiles from run.tiles, which the pipeline sees"


def _loaded(tree: ast.AST) -> Iterator[str]:
    """The names that calls of ``load`` get as a literal."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args)
    for call in calls:
        called = getattr(call.func, "attr", None) or getattr(call.func, "id", None)
        if called == "load" and isinstance(call.args[0], ast.Constant):
            yield str(call.args[0].value)


def _trained_share(notebook: NotebookNode) -> Iterator[str]:
    with_output = [cell for _, cell in _code(notebook) if cell.outputs]
    trained = sum("trained" in _tags(cell) for cell in with_output)
    if 3 * trained > len(with_output):
        yield f"{trained} of {len(with_output)} cells with output are tagged trained; at most a third may be"


def _typed_number(notebook: NotebookNode) -> Iterator[str]:
    for i, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            for sentence in typed_numbers(cell.source):
                yield f"{_name(i, cell)} types a score into its prose: {sentence!r}; glue it from the run"


#: Every gate by name. A gate yields one line for each place that breaks it.
GATES: dict[str, Callable[[NotebookNode], Iterator[str]]] = {
    "error output": _errors,
    "unexecuted cell": _unexecuted,
    "out of order": _out_of_order,
    "stderr": _stderr,
    "injected cell": _injected,
    "no parameters cell": _no_parameters,
    "parameter never read": _unread_parameter,
    "metadata missing": _metadata,
    "figure without alt text": _no_alt_text,
    "tags": _tag_rules,
    "too much is trained": _trained_share,
    "exercise": _exercise,
    "demo": _demo,
    "tissue loaded past the run": _hidden_tissue,
    "number typed into prose": _typed_number,
}


def check_notebook(page: str, notebook: NotebookNode) -> list[Fault]:
    """Return every fault of an executed chapter; an empty list means that it may be published.

    Parameters
    ----------
    page : str
        The chapter's key, for the messages.
    notebook : NotebookNode
        As papermill wrote it.
    """
    return [Fault(page, gate, detail) for gate, rule in GATES.items() for detail in rule(notebook)]
