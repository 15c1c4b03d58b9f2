import pickle

import numpy as np
import pytest
from PIL import Image

from histolab_lib import datasets
from histolab_lib.data_dir import DataError
from histolab_lib.datasets import folder
from tests.layouts import picture, three_nuclei

SHAPE = (20, 24)
NUCLEI = three_nuclei(SHAPE).astype(np.uint8)
# two squares that meet at a corner, and one apart: 3 objects by sides, 2 by sides and corners
MASK = np.zeros(SHAPE, np.uint8)
MASK[2:5, 2:5] = MASK[5:8, 5:8] = MASK[12:15, 12:15] = 255


def save(path, array, **how):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **how)


def two_folders(path, labels="labels", stems=("a", "b"), values=NUCLEI):
    for number, stem in enumerate(stems):
        save(path / "images" / f"{stem}.png", picture(number, SHAPE))
        save(path / labels / f"{stem}.png", values)
    return path


def load(path, **options):
    return datasets.load("folder", "all", path=path, **options)


def complaint(path, **options):
    """What load says of a folder that is not in order."""
    with pytest.raises(DataError) as error:
        load(path, **options)
    assert folder.validate(path, **options)[0] in str(error.value)
    return str(error.value)


# ---- arrangements


@pytest.mark.parametrize("labels", ["labels", "masks"])
def test_images_and_labels_are_found_in_two_folders(tmp_path, labels):
    tiles = load(two_folders(tmp_path, labels))
    assert tiles.names == ("a", "b")
    np.testing.assert_array_equal(tiles[1].image, picture(1, SHAPE))
    np.testing.assert_array_equal(tiles[1].instances, NUCLEI)
    assert (tiles[1].classes, tiles[1].organ, tiles[1].patient, tiles[1].um_per_px) == (None, None, None, None)
    assert tiles[1].source == {
        "image": str(tmp_path / "images" / "b.png"),
        "labels": str(tmp_path / labels / "b.png"),
        "kind": "labels",
        "connectivity": None,
    }


@pytest.mark.parametrize("ending", ["_mask", "_masks", "_anno", "_label", "_labels"])
def test_images_and_labels_are_found_side_by_side(tmp_path, ending):
    for stem in ("a", "b.2", "mask"):
        save(tmp_path / f"{stem}.tif", picture(0, SHAPE))
        save(tmp_path / f"{stem}{ending}.bmp", NUCLEI)
    tiles = load(tmp_path)
    assert tiles.names == ("a", "b.2", "mask")
    assert [tile.count for tile in tiles] == [3, 3, 3]


def test_folders_of_other_names_are_given(tmp_path):
    two_folders(tmp_path / "x").joinpath("images").rename(tmp_path / "pictures")
    (tmp_path / "x" / "labels").rename(tmp_path / "drawn")
    (tmp_path / "x").rmdir()
    assert load(tmp_path, images="pictures", labels=tmp_path / "drawn").names == ("a", "b")
    assert folder.validate(tmp_path, images="pictures", labels="drawn") == []


def test_labels_in_a_folder_of_their_own_may_have_an_ending(tmp_path):
    two_folders(tmp_path, stems=("a", "a_mask"))
    (tmp_path / "labels" / "a.png").rename(tmp_path / "labels" / "a_anno.png")
    tiles = load(tmp_path)
    assert [(tile.name, tile.source["labels"][-10:]) for tile in tiles] == [
        ("a", "a_anno.png"),
        ("a_mask", "a_mask.png"),
    ]


@pytest.mark.parametrize("name", ["a.png", "a.PNG", "a.tif", "a.tiff", "a.bmp", "a.jpg", "a.JPEG"])
def test_images_come_in_these_formats(tmp_path, name):
    save(tmp_path / "images" / name, picture(0, SHAPE))
    save(tmp_path / "labels" / "a.png", NUCLEI)
    tile = load(tmp_path)[0]
    assert tile.shape == SHAPE
    assert np.abs(tile.image.astype(int) - picture(0, SHAPE)).mean() < (100 if "j" in name.lower() else 1e-9)


