"""Train a network as a recipe says, for as long as a schedule says."""

from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from histolab_lib import papers
from histolab_lib.augment import RECIPES
from histolab_lib.choices import choose
from histolab_lib.inference import as_device
from histolab_lib.patches import SCHEMES
from histolab_lib.recipe import Recipe
from histolab_lib.training.engine import build_engine, precision_on
from histolab_lib.training.outcome import Data, Fitted
from histolab_lib.training.schedules import SCHEDULES, Plan, Schedule
from histolab_lib.training.session import Session
from histolab_lib.training.settings import process_settings

__all__ = ["Data", "Fitted", "device_for", "fit"]


def fit(
    recipe: Recipe,
    data: Data,
    schedule: Schedule | str,
    seed: int,
    *,
    network: nn.Module | None = None,
    weights: Path | None = None,
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
    weights : Path, optional
        As of ``papers.build_for``: the file of what the encoder starts from.
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
    where = device_for(device)
    plan = _plan(recipe, data, schedule, where, seed)
    with process_settings(where, plan.threads):
        engine = build_engine(where, plan.precision, processes=processes, nodes=nodes)
        if plan.batch_size % engine.world_size:
            raise ValueError(f"a batch of {plan.batch_size} cannot be shared by {engine.world_size} processes evenly")
        model = papers.build_for(recipe, seed=seed, weights=weights) if network is None else network
        session = Session(recipe, data, plan, seed, engine, model, folder)
        session.resume()
        return session.go(progress)


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


def device_for(device: str | torch.device) -> torch.device:
    """Return a device by name; of ``"auto"`` a GPU where there is one.

    Raises
    ------
    ValueError
        If this machine has no such device.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return as_device(device)
