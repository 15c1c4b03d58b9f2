"""Scores by patches of MSAL-Net's paper: what is cut, what the file holds, and that a gap is told."""

import json

import numpy as np
import pytest

from histolab_lib.data_dir import DataError, data_dir
from histolab_lib.record import load_record
from tests import measure_msal_net
from tests.measure_msal_net import FILE, main, measured, patches, scored

KEPT = json.loads(FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", KEPT)
def test_every_run_that_was_measured_is_recorded_and_its_scores_by_tile_are_the_records(name):
    summary = load_record(data_dir() / "results" / f"{name}.json").summary["test"]
    assert KEPT[name]["tiles"]["images"] == summary["dice"]["images"]
    assert KEPT[name]["patches"]["images"] == 4 * summary["dice"]["images"]
    for metric in ("dice", "iou", "precision", "recall"):
        assert KEPT[name]["tiles"][metric] == pytest.approx(summary[metric]["mean"], abs=1e-4)


@pytest.mark.parametrize("name", [name for name in KEPT if name.startswith("msal_net/")])
def test_in_windows_of_the_recipe_the_kept_checkpoint_scores_as_the_record(name):
    record = load_record(data_dir() / "results" / f"{name}.json")
    assert {"256 px", "512 px"} == set(KEPT[name]["windows"])
    found = KEPT[name]["windows"][f"{record.recipe['window_px']} px"]
    for metric in ("dice", "iou", "precision", "recall"):  # the run itself computed in bfloat16
        assert found[metric] == pytest.approx(record.summary["test"][metric]["mean"], abs=2e-3)


def test_a_tile_is_scored_in_its_four_corners_and_what_two_of_them_share_counts_twice():
    true, pred = np.zeros((2, 1000, 1000), bool)
    true[:512, :512] = True
    pred[:512, :488] = True  # the columns that the right corner shares are missed
    cut = patches([(true, pred)])
    assert [one.shape for one, _ in cut] == [(512, 512)] * 4
    missed = sum(int((t & ~p).sum()) for t, p in cut)
    assert int((true & ~pred).sum()) == 512 * 24
    assert missed == 2 * 512 * 24 + 2 * 24 * 24  # again in the upper right; its last 24 rows in the lower two


def test_means_over_patches_are_means_of_each():
    half = np.arange(8).reshape(2, 4) < 4
    told = scored([(half, half), (half, np.ones_like(half))])
    assert told == {"images": 2, "dice": 0.8333, "iou": 0.75, "precision": 0.75, "recall": 1.0}


def test_a_run_whose_predictions_are_gone_is_told(monkeypatch):
    monkeypatch.setattr(measure_msal_net, "load_record", lambda path: type("Record", (), {"dataset": "synthetic"}))
    with pytest.raises(DataError, match=r"no prediction of .* by a/b/c is kept; run it again"):
        measured("a/b/c")


def test_runs_that_are_not_named_keep_what_they_have(tmp_path, monkeypatch):
    monkeypatch.setattr(measure_msal_net, "FILE", tmp_path / "msal_net.json")
    main(["b/c/d"], measure=lambda name: {"of": name})
    main(["a/b/c"], measure=lambda name: {"of": name})
    kept = json.loads((tmp_path / "msal_net.json").read_text())
    assert list(kept) == ["a/b/c", "b/c/d"]
    assert kept["b/c/d"] == {"of": "b/c/d"}
