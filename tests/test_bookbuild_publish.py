import io
import re

import pytest
import yaml
from nbformat.v4 import new_output
from rich.console import Console
from typer.testing import CliRunner

from histolab_lib.bookbuild import publish
from histolab_lib.bookbuild.chapters import BookError
from histolab_lib.bookbuild.execute import Executed, executed_path
from histolab_lib.bookbuild.pairs import notebook_text
from histolab_lib.bookbuild.publish import (
    build_book,
    check_book,
    check_pairs,
    execute_book,
    renew_references,
    write_pairs,
)
from histolab_lib.cli import app
from histolab_lib.profiles import RUN_MIME
from tests.books import CLEAN, ROOT, Code, chapter, ran, source, write_book

pytestmark = pytest.mark.thorough

QUIET = Console(file=io.StringIO())
RAISES = source([*CLEAN[:3], Code("1 / 0")])
WARNS = source([*CLEAN, Code("import sys\n\nprint('careful', file=sys.stderr)")])


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A tiny book that was built before: its site holds a page."""

    def write(pages=None, **options):
        write_book(tmp_path, pages, **options)
        (tmp_path / "_build" / "html").mkdir(parents=True)
        (tmp_path / "_build" / "html" / "index.html").write_text("an earlier build")
        return tmp_path

    monkeypatch.chdir(tmp_path)
    return write


@pytest.fixture
def steps(monkeypatch):
    """The names of the steps after the gates that were reached; none of them does anything."""
    reached = []
    monkeypatch.setattr(publish, "stage", lambda root, runs, publish: reached.append("publish" if publish else "stage"))
    monkeypatch.setattr(publish, "build_site", lambda staged, site: reached.append("site") or site / "index.html")
    return reached


def _site(root):
    return (root / "_build" / "html" / "index.html").read_text()


@pytest.mark.parametrize(
    ("pages", "fault"),
    [
        ({"tiny": RAISES}, r"book/tiny failed in code cell \[3\] \('1 / 0'\): ZeroDivisionError"),
        ({"tiny": WARNS}, r"gates not passed:\n  book/tiny: stderr: cell 7 .* wrote to stderr: careful"),
    ],
)
def test_a_broken_chapter_publishes_nothing_and_leaves_the_site_of_the_last_build(book, steps, pages, fault):
    root = book(pages)
    with pytest.raises(BookError, match=fault):
        build_book("smoke", console=QUIET)
    assert steps == []
    assert _site(root) == "an earlier build"
    assert not (root / "_build" / "stage").exists()


@pytest.mark.parametrize(
    ("start", "fault"),
    [
        ("# Start\n\nOur Dice is 0.81.\n", "book/index.md: number typed into prose: 'Our Dice is 0.81.'"),
        ("# Start\n\n![](a.png)\n", r"book/index.md: figure without alt text: !\[\]\(a.png\)"),
    ],
)
def test_a_fault_on_a_page_without_code_publishes_nothing_either(book, steps, start, fault):
    root = book({}, start=start)
    with pytest.raises(BookError, match=fault):
        build_book("smoke", console=QUIET)
    assert steps == []
    assert _site(root) == "an earlier build"


def test_references_once_made_are_in_step_and_stay(book, steps):
    root = book()
    with pytest.raises(BookError, match=r"pairs out of step:\n  book/tiny: .* there is no .ipynb"):
        check_pairs()
    assert renew_references(console=QUIET) == ["book/tiny: renewed"]
    assert renew_references(console=QUIET) == ["book/tiny: unchanged"]
    assert write_pairs("md") == ["book/tiny: unchanged"]
    assert check_pairs() == ["1 pairs are in step"]
    assert check_book("smoke") == 2
    assert build_book("smoke", console=QUIET) == str(root / "_build" / "html" / "index.html")
    assert steps == ["stage", "site"]

    pair = root / "book" / "tiny.ipynb"
    text = pair.read_text()
    for fault, old, new in (
        ("output changed: cell 3: 'auto 9' became 'auto 0'", "auto 0", "auto 9"),
        ("trained number moved too far: cell 5: 0.521 became 0.500, further than 0.02", "0.500", "0.521"),
        ("trained number moved too far: cell 5: 0.479 became 0.500, further than 0.02", "0.500", "0.479"),
        ("pair out of step: .md and .ipynb differ in cell 6", "Nothing more.", "Nothing else."),
        (r"stale reference: counts of the .ipynb are \[7, 2, 3, 4\]", '"execution_count": 1', '"execution_count": 7'),
    ):
        assert old in text
        pair.write_text(text.replace(old, new))
        with pytest.raises(BookError, match=rf"the book is not in order:\n  book/tiny: {fault}"):
            check_book("smoke")
    pair.write_text(text.replace("score 0.500", "score 0.519"))
    assert check_book("smoke") == 2

    source_file = root / "book" / "tiny.md"
    source_file.write_text(source_file.read_text() + "\nOne more line.\n")
    with pytest.raises(
        BookError, match=r"book/tiny has not been run with the profile smoke as it stands now; run make"
    ):
        check_book("smoke")


def test_a_book_that_was_not_run_is_not_in_order(book):
    book()
    with pytest.raises(BookError, match=r"has not been run with the profile colab .*; run make book PROFILE=colab"):
        check_book("colab")


def test_what_ran_and_what_was_up_to_date_is_told(book):
    root = book({"tiny": source(CLEAN[:1] + CLEAN[1:4])})
    told = io.StringIO()
    execute_book("smoke", console=Console(file=told, width=200))
    execute_book("smoke", console=Console(file=told, width=200))
    assert re.search(r"book/tiny: ran in \d+\.\d s", told.getvalue())
    assert "book/tiny: up to date" in told.getvalue()
    assert executed_path(publish.chapters(root)[0], "smoke").is_file()


def _workflow(name):
    return yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text(encoding="utf-8"))


def _ancestors(jobs, name):
    needs = jobs[name].get("needs", [])
    needs = [needs] if isinstance(needs, str) else needs
    return set(needs).union(*(_ancestors(jobs, need) for need in needs))


def _steps(job):
    return job.get("steps", [])


def test_the_deploy_job_needs_every_gate():
    jobs = _workflow("publish.yml")["jobs"]
    assert _ancestors(jobs, "deploy") == set(jobs) - {"deploy"}
    needed = [step.get("run", "") for name in _ancestors(jobs, "deploy") for step in _steps(jobs[name])]
    assert any("make publish-check" in run and "SLOW=1" in run for run in needed)


def test_no_gate_can_be_passed_over():
    for name, job in _workflow("publish.yml")["jobs"].items():
        assert "always()" not in str(job.get("if", "")), name
        assert not job.get("continue-on-error"), name
        assert all(not step.get("continue-on-error") for step in _steps(job)), name


def test_only_the_deploy_job_of_the_publishing_workflow_may_publish_and_only_from_a_tag():
    triggers = _workflow("publish.yml")[True]  # YAML 1.1 reads the key `on` as a truth value
    assert triggers["push"] == {"tags": ["v*"]}
    for workflow in (ROOT / ".github" / "workflows").glob("*.yml"):
        for name, job in yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"].items():
            publishes = any("deploy-pages" in step.get("uses", "") for step in _steps(job))
            assert publishes == (workflow.name == "publish.yml" and name == "deploy")
            assert ("pages" in job.get("permissions", {})) == publishes
            if workflow.name == "publish.yml":
                assert job["if"] == "github.ref_type == 'tag'"


def test_the_pages_that_are_published_passed_the_checks_in_the_same_job():
    steps = _steps(_workflow("publish.yml")["jobs"]["build"])
    checks = [i for i, step in enumerate(steps) if "make publish-check" in step.get("run", "")]
    upload = [i for i, step in enumerate(steps) if "upload-pages-artifact" in step.get("uses", "")]
    assert len(upload) == 1
    assert checks
    assert checks[-1] < upload[0]
    assert steps[upload[0]]["with"]["path"] == "_build/html"


def test_what_runs_in_a_workflow_is_a_make_target():
    for workflow in (ROOT / ".github" / "workflows").glob("*.yml"):
        for job in yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"].values():
            for step in _steps(job):
                assert re.fullmatch(r"make [a-z-]+( SLOW=1)?", step.get("run", "make all")), step
                assert re.search(r"@[0-9a-f]{40}$", step.get("uses", "@" + 40 * "0")), step


def test_publish_check_is_the_sequence_of_the_workflow():
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").split("\npublish-check:")[1].split("\n\n")[0]
    assert re.findall(r"\$\(MAKE\) (\S+)", recipe) == ["lint", "book", "test"]
    assert "-$(MAKE)" not in recipe
    assert "||" not in recipe


def test_a_chapter_that_chose_its_profile_itself_is_not_published_under_another(tmp_path, monkeypatch):
    facts = {"profile": "smoke", "tissue": "synthetic tissue", "device": "CPU"}
    notebook = ran()
    notebook.cells[2].outputs = [new_output("display_data", {RUN_MIME: facts, "text/plain": "profile smoke"})]
    root = write_book(tmp_path)
    path = root / "executed.ipynb"
    path.write_text(notebook_text(notebook), encoding="utf-8")
    run = Executed(chapter(root), path, {"profile": "colab", "seconds": 1}, fresh=False)
    monkeypatch.setattr(publish, "execute", lambda *_, **__: [run])
    monkeypatch.chdir(root)
    with pytest.raises(BookError, match=r"book/tiny: profile: the chapter ran as smoke, the book is built as colab"):
        publish.execute_book("colab", console=QUIET)


@pytest.mark.parametrize("options", [["--publish"], []])
def test_a_site_that_is_going_to_be_published_is_staged_as_such(book, steps, monkeypatch, options):
    monkeypatch.setattr(publish, "execute_book", lambda profile, *, force, console: [])
    monkeypatch.setenv("HISTOLAB_PUBLISH", "" if options else "1")
    book()
    result = CliRunner().invoke(app, ["book", "build", *options])
    assert result.exit_code == 0, result.output
    assert steps == ["publish", "site"]
