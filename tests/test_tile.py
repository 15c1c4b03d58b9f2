import numpy as np
import pytest

from histolab_lib.tile import Tile

IMAGE = np.zeros((4, 6, 3), np.uint8)
INSTANCES = np.zeros((4, 6), np.int32)


def test_a_tile_counts_ids_not_their_largest():
    instances = INSTANCES.copy()
    instances[0, :2], instances[3, 3] = 7, 2
    tile = Tile("t", IMAGE, instances)
    assert tile.count == 2
    assert tile.shape == (4, 6)
    assert tile.mask.sum() == 3


def test_a_tile_without_background_counts_all_its_objects():
    assert Tile("t", IMAGE, INSTANCES + 5).count == 1


@pytest.mark.parametrize(
    ("image", "instances", "words"),
    [
        (IMAGE.astype(float), INSTANCES, r"tile t: image must be uint8 \(H, W, 3\), got float64 \(4, 6, 3\)"),
        (IMAGE[..., 0], INSTANCES, r"got uint8 \(4, 6\)"),
        (IMAGE, INSTANCES.astype(np.int64), r"tile t: instances must be int32 \(H, W\), got int64 \(4, 6\)"),
        (IMAGE, INSTANCES[None], r"got int32 \(1, 4, 6\)"),
        (IMAGE, INSTANCES[:, :5], "image is 4x6 pixels but its instance map is 4x5"),
        (IMAGE, INSTANCES - 1, "instance ids must not be negative, got -1"),
    ],
)
def test_what_is_no_tile_is_refused_with_its_name_and_what_was_expected(image, instances, words):
    with pytest.raises(ValueError, match=words):
        Tile("t", image, instances)
