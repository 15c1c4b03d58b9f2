"""HARU-Net: counts, shapes, equations, switches, recipes; what every network must do is in test_papers.py."""

from decimal import Decimal
from functools import cache

import cv2
import numpy as np
import pytest
import torch

from histolab_lib import losses, papers
from histolab_lib.claims import claim
from histolab_lib.layers import ChannelAttention
from histolab_lib.losses import Targets
from histolab_lib.papers.haru_net import ROWS, RSU, STAGES, ContextFusion, haru_net, recipe
from histolab_lib.postprocess import by_name
from tests import base_network as base
from tests.literal import haru_net as literal

pytestmark = pytest.mark.thorough

# Trainable, and running means and variances, as counted in the released network.
RELEASED = {
    "en1": (205_504, 1_024), "en2": (305_280, 1_152), "en3": (1_107_968, 2_048), "en4": (3_984_896, 3_584),
    "en5": (10_032_128, 5_120), "en6": (10_032_128, 5_120), "de5": (12_391_424, 5_120), "de4": (4_278_784, 2_560),
    "de3": (1_181_184, 1_536), "de2": (323_456, 896), "de1": (138_880, 640),
    "attention": (610 + 2_146 + 8_290 + 32_866 + 16_384, 0), "mask": (27_660 + 188, 0), "contour": (27_660 + 188, 0),
}  # fmt: skip
CODE = {"reading": "code"}


def on_meta(**options):
    with torch.device("meta"):
        return haru_net(**options)


def counts(part):
    statistics = sum(b.numel() for name, b in part.named_buffers() if "running" in name)
    return sum(p.numel() for p in part.parameters()), statistics


def test_the_released_network_has_44097624_parameters_stage_by_stage():
    network = on_meta(**CODE)
    assert {name: counts(part) for name, part in network.named_children()} == RELEASED
    assert counts(network) == (44_097_624, 28_800)
    assert sum(counts(network)) == 44_126_424
    assert [counts(one)[0] for one in network.attention] == [610, 2_146, 8_290, 32_866, 16_384]


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ({**CODE, **ROWS["rsu"]}, 44_037_004),
        ({**CODE, **ROWS["rsu__cf"]}, 44_037_328),
        ({**CODE, **ROWS["rsu__cbam"]}, 44_097_300),
        ({**CODE, **ROWS["rsu__cbam__cf"]}, 44_097_624),
        ({}, 44_069_866),  # of one class: half of the side maps' 55,320, and 139 in place of 188 in a fusion
        ({"contour": False}, 44_069_866 - 13_830 - 139),
        ({"deep_attention": "cbam"}, 44_069_866 - 16_384 + 32_866),
    ],
)
def test_each_row_of_the_ablation_has_the_parameters_counted_by_hand(options, parameters):
    assert counts(on_meta(**options))[0] == parameters


def test_without_u_blocks_a_stage_is_two_convolutions_and_all_around_it_stays():
    plain, nested = on_meta(**ROWS["unet"]), on_meta(**ROWS["rsu"])
    for stage in STAGES:
        by_hand = 9 * (stage.inside * stage.outside + stage.outside**2) + 4 * stage.outside
        assert counts(getattr(plain, stage.name))[0] == by_hand
    rest = [[counts(part) for name, part in one.named_children() if name[:2] not in ("en", "de")] for one in
            (plain, nested)]  # fmt: skip
    assert rest[0] == rest[1]


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_a_u_block_has_the_parameters_of_its_table(stage):
    inside, middle, outside = stage.inside, stage.middle, stage.outside
    steps = stage.height - 1  # down; as many up, and one at the bottom
    pairs = [(inside, outside), (outside, middle), *[(middle, middle)] * steps]
    pairs += [(2 * middle, middle)] * (steps - 1) + [(2 * middle, outside)]
    with torch.device("meta"):
        block = RSU(*stage[1:])
    assert counts(block)[0] == sum(9 * one * other + 2 * other for one, other in pairs)


