"""MSAL-Net: counts, shapes, blocks, switches, recipes; what every network must do is in test_papers.py."""

import json

import numpy as np
import pytest
import torch

from histolab_lib import losses, papers
from histolab_lib.augment import RECIPES
from histolab_lib.claims import claim, load_claims, variants_of
from histolab_lib.inference import predict, predict_maps
from histolab_lib.losses import Targets
from histolab_lib.papers.msal_net import (
    ROWS,
    BoundaryRefinement,
    DecoderStep,
    EfficientChannelAttention,
    msal_net,
    recipe,
)
from histolab_lib.papers.registry import networks
from histolab_lib.patches import SCHEMES
from histolab_lib.postprocess import by_name
from histolab_lib.tile import Tile
from histolab_lib.training import SCHEDULES, Data, Schedule, fit
from histolab_lib.wanted import read_queue
from tests import base_network as base
from tests.books import ROOT
from tests.literal import msal_net as literal

pytestmark = [pytest.mark.thorough, pytest.mark.slow]  # timm takes seconds to import

QUEUE = ROOT / "data" / "queue.yaml"
WHOLE = 30_621_165
DDC, ECA, BR = 7_342_080, 12, 1_623_040
BLOCKS = [246_784, 61_952, 15_616, 4_544]  # LinkNet's decoders
REFINEMENTS = [1_180_160, 295_168, 73_856, 73_856]
UNET = {"encoder": "unet", "decoder": "unet", "skips": "concatenate"}


def on_meta(**options):
    with torch.device("meta"):
        return msal_net(**options)


def count(*parts):
    return sum(p.numel() for part in parts for p in part.parameters())


def steps(network):
    return [network.decoder4, network.decoder3, network.decoder2, network.decoder1]


# ---- counts


def test_it_has_its_parameters_stage_by_stage():
    network = on_meta()
    e = network.encoder
    stages = [count(e.conv1, e.bn1), *(count(one) for one in (e.layer1, e.layer2, e.layer3, e.layer4))]
    assert stages == [9_536, 221_952, 1_116_416, 6_822_400, 13_114_368]
    assert sum(stages) == count(e) == 21_284_672
    assert count(network.ddc) == DDC == 28 * 512**2 + 4 * 512
    assert [count(one.up) for one in steps(network)] == BLOCKS
    assert [count(one.attention) for one in steps(network)] == [3, 3, 3, 3]
    assert [count(one.refinement) for one in steps(network)] == REFINEMENTS
    assert (sum(BLOCKS), sum(REFINEMENTS), count(network.head)) == (328_896, BR, 42_465)
    assert count(network) == 21_284_672 + DDC + 328_896 + ECA + BR + 42_465 == WHOLE
    assert sum(b.numel() for name, b in network.named_buffers() if "running" in name) == 19_136


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ({}, WHOLE),
        ({"encoder": "resnet18"}, 20_513_005),
        ({"encoder": "resnet50"}, 171_075_117),
        ({"encoder": "resnet101"}, 190_067_245),
        ({"ddc": False}, WHOLE - DDC),
        ({"ddc": False}, 23_279_085),
        ({"br": False}, 28_998_125),
        ({"eca": False}, WHOLE - ECA),
        ({"ddc": False, "eca": False, "br": False}, 21_656_033),
        ({"br_convs": 3}, 31_432_685),
        ({"eca_br": "parallel"}, WHOLE),
        ({"eca_kernel": None}, WHOLE + 2 + 2),  # 5 for 256 and 128 channels
        ({"skips": "concatenate"}, WHOLE + sum(2 * c * c + 2 * c for c in (256, 128, 64))),
        ({**UNET, "ddc": False, "eca": False, "br": False}, 31_037_633),  # U-Net, as it is counted everywhere
    ],
)
def test_each_build_has_the_parameters_counted_by_hand(options, parameters):
    assert count(on_meta(**options)) == parameters


