import io
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgba

from histolab_lib import plotting
from histolab_lib.plotting import objects
from histolab_lib.plotting.look import WIDE_IN, rgb
from histolab_lib.tile import Tile


def _tile(name="tile", side=24):
    rng = np.random.default_rng(0)
    instances = np.zeros((side, side), np.int32)
    instances[4:12, 4:12], instances[4:12, 12:20] = 1, 2
    return Tile(name, rng.integers(0, 256, (side, side, 3), dtype=np.uint8), instances, organ="liver")


def _pixels(figure):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    buffer.seek(0)
    return plt.imread(buffer)


def test_the_border_between_two_touching_objects_belongs_to_both_outlines():
    seen = plotting.outlines(_tile().instances)
    assert seen[8, 11]
    assert seen[8, 12]
    assert not seen[8, 8]
    assert not seen[0, 0]


def test_the_error_map_tints_found_missed_and_invented_in_three_colours_and_leaves_the_rest_grey():
    image = np.full((2, 2, 3), 100, np.uint8)
    true = np.array([[True, True], [False, False]])
    pred = np.array([[True, False], [True, False]])
    shown = plotting.error_map(image, true, pred)
    for (row, column), colour in (((0, 0), "sky"), ((0, 1), "vermilion"), ((1, 0), "yellow")):
        wanted = 0.35 * 100 + 0.65 * np.array(rgb(plotting.PALETTE[colour]))
        np.testing.assert_allclose(shown[row, column], wanted, atol=0.51)
    assert shown[1, 1].tolist() == [100, 100, 100]


def test_a_drawn_figure_is_no_longer_open_in_pyplot_so_that_a_notebook_shows_it_once():
    before = plt.get_fignums()
    figure = plotting.draw_tiles([_tile()])
    assert plt.get_fignums() == before
    assert _pixels(figure).std() > 0.05


def test_tiles_are_drawn_with_their_outlines_and_their_images_stay_as_they_were():
    tile = _tile()
    before = tile.image.copy()
    figure = plotting.draw_tiles([tile, tile, tile, tile], columns=3, crop_px=10)
    np.testing.assert_array_equal(tile.image, before)
    shown = [ax for ax in figure.axes if ax.images]
    assert [ax.images[0].get_array().shape for ax in shown] == [(10, 10, 3)] * 4
    drawn = np.asarray(shown[0].images[0].get_array())
    assert (drawn[plotting.outlines(tile.instances[:10, :10])] == rgb(plotting.PALETTE["yellow"])).all()


@pytest.mark.parametrize(
    "draw",
    [
        lambda tile: plotting.draw_tiles([tile] * 6, columns=6),
        lambda tile: plotting.draw_maps(tile.image, dict.fromkeys("abcd", np.eye(4)), columns=5),
        lambda tile: plotting.draw_instances(tile.image, dict.fromkeys("abcde", tile.mask), columns=5),
        lambda _: plotting.draw_dots(pd.DataFrame({"way": ["one"], **{name: [1.0] for name in "abcdef"}}), row="way"),
    ],
)
def test_a_full_row_of_panels_is_no_wider_than_a_page_and_its_words_are_of_nine_pixels(draw):
    figure = draw(_tile())
    assert figure.get_figwidth() <= WIDE_IN
    sizes = [ax.title.get_fontsize() for ax in figure.axes]
    assert min(sizes) * 670 / (72 * WIDE_IN) >= 9  # px in a column of 670


def test_long_titles_are_broken_so_that_neighbours_do_not_touch():
    tile = _tile()
    names = [f"hematoxylin, sharpened {n} times over" for n in range(5)]
    figure = plotting.draw_instances(tile.image, dict.fromkeys(names, tile.mask), columns=5)
    figure.draw_without_rendering()
    boxes = [ax.title.get_window_extent() for ax in figure.axes]
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


def test_counts_have_whole_numbers_at_their_scale_and_shares_have_what_they_need():
    counts, shares = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[0.1, 0.4], [0.2, 0.9]])
    figure = plotting.draw_maps(_tile().image, {"counts": counts, "shares": shares})
    whole, parts = (ax for ax in figure.axes if not ax.images and not ax.get_title())
    assert [tick % 1 for tick in whole.get_xticks()] == [0] * len(whole.get_xticks())
    assert any(tick % 1 for tick in parts.get_xticks())


def test_titles_name_the_tile_briefly_and_its_organ():
    figure = plotting.draw_tiles([_tile("TCGA-18-5592-01Z-00-DX1"), _tile("synthetic-mixed-256px-seed0-test-0003")])
    assert [ax.get_title() for ax in figure.axes] == ["TCGA-18-5592 (liver)", "synthetic, test 0003 (liver)"]


