"""Settings of the whole process, changed while a network is trained and then put back."""

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["peak_memory_mib", "process_settings"]


@contextmanager
def process_settings(device: torch.device, threads: int | None) -> Iterator[None]:
    """Take so many threads and, on a GPU, let cuDNN try which of its algorithms is fastest for each size."""
    threads_before, tried_before = torch.get_num_threads(), torch.backends.cudnn.benchmark
    if threads is not None:
        torch.set_num_threads(threads)
    torch.backends.cudnn.benchmark = device.type == "cuda"
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    try:
        yield
    finally:
        torch.set_num_threads(threads_before)
        torch.backends.cudnn.benchmark = tried_before


def peak_memory_mib(device: torch.device) -> float:
    """Return the largest memory so far: of tensors on a GPU, of the whole process on a CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest / (2**20 if sys.platform == "darwin" else 2**10)  # bytes there, KiB elsewhere
