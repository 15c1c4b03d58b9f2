"""Train a network as a recipe says, for as long as a schedule says."""

import hashlib
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from histolab_lib import losses, papers
from histolab_lib.augment import RECIPES
from histolab_lib.datasets.choices import choose
from histolab_lib.inference import as_device
from histolab_lib.loading import Batches
from histolab_lib.patches import SCHEMES
from histolab_lib.recipe import Recipe
from histolab_lib.tile import Tile
from histolab_lib.training.averaging import AveragedNetwork
from histolab_lib.training.batches import PatchBatches, Source
from histolab_lib.training.engine import Engine, build_engine, precision_on
from histolab_lib.training.history import History
from histolab_lib.training.loop import Loop
from histolab_lib.training.optimisers import build_optimiser
from histolab_lib.training.rates import best_step, learning_rate, out_of_patience
from histolab_lib.training.run_folder import RunFolder
from histolab_lib.training.schedules import SCHEDULES, Plan, Schedule
from histolab_lib.training.settings import peak_memory_mib, process_settings
from histolab_lib.training.state import load_network, load_optimiser, network_tensors, optimiser_state
from histolab_lib.training.validation import mean_aji, mean_dice, mean_loss

__all__ = ["Data", "Fitted", "fit"]


@dataclass(frozen=True)
class Data:
    """What a network learns from, and what decisions are made on.

    Attributes
    ----------
    fit : sequence of Tile
        At least one.
    val : sequence of Tile
        Empty where nothing is decided. `datasets.validation_split` gives both.
    name : str
        Of the set.
    """

    fit: Sequence[Tile]
    val: Sequence[Tile] = ()
    name: str = ""

    @property
    def fit_names(self) -> tuple[str, ...]:
        """Names of the tiles that are learned from."""
        return _names(self.fit)

    @property
    def val_names(self) -> tuple[str, ...]:
        """Names of the tiles that decisions look at."""
        return _names(self.val)


@dataclass
class Fitted:
    """A trained network, and how it came about.

    Attributes
    ----------
    network : nn.Module
        With the weights that the recipe selects (averaged, where it averages), in evaluation mode, on its device.
    recipe : Recipe
    plan : Plan
        What the schedule made of the recipe.
    seed : int
    history : History
    step : int
        Whose weights these are.
    resumed_from : int
        Steps that an earlier session had taken; 0 for a run in one go.
    images_per_s : float
        Crops learned from in a second of this session, validation not counted; NaN where it took no step.
    peak_memory_mib : float
        Largest memory of this session: of tensors on a GPU, of the whole process on a CPU.
    first_process : bool
        Whether this process is the one that writes; of several, one is, and its network is the one to use: running
        means of batch norm are those of each process's own share.
    """

    network: nn.Module
    recipe: Recipe
    plan: Plan
    seed: int
    history: History
    step: int
    resumed_from: int
    images_per_s: float
    peak_memory_mib: float
    first_process: bool = True

    @property
    def stopped_early(self) -> bool:
        """Whether patience ran out before the steps did."""
        return self.history.steps < self.plan.steps


def fit(
    recipe: Recipe,
    data: Data,
    schedule: Schedule | str,
    seed: int,
    *,
    network: nn.Module | None = None,
    folder: Path | None = None,
    device: str | torch.device = "auto",
    processes: int = 1,
    nodes: int = 1,
    progress: bool | None = None,
) -> Fitted:
    """Train the network of a recipe.

    Parameters
    ----------
    recipe : Recipe
    data : Data
    schedule : Schedule or str
        One of `SCHEDULES`, by name, or your own.
    seed : int
        Decides weights, crops, changes and what the network draws. On a CPU with one thread the same seed gives the
        same weights to the last bit. The global random state is left as it was.
    network : nn.Module, optional
        Trained in place of the one that ``papers.build_for`` gives.
    folder : Path, optional
        Where checkpoints and ``log.csv`` go. A run that was killed is taken up there, after the last validation that
        it finished, and ends as if nothing had happened. None: nothing is written.
    device : str or torch.device
        ``"auto"``: a GPU where there is one.
    processes, nodes : int
        See `build_engine`. Every process takes its share of each batch, and the mean of their gradients is used: as
        one process would, except that batch norm and losses over a batch see shares.
    progress : bool, optional
        Whether to draw a progress bar; None: only on a terminal.

    Returns
    -------
    Fitted

    Raises
    ------
    ValueError
        If recipe, schedule and data do not fit together; nothing has been trained then.
    CheckpointError
        If `folder` holds another run, or damaged checkpoints alone. Of several checkpoints the newest whole one is
        taken, with a warning.
    TrainingError
        If the loss becomes infinite or not a number (the message names the batch), or memory runs out.
    """
    where = _device(device)
    plan = _plan(recipe, data, schedule, where, seed)
    with process_settings(where, plan.threads):
        engine = build_engine(where, plan.precision, processes=processes, nodes=nodes)
        if plan.batch_size % engine.world_size:
            raise ValueError(f"a batch of {plan.batch_size} cannot be shared by {engine.world_size} processes evenly")
        model = papers.build_for(recipe, seed=seed) if network is None else network
        run = _Run(recipe, data, plan, seed, engine, model, folder)
        run.resume()
        return run.go(progress)