def test_each_map_has_a_panel_and_a_scale_of_its_own():
    image = np.zeros((24, 32, 3), np.uint8)
    figure = plotting.draw_maps(image, {"fine": np.eye(24, 32), "coarse": np.arange(12.0).reshape(3, 4)})
    panels = [ax for ax in figure.axes if ax.images]
    assert [ax.get_title() for ax in panels] == ["image", "fine", "coarse"]
    assert [ax.images[0].get_clim() for ax in panels[1:]] == [(0, 1), (0, 11)]
    assert all(ax.get_xlim() == (0, 32) and ax.get_ylim() == (24, 0) for ax in panels[1:])
    assert len(figure.axes) == 5  # two scales
    with pytest.raises(ValueError, match=r"map 'three': expected shape \(h, w\), got \(2, 2, 2\)"):
        plotting.draw_maps(image, {"three": np.zeros((2, 2, 2))})


def test_stains_share_one_scale():
    tile = _tile()
    figure = plotting.draw_stains(tile.image, np.zeros((24, 24)), np.ones((24, 24)))
    shown = [np.asarray(ax.images[0].get_array()).mean() for ax in figure.axes[1:]]
    assert shown == [0, 1]  # hematoxylin in the middle, eosin at the right
    limits = [ax.images[0].get_clim() for ax in figure.axes[1:]]
    assert limits[0] == limits[1] == (0, 1)


@pytest.mark.parametrize("steps", [1, 5, 200])
def test_the_learning_curve_shows_every_step_and_the_floor(steps):
    losses = list(np.linspace(1, 0.5, steps))
    figure = plotting.draw_learning(losses, {steps: 0.8}, floor=0.7)
    left, right = figure.axes
    assert left.lines[0].get_ydata().tolist() == losses
    assert left.lines[1].get_xdata()[-1] == steps
    assert right.lines[1].get_ydata()[0] == 0.7


def test_scores_are_drawn_one_dot_an_image_with_lines_between_the_methods_that_share_it():
    scores = {"first": {"a": 0.5, "b": 0.7}, "second": {"a": 0.6, "b": 0.9, "c": 0.1}}
    ax = plotting.draw_scores(scores, score="Dice").axes[0]
    assert [len(dots.get_offsets()) for dots in ax.collections] == [2, 3]
    joined = [list(line.get_xdata()) for line in ax.lines[:2]]
    assert joined == [[0.5, 0.6], [0.7, 0.9]]
    means = [line.get_xdata()[0] for line in ax.lines[2:]]
    np.testing.assert_allclose(means, [0.6, 0.53333333])


def test_a_key_says_what_dots_bars_and_lines_of_scores_are():
    figure = plotting.draw_scores({"first": {"a": 0.5}, "second": {"a": 0.6}}, score="Dice")
    said = {text.get_text() for text in figure.legends[0].get_texts()}
    assert said == {"one image", "mean of the row", "the same image"}
    assert figure.axes[0].get_xlabel() == "Dice of each image"
    alone = plotting.draw_scores({"only": {"a": 0.5}}, score="Dice")
    assert {text.get_text() for text in alone.legends[0].get_texts()} == {"one image", "mean of the row"}


def test_predictions_are_drawn_under_their_tiles_with_the_score_in_the_title():
    tile = _tile()
    figure = plotting.draw_errors([tile, tile], [tile.mask, ~tile.mask], [1.0, 0.0], crop_px=16)
    titles = [ax.get_title() for ax in figure.axes]
    assert titles == ["tile\nDice 1.00", "tile\nDice 0.00", "", ""]
    shown = np.asarray(figure.axes[2].images[0].get_array())
    np.testing.assert_array_equal(
        shown, plotting.error_map(tile.image[:16, :16], tile.mask[:16, :16], tile.mask[:16, :16])
    )


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda: plotting.draw_tiles([]), "tiles is empty: there is nothing to draw"),
        (lambda: plotting.draw_tiles([_tile()], crop_px=0), "crop_px must be at least 1 pixel, .* got 0"),
        (lambda: plotting.draw_scores({}, score="Dice"), "scores is empty"),
        (lambda: plotting.draw_learning([], {}), "losses is empty"),
        (lambda: plotting.draw_errors([_tile()], [], [0.5]), "got 1 tiles, 0 masks and 1 scores"),
        (
            lambda: plotting.error_map(_tile().image, _tile().mask, _tile(side=30).mask),
            r"image \(24, 24, 3\), true \(24, 24\) and pred \(30, 30\) must have one size",
        ),
    ],
)
def test_what_cannot_be_drawn_is_said_in_words(draw, words):
    with pytest.raises(ValueError, match=words):
        draw()


