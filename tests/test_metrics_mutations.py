"""Do the tests notice? A copy of the package with one wrong line must fail them, and the copy without it pass."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from histolab_lib import metrics
from tests.books import ROOT
from tests.mutations.catalogue import MUTATIONS, Mutation

SCORED = ("pixels", "instances", "glands", "hausdorff", "surfaces", "evaluate", "parity")
FILES = {**{name: f"test_metrics_{name}.py" for name in SCORED}, "growing": "test_postprocess_growing.py"}
NO_SCORES = {
    "check_record", "coarsened", "compare", "contingency", "errors", "pooled_interval", "scores_from_counts",
    "summarise",
}  # fmt: skip
# Nothing to shrink, the same examples each time, no database: a mutant is noticed or it is not.
CONFTEST = """
from hypothesis import Phase, settings
settings.register_profile("mutants", phases=[Phase.explicit, Phase.generate], derandomize=True, database=None)
settings.load_profile("mutants")
"""


def names_of(mutation: Mutation) -> str:
    return f"{mutation.metric}: {mutation.fault}"


def node_ids(tests: Iterable[str]) -> list[str]:
    found = []
    for entry in tests:
        name, functions = entry.split(":")
        found += [f"tests/{FILES[name]}::{function.strip()}" for function in functions.split(",")]
    return sorted(set(found))


def copy_of_the_package(folder: Path) -> Path:
    """Package, tests and settings, as a folder in which pytest can be run and finds nothing else."""
    leave = shutil.ignore_patterns("__pycache__", "bookbuild")
    shutil.copytree(ROOT / "histolab_lib", folder / "histolab_lib", ignore=leave)
    for name in ("literal", "benchmarks"):  # what the tests share
        shutil.copytree(ROOT / "tests" / name, folder / "tests" / name, ignore=leave)
    for name in FILES.values():
        shutil.copy(ROOT / "tests" / name, folder / "tests" / name)
    (folder / "tests" / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def run(folder: Path, tests: list[str]) -> tuple[int, str]:
    # The folder that pytest is run in comes first on the path, before the package installed here.
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=line", "-p", "no:cacheprovider", *tests]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": ""}
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("mutation", MUTATIONS, ids=names_of)
def test_what_a_mutation_replaces_is_there_once(mutation):
    text = (ROOT / "histolab_lib" / mutation.file).read_text(encoding="utf-8")
    assert text.count(mutation.old) == 1, f"{names_of(mutation)} is out of date: {mutation.file}"
    assert mutation.new != mutation.old


def test_every_score_has_a_mutation():
    scores = {name for name in metrics.__all__ if name.islower() and name not in NO_SCORES}
    assert {mutation.metric for mutation in MUTATIONS} == scores | {"evaluate", "grow_labels"}


@pytest.mark.slow
def test_without_a_mutation_all_these_tests_pass(tmp_path):
    code, output = run(copy_of_the_package(tmp_path), node_ids(mutation.tests for mutation in MUTATIONS))
    assert code == 0, output


@pytest.mark.slow
@pytest.mark.parametrize("mutation", MUTATIONS, ids=names_of)
def test_a_mutation_is_noticed(mutation, tmp_path):
    path = copy_of_the_package(tmp_path) / "histolab_lib" / mutation.file
    path.write_text(path.read_text(encoding="utf-8").replace(mutation.old, mutation.new), encoding="utf-8")
    compile(path.read_text(encoding="utf-8"), str(path), "exec")
    code, output = run(tmp_path, node_ids([mutation.tests]))
    assert code == 1, f"no test noticed: {names_of(mutation)}\n{output}"
    assert "1 failed" in output, output
    assert "NameError" not in output, output
