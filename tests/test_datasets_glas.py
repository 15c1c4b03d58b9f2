import csv
import hashlib
import pickle
import re
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from histolab_lib import datasets
from histolab_lib.data_dir import DataError
from histolab_lib.datasets import glas, grades
from histolab_lib.datasets.registry import entries, status
from histolab_lib.postprocess import split_components

RNG = np.random.default_rng(0)
SHAPE = (12, 16)
HEADER = "name,patient ID, grade (GlaS), grade (Sirinukunwattana et al. 2015)"
ROWS = {
    "testA_1": "4, benign, adenomatous",
    "testB_3": "5, malignant, poorly differentiated",
    "testB_4": "5, malignant, moderately-to-poorly differentated",
    "train_1": "1, benign, healthy",
    "train_10": "2, malignant, moderately differentiated",
    "train_2": "1, benign, healthy",
}
# Two glands that meet at a corner: one by 8-connectivity, and two by 4; and one apart.
GLANDS = np.zeros(SHAPE, np.uint8)
GLANDS[1:4, 1:4] = GLANDS[4:6, 4:6] = 1
GLANDS[8:11, 10:14] = 2
FOLDER = "Warwick QU Dataset (Released 2016_07_08)"


def write_grades(copy, rows=ROWS, header=HEADER):
    lines = [header, *(f"{name},{rest}" for name, rest in rows.items())]
    (copy / FOLDER / "Grade.csv").write_bytes("\r\n".join(lines).encode())


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """Six tiles in the official layout, and facts that they fulfil."""
    monkeypatch.setenv("HISTOLAB_DATA", str(tmp_path))
    folder = tmp_path / "glas" / FOLDER
    folder.mkdir(parents=True)
    table = {}
    for name in ("train_1", "train_2", "train_10", "testA_1", "testB_3", "testB_4"):
        labels = (GLANDS > 0).astype(np.uint8) if name in glas.BINARY else GLANDS
        image, mask = folder / f"{name}.bmp", folder / f"{name}_anno.bmp"
        Image.fromarray(RNG.integers(0, 256, (*SHAPE, 3), dtype=np.uint8)).save(image)
        Image.fromarray(labels).save(mask)
        table[name] = {
            "tile": name,
            "split": name.split("_")[0],
            "width_px": "16",
            "height_px": "12",
            "label_ids": str(labels.max()),
            "image_sha256": hashlib.sha256(image.read_bytes()).hexdigest(),
            "mask_sha256": hashlib.sha256(mask.read_bytes()).hexdigest(),
        }
    monkeypatch.setattr(glas, "facts", lambda: table)
    write_grades(tmp_path / "glas")
    return tmp_path / "glas"


def file(copy, name):
    return copy / FOLDER / name


# ---- facts


def test_the_facts_are_the_165_images_of_three_splits_with_their_glands():
    rows = glas.facts().values()
    assert Counter(row["split"] for row in rows) == entries()["glas"].splits == {"train": 85, "testA": 60, "testB": 20}
    sums = {split: [0, 0] for split in glas.SPLITS}
    for row in rows:
        sums[row["split"]][0] += int(row["label_ids"])
        sums[row["split"]][1] += int(row["components_8"])
    assert sums == {"train": [769, 769], "testA": [666, 666], "testB": [95, 118]}
    assert Counter((row["width_px"], row["height_px"]) for row in rows)["775", "522"] == 151
    assert {row["tile"] for row in rows if row["label_ids"] != row["components_8"]} == set(glas.BINARY)


# ---- what a tile holds


def test_a_tile_tells_patient_grades_pixel_size_and_source(copy):
    tile = datasets.load("glas", "train")[2]
    assert (tile.name, tile.patient, tile.organ, tile.um_per_px) == ("train_10", "2", "colon", 0.62005)
    assert tile.source == {
        "image": str(file(copy, "train_10.bmp")),
        "labels": str(file(copy, "train_10_anno.bmp")),
        "relabelled": "no",
        "grade": "malignant",
        "grade_2015": "moderately differentiated",
        "um_per_px": "page of the contest; no file tells it",
    }
    np.testing.assert_array_equal(tile.instances, GLANDS)


