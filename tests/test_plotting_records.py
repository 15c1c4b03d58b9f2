"""The figure of recorded runs: what is drawn where, in which colour, and that it holds as records grow."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex

from histolab_lib.plotting import PALETTE
from histolab_lib.plotting.records import draw_records, experiments, main_scores
from histolab_lib.results import load_results
from tests.records import record, rows


def _panels(figure):
    return {ax.get_title(loc="left"): ax for ax in figure.axes if ax.axison}


def _labels(ax):
    return [text.get_text() for text in ax.get_yticklabels()]


def _intervals(ax):
    """Ends and colours of the intervals, from the top."""
    bars = [line for line in ax.lines if line.get_linestyle() == "-" and line.get_marker() == "None"]
    return [(*line.get_xdata(), to_hex(line.get_color()).upper()) for line in bars if line.get_linewidth() > 1]


def test_runs_that_differ_by_their_seed_are_one_experiment_with_the_mean_of_their_means():
    runs = [record(seed=seed, images={"test": rows(["t1", "t2", "t3"], seed=seed)}) for seed in range(3)]
    (one,) = experiments(runs)
    assert one.runs == tuple(runs)
    assert [name for name, _ in one.scores] == ["dice", "aji"]
    for name, score in one.scores:
        assert score.mean == pytest.approx(np.mean([run.summary["test"][name]["mean"] for run in runs]))
    assert len(experiments([*runs, record(schedule="gpu"), record(variant="wide"), record(dataset="tnbc")])) == 4


def test_exhibits_that_chose_on_test_data_and_smoke_runs_are_left_out():
    assert experiments([record(variant="leak"), record(variant="x__leak"), record(schedule="smoke")]) == []


@pytest.mark.parametrize(
    ("fields", "label", "family"),
    [
        ({"key": "floor_unet"}, "floor_unet", "floors"),
        ({"variant": "mobilenetv2__imagenet"}, "unet, mobilenetv2, imagenet", "usual networks"),
        ({"key": "strong_unet", "variant": "all_tiles"}, "strong_unet, all_tiles", "the book's own"),
        ({"key": "haru_net", "reading": "paper"}, "haru_net", "networks of the papers"),
        ({"key": "haru_net", "reading": "code"}, "haru_net, released code", "networks of the papers"),
        ({"key": "haru_net", "variant": "rsu"}, "haru_net, rsu, our protocol", "networks of the papers"),
    ],
)
def test_a_line_says_which_variant_and_whose_recipe(fields, label, family):
    (one,) = experiments([record(**fields)])
    assert (one.label, one.family) == (label, family)


def test_glands_are_compared_by_objects():
    assert main_scores("glas") == ("object_dice", "dice")
    assert {main_scores(name) for name in ("monuseg", "kumar", "tnbc", "folder")} == {("dice", "aji")}


def test_a_panel_has_a_line_for_each_experiment_families_together_and_each_interval_its_ends():
    runs = [
        record(key="haru_net", reading="paper", variant="rsu", images={"test": rows(["t1", "t2"], seed=4)}),
        record(key="haru_net", reading="paper"),
        record(key="unet"),
        record(key="floor_hematoxylin", schedule="none", settings={}),
        record(key="floor_unet", dataset="tnbc"),
    ]
    before = plt.get_fignums()
    figure = draw_records(runs)
    assert plt.get_fignums() == before
    panels = _panels(figure)
    assert set(panels) == {"MoNuSeg 2018", "TNBC"}
    assert _labels(panels["MoNuSeg 2018"]) == ["floor_hematoxylin", "unet", "haru_net", "haru_net, rsu"]
    shown = experiments(runs[:4])
    colours = [PALETTE[name] for name in ("black", "blue", "vermilion", "vermilion")]
    for (low, high, colour), one, wanted in zip(_intervals(panels["MoNuSeg 2018"]), shown, colours, strict=True):
        assert (low, high) == (one.scores[0][1].low, one.scores[0][1].high)
        assert colour == wanted
    assert panels["MoNuSeg 2018"].get_xlim() == panels["TNBC"].get_xlim()
    assert panels["MoNuSeg 2018"].get_xlabel() == "Dice"
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "floors", "usual networks", "networks of the papers", "nothing trained", "schedule cpu",
        "hematoxylin, thresholded",
    ]  # fmt: skip


def test_the_dotted_line_is_in_the_key_where_it_is_drawn_and_only_there():
    def key(records):
        return [text.get_text() for text in draw_records(records).legends[0].get_texts()]

    assert "hematoxylin, thresholded" in key([record(key="floor_hematoxylin", schedule="none", settings={})])
    assert "hematoxylin, thresholded" not in key([record(key="unet")])


def test_a_panel_has_the_name_of_its_set_and_one_of_a_reader_the_key():
    sets = _panels(draw_records([record(dataset="kumar"), record(dataset="glas"), record(dataset="folder")]))
    assert set(sets) == {"Kumar 2017", "GlaS (Warwick-QU)", "folder"}


def test_a_schedule_has_its_mark_and_one_of_a_reader_another():
    names = ("none", "cpu", "cpu_long", "gpu", "a_night")
    (ax,) = draw_records([record(schedule=name, variant=f"v{n}") for n, name in enumerate(names)]).axes
    marks = [line.get_marker() for line in ax.lines if line.get_marker() != "None"]
    assert len(set(marks)) == len(names)


def test_sixty_experiments_fit_without_labels_that_touch():
    recorded = [one for one in load_results() if (one.key, one.variant) == ("floor_unet", "base")]
    runs = [
        replace(one, key="deeplabv3plus", variant=f"imagenet__version_{n}")
        for one in recorded
        for n in range(27 if one.dataset == "monuseg" else 11)
    ]
    assert len(runs) == 60
    figure = draw_records(runs)
    figure.draw_without_rendering()
    for ax in _panels(figure).values():
        boxes = [text.get_window_extent() for text in ax.get_yticklabels()]
        assert all(upper.y0 >= lower.y1 for upper, lower in pairwise(boxes))
        assert min(box.x0 for box in boxes) >= 0
        assert ax.get_window_extent().width > 1.2 * figure.dpi


def test_the_lines_of_the_books_records_differ_within_a_set():
    lines = [(one.dataset, one.label, one.schedule) for one in experiments(load_results())]
    assert len(set(lines)) == len(lines)


def test_nothing_to_draw_is_an_error():
    with pytest.raises(ValueError, match="records is empty: there is nothing to draw"):
        draw_records([record(schedule="smoke")])
