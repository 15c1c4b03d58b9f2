"""Averages of DAN-NucNet's test program on recorded runs: what is cut, what the file holds, and that a gap is told."""

import json

import numpy as np
import pytest

from histolab_lib.data_dir import DataError, data_dir
from histolab_lib.record import load_record
from tests import measure_dan_nucnet
from tests.measure_dan_nucnet import FILE, averaged, main, measured, patches

KEPT = json.loads(FILE.read_text(encoding="utf-8"))
HALF, FULL, NONE = np.arange(8).reshape(2, 4) < 4, np.ones((2, 4), bool), np.zeros((2, 4), bool)


@pytest.mark.parametrize("name", KEPT)
def test_every_run_that_was_measured_is_recorded_and_its_usual_means_by_tile_are_the_records(name):
    summary = load_record(data_dir() / "results" / f"{name}.json").summary["test"]
    tiles = KEPT[name]["tiles"]["as usual"]
    assert tiles["images"] == summary["dice"]["images"] == 14
    assert KEPT[name]["patches"]["as usual"]["images"] == 16 * 14  # there is a nucleus in each
    for ours, recorded in {"f1": "dice", "iou": "iou", "precision": "precision", "recall": "recall"}.items():
        assert tiles[ours] == pytest.approx(100 * summary[recorded]["mean"], abs=0.01)


@pytest.mark.parametrize("name", KEPT)
def test_the_program_exchanges_precision_and_recall_of_every_run_and_lifts_its_index(name):
    for of in KEPT[name].values():
        usual, pixels, theirs = (of[way] for way in ("as usual", "100 px added, else as usual", "as released"))
        assert (theirs["precision"], theirs["recall"]) == (usual["recall"], usual["precision"])
        assert pixels["iou"] == theirs["iou"] > usual["iou"]
        assert {name: pixels[name] for name in usual if name != "iou"} == {
            name: usual[name] for name in usual if name != "iou"
        }


def test_a_tile_is_cut_into_patches_side_by_side_and_those_without_a_label_are_left_out():
    true = np.zeros((1000, 1000), bool)
    true[:256, :300] = True
    pred = np.ones((1000, 1000), bool)
    cut = patches([(true, pred)])
    assert sum(int(t.sum()) for t, _ in cut) == 256 * 300
    assert [t.shape for t, _ in cut] == [p.shape for _, p in cut] == [(256, 256)] * 2


def test_an_image_that_is_missed_is_in_the_usual_mean_and_not_in_the_programs():
    told = averaged([(HALF, FULL), (HALF, NONE), (HALF, HALF)])
    # Twice the area has an F1 of 2/3 and half a precision; nothing has none.
    assert told["as usual"] == {"f1": 55.56, "iou": 50.0, "precision": 50.0, "recall": 66.67, "images": 3}
    lifted = round(100 * (104 / 108 + 100 / 104 + 1) / 3, 2)
    assert told["100 px added, else as usual"] == told["as usual"] | {"iou": lifted}
    assert told["as released"]["f1"] == 83.33
    assert told["as released"]["images"] == 2
    assert (told["as released"]["precision"], told["as released"]["recall"]) == (100.0, 75.0)


def test_a_run_whose_predictions_are_gone_is_told(monkeypatch):
    record = type("Record", (), {"dataset": "synthetic", "images": {"test": ()}})
    monkeypatch.setattr(measure_dan_nucnet, "load_record", lambda path: record)
    with pytest.raises(DataError, match=r"no prediction of .* by a/b/c is kept; run it again"):
        measured("a/b/c")


def test_runs_that_are_not_named_keep_what_they_have(tmp_path, monkeypatch):
    monkeypatch.setattr(measure_dan_nucnet, "FILE", tmp_path / "dan_nucnet.json")
    main(["b/c/d"], measure=lambda name: {"of": name})
    main(["a/b/c"], measure=lambda name: {"of": name})
    written = json.loads((tmp_path / "dan_nucnet.json").read_text(encoding="utf-8"))
    assert list(written.items()) == [("a/b/c", {"of": "a/b/c"}), ("b/c/d", {"of": "b/c/d"})]
