import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from histolab_lib.patches import (
    BLENDS,
    BORDERS,
    PADDINGS,
    SCHEMES,
    Window,
    corners,
    cut,
    cut_array,
    positions,
    quarters,
    stitch,
    windows,
)
from histolab_lib.tile import Tile

sides = st.integers(1, 30)


def _tile(height, width, seed=0):
    rng = np.random.default_rng(seed)
    image = rng.integers(256, size=(height, width, 3), dtype=np.uint8)
    return Tile("demo", image, rng.integers(1, 9, size=(height, width), dtype=np.int32))


@given(sides, sides, sides)
def test_positions_are_those_found_by_walking_along_the_side(length, size, step):
    walked, at = [], 0
    while at + size <= length:
        walked.append(at)
        at += step
    assert positions(length, size, step, border="drop") == walked
    covered = {p for start in walked for p in range(start, start + size)}
    if step <= size <= length:
        shifted = positions(length, size, step, border="shift")
        assert shifted == (walked if length - 1 in covered else [*walked, length - size])
    padded = positions(length, size, step, border="pad")
    assert padded[: len(walked)] == walked
    assert len(padded) <= len(walked) + 1
    assert all(p % step == 0 and p < length for p in padded)
    if step <= size:
        assert {p for start in padded for p in range(start, start + size)} >= set(range(length))


def test_positions_refuse_what_makes_no_windows():
    with pytest.raises(ValueError, match="border must be one of 'drop', 'shift', 'pad', got 'reflect'"):
        positions(10, 4, 4, border="reflect")
    with pytest.raises(ValueError, match="step_px must be at least 1 pixel, got 0"):
        positions(10, 4, 0, border="drop")
    with pytest.raises(ValueError, match="a window of 12 pixels cannot be shifted into 10; use border='pad'"):
        positions(10, 12, 4, border="shift")


def test_windows_are_listed_row_by_row_with_their_own_height_and_width():
    assert windows((5, 7), (2, 3), (2, 4), border="drop") == (
        Window(0, 0, 2, 3),
        Window(0, 4, 2, 3),
        Window(2, 0, 2, 3),
        Window(2, 4, 2, 3),
    )
    assert Window(2, 4, 2, 3).slices == (slice(2, 4), slice(4, 7))


def test_corners_lie_in_the_corners_and_need_room():
    where = corners((10, 9), 6)
    assert [window[:2] for window in where] == [(0, 0), (0, 3), (4, 0), (4, 3)]
    with pytest.raises(ValueError, match="a tile of 6x9 pixels has no four corners of 6x6"):
        corners((6, 9), 6)


def test_quarters_hold_every_pixel_once_and_need_even_sides():
    count = np.zeros((6, 8), int)
    for window in quarters((6, 8)):
        count[window.slices] += 1
    assert (count == 1).all()
    with pytest.raises(ValueError, match="a tile of 5x8 pixels has no four equal quarters; resize it"):
        quarters((5, 8))


def test_crops_are_what_lies_in_their_windows():
    tile = _tile(20, 30)
    where = windows(tile.shape, (8, 9), 5, border="drop")
    crops = cut(tile, where)
    assert crops.origins == tuple(("demo", window.top, window.left) for window in where)
    for image, instances, (_, top, left) in zip(*crops, strict=True):
        np.testing.assert_array_equal(image, tile.image[top : top + 8, left : left + 9])
        np.testing.assert_array_equal(instances, tile.instances[top : top + 8, left : left + 9])
    crops.images[:] = 0
    assert tile.image.any()


def test_beyond_the_border_is_white_glass_or_the_tile_mirrored_with_its_objects():
    tile, where = _tile(3, 4), [Window(0, 0, 5, 6)]
    white, mirrored = (cut(tile, where, padding=padding) for padding in PADDINGS)
    np.testing.assert_array_equal(white.images[0, :3, :4], tile.image)
    assert (white.images[0, 3:] == 255).all()
    assert (white.images[0, :, 4:] == 255).all()
    assert not white.instances[0, 3:].any()
    rows, columns = [0, 1, 2, 2, 1], [0, 1, 2, 3, 3, 2]
    np.testing.assert_array_equal(mirrored.images[0], tile.image[np.ix_(rows, columns)])
    np.testing.assert_array_equal(mirrored.instances[0], tile.instances[np.ix_(rows, columns)])
    assert white.images.dtype == np.uint8
    assert mirrored.instances.dtype == np.int32


def test_a_map_is_cut_like_a_tile():
    tile, where = _tile(7, 9), windows((7, 9), 4, 4, border="pad")
    np.testing.assert_array_equal(cut_array(tile.image, where, fill=255), cut(tile, where, padding="white").images)
    mirrored = cut(tile, where, padding="reflect")
    np.testing.assert_array_equal(cut_array(tile.instances, where, fill="reflect"), mirrored.instances)