def test_every_build_of_the_register_is_counted():
    built = {variant: count(on_meta(**options)) for variant, options in networks()["msal_net"].rows.items()}
    wide = sum(2 * (9 * c * c + c) for c in (512, 256, 128, 64))
    assert built == {
        "base": WHOLE, "unet_res18": 14_322_209, "res34": 21_656_033, "ddc": 31_037_633 + 28 * 1024**2 + 4 * 1024,
        "res34__ddc": 28_998_113, "eca": 31_037_645, "eca__br": 31_037_645 + wide, "ddc__eca": 60_401_869,
        "res18": 20_513_005, "res50": 171_075_117, "res101": 190_067_245, "no_ddc": 23_279_085,
        "no_eca": 30_621_153, "no_br": 28_998_125, "parallel": WHOLE, "concatenate": 30_794_093,
        "three_convs": 31_432_685, "res50__bottleneck": 34_239_085, "res101__bottleneck": 53_231_213,
    }  # fmt: skip


def test_with_bottlenecks_a_wide_resnet_has_resnet_34s_ending():
    narrow, wide = on_meta(), on_meta(encoder="resnet50", bottleneck=True)
    assert count(wide) - count(wide.encoder) - count(wide.bottleneck) == WHOLE - count(narrow.encoder)
    pairs = zip((256, 512, 1024, 2048), (64, 128, 256, 512), strict=True)
    assert count(wide.bottleneck) == sum(i * o + 2 * o for i, o in pairs)
    assert count(wide.encoder) == 23_508_032


# ---- shapes


