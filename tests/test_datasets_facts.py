import json
from functools import cache

import numpy as np
import pytest

from histolab_lib import datasets
from histolab_lib.data_dir import DataError
from histolab_lib.datasets import facts, glas, monuseg, tnbc
from histolab_lib.datasets.facts import compute, describe, differences, facts_path, read
from histolab_lib.datasets.polygons import rasterise
from histolab_lib.datasets.raster_facts import compare_conventions
from histolab_lib.tile import Tile
from tests.test_datasets_monuseg import SQUARE, TEST, TRAIN, copy, first, xml  # noqa: F401  copy is a fixture

KEPT = ("glas", "kumar", "monuseg", "tnbc")


def tile(rows, name="t", **fields):
    ids = np.array(rows, np.int32)
    return Tile(name, np.zeros((*ids.shape, 3), np.uint8), ids, **fields)


def literal(ids):
    """Touching objects and pieces of objects, pixel by pixel."""
    height, width = ids.shape

    def around(y, x, corners):
        steps = [(0, 1), (1, 0), (0, -1), (-1, 0)] + ([(1, 1), (1, -1), (-1, 1), (-1, -1)] if corners else [])
        return [(y + a, x + b) for a, b in steps if 0 <= y + a < height and 0 <= x + b < width]

    found = {}
    for corners in (False, True):
        touching, pieces, components = set(), 0, 0
        for same in (True, False):
            seen = set()
            for y, x in zip(*np.nonzero(ids), strict=True):
                if (y, x) in seen:
                    continue
                pieces, components = pieces + same, components + (not same)
                queue = [(y, x)]
                while queue:
                    place = queue.pop()
                    if place in seen:
                        continue
                    seen.add(place)
                    for other in around(*place, corners):
                        if ids[other] and ids[other] != ids[place]:
                            touching |= {ids[other], ids[place]}
                        if ids[other] and (ids[other] == ids[place] or not same):
                            queue.append(other)
        found[corners] = len(touching), pieces, components
    return found


# ---- counting


@pytest.mark.parametrize("seed", range(6))
def test_counts_are_those_of_a_count_pixel_by_pixel(seed):
    rng = np.random.default_rng(seed)
    ids = rng.choice([0, 0, 1, 2, 5, 9], (9, 11)).astype(np.int32)
    got, expected = describe([tile(ids)]), literal(ids)
    objects = len(set(ids[ids > 0].tolist()))
    assert got["objects"] == objects
    assert (got["touching_by_edge"], got["touching"]) == (expected[False][0], expected[True][0])
    assert got["pieces_beyond_one_4"] == expected[False][1] - objects
    assert got["pieces_beyond_one_8"] == expected[True][1] - objects
    assert (got["components_4"], got["components_8"]) == (expected[False][2], expected[True][2])
    areas = sorted(np.count_nonzero(ids == one) for one in set(ids[ids > 0].tolist()))
    assert got["area_px"] == {"median": float(np.median(areas)), "min": areas[0], "max": areas[-1]}
    assert got["foreground_share"] == round(np.count_nonzero(ids) / ids.size, 6)


def test_tiles_are_added_up_and_areas_pooled():
    one = tile([[1, 1, 1], [0, 0, 0]], organ="colon", patient="3", um_per_px=0.25)
    two = tile([[1, 2], [0, 3], [0, 0]], "u", organ="colon", patient="4")
    got = describe([one, two])
    assert got["tiles"] == 2
    assert got["sizes_px"] == {"2x3": 1, "3x2": 1}
    assert (got["objects"], got["area_px"]) == (4, {"median": 1.0, "min": 1, "max": 3})
    assert got["objects_per_tile"] == {"fewest": 1, "most": 3}
    assert got["foreground_share"] == 0.5
    assert got["smaller_than_px"] == {"10": 4, "100": 4}
    assert (got["organs"], got["patients"]) == ({"colon": 2}, {"3": 1, "4": 1})
    assert got["um_per_px"] == {"0.25": 1, "unknown": 1}
    assert "regions" not in got


def test_what_a_loader_noticed_is_added_up():
    regions = {"regions": 3, "vanished": 2}
    got = describe([tile([[1]], source=regions), tile([[1]], "u", source=regions)])
    assert (got["regions"], got["vanished"]) == (6, 4)
    four = tile([[1, 0, 2]], source={"relabelled": "8-connected", "grade": "benign"})
    plain = tile([[1, 0, 2]], "u", source={"relabelled": "no", "grade": "malignant"})
    got = describe([four, plain])
    assert (got["objects"], got["objects_as_published"]) == (4, 3)
    assert got["grade"] == {"benign": 1, "malignant": 1}
    assert describe([tile([[1, 2]], classes={1: "dead", 2: "dead"})])["classes"] == {"dead": 2}


