"""What every network does with its images first."""

from torch import Tensor, nn

__all__ = ["OpticalDensity", "check_images"]


class OpticalDensity(nn.Module):
    """Turn RGB in 0..1 into decimal optical density, ``-log10(max(I, 1/255))``, per channel.

    By Beer and Lambert's law the density of a channel is the sum of what each stain absorbs, so amounts of stain
    add up here and not in RGB (Ruifrok and Johnston 2001). White is 0; black, which would be infinite, stops at the
    darkest step of an 8-bit file, 2.41 (`stain.rgb_to_od` gives such a pixel 6, a jump that a network need not see).

    Examples
    --------
    >>> import torch
    >>> OpticalDensity()(torch.tensor([1.0, 0.1, 0.0]))
    tensor([0.0000, 1.0000, 2.4065])
    """

    def forward(self, images: Tensor) -> Tensor:
        """Convert; any shape, the same shape back."""
        return images.clamp(1 / 255, 1.0).reciprocal().log10()  # not -log10: white would be -0


def check_images(images: Tensor, in_channels: int, stride_px: int) -> None:
    """Raise unless `images` is a float batch (N, in_channels, H, W) whose sides the network's stride divides.

    Raises
    ------
    ValueError
        The message names the shape received and, for the sides, the size to pad to.

    Examples
    --------
    >>> import torch
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
