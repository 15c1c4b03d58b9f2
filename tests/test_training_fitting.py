"""Training by recipe and schedule: what is learned, chosen, stopped, kept, and taken up again."""

import csv
import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from histolab_lib import training
from histolab_lib.losses import Targets, bce_dice
from histolab_lib.training import CheckpointError, Data, TrainingError, fit, mean_dice, mean_loss, mean_object_score
from histolab_lib.training.engine import OneProcess
from tests.tiny_training import SHORT, Dots, data, disks, recipe, same, weights

pytestmark = pytest.mark.thorough

# Everything that a run can carry from one session to the next.
RICH = {
    "optimiser": "adamw",
    "averaged_weights": 0.9,
    "clip_norm": 0.5,
    "selection": "best_validation",
    "lr_schedule": "plateau",
    "lr_schedule_options": {"factor": 0.5, "patience": 30},
    "encoder_lr_factor": 0.5,
}


class Stopped(Exception):
    """In place of a kill."""


HALVED = {"factor": 0.5, "patience": 1}


def _fit(made=None, network=None, *, seed=0, schedule=SHORT, tiles=None, **options):
    network = Dots(dropout=0.2) if network is None else network
    return fit(made or recipe(), tiles or data(), schedule, seed, network=network, device="cpu", **options)


def _stop_at(monkeypatch, step):
    """Let the network fail in the forward pass of a step."""
    forward, calls = Dots.forward, []

    def counted(self, images):
        if self.training:
            calls.append(1)
            if len(calls) == step:
                raise Stopped
        return forward(self, images)

    monkeypatch.setattr(Dots, "forward", counted)


def test_a_network_learns_and_the_result_says_how():
    before = mean_dice(Dots(), data().val)
    fitted = _fit(recipe(lr=0.05), Dots(), schedule=replace(SHORT, crops=160))
    assert np.mean(fitted.history.losses[-10:]) < 0.8 * np.mean(fitted.history.losses[:10])
    assert mean_dice(fitted.network, data().val) == fitted.history.validation[80] > before + 0.1
    assert (fitted.step, fitted.plan.steps, fitted.resumed_from, fitted.stopped_early) == (80, 80, 0, False)
    assert list(fitted.history.validation) == [27, 54, 80]
    assert not fitted.network.training
    assert fitted.images_per_s > 0
    assert 50 < fitted.peak_memory_mib < 100_000
    assert fitted.history.seconds > 0
    assert fitted.first_process


@pytest.mark.parametrize("stop_at", [3, 5, 9, 12])
def test_a_run_that_was_stopped_and_taken_up_ends_as_one_in_one_go(tmp_path, monkeypatch, stop_at):
    made = recipe(**RICH)
    whole = _fit(made)
    with monkeypatch.context() as patched:
        _stop_at(patched, stop_at)
        with pytest.raises(Stopped):
            _fit(made, folder=tmp_path)
    fitted = _fit(made, folder=tmp_path)
    assert fitted.resumed_from == (stop_at - 1) // 4 * 4
    assert fitted.history == whole.history
    assert fitted.step == whole.step
    assert same(weights(fitted.network), weights(whole.network))


def test_a_run_that_was_finished_is_not_run_again(tmp_path):
    first = _fit(recipe(**RICH), folder=tmp_path)
    again = _fit(recipe(**RICH), folder=tmp_path)
    assert again.resumed_from == 12
    assert again.history == first.history
    assert np.isnan(again.images_per_s)
    assert same(weights(first.network), weights(again.network))


def test_a_run_whose_newest_checkpoint_is_damaged_goes_on_from_the_one_before(tmp_path):
    whole = _fit(recipe(**RICH), folder=tmp_path)
    newest = max((tmp_path / "checkpoints").glob("step-*.safetensors"))
    newest.write_bytes(newest.read_bytes()[:-1])
    with pytest.warns(UserWarning, match="step-00000012.*; the one before is taken"):
        fitted = _fit(recipe(**RICH), folder=tmp_path)
    assert fitted.resumed_from == 8
    assert same(weights(fitted.network), weights(whole.network))


