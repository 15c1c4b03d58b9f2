import sys
from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histolab_lib.data_dir import DataError
from histolab_lib.datasets import kumar, registry, tnbc
from histolab_lib.datasets.draw import pick_groups, shuffled
from histolab_lib.datasets.problems import absent, told, unexpected
from histolab_lib.datasets.sequence import TileSequence
from histolab_lib.datasets.splits import validation_split
from histolab_lib.tile import Tile

PATIENTS = {"a1": "a", "b1": "b", "a2": "a", "c1": "c", "b2": "b", "a3": "a", "c2": "c", "d1": "d"}
GROUPS = st.dictionaries(st.text(max_size=3), st.integers(1, 9), min_size=2, max_size=7)
SIZES = [("monuseg", (24, 6)), ("kumar", (12, 4)), ("glas", (68, 17)), ("tnbc", (24, 6))]


def blank(name):
    return Tile(name, np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.int32))


class Made:
    """A set of eight tiles of four patients, of which `groups` and `load` take one option."""

    SPLITS = ("train", "test")
    GROUP = "patient"

    @staticmethod
    def load(split, *, stain="h"):
        return TileSequence(PATIENTS, blank)

    @staticmethod
    def groups(split, *, stain="h"):
        return dict(PATIENTS)


class Untold(Made):
    GROUP = None
    groups = None


@pytest.fixture
def made(monkeypatch):
    known = {**registry.modules(), "made": Made, "untold": Untold}
    for name, module in list(sys.modules.items()):
        if name.startswith("histolab_lib.datasets") and hasattr(module, "modules"):
            monkeypatch.setattr(module, "modules", lambda: known)


# ---- drawing


def test_the_order_is_that_of_a_hash_and_not_of_the_names_given():
    names = [f"{number:03d}" for number in range(200)]
    assert shuffled(names, 1) == shuffled(reversed(names), 1)
    assert sorted(shuffled(names, 1)) == names
    assert shuffled(names, 1) != shuffled(names, 2) != names
    place = np.corrcoef(range(200), list(map(int, shuffled(names, 1))))[0, 1]
    assert -0.3 < place < 0.3


@settings(max_examples=40)
@given(GROUPS, st.floats(-1, 60), st.integers(0, 9))
def test_no_other_choice_of_groups_comes_closer(sizes, target, seed):
    chosen = pick_groups(sizes, target, seed)
    assert 0 < len(chosen) < len(sizes)
    totals = [sum(sizes[group] for group in some) for n in range(1, len(sizes)) for some in combinations(sizes, n)]
    found = sum(sizes[group] for group in chosen)
    assert (abs(found - target), found) == min((abs(total - target), total) for total in totals)


@settings(max_examples=40)
@given(GROUPS, st.floats(0.05, 0.95), st.integers(0, 9))
def test_the_share_is_off_by_at_most_half_the_largest_group(sizes, share, seed):
    total = sum(sizes.values())
    found = sum(sizes[group] for group in pick_groups(sizes, share * total, seed))
    low, high = min(sizes.values()), total - min(sizes.values())  # a side must not be empty
    bound = max(sizes.values()) / 2
    assert abs(found - share * total) <= max(bound, low - share * total, share * total - high) + 1e-9


def test_every_group_is_chosen_by_some_seed():
    sizes = {"a": 2, "b": 2, "c": 2, "d": 2}
    assert {group for seed in range(20) for group in pick_groups(sizes, 2, seed)} == set(sizes)


def test_one_group_cannot_be_parted():
    with pytest.raises(ValueError, match=r"at least two groups are needed to keep some apart, got \['a'\]"):
        pick_groups({"a": 4}, 2, 0)


def test_thousands_of_single_tiles_are_drawn_at_once():
    sizes = {str(number): 1 for number in range(3000)}
    assert len(pick_groups(sizes, 600, 0)) == 600


# ---- parting a set


def test_no_patient_is_on_both_sides_and_no_tile_is_lost(made):
    for seed in range(8):
        fit, val = validation_split("made", share=0.25, seed=seed)
        sides = [{PATIENTS[name] for name in part.names} for part in (fit, val)]
        assert not sides[0] & sides[1]
        assert sorted(fit.names + val.names) == sorted(PATIENTS)
        assert len(val) == 2
        assert [name for name in PATIENTS if name in val.names] == list(val.names)
        assert val[0].name == val.names[0]


def test_the_seed_decides_and_nothing_else(made):
    parts = [validation_split("made", share=0.25, seed=seed, stain="e")[1].names for seed in range(12)]
    assert parts == [validation_split("made", share=0.25, seed=seed)[1].names for seed in range(12)]
    assert set(parts) == {("b1", "b2"), ("c1", "c2")}


def test_by_tile_parts_patients(made):
    fit, val = validation_split("made", by="tile", share=0.5, seed=1)
    assert len(fit) == len(val) == 4
    assert {PATIENTS[name] for name in fit.names} & {PATIENTS[name] for name in val.names}


def test_a_set_that_tells_no_patient_is_parted_by_tile_alone(made):
    with pytest.raises(
        ValueError, match=r"'untold' does not tell which tiles are of one patient, .*; by='tile' draws one all the same"
    ):
        validation_split("untold")
    assert len(validation_split("untold", by="tile")[1]) == 2
    with pytest.raises(ValueError, match=r"unknown group \(by\) of 'untold' 'patient'\. Allowed: 'tile'"):
        validation_split("untold", by="patient")


@pytest.mark.parametrize("share", [0, 1, -0.2, 1.5, float("nan"), "half", None, True])
def test_a_share_is_more_than_nothing_and_less_than_all(made, share):
    with pytest.raises(ValueError, match="share must be a number of more than 0 and less than 1, got"):
        validation_split("made", share=share)


