"""Stain estimation written out in plain Python, pixel by pixel: slow, and written apart from the library."""

from math import atan2, cos, floor, log, log10, pi, sin, sqrt


def densities(image, beta):
    """Decimal optical densities of the pixels whose density vector is at least beta long."""
    kept = []
    for row in image.tolist():
        for pixel in row:
            density = [6.0 if value == 0 else -log10(value / 255) for value in pixel]
            if length(density) >= beta:
                kept.append(density)
    return kept


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def length(a):
    return sqrt(dot(a, a))


def unit(a):
    return [x / length(a) for x in a]


def percentile(values, percent):
    """Linear between the order statistics, the first being 0 % and the last 100 %."""
    ordered = sorted(values)
    place = percent / 100 * (len(ordered) - 1)
    below = floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def largest_direction(points, without=None):
    """First right singular vector by power iteration; at a right angle to another vector, if one is given."""
    guess = [1.0, 0.5, -0.25]
    for _ in range(2000):
        new = [0.0, 0.0, 0.0]
        for point in points:
            share = dot(point, guess)
            new = [n + share * p for n, p in zip(new, point, strict=True)]
        if without is not None:
            overlap = dot(new, without)
            new = [n - overlap * w for n, w in zip(new, without, strict=True)]
        new = unit(new)
        if length([n - g for n, g in zip(new, guess, strict=True)]) < 1e-13:
            break
        guess = new
    return guess


def macenko(image, beta=0.15, alpha=1.0):
    points = densities(image, beta)
    first = largest_direction(points)
    second = largest_direction(points, without=first)
    middle = [sum(column) / len(points) for column in zip(*points, strict=True)]
    if dot(first, middle) < 0:
        first = [-x for x in first]
    angles = [atan2(dot(point, second), dot(point, first)) for point in points]
    assert max(map(abs, angles)) < pi  # the fan does not reach round to the other side
    stains = []
    for angle in (percentile(angles, alpha), percentile(angles, 100 - alpha)):
        stains.append([cos(angle) * f + sin(angle) * s for f, s in zip(first, second, strict=True)])
    return sorted(stains, key=lambda stain: -stain[0])


def sparse_amounts(density, stains, sparsity):
    """Two non-negative amounts of least |density - amounts @ stains|^2 / 2 + sparsity * sum: one at a time, in turn."""
    amounts = [0.0, 0.0]
    for _ in range(3000):
        before = list(amounts)
        for k in (0, 1):
            other = amounts[1 - k]
            left = [d - other * s for d, s in zip(density, stains[1 - k], strict=True)]
            amounts[k] = max(0.0, (dot(left, stains[k]) - sparsity) / dot(stains[k], stains[k]))
        if max(abs(a - b) for a, b in zip(amounts, before, strict=True)) < 1e-13:
            break
    return amounts


def vahadane_cost(image, stains, beta=0.15, sparsity=0.1):
    """Mean over the tissue of the objective, in decimal densities; sparsity is that for natural ones."""
    points, weight, total = densities(image, beta), sparsity / log(10), 0.0
    for point in points:
        amounts = sparse_amounts(point, stains, weight)
        made = [amounts[0] * a + amounts[1] * b for a, b in zip(*stains, strict=True)]
        total += dot(*[[p - m for p, m in zip(point, made, strict=True)]] * 2) / 2 + weight * sum(amounts)
    return total / len(points)
