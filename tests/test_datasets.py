import pickle

import numpy as np
import pytest

from histolab_lib import datasets
from histolab_lib.choices import choose
from histolab_lib.data_dir import DataError
from histolab_lib.datasets.registry import entries, modules, status
from histolab_lib.datasets.sequence import TileSequence
from histolab_lib.tile import Tile

ENTRY = """
[demo]
title = "Demo"
licence = "CC BY 4.0"
licence_note = ""
page = "https://example.org"
folder = "demo"
splits = { train = 2, more = 1 }
optional_splits = ["more"]
show_pictures = true
[[demo.downloads]]
what = "all"
file = "all.zip"
holds = ["pictures"]
url = "https://example.org/all.zip"
md5 = "00112233445566778899aabbccddeeff"
"""


def blank(name):
    return Tile(name, np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.int32))


# ---- load


def test_every_set_that_can_be_loaded_has_an_entry_with_its_splits():
    assert set(modules()) - set(entries()) == {"folder"}  # a reader's own files have no licence for us to state
    for name, module in modules().items():
        if name == "folder":
            continue
        assert set(entries()[name].splits) == set(module.SPLITS)


def test_load_hands_the_options_to_the_set():
    tiles = datasets.load("synthetic", "val", n=3, size=48, seed=4)
    assert (len(tiles), tiles[2].shape) == (3, (48, 48))
    assert tiles[0].name == datasets.load("synthetic", "val", n=1, size=48, seed=4)[0].name


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (
            ("monusegg", "train"),
            {},
            r"unknown data set 'monusegg', did you mean 'monuseg'\? Allowed: 'monuseg', 'kumar', 'glas',",
        ),
        (("monuseg", "trian"), {}, r"'trian', did you mean 'train'\? Allowed: 'train', 'test', 'extra'"),
        (("synthetic", "extra"), {}, r"'extra'.* Allowed: 'train', 'val', 'test'"),
        (
            ("monuseg", "train"),
            {"rastre": "skimage"},
            r"unknown 'monuseg' option 'rastre', did you mean 'raster'\? Allowed: 'raster', 'labels'",
        ),
        (
            ("synthetic", "train"),
            {"raster": "skimage"},
            r"unknown 'synthetic' option 'raster'\. Allowed: 'n', 'size', 'preset', 'seed'",
        ),
        (
            ("monuseg", "train"),
            {"raster": "opencv"},
            r"unknown 'monuseg' raster 'opencv'\. Allowed: 'official', 'skimage', 'skimage_half'",
        ),
        (
            ("monuseg", "train"),
            {"labels": "pngs"},
            r"unknown 'monuseg' labels 'pngs', did you mean 'png'\? Allowed: 'auto', 'xml', 'png'",
        ),
        ((None, "train"), {}, "unknown data set None"),
    ],
)
def test_what_is_unknown_is_quoted_and_what_is_allowed_listed(arguments, options, message, monkeypatch):
    monkeypatch.delenv("HISTOLAB_DATA", raising=False)
    with pytest.raises(ValueError, match=message):
        datasets.load(*arguments, **options)


def test_a_real_set_without_a_data_folder_is_an_error_at_once(monkeypatch):
    monkeypatch.delenv("HISTOLAB_DATA", raising=False)
    with pytest.raises(DataError, match="HISTOLAB_DATA is not set"):
        datasets.load("monuseg", "train")


def test_choose_gives_back_what_is_allowed_and_nothing_else():
    assert choose("colour", "red", ("red", "blue")) == "red"
    with pytest.raises(ValueError, match=r"unknown colour 'green'\. Allowed: 'red', 'blue'"):
        choose("colour", "green", ("red", "blue"))
    with pytest.raises(ValueError, match="Allowed: none"):
        choose("colour", "green", ())


# ---- the sequence


def test_a_sequence_reads_only_the_tile_that_is_asked_for():
    read = []

    def reader(name):
        read.append(name)
        return blank(name)

    tiles = TileSequence("abcdef", reader)
    assert len(tiles) == 6
    part = tiles[1:5:2]
    assert (tiles.names, part.names, tiles[::-1].names[0]) == (tuple("abcdef"), ("b", "d"), "f")
    assert repr(tiles) == "TileSequence(6 tiles: a, b, c, ...)"
    assert read == []
    assert (tiles[0].name, tiles[-1].name, tiles[np.int64(2)].name, part[1].name) == ("a", "f", "c", "d")
    assert read == ["a", "f", "c", "d"]
    assert [tile.name for tile in part] == ["b", "d"]
    assert read[4:] == ["b", "d"]


@pytest.mark.parametrize("index", [3, -4])
def test_a_tile_out_of_range_is_an_index_error(index):
    with pytest.raises(IndexError, match=f"tile {index} asked for, but there are 3"):
        TileSequence("abc", blank)[index]


def test_an_index_must_be_a_whole_number():
    with pytest.raises(TypeError):
        TileSequence("abc", blank)[1.0]


def test_notes_stay_with_every_part_of_a_sequence():
    tiles = TileSequence("abcd", blank).noted(["patient 3 is in both"])
    assert tiles.notes == tiles[1:].notes == tiles.select("da").notes == pickle.loads(pickle.dumps(tiles)).notes
    assert tiles.notes == ("patient 3 is in both",)
    assert TileSequence("abcd", blank).notes == ()


