import os
import pickle
import time

import numpy as np
import pytest

from histolab_lib import datasets
from histolab_lib.data_dir import DataError
from histolab_lib.datasets import folds, pannuke
from histolab_lib.datasets.registry import entries, status
from tests.layouts import linked_copy, save_fold, write_pannuke


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A PanNuke of three tiles a fold in the official layout."""
    return write_pannuke(tmp_path_factory.mktemp("base") / "pannuke")


@pytest.fixture
def copy(base, tmp_path, monkeypatch):
    """A copy of all three folds."""
    monkeypatch.setenv("HISTOLAB_DATA", str(tmp_path))
    monkeypatch.setattr(pannuke, "_TILES", dict.fromkeys(pannuke.SPLITS, 3))
    return linked_copy(base, tmp_path / "pannuke")


@pytest.fixture
def fold(base, tmp_path, monkeypatch):
    """A copy that has fold 2 alone."""
    monkeypatch.setenv("HISTOLAB_DATA", str(tmp_path))
    linked_copy(base / "Fold 2", tmp_path / "pannuke" / "Fold 2")
    return tmp_path / "pannuke"


def array_file(folder, name):
    (path,) = (folder / "Fold 2").rglob(f"{name}.npy")
    return path


def array(folder, name):
    """One of the arrays of fold 2, to be changed and saved."""
    return np.load(array_file(folder, name))


def save(folder, name, changed):
    array_file(folder, name).unlink()
    place = folder / "Fold 2" / ("masks" if name == "masks" else "images") / "fold2"
    np.save(place / f"{name}.npy", changed)


def save_with(folder, name, where, value):
    changed = array(folder, name)
    changed[where] = value
    save(folder, name, changed)


# ---- what a tile holds


def test_three_folds_are_the_splits_and_tiles_are_named_by_their_place(copy):
    assert pannuke.SPLITS == ("fold1", "fold2", "fold3")
    assert datasets.load("pannuke", "fold2").names == ("fold2_0000", "fold2_0001", "fold2_0002")


def test_a_version_says_which_fold_teaches_which_steers_and_which_tests(copy):
    assert set(pannuke.VERSIONS) == {"folds", "123", "132", "213", "231", "312", "321"}
    for version in list(pannuke.VERSIONS)[1:]:
        for split, number in zip(("train", "val", "test"), version, strict=True):
            tiles = datasets.load("pannuke", split, version=version)
            assert tiles.names == datasets.load("pannuke", f"fold{number}").names
            assert pannuke.groups(split, version=version) == pannuke.groups(f"fold{number}")
    with pytest.raises(ValueError, match=r"unknown 'pannuke' '213' split 'fold1'\. Allowed: 'train', 'val', 'test'"):
        datasets.load("pannuke", "fold1", version="213")
    with pytest.raises(ValueError, match=r"unknown 'pannuke' split 'train'\. Allowed: 'fold1', 'fold2', 'fold3'"):
        datasets.load("pannuke", "train")
    with pytest.raises(ValueError, match="unknown 'pannuke' version '12'"):
        datasets.load("pannuke", "train", version="12")


def test_a_tile_has_nuclei_with_new_ids_and_one_of_five_classes(copy):
    tile = datasets.load("pannuke", "fold2")[1]
    np.testing.assert_array_equal(tile.image, array(copy, "images")[1])
    assert tile.image.dtype == np.uint8
    assert tile.classes == {1: "neoplastic", 2: "neoplastic", 3: "epithelial"}
    found = {tuple(np.argwhere(tile.instances == number)[0]): number for number in tile.classes}
    assert found == {(10, 10): 1, (30, 10): 2, (50, 10): 3}
    assert np.bincount(tile.instances.ravel())[1:].tolist() == [100, 100, 100]
    assert (tile.patient, tile.um_per_px) == (None, None)
    top = copy / "Fold 2"
    assert tile.source == {
        "image": str(top / "images" / "fold2" / "images.npy"),
        "labels": str(top / "masks" / "fold2" / "masks.npy"),
        "index": 1,
        "regions": 3,
        "vanished": 0,
        "contested_px": 0,
        "background_px_differing": 0,
    }


def test_merged_nuclei_are_the_same_without_a_class(copy):
    kept, merged = (datasets.load("pannuke", "fold1", classes=classes)[0] for classes in ("kept", "merged"))
    np.testing.assert_array_equal(kept.instances, merged.instances)
    assert merged.classes is None


def test_channels_that_overlap_leave_the_pixel_to_the_later_one(fold):
    save_with(fold, "masks", (0, slice(10, 20), slice(15, 25), 4), 7)
    tile = datasets.load("pannuke", "fold2")[0]
    assert (tile.instances[12, 12], tile.instances[12, 17]) == (1, 4)
    assert tile.classes[4] == "epithelial"
    assert tile.source["contested_px"] == 50
    assert tile.source["background_px_differing"] == 50  # the half that was background


def test_a_tile_without_a_nucleus_is_a_tile(copy):
    tile = datasets.load("pannuke", "fold3")[-1]
    assert (tile.count, tile.classes) == (0, {})


def test_the_tissue_is_the_organ_as_other_sets_call_it(copy):
    assert [tile.organ for tile in datasets.load("pannuke", "fold1")] == ["breast", "head and neck", "adrenal gland"]
    assert len(set(pannuke.TISSUES.values())) == 19


def test_groups_are_organs_and_need_no_image(copy):
    expected = {"fold1_0000": "breast", "fold1_0001": "head and neck", "fold1_0002": "adrenal gland"}
    (copy / "Fold 1" / "images" / "fold1" / "images.npy").unlink()
    (copy / "Fold 1" / "images.npy").write_bytes(b"")
    assert pannuke.groups("fold1", classes="merged") == expected
    assert pannuke.GROUP == "organ"


def test_a_tissue_of_another_name_is_kept_as_it_is(fold):
    save(fold, "types", np.array(["Breast", "Brain", "Colon"]))
    assert datasets.load("pannuke", "fold2")[1].organ == "Brain"


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8, np.int32])
def test_whole_numbers_are_read_in_whatever_type_they_are_stored(fold, dtype):
    images = array(fold, "images")
    for name in ("images", "masks"):
        save(fold, name, array(fold, name).astype(dtype))
    tile = datasets.load("pannuke", "fold2")[0]
    np.testing.assert_array_equal(tile.image, images[0])
    assert tile.count == 3


# ---- memory


def test_nothing_is_loaded_whole_and_the_sequence_is_small_to_send(copy):
    tiles = datasets.load("pannuke", "fold1")
    sent = pickle.dumps(tiles)
    assert len(sent) < 2000
    np.testing.assert_array_equal(pickle.loads(sent)[1].instances, tiles[1].instances)
    assert isinstance(folds.open_fold(folds.locate_fold(copy, "fold1"))[0], np.memmap)


def test_a_tile_holds_copies_that_outlive_the_file_and_can_be_written_to(fold):
    tile = datasets.load("pannuke", "fold2")[0]
    assert tile.image.base is None
    assert tile.image.flags.writeable
    images = array(fold, "images")
    for name in ("images", "masks"):
        array_file(fold, name).unlink()
    np.testing.assert_array_equal(tile.image, images[0])


def test_a_tile_is_read_in_a_hundredth_of_a_second(copy):
    tiles = datasets.load("pannuke", "fold1")
    times = []
    for index in range(12):
        start = time.perf_counter()
        tiles[index % 3]
        times.append(time.perf_counter() - start)
    assert 0 < min(times) < 0.010  # 1.5 ms on the machine where it was written


# ---- where the files lie


@pytest.mark.parametrize("name", ["Fold2", "fold2", "fold_2", "fold 2", "Fold-2"])
def test_the_folder_of_a_fold_is_known_by_other_spellings(fold, name):
    (fold / "Fold 2").rename(fold / name)
    assert len(datasets.load("pannuke", "fold2")) == 3


def test_files_that_lie_side_by_side_are_found(fold):
    top = fold / "Fold 2"
    for path in list(top.rglob("*.npy")):
        path.rename(top / path.name)
    assert datasets.load("pannuke", "fold2")[0].count == 3


def test_a_fold_that_is_there_twice_is_an_error(fold):
    (fold / "fold_2").mkdir()
    with pytest.raises(DataError, match=r"pannuke: expected a folder 'Fold 2' once, found .*Fold 2 and .*fold_2; keep"):
        datasets.load("pannuke", "fold2")


def test_a_missing_fold_or_file_is_named(copy):
    (copy / "Fold 3" / "masks" / "fold3" / "masks.npy").unlink()
    with pytest.raises(DataError, match=r"Fold 3: expected masks\.npy, found none; unpack or download it again"):
        datasets.load("pannuke", "fold3")
    (copy / "Fold 2").rename(copy / "second")
    with pytest.raises(DataError, match=r"pannuke: expected a folder 'Fold 2', found none"):
        datasets.load("pannuke", "fold2")
    assert pannuke.present(copy) == {"fold1": 3, "fold2": 0, "fold3": 0}


def test_the_registry_expects_what_is_published():
    entry = entries()["pannuke"]
    assert entry.splits == {"fold1": 2656, "fold2": 2523, "fold3": 2722} == pannuke._TILES
    assert all(len(item.sha256) == 64 for item in entry.downloads)
    assert not entry.show_pictures


def test_status_says_how_many_tiles_there_are(copy):
    row = status("pannuke")
    assert row.splits == {"fold1": (3, 2656), "fold2": (3, 2523), "fold3": (3, 2722)}
    assert not row.found


# ---- bad input


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "train"}, r"unknown 'pannuke' split 'train'\. Allowed: 'fold1', 'fold2', 'fold3'"),
        ({"split": "Fold 1"}, r"'Fold 1', did you mean 'fold1'\?"),
        ({"classes": "all"}, r"unknown 'pannuke' classes 'all'\. Allowed: 'kept', 'merged'"),
    ],
)
def test_what_is_unknown_is_quoted_and_what_is_allowed_listed(copy, arguments, message):
    arguments = {"split": "fold1", **arguments}
    with pytest.raises(ValueError, match=message):
        datasets.load("pannuke", **arguments)
    with pytest.raises(ValueError, match=message):
        pannuke.groups(**arguments)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("images", lambda old: old[:1], "in each file of a fold, got 1 in images.npy, 3 in masks.npy, 3 in types.npy"),
        ("masks", lambda old: old[:1], "in each file of a fold, got 3 in images.npy, 1 in masks.npy, 3 in types.npy"),
        ("types", lambda old: old[:1], "in each file of a fold, got 3 in images.npy, 3 in masks.npy, 1 in types.npy"),
        ("images", lambda old: old[:0], "in each file of a fold, got 0 in images.npy, 3 in masks.npy, 3 in types.npy"),
        ("images", lambda old: old[..., :2], r"images\.npy: .*\(n, 256, 256, 3\), got float64 \(3, 256, 256, 2\)"),
        ("images", lambda old: old[:, :9], r"images\.npy: .*\(n, 256, 256, 3\), got float64 \(3, 9, 256, 3\)"),
        ("images", lambda old: old[0], r"images\.npy: .*\(n, 256, 256, 3\), got float64 \(256, 256, 3\)"),
        ("masks", lambda old: old[..., :5], r"masks\.npy: .*\(n, 256, 256, 6\), got float64 \(3, 256, 256, 5\)"),
        ("masks", lambda old: old.astype(complex), r"masks\.npy: expected numbers \(n, 256, .*\), got complex128"),
        ("masks", lambda old: old > 0, r"masks\.npy: expected numbers \(n, 256, .*\), got bool"),
        ("types", lambda old: np.arange(3), r"types\.npy: expected one string per tile, .*, got int64 \(3,\)"),
        ("types", lambda old: old[:, None], r"types\.npy: expected one string per tile, .*, got <U13 \(3, 1\)"),
    ],
)
def test_a_file_of_another_shape_type_or_length_than_its_neighbours_is_an_error_at_load(fold, name, change, message):
    save(fold, name, change(array(fold, name)))
    with pytest.raises(DataError, match=message):
        datasets.load("pannuke", "fold2")
    assert pannuke.present(fold)["fold2"] == 0


def test_pickled_objects_are_refused_with_what_to_do(fold, tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    save(fold, "types", np.array([Trap(), "Breast", "Colon"], object))
    with pytest.raises(
        DataError,
        match=r"types\.npy: holds pickled Python objects, which can run any code .* "
        r"np\.save\(path, np\.load\(path, allow_pickle=True\)\.astype\(str\)\)",
    ):
        datasets.load("pannuke", "fold2")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("name", ["images", "masks", "types"])
@pytest.mark.parametrize("kept", [0, 60, 0.5])
def test_half_a_file_is_an_error_at_load(fold, name, kept):
    path = array_file(fold, name)
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[: int(len(content) * kept) if kept == 0.5 else kept])
    with pytest.raises(DataError, match=rf"{name}\.npy: (cut off|damaged)"):
        datasets.load("pannuke", "fold2")


def test_a_web_page_instead_of_an_array_is_named(fold):
    path = array_file(fold, "images")
    path.unlink()
    path.write_text("<html>please log in</html>")
    with pytest.raises(DataError, match=r"images\.npy: cut off, empty, or not a \.npy file"):
        datasets.load("pannuke", "fold2")


PIXEL = (1, 30, 40)


@pytest.mark.parametrize(
    ("name", "where", "value", "message"),
    [
        ("images", (*PIXEL, 0), 256, r"images\.npy, tile 1: expected whole numbers from 0 to 255, got 256"),
        ("images", (*PIXEL, 0), -1, "tile 1: expected whole numbers from 0 to 255, got -1"),
        ("images", (*PIXEL, 2), 0.5, "tile 1: expected whole numbers from 0 to 255, got 0.5"),
        ("images", (*PIXEL, 2), np.nan, "tile 1: expected whole numbers from 0 to 255, got nan"),
        ("masks", (*PIXEL, 0), -2, r"masks\.npy, tile 1: expected whole numbers from 0 to 2147483647, got -2"),
        ("masks", (*PIXEL, 3), 1.25, "tile 1: expected whole numbers from 0 to 2147483647, got 1.25"),
        ("masks", (*PIXEL, 5), np.inf, "tile 1: expected whole numbers from 0 to 2147483647, got inf"),
        ("masks", (*PIXEL, 1), 2.0**31, "tile 1: expected whole numbers from 0 to 2147483647, got 2147483648"),
    ],
)
def test_a_value_that_cannot_be_is_an_error_of_its_tile_alone(fold, name, where, value, message):
    save_with(fold, name, where, value)
    tiles = datasets.load("pannuke", "fold2")
    assert tiles[0].count == 3
    with pytest.raises(DataError, match=message):
        tiles[1]


def test_a_fold_that_shrinks_after_load_is_an_error(fold):
    tiles = datasets.load("pannuke", "fold2")
    save(fold, "images", array(fold, "images")[:1])
    with pytest.raises(DataError, match="tile 1 asked for, but the fold has become shorter"):
        tiles[1]


# ---- what validate says


def test_a_whole_copy_is_in_order(copy):
    assert pannuke.validate(copy) == []


def test_validate_names_everything_that_is_wrong(copy):
    save_fold(copy, 1, array(copy, "images")[:2], array(copy, "masks")[:2].astype(np.float32), ["Breast", "Brain"])
    save_with(copy, "masks", (0, 0, 0, 0), -1)
    empty = copy / "Fold 3" / "masks" / "fold3" / "masks.npy"
    empty.unlink()
    empty.write_bytes(b"")
    found = pannuke.validate(copy)
    assert [sentence.partition(": ")[2].split(";")[0] for sentence in found] == [
        "2 tiles, expected 3",
        "not among the 19 tissues: Brain",
        "expected whole numbers from 0 to 2147483647, got -1.0",
        "cut off, empty, or not a .npy file (EOF: reading magic string, expected 8 bytes got 0)",
        "masks.npy differ in the type of their numbers: float32 in fold1, float64 in fold2",
    ]
    assert all(str(copy) in sentence for sentence in found)


def test_validate_of_nothing_says_so_and_does_not_raise(tmp_path):
    assert [sentence.split(": ")[1] for sentence in pannuke.validate(tmp_path / "nowhere")] == [
        f"expected a folder 'Fold {number}', found none; unpack or download it again" for number in (1, 2, 3)
    ]
