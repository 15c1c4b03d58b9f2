"""DAN-NucNet (Ahmad et al. 2023): scores and averages as ``metrics.py`` and ``test.py`` of its repository compute them.

Source: ``ibtihajahmadkhan/DAN-Nuc-Net``, ``metrics.py`` and ``test.py``. All scores are percentages.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = [
    "DanNucNetAverages",
    "dan_nucnet_averages",
    "dan_nucnet_jaccard",
    "dan_nucnet_precision",
    "dan_nucnet_recall",
]

_SMOOTH = 100


class DanNucNetAverages(NamedTuple):
    """Percentages for one group of images, rounded to four decimals, and by how many images the sums were divided."""

    f1: float
    jaccard: float
    precision: float
    recall: float
    images: int


def dan_nucnet_jaccard(true: npt.NDArray[Any], pred: npt.NDArray[Any]) -> float:
    """``jaccard``, printed under the heading AJI: pixel IoU with 100 pixels added above and below the line.

    Parameters
    ----------
    true, pred : ndarray, shape (H, W)
        Masks; every value but 0 is foreground.

    Returns
    -------
    float
        Per cent.

    Notes
    -----
    The argument ``smooth=100`` serves twice, as the constant that avoids 0/0 and as the factor that makes a percentage.
    As a constant, 100 pixels are more than a small nucleus has: whatever holds little foreground scores high, and two
    empty maps score 100. No object is looked at, so it is no AJI.

    Examples
    --------
    A nucleus of 4 pixels, missed:

    >>> true = np.zeros((8, 8), int); true[3:5, 3:5] = 1
    >>> round(dan_nucnet_jaccard(true, np.zeros((8, 8), int)), 2)
    96.15
    """
    t, p = np.asarray(true) != 0, np.asarray(pred) != 0
    return 100 * float(np.count_nonzero(t & p) + _SMOOTH) / float(np.count_nonzero(t | p) + _SMOOTH)


def dan_nucnet_precision(true: npt.NDArray[Any], pred: npt.NDArray[Any]) -> float:
    """The column "Precision", which holds recall: the program hands the prediction over as the truth.

    Parameters
    ----------
    true, pred : ndarray, shape (H, W)
        Masks; every value but 0 is foreground.

    Returns
    -------
    float
        Per cent of the true foreground that was predicted; 0 where there is none.

    Notes
    -----
    ``Precision(y_true, y_pred)`` is called as ``Precision(result, label)``, and ``Recall`` likewise. Both names are
    exchanged; F1 does not notice, being symmetric.

    Examples
    --------
    The prediction covers the truth and three times as much again, so a quarter of it is right:

    >>> true = np.array([[1, 0, 0, 0]])
    >>> pred = np.array([[1, 1, 1, 1]])
    >>> dan_nucnet_precision(true, pred), dan_nucnet_recall(true, pred)
    (100.0, 25.0)
    """
    return _share(np.asarray(true) != 0, np.asarray(pred) != 0)


def dan_nucnet_recall(true: npt.NDArray[Any], pred: npt.NDArray[Any]) -> float:
    """The column "Recall", which holds precision; see `dan_nucnet_precision`."""
    return _share(np.asarray(pred) != 0, np.asarray(true) != 0)


def dan_nucnet_averages(true: Sequence[npt.NDArray[Any]], pred: Sequence[npt.NDArray[Any]]) -> DanNucNetAverages:
    """Average one group of images as the loop of ``test.py`` does, failures dropped.

    Parameters
    ----------
    true, pred : sequences of ndarray, each of shape (H, W)
        Masks, in the order in which the folder lists them.

    Returns
    -------
    DanNucNetAverages

    Notes
    -----
    An image that scores F1 = 0, or NaN because both maps are empty, is taken back: the next one overwrites its place
    and the divisor does not grow. So a model is never charged for an image that it misses altogether. Two accidents
    add to that: where the *last* image is taken back nothing overwrites it, and its Jaccard, precision and recall stay
    in the sums; and after a NaN the loop looks at the place before, so that an empty image at the start takes two
    places back and one image is summed that the divisor does not count.

    Examples
    --------
    Three images: found, missed, found. The mean F1 is 67 %:

    >>> nucleus = np.ones((2, 2), int)
    >>> dan_nucnet_averages([nucleus] * 3, [nucleus, 0 * nucleus, nucleus])
    DanNucNetAverages(f1=100.0, jaccard=100.0, precision=100.0, recall=100.0, images=2)

    The missed one last: its smoothed Jaccard of 96 % is in the sum, not in the divisor, and the mean passes 100 %:

    >>> dan_nucnet_averages([nucleus] * 3, [nucleus, nucleus, 0 * nucleus]).jaccard
    148.0769
    """
    columns = np.zeros((4, len(true)))
    place = 0
    for t, p in zip(true, pred, strict=True):
        scores = (_f1(t, p), dan_nucnet_jaccard(t, p), dan_nucnet_precision(t, p), dan_nucnet_recall(t, p))
        try:
            columns[:, place] = scores
            place += 1
            if np.isnan(columns[0, place - 1]):
                place -= 1
            if columns[0, place - 1] == 0:
                place -= 1
        except IndexError:  # there, a bare except takes it for a missing file and goes on
            continue
    with np.errstate(divide="ignore", invalid="ignore"):
        means = np.round(columns.sum(axis=1) / place, 4)
    f1, jaccard, precision, recall = (float(mean) for mean in means)
    return DanNucNetAverages(f1, jaccard, precision, recall, place)


def _f1(true: npt.NDArray[Any], pred: npt.NDArray[Any]) -> float:
    t, p = np.asarray(true) != 0, np.asarray(pred) != 0
    total = np.count_nonzero(t) + np.count_nonzero(p)
    return 200 * float(np.count_nonzero(t & p)) / float(total) if total else float("nan")


def _share(of: npt.NDArray[np.bool_], covered: npt.NDArray[np.bool_]) -> float:
    size = np.count_nonzero(of)
    return 100 * float(np.count_nonzero(of & covered)) / float(size) if size else 0.0
