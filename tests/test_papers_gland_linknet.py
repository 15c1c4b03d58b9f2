"""The modified LinkNet: counts, shapes, losses, switches, recipes; what every network must do is in test_papers.py."""

import numpy as np
import pytest
import torch

from histolab_lib import losses, papers
from histolab_lib.augment import RECIPES
from histolab_lib.claims import claim, load_claims
from histolab_lib.inference import predict, predict_maps
from histolab_lib.inputs import Inputs
from histolab_lib.losses import Targets
from histolab_lib.outputs import Output
from histolab_lib.papers.gland_linknet import ROWS, gland_linknet, recipe
from histolab_lib.papers.registry import networks
from histolab_lib.patches import SCHEMES
from histolab_lib.postprocess import by_name
from histolab_lib.tile import Tile
from histolab_lib.training import SCHEDULES, Data, Schedule, fit
from histolab_lib.wanted import read_queue
from tests import base_network as base
from tests.books import ROOT
from tests.literal import gland_linknet as literal
from tests.tiny_training import Dots

pytestmark = [pytest.mark.thorough, pytest.mark.slow]  # timm takes seconds to import

STEM = {"hematoxylin": 3_264, "unsharp_hematoxylin": 3_264, "rgb": 9_536, "rgb+hematoxylin": 64 * 4 * 49 + 128}
STAGES = [147_968, 525_568, 2_099_712, 8_393_728]
DECODERS = [246_784, 61_952, 15_616, 4_544]
LAST = [18_528, 9_312, 129]
QUEUE = ROOT / "data" / "queue.yaml"
TRUNK = 11_533_377  # of RGB, with one output


def on_meta(**options):
    with torch.device("meta"):
        return gland_linknet(**options)


def count(*parts):
    return sum(p.numel() for part in parts for p in part.parameters())


def statistics(network):
    return sum(b.numel() for name, b in network.named_buffers() if "running" in name)


@pytest.mark.parametrize("inputs", STEM)
def test_linknet_has_its_parameters_stage_by_stage(inputs):
    network = on_meta(inputs=inputs, inner=None)
    e = network.encoder
    assert count(e.conv1, e.bn1) == STEM[inputs]
    assert [count(stage) for stage in (e.layer1, e.layer2, e.layer3, e.layer4)] == STAGES
    decoders = network.decoder4, network.decoder3, network.decoder2, network.decoder1
    assert [count(one) for one in decoders] == DECODERS
    assert [count(one) for one in (network.f1, network.f2, network.f3)] == LAST
    assert count(network) == TRUNK - STEM["rgb"] + STEM[inputs]
    assert statistics(network) == 11_712


def test_the_published_linknet_has_the_printed_11_million_and_the_input_decides_little():
    assert count(on_meta(inputs="rgb", inner=None)) == TRUNK
    printed = claim("gland_linknet/section-ii-b/linknet/parameters")
    assert int(count(on_meta(inputs="rgb", inner=None)) / 1e6) == printed.number


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ({}, 11_527_170),
        ({"inputs": "unsharp_hematoxylin"}, 11_527_170),
        ({"inputs": "rgb"}, 11_533_442),
        ({"inputs": "rgb+hematoxylin"}, 11_533_442 + 64 * 49),
        ({"inner": None}, 11_527_105),
        ({"inner": "f1"}, 11_527_105 + 33),
        ({"stem_skip": False}, 11_527_170),
        ({"inputs": "rgb", "inner": None}, TRUNK),
    ],
)
def test_each_build_has_the_parameters_counted_by_hand(options, parameters):
    assert count(on_meta(**options)) == parameters


def test_every_build_of_the_register_is_one_of_those():
    built = {variant: count(on_meta(**options)) for variant, options in networks()["gland_linknet"].rows.items()}
    assert built == {
        "base": 11_527_170, "unsharp": 11_527_170, "rgb": 11_533_442, "rgb_hematoxylin": 11_536_578,
        "no_inner": 11_527_105, "inner_f1": 11_527_138, "rgb__no_inner": TRUNK,
    }  # fmt: skip


