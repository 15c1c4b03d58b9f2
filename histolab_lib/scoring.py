"""From predicted objects to what a record keeps of them: a row for each image, and what follows from the rows."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy.typing as npt

from histolab_lib.choices import choose
from histolab_lib.data_dir import DataError
from histolab_lib.metrics import Summary, check_record, evaluate, summarise
from histolab_lib.metrics.counts import COUNTED
from histolab_lib.record import Record
from histolab_lib.tile import Tile

__all__ = ["BOOTSTRAP", "METRICS", "check_numbers", "score", "score_masks", "summaries"]

#: Scores that every record sums up: what papers about nuclei and glands print, and their relatives.
METRICS = (
    "dice", "iou", "precision", "recall", "f1", "aji", "aji_plus", "dice2", "pq", "dq", "sq",
    "object_dice", "object_f1", "object_precision", "object_recall", "object_hausdorff",
)  # fmt: skip
#: Resampled sets behind an interval.
BOOTSTRAP = 10_000

# Average precision over ten thresholds is a third of a row, and no paper here prints it.
_EVALUATED = (*(name for name in COUNTED if name != "average_precision"), "object_hausdorff")
# Sums are taken in another order by another numpy; what is changed by hand changes more.
_SAME = 1e-9


def score(tile: Tile, instances: npt.NDArray[Any], *, group: str | None = None) -> dict[str, str | int | float]:
    """Score one prediction.

    Parameters
    ----------
    tile : Tile
    instances : ndarray of integers, shape (H, W)
        What was predicted; 0 is background.
    group : str, optional
        The patient, where the set tells: images of one patient are drawn together when an interval is made.

    Returns
    -------
    dict
        The row of `metrics.evaluate` under ``empty="nan"``: an image with neither true nor predicted objects has no
        score and is left out of means.

    Examples
    --------
    >>> import numpy as np
    >>> truth = np.array([[1, 1, 0, 2]], np.int32)
    >>> row = score(Tile("demo", np.zeros((1, 4, 3), np.uint8), truth), np.array([[1, 1, 0, 0]]), group="7")
    >>> row["name"], row["group"], row["both_px"], row["dice"]
    ('demo', '7', 2, 0.8)
    """
    row = evaluate(tile.instances, instances, _EVALUATED, names=tile.name, empty="nan")
    return {"name": tile.name, **({} if group is None else {"group": group}), **row}


def score_masks(tiles: Sequence[Tile], masks: Sequence[npt.NDArray[Any]], metric: str = "dice") -> Summary:
    """Score predicted masks, one for each tile, and sum up.

    Parameters
    ----------
    tiles : sequence of Tile
    masks : sequence of ndarray of bool, shape (H, W)
    metric : {"dice", "iou"}

    Returns
    -------
    Summary
        Groups are patients where all tiles tell theirs. Images with neither true nor predicted foreground are left out.

    Raises
    ------
    ValueError
        If there are not as many masks as tiles, or the metric is another one.

    Examples
    --------
    >>> import numpy as np
    >>> one = Tile("demo", np.zeros((1, 4, 3), np.uint8), np.array([[1, 1, 0, 2]], np.int32))
    >>> score_masks([one], [np.array([[True, True, False, False]])]).mean
    0.8
    """
    choose("metric of masks", metric, ("dice", "iou"))
    if len(tiles) != len(masks):
        raise ValueError(f"masks must be one for each tile, got {len(masks)} for {len(tiles)} tiles")
    rows = evaluate([one.mask for one in tiles], [*masks], [metric], names=[one.name for one in tiles], empty="nan")
    patients = {one.name: one.patient for one in tiles if one.patient is not None}
    return summarise(rows, metric, groups=patients if len(patients) == len(tiles) else None)


def summaries(
    images: Mapping[str, Sequence[Mapping[str, Any]]], metrics: Iterable[str] = METRICS
) -> dict[str, dict[str, dict[str, Any]]]:
    """Sum up the rows of every split, and of all splits together (``"test"``) where there are several.

    Parameters
    ----------
    images : mapping of str to sequence of mappings
        Rows by split, as `score` makes them. Where they have a ``group``, groups are resampled, else images.
    metrics : iterable of str

    Returns
    -------
    dict
        By split and metric, the fields of `metrics.Summary`.

    Examples
    --------
    >>> import numpy as np
    >>> truth = np.array([[1, 1, 0, 2]], np.int32)
    >>> rows = [score(Tile(name, np.zeros((1, 4, 3), np.uint8), truth), truth) for name in "ab"]
    >>> found = summaries({"testA": rows[:1], "testB": rows[1:]})
    >>> list(found), found["test"]["dice"]["mean"], found["test"]["dice"]["images"]
    (['testA', 'testB', 'test'], 1.0, 2)
    """
    splits = dict(images)
    if len(images) > 1:
        splits["test"] = [row for rows in images.values() for row in rows]
    return {split: {metric: _summary(rows, metric) for metric in metrics} for split, rows in splits.items()}


def _summary(rows: Sequence[Mapping[str, Any]], metric: str) -> dict[str, Any]:
    groups = {str(row["name"]): str(row["group"]) for row in rows if "group" in row}
    found = summarise(rows, metric, groups=groups or None, n_boot=BOOTSTRAP, seed=0)._asdict()
    return {name: value for name, value in found.items() if name != "metric"}


def check_numbers(record: Record, where: str | None = None) -> None:
    """Compute every score of a record again from its counts, and its summary from its scores.

    Parameters
    ----------
    record : Record
    where : str, optional
        How messages call it; its name, if not given.

    Raises
    ------
    DataError
        If a stored number differs; the message names the record and the number.
    """
    where = record.name if where is None else where
    for split, rows in record.images.items():
        for row in rows:
            try:
                check_record(row)
            except ValueError as error:
                raise DataError(f"{where}: field 'images', split {split!r}: {error}") from error
    metrics = list(next(iter(record.summary.values())))
    for split, again in summaries(record.images, metrics).items():
        for metric, values in again.items():
            for name, value in values.items():
                stored = record.summary[split].get(metric, {}).get(name)
                if not _same(stored, value):
                    raise DataError(
                        f"{where}: field 'summary', split {split!r}, {metric} {name} is {stored}, but the images give "
                        f"{value}"
                    )


def _same(stored: object, value: float) -> bool:
    if not isinstance(stored, int | float):
        return False
    if not math.isfinite(value):
        return stored == value or (math.isnan(stored) and math.isnan(value))
    return abs(stored - value) <= _SAME * max(1.0, abs(value))
