"""Losses: their values against loops over pixels, their gradients against finite differences, their extremes."""

from typing import NamedTuple

import numpy as np
import pytest
import torch

from histolab_lib import losses
from histolab_lib.losses import (
    Targets,
    bce_dice,
    build,
    canny_contour,
    canny_contour_8_bit,
    contour_band,
    soft_dice_loss,
    soft_jaccard_loss,
)
from histolab_lib.postprocess import subtract_contours
from tests.literal import losses as literal

FOCAL = {"alpha": 0.25, "gamma": 2.0}
DEEP = {"pixels": "mean", "overlap": "true_class", "thickness_px": 2}
LINKNET = {"bce_weight": 2.0, "accuracy_weight": 1.0, "smooth": 1.0}


class Maps(NamedTuple):
    mask: torch.Tensor
    extra: dict


def both(name, function, **options):
    return pytest.param(name, options, lambda z, t: function(z, t, **options), id=f"{name} {options}")


# From a loss of the registry on a mask to the loop that says what it must be.
SAME = [
    both("bce", literal.bce),
    both("focal", literal.focal, alpha=None, gamma=0.0),
    both("focal", literal.focal, **FOCAL),
    *(both("dice", literal.dice, smooth=smooth) for smooth in (1e-6, 1.0, 100.0)),
    both("dice", literal.dice, smooth=1.0, over="image", squares=True),
    both("jaccard", literal.jaccard, smooth=1.0),
    both("jaccard", literal.jaccard, smooth=0.1, over="image"),
    pytest.param("bce_dice", {"smooth": 1.0}, lambda z, t: literal.bce(z, t) + literal.dice(z, t, 1.0), id="bce_dice"),
    pytest.param(
        "bce_focal_dice",
        {**FOCAL, "smooth": 1.0, "over": "image"},
        lambda z, t: literal.bce(z, t) + literal.focal(z, t, **FOCAL) + literal.dice(z, t, 1.0, "image"),
        id="bce_focal_dice",
    ),
    both("bce_pixel_dice", literal.bce_pixel_dice, smooth=1.0),
    both("bce_pixel_dice", literal.bce_pixel_dice, smooth=1.0, double_sigmoid=True),
    *(
        pytest.param(
            "dice_jaccard",
            {"dice_smooth": 1.0, "jaccard_smooth": 100.0, "jaccard": kind},
            lambda z, t, kind=kind: literal.dice_jaccard(z, t, 1.0, 100.0, kind),
            id=f"dice_jaccard {kind}",
        )
        for kind in ("region", "pixel")
    ),
    *(
        pytest.param(
            "exp_dice",
            {**LINKNET, "over": over, "inner_weight": 2.0},
            lambda z, t, over=over: literal.exp_dice(z, t, **LINKNET, over=over),
            id=f"exp_dice {over}",
        )
        for over in ("batch", "image")
    ),
    pytest.param(
        "exp_dice",
        {**LINKNET, "over": "batch", "inner_weight": 2.0, "accuracy": "hard"},
        lambda z, t: literal.exp_dice(z, t, **LINKNET, right=literal.hard_accuracy),
        id="exp_dice hard",
    ),
    *(
        pytest.param(
            "deep_mask_contour",
            {"pixels": pixels, "overlap": overlap, "smooth": 1.0, "thickness_px": 2, "mask_weight": 2.0},
            lambda z, t, pixels=pixels, overlap=overlap: 2 * literal.haru_net(z, t, pixels, overlap),
            id=f"deep_mask_contour {pixels} {overlap}",
        )
        for pixels, overlap in (("mean", "ratio"), ("sum", "ratio"), ("mean", "summed"), ("mean", "true_class"))
    ),
    pytest.param("true_class", {}, lambda z, t: 1 - literal.accuracy(z, t), id="true_class"),
]


def _example(seed=0, shape=(2, 1, 5, 4)):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 3, shape).astype(np.float32), (rng.random(shape) < 0.3).astype(np.float32)


def _targets(target):
    return Targets.of(torch.from_numpy(target.astype(np.int32)))


