"""How near synthetic tissue comes to real tissue: statistics side by side, and what a network learns from it.

``python tests/benchmarks/bench_realism.py data/facts/synthetic.json`` measures everything that the file holds, which
takes about half an hour of two cores; ``statistics``, ``difficulty``, ``transfer`` after it measure one part and keep
the others. The 14 test tiles of MoNuSeg are scored only where ``transfer_test`` is asked for by name.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage
from skimage.color import rgb2hed

from histolab_lib import datasets
from histolab_lib.baselines import small_unet
from histolab_lib.datasets.synthetic.presets import GLAND_PRESETS, NUCLEUS_PRESETS
from histolab_lib.inference import predict
from histolab_lib.metrics import dice
from histolab_lib.postprocess import hematoxylin_floor
from histolab_lib.stain import concentrations, estimate_macenko
from histolab_lib.tile import Tile
from histolab_lib.training import mean_dice, train

#: What the network of (a) is trained on, and how: no real pixel, no real label.
TRANSFER = {"n": 400, "steps": 900, "batch_size": 8, "crop_px": 128, "seed": 0}
#: The minute of (b), as a number of steps; two threads of a quiet core pair take about a minute.
DIFFICULTY = {"n": 64, "steps": 350, "batch_size": 8, "crop_px": 128, "seed": 0}
_SAVED_DIGITS = 4
_HOW = {
    "command": "python tests/benchmarks/bench_realism.py data/facts/synthetic.json",
    "statistics": "mean and standard deviation over tiles with at least four objects; stain in optical density along "
    "each tile's own Macenko vectors; nuclei: 48 mixed synthetic tiles (12 of each tissue), 256x256 px at 0.25 um/px, "
    "beside the 30 MoNuSeg training tiles; glands: 512x512 px at 0.62 um/px beside the 85 GlaS training images",
    "difficulty": "mean over held-out synthetic tiles of the Dice of the small U-Net; training as noted",
    "transfer": "mean, min, max over tiles of the Dice of a small U-Net trained on synthetic tiles alone; whole tiles, "
    "threshold 0.5, nothing after it; floor: postprocess.hematoxylin_floor. The tissue was tuned with the 30 training "
    "tiles at hand; the 14 test tiles were scored once, after that",
}


def touching_share(instances: npt.NDArray[np.int32]) -> float:
    """Share of objects that meet another one at an edge or a corner."""
    touching: set[int] = set()
    height, width = instances.shape
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        one = instances[: height - dy, max(0, -dx) : width - max(0, dx)]
        other = instances[dy:, max(0, dx) : width + min(0, dx)]
        meet = (one != other) & (one > 0) & (other > 0)
        touching |= set(one[meet].tolist()) | set(other[meet].tolist())
    return len(touching) / max(len(np.unique(instances)) - 1, 1)


def describe(tile: Tile) -> dict[str, float]:
    """Summary of one tile; amounts of stain in optical density along the tile's own Macenko vectors."""
    vectors = estimate_macenko(tile.image)
    stain = concentrations(tile.image, vectors, solver="least_squares")
    inside, outside = tile.mask, ~tile.mask
    ids, compact = np.unique(tile.instances, return_inverse=True)  # ids may have gaps
    numbers = np.arange(1, len(ids))
    areas = np.bincount(compact.ravel())[1:]
    level = ndimage.mean(stain[..., 0], compact, numbers)
    texture = ndimage.standard_deviation(stain[..., 0], compact, numbers)
    row = {
        "area_px": float(np.median(areas)),
        "objects_per_65536_px": 65536 * len(areas) / tile.mask.size,
        "foreground": float(inside.mean()),
        "touching": touching_share(tile.instances),
        "variation_between_objects": float(np.std(level) / np.mean(level)),
        "variation_within_objects": float(np.mean(texture) / np.mean(level)),
    }
    for index, name in enumerate(("hematoxylin", "eosin")):
        for where, mask in (("inside", inside), ("outside", outside)):
            row[f"{name}_{where}"] = float(stain[mask, index].mean())
            row[f"{name}_{where}_sd"] = float(stain[mask, index].std())
        for colour, value in zip(("red", "green", "blue"), vectors[index], strict=True):
            row[f"{name}_{colour}"] = float(value)
    return row


