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


def jaccards(true, pred):
    """{(true id, predicted id): IoU as a fraction} of the pairs that overlap."""
    true_objects, pred_objects = objects_of(true), objects_of(pred)
    return {(t, p): Fraction(n, len(true_objects[t] | pred_objects[p])) for (t, p), n in overlaps(true, pred).items()}


def matchings(pairs):
    """Every one-to-one choice among the pairs, the empty one included."""
    if not pairs:
        yield ()
        return
    first, rest = pairs[0], pairs[1:]
    yield from matchings(rest)
    for chosen in matchings([pair for pair in rest if pair[0] != first[0] and pair[1] != first[1]]):
        yield (first, *chosen)


def best_matching(true, pred):
    """Largest sum of IoU and, among those that reach it, the most shared pixels: tried one by one."""
    score, shared = jaccards(true, pred), overlaps(true, pred)
    return max((sum(score[pair] for pair in m), sum(shared[pair] for pair in m)) for m in matchings(list(score)))


def area(labels):
    return len(foreground(labels))


def aji_plus(true, pred):
    shared = best_matching(true, pred)[1]
    return ratio(shared, area(true) + area(pred) - shared, not area(true) and not area(pred))


def dice2(true, pred):
    true_objects, pred_objects = objects_of(true), objects_of(pred)
    shared, areas = 0, 0
    for (t, p), n in overlaps(true, pred).items():
        shared += n
        areas += len(true_objects[t]) + len(pred_objects[p])
    return ratio(2 * shared, areas, not true_objects and not pred_objects)


def panoptic_quality(true, pred, threshold=Fraction(1, 2)):
    """dq, sq, pq, tp, fp, fn."""
    matched = [score for score in jaccards(true, pred).values() if score > threshold]
    tp, trues, preds = len(matched), len(ids_of(true)), len(ids_of(pred))
    nothing = not trues and not preds
    found = ratio(2 * tp, trues + preds, nothing), ratio(sum(matched), tp, nothing)
    return (*found, ratio(2 * sum(matched), trues + preds, nothing), tp, preds - tp, trues - tp)


def average_precision(true, pred, threshold, strict):
    passing = [pair for pair, s in jaccards(true, pred).items() if s > threshold or (s == threshold and not strict)]
    tp = max(len(chosen) for chosen in matchings(passing))
    objects = len(ids_of(true)) + len(ids_of(pred))
    return ratio(tp, objects - tp, not objects)


def partner(one, others):
    """Id of the object in {id: pixels} that shares most pixels with `one`, the lowest of those that tie, or None."""
    best, most = None, 0
    for number, other in sorted(others.items()):
        if len(one & other) > most:
            best, most = number, len(one & other)
    return best


def object_f1(true, pred, fn="unmatched"):
    """f1, precision, recall, tp, fp, fn."""
    true_objects, pred_objects = objects_of(true), objects_of(pred)
    found, pointed, tp = set(), set(), 0
    for pixels in pred_objects.values():
        number = partner(pixels, true_objects)
        if number is not None:
            pointed.add(number)
            if Fraction(len(pixels & true_objects[number]), len(true_objects[number])) > Fraction(1, 2):
                found.add(number)
                tp += 1
    fp, missed = len(pred_objects) - tp, len(set(true_objects) - (found if fn == "unmatched" else pointed))
    nothing = not true_objects and not pred_objects
    scores = ratio(2 * tp, 2 * tp + fp + missed, nothing), ratio(tp, tp + fp, nothing), ratio(tp, tp + missed, nothing)
    return (*scores, tp, fp, missed)


def one_way_dice(objects, others):
    """Area-weighted sum of Dice over `objects`, each with its partner, and the sum of their areas."""
    total, areas = Fraction(0), 0
    for pixels in objects.values():
        areas += len(pixels)
        number = partner(pixels, others)
        if number is not None:
            both = len(pixels & others[number])
            total += len(pixels) * Fraction(2 * both, len(pixels) + len(others[number]))
    return total, areas


def object_dice(true, pred):
    sides = objects_of(true), objects_of(pred)
    if not sides[0] and not sides[1]:
        return float("nan")
    return sum(ratio(*one_way_dice(*pair), False) for pair in (sides, sides[::-1])) / 2
