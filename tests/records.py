"""Small records for tests: what a run on made tiles would leave behind, without running anything."""

from typing import Any

import numpy as np

from histolab_lib.record import Record
from histolab_lib.scoring import score, summaries
from histolab_lib.tile import Tile


def tile(name: str, seed: int) -> Tile:
    """A tile of 16 x 16 pixels with up to four square objects."""
    rng = np.random.default_rng(seed)
    instances = np.zeros((16, 16), np.int32)
    for number, (row, column) in enumerate(((1, 1), (1, 9), (9, 1), (9, 9)), start=1):
        side = int(rng.integers(2, 6))
        instances[row : row + side, column : column + side] = number
    return Tile(name, np.zeros((16, 16, 3), np.uint8), instances)


def rows(names: list[str], *, seed: int = 0, groups: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """Rows of images whose prediction is the truth, moved a little."""
    made = []
    for number, name in enumerate(names):
        one = tile(name, 10 * seed + number)
        made.append(score(one, np.roll(one.instances, 1 + number % 2, axis=0), group=(groups or {}).get(name)))
    return made


def record(**changes: Any) -> Record:
    """A whole record; `changes` replace fields. The summary follows the images unless it is given."""
    images = changes.pop("images", {"test": rows(["t1", "t2", "t3"])})
    values: dict[str, Any] = {
        "key": "unet", "dataset": "monuseg", "options": {}, "variant": "base", "reading": "clean", "schedule": "cpu",
        "seed": 0, "recipe": {"key": "unet", "lr": 0.001}, "recipe_hash": "0" * 16, "settings": {"steps": 10},
        "data": {"monuseg/test": {"tiles": 3, "sha256": "a" * 64}}, "fit_on": ["a", "b"], "chosen_on": ["c"],
        "weights": "none", "commit": "unknown", "code": "1" * 16, "pins": None, "packages": {"python": "3.11.7"},
        "device": "a processor", "torch": "2.13.0", "date": "2026-11-21", "wall_s": 1.5, "images_per_s": 8.0,
        "peak_memory_mib": None, "images": images, "history": {"step": [1, 2], "loss": [0.9, 0.8]},
    }  # fmt: skip
    if "summary" not in changes:
        values["summary"] = summaries(images, ("dice", "aji", "pq", "object_hausdorff"))
    return Record(**{**values, **changes})