def summary(tiles: Iterable[Tile]) -> dict[str, Any]:
    """Mean and standard deviation over tiles of what `describe` gives; tiles with fewer than four objects left out."""
    rows = [describe(tile) for tile in tiles if tile.count > 3]
    pairs = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return {
        "tiles": len(rows),
        "mean": {name: _rounded(values.mean()) for name, values in pairs.items()},
        "sd": {name: _rounded(values.std()) for name, values in pairs.items()},
    }


def statistics(n: int = 48) -> dict[str, Any]:
    """Measure (c): nuclei beside those of MoNuSeg's 30 training tiles, glands beside those of GlaS's 85."""
    each = n // 4
    nuclei = {name: summary(_synthetic(each, preset=name)) for name in NUCLEUS_PRESETS}
    glands = {name: summary(_synthetic(each, preset=name, objects="glands", size=512)) for name in GLAND_PRESETS}
    return {
        "nuclei": {
            "synthetic": summary(_synthetic(n)),
            "monuseg_train": summary(datasets.load("monuseg", "train")),
            **nuclei,
        },
        "glands": {
            "synthetic": summary(_synthetic(n, objects="glands", size=512)),
            "glas_train": summary(datasets.load("glas", "train")),
            **glands,
        },
    }


def _synthetic(n: int, **options: Any) -> Iterable[Tile]:
    return datasets.load("synthetic", "train", n=n, **options)


def trained(settings: Mapping[str, int]) -> Any:
    """Return the book's small U-Net, trained on synthetic tiles alone."""
    schedule = {key: value for key, value in settings.items() if key != "n"}
    network = small_unet(seed=settings["seed"])
    train(network, datasets.load("synthetic", "train", n=settings["n"]), progress=False, **schedule)
    return network


def difficulty() -> dict[str, Any]:
    """Measure (b): Dice on held-out synthetic tiles after a minute of training, over all and by tissue."""
    network = trained(DIFFICULTY)
    mixed = datasets.load("synthetic", "test", n=32)
    by_tissue = {
        name: _rounded(mean_dice(network, datasets.load("synthetic", "test", n=8, preset=name)))
        for name in NUCLEUS_PRESETS
    }
    return {"training": dict(DIFFICULTY), "dice": _rounded(mean_dice(network, mixed)), "by_tissue": by_tissue}


def transfer(splits: Iterable[str] = ("train",)) -> dict[str, Any]:
    """Measure (a): Dice on real tiles of a network that has seen none, beside thresholded hematoxylin."""
    network = trained(TRANSFER)
    result: dict[str, Any] = {"training": dict(TRANSFER)}
    for split in splits:
        tiles = list(datasets.load("monuseg", split))
        masks = [tile.mask for tile in tiles]
        learned = dice(masks, [predict(network, tile.image) > 0.5 for tile in tiles], empty="nan", reduction="none")
        floor = dice(
            masks, [hematoxylin_floor(rgb2hed(tile.image)[..., 0]) for tile in tiles], empty="nan", reduction="none"
        )
        result[f"monuseg_{split}"] = {"dice": _spread(learned), "floor": _spread(floor)}
    return result


def _spread(scores: npt.ArrayLike) -> dict[str, float]:
    values = np.asarray(scores)
    return {name: _rounded(getattr(values, name)()) for name in ("mean", "min", "max")}


def _rounded(value: Any) -> float:
    return round(float(value), _SAVED_DIGITS)


def test_a_minute_of_training_neither_fails_nor_solves_synthetic_tissue(table):
    found = difficulty()
    table("small U-Net on synthetic tissue", {"dice": found["dice"], **found["by_tissue"]})
    assert 0.75 < found["dice"] < 0.93


@pytest.mark.real
def test_a_network_that_saw_no_real_label_beats_thresholded_hematoxylin(table, tissue):
    found = transfer()["monuseg_train"]
    table("trained on synthetic, 30 MoNuSeg tiles", {"dice": found["dice"]["mean"], "floor": found["floor"]["mean"]})
    assert found["dice"]["mean"] > found["floor"]["mean"]


def main(arguments: list[str]) -> None:
    """Measure what is asked for and write it into the file of facts."""
    path, parts = Path(arguments[0]), arguments[1:] or ["statistics", "difficulty", "transfer"]
    facts: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"set": "synthetic"}
    facts["how"] = _HOW
    work = {"statistics": statistics, "difficulty": difficulty, "transfer": transfer}
    for part in parts:
        if part == "transfer_test":
            facts["transfer"] = transfer(("train", "test"))
        else:
            facts[part] = work[part]()
    path.write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
