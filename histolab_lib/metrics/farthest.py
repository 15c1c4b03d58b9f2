"""How far an object reaches away from another: exact, and without looking at most of their pixels."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Outlines", "far_apart2", "nearest_object2", "outlines"]

_Floats = npt.NDArray[np.float64]
_Ints = npt.NDArray[np.int64]

# Directions in which objects are measured; together with their opposites sixteen.
_DIRECTIONS = np.array([(1, 0), (0, 1), (1, 1), (1, -1), (2, 1), (1, 2), (2, -1), (1, -2)], np.float64)
# Above this many sources every 12th of them is asked first; both found by trial on glands and on nuclei.
_FEW, _STEP = 96, 12
# Up to this many pairs of pixels all distances are computed (8 MB), above it a tree is searched.
_PAIRS = 1 << 20


@dataclass(frozen=True, eq=False, slots=True)
class Outlines:
    """The objects of a map: their pixels and boundaries, object by object.

    Attributes
    ----------
    flat : ndarray, shape (H * W,)
        The map.
    width : int
    ids : ndarray, shape (n,)
        Ascending.
    pixels, starts : ndarray of int64
        Flat places of all pixels of all objects; those of object k lie between ``starts[k]`` and ``starts[k + 1]``.
    edges : ndarray of float64, shape (3, number of boundary pixels)
        Row, column, and the sum of their squares; `edge_starts` as above.
    reach : ndarray of float64, shape (n, 16)
        How far each object extends in each of 16 directions, in px.
    """

    flat: npt.NDArray[Any]
    width: int
    ids: npt.NDArray[Any]
    pixels: _Ints
    starts: _Ints
    edges: _Floats
    edge_starts: _Ints
    reach: _Floats


def outlines(labels: npt.NDArray[Any], ids: _Ints, areas: _Ints) -> Outlines:
    """Collect the objects of a map; `ids` and `areas` as its contingency table has them, at least one object.

    A pixel is boundary where one of its four neighbours has another id or lies beyond the border of the image.
    """
    flat = labels.ravel()
    places = _by_object(flat, ids)
    on_edge = _edges(labels).ravel()[places]
    starts = np.concatenate(([0], np.cumsum(areas)))
    edge_starts = np.concatenate(([0], np.cumsum(on_edge)))[starts]
    points = _points(places[on_edge], labels.shape[1])
    along = points @ _DIRECTIONS.T
    length = np.sqrt((_DIRECTIONS**2).sum(axis=1))
    forth, back = (np.maximum.reduceat(sign * along, edge_starts[:-1], axis=0) / length for sign in (1, -1))
    return Outlines(
        flat=flat,
        width=labels.shape[1],
        ids=ids,
        pixels=places,
        starts=starts,
        edges=np.stack([points[:, 0], points[:, 1], (points**2).sum(axis=1)]),
        edge_starts=edge_starts,
        reach=np.hstack([forth, back]),
    )


def far_apart2(one: Outlines, k: int, other: Outlines, m: int, *, stop_at: float = np.inf) -> float:
    """Squared Hausdorff distance of object k of one map and object m of the other, over all their pixels.

    At `stop_at` or above it may be too small: then it only tells that `stop_at` has been reached.
    """
    there = _farthest2(one, k, other, m)
    return there if there >= stop_at else max(there, _farthest2(other, m, one, k))


def nearest_object2(one: Outlines, k: int, other: Outlines) -> float:
    """Smallest squared Hausdorff distance from object k of one map to any object of the other.

    No distance is below the difference of the two objects' reach in any direction, so candidates are visited by that
    bound, until it says that none can be nearer.
    """
    at_least = np.abs(other.reach - one.reach[k]).max(axis=1) ** 2
    best = float("inf")
    for m in np.argsort(at_least):
        if at_least[m] >= best:
            break
        best = min(best, far_apart2(one, k, other, int(m), stop_at=best))
    return best


def _by_object(flat: npt.NDArray[Any], ids: _Ints) -> _Ints:
    """Flat places of all pixels of objects, by object, then by place."""
    places = np.flatnonzero(flat)
    values = flat[places].astype(np.int64, copy=False)
    # Ranks of 16 bits are sorted by counting, in time that grows with pixels alone.
    small = np.uint16 if ids.size <= np.iinfo(np.uint16).max else np.int64
    if ids[-1] <= 4 * flat.size + 1024:
        table = np.zeros(int(ids[-1]) + 1, small)
        table[ids] = np.arange(ids.size)
        rank = table[values]
    else:  # a lookup table would outgrow the data
        rank = np.searchsorted(ids, values).astype(small)
    return places[np.argsort(rank, kind="stable")]


def _edges(labels: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    edge = np.ones(labels.shape, bool)
    edge[1:-1, 1:-1] = False
    down, right = labels[1:] != labels[:-1], labels[:, 1:] != labels[:, :-1]
    edge[1:] |= down
    edge[:-1] |= down
    edge[:, 1:] |= right
    edge[:, :-1] |= right
    return edge


def _points(places: _Ints, width: int) -> _Floats:
    """Row and column as float64, which holds the squares of all that occurs exactly."""
    points = np.empty((places.size, 2))
    rows = places // width
    points[:, 0] = rows
    points[:, 1] = places - rows * width
    return points


def _farthest2(one: Outlines, k: int, other: Outlines, m: int) -> float:
    """Largest squared distance from a pixel of object k to the nearest pixel of object m.

    Pixels that the two share are at distance 0, and for the others the nearest pixel is on the boundary: from any
    other pixel of m, one step along a row or column towards them would stay in m and be nearer.
    """
    sources = one.pixels[one.starts[k] : one.starts[k + 1]]
    sources = sources[other.flat[sources] != other.ids[m]]
    if not sources.size:
        return 0.0
    edges = other.edges[:, other.edge_starts[m] : other.edge_starts[m + 1]]
    points = _points(sources, one.width)
    if sources.size <= _FEW:
        return float(_nearest2(points, edges).max())
    asked, group = points[::_STEP], np.arange(sources.size) // _STEP
    found2 = _nearest2(asked, edges)
    # Distance to an object changes by no more than the way between two pixels: most need not be asked.
    away = np.hypot(*(points - asked[group]).T)
    rest = points[np.sqrt(found2)[group] + away > np.sqrt(found2.max())]
    return float(max(found2.max(), _nearest2(rest, edges).max(initial=0)))


def _nearest2(points: _Floats, edges: _Floats) -> _Floats:
    """Squared distance from each point (n, 2) to the nearest boundary pixel (3, m); whole numbers, exact."""
    if points.shape[0] * edges.shape[1] > _PAIRS:
        from scipy.spatial import KDTree

        return np.rint(KDTree(edges[:2].T).query(points)[0] ** 2)
    apart = points @ (-2 * edges[:2])
    apart += edges[2]
    return apart.min(axis=1, initial=np.inf) + np.einsum("ij,ij->i", points, points)
