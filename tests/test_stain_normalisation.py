import numpy as np
import pytest

from histolab_lib.datasets.synthetic import scene
from histolab_lib.stain import (
    METHODS,
    RUIFROK_HED,
    StainError,
    StainProfile,
    colour_profile_of,
    combine,
    concentrations,
    jitter_concentrations,
    normalise,
    normalise_colour,
    od_to_rgb,
    profile_of,
    rgb_to_od,
    separate,
    stain_angles,
    tissue_mask,
    unsharp_mask,
)

WHITE = np.full((16, 16, 3), 250, np.uint8)


@pytest.fixture(scope="module")
def pair():
    return scene("train", 0, size=96).image, scene("train", 1, size=96).image


def _apart(a, b):
    return np.abs(a.astype(float) - b).mean()


@pytest.mark.parametrize("method", METHODS)
def test_a_profile_holds_the_99th_percentile_of_each_amount_over_the_tissue(pair, method):
    image = pair[0]
    profile = profile_of(image, method=method)
    assert (profile.method, profile.stains.shape) == (method, (2, 3))
    solver = "non_negative" if method == "vahadane" else "least_squares"
    amounts = concentrations(image, profile.stains, solver=solver)[tissue_mask(image)]
    below = [(amounts[:, k] <= profile.strength[k]).mean() for k in (0, 1)]
    np.testing.assert_allclose(below, 0.99, rtol=0, atol=2 / len(amounts))


@pytest.mark.parametrize("method", METHODS)
def test_a_normalised_tile_has_the_profile_that_was_asked_for(pair, method):
    source, target = (profile_of(image, method=method) for image in pair)
    got = profile_of(normalise(pair[0], target, on_little_tissue="raise"), method=method)
    # Not exactly: tissue near the threshold of glass changes sides, and amounts that are negative come out as white.
    assert np.abs(got.strength / target.strength - 1).max() < 0.15
    assert (stain_angles(target.stains, got.stains) < 3).all()
    assert stain_angles(source.stains, target.stains).max() > 3


@pytest.mark.parametrize("method", METHODS)
def test_normalising_to_its_own_profile_changes_little(pair, method):
    for image in pair:
        assert _apart(normalise(image, profile_of(image, method=method), on_little_tissue="raise"), image) < 6


def test_normalising_is_scaling_amounts_and_exchanging_vectors():
    rng = np.random.default_rng(0)
    amounts, other = rng.gamma(2.0, 0.2, (8, 8, 2)), np.array([[0.6, 0.7, 0.4], [0.2, 0.8, 0.5]])
    source = StainProfile("macenko", RUIFROK_HED[:2], np.array([1.0, 0.8]))
    target = StainProfile("macenko", other, np.array([0.5, 1.2]))
    expected = od_to_rgb(amounts * [0.5, 1.5] @ other)
    given = od_to_rgb(amounts @ RUIFROK_HED[:2])
    np.testing.assert_allclose(
        normalise(given, target, on_little_tissue="raise", source=source).astype(int), expected, rtol=0, atol=3
    )


def test_two_tiles_of_one_tissue_in_two_stainings_come_closer(pair):
    image = pair[0]
    restained = combine(separate(image) * [0.7, 1.3, 1.0])
    for method, better in (("macenko", 0.5), ("vahadane", 0.8)):
        target = profile_of(image, method=method)
        both = [normalise(each, target, on_little_tissue="raise") for each in (image, restained)]
        assert _apart(*both) < better * _apart(image, restained)


@pytest.mark.parametrize("method", METHODS)
def test_a_white_tile_is_an_error_or_comes_back_as_it_is_as_asked(pair, method):
    target = profile_of(pair[0], method=method)
    with pytest.raises(StainError, match=r"0 of 256 pixels \(0.00%\) .* needed are 5.00%"):
        normalise(WHITE, target, on_little_tissue="raise")
    back = normalise(WHITE, target, on_little_tissue="identity")
    np.testing.assert_array_equal(back, WHITE)
    assert not np.shares_memory(back, WHITE)


def test_a_white_tile_is_normalised_where_its_slide_is_known(pair):
    target = profile_of(pair[0], method="macenko")
    slide = profile_of(pair[1], method="macenko")
    assert _apart(normalise(WHITE, target, on_little_tissue="raise", source=slide), WHITE) < 5


@pytest.mark.parametrize("method", METHODS)
def test_a_tile_of_one_colour_comes_back_as_it_is_where_asked(pair, method):
    flat, target = np.full_like(WHITE, (170, 90, 150)), profile_of(pair[0], method=method)
    np.testing.assert_array_equal(normalise(flat, target, on_little_tissue="identity"), flat)


def test_what_to_do_about_little_tissue_has_no_default_and_two_values(pair):
    image, target = pair[0], profile_of(pair[0], method="macenko")
    with pytest.raises(TypeError, match="on_little_tissue"):
        normalise(image, target)
    with pytest.raises(ValueError, match="on_little_tissue must be 'raise' or 'identity', got 'skip'"):
        normalise(image, target, on_little_tissue="skip")
    with pytest.raises(ValueError, match="method must be one of 'macenko', 'vahadane', got 'reinhard'"):
        profile_of(image, method="reinhard")


