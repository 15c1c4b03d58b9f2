"""Another magnification: detail that is lost, and objects of another size."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from histolab_lib.patches import resize, resize_image
from histolab_lib.tile import Tile

__all__ = ["coarsen", "rescale"]


def coarsen(image: npt.NDArray[np.uint8], factor: float) -> npt.NDArray[np.uint8]:
    """Take an image at pixels so many times as large, and bring it back to its size: 40x -> 20x -> 40x is 2.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
    factor : float
        1 or more; each way by `patches.resize_image` (bicubic, averaged over source pixels when it shrinks).

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        Objects stay where and as large as they are; detail finer than two of the large pixels is all but gone.

    Raises
    ------
    ValueError
        If `factor` is below 1.
    """
    if not 1 <= factor < np.inf:
        raise ValueError(f"factor must be 1 or more, got {factor}")
    height, width = image.shape[:2]
    return resize_image(resize_image(image, _divided((height, width), factor)), (height, width))


def rescale(tile: Tile, factor: float) -> Tile:
    """Show a tile at pixels so many times as large, its objects moved along: a 40x tile as 20x shows it is 2.

    What a network for 40x sees when it is given 20x and nobody tells.

    Parameters
    ----------
    tile : Tile
    factor : float
        Above 0; below 1 everything is magnified.

    Returns
    -------
    Tile
        By `patches.resize`: sides divided by `factor`, `um_per_px` multiplied by it, ids kept;
        ``source["vanished_by_resizing"]`` counts objects that no pixel shows any more.

    Raises
    ------
    ValueError
        If `factor` is not above 0.

    Examples
    --------
    >>> tile = Tile("demo", np.zeros((40, 60, 3), np.uint8), np.ones((40, 60), np.int32), um_per_px=0.25)
    >>> small = rescale(tile, 2)
    >>> small.shape, small.um_per_px
    ((20, 30), 0.5)
    """
    if not 0 < factor < np.inf:
        raise ValueError(f"factor must be above 0, got {factor}")
    scaled = resize(tile, _divided(tile.shape, factor))
    if tile.um_per_px is None:
        return scaled
    return replace(scaled, um_per_px=tile.um_per_px * factor)


def _divided(shape: tuple[int, int], factor: float) -> tuple[int, int]:
    height, width = (max(1, round(side / factor)) for side in shape)
    return height, width