@pytest.mark.parametrize("size", [(256, 256), (576, 832), (288, 416)])
@pytest.mark.parametrize("inner", ["d1", "f1"])
def test_every_map_has_the_size_of_the_table(size, inner):
    network, seen = on_meta(inner=inner), {}
    for name, part in network.named_modules():
        part.register_forward_hook(lambda _, __, out, name=name: seen.update({name: out}))
    output = network(torch.empty(2, 3, *size, device="meta"))

    def shape(channels, reduction):
        return (2, channels, size[0] // reduction, size[1] // reduction)

    expected = {
        "prepare": (1, 1), "encoder.conv1": (64, 2), "encoder.maxpool": (64, 4),
        "encoder.layer1": (64, 4), "encoder.layer2": (128, 8), "encoder.layer3": (256, 16), "encoder.layer4": (512, 32),
        "decoder4": (256, 16), "decoder3": (128, 8), "decoder2": (64, 4), "decoder1": (64, 4),
        "f1": (32, 2), "f2": (32, 2), "f3": (1, 1), "inner": (1, 4 if inner == "d1" else 2),
    }  # fmt: skip
    assert {name: tuple(seen[name].shape) for name in expected} == {k: shape(*v) for k, v in expected.items()}
    narrow = {f"decoder{n}.{place}": (c // 4, r) for n, c, small, large in
              ((4, 512, 32, 16), (3, 256, 16, 8), (2, 128, 8, 4), (1, 64, 4, 4))
              for place, r in ((0, small), (1, large))}  # fmt: skip
    assert {name: tuple(seen[name].shape) for name in narrow} == {k: shape(*v) for k, v in narrow.items()}
    assert isinstance(output, Output)
    assert tuple(output.mask.shape) == shape(1, 1)
    assert list(output.extra) == ["inner"]


@pytest.mark.parametrize(
    ("options", "literally"),
    [
        ({}, {"inner": "d1"}),
        ({"inner": "f1", "inputs": "rgb"}, {"inner": "f1"}),
        ({"inner": None, "stem_skip": False, "inputs": "unsharp_hematoxylin"}, {"links": 3}),
    ],
)
def test_it_is_linknet_layer_by_layer(options, literally):
    network = base.settled(gland_linknet(**options))
    images = base.images(2, 64, 96)
    found = base.run(network, images)
    expected = literal.linknet(network.state_dict().values(), network.prepare(images), **literally)
    for ours, theirs in zip(found, [one for one in expected if one is not None], strict=True):
        torch.testing.assert_close(ours.double(), theirs, rtol=1e-3, atol=1e-4 * float(theirs.abs().max()))


@pytest.mark.parametrize("options", [{}, {"inner": "f1"}, {"inner": None}, {"inputs": "rgb+unsharp_hematoxylin"}])
def test_gradients_of_its_loss_reach_every_parameter(options):
    made = recipe("paper")
    network = base.awake(gland_linknet(**options))
    ids = torch.zeros(2, 96, 96, dtype=torch.int32)
    ids[:, 10:40, 10:40], ids[:, 40:70, 20:50] = 1, 2
    losses.build(made.loss, **made.loss_options)(network(base.images(2, 96, 96)), Targets.of(ids)).backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize(
    ("change", "touched"),
    [
        ({"inputs": "rgb"}, {"encoder"}),
        ({"inputs": "unsharp_hematoxylin"}, set()),
        ({"inner": "f1"}, {"inner"}),
        ({"inner": None}, {"inner"}),
        ({"stem_skip": False}, set()),
    ],
)
def test_a_switch_changes_what_it_names_and_nothing_else(change, touched):
    made, other = (
        {name: tuple(p.shape) for name, p in on_meta(**options).named_parameters()} for options in ({}, change)
    )
    differing = {name for name in made.keys() | other.keys() if made.get(name) != other.get(name)}
    assert {name.split(".")[0] for name in differing} == touched
    if touched == {"encoder"}:
        assert differing == {"encoder.conv1.weight"}


def test_switches_without_parameters_change_the_maps_and_the_coarse_output_does_not_touch_the_mask():
    images, made = base.images(1, 64, 64), base.settled(gland_linknet())
    kept = made.state_dict()
    plain, _ = base.run(made, images)
    for change in ({"stem_skip": False}, {"inputs": "unsharp_hematoxylin"}):
        other = gland_linknet(**change)
        other.load_state_dict(kept, strict=True)
        assert not torch.allclose(base.run(other, images)[0], plain), change
    without = gland_linknet(inner=None)
    without.load_state_dict({k: v for k, v in kept.items() if not k.startswith("inner.")}, strict=True)
    assert torch.equal(base.run(without, images)[0], plain)


def test_an_image_of_odd_sides_is_predicted_whole_and_at_the_size_of_the_recipe():
    network = base.settled(gland_linknet())
    image = (base.images(1, 53, 77)[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    for options in ({}, {"resize_px": (96, 128)}):
        maps = predict_maps(network, image, **options)
        assert list(maps) == ["mask"]  # the coarse one is no map of every pixel
        assert maps["mask"].shape == (53, 77)
        np.testing.assert_array_equal(predict(network, image, **options), maps["mask"])


# torch 2.13's own exporter uses LeafSpec, which the same version deprecates; goes with the next torch.
@pytest.mark.filterwarnings("ignore:`isinstance\\(treespec, LeafSpec\\)` is deprecated:FutureWarning")
def test_sharpening_is_exported_to_onnx_with_the_rest(tmp_path):
    base.check_onnx(gland_linknet(inputs="rgb+unsharp_hematoxylin"), tmp_path / "network.onnx")


# torch 2.13's own compiler uses torch.jit.script_method, which the same version deprecates; goes with the next torch.
@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated:DeprecationWarning")
def test_sharpening_is_compiled_with_the_rest():
    base.check_compile(gland_linknet(inputs="unsharp_hematoxylin"), backend="aot_eager")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inner": "d2"}, "unknown inner 'd2'. Allowed: 'd1', 'f1'"),
        ({"inputs": "hematoxilin"}, "unknown input 'hematoxilin', did you mean 'hematoxylin'"),
    ],
)
def test_options_that_do_not_exist_are_errors(options, message):
    with pytest.raises(ValueError, match=message):
        gland_linknet(**options)


# ---- losses


def example(seed=0):
    generator = torch.Generator().manual_seed(seed)
    ids = (torch.rand(2, 16, 24, generator=generator) < 0.4).int()
    mask = 2 * torch.randn(2, 1, 16, 24, generator=generator)
    return Output(mask, {"inner": torch.randn(2, 1, 4, 6, generator=generator)}), ids


@pytest.mark.parametrize(("variant", "number"), [("l1", 1), ("l2", 2), ("base", 3), ("unsharp__l1", 1), ("unsharp", 3)])
def test_the_three_losses_are_equations_1_to_7(variant, number):
    output, ids = example()
    made = recipe("paper", variant)
    found = losses.build(made.loss, **made.loss_options)(output, Targets.of(ids))
    mask, coarse = (torch.sigmoid(one)[:, 0].double().numpy() for one in (output.mask, output.extra["inner"]))
    assert float(found) == pytest.approx(literal.loss(number, mask, coarse, ids.double().numpy()), abs=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("variant", ["base", "l1", "l2", "hard_accuracy"])
def test_the_loss_of_both_outputs_is_finite_at_the_extremes(variant, dtype):
    made = recipe("paper", variant)
    loss = losses.build(made.loss, **made.loss_options)
    for logit in (-1e4, 0.0, 1e4):
        for truth in (0, 1):
            maps = [torch.full((2, 1, px, px), logit, dtype=dtype, requires_grad=True) for px in (16, 4)]
            value = loss(Output(maps[0], {"inner": maps[1]}), Targets.of(torch.full((2, 16, 16), truth)))
            value.backward()
            assert value.isfinite()
            assert all(one.grad.isfinite().all() for one in maps)


@pytest.mark.parametrize(("variant", "least"), [("l1", -(np.e**2)), ("l2", -(np.e**2) - 1), ("base", -(np.e**2) - 1)])
def test_at_its_best_the_loss_is_negative_and_three_times_so_with_the_coarse_output(variant, least):
    made = recipe("paper", variant)
    coarse = (torch.rand(2, 4, 6, generator=torch.Generator().manual_seed(1)) < 0.5).int()
    ids = coarse.repeat_interleave(4, 1).repeat_interleave(4, 2)
    sure = Output(200.0 * (ids[:, None] - 0.5), {"inner": 200.0 * (coarse[:, None] - 0.5)})
    loss = losses.build(made.loss, **made.loss_options)
    assert float(loss(sure, Targets.of(ids))) == pytest.approx(3 * least, abs=1e-4)
    assert float(loss(sure.mask, Targets.of(ids))) == pytest.approx(least, abs=1e-4)
    if variant == "base":
        assert least == pytest.approx(-8.389, abs=1e-3)


# ---- recipes

VARIANTS = {
    "base": set(),
    "l1": {"loss_options"},
    "l2": {"loss_options"},
    "unsharp": {"network"},
    "unsharp__l1": {"network", "loss_options"},
    "unsharp__l2": {"network", "loss_options"},
    "rgb": {"network"},
    "rgb_hematoxylin": {"network"},
    "no_inner": {"network"},
    "inner_f1": {"network"},
    "three_links": {"network"},
    "hard_accuracy": {"loss_options"},
    "rgb__no_inner": {"network"},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_changes_its_fields_alone(variant):
    first, other = (recipe("paper", name).settings() for name in ("base", variant))
    changed = {name for name in first if first[name] != other[name]} - {"variant", "sources"}
    assert changed == VARIANTS[variant]


def test_variants_that_differ_in_name_differ_in_settings():
    digests = [recipe("paper", variant).digest() for variant in VARIANTS]
    assert len(set(digests)) == len(digests)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_recipe_names_what_there_is(variant):
    made = papers.recipe("gland_linknet", "paper", variant)
    assert (made.key, made.reading, made.variant) == ("gland_linknet", "paper", variant)
    assert made.augment in RECIPES
    losses.build(made.loss, **made.loss_options)
    with torch.device("meta"):
        assert papers.build("gland_linknet", reading="paper", **made.network)
    maps = {"mask": np.pad(np.full((40, 40), 0.9), 5)}
    found = by_name(made.postprocess)(maps, thresholds=made.thresholds, **made.postprocess_options)
    assert found.max() == 1
    assert found[25, 25] == 1


def test_a_reading_of_code_is_an_error_that_says_that_none_was_released():
    with pytest.raises(ValueError, match="no code was released for the modified LinkNet"):
        recipe("code")
    with pytest.raises(ValueError, match="no code was released for the modified LinkNet"):
        papers.recipe("gland_linknet", "code")
    with pytest.raises(ValueError, match="no code was released for the modified LinkNet"):
        papers.build("gland_linknet", reading="code")
    with pytest.raises(ValueError, match="unknown variant of 'gland_linknet' 'unsharpp', did you mean 'unsharp'"):
        recipe("paper", "unsharpp")


def test_the_rows_are_those_of_both_tables_in_their_order():
    quoted = {"Rezaei et al.", "CUMedVision1", "CUMedVision2"}
    for table in ("Table 1", "Table 2"):
        printed = [one.row for one in load_claims() if (one.paper, one.location) == ("gland_linknet", table)]
        assert list(dict.fromkeys(row for row in printed if row not in quoted)) == list(ROWS.values())
    assert [dict(recipe("paper", row).network).get("inputs") for row in ROWS] == 3 * [None] + 3 * [
        "unsharp_hematoxylin"
    ]
    weights = [(o["bce_weight"], o["accuracy_weight"]) for o in (recipe("paper", row).loss_options for row in ROWS)]
    assert weights == 2 * [(1, 0), (1, 1), (2, 1)]


def test_the_queue_wants_the_six_rows_and_the_one_that_is_missing():
    wanted = {*ROWS, "rgb"}
    for schedule in ("cpu", "gpu"):
        runs = [job for job in read_queue(QUEUE, schedule) if job.key == "gland_linknet"]
        for seed in (0, 1, 2):
            assert {job.variant for job in runs if job.reading == "paper" and job.seed == seed} == wanted
        assert {job.data for job in runs if job.reading == "paper"} == {"glas"}
    (long,) = {
        job.variant for job in read_queue(ROOT / "data" / "queue.yaml", "cpu_long") if job.key == "gland_linknet"
    }
    assert long == "base"


def test_the_recipe_says_what_its_sections_print():
    made = recipe("paper")
    at = "gland_linknet/section-iii-a"
    height, width = (claim(f"{at}/resized/glas/train/{side}_px").number for side in ("height", "width"))
    assert made.resize_px == SCHEMES[made.patches].resize_px == (height, width)
    crops = SCHEMES[made.patches].windows((522, 775))
    assert len(crops) == claim(f"{at}/crops-of-each-image/glas/train/patches").number
    assert {window[2:] for window in crops} == {(height // 2, width // 2)}
    assert made.crop_px == height // 2
    epochs = claim("gland_linknet/section-iii/glas/train/epochs").number
    versions = made.epochs / epochs
    images = claim(f"{at}/glas/train/images").number
    assert versions == 13
    assert images * versions * len(crops) == claim(f"{at}/augmented/glas/train/images").number
    assert made.loss_options["inner_weight"] == claim("gland_linknet/section-ii-b/li/loss_weight").number
    assert made.loss_options["bce_weight"] == claim("gland_linknet/section-ii-b/bce-in-l3/loss_weight").number
    assert dict(made.thresholds) == {"mask": "otsu"}


@pytest.mark.real
def test_quotations_of_the_recipes_stand_in_the_text(papers):
    text = " ".join((papers / "gland_linknet.txt").read_text(encoding="utf-8").replace("-\n", "").split())
    sources = [s for name in VARIANTS for s in recipe("paper", name).sources.values()]
    quoted = {quote for source in sources for quote in source.split('"')[1::2]}
    assert len(quoted) >= 6
    assert [quote for quote in quoted if quote not in text] == []


@pytest.mark.real
def test_the_morphology_leaves_every_gland_of_the_training_tiles_and_splits_none(tissue):
    from histolab_lib.datasets import load

    made, tiles = recipe("paper"), load("glas", "train")
    for tile in [tiles[i] for i in range(0, 85, 9)]:
        found = by_name(made.postprocess)(
            {"mask": tile.mask.astype(float)}, thresholds={"mask": 0.5}, **made.postprocess_options
        )
        large = [i for i in range(1, tile.count + 1) if (tile.instances == i).sum() > 10]
        assert found.max() == len(large)
        assert all(len(np.unique(found[(tile.instances == i) & (found > 0)])) == 1 for i in large)


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


def test_all_schedules_but_smoke_learn_from_the_quarters_of_the_paper():
    given = tiles((120, 180), (130, 170))
    for schedule, expected in (("cpu", "gland_linknet"), ("cpu_long", "gland_linknet"), ("gpu", "gland_linknet"),
                               ("smoke", "random")):  # fmt: skip
        plans = [SCHEDULES[schedule].plan(recipe("paper", row), given) for row in (*ROWS, "rgb")]
        assert {plan.patches for plan in plans} == {expected}
        assert len({plan.steps for plan in plans}) == 1
        assert plans[0].window_px is None
    gpu = SCHEDULES["gpu"].plan(recipe("paper"), 2 * given)
    assert gpu.steps * gpu.batch_size == 1300 * 4 * 4  # as often as the text, each quarter of four tiles
    assert SCHEDULES["smoke"].plan(recipe("paper"), given).crop_px == 64


@pytest.mark.parametrize("crop_px", [None, 64])
def test_patches_that_are_not_square_and_small_crops_go_through_training(crop_px, monkeypatch):
    seen, forward = [], Dots.forward

    def watched(self, images):
        seen.append((self.training, tuple(images.shape)))
        return forward(self, images)

    monkeypatch.setattr(Dots, "forward", watched)
    given = tiles((120, 180), (130, 170))
    short = Schedule(name="short", crops=8, crop_px=crop_px, validations=1, threads=1)
    fitted = fit(recipe("paper"), Data(given[:1], given[1:], "squares"), short, 0, network=Dots(), device="cpu")
    size = (288, 416) if crop_px is None else (64, 64)
    assert [one for one in seen if one[0]] == 2 * [(True, (4, 3, *size))]
    assert {one for training, one in seen if not training} == {(1, 3, 576, 832)}
    assert list(fitted.history.scores[2]) == ["dice", "object_dice"]


def test_one_step_of_its_own_recipe_moves_all_its_parts():
    given = tiles((120, 180), (130, 170))
    made = recipe("paper", "unsharp__l2")
    network = papers.build_for(made, seed=0)
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    smoke = Schedule(name="short", crops=4, crop_px=64, validations=1, threads=1)
    fit(made, Data(given[:1], given[1:], "squares"), smoke, 0, network=network, device="cpu")
    moved = {name.split(".")[0] for name, p in network.named_parameters() if not torch.equal(p, before[name])}
    assert moved == {"encoder", "decoder4", "decoder3", "decoder2", "decoder1", "f1", "f2", "f3", "inner"}


def test_its_input_is_the_one_that_its_recipe_names():
    images = base.images(1, 32, 32)
    for variant, kinds in (("base", "hematoxylin"), ("unsharp", "unsharp_hematoxylin"), ("rgb", "rgb")):
        network = papers.build_for(recipe("paper", variant), seed=0)
        assert torch.equal(network.prepare(images), Inputs(kinds)(images))


@pytest.mark.parametrize("variant", ["base", "l1", "unsharp__l2"])
def test_at_its_published_width_it_learns_four_patches_by_heart(variant):
    made = recipe("paper", variant)
    network = papers.build_for(made, seed=0)
    assert base.learned_by_heart(network, losses.build(made.loss, **made.loss_options)) > 0.95
