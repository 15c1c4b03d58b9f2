"""Attention: weights in 0..1 for the channels and for the places of a map."""

import torch
from torch import Tensor, nn

__all__ = ["CBAM", "ChannelAttention", "SpatialAttention"]


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