@pytest.mark.parametrize("name", ["a.png", "a.TIF", "a.tiff", "a.bmp"])
def test_label_maps_come_in_these_formats(tmp_path, name):
    save(tmp_path / "images" / "a.jpg", picture(0, SHAPE))
    save(tmp_path / "labels" / name, NUCLEI)
    np.testing.assert_array_equal(load(tmp_path)[0].instances, NUCLEI)


@pytest.mark.parametrize(("suffix", "dtype"), [("png", np.uint16), ("tif", np.int32)])
def test_label_maps_have_as_many_ids_as_they_need(tmp_path, suffix, dtype):
    labels = np.arange(SHAPE[0] * SHAPE[1]).reshape(SHAPE).astype(dtype) * 100
    save(tmp_path / "images" / "a.png", picture(0, SHAPE))
    save(tmp_path / "labels" / f"a.{suffix}", labels)
    np.testing.assert_array_equal(load(tmp_path)[0].instances, labels)


def test_hidden_files_and_notes_are_passed_over(tmp_path):
    two_folders(tmp_path)
    for name in ("images/.DS_Store", "images/Thumbs.db", "labels/README.md", "labels/who.csv", "notes.txt"):
        (tmp_path / name).write_text("")
    assert len(load(tmp_path)) == 2
    assert folder.validate(tmp_path) == []


def test_the_sequence_travels_to_another_process(tmp_path):
    tiles = load(two_folders(tmp_path), um_per_px=0.5)
    assert pickle.loads(pickle.dumps(tiles))[1].count == 3


def test_the_pixel_size_is_the_one_that_is_given(tmp_path):
    assert load(two_folders(tmp_path), um_per_px=0.25)[0].um_per_px == 0.25


def test_pairs_are_counted(tmp_path):
    assert folder.present(two_folders(tmp_path)) == {"all": 2}
    (tmp_path / "labels" / "a.png").unlink()
    assert folder.present(tmp_path) == {"all": 1}
    assert folder.present(tmp_path / "nowhere") == {"all": 0}
    assert (folder.SPLITS, folder.GROUP) == (("all",), None)


# ---- masks and label maps


@pytest.mark.parametrize(("connectivity", "count"), [(4, 3), (8, 2)])
@pytest.mark.parametrize("foreground", [1, 255])
def test_a_binary_mask_is_split_as_it_is_told(tmp_path, connectivity, count, foreground):
    two_folders(tmp_path, "masks", values=np.minimum(MASK, foreground))
    tile = load(tmp_path, connectivity=connectivity)[0]
    assert tile.count == count
    assert (tile.source["kind"], tile.source["connectivity"]) == ("mask", connectivity)
    assert load(tmp_path, kind="mask", connectivity=connectivity)[0].count == count


def test_a_binary_mask_without_a_connectivity_is_an_error_that_tells_both_counts(tmp_path):
    tiles = load(two_folders(tmp_path, "masks", values=MASK))
    message = (
        r"a\.png: holds 0 and 255 only, in 3 pieces by sides, 2 by sides and corners; a binary mask needs "
        r"connectivity=4 or 8, because the two can give different counts; .* say kind='labels'"
    )
    with pytest.raises(DataError, match=message):
        tiles[0]
    assert len(folder.validate(tmp_path)) == 2
    assert folder.validate(tmp_path, connectivity=4) == []


def test_one_value_in_one_piece_is_one_object_whatever_it_is(tmp_path):
    values = np.where(NUCLEI == 1, 255, 0).astype(np.uint8)
    two_folders(tmp_path, values=values)
    counts = {load(tmp_path, **options)[0].count for options in ({}, {"connectivity": 4}, {"connectivity": 8})}
    assert counts == {1}