@dataclass
class _Run:
    """One run of one recipe: the loop, and what happens when it pauses."""

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
        return Batches(self.data.fit, size_px=plan.crop_px, workers=plan.workers, **common)

    def _lr(self, step: int, history: History) -> float:
        return learning_rate(self.recipe, step, self.plan.steps, history.of(_metric(self.recipe)))

    def _finished(self) -> bool:
        step, scores = self.history.steps, self.history.of(_metric(self.recipe))
        return step >= self.plan.steps or (step > 0 and out_of_patience(self.recipe, step, self.plan.steps, scores))

    def _look(self, history: History) -> bool:
        """Score the validation tiles; say whether to stop."""
        if not self.data.val:
            return False
        scores = self._scores() if self.engine.global_rank == 0 else None
        history.scores[history.steps] = self.engine.broadcast(scores)
        known = history.of(_metric(self.recipe))
        if self.recipe.selection == "best_validation" and best_step(self.recipe, known) == history.steps:
            self.best = {name: t.detach().cpu().clone() for name, t in network_tensors(self.used, "network").items()}
        return out_of_patience(self.recipe, history.steps, self.plan.steps, known)

    def _scores(self) -> dict[str, float]:
        recipe, plan, tiles = self.recipe, self.plan, self.data.val
        how = {"precision": "bfloat16" if plan.precision == "bf16-mixed" else "float32"}
        windows = {} if recipe.window_px is None else {"window_px": recipe.window_px}
        windows |= {} if recipe.overlap_px is None else {"overlap_px": recipe.overlap_px}
        threshold: Any = recipe.thresholds.get("mask", 0.5)
        scores = {"dice": mean_dice(self.used, tiles, threshold=threshold, **how, **windows)}
        if _metric(recipe) == "aji":
            scores["aji"] = mean_aji(self.used, tiles, recipe, symmetries=False, **how)
        if _metric(recipe) == "loss":
            with self.engine.autocast():
                scores["loss"] = mean_loss(
                    self.used, tiles, self.loss, crop_px=plan.crop_px, batch_size=plan.batch_size
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


def _plan(recipe: Recipe, data: Data, schedule: Schedule | str, device: torch.device, seed: int) -> Plan:
    if seed < 0:
        raise ValueError(f"seed must be at least 0, got {seed}")
    if isinstance(schedule, str):
        schedule = SCHEDULES[choose("schedule", schedule, SCHEDULES)]
    choose("augmentation", recipe.augment, RECIPES)
    choose("patches", recipe.patches, ("random", *SCHEMES))
    if len(data.fit) == 0:
        raise ValueError(f"{data.name or 'data'}: the training set is empty; there is nothing to learn from")
    decides = recipe.selection == "best_validation" or recipe.lr_schedule == "plateau" or recipe.patience is not None
    if decides and len(data.val) == 0:
        raise ValueError(f"recipe {recipe.name} decides by validation scores, but there are no validation tiles")
    if both := sorted(set(data.fit_names) & set(data.val_names)):
        raise ValueError(f"tiles are in training and validation: {', '.join(both)}")
    plan = schedule.plan(recipe, data.fit)
    return replace(plan, precision=precision_on(device, plan.precision))


def _metric(recipe: Recipe) -> str:
    return str(recipe.validation.get("metric", "dice"))


def _device(device: str | torch.device) -> torch.device:
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return as_device(device)


def _names(tiles: Sequence[Tile]) -> tuple[str, ...]:
    listed = getattr(tiles, "names", None)  # a TileSequence need not read its images for that
    return tuple(listed) if listed is not None else tuple(tile.name for tile in tiles)


def _identity(run: _Run) -> dict[str, Any]:
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
