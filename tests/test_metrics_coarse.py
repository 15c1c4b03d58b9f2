import numpy as np
import pytest
import torch
import torch.nn.functional as F

from histolab_lib.metrics import coarsened


def literal(mask, factor):
    """By torch: means of squares, enlarged and cut to the size of the mask."""
    share = F.avg_pool2d(torch.tensor(mask, dtype=torch.float64)[None, None], factor, ceil_mode=True)
    large = F.interpolate(share, scale_factor=factor, mode="bilinear")
    return large[0, 0, : mask.shape[0], : mask.shape[1]].numpy()


@pytest.mark.parametrize("factor", [1, 2, 3, 4, 8, 50])
@pytest.mark.parametrize("shape", [(32, 48), (31, 45), (1, 7)])
def test_a_coarsened_mask_is_that_of_pooling_and_interpolating(shape, factor):
    mask = np.random.default_rng(factor).random(shape) < 0.45
    share = literal(mask, factor)
    sure = abs(share - 0.5) > 1e-9
    found = coarsened(mask, factor)
    assert found.dtype == bool
    np.testing.assert_array_equal(found[sure], share[sure] > 0.5)


def test_a_factor_of_one_changes_nothing_and_ids_count_as_foreground():
    ids = np.array([[0, 7, 0], [3, 3, 0]])
    np.testing.assert_array_equal(coarsened(ids, 1), ids > 0)


def test_what_has_no_squares_is_refused():
    with pytest.raises(ValueError, match="factor must be at least 1 pixel, got 0"):
        coarsened(np.ones((2, 2), bool), 0)
    with pytest.raises(ValueError, match=r"mask must have the shape \(H, W\), got \(1, 2, 2\)"):
        coarsened(np.ones((1, 2, 2), bool), 2)
