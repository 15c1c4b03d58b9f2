"""The table of how fast networks are, on their reference page: made from the facts while the site is built."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from histolab_lib.data_dir import DataError, data_dir

__all__ = ["KINDS", "PLAIN", "Measured", "Speed", "connect", "load_speeds", "speed_table"]

#: The setting that all others are compared with.
PLAIN = "plain"
#: What was timed.
KINDS = ("training", "inference")
_HERE = re.compile(r"^% Here stands the table of speeds.*$", re.MULTILINE)


@dataclass(frozen=True)
class Measured:
    """One network in one setting.

    Attributes
    ----------
    training, inference : float
        Images per second of the processor's time.
    peak_mib : int
        What the first training step adds to the memory of its process.
    """

    training: float
    inference: float
    peak_mib: int


@dataclass(frozen=True)
class Speed:
    """What was measured of one network.

    Attributes
    ----------
    build : str
        Its name and variant, as in ``data/facts/parameters.json``, with a slash between.
    date, device, torch : str
        When, on what, with which version.
    size_px, batch : int
        Side of the images, and how many at a time.
    settings : mapping of str to Measured
        By setting; `PLAIN` is one of them.

    Examples
    --------
    >>> both = {"plain": Measured(2.0, 8.0, 900), "bf16": Measured(5.0, 6.0, 500)}
    >>> speed = Speed("unet/base", "2026-01-01", "a processor, 1 thread", "2.13.0", 256, 4, both)
    >>> speed.best("training"), speed.ratio("training")
    ('bf16', 2.5)
    >>> speed.best("inference"), speed.ratio("inference")
    ('plain', 1.0)
    """

    build: str
    date: str
    device: str
    torch: str
    size_px: int
    batch: int
    settings: Mapping[str, Measured]

    def best(self, kind: str) -> str:
        """Return the setting in which a kind of `KINDS` is fastest; of equal ones the first."""
        return max(self.settings, key=lambda setting: self.per_s(kind, setting))

    def ratio(self, kind: str) -> float:
        """Return how many times as fast the best setting is as the plain one."""
        return self.per_s(kind, self.best(kind)) / self.per_s(kind, PLAIN)

    def per_s(self, kind: str, setting: str) -> float:
        """Return the images per second of a kind of `KINDS` in a setting."""
        found: float = getattr(self.settings[setting], kind)
        return found


def load_speeds(path: Path | None = None) -> tuple[Speed, ...]:
    """Read ``data/facts/speed.json``, or another such file.

    Raises
    ------
    DataError
        If the file is missing, is no JSON, or an entry lacks a field or has an unknown one.
    """
    path = path or data_dir() / "facts" / "speed.json"
    try:
        builds = json.loads(path.read_text(encoding="utf-8"))["builds"]
        return tuple(_one(name, told) for name, told in builds.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: cannot be read as measured speeds ({error!r})") from error


def _one(build: str, told: Mapping[str, Any]) -> Speed:
    settings = {setting: Measured(**numbers) for setting, numbers in told["settings"].items()}
    return Speed(**{**told, "build": build, "settings": {PLAIN: settings[PLAIN], **settings}})


_HEAD = (
    "network", "parameters", "training, plain", "training, best", "inference, plain", "inference, best",
    "peak MiB, plain", "peak MiB, best",
)  # fmt: skip


def speed_table(speeds: Sequence[Speed], networks: Mapping[str, Any]) -> str:
    """Return the table as MyST, and where and when it was measured.

    Parameters
    ----------
    speeds : sequence of Speed
        A row each; several machines or days are told apart below the table.
    networks : mapping
        ``networks`` of ``data/facts/parameters.json``: titles, and parameters of each variant.
    """
    rows = [_HEAD, ("---", *["---:"] * (len(_HEAD) - 1)), *(_row(one, networks) for one in speeds)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"{table}\n\n{' '.join(_measured_where(speeds, networks))}\n"


def _row(speed: Speed, networks: Mapping[str, Any]) -> tuple[str, ...]:
    name, variant = speed.build.split("/")
    parameters = networks[name]["variants"][variant]["parameters"]
    plain, best = speed.settings[PLAIN], speed.settings[speed.best("training")]
    speeds = [cell for kind in KINDS for cell in (f"{speed.per_s(kind, PLAIN):g}", _fastest(speed, kind))]
    return _title(speed, networks), f"{parameters:,}", *speeds, f"{plain.peak_mib:,}", f"{best.peak_mib:,}"


def _title(speed: Speed, networks: Mapping[str, Any]) -> str:
    name, variant = speed.build.split("/")
    return networks[name]["title"] + ("" if variant == "base" else f", {variant}")


def _fastest(speed: Speed, kind: str) -> str:
    best = speed.best(kind)
    return f"{speed.per_s(kind, best):g} ({speed.ratio(kind):.1f} ×, {best})"


def _measured_where(speeds: Sequence[Speed], networks: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each machine, version and day, with the networks where there are several."""
    places: dict[str, list[str]] = {}
    for one in speeds:
        images = f"{one.batch} images of {one.size_px} x {one.size_px} pixels at a time"
        place = f"on {one.device}, with torch {one.torch}, {images}, {one.date}."
        places.setdefault(place, []).append(_title(one, networks))
    for place, titles in places.items():
        yield f"{'; '.join(titles)}: measured {place}" if len(places) > 1 else f"Measured {place}"


def _put_table(_app: Sphinx, _page: str, source: list[str]) -> None:
    if _HERE.search(source[0]):
        counted = json.loads((data_dir() / "facts" / "parameters.json").read_text(encoding="utf-8"))
        table = speed_table(load_speeds(), counted["networks"])
        source[0] = _HERE.sub(lambda _: table, source[0])


def connect(app: Sphinx) -> None:
    """Let the table stand where a page has the comment ``% Here stands the table of speeds``."""
    app.connect("source-read", _put_table)
