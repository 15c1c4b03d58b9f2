"""Measure how fast networks are and what training takes: ``python -m tests.measure_speed [NAME[/VARIANT] ...]``.

Writes ``data/facts/speed.json``; with names, those builds alone are measured again, and others keep what they have.
``--compile`` adds the fastest setting through ``torch.compile``, which takes minutes to compile. Seconds are those of
the processor's time on one thread, so that neighbours on a shared machine count little. Linux alone tells the memory.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from time import process_time
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from histolab_lib import papers
from histolab_lib.bookbuild.speeds import KINDS, PLAIN
from histolab_lib.choices import choose
from histolab_lib.data_dir import data_dir
from histolab_lib.outputs import Output, mask_logits
from histolab_lib.papers.registry import networks
from histolab_lib.training.evidence import device_name
from histolab_lib.training.settings import process_settings

__all__ = ["BATCH", "FILE", "SETTINGS", "SIZE_PX", "Setting", "builds", "chosen", "main", "measure", "measured"]

SIZE_PX, BATCH = 256, 4
FILE = data_dir() / "facts" / "speed.json"
#: Variants that are measured without being named; the others are rows of ablations, and encoders between these.
VARIANTS = ("base", "mobilenetv2", "code")
_REPEATS = 3
_CPU = torch.device("cpu")


class Setting(NamedTuple):
    """How a network is asked to compute."""

    memory_format: torch.memory_format = torch.contiguous_format
    bf16: bool = False
    compiled: bool = False


SETTINGS = {
    PLAIN: Setting(),
    "channels_last": Setting(torch.channels_last),
    "channels_last+bf16": Setting(torch.channels_last, bf16=True),
    "channels_last+bf16+compiled": Setting(torch.channels_last, bf16=True, compiled=True),
}


def builds(variants: Sequence[str] | None = VARIANTS) -> dict[str, Mapping[str, Any]]:
    """Return the options of every build of the registry, or of some variants, by ``NAME/VARIANT``."""
    rows = {f"{name}/{variant}": options for name, one in networks().items() for variant, options in one.rows.items()}
    return {build: options for build, options in rows.items() if not variants or build.split("/")[1] in variants}


def chosen(named: Sequence[str]) -> list[str]:
    """Return the named builds, of a network alone its base; those that are measured by default where none is named."""
    whole = [name if "/" in name else f"{name}/base" for name in named]
    return [choose("build", name, builds(None)) for name in whole] or list(builds())


def measured(build: str, *, compiled: bool = False, size_px: int = SIZE_PX, batch: int = BATCH) -> dict[str, Any]:
    """Return the entry of a build as the file has it; each setting is measured in a new process."""
    settings = {name: how for name, how in SETTINGS.items() if compiled or not how.compiled}
    with process_settings(_CPU, 1):
        device = device_name(_CPU)
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "device": device,
        "torch": torch.__version__,
        "size_px": size_px,
        "batch": batch,
        "settings": {name: _in_a_new_process(measure, build, how, size_px, batch) for name, how in settings.items()},
    }


def measure(build: str, setting: Setting, size_px: int, batch: int) -> dict[str, float]:
    """Return images/s of training and inference, and the MiB that the first training step adds to this process."""
    torch.manual_seed(0)
    with process_settings(_CPU, 1):
        _steps(nn.Conv2d(3, 1, 1), setting, torch.rand(1, 3, 8, 8))[0]()  # what torch imports when it first trains
        network = papers.build(build.split("/")[0], **builds(None)[build])
        work = _steps(network, setting, torch.rand(batch, 3, size_px, size_px))
        before = _peak_mib(afresh=True)
        work[0]()
        peak = _peak_mib() - before
        speeds = {kind: float(f"{batch / _seconds(one):.3g}") for kind, one in zip(KINDS, work, strict=True)}
    return {**speeds, "peak_mib": round(peak)}


def _in_a_new_process(work: Callable[..., dict[str, float]], *arguments: Any) -> dict[str, float]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def _peak_mib(*, afresh: bool = False) -> float:
    """The largest memory of this process, or, afresh, what it has now, from where the next peak counts.

    Not ``ru_maxrss``, which on Linux begins with the largest memory of the process that started this one.
    """
    if afresh:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.findall(r"^VmHWM:\s*(\d+) kB$", status, re.MULTILINE)[0]) / 1024


def _seconds(work: Callable[[], None]) -> float:
    """The processor's time of the fastest of a few, after one that does not count."""
    work()
    times = []
    for _ in range(_REPEATS):
        start = process_time()
        work()
        times.append(process_time() - start)
    return min(times)


def _steps(network: nn.Module, setting: Setting, images: Tensor) -> tuple[Callable[[], None], Callable[[], None]]:
    """A training step and an inference, each without arguments.

    The loss is the cross-entropy of every map that the network returns, so that no part of it stands idle, with empty
    masks.
    """
    network = network.to(memory_format=setting.memory_format)
    images = images.to(memory_format=setting.memory_format)
    optimiser = torch.optim.AdamW(network.parameters())
    called: Callable[[Tensor], Tensor | Output] = torch.compile(network) if setting.compiled else network

    def train() -> None:
        network.train()
        with torch.autocast("cpu", torch.bfloat16, enabled=setting.bf16):
            output = called(images)
        optimiser.zero_grad()
        maps = [mask_logits(output), *(output.extra.values() if isinstance(output, Output) else ())]
        torch.stack([F.softplus(logits.float()).mean() for logits in maps]).sum().backward()
        optimiser.step()

    def infer() -> None:
        network.eval()
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=setting.bf16):
            called(images)

    return train, infer


def _write(path: Path, kept: Mapping[str, Any]) -> None:
    ordered = {build: kept[build] for build in builds(None) if build in kept}
    whole = {"written_by": "python -m tests.measure_speed", "builds": ordered}
    path.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


def main(named: Sequence[str], path: Path = FILE, *, size_px: int = SIZE_PX, batch: int = BATCH) -> None:
    """Measure the named builds, or all, and write the file after each."""
    parser = argparse.ArgumentParser(prog="python -m tests.measure_speed")
    parser.add_argument("builds", nargs="*", metavar="NAME[/VARIANT]")
    parser.add_argument("--compile", action="store_true")
    asked = parser.parse_args(named)
    now = chosen(asked.builds)
    kept = json.loads(path.read_text(encoding="utf-8"))["builds"] if path.exists() else {}
    for build in now:
        kept[build] = measured(build, compiled=asked.compile, size_px=size_px, batch=batch)
        print(build, kept[build]["settings"], flush=True)
        _write(path, kept)


if __name__ == "__main__":
    main(sys.argv[1:])
