"""Records hold counts that give their scores exactly; summaries and comparisons against slow, literal versions."""

import json
import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histolab_lib import metrics as m
from histolab_lib.metrics import contingency
from histolab_lib.metrics.counts import COUNTED
from histolab_lib.metrics.evaluate import DISTANCES, check_record, evaluate, scores_from_counts
from histolab_lib.metrics.summary import compare, pooled_interval, summarise
from tests.literal import maps
from tests.literal import metrics as literal

GAP = (maps.grid("11000/11022/00022/33000/33000"), maps.grid("11100/11102/00002/00000/00444"))
MERGE = (maps.grid("11022/11022/11022/00000"), maps.grid("11111/11111/11111/00000"))
NOTHING = np.zeros((5, 5), int)
POOLED = ["dice", "iou", "aji", "aji_plus", "dice2", "object_dice"]


def by_function(true, pred, **options):
    """Every score by the function of its name, under the name that records use."""
    scores = {name: getattr(m, name)(true, pred, **options) for name in POOLED}
    scores |= m.precision_recall_f1(true, pred, **options)._asdict()
    scores |= {name: getattr(m.panoptic_quality(true, pred, **options), name) for name in ("dq", "sq", "pq")}
    found = m.object_f1(true, pred, **options)
    scores |= {"object_f1": found.f1, "object_precision": found.precision, "object_recall": found.recall}
    scores["object_f1_unpointed"] = m.object_f1(true, pred, fn="unpointed", **options).f1
    each = m.average_precision(true, pred, **options)
    scores |= {f"ap_{50 + 5 * k}": value for k, value in enumerate(each)}
    return scores | {"ap": each.mean()}


SCORES = {*by_function(*GAP), "object_hausdorff"}


def counts_in(record):
    return {key: value for key, value in record.items() if key not in SCORES | {"name", "empty"}}


# One record


@pytest.mark.thorough
@settings(deadline=None)
@given(maps.pairs(), st.sampled_from(["nan", "one", "zero"]))
def test_a_record_holds_the_scores_that_the_functions_give(pair, empty):
    record = evaluate(*pair, empty=empty)
    for name, value in by_function(*pair, empty=empty).items():
        np.testing.assert_array_equal(record[name], value, err_msg=name)


@settings(deadline=None)
@given(maps.pairs(), st.sampled_from(["nan", "one", "zero"]))
def test_counts_alone_give_the_same_scores(pair, empty):
    record = evaluate(*pair, [*COUNTED, "object_hausdorff"], empty=empty)
    scores = scores_from_counts({"empty": empty, **counts_in(record)})
    assert set(scores) == SCORES
    for name, value in scores.items():
        np.testing.assert_array_equal(value, record[name], err_msg=name)
    check_record(record)


@settings(deadline=None)
@given(maps.pairs())
def test_counts_are_those_of_masks_and_loops(pair):
    true, pred = pair
    record = evaluate(true, pred)
    shared, union, _ = literal.aji_counts(true, pred)
    assert (record["aji_shared_px"], record["aji_union_px"]) == (shared, union)
    assert (record["true_objects"], record["pred_objects"]) == (len(literal.ids_of(true)), len(literal.ids_of(pred)))
    assert (record["true_px"], record["pred_px"]) == (np.count_nonzero(true), np.count_nonzero(pred))
    assert (record["pq_tp"], record["pq_fp"], record["pq_fn"]) == literal.panoptic_quality(true, pred)[3:]
    assert (record["object_tp"], record["object_fp"], record["object_fn"]) == literal.object_f1(true, pred)[3:]
    assert record["object_dice_true_sum"] == pytest.approx(
        float(literal.one_way_dice(literal.objects_of(true), literal.objects_of(pred))[0]), abs=1e-9
    )


def test_an_error_in_any_single_count_is_noticed():
    record = evaluate(*GAP, [*COUNTED, "object_hausdorff"], names="gap")
    counts = counts_in(record)
    assert len(counts) == 31
    for name in counts:
        for wrong in (record[name] + 1, record[name] - 1):
            with pytest.raises(ValueError, match="image gap: "):
                check_record({**record, name: wrong})


