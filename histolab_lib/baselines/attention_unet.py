"""Attention U-Net (Oktay et al. 2018): a U-Net in which what comes from below decides what a skip connection lets pass.

segmentation-models-pytorch 0.6 has none: its ``decoder_attention_type="scse"`` weighs channels and places of a map by
that map alone, and the attention of its MAnet is another one.

The original is three-dimensional. There the gate works on the coarser grid of the gating signal: the skip is brought
there by a 2x2x2 convolution of stride 2, the weights come back by trilinear interpolation, the result goes through a
1x1x1 convolution with batch norm, the finest skip has no gate, and four side outputs are joined
(``ozan-oktay/Attention-Gated-Networks``). Papers on images of two dimensions print "Attention U-Net" beside a U-Net and
do not say more; we take the form that is copied most: the map from below is brought to the size of the skip first, all
layers of a gate are 1x1 convolutions with batch norm at that size, all four skips have one, and there is one output.

That re-implementation has 34,878,573 parameters at 3 -> 1 channels. This one has 31,388,201, because it is made of this
book's own blocks: sizes are doubled by a 2x2 transposed convolution, as in U-Net, and not by copying pixels before a
3x3 convolution with batch norm (3,485,760 fewer), and convolutions in front of a batch norm have no bias (4,612 fewer).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from histolab_lib.inputs import Inputs
from histolab_lib.layers import UpBlock, check_images, double_conv, seeded_weights

__all__ = ["AttentionGate", "AttentionUNet", "attention_unet"]

_LEVELS = 5


class AttentionGate(nn.Module):
    r"""Weigh the places of a skip connection by what it and the map from below hold there (Oktay et al. 2018).

    .. math:: \alpha = \sigma\left(\psi^T \max(W_x x + W_g g, 0)\right), \qquad \hat x = \alpha \otimes x

    :math:`W_x`, :math:`W_g` and :math:`\psi` are 1x1 convolutions; batch norm behind each has the place of their bias.
    One weight for each place, the same for all channels: "additive attention".

    Parameters
    ----------
    channels : int
        Of the skip connection, and of the gating map.
    inside : int
        Channels in which the two are added.

    Examples
    --------
    >>> sum(p.numel() for p in AttentionGate(64, 32).parameters())  # 2 * (64*32 + 2*32) + 32 + 2
    4258
    """

    def __init__(self, channels: int, inside: int) -> None:
        super().__init__()
        self.of_skip, self.of_gating = (_normed(channels, inside) for _ in range(2))
        self.psi = _normed(inside, 1)

    def weights(self, skip: Tensor, gating: Tensor) -> Tensor:
        """Map two maps (N, C, H, W) to weights (N, 1, H, W) in 0..1."""
        return self.psi((self.of_skip(skip) + self.of_gating(gating)).relu()).sigmoid()

    def forward(self, skip: Tensor, gating: Tensor) -> Tensor:
        """Map two maps (N, C, H, W) to the skip's, weighed."""
        return self.weights(skip, gating) * skip


def _normed(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, bias=False), nn.BatchNorm2d(out_channels))


class _GatedUpBlock(UpBlock):
    """An `UpBlock` whose skip goes through a gate."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels)
        self.gate = AttentionGate(out_channels, out_channels // 2)

    def forward(self, below: Tensor, skip: Tensor) -> Tensor:
        gating = self.up(below)
        return self.convs(torch.cat([self.gate(skip, gating), gating], dim=1))


class AttentionUNet(nn.Module):
    """The network; make it with `attention_unet`.

    Attributes
    ----------
    stride_px : int
        16, what both sides of an image must be divisible by.
    prepare : Inputs
        What the first convolution sees of RGB.
    down, up : nn.ModuleList
        Five pairs of convolutions, the finest first; four steps up, the deepest first, each with its ``gate``.
    head : nn.Conv2d
    """

    def __init__(self, width: int, inputs: str) -> None:
        super().__init__()
        channels = [width * 2**level for level in range(_LEVELS)]
        self.stride_px = 2 ** (_LEVELS - 1)
        self.prepare = Inputs(inputs)
        ins = [self.prepare.channels, *channels[:-1]]
        self.down = nn.ModuleList(double_conv(i, o) for i, o in zip(ins, channels, strict=True))
        self.up = nn.ModuleList(_GatedUpBlock(2 * c, c) for c in reversed(channels[:-1]))
        self.head = nn.Conv2d(width, 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Map RGB in 0..1, float (N, 3, H, W), to logits (N, 1, H, W)."""
        check_images(images, 3, self.stride_px)
        x = self.prepare(images)
        skips: list[Tensor] = []
        for level, block in enumerate(self.down):
            x = block(F.max_pool2d(x, 2) if level else x)
            skips.append(x)
        skips.pop()  # the deepest map is x itself
        for block in self.up:
            x = block(x, skips.pop())
        return self.head(x)


def attention_unet(width: int = 64, *, inputs: str = "imagenet", seed: int = 0) -> AttentionUNet:
    """Build an Attention U-Net with random weights.

    Parameters
    ----------
    width : int
        Channels at full size, at least 2; each of the four levels below has twice as many.
    inputs : str
        What it sees of RGB, see `inputs.Inputs`.
    seed : int
        Decides the weights (PyTorch's own initialisation); the global random state is left as it was.

    Returns
    -------
    AttentionUNet
        In training mode, on the CPU.

    Examples
    --------
    >>> network = attention_unet()
    >>> sum(p.numel() for p in network.parameters())
    31388201
    """
    if width < 2:
        raise ValueError(f"width must be at least 2, got {width}")
    with seeded_weights(seed):
        return AttentionUNet(width, inputs)
