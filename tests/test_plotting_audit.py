from fractions import Fraction

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex

from histolab_lib.audit.intervals import Interval
from histolab_lib.audit.rules import bounds
from histolab_lib.claims import PAPERS
from histolab_lib.plotting import PALETTE, draw_gaps, draw_intervals, draw_mean_rows, draw_region

HALF = Fraction(1, 2000)
INSIDE = (Interval.of("0.8"), Interval.of("0.7"))
BELOW = (Interval.of("0.8"), Interval.of("0.6"))


def _filled(ax):
    """Places of the marks that are drawn as outside."""
    return [
        tuple(np.round(place, 6))
        for marks in ax.collections
        if "outside" in str(marks.get_label())
        for place in marks.get_offsets()
    ]


def _printed(*texts):
    return tuple(Interval(Fraction(text) - HALF, Fraction(text) + HALF) for text in texts)


def test_a_pair_outside_the_region_is_filled_in_both_panels_and_one_inside_is_not():
    before = plt.get_fignums()
    plane, gaps = draw_region({"mine": [INSIDE, BELOW]}, bounds.jaccard, xlabel="Dice", ylabel="IoU").axes
    assert _filled(plane) == [(0.8, 0.6)]
    assert _filled(gaps) == [(0.8, pytest.approx(100 * (0.6 - 0.8 / 1.2), abs=1e-4))]
    assert plt.get_fignums() == before


def test_a_pair_that_rounding_brings_to_the_edge_is_not_called_outside():
    edge = _printed("0.8", "0.666")  # the edge is 2/3
    plane, gaps = draw_region({"mine": [edge]}, bounds.jaccard, xlabel="Dice", ylabel="IoU").axes
    assert _filled(plane) == _filled(gaps) == []
    beyond = _printed("0.8", "0.665")
    plane, gaps = draw_region({"mine": [beyond]}, bounds.jaccard, xlabel="Dice", ylabel="IoU").axes
    assert len(_filled(plane)) == len(_filled(gaps)) == 1


def test_a_pair_beyond_the_other_edge_is_filled_and_off_the_possible_in_both_panels():
    above = _printed("0.8", "0.82")  # an IoU larger than its Dice
    plane, gaps = draw_region({"mine": [above, INSIDE]}, bounds.jaccard, xlabel="Dice", ylabel="IoU").axes
    assert _filled(plane) == [(0.8, 0.82)]
    ((x, y),) = _filled(gaps)
    region = gaps.collections[-1].get_paths()[0]
    assert not region.contains_point((x, y))
    assert region.contains_point((x, 100 * (0.8 - 0.8 / 1.2) - 0.1))
    assert gaps.get_ylim()[1] > y


def test_labels_of_a_region_are_no_taller_than_its_panels():
    figure = draw_region({"mine": [INSIDE, BELOW]}, bounds.jaccard, xlabel="F1", ylabel="Jaccard index")
    figure.draw_without_rendering()
    for ax in figure.axes:
        assert ax.yaxis.label.get_window_extent().height < ax.get_window_extent().height
        assert len(ax.get_xticks()) <= 8


def test_the_bar_of_a_gap_is_as_long_as_rounding_of_all_scores_makes_it():
    row = _printed("0.8", "0.9", "0.846")
    figure = draw_gaps(
        {"mine": [row]}, bounds.f1, at=lambda p, _: float(p.low), edge="high", xlabel="precision", ylabel="gap"
    )
    (bar,) = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 2 and line.get_linewidth() == 1][:1]
    low, high = bar.get_ydata()
    f1 = bounds.f1(*row[:2]).high, bounds.f1(*(Interval.of(one.low) for one in row[:2])).high
    assert (low, high) == pytest.approx((100 * float(row[2].low - f1[0]), 100 * float(row[2].high - f1[1])))
    assert _filled(figure.axes[0]) == []


def test_a_score_above_an_upper_edge_is_filled():
    rows = [_printed("0.8", "0.9", "0.86"), _printed("0.8", "0.9", "0.70")]
    figure = draw_gaps(
        {"mine": rows}, bounds.f1, at=lambda p, _: float(p.low), edge="high", xlabel="precision", ylabel="gap"
    )
    assert len(_filled(figure.axes[0])) == 1


def test_a_paper_has_one_colour_and_mark_in_every_figure():
    def colour(points):
        plane = draw_region(points, bounds.jaccard, xlabel="Dice", ylabel="IoU").axes[0]
        return {
            marks.get_label(): to_hex(marks.get_edgecolor()[0]).upper()
            for marks in plane.collections
            if marks.get_label() in PAPERS.values()
        }

    names = list(PAPERS.values())
    alone = {name: colour({name: [INSIDE]})[name] for name in names}
    assert colour({name: [INSIDE] for name in names}) == alone
    assert len(set(alone.values())) == len(names)
    assert set(alone.values()) <= set(PALETTE.values())


def test_intervals_have_the_ends_that_they_were_given_and_a_kind_has_one_colour():
    rows = {"first": {"claimed": (1.0, 2.0), "printed": (3.0, 4.0)}, "second": {"printed": (0.0, 1.0)}}
    figure = draw_intervals(rows, xlabel="points")
    bars = [line for line in figure.axes[0].lines if line.get_linestyle() == "-" and line.get_linewidth() == 2]
    assert [tuple(line.get_xdata()) for line in bars] == [(1, 2), (3, 4), (0, 1)]
    assert bars[1].get_color() == bars[2].get_color() != bars[0].get_color()
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["first", "second"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["claimed", "printed"]


def test_a_row_of_means_shows_the_reach_of_all_means_the_plain_one_and_the_printed_one():
    figure = draw_mean_rows({"Dice": ([0.6, 0.9], (0.795, 0.805))}, xlabel="score")
    ax = figure.axes[0]
    assert tuple(ax.lines[0].get_xdata()) == (0.6, 0.9)
    places = {marks.get_label(): marks.get_offsets()[:, 0].tolist() for marks in ax.collections}
    assert places["printed rows"] == [0.6, 0.9]
    assert places["their unweighted mean"] == pytest.approx([0.75])
    assert places["printed mean"] == pytest.approx([0.8])


@pytest.mark.parametrize(
    "draw",
    [
        lambda: draw_region({}, bounds.jaccard, xlabel="", ylabel=""),
        lambda: draw_gaps({}, bounds.f1, at=lambda *_: 0.0, edge="high", xlabel="", ylabel=""),
        lambda: draw_intervals({}, xlabel=""),
        lambda: draw_mean_rows({}, xlabel=""),
    ],
)
def test_nothing_to_draw_is_an_error(draw):
    with pytest.raises(ValueError, match="there is nothing to draw"):
        draw()