def test_an_error_in_any_single_score_is_noticed():
    record = evaluate(*GAP, [*COUNTED, "object_hausdorff"], names="gap")
    for name in scores_from_counts(record):
        with pytest.raises(ValueError, match=rf"image gap: {name} is .*, but its counts give"):
            check_record({**record, name: record[name] + 1e-9})


def test_a_policy_changed_afterwards_is_noticed():
    with pytest.raises(ValueError, match="image 0: dice is nan, but its counts give"):
        check_record({**evaluate(NOTHING, NOTHING), "empty": "one"})


def test_counts_that_contradict_each_other_are_named():
    with pytest.raises(ValueError, match=r"image 0: pq_tp \(1\) \+ pq_fn \(3\) is not true_objects \(3\)"):
        check_record({**evaluate(*GAP), "pq_fn": 3})


def test_a_record_is_flat_and_plain_and_survives_a_file():
    record = evaluate(*GAP, [*COUNTED, *DISTANCES], names="gap", tolerance_px=1)
    assert {type(value) for value in record.values()} == {str, int, float}
    assert json.loads(json.dumps(record)) == record
    assert (record["name"], record["empty"], record["tolerance_px"]) == ("gap", "nan", 1)


def test_only_what_is_asked_for_is_recorded():
    record = evaluate(*GAP, ["aji"])
    assert list(record)[2:] == [
        *("true_objects", "pred_objects", "true_px", "pred_px", "both_px"),
        *("aji_shared_px", "aji_union_px", "aji"),
    ]
    assert "dq" not in scores_from_counts(record)


def test_distances_are_recorded_as_their_functions_give_them():
    record = evaluate(*GAP, DISTANCES, tolerance_px=1)
    assert record["object_hausdorff"] == pytest.approx(53 / 33, abs=1e-12)
    assert record["hd95"] == m.hd95(*GAP) == pytest.approx(2, abs=1e-12)
    assert record["boundary_f1"] == m.boundary_f1(*GAP, tolerance_px=1) == pytest.approx(18 / 23, abs=1e-12)
    one_empty = evaluate(GAP[0], NOTHING, DISTANCES, tolerance_px=1)
    assert (one_empty["object_hausdorff"], one_empty["hd95"], one_empty["boundary_f1"]) == (math.inf, math.inf, 0)
    both_empty = evaluate(NOTHING, NOTHING, DISTANCES, tolerance_px=1, empty="one")
    assert (both_empty["object_hausdorff"], both_empty["hd95"], both_empty["boundary_f1"]) == (0, 0, 1)


def test_a_batch_gives_the_records_of_its_images():
    true, pred = [GAP[0], MERGE[0]], [GAP[1], MERGE[1]]
    batch = evaluate(true, pred, names=["gap", "merge"])
    assert batch == [evaluate(*GAP, names="gap"), evaluate(*MERGE, names="merge")]
    assert [record["name"] for record in evaluate(tuple(true), pred)] == ["0", "1"]