@pytest.mark.parametrize(
    ("where", "padding", "words"),
    [
        ([], None, "tile demo: no window to cut: is 8x9 pixels smaller than a window"),
        ([Window(0, 0, 4, 4), Window(0, 0, 4, 5)], None, "windows must be of one size, got 4x4 and 4x5"),
        ([Window(6, 0, 4, 4)], None, r"4x4 pixels at row 6, column 0 overhangs its 8x9; say padding='white' or 'refl"),
        ([Window(8, 0, 4, 4)], "white", "at row 8, column 0 is outside of 8x9"),
        ([Window(-1, 0, 4, 4)], "white", "at row -1, column 0 is outside of 8x9"),
        ([Window(0, 0, 4, 4)], "black", "padding must be 'white' or 'reflect', got 'black'"),
    ],
)
def test_windows_that_do_not_fit_are_named(where, padding, words):
    with pytest.raises(ValueError, match=words):
        cut(_tile(8, 9), where, padding=padding)


def test_what_is_no_map_is_not_cut():
    with pytest.raises(ValueError, match=r"expected a map of shape \(H, W\) or \(H, W, C\), got \(4,\)"):
        cut_array(np.zeros(4), [Window(0, 0, 1, 1)])


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_stitching_undoes_cutting_exactly_for_every_shape_step_border_and_blend(data):
    height, width = data.draw(st.tuples(sides, sides))
    border, blend = data.draw(st.sampled_from(BORDERS)), data.draw(st.sampled_from(BLENDS))
    most = (height, width) if border != "pad" else (35, 35)
    size = tuple(data.draw(st.integers(1, side)) for side in most)
    step = tuple(data.draw(st.integers(1, side)) for side in size)
    where = windows((height, width), size, step, border=border)
    shape = (height, width) if data.draw(st.booleans()) else (height, width, 2)
    values = data.draw(arrays(np.float32, shape, elements=st.floats(-(2.0**100), 2.0**100, width=32)))
    patches = cut_array(values, where, fill=data.draw(st.sampled_from([0.0, "reflect"])))
    held = np.zeros((height, width), bool)
    for window in where:
        held[window.slices] = True
    if border != "drop":
        assert held.all()
    whole = stitch(patches, where, (height, width), blend=blend, fill=-1.0)
    assert whole.dtype == np.float32
    np.testing.assert_array_equal(whole[held], values[held])
    assert (whole[~held] == -1).all()


@pytest.mark.parametrize("blend", BLENDS)
def test_float64_comes_back_to_the_last_digits(blend):
    values = np.random.default_rng(0).normal(size=(40, 50, 2))
    where = windows((40, 50), 16, 5, border="shift")
    np.testing.assert_allclose(
        stitch(cut_array(values, where), where, (40, 50), blend=blend), values, rtol=1e-14, atol=1e-15
    )


def test_blends_weigh_windows_as_written_out_pixel_by_pixel():
    where = windows((9, 11), (4, 5), (3, 3), border="drop")
    patches = np.random.default_rng(0).normal(size=(len(where), 4, 5))

    def side(blend, i, length):
        if blend == "mean":
            return 1
        if blend == "linear":
            return min(i + 1, length - i)
        return np.exp(-0.5 * ((i - (length - 1) / 2) / (length / 8)) ** 2)

    for blend in BLENDS:
        expected = np.full((9, 11), np.nan)
        for y, x in np.ndindex(9, 11):
            held = [(y - w.top, x - w.left, k) for k, w in enumerate(where)]
            held = [(i, j, k) for i, j, k in held if 0 <= i < 4 and 0 <= j < 5]
            if held:
                weights = [side(blend, i, 4) * side(blend, j, 5) for i, j, _ in held]
                expected[y, x] = np.average([patches[k, i, j] for i, j, k in held], weights=weights)
        got = stitch(patches, where, (9, 11), blend=blend, fill=np.nan)
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12)
    assert np.isnan(expected).any()


def test_what_cannot_be_stitched_is_refused():
    where = windows((4, 6), 4, 2, border="drop")
    patches = np.zeros((2, 4, 4))
    with pytest.raises(TypeError, match="expected float maps, got int32; ids, classes and masks have no mean"):
        stitch(patches.astype(np.int32), where, (4, 6), blend="mean")
    with pytest.raises(TypeError, match="expected float maps, got bool"):
        stitch(patches > 0, where, (4, 6), blend="mean")
    with pytest.raises(ValueError, match="blend must be one of 'mean', 'linear', 'gaussian', got 'max'"):
        stitch(patches, where, (4, 6), blend="max")
    with pytest.raises(ValueError, match=r"2 windows of sizes \[\(4, 4\)\] do not fit patches of shape \(3, 4, 4\)"):
        stitch(np.zeros((3, 4, 4)), where, (4, 6), blend="mean")
    with pytest.raises(ValueError, match="8 of 32 pixels are in no window; cover them"):
        stitch(patches, where, (4, 8), blend="gaussian")
    with pytest.raises(ValueError, match="windows must begin inside the tile"):
        stitch(np.zeros((1, 4, 4)), [Window(-1, 0, 4, 4)], (4, 4), blend="mean")


