import hashlib
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from histolab_lib import papers
from histolab_lib.data_dir import DataError
from histolab_lib.datasets import load
from histolab_lib.floors import nucleus_floor
from histolab_lib.inference import segment
from histolab_lib.metrics import dice
from histolab_lib.pretrained import load_checkpoint
from histolab_lib.record import load_prediction, load_record
from histolab_lib.scoring import check_numbers
from histolab_lib.tile import Tile
from histolab_lib.training import evidence
from histolab_lib.training import run as running
from histolab_lib.training.history import History
from histolab_lib.training.job import recipe_of
from histolab_lib.training.run import columns, run, run_folder
from histolab_lib.training.tiles import read_tiles, scored_splits
from histolab_lib.wanted import Job
from tests.books import ROOT

pytestmark = pytest.mark.thorough

SMALL = {"n": 3, "size": 64}
QUIET = {"device": "cpu", "progress": False}


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Folders of this test alone; returns where records go."""
    monkeypatch.setenv("HISTOLAB_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("HISTOLAB_PREDICTIONS", str(tmp_path / "predictions"))
    return tmp_path / "results"


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """Where one run of thirty steps has left what it leaves, and its record as it was given back."""
    folder = tmp_path_factory.mktemp("once")
    short = replace(running.SCHEDULES["smoke"], crops=120, batch_size=4, crop_px=32, window_px=32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HISTOLAB_RUNS", str(folder / "runs"))
        patch.setenv("HISTOLAB_PREDICTIONS", str(folder / "predictions"))
        patch.setattr("histolab_lib.training.fitting.SCHEDULES", {**running.SCHEDULES, "smoke": short})
        patch.setattr(running, "SCHEDULES", {**running.SCHEDULES, "smoke": short})
        yield folder / "results", small_run(folder / "results")


def small_run(places, **changes):
    job = {"variant": "floor", "data": "synthetic", "schedule": "smoke", "options": SMALL, **QUIET, **changes}
    return run(job.pop("key", "small_unet"), out=places, **job)


def test_a_run_leaves_a_record_that_is_in_order(once):
    places, made = once
    kept = load_record(places / "small_unet" / "synthetic" / "floor__n_3__size_64-clean-smoke-seed0.json")
    assert repr(kept) == repr(made)  # NaN is unlike itself
    check_numbers(kept)
    recipe = papers.recipe("small_unet", variant="floor")
    assert (kept.recipe, kept.recipe_hash) == (recipe.settings(), recipe.digest())
    assert kept.settings["steps_taken"] == kept.settings["step_used"] == 30
    assert set(kept.data) == {"synthetic/train", "synthetic/test"}
    assert kept.fit_on == list(load("synthetic", "train", **SMALL).names)
    assert kept.chosen_on == list(load("synthetic", "val", **SMALL).names)
    assert [row["name"] for row in kept.images["test"]] == list(load("synthetic", "test", **SMALL).names)
    assert list(kept.history) == ["step", "loss", "lr", "validation_step", "validation_dice"]
    assert kept.images_per_s > 0
    assert kept.wall_s > 0


def test_the_recorded_scores_are_those_of_the_network_that_was_trained(once):
    _, made = once
    trained = load_checkpoint(run_folder(Job("small_unet", "synthetic", "smoke", variant="floor", options=SMALL)))
    for tile, row in zip(load("synthetic", "test", **SMALL), made.images["test"], strict=True):
        instances = segment(trained.network, tile.image, trained.recipe, window_px=32, overlap_px=8)
        np.testing.assert_array_equal(instances, load_prediction(made.name, "test", tile.name))
        assert row["dice"] == dice(tile.mask, instances > 0) > 0.2


def test_the_same_run_again_takes_no_step_and_gives_the_same_scores(once):
    places, made = once
    again = small_run(places)
    assert repr(made.images) == repr(again.images)
    assert again.images_per_s is None  # nothing was trained this time
    assert again.history == made.history


def test_another_seed_is_another_run_and_all_tiles_are_another_variant(once):
    places, made = once
    other = small_run(places, seed=1, variant="floor__all_tiles")
    assert other.name == "small_unet/synthetic/floor__all_tiles__n_3__size_64-clean-smoke-seed1"
    assert other.history["loss"][0] != made.history["loss"][0]
    assert other.chosen_on == []
    assert "validation_dice" not in other.history


def test_a_floor_is_recorded_without_training(places):
    made = small_run(places, key="floor_hematoxylin", variant="base", schedule="cpu")
    kept = load_record(places / "floor_hematoxylin" / "synthetic" / "n_3__size_64-clean-none-seed0.json")
    check_numbers(kept)
    assert (kept.settings, kept.history, kept.images_per_s, kept.fit_on) == ({}, {}, None, [])
    assert kept.recipe["sigma_px"] == 2.0
    for tile, row in zip(load("synthetic", "test", **SMALL), kept.images["test"], strict=True):
        assert row["dice"] == dice(tile.mask, nucleus_floor(tile.image) > 0)
    assert made.weights == "none"


def test_a_set_without_a_test_split_is_refused_before_anything_is_read(places):
    with pytest.raises(ValueError, match="'pannuke' has no split for testing"):
        run("small_unet", data="pannuke", schedule="smoke", out=places)
    assert not places.exists()


def test_a_set_that_is_not_here_is_told(places, monkeypatch):
    monkeypatch.delenv("HISTOLAB_DATA", raising=False)
    with pytest.raises(DataError, match="HISTOLAB_DATA is not set"):
        run("small_unet", data="tnbc", schedule="smoke", out=places)


def test_the_folder_of_a_run_changes_with_recipe_and_schedule():
    folders = {
        run_folder(Job("unet", "tnbc", schedule, variant=variant, seed=seed))
        for schedule in ("cpu", "gpu")
        for variant in ("base", "resnet18")
        for seed in (0, 1)
    }
    assert len(folders) == 8


def test_the_test_splits_of_a_set_are_scored_one_by_one():
    assert scored_splits("monuseg", {}) == scored_splits("tnbc", {"version": "patients"}) == ("test",)
    assert scored_splits("kumar", {"version": "weaknucleiseg"}) == ("test_same", "test_diff")
    assert scored_splits("glas", {}) == ("testA", "testB")


@pytest.mark.real
@pytest.mark.parametrize(("data", "held_out"), [("monuseg", "organ"), ("kumar", "organ"), ("glas", "patient")])
def test_the_tiles_of_a_run_keep_their_groups_apart(tissue, data, held_out):
    tiles = read_tiles(data, {}, recipe_of(Job("unet", data, "cpu", variant="resnet18")))
    fit, val = ({getattr(tile, held_out) for tile in part} for part in (tiles.fit, tiles.val))
    assert fit
    assert val
    assert not fit & val
    tested = {name for sequence in tiles.test.values() for name in sequence.names}
    assert not tested & {tile.name for tile in (*tiles.fit, *tiles.val)}


def test_a_history_is_thinned_to_means():
    losses = [float(n) for n in range(1001)]
    table = columns(History(losses=losses, lrs=losses, scores={500: {"dice": 0.5, "aji": 0.1}, 1001: {"dice": 0.75}}))
    assert len(table["step"]) <= 200
    assert table["step"][-1] == 1001
    assert (table["loss"][0], table["lr"][0]) == (2.5, 5.0)  # steps 1 to 6
    weights = np.diff([0, *table["step"]])
    assert np.average(table["loss"], weights=weights) == pytest.approx(np.mean(losses), abs=1e-9)
    assert table["validation_step"] == [500, 1001]
    assert table["validation_aji"] == [0.1, None]
    assert columns(History()) == {"step": [], "loss": [], "lr": []}


def test_a_fingerprint_changes_with_names_pixels_and_labels_and_with_nothing_else():
    tiles = list(load("synthetic", "test", **SMALL))

    def of(changed):
        return evidence.fingerprint(map(evidence.tile_hash, changed))["sha256"]

    image, instances = tiles[0].image.copy(), tiles[0].instances.copy()
    image[0, 0, 0] ^= 1
    instances[0, 0] += 1
    changed = (
        Tile("other", tiles[0].image, tiles[0].instances),
        Tile(tiles[0].name, image, tiles[0].instances),
        Tile(tiles[0].name, tiles[0].image, instances),
    )
    assert of(tiles) == of(tiles[::-1])
    assert len({of(tiles), of(tiles[1:]), *(of([one, *tiles[1:]]) for one in changed)}) == 5


def test_the_hash_of_a_tile_is_that_of_its_bytes():
    tile = Tile("a", np.arange(12, dtype=np.uint8).reshape(2, 2, 3), np.array([[0, 1], [2, 0]], np.int32))
    content = b"a (2, 2)" + bytes(range(12)) + b"\0\0\0\0\1\0\0\0\2\0\0\0\0\0\0\0"
    assert evidence.tile_hash(tile) == hashlib.sha256(content).hexdigest()


def test_the_commit_is_that_of_the_checkout_or_told_or_unknown(monkeypatch, tmp_path):
    head = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "HEAD"], capture_output=True, text=True).stdout
    monkeypatch.delenv("HISTOLAB_COMMIT", raising=False)
    assert evidence.commit().removesuffix("+changes") == head[:10]
    monkeypatch.setattr(evidence, "_PACKAGE", tmp_path / "histolab_lib")
    assert evidence.commit() == "unknown"
    monkeypatch.setenv("HISTOLAB_COMMIT", "abc123")
    assert evidence.commit() == "abc123"


def test_pins_are_told_only_where_they_are_what_is_installed(monkeypatch, tmp_path):
    monkeypatch.setattr(evidence, "_PACKAGE", tmp_path / "histolab_lib")
    assert evidence.pins() is None
    pinned = "".join(f"{name}=={v.partition('+')[0]}\n" for name, v in evidence.packages().items() if name != "python")
    (tmp_path / "constraints.txt").write_text(pinned)
    assert evidence.pins() == hashlib.sha256(pinned.encode()).hexdigest()[:16]
    (tmp_path / "constraints.txt").write_text(pinned.replace("numpy==", "numpy==9"))
    assert evidence.pins() is None


def test_versions_and_processor_are_told():
    assert evidence.packages()["torch"] == torch.__version__
    assert "timm" in evidence.packages()
    assert evidence.device_name(torch.device("cpu")).endswith((" thread", " threads"))
    assert len(evidence.code_digest()) == 16


KILLED = """
import os, sys, time
from pathlib import Path
from histolab_lib.training import run as running
from histolab_lib.training.run_folder import RunFolder