def test_a_table_stands_for_two_maps():
    assert evaluate(contingency(*GAP)) == evaluate(*GAP)
    assert evaluate([contingency(*GAP)]) == [evaluate(*GAP)]
    with pytest.raises(TypeError, match="image 0: object_hausdorff needs the maps, got a Contingency"):
        evaluate(contingency(*GAP), metrics=["object_hausdorff"])


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (GAP, {"metrics": ["dise"]}, ValueError, "metrics: got 'dise', allowed are dice, iou, .*, boundary_f1"),
        (GAP, {"metrics": "dice"}, TypeError, r"expected a list of names, got the string 'dice'; write \['dice'\]"),
        (GAP, {"metrics": ["boundary_f1"]}, ValueError, "tolerance_px: boundary_f1 needs a tolerance in pixels"),
        (GAP, {"empty": "skip"}, ValueError, "empty: got 'skip', allowed are 'nan', 'one', 'zero'"),
        (GAP, {"names": ["a"]}, TypeError, "names: expected one string for one image, got list"),
        (([GAP[0]], [GAP[1]] * 2), {}, ValueError, "pred: expected a list of 1 maps, as true is, got 2"),
        (([GAP[0]], GAP[1]), {}, ValueError, "pred: expected a list of 1 maps, as true is, got one ndarray"),
        (([GAP[0]], [GAP[1]]), {"names": "a"}, ValueError, "names: expected 1 names, as there are images, got 'a'"),
        (([GAP[0]] * 2, [GAP[1]] * 2), {"names": ["a", "a"]}, ValueError, "name of its own, got a more than once"),
        (([GAP[0]] * 2, [GAP[1], GAP[1] / 2]), {}, TypeError, "image 1: pred: expected an integer or bool array"),
        ((GAP[0], MERGE[1]), {"names": "odd"}, ValueError, "image odd: true and pred must have one shape"),
        (([], []), {}, ValueError, "true: an empty batch has no record; expected at least one map"),
    ],
)
def test_what_cannot_be_scored_is_said(arguments, options, error, message):
    with pytest.raises(error, match=message):
        evaluate(*arguments, **options)


def test_a_record_without_its_counts_cannot_be_recomputed():
    with pytest.raises(ValueError, match="counts: true_objects, pred_objects, true_px, pred_px, both_px missing"):
        scores_from_counts({"name": "x", "dice": 0.5})


# A set


@st.composite
def batches(draw):
    return list(zip(*draw(st.lists(maps.pairs(), min_size=1, max_size=4)), strict=True))


@pytest.mark.thorough
@settings(deadline=None, max_examples=50)
@given(batches())
def test_means_and_pooled_values_are_those_of_the_functions(batch):
    true, pred = (list(each) for each in batch)
    records = evaluate(true, pred)
    means, pooled = (by_function(true, pred, reduction=each) for each in ("mean", "pooled"))
    for name in set(means) - {"ap"}:
        row = summarise(records, name, n_boot=1)
        np.testing.assert_allclose(row.mean, means[name], rtol=0, atol=1e-12, err_msg=name)
        np.testing.assert_allclose(row.pooled, pooled[name], rtol=0, atol=1e-12, err_msg=name)
        assert row.images + row.undefined == len(true)
    assert summarise(records, "ap", n_boot=1).pooled == pytest.approx(pooled["ap"], abs=1e-12, nan_ok=True)


@pytest.mark.thorough
@settings(deadline=None, max_examples=50)
@given(batches())
def test_pooled_is_the_score_of_the_maps_side_by_side(batch):
    height = max(each.shape[0] for each in batch[0])
    sides = []
    for labels in batch:
        ranked = [np.searchsorted(np.unique(np.append(each, 0)), each) + 1000 * k for k, each in enumerate(labels)]
        ranked = [np.where(each, rank, 0) for each, rank in zip(labels, ranked, strict=True)]
        sides.append(np.hstack([np.pad(each, ((0, height - each.shape[0]), (0, 0))) for each in ranked]))
    records = evaluate(*(list(each) for each in batch))
    for name, value in by_function(*sides).items():
        pooled = summarise(records, name, n_boot=1).pooled
        np.testing.assert_allclose(pooled, value, rtol=0, atol=1e-9, err_msg=name)


def test_pooled_object_hausdorff_is_that_of_the_function_and_leaves_out_the_infinite():
    true, pred = [GAP[0], MERGE[0], GAP[0]], [GAP[1], MERGE[1], NOTHING]
    row = summarise(evaluate(true, pred, ["object_hausdorff"]), "object_hausdorff")
    assert row.pooled == pytest.approx(m.object_hausdorff(true, pred, reduction="pooled"), abs=1e-12)
    assert row.mean == pytest.approx((53 / 33 + 3) / 2, abs=1e-12)
    assert (row.images, row.undefined, row.infinite) == (2, 0, 1)


