"""The worst images of a run: which they are, when their pictures are drawn, and what is drawn instead."""

import io
import math
from dataclasses import replace

import numpy as np
import pytest
from matplotlib import pyplot as plt

from histolab_lib import datasets
from histolab_lib.bookbuild.chapters import chapters
from histolab_lib.bookbuild.pairs import read_source
from histolab_lib.bookbuild.pictures import CHART
from histolab_lib.datasets.sequence import TileSequence
from histolab_lib.plotting import PALETTE, draw_worst, outlines, short_name
from histolab_lib.plotting.look import rgb
from histolab_lib.record import load_prediction, save_prediction
from histolab_lib.scoring import score
from histolab_lib.tile import Tile
from tests.books import ROOT
from tests.layouts import write_cpm17
from tests.records import record as whole_record
from tests.records import rows

OPTIONS = {"n": 4, "size": 80, "preset": "dense"}
HIT, MISSED, EXTRA = (np.array(rgb(PALETTE[name])) for name in ("sky", "vermilion", "yellow"))


def record(**fields):
    """A record without the means, which nothing here looks at and which take long to make."""
    images = fields.setdefault("images", {"test": rows(["t1", "t2", "t3"])})
    mean = {"dice": dict.fromkeys(("mean", "low", "high", "images"), 0)}
    splits = [*images, *(["test"] if len(images) > 1 else [])]
    return whole_record(summary=dict.fromkeys(splits, mean), **fields)


@pytest.fixture(autouse=True)
def _machine(tmp_path, monkeypatch):
    """A machine with no real tissue and no predictions but a test's own."""
    monkeypatch.setenv("HISTOLAB_PREDICTIONS", str(tmp_path / "predictions"))
    monkeypatch.delenv("HISTOLAB_DATA", raising=False)


def _moved(tile, number):
    """The truth, moved further the further back the tile comes."""
    return np.roll(tile.instances, (2 * number, number), axis=(0, 1))


def _recorded(tiles, preds, **fields):
    """A record of these predictions, and the predictions where they belong."""
    one = record(images={"test": [score(*pair) for pair in zip(tiles, preds, strict=True)]}, **fields)
    for tile, pred in zip(tiles, preds, strict=True):
        save_prediction(one.name, "test", tile.name, pred)
    return one


@pytest.fixture(scope="module")
def tiles():
    return list(datasets.load("synthetic", "test", **OPTIONS))


@pytest.fixture
def run(tiles):
    """A run on synthetic tissue whose later tiles are worse."""
    preds = [_moved(tile, number) for number, tile in enumerate(tiles)]
    return _recorded(tiles, preds, dataset="synthetic", options=OPTIONS)


def _shown(figure):
    """What is drawn, from left to right and from top to bottom."""
    return [np.asarray(ax.images[0].get_array()) for ax in figure.axes]


def _named(figure):
    return [ax.get_title().split("\n") for ax in figure.axes if ax.get_title()]


def _why(figure):
    """The line that says why there are scores and no pictures; there must be no picture."""
    (ax,) = figure.axes
    assert len(ax.images) == 0
    return ax.get_title(loc="left")


def _lines(figure):
    return [text.get_text() for text in figure.axes[0].get_yticklabels()]


def _is_tint(shown, where, colour):
    """Whether pixels are 65 % of a colour, the rest a pale grey."""
    rest = (shown[where] - 0.65 * colour) / 0.35
    return bool((rest > 140).all() and (rest < 245).all() and (np.ptp(rest, axis=1) < 4).all())


def test_the_worst_come_first_each_with_its_name_and_score_and_the_figure_is_not_left_open(run):
    before = plt.get_fignums()
    figure = draw_worst(run, "dice", sets=(), n=3)
    assert plt.get_fignums() == before
    dice = {row["name"]: row["dice"] for row in run.images["test"]}
    wanted = sorted(dice, key=dice.get)[:3]
    assert wanted != list(dice)[:3]
    assert _named(figure) == [[short_name(name), f"{dice[name]:.3f}"] for name in wanted]
    assert len(_shown(figure)) == 6


def test_found_missed_and_invented_pixels_have_the_colours_of_the_other_maps(run, tiles):
    lower = _shown(draw_worst(run, "dice", sets=(), n=2))[2:]
    worst = sorted(tiles, key=lambda tile: next(r["dice"] for r in run.images["test"] if r["name"] == tile.name))[:2]
    for tile, shown in zip(worst, lower, strict=True):
        true, pred = tile.mask, load_prediction(run.name, "test", tile.name) > 0
        for where, colour in ((true & pred, HIT), (true & ~pred, MISSED), (~true & pred, EXTRA)):
            assert where.any()
            assert _is_tint(shown, where, colour)
        assert (np.ptp(shown[~true & ~pred].astype(int), axis=1) == 0).all()


