import pytest

from histolab_lib.results import by_schedule, less, longest, pairs, ranked
from tests.records import record, rows


def runs(*kinds, **changes):
    return [record(schedule=how, seed=seed, **changes) for how, seed in kinds]


def told(found):
    return [(one.variant, one.schedule, one.seed) for one in found]


def test_runs_come_by_their_length_with_all_seeds_and_without_those_of_tests():
    mixed = runs(("gpu", 1), ("smoke", 0), ("cpu", 0), ("gpu", 0), ("cpu_long", 0), key="haru_net", reading="paper")
    other = runs(("gpu", 2), key="histoseg", reading="paper")
    other += runs(("gpu", 2), key="haru_net", reading="code")
    other += runs(("gpu", 2), key="haru_net", reading="paper", variant="rsu")
    found = by_schedule(mixed + other, "haru_net")
    assert [told(group) for group in found] == [
        [("base", "cpu", 0)],
        [("base", "cpu_long", 0)],
        [("base", "gpu", 0), ("base", "gpu", 1)],
    ]
    assert longest(iter(mixed + other), "haru_net") == found[-1]


def test_nothing_recorded_is_no_run():
    assert by_schedule([], "haru_net") == longest([], "haru_net") == pairs([], "haru_net", "rsu") == []


def test_a_pair_is_alike_in_schedule_and_seed_and_of_the_longest_that_both_have():
    base = runs(("cpu", 0), ("cpu", 1), ("cpu_long", 0), key="haru_net", reading="paper")
    rsu = runs(("gpu", 0), ("cpu", 1), ("cpu", 2), ("cpu", 0), key="haru_net", reading="paper", variant="rsu")
    found = pairs(base + rsu, "haru_net", "rsu")
    assert [told(pair) for pair in found] == [[(v, "cpu", seed) for v in ("rsu", "base")] for seed in (0, 1)]
    assert pairs(base + rsu, "haru_net", "base", "rsu") == [pair[::-1] for pair in found]
    assert pairs(base + rsu[:1], "haru_net", "rsu") == []


def test_the_worst_images_come_first_and_undefined_or_infinite_ones_before_them():
    def images(metric, **values):
        made = rows([*values])
        return {"test": [{**row, metric: values[row["name"]]} for row in made]}

    def names(metric, **values):
        found = ranked(record(images=images(metric, **values)), metric)
        assert {split for split, _ in found} == {"test"}
        return "".join(row["name"] for _, row in found)

    assert names("dice", w=0.5, x=float("nan"), y=0.2, z=0.5) == "xywz"
    assert names("object_hausdorff", w=5.0, x=float("inf"), y=9.0, z=float("nan")) == "xzyw"


def test_one_split_is_ranked_alone():
    run = record(images={"testA": rows(["w"]), "testB": rows(["x", "y"], seed=1)})
    assert {(split, row["name"]) for split, row in ranked(run, "dice")} == {
        ("testA", "w"), ("testB", "x"), ("testB", "y"),
    }  # fmt: skip
    assert [split for split, _ in ranked(run, "dice", "testA")] == ["testA"]
    with pytest.raises(ValueError, match="unknown split 'val'"):
        ranked(run, "dice", "val")


def test_what_a_run_scores_less_another_is_asked_of_the_reading_that_is_named():
    images = ({"test": rows(["t1", "t2", "t3"], seed=seed)} for seed in (1, 2))
    a, b = (
        record(key="unet", variant=v, images=one)
        for v, one in zip(("mobilenetv2__imagenet", "base"), images, strict=True)
    )
    found = less([a, b], "unet", "mobilenetv2__imagenet", "dice", reading="clean")
    each = [x["dice"] - y["dice"] for x, y in zip(a.images["test"], b.images["test"], strict=True)]
    assert found is not None
    assert found.difference == pytest.approx(sum(each) / 3)
    assert found.low <= found.difference <= found.high
    assert less([a, b], "unet", "mobilenetv2__imagenet", "dice") is None
