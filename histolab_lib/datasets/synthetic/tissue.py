"""What lies around the nuclei: epithelium and stroma, cytoplasm, fibres, gaps, fat."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import spatial, special

from histolab_lib.datasets.synthetic.fields import Field, enlarge, fibres, noise, smoothstep, window
from histolab_lib.datasets.synthetic.shapes import Preset

__all__ = ["Layout", "draw_ground", "lay_out"]

_FAT_CELL_PX = 85.0  # about 20 micrometres: shrunken and cut off centre
_MOST_LUMEN = 0.99  # the share drawn has no upper end, and beyond 1 there is no threshold for it


@dataclass(frozen=True)
class Layout:
    """Plan of a tile; all arrays are float32 of shape (H, W).

    Attributes
    ----------
    epithelium, gap : ndarray
        Share of epithelium (the rest is stroma), and of places without tissue, 0 to 1.
    texture, angle : ndarray
        Bundles of fibres (mean 0, deviation 1) and their direction in radians; in glands the direction of the outline.
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
    relief = noise(rng, size, rng.uniform(24, 42))
    relief += rng.uniform(0.05, 0.22) * noise(rng, size, 5) + rng.uniform(0.02, 0.08) * noise(rng, size, 1.6)
    edge = special.ndtri(1 - np.clip(preset.epithelium + rng.normal(0, 0.1), 0.02, 0.995))
    summit = special.ndtri(1 - np.clip(preset.lumen * rng.exponential(), 1e-4, _MOST_LUMEN))
    torn = smoothstep(noise(rng, size, 20), 1.4 - 1.2 * preset.clefts, 1.9 - 1.2 * preset.clefts)
    width = rng.uniform(0.06, 0.16)
    cleft = torn * smoothstep(np.abs(relief - np.float32(edge - width)), width, 0.5 * width)
    lumen = smoothstep(relief, summit, summit + rng.uniform(0.06, 0.3))
    gap = np.maximum(np.maximum(cleft, lumen), _vacuoles(rng, size, preset))
    epithelium = smoothstep(relief, edge - 0.06, edge + 0.06)
    if rng.uniform() < preset.fat:
        patch = smoothstep(noise(rng, size, 45) - relief, -0.1, 0.0)
        gap, epithelium = np.maximum(gap, patch * _fat(rng, size)), epithelium * (1 - patch)
    texture, angle = fibres(rng, size)
    return Layout(epithelium, gap, texture, angle)


def _vacuoles(rng: np.random.Generator, size: int, preset: Preset) -> Field:
    """Round places with little or nothing in them: droplets, vacuoles, small vessels."""
    empty = np.zeros((size, size), np.float32)
    wobble = 1 + np.float32(0.12) * noise(rng, size, 8) + np.float32(0.03) * noise(rng, size, 2)
    for _ in range(rng.poisson(preset.vacuoles * (size * preset.zoom / 256) ** 2)):
        radius = rng.lognormal(np.log(13 * preset.zoom), 0.5)
        y, x = rng.uniform(0, size, 2)
        cut = window(size, y, x, 1.4 * radius)
        if cut is not None:
            where, dy, dx = cut
            distance = np.hypot(dy * rng.uniform(0.75, 1.25), dx) * wobble[where]
            emptiness = rng.beta(4, 1) * smoothstep(distance, radius, radius * rng.uniform(0.5, 0.9))
            empty[where] = np.maximum(empty[where], emptiness)
    return empty


