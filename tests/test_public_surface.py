import ast
import importlib
import inspect
import os
import pkgutil
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import histolab_lib
from tests.books import ROOT

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(histolab_lib.__path__, "histolab_lib.")
    if not module.name.endswith("__main__")
)
DRAWING = {"matplotlib", "pandas", "seaborn"}
HEAVY = {"torch", "lightning_fabric", "timm", "typer", "papermill"}
LIGHT = {
    "histolab_lib": HEAVY | DRAWING,
    "histolab_lib.data_dir": HEAVY | DRAWING,
    "histolab_lib.tile": HEAVY | DRAWING,
    "histolab_lib.stain": HEAVY | DRAWING,
    "histolab_lib.metrics": HEAVY | DRAWING,
    "histolab_lib.postprocess": HEAVY | DRAWING,
    "histolab_lib.patches": HEAVY | DRAWING,
    "histolab_lib.corruptions": HEAVY | DRAWING,
    "histolab_lib.datasets": HEAVY | DRAWING,
    "histolab_lib.datasets.monuseg": HEAVY | DRAWING,
    "histolab_lib.datasets.synthetic": HEAVY | DRAWING,
    "histolab_lib.profiles": HEAVY | DRAWING,
    "histolab_lib.plotting": HEAVY,
    "histolab_lib.tables": HEAVY | DRAWING,
}


def _is_empty(module):
    """A package whose file holds its docstring alone (and, for the library itself, the version) exports nothing."""
    body = ast.parse(inspect.getsource(module)).body
    return all(isinstance(node, ast.Expr) or "__version__" in ast.unparse(node) for node in body)


@pytest.mark.parametrize("name", MODULES)
def test_what_a_module_offers_is_in_its_sorted_all(name):
    module = importlib.import_module(name)
    if _is_empty(module):
        assert not hasattr(module, "__all__")
        return
    offered = module.__all__
    assert offered == sorted(offered, key=lambda word: (not word.isupper(), not word[0].isupper(), word))
    assert len(set(offered)) == len(offered)
    assert all(hasattr(module, word) and not word.startswith("_") for word in offered)
    star: dict = {}
    exec(f"from {name} import *", star)
    assert set(star) - {"__builtins__"} == set(offered)


@pytest.mark.parametrize("name", MODULES)
def test_every_public_function_and_class_of_a_module_is_in_its_all(name):
    module = importlib.import_module(name)
    own = {
        word
        for word, value in vars(module).items()
        if not word.startswith("_")
        and (inspect.isfunction(value) or inspect.isclass(value))
        and value.__module__ == name
    }
    reached_through_app = {word for word in own if word.endswith("_command")} | {"PairHalf", "ProfileName"}
    allowed = reached_through_app if name == "histolab_lib.cli" else set()
    assert own - set(getattr(module, "__all__", ())) <= allowed


@pytest.mark.parametrize("name", MODULES)
def test_everything_public_has_a_docstring(name):
    module = importlib.import_module(name)
    assert inspect.getdoc(module)
    for word in getattr(module, "__all__", ()):
        value = getattr(module, word)
        if inspect.isfunction(value) or inspect.isclass(value):
            assert value.__doc__, f"{name}.{word}"


def _in_a_new_process(code, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.thorough
@pytest.mark.parametrize("name", LIGHT)
def test_what_needs_no_network_and_no_drawing_imports_neither(name):
    code = f"import sys, {name}; print(*sorted({LIGHT[name]!r} & set(sys.modules)))"
    assert _in_a_new_process(code).strip() == ""


@pytest.mark.thorough
def test_begin_imports_no_network_on_a_machine_without_a_gpu():
    code = (
        "import sys; from histolab_lib.profiles import begin; run = begin('smoke'); run.tiles('test')[0]; repr(run);"
        f"print(*sorted({HEAVY | DRAWING!r} & set(sys.modules)))"
    )
    assert _in_a_new_process(code).strip() == ""


def test_the_library_is_imported_within_a_second():
    code = "import time; start = time.perf_counter(); import histolab_lib; print(time.perf_counter() - start)"
    assert min(float(_in_a_new_process(code)) for _ in range(3)) < 1.0


def test_the_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert str(citation["version"]) == histolab_lib.__version__
    assert re.findall(r"^## (\S+)", changes, re.MULTILINE)[0] == histolab_lib.__version__


def test_the_licences_are_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["license"] == "BSD-3-Clause"
    assert "BSD 3-Clause" in (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Attribution 4.0" in (ROOT / "book" / "LICENSE").read_text(encoding="utf-8")
    assert "CC0" in (ROOT / "data" / "LICENSE").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_wheel_installed_elsewhere_finds_its_data(tmp_path):
    tree, wheels, target = tmp_path / "tree", tmp_path / "wheels", tmp_path / "installed"
    for name in ("histolab_lib", "data"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff"):
        shutil.copy(ROOT / name, tree / name)
    pip = [sys.executable, "-m", "uv"] if shutil.which("uv") is None else ["uv"]
    subprocess.run([*pip, "build", "-q", "--wheel", "--out-dir", str(wheels), str(tree)], check=True)
    (wheel,) = wheels.glob("histolab_lib-*.whl")
    subprocess.run([*pip, "pip", "install", "-q", "--no-deps", "--target", str(target), str(wheel)], check=True)
    shutil.rmtree(tree)
    program = (
        "import sys; import histolab_lib.__main__ as m; from histolab_lib.data_dir import data_dir\n"
        "sys.argv[1:] = ['data', 'list']; print(m.__file__); print(data_dir()); m.main()"
    )
    environment = {**os.environ, "PYTHONPATH": str(target), "HISTOLAB_DATA": ""}
    command = [sys.executable, "-P", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    where, data, *listed = done.stdout.splitlines()
    assert Path(where).is_relative_to(target)
    assert Path(data) == target / "histolab_lib" / "_data"
    assert any(line.startswith("monuseg: ") for line in listed)
    assert (Path(data) / "registry.toml").read_bytes() == (ROOT / "data" / "registry.toml").read_bytes()
    scripts = (target / f"histolab_lib-{histolab_lib.__version__}.dist-info" / "entry_points.txt").read_text()
    assert "histolab = histolab_lib.__main__:main" in scripts
