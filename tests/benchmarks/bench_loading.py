"""How fast batches are made for training: crops of 256x256 px in batches of 8, in the strongest recipe."""

from time import perf_counter

import numpy as np
import pytest
import torch

from histolab_lib import datasets
from histolab_lib.augment import RECIPES, add_noise, adjust_contrast, affine_matrices, blur, jitter_concentrations, warp
from histolab_lib.loading import Batches
from histolab_lib.patches import cut, windows
from histolab_lib.tile import Tile

STRONG = RECIPES["strong_unet"]
SIZE, BATCH = 256, 8


@pytest.fixture(scope="module")
def tiles():
    """Random pixels: what is done with a pixel does not depend on it."""
    rng = np.random.default_rng(0)
    image, ids = rng.integers(0, 256, (1000, 1000, 3)).astype(np.uint8), rng.integers(0, 500, (1000, 1000))
    return [Tile(name, image, ids.astype(np.int32)) for name in "abcd"]


def _rate(tiles, steps=40, **settings):
    batches = Batches(tiles, size_px=SIZE, batch_size=BATCH, steps=steps, seed=0, **settings)
    made = iter(batches)
    next(made)
    start = perf_counter()
    count = sum(len(batch.images) for batch in made)
    return count / (perf_counter() - start)


def test_batches_are_made_faster_than_two_hundred_crops_a_second(table, tiles):
    """By one process with one thread, and by two workers, which have one thread each: two cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    row = {name: _rate(tiles, steps=21, recipe=RECIPES[name]) for name in ("small_unet", "msal_net", "strong_unet")}
    row["strong_unet, two workers"] = _rate(tiles, steps=81, recipe=STRONG, workers=2)
    torch.set_num_threads(threads)
    table("augmented crops/s, 256x256 px", row)
    # what a worker makes must be copied to the process that learns, which costs it almost as much again
    assert max(row["strong_unet"], row["strong_unet, two workers"]) > 200


def test_the_number_of_threads_does_not_show_in_a_batch(tiles):
    batches = Batches(tiles, size_px=SIZE, batch_size=BATCH, steps=3, seed=0, recipe=STRONG)
    threads = torch.get_num_threads()
    for step in range(3):
        many = batches[step]
        torch.set_num_threads(1)
        one = batches[step]
        torch.set_num_threads(threads)
        assert torch.equal(many.images, one.images)
        assert torch.equal(many.instances, one.instances)


def test_where_the_time_of_a_batch_goes(table, tiles):
    """Milliseconds for each crop, each step alone; blur counts its share of the samples."""
    batches = Batches(tiles, size_px=SIZE, batch_size=BATCH, steps=100, seed=0, recipe=STRONG)
    rng = np.random.default_rng(0)
    crops = batches._cut(0)
    floats = crops.images.permute(0, 3, 1, 2).float() / 255
    ids = crops.instances[:, None]
    matrices = affine_matrices(zoom=rng.uniform(0.75, 1.33, BATCH), turns=rng.integers(4, size=BATCH))
    moved, _ = warp(floats, ids, matrices, size_px=(SIZE, SIZE))
    scale, shift, sd = rng.uniform(0.7, 1.35, (BATCH, 3)), np.zeros((BATCH, 3)), np.full(BATCH, 0.01)
    steps = {
        "cut": lambda: batches._cut(int(rng.integers(100))),
        "to float": lambda: crops.images.permute(0, 3, 1, 2).float() / 255,
        "move": lambda: warp(floats, ids, matrices, size_px=(SIZE, SIZE)),
        "stain": lambda: jitter_concentrations(moved, scale, shift),
        "blur": lambda: blur(moved, np.full(BATCH, 1.5)),
        "contrast": lambda: adjust_contrast(moved, np.ones(BATCH), np.zeros(BATCH)),
        "noise": lambda: add_noise(moved, sd, rng),
        "all": lambda: batches[int(rng.integers(100))],
    }
    row = {}
    for name, step in steps.items():
        times = []
        for _ in range(20):
            start = perf_counter()
            step()
            times.append(perf_counter() - start)
        row[f"{name} ms"] = 1000 * float(np.median(times)) / BATCH * (STRONG.blur_share if name == "blur" else 1)
    table(f"one crop, strong_unet, {torch.get_num_threads()} threads", row)
    assert sum(value for name, value in row.items() if name != "all ms") < 3 * row["all ms"]


@pytest.mark.real
def test_the_training_set_of_monuseg_is_read_and_cut_within_fifteen_seconds(table, tissue):
    start = perf_counter()
    tiles = list(datasets.load("monuseg", "train"))
    read = perf_counter() - start
    crops = sum(len(cut(tile, windows(tile.shape, SIZE, 120, border="drop")).images) for tile in tiles)
    row = {"read s": read, "crops": crops, "read and cut s": perf_counter() - start}
    start = perf_counter()
    made = Batches(tiles, size_px=SIZE, batch_size=BATCH, steps=crops // BATCH, seed=0, recipe=STRONG, workers=2)
    assert crops - BATCH < sum(len(batch.images) for batch in made) <= crops
    table("MoNuSeg, 30 training tiles as crops of 256x256 px", {**row, "as many augmented s": perf_counter() - start})
    assert row["read and cut s"] < 15
