import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from histolab_lib.datasets.synthetic import scene
from histolab_lib.stain import (
    RUIFROK_HED,
    StainError,
    concentrations,
    estimate_macenko,
    estimate_vahadane,
    od_to_rgb,
    profile_of,
    rgb_to_od,
    separate,
    stain_angles,
    tissue_mask,
)
from histolab_lib.stain.amounts import non_negative
from tests.literal import stain as literal

pytestmark = pytest.mark.thorough

OURS = np.array([[0.58, 0.72, 0.38], [0.15, 0.83, 0.54]])
ESTIMATORS = [estimate_macenko, estimate_vahadane]


def stained(stains=OURS, pure=0.7, seed=0, size=48):
    """An image of two stains; a share of its pixels holds one of them alone."""
    rng = np.random.default_rng(seed)
    amounts = rng.gamma(4.0, 0.13, (size, size, 2))
    alone = rng.uniform(size=(size, size, 1)) < pure
    amounts *= np.where(alone, np.eye(2)[rng.integers(2, size=(size, size))], 1)
    return od_to_rgb(amounts @ stains)


def test_macenko_equals_the_version_in_plain_python():
    for seed in range(3):
        image = stained(seed=seed, pure=0.3, size=24)
        np.testing.assert_allclose(estimate_macenko(image), literal.macenko(image), rtol=0, atol=1e-8)
        other = {"beta": 0.4, "alpha": 7.5}
        np.testing.assert_allclose(estimate_macenko(image, **other), literal.macenko(image, **other), rtol=0, atol=1e-8)


def test_macenko_finds_the_stains_where_some_pixels_hold_one_alone():
    angles = [stain_angles(OURS, estimate_macenko(stained(seed=seed))) for seed in range(5)]
    assert 0.05 < np.mean(angles) < 1.0


def test_macenko_finds_less_than_the_whole_fan_where_no_pixel_is_pure():
    mixed = od_to_rgb(np.random.default_rng(0).uniform(0.3, 0.6, (48, 48, 2)) @ OURS)
    found = estimate_macenko(mixed)
    assert stain_angles(found[:1], found[1:])[0] < 0.6 * stain_angles(OURS[:1], OURS[1:])[0]


def test_vahadane_is_a_minimum_of_its_objective_computed_in_plain_python():
    image = stained(pure=0.5, size=9)
    found = estimate_vahadane(image)
    least = literal.vahadane_cost(image, found)
    rng = np.random.default_rng(1)
    for _ in range(4):
        aside = np.maximum(found + rng.normal(0, 0.03, (2, 3)), 0)
        aside /= np.linalg.norm(aside, axis=1, keepdims=True)
        assert literal.vahadane_cost(image, aside) > least
    assert literal.vahadane_cost(image, OURS / np.linalg.norm(OURS, axis=1, keepdims=True)) > least


def test_vahadane_ends_at_one_place_when_it_asks_for_few_stains_and_wherever_it_started_when_not(monkeypatch):
    from histolab_lib.stain import estimation

    image, starts = stained(pure=0.2), [RUIFROK_HED, np.array([[0.7, 0.6, 0.4], [0.3, 0.8, 0.5]])]

    def apart(sparsity):
        found = []
        for start in starts:
            monkeypatch.setattr(estimation, "RUIFROK_HED", start)
            found.append(estimate_vahadane(image, sparsity=sparsity))
        return stain_angles(*found).max()

    assert apart(0.1) < 0.1
    assert apart(0.0) > 1.0


def test_vahadane_finds_stains_that_lie_inside_those_of_sparse_tissue():
    angles = np.array([stain_angles(OURS, estimate_vahadane(stained(seed=seed))) for seed in range(5)])
    assert 0.5 < angles.mean() < 4.0


@pytest.mark.parametrize("estimate", ESTIMATORS)
def test_vectors_are_unit_rows_hematoxylin_first_whatever_there_is_more_of(estimate):
    for much in ([1.0, 0.3], [0.3, 1.0]):
        rng = np.random.default_rng(0)
        image = od_to_rgb(rng.gamma(2.0, 0.3, (48, 48, 2)) * np.eye(2)[rng.integers(2, size=(48, 48))] * much @ OURS)
        found = estimate(image)
        np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=0, atol=1e-12)
        assert (stain_angles(OURS, found) < 4).all()


