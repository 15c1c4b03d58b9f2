import errno
import json
import math
import os
import stat
from dataclasses import fields

import pytest

from histolab_lib.data_dir import DataError
from histolab_lib.record import SCHEMA, Record, digest_of, load_record, record_path, save_record, variant_name
from tests.records import record, rows


def rewrite(path, change):
    """Change a stored record by hand: what nobody should do."""
    values = json.loads(path.read_text(encoding="utf-8"))
    change(values)
    path.write_text(json.dumps(values), encoding="utf-8")


def reseal(values):
    """Make the seal fit again, as someone would who knows how it is made."""
    values.pop("checksum", None)
    values["checksum"] = digest(values)


def digest(values):
    import hashlib

    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_record_comes_back_from_its_file_as_it_was(tmp_path):
    one = record(seed=3)
    path = save_record(one, tmp_path)
    assert path == tmp_path / "unet" / "monuseg" / "base-clean-cpu-seed3.json"
    assert load_record(path) == one
    assert one.name == "unet/monuseg/base-clean-cpu-seed3"


def test_scores_that_no_number_can_tell_come_back_too(tmp_path):
    strange = {**rows(["t1"])[0], "sq": math.nan, "object_hausdorff": math.inf}
    path = save_record(record(images={"test": [strange, *rows(["t2"])]}), tmp_path)
    json.loads(path.read_text(encoding="utf-8"), parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    back = load_record(path).images["test"][0]
    assert math.isnan(back["sq"])
    assert back["object_hausdorff"] == math.inf
    assert back["empty"] == "nan"  # a word, although it reads like a number that is none


def test_the_file_has_a_line_for_each_field_and_each_image(tmp_path):
    lines = save_record(record(), tmp_path).read_text(encoding="utf-8").splitlines()
    for one in fields(Record):
        assert sum(line.startswith(f' "{one.name}": ') for line in lines) == 1
    assert sum(line.startswith('   {"name": "t') for line in lines) == 3
    assert lines[1] == f' "schema": {SCHEMA},'


def test_a_set_version_or_an_ablation_has_a_file_of_its_own(tmp_path):
    assert variant_name("base", {}) == "base"
    assert variant_name("a__b", {"version": "35_15", "raster": "skimage"}) == "a__b__raster_skimage__version_35_15"
    assert variant_name("base", {"relabel": False}) == "relabel_false"
    paths = {record_path(tmp_path, "k", "glas", v, r, s, n) for v in "ab" for r in "cd" for s in "ef" for n in (0, 1)}
    assert len(paths) == 16


def test_a_digest_tells_settings_apart_whatever_their_order():
    assert digest_of({"a": 1, "b": [1, 2]}) == digest_of({"b": (1, 2), "a": 1})
    assert len({digest_of({"a": value}) for value in (1, 2, "1", None, [1])}) == 5
    assert len(digest_of({})) == 16


@pytest.mark.parametrize(
    ("field", "value", "wanted"),
    [
        ("key", "U-Net", "a word of small letters, digits and _"),
        ("variant", "no-contour", "a word of small letters, digits and _"),
        ("seed", -1, "a whole number of at least 0"),
        ("seed", True, "a whole number of at least 0"),
        ("recipe", {}, "a mapping of settings, not empty"),
        ("recipe_hash", "xyz", "16 hex digits"),
        ("data", {"monuseg/test": {"tiles": 3}}, "a mapping of splits, each with tiles"),
        ("fit_on", ["a", "a"], "a list of tile names, each once"),
        ("pins", "none", "16 hex digits, or null"),
        ("packages", {"numpy": 2}, "a mapping of names to versions"),
        ("date", "yesterday", "a day as YYYY-MM-DD"),
        ("wall_s", math.inf, "a number of at least 0"),
        ("images_per_s", "fast", "a number of at least 0, or null"),
        ("history", {"loss": 1}, "a mapping of columns"),
    ],
)
def test_a_field_that_is_not_what_it_should_be_is_named(field, value, wanted):
    with pytest.raises(DataError, match=r"record unet|record U-Net|record") as error:
        record(**{field: value})
    assert f"field {field!r} must be {wanted}" in str(error.value)


def test_a_record_without_a_field_or_with_one_too_many_is_refused_with_its_file(tmp_path):
    path = save_record(record(), tmp_path)
    rewrite(path, lambda values: values.pop("device"))
    with pytest.raises(DataError, match=r"base-clean-cpu-seed0\.json: field 'device' is missing; it must be text"):
        load_record(path)
    path = save_record(record(), tmp_path)
    rewrite(path, lambda values: values.update(colour="blue"))
    with pytest.raises(DataError, match=r"base-clean-cpu-seed0\.json: unknown field 'colour'; a record has key, "):
        load_record(path)


def test_a_file_that_is_no_record_is_refused(tmp_path):
    path = tmp_path / "a.json"
    with pytest.raises(DataError, match="cannot be read as a record"):
        load_record(path)
    for text, said in (("{", "cannot be read as a record"), ("[]", "'schema' must be 1, got 'list'"), ("{}", "None")):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(DataError, match=said):
            load_record(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda row: row.pop("name"), "row 1 must be a mapping with a name"),
        (lambda row: row.update(dice="good"), "image t2: 'dice' must be a number, got 'good'"),
        (lambda row: row.update(group=7), "image t2: 'group' must be text, got 7"),
        (lambda row: row.update(name="t1"), "an image comes twice"),
    ],
)
def test_a_faulty_row_is_named_by_split_and_image(change, said):
    images = {"test": rows(["t1", "t2"])}
    change(images["test"][1])
    with pytest.raises(DataError, match="field 'images', split 'test'") as error:
        record(images=images, summary={"test": record().summary["test"]})
    assert said in str(error.value)


