"""Glands: a wall of epithelium around a lumen, nuclei in rows along its base, stroma between.

Glands are the cells of a bent Voronoi diagram, each shrunk by half the stroma that separates it from the next and cut
to a size of its own: round where it stands alone, flat where it meets a neighbour.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage, spatial

from histolab_lib.datasets.synthetic.fields import Field, enlarge, fibres, noise, smoothstep, window
from histolab_lib.datasets.synthetic.nuclei import tidy
from histolab_lib.datasets.synthetic.place import Nucleus, draw_kinds
from histolab_lib.datasets.synthetic.shapes import KINDS, GlandShape, Preset
from histolab_lib.datasets.synthetic.tissue import Layout

__all__ = ["MIN_AREA_UM2", "GlandPlan", "lay_out_glands", "line_up_nuclei"]

#: A gland of which less is seen than about four cells is not kept as an object.
MIN_AREA_UM2 = 300.0
_HALF_PX = 2  # the plan is computed at every second pixel


@dataclass(frozen=True)
class GlandPlan:
    """Where glands are.

    Attributes
    ----------
    instances : ndarray of int32, shape (H, W)
        Each gland with its lumen; 0 is stroma, ids 1..n. Touching glands have no gap between them.
    depth : ndarray of float32, shape (ceil(H / 2), ceil(W / 2))
        Distance in pixels from the base of the epithelium, at every second pixel; 0 in stroma.
    """

    instances: npt.NDArray[np.int32]
    depth: Field


def lay_out_glands(rng: np.random.Generator, size: int, preset: Preset) -> tuple[Layout, GlandPlan]:
    """Divide a tile into glands with lumen, stroma, and the clefts between.

    Parameters
    ----------
    rng : numpy.random.Generator
    size : int
        Side in pixels.
    preset : Preset
        One with ``glands``.

    Returns
    -------
    layout : Layout
        As `tissue.lay_out` gives it.
    plan : GlandPlan

    Raises
    ------
    ValueError
        If the preset has no glands.
    """
    shape = preset.glands
    if shape is None:
        raise ValueError("this preset has no glands; lay it out with tissue.lay_out")
    px = 1 / preset.um_per_px
    room, owner = _territories(rng, size, shape, px)
    touched = np.where(enlarge(room, size) > 0, _double(owner, size), 0).astype(np.int32)
    instances, _ = tidy(touched, int(MIN_AREA_UM2 * px**2))
    half = instances[::_HALF_PX, ::_HALF_PX]
    depth = _depth(half)
    lumen = enlarge(_lumen(rng, depth, half, shape, px), size)
    inside = enlarge((half > 0).astype(np.float32), size)
    torn = smoothstep(noise(rng, size, 26 * preset.zoom**0.5), 1.4 - 1.6 * shape.clefts, 1.8 - 1.6 * shape.clefts)
    cleft = torn * smoothstep(enlarge(room, size), -rng.uniform(1.5, 4.5) * px, -0.3 * px) * (1 - inside)
    gap = np.maximum(np.maximum(lumen, cleft), _goblets(rng, depth, size, shape, px))
    texture, angle = fibres(rng, size, 45 * preset.zoom**0.5)
    normal = _normal(depth)
    tangent = enlarge(normal.real.astype(np.float32), size) + 1j * enlarge(normal.imag.astype(np.float32), size)
    angle = np.where(inside > 0.5, np.angle(tangent).astype(np.float32) - np.float32(np.pi / 2), angle)
    return Layout(inside, gap, texture, angle), GlandPlan(instances, depth)


def _territories(
    rng: np.random.Generator, size: int, shape: GlandShape, px: float
) -> tuple[Field, npt.NDArray[np.int32]]:
    """Distance in pixels to the edge of the gland around (negative outside), and the gland's number, both halved."""
    spacing = shape.spacing_um * px * rng.uniform(0.85, 1.2)
    reach = int(np.ceil(0.75 * size / spacing)) + 2
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1)
    seeds = (columns + 0.5 * (rows % 2)) + 0.87j * rows + rng.uniform(-0.24, 0.24, (2, rows.size)).T @ [1, 1j]
    stretch = 1 + shape.stretch * rng.uniform() ** 2  # glands cut lengthwise
    turn = np.exp(1j * rng.uniform(0, 2 * np.pi))
    y, x = np.mgrid[0:size:_HALF_PX, 0:size:_HALF_PX]
    bend = shape.irregularity * spacing
    n = len(y)
    coarse, fine = (_wave(rng, n, length * spacing / _HALF_PX) for length in (0.22, 0.07))
    warp = bend * (0.30 * coarse + 0.10 * fine)
    place = (x - size / 2 + 1j * (y - size / 2) + warp) * turn + rng.uniform(-0.5, 0.5, 2) @ [1, 1j] * spacing
    place = place.real / stretch + 1j * place.imag
    tree = spatial.cKDTree(np.stack([seeds.real, seeds.imag], axis=1) * spacing)
    found = tree.query(np.stack([place.real, place.imag], axis=-1), k=2)
    distance, index = np.asarray(found[0]), np.asarray(found[1])
    radius = 0.5 * spacing * rng.lognormal(0.12, 0.18, len(seeds))
    radius[rng.uniform(size=len(seeds)) < shape.missing] = -spacing
    septum = 0.5 * shape.septum_um * px * rng.lognormal(0, 0.35)
    between = 0.5 * (distance[..., 1] - distance[..., 0])
    wall, rest = between - septum, radius[index[..., 0]] - distance[..., 0]
    soft = 0.15 * spacing  # rounds the corners where three territories meet
    room = -soft * np.logaddexp(-wall / soft, -rest / soft)
    return room.astype(np.float32), (index[..., 0] + 1).astype(np.int32)


