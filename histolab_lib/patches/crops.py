"""Square crops at random places of a list of tiles: what a network is trained on."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from histolab_lib.tile import Tile

__all__ = ["Crops", "check_crop_fits", "random_crops"]


class Crops(NamedTuple):
    """Crops of equal size, and where each was cut.

    Attributes
    ----------
    images : ndarray of uint8, shape (N, size, size, 3)
        RGB.
    instances : ndarray of int32, shape (N, size, size)
        Instance ids of the tile; a nucleus that the edge of the crop cuts keeps its id.
    origins : tuple of (str, int, int), length N
        Name of the tile, top row and left column, in pixels.
    """

    images: npt.NDArray[np.uint8]
    instances: npt.NDArray[np.int32]
    origins: tuple[tuple[str, int, int], ...]


def check_crop_fits(tiles: Sequence[Tile], size_px: int) -> None:
    """Raise unless there are tiles and each is at least `size_px` high and wide.

    Raises
    ------
    ValueError
        If `tiles` is empty, `size_px` is below 1, or a tile is smaller than the crop; the message names the tile.
    """
    if size_px < 1:
        raise ValueError(f"size_px must be at least 1 pixel, got {size_px}")
    if len(tiles) == 0:
        raise ValueError('found no tiles to cut crops from; pass some, such as datasets.load("synthetic", "train")')
    for tile in tiles:
        height, width = tile.shape
        if min(height, width) < size_px:
            raise ValueError(
                f"tile {tile.name} is {height}x{width} pixels, smaller than the crop of {size_px}x{size_px}; "
                f"ask for crops of at most {min(height, width)} pixels, or leave this tile out"
            )


def random_crops(tiles: Sequence[Tile], n: int, size_px: int, rng: np.random.Generator) -> Crops:
    """Cut `n` crops: each from a tile drawn with replacement, at a place where the crop fits whole.

    Every tile is equally likely whatever its size, and so is every place within a tile; pixels near the border of a
    tile are therefore seen less often than those inside.

    Parameters
    ----------
    tiles : sequence of Tile
        Pass a list: a lazy sequence would read its files again for every batch.
    n : int
        Number of crops.
    size_px : int
        Height and width of a crop in pixels.
    rng : numpy.random.Generator
        The same state gives the same crops.

    Returns
    -------
    Crops
        Copies: writing to them leaves the tiles alone.

    Raises
    ------
    ValueError
        As `check_crop_fits`, or if `n` is below 1.

    Examples
    --------
    >>> tile = Tile("demo", np.zeros((40, 60, 3), np.uint8), np.zeros((40, 60), np.int32))
    >>> crops = random_crops([tile], 2, 32, np.random.default_rng(0))
    >>> crops.images.shape, crops.instances.dtype
    ((2, 32, 32, 3), dtype('int32'))
    >>> random_crops([tile], 2, 48, np.random.default_rng(0))
    Traceback (most recent call last):
        ...
    ValueError: tile demo is 40x60 pixels, smaller than the crop of 48x48; ask for crops of at most 40 pixels, ...
    """
    if n < 1:
        raise ValueError(f"n must be at least 1 crop, got {n}")
    check_crop_fits(tiles, size_px)
    images = np.empty((n, size_px, size_px, 3), np.uint8)
    instances = np.empty((n, size_px, size_px), np.int32)
    origins = []
    for i in range(n):
        tile = tiles[int(rng.integers(len(tiles)))]
        top, left = (int(rng.integers(side - size_px + 1)) for side in tile.shape)
        window = slice(top, top + size_px), slice(left, left + size_px)
        images[i], instances[i] = tile.image[window], tile.instances[window]
        origins.append((tile.name, top, left))
    return Crops(images, instances, tuple(origins))
