import pytest

from histolab_lib.bookbuild.chapters import chapters
from histolab_lib.bookbuild.exercises import Exercise, exercise_faults, exercises, fold, tells_apart
from histolab_lib.bookbuild.pairs import read_source
from tests.books import CLEAN, ROOT, Code, ran

STUB = Code("def twice(x):\n    return None", tags=("exercise",))
SOLUTION = Code("def twice(x):\n    return 2 * x", tags=("solution",))
CHECK = Code("assert twice(3) == 6, twice(3)", tags=("check",))
WHOLE = (*CLEAN, STUB, SOLUTION, CHECK)


def test_three_cells_in_a_row_are_an_exercise():
    found = exercises(ran((*WHOLE, STUB, SOLUTION, CHECK)))
    assert [(one.place, one.stub) for one in found] == [(7, STUB.source), (10, STUB.source)]
    assert list(exercise_faults(ran(WHOLE))) == []


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ((STUB,), "cell 7 is tagged exercise, but"),
        ((STUB, CHECK), "cell 7 is tagged exercise, but"),
        ((SOLUTION, CHECK), "cell 7 is tagged solution, but"),
        ((STUB, CHECK, SOLUTION), "cell 8 is tagged check, but"),
        ((STUB, SOLUTION, Code("twice(3) == 6", tags=("check",))), "cell 9 is tagged check, but asserts nothing"),
    ],
)
def test_a_broken_row_and_a_check_that_cannot_fail_are_found(cells, words):
    faults = list(exercise_faults(ran((*CLEAN, *cells))))
    assert any(words in fault for fault in faults), faults


@pytest.mark.parametrize(
    ("stub", "solution", "check", "fault"),
    [
        (STUB.source, SOLUTION.source, CHECK.source, None),
        ("def twice(x):\n    raise ValueError", SOLUTION.source, CHECK.source, "breaks on the stub instead of failing"),
        ("1 / 0", SOLUTION.source, CHECK.source, "the stub raises ZeroDivisionError"),
        (SOLUTION.source, SOLUTION.source, CHECK.source, "the check passes on the stub"),
        (STUB.source, STUB.source, CHECK.source, "the check fails on the solution: AssertionError"),
        (STUB.source, SOLUTION.source, "assert twice(three) == 6", "the check breaks on the stub"),
    ],
)
def test_running_it_both_ways_tells_a_good_exercise_from_a_bad_one(stub, solution, check, fault):
    faults = tells_apart(Exercise(1, stub, solution, check))
    if fault is None:
        assert faults == []
    else:
        assert fault in " ".join(faults)


def test_on_the_page_the_solution_is_folded_and_the_check_gone():
    notebook = ran(WHOLE)
    fold(notebook)
    solution, check = notebook.cells[7], notebook.cells[8]
    assert "hide-input" in solution.metadata["tags"]
    assert solution.metadata["mystnb"]["code_prompt_show"] == "Show a solution"
    assert "remove-cell" in check.metadata["tags"]
    assert "tags" not in notebook.cells[2].metadata


@pytest.mark.parametrize("chapter", chapters(ROOT), ids=lambda chapter: chapter.key)
def test_every_check_in_the_book_fails_on_its_stub_and_passes_on_its_solution(chapter):
    faults = [f"cell {one.place}: {fault}" for one in exercises(read_source(chapter)) for fault in tells_apart(one)]
    assert faults == []