def shapes_of(network, size_px):
    """Sizes of the maps of all stages, attended skips and branches, computed without computing anything."""
    seen = {}
    for name, part in network.named_modules():
        if name in RELEASED or (name.startswith("attention.") and name.count(".") == 1):
            part.register_forward_hook(lambda _, __, out, name=name: seen.update({name: out}))
    output = network(torch.empty(2, 3, size_px, size_px, device="meta"))
    return {name: tuple(out.shape[1:]) for name, out in seen.items() if isinstance(out, torch.Tensor)}, output


@pytest.mark.parametrize(
    ("size_px", "sides"),
    [(256, (256, 128, 64, 32, 16, 8)), (1000, (1000, 500, 250, 125, 63, 32)), (300, (300, 150, 75, 38, 19, 10))],
)
@pytest.mark.parametrize("reading", ["paper", "code"])
def test_every_map_has_the_size_of_its_level(reading, size_px, sides):
    found, output = shapes_of(on_meta(reading=reading), size_px)
    channels = {stage.name: stage.outside for stage in STAGES}
    for level, side in enumerate(sides, 1):
        assert found[f"en{level}"] == (channels[f"en{level}"], side, side)
        if level < 6:
            assert found[f"de{level}"] == (channels[f"de{level}"], side, side)
            assert found[f"attention.{level - 1}"] == (channels[f"en{level}"], side, side)
    assert output.mask.shape == (2, 1, size_px, size_px)
    sides_of = [f"{branch}_{level}" for branch in ("mask", "contour") for level in range(6, 0, -1)]
    assert sorted(output.extra) == sorted(["contour", *sides_of])
    assert {tuple(one.shape) for one in output.extra.values()} == {(2, 1, size_px, size_px)}


def test_inside_a_u_block_pooling_halves_the_size_and_flat_ones_double_the_dilation():
    for stage, sides, dilations in (
        (STAGES[0], [64, 32, 16, 8, 4, 2, 2], [1, 1, 1, 1, 1, 1, 2]),
        (STAGES[4], [64, 64, 64, 64], [1, 2, 4, 8]),
    ):
        with torch.device("meta"):
            block = RSU(*stage[1:])
        seen: list[tuple[int, int]] = []
        for name, part in block.named_modules():
            if isinstance(part, torch.nn.Conv2d) and ".up." not in name and not name.startswith("enter"):
                part.register_forward_hook(lambda one, _, out, seen=seen: seen.append((out.shape[2], one.dilation[0])))
        block(torch.empty(1, stage.inside, 64, 64, device="meta"))
        assert seen == list(zip(sides, dilations, strict=True))


def test_with_fewer_encoders_the_deepest_stages_are_left_out_and_the_rest_stays():
    whole, shallow = haru_net(width=0.0625), haru_net(width=0.0625, depth=3)
    names = {name for name, _ in shallow.named_children()}
    assert names == {"en1", "en2", "en3", "de2", "de1", "attention", "mask", "contour"}
    assert len(shallow.attention) == 2
    for name in ("en1", "en2", "en3", "de1"):
        assert counts(getattr(shallow, name)) == counts(getattr(whole, name))
    assert shallow.de2.enter[0].in_channels == 16 + 8  # of en3, where the whole network has as many from de3
    output = shallow(torch.rand(2, 3, 37, 50))
    assert set(output.extra) == {"contour", *(f"{of}_{level}" for of in ("mask", "contour") for level in (1, 2, 3))}
    assert output.mask.shape == (2, 1, 37, 50)


def test_side_maps_are_there_in_training_alone():
    network = haru_net(width=0.125)
    images = torch.rand(2, 3, 33, 20)
    assert len(network(images).extra) == 13
    assert list(network.eval()(images).extra) == ["contour"]
    assert list(haru_net(width=0.125, contour=False).eval()(images).extra) == []


