"""Object Hausdorff distance of the GlaS contest."""

from functools import cache
from typing import Any, Literal, NamedTuple, overload

import numpy as np
import numpy.typing as npt

from histolab_lib.metrics.contingency import Contingency, contingency
from histolab_lib.metrics.distances import DistanceMaps, each_image, reduce_distances
from histolab_lib.metrics.farthest import Outlines, far_apart2, nearest_object2, outlines
from histolab_lib.metrics.glands import partners

__all__ = ["HausdorffSums", "hausdorff_sums", "object_hausdorff"]

_Floats = npt.NDArray[np.float64]


class HausdorffSums(NamedTuple):
    """What an object Hausdorff distance is made of, so that a set can be pooled.

    Attributes
    ----------
    true_sum, pred_sum : float
        Sum over the objects of one map of area (px) times Hausdorff distance (px); infinite where exactly one map is
        empty.
    true_area, pred_area : int
        Pixels of all objects of that map.
    """

    true_sum: float
    true_area: int
    pred_sum: float
    pred_area: int

    @property
    def value(self) -> float:
        """The distance in px: the mean of the two area-weighted means, 0 where both maps are empty."""
        if not (self.true_area or self.pred_area):
            return 0.0
        if not (self.true_area and self.pred_area):
            return float("inf")
        return (self.true_sum / self.true_area + self.pred_sum / self.pred_area) / 2


@overload
def object_hausdorff(
    true: DistanceMaps, pred: DistanceMaps, *, reduction: Literal["mean", "pooled"] = ...
) -> float: ...
@overload
def object_hausdorff(true: DistanceMaps, pred: DistanceMaps, *, reduction: Literal["none"]) -> _Floats: ...
def object_hausdorff(true: DistanceMaps, pred: DistanceMaps, *, reduction: str = "mean") -> float | _Floats:
    """Object Hausdorff distance of the GlaS contest (Sirinukunwattana et al. 2017), in px; lower is better.

    Each object is compared with its partner, the object of the other map that shares most pixels with it (the lowest
    id where several tie); without a partner, with the object of the other map that is nearest in this same distance.
    The mean over predicted and the mean over true objects, each weighted by area, are averaged.

    Parameters
    ----------
    true, pred : ndarray of integers or bool, shape (H, W)
        Instance maps, 0 = background; an id is an object, connected or not. A list or tuple of maps is a batch.
    reduction : {"mean", "pooled", "none"}
        What a batch gives: the mean over images; all objects of all images in one mean, weighted by area; or an array
        of one distance for each image. Images with exactly one empty map are infinite and left out of the first two
        (count them with "none"); where no other is left the result is infinite.

    Returns
    -------
    float, or ndarray of float64 with ``reduction="none"``
        Two empty maps are at distance 0, and stay in the mean; exactly one empty map is infinitely far.

    Raises
    ------
    TypeError, ValueError
        For maps that `contingency` refuses, and for an unknown `reduction`.

    Notes
    -----
    The distance of two objects is taken over all their pixels, from centre to centre, as the official program does;
    over boundaries alone, as many do, a disc and the ring of its rim would be equal (see the example). Holds exactly,
    and is computed so: pixels that two objects share do not matter; of the object that distances are taken *to* the
    boundary suffices; distance to it changes by at most the way between two pixels, so a sample of pixels rules out
    most others; and no two objects are nearer than their extents differ in any direction.

    Time grows with the pixels of the map and, for each pair compared, with the pixels in which they differ; each
    object without a partner adds one look at the extents of all objects of the other map.

    References
    ----------
    Sirinukunwattana et al., Medical Image Analysis 35 (2017) 489; ``ObjectHausdorff.m`` and ``Hausdorff.m`` of the
    organisers, which stop with an error where one map is empty.

    Examples
    --------
    >>> disc = np.ones((5, 5), int)
    >>> ring = disc.copy()
    >>> ring[1:-1, 1:-1] = 0
    >>> object_hausdorff(disc, ring)  # the middle is two pixels away from the ring
    2.0

    Object 2 has no partner; the nearest object is 7, as far as (4, 4) is from (2, 2):

    >>> true, pred = np.zeros((5, 5), int), np.zeros((5, 5), int)
    >>> true[4, 4], pred[2, 2] = 2, 7
    >>> object_hausdorff(true, pred)
    2.8284271247461903

    >>> nothing = np.zeros((5, 5), int)
    >>> object_hausdorff(nothing, nothing), object_hausdorff(disc, nothing)
    (0.0, inf)
    >>> object_hausdorff([disc, disc], [ring, nothing])  # the second has no distance that could be averaged
    2.0
    """
    allowed = ("mean", "pooled", "none")
    if reduction not in allowed:
        raise ValueError(f"reduction: got {reduction!r}, allowed are {', '.join(map(repr, allowed))}")
    images = each_image(hausdorff_sums, true, pred)
    if reduction == "pooled":
        return _pooled(images)
    result: float | _Floats = reduce_distances([image.value for image in images], reduction)
    return result


def hausdorff_sums(true: npt.NDArray[Any], pred: npt.NDArray[Any]) -> HausdorffSums:
    """Area-weighted sums of one image, from which `object_hausdorff` is computed, pooled or not.

    Parameters
    ----------
    true, pred : ndarray of integers or bool, shape (H, W)
        Instance maps, 0 = background.

    Returns
    -------
    HausdorffSums

    Examples
    --------
    >>> hausdorff_sums(np.array([[1, 1, 0, 0]]), np.array([[0, 1, 1, 1]]))
    HausdorffSums(true_sum=4.0, true_area=2, pred_sum=6.0, pred_area=3)
    """
    table = contingency(true, pred)
    true_area, pred_area = int(table.true_areas.sum()), int(table.pred_areas.sum())
    if not (true_area and pred_area):
        far = 0.0 if table.empty else float("inf")
        return HausdorffSums(far, true_area, far, pred_area)
    of_true, of_pred = _distances(
        table, outlines(true, table.true_ids, table.true_areas), outlines(pred, table.pred_ids, table.pred_areas)
    )
    return HausdorffSums(float(table.true_areas @ of_true), true_area, float(table.pred_areas @ of_pred), pred_area)


def _distances(table: Contingency, true: Outlines, pred: Outlines) -> tuple[_Floats, _Floats]:
    """Hausdorff distance of each true and of each predicted object to its partner or the nearest object."""

    @cache  # most partners have chosen each other
    def apart2(i: int, j: int) -> float:
        return far_apart2(true, i, pred, j)

    of_true, of_pred = (np.full(each.ids.size, -1.0) for each in (true, pred))
    from_true, from_pred = partners(table)
    for i, j in zip(table.i[from_true].tolist(), table.j[from_true].tolist(), strict=True):
        of_true[i] = apart2(i, j)
    for i, j in zip(table.i[from_pred].tolist(), table.j[from_pred].tolist(), strict=True):
        of_pred[j] = apart2(i, j)
    for own, far2, other in ((true, of_true, pred), (pred, of_pred, true)):
        for k in np.flatnonzero(far2 < 0).tolist():
            far2[k] = nearest_object2(own, k, other)
    return np.sqrt(of_true), np.sqrt(of_pred)


def _pooled(images: list[HausdorffSums]) -> float:
    finite = [image for image in images if np.isfinite(image.true_sum)]
    if not finite:
        return float("inf")
    return HausdorffSums(*(sum(column) for column in zip(*finite, strict=True))).value
