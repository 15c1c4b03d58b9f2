"""Nuclei: their outlines, their chromatin, and the exact instance map."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from histolab_lib.datasets.synthetic.fields import Field, noise
from histolab_lib.datasets.synthetic.place import Nucleus
from histolab_lib.datasets.synthetic.shapes import KINDS

__all__ = ["MIN_AREA_PX", "draw_nuclei", "tidy"]

#: Smaller pieces (cut off by the border or by a neighbour) are not kept as objects.
MIN_AREA_PX = 12
_STEP_PX = 4  # at 40x half sides of stamps are multiples of this, so that many nuclei share one batch
_BATCH = 48  # stamps drawn at once: few enough for the processor's cache
_HARMONICS = 5


class _Look(NamedTuple):
    """What the nuclei of one tile have in common by fixation and stain.

    Factors on rim, clumps and amount of stain; the share of pale nuclei; how much eosin their interior lacks.
    """

    rim: float
    clumps: float
    level: float
    pale: float
    clearing: float
    zoom: float


class _Stamp(NamedTuple):
    """One nucleus on its square: what part of a pixel it covers, its stain there, and whether it owns the pixel."""

    top: int
    left: int
    cover: Field
    hematoxylin: Field
    eosin: Field
    clearing: float
    inside: npt.NDArray[np.bool_]


def draw_nuclei(
    rng: np.random.Generator, nuclei: Sequence[Nucleus], zoom: float, hematoxylin: Field, eosin: Field
) -> tuple[npt.NDArray[np.int32], dict[int, str]]:
    """Draw nuclei into the concentration maps, in place, and return their instance map.

    Parameters
    ----------
    rng : numpy.random.Generator
    nuclei : sequence of Nucleus
    zoom : float
        Size of things relative to a 40x scan.
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
    rim, clumps = rng.lognormal(0, 0.35), rng.lognormal(0, 0.3)
    look = _Look(rim, clumps, rng.lognormal(0, 0.1), rng.uniform(0, 0.3), rng.beta(1.2, 4), zoom)
    grain = 0.65 * noise(rng, size, 0.9) + 0.7 * noise(rng, size, 2.0) + 0.35 * noise(rng, size, 4.0)
    instances = np.zeros((size, size), np.int32)
    stamps: list[_Stamp | None] = [None] * len(nuclei)
    for half_px, members in _by_size(nuclei, zoom).items():
        for start in range(0, len(members), _BATCH):
            part = members[start : start + _BATCH]
            drawn = _stamps(rng, [nuclei[i] for i in part], half_px, look, grain)
            for place, stamp in zip(part, drawn, strict=True):
                stamps[place] = stamp
    for number, pressed in enumerate(stamps, start=1):
        if pressed is not None:
            _press(pressed, number, hematoxylin, eosin, instances)
    kept, numbers = tidy(instances, MIN_AREA_PX)
    return kept, {new: nuclei[old - 1].kind for new, old in enumerate(numbers, start=1)}


def _by_size(nuclei: Sequence[Nucleus], zoom: float) -> dict[int, list[int]]:
    """Indices of the nuclei by the half side of the square that holds them."""
    groups: dict[int, list[int]] = {}
    step = max(2, round(_STEP_PX * zoom))
    for index, nucleus in enumerate(nuclei):
        reach = 1.2 * nucleus.radius_px * math.sqrt(nucleus.elongation) + 1 + 2 * zoom
        groups.setdefault(math.ceil(reach / step) * step, []).append(index)
    return groups


def _stamps(
    rng: np.random.Generator, nuclei: Sequence[Nucleus], half_px: int, look: _Look, grain: Field
) -> list[_Stamp]:
    """Draw nuclei of about one size; arrays have the shape (N, side, side)."""
    y, x, radius, elongation, angle = _column(np.array([n[:5] for n in nuclei]))
    kinds = [KINDS[n.kind] for n in nuclei]
    # half the nuclei lie at the plane of focus, a fifth well above or below
    count = len(nuclei)
    far = rng.uniform(size=count) < 0.2
    defocus = np.where(far, rng.uniform(1.5, 3.2, count), rng.gamma(1.2, 0.3, count))
    softness = (defocus + [kind.defocus_px for kind in kinds] * rng.uniform(0.5, 1.5, count)) * look.zoom**0.5
    soft = _column(softness[:, None])[0]

    top, left = np.rint(y).astype(int) - half_px, np.rint(x).astype(int) - half_px
    steps = np.arange(2 * half_px + 1, dtype=np.float32)
    dy, dx = steps[:, None] + (top - y), steps + (left - x)  # (N, side, 1), (N, 1, side)
    stretch, cos, sin = np.sqrt(elongation), np.cos(angle), np.sin(angle)
    plane = ((cos * dx + sin * dy) / stretch + 1j * (cos * dy - sin * dx) * stretch).astype(np.complex64)
    distance = np.abs(plane)
    roughness = np.array([kind.roughness for kind in kinds])
    depth = distance / (radius * _outlines(rng, plane / np.maximum(distance, 1e-3), roughness))
    cover = np.clip((1 - depth) * (radius / (0.8 + soft)) + 0.5, 0, 1)
    rows = (top + steps.astype(int)[:, None]) % len(grain)  # the field is periodic
    columns = (left + steps.astype(int)) % len(grain)
    amount, redness = _chromatin(rng, nuclei, look, plane, depth, grain[rows, columns], soft)
    level = np.array([kind.hematoxylin for kind in kinds]) * look.level * rng.lognormal(0, 0.17, count)
    level *= np.where(rng.uniform(size=count) < look.pale, rng.uniform(0.4, 0.8, count), 1.0)
    stain = _column(level[:, None])[0] * amount * cover
    inside = depth < 1
    clearing = [look.clearing * min(1.0, kind.rim) + 0.15 for kind in kinds]
    return [
        _Stamp(int(top[i, 0, 0]), int(left[i, 0, 0]), cover[i], stain[i], redness[i] * cover[i], clearing[i], inside[i])
        for i in range(count)
    ]


