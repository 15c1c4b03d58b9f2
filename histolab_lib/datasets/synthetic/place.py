"""Where nuclei lie: scattered over epithelium and stroma, part of them side by side."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from histolab_lib.datasets.synthetic.shapes import KINDS, Preset
from histolab_lib.datasets.synthetic.tissue import Layout

__all__ = ["Nucleus", "draw_kinds", "place_nuclei"]


class Nucleus(NamedTuple):
    """Centre in pixels, radius of the disc of the same area, ratio of the axes, direction of the long axis, kind."""

    y: float
    x: float
    radius_px: float
    elongation: float
    angle: float
    kind: str


def place_nuclei(
    rng: np.random.Generator, layout: Layout, preset: Preset, growth: float, placed: Sequence[Nucleus] = ()
) -> list[Nucleus]:
    """Scatter nuclei over epithelium and stroma, part of them right beside another one.

    A centre is refused where there is no tissue, or where it comes closer to another than the preset's packing
    allows.

    Parameters
    ----------
    rng : numpy.random.Generator
    layout : Layout
    preset : Preset
    growth : float
        Size of the nuclei of this tile relative to their kinds.
    placed : sequence of Nucleus
        Those that are there already, such as the rows along a gland.

    Returns
    -------
    list of Nucleus
        In the order of drawing, those that were there first: where two overlap, the earlier one keeps the pixels.
    """
    size = layout.epithelium.shape[0]
    share = float(layout.epithelium.mean())
    area = (size + 16) ** 2 / 1e4 / preset.zoom**2
    wanted = [
        (preset.cells, preset.density * share * area * rng.lognormal(0, 0.2), True),
        (preset.stroma_cells, preset.stroma_density * (1 - share) * area * rng.lognormal(0, 0.3), False),
    ]
    result = list(placed)
    for kinds, count, in_epithelium in wanted:
        candidates = draw_kinds(rng, kinds, int(6 * count) + 12, growth)
        _accept(rng, candidates, int(count) + 1, in_epithelium, layout, preset, result)
    return result


def draw_kinds(
    rng: np.random.Generator, kinds: Mapping[str, float], count: int, growth: float
) -> list[tuple[str, float, float]]:
    """Draw kind, radius in pixels and elongation of ``count`` nuclei, ``growth`` times the size of their kind."""
    names = list(kinds)
    weights = np.array([kinds[name] for name in names])
    drawn = rng.choice(len(names), size=count, p=weights / weights.sum())
    spread = rng.standard_normal((count, 2))
    table = np.array([KINDS[name][:4] for name in names])[drawn]
    radii = growth * table[:, 0] * np.exp(table[:, 1] * spread[:, 0])
    elongations = np.maximum(1.0, table[:, 2] * np.exp(table[:, 3] * spread[:, 1]))
    return list(zip([names[i] for i in drawn], radii.tolist(), elongations.tolist(), strict=True))


def _accept(
    rng: np.random.Generator,
    candidates: Sequence[tuple[str, float, float]],
    count: int,
    in_epithelium: bool,
    layout: Layout,
    preset: Preset,
    placed: list[Nucleus],
) -> None:
    """Add up to ``count`` of the candidates to ``placed``."""
    size = layout.epithelium.shape[0]
    taken = np.array([(n.y, n.x, n.radius_px) for n in placed] + [(0.0, 0.0, 0.0)] * count)
    first = used = len(placed)
    end = used + count
    draws = rng.uniform(size=(len(candidates), 6)).tolist()
    lean = rng.standard_normal(len(candidates)).tolist()
    for (kind, radius, elongation), (a, b, turn, beside, jitter, which), tilt in zip(
        candidates, draws, lean, strict=True
    ):
        if used == end:
            return
        y, x = a * (size + 16) - 8, b * (size + 16) - 8
        if used > first and beside < preset.crowding:  # propose a place that touches an accepted nucleus
            neighbour = taken[first + int(which * (used - first))]
            step = (preset.packing + 0.25 * jitter) * (neighbour[2] + radius)
            y, x = neighbour[0] + step * math.sin(6.2832 * turn), neighbour[1] + step * math.cos(6.2832 * turn)
        row, column = min(max(int(y), 0), size - 1), min(max(int(x), 0), size - 1)
        if not (-8 <= y < size + 8 and -8 <= x < size + 8) or layout.gap[row, column] > 0.35:
            continue
        if (layout.epithelium[row, column] > 0.5) != in_epithelium:
            continue
        others = taken[:used]
        apart = (others[:, 0] - y) ** 2 + (others[:, 1] - x) ** 2
        if (apart < (preset.packing * (others[:, 2] + radius)) ** 2).any():
            continue
        angle = float(layout.angle[row, column]) + (1.5708 + 0.7 * tilt if in_epithelium else 0.25 * tilt)
        placed.append(Nucleus(float(y), float(x), radius, elongation, angle, kind))
        taken[used] = y, x, radius
        used += 1
