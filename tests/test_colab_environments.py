"""Editions run where Colab would run them: beside its versions of everything, none of which they replace.

Two environments stand in for one, because the CPU file of torch is for Python 3.11 alone: Colab's Python without torch
for a chapter that trains nothing, and Python 3.11 with torch for one that does.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import nbformat
import pytest

from histolab_lib.bookbuild.chapters import chapters
from histolab_lib.bookbuild.colab import NOT_ON_COLAB, Release, edition
from histolab_lib.bookbuild.colab.contents import read_contents
from tests.books import ROOT

pytestmark = pytest.mark.slow

UV = [sys.executable, "-m", "uv"]
LISTED = [
    line
    for line in (ROOT / "tests" / "colab" / "freeze.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
NEEDS_TORCH = ("torch==", "torchvision==", "timm==")
RUN = """
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
try:
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
finally:
    nbformat.write(notebook, sys.argv[1])
"""


@dataclass(frozen=True)
class Place:
    """An environment of its own, and a folder to work in."""

    python: Path
    folder: Path

    def run(self, *arguments):
        ours = ("HISTOLAB_", "PYTHON", "JUPYTER", "VIRTUAL_ENV", "MPL", "UV_")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        environment |= {
            "HISTOLAB_DATA": "",
            "HISTOLAB_CACHE": str(self.folder / "cache"),
            "IPYTHONDIR": str(self.folder / "ipython"),
            "JUPYTER_PREFER_ENV_PATH": "1",
            "OMP_NUM_THREADS": "1",
            "PATH": f"{self.python.parent}{os.pathsep}{os.environ['PATH']}",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }
        command = [str(self.python), *map(str, arguments)]
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-5000:]
        return done.stdout

    def installed(self):
        listed = self.run("-m", "pip", "list", "--format=freeze").split()
        return dict(line.split("==") for line in listed)


def _uv(*arguments):
    subprocess.run([*UV, *map(str, arguments)], check=True, capture_output=True, text=True)


def _interpreter(minor):
    """Where pyenv keeps a Python that is not the one in use, or its number, by which uv finds or fetches it."""
    home = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    return next(iter(sorted(home.glob(f"versions/{minor}.*/bin/python{minor}"))), minor)


def _place(folder, python, packages, *options):
    folder.mkdir()
    made = Place(folder / "venv" / "bin" / "python", folder)
    _uv("venv", "-q", "--python", python, folder / "venv")
    _uv("pip", "install", "-q", "--python", made.python, *options, "pip", *packages)
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The library as a wheel of the tree as it stands."""
    tree, out = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("wheel")
    for name in ("histolab_lib", "data"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff"):
        shutil.copy(ROOT / name, tree / name)
    _uv("build", "-q", "--wheel", "--out-dir", out, tree)
    (made,) = out.glob("histolab_lib-*.whl")
    return made


def _edition(key, wheel, folder):
    """Write the edition of a chapter with a wheel in place of the release, which lies nowhere yet."""
    (one,) = [one for one in chapters(ROOT) if one.key == key]
    contents = read_contents(ROOT, Release("https://github.com/owner/book", "v0.0.0"))
    path = folder / one.ipynb.name
    nbformat.write(edition(one, contents, requirement=str(wheel)), path)
    return path


def _said(path):
    """What the cells of an executed notebook printed, after checks that hold for each."""
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    streams = [(cell, output) for cell in cells for output in cell.outputs if output.output_type == "stream"]
    assert [output.text for cell, output in streams if output.name == "stderr" and cell is not cells[0]] == []
    return "\n".join(output.text for _, output in streams)


def _nothing_was_replaced(before, after):
    assert {name: after.get(name) for name in before} == before
    assert {name.lower().replace("_", "-") for name in set(after) - set(before)} == {"histolab-lib", *NOT_ON_COLAB}


def test_on_colabs_python_a_chapter_that_trains_nothing_runs_without_torch(wheel, tmp_path):
    # jinja2 comes to Colab with torch
    listed = [line for line in LISTED if not line.startswith(NEEDS_TORCH)]
    place = _place(tmp_path / "colab", _interpreter("3.13"), [*listed, "jinja2"])
    before = place.installed()
    assert (before["numpy"], before["pandas"], before["ipython"]) == ("2.1.3", "2.2.3", "7.34.0")
    path = _edition("book/foundations/data_sets", wheel, place.folder)
    place.run("-c", RUN, path)
    assert "raster_cost: " in _said(path)
    after = place.installed()
    _nothing_was_replaced(before, after)
    assert "torch" not in after
    names = "histolab_lib, histolab_lib.metrics, histolab_lib.datasets, histolab_lib.plotting, imagecodecs"
    assert place.run("-c", f"import sys, {names}; print(sys.version_info[:2])") == "(3, 13)\n"


def test_with_torch_a_chapter_that_trains_runs_beside_colabs_versions(wheel, tmp_path):
    links = os.environ.get("PIP_FIND_LINKS")
    source = ["--find-links", links] if links else ["--torch-backend", "cpu"]
    listed = [line for line in LISTED if not line.startswith((*NEEDS_TORCH[:2], "tifffile=="))]
    ours = ["tifffile<2026.3.4"]  # Colab's needs a newer Python
    ours += [f"{name}=={version(name).partition('+')[0]}" for name in ("torch", "torchvision")]
    place = _place(tmp_path / "colab", sys.executable, [*listed, *ours], *source)
    before = place.installed()
    assert (before["numpy"], before["pandas"], before["ipython"]) == ("2.1.3", "2.2.3", "7.34.0")
    path = _edition("book/foundations/first_segmentation", wheel, place.folder)
    place.run("-c", RUN, path)
    assert "unet_dice: 0." in _said(path)
    _nothing_was_replaced(before, place.installed())
    names = "imagecodecs, lightning_fabric, segmentation_models_pytorch"
    place.run("-c", f"from histolab_lib.compat import ensure_torchvision; ensure_torchvision(); import {names}")