@pytest.mark.parametrize("change", ["pixels", "ids", "name", "order"])
def test_the_digest_tells_another_copy(change):
    one, two = tile([[1, 0]]), tile([[0, 1]], "u")
    image, ids = one.image.copy(), one.instances.copy()
    if change == "pixels":
        image[0, 0, 0] = 1
    if change == "ids":
        ids[0, 0] = 2
    other = Tile("x" if change == "name" else "t", image, ids)
    changed = [two, other] if change == "order" else [other, two]
    assert describe([one, two])["sha256"] == describe([tile([[1, 0]]), two])["sha256"]
    assert describe([one, two])["sha256"] != describe(changed)["sha256"]


def test_a_set_is_counted_split_by_split_and_together(copy):  # noqa: F811
    first(copy, "xml").write_text(xml(SQUARE, [(1, 1), (9, 9)]))
    found = compute("monuseg")
    assert list(found["splits"]) == ["train", "test", "all"]  # extra is optional
    assert [split["tiles"] for split in found["splits"].values()] == [30, 14, 44]
    assert [split["regions"] for split in found["splits"].values()] == [31, 14, 45]
    assert found["splits"]["all"]["vanished"] == 1
    assert found["shared_patients"] == {}
    assert "versions" not in found
    assert found["raster"]["skimage"]["all"]["tiles"] == 44
    assert json.loads(json.dumps(found)) == found


def test_the_parts_of_a_split_are_not_counted_twice(copy):  # noqa: F811
    found = compute("kumar")
    assert {split: counts["tiles"] for split, counts in found["splits"].items()} == {
        "train": 16, "test_same": 8, "test_diff": 6, "test": 14, "all": 30,
    }  # fmt: skip
    assert found["versions"]["weaknucleiseg"]["tiles"]["fit"] == 12


def test_conventions_are_compared_on_the_tiles_that_have_outlines(copy):  # noqa: F811
    shifted = [(x + 0.6, y + 0.6) for x, y in SQUARE]
    first(copy, "xml").write_text(xml(shifted))
    found = compare_conventions()
    drawn = {name: rasterise([shifted], (24, 24), name) > 0 for name in ("official", "skimage")}
    both = np.count_nonzero(drawn["official"] & drawn["skimage"])
    expected = 2 * both / sum(np.count_nonzero(mask) for mask in drawn.values())
    assert 0.5 < expected < 1
    assert list(found) == ["skimage", "skimage_half"]
    assert found["skimage"]["tiles"][first(copy, "xml").stem] == round(expected, 6)
    values = [found["skimage"]["tiles"][name] for name in TRAIN]
    assert found["skimage"]["train"] == {
        "tiles": 30, "mean": round(np.mean(values), 6), "min": min(values), "max": max(values),
    }  # fmt: skip
    for path in copy.rglob("*.xml"):
        path.unlink()
    with pytest.raises(DataError, match="expected XML files with outlines, found none"):
        compare_conventions()


# ---- what is kept


def test_facts_are_read_without_the_files(monkeypatch):
    monkeypatch.delenv("HISTOLAB_DATA", raising=False)
    for name in KEPT:
        assert read(name)["set"] == name
        assert facts_path(name).read_text(encoding="utf-8").endswith("}\n")
    with pytest.raises(DataError, match=r"no facts of 'consep' have been written; there are some of glas, kumar,"):
        read("consep")


def test_differences_are_told_field_by_field():
    kept = read("tnbc")
    changed = json.loads(json.dumps(kept))
    assert differences(kept, changed) == []
    changed["splits"]["all"]["objects"] += 1
    del changed["versions"]["patients"]
    lines = differences(kept, changed)
    assert lines[0] == "splits.all.objects: kept 4056, found 4057"
    assert lines[1].startswith("versions.patients: kept {")
    assert len(lines) == 2


def test_the_facts_are_those_counted_elsewhere():
    """Numbers that were computed once before, by other code: regions, nuclei, touching, components, shares."""
    train, test = (read("monuseg")["splits"][split] for split in ("train", "test"))
    assert (train["regions"], train["objects"], train["vanished"]) == (16_966, 16_958, 8)
    assert (test["regions"], test["objects"], test["vanished"]) == (6_697, 6_697, 0)
    assert (train["touching"], train["touching_by_edge"]) == (5_811, 5_454)
    assert (test["touching"], test["touching_by_edge"]) == (857, 779)
    assert (train["components_4"], train["components_8"]) == (13_785, 13_431)
    assert (test["components_4"], test["components_8"]) == (6_308, 6_238)
    assert (train["pieces_beyond_one_8"], test["pieces_beyond_one_8"]) == (39, 2)
    assert (train["pieces_beyond_one_4"], test["pieces_beyond_one_4"]) == (159, 26)
    assert (round(train["foreground_share"], 3), round(test["foreground_share"], 3)) == (0.224, 0.198)
    whole = read("tnbc")["splits"]["all"]
    assert (whole["components_4"], whole["components_8"], whole["objects"]) == (4_056, 4_028, 4_056)
    assert (whole["area_px"], whole["smaller_than_px"]["10"]) == ({"median": 333, "min": 1, "max": 3_205}, 29)
    glands = read("glas")["splits"]
    names = ("objects", "objects_as_published", "components_8", "components_4")
    assert [glands["train"][name] for name in names] == [769, 769, 769, 774]
    assert [glands["testA"][name] for name in names] == [666, 666, 666, 671]
    assert [glands["testB"][name] for name in names] == [118, 95, 118, 122]
    assert read("glas")["shared_patients"] == {
        "train and testA": ["3", "4", "7", "9", "10", "11", "13", "15"],
        "train and testB": ["1", "2", "3", "5", "7"],
        "testA and testB": ["3", "7"],
    }


