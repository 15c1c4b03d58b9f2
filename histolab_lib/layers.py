"""Blocks that networks are made of, each small enough to check by hand."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

__all__ = [
    "CBAM",
    "ChannelAttention",
    "OpticalDensity",
    "SpatialAttention",
    "UpBlock",
    "check_images",
    "double_conv",
    "seeded_weights",
]


class OpticalDensity(nn.Module):
    """Turn RGB in 0..1 into decimal optical density, ``-log10(max(I, 1/255))``, per channel.

    By Beer and Lambert's law the density of a channel is the sum of what each stain absorbs, so amounts of stain
    add up here and not in RGB (Ruifrok and Johnston 2001). White is 0; black, which would be infinite, stops at the
    darkest step of an 8-bit file, 2.41 (`stain.rgb_to_od` gives such a pixel 6, a jump that a network need not see).

    Examples
    --------
    >>> OpticalDensity()(torch.tensor([1.0, 0.1, 0.0]))
    tensor([0.0000, 1.0000, 2.4065])
    """

    def forward(self, images: Tensor) -> Tensor:
        """Convert; any shape, the same shape back."""
        return images.clamp(1 / 255, 1.0).reciprocal().log10()  # not -log10: white would be -0


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


class ChannelAttention(nn.Module):
    r"""Weigh the channels of a map by what it holds on the whole (Woo et al. 2018, section 3.1).

    .. math:: M_c(F) = \sigma(W_1 \max(W_0 \bar F, 0) + W_1 \max(W_0 \hat F, 0)), \qquad F_c = M_c(F) \otimes F

    with the mean and the maximum of each channel over the image, and no biases.

    Parameters
    ----------
    channels : int
        Of the map.
    reduction : int
        How many times fewer the layer in the middle has, at least one.

    Examples
    --------
    >>> sum(p.numel() for p in ChannelAttention(64, 16).parameters())  # 64*4 + 4*64
    512
    """

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        hidden = max(1, channels // reduction)
        self.shared = nn.Sequential(
            nn.Conv2d(channels, hidden, 1, bias=False),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, channels, 1, bias=False),
        )

    def weights(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to weights (N, C, 1, 1) in 0..1."""
        return torch.sigmoid(self.shared(x.mean((2, 3), keepdim=True)) + self.shared(x.amax((2, 3), keepdim=True)))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        return self.weights(x) * x


class SpatialAttention(nn.Module):
    r"""Weigh the places of a map by the largest and the mean of its channels there (Woo et al. 2018, section 3.2).

    .. math:: M_s(F) = \sigma(f^{7 \times 7}([\max_c F; \text{mean}_c F])), \qquad F_s = M_s(F) \otimes F

    The convolution is zero-padded and has no bias. The authors' own code puts a batch norm behind it, their text none.

    Parameters
    ----------
    kernel_px : int
        Side of the convolution, odd.

    Examples
    --------
    >>> sum(p.numel() for p in SpatialAttention(7).parameters())
    98
    """

    def __init__(self, kernel_px: int = 7) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, kernel_px, padding=kernel_px // 2, bias=False)

    def weights(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to weights (N, 1, H, W) in 0..1."""
        return torch.sigmoid(self.conv(torch.cat([x.amax(1, keepdim=True), x.mean(1, keepdim=True)], dim=1)))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        return self.weights(x) * x


class CBAM(nn.Sequential):
    """`ChannelAttention`, then `SpatialAttention`: the convolutional block attention module of Woo et al. 2018.

    Parameters
    ----------
    channels, reduction : int
        As of `ChannelAttention`.
    kernel_px : int
        As of `SpatialAttention`.

    Examples
    --------
    >>> CBAM(64, 16)(torch.ones(1, 64, 5, 7)).shape
    torch.Size([1, 64, 5, 7])
    """

    def __init__(self, channels: int, reduction: int, kernel_px: int = 7) -> None:
        super().__init__(ChannelAttention(channels, reduction), SpatialAttention(kernel_px))


def check_images(images: Tensor, in_channels: int, stride_px: int) -> None:
    """Raise unless `images` is a float batch (N, in_channels, H, W) whose sides the network's stride divides.

    Raises
    ------
    ValueError
        The message names the shape received and, for the sides, the size to pad to.

    Examples
    --------
    >>> check_images(torch.zeros(1, 3, 250, 256), 3, 8)
    Traceback (most recent call last):
        ...
    ValueError: images are 250x256 pixels, but this network needs sides that 8 divides; pad them to 256x256 ...
    """
    shape = tuple(images.shape)
    if images.ndim != 4 or shape[1] != in_channels:
        raise ValueError(f"images must have the shape (N, {in_channels}, H, W), got {shape}")
    if not images.is_floating_point():
        raise ValueError(f"images must be float in 0..1, got {images.dtype}; divide 8-bit values by 255")
    height, width = shape[2:]
    padded = [max(1, -(-side // stride_px)) * stride_px for side in (height, width)]
    if padded != [height, width]:
        raise ValueError(
            f"images are {height}x{width} pixels, but this network needs sides that {stride_px} divides; "
            f"pad them to {padded[0]}x{padded[1]} (inference.predict does that by itself)"
        )


@contextmanager
def seeded_weights(seed: int) -> Iterator[None]:
    """Decide by `seed` alone the weights of a network that is built inside; the global random state stays as it was.

    Examples
    --------
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
