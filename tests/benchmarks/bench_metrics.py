"""How fast the scores are, as a ratio to something that everybody knows, measured in one run on one machine."""

from collections.abc import Callable
from time import perf_counter

import numpy as np
import pytest

from histolab_lib.datasets.synthetic import scene
from histolab_lib.metrics import aji, contingency


def best_ms(work: Callable[[], object], repeats: int = 15) -> float:
    """The shortest of several runs: what the work costs when nothing else disturbs it."""
    times = []
    for _ in range(repeats):
        start = perf_counter()
        work()
        times.append(perf_counter() - start)
    return 1e3 * min(times)


@pytest.fixture(scope="module")
def maps() -> tuple[np.ndarray, np.ndarray]:
    """A true and a predicted map of 1000 x 1000 pixels: the same nuclei, moved by two pixels."""
    true = scene("test", 0, size=1000, preset="dense").instances
    return true, np.roll(true, 2, axis=1)


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
