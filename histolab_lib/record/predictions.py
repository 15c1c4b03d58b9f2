"""Predicted objects of recorded runs, kept beside them on the machine that ran: 16-bit PNG, never committed."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from histolab_lib.data_dir import cache_dir

__all__ = ["load_prediction", "predictions_dir", "save_prediction"]

_MOST = 2**16 - 1


def predictions_dir() -> Path:
    """Return the folder of predictions: ``HISTOLAB_PREDICTIONS``, or ``predictions`` in the user's cache."""
    return Path(os.environ.get("HISTOLAB_PREDICTIONS") or cache_dir() / "predictions").expanduser()


def save_prediction(record: str, split: str, tile: str, instances: npt.NDArray[Any]) -> Path:
    """Write the predicted objects of one tile.

    Parameters
    ----------
    record : str
        Name of the record: `Record.name`.
    split, tile : str
    instances : ndarray of integers, shape (H, W)
        Ids of at most 65,535; 0 is background.

    Raises
    ------
    ValueError
        If an id is negative or larger.
    """
    from PIL import Image

    if instances.size and not 0 <= int(instances.min()) <= int(instances.max()) <= _MOST:
        raise ValueError(
            f"{record}, tile {tile}: ids must be 0 to {_MOST}, got {int(instances.min())} to {int(instances.max())}"
        )
    path = _path(record, split, tile)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    Image.fromarray(instances.astype(np.uint16)).save(part, format="PNG")
    part.replace(path)
    return path


def load_prediction(record: str, split: str, tile: str) -> npt.NDArray[np.int32] | None:
    """Read what `save_prediction` wrote, int32 (H, W); None where this machine did not run it."""
    from PIL import Image

    path = _path(record, split, tile)
    if not path.is_file():
        return None
    with Image.open(path) as file:
        return np.asarray(file).astype(np.int32)


def _path(record: str, split: str, tile: str) -> Path:
    return predictions_dir() / record / split / f"{tile}.png"
