"""The book's own small U-Net: the network that every other one has to beat."""

import torch.nn.functional as F
from torch import Tensor, nn

from histolab_lib.layers import OpticalDensity, UpBlock, check_images, double_conv, seeded_weights

__all__ = ["SmallUNet", "small_unet"]


class SmallUNet(nn.Module):
    """U-Net after Ronneberger et al. 2015, narrow and shallow; make it with `small_unet`.

    Level k of the way down has ``width * 2**k`` channels at ``1 / 2**k`` of the size, by 2x2 max pooling between
    levels; the way up doubles the size by a 2x2 transposed convolution and joins the map of the same level; a 1x1
    convolution gives one logit per pixel. Unlike the paper's, its convolutions are padded (the output is as large as
    the input) and have batch norm; it has 4 levels of 16 to 128 channels instead of 5 of 64 to 1024.

    Attributes
    ----------
    stride_px : int
        What both sides of an image must be divisible by, ``2 ** (levels - 1)``.
    """

    def __init__(self, width: int, levels: int, in_channels: int, optical_density: bool) -> None:
        super().__init__()
        channels = [width * 2**level for level in range(levels)]
        self.in_channels = in_channels
        self.stride_px = 2 ** (levels - 1)
        self.prepare = OpticalDensity() if optical_density else nn.Identity()
        ins = [in_channels, *channels[:-1]]
        self.down = nn.ModuleList(double_conv(i, o) for i, o in zip(ins, channels, strict=True))
        self.up = nn.ModuleList(UpBlock(2 * c, c) for c in reversed(channels[:-1]))
        self.head = nn.Conv2d(width, 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Map RGB in 0..1, float (N, in_channels, H, W), to logits (N, 1, H, W)."""
        check_images(images, self.in_channels, self.stride_px)
        x = self.prepare(images)
        skips: list[Tensor] = []
        for level, block in enumerate(self.down):
            x = block(F.max_pool2d(x, 2) if level else x)
            skips.append(x)
        skips.pop()  # the deepest map is x itself
        for block in self.up:
            x = block(x, skips.pop())
        return self.head(x)


def small_unet(
    width: int = 16, levels: int = 4, in_channels: int = 3, *, seed: int = 0, optical_density: bool = True
) -> SmallUNet:
    """Build the small U-Net with random weights.

    Parameters
    ----------
    width : int
        Channels at full size; each level down has twice as many.
    levels : int
        Sizes that the network works at. Images need sides that ``2 ** (levels - 1)`` divides.
    in_channels : int
        Channels of the image.
    seed : int
        Decides the weights (PyTorch's own initialisation), whatever was drawn before; the global random state is
        left as it was.
    optical_density : bool
        Whether the network converts RGB to optical density first. False: it sees the image as it is given.

    Returns
    -------
    SmallUNet
        In training mode, on the CPU.

    Examples
    --------
    >>> import torch
    >>> network = small_unet()
    >>> sum(p.numel() for p in network.parameters())
    482737
    >>> network(torch.ones(2, 3, 64, 32)).shape
    torch.Size([2, 1, 64, 32])
    """
    for name, value in (("width", width), ("levels", levels), ("in_channels", in_channels)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    with seeded_weights(seed):
        return SmallUNet(width, levels, in_channels, optical_density)
