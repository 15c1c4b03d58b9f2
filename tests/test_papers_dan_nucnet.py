"""DAN-NucNet: counts, shapes, gates, readings, switches, recipes; what every network must do is in test_papers.py."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from histolab_lib import losses, papers
from histolab_lib.augment import RECIPES
from histolab_lib.claims import claim, load_claims, variants_of
from histolab_lib.inference import predict
from histolab_lib.layers import keras_normal, keras_uniform
from histolab_lib.losses import Targets
from histolab_lib.papers.dan_nucnet import (
    COMBINATIONS,
    ROWS,
    ChannelGate,
    DualGate,
    ResidualBlock,
    SpatialGate,
    count_parameters,
    dan_nucnet,
    recipe,
)
from histolab_lib.papers.registry import networks
from histolab_lib.patches import SCHEMES
from histolab_lib.postprocess import by_name
from histolab_lib.tile import Tile
from histolab_lib.training import SCHEDULES, Data, Schedule, fit
from histolab_lib.training import run as running
from histolab_lib.training.tiles import read_tiles
from histolab_lib.wanted import read_queue
from tests import base_network as base
from tests.books import ROOT
from tests.layouts import write_cpm17, write_pannuke
from tests.literal import dan_nucnet as literal

pytestmark = [pytest.mark.thorough, pytest.mark.slow]  # large networks

NARROW = (16, 32, 48, 64, 80)
PRINTED = "dan_nucnet/section-6.1/proposed/parameters"


def on_meta(**options):
    with torch.device("meta"):
        return dan_nucnet(**options)


def count(*parts):
    return sum(p.numel() for part in parts for p in part.parameters())


def statistics(part):
    return sum(b.numel() for name, b in part.named_buffers() if name.endswith(("running_mean", "running_var")))


def arrays(part):
    return [value.detach().numpy() for value in part.state_dict().values()]


# ---- counts


def test_the_released_network_has_its_parameters_stage_by_stage():
    network = on_meta(reading="code")
    assert [(count(one), statistics(one)) for one in network.encoder] == [
        (29_280, 256), (119_616, 512), (476_800, 1_024), (1_903_872, 2_048),
    ]  # fmt: skip
    assert [count(one) for one in network.bottleneck] == [1_180_160, 2_359_808 + 1_024]
    assert [count(one) for one in network.up] == [1_179_904, 295_040, 73_792, 18_464]
    assert [(count(one), statistics(one)) for one in network.gates] == [
        (1_202_374, 512), (301_078, 256), (75_550, 128), (19_066, 64),
    ]  # fmt: skip
    assert [count(network.head[0]), count(network.head[1])] == [9_248, 33]
    groups = (network.encoder, network.bottleneck, network.up, network.gates, network.head)
    assert [(count(one), statistics(one)) for one in groups] == [
        (2_529_568, 3_840), (3_540_992, 1_024), (1_567_200, 0), (1_598_068, 960), (9_281, 0),
    ]  # fmt: skip
    assert (count(network), statistics(network)) == (9_245_109, 5_824)
    assert count_parameters(reading="code").with_statistics == 9_250_933


def test_the_network_of_the_text_has_its_parameters_stage_by_stage():
    network = on_meta()

    def block(c, f):  # 1x1, 3x3 with norm, 1x1, shortcut, 3x3 of 2F with norm
        return (c * f + f) + (9 * f * f + 3 * f) + (f * f + f) + (c * f + f) + (18 * f * f + 3 * f)

    def gate(f):  # two of Eq. 3, Eq. 2 with two convolutions behind the inner sums, fusion with norm
        few = f // 8
        return 2 * (f + 1) + 4 * (f * few + few) + 2 * (few * few + few) + (few * f + f) + (18 * f * f + 3 * f)

    assert [count(one) for one in network.encoder] == [
        block(*pair) for pair in ((3, 32), (32, 64), (64, 128), (128, 256))
    ]
    assert [count(one) for one in network.gates] == [gate(f) for f in (256, 128, 64, 32)]
    assert (count(network), statistics(network)) == (9_272_209, 3_904)


@pytest.mark.parametrize(
    ("options", "learned"),
    [
        ({"spatial": False}, 9_272_209 - sum(2 * (f + 1) for f in (32, 64, 128, 256))),
        (
            {"channel": False},
            9_272_209
            - sum(4 * (f * f // 8 + f // 8) + 2 * (f * f // 64 + f // 8) + f * f // 8 + f for f in (32, 64, 128, 256)),
        ),
        ({"pool": "global"}, 9_272_209),
        ({"spatial_conv": True}, 9_272_209 + 8 * 50),
        ({"reading": "code", "spatial_conv": False}, 9_245_109 - 8 * 50),
    ],
)
def test_each_build_has_the_parameters_counted_by_hand(options, learned):
    assert count_parameters(**options).learned == learned


def test_without_residual_blocks_there_are_two_convolutions_at_each_size():
    network = on_meta(residual=False)
    pairs = ((3, 32), (32, 64), (64, 128), (128, 256))
    assert [count(one) for one in network.encoder] == [9 * c * f + f + 9 * f * f + 3 * f for c, f in pairs]
    assert count(network.gates, network.up, network.head, network.bottleneck) == 9_272_209 - 2_527_648


def test_every_build_of_the_register_is_counted():
    built = {variant: count_parameters(**options).learned for variant, options in networks()["dan_nucnet"].rows.items()}
    assert (built["base"], built["seven"], built["code"]) == (9_272_209, 9_272_609, 9_245_109)
    assert built["plain_skips"] == built["no_spatial"] + built["no_channel"] - built["base"]
    assert built["code__no_residual"] < built["code__no_channel"] < built["code__no_spatial"] < built["code"]
    assert built["global_pool"] == built["base"] < built["concatenate"]
    assert 3.9 < built["base"] / built["filters16"] < 4.1


def test_one_of_all_combinations_rounds_to_the_printed_count_and_two_are_cut_off_to_it():
    one = claim(PRINTED)
    low, high = (float(end) * 1e6 for end in one.interval)
    counted = {number: count_parameters(**options) for number, options in enumerate(COMBINATIONS)}
    assert len(COMBINATIONS) == len({tuple(options.items()) for options in COMBINATIONS}) == 64
    text = {"block": "paper", "reduction": 8, "join": "add", "mid_conv": True}
    first, second = ({"filters": (32, 64, 128, 256, 512), **text, "spatial_conv": seven} for seven in (False, True))

    def within(low, high):
        return [dict(COMBINATIONS[number]) for number, found in counted.items() for n in found if low <= n < high]

    assert within(low, high) == [first]
    assert within(9_276_000, 9_277_000) == [first, second]
    assert count_parameters(**first) == count_parameters() == (9_272_209, 9_276_113)
    assert count_parameters(**second) == (9_272_609, 9_276_513)
    assert networks()["dan_nucnet"].printed == {"base": PRINTED}
    for number, found in counted.items():  # with the figure's widths a quarter
        small = COMBINATIONS[number]["filters"][0] == 16
        assert (2.31e6 < found.learned < 2.34e6) if small else (9.24e6 < found.learned < 9.311e6)


# ---- shapes


@pytest.mark.parametrize("size", [(256, 256), (512, 512), (96, 160)])
@pytest.mark.parametrize("reading", ["paper", "code"])
def test_every_map_has_the_size_of_the_table(reading, size):
    network, seen = on_meta(reading=reading), {}
    for name, part in network.named_modules():
        part.register_forward_hook(lambda _, __, out, name=name: seen.update({name: out}))
    output = network(torch.empty(2, 3, *size, device="meta"))
    expected = {
        "encoder.0": (32, 1), "encoder.1": (64, 2), "encoder.2": (128, 4), "encoder.3": (256, 8),
        "bottleneck": (512, 16), "up.0": (256, 8), "gates.0": (256, 8), "gates.0.channel": (256, 8),
        "gates.0.spatial": (1, 8), "up.1": (128, 4), "gates.1": (128, 4), "up.2": (64, 2), "gates.2": (64, 2),
        "up.3": (32, 1), "gates.3": (32, 1), "gates.3.channel": (32, 1), "gates.3.spatial": (1, 1), "head": (1, 1),
    }  # fmt: skip
    found = {name: tuple(seen[name].shape) for name in expected}
    assert found == {name: (2, c, size[0] // r, size[1] // r) for name, (c, r) in expected.items()}
    assert tuple(output.shape) == (2, 1, *size)
    few = 256 // (8 if reading == "paper" else 16)
    assert tuple(seen["gates.0.channel.of_skip"].shape) == (2, few, size[0] // 8, size[1] // 8)


# ---- gates and blocks


def _double(part):
    """The part in float64, its weights far from those of a start."""
    torch.manual_seed(0)
    for p in part.parameters():
        torch.nn.init.normal_(p, std=0.3)
    return part.double()


def _maps(channels, seed=0):
    skip, below = torch.randn(2, 1, channels, 6, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return skip, below, *(one[0].permute(1, 2, 0).numpy() for one in (skip, below))


def _last(found):
    return found[0].permute(1, 2, 0).detach().numpy()


def test_the_gates_of_the_released_code_are_their_formulas_in_numpy():
    with torch.random.fork_rng():
        spatial, channel = _double(SpatialGate(32, True)), _double(ChannelGate(32, 16))
    skip, below, e, d = _maps(32)
    places = literal.spatial_gate(literal.Weights(arrays(spatial)), e, d)
    channels = literal.channel_gate(literal.Weights(arrays(channel)), e, d)
    np.testing.assert_allclose(_last(spatial(skip, below)), places, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(_last(channel(skip, below)), channels, rtol=1e-9, atol=1e-12)
    refined = DualGate(32, spatial, channel).double().refined(skip, below)
    np.testing.assert_allclose(_last(refined), e * places * channels, rtol=1e-9, atol=1e-12)


def _flat(conv, x):
    """A 1x1 convolution of (H, W, C)."""
    return x @ conv.weight.detach().numpy()[:, :, 0, 0].T + conv.bias.detach().numpy()


@pytest.mark.parametrize("join", ["add", "concatenate"])
@pytest.mark.parametrize("mid_conv", [True, False])
@pytest.mark.parametrize("pool", ["local", "global"])
def test_the_channel_gate_of_the_text_is_equation_2_in_numpy(pool, join, mid_conv):
    with torch.random.fork_rng():
        gate = _double(ChannelGate(16, 8, pool=pool, join=join, mid_conv=mid_conv))
    skip, below, e, d = _maps(16, 1)

    def joined(a, b):
        return a + b if join == "add" else np.concatenate([a, b], axis=-1)

    def pooled(x, how):
        return literal.pool(x, 1, how) if pool == "local" else how(x, axis=(0, 1))[None, None]

    a = joined(_flat(gate.mean_of_skip, pooled(e, np.mean)), _flat(gate.maximum_of_skip, pooled(e, np.max)))
    b = joined(_flat(gate.mean_of_below, pooled(d, np.mean)), _flat(gate.maximum_of_below, pooled(d, np.max)))
    if mid_conv:
        a, b = _flat(gate.of_skip, a), _flat(gate.of_below, b)
    expected = literal.sigmoid(_flat(gate.last, joined(a, b)))
    np.testing.assert_allclose(_last(gate(skip, below)), expected, rtol=1e-9, atol=1e-12)


def test_the_spatial_gate_of_the_text_is_equation_3_in_numpy():
    with torch.random.fork_rng():
        gate = _double(SpatialGate(8))
    skip, below, e, d = _maps(8, 2)
    c, d = (
        _flat(way[0], literal.pool(literal.pool(x, 1, np.mean), 1, np.max))
        for way, x in ((gate.of_skip, e), (gate.of_below, d))
    )
    np.testing.assert_allclose(_last(gate(skip, below)), literal.sigmoid(c + d), rtol=1e-9, atol=1e-12)


def test_the_channel_gate_is_local_a_place_decides_about_places_next_to_it_alone():
    skip, below, *_ = _maps(16, 3)
    moved = skip.clone()
    moved[0, :, 3, 2] += 5
    for pool, changed in (("local", {(2, 1), (2, 2), (3, 1), (3, 2)}), ("global", None)):
        with torch.random.fork_rng():
            gate = _double(ChannelGate(16, 8, pool=pool))
        apart = (gate(skip, below) - gate(moved, below))[0].abs().amax(0)
        if changed is None:
            assert apart.shape == (1, 1)
            assert apart.item() > 0
        else:
            assert {tuple(place) for place in apart.nonzero().tolist()} == changed


def test_the_residual_block_of_the_text_is_equation_1():
    with torch.random.fork_rng():
        block = _double(ResidualBlock(3, 8)).eval()
    x = torch.randn(1, 3, 5, 6, dtype=torch.float64)
    first, second, third = block.main
    x0 = block.shortcut(x)
    c0 = first[0](x).relu()
    x1 = third[0](second[2](second[0](c0).relu())).relu()
    expected = block.join[2](block.join[0](torch.cat([x1, x0], 1)).relu())
    torch.testing.assert_close(block(x), expected)
    assert [type(part).__name__ for part in (*first, *third)] == ["Conv2d", "ReLU"] * 2
    assert x0.min() < 0  # no activation on the shortcut
    code = ResidualBlock(3, 8, "code")
    norms = sum(isinstance(part, torch.nn.BatchNorm2d) for part in code.modules())
    assert (norms, len(code.join), len(code.shortcut)) == (4, 2, 3)


def test_the_released_network_is_its_description_layer_by_layer():
    network = base.settled(dan_nucnet(reading="code", seed=3)).double()
    images = base.images(1, 48, 32).double()
    parts = [network.encoder, network.bottleneck, network.up, network.gates, network.head]
    expected = literal.network(*(arrays(part) for part in parts), images[0].permute(1, 2, 0).numpy())
    (found,) = base.run(network, images)
    np.testing.assert_allclose(found[0, 0].numpy(), expected, rtol=0, atol=1e-9 * np.abs(expected).max())


def test_released_weights_start_as_keras_starts_them():
    network = dan_nucnet(reading="code")
    norms = [part for part in network.modules() if isinstance(part, torch.nn.BatchNorm2d)]
    assert {(one.eps, one.momentum) for one in norms} == {(1e-3, 0.5)}
    assert [one.bias[0].item() for one in norms].count(0) == 1  # the bottleneck's
    assert {round(one.bias[0].item(), 3) for one in norms} == {0, 0.01}
    convs = [part for part in network.modules() if isinstance(part, torch.nn.Conv2d)]
    plain = [network.head[0][0], network.head[1], *network.up]
    assert all(not one.bias.any() for one in plain)
    assert all((one.bias == 0.1).all() for one in convs if not any(one is other for other in plain))
    for conv, most in ((network.encoder[3].join[0], 2 / 0.8796), (network.bottleneck[1][0], 2 / 0.8796)):
        sd = math.sqrt(2 / (9 * sum(conv.weight.shape[:2])))
        assert float(conv.weight.detach().std()) == pytest.approx(sd, rel=0.01)
        assert 0.98 * most * sd < float(conv.weight.detach().abs().max()) <= most * sd * (1 + 1e-4)
    up = network.up[0]
    edge = math.sqrt(6 / (9 * (512 + 256)))
    assert float(up.weight.detach().abs().max()) == pytest.approx(edge, rel=1e-3)
    unused = dan_nucnet(reading="code", residual=False)
    assert {one[1][2].bias[0].item() for one in unused.encoder} == {0.0}


def test_keras_weights_are_those_of_keras_for_any_kernel():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        conv, turned = torch.nn.Conv2d(100, 50, 3), torch.nn.ConvTranspose2d(100, 50, 3, bias=False)
        keras_normal(conv, bias=0.1)
        keras_uniform(turned)
    assert float(conv.weight.detach().std()) == pytest.approx(math.sqrt(2 / 1350), rel=0.02)
    assert float(turned.weight.detach().std()) == pytest.approx(math.sqrt(2 / 1350), rel=0.02)
    assert turned.bias is None


# ---- the loss


def _literally(p, t, smooth_d=1.0, smooth_j=100.0, pixel=True):
    """Equation 5 as it is written and as it was released, with no care for 0 / 0."""
    d = 1 - (2 * (p * t).sum() + smooth_d) / (p.sum() + t.sum() + smooth_d)
    if pixel:
        j = smooth_j * (1 - (p * t + smooth_j) / (p + t - p * t + smooth_j))
    else:
        j = 1 - (p * t).sum() / (p + t - p * t).sum()
    with np.errstate(invalid="ignore"):
        return np.mean(d * j / (d + j))


@pytest.mark.parametrize("pixel", [True, False])
def test_the_literal_loss_is_no_number_at_perfection_and_ours_is_0(pixel):
    made = recipe("code" if pixel else "paper")
    loss = losses.build(made.loss, **made.loss_options)
    truth = np.zeros((2, 1, 8, 8))
    truth[0, 0, 2:6, 2:6] = 1
    assert np.isnan(_literally(truth, truth, pixel=pixel))
    logits = torch.from_numpy(400 * (truth - 0.5)).float().requires_grad_()
    found = loss(logits, Targets.of(torch.from_numpy(truth[:, 0]).int()))
    found.backward()
    assert found.item() == 0
    assert logits.grad.isfinite().all()
    soft = np.clip(truth, 0.1, 0.8)
    near = loss(torch.from_numpy(soft).logit().float(), Targets.of(torch.from_numpy(truth[:, 0]).int()))
    smooth = {"smooth_d": 1.0, "smooth_j": 100.0} if pixel else {"smooth_d": 1.0}
    tolerance = 1e-5 if pixel else 0.05  # one pixel is added to ours
    assert near.item() == pytest.approx(_literally(soft, truth, pixel=pixel, **smooth), rel=tolerance)


# ---- switches


@pytest.mark.parametrize(
    ("change", "touched"),
    [
        ({"spatial": False}, {"spatial"}),
        ({"channel": False}, {"channel"}),
        ({"residual": False}, {"encoder"}),
        ({"block": "code"}, {"encoder"}),
        ({"reduction": 16}, {"channel"}),
        ({"pool": "global"}, set()),
        ({"join": "concatenate"}, {"channel"}),
        ({"mid_conv": False}, {"channel"}),
        ({"spatial_conv": True}, {"spatial"}),
        ({"inputs": "optical_density"}, set()),
    ],
)
def test_a_switch_changes_what_it_names_and_nothing_else(change, touched):
    made, other = (
        {name: tuple(p.shape) for name, p in on_meta(**options).named_parameters()} for options in ({}, change)
    )
    differing = {name for name in made.keys() | other.keys() if made.get(name) != other.get(name)}
    assert {name.split(".")[2 if name.startswith("gates") else 0] for name in differing} == touched


def test_switches_without_parameters_change_the_map():
    images, made = base.images(1, 64, 64), base.settled(dan_nucnet(filters=NARROW))
    (plain,) = base.run(made, images)
    for change in ({"pool": "global"}, {"inputs": "optical_density"}):
        other = dan_nucnet(filters=NARROW, **change)
        other.load_state_dict(made.state_dict(), strict=True)
        assert not torch.allclose(base.run(other, images)[0], plain), change


@pytest.mark.parametrize("reading", ["paper", "code"])
@pytest.mark.parametrize("row", [row for row in ROWS if row not in ("base", "bce")])
def test_gradients_of_its_loss_reach_every_parameter(reading, row):
    made = recipe(reading, row)
    network = dan_nucnet(reading=reading, filters=NARROW, **made.network)
    ids = torch.zeros(2, 64, 96, dtype=torch.int32)
    ids[:, 10:40, 10:40], ids[:, 40:60, 50:70] = 1, 2
    losses.build(made.loss, **made.loss_options)(network(base.images(2, 64, 96)), Targets.of(ids)).backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_a_gate_that_is_shut_leaves_what_comes_from_below():
    network = base.settled(dan_nucnet(filters=NARROW))
    images = base.images(1, 64, 64)
    gate = network.gates[-1]
    skip, below = torch.randn(2, 1, 16, 8, 8, generator=torch.Generator().manual_seed(0))
    for part, conv in ((gate.spatial, gate.spatial.of_skip[0]), (gate.channel, gate.channel.last)):
        torch.nn.init.zeros_(conv.weight)
        torch.nn.init.constant_(conv.bias, -1e4)
        assert not part(skip, below).any()
    assert not gate.refined(skip, below).any()
    with torch.inference_mode():
        empty = gate.fuse(torch.cat([0 * skip, below], 1))
        torch.testing.assert_close(gate(skip, below), empty)
    assert base.run(network, images)[0].isfinite().all()


def test_an_image_of_any_size_is_predicted_in_the_windows_of_the_paper():
    network = base.settled(dan_nucnet(filters=NARROW))
    image = (base.images(1, 70, 90)[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    whole, windows = predict(network, image), predict(network, image, window_px=32, overlap_px=0)
    assert whole.shape == windows.shape == (70, 90)
    assert not np.array_equal(whole, windows)


# torch 2.13's own exporter uses LeafSpec, which the same version deprecates; goes with the next torch.
@pytest.mark.filterwarnings("ignore:`isinstance\\(treespec, LeafSpec\\)` is deprecated:FutureWarning")
def test_the_released_network_is_exported_to_onnx(tmp_path):
    base.check_onnx(dan_nucnet(reading="code"), tmp_path / "network.onnx")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reading": "clean"}, "unknown reading 'clean'. Allowed: 'paper', 'code'"),
        ({"block": "resnet"}, "unknown block 'resnet'. Allowed: 'paper', 'code'"),
        ({"pool": "globl"}, "unknown pool 'globl', did you mean 'global'"),
        ({"join": "sum"}, "unknown join 'sum'. Allowed: 'add', 'concatenate'"),
        ({"filters": (32, 64)}, r"filters must be five whole numbers of at least 1, got \(32, 64\)"),
        ({"reduction": 7}, "reduction must divide the channels of every gate, got 7 for 256 channels"),
        ({"reduction": 0}, "reduction must divide the channels of every gate, got 0 for 256 channels"),
        ({"filters": (16, 32, 64, 128, 256), "reduction": 32}, "got 32 for 16 channels"),
    ],
)
def test_options_that_do_not_exist_are_errors(options, message):
    with pytest.raises(ValueError, match=message):
        on_meta(**options)


# ---- recipes

VARIANTS = {
    "base": set(),
    **{row: {"network"} for row in ROWS if row not in ("base", "bce")},
    "bce": {"loss", "loss_options"},
    **{key: {"network"} for key in ("plain_skips", "filters16", "reduction16", "global_pool", "concatenate", "seven")},
    "pixel_jaccard": {"loss_options"},
    "small": {"augment"},
    "cpm17": {"augment", "validation"},
    "no_spatial__bce": {"network", "loss", "loss_options"},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_changes_its_fields_alone(variant):
    first, other = (recipe("paper", name).settings() for name in ("base", variant))
    changed = {name for name in first if first[name] != other[name]} - {"variant", "sources"}
    assert changed == VARIANTS[variant]
    assert other["variant"] == variant


def test_recipes_that_differ_in_name_differ_in_settings():
    digests = [recipe("paper", variant).digest() for variant in VARIANTS] + [recipe("code").digest()]
    assert len(set(digests)) == len(digests)


@pytest.mark.parametrize("reading", ["paper", "code"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_recipe_names_what_there_is(reading, variant):
    made = papers.recipe("dan_nucnet", reading, variant)
    assert (made.key, made.reading, made.variant) == ("dan_nucnet", reading, variant)
    assert made.augment in RECIPES
    losses.build(made.loss, **made.loss_options)
    with torch.device("meta"):
        papers.build("dan_nucnet", reading=reading, **made.network)
    found = by_name(made.postprocess)(
        {"mask": np.pad(np.full((40, 40), 0.9), 5)}, thresholds=made.thresholds, **made.postprocess_options
    )
    assert found.max() == found[25, 25] == 1


def test_a_recipe_that_does_not_exist_is_an_error():
    with pytest.raises(ValueError, match="unknown variant of 'dan_nucnet' 'no_spatail', did you mean 'no_spatial'"):
        recipe("paper", "no_spatail")
    with pytest.raises(ValueError, match="unknown variant of 'dan_nucnet' 'no_spatial'"):
        recipe("clean", "no_spatial")
    with pytest.raises(ValueError, match="unknown reading 'papre', did you mean 'paper'"):
        recipe("papre")


def test_the_rows_are_those_of_table_5_in_its_order():
    printed = [one.row for one in load_claims() if (one.paper, one.location) == ("dan_nucnet", "Table 5")]
    variants = {**variants_of("dan_nucnet"), "Proposed": "base"}
    assert [variants[row] for row in dict.fromkeys(printed)] == list(ROWS)


def test_the_recipe_says_what_its_section_prints():
    made, at = recipe("paper"), "dan_nucnet/section-5.1"
    options = made.lr_schedule_options
    words = {"five": 5, "ten": 10}
    assert made.lr == float(claim(f"{at}/learning_rate").number)
    assert options["factor"] == float(claim(f"{at}/lr_factor").number)
    assert options["patience"] == words[claim(f"{at}/learning-rate/patience").value]
    assert made.patience == words[claim(f"{at}/early-stopping/patience").value]
    assert claim(f"{at}/loss/min_delta").value == "1x10^{-6}"
    assert options["min_delta"] == 1e-6
    data = "dan_nucnet/section-4.1"
    sides = {claim(f"{data}/patch/{side}_px").number for side in ("height", "width")}
    assert {made.crop_px, made.window_px} == sides
    shape = tuple(int(claim(f"{data}/example-image/{side}_px").number) for side in ("height", "width"))
    patches = claim(f"{data}/example-patches-of-one-image/patches").number
    assert len(SCHEMES[made.patches].windows(shape)) == patches
    assert dan_nucnet().gates[0].channel.last.in_channels * claim(
        "dan_nucnet/section-3.2/channel-attention/reduction"
    ).number == 256  # fmt: skip


def test_the_readings_differ_where_text_and_code_do():
    paper, code = (recipe(reading).settings() for reading in ("paper", "code"))
    differing = {name for name in paper if paper[name] != code[name]} - {"sources", "reading"}
    assert differing == {"lr", "lr_schedule_options", "patience", "loss_options", "optimiser_options"}
    assert (code["lr"], code["patience"], code["batch_size"], code["epochs"]) == (0.001, 9, 5, 100)
    assert code["lr_schedule_options"] == {"factor": 0.5, "patience": 4, "min_delta": 1e-4, "min_lr": 1e-6}
    assert code["loss_options"] == {"dice_smooth": 1.0, "jaccard_smooth": 100.0, "jaccard": "pixel"}


@pytest.mark.real
def test_quotations_of_the_recipes_stand_in_the_text(papers):
    text = " ".join((papers / "dan_nucnet.txt").read_text(encoding="utf-8").replace("$1x10^{-6}$", "1e-6").split())
    sources = [s for name in VARIANTS for s in recipe("paper", name).sources.values()]
    quoted = {quote for source in sources for quote in source.split('"')[1::2]}
    assert len(quoted) >= 9
    assert [quote for quote in quoted if quote not in text] == []


# ---- schedules and sets


def tiles(*sizes):
    rng = np.random.default_rng(0)
    made = []
    for number, (height, width) in enumerate(sizes):
        ids = np.zeros((height, width), np.int32)
        ids[height // 8 : height // 2, width // 6 : width // 2] = 1
        image = np.where(ids[..., None] > 0, [110, 70, 150], [225, 170, 200]) + rng.normal(0, 12, (height, width, 3))
        made.append(Tile(f"t{number}", image.clip(0, 255).astype(np.uint8), ids))
    return made


def test_a_gpu_learns_from_the_patches_of_the_paper_and_two_cores_from_smaller_crops():
    given = [Tile("t", np.zeros((1000, 1000, 3), np.uint8), np.zeros((1000, 1000), np.int32))] * 13
    gpu = SCHEDULES["gpu"].plan(recipe("paper"), given)
    assert (gpu.patches, gpu.crop_px, gpu.steps) == ("dan_nucnet", 256, 100 * math.ceil(13 * 16 / 5))
    cpu = SCHEDULES["cpu"].plan(recipe("paper"), given)
    assert (cpu.patches, cpu.crop_px, cpu.steps, cpu.window_px) == ("random", 128, 1200, None)
    assert cpu.steps * recipe("paper").patience / 100 >= 2 * cpu.every  # one bad validation does not end a run


def test_one_step_of_its_own_recipe_moves_all_its_parts():
    given = tiles((120, 180), (130, 170))
    made = recipe("paper").vary("narrow", "ours: a test", network={"filters": NARROW})
    network = papers.build_for(made, seed=0)
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    short = Schedule(name="short", crops=5, crop_px=64, validations=1, threads=1)
    fit(made, Data(given[:1], given[1:], "squares"), short, 0, network=network, device="cpu")
    moved = {name.split(".")[0] for name, p in network.named_parameters() if not torch.equal(p, before[name])}
    assert moved == {"encoder", "bottleneck", "up", "gates", "head"}


def test_the_queue_wants_every_row_of_table_5():
    for schedule in ("cpu", "gpu"):
        jobs = {
            (job.reading, job.variant)
            for job in read_queue(ROOT / "data" / "queue.yaml", schedule)
            if (job.key, job.data, job.seed) == ("dan_nucnet", "kumar", 0)
        }
        assert {("paper", row) for row in ROWS} | {("code", "base")} <= jobs
        assert {("paper", "plain_skips"), ("paper", "global_pool"), ("paper", "filters16")} <= jobs


def test_on_pannuke_one_fold_teaches_one_steers_and_one_tests(tmp_path, monkeypatch):
    monkeypatch.setenv("HISTOLAB_DATA", str(tmp_path))
    monkeypatch.setenv("HISTOLAB_RUNS", str(tmp_path / "runs"))
    write_pannuke(tmp_path / "pannuke")
    monkeypatch.setenv("HISTOLAB_PREDICTIONS", str(tmp_path / "predictions"))
    tiny = replace(SCHEDULES["smoke"], crops=8)
    for place in ("fitting.SCHEDULES", "run.SCHEDULES"):
        monkeypatch.setattr(f"histolab_lib.training.{place}", {"smoke": tiny})
    record = running.run(
        "dan_nucnet", data="pannuke", schedule="smoke", reading="paper", variant="filters16",
        options={"version": "213"}, out=tmp_path / "records", device="cpu", progress=False,
    )  # fmt: skip
    assert list(record.fit_on) == [f"fold2_{number:04d}" for number in range(3)]
    assert list(record.chosen_on) == [f"fold1_{number:04d}" for number in range(3)]
    assert [row["name"] for row in record.images["test"]] == [f"fold3_{number:04d}" for number in range(3)]
    assert (record.recipe["window_px"], record.options) == (256, {"version": "213"})


def test_on_cpm_17_a_fifth_of_the_training_tiles_steers(tmp_path, monkeypatch):
    monkeypatch.setenv("HISTOLAB_DATA", str(tmp_path))
    write_cpm17(tmp_path / "cpm17")
    with pytest.raises(ValueError, match="'cpm17' does not tell which tiles are of one patient"):
        read_tiles("cpm17", {}, recipe("paper", "small"))
    made = recipe("paper", "cpm17")
    found = read_tiles("cpm17", {}, made)
    assert (len(found.fit), len(found.val)) == (26, 6)
    assert {tile.name.split("_")[0] for tile in (*found.fit, *found.val)} == {"train"}
    assert {split: len(one) for split, one in found.test.items()} == {"test": 32}
    assert (RECIPES[made.augment].rotate_deg, RECIPES[made.augment].flip_v) == (15, True)
    published = [Tile("t", np.zeros((600, 500, 3), np.uint8), np.zeros((600, 500), np.int32))] * 26
    assert SCHEDULES["gpu"].plan(made, published).steps == 100 * math.ceil(26 * 6 / 5)  # 3 x 2 patches of 256 px


@pytest.mark.parametrize(("reading", "variant"), [("paper", "base"), ("code", "base"), ("paper", "no_residual")])
def test_at_its_published_width_it_learns_four_patches_by_heart(reading, variant):
    made = recipe(reading, variant)
    network = papers.build_for(made, seed=0)
    assert base.learned_by_heart(network, losses.build(made.loss, **made.loss_options)) > 0.95
