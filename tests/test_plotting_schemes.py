"""Schemes: a box for each level, an arrow for each step, and faults that are named."""

import pytest
from matplotlib.patches import FancyBboxPatch

from histolab_lib.plotting import PALETTE, draw_chain, draw_u
from histolab_lib.plotting.look import WIDE_IN


def test_a_u_has_a_box_for_each_level_and_side_and_three_arrows_for_each_skip():
    (ax,) = draw_u(["a", "b", "c"], ["e", "d"], marked=[1], note="gate").axes
    boxes = [one for one in ax.patches if isinstance(one, FancyBboxPatch)]
    written = [one.get_text() for one in ax.texts if one.get_text()]
    arrows = [one for one in ax.texts if not one.get_text()]
    assert len(boxes) == 5
    assert sorted(written) == ["a", "b", "c", "d", "e", "gate"]
    assert len(arrows) == 2 * 3


def test_a_deep_u_is_no_wider_than_a_page_and_its_words_stay_in_their_boxes():
    shapes = [f"En{i}\n512 x {2**i} x {2**i}" for i in range(10, 3, -1)]
    figure = draw_u(shapes, shapes[:-1])
    assert figure.get_figwidth() <= WIDE_IN
    figure.draw_without_rendering()
    (ax,) = figure.axes
    boxes = [one.get_window_extent() for one in ax.patches if isinstance(one, FancyBboxPatch)]
    words = [one.get_window_extent() for one in ax.texts if one.get_text()]
    assert all(word.width < box.width and word.height < box.height for word, box in zip(words, boxes, strict=True))


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


def test_a_chain_has_its_boxes_from_top_to_bottom_with_shapes_beside_them():
    (ax,) = draw_chain([("a", "1 x 1"), ("b", "2 x 2"), ("c", "3 x 3")], links={(0, 2): "skip"}, marked=[1]).axes
    at = {one.get_text(): one.get_position() for one in ax.texts if one.get_text()}
    assert at["a"][1] > at["b"][1] > at["c"][1]
    for what, shape in (("a", "1 x 1"), ("b", "2 x 2"), ("c", "3 x 3")):
        assert at[shape][1] == at[what][1]
        assert at[shape][0] < at[what][0] < at["skip"][0]
    assert at["skip"][1] == (at["a"][1] + at["c"][1]) / 2
    assert len([one for one in ax.texts if not one.get_text()]) == 2 + 1
    from matplotlib.colors import to_hex

    boxes = [one for one in ax.patches if isinstance(one, FancyBboxPatch)]
    assert [to_hex(one.get_edgecolor()) == PALETTE["vermilion"].lower() for one in boxes] == [False, True, False]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"boxes": []}, "boxes is empty"),
        ({"boxes": [("a", "")], "marked": [1]}, r"places \[1\] have no box; there are 1"),
        ({"boxes": [("a", ""), ("b", "")], "links": {(0, 2): ""}}, r"places \[2\] have no box; there are 2"),
        ({"boxes": [("a", ""), ("b", "")], "links": {(1, 0): ""}}, r"from a box to a later one, got \(1, 0\)"),
    ],
)
def test_a_chain_that_is_none_is_an_error(given, message):
    with pytest.raises(ValueError, match=message):
        draw_chain(**given)
