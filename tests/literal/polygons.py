"""MATLAB's poly2mask, step by step and pixel by pixel, in plain Python: slow, and written apart from the library.

From the description of the algorithm: round the vertices to a grid of 5 x 5 points per pixel, walk the outline on
it, keep the steps that cross the middle of a pixel column, and go down each column counting them.
"""

from itertools import pairwise
from math import ceil

GRID = 5


def half_away_from_zero(value):
    whole = int(value)  # cuts towards zero
    if abs(value - whole) < 0.5:
        return whole
    return whole + 1 if value > 0 else whole - 1


def line(x1, y1, x2, y2):
    """Integer points from one grid point to another, along the longer axis, in the direction of the outline."""
    dx, dy = abs(x2 - x1), abs(y2 - y1)
    if dx == 0 and dy == 0:
        return [(x1, y1)]
    if dx >= dy:
        backwards = x1 > x2
        if backwards:
            x1, y1, x2, y2 = x2, y2, x1, y1
        points = [(x, half_away_from_zero(y1 + (y2 - y1) / (x2 - x1) * (x - x1))) for x in range(x1, x2 + 1)]
    else:
        backwards = y1 > y2
        if backwards:
            x1, y1, x2, y2 = x2, y2, x1, y1
        points = [(half_away_from_zero(x1 + (x2 - x1) / (y2 - y1) * (y - y1)), y) for y in range(y1, y2 + 1)]
    return points[::-1] if backwards else points


def poly2mask(polygon, height, width):
    """Rows of booleans; the polygon is a list of (x, y)."""
    mask = [[False] * width for _ in range(height)]
    if len(polygon) < 3:
        return mask
    closed = [*polygon, polygon[0]] if tuple(polygon[0]) != tuple(polygon[-1]) else list(polygon)
    grid = [tuple(half_away_from_zero(GRID * (value - 0.5) + 1) for value in point) for point in closed]
    outline = []
    for (x1, y1), (x2, y2) in pairwise(grid):
        outline += line(x1, y1, x2, y2)

    crossings = []  # row and column, from 1
    for (x1, y1), (x2, y2) in pairwise(outline):
        if x1 != x2:
            x = x1 - 1 if x2 < x1 else x1
            if (x + 2) % GRID == 0:
                crossings.append((max(ceil((min(y1, y2) + 2) / GRID), 1), (x + 2) // GRID))

    for column in range(1, width + 1):
        for row in range(1, height + 1):
            above = sum(1 for r, c in crossings if c == column and r <= row)
            mask[row - 1][column - 1] = above % 2 == 1
    return mask


def first_wins(polygons, height, width):
    """Rows of labels, as the official code draws them: a pixel already labelled keeps its label."""
    labels = [[0] * width for _ in range(height)]
    for number, polygon in enumerate(polygons, start=1):
        mask = poly2mask(polygon, height, width)
        for row in range(height):
            for column in range(width):
                if mask[row][column] and labels[row][column] == 0:
                    labels[row][column] = number
    return labels
