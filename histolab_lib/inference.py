"""From an image of any size to a probability for every pixel: whole, or by overlapping windows."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

__all__ = ["as_device", "predict"]

Image = npt.NDArray[np.uint8]
Probability = npt.NDArray[np.float32]


def predict(
    network: nn.Module,
    image: Image,
    *,
    window_px: int | None = None,
    overlap_px: int = 64,
    batch_size: int = 4,
    stride_px: int | None = None,
    device: str | torch.device | None = None,
) -> Probability:
    """Return the foreground probability of every pixel.

    The image is mirrored at its right and lower border up to a size that the network's stride divides, and the
    result cut back.

    Parameters
    ----------
    network : nn.Module
        Maps RGB (N, 3, H, W) in 0..1 to logits (N, 1, H, W). Run in evaluation mode; its mode is restored.
    image : ndarray of uint8, shape (H, W, 3)
        RGB.
    window_px : int, optional
        Side of the square windows in pixels, divisible by the stride. None: the whole image at once, which is the
        most exact and needs the most memory.
    overlap_px : int
        How far neighbouring windows reach into each other, at least, in pixels, divisible by the stride; ignored
        without windows. The outer quarter of an overlap is thrown away and the middle half blended, so windows give
        the same as the whole image wherever the network looks no further than ``overlap_px / 4``.
    batch_size : int
        Windows per call of the network.
    stride_px : int, optional
        What image sides must be divisible by; None: ``network.stride_px``.
    device : str or torch.device, optional
        Where to compute; None: where the network's parameters are.

    Returns
    -------
    ndarray of float32, shape (H, W)
        In 0..1.

    Raises
    ------
    ValueError
        If the image is no 8-bit RGB or empty, or window, overlap, batch size or stride do not fit together.

    Examples
    --------
    >>> network = nn.Conv2d(3, 1, 1)
    >>> predict(network, np.zeros((5, 7, 3), np.uint8), stride_px=4).shape
    (5, 7)
    """
    _check_image(image)
    stride = _stride(network, stride_px)
    target = as_device(device) if device is not None else _device_of(network)
    height, width = image.shape[:2]
    extra = [(0, -side % stride) for side in (height, width)]
    padded = np.pad(image, [*extra, (0, 0)], mode="reflect")
    was_training = network.training
    network.to(target).eval()
    try:
        if window_px is None:
            probability = _run(network, padded[None], target)[0]
        else:
            _check_windows(window_px, overlap_px, batch_size, stride)
            probability = _blend(network, padded, window_px, overlap_px, batch_size, target)
    finally:
        network.train(was_training)
    return probability[:height, :width]


def _blend(
    network: nn.Module, image: Image, window_px: int, overlap_px: int, batch_size: int, device: torch.device
) -> Probability:
    """Average the windows' probabilities with weights that fall towards their inner sides."""
    rows, cols = (list(_spans(side, window_px, overlap_px)) for side in image.shape[:2])
    windows = [(r, c) for r in rows for c in cols]
    total, weight = np.zeros((2, *image.shape[:2]), np.float32)
    for start in range(0, len(windows), batch_size):
        batch = windows[start : start + batch_size]
        outputs = _run(network, np.stack([image[r, c] for r, c in batch]), device)
        for (r, c), output in zip(batch, outputs, strict=True):
            ramp = np.outer(_ramp(r, image.shape[0], overlap_px), _ramp(c, image.shape[1], overlap_px))
            total[r, c] += ramp * output
            weight[r, c] += ramp
    return total / weight


def _spans(side: int, window_px: int, overlap_px: int) -> Iterator[slice]:
    """Cover `side` by windows that overlap by at least `overlap_px`; the last one ends at the border."""
    window = min(window_px, side)
    last = side - window
    for start in range(0, last, window_px - overlap_px):
        yield slice(start, start + window)
    yield slice(last, side)


def _ramp(span: slice, side: int, overlap_px: int) -> Probability:
    """Weights along one axis of a window: 1 inside and at the image's border, falling to 0 at its inner sides."""
    weight = np.ones(span.stop - span.start, np.float32)
    at = (np.arange(overlap_px, dtype=np.float32) + 0.5) / max(overlap_px, 1)
    rise = np.clip(2 * at - 0.5, 0, 1)  # 0 in the outer quarter, 1 in the inner one
    if span.start > 0:
        weight[:overlap_px] *= rise
    if span.stop < side:
        weight[weight.size - overlap_px :] *= rise[::-1]
    return weight


@torch.inference_mode()
def _run(network: nn.Module, images: Image, device: torch.device) -> Probability:
    # (N, H, W, 3) seen as (N, 3, H, W) is what torch calls channels_last: nothing is copied
    batch = torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float() / 255
    return network(batch)[:, 0].float().sigmoid().cpu().numpy()


def as_device(name: str | torch.device) -> torch.device:
    """Return a device by name.

    Raises
    ------
    ValueError
        If this machine has no such device; the message lists those it has.
    """
    there = ["cpu"]
    there += ["cuda"] if torch.cuda.is_available() else []
    there += ["mps"] if torch.backends.mps.is_available() else []
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in there:
        raise ValueError(f"unknown device {str(name)!r}: this machine has {', '.join(there)}")
    return device


def _device_of(network: nn.Module) -> torch.device:
    first = next(network.parameters(), None)
    return torch.device("cpu") if first is None else first.device


def _stride(network: nn.Module, stride_px: int | None) -> int:
    stride = getattr(network, "stride_px", None) if stride_px is None else stride_px
    if not isinstance(stride, int) or stride < 1:
        raise ValueError(
            f"{type(network).__name__} has no stride_px; pass stride_px=, the number of pixels that must divide the "
            f"sides of an image (1 for a network that never shrinks its input), got {stride}"
        )
    return stride


def _check_image(image: Image) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(f"image must be 8-bit RGB, uint8 (H, W, 3), got {image.dtype} {image.shape}")


def _check_windows(window_px: int, overlap_px: int, batch_size: int, stride: int) -> None:
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1 window, got {batch_size}")
    if not 0 <= overlap_px <= window_px // 2:
        raise ValueError(f"overlap_px must be between 0 and half of window_px = {window_px}, got {overlap_px}")
    for name, value in (("window_px", window_px), ("overlap_px", overlap_px)):
        # starts at multiples of the stride see the same pooling grid as the whole image
        if value % stride or window_px < 1:
            raise ValueError(
                f"{name} must be divisible by the network's stride of {stride} pixels, got {value}; "
                f"the next is {max(1, -(-value // stride)) * stride}"
            )
