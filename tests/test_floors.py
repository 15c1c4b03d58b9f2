"""What no learning scores on real tissue, to the third digit: loader, stain, clean-up and Dice together."""

import numpy as np
import pytest

from histolab_lib.datasets import load
from histolab_lib.floors import RULES, gland_floor, nucleus_floor, rule_for
from histolab_lib.metrics import dice
from histolab_lib.postprocess import fill_and_open, hematoxylin_floor, otsu_mask, remove_small
from histolab_lib.stain import hematoxylin


def stained(*discs, shape=(160, 160)):
    """An image on which discs (row, column, radius) are as blue as hematoxylin, the rest pale."""
    image = np.full((*shape, 3), 235, np.uint8)
    row, column = np.ogrid[: shape[0], : shape[1]]
    for r, c, radius in discs:
        image[(row - r) ** 2 + (column - c) ** 2 <= radius**2] = (90, 70, 150)
    return image


def test_two_nuclei_apart_are_two_objects_and_a_speck_is_none():
    found = nucleus_floor(stained((40, 40, 10), (100, 100, 12), (20, 130, 2)))
    assert found.dtype == np.int32
    assert set(np.unique(found)) == {0, 1, 2}
    assert found[40, 40] != found[100, 100]
    assert found[20, 130] == 0


def test_nuclei_in_a_ring_are_one_gland_with_its_lumen():
    ring = [(80 + round(36 * np.sin(t)), 80 + round(36 * np.cos(t)), 6) for t in np.linspace(0, 2 * np.pi, 17)]
    found = gland_floor(stained(*ring))
    assert set(np.unique(found)) == {0, 1}
    assert found[80, 80] == 1
    assert found[5, 5] == 0


def written_out(blue, *, sigma_px, threshold, radius_px, min_area_px, connectivity):
    assert threshold == "otsu"
    mask = fill_and_open(otsu_mask(blue, sigma_px=sigma_px), radius_px=radius_px)
    return remove_small(mask, min_area_px=min_area_px, connectivity=connectivity)


@pytest.mark.parametrize("variant", RULES)
def test_the_settings_of_a_floor_are_what_it_does(variant):
    image = stained((40, 40, 10), (44, 60, 11), (100, 100, 25), (20, 130, 4))
    rule = RULES[variant]
    assert np.array_equal(rule.segment(image) > 0, written_out(hematoxylin(image), **rule.settings))


def test_a_floor_says_on_which_tiles_it_was_chosen():
    assert len(rule_for("monuseg")[1]) == 30
    assert rule_for("tnbc")[1] == rule_for("monuseg")[1]
    assert len(rule_for("glas", "glands")[1]) == 85
    assert set(rule_for("kumar")[1]) < set(rule_for("monuseg")[1])


@pytest.mark.parametrize(("dataset", "variant", "wanted"), [("glas", "base", "glands"), ("tnbc", "glands", "base")])
def test_a_floor_for_other_objects_is_refused(dataset, variant, wanted):
    with pytest.raises(ValueError, match=f"'floor_hematoxylin' on '{dataset}': the variant must be '{wanted}'"):
        rule_for(dataset, variant)
    with pytest.raises(ValueError, match="unknown variant of 'floor_hematoxylin' 'cells'"):
        rule_for(dataset, "cells")


def floor_scores(split):
    return np.array([dice(tile.mask, hematoxylin_floor(hematoxylin(tile.image))) for tile in load("monuseg", split)])


@pytest.mark.real
def test_the_hematoxylin_floor_of_the_14_test_tiles(tissue):
    scores = floor_scores("test")
    assert scores.size == 14
    assert [scores.mean(), scores.min(), scores.max()] == pytest.approx([0.770, 0.713, 0.824], abs=0.0015)


@pytest.mark.real
@pytest.mark.slow
def test_the_hematoxylin_floor_of_the_30_training_tiles(tissue):
    scores = floor_scores("train")
    assert scores.size == 30
    assert [scores.mean(), scores.min(), scores.max()] == pytest.approx([0.742, 0.548, 0.857], abs=0.0015)


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize(("name", "chosen_on"), [("monuseg", 30), ("kumar", 16)])
def test_the_rule_of_nuclei_is_the_best_of_four_on_the_tiles_it_was_chosen_on(tissue, name, chosen_on):
    tiles = load(name, "train")
    assert set(tiles.names) == set(rule_for(name)[1])
    scores = {kind: [] for kind in (0.0, 1.0, 2.0, "floor")}
    for tile in tiles:
        blue = hematoxylin(tile.image)
        for kind, found in scores.items():
            mask = hematoxylin_floor(blue) if kind == "floor" else otsu_mask(blue, sigma_px=kind)
            found.append(dice(tile.mask, mask))
    means = {kind: np.mean(found) for kind, found in scores.items()}
    assert len(scores["floor"]) == chosen_on
    assert max(means, key=means.get) == "floor"


@pytest.mark.real
@pytest.mark.slow
def test_the_blur_of_glands_is_the_best_of_five_on_the_training_images(tissue):
    settings = dict(RULES["glands"].settings)
    scores = {sigma: [] for sigma in (4.0, 8.0, 12.0, 16.0, 24.0)}
    tiles = load("glas", "train")
    assert set(tiles.names) == set(rule_for("glas", "glands")[1])
    for tile in tiles:
        blue = hematoxylin(tile.image)
        for sigma, found in scores.items():
            found.append(dice(tile.mask, written_out(blue, **{**settings, "sigma_px": sigma})))
    means = {sigma: np.mean(found) for sigma, found in scores.items()}
    assert max(means, key=means.get) == settings["sigma_px"]
