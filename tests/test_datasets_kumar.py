import pickle
from collections import Counter

import numpy as np
import pytest

from histolab_lib import datasets
from histolab_lib.data_dir import DataError
from histolab_lib.datasets import kumar, monuseg
from histolab_lib.datasets.registry import entries, status

# As the two repositories list them: tests of the same organs, by the part of the name that tells them apart.
HOVERNET = {"21-5786", "49-4488", "A7-A13F", "E2-A1B5", "CH-5767", "G9-6336", "B0-5698", "B0-5710"}
WEAKNUCLEISEG = {"E2-A1B5", "E2-A14V", "B0-5698", "B0-5710", "21-5784", "21-5786", "CH-5767", "G9-6362"}
OTHER_ORGANS = {"AY-A8YK", "NH-A8F7", "DK-A2I6", "G2-A2EK", "KB-A93J", "RD-A8N9"}
SIZES = {"train": 16, "test_same": 8, "test_diff": 6, "test": 14, "fit": 12, "val": 4}


def short(names):
    return {"-".join(name.split("-")[1:3]) for name in names}


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A folder in which every file of the 30 tiles is there, and empty."""
    monkeypatch.setenv("HISTOLAB_DATA", str(tmp_path))
    train = tmp_path / "monuseg" / "MoNuSeg 2018 Training Data"
    for folder, suffix in (("Tissue Images", "tif"), ("Annotations", "xml")):
        (train / folder).mkdir(parents=True)
        for name in monuseg.groups("train"):
            (train / folder / f"{name}.{suffix}").touch()
    return tmp_path / "monuseg"


def test_each_version_has_the_test_tiles_that_its_repository_lists():
    assert short(kumar.names("test_same")) == HOVERNET
    assert short(kumar.names("test_same", version="weaknucleiseg")) == WEAKNUCLEISEG
    for version in kumar.VERSIONS:
        assert short(kumar.names("test_diff", version=version)) == OTHER_ORGANS


@pytest.mark.parametrize("version", kumar.VERSIONS)
def test_splits_have_their_sizes_and_make_up_the_30_tiles(version):
    names = {split: kumar.names(split, version=version) for split in kumar.VERSIONS[version]}
    assert {split: len(tiles) for split, tiles in names.items()} == {split: SIZES[split] for split in names}
    assert sorted(names["train"] + names["test"]) == sorted(monuseg.groups("train"))
    assert sorted(names["test_same"] + names["test_diff"]) == list(names["test"])
    if version == "weaknucleiseg":
        assert sorted(names["fit"] + names["val"]) == list(names["train"])


@pytest.mark.parametrize("version", kumar.VERSIONS)
def test_organs_are_those_of_the_published_table(version):
    counts = {split: Counter(kumar.groups(split, version=version).values()) for split in ("train", "test")}
    four = ("breast", "kidney", "liver", "prostate")
    assert counts["train"] == dict.fromkeys(four, 4)
    assert counts["test"] == dict.fromkeys((*four, "bladder", "colon", "stomach"), 2)


def test_groups_can_be_patients_too_and_take_the_options_of_load():
    patients = kumar.groups("test", by="patient", raster="skimage", labels="xml")
    assert patients["TCGA-B0-5698-01Z-00-DX1"] == "TCGA-B0-5698"
    assert len(set(patients.values())) == 14
    with pytest.raises(ValueError, match=r"unknown group of 'monuseg' 'slide'\. Allowed: 'organ', 'patient'"):
        kumar.groups("test", by="slide")


def test_splits_load_by_name_and_the_first_version_is_the_default(copy):
    assert short(datasets.load("kumar", "test_same").names) == HOVERNET
    assert short(datasets.load("kumar", "test_same", version="weaknucleiseg").names) == WEAKNUCLEISEG
    assert pickle.loads(pickle.dumps(datasets.load("kumar", "train"))).names == kumar.names("train")


def test_status_counts_every_split(copy):
    assert entries()["kumar"].splits == SIZES
    assert status("kumar").splits == {split: (count, count) for split, count in SIZES.items()}
    (copy / "MoNuSeg 2018 Training Data" / "Tissue Images" / "TCGA-B0-5698-01Z-00-DX1.tif").unlink()
    assert {split: found for split, (found, _) in status("kumar").splits.items()} == {
        **SIZES,
        "test_same": 7,
        "test": 13,
    }


@pytest.mark.parametrize(
    ("split", "options", "message"),
    [
        ("tets", {}, r"unknown 'kumar' split 'tets', did you mean 'test'\? Allowed: 'train', 'test_same', 'test_diff'"),
        ("val", {}, r"unknown 'kumar' 'hovernet' split 'val'\. Allowed: 'train', 'test_same', 'test_diff', 'test'"),
        ("test", {"version": "hover"}, r"unknown 'kumar' version 'hover'.* Allowed: 'hovernet', 'weaknucleiseg'"),
        ("test", {"raster": "opencv"}, r"unknown 'kumar' raster 'opencv'"),
        ("test", {"labels": "tif"}, r"unknown 'kumar' labels 'tif'"),
        ("test", {"raster": "skimage", "labels": "png"}, r"raster='skimage' needs outlines, but labels='png'"),
        ("test", {"organ": "liver"}, r"unknown 'kumar' option 'organ'.* Allowed: 'version', 'raster', 'labels'"),
    ],
)
def test_what_is_unknown_is_quoted_and_what_is_allowed_listed(copy, split, options, message):
    with pytest.raises(ValueError, match=message):
        datasets.load("kumar", split, **options)


def test_only_the_tiles_of_the_split_must_be_there(copy):
    (copy / "MoNuSeg 2018 Training Data" / "Tissue Images" / "TCGA-B0-5698-01Z-00-DX1.tif").unlink()
    assert len(datasets.load("kumar", "train")) == 16
    with pytest.raises(DataError, match=r"^1 of 8 images are missing in .*Images \(TCGA-B0-5698.*\); unpack the trai"):
        datasets.load("kumar", "test_same")


def test_other_rasters_need_the_outlines_of_the_split(copy):
    (copy / "MoNuSeg 2018 Training Data" / "Annotations" / "TCGA-B0-5698-01Z-00-DX1.xml").unlink()
    with pytest.raises(DataError, match=r"^1 of 8 tiles have no XML beside .*raster='skimage' needs outlines"):
        datasets.load("kumar", "test_same", raster="skimage")


def test_validate_looks_at_the_30_tiles_and_not_at_the_test_tiles_of_monuseg(copy):
    found = kumar.validate(copy)
    assert Counter(line.split(": ")[0].rsplit(".", 1)[1] for line in found) == {"tif": 30, "xml": 30}
    assert not any("MoNuSegTestData" in line for line in found)


@pytest.mark.real
def test_a_tile_is_that_of_monuseg(tissue):
    mine = datasets.load("kumar", "test_same")
    index = mine.names.index("TCGA-B0-5698-01Z-00-DX1")
    theirs = datasets.load("monuseg", "train")
    tile, other = mine[index], theirs[theirs.names.index(mine.names[index])]
    np.testing.assert_array_equal(tile.instances, other.instances)
    assert (tile.organ, tile.source, tile.count) == ("kidney", other.source, 357)


@pytest.mark.real
@pytest.mark.slow
def test_the_nuclei_of_every_split_are_those_of_the_facts(tissue):
    for version, splits in kumar.VERSIONS.items():
        for split in set(splits) - {"train", "test"}:
            tiles = datasets.load("kumar", split, version=version, labels="png")
            facts = [int(monuseg.facts()[name]["label_ids"]) for name in tiles.names]
            assert [tile.count for tile in tiles] == facts


@pytest.mark.real
@pytest.mark.slow
def test_the_real_tiles_are_in_order(tissue):
    assert kumar.validate(tissue / "monuseg") == []
