"""Schemes: a box for each level, an arrow for each step, and faults that are named."""

import pytest
from matplotlib.patches import FancyBboxPatch

from histolab_lib.plotting import draw_u


def test_a_u_has_a_box_for_each_level_and_side_and_three_arrows_for_each_skip():
    (ax,) = draw_u(["a", "b", "c"], ["e", "d"], marked=[1], note="gate").axes
    boxes = [one for one in ax.patches if isinstance(one, FancyBboxPatch)]
    written = [one.get_text() for one in ax.texts if one.get_text()]
    arrows = [one for one in ax.texts if not one.get_text()]
    assert len(boxes) == 5
    assert sorted(written) == ["a", "b", "c", "d", "e", "gate"]
    assert len(arrows) == 2 * 3


def test_finer_levels_stand_higher_and_the_way_up_to_the_right():
    (ax,) = draw_u(["a", "b", "c"], ["e", "d"]).axes
    at = {one.get_text(): one.get_position() for one in ax.texts if one.get_text()}
    assert at["a"][1] == at["e"][1] > at["b"][1] == at["d"][1] > at["c"][1]
    assert at["a"][0] < at["b"][0] < at["c"][0] < at["d"][0] < at["e"][0]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((["a", "b"], ["c", "d"]), "one box fewer than down, got 2 and 2"),
        (([], []), "down is empty"),
    ],
)
def test_a_u_that_is_none_is_an_error(given, message):
    with pytest.raises(ValueError, match=message):
        draw_u(*given)


def test_a_skip_that_is_not_there_cannot_be_marked():
    with pytest.raises(ValueError, match=r"marked levels \[2\] have no skip; there are 1"):
        draw_u(["a", "b"], ["c"], marked=[0, 2])
