"""One image of tissue with its instance map: what every loader returns and every chapter starts from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Tile"]


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Tile:
    """An image and the exact outline of every object on it.

    Attributes
    ----------
    name : str
        The file stem, or for synthetic tissue a name that tells how to make the tile again.
    image : ndarray of uint8, shape (H, W, 3)
        RGB.
    instances : ndarray of int32, shape (H, W)
        0 is background, every other value one object. Ids may have gaps.
    classes : mapping of int to str, optional
        Class of each instance id, where the set has classes.
    organ : str, optional
        Where the set tells it.
    patient : str, optional
        Where the set tells it.
    um_per_px : float, optional
        Micrometres per pixel, where a file says so, or else the page of the set; then `source` tells.
    source : mapping
        Where the pixels and the labels come from, and what was noticed while reading them (convention of
        rasterisation, polygons that overhang the border, regions too small to draw).

    Examples
    --------
    >>> import numpy as np
    >>> tile = Tile("demo", np.zeros((4, 6, 3), np.uint8), np.zeros((4, 6), np.int32))
    >>> tile
    <Tile demo: 4x6 px, 0 objects>
    >>> tile.shape, tile.count
    ((4, 6), 0)
    """

    name: str
    image: npt.NDArray[np.uint8]
    instances: npt.NDArray[np.int32]
    classes: Mapping[int, str] | None = None
    organ: str | None = None
    patient: str | None = None
    um_per_px: float | None = None
    source: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        height, width = self.shape
        return f"<Tile {self.name}: {height}x{width} px, {self.count} objects>"

    def __post_init__(self) -> None:
        image, instances = self.image, self.instances
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(f"tile {self.name}: image must be uint8 (H, W, 3), got {image.dtype} {image.shape}")
        if instances.dtype != np.int32 or instances.ndim != 2:
            got = f"{instances.dtype} {instances.shape}"
            raise ValueError(f"tile {self.name}: instances must be int32 (H, W), got {got}")
        if image.shape[:2] != instances.shape:
            raise ValueError(
                f"tile {self.name}: image is {image.shape[0]}x{image.shape[1]} pixels but its instance map is "
                f"{instances.shape[0]}x{instances.shape[1]}"
            )
        if instances.size and instances.min() < 0:
            raise ValueError(f"tile {self.name}: instance ids must not be negative, got {instances.min()}")

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width = self.instances.shape
        return height, width

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        """True where any object is, shape (H, W)."""
        return self.instances > 0

    @property
    def count(self) -> int:
        """Number of objects."""
        ids = np.unique(self.instances)
        return int(np.count_nonzero(ids))