def test_what_the_network_sees_is_shrunk_as_pillow_does_it():
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 256, (51, 34, 3), dtype=np.uint8)
    network = haru_net(width=0.125, scale=0.3, reading="code")
    seen = []
    network.en1.register_forward_hook(lambda _, given, __: seen.append(given[0]))
    images = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
    small = network(torch.cat([images, images]))
    theirs = np.asarray(Image.fromarray(pixels).resize((10, 15), Image.Resampling.BICUBIC)) / 255
    np.testing.assert_allclose(seen[0][0].permute(1, 2, 0).numpy(), theirs, atol=1.01 / 255)
    assert {tuple(one.shape) for one in (small.mask, *small.extra.values())} == {(2, 1, 15, 10)}
    large = network.eval()(images)
    assert large.mask.shape == large.extra["contour"].shape == (1, 1, 51, 34)


def test_two_classes_become_the_difference_whose_sigmoid_is_their_softmax():
    network = haru_net(width=0.125, reading="code").eval()
    seen = []
    network.mask.fuse.register_forward_hook(lambda _, __, out: seen.append(out))
    with torch.inference_mode():
        mask = network(torch.rand(1, 3, 32, 32)).mask
    torch.testing.assert_close(mask.sigmoid(), seen[0].softmax(1)[:, 1:])


@pytest.mark.parametrize("reading", ["paper", "code"])
def test_context_fusion_is_its_words_in_numpy(reading):
    classes = 2 if reading == "code" else 1
    torch.manual_seed(0)
    block = ContextFusion(6 * classes, classes, reading)
    maps = torch.randn(2, 6 * classes, 5, 4)
    weights = {name: p.detach().numpy() for name, p in block.named_parameters()}
    expected = literal.context_fusion(maps.numpy(), weights, separately=reading == "paper")
    np.testing.assert_allclose(block(maps).detach().numpy(), expected, atol=1e-5)


@pytest.mark.parametrize(("height", "flat"), [(4, False), (4, True), (7, False), (2, False)])
def test_a_u_block_is_its_figure_step_by_step(height, flat):
    torch.manual_seed(0)
    block = RSU(height, flat, 3, 2, 5).eval()
    x = torch.randn(2, 3, 51, 34)
    with torch.inference_mode():
        expected = literal.u_block(block, x, height=height, flat=flat)
        torch.testing.assert_close(block(x), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "touched"),
    [
        ({"attention": False}, {"attention"}),
        ({"fusion": "plain"}, {"mask.fuse", "contour.fuse"}),
        ({"deep_attention": "cbam"}, {"attention.4"}),
        ({"contour": False}, {"contour"}),
        ({"rsu": False}, {stage.name for stage in STAGES}),
        (CODE, {"mask", "contour"}),
    ],
)
def test_a_switch_changes_what_it_names_and_nothing_else(change, touched):
    base, other = (
        {name: tuple(p.shape) for name, p in on_meta(**options).named_parameters()} for options in ({}, change)
    )
    differing = {name for name in base.keys() | other.keys() if base.get(name) != other.get(name)}
    assert differing
    assert all(any(name.startswith(f"{part}.") for part in touched) for name in differing)
    assert all(any(name.startswith(f"{part}.") for name in differing) for part in touched)


def test_without_attention_skips_go_on_as_they_are():
    network, images = haru_net(width=0.125, seed=3).eval(), torch.rand(1, 3, 40, 40)
    plain = haru_net(width=0.125, attention=False).eval()
    assert plain.load_state_dict(network.state_dict(), strict=False).missing_keys == []
    with torch.inference_mode():
        assert not torch.equal(network(images).mask, plain(images).mask)
        for one in network.attention:
            one.register_forward_hook(lambda _, given, __: given[0])
        assert torch.equal(network(images).mask, plain(images).mask)


