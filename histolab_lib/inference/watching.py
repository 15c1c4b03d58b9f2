"""Looking into a network while it works."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import nn

__all__ = ["watch"]


def _output(part: nn.Module, given: tuple[Any, ...], out: Any) -> Any:
    return out


@contextmanager
def watch(
    parts: Mapping[str, nn.Module], keep: Callable[[nn.Module, tuple[Any, ...], Any], Any] = _output
) -> Iterator[dict[str, Any]]:
    """Note what parts of a network give while it is used inside a ``with`` block; afterwards it is as before.

    Parameters
    ----------
    parts : mapping of str to nn.Module
    keep : callable
        What to note, of the part, the tuple of its inputs, and its output. Default: the output.

    Yields
    ------
    dict
        By the names in `parts`, in the order in which they were used. Of a part that is used several times, the last.

    Notes
    -----
    Parts are noticed when they are called; one whose own parts are called in its place, as a list of blocks, is not.

    Examples
    --------
    >>> import torch
    >>> network = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.ReLU())
    >>> with torch.no_grad(), watch({"first": network[0]}) as seen:
    ...     _ = network(torch.zeros(1, 3, 16, 16))
    >>> seen["first"].shape
    torch.Size([1, 8, 8, 8])

    How much a part changes what it is given:

    >>> with torch.no_grad(), watch({"relu": network[1]}, lambda part, given, out: (out - given[0]).max()) as moved:
    ...     _ = network(torch.zeros(1, 3, 16, 16))
    >>> list(moved)
    ['relu']
    """
    seen: dict[str, Any] = {}

    def noting(name: str) -> Callable[[nn.Module, tuple[Any, ...], Any], None]:
        def note(part: nn.Module, given: tuple[Any, ...], out: Any) -> None:
            seen[name] = keep(part, given, out)

        return note

    hooks = [part.register_forward_hook(noting(name)) for name, part in parts.items()]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()