def test_an_object_in_pieces_is_one_where_the_file_is_said_to_be_a_label_map(tmp_path):
    tile = load(two_folders(tmp_path, values=MASK), kind="labels")[0]
    assert (tile.count, tile.source["kind"]) == (1, "labels")
    np.testing.assert_array_equal(tile.instances, MASK)


def test_an_image_without_objects_is_allowed(tmp_path):
    two_folders(tmp_path, values=NUCLEI * 0)
    assert [load(tmp_path, **options)[0].count for options in ({}, {"connectivity": 8})] == [0, 0]


def test_a_label_map_is_no_mask(tmp_path):
    with pytest.raises(DataError, match=r"a\.png: expected a mask, 0 and one other value .*, got 4 values: 0, 1, 2, 3"):
        load(two_folders(tmp_path), connectivity=8)[0]


# ---- what does not pair up


def test_what_has_no_partner_is_listed_in_both_directions(tmp_path):
    two_folders(tmp_path, stems=("a", "b", "c", "d", "e", "f"))
    for stem in "bcdef":
        (tmp_path / "labels" / f"{stem}.png").rename(tmp_path / "labels" / f"{stem}2_mask.png")
    message = complaint(tmp_path)
    assert "images: 5 of 6 images have no mask or label map: b.png, c.png, d.png, e.png, f.png;" in message
    listed = "b2_mask.png, c2_mask.png, d2_mask.png, e2_mask.png, f2_mask.png"
    assert message.endswith(f"labels: 5 of 6 masks or label maps have no image: {listed}")


def test_side_by_side_a_label_file_alone_is_no_image(tmp_path):
    save(tmp_path / "a.png", picture(0, SHAPE))
    save(tmp_path / "b_mask.png", NUCLEI)
    message = complaint(tmp_path)
    assert "1 of 1 images have no mask or label map: a.png" in message
    assert "1 of 1 masks or label maps have no image: b_mask.png" in message


def test_stems_that_come_twice_are_an_error(tmp_path):
    two_folders(tmp_path)
    save(tmp_path / "images" / "a.tif", picture(0, SHAPE))
    save(tmp_path / "labels" / "b_mask.png", NUCLEI)
    message = complaint(tmp_path)
    assert "images: several files for 'a': a.png, a.tif; keep one" in message
    assert "labels: several files for 'b': b.png, b_mask.png; keep one" in message


def test_what_is_not_read_is_named(tmp_path):
    two_folders(tmp_path)
    (tmp_path / "images" / "slide.svs").write_text("")
    (tmp_path / "images" / "patient.2").mkdir()
    (tmp_path / "labels" / "a.xml").write_text("")
    save(tmp_path / "c.png", picture(0, SHAPE))
    message = complaint(tmp_path)
    assert "images: not read here: patient.2/, slide.svs; move it elsewhere, or convert it to PNG" in message
    assert "labels: not read here: a.xml;" in message
    assert "only images/ and labels/ are read, so not: c.png" in message


@pytest.mark.parametrize("name", ["labels/a.jpg", "labels/a.JPEG"])
def test_labels_in_jpeg_are_refused(tmp_path, name):
    two_folders(tmp_path)
    (tmp_path / "labels" / "a.png").unlink()
    save(tmp_path / name, NUCLEI)
    assert f"labels: JPEG does not keep values, so it cannot hold labels: {name[7:]}" in complaint(tmp_path)


def test_a_jpeg_under_another_name_is_refused(tmp_path):
    save(two_folders(tmp_path) / "labels" / "a.png", NUCLEI, format="JPEG")
    with pytest.raises(DataError, match=r"a\.png: a JPEG under another name, which does not keep values"):
        load(tmp_path)[0]


def test_a_folder_without_images_says_what_is_expected(tmp_path):
    assert complaint(tmp_path) == f"{tmp_path}: no image; expected .png, .tif, .tiff, .bmp, .jpg, .jpeg"


