"""Data sets by name: ``load("monuseg", "train")`` is a lazy sequence of tiles, real or synthetic alike."""

import inspect
from collections.abc import Sequence
from typing import Any

from histolab_lib.datasets.choices import choose
from histolab_lib.datasets.registry import modules
from histolab_lib.tile import Tile

__all__ = ["load"]


def load(name: str, split: str, **options: Any) -> Sequence[Tile]:
    """Return the tiles of one split of a data set, each read when it is asked for.

    Parameters
    ----------
    name : {"monuseg", "synthetic"}
        The set. Real ones are looked for in the folder that ``HISTOLAB_DATA`` names.
    split : str
        A split of that set: ``train``, ``test`` ...
    **options
        What the set's own ``load`` takes beside the split: see `histolab_lib.datasets.monuseg.load` and
        `histolab_lib.datasets.synthetic.load`.

    Returns
    -------
    sequence of Tile
        With ``names``; indexing reads one tile, a slice reads none.

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
    ValueError: unknown 'synthetic' option 'raster'. Allowed: 'n', 'size', 'preset', 'seed'
    """
    known = modules()
    read = known[choose("data set", name, known)].load
    allowed = [key for key, value in inspect.signature(read).parameters.items() if value.kind is value.KEYWORD_ONLY]
    for option in options:
        choose(f"{name!r} option", option, allowed)
    tiles: Sequence[Tile] = read(split, **options)
    return tiles
