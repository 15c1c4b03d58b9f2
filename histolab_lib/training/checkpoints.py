"""Checkpoints that survive a kill: tensors as safetensors, the rest as JSON, nothing pickled.

A checkpoint is two files, ``step-00000120.safetensors`` and ``step-00000120.json``. The JSON is written last and holds
the hash of the tensors: what is there without it, or does not fit it, was never finished, and the one before, which is
kept, is taken.
"""

import hashlib
import json
import os
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

__all__ = ["Checkpoint", "CheckpointError", "newest", "read_tensors", "save", "write_tensors"]

_FORMAT = 1
_KEPT = 2
_NAME = re.compile(r"step-(\d{8})\.json")


class CheckpointError(ValueError):
    """A checkpoint is damaged, or belongs to another run; the message names the file."""


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run.

    Attributes
    ----------
    step : int
        Steps taken.
    tensors : mapping of str to Tensor
    facts : mapping
        What JSON knows.
    """

    step: int
    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]


def save(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write a checkpoint, then remove all but the newest two.

    Returns
    -------
    Path
        Of the JSON file.

    Raises
    ------
    OSError
        If the disk is full, for example; what was there before is untouched.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"step-{checkpoint.step:08d}"
    sha256 = write_tensors(folder / f"{stem}.safetensors", checkpoint.tensors)
    facts = {"format": _FORMAT, "step": checkpoint.step, "sha256": sha256, "facts": dict(checkpoint.facts)}
    path = folder / f"{stem}.json"
    _write(path, json.dumps(facts).encode())
    _tidy(folder)
    return path


def newest(folder: Path) -> Checkpoint | None:
    """Read the newest checkpoint that is whole; None where there is none at all.

    Warns
    -----
    UserWarning
        For each newer one that is damaged.

    Raises
    ------
    CheckpointError
        If there are checkpoints, and all are damaged.
    """
    paths = _found(folder)
    for path in paths:
        try:
            return _read(path)
        except CheckpointError as error:
            warnings.warn(f"{error}; the one before is taken", stacklevel=2)
    if paths:
        raise CheckpointError(
            f"{folder}: all {len(paths)} checkpoints are damaged; remove the folder to begin the run anew"
        )
    return None


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> str:
    """Write a safetensors file whole or not at all, and return its SHA-256."""
    from safetensors.torch import save as to_bytes

    content = to_bytes(
        {k: t.detach().to("cpu").clone(memory_format=torch.contiguous_format) for k, t in tensors.items()}
    )
    _write(path, content)
    return hashlib.sha256(content).hexdigest()


def read_tensors(path: Path, sha256: str | None = None) -> dict[str, Tensor]:
    """Read a safetensors file, and check its hash where one is given.

    Raises
    ------
    CheckpointError
        If it is missing, half written or changed.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load as from_bytes

    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror})") from error
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        raise CheckpointError(f"{path}: {len(content)} bytes whose SHA-256 is not the one that was noted")
    try:
        return from_bytes(content)  # type: ignore[no-any-return, unused-ignore]
    except SafetensorError as error:
        raise CheckpointError(f"{path}: no safetensors file ({error})") from error


def _read(path: Path) -> Checkpoint:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        step, sha256, facts = int(found["step"]), str(found["sha256"]), dict(found["facts"])
        layout = found["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path}: no checkpoint ({type(error).__name__}: {error})") from error
    if layout != _FORMAT:
        raise CheckpointError(f"{path}: layout {layout}, this version of the library reads {_FORMAT}")
    return Checkpoint(step, read_tensors(path.with_suffix(".safetensors"), sha256), facts)


def _found(folder: Path) -> list[Path]:
    """Checkpoints, newest first."""
    if not folder.is_dir():
        return []
    return sorted((path for path in folder.iterdir() if _NAME.fullmatch(path.name)), reverse=True)


def _write(path: Path, content: bytes) -> None:
    """Beside it first, then in one move: nobody ever sees half a file."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _tidy(folder: Path) -> None:
    """Remove older checkpoints, tensors that none of the kept ones names, and what a killed process left behind."""
    kept = _found(folder)[:_KEPT]
    named = {path.with_suffix(".safetensors").name for path in kept} | {path.name for path in kept}
    for path in kept:
        best = json.loads(path.read_text(encoding="utf-8"))["facts"].get("best")
        if best:
            named.add(best["file"])
    for path in folder.iterdir():
        ours = path.name.startswith((".step-", ".best-", "step-", "best-"))
        if ours and path.name not in named:
            path.unlink(missing_ok=True)