def test_tiles_come_in_the_order_of_their_numbers(copy):
    assert datasets.load("glas", "train").names == ("train_1", "train_2", "train_10")


def test_a_mask_without_ids_gets_them_by_8_connectivity_unless_told_not_to(copy):
    first, second = datasets.load("glas", "testB")
    np.testing.assert_array_equal(first.instances, GLANDS)
    assert (first.count, first.source["relabelled"]) == (2, "8-connected components of a mask without ids")
    assert (second.count, second.source["relabelled"]) == (2, "no")
    published = datasets.load("glas", "testB", relabel=False)[0]
    assert (published.count, published.source["relabelled"]) == (1, "no")
    np.testing.assert_array_equal(published.mask, first.mask)


def test_a_copy_in_which_these_masks_have_ids_keeps_them(copy):
    labels = GLANDS * 3
    Image.fromarray(labels).save(file(copy, "testB_3_anno.bmp"))
    tile = datasets.load("glas", "testB")[0]
    np.testing.assert_array_equal(tile.instances, labels)
    assert tile.source["relabelled"] == "no"


def test_no_other_mask_of_one_value_is_relabelled(copy):
    Image.fromarray((GLANDS > 0).astype(np.uint8)).save(file(copy, "testA_1_anno.bmp"))
    assert datasets.load("glas", "testA")[0].count == 1


def test_the_misspelt_grade_is_put_right(copy):
    assert datasets.load("glas", "testB")[1].source["grade_2015"] == "moderately-to-poorly differentiated"


def test_png_is_read_where_there_is_no_bmp(copy):
    before = datasets.load("glas", "train")[0]
    for stem in ("train_1", "train_1_anno"):
        path = file(copy, f"{stem}.bmp")
        Image.open(path).save(path.with_suffix(".png"))
        path.unlink()
    tile = datasets.load("glas", "train")[0]
    np.testing.assert_array_equal(tile.image, before.image)
    np.testing.assert_array_equal(tile.instances, before.instances)
    assert tile.source["image"].endswith("train_1.png")
    assert glas.validate(copy) == []


def test_groups_are_patients(copy):
    assert glas.groups("train", relabel=False) == {"train_1": "1", "train_2": "1", "train_10": "2"}
    with pytest.raises(ValueError, match="unknown 'glas' split 'test'"):
        glas.groups("test")


def test_a_sequence_travels_to_another_process(copy):
    assert pickle.loads(pickle.dumps(datasets.load("glas", "train")))[1].patient == "1"


def test_status_counts_the_tiles_that_have_image_and_mask(copy):
    file(copy, "train_1_anno.bmp").unlink()
    assert status("glas").splits == {"train": (2, 85), "testA": (1, 60), "testB": (2, 20)}


# ---- bad input


@pytest.mark.parametrize("relabel", ["yes", 1, None])
def test_relabel_is_true_or_false(copy, relabel):
    with pytest.raises(ValueError, match=rf"'glas' relabel must be True or False, got {relabel!r}"):
        datasets.load("glas", "testB", relabel=relabel)


def test_an_unknown_split_or_option_is_an_error(copy):
    with pytest.raises(ValueError, match=r"unknown 'glas' split 'test', .* Allowed: 'train', 'testA', 'testB'"):
        datasets.load("glas", "test")
    with pytest.raises(ValueError, match=r"unknown 'glas' option 'connectivity'\. Allowed: 'relabel'"):
        datasets.load("glas", "testB", connectivity=8)