def test_the_cost_of_a_convention_is_that_counted_elsewhere():
    raster = read("monuseg")["raster"]
    expected = {
        ("skimage", "train"): (13, 0.9295, 0.9126, 0.9516),
        ("skimage", "test"): (14, 0.9398, 0.9291, 0.9516),
        ("skimage", "all"): (27, 0.9348, 0.9126, 0.9516),
        ("skimage_half", "train"): (13, 0.9673, 0.9554, 0.9864),
        ("skimage_half", "test"): (14, 0.9869, 0.9789, 0.9974),
        ("skimage_half", "all"): (27, 0.9775, 0.9554, 0.9974),
    }
    for (convention, split), numbers in expected.items():
        found = raster[convention][split]
        assert [found[key] for key in ("tiles", "mean", "min", "max")] == pytest.approx(numbers, abs=6e-5)


def test_kept_facts_agree_with_what_the_loaders_know():
    assert sum(tnbc.NUCLEI) == read("tnbc")["splits"]["all"]["objects"]
    rows = glas.facts().values()
    assert sum(int(row["components_8"]) for row in rows) == read("glas")["splits"]["all"]["objects"]
    for split, names in (("train", TRAIN), ("test", TEST)):
        nuclei = sum(int(monuseg.facts()[name]["label_ids"]) for name in names)
        assert nuclei == read("monuseg")["splits"][split]["objects"]
    assert read("kumar")["splits"]["all"]["objects"] == read("monuseg")["splits"]["train"]["objects"]
    per_tile = [int(monuseg.facts()[name]["label_ids"]) for name in TEST]
    assert read("monuseg")["splits"]["test"]["objects_per_tile"] == {"fewest": min(per_tile), "most": max(per_tile)}
    glands = [int(row["components_8"]) for row in rows]
    assert read("glas")["splits"]["all"]["objects_per_tile"] == {"fewest": min(glands), "most": max(glands)}


# ---- recomputed from the files


@cache
def outlines(folder):
    return sum(tile.xml is not None for split in ("train", "test") for tile in monuseg.locate(folder, split).values())


def recomputed(name, tissue, monkeypatch):
    monkeypatch.setenv("HISTOLAB_DATA", str(tissue))
    lines = differences(read(name), compute(name))
    if name in ("monuseg", "kumar") and outlines(tissue / "monuseg") != 27:
        # a copy with more outlines knows more pixel sizes and more tiles to draw in two ways
        lines = [line for line in lines if "um_per_px" not in line and not line.startswith("raster")]
    return lines


@pytest.mark.real
def test_the_facts_of_tnbc_are_what_its_files_hold(tissue, monkeypatch):
    assert recomputed("tnbc", tissue, monkeypatch) == []


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize("name", ["glas", "kumar", "monuseg"])
def test_the_facts_of_the_larger_sets_are_what_their_files_hold(tissue, monkeypatch, name):
    assert recomputed(name, tissue, monkeypatch) == []


@pytest.mark.real
def test_one_real_tile_is_counted_as_pixel_by_pixel(tissue, monkeypatch):
    monkeypatch.setenv("HISTOLAB_DATA", str(tissue))
    real = datasets.load("monuseg", "train")[1]
    ids = np.ascontiguousarray(real.instances[:200, :200])
    got, expected = describe([Tile("cut", real.image[:200, :200], ids)]), literal(ids)
    assert got["touching"] == expected[True][0] > 0
    assert (got["components_4"], got["components_8"]) == (expected[False][2], expected[True][2])


def test_facts_of_a_set_without_files_are_an_error():
    with pytest.raises(ValueError, match="unknown data set with files 'synthetic'"):
        facts.compute("synthetic")


def test_what_is_known_of_each_tile_is_read_by_set():
    monuseg_tiles, kumar_tiles, glas_tiles = map(facts.tiles, ("monuseg", "kumar", "glas"))
    assert [len(found) for found in (monuseg_tiles, kumar_tiles, glas_tiles)] == [44, 30, 165]
    assert set(kumar_tiles) < set(monuseg_tiles)
    assert {row["set"] for row in kumar_tiles.values()} == {"train"}
    assert all(name == row["tile"] for name, row in glas_tiles.items())
    with pytest.raises(ValueError, match="unknown set with facts of each tile 'tnbc'"):
        facts.tiles("tnbc")
