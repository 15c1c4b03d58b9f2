"""Synthetic H&E tissue: the book's default input, made from a seed, with exact truth and no download."""

from functools import partial

import numpy as np

from histolab_lib.datasets.choices import choose
from histolab_lib.datasets.sequence import TileSequence
from histolab_lib.datasets.synthetic.compose import Scene, make
from histolab_lib.datasets.synthetic.presets import PRESETS
from histolab_lib.tile import Tile

__all__ = ["PRESET_NAMES", "SPLITS", "Scene", "load", "make", "scene"]

#: Names of the splits; a split's place in this list is part of the seed, so no tile is in two of them.
SPLITS = ("train", "val", "test")
#: Names of the presets; ``mixed`` draws one of the others for each tile.
PRESET_NAMES = ("mixed", *PRESETS)
_SMALLEST_PX = 32


def scene(split: str, index: int, *, size: int = 256, preset: str = "mixed", seed: int = 0) -> Scene:
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

    Returns
    -------
    Scene
        Depends on these five values and on nothing else.

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
    _check(split, size, preset, seed)
    if not _is_whole(index) or index < 0:
        raise ValueError(f"index must be a whole number, 0 or more, got {index!r}")
    names = PRESET_NAMES
    key = (SPLITS.index(split), names.index(preset), int(size), int(index))
    rng = np.random.default_rng(np.random.SeedSequence(int(seed), spawn_key=key))
    drawn = str(rng.choice(list(PRESETS))) if preset == "mixed" else preset
    return make(
        rng,
        int(size),
        drawn,
        name=_name(split, index, size, preset, seed),
        source={"split": split, "index": int(index), "size_px": int(size), "asked": preset, "seed": int(seed)},
    )


def load(split: str, *, n: int = 64, size: int = 256, preset: str = "mixed", seed: int = 0) -> TileSequence:
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
    """
    _check(split, size, preset, seed)
    if not _is_whole(n) or n < 1:
        raise ValueError(f"n must be a whole number of tiles, 1 or more, got {n!r}")
    names = [_name(split, index, size, preset, seed) for index in range(n)]
    return TileSequence(names, partial(_read, split, size, preset, seed))


def _read(split: str, size: int, preset: str, seed: int, name: str) -> Tile:
    return scene(split, int(name.rsplit("-", 1)[1]), size=size, preset=preset, seed=seed).tile()


def _name(split: str, index: int, size: int, preset: str, seed: int) -> str:
    return f"synthetic-{preset}-{size}px-seed{seed}-{split}-{index:04d}"


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _check(split: str, size: int, preset: str, seed: int) -> None:
    choose("'synthetic' split", split, SPLITS)
    choose("'synthetic' preset", preset, PRESET_NAMES)
    if not _is_whole(size) or size < _SMALLEST_PX:
        raise ValueError(f"size must be a whole number of pixels, {_SMALLEST_PX} or more, got {size!r}")
    if not _is_whole(seed) or seed < 0:
        raise ValueError(f"seed must be a whole number, 0 or more, got {seed!r}")