keep = RunFolder.keep
def keep_and_die(self, *arguments):
    keep(self, *arguments)
    os.kill(os.getpid(), 9)
if sys.argv[1] == "die":
    RunFolder.keep = keep_and_die
running.run("small_unet", data="synthetic", schedule="smoke", options={"n": 3, "size": 64}, out=Path(sys.argv[2]),
            device="cpu", progress=False)
"""


@pytest.mark.slow
def test_a_run_that_was_killed_ends_as_if_nothing_had_happened(tmp_path):
    found = []
    for name, modes in (("whole", ["live"]), ("killed", ["die", "live"])):
        surroundings = {
            **os.environ,
            "HISTOLAB_RUNS": str(tmp_path / name / "runs"),
            "HISTOLAB_PREDICTIONS": str(tmp_path / name / "predictions"),
            "OMP_NUM_THREADS": "1",
        }
        for mode in modes:
            command = [sys.executable, "-c", KILLED, mode, str(tmp_path / name / "results")]
            done = subprocess.run(command, capture_output=True, text=True, env=surroundings)
            assert done.returncode == (-9 if mode == "die" else 0), done.stderr
            records = list((tmp_path / name / "results").rglob("*.json"))
            assert len(records) == (0 if mode == "die" else 1)
        found.append(load_record(records[0]))
    whole, killed = found
    assert repr(whole.images) == repr(killed.images)
    assert whole.history == killed.history
    assert whole.recipe_hash == killed.recipe_hash


def test_an_exhibit_looks_at_the_test_tiles_and_learns_from_all_others():
    recipe = papers.recipe("small_unet", variant="floor")
    leak = recipe.vary("leak", "an example", validation={"on": "test", "metric": "dice"})
    tiles = read_tiles("synthetic", SMALL, leak)
    assert [tile.name for tile in tiles.val] == list(load("synthetic", "test", **SMALL).names)
    assert [tile.name for tile in tiles.fit] == list(load("synthetic", "train", **SMALL).names)
    with pytest.raises(ValueError, match="validation on must be 'test', got 'train'"):
        recipe.vary("leak", "an example", validation={"on": "train"})
