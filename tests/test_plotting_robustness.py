"""The figure of corruptions: a panel each, undisturbed at the left, one look a system in all panels."""

import pytest
from matplotlib.colors import to_hex

from histolab_lib.plotting import PALETTE, draw_corruptions
from histolab_lib.plotting.look import WIDE_IN

BLUR = {"network": {0: 0.8, 1: 0.7, 4: 0.3}, "floor": {0: 0.6, 1: 0.6, 4: 0.5}}
JPEG = {"network": {100: 0.8, 50: 0.6, 10: 0.2}, "floor": {100: 0.6, 50: 0.6, 10: 0.6}}


def panels(figure):
    return {ax.get_title(loc="left"): ax for ax in figure.axes if ax.axison}


def test_each_panel_shows_its_curves_over_its_own_axis_from_none_at_the_left():
    figure = draw_corruptions({"blur": BLUR, "jpeg": JPEG}, score="Dice", limits=(0.1, 0.9))
    found = panels(figure)
    assert list(found) == ["blur", "JPEG"]
    for ax, curves in zip(found.values(), (BLUR, JPEG), strict=True):
        assert [(line.get_label(), dict(zip(*line.get_data(), strict=True))) for line in ax.lines] == list(
            curves.items()
        )
        ends = ax.transData.transform([(step, 0.5) for step in curves["floor"]])[:, 0]
        assert list(ends) == sorted(ends)
        assert ax.get_ylim() == (0.1, 0.9)
    assert [text.get_text() for text in found["JPEG"].get_xticklabels()] == ["100", "50", "10"]
    assert found["blur"].get_xlabel() == "sigma in px"
    assert (found["blur"].get_ylabel(), found["JPEG"].get_ylabel()) == ("Dice", "")


def test_a_system_looks_the_same_in_all_panels_though_one_lacks_another():
    figure = draw_corruptions({"blur": BLUR, "jpeg": {"floor": JPEG["floor"]}}, score="Dice")
    first, second = panels(figure).values()
    looks = {line.get_label(): (to_hex(line.get_color()).upper(), line.get_marker()) for line in first.lines}
    assert looks == {"network": (PALETTE["vermilion"], "o"), "floor": (PALETTE["blue"], "s")}
    assert to_hex(second.lines[0].get_color()).upper() == PALETTE["blue"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["network", "floor"]


def test_five_panels_take_two_rows_and_the_rest_stays_empty():
    names = ("blur", "noise", "coarser", "smaller", "darker")
    figure = draw_corruptions(dict.fromkeys(names, BLUR), score="AJI")
    assert len(figure.axes) == 6
    assert figure.get_figwidth() <= WIDE_IN
    assert len(panels(figure)) == 5


def test_what_cannot_be_drawn_is_an_error():
    with pytest.raises(ValueError, match="curves is empty"):
        draw_corruptions({}, score="Dice")
    with pytest.raises(ValueError, match="unknown corruption 'blurr', did you mean 'blur'"):
        draw_corruptions({"blurr": BLUR}, score="Dice")
    with pytest.raises(ValueError, match="at most 6 systems can be told apart, got 7: 0, 1, 2"):
        draw_corruptions({"blur": {str(k): {0: 0.5} for k in range(7)}}, score="Dice")
