import math
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from histolab_lib.claims import claim, load_claims, variants_of
from histolab_lib.data_dir import DataError
from histolab_lib.papers import recipe
from histolab_lib.record import load_record, save_record
from histolab_lib.results import (
    NOT_RUN,
    NOTHING,
    Result,
    across_seeds,
    alarms,
    check,
    compare,
    images_of,
    lines_of,
    load_results,
    result,
    results_dir,
    run_label,
    seed_means,
    store,
    table,
    words,
)
from histolab_lib.results.comparison import network_of
from histolab_lib.scoring import check_numbers
from histolab_lib.wanted import Job
from tests.books import ROOT
from tests.records import record, rows
from tests.test_record import rewrite

COMMITTED = sorted(path for path in (ROOT / "data" / "results").glob("*/*/*.json") if "pages" not in path.parts)


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: f"{path.parts[-3]}-{path.parts[-2]}-{path.stem}")
def test_every_number_of_a_committed_record_follows_from_its_counts(path):
    check_numbers(load_record(path))


def test_no_decision_of_a_committed_record_looked_at_its_test_tiles():
    for one in load_results():
        tested = {row["name"] for rows_of in one.images.values() for row in rows_of}
        assert not tested & set(one.fit_on)
        assert "leak" in one.variant.split("__") or not tested & set(one.chosen_on)


def test_the_floors_are_recorded():
    means = {
        one.dataset: one.summary["test"]["dice"]["mean"] for one in load_results() if one.key == "floor_hematoxylin"
    }
    assert set(means) == {"monuseg", "tnbc", "kumar", "glas"}
    assert means["monuseg"] == pytest.approx(0.770, abs=0.0015)


@pytest.mark.real
def test_committed_records_are_of_the_data_that_are_here(tissue):
    from histolab_lib import datasets
    from histolab_lib.training.evidence import fingerprint, tile_hash

    wanted = {}
    for one in load_results():
        for place, stated in one.data.items():
            data, split = place.split("/")
            options = one.options
            if place == "synthetic/pretraining":  # as training.pretraining draws them
                split, options = "train", {"n": stated["tiles"], "size": 512, "seed": 0}
            wanted.setdefault((data, split, tuple(sorted(options.items()))), set()).add(stated["sha256"])
    for (data, split, options), stated in wanted.items():
        found = fingerprint(map(tile_hash, datasets.load(data, split, **dict(options))))
        assert stated == {found["sha256"]}, f"{data}/{split}"


def test_records_are_read_sorted_and_pages_are_none(tmp_path):
    for seed in (1, 0):
        save_record(record(seed=seed), tmp_path)
    (tmp_path / "pages" / "papers").mkdir(parents=True)
    (tmp_path / "pages" / "papers" / "haru_net.json").write_text("{}")
    (tmp_path / "unet" / "monuseg" / ".part-x.json").write_text("{")
    assert [one.seed for one in load_results(tmp_path)] == [0, 1]
    assert load_results(tmp_path / "nowhere") == ()


PLANTED = {
    "images": lambda values: values["images"]["test"][0].update(pq=0.987),
    "summary": lambda values: values["summary"]["test"]["dice"].update(low=0.0),
    "seed": lambda values: values.update(seed=7),
}


@pytest.mark.parametrize("field", PLANTED)
def test_a_planted_error_is_found_with_its_file_even_under_a_seal_that_fits(tmp_path, field):
    from tests.test_record import reseal

    path = save_record(record(), tmp_path)
    save_record(record(key="unetpp"), tmp_path)
    rewrite(path, lambda values: (PLANTED[field](values), reseal(values)))
    records, faults = check(tmp_path)
    assert [one.key for one in records] == ["unetpp"]
    assert len(faults) == 1
    assert str(path) in faults[0]


def test_a_result_is_cited_by_record_split_and_metric(monkeypatch):
    one = record()
    monkeypatch.setattr(store, "load_results", lambda: (one,))
    store._by_key.cache_clear()
    found = result("unet/monuseg/base-clean-cpu-seed0/test/pq")
    summary = one.summary["test"]["pq"]
    assert found == Result(one, "test", "pq", summary["mean"], summary["low"], summary["high"], 3)
    assert found.tooltip == (
        f"unet on monuseg, test (3 images): mean pq, 95 % interval {summary['low']:.3f} to {summary['high']:.3f}; "
        "schedule cpu, seed 0, recorded 2026-11-21"
    )
    with pytest.raises(LookupError, match=r"unknown result 'unet/.*/test/pg'; the nearest are 'unet/.*/test/pq'"):
        result("unet/monuseg/base-clean-cpu-seed0/test/pg")
    store._by_key.cache_clear()


