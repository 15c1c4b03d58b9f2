"""Training in processes of its own: killed and taken up again, and shared by two."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.books import ROOT

PROGRAM = """
import hashlib, json, sys
from dataclasses import replace
from pathlib import Path
import torch
from histolab_lib.training import fit
from tests.tiny_training import SHORT, Dots, data, recipe

if __name__ == "__main__":
    settings = json.loads(sys.argv[1])
    made = recipe(**settings["recipe"])
    schedule = replace(SHORT, **settings["schedule"])
    network = Dots(**settings["network"])
    folder = settings["folder"] and Path(settings["folder"])
    fitted = fit(made, data(), schedule, 0, network=network, folder=folder, device="cpu", **settings["options"])
    tensors = [t.float().flatten() for t in fitted.network.state_dict().values()]
    weights = torch.cat(tensors).tolist()
    digest = hashlib.sha256(json.dumps(weights).encode()).hexdigest()
    rank = 0 if fitted.first_process else 1
    found = {
        "digest": digest, "weights": weights, "losses": fitted.history.losses, "resumed": fitted.resumed_from,
        "scores": list(fitted.history.validation.values()),
    }
    Path(settings["out"]).with_suffix(f".{rank}.json").write_text(json.dumps(found))
"""
RICH = {
    "optimiser": "adamw",
    "averaged_weights": 0.95,
    "clip_norm": 0.5,
    "selection": "best_validation",
}


class Runs:
    """Start runs of the program above, and read what they found."""

    def __init__(self, folder):
        self.folder = folder
        self.program = folder / "program.py"
        self.program.write_text(PROGRAM)

    def start(self, name, *, keep=None, recipe=None, schedule=None, network=None, **options):
        settings = {
            "recipe": recipe or {}, "schedule": schedule or {}, "network": network or {}, "options": options,
            "folder": str(keep) if keep else None, "out": str(self.folder / name),
        }  # fmt: skip
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-W", "error::UserWarning:histolab_lib", str(self.program), json.dumps(settings)]
        return subprocess.Popen(command, env=environment, cwd=self.folder, stderr=subprocess.PIPE, text=True)

    def finish(self, name, **settings):
        process = self.start(name, **settings)
        _, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors
        return self.read(name)

    def read(self, name, rank=0):
        return json.loads((self.folder / name).with_suffix(f".{rank}.json").read_text())


@pytest.fixture
def runs(tmp_path):
    return Runs(tmp_path)


def _killed_after(process, folder, checkpoints):
    """Kill a run, with no chance to tidy up, when it has written so many checkpoints or more."""
    seen: set[str] = set()
    deadline = time.monotonic() + 120
    while len(seen) < checkpoints and time.monotonic() < deadline:
        assert process.poll() is None, process.stderr.read()
        seen |= {path.name for path in folder.glob("checkpoints/step-*.json")}
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=60)
    process.stderr.close()
    assert len(seen) >= checkpoints
    assert process.returncode == -signal.SIGKILL


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_ends_as_one_that_was_left_alone(runs, tmp_path):
    settings = {
        "recipe": RICH,
        "schedule": {"crops": 2_000, "validations": 100},  # a checkpoint every ten steps
        "network": {"dropout": 0.2},
    }
    whole = runs.finish("whole", **settings)
    keep = tmp_path / "run"
    for checkpoints in (3, 6, 11):  # two or three of them are those of the run before
        _killed_after(runs.start("killed", keep=keep, **settings), keep, checkpoints)
    killed = runs.finish("killed", keep=keep, **settings)
    assert 100 <= killed["resumed"] < 1_000
    assert len(killed["losses"]) == 1_000
    assert killed["losses"] == whole["losses"]
    assert killed["scores"] == whole["scores"]
    assert killed["digest"] == whole["digest"]


@pytest.mark.slow
def test_two_processes_share_a_batch_and_end_with_the_weights_of_one(runs):
    # without batch norm and with a loss that is a mean, half a batch each is the same as one whole
    settings = {
        "recipe": {"loss": "bce", "loss_options": {}, "optimiser": "sgd", "momentum": 0.9, "clip_norm": 0.1},
        "schedule": {"crops": 160, "batch_size": 4},
        "network": {"norm": False},
    }
    alone = runs.finish("alone", **settings)
    runs.finish("together", processes=2, **settings)
    first, second = (runs.read("together", rank) for rank in (0, 1))
    assert first["weights"] == second["weights"]
    assert first["scores"] == second["scores"]
    assert first["losses"] == second["losses"]
    assert first["losses"] == pytest.approx(alone["losses"], abs=1e-5)
    assert first["weights"] == pytest.approx(alone["weights"], abs=1e-5)


@pytest.mark.slow
def test_two_processes_are_taken_up_again_together(runs, tmp_path):
    settings = {"recipe": RICH, "schedule": {"crops": 160, "batch_size": 4, "validations": 4}, "processes": 2}
    whole = runs.finish("whole", **settings)
    keep = tmp_path / "run"
    runs.finish("kept", keep=keep, **settings)
    newest = max((keep / "checkpoints").glob("step-*.json"))
    newest.unlink()  # as if the kill had come before it
    again = runs.finish("again", keep=keep, **settings)
    assert (again["resumed"], len(again["losses"])) == (30, 40)
    assert again["losses"] == whole["losses"]
    assert again["digest"] == whole["digest"]


@pytest.mark.slow
def test_a_batch_that_cannot_be_shared_evenly_is_refused(runs):
    process = runs.start("odd", schedule={"batch_size": 3}, processes=2)
    _, errors = process.communicate(timeout=120)
    assert process.returncode != 0
    assert "a batch of 3 cannot be shared by 2 processes evenly" in errors


@pytest.mark.slow
def test_training_needs_no_package_that_only_draws_or_builds_other_networks(runs, tmp_path):
    absent = ("rich", "typer", "timm", "segmentation_models_pytorch", "torchvision", "pandas", "matplotlib", "yaml")
    runs.program.write_text(f"import sys\nsys.modules.update(dict.fromkeys({absent}))\n{PROGRAM}")
    found = runs.finish("bare", keep=tmp_path / "run", recipe=RICH, progress=True)
    assert len(found["losses"]) == 12
