"""The tiles of one run: what is learned from, what decisions look at, what is scored at the end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from histolab_lib import datasets
from histolab_lib.datasets.registry import modules
from histolab_lib.datasets.sides import patients_of, splits_of
from histolab_lib.recipe import Recipe
from histolab_lib.tile import Tile

__all__ = ["Tiles", "read_tiles", "scored_splits"]


@dataclass(frozen=True)
class Tiles:
    """The tiles of one set.

    Attributes
    ----------
    fit, val : list of Tile
        Read, since training reads them many times.
    test : mapping of str to sequence of Tile
        By split; read when they are scored.
    patients : mapping of str to mapping
        For each test split the patient of each tile, where the set tells.
    """

    fit: Sequence[Tile]
    val: Sequence[Tile]
    test: Mapping[str, Sequence[Tile]]
    patients: Mapping[str, Mapping[str, str]]


def scored_splits(data: str, options: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the test splits of a set, without one that is others together.

    Raises
    ------
    ValueError
        If the set has none.

    Examples
    --------
    >>> scored_splits("kumar", {}), scored_splits("glas", {})
    (('test_same', 'test_diff'), ('testA', 'testB'))
    """
    known = modules()
    found = tuple(split for split in splits_of(known[data], options) if split.startswith("test"))
    if not found:
        raise ValueError(f"{data!r} has no split for testing, so nothing can be recorded on it")
    return tuple(split for split in found if split != "test") or found


def read_tiles(data: str, options: Mapping[str, Any], recipe: Recipe | None) -> Tiles:
    """Read what a run needs.

    Parameters
    ----------
    data : str
    options : mapping
        Of the set's own ``load``.
    recipe : Recipe or None
        Its `validation` says how many training tiles are held out, the same ones for every seed, or that the test
        tiles are looked at. A set that has a validation split of its own keeps it. None: nothing is trained.

    Raises
    ------
    DataError
        If files of the set are missing.
    """
    tests = scored_splits(data, options)
    test = {split: datasets.load(data, split, **options) for split in tests}
    patients = {split: patients_of(modules()[data], split, options) for split in tests}
    if recipe is None:
        return Tiles((), (), test, patients)
    if recipe.validation.get("on") == "test":  # an exhibit, and its record must say so (`record.LEAK`)
        chosen_on = [tile for tiles in test.values() for tile in tiles]
        return Tiles(list(datasets.load(data, "train", **options)), chosen_on, test, patients)
    fit, val = _parts(data, options, recipe)
    return Tiles(list(fit), list(val), test, patients)


def _parts(data: str, options: Mapping[str, Any], recipe: Recipe) -> tuple[Sequence[Tile], Sequence[Tile]]:
    settings: Mapping[str, Any] = recipe.validation
    splits = splits_of(modules()[data], options)
    if not settings.get("share"):
        return datasets.load(data, "train", **options), ()
    if "val" in splits:
        learned = "fit" if "fit" in splits else "train"
        return datasets.load(data, learned, **options), datasets.load(data, "val", **options)
    return datasets.validation_split(data, share=settings["share"], seed=0, by=settings.get("by"), **options)
