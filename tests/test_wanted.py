from collections import Counter
from pathlib import Path

import pytest

from histolab_lib import papers
from histolab_lib.data_dir import DataError
from histolab_lib.training import SCHEDULES
from histolab_lib.training.job import NotBuiltError, recipe_hash, recipe_of, settings_of
from histolab_lib.training.tiles import scored_splits
from histolab_lib.wanted import FLOOR_UNET, SCHEDULE_NAMES, Job, read_queue
from tests.books import ROOT

QUEUE = ROOT / "data" / "queue.yaml"


def queue(tmp_path, text) -> Path:
    path = tmp_path / "queue.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_schedules_are_those_of_training():
    assert set(SCHEDULES) == set(SCHEDULE_NAMES)


def test_a_job_is_called_as_its_record_lies():
    job = Job("unet", "tnbc", "gpu", reading="clean", variant="a__b", seed=2, options={"version": "patients"})
    assert job.path(Path("x")).as_posix() == "x/unet/tnbc/a__b__version_patients-clean-gpu-seed2.json"
    assert job.name == "unet/tnbc/a__b__version_patients-clean-gpu-seed2"


def test_a_floor_has_one_record_whatever_schedule_and_seed_are_asked_for():
    jobs = {
        Job("floor_hematoxylin", "tnbc", schedule, seed=seed).name for schedule in ("cpu", "gpu") for seed in (0, 1)
    }
    assert jobs == {"floor_hematoxylin/tnbc/base-clean-none-seed0"}


@pytest.mark.parametrize(("data", "schedule", "said"), [("tnbcc", "cpu", "data set"), ("tnbc", "none", "schedule")])
def test_an_unknown_set_or_schedule_is_refused(data, schedule, said):
    with pytest.raises(ValueError, match=f"unknown {said}"):
        Job("unet", data, schedule)


def test_lists_stand_for_every_combination_in_their_order(tmp_path):
    text = "- what: x\n  runs:\n    - {key: [a, b], data: tnbc, variant: [u, v], seed: [0, 1]}\n"
    names = [job.name for job in read_queue(queue(tmp_path, text), "cpu")]
    assert names[:5] == [
        "a/tnbc/u-clean-cpu-seed0",
        "a/tnbc/u-clean-cpu-seed1",
        "a/tnbc/v-clean-cpu-seed0",
        "a/tnbc/v-clean-cpu-seed1",
        "b/tnbc/u-clean-cpu-seed0",
    ]
    assert len(names) == 8


def test_a_schedule_has_its_own_runs_and_each_once(tmp_path):
    text = """
- what: first
  schedules: [cpu]
  runs:
    - {key: a, data: tnbc}
    - {key: b, data: tnbc, schedules: [gpu]}
    - {key: floor_hematoxylin, data: tnbc}
- what: second
  runs:
    - {key: [c, a], data: tnbc}
- what: seeds
  repeat_with_seeds: [1]
"""
    path = queue(tmp_path, text)
    short = {schedule: [f"{job.key}{job.seed}" for job in read_queue(path, schedule)] for schedule in SCHEDULE_NAMES}
    assert short["cpu"] == ["a0", "floor_hematoxylin0", "c0", "a1", "c1"]
    assert short["gpu"] == ["b0", "floor_hematoxylin0", "c0", "a0", "b1", "c1", "a1"]
    assert short["cpu_long"] == ["floor_hematoxylin0", "c0", "a0", "c1", "a1"]
    assert [name[0] for name in short["smoke"]] == ["a", "b", "f", "c", "a", "b", "c"]  # tests may have all


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: b", "a queue is a list of groups, got dict"),
        ("- {runs: []}", "group 1: must have 'what', and 'runs' or 'repeat_with_seeds'"),
        ("- {what: x, run: []}", "group 1: must have 'what'"),
        ("- {what: x, runs: [{key: a}]}", "group 1: a run must have 'key' and 'data', got {'key': 'a'}"),
        ("- {what: x, runs: [{key: a, data: tnbc, set: 1}]}", "a run has no 'set'; it may have key, data"),
        ("- {what: x, runs: [{key: a, data: tnbc, schedules: fast}]}", "unknown schedule 'fast'; there are smoke, cpu"),
        ("- {what: x, runs: [{key: a, data: tnbcc}]}", "unknown data set 'tnbcc', did you mean 'tnbc'"),
        ("- {what: x", "cannot be read as a queue"),
    ],
)
def test_what_is_not_understood_is_told_with_its_group(tmp_path, text, said):
    with pytest.raises(DataError, match=r"queue\.yaml") as error:
        read_queue(queue(tmp_path, text), "cpu")
    assert said in str(error.value)


