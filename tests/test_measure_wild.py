"""Scores of recorded runs on tiles made worse: what the file holds, and how it is made."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from histolab_lib import datasets
from histolab_lib.corruptions import CORRUPTIONS
from histolab_lib.data_dir import DataError, data_dir
from histolab_lib.datasets import kumar
from histolab_lib.floors import nucleus_floor
from histolab_lib.record import load_record
from histolab_lib.scoring import score
from tests.measure_wild import FILE, SCORES, job_of, kept, main, organs, remembering, segmenter

FLOOR = "floor_hematoxylin/kumar/base-clean-none-seed0"
KEPT = json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {}


def recorded(name):
    return load_record(data_dir() / "results" / f"{name}.json")


@pytest.mark.parametrize("name", KEPT)
def test_a_measured_run_is_recorded_and_undisturbed_it_scores_what_the_record_says(name):
    record, one = recorded(name), KEPT[name]
    rows = [row for split in record.images.values() for row in split]
    assert one["tiles"] == len(rows)
    for corruption, curve in one["curves"].items():
        assert curve["unit"] == CORRUPTIONS[corruption].unit
        assert curve["steps"] == list(CORRUPTIONS[corruption].steps)
        for metric in SCORES:
            assert curve[metric][0] == pytest.approx(np.mean([row[metric] for row in rows]), abs=0.005)
            assert len(curve[metric]) == len(curve["steps"])
            assert all(0 <= value <= 1 for value in curve[metric])
    assert {key: value for key, value in one.items() if key not in ("tiles", "curves")} == organs(record)


def test_organs_that_training_never_saw_are_those_of_kumars_second_test_split():
    record = recorded(FLOOR)
    found = organs(record)
    unseen = {organ for organ, one in found["organs"].items() if not one["seen"]}
    assert unseen == set(kumar.groups("test_diff").values()) == {"bladder", "colon", "stomach"}
    for side, split in (("seen", "test_same"), ("unseen", "test_diff")):
        assert found[side]["tiles"] == len(record.images[split])
        for metric in SCORES:
            assert found[side][metric] == pytest.approx(record.summary[split][metric]["mean"], abs=5e-5)
    assert sum(one["tiles"] for one in found["organs"].values()) == 14
    assert organs(recorded("floor_hematoxylin/tnbc/base-clean-none-seed0")) == {}
    whole = sum(one["tiles"] * one["dice"] for one in found["organs"].values()) / 14
    assert whole == pytest.approx(record.summary["test"]["dice"]["mean"], abs=1e-4)


def few(record, count):
    return list(datasets.load("synthetic", "test", n=2, size=64))


def test_what_is_named_is_measured_and_the_rest_is_kept(tmp_path, capsys):
    file = tmp_path / "wild.json"
    file.write_text(json.dumps({"z/kumar/other": {"tiles": 1}}))
    ask = {"file": file, "tiles_of": few}
    main([FLOOR, "--only", "dimmer"], **ask)
    main([FLOOR, "--only", "dimmer", "jpeg"], **ask)
    written = json.loads(file.read_text())
    assert list(written) == [FLOOR, "z/kumar/other"]
    assert written["z/kumar/other"] == {"tiles": 1}
    assert list(written[FLOOR]["curves"]) == ["dimmer", "jpeg"]
    assert written[FLOOR]["tiles"] == 2
    main([FLOOR, "--only", "dimmer", "jpeg"], **ask, segmenter_of=None)  # nothing is asked
    told = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in told] == [f"{FLOOR} dimmer", f"{FLOOR} jpeg", FLOOR]
    plain = np.mean([score(tile, nucleus_floor(tile.image))["dice"] for tile in few(None, None)])
    for curve in written[FLOOR]["curves"].values():
        assert curve["dice"][0] == pytest.approx(plain, abs=5e-5)


def test_a_trial_on_a_few_tiles_writes_nothing(tmp_path):
    main([FLOOR, "--only", "dimmer", "--tiles", "1"], file=tmp_path / "wild.json", tiles_of=few)
    assert not (tmp_path / "wild.json").exists()


def test_each_tile_as_it_is_is_looked_at_once():
    tiles, seen = few(None, None), []

    def look(image):
        seen.append(image)
        return np.zeros(image.shape[:2], np.int32)

    segment = remembering(look, tiles)
    for image in (tiles[0].image, tiles[0].image, tiles[0].image.copy(), tiles[1].image):
        assert segment(image).shape == (64, 64)
    assert len(seen) == 3


def test_a_run_is_found_though_its_schedule_was_written_otherwise_and_only_if_there_is_one(tmp_path):
    wanted = tmp_path / "base-clean-cpu-seed0-aaaa"
    with pytest.raises(DataError, match=r"no such run; of other schedules there must be just one, there are: none"):
        kept(wanted)
    (tmp_path / "base-clean-cpu-seed0-bbbb").mkdir()
    (tmp_path / "base-clean-cpu-seed01-cccc").mkdir()
    assert kept(wanted).name == "base-clean-cpu-seed0-bbbb"
    (tmp_path / "base-clean-cpu-seed0-dddd").mkdir()
    with pytest.raises(DataError, match=r"there are: base-clean-cpu-seed0-bbbb, base-clean-cpu-seed0-dddd"):
        kept(wanted)
    wanted.mkdir()
    assert kept(wanted) == wanted


def test_the_floor_needs_no_checkpoint_and_options_of_a_set_are_refused():
    assert segmenter(recorded(FLOOR)) is nucleus_floor
    assert isinstance(kept(Path(__file__).parent), Path)
    with pytest.raises(ValueError, match=r"a/b: runs with options of the set are not measured, got \{'version': 'x'\}"):
        job_of(SimpleNamespace(name="a/b", options={"version": "x"}))
