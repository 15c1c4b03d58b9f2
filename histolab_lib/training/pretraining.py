"""Weights for an encoder where ImageNet's are not to be had: taught on synthetic tissue, or without labels.

Both are substitutes that need nothing but this machine. The network of the recipe is trained as a whole; of it the
encoder alone is kept, in a file that `encoders.load_weights` reads, and the rest is thrown away, so that what is
compared differs in the encoder's first weights alone, as with ImageNet's.

- ``"synthetic"``: by the recipe's own loss, on synthetic nuclei with their true masks (`datasets.synthetic`, all
  tissues): 120 tiles of 512 px, as many pixels as MoNuSeg's 30 training tiles, fewer where the crops do not come to
  that; always the same ones, whatever the seed.
- ``"self_supervised"``: on the tiles that the run learns from, whose labels are taken off first; neither validation nor
  test tiles are seen. The task is `pretext.Pretext`.

Either takes as many crops as the training that follows, of the same size and in the same batches, by the same optimiser
and augmentation: what twenty minutes are for the one, they are for the other. Where the recipe differs, this is ours:
crops anywhere, a learning rate that falls to 0 along half a cosine (nothing is chosen, so what is kept should have
settled), no validation.
"""

import json
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from histolab_lib import datasets, papers
from histolab_lib.choices import choose
from histolab_lib.data_dir import cache_dir
from histolab_lib.recipe import Recipe
from histolab_lib.record import digest_of
from histolab_lib.tile import Tile
from histolab_lib.training.checkpoints import CheckpointError, read_tensors, write_tensors
from histolab_lib.training.engine import precision_on
from histolab_lib.training.evidence import fingerprint, tile_hash
from histolab_lib.training.fitting import Data, Fitted, device_for, fit
from histolab_lib.training.pretext import BLANKED, BLOCK_PX, Pretext
from histolab_lib.training.schedules import SCHEDULES, Plan

__all__ = ["KINDS", "EncoderFile", "pretrain", "pretraining_recipe"]

#: Those of ``recipe.WEIGHTS`` that are made here.
KINDS = ("synthetic", "self_supervised")

_TILES, _SIDE_PX, _SEED = 120, 512, 0
_FORMAT = 1


@dataclass(frozen=True)
class EncoderFile:
    """Weights of an encoder that were made here.

    Attributes
    ----------
    path : Path
        A safetensors file with timm's names. Beside it, a JSON tells how it was made.
    seconds : float
        That making it took, whenever that was: training, and drawing the tiles.
    data : mapping
        What was learned from, as `Record.data` has it; empty where that is what the run itself learns from.
    losses : tuple of float
        Mean loss of the first and of the last tenth of its steps.
    """

    path: Path
    seconds: float
    data: Mapping[str, Mapping[str, Any]]
    losses: tuple[float, float]


def pretrain(
    recipe: Recipe,
    tiles: Sequence[Tile],
    schedule: str,
    seed: int,
    *,
    folder: Path,
    device: str | torch.device = "auto",
    processes: int = 1,
    nodes: int = 1,
    progress: bool | None = None,
) -> EncoderFile:
    """Make the weights that a recipe starts from, or find them where they have been made before.

    Parameters
    ----------
    recipe : Recipe
        Whose `weights` is one of `KINDS`.
    tiles : sequence of Tile
        What the run learns from. Synthetic tissue is learned from in their place; they decide then how many crops.
    schedule : str
        One of ``training.SCHEDULES``.
    seed : int
        Of weights, crops and changes; that of the run.
    folder : Path
        Where checkpoints go until the file is written, in a folder of their own: what was killed is taken up there.
    device, progress
        As of `fit`.
    processes, nodes : int
        Must be 1 where the file is not there yet.

    Returns
    -------
    EncoderFile
        In the user's cache, ``weights/ENCODER_KIND-DIGEST.safetensors``. The digest is of everything that decides it
        but the version of the library; a file that is damaged is made again.

    Raises
    ------
    ValueError
        If the recipe starts otherwise, its network has no encoder, or several processes are asked for.
    """
    choose("weights that are made here", recipe.weights, KINDS)
    encoder = papers.encoder_of(recipe)
    length = SCHEDULES[choose("schedule", schedule, SCHEDULES)]
    plan = length.plan(recipe, tiles)
    made = pretraining_recipe(recipe, plan)
    learned = _synthetic(plan) if recipe.weights == "synthetic" else [_unlabelled(tile) for tile in tiles]
    where = device_for(device)
    deciding = {
        "recipe": made.digest(),
        "plan": length.plan(made, learned).to_dict() | {"precision": precision_on(where, plan.precision)},
        "device": where.type,
        "seed": seed,
        "data": _deciding(recipe.weights, learned),
    }
    stem = f"{encoder}_{recipe.weights}-{digest_of(deciding)}"
    path = cache_dir() / "weights" / f"{stem}.safetensors"
    found = _found(path)
    if found is not None:
        return found
    if processes * nodes > 1:
        raise ValueError(f"{path} is not there yet, and is made by one process: run once with processes=1, nodes=1")
    start = time.perf_counter()
    learned = list(learned)
    drawing_s = time.perf_counter() - start
    network = Pretext(papers.build_for(made, seed=seed)) if recipe.weights == "self_supervised" else None
    run = folder / f"pretraining-{stem}"
    fitted = fit(made, Data(learned), schedule, seed, network=network, folder=run, device=device, progress=progress)
    written = _write(path, fitted, drawing_s, learned if recipe.weights == "synthetic" else ())
    shutil.rmtree(run)  # checkpoints of a large network take a gigabyte, and nobody asks for them any more
    return written


