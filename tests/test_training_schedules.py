"""Schedules: what they make of a recipe, and what they leave to it."""

import csv
import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from histolab_lib.tile import Tile
from histolab_lib.training import SCHEDULES, History, Schedule
from histolab_lib.training.engine import precision_on
from histolab_lib.training.progress import CsvLog, shown
from tests.tiny_training import recipe

COUNTED = {"patience": "validations"}


def _tiles(*shapes):
    return [Tile(f"t{i}", np.zeros((*s, 3), np.uint8), np.zeros(s, np.int32)) for i, s in enumerate(shapes)]


def _in_epochs(epochs, **changes):
    return recipe(steps=None, epochs=epochs, **changes)


def test_the_gpu_schedule_leaves_a_recipe_its_own_length_crop_and_batch():
    plan = SCHEDULES["gpu"].plan(recipe(crop_px=250, batch_size=3, steps=77), _tiles((1000, 1000)))
    assert (plan.steps, plan.crop_px, plan.batch_size, plan.every) == (77, 250, 3, 2)
    assert plan.precision == "bf16-mixed"


def test_an_epoch_is_as_many_pixels_as_the_tiles_have_or_every_patch_once():
    gpu = SCHEDULES["gpu"]
    tiles = _tiles((1000, 1000), (1000, 1000), (500, 1000))
    by_pixels = gpu.plan(_in_epochs(10, crop_px=250, batch_size=3), tiles)
    assert by_pixels.steps == 10 * 14  # 2.5 million pixels are 40 crops, 14 batches of three
    by_patches = gpu.plan(_in_epochs(10, patches="histoseg", crop_px=256, batch_size=8), tiles)
    assert by_patches.steps == 10 * 15  # 49 + 49 + 21 patches
    assert by_patches.patches == "histoseg"


def test_an_epoch_of_random_crops_is_counted_on_tiles_as_large_as_the_network_sees_them():
    made = _in_epochs(10, crop_px=250, batch_size=4, resize_px=(1000, 1000))
    assert SCHEDULES["gpu"].plan(made, _tiles((500, 500), (250, 300))).steps == 10 * 8


def test_a_schedule_that_counts_crops_has_as_many_whatever_the_batch():
    short = Schedule(name="short", crops=1_000)
    for batch in (1, 2, 7, 16):
        assert short.plan(recipe(batch_size=batch), []).steps == 1_000 // batch
    assert Schedule(name="tiny", crops=1).plan(recipe(batch_size=8), []).steps == 1


def test_crops_become_smaller_but_never_larger_than_the_recipe_has_them():
    for largest, expected in ((None, 16), (8, 8), (64, 16)):
        assert Schedule(name="s", crops=9, crop_px=largest).plan(recipe(crop_px=16), []).crop_px == expected


def test_a_schedule_may_count_patience_in_validations():
    plans = [
        Schedule(name="s", crops=100, validations=5, **way).plan(recipe(batch_size=2), []) for way in ({}, COUNTED)
    ]
    assert [plan.chance for plan in plans] == [0, 10]
    with pytest.raises(ValueError, match="unknown patience 'epochs'"):
        _ = replace(plans[0], patience="epochs").chance


def test_tiles_are_predicted_in_windows_only_where_crops_are_smaller_than_the_recipe_has_them():
    for crop, expected in ((8, {"window_px": 12, "overlap_px": 3}), (16, {}), (None, {})):
        plan = Schedule(name="s", crops=9, crop_px=crop, window_px=12).plan(recipe(crop_px=16), [])
        assert plan.windows() == expected
    smaller = Schedule(name="s", crops=9, crop_px=8, window_px=12)
    assert smaller.plan(recipe(crop_px=16, window_px=20), []).windows() == {}  # the recipe's own
    assert SCHEDULES["cpu"].plan(recipe(crop_px=16), []).windows() == {}


def test_a_network_can_have_a_schedule_of_its_own():
    schedule = Schedule(name="s", crops=100, by_network={"small_unet": {"crops": 20, "crop_px": 8}})
    plan = schedule.plan(recipe(), [])
    assert (plan.steps, plan.crop_px) == (10, 8)
    assert schedule.plan(replace(recipe(), key="unet"), []).steps == 50


