"""The figure of dilated convolutions: a stack of rates over a tile."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from histolab_lib.demos.packing import encoded, require_rgb, small, whole

__all__ = ["dilation"]

_LAYERS, _MOST_RATE = 4, 8  # sliders, and how far each goes
_STRIDES_PX = (1, 4, 8, 16, 32)


def _rates(name: str, value: Any) -> list[int]:
    """One rate for each slider; what is not given is not there."""
    given = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []
    rates = [rate for rate in map(whole, given) if rate is not None and 0 <= rate <= _MOST_RATE]
    if not 1 <= len(given) <= _LAYERS or len(rates) < len(given):
        raise ValueError(
            f"{name}: expected 1 to {_LAYERS} whole numbers from 0 (no layer) to {_MOST_RATE}, got {value!r}"
        )
    return rates + [0] * (_LAYERS - len(rates))


def _examples(value: Any) -> list[list[object]]:
    pairs: list[Any] = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [None]
    if not all(isinstance(pair, Sequence) and len(pair) == 2 and isinstance(pair[0], str) for pair in pairs):
        raise ValueError(f"examples: expected pairs of a name and its rates, got {value!r}")
    names = [name for name, _ in pairs]
    if not all(names) or len(set(names)) < len(names):
        raise ValueError(f"examples: expected names that differ, none of them empty, got {names}")
    return [[name, _rates(f"examples: {name}", rates)] for name, rates in pairs]


def dilation(*, image: Any, um_per_px: Any, rates: Any, examples: Any, stride_px: Any) -> dict[str, object]:
    """What the figure of dilated convolutions is sent: checked, with rates for all layers, the tile as JPEG."""
    require_rgb(image)
    known = isinstance(um_per_px, int | float | np.number) and not isinstance(um_per_px, bool)
    if not known or not 0 < um_per_px < float("inf"):
        raise ValueError(f"um_per_px: expected a finite number above 0, got {um_per_px!r}")
    if whole(stride_px) not in _STRIDES_PX:
        raise ValueError(f"stride_px: expected one of {', '.join(map(str, _STRIDES_PX))}, got {stride_px!r}")
    made: dict[str, object] = {
        "image": encoded(image, "JPEG", quality=80),
        "um_per_px": float(um_per_px),
        "rates": _rates("rates", rates),
        "examples": _examples(examples),
        "stride_px": int(stride_px),
    }
    return small(made, image, "160 x 160")
