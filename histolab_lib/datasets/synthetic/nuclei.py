"""Nuclei: where they lie, their outlines, their chromatin, and the exact instance map."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from histolab_lib.datasets.synthetic.fields import Field, noise, window
from histolab_lib.datasets.synthetic.presets import KINDS, Preset
from histolab_lib.datasets.synthetic.tissue import Layout

__all__ = ["MIN_AREA_PX", "Nucleus", "draw_nuclei", "place_nuclei"]

#: Smaller pieces (cut off by the border or by a neighbour) are not kept as objects.
MIN_AREA_PX = 12


class Nucleus(NamedTuple):
    """Centre in pixels, radius of the disc of the same area, ratio of the axes, direction of the long axis, kind."""

    y: float
    x: float
    radius_px: float
    elongation: float
    angle: float
    kind: str


def place_nuclei(rng: np.random.Generator, layout: Layout, preset: Preset) -> list[Nucleus]:
    """Scatter nuclei over epithelium and stroma, part of them right beside another one.

    A centre is refused where there is no tissue, or where it comes closer to another than the preset's packing
    allows.

    Parameters
    ----------
    rng : numpy.random.Generator
    layout : Layout
    preset : Preset

    Returns
    -------
    list of Nucleus
        In the order of drawing: where two overlap, the earlier one keeps the pixels.
    """
    size = layout.epithelium.shape[0]
    share = float(layout.epithelium.mean())
    area = (size + 16) ** 2 / 1e4
    wanted = [
        (preset.cells, preset.density * share * area * rng.lognormal(0, 0.15), True),
        (preset.stroma_cells, preset.stroma_density * (1 - share) * area * rng.lognormal(0, 0.25), False),
    ]
    placed: list[Nucleus] = []
    for kinds, count, in_epithelium in wanted:
        candidates = _candidates(rng, kinds, int(6 * count) + 12)
        _accept(rng, candidates, int(count) + 1, in_epithelium, layout, preset, placed)
    return placed


def _candidates(rng: np.random.Generator, kinds: Mapping[str, float], count: int) -> list[tuple[str, float, float]]:
    """Draw kind, radius and elongation, so that the loop that accepts them does little."""
    names = list(kinds)
    weights = np.array([kinds[name] for name in names])
    drawn = rng.choice(len(names), size=count, p=weights / weights.sum())
    spread = rng.standard_normal((count, 2))
    result = []
    for index, (a, b) in zip(drawn, spread, strict=True):
        kind = KINDS[names[index]]
        radius = kind.radius_px * np.exp(kind.radius_spread * a)
        elongation = max(1.0, kind.elongation * np.exp(kind.elongation_spread * b))
        result.append((names[index], float(radius), float(elongation)))
    return result


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
    used, end = len(placed), len(placed) + count
    for kind, radius, elongation in candidates:
        if used == end:
            return
        y, x = rng.uniform(-8, size + 8, 2)
        turn, beside, jitter = rng.uniform(size=3)
        if used and beside < preset.crowding:  # propose a place that touches an accepted nucleus
            neighbour = taken[rng.integers(used)]
            step = (preset.packing + 0.25 * jitter) * (neighbour[2] + radius)
            y, x = neighbour[0] + step * np.sin(6.2832 * turn), neighbour[1] + step * np.cos(6.2832 * turn)
        row, column = int(np.clip(y, 0, size - 1)), int(np.clip(x, 0, size - 1))
        if not (-8 <= y < size + 8 and -8 <= x < size + 8) or layout.gap[row, column] > 0.35:
            continue
        if (layout.epithelium[row, column] > 0.5) != in_epithelium:
            continue
        others = taken[:used]
        apart = (others[:, 0] - y) ** 2 + (others[:, 1] - x) ** 2
        if np.any(apart < (preset.packing * (others[:, 2] + radius)) ** 2):
            continue
        angle = float(layout.angle[row, column]) + 0.25 * rng.standard_normal()
        if in_epithelium:
            angle = float(layout.angle[row, column]) + 1.5708 + 0.7 * rng.standard_normal()
        placed.append(Nucleus(float(y), float(x), radius, elongation, angle, kind))
        taken[used] = y, x, radius
        used += 1


def draw_nuclei(
    rng: np.random.Generator, nuclei: Sequence[Nucleus], hematoxylin: Field, eosin: Field
) -> tuple[npt.NDArray[np.int32], dict[int, str]]:
    """Draw nuclei into the concentration maps, in place, and return their instance map.

    Parameters
    ----------
    rng : numpy.random.Generator
    nuclei : sequence of Nucleus
    hematoxylin, eosin : ndarray of float32, shape (H, W)
        Changed in place.

    Returns
    -------
    instances : ndarray of int32, shape (H, W)
        0 is background, ids 1..n without gaps; each object is 4-connected and has at least `MIN_AREA_PX` pixels.
    kinds : dict of int to str
        Kind of each id.
    """
    size = hematoxylin.shape[0]
    instances = np.zeros((size, size), np.int32)
    chromatin = (noise(rng, size, 0.9), noise(rng, size, 2.0))
    for number, nucleus in enumerate(nuclei, start=1):
        _draw(rng, nucleus, number, chromatin, hematoxylin, eosin, instances)
    return _tidy(instances, nuclei)


def _draw(
    rng: np.random.Generator,
    nucleus: Nucleus,
    number: int,
    chromatin: tuple[Field, Field],
    hematoxylin: Field,
    eosin: Field,
    instances: npt.NDArray[np.int32],
) -> None:
    kind = KINDS[nucleus.kind]
    stretch = np.sqrt(nucleus.elongation)
    cut = window(len(instances), nucleus.y, nucleus.x, 1.25 * nucleus.radius_px * stretch + 4)
    if cut is None:
        return
    where, dy, dx = cut
    cos, sin = np.cos(nucleus.angle), np.sin(nucleus.angle)
    plane = ((cos * dx + sin * dy) / stretch + 1j * (cos * dy - sin * dx) * stretch).astype(np.complex64)
    distance = np.abs(plane)
    depth = distance / (nucleus.radius_px * _outline(rng, plane / np.maximum(distance, 1e-3), kind.roughness))
    inside = depth < 1
    defocus = rng.gamma(1.2, 0.3) if rng.uniform() < 0.8 else rng.uniform(1.5, 3.5)
    edge_px = 0.8 + defocus
    cover = np.clip((1 - depth) * (nucleus.radius_px / edge_px) + 0.5, 0, 1)
    amount, redness = _stain(rng, nucleus, depth, [field[where] for field in chromatin], plane, defocus)
    pale = rng.uniform(0.3, 0.7) if rng.uniform() < 0.25 else 1.0
    level = kind.hematoxylin * rng.lognormal(0, 0.28) * pale
    new, old = level * amount * cover, hematoxylin[where]
    thick = np.where(instances[where] > 0, np.maximum(new, old) + 0.3 * np.minimum(new, old), (1 - cover) * old + new)
    hematoxylin[where] = thick
    eosin[where] = eosin[where] * (1 - 0.4 * cover) + redness * cover
    region = instances[where]
    region[inside & (region == 0)] = number


def _outline(rng: np.random.Generator, direction: npt.NDArray[np.complex64], roughness: float) -> Field:
    """Radius in each direction, mean 1: Fourier terms 2 to 6 by Horner's rule in the unit complex number."""
    terms = rng.standard_normal((5, 2)) @ np.array([1, 1j]) * roughness / np.arange(1.0, 6.0) ** 0.9
    total = np.full(direction.shape, terms[4], np.complex64)
    for term in terms[3::-1]:
        total = total * direction + np.complex64(term)
    return np.clip(1 + (total * direction**2).real, 0.55, 1.35)