def test_shares_have_three_decimals_and_distances_one():
    assert [words(0.5, "dice"), words(12.345, "object_hausdorff"), words(0.0004, "pq")] == ["0.500", "12.3", "0.000"]
    floor = Result(record(settings={}, variant="glands"), "test", "dice", 0.5, 0.4, 0.6, 3)
    assert "unet (glands) on monuseg" in floor.tooltip
    assert "nothing trained" in floor.tooltip


def test_seeds_are_averaged_image_by_image_before_the_interval_is_made():
    seeds = [record(seed=k, images={"test": rows(["t1", "t2", "t3"], seed=k)}) for k in range(3)]
    found = across_seeds(seeds, "test", "aji")
    literal = np.mean([[row["aji"] for row in one.images["test"]] for one in seeds], axis=0)
    assert found.mean == pytest.approx(literal.mean(), abs=1e-12)
    assert found.median == pytest.approx(np.median(literal), abs=1e-12)
    assert found.images == 3
    assert literal.min() <= found.low <= found.mean <= found.high <= literal.max()
    alone = across_seeds(seeds[:1], "test", "aji")
    assert (alone.low, alone.high) == tuple(seeds[0].summary["test"]["aji"][name] for name in ("low", "high"))


def test_seeds_are_averaged_over_all_splits_together():
    one = record(images={"testA": rows(["t1", "t2"]), "testB": rows(["t3"])})
    assert across_seeds([one], "test", "dice").mean == pytest.approx(one.summary["test"]["dice"]["mean"], abs=1e-12)


@pytest.mark.parametrize(
    ("key", "network"),
    [
        ("haru_net/table-1/u-net/monuseg/test/dice", "unet"),
        ("histoseg/table-iv/u-net++/glas/test/f1", "unetpp"),
        ("msal_net/table-2/linknet/monuseg/test/dice", "linknet"),
        ("histoseg/table-iv/deeplabv3+/monuseg/test/f1", "deeplabv3plus"),
        ("dan_nucnet/section-4.1/cpm17/all/nuclei", None),
    ],
)
def test_a_published_row_is_about_one_of_our_networks_or_none(key, network):
    assert network_of(claim(key)) == network


@pytest.mark.parametrize("row", ["Proposed", "Ours", "HARU-Net", "haru_net", "Proposed method"])
def test_a_papers_own_row_is_about_its_network(row):
    assert network_of(replace(claim("haru_net/table-1/u-net/monuseg/test/dice"), row=row)) == "haru_net"


def lookup(found, **wanted):
    (row,) = [one for one in found if all(getattr(one, name) == value for name, value in wanted.items())]
    return row


def test_what_has_no_record_reads_not_run():
    found = compare([], load_claims(), [Job("haru_net", "monuseg", "gpu", "paper"), Job("unet", "monuseg", "gpu")])
    own = lookup(found, key="haru_net", metric="dice")
    assert (own.code, own.ours, own.differences) == (NOTHING, NOT_RUN, ())
    unet = lookup(found, key="unet", metric="dice")
    assert unet.paper == "0.758 (haru_net); 79.43 % (histoseg); 0.773 (msal_net)"
    assert (unet.code, unet.ours, unet.differences) == (NOTHING, NOT_RUN, ())


def test_ours_stands_beside_what_is_printed_with_interval_schedule_and_difference():
    one = record()
    found = compare([one], load_claims(), [])
    row = lookup(found, key="unet", metric="dice")
    summary = one.summary["test"]["dice"]
    assert row.ours == f"{summary['mean']:.3f} [{summary['low']:.3f}, {summary['high']:.3f}] cpu"
    expected = [summary["mean"] - printed for printed in (0.758, 0.7943, 0.773)]
    assert row.differences == pytest.approx(expected, abs=1e-12)


def test_the_longest_schedule_is_shown_and_all_of_its_seeds():
    better = {"test": rows(["t1", "t2", "t3"], seed=5)}
    found = compare(
        [record(seed=seed, schedule=how) for how in ("cpu", "cpu_long", "smoke") for seed in (0, 1)]
        + [record(seed=seed, schedule="gpu", images=better) for seed in (0, 1, 2)],
        [],
        [],
    )
    row = lookup(found, metric="aji")
    mean = record(images=better).summary["test"]["aji"]["mean"]
    assert row.ours.startswith(f"{mean:.3f} [")
    assert row.ours.endswith("] gpu, 3 seeds")


