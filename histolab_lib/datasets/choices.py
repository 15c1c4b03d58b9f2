"""One check for every named option: the value received, the values allowed, and the nearest one."""

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["choose"]


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
