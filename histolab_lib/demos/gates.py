"""The figure of gates: maps of a skip, and what a spatial and a channel gate let through of them."""

import base64
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from histolab_lib.demos.packing import encoded, got, require_rgb, run_lengths, small

__all__ = ["gates"]

_MOST_MAPS = 6  # feature maps to choose from


def _maps(name: str, value: Any, shapes: Sequence[tuple[int, ...]]) -> npt.NDArray[np.float64]:
    """Finite numbers in one of the shapes that are allowed."""
    maps = np.asarray(value, np.float64) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else None
    if maps is None or maps.shape not in shapes:
        raise ValueError(f"{name}: expected float {' or '.join(map(str, shapes))}, got {got(value)}")
    if not np.isfinite(maps).all():
        raise ValueError(f"{name}: expected finite numbers, got {np.count_nonzero(~np.isfinite(maps))} that are not")
    return maps


def _gate(name: str, value: Any, shapes: Sequence[tuple[int, ...]]) -> npt.NDArray[np.float64]:
    gate = _maps(name, value, shapes)
    if gate.min() < 0 or gate.max() > 1:
        raise ValueError(f"{name}: expected 0 (shut) to 1 (open), got {gate.min():g} to {gate.max():g}")
    return gate


def _packed(steps: npt.NDArray[np.float64]) -> str:
    return base64.b64encode(zlib.compress(steps.astype(np.uint8).tobytes(), 9)).decode()


def _quantised(features: npt.NDArray[np.float64]) -> dict[str, object]:
    """Each map in steps of its own, 255 at most, with 0 among them: value = step * (byte - zero)."""
    low, high = (features.min((1, 2)).clip(max=0), features.max((1, 2)).clip(min=0))
    step = np.where(high > low, (high - low) / 254, 1)
    zero = np.rint(-low / step)
    found = np.rint(features / step[:, None, None]) + zero[:, None, None]
    scale = [[float(a), int(b)] for a, b in zip(step, zero, strict=True)]
    return {"shape": list(features.shape), "scale": scale, "bytes": _packed(found)}


def _cells(value: Any, image: npt.NDArray[np.uint8], shape: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """Where at least half of the pixels under a cell of the feature maps are nuclei."""
    if not isinstance(value, np.ndarray) or value.dtype != bool or value.shape != image.shape[:2]:
        raise ValueError(f"mask: expected bool {image.shape[:2]}, as the image, got {got(value)}")
    (height, width), (rows, columns) = value.shape, shape
    if height % rows or width % columns or height // rows != width // columns:
        raise ValueError(
            f"features: expected maps of which each cell is a square of whole pixels of the {height} x {width} image, "
            f"got {rows} x {columns}"
        )
    cells = value.reshape(rows, height // rows, columns, width // columns).mean((1, 3)) >= 0.5
    if cells.all() or not cells.any():
        raise ValueError(
            f"mask: expected cells of nuclei and others, got {cells.sum()} of {cells.size} cells in nuclei"
        )
    return cells.astype(np.int64)


def _readout(value: Any, count: int) -> list[object] | None:
    if value is None:
        return None
    given: list[Any] = list(value) if isinstance(value, Sequence) and len(value) == 2 else [None, None]
    try:
        weights, bias = np.asarray(given[0], np.float64), float(given[1])
    except (TypeError, ValueError):
        weights, bias = np.empty(0), np.nan
    if weights.shape != (count,) or not (np.isfinite(weights).all() and np.isfinite(bias)):
        raise ValueError(f"readout: expected ({count} finite weights, finite bias) or None, got {value!r}")
    return [weights.tolist(), bias]


def gates(
    *, image: Any, mask: Any, features: Any, spatial: Any, channel: Any, readout: Any, names: Any
) -> dict[str, object]:
    """What the figure of gates is sent: checked, maps in 8 bits, the mask in their cells, the tile as JPEG."""
    require_rgb(image)
    shape: tuple[int, ...] = features.shape if isinstance(features, np.ndarray) else ()
    if len(shape) != 3 or not 1 <= shape[0] <= _MOST_MAPS or 0 in shape:
        raise ValueError(f"features: expected float (K, h, w), 1 to {_MOST_MAPS} maps, got {got(features)}")
    maps, (count, *cells) = _maps("features", features, [shape]), shape
    labels = list(names) if isinstance(names, Sequence) and not isinstance(names, str) else []
    if len(labels) != count or len(set(labels)) < count or not all(isinstance(one, str) and one for one in labels):
        raise ValueError(f"names: expected {count} strings that differ, one a map, none of them empty, got {names!r}")
    made: dict[str, object] = {
        "image": encoded(image, "JPEG", quality=80),
        "mask": run_lengths(_cells(mask, image, tuple(cells))),
        "features": _quantised(maps),
        "spatial": _packed(np.rint(255 * _gate("spatial", spatial, [tuple(cells)]))),
        "channel": _packed(np.rint(255 * _gate("channel", channel, [(count,), shape]))),
        "readout": _readout(readout, count),
        "names": labels,
    }
    return small(made, image, "128 x 128", shape)
