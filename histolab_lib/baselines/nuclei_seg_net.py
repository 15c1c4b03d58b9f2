"""NucleiSegNet (Lal et al. 2021): residual blocks, a bottleneck of three convolutions, gates on a U-Net's skips.

The network that DAN-NucNet's paper compares itself with row by row, and whose loss it takes over. As its authors
released it (``shyamfec/NucleiSegNet``, ``model.py``, commit 388e9647), whose notebook prints the parameters that this
has: 12,395,713, and 12,405,505 with the running statistics of batch norm. Its "residual" blocks add nothing: the input
stands beside what three layers make of it, and a convolution joins the two. Its gate weighs every channel at every
place: in front of the sigmoid it has as many channels as the skip, a ReLU and batch norm.

What is ours: the sigmoid is left to loss and prediction, and weights and batch norm start as PyTorch's do, as those of
all baselines here (there: biases 0.1, a memory of two batches). A third ReLU, of a sum of two maps that have none below
0, is left out: it changes nothing.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from histolab_lib.inputs import Inputs
from histolab_lib.layers import check_images, seeded_weights

__all__ = ["JoinedBlock", "NucleiSegNet", "ReLUGate", "nuclei_seg_net"]

_LEVELS = 5


def _layer(inside: int, outside: int, kernel_px: int = 3) -> nn.Sequential:
    """A convolution that keeps the size, and ReLU."""
    return nn.Sequential(nn.Conv2d(inside, outside, kernel_px, padding=kernel_px // 2), nn.ReLU(inplace=True))


def _normed(inside: int, outside: int) -> nn.Sequential:
    """The same with batch norm behind it, of 3x3."""
    return nn.Sequential(*_layer(inside, outside), nn.BatchNorm2d(outside))


class JoinedBlock(nn.Module):
    """Three 3x3 layers, the second one separable, beside the map itself, and a 3x3 layer of both.

    The authors' "robust residual block".

    Parameters
    ----------
    inside, filters : int
        Channels of the map, and of every layer.

    Examples
    --------
    >>> sum(p.numel() for p in JoinedBlock(3, 32).parameters())
    21856
    """

    def __init__(self, inside: int, filters: int) -> None:
        super().__init__()
        separable = nn.Sequential(
            nn.Conv2d(filters, filters, 3, padding=1, groups=filters, bias=False),
            *_layer(filters, filters, 1),
            nn.BatchNorm2d(filters),
        )
        self.main = nn.Sequential(_normed(inside, filters), separable, _normed(filters, filters))
        self.join = _normed(inside + filters, filters)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inside, H, W) to (N, filters, H, W)."""
        return self.join(torch.cat([x, self.main(x)], dim=1))


class ReLUGate(nn.Module):
    """Weigh every channel of a skip at every place by what it and the map from below hold.

    Parameters
    ----------
    channels : int
        Of the skip, even; the map from below has twice as many, at half the size.

    Notes
    -----
    A ReLU and a batch norm stand in front of the sigmoid. Where the ReLU gives 0, the weight is one and the same for
    all places of a channel, and no smaller one is possible as long as the norm's scale is positive.

    Examples
    --------
    >>> sum(p.numel() for p in ReLUGate(32).parameters())
    11936
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.of_skip = _layer(channels, half)
        self.of_below = nn.Sequential(_layer(2 * channels, channels, 1), _layer(channels, half))
        self.psi = nn.Sequential(*_layer(half, channels, 1), nn.BatchNorm2d(channels))

    def weights(self, skip: Tensor, below: Tensor) -> Tensor:
        """Map (N, C, H, W) and (N, 2 C, H/2, W/2) to weights (N, C, H, W) in 0..1."""
        up = F.interpolate(self.of_below(below), scale_factor=2, mode="bilinear", align_corners=False)
        return self.psi(self.of_skip(skip) + up).sigmoid()

    def forward(self, skip: Tensor, below: Tensor) -> Tensor:
        """Map (N, C, H, W) and (N, 2 C, H/2, W/2) to the skip's, weighed."""
        return self.weights(skip, below) * skip


class _Step(nn.Module):
    """One step up: double the size, join the skip behind its gate, two layers."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gate = ReLUGate(channels)
        self.up = nn.Sequential(nn.ConvTranspose2d(2 * channels, channels, 2, 2), nn.ReLU(inplace=True))
        self.convs = nn.Sequential(_normed(2 * channels, channels), _normed(channels, channels))

    def forward(self, below: Tensor, skip: Tensor) -> Tensor:
        return self.convs(torch.cat([self.up(below), self.gate(skip, below)], dim=1))


class NucleiSegNet(nn.Module):
    """The network; make it with `nuclei_seg_net`.

    Attributes
    ----------
    stride_px : int
        16, what both sides of an image must be divisible by.
    prepare : Inputs
        What the first block sees of RGB.
    down, up : nn.ModuleList
        Four `JoinedBlock`, the finest first, each followed by a 2x2 maximum; four steps up, the deepest first, each
        with its ``gate``.
    bottleneck : nn.Sequential
    head : nn.Conv2d
    """

    def __init__(self, width: int, inputs: str) -> None:
        super().__init__()
        *channels, deepest = (width * 2**level for level in range(_LEVELS))
        self.stride_px = 2 ** (_LEVELS - 1)
        self.prepare = Inputs(inputs)
        ins = [self.prepare.channels, *channels[:-1]]
        self.down = nn.ModuleList(JoinedBlock(i, o) for i, o in zip(ins, channels, strict=True))
        self.bottleneck = nn.Sequential(_normed(channels[-1], deepest), *(_normed(deepest, deepest) for _ in range(2)))
        self.up = nn.ModuleList(_Step(c) for c in reversed(channels))
        self.head = nn.Conv2d(width, 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Map RGB in 0..1, float (N, 3, H, W), to logits (N, 1, H, W)."""
        check_images(images, 3, self.stride_px)
        x, skips = self.prepare(images), []
        for block in self.down:
            skips.append(block(x))
            x = F.max_pool2d(skips[-1], 2)
        x = self.bottleneck(x)
        for step in self.up:
            x = step(x, skips.pop())
        return self.head(x)


def nuclei_seg_net(width: int = 32, *, inputs: str = "imagenet", seed: int = 0) -> NucleiSegNet:
    """Build a NucleiSegNet with random weights.

    Parameters
    ----------
    width : int
        Channels at full size, even; each of the four levels below has twice as many.
    inputs : str
        What it sees of RGB, see `inputs.Inputs`.
    seed : int
        Decides the weights (PyTorch's own initialisation); the global random state is left as it was.

    Returns
    -------
    NucleiSegNet
        In training mode, on the CPU.

    Raises
    ------
    ValueError
        If the width is not even, or below 2.

    Examples
    --------
    >>> network = nuclei_seg_net()
    >>> sum(p.numel() for p in network.parameters())
    12395713
    """
    if width < 2 or width % 2:
        raise ValueError(f"width must be even and at least 2, got {width}")
    with seeded_weights(seed):
        return NucleiSegNet(width, inputs)
