"""The runs that the book wants, as data: what a run is called, and the queue that lists them by their value."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Any

from histolab_lib.choices import choose
from histolab_lib.data_dir import DataError
from histolab_lib.datasets.registry import modules
from histolab_lib.floors import HEMATOXYLIN
from histolab_lib.record import record_path, variant_name

__all__ = ["ALL_TILES", "FLOOR_UNET", "SCHEDULE_NAMES", "UNTRAINED", "Job", "read_queue"]

#: The key of the small U-Net after five CPU minutes.
FLOOR_UNET = "floor_unet"
#: The part of a variant that trains on all training tiles, none held out: for recipes that decide nothing by scores.
ALL_TILES = "all_tiles"
#: The schedule of what is not trained.
UNTRAINED = "none"
#: Those of ``training.SCHEDULES``, the shortest first.
SCHEDULE_NAMES = ("smoke", "cpu", "cpu_long", "gpu")

_FIELDS = ("key", "data", "reading", "variant", "seed", "options", "schedules")
_GROUP = ("what", "runs", "schedules", "repeat_with_seeds")


@dataclass(frozen=True)
class Job:
    """One run.

    Attributes
    ----------
    key : str
        A name of ``papers.names()``, `FLOOR_UNET` or ``floors.HEMATOXYLIN``.
    data : str
        The set; its test tiles are scored.
    schedule : str
        One of `SCHEDULE_NAMES`.
    reading, variant : str
        Of the recipe. To any variant `ALL_TILES` can be joined by two underscores.
    seed : int
    options : mapping
        Of the set's own ``load``, such as ``{"version": "patients"}``.

    Raises
    ------
    ValueError
        If there is no such set or schedule. Whether there is such a network, `training.job` tells.

    Examples
    --------
    >>> Job("unet", "tnbc", "cpu", options={"version": "patients"}, seed=1).name
    'unet/tnbc/version_patients-clean-cpu-seed1'
    >>> Job("floor_hematoxylin", "tnbc", "cpu").name  # nothing is trained, so neither schedule nor seed count
    'floor_hematoxylin/tnbc/base-clean-none-seed0'
    """

    key: str
    data: str
    schedule: str
    reading: str = "clean"
    variant: str = "base"
    seed: int = 0
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        choose("data set", self.data, modules())
        if not self.is_floor:
            choose("schedule", self.schedule, SCHEDULE_NAMES)
        else:
            for name, value in (("schedule", UNTRAINED), ("reading", "clean"), ("seed", 0)):
                object.__setattr__(self, name, value)

    @property
    def is_floor(self) -> bool:
        """Whether nothing is trained."""
        return self.key == HEMATOXYLIN

    @property
    def record_variant(self) -> str:
        """Variant of the record: of the recipe, and the options of the set."""
        return variant_name(self.variant, self.options)

    @property
    def name(self) -> str:
        """Name of the record."""
        return self.path(Path()).as_posix().removesuffix(".json")

    def path(self, root: Path) -> Path:
        """Return the file of the record below `root`."""
        return record_path(root, self.key, self.data, self.record_variant, self.reading, self.schedule, self.seed)


def read_queue(path: Path, schedule: str) -> list[Job]:
    """Read the runs that a queue wants under one schedule, in its order, each once.

    Parameters
    ----------
    path : Path
        YAML: a list of groups with ``what`` (a sentence) and ``runs``. A run has ``key``, ``data`` and, where they are
        not the default, ``reading``, ``variant``, ``seed``, ``options`` (of the set) and ``schedules`` (default: those
        of its group, else all). A list stands for several runs. A group with ``repeat_with_seeds`` has no runs of its
        own: it stands for all runs above it under other seeds.
    schedule : str
        One of `SCHEDULE_NAMES`. Floors, which nothing is trained for, are wanted under each.

    Raises
    ------
    DataError
        If the file cannot be read or an entry is not understood; the message names the group.
    ValueError
        If there is no such schedule.
    """
    choose("schedule", schedule, SCHEDULE_NAMES)
    jobs: dict[str, Job] = {}
    for number, group in enumerate(_groups(path), start=1):
        where = f"{path}, group {number}"
        if not isinstance(group, Mapping) or not set(group) <= set(_GROUP) or not isinstance(group.get("what"), str):
            raise DataError(f"{where}: must have 'what', and 'runs' or 'repeat_with_seeds', got {str(group)[:80]!r}")
        found = list(_expanded(where, group, schedule))
        for seed in group.get("repeat_with_seeds", ()):
            found += [_with_seed(job, seed) for job in list(jobs.values())]
        for job in found:
            jobs.setdefault(job.name, job)
    return list(jobs.values())


def _groups(path: Path) -> list[Any]:
    import yaml

    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise DataError(f"{path}: cannot be read as a queue ({error})") from error
    if not isinstance(found, list):
        raise DataError(f"{path}: a queue is a list of groups, got {type(found).__name__}")
    return found


def _expanded(where: str, group: Mapping[str, Any], schedule: str) -> Iterator[Job]:
    for entry in group.get("runs", ()):
        if not isinstance(entry, Mapping) or not {"key", "data"} <= set(entry):
            raise DataError(f"{where}: a run must have 'key' and 'data', got {entry!r}")
        if unknown := sorted(set(entry) - set(_FIELDS)):
            raise DataError(f"{where}: a run has no {unknown[0]!r}; it may have {', '.join(_FIELDS)}")
        schedules = _listed(entry.get("schedules", group.get("schedules", list(SCHEDULE_NAMES))))
        for name in schedules:
            if name not in SCHEDULE_NAMES:
                raise DataError(f"{where}: unknown schedule {name!r}; there are {', '.join(SCHEDULE_NAMES)}")
        for job in _product(where, entry, schedule):
            if schedule in schedules or schedule == "smoke" or job.schedule == UNTRAINED:
                yield job


def _product(where: str, entry: Mapping[str, Any], schedule: str) -> Iterator[Job]:
    names = ("key", "data", "reading", "variant", "options", "seed")
    defaults: dict[str, Any] = {"reading": "clean", "variant": "base", "seed": 0, "options": {}}
    values = [_listed(entry.get(name, defaults.get(name))) for name in names]
    for chosen in product(*values):
        given = dict(zip(names, chosen, strict=True))
        try:
            yield Job(schedule=schedule, **given)
        except ValueError as error:
            raise DataError(f"{where}: {error}") from error


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _with_seed(job: Job, seed: int) -> Job:
    return Job(job.key, job.data, job.schedule, job.reading, job.variant, seed, job.options)
