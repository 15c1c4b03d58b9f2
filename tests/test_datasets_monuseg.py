import hashlib
import os
import re
import shutil
import sys
from collections import Counter
from functools import cache

import numpy as np
import pytest
from PIL import Image

from histolab_lib import datasets
from histolab_lib.data_dir import DataError
from histolab_lib.datasets import monuseg, monuseg_files
from histolab_lib.datasets.aperio import read_annotation
from histolab_lib.datasets.files import read_labels
from histolab_lib.datasets.polygons import rasterise
from histolab_lib.datasets.registry import status

SIZE = 24
SQUARE = [(2, 2), (8, 2), (8, 8), (2, 8)]
RNG = np.random.default_rng(0)
TRAIN = [name for name, row in monuseg.facts().items() if row["set"] == "train"]
TEST = [name for name, row in monuseg.facts().items() if row["set"] == "test"]
FIRST = "TCGA-18-5592-01Z-00-DX1"
THREE = ["TCGA-50-5931-01Z-00-DX1", "TCGA-AR-A1AK-01Z-00-DX1", "TCGA-B0-5710-01Z-00-DX1"]


def xml(*regions, microns='MicronsPerPixel="0.25"', attributes=""):
    body = "".join(
        f'<Region Id="{50 - number}" {attributes}><Vertices>'
        + "".join(f'<Vertex X="{x}" Y="{y}"/>' for x, y in region)
        + "</Vertices></Region>"
        for number, region in enumerate(regions)
    )
    return f"<Annotations {microns}><Annotation><Regions>{body}</Regions></Annotation></Annotations>"


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A whole MoNuSeg in the official layout, of tiny tiles."""
    monkeypatch.setenv("HISTOLAB_DATA", str(tmp_path))
    folder = tmp_path / "monuseg"
    train, test = folder / "MoNuSeg 2018 Training Data", folder / "MoNuSegTestData"
    pixels = RNG.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    for names, images, annotations in ((TRAIN, train / "Tissue Images", train / "Annotations"), (TEST, test, test)):
        images.mkdir(parents=True, exist_ok=True)
        annotations.mkdir(parents=True, exist_ok=True)
        for name in names:
            Image.fromarray(pixels).save(images / f"{name}.tif", compression="tiff_lzw")
            (annotations / f"{name}.xml").write_text(xml(SQUARE))
    (train / "Labels").mkdir()
    return folder


def first(copy, kind):
    train = copy / "MoNuSeg 2018 Training Data"
    return {
        "tif": train / "Tissue Images" / f"{FIRST}.tif",
        "xml": train / "Annotations" / f"{FIRST}.xml",
        "png": train / "Labels" / f"{FIRST}.png",
    }[kind]


def with_png(copy, labels):
    first(copy, "xml").unlink()
    Image.fromarray(labels).save(first(copy, "png"))


# ---- splits


def test_the_facts_are_30_training_and_14_test_tiles_with_an_organ_each():
    assert (len(TRAIN), len(TEST)) == (30, 14)
    organs = Counter(monuseg.facts()[name]["organ"] for name in TRAIN)
    assert organs == {"breast": 6, "kidney": 6, "liver": 6, "prostate": 6, "bladder": 2, "colon": 2, "stomach": 2}
    assert sum(int(monuseg.facts()[name]["label_ids"]) for name in TRAIN) == 16_958
    assert sum(int(monuseg.facts()[name]["label_ids"]) for name in TEST) == 6_697


@pytest.mark.parametrize("column", ["hovernet_split", "weaknucleiseg_split"])
def test_both_splits_in_circulation_are_16_and_8_and_6(column):
    counts = Counter(monuseg.facts()[name][column] for name in TRAIN)
    assert counts["train"] + counts["val"] == 16
    assert (counts["test_same"], counts["test_diff"]) == (8, 6)


def test_train_is_the_30_tiles_of_2018_even_where_the_folder_holds_more(copy):
    for kind in ("tif", "xml"):
        path = first(copy, kind)
        path.with_name(f"TCGA-ZZ-0001-01A-01-TS1.{kind}").write_bytes(path.read_bytes())
    assert datasets.load("monuseg", "train").names == tuple(sorted(TRAIN))
    assert datasets.load("monuseg", "test").names == tuple(sorted(TEST))
    extra = datasets.load("monuseg", "extra")
    assert extra.names == ("TCGA-ZZ-0001-01A-01-TS1",)
    assert (extra[0].organ, extra[0].patient, extra[0].count) == (None, "TCGA-ZZ-0001", 1)


def test_extra_without_extra_tiles_is_an_error(copy):
    with pytest.raises(DataError, match=r"no tile beyond the 30 of 2018 in .*, so split 'extra' is empty"):
        datasets.load("monuseg", "extra")


def test_status_tells_what_is_found_and_what_is_expected(copy):
    assert status("monuseg").found
    first(copy, "tif").unlink()
    row = status("monuseg")
    assert not row.found
    assert row.splits == {"train": (29, 30), "test": (14, 14), "extra": (0, 7)}


# ---- what a tile holds


def test_a_tile_tells_organ_patient_pixel_size_and_source(copy):
    tile = datasets.load("monuseg", "train")[0]
    assert (tile.name, tile.organ, tile.patient, tile.um_per_px) == (FIRST, "liver", "TCGA-18-5592", 0.25)
    assert tile.source == {
        "image": str(first(copy, "tif")),
        "labels": str(first(copy, "xml")),
        "raster": "official",
        "regions": 1,
        "degenerate": 0,
        "overhanging": 0,
        "negative": 0,
        "vanished": 0,
    }


def test_regions_are_numbered_in_file_order_and_the_first_keeps_its_pixels(copy):
    lower = [(x + 3, y + 3) for x, y in SQUARE]
    first(copy, "xml").write_text(xml(SQUARE, lower))
    instances = datasets.load("monuseg", "train")[0].instances
    assert (instances[4, 4], instances[6, 6], instances[9, 9]) == (1, 1, 2)


def test_degenerate_overhanging_and_hidden_regions_load_and_are_counted(copy):
    over = [(-3, 15), (5, 15), (5, 30), (-3, 30)]
    inner = [(3, 3), (6, 3), (6, 6), (3, 6)]
    first(copy, "xml").write_text(xml(SQUARE, [(1, 1), (9, 9)], [], over, inner, attributes='NegativeROA="1"'))
    tile = datasets.load("monuseg", "train")[0]
    assert np.unique(tile.instances).tolist() == [0, 1, 4]
    counts = {key: tile.source[key] for key in ("regions", "degenerate", "overhanging", "negative", "vanished")}
    assert counts == {"regions": 5, "degenerate": 2, "overhanging": 1, "negative": 5, "vanished": 3}
    assert tile.instances[23, 0] == 4


def test_a_file_without_a_pixel_size_gives_none(copy):
    for microns in ("", 'MicronsPerPixel=""'):
        first(copy, "xml").write_text(xml(SQUARE, microns=microns))
        assert datasets.load("monuseg", "train")[0].um_per_px is None


def test_the_convention_is_an_option_and_is_told(copy):
    shifted = [(x + 0.6, y + 0.6) for x, y in SQUARE]
    first(copy, "xml").write_text(xml(shifted))
    tiles = {
        name: datasets.load("monuseg", "train", raster=name)[0] for name in ("official", "skimage", "skimage_half")
    }
    assert {name: tile.source["raster"] for name, tile in tiles.items()} == {name: name for name in tiles}
    for name, tile in tiles.items():
        np.testing.assert_array_equal(tile.instances, rasterise([shifted], (SIZE, SIZE), name))


def test_the_png_stands_in_for_a_missing_xml(copy):
    labels = np.zeros((SIZE, SIZE), np.uint16)
    labels[3:5, 3:5], labels[9:12, 9:12] = 1, 4
    with_png(copy, labels)
    tile = datasets.load("monuseg", "train")[0]
    np.testing.assert_array_equal(tile.instances, labels)
    assert (tile.source["labels"], tile.um_per_px) == (str(first(copy, "png")), None)
    assert (tile.source["regions"], tile.source["vanished"]) == (4, 2)


def test_labels_says_which_file_is_read(copy):
    Image.fromarray(np.full((SIZE, SIZE), 3, np.uint16)).save(first(copy, "png"))
    files = monuseg.locate(copy, "train")[FIRST]
    read = {labels: monuseg.read_tile(FIRST, files, labels=labels).source["labels"][-3:] for labels in monuseg.LABELS}
    assert read == {"auto": "xml", "xml": "xml", "png": "png"}


# ---- bad input


def test_a_folder_without_monuseg_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("HISTOLAB_DATA", str(tmp_path))
    with pytest.raises(DataError, match="has no folder monuseg/; unpack the set there, from https://monuseg"):
        datasets.load("monuseg", "train")
    (tmp_path / "monuseg").mkdir()
    with pytest.raises(
        DataError, match=r"^30 of 30 images are missing in .*Tissue Images \(TCGA-18-5592-01Z-00-DX1\.tif, "
    ):
        datasets.load("monuseg", "train")


def test_a_half_unpacked_folder_is_an_error_at_load_that_names_the_files(copy):
    images = copy / "MoNuSeg 2018 Training Data" / "Tissue Images"
    for name in sorted(TRAIN)[:4]:
        (images / f"{name}.tif").unlink()
    with pytest.raises(
        DataError,
        match=r"^4 of 30 images are missing in .*Tissue Images \(TCGA-18.*, \.\.\.\); unpack the archive of split",
    ):
        datasets.load("monuseg", "train")


def test_a_tile_without_labels_is_an_error_at_load(copy):
    first(copy, "xml").unlink()
    with pytest.raises(
        DataError, match=rf"^1 of 30 tiles have neither XML nor label PNG beside .* \({FIRST}\); unpack"
    ):
        datasets.load("monuseg", "train")
    with pytest.raises(DataError, match=r"^1 of 30 tiles have no XML beside"):
        datasets.load("monuseg", "train", labels="xml")
    with pytest.raises(DataError, match=r"^30 of 30 tiles have no label PNG beside"):
        datasets.load("monuseg", "train", labels="png")


def test_another_convention_on_a_tile_without_outlines_is_an_error(copy):
    with_png(copy, np.full((SIZE, SIZE), 1, np.uint16))
    with pytest.raises(
        DataError,
        match=rf"^1 of 30 tiles have no XML beside .*{FIRST}\); raster='skimage' needs outlines; label PNGs follow",
    ):
        datasets.load("monuseg", "train", raster="skimage")
    with pytest.raises(ValueError, match="raster='skimage' needs outlines, but labels='png'"):
        datasets.load("monuseg", "train", raster="skimage", labels="png")
    with pytest.raises(DataError, match=r"this tile has no XML"):
        monuseg.read_tile(FIRST, monuseg.locate(copy, "train")[FIRST], raster="skimage")


BAD_XML = [
    (xml(), r"expected Region elements with the outlines of nuclei, found none"),
    ("", "malformed XML"),
    (xml(SQUARE)[:-30], r"malformed XML \(unclosed token: line 1"),
    ("<html>log in<br></html>", "malformed XML"),
    ('<!DOCTYPE a [<!ENTITY b "c">]>' + xml(SQUARE), r"malformed XML \(EntitiesForbidden"),
    (
        xml(SQUARE, [(1, 1), ("one", 2), (3, 3)]),
        r"region 2, vertex 2: expected numbers X and Y, got \{'X': 'one', 'Y': '2'\}",
    ),
    (xml([("nan", 1), (2, 2), (3, 1)]), "region 1, vertex 1: expected finite numbers"),
    (xml(SQUARE).replace(' Y="8"', ""), "region 1, vertex 3: expected numbers X and Y"),
    ('<Annotations><Vertex X="1" Y="1"/></Annotations>', "a Vertex outside any Region"),
    (
        xml(SQUARE, [(30, 5), (40, 5), (40, 9)]),
        r"region 2 \(x 30 to 40, y 5 to 9\) lies wholly outside its image of 24x24 pixels",
    ),
    (xml([(5, -9), (6, -9), (6, -1)]), r"region 1 .* lies wholly outside"),
    (xml([(5, 5), (9000, 5), (9000, 9)]), r"region 1 .* reaches further out .* or of the whole slide\?"),
    (xml(SQUARE, microns='MicronsPerPixel="wide"'), r"MicronsPerPixel is 'wide', expected a positive number"),
    (xml(SQUARE, microns='MicronsPerPixel="0"'), r"MicronsPerPixel is '0', expected a positive number"),
    (xml([(1, 1), (9, 9)]), r"nothing in it covers a pixel, expected nuclei"),
]


@pytest.mark.parametrize(("content", "message"), BAD_XML)
def test_a_bad_xml_names_file_and_fault(copy, content, message):
    first(copy, "xml").write_text(content)
    with pytest.raises(DataError, match=message) as error:
        datasets.load("monuseg", "train")[0]
    assert str(first(copy, "xml")) in str(error.value)


def test_an_xml_that_vanishes_after_load_is_an_error(copy):
    tiles = datasets.load("monuseg", "train")
    first(copy, "xml").unlink()
    with pytest.raises(DataError, match=r"\.xml: no such file"):
        tiles[0]


def test_xml_without_its_parser_tells_what_to_install(copy, monkeypatch, tmp_path):
    monkeypatch.setenv("HISTOLAB_CACHE", str(tmp_path / "nothing kept"))
    monkeypatch.setitem(sys.modules, "defusedxml.ElementTree", None)
    with pytest.raises(
        DataError, match=r"\.xml: reading XML needs defusedxml; install the extra `data` of histolab-lib"
    ):
        datasets.load("monuseg", "train")[0]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.ones((SIZE, SIZE - 1), np.uint16), "label image is 24x23 pixels .* but its tile is 24x24"),
        (np.ones((SIZE, SIZE, 3), np.uint8), "expected a label image, one channel of integers, got mode RGB"),
        (np.zeros((SIZE, SIZE), np.uint16), "nothing in it covers a pixel, expected nuclei"),
    ],
)
def test_a_bad_label_image_names_file_and_fault(copy, labels, message):
    with_png(copy, labels)
    with pytest.raises(DataError, match=message) as error:
        datasets.load("monuseg", "train")[0]
    assert str(first(copy, "png")) in str(error.value)


def test_a_truncated_tiff_names_the_file(copy):
    path = first(copy, "tif")
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(DataError, match=r"\.tif: (truncated|damaged)") as error:
        datasets.load("monuseg", "train")[0]
    assert str(path) in str(error.value)


# ---- groups, and all faults at once


def test_groups_are_organs_and_on_request_patients():
    assert Counter(monuseg.groups("train").values())["liver"] == 6
    assert Counter(monuseg.groups("test").values())["lung"] == 2
    assert monuseg.groups("test", by="patient", raster="skimage")["TCGA-2Z-A9J9-01A-01-TS1"] == "TCGA-2Z-A9J9"
    assert list(monuseg.groups("train")) == sorted(TRAIN)


def test_of_extra_tiles_the_patients_are_known_and_the_organs_not(copy):
    image = first(copy, "tif")
    image.with_name("TCGA-ZZ-0001-01A-01-TS1.tif").write_bytes(image.read_bytes())
    assert monuseg.groups("extra", by="patient") == {"TCGA-ZZ-0001-01A-01-TS1": "TCGA-ZZ-0001"}
    with pytest.raises(ValueError, match=r"organs of the 'extra' tiles .* not known here; ask for by='patient'"):
        monuseg.groups("extra")


def test_an_unknown_split_or_group_is_an_error():
    with pytest.raises(ValueError, match="unknown 'monuseg' split 'val'"):
        monuseg.groups("val")
    with pytest.raises(ValueError, match=r"unknown group of 'monuseg' 'slide'\. Allowed: 'organ', 'patient'"):
        monuseg.groups("train", by="slide")


@pytest.fixture
def sound(copy, monkeypatch):
    """The copy, and facts that its three first tiles of training and one of testing fulfil; no other is known."""
    names = [*sorted(TRAIN)[:3], sorted(TEST)[0]]
    blob = xml(SQUARE).encode()
    row = {
        "label_ids": "1",
        "largest_id": "1",
        "xml_git_sha1": hashlib.sha1(b"blob %d\0" % len(blob) + blob).hexdigest(),
    }
    table = {name: {**monuseg.facts()[name], **row} for name in names}
    for module in (monuseg, monuseg_files):
        monkeypatch.setattr(module, "facts", lambda: table)
    monkeypatch.setattr(monuseg, "_SIDE_PX", SIZE)
    for path in copy.rglob("TCGA*"):
        if path.stem not in names:
            path.unlink()
    return copy


def test_a_copy_in_order_has_no_fault(sound):
    assert monuseg.validate(sound) == []


def test_a_folder_without_anything_has_its_faults_told_by_split(tmp_path):
    none = r"expected 30 images of split 'train', found none, as MoNuSeg 2018 Training Data/Tissue Images/TCGA-18-"
    found = monuseg.validate(tmp_path)
    assert len(found) == 4
    assert re.search(none, found[0])
    assert "expected an XML or a label PNG for each of 14 tiles of split 'test', found neither for TCGA-2Z" in found[3]


def test_every_file_that_is_missing_is_named(sound):
    first(sound, "tif").unlink()
    second = sorted(TRAIN)[1]
    first(sound, "xml").with_name(f"{second}.xml").unlink()
    assert monuseg.validate(sound) == [
        f"{sound}: expected 3 images of split 'train', 1 missing: MoNuSeg 2018 Training Data/Tissue Images/"
        f"{FIRST}.tif; unpack the set again",
        f"{sound}: expected an XML or a label PNG for each of 3 tiles of split 'train', found neither for {second}; "
        "unpack the set again",
    ]


def test_an_image_of_another_size_or_damaged_is_told_once(sound):
    Image.fromarray(np.zeros((SIZE, SIZE + 2, 3), np.uint8)).save(first(sound, "tif"))
    second = first(sound, "tif").with_name(f"{sorted(TRAIN)[1]}.tif")
    second.write_bytes(second.read_bytes()[:700])
    found = monuseg.validate(sound)
    assert found[0] == (
        f"{first(sound, 'tif')}: expected 24x24 pixels, found 24x26 (height x width); take the original"
    )
    assert found[1].startswith(f"{second}: ")
    assert len(found) == 2


def test_an_xml_that_is_not_the_official_one_is_told_and_so_is_what_differs(sound):
    path = first(sound, "xml")
    path.write_text(xml(SQUARE) + "\n")
    (found,) = monuseg.validate(sound)
    assert re.search(r"\.xml: expected the official file, of git blob hash [0-9a-f]{40}, found [0-9a-f]{40}", found)
    path.write_text(xml(SQUARE, [(12, 12), (20, 12), (20, 20)]))
    assert monuseg.validate(sound)[1] == (
        f"{path}: expected 1 nuclei with ids up to 1, found 2 with ids up to 2; take the original"
    )


def test_a_file_that_may_not_be_read_is_a_fault_like_others(sound, monkeypatch):
    def forbidden(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(type(sound), "read_bytes", forbidden)
    found = monuseg.validate(sound)
    assert len(found) == 8
    assert found[0] == f"[Errno 13] Permission denied: '{first(sound, 'xml')}'"


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.full((SIZE, SIZE), 7, np.uint16), "expected 1 nuclei with ids up to 1, found 1 with ids up to 7"),
        (np.full((SIZE, 3), 1, np.uint16), "label image is 24x3 pixels"),
        (np.zeros((SIZE, SIZE), np.uint16), "nothing in it covers a pixel"),
    ],
)
def test_a_label_image_is_held_against_the_facts_even_beside_an_xml(sound, labels, message):
    Image.fromarray(labels).save(first(sound, "png"))
    (found,) = monuseg.validate(sound)
    assert str(first(sound, "png")) in found
    assert message in found


def test_extra_tiles_need_not_be_there_and_must_be_readable(sound):
    for kind in ("tif", "xml"):
        path = first(sound, kind)
        path.with_name(f"TCGA-ZZ-0001-01A-01-TS1.{kind}").write_bytes(path.read_bytes())
    assert monuseg.validate(sound) == []
    first(sound, "xml").with_name("TCGA-ZZ-0001-01A-01-TS1.xml").write_text(xml())
    (found,) = monuseg.validate(sound)
    assert re.search(r"TCGA-ZZ-0001-01A-01-TS1\.xml: expected Region elements", found)


# ---- the real files


@cache
def outlines(path):
    return read_annotation(path, (1000, 1000))


def with_xml(tissue):
    """Name and files of the tiles that have outlines."""
    found = {split: monuseg.locate(tissue / "monuseg", split) for split in ("train", "test")}
    return [(name, files) for split in found.values() for name, files in split.items() if files.xml and files.png]


def dice(a, b):
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def same_as_published(name, files):
    drawn = rasterise(outlines(files.xml).polygons, (1000, 1000), "official")
    published = read_labels(files.png)
    assert np.array_equal(drawn, published), f"{name}: {np.count_nonzero(drawn != published)} pixels differ"


@pytest.mark.real
@pytest.mark.parametrize("name", THREE)
def test_the_official_rule_gives_the_published_labels_on_three_tiles(tissue, name):
    same_as_published(name, dict(with_xml(tissue))[name])


@pytest.mark.real
@pytest.mark.parametrize(("name", "vanished"), [(THREE[0], {81}), (THREE[1], {241}), (THREE[2], set())])
def test_the_numbers_of_vanished_regions_are_not_given_to_others(tissue, name, vanished):
    tile = monuseg.read_tile(name, dict(with_xml(tissue))[name])
    assert set(range(1, tile.source["regions"] + 1)) - set(np.unique(tile.instances).tolist()) == vanished


@pytest.mark.real
@pytest.mark.slow
def test_the_official_rule_gives_the_published_labels_on_every_tile_that_has_both(tissue):
    pairs = with_xml(tissue)
    assert Counter(monuseg.facts()[name]["set"] for name, _ in pairs) == {"train": 13, "test": 14}
    for name, files in pairs:
        same_as_published(name, files)


@pytest.mark.real
def test_a_real_tile_is_as_the_facts_say(tissue):
    tile = datasets.load("monuseg", "train")[TRAIN.index(THREE[0])]
    row = monuseg.facts()[tile.name]
    assert (tile.name, tile.shape, tile.organ, tile.patient) == (THREE[0], (1000, 1000), "liver", "TCGA-50-5931")
    assert tile.um_per_px == float(row["um_per_px"])
    assert (tile.source["regions"], tile.count) == (int(row["xml_regions"]), int(row["label_ids"]))
    assert (tile.source["degenerate"], tile.source["vanished"]) == (1, 1)


@pytest.mark.real
@pytest.mark.slow
def test_all_44_tiles_hold_what_the_facts_say(tissue):
    totals = {}
    for split in ("train", "test"):
        total = Counter()
        for tile in datasets.load("monuseg", split):
            row = monuseg.facts()[tile.name]
            assert tile.count == int(row["label_ids"]), tile.name
            if tile.source["labels"].endswith("xml"):
                assert tile.source["regions"] == int(row["xml_regions"]), tile.name
                assert tile.um_per_px == (float(row["um_per_px"]) if row["um_per_px"] else None), tile.name
            areas = np.bincount(tile.instances.ravel())[1:]
            assert round(np.median(areas[areas > 0])) == pytest.approx(int(row["median_area_px"]), abs=1), tile.name
            total.update({key: tile.source.get(key, 0) for key in ("regions", "degenerate", "overhanging", "vanished")})
            total["nuclei"] += tile.count
        totals[split] = dict(total)
    # overhanging in the 13 training tiles with XML: 29 beyond the left or upper border, 16 beyond the right or lower
    assert totals["train"] == {"regions": 16_966, "degenerate": 2, "overhanging": 45, "vanished": 8, "nuclei": 16_958}
    assert totals["test"] == {"regions": 6_697, "degenerate": 0, "overhanging": 16, "vanished": 0, "nuclei": 6_697}


@pytest.mark.real
@pytest.mark.slow
def test_the_real_files_are_in_order_and_a_single_wrong_id_is_found(tissue, tmp_path, monkeypatch):
    assert monuseg.validate(tissue / "monuseg") == []
    shutil.copytree(tissue / "monuseg", tmp_path, symlinks=True, copy_function=os.symlink, dirs_exist_ok=True)
    path = tmp_path / "MoNuSeg 2018 Training Data" / "Labels" / "TCGA-HE-7130-01Z-00-DX1.png"
    labels = np.array(Image.open(path))
    labels[labels == 1000] = 999
    path.unlink()
    Image.fromarray(labels).save(path)
    assert monuseg.validate(tmp_path) == [
        f"{path}: expected 1862 nuclei with ids up to 1863, found 1861 with ids up to 1863; take the original"
    ]


@pytest.mark.real
@pytest.mark.slow
def test_other_conventions_are_as_far_from_the_official_one_as_the_facts_say(tissue):
    scores = {"skimage": {"train": [], "test": []}, "skimage_half": {"train": [], "test": []}}
    for name, files in with_xml(tissue):
        row = monuseg.facts()[name]
        official = read_labels(files.png) > 0
        for convention, found in scores.items():
            found[row["set"]].append(
                dice(official, rasterise(outlines(files.xml).polygons, (1000, 1000), convention) > 0)
            )
        assert scores["skimage"][row["set"]][-1] == pytest.approx(float(row["dice_skimage"]), abs=0.001), name
    means = {
        (convention, split): np.mean(values) for convention, found in scores.items() for split, values in found.items()
    }
    assert means == {
        ("skimage", "train"): pytest.approx(0.9295, abs=0.0005),
        ("skimage", "test"): pytest.approx(0.9398, abs=0.0005),
        ("skimage_half", "train"): pytest.approx(0.9673, abs=0.0005),
        ("skimage_half", "test"): pytest.approx(0.9869, abs=0.0005),
    }


@pytest.mark.real
@pytest.mark.parametrize(("name", "expected"), [(THREE[0], 0.952), (THREE[2], 0.928)])
def test_two_tiles_drawn_by_skimage_are_as_far_from_the_official_labels_as_the_facts_say(tissue, name, expected):
    files = dict(with_xml(tissue))[name]
    drawn = rasterise(outlines(files.xml).polygons, (1000, 1000), "skimage")
    assert dice(read_labels(files.png) > 0, drawn > 0) == pytest.approx(expected, abs=0.001)
