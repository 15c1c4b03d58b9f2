"""Weights of whole networks: how many, and those of one network given to another one."""

from torch import nn

__all__ = ["copy_weights", "count_weights"]


def count_weights(module: nn.Module) -> int:
    """Return how many numbers a network, or a part of one, learns.

    Examples
    --------
    >>> count_weights(nn.Conv2d(3, 8, 3))  # 8 x (3 x 3 x 3 + 1)
    224
    """
    return sum(parameter.numel() for parameter in module.parameters())


def copy_weights(source: nn.Module, target: nn.Module) -> None:
    """Give a network the weights and running statistics of another one that has the same layers in the same order.

    Parameters
    ----------
    source, target : nn.Module
        What their layers are called need not agree.

    Raises
    ------
    ValueError
        If they have not equally many tensors, or two at the same place have other shapes; `target` is as it was.

    Examples
    --------
    >>> import torch
    >>> plain, named = nn.Sequential(nn.Linear(2, 3)), nn.ModuleDict({"first": nn.Linear(2, 3)})
    >>> copy_weights(plain, named)
    >>> torch.equal(plain[0].weight, named["first"].weight)
    True
    """
    given, wanted = source.state_dict(), target.state_dict()
    if len(given) != len(wanted):
        raise ValueError(f"source has {len(given)} tensors and target {len(wanted)}: their layers are not the same")
    for (theirs, value), (ours, place) in zip(given.items(), wanted.items(), strict=True):
        if value.shape != place.shape:
            shapes = f"{tuple(value.shape)} and {tuple(place.shape)}"
            raise ValueError(f"{theirs!r} of source and {ours!r} of target have other shapes: {shapes}")
    target.load_state_dict(dict(zip(wanted, given.values(), strict=True)))