def _column(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Turn (N, K) into K arrays of shape (N, 1, 1)."""
    return values.T.astype(np.float32)[:, :, None, None]


def _outlines(
    rng: np.random.Generator, direction: npt.NDArray[np.complex64], roughness: npt.NDArray[np.float64]
) -> Field:
    """Radius in each direction, mean 1: Fourier terms 2 to 6 by Horner's rule in the unit complex number."""
    draws = rng.standard_normal((_HARMONICS, len(roughness), 2)) @ np.array([1, 1j])
    terms = (draws * roughness / np.arange(1.0, 1 + _HARMONICS)[:, None] ** 0.9).astype(np.complex64)[..., None, None]
    total = np.broadcast_to(terms[-1], direction.shape)
    for term in terms[-2::-1]:
        total = total * direction + term
    return np.clip(1 + (total * direction**2).real, 0.55, 1.35)


def _chromatin(
    rng: np.random.Generator,
    nuclei: Sequence[Nucleus],
    look: _Look,
    plane: npt.NDArray[np.complex64],
    depth: Field,
    grain: Field,
    soft: Field,
) -> tuple[Field, Field]:
    """Hematoxylin relative to the nucleus's level, and added eosin: membrane, clumps, nucleoli."""
    kinds = [KINDS[n.kind] for n in nuclei]
    radius = _column(np.array([[n.radius_px] for n in nuclei]))[0]
    rim = _column(np.array([[kind.rim * rng.uniform(0.5, 1.2)] for kind in kinds]))[0] * np.float32(look.rim)
    clumps = _column(np.array([[kind.clumps] for kind in kinds]))[0] * np.float32(look.clumps)
    sharp = 1 / (1 + soft)
    edge = np.exp(-(((depth - 0.93) * (radius / (1.4 * np.float32(look.zoom**0.5) + soft))) ** 2))
    lumps = clumps * sharp * (0.95 * np.maximum(grain, -0.7) - 0.05)
    amount = np.maximum(1 - 0.35 * rim + lumps + rim * edge, 0.08)
    redness = 0.05 + 0.05 * amount
    number = rng.poisson([kind.nucleoli for kind in kinds])
    for turn in range(int(number.max(initial=0))):
        (has,) = np.nonzero(number > turn)
        offset = radius[has] * _column(rng.uniform(0, 0.5, (len(has), 1)))[0]
        where = offset * np.exp(2j * np.pi * _column(rng.uniform(size=(len(has), 1)))[0]).astype(np.complex64)
        width = radius[has] * _column(rng.uniform(0.10, 0.20, (len(has), 1)))[0]
        spot = np.exp(-((np.abs(plane[has] - where) / width) ** 4))
        amount[has] += np.float32(1.1) * spot * sharp[has]
        redness[has] += np.float32(0.25) * spot
    return amount, redness


def _press(stamp: _Stamp, number: int, hematoxylin: Field, eosin: Field, instances: npt.NDArray[np.int32]) -> None:
    """Put one stamp down; a nucleus below another shows through it."""
    side, size = len(stamp.cover), len(hematoxylin)
    low_y, low_x = max(0, -stamp.top), max(0, -stamp.left)
    high_y, high_x = min(side, size - stamp.top), min(side, size - stamp.left)
    if low_y >= high_y or low_x >= high_x:
        return
    cut = slice(low_y, high_y), slice(low_x, high_x)
    where = slice(low_y + stamp.top, high_y + stamp.top), slice(low_x + stamp.left, high_x + stamp.left)
    cover, new, old, region = stamp.cover[cut], stamp.hematoxylin[cut], hematoxylin[where], instances[where]
    free = region == 0
    alone = old * (1 - np.float32(0.7) * cover) + new
    hematoxylin[where] = np.where(free, alone, np.maximum(new, old) + np.float32(0.3) * np.minimum(new, old))
    eosin[where] = eosin[where] * (1 - np.float32(stamp.clearing) * cover) + stamp.eosin[cut]
    region[stamp.inside[cut] & free] = number


def tidy(instances: npt.NDArray[np.int32], min_area_px: int) -> tuple[npt.NDArray[np.int32], list[int]]:
    """Keep the largest 4-connected piece of each object, drop specks, number the rest without gaps.

    Returns
    -------
    instances : ndarray of int32, shape (H, W)
    numbers : list of int
        Former id of each object, in the order of the new ones.
    """
    from skimage.measure import label

    pieces = label(instances, connectivity=1)
    areas = np.bincount(pieces.ravel())
    owners = np.zeros(len(areas), np.int32)
    owners[pieces] = instances
    areas[0] = 0
    order = np.lexsort((areas, owners))  # the last piece of each owner is its largest
    last = np.r_[owners[order][1:] != owners[order][:-1], True]
    chosen = order[last & (areas[order] >= min_area_px) & (owners[order] > 0)]
    new = np.zeros(len(areas), np.int32)
    new[chosen] = np.arange(1, len(chosen) + 1)
    return new[pieces], owners[chosen].tolist()