@pytest.mark.parametrize(("name", "options", "expected"), SAME)
def test_values_are_those_of_a_loop_over_pixels(name, options, expected):
    logits, target = _example()
    loss = build(name, **options)(torch.from_numpy(logits), _targets(target))
    assert float(loss) == pytest.approx(expected(logits, target), rel=2e-6, abs=1e-6)


@pytest.mark.parametrize(("name", "options", "expected"), SAME)
def test_the_gradient_is_that_of_finite_differences(name, options, expected):
    logits, target = _example(1, (2, 1, 2, 2))
    z = torch.from_numpy(logits).requires_grad_()
    build(name, **options)(z, _targets(target)).backward()
    for place in np.ndindex(logits.shape):
        up, down = logits.astype(float), logits.astype(float)
        up[place], down[place] = up[place] + 1e-5, down[place] - 1e-5
        slope = (expected(up, target) - expected(down, target)) / 2e-5
        assert float(z.grad[place]) == pytest.approx(slope, rel=1e-4, abs=1e-6)


def test_every_loss_of_the_registry_is_tried_here():
    assert {case.values[0] for case in SAME} | {"mask_contour", "bce_hematoxylin"} == set(losses.names())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("name", "options", "expected"), SAME)
def test_loss_and_gradient_are_finite_at_the_extremes(name, options, expected, dtype):
    for logit in (-1e4, -100.0, 0.0, 100.0, 1e4):
        for truth in (0, 1):
            z = torch.full((2, 1, 4, 4), logit, dtype=dtype, requires_grad=True)
            loss = build(name, **options)(z, Targets.of(torch.full((2, 4, 4), truth)))
            loss.backward()
            assert loss.dtype == torch.float32
            assert torch.isfinite(loss)
            assert torch.isfinite(z.grad).all()


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
@pytest.mark.parametrize(("name", "options", "expected"), SAME)
def test_a_perfect_prediction_costs_the_least(name, options, expected, share):
    ids = (torch.arange(64) < 64 * share).int().reshape(1, 8, 8)
    floor = {"exp_dice": -(np.e**2) - 1}.get(name, 0.0)
    if options.get("overlap") == "summed":  # one for each pixel of foreground
        floor = options["mask_weight"] * (1 - 64 * share)
    if options.get("double_sigmoid"):  # certainty itself costs softplus(-1) on nuclei and log 2 beside them
        floor = share * np.log1p(np.exp(-1)) + (1 - share) * np.log(2)
    loss = build(name, **options)(200 * (ids[:, None] - 0.5), Targets.of(ids))
    assert float(loss) == pytest.approx(floor, abs=1e-5)


def test_the_opposite_of_the_truth_costs_all_of_the_overlap():
    target = (torch.arange(64) < 32).float()
    for loss in (soft_dice_loss, soft_jaccard_loss):
        assert float(loss(200 * (0.5 - target), target, smooth=1e-6)) == pytest.approx(1, abs=1e-6)


def test_over_images_each_counts_alike_and_over_the_batch_each_pixel():
    target = torch.zeros(2, 1, 10, 10)
    target[0, 0, :5], target[1, 0, 0, 0] = 1, 1
    logits = torch.where(target > 0, 100.0, -100.0)
    logits[1] = -100  # the one pixel is missed
    pooled = soft_dice_loss(logits, target, smooth=1e-6)
    alone = soft_dice_loss(logits, target, smooth=1e-6, over="image")
    assert float(pooled) == pytest.approx(1 - 100 / 101, abs=1e-5)
    assert float(alone) == pytest.approx(0.5, abs=1e-5)


def test_the_contour_band_is_that_of_a_loop_and_is_open_at_the_border():
    rng = np.random.default_rng(2)
    ids = np.kron(rng.integers(0, 4, (2, 5, 6)), np.ones((1, 5, 5), int)).astype(np.int32)
    for width in (1, 2, 3):
        band = contour_band(torch.from_numpy(ids), width)
        assert band.dtype == torch.bool
        np.testing.assert_array_equal(band[:, 0].numpy(), [literal.contour_band(one, width) for one in ids])
    assert not contour_band(torch.ones(1, 6, 6, dtype=torch.int32), 2).any()