def _stain(
    rng: np.random.Generator,
    nucleus: Nucleus,
    depth: Field,
    chromatin: Sequence[Field],
    plane: npt.NDArray[np.complex64],
    defocus: float,
) -> tuple[Field, Field]:
    """Hematoxylin relative to the nucleus's level, and added eosin: membrane, clumps, nucleoli."""
    kind = KINDS[nucleus.kind]
    sharp = np.float32(1 / (1 + defocus))
    rim = np.exp(-(((depth - 0.93) * (nucleus.radius_px / (1.4 + defocus))) ** 2))
    texture = 0.65 * chromatin[0] + 0.7 * chromatin[1]
    clumps = kind.clumps * sharp * (0.95 * np.maximum(texture, -0.7) - 0.05)
    amount = np.maximum(1 - 0.25 * kind.rim + clumps + kind.rim * rim * rng.uniform(0.5, 1.2), 0.15)
    redness = 0.05 + 0.05 * np.maximum(amount, 0)
    for _ in range(rng.poisson(kind.nucleoli)):
        offset = rng.uniform(0, 0.5) * nucleus.radius_px * np.exp(2j * np.pi * rng.uniform())
        radius = rng.uniform(0.10, 0.20) * nucleus.radius_px
        spot = np.exp(-((np.abs(plane - np.complex64(offset)) / np.float32(radius)) ** 4))
        amount = amount + np.float32(1.1) * spot * sharp
        redness = redness + np.float32(0.25) * spot
    return amount.astype(np.float32), redness


def _tidy(instances: npt.NDArray[np.int32], nuclei: Sequence[Nucleus]) -> tuple[npt.NDArray[np.int32], dict[int, str]]:
    """Keep the largest connected piece of each nucleus, drop specks, number the rest without gaps."""
    kinds: dict[int, str] = {}
    tidy = np.zeros_like(instances)
    places = ndimage.find_objects(instances)
    for number in np.unique(instances[instances > 0]).tolist():
        where = places[number - 1]
        pieces, count = ndimage.label(instances[where] == number)
        areas = np.bincount(pieces.ravel(), minlength=count + 1)[1:]
        if areas.max() >= MIN_AREA_PX:
            kinds[len(kinds) + 1] = nuclei[number - 1].kind
            tidy[where][pieces == areas.argmax() + 1] = len(kinds)
    return tidy, kinds
