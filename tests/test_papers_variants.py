"""Variants of recipes: options joined where their owner stays, and no recipe that has a record changed by it."""

import pytest

from histolab_lib.data_dir import data_dir
from histolab_lib.papers.variants import parts_of, varied
from histolab_lib.recipe import _demo
from histolab_lib.record import load_record
from histolab_lib.training.job import recipe_hash
from histolab_lib.wanted import SCHEDULE_NAMES, Job

RECORDS = sorted((data_dir() / "results").rglob("*.json"))
KNOWN = {
    "wide": ("ours: wide", {"network": {"width": 32}}),
    "deep": ("ours: deep", {"network": {"levels": 4}, "lr": 0.5}),
    "smoother": ("ours: smooth", {"loss_options": {"smooth": 9.0}}),
    "over_images": ("ours: over", {"loss_options": {"over": "image"}}),
    "bce": ("ours: plain", {"loss": "bce", "loss_options": {}}),
    "held_out": ("ours: more", {"validation": {"share": 0.5}}),
    "split": ("ours: split", {"postprocess": "watershed", "postprocess_options": {"sigma_px": 2.0}}),
    "eight": ("ours: eight", {"postprocess_options": {"connectivity": 8}}),
}


def test_options_are_joined_while_what_they_belong_to_stays():
    both = varied(_demo(), ["wide", "deep", "over_images"], KNOWN)
    assert both.variant == "wide__deep__over_images"
    assert dict(both.network) == {"width": 32, "levels": 4}
    assert dict(both.loss_options) == {"smooth": 1.0, "over": "image"}
    assert (both.lr, both.sources["lr"], both.sources["network"]) == (0.5, "ours: deep", "ours: deep")


def test_options_of_another_loss_or_post_processing_take_the_place_of_the_old_ones():
    made = varied(_demo(), ["eight", "split", "smoother", "bce"], KNOWN)
    assert (made.loss, dict(made.loss_options)) == ("bce", {})
    assert dict(made.postprocess_options) == {"sigma_px": 2.0}
    assert dict(varied(made, ["eight"], KNOWN).postprocess_options) == {"sigma_px": 2.0, "connectivity": 8}


def test_the_last_one_wins_and_other_mappings_are_replaced_whole():
    assert varied(_demo(), ["smoother"], KNOWN).loss_options["smooth"] == 9.0
    assert dict(varied(_demo(), ["held_out"], KNOWN).validation) == {"share": 0.5}


def test_base_has_no_parts_and_an_unknown_name_is_told_the_nearest():
    assert parts_of("base") == []
    assert varied(_demo(), parts_of("base"), KNOWN) == _demo()
    with pytest.raises(ValueError, match="unknown variant of 'small_unet' 'wid', did you mean 'wide'"):
        varied(_demo(), ["wid"], KNOWN)


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: f"{path.parts[-3]}/{path.parts[-2]}/{path.stem}")
def test_every_recorded_run_still_has_the_recipe_that_it_was_recorded_under(path):
    record = load_record(path)
    variant = "__".join(part for part in record.variant.split("__") if part not in _words(record.options))
    schedule = record.schedule if record.schedule in SCHEDULE_NAMES else "cpu"  # floors have none
    job = Job(
        record.key, record.dataset, schedule, record.reading, variant or "base", record.seed, dict(record.options)
    )
    assert recipe_hash(job) == record.recipe_hash


def _words(options):
    return {f"{name}_{value}".lower() for name, value in options.items()}
