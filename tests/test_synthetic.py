import hashlib
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage
from skimage.color import rgb2hed
from skimage.filters import threshold_otsu

from histolab_lib.datasets import synthetic
from histolab_lib.datasets.synthetic import optics
from histolab_lib.datasets.synthetic.fields import enlarge, noise
from histolab_lib.datasets.synthetic.glands import lay_out_glands, line_up_nuclei
from histolab_lib.datasets.synthetic.nuclei import MIN_AREA_PX, tidy
from histolab_lib.datasets.synthetic.presets import GLAND_PRESETS, NUCLEUS_PRESETS, PRESETS
from histolab_lib.datasets.synthetic.tissue import lay_out
from histolab_lib.tile import Tile

ONE_PRESET = [name for name in synthetic.PRESET_NAMES if name != "mixed"]
WITH_GLANDS = [name for name in ONE_PRESET if name.startswith("gland_")]


def digest(tile):
    return hashlib.sha256(tile.image.tobytes() + tile.instances.tobytes()).hexdigest()


def touching(instances):
    """Ids that share an edge or a corner with another id, by shifting the map."""
    ids = set()
    height, width = instances.shape
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        a = instances[: height - dy, max(0, -dx) : width - max(0, dx)]
        b = instances[dy:, max(0, dx) : width + min(0, dx)]
        meet = (a != b) & (a > 0) & (b > 0)
        ids |= set(a[meet].tolist()) | set(b[meet].tolist())
    return ids


@pytest.fixture(scope="module")
def scenes():
    return [synthetic.scene("test", index, preset=preset) for preset in NUCLEUS_PRESETS for index in range(2)]


@pytest.fixture(scope="module")
def gland_scenes():
    return [synthetic.scene("test", index, preset=preset) for preset in WITH_GLANDS for index in range(1)]


@pytest.mark.thorough
def test_the_same_seed_gives_the_same_bytes_in_another_process():
    tile = synthetic.load("train", n=3, size=96)[2]
    code = (
        "import hashlib; from histolab_lib.datasets import synthetic; t = synthetic.load('train', n=3, size=96)[2]; "
        "print(hashlib.sha256(t.image.tobytes() + t.instances.tobytes()).hexdigest())"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == digest(tile)


def test_a_tile_depends_neither_on_the_order_nor_on_the_number_of_tiles():
    few, many = synthetic.load("val", n=3, size=64), synthetic.load("val", n=9, size=64)
    backwards = [digest(few[index]) for index in (2, 1, 0)]
    assert backwards[::-1] == [digest(many[index]) for index in range(3)]


def test_a_tile_does_not_touch_global_random_state():
    np.random.seed(1)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    synthetic.load("train", size=48)[0]
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_splits_seeds_presets_and_sizes_share_no_tile():
    some = ("mixed", "dense", "gland_benign")
    choices = [(split, seed, preset) for split in synthetic.SPLITS for seed in (0, 1) for preset in some]
    tiles = [t for s, seed, p in choices for t in synthetic.load(s, n=1, size=40, preset=p, seed=seed)]
    tiles += [t for s in synthetic.SPLITS for t in synthetic.load(s, n=2, size=44)]
    tiles += [t for s in synthetic.SPLITS for t in synthetic.load(s, n=2, size=44, objects="glands")]
    assert len({digest(tile) for tile in tiles}) == len({tile.name for tile in tiles}) == len(tiles)


def test_load_gives_tiles_that_say_how_to_make_them_again():
    tiles = synthetic.load("train", n=4, size=64, preset="mixed", seed=7)
    tile = tiles[3]
    assert isinstance(tile, Tile)
    assert tile.name == tiles.names[3] == "synthetic-mixed-64px-seed7-train-0003"
    assert tile.um_per_px == 0.25
    assert tile.source["synthetic"] is True
    assert tile.source["preset"] in ONE_PRESET
    assert (tile.source["seed"], tile.source["index"], tile.source["split"]) == (7, 3, "train")
    assert set(tile.classes) == set(range(1, tile.count + 1))


def test_a_sequence_of_tiles_slices_counts_backwards_and_ends():
    tiles = synthetic.load("train", n=5, size=32)
    assert tiles[1:4].names == tiles.names[1:4]
    assert tiles[-1].name == tiles.names[4]
    assert digest(tiles[1:4][0]) == digest(tiles[1])
    assert len(list(tiles)) == 5
    with pytest.raises(IndexError):
        tiles[5]


def test_scene_and_tile_are_the_same_picture():
    scene, tile = synthetic.scene("test", 2, size=64), synthetic.load("test", size=64)[2]
    np.testing.assert_array_equal(scene.image, tile.image)
    np.testing.assert_array_equal(scene.instances, tile.instances)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"split": "validation"}, "unknown 'synthetic' split 'validation'. Allowed: 'train', 'val', 'test'"),
        ({"preset": "brain"}, "unknown 'synthetic' preset 'brain'. Allowed: 'mixed', 'dense', "),
        ({"n": 0}, "n must be a whole number of tiles, 1 or more, got 0"),
        ({"n": 2.5}, "n must be a whole number of tiles, 1 or more, got 2.5"),
        ({"n": True}, "n must be a whole number of tiles, 1 or more, got True"),
        ({"size": 31}, "size must be a whole number of pixels, 32 or more, got 31"),
        ({"size": "256"}, "size must be a whole number of pixels, 32 or more, got '256'"),
        ({"seed": -1}, "seed must be a whole number, 0 or more, got -1"),
        ({"objects": "gland"}, "unknown kind of 'synthetic' objects 'gland', did you mean 'glands'"),
        ({"objects": "glands", "preset": "dense"}, "preset with glands 'dense'. Allowed: 'mixed', 'columnar', 'gland_"),
    ],
)
def test_a_wrong_option_is_named_with_what_is_allowed(options, words):
    with pytest.raises(ValueError, match=words):
        synthetic.load(**{"split": "train", **options})