@pytest.mark.parametrize("seed", [-1, 0.5, "a", None, True])
def test_a_seed_is_a_whole_number(made, seed):
    with pytest.raises(ValueError, match="seed must be a whole number, 0 or more, got"):
        validation_split("made", seed=seed)


def test_tiles_of_one_patient_cannot_be_kept_apart(made, monkeypatch):
    monkeypatch.setattr(Made, "groups", staticmethod(lambda split: dict.fromkeys(PATIENTS, "a")))
    with pytest.raises(
        ValueError, match=r"all 8 tiles of split 'train' of 'made' are of one patient \(a\), .*; by='tile' parts them"
    ):
        validation_split("made")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("synthetic", {"n": 9}, r"'synthetic' has a validation split of its own: load\('synthetic', 'val', n=9\)"),
        ("kumar", {"version": "weaknucleiseg"}, r"of its own: load\('kumar', 'val', version='weaknucleiseg'\)"),
        ("kumar", {"split": "test_same"}, r"split 'test_same' of 'kumar' is for testing, .*; part the training tiles"),
        ("glas", {"split": "testA"}, r"split 'testA' of 'glas' is for testing"),
        ("kumar", {"version": "hover"}, r"unknown 'kumar' version 'hover'"),
        ("kumar", {"by": "slide"}, r"unknown group \(by\) of 'kumar' 'slide'\. Allowed: 'organ', 'patient', 'tile'"),
        ("tnbc", {"by": "organ"}, r"unknown group \(by\) of 'tnbc' 'organ'\. Allowed: 'patient', 'tile'"),
        ("pannuke", {}, r"unknown 'pannuke' split 'train'\. Allowed: 'fold1', 'fold2', 'fold3'"),
        ("monuseg", {"rastre": "official"}, r"unknown 'monuseg' option 'rastre', did you mean 'raster'"),
        ("monusegg", {}, r"unknown data set 'monusegg', did you mean 'monuseg'"),
    ],
)
def test_what_cannot_be_parted_says_why(name, options, message):
    with pytest.raises(ValueError, match=message):
        validation_split(name, **options)


def test_files_that_are_missing_are_told_by_the_set(tmp_path, monkeypatch):
    monkeypatch.setenv("HISTOLAB_DATA", str(tmp_path))
    (tmp_path / "tnbc").mkdir()
    with pytest.raises(DataError, match="30 of 30 images of split 'train' of 'tnbc' are missing"):
        validation_split("tnbc")


def test_a_set_that_is_no_sequence_of_tiles_is_not_parted(made, monkeypatch):
    monkeypatch.setattr(Made, "load", staticmethod(lambda split: []))
    with pytest.raises(TypeError, match="'made' gives a list, expected a TileSequence"):
        validation_split("made")


# ---- the parts


def test_a_selection_is_lazy_and_in_the_order_asked_for():
    tiles = TileSequence("abcd", blank)
    assert tiles.select("ca").names == ("c", "a")
    assert tiles.select("ca")[1].name == "a"
    assert len(tiles.select("")) == 0
    with pytest.raises(ValueError, match="no tile of the name x, y among these 4"):
        tiles.select("ayx")


def test_faults_are_sentences(tmp_path):
    (tmp_path / "a.png").touch()
    a, b, c = (tmp_path / f"{name}.png" for name in "abc")
    assert absent(tmp_path, [a], what="images") == []
    assert absent(tmp_path, [a, b, c], what="images") == [
        f"{tmp_path}: expected 3 images, 2 missing: b.png, c.png; unpack the set again"
    ]
    assert absent(tmp_path, [b, c], what="images") == [
        f"{tmp_path}: expected 2 images, found none, as b.png; unpack the set there"
    ]
    assert unexpected(tmp_path, [a], [a, b], what="images") == []
    assert "found b.png, c.png; move them out" in unexpected(tmp_path, [c, b, a], [a], what="images")[0]
    assert told(a.read_bytes) == []
    assert "No such file" in told(b.read_bytes)[0]


# ---- the real files


@pytest.mark.real
@pytest.mark.parametrize(("name", "sizes"), SIZES)
def test_real_sets_are_parted_by_whole_groups(tissue, name, sizes):
    module = registry.modules()[name]
    for seed in range(4):
        fit, val = validation_split(name, seed=seed)
        assert (len(fit), len(val)) == sizes
        group = module.groups("train")
        assert not {group[tile] for tile in fit.names} & {group[tile] for tile in val.names}
        assert sorted(fit.names + val.names) == sorted(group)


@pytest.mark.real
def test_monuseg_can_be_parted_by_patient_too(tissue):
    fit, val = validation_split("monuseg", by="patient", share=0.1, labels="png")
    assert (len(fit), len(val)) == (27, 3)
    assert val[0].source["labels"].endswith("png")


@pytest.mark.real
def test_kumar_is_parted_among_its_training_tiles_alone(tissue):
    fit, val = validation_split("kumar")
    assert set(fit.names) | set(val.names) == set(kumar.names("train"))
    assert Counter(kumar.groups("train")[name] for name in val.names).most_common(1)[0][1] == 4


@pytest.mark.real
def test_tnbc_by_patients_can_be_parted_again(tissue):
    fit, val = validation_split("tnbc", version="patients", share=0.3)
    test = {name[:2] for name in tnbc.names("test", version="patients")}
    sides = [{name[:2] for name in part.names} for part in (fit, val)]
    assert sides[0].isdisjoint(sides[1])
    assert test.isdisjoint(sides[0] | sides[1])
    assert len(val) == 9