def test_a_folder_without_glas_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("HISTOLAB_DATA", str(tmp_path))
    with pytest.raises(DataError, match="has no folder glas/; unpack the set there, from https://warwick"):
        datasets.load("glas", "train")
    (tmp_path / "glas").mkdir()
    with pytest.raises(DataError, match=r"^85 of 85 images of split 'train' are missing in .*\(train_1\.bmp, "):
        datasets.load("glas", "train")


@pytest.mark.parametrize(("name", "what"), [("train_2.bmp", "images"), ("train_2_anno.bmp", "masks")])
def test_a_missing_file_is_an_error_at_load(copy, name, what):
    file(copy, name).unlink()
    with pytest.raises(DataError, match=rf"^1 of 3 {what} of split 'train' are missing in .* \({name}\); unpack"):
        datasets.load("glas", "train")
    assert glas.validate(copy) == [
        f"{copy / FOLDER}: expected 6 {what}, 1 missing: {name}; unpack the set again",
    ]


def test_a_file_that_comes_as_bmp_and_as_png_is_an_error(copy):
    Image.open(file(copy, "train_2_anno.bmp")).save(file(copy, "train_2_anno.png"))
    message = "train_2_anno lie there both as BMP and as PNG; keep one of the two"
    with pytest.raises(DataError, match=message):
        datasets.load("glas", "train")
    (found,) = glas.validate(copy)
    assert message in found


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (GLANDS[1:], r"label image is 11x16 pixels .* but its tile is 12x16"),
        (np.zeros(SHAPE, np.uint8), "nothing in it covers a pixel, expected glands"),
        (np.dstack([GLANDS] * 3), "expected a label image, one channel of integers, got mode RGB"),
    ],
)
def test_a_bad_mask_names_file_and_fault(copy, labels, message):
    Image.fromarray(labels).save(file(copy, "train_1_anno.bmp"))
    with pytest.raises(DataError, match=message) as error:
        datasets.load("glas", "train")[0]
    assert str(file(copy, "train_1_anno.bmp")) in str(error.value)


def test_a_damaged_image_names_the_file(copy):
    path = file(copy, "train_1.bmp")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match=r"train_1\.bmp: damaged or not an image"):
        datasets.load("glas", "train")[0]
    first, second = glas.validate(copy)
    assert first.startswith(f"{path}: damaged or not an image")
    assert second.startswith(f"{path}: expected sha256 {glas.facts()['train_1']['image_sha256']}, found ")


BAD_GRADES = [
    ({**ROWS, "train_2": "1, benign"}, HEADER, r"Grade\.csv, line 7: expected 4 fields, found 3; take the original"),
    ({**ROWS, "train_2": "one, benign, healthy"}, HEADER, r"line 7: expected the number of a patient, found 'one'"),
    ({**ROWS, "train_2": "1, good, healthy"}, HEADER, r"line 7: expected a grade, one of benign, malignant, found 'go"),
    ({**ROWS, "train_2": "1, benign, ill"}, HEADER, r"line 7: expected a grade, one of healthy, adenomatous, .*'ill'"),
    ({**ROWS, " train_1": "1, benign, healthy"}, HEADER, r"line 8: a second row for train_1"),
    ({}, HEADER, r"expected a row for each of \d images, found none for train_1"),
    (
        ROWS,
        "image;patient",
        r"Grade\.csv: expected the columns name, patient ID, grade \(GlaS\), .*found image;patient",
    ),
    ({}, "", r"Grade\.csv: expected the columns .*, found an empty file"),
    ({"a": '"'}, HEADER, r"Grade\.csv: cannot be read as CSV \(unexpected end of data\)"),
]


@pytest.mark.parametrize(("rows", "header", "message"), BAD_GRADES)
def test_a_bad_grade_file_is_an_error_at_load_and_a_fault(copy, rows, header, message):
    write_grades(copy, rows, header)
    for read in (lambda: datasets.load("glas", "train"), lambda: glas.groups("train")):
        with pytest.raises(DataError, match=message) as error:
            read()
        assert str(file(copy, "Grade.csv")) in str(error.value)
    assert re.search(message, "\n".join(glas.validate(copy)))