def test_a_negative_index_of_a_scene_is_refused():
    with pytest.raises(ValueError, match="index must be a whole number, 0 or more, got -1"):
        synthetic.scene("train", -1)


@pytest.mark.parametrize("size", [32, 75, 130])
def test_any_size_from_the_smallest_works(size):
    for preset in ONE_PRESET:
        assert synthetic.scene("train", 0, size=size, preset=preset).image.shape == (size, size, 3)


def test_ids_are_consecutive_connected_and_not_specks(scenes):
    for scene in scenes:
        ids, areas = np.unique(scene.instances[scene.instances > 0], return_counts=True)
        np.testing.assert_array_equal(ids, np.arange(1, len(ids) + 1))
        assert areas.min() >= MIN_AREA_PX, tidy
        assert list(scene.classes) == ids.tolist()
        for number in ids:
            assert ndimage.label(scene.instances == number)[1] == 1


def test_nuclei_have_the_size_density_and_contact_of_a_40x_scan(scenes):
    counts = [len(scene.classes) for scene in scenes]
    areas = [np.median(np.bincount(scene.instances.ravel())[1:]) for scene in scenes]
    share = sum(len(touching(scene.instances)) for scene in scenes) / sum(counts)
    foreground = np.mean([(scene.instances > 0).mean() for scene in scenes])
    assert 300 < np.mean(areas) < 550  # 431 over the MoNuSeg training tiles
    assert 25 < np.mean(counts) < 55  # 37 there
    assert 0.2 < share < 0.5  # about a third of the nuclei of the MoNuSeg training tiles touch another
    assert 0.12 < foreground < 0.32  # 0.22 there


def test_nuclei_are_darker_than_their_surroundings_in_picture_and_truth(scenes):
    ratios = []
    for scene in scenes:
        inside, outside = scene.instances > 0, scene.instances == 0
        density = -np.log10((scene.image + 1.0) / 256).sum(axis=2)
        assert density[inside].mean() > 1.15 * density[outside].mean()
        ratios.append(scene.hematoxylin[inside].mean() / scene.hematoxylin[outside].mean())
    assert min(ratios) > 1.2
    assert 2 < np.median(ratios) < 6  # 3.7 on the MoNuSeg training tiles, by Macenko's separation


