"""What the exhibits share: one mask for each object, and the dense tables of their overlaps."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from histolab_lib.metrics.contingency import check_maps

__all__ = ["Tables", "masks_of", "tables"]


class Tables(NamedTuple):
    """Areas of m true and n predicted objects by ascending id, and the pixels that each pair shares and covers."""

    true_areas: npt.NDArray[np.int64]  # (m,)
    pred_areas: npt.NDArray[np.int64]  # (n,)
    overlap: npt.NDArray[np.int64]  # (m, n)
    union: npt.NDArray[np.int64]  # (m, n)


def masks_of(labels: npt.NDArray[Any]) -> list[npt.NDArray[np.bool_]]:
    """One mask (H, W) for each object of a map, by ascending id; 0 is background."""
    return [labels == number for number in np.unique(labels) if number != 0]


def tables(true: npt.NDArray[Any], pred: npt.NDArray[Any]) -> Tables:
    """Overlap of every pair of objects, by masks: slow and plain."""
    check_maps(true, pred)
    true_masks, pred_masks = masks_of(true), masks_of(pred)
    overlap = np.array([[np.count_nonzero(t & p) for p in pred_masks] for t in true_masks], np.int64)
    overlap = overlap.reshape(len(true_masks), len(pred_masks))
    true_areas = np.array([np.count_nonzero(mask) for mask in true_masks], np.int64)
    pred_areas = np.array([np.count_nonzero(mask) for mask in pred_masks], np.int64)
    return Tables(true_areas, pred_areas, overlap, true_areas[:, None] + pred_areas - overlap)
