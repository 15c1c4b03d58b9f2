"""How fast synthetic tissue is made."""

from time import perf_counter

from histolab_lib import datasets


def test_synthetic_tiles_are_made_faster_than_a_network_learns_from_them(table):
    tiles = datasets.load("synthetic", "train", n=24, size=256)
    start = perf_counter()
    made = list(tiles)
    rate = len(made) / (perf_counter() - start)
    table("synthetic tissue, 256x256 px, one process", {"tiles/s": rate})
    assert rate > 5