@pytest.mark.parametrize("estimate", ESTIMATORS)
def test_an_estimate_does_not_depend_on_where_pixels_are_nor_on_white_ones_among_them(estimate):
    image = stained()
    shuffled = np.random.default_rng(0).permutation(image.reshape(-1, 3)).reshape(image.shape)
    np.testing.assert_allclose(estimate(shuffled), estimate(image), rtol=0, atol=1e-4)
    framed = np.pad(image, ((0, 48), (0, 48), (0, 0)), constant_values=255)
    np.testing.assert_allclose(estimate(framed), estimate(image), rtol=0, atol=1e-9)
    np.testing.assert_allclose(estimate(rgb_to_od(image)), estimate(image), rtol=0, atol=1e-12)


@pytest.mark.parametrize("estimate", ESTIMATORS)
@pytest.mark.parametrize("white", [255, 240])
def test_a_white_tile_is_an_error_that_names_the_share_found_and_needed(estimate, white):
    image = np.full((20, 20, 3), white, np.uint8)
    image[0, :7] = (120, 60, 140)
    with pytest.raises(StainError, match=r"too little tissue .* 7 of 400 pixels \(1.75%\) .* needed are 5.00%"):
        estimate(image)
    with pytest.raises(StainError, match=r"too little tissue .* 0 of 0 pixels"):
        estimate(np.zeros((0, 4, 3), np.uint8))


@pytest.mark.parametrize("estimate", ESTIMATORS)
@pytest.mark.parametrize("stain", OURS)
@pytest.mark.parametrize("noise", [0, 2])
def test_a_tile_of_one_stain_is_an_error(estimate, stain, noise):
    shade = np.random.default_rng(0).gamma(4.0, 0.13, (64, 64, 1))
    image = np.random.default_rng(1).normal(od_to_rgb(shade * stain), noise).clip(0, 255).astype(np.uint8)
    with pytest.raises(StainError, match=r"two stains found are [0-4]\.\d degrees apart, needed are 5"):
        estimate(image)


@pytest.mark.parametrize("estimate", ESTIMATORS)
def test_a_tile_of_one_colour_is_an_error(estimate):
    with pytest.raises(StainError, match=r"0\.0 degrees apart|found in no pixel of the tile"):
        estimate(np.full((16, 16, 3), (170, 90, 150), np.uint8))


@pytest.mark.parametrize("estimate", ESTIMATORS)
def test_options_outside_their_range_are_refused(estimate):
    with pytest.raises(TypeError, match=r"image: expected uint8 \(H, W, 3\) .* got int64"):
        estimate(np.zeros((4, 4, 3), int))
    with pytest.raises(ValueError, match="od: expected finite values"):
        estimate(np.full((4, 4, 3), np.nan))


@pytest.mark.real
def test_real_tiles_have_two_stains_and_the_sparse_ones_lie_closer_together(tissue):
    from histolab_lib import datasets

    for tile in datasets.load("monuseg", "train")[::10]:
        for estimate, least, most in ((estimate_macenko, 12, 35), (estimate_vahadane, 6, 25)):
            found = estimate(tile.image)
            assert least < stain_angles(found[:1], found[1:])[0] < most
            assert (stain_angles(RUIFROK_HED[:2], found) < (20, 40)).all()


def test_percentiles_and_sparsity_have_bounds():
    with pytest.raises(ValueError, match="alpha must be a percentage from 0 to below 50, got 99"):
        estimate_macenko(stained(), alpha=99)
    with pytest.raises(ValueError, match="sparsity must not be negative, got -1"):
        estimate_vahadane(stained(), sparsity=-1)


def test_tissue_is_where_the_density_vector_is_long_enough():
    image = np.random.default_rng(0).integers(170, 256, (16, 16, 3), dtype=np.uint8)
    for beta in (0.1, 0.15):
        kept = literal.densities(image, beta)
        assert 0 < len(kept) < 256
        assert np.count_nonzero(tissue_mask(image, beta=beta)) == len(kept)


@settings(deadline=None)
@given(st.integers(1, 3), st.integers(0, 2**31))
def test_non_negative_amounts_are_those_of_scipy(count, seed):
    rng = np.random.default_rng(seed)
    stains, density = rng.uniform(0, 1, (count, 3)), rng.normal(0.3, 0.5, (5, 3))
    if np.linalg.cond(stains) < 1e3:
        expected = [nnls(stains.T, each)[0] for each in density]
        np.testing.assert_allclose(non_negative(density, stains), expected, rtol=0, atol=1e-6)


