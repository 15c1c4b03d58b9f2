"""What no learning scores on real tissue, to the third digit: loader, stain, clean-up and Dice together."""

import numpy as np
import pytest

from histolab_lib.datasets import load
from histolab_lib.metrics import dice
from histolab_lib.postprocess import hematoxylin_floor
from histolab_lib.stain import hematoxylin


def floor_scores(split):
    return np.array([dice(tile.mask, hematoxylin_floor(hematoxylin(tile.image))) for tile in load("monuseg", split)])


@pytest.mark.real
def test_the_hematoxylin_floor_of_the_14_test_tiles(tissue):
    scores = floor_scores("test")
    assert scores.size == 14
    assert [scores.mean(), scores.min(), scores.max()] == pytest.approx([0.770, 0.713, 0.824], abs=0.0015)


@pytest.mark.real
@pytest.mark.slow
def test_the_hematoxylin_floor_of_the_30_training_tiles(tissue):
    scores = floor_scores("train")
    assert scores.size == 30
    assert [scores.mean(), scores.min(), scores.max()] == pytest.approx([0.742, 0.548, 0.857], abs=0.0015)