def test_a_folder_of_another_run_is_refused_and_left_alone(tmp_path):
    _fit(folder=tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(CheckpointError, match=r"holds another run \(seed: 0 there, 1 here\); take another folder"):
        _fit(folder=tmp_path, seed=1)
    with pytest.raises(CheckpointError, match=r"recipe: small_unet/test-clean \w{16} there, small_unet/test-clean \w"):
        _fit(recipe(lr=0.5), folder=tmp_path)
    with pytest.raises(CheckpointError, match=r"fit: 3 tiles .* there, 2 tiles"):
        _fit(folder=tmp_path, tiles=replace(data(), fit=data().fit[:2]))
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


def test_nothing_in_the_folder_is_pickled(tmp_path):
    _fit(recipe(**RICH), folder=tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".csv", ".json", ".safetensors"}
    for path in files:
        if path.suffix == ".safetensors":
            length = int.from_bytes(path.read_bytes()[:8], "little")
            json.loads(path.read_bytes()[8 : 8 + length])


def test_the_table_has_a_row_for_each_step_also_after_a_stop(tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        _stop_at(patched, 7)
        with pytest.raises(Stopped):
            _fit(folder=tmp_path)
    history = _fit(folder=tmp_path).history
    with (tmp_path / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == list(range(1, 13))
    assert [float(row["loss"]) for row in rows] == history.losses
    assert [float(row["lr"]) for row in rows] == history.lrs
    assert {int(row["step"]): float(row["dice"]) for row in rows if row["dice"]} == history.validation


@pytest.mark.parametrize("metric", ["dice", "object_dice", "loss"])
def test_a_recipe_that_resizes_is_learned_and_validated_at_that_size(metric, monkeypatch):
    seen = []
    forward = Dots.forward

    def watched(self, images):
        seen.append((self.training, tuple(images.shape[2:])))
        return forward(self, images)

    monkeypatch.setattr(Dots, "forward", watched)
    made = recipe(resize_px=(48, 64), validation={"share": 0.2, "metric": metric})
    fitted = _fit(made)
    assert {size for training, size in seen if training} == {(16, 16)}
    assert {size for training, size in seen if not training} == {(48, 64)} | ({(16, 16)} if metric == "loss" else set())
    plain = _fit(recipe(validation={"share": 0.2, "metric": metric}))
    assert fitted.history.losses != plain.history.losses  # crops of other pixels
    assert list(fitted.history.scores[12]) == list(plain.history.scores[12])


def test_the_same_seed_gives_the_same_weights_and_global_random_states_are_left_alone():
    torch_state, numpy_state = torch.random.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002 - on purpose
    first, again, other = (weights(_fit(seed=seed).network) for seed in (3, 3, 4))
    assert same(first, again)
    assert not same(first, other)
    assert torch.equal(torch.random.get_rng_state(), torch_state)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002


def test_the_number_of_threads_is_that_of_the_schedule_and_put_back():
    seen, before = [], torch.get_num_threads()

    class Counts(Dots):
        def forward(self, images):
            seen.append(torch.get_num_threads())
            return super().forward(images)

    _fit(network=Counts())
    assert set(seen) == {1}
    assert torch.get_num_threads() == before


def _scores(monkeypatch, values):
    """Let validation find these, whatever the network."""
    left = list(values)
    monkeypatch.setattr(training.session, "mean_dice", lambda *_, **__: left.pop(0))


def test_the_best_step_is_chosen_and_its_weights_are_given(monkeypatch):
    best = recipe(selection="best_validation")
    _scores(monkeypatch, [0.2, 0.9, 0.5])
    chosen = _fit(best)
    assert (chosen.step, chosen.history.steps) == (8, 12)
    _scores(monkeypatch, [0.2, 0.5, 0.9])
    last = _fit(best)
    assert last.step == 12
    assert not same(weights(chosen.network), weights(last.network))
    _scores(monkeypatch, [0.2, 0.9, 0.5])
    assert _fit(recipe(selection="last")).step == 12


def test_training_stops_when_patience_runs_out_and_stays_stopped(monkeypatch, tmp_path):
    made = recipe(patience=50)  # half of the run: six steps
    _scores(monkeypatch, [0.9, 0.2, 0.3])
    fitted = _fit(made, folder=tmp_path, schedule=replace(SHORT, validations=4))
    assert (fitted.history.steps, fitted.plan.steps, fitted.stopped_early) == (9, 12, True)
    assert _fit(made, folder=tmp_path, schedule=replace(SHORT, validations=4)).resumed_from == 9


@pytest.mark.parametrize(("patience", "steps"), [("steps", 6), ("validations", 9)])
def test_a_run_counts_patience_as_its_schedule_says(monkeypatch, patience, steps):
    made = recipe(steps=None, epochs=100, patience=2, lr_schedule="plateau", lr_schedule_options=HALVED)
    _scores(monkeypatch, [0.9, 0.2, 0.3, 0.3])
    history = _fit(made, schedule=replace(SHORT, validations=4, patience=patience)).history
    assert history.steps == steps  # two epochs of 100 are a fraction of a step; two validations are six
    assert len(set(history.lrs)) == {"steps": 1, "validations": 2}[patience]  # halved after one validation, at six


def test_averaged_weights_are_what_is_validated_and_given(monkeypatch):
    seen = []
    monkeypatch.setattr(training.session, "mean_dice", lambda network, *_, **__: seen.append(weights(network)) or 0.5)
    averaged = weights(_fit(recipe(averaged_weights=0.9)).network)
    assert same(averaged, seen[-1])
    assert not same(averaged, weights(_fit().network))


def test_the_gradient_is_no_longer_than_the_recipe_allows(monkeypatch):
    lengths = []
    step = torch.optim.SGD.step

    def measured(self, *args):
        lengths.append(float(torch.cat([p.grad.flatten() for g in self.param_groups for p in g["params"]]).norm()))
        return step(self, *args)

    monkeypatch.setattr(torch.optim.SGD, "step", measured)
    _fit(recipe(optimiser="sgd"))
    free, limit = list(lengths), 0.5 * min(lengths)
    lengths.clear()
    _fit(recipe(optimiser="sgd", clip_norm=limit))
    assert max(lengths) <= limit * (1 + 1e-5) < min(free)
    assert max(lengths) == pytest.approx(limit, rel=1e-4)


def test_validation_by_objects_or_loss_is_what_the_recipe_says():
    for metric in ("aji", "object_dice", "loss"):
        made = recipe(validation={"share": 0.2, "metric": metric}, postprocess_options={"connectivity": 8})
        fitted = _fit(made)
        (scores,) = [fitted.history.scores[12]]
        assert list(scores) == ["dice", metric]
        if metric != "loss":
            expected = mean_object_score(fitted.network, data().val, made, metric)
        else:

            def loss(output, targets):
                return bce_dice(output, targets.mask, smooth=1.0)

            expected = mean_loss(fitted.network, data().val, loss, crop_px=16, batch_size=2)
        assert scores[metric] == pytest.approx(expected, abs=1e-6)


def test_validation_predicts_in_the_windows_of_the_schedule(monkeypatch):
    asked = []

    def score(*given, **how):
        asked.append((how["window_px"], how["overlap_px"]))
        return 0.5

    monkeypatch.setattr("histolab_lib.training.session.mean_dice", score)
    monkeypatch.setattr("histolab_lib.training.session.mean_object_score", score)
    made = recipe(validation={"share": 0.2, "metric": "aji"}, postprocess_options={"connectivity": 8})
    _fit(made, schedule=replace(SHORT, crop_px=8, window_px=8))
    assert asked == 3 * 2 * [(8, 2)]  # three looks, two scores each


def test_half_precision_is_computed_where_it_is_asked_for_and_weights_stay_whole():
    seen = set()

    class Watches(Dots):
        def forward(self, images):
            output = super().forward(images)
            seen.add(output.dtype)
            return output

    fitted = _fit(network=Watches(), schedule=replace(SHORT, precision="bf16-mixed"))
    whole = _fit(network=Dots())
    expected = "bf16-mixed" if torch.bfloat16 in seen else "32-true"  # a processor without it takes float32
    assert fitted.plan.precision == expected
    assert {p.dtype for p in fitted.network.parameters()} == {torch.float32}
    np.testing.assert_allclose(fitted.history.losses[:4], whole.history.losses[:4], rtol=0.03)


def test_a_recipe_builds_its_own_network_and_the_seed_decides_its_weights():
    made = recipe(network={"width": 2, "levels": 2})
    short = replace(SHORT, crops=2)
    first, again, other = (fit(made, data(), short, seed, device="cpu").network for seed in (0, 0, 1))
    assert first.head.in_channels == 2
    assert same(weights(first), weights(again))
    assert not same(weights(first), weights(other))


def test_patches_of_a_scheme_are_what_the_network_sees():
    shapes = set()

    class Watches(Dots):
        def forward(self, images):
            shapes.add(tuple(images.shape))
            return super().forward(images)

    made = recipe(patches="haru_net", crop_px=32)
    whole = replace(SHORT, crop_px=None)
    fitted = fit(made, replace(data(), val=()), whole, 0, network=Watches(), device="cpu")
    assert shapes == {(2, 3, 32, 32)}
    assert fitted.plan.patches == "haru_net"
    assert SHORT.plan(made, data().fit).patches == "random"  # smaller crops than the scheme's
    assert fitted.history.scores == {}


def test_a_loss_that_is_not_a_number_stops_with_the_batch_and_keeps_what_was_saved(tmp_path):
    class Breaks(Dots):
        def forward(self, images):
            return super().forward(images) * (float("nan") if self.training and self.calls() == 7 else 1)

        def calls(self):
            self.count = getattr(self, "count", 0) + 1
            return self.count

    with pytest.raises(TrainingError, match="the loss became nan at step 7; a lower lr may help") as caught:
        _fit(network=Breaks(), folder=tmp_path)
    assert len(re.findall(r"disks[012] at row \d+, column \d+", str(caught.value))) == 2
    assert _fit(network=Dots(), folder=tmp_path).resumed_from == 4


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes")],
)
def test_out_of_memory_is_told_with_what_to_do(error):
    class Greedy(Dots):
        def forward(self, images):
            raise error

    with pytest.raises(TrainingError, match="out of memory at step 1, 2 crops of 16x16 pixels: take a smaller batch"):
        _fit(network=Greedy())


def test_a_full_disk_ends_the_run_and_what_was_there_can_be_taken_up(tmp_path, monkeypatch):
    whole, moves, move = _fit(), [], Path.replace

    def fails(self, target):
        moves.append(target)
        if len(moves) > 2:  # the second checkpoint
            raise OSError(28, "No space left on device")
        return move(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", fails)
        with pytest.raises(OSError, match="No space left"):
            _fit(folder=tmp_path)
    fitted = _fit(folder=tmp_path)
    assert fitted.resumed_from == 4
    assert same(weights(fitted.network), weights(whole.network))


@pytest.mark.parametrize(
    ("changes", "tiles", "message"),
    [
        ({}, Data([]), "data: the training set is empty"),
        ({}, Data([disks(0), disks(1, 12)], name="disks"), "tile disks1 is 12x12 pixels, smaller than the crop of 16"),
        ({}, Data([disks(0)], [disks(0)]), "tiles are in training and validation: disks0"),
        ({"patience": 9}, Data([disks(0)]), "decides by validation scores, but there are no validation tiles"),
        ({"selection": "best_validation"}, Data([disks(0)]), "decides by validation scores"),
        ({"augment": "strong"}, data(), "unknown augmentation 'strong'"),
        ({"patches": "haru"}, data(), "unknown patches 'haru', did you mean 'haru_net'"),
        ({"loss": "dise"}, data(), "unknown loss 'dise', did you mean 'dice'"),
        ({"key": "small"}, data(), "unknown network 'small'"),
    ],
)
def test_what_does_not_fit_together_is_told_before_anything_is_trained(changes, tiles, message):
    network = None if "key" in changes else Dots()
    before = None if network is None else weights(network)
    with pytest.raises(ValueError, match=message):
        fit(recipe(**changes), tiles, SHORT, 0, network=network, device="cpu")
    assert network is None or same(before, weights(network))


def test_a_schedule_seed_or_device_that_does_not_exist_is_told():
    with pytest.raises(ValueError, match="unknown schedule 'cpu_lng', did you mean 'cpu_long'"):
        _fit(schedule="cpu_lng")
    with pytest.raises(ValueError, match="seed must be at least 0, got -1"):
        _fit(seed=-1)
    with pytest.raises(ValueError, match="unknown device 'abacus'"):
        fit(recipe(), data(), SHORT, 0, device="abacus")


def test_without_fabric_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "lightning_fabric", None)
    with pytest.raises(ImportError, match=r"needs lightning-fabric: python -m pip install 'histolab-lib\[train\]'"):
        _fit()


def test_the_stand_in_for_fabric_trains_to_the_same_weights(monkeypatch):
    by_fabric = _fit(recipe(**RICH))
    monkeypatch.setattr(training.fitting, "build_engine", lambda device, *_, **__: OneProcess(device))
    assert same(weights(_fit(recipe(**RICH)).network), weights(by_fabric.network))


def test_validation_by_loss_is_the_mean_over_crops_side_by_side():
    tile, network = disks(3, 40), Dots()

    def foreground(output: torch.Tensor, targets: Targets) -> torch.Tensor:
        return targets.mask.mean() * 100 + 0 * output.mean()

    found = mean_loss(network, [tile], foreground, crop_px=16, batch_size=3)
    assert found == pytest.approx(100 * tile.mask[:32, :32].mean(), abs=1e-4)
    assert network.training


def test_nn_modules_without_parameters_that_learn_are_refused():
    class Fixed(nn.Module):
        stride_px = 1

        def forward(self, images):
            return images[:, :1]

    with pytest.raises(ValueError, match="Fixed has no parameter that learns"):
        _fit(network=Fixed())


# torch 2.13's own compiler uses torch.jit.script_method, which the same version deprecates; goes with the next torch.
@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated:DeprecationWarning")
@pytest.mark.slow
def test_compiled_steps_are_those_of_plain_ones():
    plain = _fit(network=Dots())
    compiled = _fit(network=Dots(), schedule=replace(SHORT, compiled=True))
    assert compiled.plan.compiled
    np.testing.assert_allclose(compiled.history.losses, plain.history.losses, rtol=1e-4)
    assert list(compiled.network.state_dict()) == list(plain.network.state_dict())


@pytest.mark.parametrize("schedule", ["smoke"])
def test_a_named_schedule_trains_the_small_network_of_the_book(schedule):
    tiles = Data([disks(seed, 80) for seed in range(2)], [disks(7, 80)])
    fitted = fit(recipe(network={"width": 4}, crop_px=64), tiles, schedule, 0, device="cpu")
    assert (fitted.plan.steps, fitted.plan.batch_size) == (40, 4)
    assert fitted.history.validation[40] > 0.5
