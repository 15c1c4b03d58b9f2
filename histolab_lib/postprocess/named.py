"""From the probabilities of a network to objects, by the name that a recipe gives."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from histolab_lib.choices import choose
from histolab_lib.postprocess.checks import Mask, checked_whole, neighbours
from histolab_lib.postprocess.growing import grow_labels, subtract_contours
from histolab_lib.postprocess.masks import fill_and_open, otsu_mask
from histolab_lib.postprocess.objects import erode_instances, remove_small, split_components
from histolab_lib.postprocess.watershed import watershed_instances

__all__ = [
    "CONNECTIVITY",
    "by_name",
    "components",
    "contour_propagation",
    "contour_watershed",
    "names",
    "solid_components",
    "watershed",
]

Maps: TypeAlias = Mapping[str, npt.NDArray[np.floating[Any]]]
Thresholds: TypeAlias = Mapping[str, Any]
Instances: TypeAlias = npt.NDArray[np.int32]

_PX = " of pixels"

#: What belongs together where a recipe does not say: sides. Two nuclei that only meet at a corner are two, as in TNBC;
#: GlaS, whose glands have links one pixel wide, wants 8.
CONNECTIVITY = 4


def by_name(name: str) -> Callable[..., Instances]:
    """Return a post-processing, ``f(maps, *, thresholds, **options) -> instances``.

    Parameters
    ----------
    name : str
        One of `names`.

    Returns
    -------
    callable
        Its first argument maps names to probabilities, float (H, W); its options are those of the function of that
        name in this module; it returns an instance map, int32 (H, W).

    Raises
    ------
    ValueError
        If there is none of this name.

    Examples
    --------
    >>> maps = {"mask": np.array([[0.9, 0.2, 0.7]])}
    >>> by_name("components")(maps, thresholds={"mask": 0.5})
    array([[1, 0, 2]], dtype=int32)
    """
    return _BY_NAME[choose("post-processing", name, _BY_NAME)]


def names() -> list[str]:
    """Return the names that `by_name` knows."""
    return list(_BY_NAME)


def components(
    maps: Maps, *, thresholds: Thresholds, connectivity: int = CONNECTIVITY, min_area_px: int = 0
) -> Instances:
    """Number the connected components of the mask; touching objects come out as one.

    Parameters
    ----------
    maps : mapping of str to ndarray of float, shape (H, W)
        Probabilities; ``"mask"`` is needed.
    thresholds : mapping of str to float or "otsu"
        For each map what is above it; ``"otsu"``: Otsu's threshold of the map itself.
    connectivity : {4, 8}
    min_area_px : int
        Smaller objects are dropped.
    """
    instances = split_components(_above(maps, "mask", thresholds), connectivity=connectivity)
    return _renumbered(remove_small(instances, min_area_px=checked_whole(min_area_px, "min_area_px", " of pixels")))


def solid_components(
    maps: Maps, *, thresholds: Thresholds, opening_px: int, connectivity: int, min_area_px: int = 0
) -> Instances:
    """Open the mask, fill its holes (`fill_and_open`), drop what is small, and number the connected components.

    What the modified LinkNet does for glands; its kernels are not printed, hence no defaults.

    Parameters
    ----------
    maps : mapping of str to ndarray of float, shape (H, W)
        Probabilities; ``"mask"`` is needed.
    thresholds : mapping of str to float or "otsu"
        For each map what is above it.
    opening_px : int
        Radius of the disk with which the mask is opened; 0: not at all.
    connectivity : {4, 8}
    min_area_px : int
        Objects that are smaller once their holes are filled are dropped.

    Examples
    --------
    A ring becomes a disk; opened first by a disk that does not fit into it, it is gone:

    >>> ring = np.pad(np.array([[1.0, 1, 1], [1, 0, 1], [1, 1, 1]]), 1)
    >>> found = [solid_components({"mask": ring}, thresholds={"mask": 0.5}, opening_px=px, connectivity=8)
    ...          for px in (0, 1)]
    >>> [int((one > 0).sum()) for one in found]
    [9, 0]
    """
    solid = fill_and_open(_above(maps, "mask", thresholds), radius_px=checked_whole(opening_px, "opening_px", _PX))
    instances = split_components(solid, connectivity=connectivity)
    return _renumbered(remove_small(instances, min_area_px=checked_whole(min_area_px, "min_area_px", _PX)))


def watershed(
    maps: Maps,
    *,
    thresholds: Thresholds,
    connectivity: int = CONNECTIVITY,
    min_area_px: int = 0,
    min_distance_px: int = 5,
    sigma_px: float = 1.0,
) -> Instances:
    """Split the mask where the distance to background has a saddle: `watershed_instances`; else as `components`."""
    mask = _above(maps, "mask", thresholds)
    mask = remove_small(
        mask, min_area_px=checked_whole(min_area_px, "min_area_px", " of pixels"), connectivity=connectivity
    )
    split = watershed_instances(mask, connectivity=connectivity, min_distance_px=min_distance_px, sigma_px=sigma_px)
    return _renumbered(remove_small(split, min_area_px=min_area_px))


def contour_watershed(
    maps: Maps,
    *,
    thresholds: Thresholds,
    connectivity: int = CONNECTIVITY,
    opening_px: int = 1,
    min_seed_px: int = 12,
    min_area_px: int = 0,
) -> Instances:
    """Grow every piece of the mask that contours leave over, until pieces meet on the crest of the contour.

    Parameters
    ----------
    maps : mapping of str to ndarray of float, shape (H, W)
        Probabilities; ``"mask"`` and ``"contour"`` are needed, the second of a band inside the border of each object.
    thresholds : mapping of str to float or "otsu"
        Seeds are above that of the mask and not above that of the contour.
    connectivity : {4, 8}
        Of seeds, and of the flooding.
    opening_px : int
        Radius of the disk with which seeds are opened, so that a gap in a contour does not join two; 0: not at all.
    min_seed_px : int
        Seeds of fewer pixels are dropped.
    min_area_px : int
        Smaller objects are dropped.

    Notes
    -----
    The flooding runs over the probability of the contour, inside the mask. A component of the mask that holds no seed
    gets no object.

    Examples
    --------
    Two nuclei that touch, and a contour between them:

    >>> maps = {"mask": np.ones((9, 20)), "contour": np.zeros((9, 20))}
    >>> maps["contour"][:, 9:11] = 0.9
    >>> contour_watershed(maps, thresholds={"mask": 0.5, "contour": 0.45})[0]
    array([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2],
          dtype=int32)
    """
    from skimage.morphology import disk, opening
    from skimage.segmentation import watershed as flood

    mask, contour = _above(maps, "mask", thresholds), _above(maps, "contour", thresholds)
    radius = checked_whole(opening_px, "opening_px", " of pixels")
    inside = opening(mask & ~contour, disk(radius)) if radius else mask & ~contour
    seeds = remove_small(
        split_components(inside, connectivity=connectivity),
        min_area_px=checked_whole(min_seed_px, "min_seed_px", " of pixels"),
    )
    grown = np.asarray(flood(maps["contour"], seeds, mask=mask, connectivity=neighbours(connectivity)), np.int32)
    return _renumbered(remove_small(grown, min_area_px=checked_whole(min_area_px, "min_area_px", " of pixels")))


def contour_propagation(
    maps: Maps,
    *,
    thresholds: Thresholds,
    connectivity: int,
    rounds: int | None = None,
    erosion_px: int = 0,
    min_area_px: int = 0,
) -> Instances:
    """Take contours out of the mask, number what is left, and let it grow back through the mask (HARU-Net's own).

    Parameters
    ----------
    maps : mapping of str to ndarray of float, shape (H, W)
        Probabilities; ``"mask"`` and ``"contour"`` are needed.
    thresholds : mapping of str to float or "otsu"
        Seeds are above that of the mask and not above that of the contour; they grow where the mask is above its own.
    connectivity : {4, 8}
        Of seeds.
    rounds : int, optional
        How many pixels a seed grows at most. None: until nothing changes, as HARU-Net's Algorithm 1 where it ends;
        its released code has 6.
    erosion_px : int
        Radius of the disk by which each object is eroded in the end (section 4.4.2, on CoNSeP; how is not said).
    min_area_px : int
        Smaller objects are dropped.

    Notes
    -----
    `subtract_contours` and `grow_labels`. Nothing lies outside the mask, and a component of the mask that is contour
    all over gets no object.

    Examples
    --------
    >>> maps = {"mask": np.ones((1, 9)), "contour": np.array([[0, 0, 0, 0.9, 0.9, 0.9, 0, 0, 0]])}
    >>> half = {"mask": 0.5, "contour": 0.5}
    >>> contour_propagation(maps, thresholds=half, connectivity=8)
    array([[1, 1, 1, 1, 1, 2, 2, 2, 2]], dtype=int32)
    >>> contour_propagation(maps, thresholds=half, connectivity=8, rounds=1)
    array([[1, 1, 1, 1, 0, 2, 2, 2, 2]], dtype=int32)
    """
    mask, contour = _above(maps, "mask", thresholds), _above(maps, "contour", thresholds)
    grown = grow_labels(subtract_contours(mask, contour, connectivity=connectivity), mask, rounds)
    eroded = erode_instances(grown, checked_whole(erosion_px, "erosion_px", " of pixels"))
    return _renumbered(remove_small(eroded, min_area_px=checked_whole(min_area_px, "min_area_px", " of pixels")))


def _above(maps: Maps, name: str, thresholds: Thresholds) -> Mask:
    """A map against its threshold."""
    for what, there in (("map", maps), ("threshold", thresholds)):
        if name not in there:
            raise ValueError(f"this post-processing needs the {what} {name!r}, got {', '.join(there) or 'none'}")
    values, threshold = maps[name], thresholds[name]
    if not isinstance(values, np.ndarray) or values.ndim != 2 or not np.issubdtype(values.dtype, np.floating):
        got = f"{values.dtype} {values.shape}" if isinstance(values, np.ndarray) else type(values).__name__
        raise ValueError(f"map {name!r}: expected probabilities, float (H, W), got {got}")
    if threshold == "otsu":
        return otsu_mask(values)
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
        raise ValueError(f"threshold of map {name!r}: expected a number in 0..1 or 'otsu', got {threshold!r}")
    return values > threshold


def _renumbered(instances: npt.NDArray[Any]) -> Instances:
    """Ids 1, 2, ... without gaps, in their order."""
    ids, places = np.unique(instances, return_inverse=True)
    ranks = np.arange(len(ids)) + (0 if len(ids) and ids[0] == 0 else 1)
    return ranks[places].reshape(instances.shape).astype(np.int32)


_BY_NAME: Mapping[str, Callable[..., Instances]] = {
    "components": components,
    "solid_components": solid_components,
    "watershed": watershed,
    "contour_watershed": contour_watershed,
    "contour_propagation": contour_propagation,
}
