"""AJI, AJI+ and PQ the way they are usually programmed: one mask of the whole image for every object."""

import numpy as np
from scipy.optimize import linear_sum_assignment


def masks_of(labels):
    return {int(number): np.array(labels == number, np.uint8) for number in np.unique(labels) if number}


def pairs(true, pred):
    """Intersections and unions of every true with every predicted object, and the areas of either side."""
    true_masks, pred_masks = masks_of(true), masks_of(pred)
    column = {number: k for k, number in enumerate(pred_masks)}
    inter, union = np.zeros((2, len(true_masks), len(pred_masks)))
    for row, mask in enumerate(true_masks.values()):
        for number in np.unique(pred[mask > 0]):
            if number:
                other = pred_masks[int(number)]
                shared = (mask * other).sum()
                inter[row, column[int(number)]] = shared
                union[row, column[int(number)]] = (mask + other).sum() - shared
    areas = [np.array([mask.sum() for mask in masks.values()], float) for masks in (true_masks, pred_masks)]
    return inter, union, *areas


def _jaccard(inter, union):
    return np.divide(inter, union, out=np.zeros_like(inter), where=union > 0)


def aji(inter, union, true_areas, pred_areas):
    best = _jaccard(inter, union).argmax(axis=1)
    rows = np.flatnonzero(inter.any(axis=1))
    unused = np.setdiff1d(np.arange(pred_areas.size), best[rows])
    alone = np.setdiff1d(np.arange(true_areas.size), rows)
    total = union[rows, best[rows]].sum() + true_areas[alone].sum() + pred_areas[unused].sum()
    return inter[rows, best[rows]].sum() / total


def aji_plus(inter, union, true_areas, pred_areas):
    shared = inter[linear_sum_assignment(_jaccard(inter, union), maximize=True)].sum()
    return shared / (true_areas.sum() + pred_areas.sum() - shared)


def pq(inter, union, true_areas, pred_areas):
    score = _jaccard(inter, union)
    return score[score > 0.5].sum() / ((true_areas.size + pred_areas.size) / 2)
