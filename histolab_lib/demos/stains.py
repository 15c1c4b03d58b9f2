"""The figure of stains: a tile whose densities the page computes, and vectors that readers turn."""

from typing import Any

import numpy as np

from histolab_lib.demos.packing import encoded, got, require_rgb, small

__all__ = ["stains"]

_LEAST_ANGLE_DEG = 1.0  # two vectors nearer to each other span no plane that noise would not turn


def _unit_rows(name: str, value: Any) -> list[list[float]]:
    """Two stain vectors as JSON holds them; the page makes them unit vectors to its last digit."""
    rows = np.asarray(value, np.float64) if isinstance(value, np.ndarray | list | tuple) else None
    if rows is None or rows.shape != (2, 3) or not np.isfinite(rows).all():
        found = got(value) if rows is None else f"shape {rows.shape}"
        raise ValueError(f"{name}: expected two finite rows, hematoxylin and eosin, got {found}")
    lengths = np.linalg.norm(rows, axis=1)
    if (np.abs(lengths - 1) > 0.01).any():
        raise ValueError(f"{name}: expected rows of length 1, got {lengths.round(3).tolist()}; divide by it")
    angle = np.degrees(np.arccos(np.clip(rows[0] @ rows[1] / lengths.prod(), -1, 1)))
    if not _LEAST_ANGLE_DEG <= angle <= 180 - _LEAST_ANGLE_DEG:
        raise ValueError(f"{name}: the rows must be {_LEAST_ANGLE_DEG:g} degree apart or more, got {angle:.2f}")
    return [[float(entry) for entry in row] for row in rows.round(5)]


def _truth(value: Any, shape: tuple[int, ...]) -> str:
    """Amounts as a grey picture, the largest 255: what the page tells of them needs no unit."""
    amounts = np.asarray(value, np.float64) if isinstance(value, np.ndarray) and value.dtype.kind in "fui" else None
    if amounts is None or amounts.shape != shape:
        raise ValueError(f"hematoxylin: expected amounts of shape {shape}, as the image, or None, got {got(value)}")
    if not (np.isfinite(amounts).all() and amounts.min() >= 0 and amounts.max() > 0):
        raise ValueError(
            f"hematoxylin: expected finite amounts of 0 or more, not all 0, got {amounts.min():g} to {amounts.max():g}"
        )
    return encoded(np.rint(255 * amounts / amounts.max()).astype(np.uint8), "PNG", optimize=True)


def stains(*, image: Any, start: Any, vectors: Any, hematoxylin: Any) -> dict[str, object]:
    """What the figure of stains is sent: checked, pictures without loss, because their densities are computed."""
    require_rgb(image)
    made: dict[str, object] = {
        "image": encoded(image, "PNG", optimize=True),
        "start": _unit_rows("start", start),
        "vectors": None if vectors is None else _unit_rows("vectors", vectors),
        "hematoxylin": None if hematoxylin is None else _truth(hematoxylin, image.shape[:2]),
    }
    return small(made, image, "96 x 128")