def test_undefined_images_are_left_out_and_counted():
    records = evaluate([GAP[0], NOTHING, GAP[0], NOTHING], [GAP[1], NOTHING, NOTHING, NOTHING])
    row = summarise(records, "dice")
    assert (row.images, row.undefined, row.infinite) == (2, 2, 0)
    assert row.mean == row.median == pytest.approx(6 / 23, abs=1e-12)
    assert row.pooled == pytest.approx(12 / 35, abs=1e-12)
    counted = summarise(evaluate([GAP[0], NOTHING], [GAP[1], NOTHING], empty="one"), "dice")
    assert (counted.images, counted.undefined) == (2, 0)
    assert counted.mean == pytest.approx((12 / 23 + 1) / 2, abs=1e-12)


def test_a_set_of_nothing_but_undefined_images_has_no_mean_and_no_interval():
    row = summarise(evaluate([NOTHING] * 3, [NOTHING] * 3), "aji")
    assert (row.images, row.groups, row.undefined) == (0, 0, 3)
    assert all(math.isnan(value) for value in (row.mean, row.sd, row.median, row.low, row.high, row.pooled))


def test_one_image_has_a_mean_and_no_interval():
    row = summarise([evaluate(*GAP)], "dice")
    assert row.mean == pytest.approx(12 / 23, abs=1e-12)
    assert all(math.isnan(value) for value in (row.sd, row.low, row.high))


def test_a_metric_without_counts_has_no_pooled_value():
    row = summarise(evaluate([GAP[0]] * 2, [GAP[1]] * 2, ["hd95"]), "hd95")
    assert row.mean == pytest.approx(2, abs=1e-12)
    assert math.isnan(row.pooled)
    assert math.isnan(summarise(rows([0.5, 0.7]), "dice").pooled)


def rows(values, prefix="image"):
    return [{"name": f"{prefix}{k}", "dice": float(value)} for k, value in enumerate(values)]


def slow_interval(values, labels, n_boot, seed):
    """Draw groups, put all their images on a heap, take the mean; sort the means; read off between the ranks."""
    order = list(dict.fromkeys(labels))
    drawn = np.random.default_rng(seed).integers(0, len(order), (n_boot, len(order)))
    means = []
    for draw in drawn.tolist():
        heap = [value for k in draw for value, label in zip(values, labels, strict=True) if label == order[k]]
        means.append(math.fsum(heap) / len(heap))
    means.sort()

    def rank(share):
        at = share * (n_boot - 1)
        below = math.floor(at)
        return means[below] + (at - below) * (means[min(below + 1, n_boot - 1)] - means[below])

    return rank(0.025), rank(0.975)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3)), min_size=2, max_size=12),
    st.integers(1, 60),
    st.integers(0, 2**32 - 1),
)
def test_the_interval_is_that_of_a_slow_literal_bootstrap_over_patients(images, n_boot, seed):
    values, patients = [value for value, _ in images], [f"p{number}" for _, number in images]
    records = rows(values)
    groups = {record["name"]: patient for record, patient in zip(records, patients, strict=True)}
    row = summarise(records, "dice", groups=groups, n_boot=n_boot, seed=seed)
    assert row.groups == len(set(patients))
    assert row.mean == pytest.approx(statistics.fmean(values), abs=1e-12)
    assert row.sd == pytest.approx(statistics.stdev(values), abs=1e-9)
    assert row.median == pytest.approx(statistics.median(values), abs=1e-12)
    if row.groups > 1:
        expected = slow_interval(values, patients, n_boot, seed)
        assert (row.low, row.high) == pytest.approx(expected, abs=1e-9)
    single = summarise(records, "dice", n_boot=n_boot, seed=seed)
    alone = slow_interval(values, [record["name"] for record in records], n_boot, seed)
    assert (single.low, single.high) == pytest.approx(alone, abs=1e-9)


