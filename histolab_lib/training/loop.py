"""The training loop: batch, loss, gradient, step, and again."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from histolab_lib.loading import Batch
from histolab_lib.losses import Loss, Targets
from histolab_lib.training.averaging import AveragedNetwork
from histolab_lib.training.batches import Source
from histolab_lib.training.engine import Engine
from histolab_lib.training.history import History
from histolab_lib.training.optimisers import set_lr
from histolab_lib.training.progress import shown

__all__ = ["Loop", "TrainingError"]

Origins: TypeAlias = tuple[tuple[str, int, int], ...]

# To read a loss from a GPU is to wait for it; on a CPU it costs nothing.
_READ_EVERY = {"cpu": 1}
_READ_ELSEWHERE = 25


class TrainingError(RuntimeError):
    """Training cannot go on; the message names the step and the batch."""


@dataclass
class Loop:
    """Everything that a step needs, and `run`, which takes them.

    Attributes
    ----------
    engine : Engine
        Device, precision, processes.
    network : nn.Module
        On the engine's device. Trained in place.
    optimiser : Optimizer
    batches : Source
        Every process makes each batch and takes its share.
    loss : callable
    lr : callable
        From the step (from 1) and the history to the learning rate.
    seed : int
        Of what the network draws, such as dropout.
    every : int
        Steps between two calls of `pause`; the last step is one, too.
    pause : callable
        Called with the history after the step that it ends with; true: stop here.
    average : AveragedNetwork, optional
    clip_norm : float, optional
    compiled : bool
    progress : bool, optional
    history : History
        Of the steps that were taken before, where a run is taken up again.
    training_seconds : float
        Spent in steps, `pause` not counted.
    """

    engine: Engine
    network: nn.Module
    optimiser: Optimizer
    batches: Source
    loss: Loss
    lr: Callable[[int, History], float]
    seed: int
    every: int
    pause: Callable[[History], bool]
    average: AveragedNetwork | None = None
    clip_norm: float | None = None
    compiled: bool = False
    progress: bool | None = None
    history: History = field(default_factory=History)
    training_seconds: float = field(default=0.0, init=False)
    _unread: list[tuple[Tensor, Origins]] = field(default_factory=list, init=False, repr=False)

    def run(self) -> None:
        """Take the steps that are left.

        Raises
        ------
        TrainingError
            If the loss becomes infinite or not a number, or memory runs out.
        """
        model: Any = torch.compile(self.network) if self.compiled else self.network
        model, optimiser = self.engine.setup(model, self.optimiser)
        first, total, device = self.history.steps, len(self.batches), self.engine.device
        bar = self.progress if self.engine.global_rank == 0 else False
        batches = shown(self.batches.iterate(first), total=total, done=first, progress=bar)
        since = time.perf_counter()
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            for step, batch in enumerate(batches, first + 1):
                with _told_if_out_of_memory(step, batch):
                    self._step(model, optimiser, batch, step)
                if step % self.every == 0 or step == total:
                    self._read()
                    self.training_seconds += time.perf_counter() - since
                    if self.pause(self.history):
                        return
                    since = time.perf_counter()

    def _step(self, model: Any, optimiser: Any, batch: Batch, step: int) -> None:
        rank, world = self.engine.global_rank, self.engine.world_size
        lr = self.lr(step, self.history)
        set_lr(self.optimiser, lr)
        self.network.train()
        torch.manual_seed(_draw(self.seed, step, rank))  # dropout, too, depends on seed and step alone
        loss = self.loss(model(batch.images[rank::world]), Targets.of(batch.instances[rank::world]))
        self.history.lrs.append(lr)
        self._unread.append((loss.detach(), batch.origins))
        if len(self._unread) >= _READ_EVERY.get(self.engine.device.type, _READ_ELSEWHERE):
            self._read()
        optimiser.zero_grad()
        self.engine.backward(loss)
        if self.clip_norm is not None:
            self.engine.clip_gradients(model, optimiser, max_norm=self.clip_norm, error_if_nonfinite=False)
        optimiser.step()
        if self.average is not None:
            self.average.update(self.network, step)

    def _read(self) -> None:
        """Take the losses since the last call into the history; the mean over processes."""
        if not self._unread:
            return
        losses = self.engine.all_reduce(torch.stack([loss for loss, _ in self._unread]), reduce_op="mean")
        for value, (_, origins) in zip(losses.tolist(), self._unread, strict=True):
            self.history.losses.append(value)
            if not math.isfinite(value):
                raise TrainingError(
                    f"the loss became {value} at step {self.history.steps}; a lower lr may help. "
                    f"The batch was: {_places(origins)}"
                )
        self._unread.clear()


@contextmanager
def _told_if_out_of_memory(step: int, batch: Batch) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        # a GPU's error has a type of its own, a CPU's has none
        if not isinstance(error, torch.OutOfMemoryError) and "can't allocate memory" not in str(error):
            raise
        count, _, height, width = batch.images.shape
        raise TrainingError(
            f"out of memory at step {step}, {count} crops of {height}x{width} pixels: take a smaller batch or crop"
        ) from error


def _places(origins: Origins) -> str:
    return ", ".join(f"{name} at row {top}, column {left}" for name, top, left in origins)


def _draw(seed: int, step: int, rank: int) -> int:
    return int(np.random.SeedSequence([seed, step, rank]).generate_state(1)[0])
