"""Scores of nuclei as four public programs compute them, where they differ from what they are named after."""

from typing import Any

import numpy as np
import numpy.typing as npt

from histolab_lib.metrics.legacy.objects import tables

__all__ = ["cellpose_aji", "hover_net_aji", "hover_net_dice", "kumar_pseudocode_aji", "panopticapi_pq"]


def kumar_pseudocode_aji(true: npt.NDArray[Any], pred: npt.NDArray[Any]) -> float:
    """AJI by the pseudo-code of Kumar et al. (2017) read literally: a nucleus without overlap takes the first object.

    Parameters
    ----------
    true, pred : ndarray of integers or bool, shape (H, W)
        Instance maps, with at least one predicted object.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        Without a predicted object, as there is nothing to choose from.

    Notes
    -----
    Every true object takes the predicted one of largest IoU, and where all are 0 that is the first. Its area is added
    to the union and it counts as used, wherever it lies, so the score depends on which object has the lowest id. The
    organisers' own program does not do this: it adds the missed nucleus alone, and so does `histolab_lib.metrics.aji`.

    Examples
    --------
    One nucleus found exactly, one missed. The area of the latter joins the union: 2 / (2 + 1). Read literally, that of
    the prediction joins it once more: 2 / (2 + 1 + 2):

    >>> kumar_pseudocode_aji(np.array([[1, 1, 0, 2]]), np.array([[1, 1, 0, 0]]))
    0.4
    """
    true_areas, pred_areas, overlap, union = tables(true, pred)
    if not pred_areas.size:
        raise ValueError("pred: holds no object, and the pseudo-code has no rule for that")
    return _aji(true_areas, pred_areas, overlap, union, np.argmax(overlap / union, axis=1))


def hover_net_aji(true: npt.NDArray[Any], pred: npt.NDArray[Any]) -> float:
    """HoVer-Net's ``get_fast_aji``: a small number added to the union decides ties for the larger object.

    Parameters
    ----------
    true, pred : ndarray of integers or bool, shape (H, W)
        Instance maps, with at least one predicted object.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        Without a predicted object, as there: "argmax of an empty sequence".

    Notes
    -----
    ``vqdang/hover_net``, ``metrics/stats_utils.py``: IoU is ``n / (u + 1e-6)``. Equal fractions then differ, the one of
    the larger union being the larger, while the organisers' program takes the lowest id.

    Examples
    --------
    Objects 5 and 8 both have IoU 1/3 with the nucleus. The lowest id gives 1/8:

    >>> true = np.array([[1, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    >>> pred = np.array([[5, 8, 8, 8], [0, 0, 0, 8], [0, 0, 0, 8]])
    >>> hover_net_aji(true, pred)
    0.2857142857142857
    """
    true_areas, pred_areas, overlap, union = tables(true, pred)
    if not pred_areas.size:
        raise ValueError("pred: holds no object; the released function fails there, too")
    chosen = np.argmax(overlap / (union + 1e-6), axis=1)
    chosen[~overlap.any(axis=1)] = -1
    return _aji(true_areas, pred_areas, overlap, union, chosen)


def hover_net_dice(true: npt.NDArray[Any], pred: npt.NDArray[Any]) -> float:
    """HoVer-Net's ``get_dice_1``: Dice for integers, something else for bool, where plus means or.

    Parameters
    ----------
    true, pred : ndarray of integers or bool, shape (H, W)
        Every value above 0 is foreground.

    Returns
    -------
    float
        NaN for two empty maps.

    Notes
    -----
    ``vqdang/hover_net``, ``metrics/stats_utils.py``: the denominator is ``np.sum(true + pred)``. The sum of two bool
    arrays is their union, so a pixel of both counts once and the score is ``2 I / |T or P|``, which can reach 2.

    Examples
    --------
    >>> true, pred = np.array([[1, 1, 0]]), np.array([[0, 1, 1]])
    >>> hover_net_dice(true, pred), round(hover_net_dice(true > 0, pred > 0), 3)
    (0.5, 0.667)
    """
    t, p = ((np.asarray(each) > 0).astype(each.dtype) for each in (true, pred))
    below = int(np.sum(t + p))
    return 2 * int(np.sum(t * p)) / below if below else float("nan")


