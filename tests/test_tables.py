"""Tables of chapters on papers, against literal expectations, with made-up records."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from histolab_lib import tables
from histolab_lib.claims import Claim, load_claims
from histolab_lib.metrics import summarise
from histolab_lib.results import images_of, score_name
from tests.records import record, rows

NAMES = ["TCGA-A-1-01Z", "TCGA-B-2-01Z", "TCGA-C-3-01Z"]


def scored(values, **changes):
    """A run whose images have these Dice scores, and nothing else that is told here."""
    made = [{**row, "dice": value} for row, value in zip(rows(NAMES), values, strict=True)]
    summary = {"test": {"dice": summarise(made, "dice")._asdict()}}
    fields = {"key": "histoseg", "reading": "paper", **changes}
    return record(images={"test": made}, summary=summary, **fields)


def printed(value="0.700", unit="fraction", **changes):
    one = Claim("histoseg", "Table III", "Proposed Network", "monuseg", "test", "dice", value, unit, "mean")
    return replace(one, **changes)


def test_a_score_is_told_with_its_interval_over_seeds():
    runs = [scored([0.5, 0.5, 0.5]), scored([0.7, 0.7, 0.7], seed=1)]
    assert tables.interval(runs, "dice") == "0.600 [0.600, 0.600]"
    assert tables.interval(runs, "dice", percent=True) == "60.0 [60.0, 60.0] %"
    assert tables.interval([], "dice", percent=True) == "not run"


def test_distances_have_no_percent():
    far = summarise(
        [{"name": "a", "object_hausdorff": 12.34}, {"name": "b", "object_hausdorff": 12.34}], "object_hausdorff"
    )
    assert tables.with_interval(far) == "12.3 [12.3, 12.3]"
    with pytest.raises(ValueError, match="percent: object_hausdorff is a distance in pixels"):
        tables.with_interval(far, percent=True)
    runs = [record(reading="paper", variant=name) for name in ("a", "base")]
    with pytest.raises(ValueError, match="percent: object_hausdorff is a distance in pixels"):
        tables.difference(runs, "unet", "a", "object_hausdorff", percent=True)


def test_printed_scores_stand_beside_ours_with_verdict_and_reason():
    whose = {"key": "haru_net"}
    text = [
        scored([0.6] * 3, **whose),
        *[scored([0.7] * 3, schedule="cpu_long", seed=seed, **whose) for seed in (0, 1)],
    ]
    code = scored([0.5] * 3, reading="code", **whose)
    other = [scored([0.1] * 3, dataset="tnbc", schedule="gpu", **whose), scored([0.1] * 3, variant="rsu", **whose)]
    claims = [printed(paper="haru_net"), printed("79.0", "percent", paper="haru_net", split="unstated")]
    table = tables.against_paper(claims, [*text, code, *other])
    assert list(table) == [
        "set", "score", "paper", "released code, here", "the text, here", "schedule", "verdict", "why",
    ]  # fmt: skip
    first, second = table.to_numpy().tolist()
    assert first == [
        "monuseg", "Dice", "0.700", "0.500 [0.500, 0.500]", "0.700 [0.700, 0.700]", "cpu_long, 2 seeds",
        "attained on a reduced schedule", "ours 0.700 [0.700, 0.700] after the schedule cpu_long",
    ]  # fmt: skip
    assert second[:5] == ["monuseg", "Dice", "79.0 %", "50.0 [50.0, 50.0] %", "70.0 [70.0, 70.0] %"]
    assert second[6] == "not tested"


def test_what_was_not_run_and_what_was_never_released_are_told_apart():
    here = [printed(), printed(paper="msal_net", row="MSAL-Net", split="testA")]
    table = tables.against_paper(here, [])
    assert table["released code, here"].tolist() == ["not run", "-"]
    assert table["the text, here"].tolist() == ["not run", "not run"]
    assert table["set"].tolist() == ["monuseg", "monuseg, testA"]
    assert table["why"].tolist() == ["no run is recorded"] * 2
    assert list(tables.against_paper([], [])) == list(table)
    lost = tables.against_paper([printed("unreadable")], [scored([0.5] * 3)])
    assert lost.loc[0, ["the text, here", "verdict"]].tolist() == ["-", "not tested"]


def test_a_row_of_an_ablation_is_held_against_its_variant_and_glands_against_their_rules():
    runs = [scored([0.4] * 3, variant="self"), scored([0.5] * 3), scored([0.6] * 3, variant="self__glands")]
    row = printed(row="Self Attention")
    assert tables.against_paper([row], runs[:2])["the text, here"].tolist() == ["0.400 [0.400, 0.400]"]
    assert tables.against_paper([row], runs)["the text, here"].tolist() == ["0.600 [0.600, 0.600]"]


def test_every_published_row_of_a_papers_own_network_has_its_line():
    claims = [
        one for one in load_claims() if one.paper == "gland_linknet" and one.location == "Table 1" and one.averaging
    ]
    table = tables.against_paper(claims, [])
    assert len(table) == len(claims) > 0
    assert set(table["verdict"]) == {"not tested"}


def test_a_difference_is_that_of_pairs_over_the_seeds_that_both_have():
    base = [scored([0.5, 0.6, 0.7]), scored([0.1, 0.2, 0.3], seed=1), scored([0.9, 0.9, 0.9], schedule="gpu")]
    mine = [scored([0.6, 0.7, 0.8], variant="self"), scored([0.3, 0.4, 0.5], variant="self", seed=1)]
    assert tables.difference(base + mine, "histoseg", "self", "dice") == "+0.150 [+0.150, +0.150]"
    assert tables.difference(base + mine, "histoseg", "self", "dice", percent=True) == "+15.0 [+15.0, +15.0] points"
    swapped = tables.difference(base + mine, "histoseg", "base", "dice", other="self")
    assert swapped == "-0.150 [-0.150, -0.150]"
    assert tables.difference(base + mine, "histoseg", "spatial", "dice") == "not run"
    assert tables.difference(base, "histoseg", "base", "dice") == "-"


def test_the_worst_images_come_first_with_what_else_is_asked_for():
    run = scored([0.5, float("nan"), 0.4])
    table = tables.worst(run, "dice", also=["true_objects"], n=2)
    assert table.columns.tolist() == ["image", "Dice", "true objects"]
    assert table["image"].tolist() == ["TCGA-B-2", "TCGA-C-3"]
    assert np.isnan(table["Dice"][0])
    assert table["Dice"][1] == 0.4
    assert table["true objects"].tolist() == [row["true_objects"] for row in images_of(run)[1:]]
    assert len(tables.worst(run, "dice", n=9)) == 3


def test_the_largest_distance_is_the_worst():
    made = [{**row, "object_hausdorff": value} for row, value in zip(rows(NAMES), (3.0, np.inf, 5.0), strict=True)]
    table = tables.worst(record(images={"test": made}), "object_hausdorff")
    assert table["image"].tolist() == ["TCGA-B-2", "TCGA-C-3", "TCGA-A-1"]


def test_the_worst_images_tell_facts_of_the_tile_and_their_test_set():
    images = {"testA": rows(["testA_1", "testA_2"]), "testB": rows(["testB_1"], seed=4)}
    table = tables.worst(record(dataset="glas", images=images), "dice", also=["grade"])
    assert table.columns.tolist() == ["image", "test set", "Dice", "grade"]
    assert dict(zip(table["image"], table["test set"], strict=True))["testB_1"] == "testB"
    assert set(table["grade"]) <= {"benign", "malignant"}


def test_what_nobody_knows_of_an_image_is_refused_with_its_name():
    with pytest.raises(ValueError, match="unknown score or fact 'organs'"):
        tables.worst(record(), "dice", also=["organs"])
    with pytest.raises(ValueError, match="n must be at least 1 image, got 0"):
        tables.worst(record(), "dice", n=0)


def test_scores_stand_by_group_with_a_column_for_each_run():
    runs = [scored([0.1, 0.2, 0.3]), scored([0.4, 0.5, 0.6], variant="self", reading="code")]
    groups = dict(zip(NAMES, ("lung", "breast", "lung"), strict=True))
    table = tables.by_group(runs, "dice", groups, mark=["lung"])
    assert table.columns.tolist() == ["group", "histoseg", "histoseg\nself,\nreleased code"]
    assert table.to_numpy().tolist() == [["breast", 0.2, 0.5], ["lung *", 0.1, 0.4], ["lung *", 0.3, 0.6]]
    means = tables.group_means(table)
    assert means.columns.tolist() == ["breast", "lung *"]
    assert means.loc["histoseg, self, released code"].tolist() == [0.5, 0.5]


def test_runs_of_one_label_are_told_apart_by_schedule_and_seed():
    runs = [scored([0.1] * 3), scored([0.2] * 3, seed=1), scored([0.3] * 3, schedule="gpu")]
    table = tables.by_group(runs, "dice", dict.fromkeys(NAMES, "all"))
    assert table.columns.tolist() == ["group", "histoseg,\ncpu,\nseed 0", "histoseg,\ncpu,\nseed 1", "histoseg,\ngpu"]
    assert tables.group_means(table)["all"].to_dict() == {
        "histoseg, cpu, seed 0": 0.1, "histoseg, cpu, seed 1": 0.2, "histoseg, gpu": 0.3,
    }  # fmt: skip
    with pytest.raises(ValueError, match="runs: expected each once, got histoseg/"):
        tables.by_group(runs[:1] * 2, "dice", dict.fromkeys(NAMES, "all"))


def test_an_image_without_a_group_is_named():
    with pytest.raises(ValueError, match="groups: no group for TCGA-B-2-01Z of histoseg/monuseg"):
        tables.by_group([scored([0.1] * 3)], "dice", {NAMES[0]: "lung"})
    assert tables.by_group([], "dice", {}).columns.tolist() == ["group"]


def test_what_is_found_missed_and_invented_is_of_all_test_images_together():
    images = {"testA": rows(["testA_1", "testA_2"], seed=1), "testB": rows(["testB_1"], seed=2)}
    run = record(dataset="glas", images=images)
    told = tables.errors([run])
    three = [*run.images["testA"], *run.images["testB"]]
    assert list(told) == ["run", "schedule", "Dice", "precision", "recall", "objects", "found", "right"]
    (line,) = told.to_dict("records")
    assert (line["run"], line["schedule"]) == ("unet", "cpu")
    for words in ("Dice", "precision", "recall"):
        assert line[words] == pytest.approx(sum(row[words.lower()] for row in three) / 3)
    counts = [sum(row[name] for row in three) for name in ("true_objects", "pred_objects", "object_tp")]
    assert [line[words] for words in ("objects", "found", "right")] == counts


def test_a_bill_tells_size_time_and_memory():
    runs = [
        record(key="histoseg", reading="paper", wall_s=150.0, peak_memory_mib=1536.0, variant="no_focal", seed=2),
        record(key="floor_hematoxylin", schedule="none", peak_memory_mib=None),
    ]
    table = tables.cost_card(runs)
    assert list(table) == [
        "run", "set", "schedule", "million weights", "billion multiply-adds, 256 px", "minutes", "memory in GiB",
        "device",
    ]  # fmt: skip
    first, second = table.drop(columns=["million weights", "billion multiply-adds, 256 px"]).to_numpy().tolist()
    assert first == ["histoseg, no_focal", "monuseg", "cpu, seed 2", "2", "1.5", "a processor"]
    assert second == ["floor_hematoxylin", "monuseg", "none", "0", "-", "a processor"]
    assert table["million weights"][1] == table["billion multiply-adds, 256 px"][1] == "-"


def test_a_bill_has_the_size_of_the_network_that_was_run(monkeypatch):
    def size(n, **options):
        return {"options": options, "parameters": n * 1_000_000, "multiply_adds": n * 10_000_000_000}

    variants = {"base": size(1), "self": size(2, kind="self"), "code": size(3, reading="code")}
    variants["code__self"] = size(4, reading="code", kind="self")
    monkeypatch.setattr("histolab_lib.tables.cost._counted", lambda: {"unet": {"variants": variants}})
    asked = {
        "1.00": {"variant": "bce", "recipe": {"network": {}}},
        "2.00": {"variant": "self__bce", "recipe": {"network": {"kind": "self", "inputs": "rgb"}}},
        "3.00": {"reading": "code", "recipe": {"network": {"kind": "other"}}},
        "4.00": {"reading": "code", "recipe": {"network": {"kind": "self"}}},
    }
    table = tables.cost_card(record(**fields) for fields in asked.values())
    assert table["million weights"].tolist() == list(asked)
    assert table["billion multiply-adds, 256 px"].tolist() == ["10.0", "20.0", "30.0", "40.0"]


def test_a_recipe_has_its_sources_and_where_code_was_released_both_readings():
    table = tables.recipe_table("histoseg", ["lr", "patience", "loss_options"])
    assert list(table) == ["field", "paper", "source, paper", "released code", "source, code"]
    assert table["field"].tolist() == ["lr", "patience", "loss_options"]
    assert tables.recipe_table("gland_linknet", ["resize_px", "clip_norm"])["paper"].tolist() == ["576, 832", "-"]
    assert len(tables.recipe_table("msal_net")) == len(tables.FIELDS)
    with pytest.raises(ValueError, match="unknown field of a recipe 'learning_rate'"):
        tables.recipe_table("msal_net", ["learning_rate"])


def test_a_table_of_a_recipe_has_no_marks_of_markdown():
    for key in ("haru_net", "histoseg", "gland_linknet", "msal_net", "dan_nucnet"):
        assert not any("`" in str(cell) for row in tables.recipe_table(key).to_numpy() for cell in row), key


def test_findings_are_the_grave_ones_of_one_paper_alone():
    table = tables.findings_table("histoseg")
    order = ["impossible", "inconsistent", "unlikely"]
    assert table["how sure"].tolist() == sorted(table["how sure"], key=order.index)
    assert len(table)
    assert not table.isna().any(axis=None)
    with pytest.raises(ValueError, match="unknown paper 'unet'"):
        tables.findings_table("unet")


def test_a_plain_table_has_no_index_and_three_decimals_and_is_the_same_twice():
    frame = pd.DataFrame({"tile": ["a"], "Dice": [0.12345], "objects": [7], "AJI": [float("nan")]}, index=["hidden"])
    html = tables.plain(frame, "one").to_html()
    assert html == tables.plain(frame, "one").to_html()
    assert "hidden" not in html
    assert 'class="dataframe"' in html
    assert [f">{value}<" in html for value in ("0.123", "7", "-", "a")] == [True] * 4


def test_a_distance_has_one_decimal():
    html = tables.plain(pd.DataFrame({"Dice": [0.25], score_name("object_hausdorff"): [532.835]}), "far").to_html()
    assert ">532.8<" in html
    assert ">0.250<" in html


def test_names_of_scores_are_those_of_figures():
    assert [score_name(one) for one in ("dice", "iou", "object_hausdorff", "training_time")] == [
        "Dice", "IoU", "object Hausdorff distance (px)", "training time",
    ]  # fmt: skip
