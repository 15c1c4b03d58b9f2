"""The rule above-a-blank-map: who is below what no decision gives, and what that floor is."""

from fractions import Fraction

import numpy as np
import pytest

from histolab_lib import datasets
from histolab_lib.audit.rules.blank import above_a_blank_map
from histolab_lib.audit.rules.known import known
from histolab_lib.claims import Claim
from histolab_lib.floors import HEMATOXYLIN
from histolab_lib.metrics import evaluate
from histolab_lib.results import load_results
from tests.audit_papers import made


def _found(value, metric="iou", row="U-Net", **told):
    (found,) = above_a_blank_map([made(value, row, metric, **told)])
    return found


def test_a_score_below_that_of_calling_every_pixel_foreground_is_unlikely():
    below = _found("0.19")
    assert (below.severity, "IoU 0.19 is below 0.198" in below.explanation) == ("unlikely", True)
    assert "another floor" in below.explanation
    assert _found("31.9", "dice", unit="percent").severity == "unlikely"
    assert _found("0.20").severity == "fine"


def test_rounding_is_allowed_for():
    assert _found("0.2", "iou").severity == "fine"
    assert _found("0.197").severity == _found("0.327", "f1").severity == "fine"
    assert _found("0.196").severity == _found("0.326", "f1").severity == "unlikely"


def test_parts_of_the_data_other_sets_and_other_scores_have_no_floor_here():
    claims = [
        made("0.1", "U-Net: Liver", "iou"), made("0.1", metric="iou", dataset="tnbc"), made("0.1", metric="aji"),
        made("0.1", metric="iou", split="train"),
    ]  # fmt: skip
    assert list(above_a_blank_map(claims)) == []
    assert _found("0.1", row="U-Net: Average").severity == "unlikely"


def test_the_floor_is_what_a_blank_map_scores():
    """On made-up masks, and so the formulas of the rule: no metric of ours gives a blank map less."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        true = rng.random((24, 31)) < rng.uniform(0.05, 0.9)
        share = true.mean()
        scores = evaluate(true.astype(np.int32), np.ones(true.shape, np.int32), ["iou", "dice"])
        assert scores["iou"] == pytest.approx(share, abs=1e-12)
        assert scores["dice"] == pytest.approx(2 * share / (1 + share), abs=1e-12)


def test_floors_are_of_whole_test_sets_and_iou_is_below_dice():
    for told in known()["blank"]:
        assert 0 < told["iou"] < told["dice"] < 1
        assert (told["dataset"], told["split"]) in {
            ("monuseg", "test"), ("kumar", "test"), ("glas", "test"), ("glas", "testA"), ("glas", "testB"),
        }  # fmt: skip


def test_of_recorded_results_without_learning_those_of_glands_alone_are_below():
    below = set()
    for record in (one for one in load_results() if one.key == HEMATOXYLIN):
        for split, summary in record.summary.items():
            for metric in {"iou", "dice"} & set(summary):
                value = f"{summary[metric]['mean']:.3f}"
                told = Claim("mine", "Table 1", "ours", record.dataset, split, metric, value, "fraction", "unstated")
                below |= {(record.dataset, split) for one in above_a_blank_map([told]) if one.severity == "unlikely"}
    assert below == {("glas", "testA"), ("glas", "testB")}


@pytest.mark.real
@pytest.mark.slow
def test_the_floors_are_those_of_the_real_masks(tissue):
    for told in known()["blank"]:
        parts = ("testA", "testB") if (told["dataset"], told["split"]) == ("glas", "test") else (told["split"],)
        floors = [_floor(told["dataset"], part) for part in parts]
        for score, least in zip(("iou", "dice"), map(min, zip(*floors, strict=True)), strict=True):
            assert 0 <= float(least) - told[score] < 1e-4, (told["dataset"], told["split"], score)


def _floor(dataset, split):
    masks = [np.asarray(tile.instances) > 0 for tile in datasets.load(dataset, split)]
    shares = [Fraction(int(mask.sum()), mask.size) for mask in masks]
    pooled = Fraction(sum(int(mask.sum()) for mask in masks), sum(mask.size for mask in masks))
    means = [sum(of(share) for share in shares) / len(shares) for of in (Fraction, _dice)]
    return min(pooled, means[0]), min(_dice(pooled), means[1])


def _dice(share):
    return 2 * share / (1 + share)
