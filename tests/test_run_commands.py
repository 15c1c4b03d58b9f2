"""``histolab run ...`` and ``histolab results ...``, as typed, with typer and without."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from histolab_lib import cli, run_commands
from histolab_lib.record import load_record, save_record
from histolab_lib.run_commands import main
from histolab_lib.scoring import score
from histolab_lib.training import TrainingError
from tests.books import ROOT
from tests.records import record, tile
from tests.test_record import rewrite

TOY = """
- what: A toy
  runs:
    - {key: network_of_tomorrow, data: synthetic, reading: paper}
    - {key: floor_hematoxylin, data: synthetic, options: {n: 2, size: 64}}
    - {key: small_unet, data: tnbc}
"""


@pytest.fixture
def places(tmp_path, monkeypatch):
    for name in ("runs", "predictions"):
        monkeypatch.setenv(f"HISTOLAB_{name.upper()}", str(tmp_path / name))
    monkeypatch.delenv("HISTOLAB_DATA", raising=False)
    (tmp_path / "queue.yaml").write_text(TOY, encoding="utf-8")
    return tmp_path


def typed(capsys, *arguments):
    status = main([str(one) for one in arguments])
    said = capsys.readouterr()
    return status, said.out, said.err


def test_a_floor_is_run_and_told(places, capsys):
    status, out, _ = typed(
        capsys, "run", "floor_hematoxylin", "--data", "synthetic", "--schedule", "smoke", "--option", "n=2",
        "--option", "size=64", "--out", places,
    )  # fmt: skip
    assert status == 0
    name = "floor_hematoxylin/synthetic/n_2__size_64-clean-none-seed0"
    made = load_record(places / f"{name}.json")
    assert made.options == {"n": 2, "size": 64}
    assert out.splitlines()[0].startswith(f"{name}, test (2 images): dice 0.")
    assert out.splitlines()[-1] == f"written: {places / name}.json"


def test_a_queue_is_run_and_what_became_of_it_is_told(places, capsys):
    command = ("run", "--grid", places / "queue.yaml", "--schedule", "smoke", "--out", places, "--budget", "100")
    status, out, _ = typed(capsys, *command)
    assert status == 0
    assert out.splitlines()[-1] == (
        "3 runs wanted: 1 ran, 0 recorded before, 1 not built yet, 1 without data or packages here, 0 failed, "
        "0 left for the next time"
    )
    assert "1 recorded before" in typed(capsys, *command)[1]


def test_a_dry_run_only_lists(places, capsys):
    command = ("run", "--grid", places / "queue.yaml", "--schedule", "smoke", "--out", places)
    _, out, _ = typed(capsys, *command, "--dry-run")
    assert out.splitlines() == [
        "network_of_tomorrow/synthetic/base-paper-smoke-seed0: not built yet",
        "floor_hematoxylin/synthetic/n_2__size_64-clean-none-seed0: to run",
        "small_unet/tnbc/base-clean-smoke-seed0: to run",
    ]
    assert not list(places.glob("*/*/*.json"))
    assert typed(capsys, *command, "--data", "tnbc", "--dry-run")[1].count("\n") == 1
    assert typed(capsys, *command[:1], "floor_hematoxylin", *command[1:], "--dry-run")[1].count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "unet", "--schedule", "cpu"), "name a network and a set (KEY --data SET), or a queue (--grid FILE)"),
        (("run", "unet", "--data", "tnbc"), "the following arguments are required: --schedule"),
        (
            ("run", "u", "--data", "tnbc", "--schedule", "cpu", "--budget", "9"),
            "--budget and --dry-run belong to --grid",
        ),
        (("run", "--grid", "q", "--schedule", "cpu", "--seed", "1"), "--seed belongs to a single run"),
        (("runs",), "invalid choice: 'runs'"),
    ],
)
def test_a_command_that_makes_no_sense_is_refused_with_the_reason(capsys, arguments, said):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("nunet --data tnbc --schedule cpu", "unknown network 'nunet', did you mean 'unet'?"),
        ("unet --data tnbcc --schedule cpu", "unknown data set 'tnbcc', did you mean 'tnbc'?"),
        ("unet --data tnbc --schedule fast", "unknown schedule 'fast'"),
        ("unet --data tnbc --schedule cpu --variant resnet19", "unknown variant of 'unet' 'resnet19'"),
        ("unet --data tnbc --schedule cpu --reading code", "no code was released for U-Net"),
        ("unet --data tnbc --schedule cpu --option version", "--option must be NAME=VALUE, got 'version'"),
        ("small_unet --data tnbc --schedule cpu", "HISTOLAB_DATA is not set"),
        ("--grid nowhere.yaml --schedule cpu", "nowhere.yaml: cannot be read as a queue"),
    ],
)
def test_what_is_unknown_or_missing_is_one_line_on_stderr(places, capsys, arguments, said):
    status, out, err = typed(capsys, "run", *arguments.split(), "--out", places)
    assert (status, out) == (1, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert said in err


def test_a_training_that_breaks_is_one_line_too(places, capsys, monkeypatch):
    def breaks(*_, **__):
        raise TrainingError("the loss became nan at step 3")

    monkeypatch.setattr("histolab_lib.training.run.run", breaks)
    status, _, err = typed(capsys, "run", "unet", "--data", "tnbc", "--schedule", "cpu")
    assert (status, err) == (1, "error: the loss became nan at step 3\n")


def test_a_failure_in_a_queue_is_the_commands(places, capsys, monkeypatch):
    monkeypatch.setattr("histolab_lib.training.queue.run_job", lambda *_, **__: 1 / 0)
    command = ("run", "--grid", places / "queue.yaml", "--schedule", "smoke", "--out", places)
    status, out, _ = typed(capsys, *command)
    assert status == 1
    assert "ZeroDivisionError" in out
    assert "2 failed" in out


def test_results_are_shown_and_checked(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)  # lines are cut to it
    save_record(record(dataset="cpm17"), tmp_path)  # a set without a floor
    path = save_record(record(key="unetpp", dataset="cpm17"), tmp_path)
    status, out, _ = typed(capsys, "results", "--dir", tmp_path)
    assert status == 0
    assert "not run" in out
    assert typed(capsys, "results", "--dir", tmp_path, "--check") == (0, "2 records are in order\n", "")
    rewrite(path, lambda values: values["summary"]["test"]["dice"].update(mean=0.9))
    status, out, err = typed(capsys, "results", "--dir", tmp_path, "--check")
    assert (status, out) == (1, "1 records are in order, 1 are not\n")
    assert err.startswith(f"error: {path}: ")


def test_an_alarm_is_told_by_the_check_and_does_not_fail_it(tmp_path, capsys):
    history = {"validation_step": [1], "validation_dice": [0.5]}
    save_record(record(schedule="gpu", history=history), tmp_path)
    status, out, _ = typed(capsys, "results", "--dir", tmp_path, "--check")
    assert status == 0
    assert "\nalarm: unet/monuseg/base-clean-gpu-seed0: validation on held-out organs ended with dice 0.500" in out


def test_what_another_machine_brought_is_held_against_the_books_own_floor(tmp_path, capsys):
    save_record(record(images={"test": rows_of_nothing_found()}), tmp_path)
    _, out, _ = typed(capsys, "results", "--dir", tmp_path, "--check")
    assert out.splitlines() == [
        "alarm: unet/monuseg/base-clean-cpu-seed0, test: dice 0.000 is below thresholded hematoxylin, 0.770",
        "1 records are in order",
    ]


def rows_of_nothing_found():
    return [score(one, np.zeros_like(one.instances)) for one in (tile("t1", 1), tile("t2", 2))]


def test_a_folder_that_is_not_there_is_told(tmp_path, capsys):
    assert (
        typed(capsys, "results", "--dir", tmp_path / "x")[2] == f"error: {tmp_path / 'x'}: no such folder of records\n"
    )


def test_the_console_passes_arguments_on_as_they_are(monkeypatch):
    seen = []
    monkeypatch.setattr(run_commands, "main", lambda arguments: seen.append(arguments) or 3)
    for name in run_commands.COMMANDS:
        answer = CliRunner().invoke(cli.app, [name, "unet", "--data", "tnbc", "--help"])
        assert answer.exit_code == 3
        assert run_commands.COMMANDS[name].split(".")[0][:30] in CliRunner().invoke(cli.app, ["--help"]).output
    assert seen == [[name, "unet", "--data", "tnbc", "--help"] for name in run_commands.COMMANDS]


BARE = """
import runpy, sys
for name in {missing!r}:
    sys.modules[name] = None