def cellpose_aji(true: npt.NDArray[Any], pred: npt.NDArray[Any]) -> float:
    """Cellpose's ``aggregated_jaccard_index``: neither AJI nor AJI+.

    Parameters
    ----------
    true, pred : ndarray of integers or bool, shape (H, W)
        Instance maps.

    Returns
    -------
    float
        NaN for two empty maps.

    Notes
    -----
    ``MouseLand/cellpose``, ``cellpose/metrics.py``: objects are paired one to one, most pairs of IoU >= 1/2 first, and
    the shared pixels are divided by the union of the two *foregrounds*. Pixels of an object that its partner lacks but
    another object covers cost nothing: the score is at least what AJI+ would give for the same pairs.

    Examples
    --------
    One prediction over two nuclei; AJI is 0.4 and AJI+ 0.286:

    >>> cellpose_aji(np.array([[1, 1, 0, 2, 2]] * 3), np.ones((3, 5), int))
    0.4
    """
    from scipy.optimize import linear_sum_assignment

    true_areas, pred_areas, overlap, union = tables(true, pred)
    foreground = int(true_areas.sum() + pred_areas.sum() - overlap.sum())
    if not foreground:
        return float("nan")
    iou = overlap / union
    rows, columns = linear_sum_assignment(-(iou >= 0.5).astype(float) - iou / (2 * max(1, min(iou.shape))))
    return int(overlap[rows, columns].sum()) / foreground


def panopticapi_pq(true: npt.NDArray[Any], pred: npt.NDArray[Any]) -> tuple[int, int, int, float]:
    """PQ as COCO's ``panopticapi`` gives it to maps of nuclei, whose background it takes for *void*.

    Parameters
    ----------
    true, pred : ndarray of integers or bool, shape (H, W)
        Instance maps.

    Returns
    -------
    tp, fp, fn, pq
        PQ is 0 where there is nothing to count.

    Notes
    -----
    ``cocodataset/panopticapi``, ``evaluation.py``: in a panoptic map every pixel belongs to a segment, and id 0 marks
    what nobody labelled. Pixels of a prediction that lie there leave its union, and a prediction that lies mostly there
    is no false positive. For nuclei 0 is background: spilling over a border, or inventing nuclei, then costs nothing.

    Examples
    --------
    A nucleus of 4 px; the prediction covers it and 12 px of background (IoU 1/4), and elsewhere a second one is
    invented. That is no match, one missed and two invented, PQ 0; here it is perfect:

    >>> true, pred = np.zeros((2, 6, 8), int)
    >>> true[1:3, 1:3] = 1
    >>> pred[:4, :4] = 1
    >>> pred[5, 6] = 2
    >>> panopticapi_pq(true, pred)
    (1, 0, 0, 1.0)
    """
    _, pred_areas, overlap, union = tables(true, pred)
    void = pred_areas - overlap.sum(axis=0)
    iou = overlap / (union - void)
    match = iou > 0.5
    hit = int(match.sum())
    invented = int(np.count_nonzero(~match.any(axis=0) & (2 * void <= pred_areas)))
    missed = int(np.count_nonzero(~match.any(axis=1)))
    below = hit + invented / 2 + missed / 2
    return hit, invented, missed, float(iou[match].sum() / below) if below else 0.0


def _aji(
    true_areas: npt.NDArray[np.int64],
    pred_areas: npt.NDArray[np.int64],
    overlap: npt.NDArray[np.int64],
    union: npt.NDArray[np.int64],
    chosen: npt.NDArray[np.int64],
) -> float:
    """AJI where true object i takes predicted object ``chosen[i]``; -1: none."""
    rows = np.flatnonzero(chosen >= 0)
    columns = chosen[rows]
    unused = np.setdiff1d(np.arange(pred_areas.size), columns)
    below = union[rows, columns].sum() + true_areas[chosen < 0].sum() + pred_areas[unused].sum()
    return float(overlap[rows, columns].sum() / below)
