import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from histolab_lib import __version__, cli
from histolab_lib.bookbuild import publish
from histolab_lib.bookbuild.chapters import BookError
from histolab_lib.data_dir import DataError
from tests.books import source, write_book

BOOK_COMMANDS = ("build", "execute", "check", "pairs", "references", "serve", "timings", "pages")


@pytest.fixture
def histolab(monkeypatch):
    """Run a command line; its answer has `exit_code`, `stdout` and `stderr`."""
    for name in ("PROFILE", "HISTOLAB_DATA", "HISTOLAB_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments):
        answer = CliRunner().invoke(cli.app, arguments)
        assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
        assert "Traceback" not in answer.output
        return answer

    return run


def test_the_version_is_told(histolab):
    answer = histolab("--version")
    assert (answer.exit_code, answer.stdout) == (0, f"histolab-lib {__version__}\n")


def test_the_console_script_answers():
    script = Path(sys.executable).with_name("histolab")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"histolab-lib {__version__}\n"
    assert done.stderr == ""


def test_the_module_answers_like_the_script():
    done = subprocess.run([sys.executable, "-m", "histolab_lib", "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"histolab-lib {__version__}\n")


@pytest.mark.parametrize("command", BOOK_COMMANDS)
def test_outside_a_checkout_each_command_says_so_in_one_line(histolab, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    answer = histolab("book", command)
    assert answer.exit_code == 1
    assert answer.stdout == ""
    assert answer.stderr == (
        f"error: no _config.yml and _toc.yml at or above {tmp_path}; run this inside a checkout of the book\n"
    )


@pytest.mark.parametrize("command", ["build", "execute", "check"])
def test_an_unknown_profile_is_refused_with_the_choices(histolab, monkeypatch, command):
    answer = histolab("book", command, "--profile", "quick")
    assert answer.exit_code == 2
    assert all(word in answer.stderr for word in ("'quick'", "'smoke'", "'colab'", "'paper'"))
    monkeypatch.setenv("PROFILE", "fast")
    answer = histolab("book", command)
    assert answer.exit_code == 2
    assert "PROFILE" in answer.stderr
    assert "'fast'" in answer.stderr


def test_an_unknown_half_is_refused_with_the_choices(histolab):
    answer = histolab("book", "pairs", "--from", "py")
    assert answer.exit_code == 2
    assert all(word in answer.stderr for word in ("'py'", "'md'", "'ipynb'"))


@pytest.mark.parametrize("command", [(), ("book",), ("data",)])
def test_without_a_command_the_help_is_shown(histolab, command):
    assert "Commands" in histolab(*command).output


@pytest.mark.parametrize("kind", [BookError, DataError])
def test_a_message_is_shown_as_it_is_whatever_brackets_it_holds(histolab, monkeypatch, kind):
    def fail(*_, **__):
        raise kind("cell [3] of [/home/me] said [red] and [bold]")

    monkeypatch.setattr(publish, "build_book", fail)
    answer = histolab("book", "build")
    assert (answer.exit_code, answer.stderr) == (1, "error: cell [3] of [/home/me] said [red] and [bold]\n")


def test_a_missing_tool_of_the_book_is_told_with_what_to_install(histolab, monkeypatch):
    monkeypatch.setitem(sys.modules, "histolab_lib.bookbuild.publish", None)
    monkeypatch.delitem(sys.modules, "histolab_lib.bookbuild.publish")
    monkeypatch.delitem(sys.modules, "histolab_lib.bookbuild.execute")
    monkeypatch.setitem(sys.modules, "papermill", None)
    answer = histolab("book", "check")
    assert answer.exit_code == 1
    assert "papermill" in answer.stderr
    assert "the book needs the extra [book]: make install, in a checkout" in answer.stderr


def test_a_fault_of_our_own_keeps_its_traceback(histolab, monkeypatch):
    def fail(*_, **__):
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(publish, "build_book", fail)
    answer = CliRunner().invoke(cli.app, ["book", "build"])
    assert isinstance(answer.exception, ZeroDivisionError)


def test_pairs_are_checked_and_written(histolab, tmp_path, monkeypatch):
    monkeypatch.chdir(write_book(tmp_path, {"tiny": source()}))
    answer = histolab("book", "pairs", "--check")
    assert answer.exit_code == 1
    assert "book/tiny: pair out of step: there is no .ipynb" in answer.stderr
    assert histolab("book", "pairs").stdout == "book/tiny: written\n"
    assert histolab("book", "pairs").stdout == "book/tiny: unchanged\n"
    (tmp_path / "book" / "tiny.ipynb").unlink()
    answer = histolab("book", "pairs", "--from", "ipynb")
    assert answer.exit_code == 1
    assert "book/tiny.ipynb does not exist" in answer.stderr


def test_a_chapter_that_was_not_run_is_told(histolab, tmp_path, monkeypatch):
    monkeypatch.chdir(write_book(tmp_path, {"tiny": source()}))
    answer = histolab("book", "check")
    assert answer.exit_code == 1
    assert "error: book/tiny has not been run with the profile smoke" in answer.stderr


def test_a_profile_that_needs_tissue_which_is_not_there_is_told_before_anything_runs(histolab, tmp_path, monkeypatch):
    monkeypatch.chdir(write_book(tmp_path, {"tiny": source()}))
    monkeypatch.setenv("HISTOLAB_DATA", str(tmp_path / "nowhere"))
    answer = histolab("book", "execute", "--profile", "paper")
    assert answer.exit_code == 1
    assert "which is not a folder" in answer.stderr
    assert not (tmp_path / "_build").exists()


def test_what_libraries_say_of_empty_maps_is_listed_row_by_row():
    shown = CliRunner().invoke(cli.app, ["metrics"])
    assert shown.exit_code == 0
    assert re.search(
        r"^scikit-image metrics.hausdorff_distance: both empty 0.0, .*\(run\)$", shown.output, re.MULTILINE
    )
