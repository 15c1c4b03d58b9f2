"""HARU-Net's costliest stage beside a literal version of it, and contours on the device beside OpenCV's.

On one thread; `bench_networks.py` has the whole network (HISTOLAB_BENCH=haru_net).
"""

import cv2
import numpy as np
import pytest
import torch

from histolab_lib.losses import canny_contour
from histolab_lib.papers.haru_net import RSU, STAGES
from tests.benchmarks.timing import one_thread, seconds
from tests.literal import haru_net as literal

SIZE_PX, BATCH = 128, 2


@pytest.fixture(autouse=True)
def _alone():
    with one_thread():
        yield


def test_the_recursion_of_the_costliest_stage_costs_no_more_than_its_steps_one_by_one(table):
    stage = STAGES[-1]  # de1: 6.8 of 37.6 billion multiply-adds at 256 px
    block = RSU(*stage[1:]).to(memory_format=torch.channels_last)
    x = torch.rand(BATCH, stage.inside, SIZE_PX, SIZE_PX).to(memory_format=torch.channels_last)
    ours = seconds(lambda: block(x).sum().backward())
    plain = seconds(lambda: literal.u_block(block, x, stage.height, stage.flat).sum().backward())
    table(f"{stage.name}, forward and back", {"ours s": ours, "literal s": plain, "ratio": plain / ours})
    assert plain / ours > 0.7


def test_contours_of_a_batch_beside_opencv(table):
    ids = np.kron(np.random.default_rng(0).integers(0, 256, (4, 32, 32)), np.ones((1, 8, 8), int))
    given, bytes_ = torch.from_numpy(ids), ids.astype(np.uint8)
    square = np.ones((2, 2), np.uint8)
    ours = seconds(lambda: canny_contour(given, 2))
    theirs = seconds(lambda: [cv2.dilate(cv2.Canny(one, 0, 1), square) for one in bytes_])
    table("contours of 4 crops of 256 px", {"ours s": ours, "OpenCV s": theirs, "ratio": theirs / ours})
    assert ours < 0.5  # a hundredth of the training step that they are for
