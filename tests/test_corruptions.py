"""Corruptions: that every unit is true, that none is none, and that scores along the steps are plain scores."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from histolab_lib import datasets
from histolab_lib.corruptions import (
    CORRUPTIONS,
    Corruption,
    add_gaussian_noise,
    add_photon_noise,
    blur,
    change_light,
    coarsen,
    compress_jpeg,
    curves,
    means,
    own_stains,
    rescale,
    scale_stains,
    turn_stains,
)
from histolab_lib.floors import nucleus_floor
from histolab_lib.patches import UM_PER_PX
from histolab_lib.scoring import score
from histolab_lib.stain import RUIFROK_HED, StainError, concentrations, estimate_macenko, od_to_rgb, stain_angles
from histolab_lib.tile import Tile

STAINS = np.array([[0.62, 0.71, 0.33], [0.18, 0.82, 0.54]])  # about those of MoNuSeg
STAINS /= np.linalg.norm(STAINS, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def tile():
    return datasets.load("synthetic", "test", n=1, size=128, seed=3)[0]


def stained(seed=0, side=96):
    """Mixtures of two stains that no channel holds so much of that its grey levels run out."""
    rng = np.random.default_rng(seed)
    amounts = rng.uniform(0.05, 0.35, (side, side, 2))
    return amounts, od_to_rgb(amounts @ STAINS)


def flat(value, side=256):
    return np.full((side, side, 3), value, np.uint8)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_first_step_is_none_and_every_other_one_changes_the_image_more_than_the_one_before(name, tile):
    one = CORRUPTIONS[name]
    assert one.name == name
    assert one(tile, one.none) is tile
    if name == "smaller":
        assert [one(tile, step).shape[0] for step in one.steps] == [128, 102, 85, 64, 43]
        return
    moved = [np.abs(one(tile, step).image.astype(int) - tile.image).mean() for step in one.steps]
    assert moved == sorted(moved)
    assert moved[1] > 0.3


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_objects_stay_where_they_are_and_the_source_says_what_was_done(name, tile):
    worse = CORRUPTIONS[name](tile, CORRUPTIONS[name].steps[2])
    assert worse.source["corrupted_by"] == ((name, CORRUPTIONS[name].steps[2]),)
    assert "corrupted_by" not in tile.source
    if name != "smaller":
        np.testing.assert_array_equal(worse.instances, tile.instances)
        assert (worse.name, worse.classes, worse.um_per_px) == (tile.name, tile.classes, tile.um_per_px)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_same_seed_gives_the_same_image_and_the_given_one_is_left_alone(name, tile):
    before, one = tile.image.copy(), CORRUPTIONS[name]
    np.testing.assert_array_equal(one(tile, one.steps[3], seed=4).image, one(tile, one.steps[3], seed=4).image)
    np.testing.assert_array_equal(tile.image, before)
    differ = (one(tile, one.steps[1], seed=4).image != one(tile, one.steps[1], seed=5).image).mean()
    assert (differ > 0.3) == ("noise" in name)


def test_noise_is_another_one_on_another_tile_and_grows_in_its_place():
    grey = [Tile(name, flat(128), np.zeros((256, 256), np.int32)) for name in "ab"]
    first, second = (CORRUPTIONS["noise"](one, 10).image.astype(int) - 128 for one in grey)
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.02
    stronger = CORRUPTIONS["noise"](grey[0], 20).image.astype(int) - 128
    assert np.corrcoef(first.ravel(), stronger.ravel())[0, 1] > 0.99


def test_corruptions_one_after_another_are_all_told(tile):
    worse = CORRUPTIONS["jpeg"](CORRUPTIONS["blur"](tile, 1.5), 30)
    assert worse.source["corrupted_by"] == (("blur", 1.5), ("jpeg", 30))


@pytest.mark.parametrize(("hematoxylin", "eosin"), [(0.5, 1), (1, 1.8), (0.3, 0.3), (1.4, 1.2)])
def test_amounts_of_stain_are_so_many_times_what_they_were(hematoxylin, eosin):
    amounts, image = stained()
    scaled = scale_stains(image, hematoxylin=hematoxylin, eosin=eosin, stains=STAINS)
    found = concentrations(scaled, STAINS, solver="least_squares")
    np.testing.assert_allclose(found, amounts * (hematoxylin, eosin), atol=0.02)  # grey levels are whole
    assert np.abs((found / amounts).mean(axis=(0, 1)) - (hematoxylin, eosin)).max() < 0.003


def test_stains_are_those_of_the_tile_itself_unless_they_are_given():
    _, image = stained()
    own = own_stains(image)
    np.testing.assert_array_equal(own[:2], estimate_macenko(image))
    np.testing.assert_allclose(own @ own[2], [0, 0, 1], atol=1e-12)
    np.testing.assert_array_equal(
        scale_stains(image, hematoxylin=0.5), scale_stains(image, hematoxylin=0.5, stains=own[:2])
    )
    np.testing.assert_array_equal(turn_stains(image, 9), turn_stains(image, 9, stains=own[:2]))


def test_what_neither_stain_explains_is_kept():
    ink = np.array([[[40, 160, 90]]], np.uint8)
    rest = np.cross(*STAINS)
    rest /= np.linalg.norm(rest)
    none = scale_stains(ink, hematoxylin=0, eosin=0, stains=STAINS)
    density = -np.log10(ink[0, 0] / 255)
    expected = np.minimum(255 * 10 ** -(density @ rest * rest), 255)
    np.testing.assert_allclose(none[0, 0], expected, atol=0.5)


@pytest.mark.parametrize("degrees", [-12, -5, 5, 12])
def test_stain_vectors_are_turned_by_so_many_degrees_towards_each_other_in_one_plane(degrees):
    amounts, image = stained()
    turned = turn_stains(image, degrees, stains=STAINS)
    density = -np.log10(np.maximum(turned, 1) / 255)
    found = np.linalg.lstsq(amounts.reshape(-1, 2), density.reshape(-1, 3), rcond=None)[0]  # given the amounts
    np.testing.assert_allclose(stain_angles(STAINS, found), abs(degrees), atol=0.3)
    np.testing.assert_allclose(stain_angles(found[:1], found[1:]), stain_angles(STAINS[:1], STAINS[1:]), atol=0.3)
    nearer = stain_angles(found[:1], STAINS[1:]) < stain_angles(STAINS[:1], STAINS[1:])
    assert bool(nearer[0]) == (degrees > 0)  # hematoxylin towards eosin
    assert np.abs(found @ np.cross(*STAINS)).max() < 0.005


def test_a_tile_without_stains_is_an_error_that_names_corruption_and_tile():
    white = Tile("glass", flat(250, 64), np.zeros((64, 64), np.int32))
    with pytest.raises(StainError, match=r"^paler, tile glass: too little tissue to estimate stains: 0 of 4096"):
        CORRUPTIONS["paler"](white, 0.5)
    with pytest.raises(ValueError, match=r"stains: expected two finite rows, .* got \(3, 3\)"):
        scale_stains(flat(100, 4), stains=RUIFROK_HED)
    with pytest.raises(ValueError, match="rows must be independent"):
        turn_stains(flat(100, 4), 5, stains=np.array([[1, 1, 1], [2, 2, 2]]))
    with pytest.raises(ValueError, match="eosin must be a factor of 0 or more, got -1"):
        scale_stains(flat(100, 4), eosin=-1)
    with pytest.raises(ValueError, match=r"degrees must be in -90..90, got 100"):
        turn_stains(flat(100, 4), 100)


@pytest.mark.parametrize("sigma_px", [1.0, 2.5, 4.0])
def test_a_blurred_edge_rises_from_a_tenth_to_nine_tenths_within_256_hundredths_of_sigma(sigma_px):
    edge = flat(50, 64)
    edge[:, 32:] = 250
    profile = blur(edge, sigma_px)[32, :, 1].astype(float)
    low, high = (np.interp(50 + 200 * share, profile, np.arange(64)) for share in (0.1, 0.9))
    assert high - low == pytest.approx(2.563 * sigma_px, abs=0.15)
    np.testing.assert_array_equal(blur(edge, 0), edge)


def test_blur_mirrors_at_the_border_and_keeps_colours_apart():
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    channels = [ndimage.gaussian_filter(image[..., k].astype(float), 1.7, mode="mirror") for k in range(3)]
    np.testing.assert_array_equal(blur(image, 1.7), np.rint(np.stack(channels, axis=-1)))
    with pytest.raises(ValueError, match="sigma_px must be 0 or more, got -1"):
        blur(image, -1)


@pytest.mark.parametrize("quality", [10, 50, 95])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_jpeg_is_pillows_at_that_quality(quality, subsampling, tile):
    file = io.BytesIO()
    Image.fromarray(tile.image).save(file, "JPEG", quality=quality, subsampling=subsampling)
    np.testing.assert_array_equal(compress_jpeg(tile.image, quality, subsampling=subsampling), Image.open(file))


def test_quality_100_is_no_jpeg_and_what_lies_between_is_refused(tile):
    assert compress_jpeg(tile.image, 100) is tile.image
    for quality in (0, 96, 99.5, 50.5):
        with pytest.raises(ValueError, match=rf"quality must be whole, 1 to 95, or 100 for no JPEG, got {quality}"):
            compress_jpeg(tile.image, quality)
    with pytest.raises(ValueError, match="subsampling must be one of '4:4:4', '4:2:2', '4:2:0', got '4:1:1'"):
        compress_jpeg(tile.image, 50, subsampling="4:1:1")


@pytest.mark.parametrize("value", [90, 180])
@pytest.mark.parametrize("sd", [4, 15])
def test_noise_has_its_standard_deviation_in_grey_levels(value, sd):
    rng = np.random.default_rng(0)
    rounding = 1 / 12
    noisy = add_gaussian_noise(flat(value), sd, rng).astype(float)
    assert noisy.std() == pytest.approx(np.sqrt(sd**2 + rounding), rel=0.01)
    assert noisy.mean() == pytest.approx(value, abs=0.15)
    assert abs(np.corrcoef(noisy[..., 0].ravel(), noisy[..., 1].ravel())[0, 1]) < 0.02
    counted = add_photon_noise(flat(value), sd, rng).astype(float)
    assert counted.std() == pytest.approx(np.sqrt(sd**2 * value / 255 + rounding), rel=0.01)
    assert counted.mean() == pytest.approx(value, abs=0.15)


def test_without_noise_nothing_changes_and_negative_noise_is_an_error():
    rng = np.random.default_rng(0)
    for add in (add_gaussian_noise, add_photon_noise):
        np.testing.assert_array_equal(add(flat(77, 8), 0, rng), flat(77, 8))
        with pytest.raises(ValueError, match="sd must be 0 or more, got -2"):
            add(flat(77, 8), -2, rng)


def test_light_multiplies_every_value_and_is_held_to_white():
    np.testing.assert_array_equal(change_light(flat(200, 2), 0.6), flat(120, 2))
    np.testing.assert_array_equal(change_light(flat(200, 2), 1.5), flat(255, 2))
    with pytest.raises(ValueError, match="factor must be above 0, got 0"):
        change_light(flat(200, 2), 0)


def test_what_is_finer_than_two_of_the_larger_pixels_is_gone_and_what_is_coarser_stays_in_place():
    x = np.arange(192)
    waves = {period: (127 + 80 * np.sin(2 * np.pi * (x + 0.5) / period)).astype(np.uint8) for period in (3, 24)}
    images = {period: np.broadcast_to(wave[None, :, None], (192, 192, 3)).copy() for period, wave in waves.items()}
    inner = slice(24, 168)
    left = {period: coarsen(image, 2)[96, inner, 0].astype(float) for period, image in images.items()}
    assert left[3].std() < 0.2 * images[3].std()
    assert left[24].std() > 0.9 * images[24].std()
    assert np.corrcoef(left[24], waves[24][inner])[0, 1] > 0.999  # no shift
    with pytest.raises(ValueError, match=r"factor must be 1 or more, got 0.5"):
        coarsen(images[3], 0.5)


def test_20x_halves_sides_and_diameters_and_objects_move_along(tile):
    tile = replace(tile, um_per_px=UM_PER_PX["40x"])
    small = rescale(tile, 2)
    assert small.shape == (64, 64)
    assert small.um_per_px == UM_PER_PX["20x"]
    ids, areas = np.unique(tile.instances[tile.mask], return_counts=True)
    for label in ids[areas >= 200]:
        large, now = tile.instances == label, small.instances == label
        assert now.sum() == pytest.approx(large.sum() / 4, rel=0.12)
        where = (np.array(ndimage.center_of_mass(large)) + 0.5) / 2 - 0.5
        np.testing.assert_allclose(np.array(ndimage.center_of_mass(now)), where, atol=0.45)
    dark = tile.image.mean(axis=2)[tile.mask].mean() - tile.image.mean(axis=2)[~tile.mask].mean()
    dark_small = small.image.mean(axis=2)[small.mask].mean() - small.image.mean(axis=2)[~small.mask].mean()
    assert dark_small == pytest.approx(dark, rel=0.1)  # the image went where the labels went
    assert small.count + small.source["vanished_by_resizing"] == tile.count
    with pytest.raises(ValueError, match="factor must be above 0, got 0"):
        rescale(tile, 0)


def test_sides_that_two_does_not_divide_are_rounded_and_the_scale_is_the_one_asked_for():
    odd = Tile("odd", flat(90, 5), np.zeros((5, 5), np.int32), um_per_px=0.25)
    assert rescale(odd, 3).shape == (2, 2)
    assert rescale(odd, 3).um_per_px == 0.75
    assert rescale(odd, 100).shape == (1, 1)
    assert rescale(replace(odd, um_per_px=None), 2).um_per_px is None


def test_steps_that_go_back_and_forth_are_refused():
    for steps in ((), (0, 2, 1), (0, 1, 1)):
        with pytest.raises(ValueError, match="blur: steps must begin with none and only rise or only fall"):
            replace(CORRUPTIONS["blur"], steps=steps)
    assert CORRUPTIONS["jpeg"].at(70, 20).steps == (100, 70, 20)
    assert isinstance(CORRUPTIONS["jpeg"].at(70), Corruption)


def everything(image):
    return np.ones(image.shape[:2], np.int32)


def test_the_undisturbed_step_has_the_plain_score_and_all_systems_see_the_same_images(tile):
    seen = {"floor": [], "all": []}

    def watched(name, segment):
        def look(image):
            seen[name].append(image)
            return segment(image)

        return look

    systems = {"floor": watched("floor", nucleus_floor), "all": watched("all", everything)}
    rows = curves(systems, [tile], ["blur", CORRUPTIONS["noise"].at(8), "smaller"])
    assert len(rows) == 2 * (5 + 2 + 5)
    plain = {"floor": score(tile, nucleus_floor(tile.image)), "all": score(tile, everything(tile.image))}
    undisturbed = [row for row in rows if row["strength"] == CORRUPTIONS[row["corruption"]].none]
    assert len(undisturbed) == 2 * 3
    for row in undisturbed:
        assert all(row[metric] == plain[row["system"]][metric] for metric in ("dice", "aji", "pq", "both_px"))
    assert len(seen["floor"]) == 1 + 4 + 1 + 4  # the undisturbed tile once
    for one, other in zip(seen["floor"], seen["all"], strict=True):
        assert one is other
    [worse] = [r for r in rows if (r["system"], r["corruption"], r["strength"]) == ("floor", "smaller", 2)]
    small = rescale(tile, 2)
    assert worse["aji"] == score(small, nucleus_floor(small.image))["aji"]
    assert worse["true_px"] == int(small.mask.sum())


def test_means_are_those_of_the_tiles_and_an_undefined_score_is_left_out():
    blank = {"system": "a", "corruption": "blur"}
    rows = [
        {**blank, "strength": strength, "tile": name, "dice": value}
        for strength, values in ((0, (0.5, 0.75, np.nan)), (2, (0.25, 0.5, np.nan)), (4, (np.nan,) * 3))
        for name, value in zip("xyz", values, strict=True)
    ]
    found = means(rows, "dice")["blur"]["a"]
    assert list(found) == [0, 2, 4]
    assert (found[0], found[2]) == (0.625, 0.375)
    assert np.isnan(found[4])
    with pytest.raises(ValueError, match="the rows have no score 'pq'; they have dice"):
        means(rows, "pq")


def test_arguments_that_make_no_curves_are_errors(tile):
    with pytest.raises(ValueError, match="unknown corruption 'blurr', did you mean 'blur'"):
        curves({"all": everything}, [tile], ["blurr"])
    with pytest.raises(ValueError, match=r"corruptions come more than once: blur; give all steps of one in one .at"):
        curves({"all": everything}, [tile], ["blur", CORRUPTIONS["blur"].at(1.5)])
    with pytest.raises(ValueError, match="systems is empty"):
        curves({}, [tile])
    with pytest.raises(ValueError, match="tiles or corruptions are empty"):
        curves({"all": everything}, [])
    with pytest.raises(ValueError, match=r"system 'half' returned \(64, 128\) for tile .*, which is \(128, 128\)"):
        curves({"half": lambda image: everything(image)[::2]}, [tile], ["blur"])
