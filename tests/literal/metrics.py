"""Scores by one mask for each object and plain loops: slow, obviously right, sharing no code with the package."""

from fractions import Fraction

import numpy as np


def ids_of(labels):
    return sorted({int(value) for value in np.asarray(labels).ravel().tolist()} - {0})


def pixels_of(labels, number):
    rows, columns = np.asarray(labels).shape
    return {(r, c) for r in range(rows) for c in range(columns) if int(labels[r, c]) == number}


def objects_of(labels):
    return {number: pixels_of(labels, number) for number in ids_of(labels)}


def foreground(labels):
    return set().union(*objects_of(labels).values())


def overlaps(true, pred):
    """{(true id, predicted id): shared pixels} of the pairs that share any."""
    true_objects, pred_objects = objects_of(true), objects_of(pred)
    table = {(t, p): len(a & b) for t, a in true_objects.items() for p, b in pred_objects.items()}
    return {pair: n for pair, n in table.items() if n}


def ratio(numerator, denominator, both_empty):
    if both_empty:
        return float("nan")
    return float(Fraction(numerator, denominator)) if denominator else 0.0


def dice(true, pred):
    t, p = foreground(true), foreground(pred)
    return ratio(2 * len(t & p), len(t) + len(p), not t and not p)


def iou(true, pred):
    t, p = foreground(true), foreground(pred)
    return ratio(len(t & p), len(t | p), not t and not p)


def precision(true, pred):
    t, p = foreground(true), foreground(pred)
    return ratio(len(t & p), len(p), not t and not p)


def recall(true, pred):
    t, p = foreground(true), foreground(pred)
    return ratio(len(t & p), len(t), not t and not p)


def aji_counts(true, pred):
    """Sum of intersections and sum of unions, and the predicted id that each true object took (None: no overlap)."""
    true_objects, pred_objects = objects_of(true), objects_of(pred)
    intersection, union, took = 0, 0, {}
    for t, a in true_objects.items():
        best, best_iou = None, Fraction(0)
        for p, b in pred_objects.items():  # ascending: a later one must be strictly better
            score = Fraction(len(a & b), len(a | b))
            if score > best_iou:
                best, best_iou = p, score
        took[t] = best
        if best is None:
            union += len(a)
        else:
            intersection += len(a & pred_objects[best])
            union += len(a | pred_objects[best])
    union += sum(len(b) for p, b in pred_objects.items() if p not in took.values())
    return intersection, union, took


def aji(true, pred):
    intersection, union, _ = aji_counts(true, pred)
    return ratio(intersection, union, not ids_of(true) and not ids_of(pred))
