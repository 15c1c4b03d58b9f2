"""How long it takes to separate, estimate and normalise the stains of one tile of 1000 x 1000 pixels."""

from time import perf_counter

import numpy as np
import pytest

from histolab_lib.stain import (
    METHODS,
    RUIFROK_HED,
    SOLVERS,
    colour_profile_of,
    concentrations,
    jitter_concentrations,
    normalise,
    normalise_colour,
    od_to_rgb,
    profile_of,
    separate,
)


@pytest.fixture(scope="module")
def image():
    rng = np.random.default_rng(0)
    pure = np.where(rng.uniform(size=(1000, 1000, 1)) < 0.5, np.eye(2)[rng.integers(2, size=(1000, 1000))], 1)
    return od_to_rgb(rng.gamma(2.0, 0.25, (1000, 1000, 2)) * pure @ RUIFROK_HED[:2])


def test_stains_of_a_tile_are_known_within_seconds(table, image):
    work = {
        "separate": lambda: separate(image),
        "jitter": lambda: jitter_concentrations(image, np.random.default_rng(0), scale=0.2, shift=0.05),
        **{s: lambda s=s: concentrations(image, RUIFROK_HED[:2], solver=s) for s in SOLVERS},
        **{f"profile, {m}": lambda m=m: profile_of(image, method=m) for m in METHODS},
    }
    for method in METHODS:
        target = profile_of(image, method=method)
        work[f"normalise, {method}"] = lambda target=target: normalise(image, target, on_little_tissue="raise")
    colours = colour_profile_of(image)
    work["normalise, colour"] = lambda: normalise_colour(image, colours, on_little_tissue="raise")
    for name, do in work.items():
        start = perf_counter()
        do()
        seconds = perf_counter() - start
        table(f"stain of 1000x1000 px: {name}", {"ms": 1e3 * seconds})
        assert seconds < 4
