"""HistoSeg: counts, shapes, equations, switches, recipes; what every network must do is in test_papers.py."""

from decimal import Decimal

import numpy as np
import pytest
import torch

from histolab_lib import losses, papers
from histolab_lib.claims import claim
from histolab_lib.losses import Targets
from histolab_lib.papers.histoseg import (
    ASPP,
    ATTENTIONS,
    ROWS,
    LocalSelfAttention,
    QuickAttention,
    ResidualAttention,
    _upsampled,
    _upsampled_probabilities,
    histoseg,
    recipe,
)
from histolab_lib.postprocess import by_name
from tests import base_network as base
from tests.literal import histoseg as literal

pytestmark = [pytest.mark.thorough, pytest.mark.slow]  # timm takes seconds to import

CODE = {"reading": "code"}
# As counted in the released network: stem, and expanded convolutions 0 to 16.
RELEASED = [928, 896, 5_136, 8_832, 10_000, 14_848, 14_848, 21_056, 54_272, 54_272, 54_272, 66_624, 118_272, 118_272]
RELEASED += [155_264, 320_000, 320_000, 473_920]
STATISTICS = [
    64,
    96,
    432,
    624,
    640,
    832,
    832,
    896,
    1_664,
    1_664,
    1_664,
    1_728,
    2_496,
    2_496,
    2_624,
    4_160,
    4_160,
    4_480,
]


def on_meta(**options):
    with torch.device("meta"):
        return histoseg(**options)


def counts(*parts):
    statistics = sum(b.numel() for part in parts for name, b in part.named_buffers() if "running" in name)
    return sum(p.numel() for part in parts for p in part.parameters()), statistics


def blocks(network):
    encoder = network.encoder
    return [[encoder.conv_stem, encoder.bn1], *([block] for stage in encoder.blocks for block in stage)]


def test_the_released_network_has_2116897_parameters_stage_by_stage():
    network = on_meta(**CODE)
    assert [counts(*block) for block in blocks(network)] == list(zip(RELEASED, STATISTICS, strict=True))
    parts = {name: counts(part) for name, part in network.named_children() if counts(part)[0]}
    assert parts == {
        "encoder": (1_811_712, 31_552),
        "encoder_attention": (32, 0),
        "aspp": (82_432 + 82_432 + 131_584, 1_536),
        "decoder_attention": (256, 0),
        "link": (8_192, 0),
        "head": (257, 0),
    }
    assert counts(network) == (2_116_897, 33_088)
    assert sum(counts(network)) == 2_149_985


BY_TEXT = 1_811_712 + (64 * 64 + 64) + 2_706_432 + (512 * 256 + 512) + (256 * 256 + 256) + 64 * 256 + 257


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ({}, BY_TEXT),
        ({"pooled": False}, BY_TEXT - 512 * 256 - 512),
        # the text's attention and its five branches, where the released code has its first attention
        ({"pooled": False, "attention_after": 5}, 4_593_441),
        ({**CODE, "encoder_attention": "quick", "decoder_attention": "quick"}, 2_183_169 + 32 + 256),
        (ROWS["no_attention"], BY_TEXT - 4_160 - 65_792),
        (ROWS["self"], BY_TEXT - 4_160 - 65_792 + 3 * 64 * 64 + 2 * 7 * 4),
        (ROWS["channel"], BY_TEXT - 4_160),
        (ROWS["spatial"], BY_TEXT - 4_160),
        (ROWS["mixed"], BY_TEXT - 4_160),
    ],
)
def test_each_row_of_the_ablation_has_the_parameters_counted_by_hand(options, parameters):
    assert counts(on_meta(**options))[0] == parameters


def shapes_of(network, size_px):
    """Shapes of the maps of all blocks and parts, and dilations, without computing anything."""
    seen = {}
    for name, part in network.named_modules():
        part.register_forward_hook(lambda _, __, out, name=name: seen.update({name: tuple(out.shape[1:])}))
    output = network(torch.empty(2, 3, size_px, size_px, device="meta"))
    return seen, tuple(output.shape)


