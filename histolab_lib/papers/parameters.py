"""How large each network is and how much it computes, counted without computing anything, and kept as facts."""

import json
import os
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from histolab_lib.claims import claim
from histolab_lib.data_dir import data_dir
from histolab_lib.papers import build
from histolab_lib.papers.entry import Network
from histolab_lib.papers.registry import networks

__all__ = ["SIZE_PX", "compute", "count", "write"]

#: Side of the image for which multiply-adds are counted.
SIZE_PX = 256


def count(network: nn.Module, *, size_px: int = SIZE_PX, in_channels: int = 3) -> dict[str, Any]:
    """Count a network, and each of its direct parts.

    Parameters
    ----------
    network : nn.Module
        Left as it is: a copy is counted, on torch's device "meta", where nothing is computed.
    size_px : int
        Side of the one image that it is given.
    in_channels : int
        Of that image.

    Returns
    -------
    dict
        ``parameters``: all values that are learned. ``statistics``: running means and variances of batch norm, which
        Keras adds as "non-trainable". ``multiply_adds``: of convolutions, transposed ones included, and matrix
        products in evaluation mode; not of norms, activations, sums or interpolation, which is how papers count.
        ``stages``: the same three by direct part, without those that have none of them.

    Examples
    --------
    >>> from torch import nn
    >>> count(nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8)), size_px=4)["stages"]["0"]
    {'parameters': 224, 'statistics': 0, 'multiply_adds': 3456}
    """
    network = deepcopy(network).to("meta").eval()
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        network(torch.empty(1, in_channels, size_px, size_px, device="meta"))
    products = {name: sum(kinds.values()) // 2 for name, kinds in counter.get_flop_counts().items()}
    root = type(network).__name__
    stages = {name: _sizes(part, _within(f"{root}.{name}", part, products)) for name, part in network.named_children()}
    whole = _sizes(network, products["Global"])
    return {**whole, "stages": {name: sizes for name, sizes in stages.items() if any(sizes.values())}}


def compute() -> dict[str, Any]:
    """Count every network and variant of `papers.registry`; what ``data/facts/parameters.json`` holds."""
    told = {key: {"title": entry.title, "variants": _variants(key, entry)} for key, entry in networks().items()}
    return {"size_px": SIZE_PX, "networks": told}


def write(path: Path | None = None) -> Path:
    """Write what `compute` gives, whole or not at all, by default to ``data/facts/parameters.json``."""
    path = data_dir() / "facts" / "parameters.json" if path is None else path
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(json.dumps(compute(), indent=1) + "\n", encoding="utf-8")
    part.replace(path)
    return path


def _variants(key: str, entry: Network) -> dict[str, Any]:
    return {
        name: {"options": dict(options), **_counted(key, options), **_printed(entry.printed.get(name))}
        for name, options in entry.rows.items()
    }


def _counted(key: str, options: Mapping[str, Any]) -> dict[str, Any]:
    with torch.device("meta"):  # shapes alone: nothing is drawn, nothing computed
        network = build(key, **options)
    return count(network)


def _printed(key: str | None) -> dict[str, Any]:
    return {} if key is None else {"printed": {"claim": key, "value": claim(key).value, "unit": claim(key).unit}}


def _within(name: str, part: nn.Module, products: Mapping[str, int]) -> int:
    """Multiply-adds of a part; one that is never called itself, as a list of blocks, has those of its own parts."""
    if name in products:
        return products[name]
    return sum(_within(f"{name}.{key}", inner, products) for key, inner in part.named_children())


def _sizes(part: nn.Module, multiply_adds: int) -> dict[str, int]:
    statistics = [b.numel() for name, b in part.named_buffers() if name.endswith(("running_mean", "running_var"))]
    return {
        "parameters": sum(p.numel() for p in part.parameters()),
        "statistics": sum(statistics),
        "multiply_adds": multiply_adds,
    }
