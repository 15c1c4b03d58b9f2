"""Tiny books for the tests of the pipeline: a checkout in a temporary folder with one short chapter."""

import subprocess
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_output

from histolab_lib.bookbuild.chapters import Chapter
from histolab_lib.bookbuild.pairs import parse_source

ROOT = Path(__file__).resolve().parents[1]

FRONT = """\
---
histolab:
  description: A page for tests.
jupytext:
  formats: ipynb,md:myst
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

"""

PARAMETERS = 'profile = "auto"\nseed = 0'
BEGIN = "from histolab_lib.profiles import begin\n\nrun = begin(profile, seed=seed)\nrun"


@dataclass(frozen=True)
class Code:
    """A code cell of a tiny chapter."""

    source: str
    tags: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        lines = [f":{key}: {value}" for key, value in self.options]
        if self.tags:
            lines.append(f":tags: [{', '.join(self.tags)}]")
        head = "\n".join(lines) + "\n\n" if lines else ""
        return f"```{{code-cell}}\n{head}{self.source}\n```"


#: What every fault is planted into: a chapter that passes every gate.
CLEAN = (
    "# A tiny chapter\n\nIt says little.",
    Code(PARAMETERS, tags=("parameters",)),
    Code("print(profile, seed)"),
    Code("value = 0.5 + seed\nprint(f'value {value:.2f}')"),
    Code("print(f'score {value:.3f}')", tags=("trained", "nbval-ignore-output")),
    "## The end\n\nNothing more.",
)


def source(cells: Sequence[str | Code] = CLEAN) -> str:
    """The MyST text of a chapter."""
    parts = []
    for before, cell in zip((None, *cells), cells, strict=False):
        both_text = isinstance(before, str) and isinstance(cell, str)
        parts.append(("+++\n\n" if both_text else "") + str(cell))
    return FRONT + "\n\n".join(parts) + "\n"


def write_book(root: Path, pages: Mapping[str, str] | None = None, *, start: str = "# Start\n\nWelcome.\n") -> Path:
    """Write a checkout with the given chapters (sources by name); by default one clean chapter `tiny`."""
    pages = {"tiny": source()} if pages is None else pages
    entries = "".join(f"  - file: book/{name}.ipynb\n" for name in pages)
    files = {
        "_toc.yml": f"format: jb-book\nroot: book/index\nchapters:\n{entries}",
        "_config.yml": (ROOT / "_config.yml").read_text(encoding="utf-8"),
        "jupytext.toml": (ROOT / "jupytext.toml").read_text(encoding="utf-8"),
        "constraints.txt": "numpy==2.0\n",
        "data/registry.toml": "# no sets\n",
        "book/references.bib": "",
        "book/index.md": start,
        ".gitignore": "_build/\n",
        **{f"book/{name}.md": text for name, text in pages.items()},
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def chapter(root: Path, name: str = "tiny") -> Chapter:
    """The chapter `name` of a tiny book."""
    return Chapter(root, f"book/{name}")


@cache
def _parsed(cells: tuple[str | Code, ...]) -> NotebookNode:
    return parse_source(source(cells))


def ran(cells: Sequence[str | Code] = CLEAN) -> NotebookNode:
    """A chapter as a clean run would leave it, without running anything: counts, and a line of output per cell."""
    notebook = deepcopy(_parsed(tuple(cells)))
    for count, cell in enumerate((c for c in notebook.cells if c.cell_type == "code"), start=1):
        cell.execution_count = count
        if "print" in cell.source:
            cell.outputs = [new_output("stream", name="stdout", text=f"value {count / 2}\n")]
    return notebook


def git(root: Path, *arguments: str) -> str:
    """Run git in a repository of a test, whatever the settings of the user."""
    who = ["-c", "user.name=A Reader", "-c", "user.email=reader@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(root), *who, "-c", "init.defaultBranch=main", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def committed(root: Path) -> Path:
    """Make the checkout a git repository and commit everything in it."""
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "a book")
    return root


def read(path: Path) -> NotebookNode:
    """Read a notebook file."""
    return nbformat.read(path, as_version=4)
