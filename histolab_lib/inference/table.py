"""What can be said of each nucleus once it has an outline."""

import numpy as np
import numpy.typing as npt

from histolab_lib.stain import separate

__all__ = ["nuclei_table"]

Row = dict[str, int | float]


def nuclei_table(
    image: npt.NDArray[np.uint8], instances: npt.NDArray[np.integer], *, um_per_px: float | None = None
) -> list[Row]:
    """Measure every object.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
        RGB.
    instances : ndarray of integers, shape (H, W)
        0 is background, every other value one object.
    um_per_px : float, optional
        Micrometres per pixel, for areas in square micrometres.

    Returns
    -------
    list of dict
        One for each object, by its id: ``id``; ``row_px`` and ``column_px`` of the centroid, 0 being the centre of the
        first pixel; ``area_px``; ``area_um2`` where `um_per_px` is given; ``eccentricity`` of the ellipse with the same
        second moments (0 for a disc, towards 1 for a line); ``hematoxylin_od``, the mean optical density of hematoxylin
        by Ruifrok's stains (`stain.separate`, an intensity of 0 counting as 1), which may be negative.

    Raises
    ------
    ValueError
        If image and instances differ in size, or `um_per_px` is not above 0.

    Examples
    --------
    >>> image = np.full((4, 6, 3), (57, 51, 131), np.uint8)  # hematoxylin of optical density 1
    >>> instances = np.zeros((4, 6), np.int32)
    >>> instances[1:3, 1:5] = 7
    >>> [row] = nuclei_table(image, instances, um_per_px=0.25)
    >>> row["id"], row["row_px"], row["column_px"], row["area_px"], row["area_um2"], round(row["hematoxylin_od"], 2)
    (7, 1.5, 2.5, 8, 0.5, 1.0)
    >>> nuclei_table(image, np.zeros((4, 6), np.int32))
    []
    """
    from skimage.measure import regionprops_table

    if image.shape[:2] != instances.shape:
        raise ValueError(f"image {image.shape} and instances {instances.shape} must have one size")
    if um_per_px is not None and not um_per_px > 0:
        raise ValueError(f"um_per_px must be above 0, got {um_per_px}")
    hematoxylin = separate(np.maximum(image, 1))[..., 0]
    properties = ("label", "centroid", "area", "eccentricity", "intensity_mean")
    found = regionprops_table(instances, hematoxylin, properties=properties)
    rows: list[Row] = []
    for label, row, column, area, eccentricity, stain in zip(*found.values(), strict=True):
        size: Row = {"area_px": int(area)}
        if um_per_px is not None:
            size["area_um2"] = float(area) * um_per_px**2
        place: Row = {"id": int(label), "row_px": float(row), "column_px": float(column)}
        rows.append({**place, **size, "eccentricity": float(eccentricity), "hematoxylin_od": float(stain)})
    return rows
