"""Devices, precision and processes: Fabric's business, or that of a stand-in where one process in float32 will do."""

import logging
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

__all__ = ["Engine", "OneProcess", "build_engine", "precision_on"]


class Engine(Protocol):
    """What the loop asks of Fabric; `lightning_fabric.Fabric` has all of it."""

    @property
    def device(self) -> torch.device: ...
    @property
    def global_rank(self) -> int: ...
    @property
    def world_size(self) -> int: ...
    def setup(self, module: nn.Module, *optimizers: Optimizer) -> Any: ...
    def backward(self, tensor: Tensor) -> None: ...
    def clip_gradients(self, module: Any, optimizer: Any, *, max_norm: float, error_if_nonfinite: bool) -> Any: ...
    def autocast(self) -> AbstractContextManager[Any]: ...
    def all_reduce(self, data: Tensor, *, reduce_op: str) -> Any: ...
    def broadcast(self, obj: Any) -> Any: ...
    def barrier(self) -> None: ...


class OneProcess:
    """One process on one device in float32: what most pages of the book need, and no package beside torch."""

    global_rank, world_size = 0, 1

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def setup(self, module: nn.Module, *optimizers: Optimizer) -> Any:
        """Return them as they are."""
        return (module, *optimizers)

    def backward(self, tensor: Tensor) -> None:
        """Compute gradients."""
        tensor.backward()

    def clip_gradients(
        self, module: nn.Module, optimizer: Optimizer, *, max_norm: float, error_if_nonfinite: bool
    ) -> Tensor:
        """Shorten the gradient to `max_norm` where it is longer."""
        parameters = [p for group in optimizer.param_groups for p in group["params"]]  # in Fabric's order
        return torch.nn.utils.clip_grad_norm_(parameters, max_norm, error_if_nonfinite=error_if_nonfinite)

    def autocast(self) -> AbstractContextManager[None]:
        """Change no precision."""
        return nullcontext()

    def all_reduce(self, data: Tensor, *, reduce_op: str) -> Tensor:
        """Return what there is."""
        return data

    def broadcast(self, obj: Any) -> Any:
        """Return what there is."""
        return obj

    def barrier(self) -> None:
        """Wait for nobody."""


def build_engine(device: str | torch.device, precision: str, *, processes: int = 1, nodes: int = 1) -> Engine:
    """Return a Fabric of so many processes on each of so many machines, all of them started.

    Parameters
    ----------
    device : str or torch.device
        ``"cpu"``, ``"cuda"``, ``"mps"``.
    precision : {"32-true", "bf16-mixed"}
        ``bf16-mixed``: convolutions in bfloat16, weights and losses in float32.
    processes, nodes : int
        On each machine, and machines. With several, Fabric starts this very command again for each further process
        (or takes those that torchrun or SLURM started): they all arrive here.

    Raises
    ------
    ImportError
        If lightning-fabric is not installed.
    """
    try:
        from lightning_fabric import Fabric
    except ImportError as error:
        raise ImportError(
            "training by a recipe needs lightning-fabric: python -m pip install 'histolab-lib[train]'"
        ) from error

    logging.getLogger("lightning_fabric.utilities.rank_zero").setLevel(logging.WARNING)  # not what precision is used
    several = processes * nodes > 1
    fabric: Any = Fabric(
        accelerator=torch.device(device).type,
        strategy="ddp" if several else "auto",
        devices=processes,
        num_nodes=nodes,
        precision=precision,  # type: ignore[arg-type]
    )
    if several:
        fabric.launch()
    return fabric


def precision_on(device: torch.device, precision: str) -> str:
    """Return `precision`, or ``"32-true"`` where the device computes bfloat16 only slowly or not at all."""
    if precision != "bf16-mixed":
        return precision
    if device.type == "cuda":
        return precision if torch.cuda.is_bf16_supported(including_emulation=False) else "32-true"
    if device.type == "cpu":
        supported = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: False)
        return precision if supported() else "32-true"
    return "32-true"