@pytest.mark.parametrize("variant", ["paper", "code", *ROWS])
def test_gradients_of_its_loss_reach_every_parameter(variant):
    made = recipe(variant if variant in ("paper", "code") else "paper", variant if variant in ROWS else "base")
    options = {**made.network, **({"reading": "code"} if made.reading == "code" else {})}
    network = haru_net(**{**options, "width": 0.25, "scale": 1.0})
    for part in network.modules():
        if isinstance(part, ChannelAttention):  # so narrow, all of its few units may sleep
            part.shared[0].weight.data.abs_()
    ids = torch.zeros(2, 96, 96, dtype=torch.int32)
    ids[:, 10:40, 10:40], ids[:, 40:70, 20:50] = 1, 2
    loss = losses.build(made.loss, **made.loss_options)
    loss(network(torch.rand(2, 3, 96, 96)), Targets.of(ids)).backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reading": "clean"}, "unknown reading 'clean'"),
        ({"deep_attention": "none"}, "unknown deep_attention 'none'. Allowed: 'channel', 'cbam'"),
        ({"fusion": "cf"}, "unknown fusion 'cf'"),
        ({"width": 0}, "width must be above 0, and scale above 0 and at most 1, got 0 and 1.0"),
        ({"scale": 2}, "got 1.0 and 2"),
        ({"depth": 1}, r"depth must be in 2\.\.6, got 1"),
        ({"depth": 7}, r"depth must be in 2\.\.6, got 7"),
    ],
)
def test_options_that_do_not_exist_are_errors(options, message):
    with pytest.raises(ValueError, match=message):
        haru_net(**options)


def test_the_recipe_of_the_paper_says_what_its_section_4_3_prints():
    made = recipe("paper")
    printed = {
        "lr": "haru_net/section-4.3/sgd/train/learning_rate",
        "crop_px": "haru_net/section-4.3/network-input/monuseg/all/width_px",
        "batch_size": "haru_net/section-4.3/monuseg/train/batch_size",
    }
    for name, key in printed.items():
        assert Decimal(str(getattr(made, name))) == claim(key).number
    assert made.optimiser == "sgd"
    epochs = claim("haru_net/section-4.3/train/iterations").number
    for data in ("monuseg", "tnbc"):
        section = {"monuseg": "4.4.1", "tnbc": "4.4.3"}[data]
        files, tiles = (
            claim(f"haru_net/section-{section}/{row}{data}/train/images").number for row in ("augmented/", "")
        )
        assert made.epochs == epochs * files / tiles
    assert dict(made.postprocess_options) == {"connectivity": 8}


def test_the_recipe_of_the_code_is_the_released_one():
    made = recipe("code")
    assert (made.optimiser, made.lr, made.weight_decay, made.momentum, made.batch_size, made.clip_norm) == (
        "rmsprop", 1e-5, 1e-8, 0.999, 2, 1.0,
    )  # fmt: skip
    assert dict(made.network) == {"scale": 0.3}
    assert made.postprocess_options["rounds"] == 6
    assert made.augment == "haru_net_code"
    assert made.loss_options["overlap"] == "true_class"


VARIANTS = [*ROWS, "cbam_deepest", "summed_dice", "mean", "thick", "six_rounds", "eroded", "batch_12", "cpm17"]
VARIANTS += ["mask_alone", "rsu__cf__thick"]


@cache
def builds(reading, options):
    with torch.device("meta"):
        return papers.build("haru_net", reading=reading, **dict(options), width=0.0625)


@pytest.mark.parametrize("reading", ["paper", "code"])
@pytest.mark.parametrize("variant", ["base", *VARIANTS])
def test_a_recipe_names_what_there_is(reading, variant):
    made = papers.recipe("haru_net", reading, variant)
    assert (made.key, made.reading, made.variant) == ("haru_net", reading, variant)
    losses.build(made.loss, **made.loss_options)
    assert builds(reading, tuple(made.network.items()))
    maps = {"mask": np.full((24, 24), 0.9), "contour": np.zeros((24, 24))}
    instances = by_name(made.postprocess)(maps, thresholds=made.thresholds, **made.postprocess_options)
    assert (instances == 1).all()


