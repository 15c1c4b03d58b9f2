"""Verdicts: every word, its limits from both sides, and the rule's own file."""

import math
import re
import tomllib
from dataclasses import replace
from decimal import Decimal

import pytest

from histolab_lib.audit import verdicts
from histolab_lib.audit.verdicts import (
    VERDICTS,
    Spread,
    changes,
    counterparts,
    judge,
    judge_gain,
    judge_row,
    spread_over_seeds,
)
from histolab_lib.claims import Claim
from histolab_lib.data_dir import DataError, data_dir
from histolab_lib.metrics import scores_from_counts
from histolab_lib.results import Row
from tests.records import record, rows


def claim(value, metric="dice", unit="fraction", averaging="per_image", paper="haru_net"):
    return Claim(paper, "Table 1", "HARU-Net", "monuseg", "test", metric, value, unit, averaging)


def run(mean=0.80, low=0.78, high=0.82, metric="dice", **fields):
    """A record whose images all score `mean`, with an interval of our choice."""
    one = record(**{"key": "haru_net", "reading": "paper", "schedule": "gpu", "seed": 0, **fields})
    values = {**one.summary["test"][metric], "mean": mean, "low": low, "high": high}
    return replace(one, summary={"test": {metric: values}})


@pytest.fixture(autouse=True)
def as_summarised(monkeypatch):
    """Take mean and interval as the record has them: what is tested here is the rule."""

    def found(runs, split, metric):
        values = [one.summary[split][metric] for one in runs]
        of = {name: sum(one[name] for one in values) / len(values) for name in ("mean", "low", "high")}
        return type("Summary", (), of)

    monkeypatch.setattr(verdicts, "across_seeds", found)


@pytest.mark.parametrize(
    ("printed", "word"),
    [
        ("0.820", "reproduced"),  # at the end of the interval
        ("0.780", "reproduced"),
        ("0.821", "not reproduced"),
        ("0.779", "exceeded"),
        ("0.90", "not reproduced"),
        ("0.70", "exceeded"),
    ],
)
def test_inside_the_interval_is_reproduced_and_outside_it_is_better_or_worse(printed, word):
    assert judge(claim(printed), [run()]).word == word


@pytest.mark.parametrize(
    ("printed", "unit", "word"),
    [
        ("0.809", "fraction", "reproduced"),
        ("0.811", "fraction", "not reproduced"),
        ("80.9", "percent", "reproduced"),
        ("81.1", "percent", "not reproduced"),
        ("79.1", "percent", "reproduced"),
        ("78.9", "percent", "exceeded"),
    ],
)
def test_within_one_point_of_our_mean_is_reproduced_however_narrow_the_interval(printed, unit, word):
    assert judge(claim(printed, unit=unit), [run(low=0.7999, high=0.8001)]).word == word


@pytest.mark.parametrize(
    ("printed", "word"),
    [("104", "reproduced"), ("96", "reproduced"), ("106", "exceeded"), ("94", "not reproduced")],
)
def test_of_distances_the_lower_is_better_and_five_percent_are_near(printed, word):
    ours = run(100.0, 99.0, 101.0, metric="object_hausdorff")
    assert judge(claim(printed, "object_hausdorff", "px"), [ours]).word == word


@pytest.mark.parametrize("schedule", ["cpu", "cpu_long", "smoke"])
@pytest.mark.parametrize(
    ("printed", "word"),
    [
        ("0.79", "attained on a reduced schedule"),
        ("0.80", "attained on a reduced schedule"),
        ("0.8004", "not tested"),
        ("0.81", "not tested"),  # inside the interval, and still no proof of either
    ],
)
def test_a_shorter_schedule_can_attain_but_never_refute(schedule, printed, word):
    assert judge(claim(printed), [run(schedule=schedule)]).word == word


def test_a_shorter_schedule_is_given_what_rounding_allows():
    assert judge(claim("0.80"), [run(0.7951, schedule="cpu")]).word == "attained on a reduced schedule"
    assert judge(claim("0.80"), [run(0.7949, schedule="cpu")]).word == "not tested"


def test_what_chose_on_test_tiles_is_a_leak_whatever_it_scores():
    assert judge(claim("0.80"), [run(variant="leak")]).word == "leak"
    assert judge(claim("0.80"), [run(variant="leak__x", schedule="cpu")]).word == "leak"


def test_another_experiment_is_a_counterpart():
    kumar = run(dataset="kumar", key="dan_nucnet")
    told = judge(claim("0.80", paper="dan_nucnet"), [kumar])
    assert (told.word, told.ours) == ("counterpart", 0.80)
    assert "PanNuke" in told.reason
    assert judge(claim("0.80"), [run(dataset="kumar")]).word == "reproduced"
    assert judge(claim("0.80"), [run(reading="clean")]).word == "counterpart"


def test_the_counterparts_are_those_of_the_file_and_each_is_judged_so():
    with (data_dir() / "verdicts.toml").open("rb") as file:
        kept = tomllib.load(file)["counterpart"]
    assert [one._asdict() for one in counterparts()] == [
        {**one, "datasets": tuple(one["datasets"]), "metrics": tuple(one.get("metrics", ()))} for one in kept
    ]
    for one in counterparts():
        for dataset in one.datasets:
            of = [run(dataset=dataset, key=one.paper)]
            told = judge(claim("0.80", paper=one.paper), of)
            assert (told.word, told.reason) == ("counterpart", one.why)
            other = judge(claim("0.80", paper=one.paper, metric="f1"), of)
            assert (other.word == "counterpart") == (not one.metrics)