def _fat(rng: np.random.Generator, size: int) -> Field:
    """Fat cells, emptied by the solvents of the laboratory: white polygons with thin walls."""
    steps = np.arange(-1, size / _FAT_CELL_PX + 1)
    grid = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2)
    seeds = (grid + rng.uniform(0, 0.75, grid.shape)) * _FAT_CELL_PX
    points = np.stack(np.meshgrid(*[np.arange(0, size, 2.0)] * 2, indexing="ij"), axis=-1)
    bend = np.stack([noise(rng, len(points), 12), noise(rng, len(points), 12)], axis=-1)
    distance = np.asarray(spatial.cKDTree(seeds).query(points + 3 * bend, k=2)[0])
    wall = enlarge((distance[..., 1] - distance[..., 0]).astype(np.float32), size)
    return smoothstep(wall, 3.0, 7.0)


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
    size, zoom = layout.gap.shape[0], preset.zoom
    patchy = np.exp(0.16 * noise(rng, size, 16 * zoom**0.5))
    holes = np.abs(noise(rng, size, max(0.8, rng.uniform(1.2, 2.4) * zoom)))
    grain = rng.uniform(0.05, 0.2) * noise(rng, size, rng.uniform(0.7, 1.3))
    mesh = np.maximum(1 + preset.foam * rng.uniform(0.2, 1.8) * (0.45 - holes) + grain, 0.1)
    cell, blue = _cells(rng, size, preset, centres)
    bundle = smoothstep(layout.texture, -1.5, 0.6)
    looseness = preset.looseness * rng.uniform(0.2, 1.05)
    contrast = np.exp(rng.uniform(0.05, 0.3) * np.maximum(layout.texture, -3))
    fibre = (1 - looseness + looseness * bundle) * contrast * (0.6 + 0.4 * mesh)
    fibre *= smoothstep(layout.texture, -2.7, -1.8)  # clefts between bundles
    dense = preset.stroma * rng.lognormal(0, 0.25)
    tissue, stroma = 1 - layout.gap, 1 - layout.epithelium
    cell *= mesh
    eosin = tissue * patchy * (layout.epithelium * preset.cytoplasm * cell + stroma * dense * fibre)
    # ribosomes, mucus, nuclei above and below the section
    haze = np.exp(0.25 * noise(rng, size, 9 * zoom**0.5) + 0.22 * noise(rng, size, max(2.5 * zoom, 1)))
    basophilia = preset.cytoplasm_hematoxylin * rng.lognormal(-0.08, 0.45)
    bluish = 0.10 * rng.lognormal(0, 0.5)
    hematoxylin = tissue * haze * (layout.epithelium * basophilia * cell * blue + stroma * bluish * fibre)
    # Edges of tissue curl and stain darker; threads and secretion hang into the gaps.
    edge = rng.uniform(0.3, 1.0) * preset.cytoplasm * layout.gap * tissue
    wisps = 0.07 * layout.gap * np.exp(-((holes / 0.4) ** 2)) * smoothstep(haze, 0.9, 1.6)
    return hematoxylin + 0.3 * wisps + np.float32(0.01), eosin + edge + wisps + np.float32(0.015)


def _cells(
    rng: np.random.Generator, size: int, preset: Preset, centres: Sequence[tuple[float, float, float]]
) -> tuple[Field, Field]:
    """Relative stain of cytoplasm, and its relative blueness: a value per cell, borders, a pale ring around nuclei.

    Cells are the nearest-centre cells of the nuclei and of some bodies whose nucleus lies outside the section;
    computed at half resolution, which their blur does not show.
    """
    zoom = preset.zoom
    spare = [(*rng.uniform(0, size, 2), 0.0) for _ in range(4 + len(centres) // 4)]
    seeds = np.array([*centres, *spare])
    grid = np.stack(np.meshgrid(*[np.arange(0, size, 2.0)] * 2, indexing="ij"), axis=-1)
    bend = np.stack([noise(rng, len(grid), 2.5), noise(rng, len(grid), 2.5)], axis=-1)
    found = spatial.cKDTree(seeds[:, :2]).query(grid + 1.5 * zoom * bend, k=2)
    distance, index = np.asarray(found[0], np.float32), np.asarray(found[1])
    gain, blue = rng.lognormal(0, (0.14, 0.40), (len(seeds), 2)).T.astype(np.float32)
    width, thick = rng.uniform(2.2, 4.0) * zoom**0.7, 3.0 * zoom**0.7
    radii = (1.25 * seeds[:, 2]).astype(np.float32)
    border = np.exp(-(((distance[..., 1] - distance[..., 0]) / width) ** 2))
    ring = np.exp(-(((distance[..., 0] - radii[index[..., 0]]) / thick) ** 2))
    patches = smoothstep(noise(rng, len(grid), 9 * zoom), -1.2, 1.0) * rng.uniform(0.3, 1.5)  # borders come and go
    stain = gain[index[..., 0]] * np.clip(1 + preset.border * patches * border - preset.halo * ring, 0.08, 3)
    return enlarge(stain, size), enlarge(blue[index[..., 0]], size)