def test_a_row_that_is_missing_matters_to_its_split_alone(copy):
    write_grades(copy, {name: rest for name, rest in ROWS.items() if name != "train_10"})
    assert len(datasets.load("glas", "testB")) == 2
    with pytest.raises(DataError, match=r"Grade\.csv: expected a row for each of 3 images, found none for train_10$"):
        datasets.load("glas", "train")
    (found,) = glas.validate(copy)
    assert found.endswith("expected a row for each of 6 images, found none for train_10")


def test_all_faults_of_the_grade_file_are_told_and_the_first_is_raised(copy):
    write_grades(copy, {**ROWS, "train_1": "x, benign, healthy", "train_2": "1", "train_99": "1, benign, healthy"})
    with pytest.raises(DataError, match=r"line 5: expected the number .* \(and 1 more faults of this file\)$"):
        datasets.load("glas", "train")
    found = glas.validate(copy)
    expected = ["line 5", "line 7", "found also train_99$"]
    assert all(re.search(pattern, line) for pattern, line in zip(expected, found, strict=True))


def test_a_grade_file_saved_anew_is_read_alike(copy):
    before = glas.groups("train")
    path = file(copy, "Grade.csv")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\r\n", b"\n").replace(b", ", b",") + b"\n\n")
    assert glas.groups("train") == before
    assert glas.validate(copy) == []


def test_no_grade_file_or_one_of_bytes_is_an_error(copy):
    file(copy, "Grade.csv").write_bytes(b"\xff\xfe\x00name")
    with pytest.raises(DataError, match=r"Grade\.csv: cannot be read as CSV \('utf-8' codec"):
        datasets.load("glas", "train")
    file(copy, "Grade.csv").unlink()
    with pytest.raises(DataError, match=r"Grade\.csv: no such file, which tells the patient of each image"):
        datasets.load("glas", "train")


def test_a_copy_in_order_has_no_fault_and_an_empty_folder_three(copy, tmp_path):
    assert glas.validate(copy) == []
    (tmp_path / "empty").mkdir()
    found = glas.validate(tmp_path / "empty")
    assert [line.split(": ", 1)[1] for line in found] == [
        "expected 6 images, found none, as train_1.bmp; unpack the set there",
        "expected 6 masks, found none, as train_1_anno.bmp; unpack the set there",
        "no such file, which tells the patient of each image; unpack the set again",
    ]


def test_an_altered_copy_is_told_by_size_ids_and_hash(copy):
    Image.fromarray(np.zeros((6, 8, 3), np.uint8)).save(file(copy, "train_1.bmp"))
    Image.fromarray(GLANDS[:, :8] * 2).save(file(copy, "train_2_anno.bmp"))
    Image.fromarray(np.zeros(SHAPE, np.uint8)).save(file(copy, "testA_1_anno.bmp"))
    Image.open(file(copy, "testA_1.bmp")).save(file(copy, "train_86.bmp"))
    top = copy / FOLDER
    found = [line.removeprefix(str(top)) for line in glas.validate(copy)]
    assert [re.sub("[0-9a-f]{64}", "*", line) for line in found] == [
        ": expected no other images and masks than those of the set, found train_86.bmp; move them out, or take the "
        "official copy",
        "/train_1.bmp: expected 12x16 pixels, found 6x8 (height x width); take the original",
        "/train_1.bmp: expected sha256 *, found *; take the original",
        "/train_2_anno.bmp: expected 12x16 pixels, found 12x8 (height x width); take the original",
        "/train_2_anno.bmp: expected sha256 *, found *; take the original",
        "/testA_1_anno.bmp: expected the ids 1 to 2, found 0; take the original",
        "/testA_1_anno.bmp: expected sha256 *, found *; take the original",
    ]


# ---- the real files