def test_schedules_are_named_as_they_are_and_know_only_their_own_fields():
    assert list(SCHEDULES) == ["smoke", "cpu", "cpu_long", "gpu"]
    for name, schedule in SCHEDULES.items():
        assert schedule.name == name
        for key in schedule.by_network:
            assert schedule.for_network(key).by_network == {}
    assert SCHEDULES["gpu"].crops is None
    strong = replace(recipe(batch_size=8), key="strong_unet")
    assert SCHEDULES["cpu_long"].plan(strong, []).steps == 5_322


def test_a_plan_is_what_json_knows():
    plan = SCHEDULES["cpu"].plan(recipe(), [])
    assert json.loads(json.dumps(plan.to_dict())) == plan.to_dict()


def test_half_precision_only_where_a_device_has_it(monkeypatch):
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    assert precision_on(cpu, "32-true") == "32-true"
    for there, expected in ((True, "bf16-mixed"), (False, "32-true")):
        monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda there=there: there, raising=False)
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation, there=there: there)
        assert precision_on(cpu, "bf16-mixed") == precision_on(gpu, "bf16-mixed") == expected
    assert precision_on(torch.device("mps"), "bf16-mixed") == "32-true"


def test_a_history_survives_json():
    history = History([0.1, 1 / 3], [1e-3, 1e-17], {2: {"dice": 2 / 3, "aji": float("nan")}}, 9.5)
    again = History.from_dict(json.loads(json.dumps(history.to_dict())))
    assert (again.losses, again.lrs, again.seconds) == (history.losses, history.lrs, 9.5)
    assert again.validation == {2: 2 / 3}
    assert np.isnan(again.of("aji")[2])
    assert history.frame().columns.tolist() == ["step", "loss", "lr", "validation_aji", "validation_dice"]


def test_a_log_is_added_to_and_written_anew_when_a_column_joins(tmp_path):
    history = History([0.5], [1e-3])
    log = CsvLog(tmp_path / "a" / "log.csv", history)
    for loss, scores in ((0.4, {}), (0.3, {3: {"dice": 0.7}}), (0.2, {})):
        history.losses.append(loss)
        history.lrs.append(1e-4)
        history.scores.update(scores)
        log.write(history)
    with (tmp_path / "a" / "log.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["step", "loss", "lr", "dice"]
    assert rows[1:] == [
        ["1", "0.5", "0.001", ""],
        ["2", "0.4", "0.0001", ""],
        ["3", "0.3", "0.0001", "0.7"],
        ["4", "0.2", "0.0001", ""],
    ]


def test_items_pass_a_progress_bar_untouched_with_and_without_rich(monkeypatch, capsys):
    assert list(shown(range(3), total=5, done=2, progress=True)) == [0, 1, 2]
    assert "training" in capsys.readouterr().out
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    assert list(shown(range(3), total=3, progress=True)) == [0, 1, 2]
    assert capsys.readouterr().out == ""


def test_a_reading_can_have_a_schedule_of_its_own_before_that_of_its_network():
    schedule = Schedule(
        name="s", crops=100, by_network={"small_unet": {"crops": 20}, "small_unet-code": {"crops": 40, "crop_px": 8}}
    )
    assert schedule.for_network("small_unet").crops == 20
    assert schedule.plan(recipe(batch_size=2), []).steps == 10
    code = schedule.plan(recipe(batch_size=2, reading="code"), [])
    assert (code.steps, code.crop_px) == (20, 8)


def test_smaller_crops_of_a_recipe_in_epochs_hold_as_many_pixels():
    schedule = Schedule(name="s", crops=None, crop_px=500, batch_size=8)
    whole = _in_epochs(10, patches="haru_net", crop_px=1000, batch_size=2)
    tiles = _tiles((1000, 1000), (1000, 1000), (1000, 1000), (1000, 1000))
    plan = schedule.plan(whole, tiles)
    assert plan.patches == "random"
    assert plan.steps * 8 * 500**2 == 10 * sum(height * width for height, width in (tile.shape for tile in tiles))
    assert SCHEDULES["gpu"].plan(whole, tiles).steps == 10 * 2
