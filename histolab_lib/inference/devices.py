"""Where a network computes, and in how many digits."""

import torch
from torch import nn

__all__ = ["PRECISIONS", "as_device", "autocast", "device_of"]

#: How many digits a network computes in. ``"bfloat16"`` keeps weights and what needs care in float32 (autocast).
PRECISIONS = ("float32", "bfloat16")


def as_device(name: str | torch.device) -> torch.device:
    """Return a device by name.

    Raises
    ------
    ValueError
        If this machine has no such device; the message lists those it has.
    """
    there = ["cpu"]
    there += ["cuda"] if torch.cuda.is_available() else []
    there += ["mps"] if torch.backends.mps.is_available() else []
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in there:
        raise ValueError(f"unknown device {str(name)!r}: this machine has {', '.join(there)}")
    return device


def device_of(network: nn.Module) -> torch.device:
    """Return where the network's first parameter is; the CPU where it has none."""
    first = next(network.parameters(), None)
    return torch.device("cpu") if first is None else first.device


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Return a context in which a network computes in `precision`.

    Raises
    ------
    ValueError
        If `precision` is none of `PRECISIONS`.

    Examples
    --------
    >>> with autocast(torch.device("cpu"), "bfloat16"):
    ...     print((torch.ones(2, 2) @ torch.ones(2, 2)).dtype)
    torch.bfloat16
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision must be one of {', '.join(map(repr, PRECISIONS))}, got {precision!r}")
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")