@pytest.mark.parametrize("size_px", [256, 1000, 400])
@pytest.mark.parametrize("reading", ["paper", "code"])
def test_every_map_has_the_size_that_the_text_prints(reading, size_px):
    network = on_meta(reading=reading)
    found, output = shapes_of(network, size_px)
    names = [f"encoder.blocks.{place}.{inner}" for place, stage in enumerate(network.encoder.blocks)
             for inner, _ in enumerate(stage)]  # fmt: skip
    widths = [16, 24, 24, 32, 32, 32, 64, 64, 64, 64, 96, 96, 96, 160, 160, 160, 320]
    strides = [2, 4, 4] + 14 * [8]
    assert [found[name] for name in names] == [
        (width, size_px // stride, size_px // stride) for width, stride in zip(widths, strides, strict=True)
    ]
    side = size_px // 8
    assert found["encoder_attention"] == (64 if reading == "paper" else 32, side, side)
    for part in ("aspp", "decoder_attention", "link"):
        assert found[part] == (256, side, side)
    assert output == (2, 1, size_px, size_px)
    if size_px == claim("histoseg/section-iii-b/input-layer/height_px").number:
        assert side == claim("histoseg/section-iii-b/after-expanded-convolution-6/height_px").number


def test_dilations_are_those_of_the_caption():
    depthwise = [block.conv_dw.dilation[0] for (block,) in blocks(on_meta())[1:]]
    assert depthwise == 7 * [1] + 7 * [2] + 3 * [4]
    rates = [branch[0].dilation[0] for branch in on_meta().aspp.branches]
    printed = [claim(f"histoseg/section-iii-b/aspp-{place}-dilated-convolution/dilation").number for place in
               ("first", "second", "third")]  # fmt: skip
    assert rates == [1, *printed]


@pytest.mark.parametrize("made", [(None, True), (1, False)])
def test_quick_attention_is_equation_1(made):
    torch.manual_seed(0)
    block, x = QuickAttention(6, *made), torch.randn(2, 6, 5, 4)
    weights = [p.detach().numpy() for p in block.parameters()]
    expected = np.stack([literal.quick_attention(one, *weights) for one in x.numpy()])
    np.testing.assert_allclose(block(x).detach().numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("kind", ["channel", "spatial", "mixed"])
def test_residual_attention_is_its_formula_pixel_by_pixel(kind):
    torch.manual_seed(0)
    block, x = ResidualAttention(6, kind), torch.randn(2, 6, 5, 4)
    weights = [p.detach().numpy() for p in block.parameters()]
    expected = np.stack([literal.residual_attention(one, *weights, kind) for one in x.numpy()])
    np.testing.assert_allclose(block(x).detach().numpy(), expected, atol=1e-5)


def test_residual_attention_is_finite_on_a_constant_map():
    for kind in ("channel", "spatial", "mixed"):
        x = torch.zeros(1, 4, 3, 3, requires_grad=True)
        out = ResidualAttention(4, kind)(x)
        out.sum().backward()
        assert out.isfinite().all()
        assert x.grad.isfinite().all()


def test_self_attention_is_its_formula_one_pixel_after_the_other():
    torch.manual_seed(0)
    block, x = LocalSelfAttention(8, window_px=3, heads=2), torch.randn(2, 8, 4, 5)
    own = {name: p.detach().numpy() for name, p in block.named_parameters()}
    weights = [own[name] for name in ("query.weight", "key.weight", "value.weight", "row_offsets", "column_offsets")]
    expected = np.stack([literal.local_self_attention(one, *weights, side=3, heads=2) for one in x.numpy()])
    np.testing.assert_allclose(block(x).detach().numpy(), expected, atol=1e-5)
    torch.testing.assert_close(block.weights(x).sum(2), torch.ones(2, 2, 20))
    with pytest.raises(ValueError, match="divided by twice the heads, 16; got 24"):
        LocalSelfAttention(24)


def test_image_pooling_of_aspp_gives_one_number_for_each_channel():
    torch.manual_seed(0)
    block, x = ASPP(6, 4, (2,)).eval(), torch.randn(2, 6, 9, 8)
    joined = []
    block.mix.register_forward_hook(lambda _, given, __: joined.append(given[0]))
    with torch.inference_mode():
        block(x)
    pooled = torch.relu(
        torch.einsum("oc,nc->no", block.image[0].weight[:, :, 0, 0], x.mean((2, 3))) / (1 + 1e-5) ** 0.5
    )
    torch.testing.assert_close(joined[0][:, :4], pooled[:, :, None, None].expand(-1, -1, 9, 8))
    assert joined[0].shape == (2, 12, 9, 8)


def test_probabilities_are_interpolated_before_they_become_logits_again():
    network, images = base.settled(histoseg()), base.images(1, 64, 64)
    coarse = []
    network.head.register_forward_hook(lambda _, __, out: coarse.append(out))
    with torch.inference_mode():
        fine = network(images)
    expected = literal.doubled(literal.sigmoid(coarse[0][0, 0].double().numpy()), 8)
    np.testing.assert_allclose(fine.sigmoid()[0, 0].numpy(), expected, atol=1e-6)


def test_logits_are_interpolated_in_the_released_code_with_corners_on_corners():
    network, images = base.settled(histoseg(**CODE)), base.images(1, 64, 64)
    coarse = []
    network.head.register_forward_hook(lambda _, __, out: coarse.append(out[0, 0].numpy()))
    with torch.inference_mode():
        fine = network(images)[0, 0].numpy()
    places = np.linspace(0, 7, 64)
    by_rows = np.stack([np.interp(places, np.arange(8), row) for row in coarse[0]])
    expected = np.stack([np.interp(places, np.arange(8), column) for column in by_rows.T], axis=1)
    np.testing.assert_allclose(fine, expected, atol=1e-5)


@pytest.mark.parametrize("far", [30.0, 68.0, 87.0, 1000.0])
def test_certain_logits_stay_finite_and_keep_their_order(far):
    logits = torch.full((1, 1, 8, 8), far)
    logits[..., ::2] = -far
    logits.requires_grad_()
    fine = _upsampled_probabilities(logits, (64, 64))
    fine.sum().backward()
    assert fine.isfinite().all()
    assert (fine[..., 4:12].diff(dim=3) >= 0).all()
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize(
    ("change", "touched"),
    [
        ({"encoder_attention": "self"}, {"encoder_attention"}),
        ({"decoder_attention": "none"}, {"decoder_attention"}),
        ({"attention_after": 5}, {"encoder_attention", "link"}),
        ({"rates": ()}, {"aspp"}),
        ({"pooled": False}, {"pooled"}),
        ({"channels": 64}, {"aspp", "pooled", "decoder_attention", "link", "head"}),
        ({"encoder": "mobilenetv2_050"}, {"encoder", "encoder_attention", "aspp", "link"}),
        (CODE, {"encoder_attention", "aspp", "pooled", "decoder_attention", "link"}),
    ],
)
def test_a_switch_changes_what_it_names_and_nothing_else(change, touched):
    made, other = (
        {name: tuple(p.shape) for name, p in on_meta(**options).named_parameters()} for options in ({}, change)
    )
    differing = {name for name in made.keys() | other.keys() if made.get(name) != other.get(name)}
    assert {name.split(".")[0] for name in differing} == touched


def test_switches_without_parameters_change_the_maps():
    images = base.images(1, 64, 64)
    made = histoseg()
    base.settled(made)
    kept = made.state_dict()
    with torch.inference_mode():
        plain = made(images)
        for change in ({"activation": "relu"}, {"upsampling": "logits"}):
            other = histoseg(**change).eval()
            other.load_state_dict(kept, strict=True)
            assert not torch.allclose(other(images), plain), change


def test_norms_of_the_released_code_remember_as_its_framework_does():
    norms = {name: (part.eps, part.momentum) for name, part in on_meta(**CODE).named_modules()
             if isinstance(part, torch.nn.BatchNorm2d)}  # fmt: skip
    encoder = {value for name, value in norms.items() if name.startswith("encoder.")}
    assert (encoder, set(norms.values()) - encoder) == ({(1e-3, 0.001)}, {(1e-5, 0.01)})


@pytest.mark.parametrize("name", ATTENTIONS)
def test_every_attention_can_stand_in_both_places(name):
    network = histoseg(encoder_attention=name, decoder_attention=name)
    images = base.images(2, 128, 128)
    network(images).square().mean().backward()
    assert [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize(("reading", "variant"), [("paper", "base"), ("code", "base"), ("code", "double_sigmoid")])
def test_gradients_of_its_loss_reach_every_parameter(reading, variant):
    made = recipe(reading, variant)
    network = histoseg(reading=reading)
    ids = torch.zeros(2, 96, 96, dtype=torch.int32)
    ids[:, 10:40, 10:40], ids[:, 40:70, 20:50] = 1, 2
    losses.build(made.loss, **made.loss_options)(network(base.images(2, 96, 96)), Targets.of(ids)).backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.real
def test_the_weights_of_the_data_folder_fit_strictly(tissue):
    network = papers.build_for(recipe("paper"), seed=0)
    plain = histoseg(seed=0)
    assert not torch.equal(network.encoder.conv_stem.weight, plain.encoder.conv_stem.weight)
    assert torch.equal(network.head.weight, plain.head.weight)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reading": "clean"}, "unknown reading 'clean'"),
        ({"encoder_attention": "quik"}, "unknown encoder_attention 'quik', did you mean 'quick'"),
        ({"decoder_attention": "quik"}, "unknown decoder_attention 'quik', did you mean 'quick'"),
        ({"upsampling": "nearest"}, "unknown upsampling 'nearest'"),
        ({"activation": "gelu"}, "unknown activation 'gelu'"),
        ({"encoder": "resnet18"}, "encoder must be a MobileNetV2 of timm, such as 'mobilenetv2_100', got 'resnet18'"),
        ({"attention_after": 17}, r"attention_after must be in 0\.\.16, got 17"),
    ],
)
def test_options_that_do_not_exist_are_errors(options, message):
    with pytest.raises(ValueError, match=message):
        histoseg(**options)


def test_the_recipe_of_the_paper_says_what_its_sections_print():
    made = recipe("paper")
    printed = {
        "lr": "histoseg/section-vi/adam/learning_rate",
        "batch_size": "histoseg/section-vi/batch_size",
        "epochs": "histoseg/section-vi/monuseg/train/epochs",
        "crop_px": "histoseg/table-i/training-set/monuseg/train/height_px",
    }
    for name, key in printed.items():
        assert Decimal(str(getattr(made, name))) == claim(key).number
    assert recipe("paper", "glands").epochs == claim("histoseg/section-vi/glas/train/epochs").number
    options = made.loss_options
    assert Decimal(str(options["alpha"])) == claim("histoseg/section-iii-c/focal-loss-alpha/loss_weight").number
    assert Decimal(str(options["gamma"])) == claim("histoseg/section-iii-c/focal-loss/focal_gamma").number
    assert Decimal(str(options["smooth"])) == claim("histoseg/section-iii-c/dice-loss/smoothing").number
    assert Decimal(str(on_meta().dropout.p)) == claim("histoseg/section-vi/dropout").number
    assert on_meta().stride_px == claim("histoseg/section-vi/output-stride/reduction").number


def test_the_recipe_of_the_code_is_the_released_one():
    made = recipe("code")
    assert (made.optimiser, made.lr, made.batch_size, made.epochs, made.patience) == ("adam", 0.001, 16, 100, 10)
    assert (made.loss, dict(made.loss_options), dict(made.optimiser_options)) == (
        "bce_pixel_dice", {"smooth": 1.0}, {"eps": 1e-7},
    )  # fmt: skip


VARIANTS = {
    **{row: {"network"} for row in ROWS},
    "glands": {"epochs"},
    "leak": {"validation", "selection"},
    "scratch": {"weights"},
    "augmented": {"augment"},
    "step_256": {"patches"},
    "not_pooled": {"network"},
    "logits": {"network"},
    "no_focal": {"loss", "loss_options"},
    "bce": {"loss", "loss_options"},
    "double_sigmoid": {"loss", "loss_options"},
    "self__glands__scratch": {"network", "epochs", "weights"},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_changes_its_fields_alone(variant):
    first, other = (recipe("paper", name).settings() for name in ("base", variant))
    changed = {name for name in first if first[name] != other[name]} - {"variant", "sources"}
    assert changed == VARIANTS[variant]


def test_variants_that_differ_in_name_differ_in_settings():
    digests = [recipe("paper", variant).digest() for variant in ("base", *VARIANTS)]
    assert len(set(digests)) == len(digests)


@pytest.mark.parametrize("reading", ["paper", "code"])
@pytest.mark.parametrize("variant", ["base", *VARIANTS])
def test_a_recipe_names_what_there_is(reading, variant):
    made = papers.recipe("histoseg", reading, variant)
    assert (made.key, made.reading, made.variant) == ("histoseg", reading, variant)
    losses.build(made.loss, **made.loss_options)
    assert papers.build("histoseg", reading=reading, **made.network)
    maps = {"mask": np.full((24, 24), 0.9)}
    assert (by_name(made.postprocess)(maps, thresholds=made.thresholds, **made.postprocess_options) == 1).all()


def test_a_variant_that_does_not_exist_is_told_which_there_are():
    with pytest.raises(ValueError, match="unknown variant of 'histoseg' 'scrach', did you mean 'scratch'"):
        recipe("paper", "scrach")


@pytest.mark.real
def test_quotations_of_the_recipes_stand_in_the_text(papers):
    text = " ".join((papers / "histoseg.txt").read_text(encoding="utf-8").replace("-\n", "").split())
    sources = [s for name in ("base", *VARIANTS) for s in recipe("paper", name).sources.values()]
    quoted = {quote for source in sources for quote in source.split('"')[1::2]}
    assert len(quoted) >= 8
    assert [quote for quote in quoted if quote not in text] == []


def asked_of_coarse_maps(upsampling):
    """Dice on four patches of the maps, 8 px coarse, that cross-entropy asks for; no network has a part in it."""
    truth = Targets.of(base.four_patches()[1])
    coarse = torch.zeros(4, 1, 8, 8, requires_grad=True)
    optimiser = torch.optim.Adam([coarse], lr=0.1)
    for _ in range(300):
        optimiser.zero_grad()
        losses.build("bce")(upsampling(coarse, (64, 64)), truth).backward()
        optimiser.step()
    found, nuclei = upsampling(coarse, (64, 64)) > 0, truth.mask > 0
    return float(2 * (found & nuclei).sum() / (found.sum() + nuclei.sum()))


def test_cross_entropy_lets_coarse_maps_draw_discs_by_logits_and_hardly_by_probabilities():
    assert asked_of_coarse_maps(_upsampled) > 0.95
    assert 0.80 < asked_of_coarse_maps(_upsampled_probabilities) < 0.90


# By the text's order of sigmoid and interpolation cross-entropy asks for maps of 0.86 on these discs: see above.
@pytest.mark.parametrize(
    ("reading", "options", "dice"),
    [("paper", {}, 0.85), ("paper", {"upsampling": "logits"}, 0.90), ("code", {}, 0.90)],
)
def test_at_its_published_width_it_learns_four_patches_by_heart(reading, options, dice):
    made = recipe(reading)
    network = histoseg(reading=reading, **options)
    assert base.learned_by_heart(network, losses.build(made.loss, **made.loss_options)) > dice
