"""What is not a nucleus but may be taken for one: smears, debris, red blood cells."""

import numpy as np
import numpy.typing as npt

from histolab_lib.datasets.synthetic.fields import Field, smoothstep, window
from histolab_lib.datasets.synthetic.shapes import Preset
from histolab_lib.datasets.synthetic.tissue import Layout

__all__ = ["draw_distractors"]

_Point = npt.NDArray[np.float64]  # y, x


def draw_distractors(
    rng: np.random.Generator, layout: Layout, preset: Preset, hematoxylin: Field, eosin: Field
) -> None:
    """Draw smears, debris and red blood cells into the concentration maps, in place."""
    size, zoom = len(hematoxylin), preset.zoom
    tiles = (size * zoom / 256) ** 2 / zoom  # things shrink faster than they grow in number
    smears = np.zeros_like(hematoxylin)
    for _ in range(rng.poisson(5.0 * tiles)):  # nuclei far out of focus, which nobody outlines
        radius = rng.uniform(5, 12) * zoom
        _blob(rng, smears, rng.uniform(0, size, 2), radius, rng.uniform(0.05, 0.18), rng.uniform(1.6, 2.4))
    hematoxylin += smears * (1 - layout.gap)
    for _ in range(rng.poisson(4.0 * tiles)):  # dust and pigment
        _blob(rng, hematoxylin, rng.uniform(0, size, 2), rng.uniform(1.0, 2.4) * zoom, rng.uniform(0.3, 0.9), 4.0)
    for _ in range(rng.poisson(0.6 * tiles)):
        _apoptotic_cell(rng, rng.uniform(0, size, 2), zoom, hematoxylin, eosin)
    for _ in range(rng.poisson(preset.red_cells * tiles)):
        _red_cells(rng, rng.uniform(0, size, 2), zoom, hematoxylin, eosin)


def _blob(rng: np.random.Generator, field: Field, centre: _Point, radius: float, amount: float, power: float) -> None:
    cut = window(len(field), centre[0], centre[1], 2.5 * radius)
    if cut is not None:
        where, dy, dx = cut
        squeeze, slant = rng.uniform(0.7, 1.4), rng.uniform(-0.5, 0.5)
        distance = np.hypot(dy * squeeze, dx / squeeze + slant * dy) / radius
        field[where] += np.float32(amount) * np.exp(-(distance**power)).astype(np.float32)


def _apoptotic_cell(rng: np.random.Generator, centre: _Point, zoom: float, hematoxylin: Field, eosin: Field) -> None:
    """A shrunken pink cell whose nucleus has fallen into dark crumbs."""
    _blob(rng, eosin, centre, rng.uniform(7, 11) * zoom, rng.uniform(0.15, 0.4), 3.0)
    for _ in range(rng.integers(2, 6)):
        place = centre + rng.normal(0, 4 * zoom, 2)
        _blob(rng, hematoxylin, place, rng.uniform(1.2, 3.2) * zoom, rng.uniform(0.5, 1.0), 4.0)


def _red_cells(rng: np.random.Generator, centre: _Point, zoom: float, hematoxylin: Field, eosin: Field) -> None:
    """A group of erythrocytes, packed and bent, now and then inside a small vessel."""
    count, spread = 1 + rng.poisson(6), rng.uniform(10, 20) * zoom
    direction, flat = rng.uniform(0, np.pi), rng.uniform(0.3, 1.0)
    along = np.array([np.sin(direction), np.cos(direction)])
    if rng.uniform() < 0.5:
        _clear(centre, 1.3 * spread + 6 * zoom, hematoxylin, eosin)
    level = rng.uniform(0.45, 0.9)
    for along_px, across_px in rng.normal(0, (spread, flat * spread), (count, 2)):
        place = centre + along_px * along + across_px * along[::-1] * (-1, 1)
        _red_cell(rng, place, zoom, level, hematoxylin, eosin)


def _clear(centre: _Point, radius: float, hematoxylin: Field, eosin: Field) -> None:
    cut = window(len(eosin), centre[0], centre[1], 1.2 * radius)
    if cut is not None:
        where, dy, dx = cut
        tissue = 1 - smoothstep(np.hypot(dy, dx), radius, 0.75 * radius)
        eosin[where] *= tissue
        hematoxylin[where] *= tissue


def _red_cell(
    rng: np.random.Generator, centre: _Point, zoom: float, level: float, hematoxylin: Field, eosin: Field
) -> None:
    """One erythrocyte: an eosin disc about 5 micrometres wide after shrinking, bent, paler in the middle."""
    radius = rng.uniform(7.5, 11) * zoom
    cut = window(len(eosin), centre[0], centre[1], 1.6 * radius)
    if cut is None:
        return
    where, dy, dx = cut
    turn, squeeze = rng.uniform(0, np.pi), rng.uniform(0.45, 1.0)
    along, across = np.cos(turn) * dx + np.sin(turn) * dy, (np.cos(turn) * dy - np.sin(turn) * dx) / squeeze
    across = across + rng.normal(0, 0.35) * along * along / np.float32(radius)  # bent like a bean
    distance = np.hypot(along, across + rng.normal(0, 0.15) * along) / np.float32(radius)
    cover = smoothstep(distance, 1.0 + 0.07 / zoom, 1.0 - 0.07 / zoom) * np.float32(rng.uniform(0.8, 1.0))
    dent = rng.uniform(0.05, 0.35) * np.exp(-((distance / 0.55) ** 2))
    amount = level * rng.lognormal(0, 0.15) * (1 - dent)
    eosin[where] = eosin[where] * (1 - cover) + cover * amount
    hematoxylin[where] = hematoxylin[where] * (1 - cover) + cover * np.float32(0.01)
