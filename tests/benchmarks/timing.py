"""Seconds of some work on one thread."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread inside, as many as before outside."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def seconds(work: Callable[[], object], times: int = 3) -> float:
    """The shortest of some runs, after one that does not count."""
    work()
    measured = []
    for _ in range(times):
        start = perf_counter()
        work()
        measured.append(perf_counter() - start)
    return min(measured)