def test_runs_of_tests_and_runs_that_chose_on_test_data_are_no_results():
    leak = record(variant="leak", chosen_on=["t1"])
    assert compare([record(schedule="smoke"), leak], [], []) == []


def test_the_reading_of_the_code_has_a_column_of_its_own_where_code_was_released():
    jobs = [Job("histoseg", "monuseg", "gpu", reading) for reading in ("paper", "code")]
    runs = [record(key="histoseg", reading="code"), record(key="histoseg", reading="paper", schedule="gpu")]
    row = lookup(compare(runs, [], jobs), metric="dice")
    assert row.code.endswith("] cpu")
    assert row.ours.endswith("] gpu")
    assert lookup(compare(runs[1:], [], jobs), metric="dice").code == NOT_RUN
    both = [runs[1], record(key="histoseg", reading="clean", schedule="gpu", images={"test": rows(["t1"], seed=9)})]
    assert lookup(compare(both, [], jobs), metric="dice").ours == row.ours  # the paper's reading before the clean one


def test_what_a_paper_prints_for_its_network_is_not_about_our_ablations_of_it():
    own = replace(claim("haru_net/table-1/u-net/monuseg/test/dice"), row="HARU-Net")
    runs = [record(key="haru_net", variant=variant) for variant in ("base", "rsu")]
    found = compare(runs, [own], [])
    assert lookup(found, variant="base", metric="dice").paper == "0.758"
    assert lookup(found, variant="rsu", metric="dice").paper == ""
    baseline = compare([record(variant="mobilenetv2")], load_claims(), [])
    assert "0.758 (haru_net)" in lookup(baseline, metric="dice").paper


def test_a_row_of_an_ablation_meets_our_run_of_the_variant_and_no_other():
    printed = [one for one in load_claims() if one.paper == "histoseg" and one.location in ("Table III", "Table V")]
    runs = [
        record(key="histoseg", reading="paper", dataset="glas", variant=variant)
        for variant in ("glands", "self__glands")
    ]
    found = compare(runs, printed, [])
    assert lookup(found, variant="glands", metric="iou").paper == "76.73 %"
    assert lookup(found, variant="self__glands", metric="iou").paper == "0.61"
    wanted = [Job("histoseg", "glas", "gpu", "paper", variant) for variant in ("self__glands", "bce__glands")]
    assert {row.variant for row in compare([], printed, wanted)} == {
        "self__glands"
    }  # what nobody prints waits for a run


@pytest.mark.parametrize("paper", ["haru_net", "histoseg", "gland_linknet", "msal_net", "dan_nucnet"])
def test_rows_that_are_variants_are_printed_and_have_a_recipe(paper):
    rows_of = {one.row for one in load_claims() if one.paper == paper}
    assert variants_of(paper)
    for row, variant in variants_of(paper).items():
        assert row in rows_of
        assert recipe(paper, "paper", variant).variant == variant


def test_the_table_has_a_line_for_each_row_and_can_be_of_one_set():
    lines = table([record()])
    assert re.split(r"\s{2,}", lines[0])[4:] == ["paper", "released code", "ours", "difference"]
    assert any(line.startswith("unet ") and "] cpu" in line for line in lines)
    assert any("haru_net" in line and NOT_RUN in line for line in lines)
    only = table([record()], data="glas")
    assert len(only) > 1
    assert all(" glas " in line for line in only[1:])
    assert max(map(len, table([record()], width=60))) == 60


def test_a_record_is_shown_split_by_split():
    lines = lines_of(record(images={"testA": rows(["t1", "t2"]), "testB": rows(["t3"])}))
    assert len(lines) == 9
    assert lines[0].startswith("unet/monuseg/base-clean-cpu-seed0, testA (2 images): dice 0.")


def scored(value, **changes):
    """A record whose Dice is so much; its counts are left as they are."""
    one = record(**changes)
    summary = {split: {m: {**v, "mean": value} for m, v in metrics.items()} for split, metrics in one.summary.items()}
    return replace(one, summary=summary)


def test_below_the_floor_is_an_alarm_and_above_it_is_none():
    floor = scored(0.7, key="floor_hematoxylin", schedule="none", settings={})
    assert alarms(scored(0.71), [floor]) == []
    assert alarms(scored(0.69), [floor]) == [
        "unet/monuseg/base-clean-cpu-seed0, test: dice 0.690 is below thresholded hematoxylin, 0.700"
    ]
    assert alarms(scored(0.69, schedule="smoke"), [floor]) == []
    assert alarms(scored(0.69, dataset="tnbc"), [floor]) == []
    assert alarms(floor, [floor]) == []


