"""A grey crop with holes and the hematoxylin of the crop, pixel by pixel."""

import numpy as np

# Ruifrok and Johnston 2001: hematoxylin, eosin, DAB, as they print them; rows are about 1 long
STAINS = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]])


def answer(image):
    """Hematoxylin of RGB (3, H, W) in 0..1, of which what is above 1 counts as 1."""
    told = np.empty(image.shape[1:])
    for place in np.ndindex(told.shape):
        density = -np.log10(np.maximum(image[(slice(None), *place)], 1 / 255))
        told[place] = np.clip(np.linalg.solve(STAINS.T, density)[0], 0, 1)
    return told


def spoiled(image, blocks, px=16):
    """The mean of the colours; where `blocks` (rows, cols) says so, that of the whole crop."""
    grey = image.mean(0)
    whole = grey.mean()
    seen = grey.copy()
    for row, col in np.ndindex(grey.shape):
        if blocks[row // px, col // px]:
            seen[row, col] = whole
    return np.stack([seen] * 3)
