"""Moves: against plain loops, against torchvision, and images against their instance maps."""

import numpy as np
import pytest
import torch

from histolab_lib.augment import affine_matrices, apply_symmetries, turn_and_flip, warp
from histolab_lib.compat import ensure_torchvision
from tests.literal import augment as literal

STEPS = [
    {},
    {"angle_deg": 17.0},
    {"shift_px": (2.3, -1.4)},
    {"shear_deg": 12.0},
    {"zoom": 1.37},
    {"zoom": 0.6},
    {"turns": 1},
    {"turns": 3, "flip": True},
    {"angle_deg": -31.0, "shift_px": (-3.2, 4.1), "shear_deg": -9.0, "zoom": 0.8, "turns": 2, "flip": True},
]


def _matrix(angle_deg=0.0, shift_px=(0.0, 0.0), shear_deg=0.0, zoom=1.0, turns=0, flip=False):
    return affine_matrices(
        angle_deg=[angle_deg], shift_px=[shift_px], shear_deg=[shear_deg], zoom=[zoom], turns=[turns], flips=[int(flip)]
    )


def _picture(height, width, seed=0):
    rng = np.random.default_rng(seed)
    return rng.random((height, width, 3)), rng.integers(0, 2**31 - 1, (height, width)).astype(np.int32)


def _tensors(image, ids):
    return torch.from_numpy(image.transpose(2, 0, 1)[None]), torch.from_numpy(ids)[None, None]


# odd goes with odd: else a quarter turn puts every pixel half-way between two, and rounding decides
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(("size", "out"), [((11, 11), None), ((8, 12), None), ((13, 13), (7, 7)), ((9, 13), (5, 7))])
def test_a_warp_is_what_plain_loops_make_of_it(step, size, out):
    image, ids = _picture(*size)
    moved, moved_ids = warp(*_tensors(image, ids), _matrix(**step), size_px=out)
    expected, expected_ids = literal.warp(image, ids, out, **step)
    np.testing.assert_allclose(moved[0].numpy().transpose(1, 2, 0), expected, atol=1e-5)
    np.testing.assert_array_equal(moved_ids[0, 0].numpy(), expected_ids)


@pytest.mark.thorough
@pytest.mark.parametrize("step", STEPS[1:6])
def test_a_warp_is_that_of_torchvision_where_no_border_shows(step):
    ensure_torchvision()
    from torchvision.transforms.v2 import InterpolationMode, functional

    smooth = np.add.outer(np.sin(np.arange(24) / 3), np.cos(np.arange(24) / 4))[..., None].repeat(3, 2)
    images, _ = _tensors(smooth.astype(np.float32), np.zeros((24, 24), np.int32))
    ids = (torch.arange(24 * 24, dtype=torch.float32) + 1).reshape(1, 1, 24, 24)  # 0 is torchvision's border
    shift = list(step.get("shift_px", (0.0, 0.0)))
    arguments = (step.get("angle_deg", 0.0), shift, step.get("zoom", 1.0), [step.get("shear_deg", 0.0), 0.0])
    if shift != [0.0, 0.0]:
        shift[:] = [2, -1]  # torchvision shifts by whole pixels
        step = {"shift_px": shift}
    theirs = functional.affine(images, *arguments, interpolation=InterpolationMode.BILINEAR)
    their_ids = functional.affine(ids, *arguments, interpolation=InterpolationMode.NEAREST)
    inside = functional.affine(torch.ones_like(images), *arguments, interpolation=InterpolationMode.BILINEAR) > 0.9999
    moved, moved_ids = warp(images, ids.int(), _matrix(**step))
    assert inside.float().mean() > 0.3
    torch.testing.assert_close(moved[inside], theirs[inside], rtol=0, atol=1e-5)
    found = their_ids > 0
    assert (moved_ids[found] == their_ids[found].int()).float().mean() > 0.99  # ties are rounded either way