def patients(tissue):
    with (tissue / "glas" / FOLDER / "Grade.csv").open(newline="") as lines:
        return {row[0]: row[1] for row in list(csv.reader(lines))[1:]}


@pytest.mark.real
def test_patients_are_those_of_the_grade_file_and_are_shared_between_splits(tissue):
    groups = {split: glas.groups(split) for split in glas.SPLITS}
    assert {name: patient for split in groups.values() for name, patient in split.items()} == patients(tissue)
    sets = {split: set(found.values()) for split, found in groups.items()}
    assert {split: len(found) for split, found in sets.items()} == {"train": 15, "testA": 9, "testB": 5}
    assert sets["train"] & sets["testA"] == {"3", "4", "7", "9", "10", "11", "13", "15"}
    assert sets["testB"] < sets["train"]
    assert Counter(groups["train"].values()).most_common(3) == [("2", 16), ("10", 15), ("1", 12)]


@pytest.mark.real
def test_grades_are_counted_as_published(tissue):
    rows = grades.read_grades(tissue / "glas" / FOLDER / "Grade.csv", glas.facts())
    noted = {name: (row["grade"], row["grade_2015"]) for name, row in glas.facts().items()}
    assert {name: (row.grade, row.grade_2015) for name, row in rows.items()} == noted
    assert Counter(row.grade for row in rows.values()) == {"malignant": 91, "benign": 74}
    assert Counter(row.grade_2015 for row in rows.values()) == {
        "moderately differentiated": 47,
        "healthy": 42,
        "adenomatous": 32,
        "poorly differentiated": 24,
        "moderately-to-poorly differentiated": 20,
    }


@pytest.mark.real
def test_test_b_has_118_glands_of_which_the_published_ids_tell_95(tissue):
    assert sum(tile.count for tile in datasets.load("glas", "testB")) == 118
    published = {tile.name: tile.count for tile in datasets.load("glas", "testB", relabel=False)}
    assert sum(published.values()) == 95
    found = {tile.name: tile.count for tile in datasets.load("glas", "testB") if tile.count != published[tile.name]}
    assert found == {"testB_3": 7, "testB_11": 5, "testB_18": 8, "testB_19": 7}


@pytest.mark.real
@pytest.mark.slow
def test_all_other_masks_are_8_connected_components_already(tissue):
    counts = {}
    for split in glas.SPLITS:
        ids = four = 0
        for tile in datasets.load("glas", split):
            parts = split_components(tile.mask, connectivity=8)
            pairs = np.unique(parts[tile.mask] * 1000 + tile.instances[tile.mask])
            assert len(pairs) == tile.count == parts.max(), tile.name
            assert sorted(np.unique(tile.instances)) == list(range(tile.count + 1)), tile.name
            ids, four = ids + tile.count, four + int(split_components(tile.mask, connectivity=4).max())
        counts[split] = [ids, four]
    assert counts == {"train": [769, 774], "testA": [666, 671], "testB": [118, 122]}


@pytest.mark.real
@pytest.mark.slow
def test_the_real_files_are_in_order_and_one_other_byte_is_found(tissue, tmp_path):
    assert glas.validate(tissue / "glas") == []
    (tmp_path / FOLDER).mkdir()
    for path in (tissue / "glas" / FOLDER).iterdir():
        (tmp_path / FOLDER / path.name).symlink_to(path)
    changed = tmp_path / FOLDER / "testA_45.bmp"
    data = bytearray(changed.read_bytes())
    data[-1] ^= 1
    changed.unlink()
    changed.write_bytes(data)
    (tmp_path / FOLDER / "train_7_anno.bmp").unlink()
    missing, other = glas.validate(tmp_path)
    assert missing.endswith("expected 165 masks, 1 missing: train_7_anno.bmp; unpack the set again")
    assert other.startswith(f"{changed}: expected sha256 {glas.facts()['testA_45']['image_sha256']}, found ")