def test_a_missing_stain_is_an_error():
    rng = np.random.default_rng(0)
    rare = rng.uniform(size=(64, 64, 1)) < 0.002
    image = od_to_rgb(rng.gamma(4.0, 0.13, (64, 64, 1)) * np.where(rare, *RUIFROK_HED[:2]))
    with pytest.raises(StainError, match=r"a stain is missing: .* than \[0.00. .*\], needed are 0.05 of each"):
        profile_of(image, method="vahadane")


def test_colour_transfer_gives_the_tissue_the_mean_and_spread_asked_for(pair):
    from skimage.color import rgb2lab

    target = colour_profile_of(pair[1])
    moved = normalise_colour(pair[0], target, on_little_tissue="raise")
    colours = rgb2lab(moved)[tissue_mask(pair[0])]
    np.testing.assert_allclose(colours.mean(axis=0), target.mean, rtol=0, atol=1.5)
    np.testing.assert_allclose(colours.std(axis=0), target.std, rtol=0.15)
    assert _apart(normalise_colour(pair[0], colour_profile_of(pair[0]), on_little_tissue="raise"), pair[0]) < 0.01


def test_colour_transfer_needs_tissue_of_more_than_one_colour(pair):
    target = colour_profile_of(pair[0])
    for image, words in ((WHITE, "too little tissue"), (np.full_like(WHITE, 100), "one colour only")):
        with pytest.raises(StainError, match=words):
            normalise_colour(image, target, on_little_tissue="raise")
        np.testing.assert_array_equal(normalise_colour(image, target, on_little_tissue="identity"), image)


def test_jitter_is_one_scale_and_one_shift_for_each_stain(pair):
    image = pair[0]
    got = jitter_concentrations(image, np.random.default_rng(5), scale=0.3, shift=0.05)
    rng = np.random.default_rng(5)
    alpha, beta = rng.uniform(0.7, 1.3, 3), rng.uniform(-0.05, 0.05, 3)
    density = np.zeros(image.shape)
    inverse = np.linalg.inv(RUIFROK_HED)
    for k in range(3):
        amount = rgb_to_od(image) @ inverse[:, k]
        density += (alpha[k] * amount + beta[k])[..., None] * RUIFROK_HED[k]
    np.testing.assert_array_equal(got, np.rint(255 * 10.0 ** -density.clip(0)).astype(np.uint8))
    assert 2 < _apart(got, image) < 60


def test_jitter_reaches_both_sides_and_comes_from_its_generator_alone(pair):
    image = pair[0][:16, :16]
    drawn = [jitter_concentrations(image, np.random.default_rng(seed), scale=0.2, shift=0.1) for seed in range(20)]
    darker = [each.mean() < image.mean() for each in drawn]
    assert 0 < sum(darker) < 20
    np.testing.assert_array_equal(
        drawn[3], jitter_concentrations(image, np.random.default_rng(3), scale=0.2, shift=0.1)
    )


@pytest.mark.parametrize(("scale", "shift"), [(1, 0), (-0.1, 0), (0.1, -0.1), (0.1, np.nan)])
def test_jitter_out_of_range_is_refused(scale, shift):
    with pytest.raises(ValueError, match="scale must be in 0"):
        jitter_concentrations(WHITE, np.random.default_rng(0), scale=scale, shift=shift)


def test_unsharp_mask_adds_what_a_blur_takes_away_and_keeps_the_scale():
    from scipy.ndimage import gaussian_filter

    density = 3 * np.random.default_rng(0).uniform(size=(12, 15))
    blurred = gaussian_filter(density, 1.5, mode="reflect", truncate=4)
    sharp = unsharp_mask(density, sigma_px=1.5, amount=0.8)
    np.testing.assert_allclose(sharp, density + 0.8 * (density - blurred), rtol=0, atol=1e-9)
    assert sharp.max() > 3
    assert sharp.dtype == np.float64
    assert unsharp_mask(density.astype(np.float32), sigma_px=1, amount=1).dtype == np.float32


def test_unsharp_mask_of_a_picture_is_that_of_scikit_image_rounded():
    from skimage.filters import unsharp_mask as theirs

    image = np.random.default_rng(0).integers(256, size=(12, 15, 3), dtype=np.uint8)
    ours = unsharp_mask(image, sigma_px=2, amount=1)
    assert ours.dtype == np.uint8
    np.testing.assert_allclose(ours, 255 * theirs(image, radius=2, amount=1, channel_axis=2), rtol=0, atol=0.51)
    np.testing.assert_array_equal(unsharp_mask(image, sigma_px=2, amount=0), image)


def test_unsharp_mask_refuses_what_is_no_image():
    with pytest.raises(TypeError, match="image: expected an array of uint8 or float, got int64"):
        unsharp_mask(np.zeros((4, 4), int), sigma_px=1, amount=1)
    with pytest.raises(ValueError, match=r"image: expected shape \(H, W\) or \(H, W, C\), got \(4,\)"):
        unsharp_mask(np.zeros(4), sigma_px=1, amount=1)
    with pytest.raises(ValueError, match="sigma_px must be above 0, got 0"):
        unsharp_mask(np.zeros((4, 4)), sigma_px=0, amount=1)