def test_names_must_differ():
    with pytest.raises(ValueError, match=r"more than once: \['a'\]"):
        TileSequence("aba", blank)


def test_a_sequence_travels_to_another_process():
    tiles = pickle.loads(pickle.dumps(datasets.load("synthetic", "train", n=2, size=48)))
    assert tiles[1].shape == (48, 48)


# ---- validate


def test_validate_names_every_fault_and_a_made_set_has_none(tmp_path, monkeypatch):
    monkeypatch.setenv("HISTOLAB_DATA", str(tmp_path))
    assert datasets.validate("synthetic") == []
    for name in set(entries()) - {"synthetic"}:
        found = datasets.validate(name)
        assert found, name
        assert all(str(tmp_path / entries()[name].folder) in line for line in found), name


def test_validate_needs_a_folder_of_data(monkeypatch):
    monkeypatch.delenv("HISTOLAB_DATA", raising=False)
    with pytest.raises(DataError, match="HISTOLAB_DATA is not set, so there are no files of 'glas' to check; set it"):
        datasets.validate("glas")


# ---- the registry


def test_the_committed_registry_is_valid_and_complete():
    known = entries()
    assert set(known) <= set(modules())
    assert known["monuseg"].splits == {"train": 30, "test": 14, "extra": 7}
    assert known["monuseg"].licence == "CC BY-NC-SA 4.0"
    assert [item.what for item in known["monuseg"].downloads] == ["train", "test"]
    assert "not downloaded here" in known["monuseg"].note
    assert {name: entry.show_pictures for name, entry in known.items()}.items() >= {
        "monuseg": False,
        "synthetic": True,
    }.items()
    assert sum("10.1109/TMI" in citation for citation in known["monuseg"].citations) == 2


def test_an_entry_is_read_as_it_is_written(tmp_path):
    (tmp_path / "r.toml").write_text(ENTRY)
    demo = entries(tmp_path / "r.toml")["demo"]
    assert (demo.name, demo.splits, demo.optional_splits) == ("demo", {"train": 2, "more": 1}, ("more",))
    assert demo.downloads[0].md5 == "00112233445566778899aabbccddeeff"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('licence = "CC BY 4.0"', "", r"r\.toml: \[demo\]: licence missing"),
        ('licence = "CC BY 4.0"', 'licence = " "', r"\[demo\]: licence is empty; every set states its terms"),
        (
            'licence = "CC BY 4.0"',
            'licence = "CC BY-NC-SA 4.0"',
            r"show_pictures is true, but the licence is 'CC BY-NC-SA 4.0'",
        ),
        (
            'licence = "CC BY 4.0"',
            'licence = "CC BY 4.0"\nlicense = "?"',
            r"\[demo\]: unknown license; known are name, title, licence,",
        ),
        ('["more"]', '["less"]', r"optional_splits names \['less'\], but splits are \['more', 'train'\]"),
        ("md5 =", "hash =", r"\[demo\], download 'all': unknown hash; known are what, file, holds, url, mirrors,"),
        ('md5 = "00112233445566778899aabbccddeeff"', "", r"download 'all': give sha256 or md5, or say in `verify` why"),
        ("md5 =", "sha256 =", r"download 'all': sha256 must be 64 lower-case hexadecimal digits, got '0011"),
        (
            'url = "https://example.org/all.zip"',
            "",
            r"\[demo\]: all: give an address, or say in `by_hand` what a reader",
        ),
        ('file = "all.zip"', "", r"download 'all': file missing"),
        ("[demo]", "[demo", r"r\.toml: cannot be read as TOML"),
        ("\n[demo]", "other = 3\n[demo]", r"r\.toml: \[other\]: expected a table, got 3"),
    ],
)
def test_a_faulty_registry_names_file_entry_and_fault(tmp_path, old, new, message):
    assert old in ENTRY
    (tmp_path / "r.toml").write_text(ENTRY.replace(old, new))
    with pytest.raises(DataError, match=message):
        entries(tmp_path / "r.toml")


def test_a_reason_stands_in_for_a_hash(tmp_path):
    (tmp_path / "r.toml").write_text(
        ENTRY.replace('md5 = "00112233445566778899aabbccddeeff"', 'verify = "layout: no hash known"')
    )
    assert entries(tmp_path / "r.toml")["demo"].downloads[0].verify == "layout: no hash known"


def test_status_without_a_data_folder_finds_nothing_real(monkeypatch):
    monkeypatch.delenv("HISTOLAB_DATA", raising=False)
    row = status("monuseg")
    assert (row.found, row.where) == (False, "$HISTOLAB_DATA/monuseg")
    assert row.splits == {"train": (0, 30), "test": (0, 14), "extra": (0, 7)}
    assert row.url == "https://monuseg.grand-challenge.org/Data/"
    assert status("synthetic").found


def test_status_of_an_unknown_set_is_an_error():
    with pytest.raises(ValueError, match="unknown data set 'nowhere'"):
        status("nowhere")


@pytest.mark.real
def test_status_counts_the_real_tiles(tissue):
    row = status("monuseg")
    assert row.found
    assert row.splits["train"] == (30, 30)
    assert row.splits["test"] == (14, 14)
    assert row.where == str(tissue / "monuseg")
