"""A validation split that shares no patient (or organ) with what is left for training.

Tiles of one patient resemble each other. A network that is chosen on tiles whose neighbours it was trained on looks
better than it is, so whole groups are moved: which groups, each set's module says (``GROUP``).
"""

import math
from collections import Counter
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np

from histolab_lib.choices import choose
from histolab_lib.datasets.draw import pick_groups
from histolab_lib.datasets.registry import modules
from histolab_lib.datasets.sequence import TileSequence

__all__ = ["validation_split"]


def validation_split(
    name: str, *, split: str = "train", share: float = 0.2, seed: int = 0, by: str | None = None, **options: Any
) -> tuple[TileSequence, TileSequence]:
    """Part the training tiles of a set in two that share no group.

    Parameters
    ----------
    name : str
        The set, as in `histolab_lib.datasets.load`.
    split : str
        What to part. Test tiles cannot be: what is chosen on them cannot be scored on them.
    share : float
        Tiles wanted for validation, as a share of all, more than 0 and less than 1.
    seed : int
        Not negative. Another seed chooses other groups where several choices come equally close to the share.
    by : {"patient", "organ", "tile"}, optional
        What must not be parted. If not given: patients of ``glas`` and ``tnbc``, organs of ``monuseg`` and
        ``kumar`` (which know ``"patient"``, too). ``"tile"`` parts nothing but tiles; sets that do not tell which
        of their tiles belong together take no other.
    **options
        Those of the set's own ``load``.

    Returns
    -------
    fit, val : TileSequence
        Together all tiles of `split`, each in the order of `split`.

    Raises
    ------
    ValueError
        If an argument is not among those allowed, if the set has a validation split of its own, or if there are not
        at least two groups.
    DataError
        If files of the set are missing.

    Notes
    -----
    Only whole groups move, and so `share` is met as closely as groups allow: no other choice of groups comes closer,
    and the number of tiles is off by at most half the largest group (unless a side would be empty). The choice
    depends on the names of the groups, their sizes, `share` and `seed`, and on no library's random numbers.
    """
    from histolab_lib.datasets import load

    module = _module(name, split, options)
    kind = _kind(name, module, by)
    _check_numbers(share, seed)
    tiles = load(name, split, **options)
    if not isinstance(tiles, TileSequence):
        raise TypeError(f"{name!r} gives a {type(tiles).__name__}, expected a TileSequence; take its part by yourself")
    group = {tile: tile for tile in tiles.names} if kind == "tile" else _groups(module, split, kind, options)
    sizes = Counter(group[tile] for tile in tiles.names)
    if len(sizes) < 2:
        raise ValueError(
            f"all {len(tiles)} tiles of split {split!r} of {name!r} are of one {kind} ({', '.join(sizes)}), so none "
            "can be kept apart" + ("" if kind == "tile" else "; by='tile' parts them all the same")
        )
    chosen = pick_groups(sizes, share * len(tiles), seed)
    parts = {side: [tile for tile in tiles.names if (group[tile] in chosen) == side] for side in (False, True)}
    return tiles.select(parts[False]), tiles.select(parts[True])


def _module(name: str, split: str, options: Mapping[str, Any]) -> ModuleType:
    """Return the module of the set, after checking that it has this split and wants one to be drawn."""
    known = modules()
    module = known[choose("data set", name, known)]
    choose(f"{name!r} split", split, module.SPLITS)
    versions = getattr(module, "VERSIONS", {})
    version = options.get("version", next(iter(versions), None))
    splits = versions[choose(f"{name!r} version", version, versions)] if versions else module.SPLITS
    if "val" in splits:
        given = "".join(f", {option}={value!r}" for option, value in options.items())
        raise ValueError(f"{name!r} has a validation split of its own: load({name!r}, 'val'{given})")
    if split.startswith("test"):
        raise ValueError(
            f"split {split!r} of {name!r} is for testing, and what is chosen on its tiles cannot be scored on them; "
            "part the training tiles"
        )
    return module


def _kind(name: str, module: ModuleType, by: str | None) -> str:
    kinds = _kinds(module)
    if by is not None:
        return choose("group (by) of " + repr(name), by, [*kinds, "tile"])
    if not kinds:
        raise ValueError(
            f"{name!r} does not tell which tiles are of one patient, so a validation split may share patients with "
            "training; by='tile' draws one all the same"
        )
    return kinds[0]


def _kinds(module: ModuleType) -> tuple[str, ...]:
    """What tiles of the set can be grouped by, its own choice first."""
    single = getattr(module, "GROUP", None)
    return getattr(module, "GROUPS", (single,) if single else ())


def _groups(module: ModuleType, split: str, kind: str, options: Mapping[str, Any]) -> Mapping[str, str]:
    if len(_kinds(module)) > 1:
        options = {**options, "by": kind}
    found: Mapping[str, str] = module.groups(split, **options)
    return found


def _check_numbers(share: object, seed: object) -> None:
    if not isinstance(share, int | float | np.number) or not 0 < share < 1 or math.isnan(share):
        raise ValueError(f"share must be a number of more than 0 and less than 1, got {share!r}")
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or seed < 0:
        raise ValueError(f"seed must be a whole number, 0 or more, got {seed!r}")