def test_blending_makes_the_seam_between_windows_smaller():
    where = windows((16, 24), 16, 8, border="drop")
    patches = np.stack([np.zeros((16, 16)), np.ones((16, 16))])
    steps = {blend: np.abs(np.diff(stitch(patches, where, (16, 24), blend=blend)[8])).max() for blend in BLENDS}
    assert steps["linear"] < steps["gaussian"] < steps["mean"] == 0.5


MONUSEG = (1000, 1000)
# Height, width and number of GlaS's images, read from the files.
GLAS_TRAIN = {(522, 775): 79, (453, 589): 4, (430, 567): 1, (433, 574): 1}
GLAS_TEST = {(522, 775): 72, (453, 589): 4, (442, 581): 2, (433, 578): 1, (433, 574): 1}


def _count(scheme, shapes):
    return sum(number * len(SCHEMES[scheme].windows(shape)) for shape, number in shapes.items())


def test_histosegs_printed_counts_are_those_of_a_step_of_120_and_of_every_test_tile():
    assert (_count("histoseg", {MONUSEG: 30}), _count("histoseg", {MONUSEG: 14})) == (1470, 686)
    same = [step for step in range(1, 300) if len(positions(1000, 256, step, border="drop")) ** 2 == 49]
    assert (same[0], same[-1]) == (107, 124)


def test_histosegs_printed_counts_are_not_those_of_the_step_that_its_text_gives():
    assert _count("histoseg_text", {MONUSEG: 30}) == 270


def test_histosegs_count_for_glas_is_70_percent_of_all_165_images_and_the_85_alone_cannot_give_it():
    both = _count("histoseg", GLAS_TRAIN), _count("histoseg", GLAS_TEST)
    assert both == (1221, 1128)
    assert round(0.7 * sum(both)) == 1644
    assert sum(both) - 1644 == 705  # printed: 703; no step gives 1644 + 703 = 2347
    for step in range(16, 400):
        counts = [
            sum(n * len(windows(shape, 256, step, border="drop")) for shape, n in images.items())
            for images in (GLAS_TRAIN, GLAS_TEST)
        ]
        assert not {1644, 703, 2347} & {*counts}


def test_msal_nets_printed_counts_are_four_corners_of_every_tile_which_overlap_by_24_pixels():
    assert (_count("msal_net", {MONUSEG: 44}), _count("msal_net", {MONUSEG: 30})) == (176, 120)
    first, second, third, last = SCHEMES["msal_net"].windows(MONUSEG)
    assert first.left + first.width - second.left == 24
    assert first.top + first.height - third.top == 24
    assert (last.top + last.height, last.left + last.width) == MONUSEG


def test_linknets_printed_count_is_four_quarters_of_13_versions_of_every_image():
    assert _count("gland_linknet", GLAS_TRAIN) == 85 * 4
    assert 13 * 85 * 4 == 4420
    assert {window[2:] for window in SCHEMES["gland_linknet"].windows((522, 775))} == {(288, 416)}


def test_dan_nucnet_cuts_16_of_1024_pixels_and_covers_what_is_not_a_multiple():
    scheme = SCHEMES["dan_nucnet"]
    assert len(scheme.windows((1024, 1024))) == 16
    assert len(scheme.windows(MONUSEG)) == 16
    assert scheme.windows(MONUSEG)[-1] == Window(768, 768, 256, 256)
    assert len(scheme.windows((256, 256))) == 1


def test_haru_net_cuts_nothing():
    assert SCHEMES["haru_net"].windows(MONUSEG) == (Window(0, 0, *MONUSEG),)


@pytest.mark.parametrize("name", SCHEMES)
def test_every_scheme_says_where_it_comes_from_and_cuts_a_tile_of_1000_pixels(name):
    scheme = SCHEMES[name]
    assert name.startswith(scheme.paper)
    assert any(char.isdigit() or char == "(" for char in scheme.says)
    where = scheme.windows(MONUSEG)
    height, width = scheme.resize_px or MONUSEG
    crops = cut_array(np.zeros((height, width), np.uint8), where, fill="reflect")
    assert len(crops) == len(where) > 0
