"""Post-processing pixel by pixel: slow, obviously right, sharing no code with the package."""

import numpy as np


def dilate(pixels):
    """With a kernel of 3 x 3 ones."""
    return {(r + dr, c + dc) for r, c in pixels for dr in (-1, 0, 1) for dc in (-1, 0, 1)}


def grow(seeds, mask, steps=None):
    """HARU-Net's Algorithm 1, lines 4 to 10, as printed; but it stops where a pass claims nothing, too."""
    objects = seeds.copy()
    height, width = mask.shape
    passes = 0
    while (objects[mask] == 0).any() and (steps is None or passes < steps):
        claimed = 0
        for number in sorted({int(value) for value in seeds.ravel().tolist()} - {0}):
            id_mask = {(r, c) for r in range(height) for c in range(width) if int(objects[r, c]) == number}
            for r, c in dilate(id_mask):
                if 0 <= r < height and 0 <= c < width and mask[r, c] and objects[r, c] == 0:
                    objects[r, c] = number
                    claimed += 1
        passes += 1
        if not claimed:
            break
    return objects


def erode(instances, radius):
    kept = np.zeros_like(instances)
    height, width = instances.shape
    disk = [(dr, dc) for dr in range(-radius, radius + 1) for dc in range(-radius, radius + 1)]
    disk = [(dr, dc) for dr, dc in disk if dr * dr + dc * dc <= radius * radius]
    for r in range(height):
        for c in range(width):
            around = [(r + dr, c + dc) for dr, dc in disk if 0 <= r + dr < height and 0 <= c + dc < width]
            if all(instances[place] == instances[r, c] for place in around):
                kept[r, c] = instances[r, c]
    return kept
