"""Every network that `papers.build` knows, held against the same checks; the register, the recipes and the counts."""

import json
from collections import Counter

import numpy as np
import pytest
import torch
from torch import nn

from histolab_lib import augment, losses, papers
from histolab_lib.data_dir import DataError, data_dir
from histolab_lib.papers import parameters
from histolab_lib.papers.clean import clean_recipe
from histolab_lib.papers.registry import networks
from histolab_lib.postprocess import by_name
from tests import base_network as base

pytestmark = pytest.mark.thorough

QUICK = {"small_unet"}  # the others import timm or are large, which takes seconds
NETWORKS = [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in papers.names()]
BUILDS = [(name, variant) for name, entry in networks().items() for variant in entry.rows]
ENCODED = ("unet", "unetpp", "linknet", "deeplabv3plus", "ce_net")
RECIPES = [
    *((name, "base") for name in papers.names()),
    *((name, variant) for name in ENCODED for variant in ("resnet18", "mobilenetv2", "mobilenetv2__imagenet")),
    *(("strong_unet", variant) for variant in ("no_weights", "no_stain", "mask_alone", "no_average", "glands")),
    ("small_unet", "floor"),
]


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(
    "check",
    [
        base.check_forward,
        base.check_stride_error,
        base.check_gradients,
        base.check_evaluation,
        base.check_channels_last,
        base.check_bfloat16,
    ],
)
def test_a_network_does_what_every_network_must(name, check):
    check(papers.build(name))


@pytest.mark.parametrize("name", NETWORKS)
def test_the_logits_of_a_seeded_network_are_the_stored_ones(name):
    base.check_stored_logits(papers.build(name, seed=1), name)


# torch 2.13's own compiler uses torch.jit.script_method, which the same version deprecates; goes with the next torch.
@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated:DeprecationWarning")
@pytest.mark.slow
@pytest.mark.parametrize("name", papers.names())
def test_a_network_can_be_compiled(name):
    # what makes C++ of the graph takes a minute a network: for two of them, the graph alone for the others
    base.check_compile(papers.build(name), backend="inductor" if name in ("small_unet", "strong_unet") else "aot_eager")


# torch 2.13's own exporter uses LeafSpec, which the same version deprecates; goes with the next torch.
@pytest.mark.filterwarnings("ignore:`isinstance\\(treespec, LeafSpec\\)` is deprecated:FutureWarning")
@pytest.mark.slow
@pytest.mark.parametrize("name", papers.names())
def test_a_network_exported_to_onnx_gives_the_same(name, tmp_path):
    base.check_onnx(papers.build(name), tmp_path / "network.onnx")