def test_a_score_whose_averaging_is_not_said_is_pooled_where_the_rule_knows_it(monkeypatch):
    monkeypatch.setattr(verdicts, "_pooled", lambda *_: (0.5, 0.4, 0.6))
    for paper, how, ours in (
        ("histoseg", "unstated", 0.5), ("msal_net", "unstated", 0.80), ("histoseg", "per_image", 0.80),
        ("msal_net", "pooled", 0.5),
    ):  # fmt: skip
        assert judge(claim("0.80", paper=paper, metric="f1", averaging=how), [run(key=paper)]).ours == ours


def test_without_a_run_or_a_readable_value_nothing_is_tested():
    assert judge(claim("0.80"), []).word == "not tested"
    assert judge(claim("0.80", "aji"), [run()]).reason == "no run is recorded"
    told = judge(claim("unreadable"), [run()])
    assert (told.word, told.reason) == ("not tested", "the printed value cannot be read")
    assert math.isnan(told.ours)


def test_f1_of_pixels_is_held_against_dice():
    assert judge(claim("80.0", "f1", "percent"), [run()]).word == "reproduced"


def test_the_reason_shows_the_interval():
    assert "ours 0.800 [0.780, 0.820]" in judge(claim("0.80"), [run()]).reason


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="only scores are judged by runs, images is none"):
        judge(claim("30", "images", "count", averaging=""), [run()])
    with pytest.raises(ValueError, match="runs must differ by their seed alone"):
        judge(claim("0.80"), [run(), run(schedule="cpu")])


def test_every_verdict_is_reached():
    runs = [
        [run()], [run(0.9, 0.89, 0.91)], [run(0.7, 0.69, 0.71)], [run(schedule="cpu")], [], [run(variant="leak")],
        [run(reading="clean")],
    ]  # fmt: skip
    assert tuple(judge(claim("0.80"), one).word for one in runs) == VERDICTS


def test_a_pooled_claim_is_held_against_the_pooled_score_and_its_own_interval():
    images = {"test": rows(["t1", "t2", "t3", "t4"], seed=3)}
    one = record(key="haru_net", reading="paper", schedule="gpu", images=images)
    told = judge(claim("0.5", averaging="pooled"), [one])
    both = sum(row["both_px"] for row in images["test"])
    pooled = 2 * both / sum(row["true_px"] + row["pred_px"] for row in images["test"])
    assert told.ours == pytest.approx(pooled)
    alone = [scores_from_counts(row)["dice"] for row in images["test"]]
    assert min(alone) <= told.low < told.ours < told.high <= max(alone)


def test_each_printed_number_of_a_line_is_judged():
    printed = (claim("0.80"), claim("0.90"))
    row = Row("haru_net", "monuseg", "base", "test", "dice", printed, "-", "0.800", (0.0, -0.1), (run(),))
    assert [one.word for one in judge_row(row)] == ["reproduced", "not reproduced"]


def test_a_gain_is_held_against_the_spread_over_seeds():
    runs = [run(0.80), run(0.812, seed=1), run(0.806, seed=2)]
    spread = spread_over_seeds(runs, "test", "dice")
    assert (spread.seeds, round(spread.width, 6)) == (3, 0.012)
    assert math.isnan(spread_over_seeds(runs[:1], "test", "dice").width)
    assert spread_over_seeds(runs, "test", "pq").seeds == 0
    gain = claim("1.3%", "gain", "percent", averaging="")
    assert judge_gain(gain, spread).startswith("larger than what another seed changes")
    assert judge_gain(replace(gain, value="1.1"), spread).startswith("smaller")
    assert judge_gain(replace(gain, value="0.013", unit="fraction"), spread).startswith("larger")
    assert judge_gain(gain, Spread(1, math.nan)) == "not tested: fewer than two seeds are recorded"


def test_the_rule_is_a_file_whose_changes_are_dated(tmp_path, monkeypatch):
    days = [day for day, _ in changes()]
    assert days == sorted(days)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", day) and words for day, words in changes())
    verdicts._rule.cache_clear()
    monkeypatch.setattr(verdicts, "data_dir", lambda: tmp_path)
    with pytest.raises(DataError, match=r"verdicts.toml: cannot be read as the rule of verdicts"):
        changes()
    (tmp_path / "verdicts.toml").write_text("[within]\nscore = 0.5\n")
    with pytest.raises(DataError, match="'distance'"):
        changes()
    kept = (data_dir() / "verdicts.toml").read_text(encoding="utf-8")
    (tmp_path / "verdicts.toml").write_text(kept.replace('why = "the paper reports', 'because = "the paper reports'))
    with pytest.raises(DataError, match="'why'"):
        counterparts()
    verdicts._rule.cache_clear()


def test_the_numbers_of_the_rule_are_those_that_were_fixed():
    rule = verdicts._rule()
    assert Decimal(str(rule["within"]["score"])) == Decimal("0.01")
    assert Decimal(str(rule["within"]["distance"])) == Decimal("0.05")
    assert Decimal(str(rule["interval"]["level"])) == Decimal("0.95")
