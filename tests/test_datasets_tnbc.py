import pickle
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from histolab_lib import datasets
from histolab_lib.data_dir import DataError
from histolab_lib.datasets import tnbc
from histolab_lib.datasets.registry import entries, status
from histolab_lib.postprocess import split_components

SIZE = 12
RNG = np.random.default_rng(0)
ALL = {f"{slide:02d}_{tile}" for slide, count in enumerate(tnbc.TILES, start=1) for tile in range(1, count + 1)}
# Two nuclei that meet at a corner, and one apart.
NUCLEI = np.zeros((SIZE, SIZE), np.uint8)
NUCLEI[1:3, 1:3] = NUCLEI[3:6, 3:6] = NUCLEI[8:10, 2:4] = 255
TOP = "TNBC_NucleiSegmentation"


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """The whole set in the official layout, of tiny tiles of three nuclei each."""
    monkeypatch.setenv("HISTOLAB_DATA", str(tmp_path))
    monkeypatch.setattr(tnbc, "_SIDE_PX", SIZE)
    monkeypatch.setattr(tnbc, "NUCLEI", tuple(3 * count for count in tnbc.TILES))
    pixels = RNG.integers(0, 256, (SIZE, SIZE, 4), dtype=np.uint8)
    pixels[..., 3] = 255
    Image.fromarray(pixels).save(tmp_path / "image.png")
    Image.fromarray(NUCLEI).save(tmp_path / "mask.png")
    contents = [(tmp_path / f"{kind}.png").read_bytes() for kind in ("image", "mask")]
    for pair in tnbc.locate(tmp_path / "tnbc").values():
        for path, content in zip(pair, contents, strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return tmp_path / "tnbc"


def image_of(copy, name):
    return copy / TOP / f"Slide_{name[:2]}" / f"{name}.png"


def mask_of(copy, name):
    return copy / TOP / f"GT_{name[:2]}" / f"{name}.png"


# ---- splits


def test_the_set_has_50_tiles_and_4056_nuclei_on_11_slides():
    assert (len(ALL), len(tnbc.TILES), sum(tnbc.NUCLEI)) == (50, 11, 4056)
    assert set(tnbc.locate(tnbc.Path())) == ALL


@pytest.mark.parametrize(("version", "train", "test"), [("30_20", 30, 20), ("25_15", 25, 15), ("35_15", 35, 15)])
def test_a_version_has_the_tiles_that_its_name_says_and_none_twice(version, train, test):
    names = {split: tnbc.names(split, version=version) for split in tnbc.SPLITS}
    assert {split: len(found) for split, found in names.items()} == {"train": train, "test": test}
    assert len(set(names["train"]) | set(names["test"])) == train + test
    assert set(names["train"]) | set(names["test"]) <= ALL
    assert all(list(found) == sorted(found) for found in names.values())


def test_the_lists_are_drawn_once_and_for_all():
    listed = "01_5 01_6 03_1 03_3 04_1 04_3 06_1 06_3 07_3 08_1 08_2 08_3 09_2 11_2 11_3"
    fifteen = listed.split(" ")
    assert tnbc.names("test", version="25_15") == tnbc.names("test", version="35_15") == tuple(fifteen)
    assert tnbc.names("test") == tuple(sorted([*fifteen, "01_2", "02_3", "09_5", "09_6", "10_1"]))
    fewer, more = (set(tnbc.names("train", version=version)) for version in ("25_15", "35_15"))
    assert fewer < more
    assert sorted(more - fewer) == sorted(ALL - fewer - set(fifteen))


def test_only_the_version_by_patients_keeps_slides_whole():
    for version in tnbc.VERSIONS:
        patients = [set(tnbc.groups(split, version=version).values()) for split in tnbc.SPLITS]
        assert bool(patients[0] & patients[1]) == (version != "patients")
    whole = Counter(tnbc.groups("test", version="patients").values())
    assert whole == {"02": 3, "03": 5, "05": 4, "08": 4, "10": 4}
    assert len(tnbc.names("train", version="patients")) == 30


def test_groups_are_slides():
    assert tnbc.groups("test")["11_3"] == "11"
    assert set(tnbc.groups("train")) == set(tnbc.names("train"))


# ---- what a tile holds


def test_a_tile_tells_patient_organ_and_source(copy):
    tile = datasets.load("tnbc", "train")[0]
    assert (tile.name, tile.patient, tile.organ, tile.um_per_px) == ("01_1", "01", "breast", None)
    assert tile.source == {
        "image": str(image_of(copy, "01_1")),
        "labels": str(mask_of(copy, "01_1")),
        "connectivity": 4,
    }
    assert tile.image.shape == (SIZE, SIZE, 3)


def test_nuclei_that_meet_at_a_corner_are_two(copy):
    tile = datasets.load("tnbc", "train")[0]
    assert tile.count == 3
    np.testing.assert_array_equal(tile.mask, NUCLEI > 0)
    assert tile.instances[2, 2] != tile.instances[3, 3]


def test_the_version_is_an_option_and_travels_to_another_process(copy):
    tiles = pickle.loads(pickle.dumps(datasets.load("tnbc", "test", version="patients")))
    assert tiles.names == tnbc.names("test", version="patients")
    assert tiles[3].patient == "03"


def test_status_counts_the_tiles_that_have_image_and_mask(copy):
    assert entries()["tnbc"].splits == {"train": 30, "test": 20}
    assert status("tnbc").found
    mask_of(copy, "01_1").unlink()
    image_of(copy, "01_2").unlink()
    assert status("tnbc").splits == {"train": (29, 30), "test": (19, 20)}


# ---- bad input


@pytest.mark.parametrize(
    ("split", "options", "message"),
    [
        ("val", {}, r"unknown 'tnbc' split 'val'\. Allowed: 'train', 'test'"),
        ("test", {"version": "20_30"}, r"unknown 'tnbc' version '20_30'.* Allowed: '30_20', '25_15', '35_15', 'patie"),
        ("test", {"connectivity": 8}, r"unknown 'tnbc' option 'connectivity'\. Allowed: 'version'"),
    ],
)
def test_what_is_unknown_is_quoted_and_what_is_allowed_listed(split, options, message):
    with pytest.raises(ValueError, match=message):
        datasets.load("tnbc", split, **options)


def test_a_folder_without_tnbc_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("HISTOLAB_DATA", str(tmp_path))
    with pytest.raises(DataError, match="has no folder tnbc/; unpack the set there, from https://zenodo"):
        datasets.load("tnbc", "train")
    (tmp_path / "tnbc").mkdir()
    with pytest.raises(DataError, match=r"^30 of 30 images of split 'train' of 'tnbc' are missing \(Slide_01/01_1"):
        datasets.load("tnbc", "train")
    assert tnbc.validate(tmp_path / "tnbc") == [
        f"{tmp_path / 'tnbc' / TOP}: expected 50 images, found none, as Slide_01/01_1.png; unpack the set there",
        f"{tmp_path / 'tnbc' / TOP}: expected 50 masks, found none, as GT_01/01_1.png; unpack the set there",
    ]


@pytest.mark.parametrize(("path_of", "what"), [(image_of, "images"), (mask_of, "masks")])
def test_a_missing_file_is_an_error_at_load_and_a_fault(copy, path_of, what):
    path = path_of(copy, "01_1")
    path.unlink()
    where = f"{path.parent.name}/01_1.png"
    with pytest.raises(DataError, match=rf"^1 of 30 {what} of split 'train' of 'tnbc' are missing \({where}\); unpack"):
        datasets.load("tnbc", "train")
    assert tnbc.validate(copy) == [f"{copy / TOP}: expected 50 {what}, 1 missing: {where}; unpack the set again"]


@pytest.mark.parametrize(
    ("mask", "message", "fault"),
    [
        (NUCLEI[1:], "label image is 11x12 pixels .* but its tile is 12x12", "expected 12x12 pixels, found 11x12"),
        (
            np.where(NUCLEI, 128, 0).astype(np.uint8) + np.eye(SIZE, dtype=np.uint8),
            r"expected a mask, 0 and one other value \(as 0 and 255\), got 4 values: 0, 1, 128, 129",
            "expected a mask of 0 and 255, found the values 0, 1, 128, 129; take the original",
        ),
        (np.zeros_like(NUCLEI), "nothing in it is foreground, expected nuclei", "found the values 0; take"),
        (np.dstack([NUCLEI] * 3), "expected a label image, one channel of integers", "expected a label image"),
    ],
)
def test_a_bad_mask_names_file_and_fault(copy, mask, message, fault):
    Image.fromarray(mask).save(mask_of(copy, "01_1"))
    with pytest.raises(DataError, match=message) as error:
        datasets.load("tnbc", "train")[0]
    assert str(mask_of(copy, "01_1")) in str(error.value)
    (found,) = tnbc.validate(copy)
    assert found.startswith(f"{mask_of(copy, '01_1')}: ")
    assert fault in found


def test_an_image_that_is_not_opaque_names_the_file(copy):
    Image.fromarray(np.full((SIZE, SIZE, 4), 9, np.uint8)).save(image_of(copy, "01_1"))
    with pytest.raises(DataError, match=r"01_1\.png: expected an opaque RGB image"):
        datasets.load("tnbc", "train")[0]
    assert len(tnbc.validate(copy)) == 1


# ---- all faults at once


def test_a_copy_in_order_has_no_fault(copy):
    assert tnbc.validate(copy) == []


def test_masks_that_hold_other_nuclei_are_told_by_slide(copy):
    joined = NUCLEI.copy()
    joined[2, 3] = 255
    Image.fromarray(joined).save(mask_of(copy, "06_2"))
    assert tnbc.validate(copy) == [
        f"{copy / TOP / 'GT_06'}: expected 9 nuclei (4-connected components) in its 3 masks, found 8; take the "
        "originals"
    ]


def test_files_of_no_tile_and_images_of_another_size_are_told(copy):
    Image.fromarray(np.zeros((4, 5, 3), np.uint8)).save(image_of(copy, "02_1"))
    image_of(copy, "02_2").write_bytes(b"<html>")
    Image.fromarray(NUCLEI).save(mask_of(copy, "11_4"))
    extra, size, damaged = tnbc.validate(copy)
    assert extra == (
        f"{copy / TOP}: expected no other masks than those of the set, found GT_11/11_4.png; move them out, or take "
        "the official copy"
    )
    assert size == f"{image_of(copy, '02_1')}: expected 12x12 pixels, found 4x5 (height x width); take the original"
    assert damaged.startswith(f"{image_of(copy, '02_2')}: damaged or not an image")


# ---- the real files


@pytest.mark.real
@pytest.mark.parametrize(("name", "pair"), [("02_3", [681, 791]), ("06_1", [306, 484])])
def test_the_two_pairs_of_nuclei_that_meet_at_a_corner_are_kept_apart(tissue, name, pair):
    split = next(split for split in tnbc.SPLITS if name in tnbc.names(split))
    tiles = datasets.load("tnbc", split)
    tile = tiles[tiles.names.index(name)]
    joined = split_components(tile.mask, connectivity=8)
    areas = [np.bincount(tile.instances[joined == number]) for number in range(1, joined.max() + 1)]
    large = [sorted(parts[parts > 10].tolist()) for parts in areas]
    assert [parts for parts in large if len(parts) > 1] == [pair]


@pytest.mark.real
@pytest.mark.slow
def test_all_50_tiles_hold_the_published_number_of_nuclei(tissue):
    slides, eight, areas = Counter(), 0, []
    for split in tnbc.SPLITS:
        for tile in datasets.load("tnbc", split):
            assert tile.shape == (512, 512)
            slides[tile.patient] += tile.count
            eight += int(split_components(tile.mask, connectivity=8).max())
            areas += np.bincount(tile.instances.ravel())[1:].tolist()
    assert tuple(slides[f"{slide:02d}"] for slide in range(1, 12)) == tnbc.NUCLEI
    assert (sum(slides.values()), eight) == (4056, 4028)
    assert (sum(area < 10 for area in areas), areas.count(1), max(areas)) == (29, 21, 3205)
    assert np.median(areas) == pytest.approx(333, abs=1)


@pytest.mark.real
@pytest.mark.slow
def test_the_real_files_are_in_order(tissue):
    assert tnbc.validate(tissue / "tnbc") == []