@pytest.mark.parametrize("name", NETWORKS)
def test_the_seed_decides_the_weights_and_the_global_state_is_left_alone(name):
    before = torch.random.get_rng_state()
    first, again, other = (papers.build(name, seed=seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


def test_a_name_that_is_unknown_is_told_the_nearest():
    with pytest.raises(ValueError, match=r"unknown network 'unet_pp', did you mean 'unetpp'\? Allowed: 'small_unet'"):
        papers.build("unet_pp")


def test_an_option_that_is_unknown_is_told_the_nearest():
    with pytest.raises(ValueError, match="unknown option of 'small_unet' 'widht', did you mean 'width'"):
        papers.build("small_unet", widht=8)
    with pytest.raises(ValueError, match="unknown option of 'small_unet' 'encoder'"):
        papers.build("small_unet", encoder="resnet18")


def test_the_code_of_a_network_without_released_code_is_refused():
    with pytest.raises(ValueError, match=r"no code was released for U-Net \('unet'\); leave out reading, or pass"):
        papers.build("unet", reading="code")
    with pytest.raises(ValueError, match="unknown reading 'papre', did you mean 'paper'"):
        papers.build("small_unet", reading="papre")
    with pytest.raises(ValueError, match="no code was released"):
        papers.recipe("unet", "code")


def test_a_network_with_released_code_is_told_which_reading_is_meant(monkeypatch):
    asked = []
    made = papers.Network(
        title="a network",
        make=lambda *, reading, seed=0: asked.append(reading) or nn.Identity(),
        recipes=lambda reading, variant: clean_recipe("two"),
        code="somewhere",
    )
    monkeypatch.setattr(papers, "networks", lambda: {"two": made})
    for reading in ("paper", "code", "clean"):
        papers.build("two", reading=reading)
    assert asked == ["paper", "code", "paper"]
    with pytest.raises(ValueError, match="unknown option of 'two' 'width'"):
        papers.build("two", width=1)


@pytest.mark.parametrize(("name", "variant"), RECIPES)
def test_a_recipe_names_what_there_is(name, variant):
    recipe = papers.recipe(name, variant=variant)
    assert (recipe.key, recipe.reading, recipe.variant) == (name, "clean", variant)
    assert recipe.augment in augment.RECIPES
    losses.build(recipe.loss, **recipe.loss_options)
    maps = {"mask": np.full((24, 24), 0.9), "contour": np.zeros((24, 24))}
    instances = by_name(recipe.postprocess)(maps, thresholds=recipe.thresholds, **recipe.postprocess_options)
    assert (instances == 1).all()
    assert all(source.startswith("ours: ") for source in recipe.sources.values())


def test_recipes_that_differ_in_name_differ_in_settings():
    digests = Counter(papers.recipe(name, variant=variant).digest() for name, variant in RECIPES)
    assert set(digests.values()) == {1}


def test_the_clean_protocol_is_the_same_for_all_but_the_strong_u_net():
    ignored = {"key", "sources"}
    settings = [
        {k: v for k, v in papers.recipe(name).settings().items() if k not in ignored}
        for name in papers.names()
        if name != "strong_unet"
    ]
    assert all(one == settings[0] for one in settings)


def test_the_strong_recipe_is_that_of_its_first_run():
    recipe = papers.recipe("strong_unet")
    assert (recipe.crop_px, recipe.batch_size, recipe.steps, recipe.lr, recipe.encoder_lr_factor) == (
        256, 8, 5322, 1.5e-3, 0.4,
    )  # fmt: skip
    assert (recipe.weights, recipe.loss, dict(recipe.thresholds)) == (
        "imagenet", "mask_contour", {"mask": 0.5, "contour": 0.45},
    )  # fmt: skip


def test_a_recipe_that_is_unknown_is_told_which_there_are():
    with pytest.raises(ValueError, match="unknown variant of 'unet' 'imagnet', did you mean 'imagenet'"):
        papers.recipe("unet", variant="mobilenetv2__imagnet")
    with pytest.raises(ValueError, match="unet is a baseline of this book: its only recipe has the reading 'clean'"):
        papers.recipe("unet", "paper")


@pytest.mark.parametrize("name", NETWORKS)
def test_a_recipe_builds_its_network_from_the_seed(name):
    recipe = papers.recipe(name)
    if recipe.weights == "imagenet":
        recipe = papers.recipe(name, variant="no_weights")
    built, plain = papers.build_for(recipe, seed=5), papers.build(name, seed=5)
    assert all(torch.equal(a, b) for a, b in zip(built.state_dict().values(), plain.state_dict().values(), strict=True))


def test_a_recipe_whose_weights_are_not_here_says_where_they_were_looked_for(monkeypatch, tmp_path):
    monkeypatch.setenv("HISTOLAB_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"weights/mobilenetv2_100_imagenet\.safetensors: no such file"):
        papers.build_for(papers.recipe("strong_unet"), seed=0)
    with pytest.raises(DataError, match=r"weights/resnet34_imagenet\.safetensors: no such file"):
        papers.build_for(papers.recipe("unet", variant="imagenet"), seed=0)


def test_weights_that_are_made_for_a_run_are_asked_for_and_those_that_a_recipe_does_not_want_are_refused(tmp_path):
    plain = papers.recipe("unet", variant="resnet18")
    for kind in ("synthetic", "self_supervised"):
        with pytest.raises(DataError, match=f"weights='{kind}', which are made for each run: histolab run makes them;"):
            papers.build_for(plain.vary(kind, "ours: a test", weights=kind), seed=0)
    with pytest.raises(ValueError, match=r"unet/resnet18-clean starts from random weights, got .*x\.safetensors;"):
        papers.build_for(plain, seed=0, weights=tmp_path / "x.safetensors")


def test_multiply_adds_are_those_counted_by_hand():
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.Sequential(nn.Conv2d(8, 8, 5, padding=2, groups=4), nn.ReLU()),
        nn.ConvTranspose2d(8, 4, 2, stride=2),
        nn.Flatten(2),
        nn.Linear(64, 10),
    )
    counted = parameters.count(network, size_px=8)
    by_hand = {"0": 4 * 4 * 8 * 27, "1": 0, "2": 4 * 4 * 8 * 2 * 25, "3": 4 * 4 * 8 * 4 * 4, "5": 4 * 64 * 10}
    assert {name: stage["multiply_adds"] for name, stage in counted["stages"].items()} == by_hand
    assert counted["multiply_adds"] == sum(by_hand.values())
    assert counted["parameters"] == 8 * 27 + 16 + (8 * 2 * 25 + 8) + (8 * 4 * 4 + 4) + (64 * 10 + 10)
    assert counted["statistics"] == 16
    assert next(network.parameters()).device.type == "cpu"


def test_the_small_unet_multiplies_what_its_layers_say():
    convs = lambda i, o, side: side**2 * 9 * (i * o + o * o)  # noqa: E731 - two 3x3 convolutions
    down = convs(3, 16, 256) + convs(16, 32, 128) + convs(32, 64, 64) + convs(64, 128, 32)
    up = sum(side**2 // 4 * 2 * c * c * 4 + convs(2 * c, c, side) for c, side in ((64, 64), (32, 128), (16, 256)))
    counted = parameters.count(papers.build("small_unet"))
    stages = {name: stage["multiply_adds"] for name, stage in counted["stages"].items()}
    assert stages == {"down": down, "up": up, "head": 256**2 * 16}


@pytest.mark.slow
def test_the_committed_counts_are_those_of_the_networks():
    kept = json.loads((data_dir() / "facts" / "parameters.json").read_text(encoding="utf-8"))
    assert kept == parameters.compute()


def test_the_committed_counts_hold_every_build_and_add_up():
    kept = json.loads((data_dir() / "facts" / "parameters.json").read_text(encoding="utf-8"))
    assert [(name, variant) for name, one in kept["networks"].items() for variant in one["variants"]] == BUILDS
    for network in kept["networks"].values():
        for counted in network["variants"].values():
            for what in ("parameters", "statistics", "multiply_adds"):
                assert sum(stage[what] for stage in counted["stages"].values()) == counted[what] > 0


def test_facts_are_written_whole_and_read_back(tmp_path, monkeypatch):
    monkeypatch.setattr(parameters, "networks", lambda: {"small_unet": networks()["small_unet"]})
    path = parameters.write(tmp_path / "parameters.json")
    assert json.loads(path.read_text(encoding="utf-8")) == parameters.compute()
    assert [one.name for one in tmp_path.iterdir()] == ["parameters.json"]
