"""The committed notebooks say what a new run says, to the letter: nbval, strict, in the kernels of the smoke profile.

Cells tagged ``trained`` are left to our own comparer, which has a tolerance (``histolab book check``).
"""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from histolab_lib.bookbuild.chapters import chapters
from histolab_lib.bookbuild.environment import kernel_environment
from histolab_lib.bookbuild.execute import build_dir, execute, prepare_kernels
from histolab_lib.bookbuild.pairs import check_pair, notebook_text, read_source
from histolab_lib.bookbuild.references import reference_text
from tests.books import BEGIN, CLEAN, ROOT, Code, chapter, read, source, write_book

pytestmark = pytest.mark.thorough

SANITIZE = Path(__file__).with_name("sanitize.cfg")
CELLS = (*CLEAN[:2], Code(BEGIN), Code("thing = object()\nprint(thing)\nthing"), *CLEAN[3:])


def _nbval(notebook, build):
    """Run nbval on one notebook in a process of its own; return its exit status and what it printed."""
    prepare_kernels(build)
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "--nbval-cell-timeout", "600"]
    command += ["--nbval-sanitize-with", str(SANITIZE), "-c", os.devnull, "--rootdir", str(notebook.parent)]
    command += ["-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:hypothesispytest", "-q", str(notebook)]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **kernel_environment("smoke", build)}
    )
    return done.returncode, done.stdout + done.stderr


def _passed(printed):
    found = re.search(r"(\d+) passed", printed)
    return int(found[1]) if found else 0


def _code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.notebook
@pytest.mark.parametrize("one", chapters(ROOT), ids=lambda one: one.key)
def test_the_committed_notebook_says_what_a_new_run_says(one):
    assert check_pair(one) == []  # an unexecuted reference would pass below, and nothing would have been compared
    code, printed = _nbval(one.ipynb, build_dir(ROOT))
    assert code == 0, printed
    assert _passed(printed) == len(_code_cells(read(one.ipynb)))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A tiny chapter with its reference, the facts of the run and a memory address in it."""
    one = chapter(write_book(tmp_path_factory.mktemp("nbval"), {"tiny": source(CELLS)}))
    (run,) = execute([one], "smoke", console=Console(file=io.StringIO()))
    one.ipynb.write_text(reference_text(run.notebook()), encoding="utf-8")
    return one


@pytest.fixture
def changed(tiny):
    """Replace a text in the committed notebook for one test, and return what nbval says of it."""
    text = tiny.ipynb.read_text(encoding="utf-8")

    def change(old, new):
        assert old in text
        tiny.ipynb.write_text(text.replace(old, new), encoding="utf-8")
        return _nbval(tiny.ipynb, build_dir(tiny.root))

    yield change
    tiny.ipynb.write_text(text, encoding="utf-8")


def test_a_reference_just_made_passes_with_every_cell(tiny):
    code, printed = _nbval(tiny.ipynb, build_dir(tiny.root))
    assert code == 0, printed
    assert _passed(printed) == len(_code_cells(read(tiny.ipynb)))


def test_a_changed_output_is_caught_and_a_trained_one_left_to_the_comparer(changed):
    code, printed = changed("value 0.50", "value 0.51")
    assert code == 1
    assert "1 failed, 4 passed" in printed
    assert "Cell outputs differ" in printed
    code, printed = changed("score 0.500", "score 0.900")
    assert code == 0, printed


def test_changed_facts_of_the_run_are_caught(changed):
    code, printed = changed('"tissue": "synthetic tissue"', '"tissue": "real tissue"')
    assert code == 1
    assert "1 failed" in printed


def test_an_unexecuted_reference_passes_nbval_and_is_caught_by_the_pair_check(tiny):
    tiny.ipynb.write_text(notebook_text(read_source(tiny)), encoding="utf-8")
    code, printed = _nbval(tiny.ipynb, build_dir(tiny.root))
    assert code == 0, printed
    assert "stale reference: counts of the .ipynb are [None, None, None, None, None]" in check_pair(tiny)[0]
