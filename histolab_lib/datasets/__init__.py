"""Data sets by name: ``load("monuseg", "train")`` is a lazy sequence of tiles, real or synthetic alike."""

import inspect
from collections.abc import Sequence
from typing import Any

from histolab_lib.choices import choose
from histolab_lib.data_dir import DataError, tissue_dir
from histolab_lib.datasets.leaks import notes
from histolab_lib.datasets.registry import entries, modules
from histolab_lib.datasets.sequence import TileSequence
from histolab_lib.datasets.splits import validation_split
from histolab_lib.tile import Tile

__all__ = ["load", "validate", "validation_split"]


def load(name: str, split: str, **options: Any) -> Sequence[Tile]:
    """Return the tiles of one split of a data set, each read when it is asked for.

    Parameters
    ----------
    name : {"monuseg", "kumar", "glas", "tnbc", "cpm17", "consep", "pannuke", "synthetic", "folder"}
        The set. Real ones are looked for in the folder that ``HISTOLAB_DATA`` names; ``folder`` is your own, ``path=``.
    split : str
        A split of that set: ``train``, ``test`` ...
    **options
        What the set's own ``load`` takes beside the split: see `histolab_lib.datasets.monuseg.load` and so on.

    Returns
    -------
    sequence of Tile
        With ``names``; indexing reads one tile, a slice reads none. ``notes`` says what the split shares with others:
        patients, or tiles of another set. That is checked at every load, without reading a picture.

    Raises
    ------
    ValueError
        If the name, the split or an option is unknown; the message lists what is allowed.
    DataError
        If the set or part of it is not where ``HISTOLAB_DATA`` says.

    Examples
    --------
    >>> tiles = load("synthetic", "train", n=3, size=64)
    >>> len(tiles), tiles[0].shape
    (3, (64, 64))
    >>> load("synthetic", "train", raster="official")
    Traceback (most recent call last):
    ...
    ValueError: unknown 'synthetic' option 'raster'. Allowed: 'n', 'size', 'preset', 'seed', 'objects'
    """
    known = modules()
    read = known[choose("data set", name, known)].load
    allowed = [key for key, value in inspect.signature(read).parameters.items() if value.kind is value.KEYWORD_ONLY]
    for option in options:
        choose(f"{name!r} option", option, allowed)
    tiles: Sequence[Tile] = read(split, **options)
    return tiles.noted(notes(name, split, **options)) if isinstance(tiles, TileSequence) else tiles


def validate(name: str) -> list[str]:
    """Return what is wrong with the files of a set: every fault, each in a sentence that names the file.

    Parameters
    ----------
    name : str
        A set of the registry. (Your own: `histolab_lib.datasets.folder.validate`.)

    Returns
    -------
    list of str
        Empty where counts, sizes and ids are as they should be, and for a set that is made on demand.

    Raises
    ------
    ValueError
        If there is no such set.
    DataError
        If ``HISTOLAB_DATA`` is not set or is not a folder.

    Examples
    --------
    >>> validate("synthetic")
    []
    """
    known = entries()
    entry = known[choose("data set", name, known)]
    if not entry.folder:
        return []
    root = tissue_dir()
    if root is None:
        raise DataError(f"HISTOLAB_DATA is not set, so there are no files of {name!r} to check; set it to their folder")
    return list(modules()[name].validate(root / entry.folder))