def test_scores_of_objects_have_outlines_and_scores_of_pixels_have_none(run, tiles):
    for metric, outlined in (("aji", True), ("dice", False)):
        above, below = _shown(draw_worst(run, metric, sets=(), n=1))
        row = min(run.images["test"], key=lambda row: row[metric])
        (tile,) = (tile for tile in tiles if tile.name == row["name"])
        pred = load_prediction(run.name, "test", tile.name)
        assert bool((above[outlines(tile.instances)] == EXTRA).all()) is outlined
        assert bool((below[outlines(pred)] == 0).all()) is outlined


def test_the_worst_distance_is_the_largest_and_every_other_worst_score_the_smallest():
    images = rows(["t1", "t2", "t3"])
    for row, value in zip(images, (0.5, 0.9, 0.1), strict=True):
        row.update(dict.fromkeys(("dice", "object_dice", "object_hausdorff"), value))
    one = record(images={"test": images})
    order = {metric: _lines(draw_worst(one, metric, sets=())) for metric in ("dice", "object_dice", "object_hausdorff")}
    assert order == {
        "dice": ["t3", "t1", "t2"], "object_dice": ["t3", "t1", "t2"], "object_hausdorff": ["t2", "t1", "t3"],
    }  # fmt: skip


def test_undefined_scores_and_infinite_distances_come_first_and_are_called_so():
    for metric, value, said in (("dice", math.nan, "undefined"), ("object_hausdorff", math.inf, "infinite")):
        images = rows(["t1", "t2", "t3"])
        images[1][metric] = value
        figure = draw_worst(record(images={"test": images}), metric, sets=(), n=2)
        assert _lines(figure)[0] == "t2"
        figure.draw_without_rendering()
        (ax,) = figure.axes
        assert ax.texts[0].get_text() == said
        assert [len(dots.get_offsets()) for dots in ax.collections] == [1, 1]  # the other one of two, and the rest


def test_a_tile_without_anything_is_drawn_with_the_word_for_its_score(tiles):
    empty = replace(tiles[1], instances=np.zeros_like(tiles[1].instances))
    preds = [tiles[0].instances, empty.instances]
    one = _recorded([tiles[0], empty], preds, dataset="synthetic", options=OPTIONS)
    assert _why(draw_worst(one, "dice", sets=(), n=1)).startswith("Scores, no pictures: the truth of")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(datasets, "load", lambda *_, **__: _sequence([tiles[0], empty]))
        assert _named(draw_worst(one, "dice", sets=(), n=1)) == [[short_name(empty.name), "undefined"]]


def test_without_leave_to_draw_a_set_there_are_scores_even_where_its_files_and_predictions_are(tmp_path, monkeypatch):
    write_cpm17(tmp_path / "data" / "cpm17")
    monkeypatch.setenv("HISTOLAB_DATA", str(tmp_path / "data"))
    tiles = list(datasets.load("cpm17", "test")[:3])
    one = _recorded(tiles, [_moved(tile, n) for n, tile in enumerate(tiles)], dataset="cpm17")
    assert len(_shown(draw_worst(one, "dice", sets=["cpm17"], n=2))) == 4
    for sets in ((), ("monuseg", "glas")):
        assert _why(draw_worst(one, "dice", sets=sets)) == (
            "Scores, no pictures: this page was made without the tiles of CPM-17."
        )
    monkeypatch.delenv("HISTOLAB_DATA")
    assert "without the tiles of CPM-17" in _why(draw_worst(one, "dice", sets=["cpm17"]))


def test_each_of_the_worst_has_a_line_of_its_own_and_all_others_share_one():
    one = record(images={"test": rows([f"t{n}" for n in range(8)])})
    dice = sorted((row["dice"], row["name"]) for row in one.images["test"])
    (ax,) = draw_worst(one, "dice", sets=(), n=3).axes
    assert [text.get_text() for text in ax.get_yticklabels()] == [*(name for _, name in dice[:3]), "the other 5"]
    dots = [dots.get_offsets().data.tolist() for dots in ax.collections]
    assert dots == [
        *([[value, y]] for y, (value, _) in enumerate(dice[:3])),
        [[row["dice"], 3] for row in sorted(one.images["test"], key=lambda row: row["dice"])[3:]],
    ]
    assert ax.get_xlabel() == "Dice of each image"


def test_a_missing_prediction_is_named_and_nothing_is_drawn(run, tmp_path):
    worst = min(run.images["test"], key=lambda row: row["dice"])["name"]
    (tmp_path / "predictions" / run.name / "test" / f"{worst}.png").unlink()
    wanted = f"Scores, no pictures: the prediction of {short_name(worst)} is not on this machine."
    assert _why(draw_worst(run, "dice", sets=())) == wanted


def test_what_is_missing_of_better_images_is_not_needed(run, tmp_path):
    best = max(run.images["test"], key=lambda row: row["dice"])["name"]
    (tmp_path / "predictions" / run.name / "test" / f"{best}.png").unlink()
    assert len(_shown(draw_worst(run, "dice", sets=(), n=3))) == 6


