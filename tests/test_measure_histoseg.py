"""Released scores and int8 of recorded runs of HistoSeg: what the file holds, and that it can be measured again."""

import json

import numpy as np
import pytest

from histolab_lib.data_dir import data_dir
from histolab_lib.metrics import dice
from histolab_lib.record import load_record
from histolab_lib.tile import Tile
from tests import measure_histoseg
from tests.measure_histoseg import FILE, main, scored

KEPT = json.loads(FILE.read_text(encoding="utf-8"))


def made_up(n, height_px, seed=0):
    rng = np.random.default_rng(seed)
    image = np.zeros((height_px, 12, 3), np.uint8)
    tiles = [Tile(str(k), image, (rng.random((height_px, 12)) < 0.4).astype(np.int32)) for k in range(n)]
    maps = [np.where(rng.random(tile.shape) < 0.9, tile.mask, ~tile.mask).astype(np.float32) for tile in tiles]
    return tiles, maps


@pytest.mark.parametrize("name", KEPT)
def test_every_measured_run_is_recorded_and_its_scores_are_the_records(name):
    record, one = load_record(data_dir() / "results" / f"{name}.json"), KEPT[name]
    assert record.key == "histoseg"
    own, summary = one["scores"]["as they are"], record.summary["test"]
    assert abs(own["dice_mean"] - summary["dice"]["mean"]) < 0.005
    assert abs(own["f1_pooled"] - summary["dice"]["pooled"]) < 0.005
    assert abs(one["taught"]["val"] - record.history["validation_dice"][-1]) < 0.01
    assert one["taught"]["fit"] > one["taught"]["val"] - 0.1
    assert one["int8"]["int8"]["quantised"] == one["int8"]["int8"]["convolutions"] > 50
    assert one["int8"]["float32"]["quantised"] == 0


@pytest.mark.parametrize("name", KEPT)
def test_the_released_dice_lies_where_its_wrong_pixels_allow(name):
    for own in KEPT[name]["scores"].values():
        # (2tp + 1) / (t + p^2 + 1): a right pixel has 0.8 to 1, a wrong one 0.5 to 8/9, by how certain it is
        wrong = own["wrong_pixels"]
        assert 0.8 * (1 - wrong) + 0.5 * wrong <= own["released_dice"] <= 1 - wrong / 9
        assert own["released_dice"] > own["f1_pooled"]


def test_scores_of_certain_maps_are_those_of_their_masks():
    tiles, maps = made_up(3, 10)
    found = scored(tiles, maps)
    wrong = np.mean([tile.mask != (one > 0.5) for tile, one in zip(tiles, maps, strict=True)])
    assert found["wrong_pixels"] == pytest.approx(wrong, abs=1e-4)
    assert found["released_dice"] == pytest.approx(1 - wrong / 2, abs=1e-4)
    assert found["released_f1"] == pytest.approx(found["f1_pooled"], abs=1e-4)
    assert found["exactly_1"] == pytest.approx(np.mean(maps), abs=1e-4)


def test_the_released_f1_averages_batches_of_32_whatever_is_in_the_last():
    tiles, maps = made_up(40, 5)
    halves = [slice(0, 32), slice(32, 40)]
    by_hand = np.mean([
        dice([t.mask for t in tiles[half]], [m > 0.5 for m in maps[half]], reduction="pooled") for half in halves
    ])  # fmt: skip
    assert scored(tiles, maps)["released_f1"] == pytest.approx(by_hand, abs=1e-4)


def test_runs_that_are_not_named_keep_what_they_have(tmp_path, monkeypatch):
    monkeypatch.setattr(measure_histoseg, "FILE", tmp_path / "histoseg.json")
    main(["b/c/d"], measure=lambda name: {"of": name})
    main(["a/b/c"], measure=lambda name: {"of": name})
    kept = json.loads((tmp_path / "histoseg.json").read_text())
    assert list(kept) == ["a/b/c", "b/c/d"]
    assert kept["b/c/d"] == {"of": "b/c/d"}
