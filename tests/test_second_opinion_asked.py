"""`mlscorecheck` itself, asked again: some of the rows that are kept, and confusion matrices that are known."""

import importlib.metadata
import json
import random

import pytest

from tests.second_opinion import FILE, NAMES, opinion

pytestmark = pytest.mark.thorough

KEPT = json.loads(FILE.read_text(encoding="utf-8"))


def test_the_version_here_is_the_one_that_gave_what_is_kept():
    assert importlib.metadata.version("mlscorecheck") == KEPT["version"]


@pytest.mark.parametrize("number", [20, 38, 48])
def test_asked_again_it_says_the_same(number):
    entry = KEPT["rows"][number]
    assert opinion(entry["asked"]) == entry["theirs_if_pooled"]


def test_true_scores_of_pooled_pixels_are_consistent_and_spoilt_ones_are_not():
    rng = random.Random(0)
    for _ in range(20):
        p, n = 500, 2000
        hit, false = rng.randint(250, 500), rng.randint(0, 300)
        true = {"precision": hit / (hit + false), "recall": hit / p, "f1": 2 * hit / (p + hit + false)}
        true["iou"] = hit / (p + false)
        scores = {NAMES[metric]: round(value, 4) for metric, value in true.items()}
        question = {"p": p, "n": n, "scores": scores, "eps": dict.fromkeys(scores, 0.00005)}
        assert opinion(question) == "consistent"
        assert opinion(question | {"scores": scores | {"ji": scores["ji"] + 0.01}}) == "inconsistent"
