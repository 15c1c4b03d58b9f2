"""Outlines drawn once: the label image of an annotation file is kept on disk, because reading the XML takes longest."""

import hashlib
import json
import os
import tempfile
import zipfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from histolab_lib.data_dir import cache_dir
from histolab_lib.datasets import aperio, polygons
from histolab_lib.datasets.aperio import read_annotation
from histolab_lib.datasets.polygons import rasterise

__all__ = ["draw_annotation"]


def draw_annotation(
    path: Path, shape: tuple[int, int], raster: str
) -> tuple[npt.NDArray[np.int32], float | None, dict[str, int]]:
    """Draw the outlines of an annotation file, or take the drawing that was kept of it.

    Parameters
    ----------
    path : pathlib.Path
        See `histolab_lib.datasets.aperio.read_annotation`.
    shape : tuple of int
        Height and width in pixels.
    raster : str
        See `histolab_lib.datasets.polygons.rasterise`.

    Returns
    -------
    instances : ndarray of int32, shape (H, W)
    um_per_px : float or None
    noticed : dict of str to int
        ``regions``, ``degenerate``, ``overhanging``, ``negative``.

    Notes
    -----
    Kept under ``labels`` of `histolab_lib.data_dir.cache_dir`, by the content of the file, the shape, the convention
    and the source code that draws; so a changed file or a changed library never gets an old drawing. Where the folder
    cannot be written, or a kept drawing is damaged, the file is drawn anew.
    """
    kept = cache_dir() / "labels" / f"{_key(path, shape, raster)}.npz" if path.is_file() else None
    if kept is not None and kept.is_file():
        with suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return _take(kept, shape)
    found = read_annotation(path, shape)
    noticed = {
        "regions": len(found.polygons),
        "degenerate": found.degenerate,
        "overhanging": found.overhanging,
        "negative": found.negative,
    }
    instances = rasterise(found.polygons, shape, raster)
    if kept is not None:
        with suppress(OSError):  # a cache that cannot be written costs time and nothing else
            _keep(kept, instances, json.dumps([found.um_per_px, noticed]))
    return instances, found.um_per_px, noticed


def _key(path: Path, shape: tuple[int, int], raster: str) -> str:
    asked = json.dumps([shape, raster, _drawing_code()]).encode()
    return hashlib.sha256(path.read_bytes() + asked).hexdigest()


@cache
def _drawing_code() -> str:
    sources = [Path(str(module.__file__)).read_bytes() for module in (aperio, polygons)]
    return hashlib.sha256(b"".join(sources)).hexdigest()


def _take(kept: Path, shape: tuple[int, int]) -> tuple[npt.NDArray[np.int32], float | None, dict[str, int]]:
    with kept.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
        instances: npt.NDArray[Any] = file["instances"]
        um_per_px, noticed = json.loads(str(file["told"]))
    if instances.shape != shape or instances.dtype != np.int32:
        raise ValueError(f"{kept}: not a label image of {shape}")
    return instances, um_per_px, noticed


def _keep(kept: Path, instances: npt.NDArray[np.int32], told: str) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=kept.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez_compressed(file, instances=instances, told=np.array(told))
        Path(part).replace(kept)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
