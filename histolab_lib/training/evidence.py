"""What a record says about where it was made: commit, source, packages, processor, and the data as they were."""

import hashlib
import os
import platform
import re
import subprocess
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path

import torch

from histolab_lib.tile import Tile

__all__ = ["code_digest", "commit", "device_name", "fingerprint", "packages", "pins", "tile_hash"]

_PACKAGE = Path(__file__).resolve().parents[1]
# What computes; the rest cannot move a number.
_COMPUTING = (
    "numpy", "scipy", "scikit-image", "pillow", "torch", "timm", "segmentation-models-pytorch", "lightning-fabric",
    "safetensors",
)  # fmt: skip


def commit() -> str:
    """Return the commit of the checkout, with ``+changes`` where tracked files differ; ``"unknown"`` outside one.

    ``HISTOLAB_COMMIT`` says it where a copy of the checkout runs without its history.
    """
    if named := os.environ.get("HISTOLAB_COMMIT"):
        return named
    if not (_PACKAGE.parent / ".git").exists():
        return "unknown"
    described = _git("describe", "--always", "--abbrev=10", "--exclude=*", "--dirty=+changes")
    return described or "unknown"


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(_PACKAGE.parent), *arguments],  # noqa: S607
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip() or None


@cache
def code_digest() -> str:
    """Return 16 hex digits of the library's source files: what ran, where no commit can be told."""
    digest = hashlib.sha256()
    for path in sorted(_PACKAGE.rglob("*.py")):
        digest.update(path.relative_to(_PACKAGE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def packages() -> dict[str, str]:
    """Return the versions of Python and of the installed packages that compute."""
    found = {"python": platform.python_version()}
    for name in _COMPUTING:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def pins() -> str | None:
    """Return 16 hex digits of ``constraints.txt`` if the installed packages are those it names; else None."""
    path = _PACKAGE.parent / "constraints.txt"
    if not path.is_file():
        return None
    content = path.read_bytes()
    pinned = dict(re.findall(r"^([A-Za-z0-9._-]+)==([^\s;#]+)", content.decode(), re.MULTILINE))
    pinned = {re.sub(r"[._-]+", "-", name).lower(): version for name, version in pinned.items()}
    installed = {name: version.partition("+")[0] for name, version in packages().items() if name != "python"}
    same = all(pinned.get(name, "").partition("+")[0] == version for name, version in installed.items())
    return hashlib.sha256(content).hexdigest()[:16] if same else None


def device_name(device: torch.device) -> str:
    """Return the processor as people name it, and on a CPU the threads in use."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    if device.type != "cpu":
        return device.type
    threads = torch.get_num_threads()
    return f"{_cpu()}, {threads} thread{'s' * (threads != 1)}"


@cache
def _cpu() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        text = ""
    named = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return named[1].strip() if named else platform.processor() or platform.machine() or "CPU"


def tile_hash(tile: Tile) -> str:
    """Return 64 hex digits of the name, pixels and labels of a tile."""
    digest = hashlib.sha256(f"{tile.name} {tile.shape}".encode())
    digest.update(tile.image.tobytes())
    digest.update(tile.instances.astype("<i4").tobytes())
    return digest.hexdigest()


def fingerprint(hashes: Iterable[str]) -> dict[str, str | int]:
    """Return how many tiles there are, and a hash of their hashes (`tile_hash`): other data have another.

    Examples
    --------
    >>> fingerprint(["b" * 64, "a" * 64]) == fingerprint(["a" * 64, "b" * 64])
    True
    """
    parts = sorted(hashes)
    return {"tiles": len(parts), "sha256": hashlib.sha256("".join(parts).encode()).hexdigest()}
