"""One line from a recipe to a record: build, load, train, predict, post-process, score, write."""

import hashlib
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from histolab_lib.data_dir import cache_dir, data_dir
from histolab_lib.encoders import imagenet_file
from histolab_lib.floors import rule_for
from histolab_lib.inference import segment
from histolab_lib.papers import encoder_of
from histolab_lib.recipe import Recipe
from histolab_lib.record import Record, digest_of, save_prediction, save_record
from histolab_lib.scoring import score, summaries
from histolab_lib.training.evidence import code_digest, commit, device_name, fingerprint, packages, pins, tile_hash
from histolab_lib.training.fitting import Data, Fitted, fit
from histolab_lib.training.history import History
from histolab_lib.training.job import recipe_hash, recipe_of, settings_of
from histolab_lib.training.pretraining import KINDS, pretrain
from histolab_lib.training.schedules import SCHEDULES
from histolab_lib.training.settings import process_settings
from histolab_lib.training.tiles import Tiles, read_tiles
from histolab_lib.wanted import Job

__all__ = ["columns", "run", "run_folder", "run_job", "runs_dir"]

_ROWS = 200  # of a history: enough for a curve


def runs_dir() -> Path:
    """Return the folder of checkpoints: ``HISTOLAB_RUNS``, or ``runs`` in the user's cache."""
    return Path(os.environ.get("HISTOLAB_RUNS") or cache_dir() / "runs").expanduser()


def run(
    key: str,
    *,
    data: str,
    schedule: str,
    seed: int = 0,
    reading: str = "clean",
    variant: str = "base",
    options: Mapping[str, Any] | None = None,
    out: Path | None = None,
    **settings: Any,
) -> Record | None:
    """Train a network as its recipe says, score it once on the set's test tiles, and write the record.

    Parameters
    ----------
    key : str
        One of ``papers.names()``, or a floor: ``"floor_hematoxylin"``, ``"floor_unet"``.
    data : str
        The set, as `datasets.load` knows it.
    schedule : {"smoke", "cpu", "cpu_long", "gpu"}
        How long: ``training.SCHEDULES``.
    seed : int
    reading : {"clean", "paper", "code"}
        Whose recipe.
    variant : str
        Of the recipe; with ``all_tiles`` none of the training tiles is held out.
    options : mapping, optional
        Of the set's own ``load``: ``{"version": "patients"}``.
    out : Path, optional
        The folder of records; None: ``data/results``.
    **settings
        ``device``, ``processes``, ``nodes``, ``progress``, as `fit` has them.

    Returns
    -------
    Record or None
        None in all processes but the first. A run that was killed is taken up where its last checkpoint is
        (`runs_dir`). Weights that are made here (`pretraining`) are made first, where they are not there yet; how long
        that took is the record's ``settings["pretraining_s"]``, which `wall_s` leaves out: several runs may share them.

    Raises
    ------
    NotBuiltError
        If network, reading or variant are unknown.
    DataError
        If tiles or ImageNet weights are missing.
    TrainingError
        If the loss is no number any more, or memory runs out.
    """
    job = Job(key, data, schedule, reading, variant, seed, dict(options or {}))
    return run_job(job, out=out, **settings)


def run_job(job: Job, *, out: Path | None = None, **settings: Any) -> Record | None:
    """Do what `run` does, for a `Job`."""
    made = _floor(job) if job.is_floor else _trained(job, **settings)
    if made is not None:
        save_record(made, data_dir() / "results" if out is None else out)
    return made


def run_folder(job: Job) -> Path:
    """Return where checkpoints of a run lie; another recipe or schedule has another folder."""
    recipe = recipe_of(job)
    schedule = SCHEDULES[job.schedule].for_network(recipe.key, recipe.reading)
    deciding = {"recipe": recipe_hash(job), "schedule": asdict(schedule)}
    return runs_dir() / f"{job.name}-{digest_of(deciding)}"


def _floor(job: Job) -> Record:
    settings = settings_of(job)  # says what is wrong with the variant
    start = time.perf_counter()
    rule, chosen_on = rule_for(job.data, job.variant)
    tiles = read_tiles(job.data, job.options, None)
    images, data = _scored(job, tiles, rule.segment)
    return _record(
        job,
        settings,
        images,
        settings={},
        data=data,
        fit_on=(),
        chosen_on=chosen_on,
        weights="none",
        device=device_name(torch.device("cpu")),
        wall_s=time.perf_counter() - start,
        images_per_s=None,
        peak_memory_mib=None,
        history={},
    )


