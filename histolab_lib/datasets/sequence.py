"""A lazy sequence of tiles: what every ``datasets.load`` returns."""

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import overload

from histolab_lib.tile import Tile

__all__ = ["TileSequence"]


class TileSequence(Sequence[Tile]):
    """Tiles by position, each read when it is asked for, and read again when it is asked for again.

    Nothing is kept in memory: ``list(tiles)`` does that where it is wanted. A slice is again lazy.

    Parameters
    ----------
    names : iterable of str
        The names of the tiles, in order, without repetition.
    read : callable
        Takes one name and returns its `Tile`. A module-level function (or a ``functools.partial`` of one)
        can be pickled, and then so can the sequence, which is what loader processes need.
    notes : iterable of str
        What a user of the tiles should know, in sentences: see `notes`.

    Examples
    --------
    >>> import numpy as np
    >>> def read(name):
    ...     print("reading", name)
    ...     return Tile(name, np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.int32))
    >>> tiles = TileSequence(["a", "b", "c"], read)
    >>> len(tiles), tiles[1:].names
    (3, ('b', 'c'))
    >>> tiles[-1].name
    reading c
    'c'
    """

    def __init__(self, names: Iterable[str], read: Callable[[str], Tile], notes: Iterable[str] = ()) -> None:
        self._names = tuple(names)
        self._read = read
        self._notes = tuple(notes)
        if len(set(self._names)) != len(self._names):
            twice = sorted({name for name in self._names if self._names.count(name) > 1})
            raise ValueError(f"tile names must differ, but these come more than once: {twice}")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the tiles, in order; asking for them reads no tile."""
        return self._names

    @property
    def notes(self) -> tuple[str, ...]:
        """What the split that these tiles are from shares with others, in sentences (`datasets.leaks.notes`)."""
        return self._notes

    def noted(self, notes: Iterable[str]) -> "TileSequence":
        """Return the same tiles with these notes."""
        return TileSequence(self._names, self._read, notes)

    def select(self, names: Iterable[str]) -> "TileSequence":
        """Return the tiles of these names, in the order given, again lazily.

        Raises
        ------
        ValueError
            If a name is none of `names`, or comes twice.

        Examples
        --------
        >>> TileSequence(["a", "b", "c"], print).select(["c", "a"]).names
        ('c', 'a')
        """
        wanted = tuple(names)
        if unknown := sorted(set(wanted) - set(self._names)):
            raise ValueError(f"no tile of the name {', '.join(unknown)} among these {len(self)}")
        return TileSequence(wanted, self._read, self._notes)

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, index: int) -> Tile: ...
    @overload
    def __getitem__(self, index: slice) -> "TileSequence": ...
    def __getitem__(self, index: int | slice) -> "Tile | TileSequence":
        if isinstance(index, slice):
            return TileSequence(self._names[index], self._read, self._notes)
        position = operator.index(index)
        if not -len(self) <= position < len(self):
            raise IndexError(f"tile {position} asked for, but there are {len(self)}")
        return self._read(self._names[position])

    def __repr__(self) -> str:
        shown = ", ".join(self._names[:3]) + (", ..." if len(self) > 3 else "")
        return f"TileSequence({len(self)} tiles: {shown})"
