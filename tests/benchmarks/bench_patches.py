"""From files to patches: all of MoNuSeg's training tiles read and cut; one tile drawn from its outlines; stitching."""

from time import perf_counter, process_time

import numpy as np
import pytest

from histolab_lib import datasets
from histolab_lib.datasets import monuseg
from histolab_lib.patches import BLENDS, SCHEMES, cut, cut_array, stitch, windows


def best_s(work, repeats):
    times = []
    for _ in range(repeats):
        start = perf_counter()
        work()
        times.append(perf_counter() - start)
    return min(times)


@pytest.mark.real
@pytest.mark.parametrize(("scheme", "expected"), [("histoseg", 1470), ("dan_nucnet", 480)])
def test_monusegs_training_tiles_become_patches_within_15_seconds(tissue, table, scheme, expected):
    start, reading, patches = perf_counter(), 0.0, 0
    tiles = datasets.load("monuseg", "train")
    for position in range(len(tiles)):
        before = perf_counter()
        tile = tiles[position]
        reading += perf_counter() - before
        patches += len(cut(tile, SCHEMES[scheme].windows(tile.shape), padding="reflect").images)
    seconds = perf_counter() - start
    assert patches == expected
    row = {"s": seconds, "patches/s": patches / seconds, "share of reading": reading / seconds}
    table(f"30 tiles of MoNuSeg as patches, {scheme}", row)
    assert seconds < 15


@pytest.mark.real
def test_one_tile_is_read_and_drawn_from_its_outlines_in_under_0_3_seconds_and_kept(
    tissue, table, tmp_path, monkeypatch
):
    monkeypatch.setenv("HISTOLAB_CACHE", str(tmp_path))
    tiles = datasets.load("monuseg", "train")
    from_xml = [i for i in range(len(tiles)) if monuseg.locate(tissue / "monuseg", "train")[tiles.names[i]].xml]
    assert from_xml
    first, again = [], []
    for times in (first, again):
        for i in from_xml:
            start = process_time()  # of the CPU: neighbours on a shared machine do not count
            tiles[i]
            times.append(process_time() - start)
    row = {"tiles": len(first), "mean, s": np.mean(first), "largest, s": max(first), "again, s": np.mean(again)}
    table("one tile of MoNuSeg from XML", row)
    assert np.mean(first) < 0.3
    assert np.mean(again) < np.mean(first) / 3


@pytest.mark.parametrize("blend", BLENDS)
def test_stitching_a_whole_tile_costs_less_than_a_network_on_one_of_its_patches(table, blend):
    where = windows((1000, 1000), 256, 128, border="shift")
    values = np.random.default_rng(0).uniform(size=(1000, 1000)).astype(np.float32)
    patches = cut_array(values, where)
    seconds = best_s(lambda: stitch(patches, where, (1000, 1000), blend=blend), 3)
    table(f"stitching 49 patches, {blend}", {"ms": 1e3 * seconds})
    assert len(where) == 49
    assert seconds < 0.3
