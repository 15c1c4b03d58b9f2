"""One check for every named option: the value received, the values allowed, and the nearest one."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

__all__ = ["choose", "look_up"]

T = TypeVar("T")


def choose(what: str, value: object, allowed: Iterable[str]) -> str:
    """Return ``value`` if it is one of ``allowed``.

    Parameters
    ----------
    what : str
        What is being chosen, for the message: ``"'monuseg' split"``.
    value : object
        What was received.
    allowed : iterable of str
        What may be received, in the order in which the message lists it.

    Raises
    ------
    ValueError
        If it is none of them; the message quotes the value and lists the names.

    Examples
    --------
    >>> choose("split", "test", ["train", "test"])
    'test'
    >>> choose("split", "tests", ["train", "test"])
    Traceback (most recent call last):
    ...
    ValueError: unknown split 'tests', did you mean 'test'? Allowed: 'train', 'test'
    """
    names = list(allowed)
    if isinstance(value, str) and value in names:
        return value
    near = get_close_matches(str(value), names, n=1)
    hint = f", did you mean {near[0]!r}?" if near else "."
    raise ValueError(f"unknown {what} {value!r}{hint} Allowed: {', '.join(map(repr, names)) or 'none'}")


def look_up(what: str, key: str, known: Mapping[str, T], where: object) -> T:
    """Return what `known` has under a long key, of which there are too many to list.

    Parameters
    ----------
    what : str
        What is looked up, for the message: ``"claim"``.
    key : str
    known : mapping of str to T
    where : object
        Where the keys are, said when none is near.

    Raises
    ------
    LookupError
        If there is none; the message names the three nearest keys.

    Examples
    --------
    >>> look_up("claim", "a/dise", {"a/dice": 1, "pq": 2}, "data/claims")
    Traceback (most recent call last):
    ...
    LookupError: unknown claim 'a/dise'; the nearest are 'a/dice'
    """
    if key in known:
        return known[key]
    near = get_close_matches(key, known, n=3, cutoff=0.3)
    hint = f"the nearest are {', '.join(map(repr, near))}" if near else f"{len(known)} are in {where}"
    raise LookupError(f"unknown {what} {key!r}; {hint}")