@pytest.mark.parametrize("other", ["moved", "joined", "smaller"])
def test_a_prediction_of_another_run_is_never_drawn(run, tiles, other):
    worst = min(run.images["test"], key=lambda row: row["dice"])["name"]
    pred = load_prediction(run.name, "test", worst)
    if other == "moved":  # as many pixels and objects as before, elsewhere
        changed = np.roll(pred, 7, axis=0)
    elif other == "joined":  # the very pixels and as many objects, divided in another way
        one, two = np.unique(pred)[1:3]
        changed = np.where(pred == two, one, pred)
        changed[tuple(np.argwhere(pred == one)[0])] = two
    else:
        changed = pred[:-1]
    save_prediction(run.name, "test", worst, changed)
    said = "has another size than the tile" if other == "smaller" else "is not that of the record"
    assert _why(draw_worst(run, "aji" if other == "joined" else "dice", sets=(), n=4)) == (
        f"Scores, no pictures: the prediction of {short_name(worst)} on this machine {said}."
    )


def test_a_tile_with_another_truth_or_none_of_the_name_is_never_drawn(tiles):
    grown = replace(tiles[0], instances=np.where(tiles[0].mask, tiles[0].instances, 99).astype(np.int32))
    one = _recorded([grown], [tiles[0].instances], dataset="synthetic", options=OPTIONS)
    name = short_name(grown.name)
    assert _why(draw_worst(one, "dice", sets=())) == (
        f"Scores, no pictures: the truth of {name} on this machine is not that of the record."
    )
    lost = replace(tiles[0], name="lost")
    one = _recorded([lost], [lost.instances], dataset="synthetic", options=OPTIONS)
    assert _why(draw_worst(one, "dice", sets=())) == ("Scores, no pictures: the set on this machine has no tile lost.")


def test_a_crop_is_where_most_pixels_are_wrong(tiles):
    pred = tiles[0].instances.copy()
    pred[30:40, 20:30] = 99  # the only fault
    assert not tiles[0].mask[30:40, 20:30].all()
    one = _recorded(tiles[:1], [pred], dataset="synthetic", options=OPTIONS)
    below = _shown(draw_worst(one, "dice", sets=(), crop_px=10))[1]
    assert below.shape == (10, 10, 3)
    wrong = tiles[0].mask != (pred > 0)
    counts = {(y, x): wrong[y : y + 10, x : x + 10].sum() for y in range(71) for x in range(71)}
    y, x = max(counts, key=counts.get)
    assert _is_tint(below, wrong[y : y + 10, x : x + 10], EXTRA)
    assert _shown(draw_worst(one, "dice", sets=(), crop_px=100))[1].shape == (80, 80, 3)


def _sequence(tiles):
    return TileSequence([tile.name for tile in tiles], {tile.name: tile for tile in tiles}.__getitem__)


def test_large_tiles_are_thinned_in_their_own_shape_and_the_figure_stays_small(monkeypatch):
    rng = np.random.default_rng(0)
    made = []
    for number in range(2):
        instances = np.zeros((240, 400), np.int32)
        instances[40:120, 40:240], instances[140:200, 280:360] = 1, 2
        made.append(Tile(f"t{number}", rng.integers(0, 256, (240, 400, 3), dtype=np.uint8), instances))
    monkeypatch.setattr(datasets, "load", lambda *_, **__: _sequence(made))
    one = _recorded(made, [_moved(tile, 5) for tile in made], dataset="synthetic")
    figure = draw_worst(one, "object_dice", sets=())
    assert {shown.shape for shown in _shown(figure)} == {(120, 200, 3)}
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    assert 20_000 < buffer.tell() < 160_000  # five of them: 400 kB


def test_with_fewer_images_than_asked_for_all_are_drawn(run):
    assert len(_shown(draw_worst(run, "dice", sets=(), n=9))) == 8
    assert _lines(draw_worst(record(), "dice", sets=(), n=9)) != []
    assert all("other" not in line for line in _lines(draw_worst(record(), "dice", sets=(), n=3)))


def test_one_split_alone_or_all_of_them():
    one = record(images={"testA": rows(["a1", "a2"]), "testB": rows(["b1"], seed=1)})
    assert sorted(_lines(draw_worst(one, "dice", sets=()))) == ["a1", "a2", "b1"]
    assert _lines(draw_worst(one, "dice", sets=(), split="testB")) == ["b1"]
    with pytest.raises(ValueError, match="unknown split 'testC', did you mean 'test"):
        draw_worst(one, "dice", sets=(), split="testC")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metric": "dise"}, "unknown metric 'dise', did you mean 'dice'"),
        ({"n": 0}, "n must be at least 1 image, got 0"),
        ({"crop_px": 0}, "crop_px must be at least 1 pixel, or None for whole tiles, got 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        draw_worst(record(), **{"metric": "dice", "sets": (), **changes})


@pytest.mark.parametrize("one", chapters(ROOT), ids=lambda one: one.key)
def test_a_page_leaves_it_to_the_pipeline_whether_such_a_picture_is_published(one):
    for cell in read_source(one).cells:
        if cell.cell_type == "code" and "draw_worst(" in cell.source:
            assert "sets=run.sets" in cell.source
            assert CHART not in cell.metadata.get("tags", [])
