"""The commands that people and continuous integration call."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests import books

ROOT = Path(__file__).resolve().parents[1]
VENV = Path(sys.prefix)


def _make(*arguments: str, cwd: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    named = [f"{name}={value}" for name, value in variables.items()]
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "PROFILE"))}
    command = ["make", *arguments, *named]
    return subprocess.run(command, cwd=cwd, env=outside, capture_output=True, text=True, timeout=600)


def test_help_describes_every_command():
    makefile = (ROOT / "Makefile").read_text()
    commands = set(re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[1].split())
    described = {line.split()[0] for line in _make("help").stdout.splitlines()}
    assert described == commands


def test_the_first_two_commands_of_the_readme_are_book_and_test():
    readme = (ROOT / "README.md").read_text()
    assert re.findall(r"^make (\w+)", readme, re.MULTILINE)[:2] == ["book", "test"]


def test_torch_comes_from_its_own_index_where_no_file_is_on_disk(tmp_path):
    planned = _make("-n", "install", VENV=str(tmp_path / "venv"), PIP_FIND_LINKS="").stdout
    assert "--torch-backend auto" in planned
    assert "--find-links" not in planned


def test_torch_comes_from_a_file_where_one_is_on_disk(tmp_path):
    (tmp_path / "torch-2.13.0+cpu-cp311-cp311-linux_x86_64.whl").touch()
    planned = _make("-n", "install", VENV=str(tmp_path / "venv"), PIP_FIND_LINKS=str(tmp_path)).stdout
    assert f"--find-links {tmp_path}" in planned
    assert "--torch-backend" not in planned


def test_every_install_takes_the_exact_pins(tmp_path):
    planned = _make("-n", "install", VENV=str(tmp_path / "venv")).stdout
    assert "-c constraints.txt" in planned


def test_another_python_than_the_pins_are_for_is_refused_before_anything_is_made(tmp_path):
    done = _make("install", VENV=str(tmp_path / "venv"), PYTHON="/bin/false")
    assert done.returncode != 0
    assert "the pins are for Python 3.11 and '/bin/false' is not" in done.stderr
    assert not (tmp_path / "venv").exists()


def _copy_of_the_tree(target: Path) -> Path:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    ).stdout
    for name in filter(None, listed.splitlines()):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


@pytest.mark.slow
def test_publish_check_stops_at_a_broken_chapter_before_anything_could_be_deployed(tmp_path):
    root = _copy_of_the_tree(tmp_path / "tree")
    cells = [*books.CLEAN[:-1], books.Code("raise RuntimeError('broken on purpose')")]
    (root / "_toc.yml").write_text(
        "format: jb-book\nroot: book/index\nchapters:\n  - file: book/foundations/broken.ipynb\n"
    )
    (root / "book" / "index.md").write_text("# Start\n\nWelcome.\n")
    (root / "book" / "foundations" / "broken.md").write_text(books.source(cells))
    nbformat.write(books.ran(cells), root / "book" / "foundations" / "broken.ipynb")
    # The pins are installed already: the copy borrows this environment, and must not install itself into it.
    for name in ("pyproject.toml", "constraints.txt"):
        os.utime(root / name, (0, 0))
    done = _make("publish-check", cwd=root, VENV=str(VENV), PROFILE="smoke")
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "book/foundations/broken failed in code cell" in said, said
    assert "broken on purpose" in said
    assert "ready to publish" not in said
    assert "histolab book check" not in said  # nothing after the failing step was started
    assert not (root / "_build" / "html").exists()
