"""Synthetic H&E tissue: the book's default input, made from a seed, with exact truth and no download."""

from functools import partial

import numpy as np

from histolab_lib.choices import choose
from histolab_lib.datasets.sequence import TileSequence
from histolab_lib.datasets.synthetic.compose import OBJECTS, Scene, make
from histolab_lib.datasets.synthetic.presets import GLAND_PRESETS, NUCLEUS_PRESETS, PRESETS
from histolab_lib.tile import Tile

__all__ = ["GROUP", "OBJECTS", "PRESET_NAMES", "SPLITS", "Scene", "load", "make", "scene"]

#: Names of the splits; a split's place in this list is part of the seed, so no tile is in two of them.
SPLITS = ("train", "val", "test")
GROUP = None  # each tile stands for a patient of its own
#: Names of the presets: tissues at 40x where the objects are nuclei, and, at the 0.62 micrometres per pixel of GlaS,
#: those whose name starts with ``gland_``. ``mixed`` goes through those of the objects asked for in shuffled rounds.
PRESET_NAMES = ("mixed", *PRESETS)
_KEYS = (*PRESET_NAMES, "mixed_glands")  # places are part of the seed: new presets go to the end
_SMALLEST_PX = 32


def scene(
    split: str, index: int, *, size: int = 256, preset: str = "mixed", seed: int = 0, objects: str = "nuclei"
) -> Scene:
    """Make one scene: the tile that `load` gives at this place, with its stain concentrations.

    Parameters
    ----------
    split : {"train", "val", "test"}
    index : int
        Place in the split, from 0.
    size : int
        Side in pixels, at least 32.
    preset : str
        A name in `PRESET_NAMES`.
    seed : int
        Not negative.
    objects : {"nuclei", "glands"}
        Which presets ``mixed`` draws from; the scene of any other preset is the same for both.

    Returns
    -------
    Scene
        Depends on these six values and on nothing else.

    Raises
    ------
    ValueError
        If a value is not among those allowed.

    Examples
    --------
    >>> made = scene("train", 3, size=64, preset="dense")
    >>> made.name, made.hematoxylin.shape
    ('synthetic-dense-64px-seed0-train-0003', (64, 64))
    """
    _check(split, size, preset, seed, objects)
    if not _is_whole(index) or index < 0:
        raise ValueError(f"index must be a whole number, 0 or more, got {index!r}")
    tissues = list(GLAND_PRESETS if objects == "glands" else NUCLEUS_PRESETS)
    place = _KEYS.index("mixed_glands" if (preset, objects) == ("mixed", "glands") else preset)
    key = (SPLITS.index(split), place, int(size), int(index))
    rng = np.random.default_rng(np.random.SeedSequence(int(seed), spawn_key=key))
    drawn = _shuffled(tissues, seed, key) if preset == "mixed" else preset
    asked = {"split": split, "index": int(index), "size_px": int(size), "asked": preset, "seed": int(seed)}
    return make(
        rng,
        int(size),
        drawn,
        name=_name(split, index, size, preset, seed, objects),
        source={**asked, "objects": objects},
    )


def load(
    split: str,
    *,
    n: int = 64,
    size: int = 256,
    preset: str = "mixed",
    seed: int = 0,
    objects: str = "nuclei",
) -> TileSequence:
    """Load tiles of synthetic tissue.

    Parameters
    ----------
    split : {"train", "val", "test"}
        The splits share no tile.
    n : int
        Number of tiles; tile i is the same whatever ``n`` is.
    size : int
        Side in pixels, at least 32.
    preset : str
        ``"mixed"`` or one tissue, see `PRESET_NAMES`.
    seed : int
        Another seed gives other tiles in every split.
    objects : {"nuclei", "glands"}
        What the instances of the tiles are. The class of a nucleus is its kind, that of a gland its grade.

    Returns
    -------
    TileSequence
        A lazy sequence of `Tile`: each is made when asked for, and made again when asked for again.

    Raises
    ------
    ValueError
        If a value is not among those allowed.

    Examples
    --------
    >>> tiles = load("val", n=2, size=64)
    >>> len(tiles), tiles[1].name, tiles[1].shape
    (2, 'synthetic-mixed-64px-seed0-val-0001', (64, 64))
    >>> load("validation")
    Traceback (most recent call last):
    ...
    ValueError: unknown 'synthetic' split 'validation'. Allowed: 'train', 'val', 'test'

    Glands come at the scale of GlaS:

    >>> gland = load("train", n=1, objects="glands")[0]
    >>> gland.name, gland.um_per_px, set(gland.classes.values()) <= {"benign", "malignant"}
    ('synthetic-mixed-glands-256px-seed0-train-0000', 0.62, True)
    """
    _check(split, size, preset, seed, objects)
    if objects == "glands":
        allowed = ["mixed", *(name for name, tissue in PRESETS.items() if tissue.glands)]
        choose("'synthetic' preset with glands", preset, allowed)
    if not _is_whole(n) or n < 1:
        raise ValueError(f"n must be a whole number of tiles, 1 or more, got {n!r}")
    names = [_name(split, index, size, preset, seed, objects) for index in range(n)]
    return TileSequence(names, partial(_read, split, size, preset, seed, objects))


def _shuffled(tissues: list[str], seed: int, key: tuple[int, ...]) -> str:
    """Tissue of a mixed tile: each comes once in every run of as many tiles as there are tissues."""
    turn, place = divmod(key[-1], len(tissues))
    rng = np.random.default_rng(np.random.SeedSequence(int(seed), spawn_key=(*key[:-1], turn, 0)))
    return tissues[int(rng.permutation(len(tissues))[place])]


def _read(split: str, size: int, preset: str, seed: int, objects: str, name: str) -> Tile:
    index = int(name.rsplit("-", 1)[1])
    return scene(split, index, size=size, preset=preset, seed=seed, objects=objects).tile(objects)


def _name(split: str, index: int, size: int, preset: str, seed: int, objects: str) -> str:
    shown = preset if objects == "nuclei" else f"{preset}-{objects}"
    return f"synthetic-{shown}-{size}px-seed{seed}-{split}-{index:04d}"


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _check(split: str, size: int, preset: str, seed: int, objects: str) -> None:
    choose("'synthetic' split", split, SPLITS)
    choose("'synthetic' preset", preset, PRESET_NAMES)
    choose("kind of 'synthetic' objects", objects, OBJECTS)
    if not _is_whole(size) or size < _SMALLEST_PX:
        raise ValueError(f"size must be a whole number of pixels, {_SMALLEST_PX} or more, got {size!r}")
    if not _is_whole(seed) or seed < 0:
        raise ValueError(f"seed must be a whole number, 0 or more, got {seed!r}")
