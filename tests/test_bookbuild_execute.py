import io
import json
import os
import subprocess
import sys

import pytest
from rich.console import Console

from histolab_lib.bookbuild import cache
from histolab_lib.bookbuild.chapters import BookError
from histolab_lib.bookbuild.environment import SMOKE, applied, kernel_environment
from histolab_lib.bookbuild.execute import execute, executed_path, last_run, prepare_kernels
from histolab_lib.bookbuild.gates import check_notebook
from histolab_lib.bookbuild.references import compare, reference, reference_text
from histolab_lib.bookbuild.stage import run_facts
from tests.books import BEGIN, CLEAN, ROOT, Code, chapter, read, source, write_book

pytestmark = pytest.mark.thorough

QUIET = Console(file=io.StringIO())

THREADS = "import torch\n\nprint(profile, seed, torch.get_num_threads())"
SURROUNDINGS = Code(
    "import os\n"
    f"for name in {sorted(SMOKE)} + ['HISTOLAB_PROFILE', 'PYTHONHASHSEED']:\n"
    "    print(name, os.environ.get(name))\n"
    "print('cwd', os.getcwd())"
)
CELLS = (
    *CLEAN[:2],
    Code(BEGIN),
    SURROUNDINGS,
    Code("print('plain')"),
    Code("print(f'score {0.5 + seed:.3f}')", tags=("trained", "nbval-ignore-output")),
)
BROKEN = {
    "raises": [*CLEAN[:3], Code("table = {}\ntable['nuclei']"), Code("print('never')")],
    "misspelt": [*CLEAN[:3], Code("def (")],
    "warns": [*CLEAN[:2], Code(THREADS), Code("import sys\n\nprint('careful', file=sys.stderr)")],
}


@pytest.fixture(scope="session")
def smoke(tmp_path_factory):
    """The clean chapter, run once by papermill under a bogus HISTOLAB_DATA; and the broken ones beside it."""
    root = write_book(tmp_path_factory.mktemp("book"), {"tiny": source(CELLS)})
    with applied({"HISTOLAB_DATA": "/nowhere/at/all"}):
        (run,) = execute([chapter(root)], "smoke", console=QUIET)
    return run


@pytest.fixture(scope="session")
def broken(tmp_path_factory):
    """Chapters that fail or warn, run once; with the message of the failure."""
    root = write_book(tmp_path_factory.mktemp("book"), {name: source(cells) for name, cells in BROKEN.items()})
    stale = executed_path(chapter(root, "raises"), "smoke")
    stale.parent.mkdir(parents=True)
    stale.write_text("from an earlier run")
    with pytest.raises(BookError) as caught:
        execute([chapter(root, name) for name in BROKEN], "smoke", console=QUIET)
    return root, str(caught.value)


def test_a_clean_chapter_passes_every_gate_as_papermill_wrote_it(smoke):
    assert smoke.fresh
    assert "papermill" in read(smoke.path).metadata
    assert check_notebook("tiny", smoke.notebook()) == []


def test_papermill_adds_no_cell(smoke):
    assert [cell.source for cell in smoke.notebook().cells] == [
        cell if isinstance(cell, str) else cell.source for cell in CELLS
    ]


def test_smoke_kernels_have_one_thread_a_fixed_instruction_set_and_no_real_tissue(smoke):
    printed = dict(line.split(" ", 1) for line in smoke.notebook().cells[3].outputs[0].text.splitlines())
    assert {name: printed[name] for name in SMOKE} == dict(SMOKE)
    assert printed["HISTOLAB_DATA"] == ""
    assert printed["HISTOLAB_PROFILE"] == "smoke"
    assert printed["PYTHONHASHSEED"] == "0"
    assert printed["cwd"] == str(smoke.chapter.root)


def test_the_run_tells_what_it_ran_on(smoke):
    facts = run_facts(smoke.notebook())
    assert (facts["profile"], facts["tissue"], facts["sets"]) == ("smoke", "synthetic tissue", [])


def test_the_record_says_which_inputs_were_run_when(smoke):
    assert smoke.record == json.loads(smoke.path.with_suffix(".json").read_text())
    assert set(smoke.record) == {"key", "profile", "commit", "date", "seconds"}
    assert smoke.record["profile"] == "smoke"


def test_a_second_run_is_byte_identical(smoke):
    first = reference_text(smoke.notebook())
    (again,) = execute([smoke.chapter], "smoke", force=True, console=QUIET)
    assert again.fresh
    assert reference_text(again.notebook()) == first
    assert compare("tiny", reference(smoke.notebook()), again.notebook()) == []