def test_the_picture_is_what_beer_and_lambert_make_of_the_concentrations(scenes):
    # Averaged over blocks, blur and noise vanish; white level and uneven light stay (at most 8 per cent).
    for scene in scenes:
        density = scene.hematoxylin[..., None] * scene.vectors[0] + scene.eosin[..., None] * scene.vectors[1]
        light = 255 * 10.0**-density
        blocks = [a.reshape(16, 16, 16, 16, 3).mean(axis=(1, 3)) for a in (light, scene.image.astype(float))]
        ratio = blocks[1] / blocks[0]
        assert ratio.min() > 0.84
        assert ratio.max() < 1.10


def test_thresholded_hematoxylin_neither_fails_nor_solves_it(scenes):
    # On the MoNuSeg training tiles this floor has a mean Dice of 0.70.
    scores = []
    for scene in scenes:
        stain, true = rgb2hed(scene.image)[..., 0], scene.instances > 0
        pred = stain > threshold_otsu(stain)
        scores.append(2 * (true & pred).sum() / (true.sum() + pred.sum()))
    assert 0.55 < np.mean(scores) < 0.82


def test_concentrations_are_finite_and_not_negative(scenes):
    for scene in scenes:
        for stain in (scene.hematoxylin, scene.eosin):
            assert stain.dtype == np.float32
            assert np.isfinite(stain).all()
            assert stain.min() >= 0


def test_stain_vectors_are_unit_and_spread_between_laboratories():
    drawn = np.stack([optics.stain_vectors(np.random.default_rng(seed)) for seed in range(200)])
    np.testing.assert_allclose(np.linalg.norm(drawn, axis=2), 1, atol=1e-12)
    assert drawn.min() > 0
    spread = drawn.std(axis=0).max()
    assert 0.01 < spread < 0.12


def test_noise_has_mean_0_deviation_1_and_the_asked_length():
    field = noise(np.random.default_rng(3), 256, 6.0)
    assert abs(float(field.mean())) < 1e-3
    assert abs(float(field.std()) - 1) < 1e-3
    # white noise blurred by s has the correlation exp(-d^2 / (4 s^2))
    correlation = float((field * np.roll(field, 6, axis=1)).mean())
    assert abs(correlation - np.exp(-0.25)) < 0.08


def test_no_two_presets_look_alike(scenes):
    counts = dict.fromkeys(NUCLEUS_PRESETS, 0)
    for scene in scenes:
        counts[scene.source["preset"]] += len(scene.classes)
    others = [count for preset, count in counts.items() if preset != "dense"]
    assert counts["dense"] > 1.4 * np.mean(others)
    assert max(others) > 1.4 * min(others)


def test_there_are_small_dense_large_vesicular_and_dividing_nuclei():
    assert len(NUCLEUS_PRESETS) >= 6
    scenes = {name: [synthetic.scene("val", i, preset=name) for i in range(3)] for name in ("dense", "vesicular")}
    areas = {
        name: np.median(np.concatenate([np.bincount(scene.instances.ravel())[1:] for scene in made]))
        for name, made in scenes.items()
    }
    assert areas["vesicular"] > 1.2 * areas["dense"]
    kinds = {kind for i in range(6) for kind in synthetic.scene("val", i, preset="pleomorphic").classes.values()}
    assert {"mitosis", "atypical", "vesicular", "dark"} <= kinds


@pytest.mark.parametrize(("objects", "tissues"), [("nuclei", NUCLEUS_PRESETS), ("glands", GLAND_PRESETS)])
def test_mixed_goes_through_all_tissues_of_the_objects_in_shuffled_rounds(objects, tissues):
    number = len(tissues)
    drawn = [synthetic.scene("train", i, size=32, objects=objects).source["preset"] for i in range(3 * number)]
    rounds = [drawn[i : i + number] for i in range(0, 3 * number, number)]
    assert all(sorted(part) == sorted(tissues) for part in rounds)
    assert len({tuple(part) for part in rounds}) > 1


