"""Blocks of convolutions that several networks are made of."""

import torch
from torch import Tensor, nn

__all__ = ["DenseDilated", "LinkNetBlock", "UpBlock", "double_conv", "full_conv", "with_norm"]


def double_conv(in_channels: int, out_channels: int) -> nn.Sequential:
    """Return two 3x3 convolutions, each followed by batch norm and ReLU; height and width stay.

    The pair of convolutions of Ronneberger et al. 2015 (section 2), with two changes that have become usual: zero
    padding of one pixel, so that the output is as large as the input, and batch norm, which makes a bias of the
    convolution useless.

    Examples
    --------
    >>> sum(p.numel() for p in double_conv(3, 16).parameters())  # 3*16*9 + 16*16*9 + 2*(16+16)
    2800
    """
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
        nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


class UpBlock(nn.Module):
    """One step of a U-Net's way up: double the size, join what the way down saw there, convolve twice.

    Parameters
    ----------
    in_channels : int
        Channels from below, at half the size.
    out_channels : int
        Channels of the skip connection, and of the result.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)
        self.convs = double_conv(2 * out_channels, out_channels)

    def forward(self, below: Tensor, skip: Tensor) -> Tensor:
        """Map (N, in, H/2, W/2) and the skip (N, out, H, W) to (N, out, H, W)."""
        return self.convs(torch.cat([skip, self.up(below)], dim=1))


def with_norm(conv: nn.Conv2d | nn.ConvTranspose2d) -> nn.Sequential:
    """Return a convolution followed by batch norm and ReLU.

    Examples
    --------
    >>> [type(part).__name__ for part in with_norm(nn.Conv2d(8, 2, 1, bias=False))]
    ['Conv2d', 'BatchNorm2d', 'ReLU']
    """
    return nn.Sequential(conv, nn.BatchNorm2d(conv.out_channels), nn.ReLU(inplace=True))


def full_conv(in_channels: int, out_channels: int, stride: int, *, bias: bool) -> nn.ConvTranspose2d:
    """Return a full (transposed) convolution of 3x3 that makes a map exactly `stride` times as large.

    Examples
    --------
    >>> [full_conv(1, 1, stride, bias=False)(torch.ones(1, 1, 5, 7)).shape[2:] for stride in (1, 2)]
    [torch.Size([5, 7]), torch.Size([10, 14])]
    """
    return nn.ConvTranspose2d(in_channels, out_channels, 3, stride, padding=1, output_padding=stride - 1, bias=bias)


class LinkNetBlock(nn.Sequential):
    """One step of LinkNet's way up: 1x1 to a quarter of the channels, full convolution, 1x1 to the channels wanted.

    Each is followed by batch norm and ReLU (Chaurasia and Culurciello 2017).

    Parameters
    ----------
    in_channels, out_channels : int
        The first is divided by 4 and rounded down for the layers in between.
    stride : int
        How many times as large the map becomes: 2, or 1 in LinkNet's last one.
    bias : bool
        Of the convolutions. LinkNet's have none, CE-Net's have one, which the batch norm behind it takes away again.

    Examples
    --------
    >>> [sum(p.numel() for p in LinkNetBlock(512, 256, 2, bias=bias).parameters()) for bias in (False, True)]
    [246784, 247296]
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, *, bias: bool = False) -> None:
        narrow = in_channels // 4
        super().__init__(
            with_norm(nn.Conv2d(in_channels, narrow, 1, bias=bias)),
            with_norm(full_conv(narrow, narrow, stride, bias=bias)),
            with_norm(nn.Conv2d(narrow, out_channels, 1, bias=bias)),
        )


class DenseDilated(nn.Module):
    r"""Look at a map through stacks of dilated 3x3 convolutions, and add what they see (Gu et al. 2019).

    .. math:: y = x + r(d_1 x) + r(p\,d_3 x) + r(p\,d_3 d_1 x) + r(p\,d_5 d_3 d_1 x)

    :math:`d_i` is a 3x3 convolution dilated by i, :math:`p` a 1x1 convolution, :math:`r` the ReLU; each has a bias,
    which starts at 0, and each is one and the same wherever it stands, so that the stacks share their weights. There is
    no ReLU between the layers of a stack: each branch is linear up to its end, and sees 3, 7, 9 and 19 pixels of a
    row. This is the "dense atrous convolution block" of CE-Net as its authors released it (`DACblock`).

    Parameters
    ----------
    channels : int
        Of the map, before and behind.

    Examples
    --------
    >>> sum(p.numel() for p in DenseDilated(512).parameters())  # 28 * 512**2 + 4 * 512
    7342080
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.d1, self.d3, self.d5 = (nn.Conv2d(channels, channels, 3, padding=d, dilation=d) for d in (1, 3, 5))
        self.p = nn.Conv2d(channels, channels, 1)
        for conv in (self.d1, self.d3, self.d5, self.p):
            nn.init.zeros_(conv.bias)  # type: ignore[arg-type]

    def branches(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return what the four stacks see of a map (N, C, H, W), the narrowest first, before their ReLU."""
        first = self.d1(x)
        second = self.d3(first)
        return first, self.p(self.d3(x)), self.p(second), self.p(self.d5(second))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        for branch in self.branches(x):
            x = x + branch.relu()
        return x
