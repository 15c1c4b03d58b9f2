import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histolab_lib.datasets.polygons import CONVENTIONS, DEFAULT_CONVENTION, poly2mask, rasterise
from tests.literal import polygons as literal

# Coordinates in fifths and hundredths of a pixel, so that halves of the rule's grid come up often; some overhang.
coordinate = st.one_of(
    st.integers(-5, 17), st.integers(-20, 80).map(lambda k: k / 5), st.integers(-400, 1600).map(lambda k: k / 100)
)
polygon = st.lists(st.tuples(coordinate, coordinate), min_size=0, max_size=9)


def drawn(text):
    return np.array([[int(c) for c in row] for row in text.split()])


def test_the_default_convention_is_the_one_of_the_organisers():
    assert DEFAULT_CONVENTION == "official"
    assert CONVENTIONS == ("official", "skimage", "skimage_half")


@pytest.mark.parametrize(
    ("corners", "expected"),
    [
        # 1 and 3 are 4 and 14: 8 and 13, as if the numbers were those of pixel corners
        ([(1, 1), (3, 1), (3, 3), (1, 3)], "0000 0110 0110 0000"),
        # the same square, closed, and walked the other way
        ([(1, 1), (1, 3), (3, 3), (3, 1), (1, 1)], "0000 0110 0110 0000"),
        # 1.2 and 3.4 are 5 and 16 on the grid, where 3, 8, 13, 18 are the middles of the pixels: 8 and 13 lie between
        ([(1.2, 1.2), (3.4, 1.2), (3.4, 3.4), (1.2, 3.4)], "0000 0110 0110 0000"),
        # 0.8 and 2.8 are 3 and 13, and a walk from 3 up to 13 crosses 3 and 8
        ([(0.8, 0.8), (2.8, 0.8), (2.8, 2.8), (0.8, 2.8)], "1100 1100 0000 0000"),
        # overhanging on the left and above, and on the right and below
        ([(-3, -3), (2, -3), (2, 2), (-3, 2)], "1100 1100 0000 0000"),
        ([(2, 2), (9, 2), (9, 9), (2, 9)], "0000 0000 0011 0011"),
        # larger than the image on all sides
        ([(-9, -9), (9, -9), (9, 9), (-9, 9)], "1111 1111 1111 1111"),
        # outlines without an inside
        ([(1, 1), (3, 3)], "0000 0000 0000 0000"),
        ([(1, 1), (3, 1), (1, 1)], "0000 0000 0000 0000"),
        ([], "0000 0000 0000 0000"),
    ],
)
def test_small_polygons_cover_the_pixels_counted_by_hand(corners, expected):
    np.testing.assert_array_equal(poly2mask(corners, (4, 4)), drawn(expected).astype(bool))
    assert np.array_equal(literal.poly2mask(corners, 4, 4), drawn(expected).astype(bool))


@settings(max_examples=150, deadline=None)
@given(polygon)
def test_poly2mask_is_the_literal_algorithm(corners):
    expected = np.array(literal.poly2mask(corners, 11, 13))
    np.testing.assert_array_equal(poly2mask(corners, (11, 13)), expected)


@settings(max_examples=40, deadline=None)
@given(st.lists(polygon, max_size=5))
def test_earlier_regions_win_as_in_the_literal_algorithm(regions):
    expected = np.array(literal.first_wins(regions, 9, 12))
    np.testing.assert_array_equal(rasterise(regions, (9, 12), "official"), expected)


@settings(max_examples=60, deadline=None)
@given(polygon)
def test_a_cut_out_of_a_larger_image_is_the_smaller_image_at_its_lower_and_right_border(corners):
    large = poly2mask(corners, (30, 30))
    np.testing.assert_array_equal(poly2mask(corners, (8, 9)), large[:8, :9])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=3, max_size=8), st.integers(1, 6))
def test_a_shift_by_whole_pixels_shifts_the_mask_away_from_the_border(corners, by):
    # nearer than 0.3 px to the border or beyond it the grid is negative, and rounds the other way
    still = poly2mask(corners, (20, 20))
    moved = poly2mask([(x + by, y + by) for x, y in corners], (20, 20))
    np.testing.assert_array_equal(moved[by:, by:], still[:-by, :-by])


def test_conventions_differ_on_fractional_vertices_in_the_way_that_is_documented():
    square = [(2.6, 2.6), (6.6, 2.6), (6.6, 6.6), (2.6, 6.6)]
    first = {name: np.argwhere(rasterise([square], (10, 10), name)).min(axis=0).tolist() for name in CONVENTIONS}
    assert first == {"official": [2, 2], "skimage": [3, 3], "skimage_half": [3, 3]}


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_degenerate_polygons_draw_nothing_and_keep_their_number(convention):
    labels = rasterise([[(0, 0), (5, 5)], [], [(1, 1), (4, 1), (4, 4), (1, 4)]], (6, 6), convention)
    assert np.unique(labels).tolist() == [0, 3]
    assert labels.dtype == np.int32


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a_polygon_under_another_vanishes_and_its_number_is_not_given_away(convention):
    def square(a, b):
        return [(a, a), (b, a), (b, b), (a, b)]

    labels = rasterise([square(1, 8), square(2, 4), square(7, 11)], (12, 12), convention)
    assert np.unique(labels).tolist() == [0, 1, 3]


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_no_polygons_give_an_empty_map(convention):
    assert not rasterise([], (3, 5), convention).any()
    assert rasterise([], (3, 5), convention).shape == (3, 5)


def test_an_unknown_convention_lists_the_known_ones():
    with pytest.raises(
        ValueError, match=r"unknown raster convention 'matlab'.* Allowed: 'official', 'skimage', 'skimage_half'"
    ):
        rasterise([], (3, 3), "matlab")


def test_vertices_must_be_pairs_of_finite_numbers():
    with pytest.raises(ValueError, match=r"\(n, 2\).*got shape \(3, 3\)"):
        poly2mask(np.zeros((3, 3)), (4, 4))
    with pytest.raises(ValueError, match="finite"):
        poly2mask([(0, 0), (np.nan, 1), (2, 2)], (4, 4))