def test_variants_that_differ_in_name_differ_in_settings():
    digests = [recipe("paper", variant).digest() for variant in ("base", *VARIANTS)]
    assert len(set(digests)) == len(digests)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_changes_its_fields_alone(variant):
    base, other = (recipe("paper", name).settings() for name in ("base", variant))
    changed = {name for name in base if base[name] != other[name]} - {"variant", "sources"}
    rows = {"network", "postprocess", "postprocess_options", "thresholds"}
    expected = {
        "cbam_deepest": {"network"},
        "summed_dice": {"loss_options"},
        "mean": {"loss_options", "clip_norm"},
        "thick": {"loss_options"},
        "six_rounds": {"postprocess_options"},
        "eroded": {"postprocess_options"},
        "batch_12": {"batch_size", "crop_px"},
        "cpm17": {"batch_size", "crop_px", "patches", "augment"},
        "rsu__cf__thick": rows | {"loss_options"},
        "rsu__cbam__cf": rows - {"network"},
    }
    assert changed == expected.get(variant, rows)


def test_variants_that_do_not_exist_are_told_which_there_are():
    with pytest.raises(ValueError, match=r"unknown row of Table 5 'unet__cf', .* Allowed: 'unet', 'rsu', 'rsu__cf'"):
        recipe("paper", "unet__cf")
    with pytest.raises(ValueError, match="unknown variant of 'haru_net' 'thik', did you mean 'thick'"):
        recipe("paper", "thik")


@pytest.mark.real
def test_quotations_of_the_recipes_stand_in_the_text(papers):
    text = " ".join((papers / "haru_net.txt").read_text(encoding="utf-8").replace("-\n", "").split())
    sources = [s for name in ("base", *VARIANTS) for s in recipe("paper", name).sources.values()]
    quoted = {quote for source in sources for quote in source.split('"')[1::2]}
    assert len(quoted) >= 8
    assert [quote for quote in quoted if quote not in text] == []


def test_the_contours_that_released_code_draws_are_ours_but_for_the_cast_to_8_bits():
    ids = np.kron(np.random.default_rng(1).permutation(600)[:300].reshape(15, 20), np.ones((5, 4), int))
    released = cv2.dilate(cv2.Canny((ids % 256).astype(np.uint8), 0, 1), np.ones((2, 2), np.uint8)) > 0
    given = torch.from_numpy(ids)[None]
    np.testing.assert_array_equal(losses.canny_contour_8_bit(given, 2)[0, 0].numpy(), released)
    assert (losses.canny_contour(given, 2)[0, 0].numpy() != released).any()


# A network of 44 million parameters: a minute or two on one core.
@pytest.mark.slow
@pytest.mark.parametrize("reading", ["paper", "code"])
def test_at_its_published_width_it_learns_four_patches_by_heart(reading):
    made = recipe(reading)
    loss = losses.build(made.loss, **{**made.loss_options, "pixels": "mean"})
    assert base.learned_by_heart(haru_net(reading=reading), loss) > 0.95


@pytest.mark.slow
def test_as_printed_it_leaves_all_numbers_behind_within_ten_steps():
    images, ids = (one.repeat_interleave(2, -1).repeat_interleave(2, -2) for one in base.four_patches())  # of 128 px
    made = recipe("paper")
    network = haru_net().to(memory_format=torch.channels_last)
    loss = losses.build(made.loss, **made.loss_options)
    optimiser = torch.optim.SGD(network.parameters(), lr=made.lr, momentum=made.momentum)
    seen = []
    while len(seen) < 10 and np.isfinite(seen).all():
        optimiser.zero_grad()
        value = loss(network(images), Targets.of(ids))
        value.backward()
        optimiser.step()
        seen.append(value.item())
    assert np.isfinite(seen[:-1]).all()
    assert not np.isfinite(seen[-1])