def test_the_key_of_the_error_map_has_the_colours_of_the_map():
    tile = _tile()
    figure = plotting.draw_errors([tile], [tile.mask], [1.0])
    key = {
        text.get_text(): patch.get_facecolor()
        for patch, text in zip(figure.legends[0].get_patches(), figure.legends[0].get_texts(), strict=True)
    }
    wanted = {"found": "sky", "missed": "vermilion", "invented": "yellow"}
    assert key == {name: to_rgba(plotting.PALETTE[colour]) for name, colour in wanted.items()}


def test_the_reader_s_own_style_is_left_alone():
    before = dict(plt.rcParams)
    plotting.draw_scores({"only": {"a": 1.0}}, score="Dice")
    assert dict(plt.rcParams) == before


def test_a_table_of_scores_is_drawn_with_every_number_in_its_cell():
    table = pd.DataFrame({"Dice": [1.0, 0.25], "AJI": [0.5, np.nan]}, index=["a", "b"])
    ax = plotting.draw_table(table, low=0, high=1).axes[0]
    assert [text.get_text() for text in ax.texts] == ["1.00", "0.50", "0.25"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]
    assert ax.collections[0].get_clim() == (0, 1)


def test_objects_that_touch_or_nearly_touch_are_drawn_in_different_colours():
    rng = np.random.default_rng(0)
    wall = np.kron(np.arange(36).reshape(6, 6), np.ones((3, 6), int))
    wall[3:6], wall[9:12], wall[15:] = (np.roll(wall[rows], 3, axis=1) for rows in np.s_[3:6, 9:12, 15:18])
    for _ in range(20):
        instances = rng.permutation(36)[wall]  # one brick is background
        colours = objects._colouring(instances)
        assert set(colours) == set(range(1, 36))
        for here, there in ((instances[:-1], instances[1:]), (instances[:, :-1], instances[:, 1:])):
            pairs = np.stack([here, there])[:, (here != there) & (here > 0) & (there > 0)]
            assert all(colours[one] != colours[other] for one, other in pairs.T)
    two_apart = objects._colouring(np.array([[8, 0, 1, 0, 0, 15]]))  # 1, 8 and 15 are equal modulo seven colours
    assert two_apart[8] != two_apart[1]


def test_instances_masks_and_numbers_are_each_drawn_in_their_own_way():
    tile = _tile()
    maps = {"tissue": tile.image, "objects": tile.instances, "mask": tile.mask, "depth": tile.mask * 0.5}
    before = tile.image.copy()
    figure = plotting.draw_instances(tile.image, maps, points={"depth": np.array([[3, 20], [8, 1]])}, columns=2)
    np.testing.assert_array_equal(tile.image, before)
    assert [ax.get_title() for ax in figure.axes] == list(maps)
    tissue, objects, mask, depth = (np.asarray(ax.images[0].get_array()) for ax in figure.axes)
    np.testing.assert_array_equal(tissue, tile.image)
    np.testing.assert_array_equal(mask, tile.mask)
    assert depth.max() == 0.5
    assert len({tuple(objects[row, column]) for row, column in ((4, 4), (4, 19))}) == 2
    assert (np.ptp(objects[~tile.mask].astype(int), axis=1) == 0).all()  # background is grey
    x, y = figure.axes[3].lines[0].get_data()
    assert (list(x), list(y)) == ([20, 1], [3, 8])


def test_maps_of_numbers_share_one_scale_with_a_bar_only_where_limits_say_so():
    tile = _tile()
    maps = {"tissue": tile.image, "faint": tile.mask * 0.1, "strong": tile.mask * 0.9, "objects": tile.instances}
    *drawn, bar = plotting.draw_instances(tile.image, maps, limits=(0, 1), columns=4).axes
    assert [ax.get_title() for ax in drawn] == list(maps)
    assert [ax.images[0].get_clim() for ax in drawn[1:3]] == [(0, 1), (0, 1)]
    assert bar.get_ylim() == (0, 1)
    own = plotting.draw_instances(tile.image, maps, columns=4).axes
    assert [ax.images[0].get_clim() for ax in own[1:3]] == [(0, 0.1), (0, 0.9)]
    assert len(own) == len(maps)