def test_mask_and_contour_are_two_losses_and_the_weight_is_that_of_the_second():
    ids = torch.zeros(1, 12, 12, dtype=torch.int32)
    ids[0, 2:10, 2:10] = 3
    mask, contour = torch.randn(2, 1, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    expected = bce_dice(mask, (ids > 0)[:, None].float(), smooth=1.0)
    band = literal.contour_band(ids[0].numpy(), 2)[None, None]
    beside = bce_dice(contour, torch.from_numpy(band).float(), smooth=1.0)
    loss = build("mask_contour", smooth=1.0, width_px=2, contour_weight=0.5)
    found = loss(Maps(mask, {"contour": contour}), Targets.of(ids))
    assert float(found) == pytest.approx(float(expected + 0.5 * beside), abs=1e-6)
    with pytest.raises(ValueError, match="needs a network whose output has an extra map 'contour'"):
        loss(mask, Targets.of(ids))


def test_hematoxylin_is_the_answer_that_the_network_brings_and_labels_are_not_looked_at():
    logits, truth = (torch.from_numpy(one) for one in _example())
    share = truth * 0.7
    loss = build("bce_hematoxylin")
    labels = torch.zeros(2, 5, 4, dtype=torch.int32), torch.ones(2, 5, 4, dtype=torch.int32)
    first, second = (float(loss(Maps(logits, {"hematoxylin": share}), Targets.of(ids))) for ids in labels)
    assert first == second == pytest.approx(literal.bce(logits.numpy(), share.numpy()), rel=2e-6)
    least = share.clamp(1e-6, 1 - 1e-6).logit().requires_grad_()
    loss(Maps(least, {"hematoxylin": share}), _targets(truth.numpy())).backward()
    assert float(least.grad.abs().max()) < 1e-6
    with pytest.raises(ValueError, match="needs a network that brings the answer as an extra map 'hematoxylin'"):
        loss(logits, _targets(truth.numpy()))


def test_a_coarse_map_inside_the_network_is_compared_with_the_share_of_foreground():
    ids = torch.zeros(1, 8, 8, dtype=torch.int32)
    ids[0, :4, :2] = 1  # half of the upper left quarter
    logits, inner = torch.zeros(1, 1, 8, 8), torch.tensor([[[[1.0, -1.0], [-2.0, 0.5]]]])
    coarse = np.array([0.5, 0, 0, 0])
    options = {**LINKNET, "over": "batch"}
    expected = literal.exp_dice(logits, ids > 0, **LINKNET) + 2 * literal.exp_dice(inner, coarse, **LINKNET)
    found = build("exp_dice", **options, inner_weight=2.0)(Maps(logits, {"inner": inner}), Targets.of(ids))
    assert float(found) == pytest.approx(expected, abs=1e-5)


def test_accuracy_at_a_threshold_teaches_nothing():
    """With it L2 is another number than L1, with the same gradient."""
    logits, target = _example(5)
    options = {"bce_weight": 1.0, "smooth": 1.0, "over": "batch", "inner_weight": 2.0}
    values, slopes = [], []
    for weight, accuracy in ((0.0, "soft"), (1.0, "hard"), (1.0, "soft")):
        z = torch.from_numpy(logits).requires_grad_()
        loss = build("exp_dice", **options, accuracy_weight=weight, accuracy=accuracy)(z, _targets(target))
        loss.backward()
        values.append(loss.item())
        slopes.append(z.grad)
    assert values[1] == pytest.approx(values[0] - literal.hard_accuracy(logits, target), abs=1e-5)
    assert torch.equal(slopes[0], slopes[1])
    assert not torch.allclose(slopes[0], slopes[2])
    with pytest.raises(ValueError, match="accuracy must be 'soft' or 'hard', got 'firm'"):
        build("exp_dice", **options, accuracy_weight=1.0, accuracy="firm")(z, _targets(target))


def _contours(ids, thickness):
    return np.stack([literal.canny_contour(one, thickness) for one in ids])


@pytest.mark.parametrize("thickness", [1, 2, 3])
def test_contours_are_those_of_canny_and_a_dilation(thickness):
    rng = np.random.default_rng(4)
    row, col = np.ogrid[:40, :33]
    drawn = np.zeros((3, 40, 33), np.int32)
    drawn[0] = np.kron(rng.integers(0, 256, (8, 11)), np.ones((5, 3), int))
    drawn[1] = rng.integers(0, 3, (40, 33))
    for number in range(1, 12):
        y, x, radius = rng.integers(0, 40), rng.integers(0, 33), rng.integers(3, 9)
        drawn[2][(row - y) ** 2 + (col - x) ** 2 <= radius**2] = number
    found = canny_contour(torch.from_numpy(drawn), thickness)
    assert (found.dtype, found.shape) == (torch.bool, (3, 1, 40, 33))
    np.testing.assert_array_equal(found[:, 0].numpy(), _contours(drawn, thickness))


def test_a_contour_of_any_id_is_closed_where_8_bits_lose_it():
    ids = torch.zeros(1, 30, 30, dtype=torch.int32)
    ids[0, 5:15, 5:15], ids[0, 15:25, 5:25], ids[0, 5:15, 15:25] = 256, 1, 257
    whole, lost = canny_contour(ids, 2), canny_contour_8_bit(ids, 2)
    inside = lambda drawn: by_label(ids[0].numpy() > 0, drawn[0, 0].numpy())  # noqa: E731
    assert inside(whole) == 3
    assert inside(lost) < 3
    assert not lost[0, 0, 8:12, 4:6].any()  # nucleus 256 has no border to the background left
    assert whole[0, 0, 8:12, 4:6].any()


def by_label(mask, drawn):
    return int(subtract_contours(mask, drawn, connectivity=4).max())


def test_no_contour_runs_along_the_border_of_a_crop_and_autocast_does_not_move_one():
    assert not canny_contour(torch.ones(1, 6, 6, dtype=torch.int32), 3).any()
    ids = torch.from_numpy(np.kron(np.arange(60_000, 60_006).reshape(1, 2, 3), np.ones((1, 6, 6), int)))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = canny_contour(ids, 1)
    assert torch.equal(rough, canny_contour(ids, 1))
    assert rough.sum() > 20


def test_deep_supervision_sums_all_maps_each_against_its_own_truth():
    ids = torch.zeros(2, 20, 20, dtype=torch.int32)
    ids[:, 3:11, 3:11], ids[:, 11:17, 3:11] = 1, 2
    truth = (ids > 0).numpy()[:, None].astype(float)
    contour = _contours(ids.numpy(), 3)[:, None].astype(float)
    draws = torch.randn(6, 2, 1, 20, 20, generator=torch.Generator().manual_seed(0))
    names = ["mask_1", "mask_6", "contour", "contour_1", "other"]
    output = Maps(draws[0], dict(zip(names, draws[1:], strict=True)))
    loss = build(
        "deep_mask_contour", pixels="mean", overlap="ratio", smooth=1.0, thickness_px=3,
        mask_weight=2.0, contour_weight=3.0, side_weight=0.5,
    )  # fmt: skip
    one = lambda place, t: literal.haru_net(draws[place].numpy(), t, "mean", "ratio")  # noqa: E731
    expected = 2 * one(0, truth) + 3 * one(3, contour) + 0.5 * (one(1, truth) + one(2, truth) + one(4, contour))
    assert float(loss(output, Targets.of(ids))) == pytest.approx(expected, rel=1e-5)


def test_maps_that_are_smaller_than_the_truth_are_compared_as_pillow_shrinks_it():
    from PIL import Image

    rng = np.random.default_rng(5)
    ids = np.kron(rng.integers(0, 5, (2, 6, 7)), np.ones((1, 5, 5), int)).astype(np.int32)
    logits = torch.randn(2, 1, 9, 10, generator=torch.Generator().manual_seed(1))
    small = [Image.fromarray(one).resize((10, 9), Image.Resampling.NEAREST) for one in ids]
    loss = build("deep_mask_contour", pixels="mean", overlap="true_class", thickness_px=2)
    expected = loss(logits, Targets.of(torch.from_numpy(np.stack([np.asarray(one) for one in small]))))
    assert float(loss(logits, Targets.of(torch.from_numpy(ids)))) == pytest.approx(float(expected), abs=1e-6)


def test_the_dice_of_released_haru_net_is_one_minus_the_mean_probability_of_the_true_class():
    logits = torch.randn(3, 2, 6, 5, generator=torch.Generator().manual_seed(2))
    truth = torch.randint(0, 2, (3, 6, 5), generator=torch.Generator().manual_seed(3))
    p, t = logits.softmax(1), torch.nn.functional.one_hot(truth, 2).permute(0, 3, 1, 2)
    pooled = 1 - (2 * (p * t).sum() + 1e-6) / (p.sum() + t.sum() + 1e-6)  # pooled over images and classes
    ours = build("true_class")(logits[:, 1:] - logits[:, :1], Targets.of(truth))
    assert float(ours) == pytest.approx(float(pooled), abs=1e-6)


def test_other_maps_of_a_network_do_not_disturb_a_loss_of_the_mask():
    logits, target = (torch.from_numpy(one) for one in _example())
    loss, targets = build("bce_dice", smooth=1.0), Targets.of(target.int())
    assert float(loss(Maps(logits, {"contour": logits}), targets)) == float(loss(logits, targets))


def test_targets_hold_a_mask_and_the_ids_of_a_batch():
    ids = torch.tensor([[[0, 3], [70000, 0]]], dtype=torch.int32)
    for given in (ids, ids[:, None]):
        targets = Targets.of(given)
        assert torch.equal(targets.instances, ids)
        assert torch.equal(targets.mask, torch.tensor([[[[0.0, 1.0], [1.0, 0.0]]]]))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("dise", {}, "unknown loss 'dise', did you mean 'dice'. Allowed: 'bce', 'bce_dice'"),
        ("xyz", {}, "unknown loss 'xyz'"),
        ("dice", {}, "loss 'dice' needs smooth"),
        ("bce", {"smooth": 1.0}, "loss 'bce' has no option 'smooth'; it takes none"),
        ("dice", {"smoth": 1.0}, "loss 'dice' has no option 'smoth'; it takes smooth, over, squares"),
    ],
)
def test_names_and_options_that_do_not_exist_are_told_when_the_loss_is_built(name, options, message):
    with pytest.raises(ValueError, match=message):
        build(name, **options)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("dice", {"smooth": 0}, "smooth must be greater than 0, .* got 0"),
        ("bce_pixel_dice", {"smooth": 0}, "smooth must be greater than 0"),
        ("deep_mask_contour", {**DEEP, "pixels": "all"}, "pixels must be 'mean' or 'sum', got 'all'"),
        ("deep_mask_contour", {**DEEP, "overlap": "dice"}, "overlap must be 'ratio', 'summed' or 'true_class', got"),
        ("deep_mask_contour", {**DEEP, "overlap": "ratio"}, "overlap 'ratio' needs smooth"),
        ("deep_mask_contour", {**DEEP, "thickness_px": 0}, r"thickness_px must be in 1\.\.15, got 0"),
        ("dice", {"smooth": 1.0, "over": "pixel"}, "over must be 'batch' or 'image', got 'pixel'"),
        ("focal", {"alpha": 0.25, "gamma": 0.5}, "gamma must be 0 or at least 1, got 0.5"),
        ("focal", {"alpha": 2, "gamma": 2}, "alpha must be in 0..1 or None, got 2"),
        (
            "dice_jaccard",
            {"dice_smooth": 1.0, "jaccard_smooth": 1.0, "jaccard": "image"},
            "jaccard must be 'region' or 'pixel', got 'image'",
        ),
    ],
)
def test_values_that_make_no_sense_are_errors(name, options, message):
    with pytest.raises(ValueError, match=message):
        build(name, **options)(torch.zeros(1, 1, 2, 2), Targets.of(torch.zeros(1, 2, 2)))
    with pytest.raises(ValueError, match="width_px must be at least 1, got 0"):
        contour_band(torch.zeros(1, 2, 2), 0)


def test_shapes_that_differ_are_an_error():
    with pytest.raises(ValueError, match=r"logits \(2, 1\) and target \(2,\) must have the same shape"):
        bce_dice(torch.zeros(2, 1), torch.zeros(2), smooth=1.0)
