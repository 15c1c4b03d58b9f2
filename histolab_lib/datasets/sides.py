"""Which splits a set has, whose tiles are in them, and which of them must have nothing in common."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import combinations
from types import MappingProxyType, ModuleType
from typing import Any

from histolab_lib.choices import choose
from histolab_lib.data_dir import DataError

__all__ = ["as_number", "learned_and_held_out", "pairs_of_sides", "patients_of", "splits_of"]


def splits_of(module: ModuleType, options: Mapping[str, Any] = MappingProxyType({})) -> tuple[str, ...]:
    """Return the splits that a set has under these options: all, or those of the version.

    Examples
    --------
    >>> from histolab_lib.datasets.registry import modules
    >>> splits_of(modules()["synthetic"])
    ('train', 'val', 'test')
    """
    versions = getattr(module, "VERSIONS", None)
    if not isinstance(versions, Mapping):
        return tuple(module.SPLITS)
    return tuple(versions[choose("version", options.get("version", next(iter(versions))), versions)])


def patients_of(module: ModuleType, split: str, options: Mapping[str, Any] = MappingProxyType({})) -> dict[str, str]:
    """Return the patient of each tile of a split, by name, without reading a picture.

    Returns
    -------
    dict of str to str
        Empty where the set does not tell patients, or tells them in a file that is not on disk.

    Examples
    --------
    >>> from histolab_lib.datasets.registry import modules
    >>> patients_of(modules()["monuseg"], "train")["TCGA-18-5592-01Z-00-DX1"]
    'TCGA-18-5592'
    >>> patients_of(modules()["synthetic"], "train")
    {}
    """
    with suppress(DataError):
        if getattr(module, "GROUP", None) == "patient":
            return dict(module.groups(split, **options))
        if "patient" in getattr(module, "GROUPS", ()):
            return dict(module.groups(split, **options, by="patient"))
    return {}


def pairs_of_sides(splits: Iterable[str], views: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the splits to compare: whole ones with each other, parts of the same one with each other.

    Two test splits may share what they like: nothing is learned or chosen on either.

    Parameters
    ----------
    splits : iterable of str
    views : mapping of str to str
        Splits that are part of another one, as in the registry.

    Examples
    --------
    >>> pairs_of_sides(["train", "testA", "testB", "fit", "val"], {"fit": "train", "val": "train"})
    [('train', 'testA'), ('train', 'testB'), ('fit', 'val')]
    """
    pairs = [(a, b) for a, b in combinations(splits, 2) if views.get(a) == views.get(b)]
    return [pair for pair in pairs if not all(split.startswith("test") for split in pair)]


def learned_and_held_out(mine: Iterable[str], theirs: Iterable[str]) -> list[tuple[str, str]]:
    """Return the pairs of splits of two sets of which one is for training and the other is not.

    Examples
    --------
    >>> learned_and_held_out(["train", "test"], ["train", "val"])
    [('train', 'val'), ('test', 'train')]
    """
    return [(a, b) for a in mine for b in theirs if (a == "train") != (b == "train")]


def as_number(patient: str) -> tuple[int, str]:
    """Return a key that sorts patients called by numbers as numbers.

    Examples
    --------
    >>> sorted(["10", "9", "TCGA-18"], key=as_number)
    ['TCGA-18', '9', '10']
    """
    return (int(patient) if patient.isdigit() else 0, patient)
