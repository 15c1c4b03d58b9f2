import pickle

import numpy as np
import pytest

from histolab_lib import datasets
from histolab_lib.data_dir import DataError
from histolab_lib.datasets import cpm17
from histolab_lib.datasets.registry import entries, status
from tests.layouts import SIDE, linked_copy, picture, save_mat, save_picture, three_nuclei, write_cpm17


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A whole CPM-17 in the official layout, of tiny tiles."""
    return write_cpm17(tmp_path_factory.mktemp("base") / "cpm17")


@pytest.fixture
def copy(base, tmp_path, monkeypatch):
    """A copy of it, to be spoilt."""
    monkeypatch.setenv("HISTOLAB_DATA", str(tmp_path))
    monkeypatch.setattr(cpm17, "_SIZES_PX", (SIDE, SIDE + 2))
    return linked_copy(base, tmp_path / "cpm17")


def image(copy, split="test", stem="image_00"):
    return copy / split / "Images" / f"{stem}.png"


def labels(copy, split="test", stem="image_00"):
    return copy / split / "Labels" / f"{stem}.mat"


def test_each_split_has_32_tiles_named_after_split_and_file(copy):
    for split in ("train", "test"):
        names = datasets.load("cpm17", split).names
        assert len(names) == 32
        assert (names[0], names[-1]) == (f"{split}_image_00", f"{split}_image_31")


def test_a_tile_holds_image_and_nuclei_and_tells_where_from(copy):
    tile = datasets.load("cpm17", "test")[1]
    np.testing.assert_array_equal(tile.image, picture(1, (SIDE, SIDE + 1)))
    np.testing.assert_array_equal(tile.instances, three_nuclei((SIDE, SIDE + 1)))
    assert (tile.name, tile.count) == ("test_image_01", 3)
    assert (tile.classes, tile.organ, tile.patient, tile.um_per_px) == (None, None, None, None)
    assert tile.source == {
        "image": str(image(copy, stem="image_01")),
        "labels": str(labels(copy, stem="image_01")),
    }


def test_the_sequence_travels_to_another_process(copy):
    assert pickle.loads(pickle.dumps(datasets.load("cpm17", "train")))[5].count == 3


def test_a_copy_in_a_folder_of_its_own_is_found(copy):
    (copy / "cpm17").mkdir()
    for split in ("train", "test"):
        (copy / split).rename(copy / "cpm17" / split)
    assert len(datasets.load("cpm17", "train")) == 32
    assert cpm17.validate(copy) == []


def test_the_registry_expects_what_the_loader_reads(copy):
    entry = entries()["cpm17"]
    assert entry.splits == {"train": 32, "test": 32}
    assert not entry.show_pictures
    assert cpm17.GROUP is None
    assert status("cpm17").found
    labels(copy).unlink()
    assert cpm17.present(copy) == {"train": 32, "test": 31}
    assert not status("cpm17").found


# ---- what validate says


def test_a_whole_copy_is_in_order(copy):
    assert cpm17.validate(copy) == []


def test_validate_names_everything_that_is_wrong(copy):
    image(copy, "train", "image_03").unlink()
    save_picture(image(copy, "train", "image_32"), picture(0))
    save_picture(image(copy, "train", "image_04"), picture(0, (9, SIDE)))
    save_mat(labels(copy, "train", "image_04"), inst_map=three_nuclei((9, SIDE))[:, ::-1].copy() + 1)
    save_mat(labels(copy), inst_map=three_nuclei() - 1)
    found = cpm17.validate(copy)
    assert [sentence.split(": ")[1].split(",")[0] for sentence in found] == [
        "expected 32 images",
        "expected no other images than those of the set",
        "9x24 pixels (height x width)",
        "inst_map must hold whole numbers from 0 to 2147483647",
    ]
    assert "1 missing: image_03.png" in found[0]
    assert "image_32.png" in found[1]
    assert found[2].startswith(f"{image(copy, 'train', 'image_04')}: ")
    assert found[2].endswith("expected 24 to 26 a side")
    assert found[3].startswith(f"{labels(copy)}: ")


def test_validate_of_nothing_says_so_and_does_not_raise(tmp_path):
    found = cpm17.validate(tmp_path / "nowhere")
    assert len(found) == 4
    assert "expected 32 images, found none, as image_00.png" in found[0]


# ---- bad input


def test_an_unknown_split_lists_those_there_are(copy):
    with pytest.raises(ValueError, match=r"'cpm17' split 'tests', did you mean 'test'\? Allowed: 'train', 'test'"):
        datasets.load("cpm17", "tests")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (image, r"^1 of 32 images are missing in .*Images \(image_00\.png\); download split 'test' of 'cpm17' again"),
        (labels, r"^1 of 32 label files are missing in .*Labels \(image_00\.mat\); download split"),
    ],
)
def test_a_missing_file_is_an_error_at_load(copy, path, message):
    path(copy).unlink()
    with pytest.raises(DataError, match=message):
        datasets.load("cpm17", "test")
    assert len(datasets.load("cpm17", "train")) == 32


def test_a_folder_without_the_set_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("HISTOLAB_DATA", str(tmp_path))
    with pytest.raises(DataError, match="has no folder cpm17/; unpack the set there, from https://drive"):
        datasets.load("cpm17", "train")
    (tmp_path / "cpm17").mkdir()
    with pytest.raises(DataError, match=r"^32 of 32 images are missing in .*train.Images"):
        datasets.load("cpm17", "train")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"inst_map": three_nuclei()[:-1]}, r"inst_map has shape \(23, 24\), but its image is 24x24 pixels"),
        ({"inst_map": three_nuclei() * 0}, "inst_map is 0 throughout, expected nuclei"),
        ({"inst_map": three_nuclei() / 2}, "inst_map must hold whole numbers from 0 to 2147483647, got 0.5"),
        ({"instances": three_nuclei()}, "expected inst_map, but inst_map is not in it"),
    ],
)
def test_bad_labels_name_file_and_fault(copy, arrays, message):
    save_mat(labels(copy), **arrays)
    with pytest.raises(DataError, match=message) as error:
        datasets.load("cpm17", "test")[0]
    assert str(labels(copy)) in str(error.value)


def test_half_an_image_names_the_file(copy):
    half = image(copy).read_bytes()[:700]
    image(copy).unlink()
    image(copy).write_bytes(half)
    with pytest.raises(DataError, match=r"image_00\.png: damaged"):
        datasets.load("cpm17", "test")[0]