def test_sparse_amounts_are_those_of_one_step_after_another():
    density = np.random.default_rng(0).normal(0.3, 0.3, (40, 3))
    expected = [literal.sparse_amounts(each, OURS.tolist(), 0.05) for each in density.tolist()]
    np.testing.assert_allclose(non_negative(density, OURS, 0.05), expected, rtol=0, atol=1e-9)


def test_concentrations_of_three_stains_by_least_squares_are_those_of_separate():
    image = stained(size=8)
    ours = concentrations(image, RUIFROK_HED, solver="least_squares")
    np.testing.assert_allclose(ours, separate(image), rtol=0, atol=1e-9)
    two = concentrations(image, OURS, solver="least_squares")
    expected = np.linalg.lstsq(OURS.T, rgb_to_od(image).reshape(-1, 3).T)[0].T
    np.testing.assert_allclose(two.reshape(-1, 2), expected, rtol=0, atol=1e-9)


def test_concentrations_need_a_solver_by_name_and_stains_that_can_be_told_apart():
    image = stained(size=4)
    with pytest.raises(ValueError, match="solver must be 'least_squares' or 'non_negative', got 'nnls'"):
        concentrations(image, OURS, solver="nnls")
    with pytest.raises(ValueError, match=r"stains: expected 1 to 3 finite rows .* got shape \(4, 3\)"):
        concentrations(image, np.ones((4, 3)), solver="non_negative")
    with pytest.raises(ValueError, match="stains: rows must be independent"):
        concentrations(image, np.ones((2, 3)), solver="non_negative")


def test_angles_are_exact_for_nearly_equal_vectors_and_need_a_direction():
    turned = np.array([[np.cos(1e-9), np.sin(1e-9), 0]])
    assert stain_angles(np.array([[1.0, 0, 0]]), turned)[0] == pytest.approx(np.degrees(1e-9), rel=1e-6)
    assert stain_angles(np.array([[1.0, 0, 0]]), np.array([[-2.0, 0, 0]]))[0] == pytest.approx(180)
    with pytest.raises(ValueError, match=r"one shape \(K, 3\), got \(2, 3\) and \(3, 3\)"):
        stain_angles(OURS, RUIFROK_HED)
    with pytest.raises(ValueError, match="length 0 has no direction"):
        stain_angles(OURS, 0 * OURS)


@pytest.fixture(scope="module")
def scenes():
    return [scene("train", index, size=96) for index in range(12)]


def _score(scenes, stains_of, solver):
    """Mean angle of both vectors, and mean correlation of both amounts with the truth."""
    angles, correlations = [], []
    for made in scenes:
        stains = stains_of(made.image)
        found = concentrations(made.image, stains, solver=solver)
        pairs = zip(np.moveaxis(found, 2, 0), (made.hematoxylin, made.eosin), strict=False)
        angles.append(stain_angles(made.vectors, stains[:2]))
        correlations.append([np.corrcoef(ours.ravel(), true.ravel())[0, 1] for ours, true in pairs])
    return np.mean(angles, axis=0), np.mean(correlations, axis=0)


def test_separation_of_synthetic_tissue_stands_where_it_was_measured(scenes):
    fixed = _score(scenes, lambda image: RUIFROK_HED, "least_squares")
    macenko = _score(scenes, lambda image: profile_of(image, method="macenko").stains, "least_squares")
    vahadane = _score(scenes, lambda image: profile_of(image, method="vahadane").stains, "non_negative")
    # degrees, about 4 and 27, 8 and 5, 9 and 9
    for (angles, _), low, high in [(fixed, (2, 20), (8, 32)), (macenko, (5, 3), (11, 8)), (vahadane, (6, 6), (13, 13))]:
        assert (low < angles).all()
        assert (angles < high).all()
    # about 0.96 and 0.82, 0.93 and 0.72, 0.94 and 0.65
    for (_, correlations), least in ((fixed, 0.75), (macenko, 0.63), (vahadane, 0.55)):
        assert 0.87 < correlations[0] < 0.99
        assert least < correlations[1] < 0.90