def test_instance_maps_follow_their_images_to_the_pixel():
    ids = _picture(32, 32, seed=3)[1]
    blocks = np.kron(ids[:4, :4] % 97, np.ones((8, 8), np.int32)).astype(np.int32)
    images = torch.from_numpy(blocks.astype(np.float32))[None, None].expand(6, 3, -1, -1)
    rng = np.random.default_rng(0)
    matrices = affine_matrices(
        angle_deg=rng.uniform(-180, 180, 6), shift_px=rng.uniform(-4, 4, (6, 2)), zoom=rng.uniform(0.8, 2, 6)
    )
    moved, moved_ids = warp(images, torch.from_numpy(blocks)[None, None].expand(6, 1, -1, -1), matrices)
    flat = (moved[:, :1] - moved[:, :1].round()).abs() < 1e-4  # within a block, where nothing was mixed
    same = moved[:, :1].round().int() == moved_ids
    assert flat.float().mean() > 0.5
    assert same[flat].float().mean() > 0.99


def test_ids_that_float32_cannot_hold_survive():
    ids = torch.tensor([2**24 + 1, 2**31 - 1, 16_777_219, 5], dtype=torch.int32).reshape(1, 1, 2, 2)
    kept = [warp(torch.zeros(1, 3, 2, 2), ids, _matrix(turns=k, zoom=1.0))[1] for k in range(4)]
    assert all(set(one.flatten().tolist()) == set(ids.flatten().tolist()) for one in kept)
    assert all(one.dtype == torch.int32 for one in kept)


def test_every_sample_has_its_own_matrix():
    image, ids = _picture(10, 10)
    images, maps = (one.expand(3, -1, -1, -1) for one in _tensors(image, ids))
    moved, _ = warp(images, maps, affine_matrices(angle_deg=[0.0, 40.0, 80.0]))
    for sample, angle in enumerate((0.0, 40.0, 80.0)):
        alone, _ = warp(images[:1], maps[:1], affine_matrices(angle_deg=[angle]))
        torch.testing.assert_close(moved[sample], alone[0], rtol=0, atol=1e-6)


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("flip", [0, 1])
def test_a_symmetry_is_the_same_by_matrix_and_by_moving_pixels(turns, flip):
    images, maps = _tensors(*_picture(7, 7))
    by_pixels = apply_symmetries(images, maps, np.array([turns]), np.array([flip]))
    by_matrix = warp(images, maps, _matrix(turns=turns, flip=flip))
    torch.testing.assert_close(by_matrix[0], by_pixels[0], rtol=0, atol=1e-5)
    assert torch.equal(by_matrix[1], by_pixels[1])


def test_flips_and_half_turns_need_no_square_but_quarter_turns_do():
    images, maps = _tensors(*_picture(5, 8))
    turned, _ = apply_symmetries(images, maps, np.array([2]), np.array([1]))
    assert torch.equal(turned, images.flip(-2))
    with pytest.raises(ValueError, match="quarter turns need square crops, got 5x8 pixels"):
        apply_symmetries(images, maps, np.array([1]), np.array([0]))
    with pytest.raises(ValueError, match="quarter turns need square crops, got 5x8 pixels"):
        turn_and_flip(images, maps, np.random.default_rng(0))


def test_matrices_that_do_not_fit_or_flatten_the_picture_are_errors():
    images, maps = _tensors(*_picture(5, 5))
    with pytest.raises(ValueError, match=r"a matrix for each of 1 samples, \(N, 2, 3\), got \(2, 2, 3\)"):
        warp(images, maps, affine_matrices(angle_deg=[1.0, 2.0]))
    with pytest.raises(ValueError, match="maps the picture onto a line; zooms must be above 0"):
        warp(images, maps, affine_matrices(zoom=[0.0]))
    with pytest.raises(ValueError, match="differ in number or size"):
        warp(images, maps[..., :4], affine_matrices(zoom=[1.0]))
