"""What every function of the package asks of a mask, an instance map and a connectivity."""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Mask", "checked_instances", "checked_mask", "checked_whole", "neighbours"]

Mask = npt.NDArray[np.bool_]


def checked_mask(mask: Any, name: str = "mask") -> Mask:
    """Return `mask`; a ValueError that calls it `name` unless it is a bool array (H, W)."""
    if not isinstance(mask, np.ndarray) or mask.dtype != bool or mask.ndim != 2:
        raise ValueError(
            f"{name}: expected bool (H, W), got {_described(mask)}; threshold it first, as in {name} > 0.5"
        )
    return mask


def checked_instances(instances: Any, name: str) -> npt.NDArray[Any]:
    """Return `instances`; a ValueError that calls it `name` unless it is an integer array (H, W) of ids 0 or more."""
    if not isinstance(instances, np.ndarray) or instances.dtype.kind not in "iu" or instances.ndim != 2:
        raise ValueError(f"{name}: expected integers (H, W) with 0 as background, got {_described(instances)}")
    if instances.size and instances.min() < 0:
        raise ValueError(f"{name}: ids must not be negative, got {instances.min()} in {_described(instances)}")
    return instances


def checked_whole(value: Any, name: str, unit: str = "") -> int:
    """Return `value` as an int; a ValueError that calls it `name` unless it is a whole number, 0 or more."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{name}: expected a whole number{unit}, 0 or more, got {value!r}")
    return int(value)


def neighbours(connectivity: int | None) -> int:
    """Return scipy's name for 4- or 8-connectivity, 1 or 2; there is no default."""
    if connectivity not in (4, 8):
        raise ValueError(f"connectivity: expected 4 (sides) or 8 (sides and corners), got {connectivity!r}")
    return 1 if connectivity == 4 else 2


def _described(value: Any) -> str:
    return f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__
