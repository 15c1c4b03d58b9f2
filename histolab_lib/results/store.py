"""The recorded runs: reading them, holding their numbers against their counts, citing one of them."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from histolab_lib.choices import choose, look_up
from histolab_lib.claims import DISTANCES
from histolab_lib.data_dir import DataError, data_dir
from histolab_lib.metrics import Summary, summarise
from histolab_lib.record import Record, load_record
from histolab_lib.scoring import BOOTSTRAP, check_numbers

__all__ = [
    "PAGES",
    "Result",
    "across_seeds",
    "check",
    "images_of",
    "load_results",
    "result",
    "results_dir",
    "seed_means",
    "words",
]

#: The folder beside the records that holds glued numbers of pages, not runs.
PAGES = "pages"


class Result(NamedTuple):
    """One number of one recorded run.

    Attributes
    ----------
    record : Record
    split, metric : str
    mean, low, high : float
        Over images, and the bootstrap interval of that mean; pixels for distances.
    images : int
    """

    record: Record
    split: str
    metric: str
    mean: float
    low: float
    high: float
    images: int

    @property
    def tooltip(self) -> str:
        """One line for people: what it is, on what, how sure, how long it was trained, when it was recorded."""
        record = self.record
        interval = f"95 % interval {words(self.low, self.metric)} to {words(self.high, self.metric)}"
        how = "nothing trained" if not record.settings else f"schedule {record.schedule}, seed {record.seed}"
        variant = "" if record.variant == "base" else f" ({record.variant})"
        return (
            f"{record.key}{variant} on {record.dataset}, {self.split} ({self.images} images): mean {self.metric}, "
            f"{interval}; {how}, recorded {record.date}"
        )


def words(value: float, metric: str) -> str:
    """Return a score with three decimals, a distance in pixels with one.

    Examples
    --------
    >>> words(0.76951, "dice"), words(41.26, "object_hausdorff")
    ('0.770', '41.3')
    """
    return f"{value:.1f}" if metric in DISTANCES else f"{value:.3f}"


def results_dir() -> Path:
    """Return the folder of the records of this book."""
    return data_dir() / "results"


def _paths(root: Path) -> list[Path]:
    """Records below a folder, by name; what is half written or of pages is none."""
    found = (path for path in root.glob("*/*/*.json") if not path.name.startswith("."))
    return sorted(path for path in found if path.relative_to(root).parts[0] != PAGES)


def load_results(root: Path | None = None) -> tuple[Record, ...]:
    """Read all records of a folder, by default those of this book, sorted by name.

    Raises
    ------
    DataError
        If one is not in order; the message names file and field.
    """
    return tuple(load_record(path) for path in _paths(results_dir() if root is None else root))


def check(root: Path | None = None) -> tuple[list[Record], list[str]]:
    """Read all records of a folder and compute their numbers again.

    Returns
    -------
    records : list of Record
        Those in order.
    faults : list of str
        A sentence for each other one, that names file and field.
    """
    records, faults = [], []
    for path in _paths(results_dir() if root is None else root):
        try:
            record = load_record(path)
            check_numbers(record, str(path))
        except DataError as error:
            faults.append(str(error))
        else:
            records.append(record)
    return records, faults


def across_seeds(records: Sequence[Record], split: str, metric: str) -> Summary:
    """Return the mean over images of each image's mean over seeds, with its interval.

    Parameters
    ----------
    records : sequence of Record
        Runs that differ by their seed alone.
    split : str
        One of their splits, or ``"test"``.
    metric : str

    Notes
    -----
    The interval says how the mean would move with other images; of seeds there are too few to say.
    """
    means = seed_means(records, split, metric)
    groups = {row["name"]: row["group"] for row in means if "group" in row}
    return summarise(means, metric, groups=groups or None, n_boot=BOOTSTRAP, seed=0)


def seed_means(records: Sequence[Record], split: str, metric: str) -> list[dict[str, Any]]:
    """Return a row for each image: its name, its group where that is known, and its mean over seeds of one score.

    Parameters
    ----------
    records, split, metric
        As for `across_seeds`.
    """
    rows: dict[str, dict[str, Any]] = {}
    values: dict[str, list[float]] = {}
    for record in records:
        for row in images_of(record, split):
            rows[row["name"]] = {key: row[key] for key in ("name", "group") if key in row}
            values.setdefault(row["name"], []).append(float(row[metric]))
    return [{**row, metric: sum(values[name]) / len(values[name])} for name, row in rows.items()]


def images_of(record: Record, split: str = "test") -> list[Mapping[str, Any]]:
    """Return the rows of a record's images: of one split, or all of them for ``"test"`` where no split is called so.

    Raises
    ------
    ValueError
        If the record has no such split.
    """
    if split == "test" and split not in record.images:
        return [row for rows in record.images.values() for row in rows]
    return [*record.images[choose("split", split, record.images)]]


def result(key: str) -> Result:
    """Return the number of this book's records that `key` names.

    Parameters
    ----------
    key : str
        Name of the record, split and metric: ``"floor_hematoxylin/monuseg/base-clean-none-seed0/test/dice"``.

    Raises
    ------
    LookupError
        If there is none; the message names the nearest keys.

    Examples
    --------
    >>> result("floor_hematoxylin/monuseg/base-clean-none-seed0/test/dise")
    Traceback (most recent call last):
    ...
    LookupError: unknown result 'floor_hematoxylin/monuseg/base-clean-none-seed0/test/dise'; the nearest are ...
    """
    return look_up("result", key, _by_key(), results_dir())


@cache
def _by_key() -> Mapping[str, Result]:
    return {
        f"{record.name}/{split}/{metric}": Result(
            record, split, metric, values["mean"], values["low"], values["high"], values["images"]
        )
        for record in load_results()
        for split, metrics in record.summary.items()
        for metric, values in metrics.items()
    }
