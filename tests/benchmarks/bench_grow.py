"""Growing labels against the loop as printed: one dilation of the whole map for each label and pass.

With OpenCV's dilation (as the released code has it) where that can be imported; the same loop with SciPy's, which is
some twenty times slower, is run on a quarter of the map with a quarter of the seeds.
"""

from time import perf_counter

import numpy as np
import pytest

from histolab_lib.postprocess import erode_instances, grow_labels
from tests.benchmarks.large_maps import crowd


def timed_ms(work, repeats):
    times = []
    for _ in range(repeats):
        start = perf_counter()
        result = work()
        times.append(perf_counter() - start)
    return result, 1e3 * min(times)


def seeds_and_mask(size, count):
    instances = crowd(size, count)[0]
    return erode_instances(instances, 3), instances > 0


def as_printed(seeds, mask, dilate):
    """Lines 4 to 10 of Algorithm 1, and an end where a pass claims nothing."""
    objects, ids = seeds.copy(), np.unique(seeds[seeds > 0])
    while True:
        before = np.count_nonzero(objects)
        for number in ids:
            grown = dilate((objects == number).astype(np.uint8))
            objects[(grown != 0) & mask & (objects == 0)] = number
        if np.count_nonzero(objects) == before:
            return objects


def compare(name, size, count, dilate, table):
    seeds, mask = seeds_and_mask(size, count)
    grown, ours = timed_ms(lambda: grow_labels(seeds, mask), 15)
    expected, literal = timed_ms(lambda: as_printed(seeds, mask, dilate), 1 if size > 500 else 2)
    np.testing.assert_array_equal(grown, expected)
    row = {"seeds": len(np.unique(seeds)) - 1, "ms": ours, "loop, ms": literal, "ratio": literal / ours}
    table(f"grow_labels, {name}, {size}x{size}", row)
    return literal / ours


def test_growing_is_hundreds_of_times_faster_than_the_loop_with_scipy(table):
    from scipy.ndimage import grey_dilation

    assert compare("SciPy", 500, 175, lambda mask: grey_dilation(mask, (3, 3)), table) >= 200


@pytest.mark.parametrize(("size", "count", "at_least"), [(500, 175, 50), (1000, 700, 100)])
def test_growing_is_a_hundred_times_faster_than_the_loop_with_opencv(size, count, at_least, table):
    import cv2

    kernel = np.ones((3, 3), np.uint8)
    assert compare("OpenCV", size, count, lambda mask: cv2.dilate(mask, kernel), table) >= at_least


def test_growing_takes_time_of_pixels_not_of_seeds(table):
    seeds, mask = seeds_and_mask(1000, 700)
    one = (seeds > 0).astype(seeds.dtype)
    many, few = (timed_ms(lambda each=each: grow_labels(each, mask), 9)[1] for each in (seeds, one))
    case = seeds_and_mask(2000, 2800)
    large = timed_ms(lambda: grow_labels(*case), 5)[1]
    row = {"ms": large, "x that of a quarter": large / many, "700 seeds, x one seed": many / few}
    table("grow_labels, 2000x2000", row)
    assert many / few < 2
    assert large / many < 10
