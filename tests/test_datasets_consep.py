import pickle

import numpy as np
import pytest
from scipy.io import savemat

from histolab_lib import datasets
from histolab_lib.data_dir import DataError
from histolab_lib.datasets import consep
from histolab_lib.datasets.registry import entries, status
from tests.layouts import SIDE, consep_arrays, linked_copy, picture, save_mat, save_picture, write_consep

NUCLEI = 41 * 3  # in the small copy


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A whole CoNSeP in the official layout, of tiny tiles."""
    return write_consep(tmp_path_factory.mktemp("base") / "consep")


@pytest.fixture
def copy(base, tmp_path, monkeypatch):
    """A copy of it, to be spoilt."""
    monkeypatch.setenv("HISTOLAB_DATA", str(tmp_path))
    monkeypatch.setattr(consep, "_SIDE_PX", SIDE)
    monkeypatch.setattr(consep, "_NUCLEI", NUCLEI)
    return linked_copy(base, tmp_path / "consep")


def labels(copy, stem="test_1"):
    return copy / stem.split("_")[0].capitalize() / "Labels" / f"{stem}.mat"


def image(copy, stem="test_1"):
    return copy / stem.split("_")[0].capitalize() / "Images" / f"{stem}.png"


def change(copy, stem="test_1", **arrays):
    save_mat(labels(copy, stem), **{**consep_arrays(), **arrays})


def first(**options):
    return datasets.load("consep", "test", **options)[0]


# ---- what a tile holds


def test_the_splits_are_27_and_14_tiles_in_the_order_of_their_numbers(copy):
    assert datasets.load("consep", "train").names == tuple(f"train_{number}" for number in range(1, 28))
    assert datasets.load("consep", "test").names == tuple(f"test_{number}" for number in range(1, 15))


def test_images_with_and_without_an_alpha_channel_are_read_alike(copy):
    tiles = datasets.load("consep", "train")
    np.testing.assert_array_equal(tiles[0].image, picture(1))  # RGBA on disk
    np.testing.assert_array_equal(tiles[1].image, picture(2))


def test_a_tile_has_nuclei_with_one_of_seven_classes(copy):
    tile = first()
    np.testing.assert_array_equal(tile.instances, consep_arrays()["inst_map"])
    assert tile.classes == {1: "normal epithelium", 2: "malignant epithelium", 3: "endothelial"}
    assert (tile.organ, tile.patient, tile.um_per_px) == (None, None, None)
    assert tile.source == {
        "image": str(image(copy)),
        "labels": str(labels(copy)),
        "regions": 3,
        "vanished": 0,
        "type_px_differing": 0,
        "type_px_outside": 0,
    }


def test_the_usual_merge_makes_four_classes_of_seven(copy):
    assert first(classes="merged").classes == {1: "epithelial", 2: "epithelial", 3: "spindle-shaped"}
    kinds = dict(zip(consep.CLASSES["all"], consep.CLASSES["merged"], strict=True))
    assert kinds == {
        "miscellaneous": "miscellaneous",
        "inflammatory": "inflammatory",
        "normal epithelium": "epithelial",
        "malignant epithelium": "epithelial",
        "fibroblast": "spindle-shaped",
        "muscle": "spindle-shaped",
        "endothelial": "spindle-shaped",
    }


def test_pixels_whose_type_is_not_their_nucleus_s_own_are_counted_where_they_are_few(copy):
    types = consep_arrays()["type_map"]
    types[2, 2:4], types[20, 20] = 5, 1  # 2 of 16 pixels of nucleus 1, and one outside
    types[3, 2] = 0
    change(copy, type_map=types)
    tile = first()
    assert tile.classes[1] == "normal epithelium"
    assert (tile.source["type_px_differing"], tile.source["type_px_outside"]) == (3, 1)


def test_a_list_of_types_is_in_order_of_ids_with_gaps_or_without(copy):
    nuclei = consep_arrays()["inst_map"]
    nuclei[nuclei == 2] = 0
    types = np.where(nuclei > 0, consep_arrays()["type_map"], 0)
    change(copy, inst_map=nuclei, type_map=types)  # the list has all three
    tile = first()
    assert tile.classes == {1: "normal epithelium", 3: "endothelial"}
    assert (tile.source["regions"], tile.source["vanished"]) == (3, 1)
    change(
        copy,
        inst_map=nuclei,
        type_map=types,
        inst_type=np.array([[3, 7]]),
        inst_centroid=np.array([[3.5, 3.5], [10, 11.5]]),
    )
    tile = first()  # the list has the two that occur, in a row instead of a column
    assert tile.classes == {1: "normal epithelium", 3: "endothelial"}
    assert (tile.source["regions"], tile.source["vanished"]) == (2, 0)


def test_the_sequence_travels_to_another_process(copy):
    assert pickle.loads(pickle.dumps(datasets.load("consep", "train", classes="merged")))[5].count == 3


def test_the_registry_expects_what_the_loader_reads(copy):
    assert entries()["consep"].splits == {"train": 27, "test": 14}
    assert consep.GROUP is None
    assert status("consep").found
    image(copy).unlink()
    assert consep.present(copy) == {"train": 27, "test": 13}
    assert not status("consep").found


# ---- what validate says


def test_a_whole_copy_is_in_order(copy):
    (copy / "README.txt").write_text("of the set")
    (copy / "Train" / "Overlay").mkdir()
    assert consep.validate(copy) == []


def test_validate_counts_nuclei_as_published(copy, monkeypatch):
    monkeypatch.setattr(consep, "_NUCLEI", 24_319)
    assert consep.validate(copy) == [f"{copy}: 123 nuclei in all, expected 24319 as published"]


def test_validate_names_everything_that_is_wrong(copy):
    labels(copy, "train_2").unlink()
    save_picture(image(copy, "train_3"), picture(0, (SIDE, SIDE + 1)))
    wider = {key: np.pad(consep_arrays()[key], ((0, 0), (0, 1))) for key in ("inst_map", "type_map")}
    change(copy, "train_3", **wider)
    change(copy, "train_4", inst_type=np.array([[3], [4]]), inst_centroid=np.ones((2, 2)))
    types = consep_arrays()["type_map"]
    types[2, 2] = 5
    change(copy, "test_2", type_map=types)
    nuclei = consep_arrays()["inst_map"]
    change(copy, "test_3", inst_map=np.where(nuclei == 2, 0, nuclei), type_map=types * (nuclei != 2))
    missing, size, long, differing, gone, again = consep.validate(copy)
    assert "expected 27 label files, 1 missing: train_2.mat" in missing
    assert size == f"{image(copy, 'train_3')}: 24x25 pixels (height x width), expected 24x24"
    assert long.startswith(f"{labels(copy, 'train_4')}: inst_type lists 2 nuclei, but inst_map has 3")
    where = [labels(copy, "test_2"), labels(copy, "test_3")]
    assert differing == f"{where[0]}: 1 pixels have a type in type_map that their nucleus does not have"
    assert gone == f"{where[1]}: 1 of 3 nuclei in inst_type have no pixel"
    assert again == differing.replace("test_2", "test_3")


def test_validate_of_nothing_says_so_and_does_not_raise(tmp_path):
    found = consep.validate(tmp_path / "nowhere")
    assert [sentence.split(", found none")[0].split("expected ")[1] for sentence in found] == [
        "27 images",
        "27 label files",
        "14 images",
        "14 label files",
    ]


# ---- bad input


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "Train"}, r"unknown 'consep' split 'Train', did you mean 'train'\? Allowed: 'train', 'test'"),
        ({"classes": "four"}, r"unknown 'consep' classes 'four'\. Allowed: 'all', 'merged'"),
    ],
)
def test_what_is_unknown_is_quoted_and_what_is_allowed_listed(copy, arguments, message):
    with pytest.raises(ValueError, match=message):
        datasets.load("consep", **{"split": "train", **arguments})


def test_missing_files_are_an_error_at_load(copy):
    image(copy).unlink()
    with pytest.raises(DataError, match=r"^1 of 14 images are missing in .*Test.Images \(test_1\.png\); unpack split"):
        datasets.load("consep", "test")


@pytest.mark.parametrize("key", ["inst_map", "type_map", "inst_type", "inst_centroid"])
def test_a_missing_key_is_named(copy, key):
    arrays = consep_arrays()
    del arrays[key]
    labels(copy).unlink()
    savemat(labels(copy), arrays)
    with pytest.raises(DataError, match=rf"test_1\.mat: expected inst_map, .*, but {key} is not in it"):
        first()


def bent(key, where, value):
    array = consep_arrays()[key]
    array[where] = value
    return {key: array}


CORNER = (slice(2, 5), slice(2, 6))  # 12 of the 16 pixels of nucleus 1


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (bent("inst_map", (0, 0), -1), "inst_map must hold whole numbers from 0 to 2147483647, got -1"),
        (bent("inst_map", (0, 0), 0.5), "inst_map must hold whole numbers from 0 to 2147483647, got 0.5"),
        ({"inst_map": np.zeros((SIDE, SIDE))}, "inst_map is 0 throughout, expected nuclei"),
        ({"inst_map": np.ones((SIDE, 9))}, r"inst_map has shape \(24, 9\), but its image is 24x24 pixels"),
        (bent("type_map", (0, 0), 8), "type_map must hold whole numbers from 0 to 7, got 8"),
        ({"type_map": np.ones((9, SIDE))}, r"type_map has shape \(9, 24\), but its image is 24x24 pixels"),
        (bent("inst_type", (1, 0), 0), "inst_type must be 1 to 7, got 0 for a nucleus"),
        (bent("inst_type", (1, 0), 9), "inst_type must hold whole numbers from 0 to 7, got 9"),
        ({"inst_type": np.ones((3, 2))}, r"inst_type must be a list \(N, 1\), got shape \(3, 2\)"),
        ({"inst_type": np.zeros((0, 0))}, r"inst_centroid must be numbers \(0, 2\), as inst_type is long"),
        ({"inst_centroid": np.ones((2, 2))}, r"inst_centroid must be numbers \(3, 2\), .*, got float64 \(2, 2\)"),
        (bent("inst_centroid", (1, 0), 25), r"inst_centroid 2 is \[25\.0, 11\.5\], outside the image of \(24, 24\)"),
        (bent("inst_centroid", (2, 1), np.nan), r"inst_centroid 3 is \[10\.0, nan\], outside the image"),
        (
            {"inst_type": np.array([[3], [4], [7], [1]]), "inst_centroid": np.ones((4, 2))},
            "inst_type lists 4 nuclei, but inst_map has 3 with ids up to 3",
        ),
        (
            bent("type_map", CORNER, 5),
            "1 nuclei have one type in inst_type and another in type_map: id 1 has 3 and 5",
        ),
        (bent("inst_type", (2, 0), 6), "1 nuclei have one type in .*: id 3 has 6 and 7"),
    ],
)
def test_arrays_that_do_not_fit_name_file_and_fault(copy, arrays, message):
    change(copy, **arrays)
    with pytest.raises(DataError, match=message) as error:
        first()
    assert str(labels(copy)) in str(error.value)


def test_a_transparent_image_names_the_file(copy):
    pixels = np.dstack([picture(1), np.full((SIDE, SIDE), 9, np.uint8)])
    save_picture(image(copy), pixels)
    with pytest.raises(DataError, match=r"test_1\.png: expected an opaque RGB image"):
        first()