def test_an_empty_split_is_no_result():
    with pytest.raises(DataError, match="split 'test' must be a list of rows, not empty"):
        record(images={"test": []}, summary=record().summary)


def test_the_summary_has_the_splits_of_the_images():
    with pytest.raises(DataError, match="'summary' must have the splits test, got testA"):
        record(summary={"testA": record().summary["test"]})
    two = record(images={"testA": rows(["t1"]), "testB": rows(["t2"])})
    assert set(two.summary) == {"testA", "testB", "test"}
    with pytest.raises(DataError, match="metric 'dice' must have mean, low, high and images"):
        record(summary={"test": {"dice": {"mean": 0.5}}})


def test_no_test_tile_may_be_trained_on_whatever_the_variant():
    for variant in ("base", "leak"):
        with pytest.raises(DataError, match=r"field 'fit_on' holds test tiles \(t2\); they may not be trained on"):
            record(fit_on=["a", "t2"], variant=variant)


def test_no_test_tile_may_be_looked_at_by_a_decision_unless_the_variant_says_so():
    with pytest.raises(DataError, match=r"field 'chosen_on' holds test tiles \(t1, t3\); only a variant 'leak'"):
        record(chosen_on=["t3", "a", "t1"])
    with pytest.raises(DataError, match="chosen_on"):
        record(chosen_on=["t1"], variant="leakage")
    assert record(chosen_on=["t1"], variant="no_augment__leak").chosen_on == ["t1"]


PLANTED = {
    "a score of an image": lambda values: values["images"]["test"][1].update(dice=0.987),
    "a count of an image": lambda values: values["images"]["test"][1].update(true_px=1),
    "a mean": lambda values: values["summary"]["test"]["dice"].update(mean=0.987),
    "the seconds": lambda values: values.update(wall_s=1.0),
    "a setting": lambda values: values["recipe"].update(lr=0.1),
    "a loss": lambda values: values["history"]["loss"].append(0.1),
    "the seal": lambda values: values.update(checksum="0" * 64),
}


@pytest.mark.parametrize("what", PLANTED)
def test_whatever_is_changed_by_hand_is_found(tmp_path, what):
    path = save_record(record(), tmp_path)
    rewrite(path, PLANTED[what])
    with pytest.raises(DataError, match="field 'checksum' does not fit the others"):
        load_record(path)


def test_a_record_at_the_place_of_another_is_refused(tmp_path):
    path = save_record(record(), tmp_path)
    other = path.with_name("base-clean-gpu-seed0.json")
    path.rename(other)
    with pytest.raises(DataError, match=r"belongs at unet/monuseg/base-clean-cpu-seed0\.json"):
        load_record(other)
    rewrite(other, lambda values: (values.update(schedule="gpu"), reseal(values)))
    assert load_record(other).schedule == "gpu"  # the seal is against accidents; numbers are computed again elsewhere


def test_a_full_disk_leaves_the_earlier_record_and_nothing_else(tmp_path, monkeypatch):
    path = save_record(record(), tmp_path)
    before = path.read_bytes()

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_record(record(wall_s=99.0), tmp_path)
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_others_may_read_what_was_written(tmp_path):
    assert stat.S_IMODE(save_record(record(), tmp_path).stat().st_mode) == 0o644
