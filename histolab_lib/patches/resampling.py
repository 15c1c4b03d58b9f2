"""Tiles at another size or magnification: images antialiased, instance maps by the nearest pixel."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from PIL import Image

from histolab_lib.tile import Tile

__all__ = ["UM_PER_PX", "resample", "resize", "resize_image", "resize_map"]

#: Micrometres per pixel that stand for a magnification. Scanners differ by a few percent (MoNuSeg's 40x tiles say
#: 0.2456 to 0.2527), so a magnification is a name for a scale, not a measurement.
UM_PER_PX = {"40x": 0.25, "20x": 0.5}


def resize(tile: Tile, shape: tuple[int, int]) -> Tile:
    """A tile of another height and width.

    Parameters
    ----------
    tile : Tile
    shape : (int, int)
        Height and width in pixels; the other way round than image programs and some papers have it.

    Returns
    -------
    Tile
        The image by Pillow's bicubic filter, which averages over all source pixels when it shrinks (no aliasing); the
        instance map by the source pixel under each new centre, so ids stay what they were and none is made up. Small
        objects may vanish when shrinking: ``source["vanished_by_resizing"]`` counts them; their classes are left out.
        `um_per_px` follows, unless height and width change by factors that differ by more than 1 %: then it is None.

    Raises
    ------
    ValueError
        If a side is below 1 pixel.

    Examples
    --------
    >>> instances = np.array([[1, 1, 0, 0], [1, 1, 0, 7]], np.int32)
    >>> tile = Tile("demo", np.zeros((2, 4, 3), np.uint8), instances, um_per_px=0.25)
    >>> small = resize(tile, (1, 2))
    >>> small.instances, small.um_per_px
    (array([[1, 7]], dtype=int32), 0.5)
    """
    height, width = shape
    if min(shape) < 1:
        raise ValueError(f"tile {tile.name}: cannot be resized to {height}x{width} pixels")
    instances = _nearest(tile.instances, shape)
    left = set(np.unique(instances).tolist()) - {0}
    factors = tile.shape[0] / height, tile.shape[1] / width
    even = abs(factors[0] / factors[1] - 1) <= 0.01
    return replace(
        tile,
        image=resize_image(tile.image, shape),
        instances=instances,
        classes=None if tile.classes is None else {i: kind for i, kind in tile.classes.items() if i in left},
        um_per_px=tile.um_per_px * sum(factors) / 2 if tile.um_per_px is not None and even else None,
        source={**tile.source, "resized_from": tile.shape, "vanished_by_resizing": tile.count - len(left)},
    )


def resize_image(image: npt.NDArray[np.uint8], shape: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """An image (H, W, 3) of another height and width, as `resize` does it."""
    return np.array(Image.fromarray(image).resize((shape[1], shape[0]), Image.Resampling.BICUBIC))


def resize_map(values: npt.NDArray[np.float32], shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    """A map (H, W) of another height and width, linearly between pixels, so that it stays within its range.

    Where it shrinks, Pillow's filter averages over all source pixels.

    Examples
    --------
    >>> resize_map(np.array([[0, 0.5, 1.0]], np.float32), (1, 6))
    array([[0.   , 0.125, 0.375, 0.625, 0.875, 1.   ]], dtype=float32)
    """
    return np.array(Image.fromarray(values).resize((shape[1], shape[0]), Image.Resampling.BILINEAR))


def resample(tile: Tile, to_um_per_px: float, *, from_um_per_px: float | None = None) -> Tile:
    """A tile at another scale: as `resize`, to the nearest whole size.

    DAN-NucNet zooms what is neither 20x nor 40x to one of them (Ahmad et al. 2023, section 4.1):
    ``resample(tile, UM_PER_PX["40x"])``.

    Parameters
    ----------
    tile : Tile
    to_um_per_px : float
        Micrometres per pixel of the result; larger is smaller.
    from_um_per_px : float, optional
        Those of the tile, where it does not say so itself.

    Raises
    ------
    ValueError
        If neither tile nor argument says the scale, or both do and differ; or if a scale is not above 0.

    Examples
    --------
    >>> tile = Tile("demo", np.zeros((30, 40, 3), np.uint8), np.zeros((30, 40), np.int32))
    >>> resample(tile, UM_PER_PX["40x"], from_um_per_px=UM_PER_PX["20x"]).shape
    (60, 80)
    >>> resample(tile, 0.25)
    Traceback (most recent call last):
        ...
    ValueError: tile demo does not say its micrometres per pixel; pass from_um_per_px=, such as UM_PER_PX["20x"]
    """
    if tile.um_per_px is None and from_um_per_px is None:
        raise ValueError(
            f'tile {tile.name} does not say its micrometres per pixel; pass from_um_per_px=, such as UM_PER_PX["20x"]'
        )
    if None not in (tile.um_per_px, from_um_per_px) and tile.um_per_px != from_um_per_px:
        raise ValueError(f"tile {tile.name} says {tile.um_per_px} um per pixel, from_um_per_px={from_um_per_px}")
    scale = from_um_per_px if tile.um_per_px is None else tile.um_per_px
    if scale is None or not (scale > 0 and to_um_per_px > 0):
        raise ValueError(f"micrometres per pixel must be above 0, got {scale} and {to_um_per_px}")
    height, width = (max(1, round(side * scale / to_um_per_px)) for side in tile.shape)
    return resize(replace(tile, um_per_px=scale), (height, width))


def _nearest(instances: npt.NDArray[np.int32], shape: tuple[int, int]) -> npt.NDArray[np.int32]:
    # Centre of new pixel i is (i + 0.5) * old / new in old pixels; in whole numbers, so that no rounding decides.
    rows, columns = (
        (2 * np.arange(new) + 1) * old // (2 * new) for new, old in zip(shape, instances.shape, strict=True)
    )
    return instances[np.ix_(rows, columns)]