sys.argv = ["histolab", *{arguments!r}]
runpy.run_module("histolab_lib", run_name="__main__")
"""
MISSING = (
    "typer", "rich", "click", "seaborn", "pandas", "matplotlib", "timm", "segmentation_models_pytorch", "torchvision",
    "tifffile", "imagecodecs", "defusedxml", "pooch", "tqdm", "papermill", "nbformat", "sphinx", "onnx",
)  # fmt: skip


def on_a_bare_machine(places, *arguments):
    code = BARE.format(missing=MISSING, arguments=[str(one) for one in arguments])
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=places, env=surroundings)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
def test_a_queue_runs_where_nothing_but_the_necessary_is_installed(places):
    toy = places / "toy.yaml"
    small = {"data": "synthetic", "options": {"n": 2, "size": 64}}
    wanted = (("small_unet", "floor"), ("floor_hematoxylin", "base"), ("strong_unet", "no_weights"))
    runs = [{"key": key, "variant": variant, **small} for key, variant in wanted]
    toy.write_text(json.dumps([{"what": "a toy", "runs": runs}]), encoding="utf-8")
    status, out, err = on_a_bare_machine(
        places, "run", "--grid", toy, "--schedule", "smoke", "--out", places / "out", "--budget", "200"
    )
    assert status == 0, err + out
    assert "3 runs wanted: 2 ran, 0 recorded before, 0 not built yet, 1 without data or packages here, 0 failed" in out
    status, out, err = on_a_bare_machine(places, "results", "--dir", places / "out", "--check")
    assert (status, out, err) == (0, "2 records are in order\n", "")


def test_what_needs_typer_is_told_where_it_is_missing(places):
    status, out, err = on_a_bare_machine(places, "book", "build")
    assert (status, out) == (2, "")
    assert err.startswith("error: typer is not installed; without it there are only: run, results.")
