"""Exercises: a stub for the reader, a solution folded on the page, and a check that tells one from the other.

Three code cells in a row, tagged ``exercise``, ``solution`` and ``check``. Together they run on their own: what they
import or make, the exercise cell imports or makes. The stub returns None and raises nothing; the check must fail on it
and pass on the solution, which the tests of the book prove by running both.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode

from histolab_lib.bookbuild.pairs import syntax_tree

__all__ = ["Exercise", "exercise_faults", "exercises", "fold", "tells_apart"]

_ORDER = ("exercise", "solution", "check")


@dataclass(frozen=True)
class Exercise:
    """One exercise of a chapter.

    Attributes
    ----------
    place : int
        Number of the stub's cell in the notebook, from 1.
    stub, solution, check : str
        Source of the three cells.
    """

    place: int
    stub: str
    solution: str
    check: str


def _role(cell: NotebookNode) -> str | None:
    return next((tag for tag in _ORDER if tag in cell.metadata.get("tags", [])), None)


def _code(notebook: NotebookNode) -> list[tuple[int, NotebookNode]]:
    return [(i, cell) for i, cell in enumerate(notebook.cells, start=1) if cell.cell_type == "code"]


def exercises(notebook: NotebookNode) -> list[Exercise]:
    """Return the exercises of a chapter in order; incomplete ones are left to `exercise_faults`."""
    cells = _code(notebook)
    return [
        Exercise(cells[n][0], *(cell.source for _, cell in cells[n : n + 3]))
        for n in range(len(cells) - 2)
        if tuple(_role(cell) for _, cell in cells[n : n + 3]) == _ORDER
    ]


def exercise_faults(notebook: NotebookNode) -> Iterator[str]:
    """Say which cells break the rule of three, and which checks could not fail."""
    cells = _code(notebook)
    roles = [_role(cell) for _, cell in cells]
    for n, ((place, cell), role) in enumerate(zip(cells, roles, strict=True)):
        if role is None:
            continue
        start = n - _ORDER.index(role)
        if start < 0 or tuple(roles[start : start + 3]) != _ORDER:
            yield f"cell {place} is tagged {role}, but exercise, solution and check must follow one another"
        elif role == "check" and "assert" not in {type(node).__name__.lower() for node in syntax_tree(cell).body}:
            yield f"cell {place} is tagged check, but asserts nothing"


def _fails(*sources: str) -> str | None:
    """Run cells in one new namespace; say how they fail, or None."""
    space: dict[str, Any] = {"__name__": "exercise"}
    try:
        for source in sources:
            exec(compile(source, "<exercise>", "exec"), space)  # noqa: S102  the book's own cells, run by its tests
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def tells_apart(exercise: Exercise) -> list[str]:
    """Run an exercise both ways and say what is wrong with it; an empty list where the check does its work."""
    faults = []
    if error := _fails(exercise.stub):
        faults.append(f"the stub raises {error}; it should return None")
    elif (how := _fails(exercise.stub, exercise.check)) is None:
        faults.append("the check passes on the stub")
    elif not how.startswith("AssertionError"):
        faults.append(f"the check breaks on the stub instead of failing: {how}")
    if error := _fails(exercise.stub, exercise.solution, exercise.check):
        faults.append(f"the check fails on the solution: {error}")
    return faults


def fold(notebook: NotebookNode) -> None:
    """Fold solutions and remove checks for the page, in place; the notebook to download has both as they are."""
    for _, cell in _code(notebook):
        role = _role(cell)
        if role == "solution":
            cell.metadata["tags"] = [*cell.metadata["tags"], "hide-input"]
            cell.metadata["mystnb"] = {"code_prompt_show": "Show a solution", "code_prompt_hide": "Hide the solution"}
        elif role == "check":
            cell.metadata["tags"] = [*cell.metadata["tags"], "remove-cell"]
