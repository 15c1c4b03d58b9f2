"""Augmentation pixel by pixel, in plain numpy loops: slow, and written from the definitions alone."""

import math

import numpy as np


def turned_back(x, y, *, angle_deg=0.0, shift_px=(0.0, 0.0), shear_deg=0.0, zoom=1.0, turns=0, flip=False):
    """Where a point of the result comes from, in pixels from the centre: the steps undone one by one, last first."""
    x, y = x - shift_px[0], y - shift_px[1]
    a = math.radians(angle_deg)
    x, y = math.cos(a) * x + math.sin(a) * y, -math.sin(a) * x + math.cos(a) * y
    x, y = x / zoom, y / zoom
    x = x + math.tan(math.radians(shear_deg)) * y
    if flip:
        x = -x
    for _ in range(turns):  # a quarter turn counter-clockwise took (x, y) to (y, -x)
        x, y = -y, x
    return x, y


def mirrored(index, size):
    """... 1 0 | 0 1 2 | 2 1 0 | 0 1 ..."""
    index %= 2 * size
    return index if index < size else 2 * size - 1 - index


def warp(image, labels, size_px=None, **step):
    """Image (H, W, C) bilinear, labels (H, W) nearest; mirrored beyond the border."""
    height, width = labels.shape
    out_height, out_width = size_px or (height, width)
    moved = np.zeros((out_height, out_width, image.shape[2]))
    ids = np.zeros((out_height, out_width), labels.dtype)
    for row in range(out_height):
        for column in range(out_width):
            x, y = turned_back(column + 0.5 - out_width / 2, row + 0.5 - out_height / 2, **step)
            x, y = x + width / 2 - 0.5, y + height / 2 - 0.5  # in pixel indices of the source
            ids[row, column] = labels[mirrored(math.floor(y + 0.5), height), mirrored(math.floor(x + 0.5), width)]
            left, top = math.floor(x), math.floor(y)
            for i, wy in ((top, top + 1 - y), (top + 1, y - top)):
                for j, wx in ((left, left + 1 - x), (left + 1, x - left)):
                    moved[row, column] += wy * wx * image[mirrored(i, height), mirrored(j, width)]
    return moved, ids


def stained(pixel, scale, shift, stains):
    """One RGB pixel in 0..1 with other amounts of each stain."""
    od = [-math.log10(max(value, 1 / 255)) for value in pixel]
    amounts = np.linalg.solve(np.asarray(stains).T, od)
    changed = [s * amount + b for s, amount, b in zip(scale, amounts, shift, strict=True)]
    new = [sum(changed[k] * stains[k][channel] for k in range(3)) for channel in range(3)]
    return [min(1.0, 10**-value) for value in new]