def test_a_tile_of_glands_has_their_outlines_their_grade_and_the_scale_of_glas():
    as_glands = synthetic.load("train", n=2, preset="gland_benign", objects="glands")[1]
    as_nuclei = synthetic.load("train", n=2, preset="gland_benign")[1]
    scene = synthetic.scene("train", 1, preset="gland_benign")
    np.testing.assert_array_equal(as_glands.image, as_nuclei.image)
    np.testing.assert_array_equal(as_glands.instances, scene.glands)
    np.testing.assert_array_equal(as_nuclei.instances, scene.instances)
    assert as_glands.um_per_px == as_nuclei.um_per_px == scene.um_per_px == 0.62
    assert set(as_glands.classes) == set(range(1, as_glands.count + 1))
    assert set(as_glands.classes.values()) == {"benign"}
    malignant = synthetic.load("train", n=1, preset="gland_irregular", objects="glands")[0]
    assert set(malignant.classes.values()) == {"malignant"}


def test_tissue_without_glands_has_an_empty_map_of_them():
    scene = synthetic.scene("train", 0, size=48, preset="dense")
    assert scene.glands.dtype == np.int32
    assert not scene.glands.any()
    with pytest.raises(ValueError, match="unknown kind of objects 'gland'"):
        scene.tile("gland")


def test_glands_are_as_many_and_as_large_as_those_of_glas(gland_scenes):
    # The GlaS training images: 0.50 of the pixels, and 1.5 glands per 65,536 pixels, cut ones at borders included.
    share = np.mean([(scene.glands > 0).mean() for scene in gland_scenes])
    count = np.mean([scene.glands.max() for scene in gland_scenes])
    assert 0.4 < share < 0.75
    assert 2 < count < 9
    for scene in gland_scenes:
        for number in range(1, scene.glands.max() + 1):
            assert ndimage.label(scene.glands == number)[1] == 1


def test_crowded_glands_touch_and_benign_ones_do_not():
    def pairs(preset):
        return sum(len(touching(synthetic.scene("val", i, preset=preset, size=256).glands)) for i in range(3))

    assert pairs("gland_benign") == 0
    assert pairs("gland_crowded") >= 3


def test_nuclei_line_the_base_of_a_gland_and_point_to_its_lumen():
    preset = PRESETS["gland_benign"]
    rng = np.random.default_rng(5)
    _, plan = lay_out_glands(rng, 256, preset)
    nuclei = line_up_nuclei(rng, plan, preset, preset.zoom)
    depth = enlarge(plan.depth, 256)
    slope = np.gradient(ndimage.gaussian_filter(depth, 4))
    at = [(round(n.y), round(n.x), n) for n in nuclei if 4 <= n.y < 252 and 4 <= n.x < 252]
    assert len(at) > 40
    depths = [depth[y, x] for y, x, _ in at]
    assert 4 < np.median(depths) < 14  # the first row; the epithelium is 40 px high
    lean = [abs(np.cos(n.angle - np.arctan2(slope[0][y, x], slope[1][y, x]))) for y, x, n in at]
    assert np.median(lean) > 0.95


def test_a_gland_has_a_pale_lumen_inside(gland_scenes):
    benign = [scene for scene in gland_scenes if scene.source["preset"] == "gland_benign"]
    for scene in benign:
        depth = ndimage.distance_transform_edt(np.pad(scene.glands > 0, 1, mode="edge"))[1:-1, 1:-1]
        stain = scene.hematoxylin + scene.eosin
        deep, base = depth > 46, (depth > 3) & (depth < 20)
        if deep.sum() > 200:
            assert stain[deep].mean() < 0.6 * stain[base].mean()


def test_a_preset_without_glands_cannot_be_laid_out_in_glands():
    with pytest.raises(ValueError, match="this preset has no glands"):
        lay_out_glands(np.random.default_rng(0), 64, PRESETS["dense"])


def test_tidy_keeps_the_largest_piece_of_each_object_and_numbers_them():
    labels = np.array([[3, 0, 5, 5], [0, 3, 5, 0], [0, 3, 0, 7], [2, 3, 0, 0]], np.int32)
    kept, numbers = tidy(labels, 2)
    assert numbers == [3, 5]
    np.testing.assert_array_equal(kept, [[0, 0, 2, 2], [0, 1, 2, 0], [0, 1, 0, 0], [0, 1, 0, 0]])