def test_the_interval_agrees_with_scipy_s_percentile_bootstrap():
    from scipy.stats import bootstrap

    values = np.random.default_rng(3).beta(8, 2, 40)
    row = summarise(rows(values), "dice", n_boot=20_000, seed=1)
    other = bootstrap((values,), np.mean, method="percentile", n_resamples=20_000, rng=2).confidence_interval
    width = row.high - row.low
    assert row.low == pytest.approx(other.low, abs=0.03 * width)
    assert row.high == pytest.approx(other.high, abs=0.03 * width)
    assert width == pytest.approx(2 * 1.96 * values.std() / 40**0.5, rel=0.05)


def test_drawing_in_blocks_changes_nothing(monkeypatch):
    values = np.random.default_rng(0).random(7)
    whole = summarise(rows(values), "dice", n_boot=500, seed=4)
    monkeypatch.setattr("histolab_lib.metrics.summary._BLOCK", 7 * 13)
    assert summarise(rows(values), "dice", n_boot=500, seed=4) == pytest.approx(whole, nan_ok=True)


def test_images_of_one_patient_widen_the_interval():
    rng = np.random.default_rng(0)
    values = np.repeat(rng.random(10), 20) + rng.normal(0, 0.01, 200)
    records = rows(values)
    groups = {record["name"]: k // 20 for k, record in enumerate(records)}
    by_image, by_patient = (summarise(records, "dice", groups=each) for each in (None, groups))
    assert by_patient.mean == by_image.mean
    assert 3 < (by_patient.high - by_patient.low) / (by_image.high - by_image.low) < 6  # about sqrt(20)


def test_the_interval_depends_on_the_seed_and_on_nothing_else():
    records = rows([0.1, 0.5, 0.7, 0.9, 0.3])
    first = summarise(records, "dice", n_boot=200, seed=1)
    np.random.default_rng(9).random(3)
    assert summarise(records, "dice", n_boot=200, seed=1) == pytest.approx(first, nan_ok=True)
    assert summarise(records, "dice", n_boot=200, seed=np.random.default_rng(1))[6:8] == first[6:8]
    assert summarise(records, "dice", n_boot=200, seed=2)[6:8] != first[6:8]


@pytest.mark.parametrize(
    ("records", "options", "message"),
    [
        ([], {}, "records: expected at least one record, got none"),
        ([{"dice": 0.5}], {}, "each record needs a name of its own; missing or double: None"),
        (rows([1]) * 2, {}, "each record needs a name of its own; missing or double: image0"),
        ([{"name": "a", "aji": 0.5}], {}, "metric: image a holds no 'dice'; it has aji"),
        (rows([1, 0]), {"groups": {"image0": "p"}}, "groups: no group for image1"),
        (rows([1, 0]), {"n_boot": 0}, "n_boot: expected at least 1 resampled set, got 0"),
    ],
)
def test_what_cannot_be_summarised_is_said(records, options, message):
    with pytest.raises(ValueError, match=message):
        summarise(records, "dice", **options)


def test_records_of_different_policies_are_not_pooled():
    records = [evaluate(*GAP, names="a"), evaluate(*GAP, names="b", empty="one")]
    with pytest.raises(ValueError, match="scored under different policies for empty maps: nan, one"):
        summarise(records, "dice")


# Two sets


def test_a_comparison_pairs_images_by_name_in_any_order():
    a, b = rows([0.9, 0.5, 0.7]), rows([0.6, 0.4, 0.65])
    row = compare(a, b[::-1], "dice")
    assert row.difference == pytest.approx(0.15, abs=1e-12)
    assert (row.mean_a, row.mean_b) == pytest.approx((0.7, 0.55), abs=1e-12)
    assert (row.images, row.groups, row.left_out) == (3, 3, 0)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.integers(0, 3)), min_size=2, max_size=10),
    st.integers(0, 2**32 - 1),
)
def test_the_interval_of_a_difference_is_that_of_the_paired_differences(images, seed):
    a, b = rows([each[0] for each in images]), rows([each[1] for each in images])
    differences = [each[0] - each[1] for each in images]
    row = compare(a, b, "dice", n_boot=50, seed=seed)
    assert (row.low, row.high) == pytest.approx(slow_interval(differences, range(len(images)), 50, seed), abs=1e-9)
    groups = {record["name"]: str(each[2]) for record, each in zip(a, images, strict=True)}
    grouped = compare(a, b, "dice", groups=groups, n_boot=50, seed=seed)
    if grouped.groups > 1:
        expected = slow_interval(differences, list(groups.values()), 50, seed)
        assert (grouped.low, grouped.high) == pytest.approx(expected, abs=1e-9)
    other = compare(b, a, "dice", n_boot=50, seed=seed)
    assert other.difference == pytest.approx(-row.difference, abs=1e-12)
    assert (other.low, other.high) == pytest.approx((-row.high, -row.low), abs=1e-9)


