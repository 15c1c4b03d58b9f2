"""How long each chapter takes, as a committed fact: pages tell it, and no run prints the time of its machine."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from histolab_lib.bookbuild.cache import TIMINGS
from histolab_lib.bookbuild.execute import Executed

__all__ = ["keep_timings", "read_timings", "takes", "timings_path"]

_MINUTES_FROM_S = 120


def timings_path(root: Path) -> Path:
    """Return the file: ``data/facts/timings.json``."""
    return root / "data" / "facts" / TIMINGS


def read_timings(root: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Return for each chapter, by profile, ``seconds``, ``device`` and ``date``; empty where nobody measured."""
    path = timings_path(root)
    if not path.is_file():
        return {}
    found: dict[str, dict[str, dict[str, Any]]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def keep_timings(root: Path, runs: Sequence[tuple[Executed, str]]) -> list[str]:
    """Write how long runs took; what is known of other profiles stays, and chapters that are none any more go.

    Parameters
    ----------
    root : Path
    runs : sequence of (Executed, str)
        Each chapter's run, and the device that it ran on. Smoke runs have one core, whatever the device.

    Returns
    -------
    list of str
        A line for each chapter.
    """
    before = read_timings(root)
    kept: dict[str, dict[str, dict[str, Any]]] = {}
    lines = []
    for run, named in sorted(runs, key=lambda one: one[0].chapter.key):
        profile = str(run.record["profile"])
        device = "one core" if profile == "smoke" else named
        seconds = max(1, round(run.record["seconds"]))
        facts = {"seconds": seconds, "device": device, "date": str(run.record["date"])[:10]}
        kept[run.chapter.key] = {**before.get(run.chapter.key, {}), profile: facts}
        lines.append(f"{run.chapter.key}: {seconds} s ({profile}, {device})")
    path = timings_path(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    part.replace(path)
    return lines


def takes(timings: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Say in words how long a chapter takes, by profile; None where nobody measured.

    Examples
    --------
    >>> takes({"smoke": {"seconds": 14, "device": "one core"}, "paper": {"seconds": 540, "device": "a GPU"}})
    'takes about 14 s (smoke, one core), 9 min (paper, a GPU)'
    """
    order = [name for name in ("smoke", "colab", "paper") if name in timings]
    parts = [f"{_duration(timings[name]['seconds'])} ({name}, {timings[name]['device']})" for name in order]
    return f"takes about {', '.join(parts)}" if parts else None


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < _MINUTES_FROM_S else f"{seconds / 60:.0f} min"