def test_objects_are_drawn_in_the_colour_of_what_became_of_them_with_a_key():
    image = np.full((6, 24, 3), 255, np.uint8)
    true, pred = np.zeros((2, 6, 24), int)
    true[:, :4], true[:, 4:8], pred[:, :8] = 1, 2, 9  # merged
    true[:, 9:13], pred[:, 9:13] = 3, 3  # matched
    true[:, 14:17] = 4  # missed
    pred[:, 18:21] = 5  # false
    figure = plotting.draw_errors_by_object(image, true, {"one": pred, "truth": true})
    assert [ax.get_title() for ax in figure.axes] == ["true outlines", "one", "truth", ""]
    shown = np.asarray(figure.axes[1].images[0].get_array())
    for column, colour in ((2, "green"), (6, "green"), (11, "sky"), (15, "vermilion"), (19, "yellow"), (22, None)):
        wanted = 255 if colour is None else 0.3 * 255 + 0.7 * np.array(rgb(plotting.PALETTE[colour]))
        np.testing.assert_allclose(shown[3, column], wanted, atol=0.51)
    assert (shown[3, [7, 9, 18]] == 0).all()  # outlines of what was predicted
    assert shown[3, 4].any()  # a true border inside of one prediction is none of them
    key = [text.get_text() for text in figure.legends[0].get_texts()]
    assert key == ["matched", "missed", "false", "split", "merged"]


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda image: plotting.draw_instances(image, {}), "maps is empty"),
        (
            lambda image: plotting.draw_instances(image, {"mask": np.zeros((3, 24), bool)}),
            r"mask: expected the image's size \(24, 24\), got \(3, 24\)",
        ),
        (
            lambda image: plotting.draw_instances(image, {"image": image}, points={"seeds": np.zeros((1, 2), int)}),
            "points for seeds, but maps has only image",
        ),
        (
            lambda image: plotting.draw_instances(image, {"map": np.zeros((24, 24))}, limits=(1, 1)),
            r"limits must rise, such as \(0, 1\), got \(1, 1\)",
        ),
        (
            lambda image: plotting.draw_instances(image, {"image": image}, limits=(0, 1)),
            "limits are the scale of maps of floats, and none of the maps is one",
        ),
        (lambda image: plotting.draw_errors_by_object(image, np.zeros((24, 24), int), {}), "preds is empty"),
        (
            lambda image: plotting.draw_errors_by_object(image, np.zeros((24, 2), int), {"a": np.zeros((24, 24), int)}),
            r"true: expected the image's size \(24, 24\), got \(24, 2\)",
        ),
    ],
)
def test_maps_of_another_size_and_points_without_a_map_are_refused(draw, words):
    with pytest.raises(ValueError, match=words):
        draw(_tile().image)


def test_curves_share_one_axis_and_are_named_in_a_key():
    figure = plotting.draw_curves([0, 1], {"a": {"red": [1, 2], "blue": [0, 1]}, "b": {"red": [3, 4]}}, xlabel="x")
    left, right = figure.axes
    assert [line.get_ydata().tolist() for line in left.lines] == [[1, 2], [0, 1]]
    assert left.lines[0].get_color() == right.lines[0].get_color()
    assert (left.get_ylabel(), right.get_ylabel()) == ("a", "b")
    assert [text.get_text() for text in figure.legends[0].texts] == ["red", "blue"]


def test_dots_show_every_measurement_in_a_panel_for_each_column():
    table = pd.DataFrame({"way": ["one", "one", "two"], "angle": [1.0, 2.0, 3.0], "error": [0.1, 0.2, 0.3]})
    figure = plotting.draw_dots(table, row="way")
    assert [ax.get_xlabel() for ax in figure.axes] == ["angle", "error"]
    seen = [point for dots in figure.axes[0].collections for point in dots.get_offsets().tolist()]
    assert sorted(x for x, _ in seen) == [1.0, 2.0, 3.0]
    assert {ax.get_xlim() for ax in plotting.draw_dots(table, row="way", limits=(0, 9)).axes} == {(0, 9)}


def test_bars_stand_side_by_side_with_their_numbers():
    table = pd.DataFrame({"train": [30, 4], "test": [14, 1]}, index=["breast", "liver"])
    ax = plotting.draw_bars(table, xlabel="tiles").axes[0]
    assert [bar.get_width() for bars in ax.containers for bar in bars] == [30, 4, 14, 1]
    assert [text.get_text() for text in ax.texts] == ["30", "4", "14", "1"]


def test_rasters_show_the_outline_over_the_pixels_that_each_rule_covers():
    outline = [(1.0, 1.0), (3.0, 1.0), (3.0, 3.0)]
    mask = np.zeros((5, 5), bool)
    mask[1:3, 1:3] = True
    ax = plotting.draw_rasters(outline, {"a rule": mask}).axes[0]
    assert ax.get_title() == "a rule: 4 pixels"
    assert ax.lines[-1].get_xydata().tolist() == [[1, 1], [3, 1], [3, 3], [1, 1]]
    shown = ax.images[0].get_array()
    assert ((shown != shown[0, 0]).any(axis=2) == mask).all()


def test_more_curves_than_colours_are_refused_and_not_left_out():
    curves = {f"curve {n}": [0, n] for n in range(6)}
    with pytest.raises(ValueError, match=r"panel 'loss' has 6 curves, and there are 5 colours: draw 5 at most"):
        plotting.draw_curves([0, 1], {"few": {"one": [0, 1]}, "loss": curves}, xlabel="step")
    more = plotting.draw_curves([0, 1], {"loss": curves}, xlabel="step", colours=list(plotting.PALETTE))
    assert len(more.axes[0].lines) == 6
