"""What lies around the nuclei: epithelium and stroma, cytoplasm, fibres, gaps, red blood cells."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage, spatial, special

from histolab_lib.datasets.synthetic.fields import Field, fibres, noise, smoothstep, window
from histolab_lib.datasets.synthetic.presets import Preset

__all__ = ["Layout", "draw_distractors", "draw_ground", "lay_out"]

_Point = npt.NDArray[np.float64]  # y, x


@dataclass(frozen=True)
class Layout:
    """Plan of a tile; all arrays are float32 of shape (H, W).

    Attributes
    ----------
    epithelium, gap : ndarray
        Share of epithelium (the rest is stroma), and of places without tissue, 0 to 1.
    texture, angle : ndarray
        Bundles of fibres (mean 0, deviation 1) and their direction in radians.
    """

    epithelium: Field
    gap: Field
    texture: Field
    angle: Field


def lay_out(rng: np.random.Generator, size: int, preset: Preset) -> Layout:
    """Divide a tile into epithelium, stroma and gaps.

    One smooth field makes nests: above a threshold lies epithelium, at its summits lumen, along its edge the clefts
    that fixation tears between epithelium and stroma.
    """
    relief = noise(rng, size, rng.uniform(24, 42)) + 0.10 * noise(rng, size, 5) + 0.035 * noise(rng, size, 1.6)
    edge = special.ndtri(1 - np.clip(preset.epithelium + rng.normal(0, 0.1), 0.02, 0.98))
    summit = special.ndtri(1 - max(preset.lumen * rng.uniform(0, 2), 1e-4))
    torn = smoothstep(noise(rng, size, 20), 1.4 - 1.2 * preset.clefts, 1.9 - 1.2 * preset.clefts)
    width = rng.uniform(0.06, 0.16)
    cleft = torn * smoothstep(np.abs(relief - np.float32(edge - width)), width, 0.5 * width)
    lumen = smoothstep(relief, summit, summit + rng.uniform(0.06, 0.3))
    gap = np.maximum(np.maximum(cleft, lumen), _vacuoles(rng, size, preset))
    texture, angle = fibres(rng, size)
    return Layout(smoothstep(relief, edge - 0.06, edge + 0.06), gap, texture, angle)


def _vacuoles(rng: np.random.Generator, size: int, preset: Preset) -> Field:
    """Round empty places: fat, vacuoles, small vessels."""
    empty = np.zeros((size, size), np.float32)
    wobble = 1 + np.float32(0.10) * noise(rng, size, 8)
    for _ in range(rng.poisson(preset.vacuoles * (size / 256) ** 2)):
        radius = rng.lognormal(np.log(14), 0.45)
        y, x = rng.uniform(0, size, 2)
        cut = window(size, y, x, 1.3 * radius)
        if cut is not None:
            where, dy, dx = cut
            distance = np.hypot(dy * rng.uniform(0.75, 1.25), dx) * wobble[where]
            empty[where] = np.maximum(empty[where], smoothstep(distance, radius, radius - 2.5))
    return empty


def draw_ground(
    rng: np.random.Generator, layout: Layout, preset: Preset, centres: Sequence[tuple[float, float, float]]
) -> tuple[Field, Field]:
    """Draw everything but the nuclei.

    Parameters
    ----------
    rng : numpy.random.Generator
    layout : Layout
    preset : Preset
    centres : sequence of (y, x, radius_px)
        The nuclei, around which the cells lie.

    Returns
    -------
    hematoxylin, eosin : ndarray of float32, shape (H, W)
    """
    size = layout.gap.shape[0]
    patchy = np.exp(0.20 * noise(rng, size, 16))
    holes = np.abs(noise(rng, size, rng.uniform(1.2, 2.4)))
    threads = 1 + rng.uniform(0.15, 0.6) * (0.45 - holes) + 0.14 * noise(rng, size, 0.7)
    mesh = np.maximum(threads, 0.1)  # the fine threads of cytoplasm between its vacuoles
    cell = _cells(rng, size, preset, centres) * mesh
    bundle = smoothstep(layout.texture, -1.5, 0.6)
    looseness = preset.looseness * rng.uniform(0.2, 1.05)
    fibre = (1 - looseness + looseness * bundle) * np.exp(0.12 * layout.texture) * (0.55 + 0.45 * mesh)
    tissue, stroma = 1 - layout.gap, 1 - layout.epithelium
    eosin = tissue * patchy * (layout.epithelium * preset.cytoplasm * cell + stroma * preset.stroma * fibre)
    haze = np.exp(0.36 * noise(rng, size, 9))  # ribosomes, mucus, nuclei above and below the section
    basophilia = preset.cytoplasm_hematoxylin * rng.lognormal(0, 0.45)
    bluish = 0.13 * rng.lognormal(0, 0.4)
    hematoxylin = tissue * haze * (layout.epithelium * basophilia * cell + stroma * bluish * fibre)
    # Edges of tissue curl and stain darker; threads and secretion hang into the gaps.
    edge = rng.uniform(0.3, 1.0) * preset.cytoplasm * layout.gap * tissue
    wisps = 0.07 * layout.gap * np.exp(-((holes / 0.4) ** 2)) * smoothstep(haze, 0.9, 1.6)
    return hematoxylin + 0.3 * wisps + np.float32(0.01), eosin + edge + wisps + np.float32(0.015)


def _cells(rng: np.random.Generator, size: int, preset: Preset, centres: Sequence[tuple[float, float, float]]) -> Field:
    """Relative stain of cytoplasm: a value per cell, borders between cells, a pale ring around nuclei.

    Cells are the nearest-centre cells of the nuclei and of some bodies whose nucleus lies outside the section;
    computed at half resolution, which their blur does not show.
    """
    spare = [(*rng.uniform(0, size, 2), 0.0) for _ in range(4 + len(centres) // 4)]
    seeds = np.array([*centres, *spare])
    grid = np.stack(np.meshgrid(*[np.arange(0, size, 2.0)] * 2, indexing="ij"), axis=-1)
    bend = np.stack([noise(rng, len(grid), 2.5), noise(rng, len(grid), 2.5)], axis=-1)
    found = spatial.cKDTree(seeds[:, :2]).query(grid + 1.5 * bend, k=2)
    distance, index = np.asarray(found[0]), np.asarray(found[1])
    gain = rng.lognormal(0, 0.18, len(seeds))[index[..., 0]]
    border = np.exp(-(((distance[..., 1] - distance[..., 0]) / rng.uniform(2.2, 4.0)) ** 2))
    ring = np.exp(-(((distance[..., 0] - 1.25 * seeds[index[..., 0], 2]) / 3.0) ** 2))
    patches = smoothstep(noise(rng, len(grid), 9), -1.2, 1.0) * rng.uniform(0.6, 1.6)  # borders come and go
    stain = gain * np.clip(1 + preset.border * patches * border - preset.halo * ring, 0.08, 3)
    full = np.repeat(np.repeat(stain.astype(np.float32), 2, 0), 2, 1)[:size, :size]
    smooth: Field = ndimage.uniform_filter(full, 3)
    return smooth


def draw_distractors(
    rng: np.random.Generator, layout: Layout, preset: Preset, hematoxylin: Field, eosin: Field
) -> None:
    """Draw what is not a nucleus but may be taken for one, in place: smears, debris, red blood cells."""
    size = len(hematoxylin)
    scale = (size / 256) ** 2
    smears = np.zeros_like(hematoxylin)
    for _ in range(rng.poisson(9.0 * scale)):  # nuclei far out of focus, which nobody outlines
        _blob(rng, smears, rng.uniform(0, size, 2), rng.uniform(4, 12), rng.uniform(0.08, 0.35), rng.uniform(1.6, 3))
    hematoxylin += smears * (1 - layout.gap)
    for _ in range(rng.poisson(4.0 * scale)):  # apoptotic debris and pigment
        _blob(rng, hematoxylin, rng.uniform(0, size, 2), rng.uniform(1.0, 2.4), rng.uniform(0.3, 0.9), 4.0)
    for _ in range(rng.poisson(preset.red_cells * scale)):
        middle = rng.uniform(0, size, 2)
        for _ in range(rng.poisson(5) + 1):
            _red_cell(rng, middle + rng.normal(0, 18, 2), hematoxylin, eosin)


def _blob(rng: np.random.Generator, field: Field, centre: _Point, radius: float, amount: float, power: float) -> None:
    cut = window(len(field), centre[0], centre[1], 2.5 * radius)
    if cut is not None:
        where, dy, dx = cut
        squeeze, slant = rng.uniform(0.7, 1.4), rng.uniform(-0.5, 0.5)
        distance = np.hypot(dy * squeeze, dx / squeeze + slant * dy) / radius
        field[where] += np.float32(amount) * np.exp(-(distance**power)).astype(np.float32)


def _red_cell(rng: np.random.Generator, centre: _Point, hematoxylin: Field, eosin: Field) -> None:
    """One erythrocyte: a flat eosin disc about 5 micrometres wide after shrinking, a little paler in the middle."""
    radius = rng.uniform(8, 11)
    cut = window(len(eosin), centre[0], centre[1], 1.4 * radius)
    if cut is None:
        return
    where, dy, dx = cut
    turn, squeeze = rng.uniform(0, np.pi), rng.uniform(0.7, 1.0)
    along, across = np.cos(turn) * dx + np.sin(turn) * dy, (np.cos(turn) * dy - np.sin(turn) * dx) / squeeze
    distance = np.hypot(along, across) / np.float32(radius)
    cover = smoothstep(distance, 1.05, 0.95) * np.float32(rng.uniform(0.85, 1.0))
    amount = rng.uniform(0.55, 0.95) * (1 - 0.25 * np.exp(-((distance / 0.5) ** 2)))
    eosin[where] = eosin[where] * (1 - cover) + cover * amount
    hematoxylin[where] = hematoxylin[where] * (1 - cover) + cover * np.float32(0.01)