def _wave(rng: np.random.Generator, size: int, length_px: float) -> npt.NDArray[np.complex64]:
    drawn = [noise(rng, size, max(length_px, 1.0)) for _ in range(2)]
    return np.asarray(drawn[0] + 1j * drawn[1], np.complex64)


def _double(half: npt.NDArray[np.int32], size: int) -> npt.NDArray[np.int32]:
    return np.repeat(np.repeat(half, _HALF_PX, 0), _HALF_PX, 1)[:size, :size]


def _depth(half: npt.NDArray[np.int32]) -> Field:
    """Distance in full pixels to the nearest pixel of something else; the edge of the tile does not count."""
    solid = half > 0
    solid[:-1] &= half[:-1] == half[1:]
    solid[:, :-1] &= half[:, :-1] == half[:, 1:]
    if solid.all():
        return np.full(half.shape, 1e3, np.float32)
    exact = ndimage.distance_transform_edt(solid)
    smooth: Field = ndimage.gaussian_filter((_HALF_PX * exact).astype(np.float32), 1.0)
    return smooth


def _normal(depth: Field) -> npt.NDArray[np.complex64]:
    """Direction from the base towards the lumen, x + iy."""
    slope_y, slope_x = np.gradient(ndimage.gaussian_filter(depth, 2.0))
    return np.asarray(slope_x + 1j * slope_y, np.complex64)


def _lumen(rng: np.random.Generator, depth: Field, half: npt.NDArray[np.int32], shape: GlandShape, px: float) -> Field:
    """Share of emptiness inside the glands, at half resolution, dead cells in it taken off."""
    n, count = len(depth), int(half.max()) + 1
    tall = shape.height_um * px * rng.lognormal(0, 0.15) * rng.lognormal(0, 0.12, count)
    ragged = np.float32(px) * (1.2 * noise(rng, n, 4 * px / _HALF_PX) + 0.6 * noise(rng, n, 1.0))
    lumen = smoothstep(depth + ragged - tall.astype(np.float32)[half], 0.0, 1.2 * px)
    if shape.cribriform_um:
        lumen = _holes(rng, depth, ragged, shape, px)
    dead = (rng.uniform(size=count) < shape.debris)[half] * rng.uniform(0.4, 1.0)
    crumbs = smoothstep(noise(rng, n, 2.2 * px / _HALF_PX) + 0.8 * noise(rng, n, 9 * px / _HALF_PX), -0.6, 0.9)
    return (lumen * (1 - dead * crumbs)).astype(np.float32)