def pretraining_recipe(recipe: Recipe, plan: Plan) -> Recipe:
    """Return how the network of a recipe is trained before its own training, whose plan is given.

    Examples
    --------
    >>> from histolab_lib.papers import recipe
    >>> plan = Plan(steps=500, batch_size=8, crop_px=256, every=50)
    >>> own = recipe("unet", variant="resnet18").vary("self_supervised", "ours", weights="self_supervised")
    >>> made = pretraining_recipe(own, plan)
    >>> made.name, made.steps, made.loss, made.weights
    ('unet/resnet18__self_supervised__pretraining-clean', 500, 'bce_hematoxylin', 'none')
    """
    settings: dict[str, Any] = {
        "weights": "none",
        "patches": "random",
        "crop_px": plan.crop_px,
        "batch_size": plan.batch_size,
        "encoder_lr_factor": 1.0,
        "lr_schedule": "cosine",
        "lr_schedule_options": {},
        "epochs": None,
        "steps": plan.steps,
        "patience": None,
        "selection": "last",
        "validation": {"share": 0.0},
    }
    if recipe.weights == "self_supervised":
        settings |= {"loss": "bce_hematoxylin", "loss_options": {}}
    else:
        settings |= {"resize_px": None}  # synthetic nuclei are as large as they are at 40x
    return recipe.vary("pretraining", "ours: see histolab_lib.training.pretraining", **settings)


def _synthetic(plan: Plan) -> Sequence[Tile]:
    side = max(_SIDE_PX, plan.crop_px)
    wanted = plan.steps * plan.batch_size * plan.crop_px**2 / side**2
    return datasets.load("synthetic", "train", n=int(np.clip(wanted, 1, _TILES)), size=side, seed=_SEED)


def _unlabelled(tile: Tile) -> Tile:
    return Tile(tile.name, tile.image, np.zeros_like(tile.instances))


def _deciding(kind: str, learned: Sequence[Tile]) -> dict[str, Any]:
    """What of the data decides the weights, as JSON knows it."""
    if kind == "synthetic":  # to draw all takes a minute; by the first, tiles of another make are known
        return {"kind": kind, "tiles": len(learned), "first": tile_hash(learned[0])}
    return {"kind": kind, **fingerprint(map(tile_hash, learned)), "block_px": BLOCK_PX, "blanked": BLANKED}


def _encoder(network: nn.Module) -> dict[str, Tensor]:
    """Tensors of the encoder by timm's names."""
    whole: Any = network.network if isinstance(network, Pretext) else network
    encoder = whole.encoder
    return dict(getattr(encoder, "model", encoder).state_dict())  # segmentation-models-pytorch wraps timm's


def _write(path: Path, fitted: Fitted, drawing_s: float, drawn: Sequence[Tile]) -> EncoderFile:
    """Write the tensors, and last, with their hash, how they were made: without that they count as not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sha256 = write_tensors(path, _encoder(fitted.network))
    losses = fitted.history.losses
    tenth = max(1, len(losses) // 10)
    facts = {
        "format": _FORMAT,
        "sha256": sha256,
        "recipe": fitted.recipe.settings(),
        "plan": fitted.plan.to_dict(),
        "seed": fitted.seed,
        "seconds": round(fitted.history.seconds + drawing_s, 1),
        "data": {"synthetic/pretraining": fingerprint(map(tile_hash, drawn))} if drawn else {},
        "losses": [float(np.mean(part)) for part in (losses[:tenth], losses[-tenth:])],
    }
    beside = path.with_name(f".{path.stem}.json.{os.getpid()}")
    beside.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    beside.replace(path.with_suffix(".json"))
    return _told(path, facts)


def _found(path: Path) -> EncoderFile | None:
    """What was written before, if it is whole."""
    try:
        facts = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        read_tensors(path, facts["sha256"])
        return _told(path, facts) if facts["format"] == _FORMAT else None
    except (OSError, ValueError, KeyError, TypeError, CheckpointError):
        return None


def _told(path: Path, facts: Mapping[str, Any]) -> EncoderFile:
    first, last = facts["losses"]
    return EncoderFile(path, float(facts["seconds"]), facts["data"], (first, last))
