"""Scores of whatever segments images, along the steps of corruptions."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from histolab_lib.choices import choose
from histolab_lib.corruptions.named import CORRUPTIONS, Corruption
from histolab_lib.metrics import evaluate
from histolab_lib.tile import Tile

__all__ = ["METRICS", "Row", "Segmenter", "curves", "means"]

#: Metrics of `metrics.evaluate` that curves are made of, unless others are asked for.
METRICS = ("dice", "aji", "panoptic_quality")

Row: TypeAlias = dict[str, Any]
#: From an image (H, W, 3) uint8 to objects (H, W), 0 being background.
Segmenter: TypeAlias = Callable[[npt.NDArray[np.uint8]], npt.NDArray[Any]]


def curves(
    systems: Mapping[str, Segmenter],
    tiles: Iterable[Tile],
    corruptions: Iterable[str | Corruption] = tuple(CORRUPTIONS),
    *,
    metrics: Iterable[str] = METRICS,
    seed: int = 0,
) -> list[Row]:
    """Score systems on tiles made worse, step by step.

    Parameters
    ----------
    systems : mapping of str to callable
        By name: what takes an image (H, W, 3) uint8 and returns objects (H, W), such as `floors.nucleus_floor`, or
        ``lambda image: segment(network, image, recipe)``.
    tiles : iterable of Tile
        Gone through once; each is read once.
    corruptions : iterable of str or Corruption
        Names in `CORRUPTIONS`, or a corruption with steps of your own (`Corruption.at`). Each is applied alone.
    metrics : iterable of str
        Of `metrics.evaluate`.
    seed : int
        Of noise.

    Returns
    -------
    list of dict
        A row for each tile, corruption, step and system: ``system``, ``corruption``, ``strength``, ``tile``; then the
        counts and scores of `metrics.evaluate` under ``empty="nan"``. All systems see the same images. The undisturbed
        tile is scored once and stands in the rows of each corruption, its scores those of `scoring.score`.

    Raises
    ------
    ValueError
        If a corruption is unknown or comes twice, there are no systems or tiles, or a system returns another size.

    Examples
    --------
    >>> tile = Tile("demo", np.full((4, 4, 3), 200, np.uint8), np.eye(4, dtype=np.int32))
    >>> darker_than_150 = lambda image: (image[..., 0] < 150).astype(np.int32)
    >>> rows = curves({"all dark": darker_than_150}, [tile], [CORRUPTIONS["dimmer"].at(0.5)], metrics=["dice"])
    >>> [(row["corruption"], row["strength"], row["dice"]) for row in rows]
    [('dimmer', 1, 0.0), ('dimmer', 0.5, 0.4)]
    """
    chosen, wanted = _chosen(corruptions), tuple(metrics)
    if not systems:
        raise ValueError("systems is empty: there is nothing to score")
    rows = [row for tile in tiles for row in _of_tile(systems, tile, chosen, wanted, seed)]
    if not rows:
        raise ValueError("tiles or corruptions are empty: there is nothing to score")
    return rows


def means(rows: Sequence[Mapping[str, Any]], metric: str) -> dict[str, dict[str, dict[float, float]]]:
    """Return mean scores over tiles: by corruption, then system, then strength.

    Parameters
    ----------
    rows : sequence of mappings
        As `curves` returns them.
    metric : str
        A score in the rows: ``"dice"``, ``"aji"``, ``"pq"``.

    Returns
    -------
    dict
        In the order of the rows. Undefined scores (NaN: nothing there and nothing found) are left out of means; where
        no tile has one the mean is NaN.

    Raises
    ------
    ValueError
        If the rows have no such score.
    """
    found: dict[str, dict[str, dict[float, list[float]]]] = {}
    for row in rows:
        if metric not in row:
            scores = [name for name, value in row.items() if isinstance(value, float) and name != "strength"]
            raise ValueError(f"the rows have no score {metric!r}; they have {', '.join(scores)}")
        curve = found.setdefault(row["corruption"], {}).setdefault(row["system"], {})
        curve.setdefault(row["strength"], []).append(row[metric])
    return {
        corruption: {system: {at: _mean(scores) for at, scores in curve.items()} for system, curve in systems.items()}
        for corruption, systems in found.items()
    }


def _chosen(corruptions: Iterable[str | Corruption]) -> list[Corruption]:
    chosen = [
        one if isinstance(one, Corruption) else CORRUPTIONS[choose("corruption", one, CORRUPTIONS)]
        for one in corruptions
    ]
    names = [one.name for one in chosen]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"corruptions come more than once: {', '.join(twice)}; give all steps of one in one .at(...)")
    return chosen


def _of_tile(
    systems: Mapping[str, Segmenter],
    tile: Tile,
    corruptions: Sequence[Corruption],
    metrics: tuple[str, ...],
    seed: int,
) -> list[Row]:
    plain = {name: _scored(name, segment, tile, metrics) for name, segment in systems.items()}
    rows = []
    for one in corruptions:
        for strength in one.steps:
            seen = one(tile, strength, seed=seed)
            for name, segment in systems.items():
                scores = plain[name] if seen is tile else _scored(name, segment, seen, metrics)
                rows.append({"system": name, "corruption": one.name, "strength": strength, "tile": tile.name, **scores})
    return rows


def _scored(name: str, segment: Segmenter, tile: Tile, metrics: tuple[str, ...]) -> Row:
    found = segment(tile.image)
    if found.shape != tile.shape:
        raise ValueError(f"system {name!r} returned {found.shape} for tile {tile.name}, which is {tile.shape}")
    row = evaluate(tile.instances, found, metrics, empty="nan")
    return {key: value for key, value in row.items() if key not in ("name", "empty")}


def _mean(scores: Sequence[float]) -> float:
    defined = [score for score in scores if score == score]
    return float(np.mean(defined)) if defined else float("nan")
