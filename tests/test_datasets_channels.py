import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from histolab_lib.datasets.channels import unite_channels
from tests.literal import channels as literal

NAMES = ["neoplastic", "inflammatory", "dead"]


@given(arrays(np.int32, st.tuples(st.integers(1, 5), st.integers(1, 5), st.just(4)), elements=st.integers(0, 3)))
def test_channels_are_united_as_one_pixel_at_a_time(masks):
    instances, classes, noticed = unite_channels(masks, NAMES)
    expected = literal.unite_channels(masks.tolist(), NAMES)
    assert (instances.tolist(), classes, noticed) == expected
    assert instances.dtype == np.int32


def test_the_later_channel_keeps_a_contested_pixel_and_what_is_covered_wholly_is_counted():
    masks = np.zeros((1, 4, 4), np.int32)
    masks[0, 0, 0] = masks[0, 1, 0] = 8  # covered in its second pixel
    masks[0, 2, 1] = 5  # covered wholly
    masks[0, 1:3, 2] = 8
    instances, classes, noticed = unite_channels(masks, NAMES)
    assert instances.tolist() == [[1, 3, 3, 0]]
    assert classes == {1: "neoplastic", 3: "dead"}
    assert noticed == {"regions": 3, "vanished": 1, "contested_px": 2, "background_px_differing": 1}


def test_one_id_in_two_channels_is_two_objects():
    masks = np.zeros((1, 3, 4), np.int32)
    masks[0, 0, 0] = masks[0, 2, 1] = 7
    masks[0, 1, 3] = 1
    instances, classes, noticed = unite_channels(masks, NAMES)
    assert instances.tolist() == [[1, 0, 2]]
    assert classes == {1: "neoplastic", 2: "inflammatory"}
    assert noticed == {"regions": 2, "vanished": 0, "contested_px": 0, "background_px_differing": 0}


def test_a_tile_without_an_object_is_united_to_nothing():
    instances, classes, noticed = unite_channels(np.zeros((2, 2, 4), np.int32), NAMES)
    assert not instances.any()
    assert (classes, noticed["regions"], noticed["background_px_differing"]) == ({}, 0, 4)
