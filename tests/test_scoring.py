import math
from dataclasses import replace

import numpy as np
import pytest

from histolab_lib import metrics
from histolab_lib.data_dir import DataError
from histolab_lib.scoring import METRICS, check_numbers, score, score_masks, summaries
from histolab_lib.tile import Tile
from tests.records import record, rows, tile


def test_a_row_holds_what_metrics_say_of_the_two_maps():
    one = tile("a", 0)
    moved = np.roll(one.instances, 1, axis=1)
    row = score(one, moved)
    assert row["name"] == "a"
    assert "group" not in row
    assert row["dice"] == metrics.dice(one.instances > 0, moved > 0)
    assert row["aji"] == metrics.aji(one.instances, moved)
    assert row["object_hausdorff"] == metrics.object_hausdorff(one.instances, moved)
    assert set(METRICS) <= set(row)


def test_an_empty_image_without_prediction_has_no_score():
    nothing = Tile("n", np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.int32))
    row = score(nothing, nothing.instances)
    assert math.isnan(row["dice"])
    found = summaries({"test": [row, *rows(["a"])]}, ["dice"])["test"]["dice"]
    assert (found["images"], found["undefined"]) == (1, 1)


def test_several_splits_are_summed_up_together_too():
    images = {"testA": rows(["a", "b", "c"]), "testB": rows(["d"], seed=1)}
    found = summaries(images)
    assert list(found) == ["testA", "testB", "test"]
    every = [row["dice"] for split in images.values() for row in split]
    assert found["test"]["dice"]["mean"] == pytest.approx(np.mean(every), abs=1e-12)
    assert found["testB"]["dice"]["mean"] == every[3]
    assert list(summaries({"test": rows(["a"])})) == ["test"]


def test_images_of_one_patient_are_drawn_together():
    names = [f"t{n}" for n in range(8)]
    patients = {name: name[-1] for name in names[:4]} | dict.fromkeys(names[4:], "9")
    alone = summaries({"test": rows(names)}, ["dice"])["test"]["dice"]
    grouped = summaries({"test": rows(names, groups=patients)}, ["dice"])["test"]["dice"]
    assert (alone["groups"], grouped["groups"]) == (8, 5)
    assert alone["mean"] == grouped["mean"]
    assert (alone["low"], alone["high"]) != (grouped["low"], grouped["high"])


def test_a_record_that_was_computed_is_in_order():
    check_numbers(record())
    check_numbers(record(images={"testA": rows(["t1", "t2"]), "testB": rows(["t3"])}))


def test_a_planted_error_in_a_score_of_an_image_is_found():
    one = record()
    faulty = [dict(row) for row in one.images["test"]]
    faulty[1]["pq"] += 1e-6
    with pytest.raises(
        DataError, match=r"unet/monuseg/base-clean-cpu-seed0: field 'images', split 'test': image t2: pq"
    ):
        check_numbers(replace(one, images={"test": faulty}))


@pytest.mark.parametrize("count", ["both_px", "true_px", "pq_tp", "aji_shared_px", "hausdorff_true_sum"])
def test_a_planted_error_in_a_count_is_found(count):
    one = record()
    faulty = [dict(row) for row in one.images["test"]]
    faulty[0][count] += 1
    with pytest.raises(DataError, match="field 'images', split 'test': image t1"):
        check_numbers(replace(one, images={"test": faulty}))


@pytest.mark.parametrize(
    "statistic", ["mean", "sd", "median", "low", "high", "pooled", "images", "groups", "undefined"]
)
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_planted_error_in_a_summary_is_found_whichever_way_it_goes(statistic, sign):
    one = record()
    summary = {"test": {metric: dict(values) for metric, values in one.summary["test"].items()}}
    summary["test"]["aji"][statistic] += sign * 1e-6
    with pytest.raises(DataError, match=f"seed0.json: field 'summary', split 'test', aji {statistic} is "):
        check_numbers(replace(one, summary=summary), "seed0.json")


def test_a_summary_that_lacks_a_number_is_found():
    one = record()
    summary = {"test": {metric: dict(values) for metric, values in one.summary["test"].items()}}
    del summary["test"]["pq"]["sd"]
    with pytest.raises(DataError, match="pq sd is None"):
        check_numbers(replace(one, summary=summary))


def test_masks_are_scored_as_their_tiles_and_summed_up():
    tiles = [tile(name, seed) for seed, name in enumerate("abc")]
    masks = [np.roll(one.mask, 1, axis=1) for one in tiles]
    for metric, literal in (("dice", metrics.dice), ("iou", metrics.iou)):
        found = score_masks(tiles, masks, metric)
        assert found.mean == pytest.approx(np.mean([literal(t.mask, m) for t, m in zip(tiles, masks, strict=True)]))
        assert (found.metric, found.images, found.groups) == (metric, 3, 3)
    alike = [replace(one, patient="P") for one in tiles]
    assert score_masks(alike, masks).groups == 1
    assert score_masks([*alike[:2], tiles[2]], masks).groups == 3


def test_masks_without_their_tile_or_by_a_score_of_objects_are_refused():
    one = tile("a", 0)
    with pytest.raises(ValueError, match="masks must be one for each tile, got 2 for 1 tiles"):
        score_masks([one], [one.mask, one.mask])
    with pytest.raises(ValueError, match="unknown metric of masks 'aji'"):
        score_masks([one], [one.mask], "aji")