def _holes(rng: np.random.Generator, depth: Field, ragged: Field, shape: GlandShape, px: float) -> Field:
    """Round lumens punched through a solid gland."""
    n, spacing = len(depth), shape.cribriform_um * px / _HALF_PX
    seeds = rng.uniform(-spacing, n + spacing, (int(((n + 2 * spacing) / spacing) ** 2 * 1.1) + 1, 2))
    grid = np.moveaxis(np.mgrid[0:n, 0:n], 0, -1)
    found = spatial.cKDTree(seeds).query(grid)
    distance, index = np.asarray(found[0]), np.asarray(found[1])
    radius = spacing * rng.uniform(0.12, 0.42, len(seeds))
    room = _HALF_PX * (radius[index] - distance) + ragged
    wall = depth - 0.45 * shape.height_um * px
    return smoothstep(np.minimum(room, wall).astype(np.float32), 0.0, 1.2 * px)


def _goblets(rng: np.random.Generator, depth: Field, size: int, shape: GlandShape, px: float) -> Field:
    """Pale drops of mucin above the nuclei of goblet cells."""
    drops = np.zeros((size, size), np.float32)
    if shape.goblets == 0:
        return drops
    share = shape.goblets * rng.uniform(0.5, 1.2)
    for level in (0.52, 0.80):
        for y, x, normal in _along(rng, depth, level * shape.height_um * px, 1.7 * shape.goblet_um * px):
            if rng.uniform() > share:
                continue
            long, wide = shape.goblet_um * np.array([1.0, 0.72]) * px * rng.lognormal(0, 0.15, 2)
            cut = window(size, y, x, 1.2 * long)
            if cut is None:
                continue
            where, dy, dx = cut
            towards = dx * normal.real + dy * normal.imag
            aside = dx * normal.imag - dy * normal.real
            distance = np.hypot(towards / np.float32(long), aside / np.float32(wide))
            drop = np.float32(rng.uniform(0.55, 0.95)) * smoothstep(distance, 1.05, 0.75)
            drops[where] = np.maximum(drops[where], drop)
    return drops


def line_up_nuclei(rng: np.random.Generator, plan: GlandPlan, preset: Preset, growth: float) -> list[Nucleus]:
    """Place nuclei in rows along the base of each gland, long axes towards the lumen.

    Parameters
    ----------
    rng : numpy.random.Generator
    plan : GlandPlan
    preset : Preset
        One with ``glands``.
    growth : float
        Size of nuclei relative to their kinds, the preset's scale included.

    Returns
    -------
    list of Nucleus
    """
    shape = preset.glands
    if shape is None:
        raise ValueError("this preset has no glands, and nothing to line nuclei up along")
    radius = growth * KINDS["columnar"].radius_px
    result: list[Nucleus] = []
    for row in range(int(rng.integers(shape.rows[0], shape.rows[1] + 1))):
        level = radius * (1.45 + 1.7 * row) + 0.8 / preset.um_per_px
        places = _along(rng, plan.depth, level, 1.42 * radius)
        for (y, x, normal), (kind, size, elongation) in zip(
            places, draw_kinds(rng, preset.cells, len(places), growth), strict=True
        ):
            if rng.uniform() < 0.06 + 0.12 * row:
                continue
            shift = rng.normal(0, 0.45 * radius) * normal
            angle = float(np.angle(normal)) + rng.normal(0, 0.16)
            result.append(Nucleus(float(y + shift.imag), float(x + shift.real), size, elongation, angle, kind))
    return result


def _along(
    rng: np.random.Generator, depth: Field, level_px: float, step_px: float
) -> list[tuple[float, float, np.complex64]]:
    """Walk along a line of equal depth: positions (y, x) about ``step_px`` apart, and the direction to the lumen."""
    from skimage.measure import find_contours

    normal = _normal(depth)
    places = []
    for line in find_contours(depth, level_px):
        length = np.r_[0, np.cumsum(np.hypot(*np.diff(line, axis=0).T))] * _HALF_PX
        stops = np.arange(rng.uniform(0, step_px), length[-1], step_px)
        stops = stops + rng.uniform(-0.15, 0.15, len(stops)) * step_px
        y, x = np.interp(stops, length, line[:, 0]), np.interp(stops, length, line[:, 1])
        ahead = normal[np.rint(y).astype(int), np.rint(x).astype(int)]
        ahead = ahead / np.maximum(np.abs(ahead), 1e-6)
        places += list(zip(_HALF_PX * y, _HALF_PX * x, ahead, strict=True))
    return places
