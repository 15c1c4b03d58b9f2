"""Recipes: complete, honest about sources, the same after a round trip, and told apart by what decides numbers."""

import json
import pickle
import subprocess
import sys
from dataclasses import fields, replace

import pytest

from histolab_lib.recipe import Recipe, _demo

WHY = "ours: a test"
OTHER = {
    "key": "unet", "reading": "paper", "network": {"width": 8}, "weights": "imagenet", "patches": "histoseg",
    "crop_px": 65, "batch_size": 5, "augment": "none", "loss": "bce", "loss_options": {"smooth": 2.0},
    "optimiser": "sgd", "optimiser_options": {"eps": 1e-7}, "lr": 0.1, "encoder_lr_factor": 0.4, "weight_decay": 0.0,
    "momentum": 0.9, "lr_schedule": "poly", "lr_schedule_options": {"power": 0.9}, "warmup": 0.1, "steps": 99,
    "patience": 9, "clip_norm": 1.0, "averaged_weights": 0.99, "selection": "best_validation",
    "validation": {"share": 0.1, "metric": "aji"}, "postprocess": "watershed", "postprocess_options": {"x": 1},
    "thresholds": {"mask": "otsu"}, "resize_px": (576, 832), "window_px": 512, "overlap_px": 64, "tta": True,
}  # fmt: skip


@pytest.mark.parametrize("name", OTHER)
def test_every_setting_changes_the_digest_and_survives_a_round_trip(name):
    demo = _demo()
    sources = {**demo.sources, name: WHY} if name not in ("key", "reading") else demo.sources
    other = replace(demo, sources=sources, **{name: OTHER[name]})
    assert other.digest() != demo.digest()
    assert other != demo
    for again in (Recipe.from_json(other.to_json()), pickle.loads(pickle.dumps(other))):
        assert again == other
        assert again.sources == other.sources
        assert again.digest() == other.digest()
        assert hash(again) == hash(other)


def test_every_field_is_either_tried_above_or_no_setting():
    assert {one.name for one in fields(Recipe)} - set(OTHER) == {"variant", "epochs", "sources"}
    in_epochs = replace(_demo(), steps=None, epochs=100, sources={**_demo().sources, "epochs": WHY})
    assert in_epochs.digest() != _demo().digest()


def test_the_name_of_a_variant_and_its_sources_do_not_change_the_digest():
    demo = _demo()
    assert demo.vary("again", "ours: another reason", lr=demo.lr).digest() == demo.digest()


def test_the_digest_is_the_same_in_another_process_and_on_another_day():
    code = "from histolab_lib.recipe import _demo; print(_demo().digest())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == _demo().digest() == "df2c7a31a99fc70f"


def test_a_field_at_its_neutral_value_needs_no_source_and_every_other_one_does():
    demo = _demo()
    assert "warmup" not in demo.sources
    without = {name: source for name, source in demo.sources.items() if name != "lr"}
    with pytest.raises(ValueError, match="sources must say where lr, warmup come from"):
        replace(demo, warmup=0.1, sources=without)
    with pytest.raises(ValueError, match="sources name lrr, which are no fields"):
        replace(demo, sources={**demo.sources, "lrr": WHY})


def test_variants_are_joined_and_what_they_change_has_their_reason():
    both = _demo().vary("fast", "ours: quick", lr=1e-2).vary("bare", "ours: less", augment="none", loss_options={})
    assert both.variant == "fast__bare"
    assert both.name == "small_unet/fast__bare-clean"
    assert (both.sources["lr"], both.sources["augment"], both.sources["crop_px"]) == (
        "ours: quick",
        "ours: less",
        "ours: an example",
    )


def test_a_recipe_cannot_be_changed_by_those_who_hold_it():
    options = {"smooth": 1.0}
    recipe = _demo().vary("own", WHY, loss_options=options)
    options["smooth"] = 9.0
    assert recipe.loss_options["smooth"] == 1.0
    with pytest.raises(TypeError):
        recipe.loss_options["smooth"] = 2.0
    with pytest.raises(AttributeError):
        recipe.lr = 1.0


def test_lists_from_json_are_tuples_again():
    recipe = _demo().vary("own", WHY, network={"widths": (8, 16, (1, 2))})
    assert Recipe.from_json(recipe.to_json()).network["widths"] == (8, 16, (1, 2))
    assert json.loads(recipe.to_json())["network"] == {"widths": [8, 16, [1, 2]]}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"reading": "text"}, "reading must be one of paper, code, clean, got 'text'"),
        ({"optimiser": "lion"}, "optimiser must be one of adam, adamw, rmsprop, sgd, got 'lion'"),
        ({"lr_schedule": "linear"}, "lr_schedule must be one of constant, cosine, plateau, poly, step"),
        ({"selection": "best"}, "selection must be one of last, best_validation"),
        ({"weights": "voc"}, "weights must be one of none, imagenet, synthetic, self_supervised, got 'voc'"),
        ({"epochs": 3}, "say epochs or steps, one of the two; got 3 and 100"),
        ({"steps": None}, "say epochs or steps, one of the two; got None and None"),
        ({"variant": "no-weights"}, "variant must be words joined by underscores, got 'no-weights'"),
        ({"crop_px": 0}, "crop_px must be a whole number of at least 1, got 0"),
        ({"batch_size": 2.5}, "batch_size must be a whole number of at least 1, got 2.5"),
        ({"resize_px": (576,)}, r"resize_px must be height and width, whole numbers of at least 1, got \(576,\)"),
        ({"resize_px": (0, 832)}, r"resize_px must be height and width, whole numbers of at least 1, got \(0, 832\)"),
        ({"warmup": 1}, "warmup must be at least 0 and below 1, got 1"),
        ({"averaged_weights": -0.1}, "averaged_weights must be at least 0 and below 1, got -0.1"),
        ({"lr": 0}, "lr must be above 0"),
        ({"clip_norm": 0}, "clip_norm above 0"),
        ({"weight_decay": -1}, "weight_decay and momentum must be at least 0"),
        ({"selection": "best_validation", "validation": {}}, "'best_validation' needs a validation share"),
        ({"validation": {"metric": "pq"}}, "validation metric must be one of dice, aji, object_dice, loss, got 'pq'"),
        ({"crops_px": 3}, r"a recipe has no field 'crops_px', did you mean 'crop_px'\? There are key, reading"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_name_of_the_recipe(values, message):
    variant, settings = values.get("variant", "wrong"), {k: v for k, v in values.items() if k != "variant"}
    with pytest.raises(ValueError, match=message):
        _demo().vary(variant, WHY, **settings)


def test_text_that_is_no_recipe_is_refused():
    with pytest.raises(ValueError, match="a recipe is a JSON object, got list"):
        Recipe.from_json("[]")
    values = json.loads(_demo().to_json())
    del values["lr"], values["loss"]
    with pytest.raises(ValueError, match="a recipe needs loss, lr"):
        Recipe.from_json(json.dumps(values))