def test_what_is_up_to_date_is_not_executed_again(smoke, monkeypatch):
    before = smoke.path.stat().st_mtime_ns
    (again,) = execute([smoke.chapter], "smoke", console=QUIET)
    assert not again.fresh
    assert smoke.path.stat().st_mtime_ns == before
    assert last_run(smoke.chapter, "smoke").record["key"] == again.record["key"]
    assert last_run(smoke.chapter, "colab") is None
    module_bytes = cache._module_bytes
    monkeypatch.setattr(cache, "_module_bytes", lambda name: module_bytes(name) + b"#")
    assert last_run(smoke.chapter, "smoke") is None


def test_a_changed_output_is_caught(smoke):
    was = read(smoke.path)
    was.cells[3].outputs[0].text = was.cells[3].outputs[0].text.replace("avx2", "avx512")
    assert compare("tiny", reference(was), smoke.notebook())[0].startswith("tiny: output changed: cell 4")


@pytest.mark.parametrize("score", ["0.521", "0.479"])
def test_a_trained_number_that_moved_too_far_is_caught(smoke, score):
    was = read(smoke.path)
    was.cells[5].outputs[0].text = f"score {score}\n"
    assert compare("tiny", reference(was), smoke.notebook()) == [
        f"tiny: trained number moved too far: cell 6: {score} became 0.500, further than 0.02"
    ]


def test_a_failing_chapter_names_itself_and_the_cell(broken):
    root, message = broken
    assert "book/raises failed in code cell [3] ('table = {}'): KeyError: 'nuclei'" in message
    assert str(root / "_build" / "failed" / "smoke" / "book" / "raises.ipynb") in message


def test_all_failing_chapters_are_named_and_the_others_finished(broken):
    root, message = broken
    assert "book/misspelt failed in code cell [3] ('def ('): SyntaxError" in message
    assert "book/warns" not in message
    assert executed_path(chapter(root, "warns"), "smoke").is_file()


def test_the_partial_notebook_is_kept_and_nothing_lies_where_finished_runs_lie(broken):
    root, _ = broken
    partial = read(root / "_build" / "failed" / "smoke" / "book" / "raises.ipynb")
    code = [cell for cell in partial.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [1, 2, 3, None]
    assert not executed_path(chapter(root, "raises"), "smoke").exists()
    assert last_run(chapter(root, "raises"), "smoke") is None
    assert {fault.gate for fault in check_notebook("x", partial)} >= {"error output", "unexecuted cell"}


def test_stderr_is_caught_as_papermill_wrote_it(broken):
    root, _ = broken
    faults = check_notebook("warns", read(executed_path(chapter(root, "warns"), "smoke")))
    assert [(fault.gate, fault.detail) for fault in faults] == [
        ("stderr", "cell 4 ('import sys') wrote to stderr: careful")
    ]


def test_torch_takes_one_thread_in_smoke_kernels(broken):
    root, _ = broken
    assert read(executed_path(chapter(root, "warns"), "smoke")).cells[2].outputs[0].text == "auto 0 1\n"


def test_kernels_find_their_font_cache_and_need_not_make_one(tmp_path):
    prepare_kernels(tmp_path)
    (cache_file,) = (tmp_path / "matplotlib").glob("fontlist-*.json")
    before = cache_file.stat().st_mtime_ns
    code = "import matplotlib.font_manager, matplotlib; print(matplotlib.get_cachedir())"
    environment = {**os.environ, **kernel_environment("smoke", tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == (f"{cache_file.parent}\n", "")
    assert list(cache_file.parent.glob("fontlist-*.json")) == [cache_file]
    assert cache_file.stat().st_mtime_ns == before


def test_only_smoke_is_held_to_one_thread(tmp_path):
    assert set(SMOKE) <= set(kernel_environment("smoke", tmp_path))
    assert not set(SMOKE) & set(kernel_environment("paper", tmp_path))
    assert kernel_environment("colab", tmp_path)["HISTOLAB_PROFILE"] == "colab"


def test_the_environment_is_as_before_afterwards(monkeypatch):
    monkeypatch.setenv("HISTOLAB_PROFILE", "mine")
    monkeypatch.delenv("MKL_CBWR", raising=False)
    before = dict(os.environ)
    with applied({"HISTOLAB_PROFILE": "smoke", "MKL_CBWR": "AVX2"}):
        assert os.environ["HISTOLAB_PROFILE"] == "smoke"
    assert dict(os.environ) == before


def _pictures(notebook):
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output.data["image/png"] for output in outputs if "image/png" in output.get("data", {})]


@pytest.mark.slow
def test_two_smoke_runs_of_the_real_chapter_are_byte_identical(tmp_path):
    text = (ROOT / "book" / "foundations" / "first_segmentation.md").read_text(encoding="utf-8")
    runs = []
    for name in ("one", "two"):
        one = chapter(write_book(tmp_path / name, {"real": text}), "real")
        (run,) = execute([one], "smoke", console=QUIET)
        assert check_notebook("real", run.notebook()) == []
        runs.append((reference_text(run.notebook()), _pictures(run.notebook())))
    assert runs[0][1]
    assert runs[0] == runs[1]
