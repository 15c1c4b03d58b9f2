"""Large pairs of maps to measure on: crowded ellipses with a flawed prediction, and walls of bricks."""

import numpy as np


def crowd(size, count, seed=0):
    """True and predicted int32 maps of `size` x `size` px with about `count` objects on either side.

    The predicted outlines are off by up to 3 px; 5 % of the objects are missed, as many are made up, 8 % are merged
    with their neighbour and 8 % cut in two.
    """
    rng = np.random.default_rng(seed)
    side = round(count**0.5)
    cell = size / side
    true, pred = np.zeros((2, size, size), np.int32)
    fates = rng.choice(["missed", "merged", "split", "found"], side * side, p=[0.05, 0.08, 0.08, 0.79])
    for number, fate in enumerate(fates, start=1):
        at = (np.array(divmod(number - 1, side)) + rng.uniform(0.2, 0.8, 2)) * cell
        shape = *(cell * rng.uniform(0.19, 0.4, 2)), rng.uniform(0, np.pi)
        _stamp(true, at, shape, number, number)
        if fate != "missed":
            name = number + 1 if fate == "merged" else number
            _stamp(pred, at + rng.integers(-3, 4, 2), shape, name, 2 * count + number if fate == "split" else name)
        if rng.random() < 0.05:
            _stamp(pred, rng.uniform(0, size, 2), shape, 4 * count + number, 4 * count + number)
    return true, pred


def _stamp(labels, at, shape, upper, lower):
    """Draw an ellipse (half axes and angle) where nothing is yet; its upper and lower part may be two objects."""
    reach = int(max(shape[:2])) + 1
    top, left = (max(0, int(centre) - reach) for centre in at)
    window = labels[top : int(at[0]) + reach + 1, left : int(at[1]) + reach + 1]
    y = np.arange(top, top + window.shape[0])[:, None] - at[0]
    x = np.arange(left, left + window.shape[1])[None] - at[1]
    cos, sin = np.cos(shape[2]), np.sin(shape[2])
    inside = ((y * cos + x * sin) / shape[0]) ** 2 + ((x * cos - y * sin) / shape[1]) ** 2 <= 1
    free = inside & (window == 0)
    window[free] = np.where(np.broadcast_to(y < 0, window.shape), upper, lower)[free]


def even_walls(bricks, brick_px):
    """Two walls of `bricks` x `bricks` squares, one moved by half a square: each overlaps four others equally."""
    lines = [(np.arange(bricks * brick_px, dtype=np.int32) + move) // brick_px for move in (0, brick_px // 2)]
    return tuple(line[:, None] * np.int32(bricks + 2) + line[None] + np.int32(1) for line in lines)


def ragged_walls(bricks, brick_px, seed=0):
    """Two walls of `bricks` courses of as many bricks of any length, one half a course above the other."""
    rng = np.random.default_rng(seed)
    size = bricks * brick_px
    walls = np.empty((2, size, size), np.int32)
    for wall, raised in zip(walls, (0, brick_px // 2), strict=True):
        for course in range(bricks + 1):
            cuts = np.sort(rng.choice(np.arange(1, size), bricks - 1, replace=False))
            rows = slice(max(0, course * brick_px - raised), (course + 1) * brick_px - raised)
            wall[rows] = np.searchsorted(cuts, np.arange(size), side="right") + course * bricks + 1
    return tuple(walls)
