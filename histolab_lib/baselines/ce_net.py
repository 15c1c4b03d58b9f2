"""CE-Net (Gu et al. 2019): a ResNet, dense dilated convolutions, pooling at four scales, and LinkNet's way up.

As its authors released it (``Guzaiwang/CE-Net``, ``networks/cenet.py``, commit 42258364), on any encoder of timm with
maps at 1/4 to 1/32 of the size. Its "dense atrous convolution block" is `layers.DenseDilated`, taken over by MSAL-Net;
its "residual multi-kernel pooling" is `MultiKernelPooling`. By that code the convolutions of the way up have a bias,
the last layers no batch norm, and one 1x1 convolution serves all four poolings.

What is ours: ImageNet's weights are a matter of the recipe, the sigmoid is left to loss and prediction, and on maps of
fewer than 6 pixels (images below 192) a pooling window ends with the map, where the released code fails.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from histolab_lib.encoders import Pretrained, build_encoder
from histolab_lib.inputs import Inputs
from histolab_lib.layers import DenseDilated, LinkNetBlock, check_images, seeded_weights

__all__ = ["CENet", "MultiKernelPooling", "ce_net"]

_STRIDE_PX = 32
_WINDOWS_PX = (2, 3, 5, 6)
_LAST = 32  # channels at full size


class MultiKernelPooling(nn.Module):
    """Join a map with four small summaries of it, one channel each (Gu et al. 2019).

    The map is pooled by the maximum of windows of 2, 3, 5 and 6 pixels, side by side; the rows and columns that do not
    fill a window at the end are left out. One 1x1 convolution brings each to one channel, bilinear interpolation (pixel
    centres, ``align_corners=False``) back to the size of the map; the four come before the map itself.

    Parameters
    ----------
    channels : int
        Of the map; the result has four more.

    Examples
    --------
    >>> block = MultiKernelPooling(512)
    >>> sum(p.numel() for p in block.parameters()), block(torch.ones(1, 512, 8, 7)).shape
    (513, torch.Size([1, 516, 8, 7]))
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C + 4, H, W)."""
        height, width = x.shape[-2:]
        summaries = [self.conv(F.max_pool2d(x, (min(px, height), min(px, width)))) for px in _WINDOWS_PX]
        back = [F.interpolate(one, (height, width), mode="bilinear", align_corners=False) for one in summaries]
        return torch.cat([*back, x], dim=1)


class CENet(nn.Module):
    """The network; make it with `ce_net`.

    Attributes
    ----------
    stride_px : int
        32, what both sides of an image must be divisible by.
    prepare : Inputs
        What the encoder sees of RGB.
    encoder : nn.Module
        Of timm; gives the four maps.
    dilated, pooling : nn.Module
        Between the way down and the way up.
    decoder4, decoder3, decoder2, decoder1 : LinkNetBlock
        The deepest first; to what each but the last gives, the encoder's map of that size is added.
    head : nn.Sequential
        To full size.
    """

    def __init__(self, inputs: Inputs, encoder: Any) -> None:
        super().__init__()
        self.stride_px = _STRIDE_PX
        self.prepare, self.encoder = inputs, encoder
        c1, c2, c3, c4 = encoder.feature_info.channels()
        self.dilated = DenseDilated(c4)
        self.pooling = MultiKernelPooling(c4)
        self.decoder4 = LinkNetBlock(c4 + len(_WINDOWS_PX), c3, 2, bias=True)
        self.decoder3 = LinkNetBlock(c3, c2, 2, bias=True)
        self.decoder2 = LinkNetBlock(c2, c1, 2, bias=True)
        self.decoder1 = LinkNetBlock(c1, c1, 2, bias=True)
        self.head = nn.Sequential(
            nn.ConvTranspose2d(c1, _LAST, 4, 2, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(_LAST, _LAST, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(_LAST, 1, 3, padding=1),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Map RGB in 0..1, float (N, 3, H, W), to logits (N, 1, H, W)."""
        check_images(images, 3, self.stride_px)
        e1, e2, e3, e4 = self.encoder(self.prepare(images))
        d4 = self.decoder4(self.pooling(self.dilated(e4))) + e3
        d3 = self.decoder3(d4) + e2
        d2 = self.decoder2(d3) + e1
        return self.head(self.decoder1(d2))


def ce_net(
    encoder: str = "resnet34",
    *,
    inputs: str = "imagenet",
    padding: str = "symmetric",
    pretrained: Pretrained = False,
    seed: int = 0,
) -> CENet:
    """Build a CE-Net.

    Parameters
    ----------
    encoder : str
        Any of timm's with maps at 1/4 to 1/32 of the size; the paper's is ResNet-34.
    inputs, padding, pretrained, seed
        As of `unet`.

    Returns
    -------
    CENet
        In training mode, on the CPU.

    Raises
    ------
    ValueError, DataError
        As `encoders.build_encoder`.

    Examples
    --------
    >>> sum(p.numel() for p in ce_net().parameters())
    29003093
    """
    prepare = Inputs(inputs)
    how: dict[str, Any] = {"padding": padding, "inputs": inputs, "pretrained": pretrained}
    with seeded_weights(seed):
        return CENet(prepare, build_encoder(encoder, in_channels=prepare.channels, maps=(1, 2, 3, 4), **how))
