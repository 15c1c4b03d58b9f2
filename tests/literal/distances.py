"""Distances and errors pixel by pixel: slow, obviously right, sharing no code with the package."""

from fractions import Fraction
from math import dist, floor, inf, nan

from tests.literal.metrics import foreground, objects_of


def hausdorff(a, b):
    """Over all pixels of both sets, both ways."""
    there = max(min(dist(p, q) for q in b) for p in a)
    return max(there, max(min(dist(p, q) for p in a) for q in b))


def hausdorff_of_boundaries(a, b):
    """What it is not: the same over boundary pixels alone."""
    return hausdorff(boundary(a), boundary(b))


def sides(true, pred, apart=hausdorff):
    """Area-weighted sum of distances to the partner, and area: of the true objects, then of the predicted ones."""
    found = []
    for own, others in ((true, pred), (pred, true)):
        own, others = objects_of(own), objects_of(others)
        total = 0.0
        for a in own.values():
            shared = {number: len(a & b) for number, b in others.items()}
            most = max(shared.values())
            if most:
                partner = min(number for number, n in shared.items() if n == most)
                far = apart(a, others[partner])
            else:
                far = min(apart(a, b) for b in others.values())
            total += len(a) * far
        found.append((total, sum(len(a) for a in own.values())))
    return found


def object_hausdorff(true, pred, apart=hausdorff):
    if not foreground(true) and not foreground(pred):
        return 0.0
    if not foreground(true) or not foreground(pred):
        return inf
    return sum(total / area for total, area in sides(true, pred, apart)) / 2


def boundary(pixels):
    """Pixels with one of the four neighbours outside; beyond the image is outside."""
    return {(r, c) for r, c in pixels if not {(r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)} <= pixels}


def surface_distances(true, pred):
    t, p = boundary(foreground(true)), boundary(foreground(pred))
    return [min(dist(a, b) for b in p) for a in t] if p else [], [min(dist(a, b) for b in t) for a in p] if t else []


def percentile(values, percent):
    """Linear between the two nearest of the sorted values."""
    values = sorted(values)
    place = Fraction(percent, 100) * (len(values) - 1)
    low = floor(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + float(place - low) * (values[high] - values[low])


def hd95(true, pred, variant):
    if not foreground(true) and not foreground(pred):
        return 0.0
    if not foreground(true) or not foreground(pred):
        return inf
    from_true, from_pred = surface_distances(true, pred)
    if variant == "pooled":
        return percentile(from_true + from_pred, 95)
    return max(percentile(from_true, 95), percentile(from_pred, 95))


def boundary_f1(true, pred, tolerance):
    if not foreground(true) and not foreground(pred):
        return nan
    if not foreground(true) or not foreground(pred):
        return 0.0
    shares = [sum(d <= tolerance for d in side) / len(side) for side in surface_distances(true, pred)]
    return 2 * shares[0] * shares[1] / sum(shares) if sum(shares) else 0.0


def error_classes(true, pred, match_iou=Fraction(1, 2), cover=Fraction(1, 2)):
    """{id: class} of the true objects, and of the predicted ones."""
    true, pred = objects_of(true), objects_of(pred)
    pairs = [(t, p) for t, a in true.items() for p, b in pred.items() if len(a & b) > match_iou * len(a | b)]
    in_pred = {p: [t for t, a in true.items() if len(a & b) > cover * len(a)] for p, b in pred.items()}
    in_true = {t: [p for p, b in pred.items() if len(a & b) > cover * len(b)] for t, a in true.items()}
    of_true, of_pred = {}, {}
    for t in true:
        if t in [pair[0] for pair in pairs]:
            of_true[t] = "matched"
        elif any(t in held and len(held) >= 2 for held in in_pred.values()):
            of_true[t] = "merged"
        else:
            of_true[t] = "split" if len(in_true[t]) >= 2 else "missed"
    for p in pred:
        if p in [pair[1] for pair in pairs]:
            of_pred[p] = "matched"
        elif len(in_pred[p]) >= 2:
            of_pred[p] = "merged"
        else:
            held = any(p in others and len(others) >= 2 for others in in_true.values())
            of_pred[p] = "split" if held else "false"
    return of_true, of_pred
