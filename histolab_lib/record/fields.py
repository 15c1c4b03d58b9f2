"""A record: the fields of one run, and where it lies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from histolab_lib.record.schema import check

__all__ = ["Record", "record_path", "variant_name"]


@dataclass(frozen=True, kw_only=True)
class Record:
    """One run, scored once on every test split of its set.

    Attributes
    ----------
    key : str
        The network, as ``papers.build`` knows it, or the floor.
    dataset : str
        The set that was scored; `options` are those of its ``load``.
    variant : str
        ``"base"``, or what differs from it: parts joined by two underscores (`variant_name`).
    reading, schedule : str
        Whose settings, and how long: the names of recipe and schedule. ``"none"`` where nothing was trained.
    seed : int
    recipe : mapping
        All settings of the recipe; `recipe_hash`, 16 hex digits, tells recipes apart.
    settings : mapping
        What the schedule made of the recipe: steps, crop, batch, precision, threads. Empty where nothing was trained.
        Where the weights to start from were made here, ``pretraining_s``: the seconds which that took.
    data : mapping of str to mapping
        For each split that was read, as ``"monuseg/test"``: ``tiles`` (how many) and ``sha256`` of their pixels and
        labels.
    fit_on, chosen_on : tuple of str
        Names of the tiles that were trained on, and of those that any decision looked at.
    weights : str
        What training started from: ``"none"``, or a name and the hash of the file.
    commit, code : str
        Commit of the checkout (``"unknown"`` outside one), and a digest of the library's source files.
    pins : str or None
        Digest of ``constraints.txt`` where the installed packages are those that it names.
    packages : mapping of str to str
        Versions of Python and of what computes.
    device, torch, date : str
        The processor's name; torch's version; the day (UTC, ISO 8601).
    wall_s : float
        All of it: reading, training, scoring; not what came before, ``settings["pretraining_s"]``.
    images_per_s, peak_memory_mib : float or None
        Of training, where there was any; crops in a second, and the largest memory seen.
    images : mapping of str to sequence of mappings
        For each test split one row per image, as `metrics.evaluate` makes them, with ``group``: the patient, where
        the set tells.
    summary : mapping of str to mapping
        For each split (and ``"test"``, all of them together, where there are several) and metric: a
        `metrics.Summary`. Follows from `images` (`histolab_lib.scoring`), and a test computes it again.
    history : mapping of str to sequence
        Columns: ``step``, ``loss``, ``lr`` of training (thinned), ``validation``.

    Notes
    -----
    Two rules hold for every record: no test tile was trained on, and none was looked at by a decision unless the
    variant says so (`LEAK`).
    """

    key: str
    dataset: str
    options: Mapping[str, Any]
    variant: str
    reading: str
    schedule: str
    seed: int
    recipe: Mapping[str, Any]
    recipe_hash: str
    settings: Mapping[str, Any]
    data: Mapping[str, Mapping[str, Any]]
    fit_on: Sequence[str]
    chosen_on: Sequence[str]
    weights: str
    commit: str
    code: str
    pins: str | None
    packages: Mapping[str, str]
    device: str
    torch: str
    date: str
    wall_s: float
    images_per_s: float | None
    peak_memory_mib: float | None
    images: Mapping[str, Sequence[Mapping[str, Any]]]
    summary: Mapping[str, Mapping[str, Mapping[str, Any]]]
    history: Mapping[str, Sequence[Any]]

    def __post_init__(self) -> None:
        check(f"record {self.key}/{self.dataset}", {one.name: getattr(self, one.name) for one in fields(self)})

    @property
    def name(self) -> str:
        """Where it lies below the folder of all records, without the ending: what results are cited by."""
        return str(record_path(Path(), self.key, self.dataset, self.variant, self.reading, self.schedule, self.seed))[
            : -len(".json")
        ]

    def path(self, root: Path) -> Path:
        """Return the file of this record below `root`."""
        return root / f"{self.name}.json"


def record_path(root: Path, key: str, dataset: str, variant: str, reading: str, schedule: str, seed: int) -> Path:
    """Return where a record lies.

    Examples
    --------
    >>> print(record_path(Path("results"), "unet", "tnbc", "version_patients", "clean", "cpu", 1).as_posix())
    results/unet/tnbc/version_patients-clean-cpu-seed1.json
    """
    return root / key / dataset / f"{variant}-{reading}-{schedule}-seed{seed}.json"


def variant_name(variant: str, options: Mapping[str, Any]) -> str:
    """Return the variant of a record: that of its recipe, and the options of the set where they are not the default.

    Examples
    --------
    >>> variant_name("base", {}), variant_name("base", {"version": "patients"})
    ('base', 'version_patients')
    >>> variant_name("no_contour", {"version": "25_15"})
    'no_contour__version_25_15'
    """
    parts = [] if variant == "base" and options else [variant]
    return "__".join(parts + [f"{name}_{options[name]}".lower() for name in sorted(options)])