def test_a_missing_queue_is_told(tmp_path):
    with pytest.raises(DataError, match="cannot be read as a queue"):
        read_queue(tmp_path / "queue.yaml", "cpu")


def test_the_queue_begins_with_the_seven_pairs_of_paper_and_set():
    for schedule in ("cpu", "gpu"):
        first = read_queue(QUEUE, schedule)[:7]
        assert Counter((job.key, job.data) for job in first) == Counter(
            [
                ("haru_net", "monuseg"), ("haru_net", "tnbc"), ("msal_net", "monuseg"), ("histoseg", "monuseg"),
                ("histoseg", "glas"), ("gland_linknet", "glas"), ("dan_nucnet", "kumar"),
            ]
        )  # fmt: skip
        assert {(job.reading, job.variant, job.seed) for job in first} == {("paper", "base", 0), ("paper", "glands", 0)}


def test_every_run_of_the_queue_has_a_test_split_and_two_more_seeds():
    jobs = read_queue(QUEUE, "gpu")
    for job in jobs:
        assert scored_splits(job.data, job.options)
    seeds = Counter(job.seed for job in jobs if not job.is_floor)
    assert seeds[0] == seeds[1] == seeds[2] > 60


def test_every_run_of_the_queue_whose_network_is_built_has_its_recipe():
    """Papers add networks; then each of their rows must name a variant that exists."""
    for schedule in SCHEDULE_NAMES[1:]:
        for job in read_queue(QUEUE, schedule):
            if job.is_floor or job.key == FLOOR_UNET or job.key in papers.names():
                assert len(recipe_hash(job)) == 16, job.name


def test_what_is_wanted_of_baselines_is_in_the_queue():
    cpu = {job.name for job in read_queue(QUEUE, "cpu")}
    for key in ("unet", "unetpp", "linknet", "deeplabv3plus"):
        for variant in ("mobilenetv2__imagenet", "mobilenetv2"):
            assert f"{key}/monuseg/{variant}-clean-cpu-seed0" in cpu
    assert {f"floor_unet/{data}/base-clean-cpu-seed0" for data in ("monuseg", "tnbc", "kumar", "glas")} <= cpu
    long = [job.name for job in read_queue(QUEUE, "cpu_long")]
    strong = [name for name in long if name.startswith("strong_unet/monuseg/")]
    assert len(strong) == 3 * 6  # as it is, on all tiles, and without each of four ingredients; three seeds


def test_the_floor_of_the_small_unet_is_its_recipe_of_five_minutes():
    recipe = recipe_of(Job(FLOOR_UNET, "monuseg", "cpu"))
    assert (recipe.key, recipe.variant, recipe.crop_px) == ("small_unet", "floor", 192)
    assert settings_of(Job(FLOOR_UNET, "monuseg", "cpu")) == recipe.settings()


def test_a_run_on_all_tiles_holds_none_out_and_is_told_apart():
    usual, whole = (recipe_of(Job("unet", "monuseg", "cpu", variant=v)) for v in ("resnet18", "resnet18__all_tiles"))
    assert (usual.validation["share"], whole.validation["share"]) == (0.2, 0.0)
    assert whole.variant == "resnet18__all_tiles"
    assert usual.digest() != whole.digest()
    assert whole.sources["validation"].startswith("ours:")


def test_a_recipe_that_decides_by_scores_cannot_learn_from_all_tiles(monkeypatch):
    from dataclasses import replace

    decides = replace(papers.recipe("unet"), selection="best_validation")
    monkeypatch.setattr(papers, "recipe", lambda *_: decides)
    with pytest.raises(NotBuiltError, match="decides by validation scores, so it cannot learn from all tiles"):
        recipe_of(Job("unet", "monuseg", "cpu", variant="all_tiles"))


@pytest.mark.parametrize("change", [{"key": "nunet"}, {"variant": "resnet19"}, {"reading": "code"}])
def test_what_is_not_built_is_told_with_the_name_of_the_run(change):
    job = Job(**{"key": "unet", "data": "tnbc", "schedule": "cpu", **change})
    with pytest.raises(NotBuiltError, match=f"^{job.name}: "):
        recipe_hash(job)


def test_a_floor_for_other_objects_is_not_built():
    with pytest.raises(NotBuiltError, match="the variant must be 'glands'"):
        settings_of(Job("floor_hematoxylin", "glas", "cpu"))
    assert settings_of(Job("floor_hematoxylin", "glas", "cpu", variant="glands"))["sigma_px"] == 8.0
