"""Weights that are made here: what they are learned from, what of the network they change, what survives a kill."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from histolab_lib import papers
from histolab_lib.datasets import load
from histolab_lib.record import load_record
from histolab_lib.scoring import check_numbers
from histolab_lib.tile import Tile
from histolab_lib.training import SCHEDULES, Schedule, fitting, pretraining
from histolab_lib.training import run as running
from histolab_lib.training.checkpoints import write_tensors
from histolab_lib.training.evidence import fingerprint, tile_hash
from histolab_lib.training.loop import Loop
from histolab_lib.training.outcome import Data
from histolab_lib.training.pretext import Pretext
from histolab_lib.training.pretraining import KINDS, pretrain, pretraining_recipe
from histolab_lib.wanted import Job
from tests.tiny_training import disks

pytestmark = [pytest.mark.thorough, pytest.mark.slow]  # timm takes seconds to import

#: Six steps of two crops, a pause after every second.
TINY = Schedule(name="tiny", crops=12, crop_px=32, batch_size=2, validations=3, threads=1)
SMALL = "mobilenetv2_050"
QUIET = {"device": "cpu", "progress": False}


class Stopped(Exception):
    """In place of a kill."""


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """A schedule of a few steps, and a cache of this test alone."""
    monkeypatch.setenv("HISTOLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(pretraining, "_SIDE_PX", 64)
    for module in (fitting, pretraining, running):
        monkeypatch.setattr(module, "SCHEDULES", {**SCHEDULES, "tiny": TINY, "smoke": TINY})
    return tmp_path / "runs"


def _recipe(kind, **changes):
    why = "ours: a test"
    return papers.recipe("unet").vary(kind, why, network={"encoder": SMALL}, weights=kind, **changes)


def _tiles():
    return [disks(seed, 64) for seed in range(3)]


def _made(kind, folder, *, tiles=None, seed=0, **changes):
    return pretrain(_recipe(kind, **changes), tiles or _tiles(), "tiny", seed, folder=folder, **QUIET)


@pytest.mark.parametrize("kind", KINDS)
def test_the_file_is_loaded_into_the_encoder_and_changes_nothing_else(kind, tiny):
    made, recipe = _made(kind, tiny), _recipe(kind)
    assert made.path.parent.name == "weights"
    assert made.path.name.startswith(f"{SMALL}_{kind}-")
    plain = papers.build("unet", encoder=SMALL, seed=0).state_dict()
    loaded = papers.build_for(recipe, seed=0, weights=made.path).state_dict()
    changed = {name for name in plain if not torch.equal(plain[name], loaded[name])}
    assert all(name.startswith("encoder.") for name in changed)
    assert {name for name in plain if name.startswith("encoder.") and plain[name].ndim > 1} <= changed
    assert made.seconds > 0
    assert made.losses[0] > 0


@pytest.mark.parametrize("name", ["linknet", "ce_net", "msal_net", "histoseg"])
def test_every_kind_of_network_with_an_encoder_can_start_from_its_own(name, tmp_path):
    encoder = "mobilenetv2_100" if name == "histoseg" else "resnet18"
    given = papers.build(name, encoder=encoder, seed=1)
    write_tensors(tmp_path / "encoder.safetensors", pretraining._encoder(Pretext(given)))
    loaded = papers.build(name, encoder=encoder, seed=2, pretrained=tmp_path / "encoder.safetensors").state_dict()
    plain = papers.build(name, encoder=encoder, seed=2).state_dict()
    for key, tensor in given.state_dict().items():
        assert torch.equal(loaded[key], tensor if key.startswith("encoder.") else plain[key]), key


def test_the_encoder_of_a_file_is_that_of_the_network_that_was_trained(tiny, monkeypatch):
    kept = {}
    monkeypatch.setattr(pretraining, "fit", lambda *a, **k: kept.setdefault("fitted", fitting.fit(*a, **k)))
    made = _made("synthetic", tiny)
    trained = kept["fitted"].network.encoder.model.state_dict()
    loaded = papers.build_for(_recipe("synthetic"), seed=5, weights=made.path).encoder.model.state_dict()
    assert all(torch.equal(trained[name], loaded[name]) for name in loaded)
    assert kept["fitted"].history.steps == 6


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_made_is_found_again_and_what_decides_it_makes_another(kind, tiny, monkeypatch):
    made = _made(kind, tiny)
    with monkeypatch.context() as patched:
        patched.setattr(pretraining, "fit", lambda *_, **__: pytest.fail("made again"))
        assert _made(kind, tiny) == made
        assert _made(kind, tiny, encoder_lr_factor=0.4, patches="msal_net") == made  # of no account here
    others = {_made(kind, tiny, seed=1).path, _made(kind, tiny, lr=2e-3).path}
    tiles = _tiles()
    tiles[0] = Tile(tiles[0].name, 255 - tiles[0].image, tiles[0].instances)
    moved = _made(kind, tiny, tiles=tiles).path
    assert (moved == made.path) == (kind == "synthetic")  # which the run's own tiles do not change
    assert made.path not in others
    assert len(others) == 2


def test_labels_are_taken_off_before_anything_is_learned(tiny):
    made = _made("self_supervised", tiny)
    blank = [Tile(tile.name, tile.image, np.zeros_like(tile.instances)) for tile in _tiles()]
    assert _made("self_supervised", tiny, tiles=blank) == made
    assert made.data == {}
    with pytest.MonkeyPatch.context() as patched:
        seen = {}
        patched.setattr(pretraining, "fit", lambda made, data, *a, **k: seen.update(data=data) or 1 / 0)
        with pytest.raises(ZeroDivisionError):
            _made("self_supervised", tiny, seed=1)
    assert all(not tile.instances.any() for tile in seen["data"].fit)
    assert len(seen["data"].val) == 0


def test_synthetic_tissue_is_told_with_its_tiles(tiny):
    made = _made("synthetic", tiny)
    drawn = list(load("synthetic", "train", n=3, size=64, seed=0))  # 12 crops of 32 px
    assert made.data == {"synthetic/pretraining": fingerprint(map(tile_hash, drawn))}


@pytest.mark.parametrize(
    ("crops", "crop_px", "tiles", "side"), [(160, 64, 2, 512), (4000, 256, 120, 512), (8, 640, 8, 640)]
)
def test_as_many_synthetic_tiles_are_drawn_as_the_crops_come_to(crops, crop_px, tiles, side):
    plan = Schedule(name="s", crops=crops).plan(_recipe("synthetic", crop_px=crop_px, batch_size=8), [])
    drawn = pretraining._synthetic(plan)
    assert len(drawn) == tiles
    assert f"-{side}px-seed0-train-" in drawn.names[0]


@pytest.mark.parametrize("change", ["tensors", "json", "no json"])
def test_a_damaged_file_is_made_again(change, tiny):
    made = _made("self_supervised", tiny)
    content, beside = made.path.read_bytes(), made.path.with_suffix(".json")
    if change == "tensors":
        made.path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif change == "json":
        beside.write_text(beside.read_text()[:-9])
    else:
        beside.unlink()
    again = _made("self_supervised", tiny)
    assert again.path == made.path
    assert again.path.read_bytes() == content  # the same to the last bit
    assert json.loads(beside.read_text())["losses"] == list(made.losses)
    assert not list(made.path.parent.glob(".*"))
    assert list(tiny.iterdir()) == []  # no checkpoint is left


@pytest.mark.parametrize("kind", KINDS)
def test_a_pretraining_that_was_killed_is_taken_up_and_ends_as_one_in_one_go(kind, tiny, monkeypatch):
    whole = _made(kind, tiny)
    content = whole.path.read_bytes()
    whole.path.unlink()
    step, taken = Loop._step, []

    def dies(self, *given):
        if len(taken) == 3:
            raise Stopped
        taken.append(given[-1])
        step(self, *given)

    other = tiny.with_name("other")
    with monkeypatch.context() as patched:
        patched.setattr(Loop, "_step", dies)
        with pytest.raises(Stopped):
            _made(kind, other)
    assert not whole.path.exists()
    taken.clear()
    with monkeypatch.context() as patched:
        patched.setattr(Loop, "_step", lambda self, *given: taken.append(given[-1]) or step(self, *given))
        assert _made(kind, other).path.read_bytes() == content
    assert taken == [3, 4, 5, 6]


def test_the_recipe_of_a_pretraining_is_that_of_the_run_for_as_many_crops():
    own = papers.recipe("msal_net", "paper", "synthetic")
    tile = disks(0, 1000)
    for schedule, steps, crop, batch in (("cpu", 2000, 256, 2), ("gpu", 600, 512, 2)):
        length = SCHEDULES[schedule]
        plan = length.plan(own, [tile])
        made = pretraining_recipe(own, plan)
        again = length.plan(made, [tile] * 7)
        assert (again.steps, again.crop_px, again.batch_size, again.patches) == (steps, crop, batch, "random")
        assert plan.steps == steps
        differ = {name for name, value in made.settings().items() if value != own.settings()[name]}
        assert differ - {"sources", "variant"} <= {
            "weights", "patches", "crop_px", "lr_schedule", "epochs", "steps", "validation"
        }  # fmt: skip
    unlabelled = pretraining_recipe(papers.recipe("msal_net", "paper", "self_supervised"), plan)
    assert (unlabelled.loss, unlabelled.loss_options, made.loss) == ("bce_hematoxylin", {}, "bce")
    assert all(unlabelled.sources[name].startswith("ours: ") for name in ("weights", "loss", "lr_schedule"))


def test_a_recipe_that_decides_by_validation_needs_none_here():
    decides = {"selection": "best_validation", "lr_schedule": "plateau", "patience": 9}
    own = _recipe("synthetic", **decides, lr_schedule_options={"factor": 0.5, "patience": 3})
    made = pretraining_recipe(own, TINY.plan(own, _tiles()))
    fitting._plan(made, Data(_tiles()), TINY, torch.device("cpu"), 0)


def test_what_cannot_be_made_is_told(tiny):
    with pytest.raises(ValueError, match="unknown weights that are made here 'imagenet'"):
        _made("imagenet", tiny)
    small = papers.recipe("small_unet").vary("synthetic", "ours: a test", weights="synthetic")
    with pytest.raises(ValueError, match=r"weights='synthetic', but small_unet has no option encoder"):
        pretrain(small, _tiles(), "tiny", 0, folder=tiny, **QUIET)
    with pytest.raises(ValueError, match=r"is not there yet, and is made by one process: run once with processes=1"):
        pretrain(_recipe("synthetic"), _tiles(), "tiny", 0, folder=tiny, processes=2, **QUIET)


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_makes_its_weights_and_tells_of_them(kind, tiny, monkeypatch):
    monkeypatch.setenv("HISTOLAB_RUNS", str(tiny))
    monkeypatch.setenv("HISTOLAB_PREDICTIONS", str(tiny / "predictions"))
    monkeypatch.setattr(running, "recipe_of", lambda job: _recipe(kind))
    results = tiny / "results"
    job = Job("unet", "synthetic", "smoke", options={"n": 2, "size": 64})
    made = running.run_job(job, out=results, **QUIET)
    kept = load_record(job.path(results))
    check_numbers(kept)
    file = next((tiny.parent / "cache" / "weights").glob("*.safetensors"))
    assert kept.weights.startswith(f"{file.name} sha256:")
    facts = json.loads(file.with_suffix(".json").read_text())
    assert facts["sha256"].startswith(kept.weights[-16:])
    assert kept.settings["pretraining_s"] == facts["seconds"] > 0
    drawn = {"synthetic/pretraining"} if kind == "synthetic" else set()
    assert set(kept.data) == {"synthetic/train", "synthetic/test"} | drawn
    assert {name: kept.data[name] for name in drawn} == facts["data"]
    before = {path: path.stat().st_mtime_ns for path in file.parent.iterdir()}
    again = running.run_job(replace(job, seed=0), out=results, **QUIET)
    assert {path: path.stat().st_mtime_ns for path in file.parent.iterdir()} == before
    assert repr(again.images) == repr(made.images)