def test_pairing_is_far_sharper_than_two_separate_intervals():
    rng = np.random.default_rng(5)
    hard = rng.uniform(0.2, 0.9, 30)
    a, b = rows(hard + 0.05 + rng.normal(0, 0.01, 30)), rows(hard)
    paired, separate = compare(a, b, "dice"), summarise(b, "dice")
    assert 0.04 < paired.low < 0.05 < paired.high < 0.06
    assert paired.high - paired.low < 0.1 * (separate.high - separate.low)


def test_pairs_with_an_undefined_or_infinite_side_are_left_out_and_counted():
    a, b = rows([0.9, math.nan, 0.5, 0.7]), rows([0.8, 0.1, math.inf, 0.7])
    row = compare(a, b, "dice")
    assert (row.images, row.left_out) == (2, 2)
    assert (row.mean_a, row.mean_b, row.difference) == pytest.approx((0.8, 0.75, 0.05), abs=1e-12)


def test_images_without_partner_are_all_listed():
    a, b = [*rows([0.9, 0.5]), {"name": "x", "dice": 1.0}], [*rows([0.9]), {"name": "y", "dice": 1.0}]
    message = r"images must pair by name; without partner: image1 \(only in a\), x \(only in a\), y \(only in b\)"
    with pytest.raises(ValueError, match=message):
        compare(a, b, "dice")


def test_double_names_on_either_side_are_an_error():
    with pytest.raises(ValueError, match="b: each record needs a name of its own; missing or double: image0"):
        compare(rows([1]), rows([1]) * 2, "dice")


def test_the_interval_of_a_pooled_score_is_that_of_resampled_counts():
    rng = np.random.default_rng(4)
    true = [(rng.random((9, 9)) < 0.5).astype(int) for _ in range(6)]
    pred = [np.where(rng.random((9, 9)) < 0.2, 1 - one, one) for one in true]
    names = [f"t{n}" for n in range(6)]
    records = evaluate(true, pred, ["dice"], names=names)
    low, high = pooled_interval(records, "dice", n_boot=400, seed=1)
    draws = np.random.default_rng(1)
    pooled = []
    for _ in range(400):
        drawn = [records[k] for k in draws.integers(0, 6, 6)]
        pixels = sum(row["true_px"] + row["pred_px"] for row in drawn)
        pooled.append(2 * sum(row["both_px"] for row in drawn) / pixels)
    assert (low, high) == pytest.approx(np.percentile(pooled, [2.5, 97.5]))
    assert low < summarise(records, "dice").pooled < high
    together = pooled_interval(records, "dice", groups=dict.fromkeys(names, "one"))
    assert np.isnan(together).all()
    by_patient = pooled_interval(records, "dice", groups={name: name in names[:3] for name in names}, n_boot=400)
    assert by_patient[0] in [pytest.approx(_dice_of(records[:3])), pytest.approx(_dice_of(records[3:]))]
    with pytest.raises(ValueError, match="holds no 'aji'"):
        pooled_interval(records, "aji")


def _dice_of(rows):
    return 2 * sum(row["both_px"] for row in rows) / sum(row["true_px"] + row["pred_px"] for row in rows)
