"""HistoSeg (Wazir and Fraz 2022): three scores as ``HistoSeg_Test.py`` of its repository prints them.

Source: ``saadwazir/HistoSeg``, ``HistoSeg_Test.py``. Maps of a set are stacked: shape (N, H, W), truth 0 or 1,
prediction the probabilities that leave the sigmoid.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["histoseg_dice", "histoseg_f1", "histoseg_mean_iou"]

_EPSILON = 1e-7  # Keras' default


def histoseg_dice(true: npt.NDArray[Any], pred: npt.NDArray[Any]) -> float:
    """``Dice_score``: a similarity of single pixels, background included, and no overlap of regions at all.

    Parameters
    ----------
    true, pred : ndarray, shape (N, H, W) or (H, W)
        Truth in {0, 1}; prediction in 0..1.

    Returns
    -------
    float

    Notes
    -----
    The released ``dice_coef`` sums over the last axis, which is the one channel: a sum of one number. What is left is
    ``(2 t p + 1) / (t**2 + p**2 + 1)`` for each pixel, averaged over all pixels. For a binary prediction that is 1
    where it is right and 1/2 where it is wrong, so the score is exactly ``(1 + accuracy) / 2``: it cannot fall below
    one half, and an empty prediction on an image that is nearly all background scores nearly 1.

    Examples
    --------
    Four pixels of a hundred are nucleus, and none of them is found; the Dice coefficient is 0:

    >>> true = np.zeros((10, 10)); true[4:6, 4:6] = 1
    >>> histoseg_dice(true, np.zeros((10, 10)))
    0.98
    """
    t, p = np.asarray(true, float), np.asarray(pred, float)
    return float(np.mean((2 * t * p + 1) / (t**2 + p**2 + 1)))


def histoseg_mean_iou(true: npt.NDArray[Any], pred: npt.NDArray[Any]) -> float:
    """``mIoU``: mean IoU of background and foreground, of probabilities cut down to integers.

    Parameters
    ----------
    true, pred : ndarray, shape (N, H, W) or (H, W)
        As for `histoseg_dice`; all images enter one confusion matrix.

    Returns
    -------
    float

    Notes
    -----
    Keras' ``MeanIoU`` casts what it is given to integers, and the program gives it probabilities: 0.99 becomes 0. A
    pixel counts as foreground only where the sigmoid is exactly 1. Besides, background is averaged in. Keras leaves out
    a class that neither map holds.

    Examples
    --------
    A faultless prediction at 0.99; the IoU of the foreground at a threshold of one half is 1:

    >>> true = np.zeros((10, 10)); true[:5] = 1
    >>> histoseg_mean_iou(true, 0.99 * true)
    0.25
    >>> histoseg_mean_iou(true, true)
    1.0
    """
    t, p = np.asarray(true).astype(np.int64), np.asarray(pred).astype(np.int64)
    scores = []
    for number in (0, 1):
        union = np.count_nonzero((t == number) | (p == number))
        if union:
            scores.append(np.count_nonzero((t == number) & (p == number)) / union)
    return float(np.mean(scores))


def histoseg_f1(true: npt.NDArray[Any], pred: npt.NDArray[Any], *, batch: int = 32) -> float:
    """``F1_score``: the foreground's F1, pooled within each batch of a run, then averaged over batches.

    Parameters
    ----------
    true, pred : ndarray, shape (N, H, W)
        As for `histoseg_dice`; a probability of exactly 0.5 counts as background (rounded half to even).
    batch : int
        Images in a batch; 32 is what ``evaluate`` takes where the program says nothing.

    Returns
    -------
    float

    Notes
    -----
    No mean over images and no score of the whole set, but something between them, which changes with the batch and with
    the order of the images; a last, smaller batch weighs as much as a full one. The 14 tiles of MoNuSeg's test are one
    batch, so there it is the pooled score.

    Examples
    --------
    One image with 99 pixels found of 99, one with 1 pixel missed; alone, together, and in the other grouping:

    >>> true = np.ones((2, 3, 33)); pred = true.copy(); true[1] = pred[1] = 0; true[1, 0, 0] = 1
    >>> round(histoseg_f1(true, pred, batch=1), 3), round(histoseg_f1(true, pred, batch=2), 3)
    (0.5, 0.995)
    """
    t, p = np.asarray(true, float), np.asarray(pred, float)
    scores = [_f1(t[k : k + batch], p[k : k + batch]) for k in range(0, len(t), batch)]
    return float(np.mean(scores))


def _f1(true: npt.NDArray[Any], pred: npt.NDArray[Any]) -> float:
    hit = np.round(np.clip(true * pred, 0, 1)).sum()
    recall = hit / (np.round(np.clip(true, 0, 1)).sum() + _EPSILON)
    precision = hit / (np.round(np.clip(pred, 0, 1)).sum() + _EPSILON)
    return float(2 * precision * recall / (precision + recall + _EPSILON))