def test_stain_drifts_across_a_tile_by_at_most_a_few_per_cent():
    planes = [optics.drift(np.random.default_rng(seed), 256) for seed in range(30)]
    assert max(abs(float(plane.mean()) - 1) for plane in planes) < 0.02
    spread = np.mean([plane.max() - plane.min() for plane in planes])
    assert 0.03 < spread < 0.2


def test_a_tile_whose_drawn_share_of_lumen_is_beyond_the_whole_tile_is_nearly_empty_and_has_a_picture():
    one = synthetic.scene("train", 88, size=32, preset="smudged")  # 0.2 times an exponential draw above 5
    assert np.isfinite(one.hematoxylin).all()
    assert np.isfinite(one.eosin).all()
    assert one.image.std() > 1
    asked = replace(PRESETS["smudged"], lumen=100.0)
    gap = lay_out(np.random.default_rng(0), 64, asked).gap
    assert 0.9 < gap.mean() <= 1


@pytest.mark.parametrize("amount", [np.nan, np.inf])
def test_stain_that_is_not_finite_has_no_picture(amount):
    plain, vectors = np.full((32, 32), 0.2, np.float32), optics.stain_vectors(np.random.default_rng(0))
    broken = plain.copy()
    broken[3, 4:6] = amount
    with pytest.raises(ValueError, match="hematoxylin must be finite everywhere, got NaN or infinity in 2 of 1024 pix"):
        optics.photograph(np.random.default_rng(1), broken, plain, vectors)
    with pytest.raises(ValueError, match="eosin must be finite everywhere, got NaN or infinity in 2 of 1024 pixels"):
        optics.photograph(np.random.default_rng(1), plain, broken, vectors)


def test_pictures_have_been_through_jpeg():
    # Quantised 8x8 blocks leave steps at their borders that a field of noise does not have.
    plain = np.full((64, 64), 0.2, np.float32)
    vectors = optics.stain_vectors(np.random.default_rng(0))
    grey = optics.photograph(np.random.default_rng(1), plain, plain, vectors).astype(float).sum(axis=2)
    steps = np.abs(np.diff(grey, axis=1)).mean(axis=0)
    border, within = steps[7::8].mean(), np.delete(steps, np.arange(7, 63, 8)).mean()
    assert border > 1.1 * within


@pytest.mark.parametrize(
    ("preset", "count", "mean", "foreground_px"),
    [
        ("mixed", 92, (138.0, 90.7, 139.1), 28928),
        ("dense", 81, (153.0, 127.2, 165.1), 23345),
        ("vesicular", 37, (155.9, 109.5, 157.9), 20710),
        ("stromal", 37, (190.1, 144.4, 171.9), 8590),
        ("clear", 27, (181.2, 138.8, 171.2), 17302),
        ("granular", 24, (173.2, 95.7, 142.8), 7709),
        ("pleomorphic", 36, (177.9, 130.1, 162.6), 23296),
        ("smudged", 38, (167.2, 127.7, 162.4), 13137),
        ("columnar", 34, (172.2, 116.8, 155.0), 13484),
        ("gland_benign", 209, (196.1, 160.2, 207.9), 22845),
        ("gland_irregular", 291, (181.2, 124.3, 194.7), 27515),
        ("gland_cribriform", 281, (181.2, 130.9, 192.9), 18638),
        ("gland_crowded", 348, (174.3, 116.1, 191.0), 20654),
    ],
)
def test_the_first_tile_of_each_preset_is_the_stored_one(preset, count, mean, foreground_px):
    # A summary instead of a hash: the last bit of a Fourier transform differs between processors.
    tile = synthetic.load("train", preset=preset, seed=0)[0]
    assert tile.count == count
    np.testing.assert_allclose(tile.image.mean(axis=(0, 1)), mean, rtol=0, atol=0.3)
    assert abs(int(tile.mask.sum()) - foreground_px) <= 20
