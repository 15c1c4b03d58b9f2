import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from histolab_lib.stain import RUIFROK_HED, combine, hematoxylin, od_to_rgb, rgb_to_od, separate

images = arrays(np.uint8, (4, 5, 3))
EVERY_VALUE = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)


def test_optical_density_is_the_decadic_logarithm_and_6_for_black():
    od = rgb_to_od(EVERY_VALUE)[0, :, 0]
    np.testing.assert_allclose(od[1:], -np.log10(np.arange(1, 256) / 255), rtol=0, atol=1e-12)
    assert od[0] == 6
    assert od[255] == 0
    assert (np.diff(od) < 0).all()


def test_every_value_comes_back_from_its_optical_density():
    np.testing.assert_array_equal(od_to_rgb(rgb_to_od(EVERY_VALUE)), EVERY_VALUE)


def test_less_than_no_absorption_is_white():
    assert od_to_rgb(np.full((1, 1, 3), -500.0)).tolist() == [[[255, 255, 255]]]


def test_stains_are_those_of_scikit_image_and_nearly_unit_vectors():
    from skimage.color import rgb_from_hed

    np.testing.assert_array_equal(RUIFROK_HED, rgb_from_hed)
    np.testing.assert_allclose(np.linalg.norm(RUIFROK_HED, axis=1), [0.998, 0.999, 1.003], rtol=0, atol=5e-4)
    with pytest.raises(ValueError, match="read-only"):
        RUIFROK_HED[0, 0] = 1


@settings(deadline=None)
@given(images)
def test_separate_is_six_times_what_scikit_image_gives_before_it_clips_at_0(image):
    from skimage.color import rgb2hed

    ours, theirs = separate(image) / 6, rgb2hed(image)
    np.testing.assert_allclose(np.maximum(ours, 0), theirs, rtol=0, atol=1e-9)
    np.testing.assert_allclose(hematoxylin(image), theirs[..., 0], rtol=0, atol=1e-9)


def test_separate_keeps_what_scikit_image_clips():
    red = np.array([[[255, 0, 0]]], np.uint8)
    assert separate(red)[0, 0, 0] < -3
    assert hematoxylin(red)[0, 0] == 0


@settings(deadline=None)
@given(images)
def test_combine_undoes_separate(image):
    np.testing.assert_array_equal(combine(separate(image)), image)
    own = np.array([[0.6, 0.7, 0.4], [0.2, 0.8, 0.6], [0.5, 0.1, 0.9]])
    np.testing.assert_array_equal(combine(separate(image, own), own), image)


@settings(deadline=None)
@given(images)
def test_concentrations_solve_the_equation_of_beer_and_lambert(image):
    np.testing.assert_allclose(separate(image) @ RUIFROK_HED, rgb_to_od(image), rtol=0, atol=1e-9)


def test_separate_finds_the_concentrations_that_made_an_image():
    rng = np.random.default_rng(0)
    made = np.zeros((16, 16, 3))
    made[..., :2] = rng.uniform(0, 0.6, (16, 16, 2))  # dark enough to matter, bright enough for rounding to be small
    # Half a grey value is an optical density of at most 0.007 here; the inverse matrix magnifies it up to threefold.
    np.testing.assert_allclose(separate(combine(made)), made, rtol=0, atol=0.024)


@pytest.mark.parametrize("function", [rgb_to_od, separate, hematoxylin])
@pytest.mark.parametrize(
    ("image", "error", "words"),
    [
        (np.zeros((2, 2, 3)), TypeError, r"image: expected uint8 \(H, W, 3\) .* got float64 \(2, 2, 3\)"),
        ([[[0, 0, 0]]], TypeError, "image: expected uint8 .* got list"),
        (np.zeros((2, 2), np.uint8), ValueError, r"image: .* got uint8 \(2, 2\)"),
        (np.zeros((2, 2, 4), np.uint8), ValueError, r"got uint8 \(2, 2, 4\); drop an alpha channel"),
    ],
)
def test_what_is_no_rgb_image_is_refused(function, image, error, words):
    with pytest.raises(error, match=words):
        function(image)


@pytest.mark.parametrize(
    ("stains", "words"),
    [
        (np.eye(3)[:2], r"stains: expected three finite rows .* got \(2, 3\)"),
        (np.full((3, 3), np.nan), "stains: expected three finite rows"),
        (np.array([[1, 0, 0], [2, 0, 0], [0, 0, 1]]), "stains: rows must be independent"),
    ],
)
def test_stains_that_cannot_be_told_apart_are_refused(stains, words):
    with pytest.raises(ValueError, match=words):
        separate(np.zeros((1, 1, 3), np.uint8), stains)
    with pytest.raises(ValueError, match=words):
        combine(np.zeros((1, 1, 3)), stains)


def test_concentrations_must_be_finite_and_three():
    with pytest.raises(ValueError, match=r"concentrations: expected float \(H, W, 3\), got \(2, 2\)"):
        combine(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="od: expected finite values, got 1 that are not"):
        od_to_rgb(np.array([[[0, np.nan, 0]]]))
