"""How the network that the library ships was trained and scored: a recipe, its tiles, and three records.

All 50 tiles of TNBC are learned from, so no score on TNBC can be that of the shipped weights. The same recipe is
therefore trained again with whole patients left out (`PATIENTS`), and scored on those; and the shipped weights, read
back from their file of half precision, are scored once on the 14 test tiles of MoNuSeg.

A first version of 1,800 steps was scored, too (its record is kept as variant ``steps_1800``): a mean Dice of 0.748,
less than thresholded hematoxylin has there. On the 30 training tiles of MoNuSeg, which no weights were fitted to, Dice
was 0.689 after 500 steps without synthetic tissue, 0.704 with it, and 0.772 after 1,800 steps: it had not learned
enough. So those tiles, too, are among those that decisions looked at.
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from histolab_lib import datasets, papers
from histolab_lib.datasets import tnbc
from histolab_lib.inference import segment
from histolab_lib.pretrained.exported import Trained, export, read
from histolab_lib.pretrained.loading import SHIPPED
from histolab_lib.recipe import Recipe
from histolab_lib.record import Record, save_record
from histolab_lib.scoring import score, summaries
from histolab_lib.tile import Tile
from histolab_lib.training import Data, Fitted, Schedule, fit
from histolab_lib.training.evidence import code_digest, commit, device_name, fingerprint, packages, pins, tile_hash
from histolab_lib.training.run import columns

__all__ = ["CHOSEN_ON", "PATIENTS", "SCHEDULE", "about", "cross_validate", "make", "recipe", "tiles"]

#: Patients of TNBC that decisions looked at, and those that each fold of the cross-validation leaves out.
CHOSEN_ON = ("03", "05", "08", "10")
PATIENTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"patients_01_02_09": ("01", "02", "09"), "patients_04_06_07_11": ("04", "06", "07", "11")}
)
#: One thread, so that a machine that is busy otherwise gives the same numbers; bfloat16 where the processor has it.
SCHEDULE = Schedule(name="shipped", crops=None, precision="bf16-mixed", threads=1, validations=6)

_SYNTHETIC = {"n": 50, "size": 512}


def recipe() -> Recipe:
    """Return the recipe of the shipped network: the clean protocol on smaller crops, for fewer steps.

    Examples
    --------
    >>> recipe().name, recipe().augment
    ('small_unet/shipped-clean', 'strong_unet')
    """
    made = papers.recipe("small_unet").vary(
        "shipped",
        "ours: a quarter of an hour of one idle core; nothing is chosen while it runs",
        crop_px=128,
        steps=4000,
        lr=2e-3,
        validation={"share": 0.0},
        window_px=1024,
        overlap_px=256,
    )
    objects = {"min_distance_px": 7, "min_area_px": 30}
    return replace(
        made,
        postprocess_options=objects,
        sources={**made.sources, "postprocess_options": "ours: best AJI of 3 to 9 px on the patients of CHOSEN_ON"},
    )


def tiles() -> list[Tile]:
    """Return what is learned from: the 50 tiles of TNBC, and as many of synthetic tissue.

    Raises
    ------
    DataError
        If TNBC is not there.
    """
    real = [tile for split in tnbc.SPLITS for tile in datasets.load("tnbc", split)]
    return [*real, *datasets.load("synthetic", "train", **_SYNTHETIC)]


def make(folder: Path, *, seed: int = 0, runs: Path | None = None, progress: bool | None = None) -> Record:
    """Train the shipped network, write it to `folder`, and score what was written on MoNuSeg's test tiles.

    Parameters
    ----------
    folder : pathlib.Path
        Gets ``NAME.safetensors``, ``NAME.json`` and the record.
    seed : int
    runs : pathlib.Path, optional
        Where checkpoints go, so that a training that was killed is taken up.
    progress : bool, optional
        As of `fit`.
    """
    start, learned = time.perf_counter(), tiles()
    fitted = _fit(learned, seed, runs and runs / "all", progress)
    folder.mkdir(parents=True, exist_ok=True)
    config = export(fitted.network, fitted.recipe, folder / f"{SHIPPED}.safetensors", half=True, about=about(learned))
    return _score(read(config), fitted, learned, ("monuseg", "test"), folder, start)


def cross_validate(
    folder: Path, part: str, *, seed: int = 0, runs: Path | None = None, progress: bool | None = None
) -> Record:
    """Train without the patients of one fold, and score on their tiles; arguments as of `make`.

    Parameters
    ----------
    part : str
        A key of `PATIENTS`.
    """
    start, every = time.perf_counter(), tiles()
    learned = [tile for tile in every if tile.patient not in PATIENTS[part]]
    fitted = _fit(learned, seed, runs and runs / part, progress)
    return _score(Trained(part, fitted.network, fitted.recipe), fitted, learned, ("tnbc", part), folder, start)


def about(learned: Sequence[Tile]) -> dict[str, Any]:
    """Return what the file of the network says of its origin."""
    names = [tile.name for tile in learned]
    real = sum(tile.patient is not None for tile in learned)
    return {
        "title": "Small U-Net for nuclei on H&E",
        "licence": "CC BY 4.0",
        "trained_on": f"{real} tiles of TNBC (Naylor et al. 2019, CC BY 4.0), {len(names) - real} of synthetic tissue",
        "tiles_sha256": hashlib.sha256("\n".join(names).encode()).hexdigest(),
        "um_per_px": 0.25,
    }


def _fit(learned: Sequence[Tile], seed: int, runs: Path | None, progress: bool | None) -> Fitted:
    return fit(recipe(), Data(learned, name="tnbc"), SCHEDULE, seed, folder=runs, device="cpu", progress=progress)


def _score(
    trained: Trained, fitted: Fitted, learned: Sequence[Tile], where: tuple[str, str], folder: Path, start: float
) -> Record:
    """Score each test tile once and write the record below `folder`."""
    dataset, part = where
    scored = list(datasets.load("monuseg", "test")) if dataset == "monuseg" else _of(PATIENTS[part])
    rows = [score(t, segment(trained.network, t.image, trained.recipe), group=t.patient) for t in scored]
    images = {"test": rows}
    record = Record(
        key=SHIPPED,
        dataset=dataset,
        options={},
        variant="base" if part == "test" else part,
        reading="clean",
        schedule=SCHEDULE.name,
        seed=fitted.seed,
        recipe=fitted.recipe.settings(),
        recipe_hash=fitted.recipe.digest(),
        settings={**fitted.plan.to_dict(), "steps_taken": fitted.history.steps, "step_used": fitted.step},
        data={
            "tnbc_and_synthetic/train": fingerprint(map(tile_hash, learned)),
            f"{dataset}/test": fingerprint(map(tile_hash, scored)),
        },
        fit_on=[tile.name for tile in learned],
        chosen_on=[tile.name for tile in [*_of(CHOSEN_ON), *datasets.load("monuseg", "train")]],
        weights="none",
        commit=commit(),
        code=code_digest(),
        pins=pins(),
        packages=packages(),
        device=device_name(torch.device("cpu")),
        torch=str(torch.__version__),
        date=datetime.now(UTC).date().isoformat(),
        wall_s=round(time.perf_counter() - start, 1),
        images_per_s=round(fitted.images_per_s, 2),
        peak_memory_mib=round(fitted.peak_memory_mib, 1),
        images=images,
        summary=summaries(images),
        history=columns(fitted.history),
    )
    save_record(record, folder)
    return record


def _of(patients: Sequence[str]) -> list[Tile]:
    """The tiles of TNBC of these patients."""
    return [tile for split in tnbc.SPLITS for tile in datasets.load("tnbc", split) if tile.patient in patients]
