"""A running average of the weights, which often segments better than the last weights do."""

import copy

import torch
from torch import Tensor, nn

__all__ = ["AveragedNetwork"]


class AveragedNetwork:
    r"""A copy of a network whose weights are an exponential average of what that network's weights were.

    After step k, :math:`\bar w \leftarrow d_k \bar w + (1 - d_k) w` with
    :math:`d_k = \min(d, \tfrac{1 + k}{10 + k})`: the average of a short run does not remember how it began. Running
    means of batch norm are averaged alike; counters are copied.

    Parameters
    ----------
    network : nn.Module
        On its device.
    decay : float
        The d above, at least 0 and below 1.

    Attributes
    ----------
    network : nn.Module
        The copy, in evaluation mode.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"the decay of averaged weights must be at least 0 and below 1, got {decay}")
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self._decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Take the weights after `step` steps (from 1) into the average."""
        decay = min(self._decay, (1 + step) / (10 + step))
        averages, weights = [], []
        for average, weight in zip(_tensors(self.network), _tensors(network), strict=True):
            if average.is_floating_point():
                averages.append(average)
                weights.append(weight)
            else:
                average.copy_(weight)
        torch._foreach_lerp_(averages, weights, 1 - decay)


def _tensors(network: nn.Module) -> list[Tensor]:
    return [*network.parameters(), *network.buffers()]
