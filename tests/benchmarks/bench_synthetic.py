"""How fast synthetic tissue is made: processor time of one core, so that a busy machine does not count."""

from time import process_time

import pytest

from histolab_lib import datasets


@pytest.mark.parametrize(("objects", "least"), [("nuclei", 25), ("glands", 12)])
def test_synthetic_tiles_are_made_faster_than_a_network_learns_from_them(table, objects, least):
    tiles = datasets.load("synthetic", "train", n=32, size=256, objects=objects)
    rates = []
    for _ in range(3):
        start = process_time()
        made = list(tiles)
        rates.append(len(made) / (process_time() - start))
    table(f"synthetic {objects}, 256x256 px, one core", {"tiles/s": max(rates)})
    assert max(rates) > least
