"""A probability for every pixel of an image, whatever its size."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from histolab_lib.inference.devices import as_device, autocast, device_of
from histolab_lib.inference.forward import Forward
from histolab_lib.inference.windows import ramp, read_mirrored, spans, weights
from histolab_lib.patches import resize_image, resize_map

__all__ = ["predict", "predict_bands", "predict_maps"]

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
    symmetries: bool = False,
    precision: str = "float32",
    device: str | torch.device | None = None,
    resize_px: tuple[int, int] | None = None,
) -> Probability:
    """Return the foreground probability of every pixel.

    The image is mirrored at its right and lower border up to a size that the network's stride divides, and the
    result cut back; not where windows overlap by what the stride does not divide, see `overlap_px`.

    Parameters
    ----------
    network : nn.Module
        Maps RGB (N, 3, H, W) in 0..1 to logits (N, 1, H, W), or to an `Output`. Run in evaluation mode; its mode is
        restored.
    image : ndarray of uint8, shape (H, W, 3)
        RGB. Of a map of a file only one window after another is read.
    window_px : int, optional
        Side of the square windows in pixels, divisible by the stride. None: the whole image at once, which is the
        most exact and needs the most memory.
    overlap_px : int
        How far neighbouring windows reach into each other, at least, in pixels; ignored without windows. The outer
        quarter of an overlap is thrown away and the middle half blended. Divisible by the stride: windows begin at its
        multiples, and give the same as the whole image wherever the network looks no further than ``overlap_px / 4``.
        Else: windows begin anywhere, each pools by a grid of its own, and the last ones end at the image's border, so
        that nothing is mirrored where the image is no smaller than a window. Windows of 512 px that overlap by 24
        are the four corners of 1000 px, whatever the stride.
    batch_size : int
        Windows per call of the network, at most: halved where memory runs out.
    stride_px : int, optional
        What image sides must be divisible by; None: ``network.stride_px``.
    symmetries : bool
        Whether to take the mean of probabilities over the eight flips and quarter turns (test-time augmentation).
    precision : {"float32", "bfloat16"}
        See `PRECISIONS`; the probabilities are float32 anyway.
    device : str or torch.device, optional
        Where to compute; None: where the network's parameters are.
    resize_px : (int, int), optional
        Height and width at which the network sees the image, windows included; its probabilities are brought back to
        the image's own size (`patches.resize_image`, `patches.resize_map`). None: as it is.

    Returns
    -------
    ndarray of float32, shape (H, W)
        In 0..1.

    Raises
    ------
    ValueError
        If the image is no 8-bit RGB or empty, or window, overlap, batch size or stride do not fit together.
    MemoryError
        If memory does not suffice for one window.

    Examples
    --------
    >>> network = nn.Conv2d(3, 1, 1)
    >>> predict(network, np.zeros((5, 7, 3), np.uint8), stride_px=4).shape
    (5, 7)
    """
    found = predict_maps(
        network,
        image,
        maps=("mask",),
        window_px=window_px,
        overlap_px=overlap_px,
        batch_size=batch_size,
        stride_px=stride_px,
        symmetries=symmetries,
        precision=precision,
        device=device,
        resize_px=resize_px,
    )
    return found["mask"]


def predict_maps(
    network: nn.Module,
    image: Image,
    *,
    maps: Sequence[str] | None = None,
    resize_px: tuple[int, int] | None = None,
    **options: Any,
) -> dict[str, Probability]:
    """Return every map of a network as probabilities, by name.

    Parameters
    ----------
    network, image
        As of `predict`.
    maps : sequence of str, optional
        Which: ``"mask"``, or what the network has in the `extra` of its `Output`. None: the mask, and of the others
        those of full size with one channel or two.
    resize_px : (int, int), optional
        As of `predict`.
    **options
        As of `predict`.

    Returns
    -------
    dict of str to ndarray of float32, shape (H, W)
        In 0..1: the sigmoid of one channel, the softmax's second of two.

    Raises
    ------
    ValueError, MemoryError
        As `predict`, or if the network gives no such map.
    """
    if resize_px is not None:
        _check_image(image)
        own = image.shape[0], image.shape[1]
        seen = predict_maps(network, resize_image(image, resize_px), maps=maps, **options)
        return {name: resize_map(values, own) for name, values in seen.items()}
    found: dict[str, Probability] = {}
    for rows, band in predict_bands(network, image, maps=maps, **options):
        for name, values in band.items():
            if name not in found:
                found[name] = np.empty(image.shape[:2], np.float32)
            found[name][rows] = values
    return found


def predict_bands(
    network: nn.Module,
    image: Image,
    *,
    maps: Sequence[str] | None = None,
    window_px: int | None = None,
    overlap_px: int = 64,
    batch_size: int = 4,
    stride_px: int | None = None,
    symmetries: bool = False,
    precision: str = "float32",
    device: str | torch.device | None = None,
) -> Iterator[tuple[slice, dict[str, Probability]]]:
    """Give the maps of an image from top to bottom, each band of rows as soon as it is finished.

    For images and maps that do not fit into memory: `image` may be a map of a file (``numpy.memmap``), and the bands
    may be written to another. What is held is one row of windows.

    Parameters
    ----------
    network, image, maps
        As of `predict_maps`.
    window_px, overlap_px, batch_size, stride_px, symmetries, precision, device
        As of `predict`.

    Yields
    ------
    rows : slice
        Which rows of the image; each once, without a gap.
    band : dict of str to ndarray of float32, shape (rows, W)

    Examples
    --------
    >>> image = np.zeros((20, 8, 3), np.uint8)
    >>> bands = predict_bands(nn.Conv2d(3, 1, 1), image, window_px=8, overlap_px=4, stride_px=4)
    >>> [(rows, band["mask"].shape) for rows, band in bands][::3]
    [(slice(0, 4, None), (4, 8)), (slice(12, 20, None), (8, 8))]
    """
    _check_image(image)
    stride = _stride(network, stride_px)
    target = as_device(device) if device is not None else device_of(network)
    autocast(target, precision)
    if window_px is None:
        overlap_px = 0
    _check_windows(stride if window_px is None else window_px, overlap_px, batch_size, stride)
    was_training = network.training
    network.to(target).eval()
    ask = Forward(network, target, maps, precision, symmetries, batch_size)
    try:
        yield from _bands(ask, image, stride, window_px, overlap_px)
    finally:
        network.train(was_training)


def _bands(
    ask: Forward, image: Image, stride: int, window_px: int | None, overlap_px: int
) -> Iterator[tuple[slice, dict[str, Probability]]]:
    """Average the windows' probabilities with weights that fall towards their inner sides, row by row of windows."""
    height, width = image.shape[:2]
    sides = [_padded(side, stride, window_px, overlap_px) for side in (height, width)]
    rows, cols = (list(spans(side, window_px or side, overlap_px)) for side in sides)
    down, right = (weights(where, side, overlap_px) for where, side in zip((rows, cols), sides, strict=True))
    held: dict[str, Probability] = {}
    for row, after in zip(rows, [*rows[1:], slice(sides[0], None)], strict=True):
        weight = ramp(row, sides[0], overlap_px)[:, None]
        for col, maps in _windows(ask, image, row, cols):
            for name, values in maps.items():
                band = held.setdefault(name, np.zeros((row.stop - row.start, sides[1]), np.float32))
                band[:, col] += weight * ramp(col, sides[1], overlap_px) * values
        ready = after.start - row.start
        whole = slice(row.start, min(after.start, height))
        total = down[whole, None] * right[None, :width]
        yield whole, {name: band[: whole.stop - whole.start, :width] / total for name, band in held.items()}
        for band in held.values():  # what the next windows overlap moves up
            band[: len(band) - ready] = band[ready:].copy()
            band[len(band) - ready :] = 0


def _windows(
    ask: Forward, image: Image, row: slice, cols: Sequence[slice]
) -> Iterator[tuple[slice, dict[str, Probability]]]:
    """The maps of one row of windows, in batches."""
    start = 0
    while start < len(cols):
        batch = cols[start : start + ask.batch_size]
        found = ask(np.stack([read_mirrored(image, row, col) for col in batch]))
        for place, col in enumerate(batch):
            yield col, {name: values[place] for name, values in found.items()}
        start += len(batch)


def _padded(side: int, stride: int, window_px: int | None, overlap_px: int) -> int:
    """A side with what is mirrored at its end."""
    if window_px is not None and overlap_px % stride and side >= window_px:
        return side
    return side + -side % stride


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
    if window_px % stride or window_px < 1:
        raise ValueError(
            f"window_px must be divisible by the network's stride of {stride} pixels, got {window_px}; "
            f"the next is {max(1, -(-window_px // stride)) * stride}"
        )
