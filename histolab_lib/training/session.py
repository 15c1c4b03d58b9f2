"""One session of a run: started or taken up again, paused to look and to save, brought to its end."""

import hashlib
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from histolab_lib import losses
from histolab_lib.augment import RECIPES
from histolab_lib.loading import Batches
from histolab_lib.patches import resize
from histolab_lib.recipe import Recipe
from histolab_lib.tile import Tile
from histolab_lib.training.averaging import AveragedNetwork
from histolab_lib.training.batches import PatchBatches, Source
from histolab_lib.training.engine import Engine
from histolab_lib.training.history import History
from histolab_lib.training.loop import Loop
from histolab_lib.training.optimisers import build_optimiser
from histolab_lib.training.outcome import Data, Fitted
from histolab_lib.training.rates import best_step, learning_rate, out_of_patience
from histolab_lib.training.run_folder import RunFolder
from histolab_lib.training.schedules import Plan
from histolab_lib.training.settings import peak_memory_mib
from histolab_lib.training.state import load_network, load_optimiser, network_tensors, optimiser_state
from histolab_lib.training.validation import OBJECT_SCORES, mean_dice, mean_loss, mean_object_score

__all__ = ["Session"]


@dataclass
class Session:
    """One session of one run: the loop, and what happens when it pauses.

    Attributes
    ----------
    recipe, data, plan, seed
        What decides the numbers.
    engine : Engine
    network : nn.Module
        Trained in place.
    folder : Path or None
        Where the run is kept.
    best : dict of str to Tensor or None
        Weights of the best step so far, where the recipe selects it.
    resumed_from : int
    history : History
    """

    recipe: Recipe
    data: Data
    plan: Plan
    seed: int
    engine: Engine
    network: nn.Module
    folder: Path | None
    best: dict[str, Tensor] | None = None
    resumed_from: int = 0
    history: History = field(default_factory=History)

    def __post_init__(self) -> None:
        layout = {"memory_format": torch.channels_last} if self.plan.channels_last else {}
        self.network.to(self.engine.device, **layout)  # type: ignore[call-overload]
        decay = self.recipe.averaged_weights
        self.average = None if decay is None else AveragedNetwork(self.network, decay)
        self.optimiser = build_optimiser(self.recipe, self.network)
        self.loss = losses.build(self.recipe.loss, **self.recipe.loss_options)
        self.files = None if self.folder is None else RunFolder(self.folder, _identity(self))
        self.start = time.perf_counter()

    @property
    def used(self) -> nn.Module:
        """The network that is validated, chosen and given back."""
        return self.network if self.average is None else self.average.network

    def resume(self) -> None:
        """Go to where an earlier session was when it wrote its last checkpoint."""
        if self.files is None:
            return
        found, self.best = self.files.resume()
        if found is None:
            return
        load_network(self.network, found.tensors, "network")
        if self.average is not None:
            load_network(self.average.network, found.tensors, "average")
        load_optimiser(self.optimiser, found.tensors, found.facts["optimiser"])
        self.history = History.from_dict(found.facts["history"])
        self.resumed_from = self.history.steps

    def go(self, progress: bool | None) -> Fitted:
        """Take the steps that are left."""
        before = self.history.seconds

        def pause(history: History) -> bool:
            stop = self._look(history)
            history.seconds = before + time.perf_counter() - self.start
            self._keep(history)
            return stop

        loop = Loop(
            engine=self.engine,
            network=self.network,
            optimiser=self.optimiser,
            batches=self._batches(),
            loss=self.loss,
            lr=self._lr,
            seed=self.seed,
            every=self.plan.every,
            pause=pause,
            average=self.average,
            clip_norm=self.recipe.clip_norm,
            compiled=self.plan.compiled,
            progress=progress,
            history=self.history,
        )
        if not self._finished():
            loop.run()
        return self._fitted(loop.training_seconds)

    def _batches(self) -> Source:
        recipe, plan = self.recipe, self.plan
        common: dict[str, Any] = {
            "batch_size": plan.batch_size,
            "steps": plan.steps,
            "seed": self.seed,
            "recipe": RECIPES[recipe.augment],
            "device": self.engine.device,
        }
        if plan.patches != "random":
            return PatchBatches(self.data.fit, scheme=plan.patches, **common)
        return Batches(self._sized(self.data.fit), size_px=plan.crop_px, workers=plan.workers, **common)

    def _sized(self, tiles: Sequence[Tile]) -> Sequence[Tile]:
        """Tiles as large as the recipe's network sees them."""
        size = self.recipe.resize_px
        return tiles if size is None else [resize(tile, size) for tile in tiles]

    def _lr(self, step: int, history: History) -> float:
        known = history.of(_metric(self.recipe))
        return learning_rate(self.recipe, step, self.plan.steps, known, self.plan.chance)

    def _finished(self) -> bool:
        step = self.history.steps
        return step >= self.plan.steps or (step > 0 and self._in_vain(self.history))

    def _in_vain(self, history: History) -> bool:
        """Whether the recipe's patience is at its end."""
        known = history.of(_metric(self.recipe))
        return out_of_patience(self.recipe, history.steps, self.plan.steps, known, self.plan.chance)

    def _look(self, history: History) -> bool:
        """Score the validation tiles; say whether to stop."""
        if not self.data.val:
            return False
        scores = self._scores() if self.engine.global_rank == 0 else None
        history.scores[history.steps] = self.engine.broadcast(scores)
        known = history.of(_metric(self.recipe))
        if self.recipe.selection == "best_validation" and best_step(self.recipe, known) == history.steps:
            self.best = {name: t.detach().cpu().clone() for name, t in network_tensors(self.used, "network").items()}
        return self._in_vain(history)

    def _scores(self) -> dict[str, float]:
        recipe, plan, tiles = self.recipe, self.plan, self.data.val
        how = {"precision": "bfloat16" if plan.precision == "bf16-mixed" else "float32"}
        windows: dict[str, Any] = {"resize_px": recipe.resize_px}
        windows |= {} if recipe.window_px is None else {"window_px": recipe.window_px}
        windows |= {} if recipe.overlap_px is None else {"overlap_px": recipe.overlap_px}
        windows |= plan.windows()
        threshold: Any = recipe.thresholds.get("mask", 0.5)
        scores = {"dice": mean_dice(self.used, tiles, threshold=threshold, **how, **windows)}
        metric = _metric(recipe)
        if metric in OBJECT_SCORES:
            scores[metric] = mean_object_score(
                self.used, tiles, recipe, metric, symmetries=False, **how, **plan.windows()
            )
        if metric == "loss":
            with self.engine.autocast():
                scores["loss"] = mean_loss(
                    self.used, self._sized(tiles), self.loss, crop_px=plan.crop_px, batch_size=plan.batch_size
                )
        return scores

    def _keep(self, history: History) -> None:
        if self.files is not None and self.engine.global_rank == 0:
            tensors = network_tensors(self.network, "network")
            if self.average is not None:
                tensors |= network_tensors(self.average.network, "average")
            more, plain = optimiser_state(self.optimiser)
            is_best = best_step(self.recipe, history.of(_metric(self.recipe))) == history.steps
            self.files.keep(history, tensors | more, {"optimiser": plain}, self.best if is_best else None)
        self.engine.barrier()

    def _fitted(self, training_seconds: float) -> Fitted:
        step = self.history.steps
        if self.recipe.selection == "best_validation" and self.best is not None:
            load_network(self.network, self.best, "network")
            step = best_step(self.recipe, self.history.of(_metric(self.recipe))) or step
        elif self.average is not None:
            self.network.load_state_dict(self.average.network.state_dict())
        crops = (self.history.steps - self.resumed_from) * self.plan.batch_size
        return Fitted(
            network=self.network.eval(),
            recipe=self.recipe,
            plan=self.plan,
            seed=self.seed,
            history=self.history,
            step=step,
            resumed_from=self.resumed_from,
            images_per_s=crops / training_seconds if training_seconds else math.nan,
            peak_memory_mib=peak_memory_mib(self.engine.device),
            first_process=self.engine.global_rank == 0,
        )


def _metric(recipe: Recipe) -> str:
    return str(recipe.validation.get("metric", "dice"))


def _identity(run: Session) -> dict[str, Any]:
    """What decides the numbers of a run, as JSON knows it."""

    def of(names: Sequence[str]) -> str:
        return f"{len(names)} tiles {hashlib.sha256('/'.join(names).encode()).hexdigest()[:8]}"

    return {
        "recipe": f"{run.recipe.name} {run.recipe.digest()}",
        "plan": run.plan.to_dict(),
        "seed": run.seed,
        "fit": of(run.data.fit_names),
        "validation": of(run.data.val_names),
        "processes": run.engine.world_size,
    }
