"""Drawing tiles and groups of tiles: from a seed, and the same on every machine and in every release of NumPy.

NumPy does not promise that a `Generator` gives the same permutation in its next release, and a split must not
change with the library that drew it. So the order is that of a hash.
"""

import hashlib
import math
from collections.abc import Iterable, Mapping

__all__ = ["pick_groups", "shuffled"]


def shuffled(names: Iterable[str], seed: int) -> list[str]:
    """Return the names in an order that depends on them and on the seed alone, not on their order.

    They are sorted by the SHA-256 of ``"{seed} {name}"``.

    Examples
    --------
    >>> shuffled(["a", "b", "c", "d"], seed=0)
    ['b', 'a', 'c', 'd']
    >>> shuffled(["d", "c", "b", "a"], seed=0)
    ['b', 'a', 'c', 'd']
    """
    return sorted(names, key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest())


def pick_groups(sizes: Mapping[str, int], target: float, seed: int) -> frozenset[str]:
    """Choose whole groups whose sizes add up as closely as possible to a target.

    Parameters
    ----------
    sizes : mapping of str to int
        Tiles in each group, at least one.
    target : float
        Tiles wanted.
    seed : int
        Another seed may choose other groups; the total that they reach is the same.

    Returns
    -------
    frozenset of str
        Never empty and never all. Of two totals that are equally close it is the smaller.

    Raises
    ------
    ValueError
        If there are fewer than two groups.

    Notes
    -----
    The total is off by at most half the largest group, unless it must be so that neither side is empty: of groups
    of 9 and 1 the nearest to 5 is 1. All totals that groups can reach are listed, so there is none closer.

    Examples
    --------
    >>> sorted(pick_groups({"a": 4, "b": 3, "c": 2}, target=5, seed=0))
    ['b', 'c']
    >>> sorted(pick_groups({"a": 9, "b": 1}, target=5, seed=0))
    ['b']
    """
    if len(sizes) < 2:
        raise ValueError(f"at least two groups are needed to keep some apart, got {sorted(sizes)}")
    total = sum(sizes.values())
    ideal = min(max(math.ceil(target - 0.5), 1), total - 1)
    reached: dict[int, tuple[str, int]] = {}  # a total: the group that was added last, and the total before it
    for group in shuffled(sizes, seed):
        if ideal in reached:
            break
        for before in sorted({0, *reached}, reverse=True):
            reached.setdefault(before + sizes[group], (group, before))
    best = min((number for number in reached if number < total), key=lambda number: (abs(number - target), number))
    chosen = set()
    while best:
        group, best = reached[best]
        chosen.add(group)
    return frozenset(chosen)
