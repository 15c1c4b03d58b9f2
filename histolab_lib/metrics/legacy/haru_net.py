"""HARU-Net (Chen et al. 2023): the evaluation of its repository, ``appraise.py``.

Source: ``Junzhou-Chen/HARU-Net``, ``appraise.py``, which takes most of its functions from HoVer-Net.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from histolab_lib.metrics.legacy.objects import tables

__all__ = ["HaruNetAverages", "haru_net_aji", "haru_net_averages", "haru_net_dice", "haru_net_first_pq", "haru_net_pq"]

_EPSILON = 1e-6


class HaruNetAverages(NamedTuple):
    """Means over images; NaN as soon as one image is NaN."""

    dice: float
    aji: float
    pq: float


def haru_net_dice(true: npt.NDArray[Any], pred: npt.NDArray[Any]) -> float:
    """``get_dice``: right by its formula, and NaN wherever either map is empty.

    Parameters
    ----------
    true, pred : ndarray of integers or bool, shape (H, W)
        Every value above 0 is foreground.

    Returns
    -------
    float

    Notes
    -----
    Computed as the harmonic mean of precision and recall. Without a prediction, precision is 0/0, and a plain miss,
    worth 0, becomes NaN, which then makes the mean of the whole set NaN.

    Examples
    --------
    >>> true = np.array([[1, 1, 0]])
    >>> haru_net_dice(true, np.array([[0, 1, 1]])), haru_net_dice(true, 0 * true)
    (0.5, nan)
    """
    t, p = np.asarray(true) > 0, np.asarray(pred) > 0
    hit, predicted, present = (float(np.count_nonzero(each)) for each in (t & p, p, t))
    if not (predicted and present):
        return float("nan")
    precision, recall = hit / predicted, hit / present
    return 2 * precision * recall / (precision + recall) if hit else float("nan")


def haru_net_aji(true: npt.NDArray[Any], pred: npt.NDArray[Any]) -> float:
    """The column "AJI", which is AJI+: one predicted object for each true one, by optimal assignment.

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
    The paper's equation lets each true object take the prediction of largest IoU, several times the same if need be;
    the program calls HoVer-Net's ``get_fast_aji_plus`` and prints the result as AJI. Neither of the two is always the
    larger, so the printed numbers compare with nobody's AJI.

    Examples
    --------
    One prediction over two nuclei; AJI is 0.4:

    >>> true = np.array([[1, 1, 0, 2, 2]] * 3)
    >>> haru_net_aji(true, np.ones((3, 5), int))
    0.2857142857142857
    """
    from scipy.optimize import linear_sum_assignment

    true_areas, pred_areas, overlap, union = tables(true, pred)
    rows, columns = linear_sum_assignment(-overlap / (union + _EPSILON))
    shared = int(overlap[rows, columns].sum())
    total = int(true_areas.sum() + pred_areas.sum()) - shared  # pairs without overlap count as unpaired
    return shared / total if total else float("nan")


def haru_net_pq(true: npt.NDArray[Any], pred: npt.NDArray[Any]) -> float:
    """``get_fast_pq``: PQ with a small number added below the line, so that perfection is not 1.

    Parameters
    ----------
    true, pred : ndarray of integers or bool, shape (H, W)
        Instance maps.

    Returns
    -------
    float

    Raises
    ------
    ZeroDivisionError
        For two empty maps, as there.

    Examples
    --------
    >>> true = np.array([[1, 1, 0]])
    >>> haru_net_pq(true, true)  # 1 / (1 + 1e-6)
    0.9999990000010001
    """
    true_areas, pred_areas, overlap, union = tables(true, pred)
    scores = (overlap / union)[2 * overlap > union]
    matched = scores.size
    missed, invented = true_areas.size - matched, pred_areas.size - matched
    detection = matched / (matched + 0.5 * invented + 0.5 * missed)
    return float(detection * (scores.sum() / (matched + _EPSILON)))


def haru_net_first_pq(true: npt.NDArray[Any], pred: npt.NDArray[Any]) -> float:
    """The "PQ" of the repository's first version: counted on pixels, where it is the Dice coefficient.

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
    ``TP / (TP + FP / 2 + FN / 2)`` is the detection quality where TP, FP and FN count objects. They count pixels here,
    so merging every nucleus with its neighbours costs nothing.

    Examples
    --------
    Two nuclei merged into one; the PQ is 0:

    >>> haru_net_first_pq(np.array([[1, 1, 2, 2]]), np.array([[1, 1, 1, 1]]))
    1.0
    """
    t, p = np.asarray(true) > 0, np.asarray(pred) > 0
    hit = np.count_nonzero(t & p)
    below = hit + np.count_nonzero(p & ~t) / 2 + np.count_nonzero(t & ~p) / 2
    return float(hit / below) if below else float("nan")


def haru_net_averages(true: Sequence[npt.NDArray[Any]], pred: Sequence[npt.NDArray[Any]]) -> HaruNetAverages:
    """Score each image and take the plain mean, as the program's last loop does.

    Parameters
    ----------
    true, pred : sequences of ndarray, each of shape (H, W)
        Instance maps.

    Returns
    -------
    HaruNetAverages

    Raises
    ------
    ZeroDivisionError
        If both maps of an image are empty.

    Examples
    --------
    One nucleus found, one missed: a mean Dice of 0.5, one would think:

    >>> nucleus = np.array([[1, 1, 0]])
    >>> haru_net_averages([nucleus, nucleus], [nucleus, 0 * nucleus]).dice
    nan
    """
    pairs = list(zip(true, pred, strict=True))
    means = [np.mean([score(t, p) for t, p in pairs]) for score in (haru_net_dice, haru_net_aji, haru_net_pq)]
    return HaruNetAverages(*(float(mean) for mean in means))
