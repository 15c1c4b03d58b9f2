"""Weights that a seed decides."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["seeded_weights"]


@contextmanager
def seeded_weights(seed: int) -> Iterator[None]:
    """Decide by `seed` alone the weights of a network that is built inside; the global random state stays as it was.

    Examples
    --------
    >>> from torch import nn
    >>> with seeded_weights(3):
    ...     first = nn.Linear(2, 2)
    >>> with seeded_weights(3):
    ...     again = nn.Linear(2, 2)
    >>> torch.equal(first.weight, again.weight)
    True
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
