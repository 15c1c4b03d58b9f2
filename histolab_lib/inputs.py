"""What a network makes of RGB in 0..1 before its first convolution: the one switch for normalisation and stains."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from histolab_lib.choices import choose
from histolab_lib.layers import OpticalDensity
from histolab_lib.stain import RUIFROK_HED

__all__ = ["IMAGENET_MEAN", "IMAGENET_SD", "Hematoxylin", "Inputs", "Standardise", "UnsharpMask", "as_tensor"]

# The Gaussian of `UnsharpMask` ends where scipy's does: at four times sigma.
_REACH = 4.0

#: Mean and standard deviation of red, green and blue over ImageNet, in 0..1: what torchvision's and most of timm's
#: weights were trained with.
IMAGENET_MEAN, IMAGENET_SD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def as_tensor(image: npt.NDArray[np.uint8]) -> Tensor:
    """Return an image as networks take it: a batch of one, channels first, float in 0..1.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)

    Returns
    -------
    Tensor of float32, shape (1, 3, H, W)
        Its own copy.

    Raises
    ------
    ValueError
        If the image has another shape or type.

    Examples
    --------
    >>> as_tensor(np.full((2, 4, 3), 51, np.uint8)).shape, as_tensor(np.full((1, 1, 3), 51, np.uint8)).flatten()
    (torch.Size([1, 3, 2, 4]), tensor([0.2000, 0.2000, 0.2000]))
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"image must be uint8 (H, W, 3), got {image.dtype} {image.shape}")
    return torch.tensor(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float() / 255


class Standardise(nn.Module):
    """Subtract a mean from each channel and divide by a standard deviation.

    Parameters
    ----------
    mean, sd : tuple of float, length C
        In the unit of the image.
    """

    mean: Tensor
    sd: Tensor

    def __init__(self, mean: tuple[float, ...], sd: tuple[float, ...]) -> None:
        super().__init__()
        for name, values in (("mean", mean), ("sd", sd)):  # constants: no part of a checkpoint
            self.register_buffer(name, torch.tensor(values).view(1, -1, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        return (images - self.mean) / self.sd


class Hematoxylin(nn.Module):
    """Concentration of hematoxylin by colour deconvolution (Ruifrok and Johnston 2001); negative values become 0.

    1 is an optical density of 1 along the stain's unit vector, so this is 6 times channel 0 of scikit-image's
    ``rgb2hed``, except that an intensity of 0 counts as the darkest step of an 8-bit file (see `OpticalDensity`).

    Examples
    --------
    A pixel of the stain's own colour, of density 1:

    >>> Hematoxylin()(10 ** -torch.tensor([0.65, 0.70, 0.29]).view(1, 3, 1, 1)).round(decimals=4)
    tensor([[[[1.]]]])
    """

    def __init__(self) -> None:
        super().__init__()
        weights = torch.tensor(np.linalg.inv(RUIFROK_HED)[:, 0].tolist())
        self.register_buffer("weights", weights.view(1, 3, 1, 1), persistent=False)
        self.density = OpticalDensity()

    def forward(self, images: Tensor) -> Tensor:
        """Map RGB (N, 3, H, W) in 0..1 to (N, 1, H, W)."""
        return (self.density(images) * self.weights).sum(dim=1, keepdim=True).clamp(min=0)


class UnsharpMask(nn.Module):
    """Sharpen one channel: what a Gaussian blur takes away is added once more (`stain.unsharp_mask`, in torch).

    Parameters
    ----------
    sigma_px : float
        Standard deviation of the blur, above 0. The border is mirrored, its outermost pixel repeated.
    amount : float
        0 changes nothing.

    Examples
    --------
    >>> edge = torch.tensor([0.0, 0.0, 2.0, 2.0]).expand(1, 1, 3, 4)
    >>> UnsharpMask(1.0, 1.0)(edge)[0, 0, 0].round(decimals=2)
    tensor([-0.1300, -0.6000,  2.6000,  2.1300])
    """

    kernel: Tensor

    def __init__(self, sigma_px: float, amount: float) -> None:
        super().__init__()
        if not sigma_px > 0:
            raise ValueError(f"sigma_px must be above 0, got {sigma_px}")
        self.amount, self.radius_px = amount, int(_REACH * sigma_px + 0.5)
        away = torch.arange(-self.radius_px, self.radius_px + 1, dtype=torch.float64)
        weights = (-0.5 * (away / sigma_px) ** 2).exp()
        self.register_buffer("kernel", (weights / weights.sum()).float(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 1, H, W) to the same shape; values may leave the range that they had, on both sides of an edge."""
        rows = F.conv2d(_mirrored(x, 2, self.radius_px), self.kernel.view(1, 1, -1, 1))
        return x + self.amount * (x - F.conv2d(_mirrored(rows, 3, self.radius_px), self.kernel.view(1, 1, 1, -1)))


def _mirrored(x: Tensor, axis: int, margin_px: int) -> Tensor:
    """The map with a margin on both ends of an axis, mirrored as often as needed, the outermost pixel repeated."""
    size = x.shape[axis]
    places = torch.arange(-margin_px, size + margin_px, device=x.device).remainder(2 * size)
    return x.index_select(axis, torch.where(places < size, places, 2 * size - 1 - places))


# What each name makes, and how many channels that is.
_KINDS: Mapping[str, tuple[Callable[[], nn.Module], int]] = MappingProxyType(
    {
        "rgb": (nn.Identity, 3),
        "imagenet": (lambda: Standardise(IMAGENET_MEAN, IMAGENET_SD), 3),
        "symmetric": (lambda: Standardise((0.5,) * 3, (0.5,) * 3), 3),
        "optical_density": (OpticalDensity, 3),
        "hematoxylin": (Hematoxylin, 1),
        # ours: the modified LinkNet prints neither; the middle of the usual 1 to 3 px, and the usual amount
        "unsharp_hematoxylin": (lambda: nn.Sequential(Hematoxylin(), UnsharpMask(sigma_px=2.0, amount=1.0)), 1),
    }
)


class Inputs(nn.Module):
    """Turn RGB in 0..1 into what a network sees.

    Parameters
    ----------
    kinds : str
        One of these, or several joined by "+", whose channels follow one another:

        - ``"rgb"``: 0..1, as it comes;
        - ``"imagenet"``: minus ImageNet's mean, divided by its standard deviation, per channel;
        - ``"symmetric"``: -1..1, that is ``x / 127.5 - 1`` of 8-bit values;
        - ``"optical_density"``: `OpticalDensity`, 0 for white;
        - ``"hematoxylin"``: one channel, see `Hematoxylin`;
        - ``"unsharp_hematoxylin"``: the same by `UnsharpMask` with a sigma of 2 px and an amount of 1.

    Attributes
    ----------
    kinds : str
    channels : int
        Of the result.

    Raises
    ------
    ValueError
        If a name is unknown; the message gives the nearest.

    Examples
    --------
    >>> inputs = Inputs("imagenet+hematoxylin")
    >>> inputs.channels, inputs(torch.ones(2, 3, 8, 8)).shape
    (4, torch.Size([2, 4, 8, 8]))
    >>> Inputs("symmetric")(torch.tensor([0.0, 0.5, 1.0]).view(1, 3, 1, 1)).flatten()
    tensor([-1.,  0.,  1.])
    """

    def __init__(self, kinds: str) -> None:
        super().__init__()
        names = kinds.split("+")
        for name in names:
            choose("input", name, _KINDS)
        self.kinds = kinds
        self.channels = sum(_KINDS[name][1] for name in names)
        self.parts = nn.ModuleList(_KINDS[name][0]() for name in names)

    def forward(self, images: Tensor) -> Tensor:
        """Map RGB (N, 3, H, W) in 0..1 to (N, channels, H, W)."""
        made = [part(images) for part in self.parts]
        return made[0] if len(made) == 1 else torch.cat(made, dim=1)