def test_a_folder_that_is_not_there_is_named(tmp_path):
    assert (
        complaint(tmp_path / "nowhere")
        == f"{tmp_path / 'nowhere'}: no such folder; give the one that holds your images"
    )
    assert complaint(two_folders(tmp_path), images="images", labels="x") == f"{tmp_path / 'x'}: no such folder"


@pytest.mark.parametrize(("names", "found"), [((), "neither"), (("masks", "labels"), "both")])
def test_labels_must_be_in_one_place(tmp_path, names, found):
    for name in ("images", *names):
        (tmp_path / name).mkdir()
    expected = f"{tmp_path}: beside images/ expected masks/ or labels/, found {found}; say images= and labels="
    assert complaint(tmp_path) == expected


# ---- other bad input


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "train"}, r"unknown 'folder' split 'train'\. Allowed: 'all'"),
        ({"path": None}, "'folder' needs path=, the folder that holds your images and their masks or label maps"),
        (
            {"mask": "x"},
            r"option 'mask', .* Allowed: 'path', 'images', 'labels', 'kind', 'connectivity', 'um_per_px'",
        ),
        ({"kind": "binary"}, r"unknown 'folder' kind 'binary'\. Allowed: 'auto', 'labels', 'mask'"),
        ({"connectivity": 6}, r"connectivity: expected 4 \(sides\) or 8 \(sides and corners\), got 6"),
        ({"kind": "mask"}, r"kind='mask' needs connectivity=4 \(sides\) or 8 \(sides and corners\)"),
        (
            {"kind": "labels", "connectivity": 4},
            "kind='labels' takes ids as they are, so connectivity=4 has",
        ),
        ({"images": "images"}, "images and labels: give both or neither, got images='images' and labels=None"),
        ({"um_per_px": 0}, "um_per_px: expected a positive number of micrometres, got 0"),
        ({"um_per_px": float("nan")}, "um_per_px: expected a positive number of micrometres, got nan"),
    ],
)
def test_options_that_cannot_be_are_quoted(tmp_path, options, message):
    options = {"split": "all", "path": two_folders(tmp_path), **options}
    with pytest.raises(ValueError, match=message):
        datasets.load("folder", **options)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (NUCLEI[:-1], r"a\.png: label image is 19x24 pixels \(height x width\), but its tile is 20x24"),
        (np.dstack([NUCLEI] * 3), r"a\.png: expected a label image, one channel of integers, got mode RGB"),
    ],
)
def test_labels_that_do_not_fit_name_the_file(tmp_path, labels, message):
    save(two_folders(tmp_path) / "labels" / "a.png", labels)
    with pytest.raises(DataError, match=message):
        load(tmp_path)[0]
    assert len(folder.validate(tmp_path)) == 1


def test_a_grey_image_names_the_file(tmp_path):
    save(two_folders(tmp_path) / "images" / "a.png", NUCLEI)
    with pytest.raises(DataError, match=r"a\.png: expected an RGB image of 8 bits per channel, got mode L"):
        load(tmp_path)[0]


def test_a_file_that_vanishes_after_load_is_an_error(tmp_path):
    tiles = load(two_folders(tmp_path))
    (tmp_path / "labels" / "a.png").unlink()
    with pytest.raises(DataError, match=r"a\.png: no such file"):
        tiles[0]


# ---- real files


@pytest.mark.real
def test_glas_as_it_is_published_loads_as_a_folder_and_its_four_binary_masks_are_found(tissue):
    path = tissue / "glas" / "Warwick QU Dataset (Released 2016_07_08)"
    tiles = load(path, kind="labels")
    assert len(tiles) == 165
    assert sum(tile.count for tile in tiles) == 1530  # ids, of which each binary mask has one
    named = [sentence.split("_anno.bmp: ")[0].rpartition("/")[2] for sentence in folder.validate(path)]
    assert named == ["testB_11", "testB_18", "testB_19", "testB_3"]