def test_poor_validation_on_held_out_organs_is_an_alarm_for_a_full_schedule_alone():
    history = {"validation_step": [1, 2], "validation_dice": [0.85, 0.78]}
    assert "ended with dice 0.780, below 0.79" in alarms(record(schedule="gpu", history=history), [])[0]
    assert alarms(record(schedule="cpu", history=history), []) == []
    assert alarms(record(schedule="gpu", history={**history, "validation_dice": [0.5, 0.80]}), []) == []


@pytest.mark.parametrize(("schedule", "score"), [("cpu", 0.59), ("cpu_long", 0.59), ("gpu", 0.79)])
def test_poor_validation_on_held_out_patients_is_an_alarm(schedule, score):
    history = {"validation_step": [1, 2], "validation_object_dice": [0.85, score]}
    one = record(schedule=schedule, dataset="glas", history=history)
    assert alarms(one, []) == [
        f"{one.name}: validation on held-out patients ended with object_dice {score:.3f}, below {score + 0.01:.1f}"
    ]
    assert alarms(replace(one, history={**history, "validation_object_dice": [0.5, score + 0.01]}), []) == []
    assert alarms(replace(one, schedule="smoke"), []) == []
    assert alarms(replace(one, dataset="tnbc"), []) == []


def test_results_need_neither_torch_nor_a_drawing_library():
    code = (
        "import sys; from histolab_lib.results import compare, load_results; compare(load_results());"
        "print(*sorted({'torch', 'matplotlib', 'pandas', 'seaborn', 'typer'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("", "")


def test_the_books_results_lie_in_its_data():
    assert results_dir().name == "results"
    assert not math.isnan(len(load_results()))
    with pytest.raises(DataError):
        load_record(results_dir() / "a" / "b" / "c.json")


def test_what_a_paper_repeats_stands_once_and_what_it_contradicts_twice():
    table_row = replace(claim("haru_net/table-1/u-net/monuseg/test/dice"), row="HARU-Net", value="0.838")
    said = replace(table_row, location="Section 4.4", value="83.8", unit="percent")
    other = replace(said, location="Abstract", value="83.9")
    found = compare([], [said, other, table_row], [Job("haru_net", "monuseg", "gpu", "paper")])
    assert lookup(found, metric="dice").paper == "0.838; 83.9 %"


def test_verdicts_have_a_column_where_somebody_gives_them():
    lines = table([record()], data="monuseg", verdicts=lambda row: [f"{len(row.runs)} runs"] * len(row.printed))
    assert lines[0].endswith("verdict")
    own = next(line for line in lines if line.startswith("unet ") and " dice " in line and "] cpu" in line)
    assert own.endswith("  1 runs")
    assert "verdict" not in table([record()])[0]


def test_images_of_a_run_are_those_of_a_split_or_all_together():
    run = record(images={"testA": rows(["w"]), "testB": rows(["x", "y"])})
    assert [row["name"] for row in images_of(run)] == ["w", "x", "y"]
    assert [row["name"] for row in images_of(run, "testB")] == ["x", "y"]
    with pytest.raises(ValueError, match="unknown split 'val'"):
        images_of(run, "val")


def test_a_mean_over_seeds_stands_for_each_image_with_its_group():
    runs = [record(images={"test": rows(["w", "x"], groups={"w": "P", "x": "Q"})}, seed=seed) for seed in (0, 1)]
    runs[1].images["test"][0]["dice"] = runs[0].images["test"][0]["dice"] - 0.2
    first, second = (row["dice"] for row in runs[0].images["test"])
    assert seed_means(runs, "test", "dice") == [
        {"name": "w", "group": "P", "dice": pytest.approx(first - 0.1)},
        {"name": "x", "group": "Q", "dice": pytest.approx(second)},
    ]


def test_a_run_is_told_by_its_system_and_what_differs_from_it():
    told = {
        "haru_net": record(key="haru_net", reading="paper"),
        "haru_net, released code": record(key="haru_net", reading="code"),
        "haru_net, rsu, cf, our protocol": record(key="haru_net", reading="clean", variant="rsu__cf"),
        "unet, imagenet": record(variant="imagenet"),
    }
    assert {words: run_label(one) for words, one in told.items()} == {words: words for words in told}
    assert [run_label(one, break_lines=True) for one in told.values()] == [
        "haru_net", "haru_net\nreleased code", "haru_net\nrsu,\ncf,\nour protocol", "unet\nimagenet",
    ]  # fmt: skip