@pytest.mark.parametrize("size", [(256, 256), (512, 512), (96, 160)])
@pytest.mark.parametrize("options", [{}, {"encoder": "resnet50", "bottleneck": True}, {"encoder": "resnet50"}])
def test_every_map_has_the_size_of_the_table(options, size):
    network, seen = on_meta(**options), {}
    for name, part in network.named_modules():
        part.register_forward_hook(lambda _, __, out, name=name: seen.update({name: out}))
    output = network(torch.empty(2, 3, *size, device="meta"))

    def shape(channels, reduction):
        return (2, channels, size[0] // reduction, size[1] // reduction)

    wide = 4 if options else 1
    c1, c2, c3, c4 = (c * (4 if options and not options.get("bottleneck") else 1) for c in (64, 128, 256, 512))
    expected = {
        "prepare": (3, 1), "encoder.conv1": (64, 2), "encoder.maxpool": (64, 4),
        "encoder.layer1": (64 * wide, 4), "encoder.layer2": (128 * wide, 8), "encoder.layer3": (256 * wide, 16),
        "encoder.layer4": (512 * wide, 32), "ddc": (c4, 32),
        "decoder4.up.0": (c4 // 4, 32), "decoder4.up.1": (c4 // 4, 16), "decoder4.up": (c3, 16), "decoder4": (c3, 16),
        "decoder3": (c2, 8), "decoder2": (c1, 4), "decoder1": (64, 2), "decoder1.attention": (64, 2),
        "head.0": (32, 1), "head.1": (32, 1), "head": (1, 1),
    }  # fmt: skip
    assert {name: tuple(seen[name].shape) for name in expected} == {k: shape(*v) for k, v in expected.items()}
    if options.get("bottleneck"):
        assert [tuple(seen[f"bottleneck.{n}"].shape[1:2]) for n in range(4)] == [(64,), (128,), (256,), (512,)]
    assert tuple(output.shape) == shape(1, 1)


@pytest.mark.parametrize("size", [(256, 256), (512, 512), (48, 80)])
def test_every_map_of_the_u_net_has_its_size(size):
    network, seen = on_meta(**UNET), {}
    assert network.stride_px == 16
    for name, part in network.named_modules():
        part.register_forward_hook(lambda _, __, out, name=name: seen.update({name: out}))
    output = network(torch.empty(2, 3, *size, device="meta"))
    expected = {
        "encoder.down.0": (64, 1), "encoder.down.1": (128, 2), "encoder.down.2": (256, 4), "encoder.down.3": (512, 8),
        "encoder.down.4": (1024, 16), "ddc": (1024, 16), "decoder4": (512, 8), "decoder3": (256, 4),
        "decoder2": (128, 2), "decoder1.up": (64, 1), "decoder1": (64, 1), "head": (1, 1),
    }  # fmt: skip
    shapes = {name: (2, c, size[0] // r, size[1] // r) for name, (c, r) in expected.items()}
    assert {name: tuple(seen[name].shape) for name in expected} == shapes
    assert tuple(output.shape) == (2, 1, *size)


def test_the_sizes_that_the_text_prints_are_those_of_the_network():
    at = "msal_net/methodology-dense-dilated-convolutions"
    side, end = (int(claim(f"{at}/{place}/height_px").number) for place in ("network-input", "encoder-output"))
    maps = on_meta().encoder(torch.empty(1, 3, side, side, device="meta"))
    assert tuple(maps[-1].shape) == (1, 512, end, end)
    assert len(maps) == claim("msal_net/methodology-encoder-structure/residual-blocks/layers").number
    stem = on_meta().encoder.conv1
    at = "msal_net/methodology-encoder-structure/in-block"
    assert [stem.kernel_size[0], stem.stride[0]] == [claim(f"{at}/{what}_px").number for what in ("kernel", "stride")]


# ---- blocks


def test_channel_attention_is_its_formula_in_numpy():
    torch.manual_seed(0)
    x = torch.randn(2, 12, 5, 7)
    for kernel in (1, 3, 5):
        block = EfficientChannelAttention(12, kernel)
        weight = block.conv.weight[0, 0].detach().numpy()
        expected = [literal.channel_attention(one, weight) for one in x.double().numpy()]
        np.testing.assert_allclose(block(x).detach().numpy(), expected, rtol=1e-5, atol=1e-6)


def test_the_kernel_of_channel_attention_is_the_printed_one_or_its_authors():
    printed = {one.number for one in load_claims() if one.key.startswith("msal_net/table-1") and "kernel" in one.metric}
    assert printed == {on_meta().decoder4.attention.kernel} == {3}
    for channels in (2, 16, 32, 64, 96, 128, 256, 512, 1024, 2048):
        assert EfficientChannelAttention(channels, None).kernel == literal.kernel_of(channels)
    with pytest.raises(ValueError, match="kernel of the channel attention must be odd and at least 1, got 4"):
        EfficientChannelAttention(64, 4)


@pytest.mark.parametrize("convs", [2, 3])
def test_boundary_refinement_is_its_formula_in_numpy(convs):
    torch.manual_seed(0)
    block, x = BoundaryRefinement(3, convs), torch.randn(1, 3, 6, 5)
    seen = x[0].double().numpy()
    for number, conv in enumerate(block.convs):
        weight, bias = (p.detach().double().numpy() for p in (conv.weight, conv.bias))
        wide = np.pad(np.maximum(seen, 0) if number else seen, ((0, 0), (1, 1), (1, 1)))
        seen = np.array(
            [[[(kernel * wide[:, r : r + 3, c : c + 3]).sum() + b for c in range(5)] for r in range(6)]
             for kernel, b in zip(weight, bias, strict=True)]
        )  # fmt: skip
    np.testing.assert_allclose(block(x)[0].detach().numpy(), x[0].numpy() + seen, rtol=1e-4, atol=1e-5)


def test_the_branches_of_its_own_block_see_what_the_text_prints():
    at = "msal_net/methodology-dense-dilated-convolutions"
    block = msal_net(encoder="resnet18").ddc
    x, sides = torch.rand(1, 512, 21, 21, requires_grad=True), []
    for branch in block.branches(x):
        (gradient,) = torch.autograd.grad(branch[0, 0, 10, 10], x, retain_graph=True)
        rows = gradient[0].abs().sum((0, 2)).nonzero()
        sides.append(int(rows.max() - rows.min()) + 1)
    assert sides == [claim(f"{at}/ddc-layer-{number}/receptive_field_px").number for number in (1, 2, 3, 4)]


@pytest.mark.parametrize("parallel", [False, True])
def test_a_step_refines_what_attention_gives_or_adds_the_two(parallel):
    torch.manual_seed(0)
    attention, refinement = EfficientChannelAttention(8), BoundaryRefinement(8)
    step = DecoderStep(
        16, 8, joined=True, decoder="linknet", skips="add", attention=attention, refinement=refinement,
        parallel=parallel,
    ).eval()  # fmt: skip
    below, skip = torch.randn(2, 16, 3, 4), torch.randn(2, 8, 6, 8)
    seen = step.up(below) + skip
    expected = attention(seen) + refinement(seen) if parallel else refinement(attention(seen))
    torch.testing.assert_close(step(below, skip), expected)


LITERALLY = [
    {},
    {"encoder": "resnet18", "eca_br": "parallel", "br_convs": 3},
    {"encoder": "resnet18", "ddc": False, "skips": "concatenate", "eca_kernel": None},
    {"encoder": "resnet50", "bottleneck": True},
    {"encoder": "resnet18", "decoder": "unet", "br": False},
    ROWS["unet_res18"],
    ROWS["eca__br"],
    ROWS["ddc"],
]


@pytest.mark.parametrize("options", LITERALLY, ids=str)
def test_it_is_its_text_layer_by_layer(options):
    network = base.settled(msal_net(**options)).double()  # ResNet-50 in float32 rounds to 0.1 % of its largest value
    images, given = base.images(1, 64, 96).double(), dict(options)
    kept = network.state_dict().values()
    expected = literal.network(kept, network.prepare(images), decoder_of=given.pop("decoder", "linknet"), **given)
    (found,) = base.run(network, images)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-8 * float(expected.abs().max()))


# ---- switches


@pytest.mark.parametrize("options", [{}, {"eca_br": "parallel", "br_convs": 3}, *(ROWS[row] for row in
                         ("unet_res18", "res34__ddc", "eca__br", "ddc__eca"))], ids=str)  # fmt: skip
def test_gradients_of_its_loss_reach_every_parameter(options):
    made = recipe("paper")
    network = base.awake(msal_net(**options))
    ids = torch.zeros(2, 64, 96, dtype=torch.int32)
    ids[:, 10:40, 10:40], ids[:, 40:60, 50:70] = 1, 2
    losses.build(made.loss, **made.loss_options)(network(base.images(2, 64, 96)), Targets.of(ids)).backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize(
    ("change", "touched"),
    [
        ({"encoder": "resnet18"}, {"encoder"}),
        ({"ddc": False}, {"ddc"}),
        ({"eca": False}, {"attention"}),
        ({"eca_kernel": None}, {"attention"}),
        ({"br": False}, {"refinement"}),
        ({"br_convs": 3}, {"refinement"}),
        ({"eca_br": "parallel"}, set()),
        ({"skips": "concatenate"}, {"join"}),
        ({"decoder": "unet"}, {"up", "join"}),
        ({"inputs": "optical_density"}, set()),
    ],
)
def test_a_switch_changes_what_it_names_and_nothing_else(change, touched):
    made, other = (
        {name: tuple(p.shape) for name, p in on_meta(**options).named_parameters()} for options in ({}, change)
    )
    differing = {name for name in made.keys() | other.keys() if made.get(name) != other.get(name)}
    assert {name.split(".")[1 if name.startswith("decoder") else 0] for name in differing} == touched


def test_switches_without_parameters_change_the_map():
    images, made = base.images(1, 64, 64), base.settled(msal_net(encoder="resnet18"))
    (plain,) = base.run(made, images)
    for change in ({"eca_br": "parallel"}, {"inputs": "optical_density"}):
        other = msal_net(encoder="resnet18", **change)
        other.load_state_dict(made.state_dict(), strict=True)
        assert not torch.allclose(base.run(other, images)[0], plain), change
    same = msal_net(encoder="resnet18")
    same.load_state_dict(made.state_dict(), strict=True)
    assert torch.equal(base.run(same, images)[0], plain)


def test_order_means_nothing_where_there_is_one_of_the_two():
    images = base.images(1, 32, 32)
    for without in ({"eca": False}, {"br": False}):
        first, other = (
            base.run(msal_net(encoder="resnet18", eca_br=order, **without), images)[0]
            for order in ("serial", "parallel")
        )
        assert torch.equal(first, other)


def test_weights_of_the_encoder_are_loaded_and_nothing_else(tmp_path):
    from safetensors.torch import save_file

    given = msal_net(encoder="resnet18", seed=7).encoder.state_dict()
    save_file({name: one.contiguous() for name, one in given.items()}, tmp_path / "made.safetensors")
    made, plain = (msal_net(encoder="resnet18", pretrained=one) for one in (tmp_path / "made.safetensors", False))
    differing = {name for name, one in made.state_dict().items() if not torch.equal(one, plain.state_dict()[name])}
    assert {name.split(".")[0] for name in differing} == {"encoder"}
    assert all(torch.equal(one, given[name]) for name, one in made.encoder.state_dict().items())


def test_an_image_of_odd_sides_is_predicted_whole_and_in_windows():
    image = (base.images(1, 53, 77)[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    for options in ({"encoder": "resnet18"}, UNET):
        network = base.settled(msal_net(**options))
        for windows in ({}, {"window_px": 32, "overlap_px": 16}, {"window_px": 32, "overlap_px": 10}):
            maps = predict_maps(network, image, **windows)
            assert list(maps) == ["mask"]
            assert maps["mask"].shape == (53, 77)
            np.testing.assert_array_equal(predict(network, image, **windows), maps["mask"])


# torch 2.13's own exporter uses LeafSpec, which the same version deprecates; goes with the next torch.
@pytest.mark.filterwarnings("ignore:`isinstance\\(treespec, LeafSpec\\)` is deprecated:FutureWarning")
def test_a_u_net_of_the_table_is_exported_to_onnx(tmp_path):
    base.check_onnx(msal_net(**ROWS["ddc__eca"]), tmp_path / "network.onnx")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"eca_br": "paralel"}, "unknown eca_br 'paralel', did you mean 'parallel'"),
        ({"skips": "sum"}, "unknown skips 'sum'. Allowed: 'add', 'concatenate'"),
        ({"decoder": "linkent"}, "unknown decoder 'linkent', did you mean 'linknet'"),
        ({"br_convs": 4}, "br_convs must be 2 or 3, got 4"),
        ({"eca_kernel": 2}, "must be odd and at least 1, got 2"),
        ({"encoder": "mobilenetv2_100"}, "encoder must be 'unet' or a ResNet of timm, such as 'resnet34', got 'mobile"),
        ({"encoder": "resnet35"}, r"unknown encoder \(a model of timm\) 'resnet35', did you mean 'resnet"),
        ({"bottleneck": True}, "bottleneck is for ResNets wider than ResNet-34, and resnet34 is none; leave it out"),
        ({"encoder": "unet", "bottleneck": True}, "bottleneck is for ResNets wider than ResNet-34, and unet is none"),
        ({"encoder": "unet", "pretrained": True}, "U-Net's encoder has no weights to load, got pretrained=True"),
    ],
)
def test_options_that_do_not_exist_are_errors(options, message):
    with pytest.raises(ValueError, match=message):
        msal_net(**options)


# ---- recipes

VARIANTS = {
    "base": set(),
    **{row: {"network"} for row in ROWS if row != "base"},
    **{key: {"network"} for key in ("parallel", "concatenate", "three_convs", "adaptive", "no_ddc", "no_eca", "no_br")},
    **{key: {"weights"} for key in ("imagenet", "synthetic", "self_supervised")},
    "res50__bottleneck": {"network"},
    "res18__parallel__synthetic": {"network", "weights"},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_changes_its_fields_alone(variant):
    first, other = (recipe("paper", name).settings() for name in ("base", variant))
    changed = {name for name in first if first[name] != other[name]} - {"variant", "sources"}
    assert changed == VARIANTS[variant]
    assert other["variant"] == variant


def test_variants_that_differ_in_name_differ_in_settings():
    digests = [recipe("paper", variant).digest() for variant in VARIANTS]
    assert len(set(digests)) == len(digests)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_recipe_names_what_there_is(variant):
    made = papers.recipe("msal_net", "paper", variant)
    assert (made.key, made.reading, made.variant) == ("msal_net", "paper", variant)
    assert made.augment in RECIPES
    losses.build(made.loss, **made.loss_options)
    with torch.device("meta"):
        papers.build("msal_net", reading="paper", **made.network)
    maps = {"mask": np.pad(np.full((40, 40), 0.9), 5)}
    found = by_name(made.postprocess)(maps, thresholds=made.thresholds, **made.postprocess_options)
    assert found.max() == found[25, 25] == 1


def test_a_row_joined_with_a_change_has_both():
    assert dict(recipe("paper", "eca__br__parallel").network) == {**ROWS["eca__br"], "eca_br": "parallel"}
    made = recipe("paper", "res34__ddc__three_convs__imagenet")
    assert (dict(made.network), made.weights) == ({"eca": False, "br": False, "br_convs": 3}, "imagenet")


@pytest.mark.parametrize(
    ("reading", "variant", "message"),
    [
        ("code", "base", "no code was released for MSAL-Net; its readings are 'paper' and 'clean'"),
        ("paper", "paralel", "unknown variant of 'msal_net' 'paralel', did you mean 'parallel'"),
        ("paper", "res34__eca", "unknown row of Table 1 'res34__eca', did you mean"),
        (
            "paper",
            "ddc__synthetic",
            "variant 'ddc__synthetic': U-Net's encoder has no weights to start from, leave",
        ),
        ("clean", "parallel", "unknown variant of 'msal_net' 'parallel'"),
    ],
)
def test_a_recipe_that_does_not_exist_is_an_error(reading, variant, message):
    with pytest.raises(ValueError, match=message):
        recipe(reading, variant)


def test_a_reading_of_code_is_an_error_wherever_it_is_asked_for():
    for ask in (papers.recipe, lambda name, reading: papers.build(name, reading=reading)):
        with pytest.raises(ValueError, match="no code was released for MSAL-Net"):
            ask("msal_net", "code")


def test_the_rows_are_those_of_the_table_in_its_order():
    printed = [one.row for one in load_claims() if (one.paper, one.location) == ("msal_net", "Table 1")]
    variants = variants_of("msal_net")
    assert [variants[row] for row in dict.fromkeys(printed)] == list(ROWS)


@pytest.mark.parametrize("row", ROWS)
def test_a_row_has_the_parts_that_its_name_in_the_table_has(row):
    (name,) = (printed for printed, variant in variants_of("msal_net").items() if variant == row)
    network, whole = on_meta(**ROWS[row]), name.startswith("MSAL-Net")
    assert (network.ddc is not None) == (whole or "DDC" in name)
    assert {one.attention is not None for one in steps(network)} == {whole or "ECA" in name}
    assert {one.refinement is not None for one in steps(network)} == {whole or "BR" in name}
    depth = "".join(char for char in name.partition("Res")[2].split(" ")[0] if char.isdigit())
    assert ROWS[row].get("encoder", "resnet34") == (f"resnet{depth}" if depth else "unet")
    plain = isinstance(network.decoder4.up, torch.nn.ConvTranspose2d)
    assert plain == (not depth or name.startswith("Unet"))


def test_the_recipe_says_what_its_sections_print():
    made, at = recipe("paper"), "msal_net/results-implementation-details"
    for field, name in (("batch_size",) * 2, ("epochs",) * 2, ("weight_decay",) * 2, ("lr", "learning_rate")):
        assert getattr(made, field) == float(claim(f"{at}/msal-net/monuseg/train/{name}").number), field
    sides = {claim(f"{at}/network-input/monuseg/all/{side}_px").number for side in ("height", "width")}
    assert {made.crop_px, made.window_px} == sides
    data = "msal_net/results-dataset"
    shape = tuple(int(claim(f"{data}/monuseg/all/{side}_px").number) for side in ("height", "width"))
    corners = SCHEMES[made.patches].windows(shape)
    assert len(corners) == claim(f"{data}/corners-of-each-image/monuseg/all/patches").number
    assert {window[2:] for window in corners} == {(made.crop_px, made.crop_px)}
    for split in ("train", "test", "all"):
        tiles, patches = (claim(f"{data}/monuseg/{split}/{what}").number for what in ("images", "patches"))
        assert tiles * len(corners) == patches
    changes = RECIPES[made.augment]
    assert changes.rotate_deg == claim(f"{at}/augmentation/monuseg/train/rotation").number
    zooms = (claim(f"{at}/augmentation-{which}/monuseg/train/zoom").number for which in ("smallest", "largest"))
    assert changes.zoom == tuple(1 + float(zoom) for zoom in zooms)
    assert (made.optimiser, made.loss, made.weights) == ("adam", "bce", "none")


@pytest.mark.real
def test_quotations_of_the_recipes_stand_in_the_text(papers):
    text = " ".join((papers / "msal_net.txt").read_text(encoding="utf-8").replace("-\n", "").split())
    sources = [s for name in VARIANTS for s in recipe("paper", name).sources.values()]
    quoted = {quote for source in sources for quote in source.split('"')[1::2]}
    assert len(quoted) >= 10
    assert [quote for quote in quoted if quote not in text] == []


def test_a_tile_of_1000_px_is_predicted_in_the_four_corners_of_the_paper():
    made, seen = recipe("paper"), []

    class Watched(torch.nn.Module):
        stride_px = 32

        def forward(self, images):
            seen.extend(images[:, :, ::511, ::511].clone())
            return images[:, :1]

    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (1000, 1000, 3), np.uint8)
    predict(Watched().eval(), image, window_px=made.window_px, overlap_px=made.overlap_px)
    windows = SCHEMES[made.patches].windows((1000, 1000))
    corners = [image[w.top : w.top + 512 : 511, w.left : w.left + 512 : 511] for w in windows]
    found = [(one.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8) for one in seen]
    assert len(found) == len(corners) == 4
    assert {one.tobytes() for one in found} == {one.tobytes() for one in corners}


# ---- schedules


def tiles(*sizes):
    rng = np.random.default_rng(0)
    made = []
    for number, (height, width) in enumerate(sizes):
        ids = np.zeros((height, width), np.int32)
        ids[height // 8 : height // 2, width // 6 : width // 2] = 1
        image = np.where(ids[..., None] > 0, [110, 70, 150], [225, 170, 200]) + rng.normal(0, 12, (height, width, 3))
        made.append(Tile(f"t{number}", image.clip(0, 255).astype(np.uint8), ids))
    return made


def test_a_gpu_learns_from_the_corners_of_the_paper_and_two_cores_from_smaller_crops():
    given = [Tile("t", np.zeros((1000, 1000, 3), np.uint8), np.zeros((1000, 1000), np.int32))] * 30
    gpu = SCHEDULES["gpu"].plan(recipe("paper"), given)
    assert (gpu.patches, gpu.crop_px) == ("msal_net", 512)
    assert gpu.steps * gpu.batch_size == 300 * 120
    for name, side in (("cpu", 256), ("cpu_long", 256), ("smoke", 64)):
        plan = SCHEDULES[name].plan(recipe("paper"), given)
        assert (plan.patches, plan.crop_px, plan.window_px) == ("random", side, None)  # windows are the recipe's


def test_one_step_of_its_own_recipe_moves_all_its_parts():
    given, made = tiles((120, 180), (130, 170)), recipe("paper", "res18")
    network = papers.build_for(made, seed=0)
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    short = Schedule(name="short", crops=4, crop_px=64, validations=1, threads=1)
    fit(made, Data(given[:1], given[1:], "squares"), short, 0, network=network, device="cpu")
    moved = {name.split(".")[0] for name, p in network.named_parameters() if not torch.equal(p, before[name])}
    assert moved == {"encoder", "ddc", "decoder4", "decoder3", "decoder2", "decoder1", "head"}


def test_the_queue_wants_every_row_and_on_two_cores_those_that_take_no_longer_than_the_network():
    operations = {variant: one["multiply_adds"] for variant, one in _counted().items()}
    gpu, cpu = (
        {(job.variant, job.seed) for job in read_queue(QUEUE, name) if (job.key, job.reading) == ("msal_net", "paper")}
        for name in ("gpu", "cpu")
    )
    assert {(row, seed) for row in ROWS for seed in (0, 1, 2)} <= gpu
    light = {row for row in ROWS if operations[row] <= operations["base"]}
    assert light == {row for row in ROWS if (row, 0) in cpu} == {"unet_res18", "res34", "res34__ddc", "res18", "base"}
    assert {"parallel", "concatenate", "three_convs"} <= {variant for variant, _ in cpu}


def _counted():
    return json.loads((ROOT / "data" / "facts" / "parameters.json").read_text())["networks"]["msal_net"]["variants"]


@pytest.mark.parametrize("variant", ["base", "parallel", "unet_res18"])
def test_at_its_published_width_it_learns_four_patches_by_heart(variant):
    made = recipe("paper", variant)
    network = papers.build_for(made, seed=0)
    assert base.learned_by_heart(network, losses.build(made.loss, **made.loss_options)) > 0.95
