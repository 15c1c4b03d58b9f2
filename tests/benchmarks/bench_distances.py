"""Object Hausdorff distance against what one would write first: a search tree over all pixels of each object.

The tree version is given the same partners, the same pruning of the search for the nearest object, and memory of what
it has computed; so the ratio is that of the distances alone. Both times are of whole calls, contingency table included.
"""

from functools import cache, partial
from time import perf_counter

import numpy as np
import pytest
from scipy.spatial import cKDTree

from histolab_lib.metrics import contingency, hd95, object_hausdorff
from histolab_lib.metrics.glands import partners
from tests.benchmarks.large_maps import crowd

DIAGONAL = np.array([[1, 0], [0, 1], [0.5**0.5, 0.5**0.5], [0.5**0.5, -(0.5**0.5)]])


def best_ms(work, repeats):
    times = []
    for _ in range(repeats):
        start = perf_counter()
        work()
        times.append(perf_counter() - start)
    return 1e3 * min(times)


def glands(seed=0):
    """Maps of 522 x 775 px, the size of most GlaS images: 14 glands; one missed, two merged away, one made up."""
    rng = np.random.default_rng(seed)
    true, row, column = np.zeros((522, 775), np.int32), *np.ogrid[:522, :775]
    number = 0
    while number < 14:
        (r, c), (a, b), turn = rng.uniform(0, (522, 775)), rng.uniform(40, 95, 2), rng.uniform(0, np.pi)
        x, y = column - c, row - r
        inside = ((x * np.cos(turn) + y * np.sin(turn)) / a) ** 2 + (
            (y * np.cos(turn) - x * np.sin(turn)) / b
        ) ** 2 <= 1
        inside &= true == 0
        if inside.sum() >= 3000:
            number += 1
            true[inside] = number
    pred = np.zeros_like(true)
    for number in set(range(1, 15)) - {3}:
        rows, columns = np.nonzero(true == number)
        down, right = rng.integers(-8, 9, 2)
        place = np.clip(rows + down, 0, 521), np.clip(columns + right, 0, 774)
        pred[place] = {5: 4, 9: 8}.get(number, number)
    pred[5:40, 5:45] = 77
    return true, pred


def by_trees(true, pred):
    table = contingency(true, pred)
    pixels = [pixels_of(true, table.true_ids), pixels_of(pred, table.pred_ids)]
    reach = [np.array([[*(p @ DIAGONAL.T).max(0), *(-p @ DIAGONAL.T).max(0)] for p in side]) for side in pixels]
    tree = cache(lambda side, k: cKDTree(pixels[side][k]))

    @cache
    def apart(i, j):
        there = tree(1, j).query(pixels[0][i])[0].max()
        return max(there, tree(0, i).query(pixels[1][j])[0].max())

    of_true, of_pred = np.full(table.true_ids.size, -1), np.full(table.pred_ids.size, -1)
    from_true, from_pred = partners(table)
    of_true[table.i[from_true]] = table.j[from_true]
    of_pred[table.j[from_pred]] = table.i[from_pred]
    here, there = reach
    far_true = [apart(k, q) if q >= 0 else nearest(partial(apart, k), here[k], there) for k, q in enumerate(of_true)]
    far_pred = [
        apart(q, k) if q >= 0 else nearest(lambda i, k=k: apart(i, k), there[k], here) for k, q in enumerate(of_pred)
    ]
    return (np.average(far_true, weights=table.true_areas) + np.average(far_pred, weights=table.pred_areas)) / 2


def nearest(far, own, others):
    at_least, best = np.abs(others - own).max(axis=1), np.inf
    for q in np.argsort(at_least):
        if at_least[q] >= best:
            break
        best = min(best, far(int(q)))
    return best


def pixels_of(labels, ids):
    rows, columns = np.nonzero(labels)
    rank = np.searchsorted(ids, labels[rows, columns]).astype(np.uint16)
    order = np.argsort(rank, kind="stable")
    places = np.stack([rows, columns], axis=1)[order]
    return np.split(places, np.flatnonzero(np.diff(rank[order])) + 1)


CASES = {
    "glands 522x775": (glands, 3),
    "nuclei 500x500": (lambda: crowd(500, 175), 3),
    "nuclei 1000x1000": (lambda: crowd(1000, 700), 2.5),
}


@pytest.mark.parametrize("name", CASES)
def test_object_hausdorff_is_several_times_faster_than_trees_of_all_pixels(name, table):
    make, at_least = CASES[name]
    true, pred = make()
    assert object_hausdorff(true, pred) == pytest.approx(by_trees(true, pred), abs=1e-9)
    ours = best_ms(lambda: object_hausdorff(true, pred), 7)
    trees = best_ms(lambda: by_trees(true, pred), 3)
    objects = len(np.unique(true)) - 1
    table(f"object Hausdorff, {name}", {"objects": objects, "ms": ours, "trees, ms": trees, "ratio": trees / ours})
    assert trees / ours >= at_least


def test_object_hausdorff_grows_with_the_map_and_its_objects(table):
    small, large = crowd(1000, 700), crowd(2000, 2800)
    times = [best_ms(lambda maps=maps: object_hausdorff(*maps), 3) for maps in (small, large)]
    table("object Hausdorff, 2000x2000 with 2800", {"ms": times[1], "x that of a quarter": times[1] / times[0]})
    assert times[1] / times[0] < 8


def test_hd95_is_faster_than_with_distance_maps(table):
    from scipy.ndimage import binary_erosion, distance_transform_edt

    true, pred = (each > 0 for each in crowd(1000, 700))

    def by_maps():
        edges = [each & ~binary_erosion(each) for each in (true, pred)]
        ways = [distance_transform_edt(~other)[own] for own, other in (edges, edges[::-1])]
        return max(np.percentile(way, 95) for way in ways)

    assert hd95(true, pred) == pytest.approx(by_maps(), abs=1e-9)
    ours, maps = best_ms(lambda: hd95(true, pred), 5), best_ms(by_maps, 3)
    table("hd95 of 1000x1000 px", {"ms": ours, "distance maps, ms": maps, "ratio": maps / ours})
    assert maps / ours > 1
