"""From the parts of a run to a checkpoint, and back into them."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

__all__ = ["load_network", "load_optimiser", "network_tensors", "optimiser_state"]


def network_tensors(network: nn.Module, prefix: str) -> dict[str, Tensor]:
    """Return parameters and buffers by name, each name with a prefix and a dot."""
    return {f"{prefix}.{name}": tensor for name, tensor in network.state_dict().items()}


def load_network(network: nn.Module, tensors: Mapping[str, Tensor], prefix: str) -> None:
    """Put back what `network_tensors` gave; every name must fit."""
    begin = f"{prefix}."
    network.load_state_dict({name.removeprefix(begin): t for name, t in tensors.items() if name.startswith(begin)})


def optimiser_state(optimiser: Optimizer) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return what an optimiser remembers of each parameter: tensors by name, and what is no tensor."""
    tensors: dict[str, Tensor] = {}
    plain: dict[str, Any] = {}
    for place, entries in optimiser.state_dict()["state"].items():
        for name, value in entries.items():
            (tensors if isinstance(value, Tensor) else plain)[f"optimiser.{place}.{name}"] = value
    return tensors, plain


def load_optimiser(optimiser: Optimizer, tensors: Mapping[str, Tensor], plain: Mapping[str, Any]) -> None:
    """Put back what `optimiser_state` gave; rates and factors stay those of the optimiser."""
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    state: dict[int, dict[str, Any]] = {}
    for key, value in [*tensors.items(), *plain.items()]:
        if key.startswith("optimiser."):
            _, place, name = key.split(".", 2)
            state.setdefault(int(place), {})[name] = _like(value, parameters[int(place)])
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def _like(value: Any, parameter: Tensor) -> Any:
    """Lay a tensor out in memory as its parameter is, which a file does not tell: steps are then as fast as before."""
    if not isinstance(value, Tensor) or value.shape != parameter.shape:
        return value
    return torch.empty_like(parameter, dtype=value.dtype, requires_grad=False).copy_(value)