def _trained(job: Job, **settings: Any) -> Record | None:
    recipe = recipe_of(job)
    start = time.perf_counter()
    tiles = read_tiles(job.data, job.options, recipe)
    reading_s = time.perf_counter() - start
    made = None
    if recipe.weights in KINDS:
        made = pretrain(recipe, tiles.fit, job.schedule, job.seed, folder=runs_dir(), **settings)
    weights = made.path if made is not None else _imagenet(recipe)
    fitted = fit(
        recipe,
        Data(tiles.fit, tiles.val, job.data),
        job.schedule,
        job.seed,
        weights=weights,
        folder=run_folder(job),
        **settings,
    )
    if not fitted.first_process:
        return None
    start = time.perf_counter()
    precision = "bfloat16" if fitted.plan.precision == "bf16-mixed" else "float32"
    where = next(fitted.network.parameters()).device
    with process_settings(where, fitted.plan.threads):
        how = {"precision": precision, **fitted.plan.windows()}
        images, data = _scored(job, tiles, lambda image: segment(fitted.network, image, recipe, **how))
        device = device_name(where)
    return _record(
        job,
        recipe.settings(),
        images,
        settings={
            **fitted.plan.to_dict(),
            "steps_taken": fitted.history.steps,
            "step_used": fitted.step,
            **({} if made is None else {"pretraining_s": made.seconds}),
        },
        data={
            f"{job.data}/train": fingerprint(map(tile_hash, [*tiles.fit, *tiles.val])),
            **({} if made is None else made.data),
            **data,
        },
        fit_on=[tile.name for tile in tiles.fit],
        chosen_on=[tile.name for tile in tiles.val],
        weights=_named(weights),
        device=device,
        wall_s=reading_s + fitted.history.seconds + time.perf_counter() - start,
        **_cost(fitted),
        history=columns(fitted.history),
    )


def _record(job: Job, recipe: Mapping[str, Any], images: Mapping[str, Any], **fields: Any) -> Record:
    return Record(
        key=job.key,
        dataset=job.data,
        options=job.options,
        variant=job.record_variant,
        reading=job.reading,
        schedule=job.schedule,
        seed=job.seed,
        recipe=recipe,
        recipe_hash=recipe_hash(job),
        commit=commit(),
        code=code_digest(),
        pins=pins(),
        packages=packages(),
        torch=str(torch.__version__),
        date=datetime.now(UTC).date().isoformat(),
        images=images,
        summary=summaries(images),
        **{**fields, "wall_s": round(fields["wall_s"], 1)},
    )


def _scored(job: Job, tiles: Tiles, segment_one: Any) -> tuple[dict[str, list[dict[str, Any]]], dict[str, Any]]:
    """Predict and score every test tile, and keep what was predicted; also return the fingerprint of each split."""
    images: dict[str, list[dict[str, Any]]] = {}
    data: dict[str, Any] = {}
    for split, sequence in tiles.test.items():
        images[split], hashes = [], []
        for tile in sequence:
            instances: npt.NDArray[np.int32] = segment_one(tile.image)
            save_prediction(job.name, split, tile.name, instances)
            images[split].append(score(tile, instances, group=tiles.patients[split].get(tile.name)))
            hashes.append(tile_hash(tile))
        data[f"{job.data}/{split}"] = fingerprint(hashes)
    return images, data


def _imagenet(recipe: Recipe) -> Path | None:
    return imagenet_file(encoder_of(recipe)) if recipe.weights == "imagenet" else None


def _named(weights: Path | None) -> str:
    """Name what training starts from: the file's name and its hash."""
    if weights is None:
        return "none"
    return f"{weights.name} sha256:{hashlib.sha256(weights.read_bytes()).hexdigest()[:16]}"


def _cost(fitted: Fitted) -> dict[str, float | None]:
    speed = fitted.images_per_s
    return {
        "images_per_s": round(speed, 2) if speed == speed else None,
        "peak_memory_mib": round(fitted.peak_memory_mib, 1),
    }


def columns(history: History) -> dict[str, Sequence[Any]]:
    """Return a history as columns, thinned to at most 200 steps: means of the loss, the rate at the end of each.

    Examples
    --------
    >>> columns(History(losses=[3.0, 1.0], lrs=[0.2, 0.1], scores={2: {"dice": 0.5}}))["validation_dice"]
    [0.5]
    """
    size = -(-history.steps // _ROWS) or 1
    starts = range(0, history.steps, size)
    table: dict[str, Sequence[Any]] = {
        "step": [min(start + size, history.steps) for start in starts],
        "loss": [float(np.mean(history.losses[start : start + size])) for start in starts],
        "lr": [history.lrs[start : start + size][-1] for start in starts],
    }
    if history.scores:
        table["validation_step"] = list(history.scores)
        for metric in history.metrics:
            table[f"validation_{metric}"] = [scores.get(metric) for scores in history.scores.values()]
    return table
