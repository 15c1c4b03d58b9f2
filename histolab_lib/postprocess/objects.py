"""Objects: the components of a mask, the small ones gone, or each of them shrunk."""

from typing import Any

import numpy as np
import numpy.typing as npt

from histolab_lib.postprocess.checks import Mask, checked_instances, checked_mask, checked_whole, neighbours

__all__ = ["erode_instances", "remove_small", "split_components"]


def split_components(mask: Mask, *, connectivity: int | None) -> npt.NDArray[np.int32]:
    """Number the connected components of a mask 1, 2, ... in the order of their first pixels.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
    connectivity : {4, 8}
        Whether pixels that share only a corner belong together. No default: sets and papers differ.

    Returns
    -------
    ndarray of int32, shape (H, W)
        0 is background. Touching nuclei come out as one: see `watershed_instances`.

    Examples
    --------
    >>> mask = np.array([[1, 0, 1], [0, 1, 0]], bool)
    >>> split_components(mask, connectivity=4)
    array([[1, 0, 2],
           [0, 3, 0]], dtype=int32)
    >>> int(split_components(mask, connectivity=8).max())
    1
    """
    from scipy.ndimage import generate_binary_structure, label

    mask = checked_mask(mask)
    structure = generate_binary_structure(2, neighbours(connectivity))
    labels = np.zeros(mask.shape, np.int32)
    label(mask, structure, output=labels)
    return labels


def remove_small(
    mask_or_labels: npt.NDArray[Any], *, min_area_px: int, connectivity: int | None = None
) -> npt.NDArray[Any]:
    """Set objects of fewer than `min_area_px` pixels to background.

    Parameters
    ----------
    mask_or_labels : ndarray of bool or integers, shape (H, W)
        In a bool mask the objects are its connected components, in an instance map its ids, connected or not.
    min_area_px : int
        Smallest area that stays.
    connectivity : {4, 8}
        Needed for a mask, where it says what is one component; not allowed for an instance map.

    Returns
    -------
    ndarray of the dtype and shape given
        A copy; ids are kept.

    Examples
    --------
    >>> mask = np.array([[1, 0, 0], [0, 1, 0]], bool)
    >>> int(remove_small(mask, min_area_px=2, connectivity=8).sum())
    2
    >>> int(remove_small(mask, min_area_px=2, connectivity=4).sum())
    0
    >>> remove_small(np.array([[7, 7, 9]]), min_area_px=2)
    array([[7, 7, 0]])
    """
    objects = np.asarray(mask_or_labels)
    if objects.ndim != 2 or objects.dtype.kind not in "biu":
        raise ValueError(f"mask_or_labels: expected bool or integers (H, W), got {objects.dtype} {objects.shape}")
    if objects.dtype.kind == "b":
        labels = split_components(objects, connectivity=connectivity)
        return objects & (np.bincount(labels.ravel()) >= min_area_px)[labels]
    if connectivity is not None:
        raise ValueError(f"connectivity: an id of an instance map is an object as it is, got {connectivity!r}; omit it")
    _, rank, areas = np.unique(objects, return_inverse=True, return_counts=True)
    return np.where((areas >= min_area_px)[rank].reshape(objects.shape), objects, objects.dtype.type(0))


def erode_instances(instances: npt.NDArray[Any], radius_px: int) -> npt.NDArray[Any]:
    """Shrink each object by itself: a pixel stays where the whole disk around it has the pixel's own id.

    Parameters
    ----------
    instances : ndarray of integers, shape (H, W)
        0 is background, an id is an object, connected or not.
    radius_px : int
        Radius of the disk: all offsets of at most this Euclidean length (1 px: 5 pixels). 0 changes nothing.

    Returns
    -------
    ndarray of the dtype and shape given
        A copy; ids are kept. What no disk fits into is gone, and an object may come apart and keep its one id.

    Raises
    ------
    ValueError
        If `instances` holds no integers (H, W), or a negative one, or `radius_px` is no whole number, 0 or more.

    Notes
    -----
    Objects that touch are parted, both sides giving way. What lies beyond the border is not known and takes nothing
    away, as in OpenCV and scikit-image. HARU-Net (Chen et al. 2023, section 4.4.2) says that it eroded on CoNSeP, not
    by what; its released code has no erosion.

    Time grows with pixels times the square of the radius.

    Examples
    --------
    >>> touching = np.array([[1, 1, 1, 2, 2, 2]] * 4)
    >>> erode_instances(touching, 1)
    array([[1, 1, 0, 0, 2, 2],
           [1, 1, 0, 0, 2, 2],
           [1, 1, 0, 0, 2, 2],
           [1, 1, 0, 0, 2, 2]])
    >>> int(erode_instances(np.array([[0, 7, 0]]), 1).sum())
    0
    """
    instances = checked_instances(instances, "instances")
    radius = checked_whole(radius_px, "radius_px", " of pixels")
    keep = np.ones(instances.shape, bool)
    for down in range(radius + 1):
        for right in range(-radius, radius + 1):
            if 0 < down**2 + right**2 <= radius**2 and (down or right > 0):  # the other half are these, seen backwards
                here, there = _shifted(instances.shape, down, right)
                same = instances[here] == instances[there]
                keep[here] &= same
                keep[there] &= same
    return np.where(keep, instances, instances.dtype.type(0))


def _shifted(shape: tuple[int, ...], down: int, right: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Slices of all pixels that have another so far below and to the right, and of those others."""
    height, width = (max(0, size - abs(by)) for size, by in zip(shape, (down, right), strict=True))
    left = max(0, -right)
    here = slice(0, height), slice(left, left + width)
    return here, (slice(down, down + height), slice(left + right, left + right + width))
