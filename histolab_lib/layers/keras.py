"""How Keras starts a convolution, for networks whose released code is in Keras."""

import math

from torch import nn

__all__ = ["keras_normal", "keras_uniform"]

# Standard deviation of a normal distribution of 1 that is cut off at twice that, and what Keras divides by it.
_CUT_OFF_SD = 0.87962566103423978


def keras_normal(conv: nn.Conv2d | nn.ConvTranspose2d, *, bias: float) -> None:
    r"""Draw a kernel as ``glorot_normal`` does, and set the bias (Glorot and Bengio 2010).

    The standard deviation is :math:`\sqrt{2 / (n_\text{in} + n_\text{out})}`, with the weights that lead to one output
    and from one input; what lies beyond twice that of the distribution before the cut is drawn again, so that nothing
    is larger than 2.27 times it.

    Examples
    --------
    >>> import torch
    >>> conv = nn.Conv2d(64, 64, 3)
    >>> with torch.random.fork_rng():
    ...     keras_normal(conv, bias=0.1)
    >>> round(conv.weight.std().item() * (9 * 64) ** 0.5, 1), round(conv.bias[0].item(), 2)
    (1.0, 0.1)
    """
    sd = math.sqrt(2 / sum(_fans(conv))) / _CUT_OFF_SD
    nn.init.trunc_normal_(conv.weight, std=sd, a=-2 * sd, b=2 * sd)
    _set_bias(conv, bias)


def keras_uniform(conv: nn.Conv2d | nn.ConvTranspose2d, *, bias: float = 0.0) -> None:
    r"""Draw a kernel as Keras does by itself, ``glorot_uniform``, and set the bias.

    Uniform in :math:`\pm \sqrt{6 / (n_\text{in} + n_\text{out})}`; torch's ``xavier_uniform_``.
    """
    nn.init.xavier_uniform_(conv.weight)
    _set_bias(conv, bias)


def _fans(conv: nn.Conv2d | nn.ConvTranspose2d) -> tuple[int, int]:
    first, second, *kernel = conv.weight.shape
    return first * math.prod(kernel), second * math.prod(kernel)


def _set_bias(conv: nn.Conv2d | nn.ConvTranspose2d, value: float) -> None:
    if conv.bias is not None:
        nn.init.constant_(conv.bias, value)
