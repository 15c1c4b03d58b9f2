"""Scores of the gland contest as they go wrong in translation: background as a partner, and "at least" for "more than".

The contest's own programs are MATLAB; `object_dice`, `object_hausdorff` and `object_f1` of `histolab_lib.metrics`
follow them.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from histolab_lib.metrics.contingency import check_maps
from histolab_lib.metrics.legacy.objects import masks_of, tables

__all__ = ["glas_f1_from_half", "glas_port_object_dice", "glas_port_object_hausdorff"]

_Mask = npt.NDArray[np.bool_]


def glas_port_object_dice(true: npt.NDArray[Any], pred: npt.NDArray[Any]) -> float:
    """Object Dice of a Python port in circulation, which forgets to drop background before it takes the mode.

    Parameters
    ----------
    true, pred : ndarray of integers or bool, shape (H, W)
        Instance maps.

    Returns
    -------
    float
        1 for two empty maps, 0 for one, as in the contest.

    Notes
    -----
    An object's partner is the object of the other map that covers most of it: MATLAB removes the zeros, then takes the
    mode. The port takes the mode of all values. An object that lies mostly on background is then compared with *the
    whole background*, as though that were an object, and a poor match is scored by how much background there is.

    Examples
    --------
    A prediction beside its gland, one pixel shared. By the contest's rule the score is 2/7, on any canvas:

    >>> true, pred = np.zeros((2, 4, 5), int)
    >>> true[:2, :2] = 1
    >>> pred[1, 1:4] = 1
    >>> round(glas_port_object_dice(true, pred), 4)
    0.2481
    >>> round(glas_port_object_dice(np.pad(true, 20), np.pad(pred, 20)), 4)
    0.0025
    """
    return _weighted(true, pred, _dice)


def glas_port_object_hausdorff(true: npt.NDArray[Any], pred: npt.NDArray[Any]) -> float:
    """Object Hausdorff distance of the same port: the distance to the far corner of the background.

    Parameters
    ----------
    true, pred : ndarray of integers or bool, shape (H, W)
        Instance maps, each with an object.

    Returns
    -------
    float
        Pixels.

    Raises
    ------
    ValueError
        If a map holds no object: the contest's own program fails there.

    Notes
    -----
    As in `glas_port_object_dice`, an object that lies mostly on background takes background as its partner; the
    distance then measures how far the image extends.

    Examples
    --------
    The same maps as there; by the contest's rule the distance is 2, on any canvas:

    >>> true, pred = np.zeros((2, 4, 5), int)
    >>> true[:2, :2] = 1
    >>> pred[1, 1:4] = 1
    >>> round(glas_port_object_hausdorff(true, pred), 3)
    2.921
    >>> glas_port_object_hausdorff(np.pad(true, 20), np.pad(pred, 20)) > 25
    True
    """
    if not (np.any(true) and np.any(pred)):
        raise ValueError("true, pred: each map needs an object; the contest's program has no distance for none")
    return _weighted(true, pred, _hausdorff)


def glas_f1_from_half(true: npt.NDArray[Any], pred: npt.NDArray[Any]) -> tuple[int, int, int, float]:
    """GlaS F1 by the words of the contest's page, "at least 50 %", where its programs say more than 50 %.

    Parameters
    ----------
    true, pred : ndarray of integers or bool, shape (H, W)
        Instance maps, not both empty.

    Returns
    -------
    tp, fp, fn, f1

    Raises
    ------
    ZeroDivisionError
        For two empty maps.

    Notes
    -----
    With "at least", two halves of one gland both count as found, one more than there are glands: the number of missed
    ones turns negative and F1 passes 1.

    Examples
    --------
    >>> glas_f1_from_half(np.array([[1, 1, 1, 1]]), np.array([[2, 2, 3, 3]]))
    (2, 0, -1, 1.3333333333333333)
    """
    true_areas, pred_areas, overlap, _ = tables(true, pred)
    hit = 0
    for shared in overlap.T:
        if shared.any():
            partner = int(np.argmax(shared))
            hit += int(2 * shared[partner] >= true_areas[partner])
    invented, missed = pred_areas.size - hit, true_areas.size - hit
    return hit, invented, missed, 2 * hit / (true_areas.size + pred_areas.size)


def _weighted(true: npt.NDArray[Any], pred: npt.NDArray[Any], score: Callable[[_Mask, _Mask], float]) -> float:
    """Mean of both directions; in each, objects count by their share of all objects' pixels."""
    check_maps(true, pred)
    if not (np.any(true) and np.any(pred)):
        return float(np.any(true) == np.any(pred))
    return (_direction(true, pred, score) + _direction(pred, true, score)) / 2


def _direction(of: npt.NDArray[Any], other: npt.NDArray[Any], score: Callable[[_Mask, _Mask], float]) -> float:
    total = np.count_nonzero(of)
    result = 0.0
    for mask in masks_of(of):
        values, counts = np.unique(other[mask], return_counts=True)
        partner = other == values[np.argmax(counts)]  # 0 among the values: the fault
        result += np.count_nonzero(mask) / total * score(mask, partner)
    return float(result)


def _dice(a: _Mask, b: _Mask) -> float:
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def _hausdorff(a: _Mask, b: _Mask) -> float:
    """Largest distance from a pixel of either to the nearest of the other, both ways."""
    from scipy.ndimage import distance_transform_edt

    return max(float(distance_transform_edt(~b)[a].max()), float(distance_transform_edt(~a)[b].max()))
