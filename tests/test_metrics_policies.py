"""The table of empty policies: what can be run here is run again, and says what is written."""

import json
import math

import numpy as np
import pytest

from histolab_lib.data_dir import data_dir
from histolab_lib.metrics import legacy
from histolab_lib.metrics.policies import CASES, Case, collect_facts, run_case, write_facts

SITUATIONS = ("both_empty", "pred_empty", "true_empty")


def _key(row):
    return row["library"], row["function"]


@pytest.fixture(scope="module")
def committed():
    facts = json.loads((data_dir() / "facts" / "empty_policies.json").read_text(encoding="utf-8"))
    return {_key(row): row for row in facts["rows"]}


@pytest.mark.thorough
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.library}: {case.function}")
def test_a_library_at_hand_does_what_is_written_and_what_was_read(case, committed):
    row = committed[case.library, case.function]
    outcome = run_case(case)
    if outcome is None:
        assert row["source"] == case.source
        assert row["how"] == "run" or [row[each] for each in SITUATIONS] == list(case.read)
        return
    assert row["how"] == "run", f"{case.library} can be run here: histolab metrics --facts"
    assert [row[each] for each in SITUATIONS] == list(outcome)
    assert list(outcome) == list(case.read)


def test_the_committed_table_lists_each_function_once_and_no_other(committed):
    assert list(committed) == [(case.library, case.function) for case in CASES]
    assert len(committed) == len(CASES)


def test_what_ran_has_a_version_and_what_was_read_has_none(committed):
    for row in committed.values():
        assert row["how"] in ("run", "read")
        assert (row["version"] is not None) == (row["how"] == "run")
        assert row["source"]
        for each in SITUATIONS:
            words = isinstance(row[each], str) and (row[each] in ("nan", "inf") or row[each].endswith("Error"))
            assert words or math.isfinite(row[each])


@pytest.mark.thorough
def test_scikit_image_and_scipy_are_run_here():
    ran = {case.library for case in CASES if run_case(case) is not None}
    assert {"scikit-image", "scipy"} <= ran


def test_facts_are_written_as_strict_json(tmp_path):
    facts = write_facts(tmp_path / "facts.json")

    def refuse(word):
        raise AssertionError(word)

    text = (tmp_path / "facts.json").read_text(encoding="utf-8")
    assert json.loads(text, parse_constant=refuse) == facts == collect_facts()
    assert text.endswith("\n")


def test_what_a_function_raises_is_its_outcome():
    def fail(true, pred):
        raise ZeroDivisionError

    case = Case("scipy", "none", (0, 0, 0), "nowhere", fail)
    assert run_case(case) == ("ZeroDivisionError",) * 3


def test_a_library_that_is_missing_is_quoted():
    assert run_case(Case("no-such-library", "f", (0, 0, 0), "nowhere", lambda true, pred: 0)) is None


def test_what_is_read_of_the_papers_code_is_what_its_exhibits_do():
    nothing = np.zeros((1, 4, 4), int)
    block = nothing.copy()
    block[0, 1:3, 1:3] = 1
    exhibits = {
        ("HistoSeg", "f1_m"): legacy.histoseg_f1,
        ("HistoSeg", "dice_coef"): legacy.histoseg_dice,
        ("HistoSeg", "MeanIoU"): legacy.histoseg_mean_iou,
        ("DAN-NucNet", "jaccard / 100"): lambda true, pred: legacy.dan_nucnet_jaccard(true, pred) / 100,
        ("HARU-Net", "get_dice"): legacy.haru_net_dice,
    }
    read = {(case.library, case.function): case.read for case in CASES}
    for key, score in exhibits.items():
        outcomes = [score(*pair) for pair in ((nothing, nothing), (block, nothing), (nothing, block))]
        np.testing.assert_allclose(outcomes, [float(each) for each in read[key]], rtol=0, atol=1e-6, err_msg=str(key))
