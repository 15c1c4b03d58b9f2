"""How fast the scores are, as a ratio to something that everybody knows, measured in one run on one machine.

``HISTOLAB_BENCH_FULL=1`` takes maps of 20,000 x 20,000 px with 100,000 objects on either side (5 GB of memory) in place
of the smaller ones.
"""

import os
import tracemalloc
from collections.abc import Callable
from time import perf_counter

import numpy as np
import pytest

from histolab_lib.metrics import Contingency, aji, aji_plus, average_precision, contingency, panoptic_quality
from tests.benchmarks.large_maps import crowd, even_walls, ragged_walls
from tests.literal import whole_masks

FULL = bool(os.environ.get("HISTOLAB_BENCH_FULL"))


def best_ms(work: Callable[[], object], repeats: int = 15) -> float:
    """The shortest of several runs: what the work costs when nothing else disturbs it."""
    times = []
    for _ in range(repeats):
        start = perf_counter()
        work()
        times.append(perf_counter() - start)
    return 1e3 * min(times)


def peak_mb(work: Callable[[], object]) -> float:
    """Memory that the work takes beyond what is there already."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def three(counts: Contingency) -> tuple[float, float, float]:
    return aji(counts), aji_plus(counts), panoptic_quality(counts).pq


@pytest.fixture(scope="module")
def maps() -> tuple[np.ndarray, np.ndarray]:
    """A true and a predicted map of 1000 x 1000 pixels, about 700 objects each."""
    return crowd(1000, 700)


def test_a_contingency_table_costs_less_than_two_searches_for_unique_ids(maps, table):
    true, pred = maps
    unique, tabled = best_ms(lambda: np.unique(true)), best_ms(lambda: contingency(true, pred))
    table(
        "contingency of 1000x1000 px",
        {"objects": len(np.unique(true)) - 1, "ms": tabled, "x np.unique": tabled / unique},
    )
    assert tabled / unique < 2


def test_a_second_score_from_the_same_table_is_nearly_free(maps, table):
    counts = contingency(*maps)
    first, second = best_ms(lambda: aji(*maps)), best_ms(lambda: aji(counts))
    table("AJI", {"from maps, ms": first, "from a table, ms": second, "ratio": first / second})
    assert first / second > 5


def test_three_scores_cost_little_more_than_one_search_for_unique_ids(maps, table):
    unique = best_ms(lambda: np.unique(maps[0]))
    together = best_ms(lambda: three(contingency(*maps)))
    apart = best_ms(lambda: (aji(*maps), aji_plus(*maps), panoptic_quality(*maps)))
    row = {"one table, ms": together, "x np.unique": together / unique, "three calls, x np.unique": apart / unique}
    table("AJI + AJI+ + PQ, 1000x1000 px", row)
    assert together / unique < 1.6
    assert apart / unique < 4


def test_three_scores_are_hundreds_of_times_faster_than_with_one_mask_for_each_object(maps, table):
    scores = whole_masks.aji, whole_masks.aji_plus, whole_masks.pq

    def masks_for_each_score():  # as the functions in use do
        return [score(*whole_masks.pairs(*maps)) for score in scores]

    def masks_shared():
        pairs = whole_masks.pairs(*maps)
        return [score(*pairs) for score in scores]

    np.testing.assert_allclose(three(contingency(*maps)), masks_shared(), rtol=0, atol=1e-9)  # also warms up
    ours = best_ms(lambda: three(contingency(*maps)))
    each, shared = best_ms(masks_for_each_score, 1), best_ms(masks_shared, 2)
    row = {"ours, ms": ours, "masks for each score, s": each / 1e3, "ratio": each / ours}
    table("AJI + AJI+ + PQ, one mask an object", row | {"masks shared, ratio": shared / ours})
    assert each / ours > 400
    assert shared / ours > 200


@pytest.mark.parametrize(("size", "count"), [(500, 175), (1000, 700), (2000, 2800), (4000, 11_200)])
def test_time_grows_with_the_pixels(size, count, table):
    pair = crowd(size, count)
    counts = contingency(*pair)
    tabled, scored = best_ms(lambda: contingency(*pair), 5), best_ms(lambda: three(counts), 5)
    precision = best_ms(lambda: average_precision(counts), 5)
    row = {"objects": counts.true_ids.size, "pairs": counts.n.size, "table, ms": tabled, "three scores, ms": scored}
    table(f"growth, {size}x{size} px", row | {"AP at 10 thresholds, ms": precision})
    assert tabled < 60 * (size / 1000) ** 2 + 5
    assert scored < 20 * count / 700 + 5


def measure_large(name, pair, table):
    start = perf_counter()
    counts = contingency(*pair)
    tabled = perf_counter() - start
    start = perf_counter()
    scores = three(counts)
    scored = perf_counter() - start
    memory = peak_mb(lambda: three(contingency(*pair)))
    objects = {"true objects": counts.true_ids.size, "predicted": counts.pred_ids.size, "pairs": counts.n.size}
    table(name, objects | {"table, s": tabled, "three scores, s": scored, "MB beyond the maps": memory})
    assert all(0 < score < 1 for score in scores[:2])
    assert memory < 200


def test_a_whole_slide_of_objects_takes_little_memory(table):
    size, count = (20_000, 102_400) if FULL else (8_000, 16_384)
    measure_large(f"crowd, {size}x{size} px", crowd(size, count), table)


@pytest.mark.parametrize("walls", [even_walls, ragged_walls])
def test_objects_that_all_hang_together_take_little_memory(walls, table):
    bricks = 317 if FULL else 127
    measure_large(f"{walls.__name__}, {bricks * 63}x{bricks * 63} px", walls(bricks, 63), table)
