"""HARU-Net's blocks from their words and figures, one step after the other, sharing no code with the package."""

import numpy as np
import torch
import torch.nn.functional as F


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def context_fusion(maps, weights, separately):
    """Section 3.3 in numpy: pool, two layers, weigh, convolve; maps (N, C, H, W)."""
    first, second = weights["shared.0.weight"][:, :, 0, 0], weights["shared.2.weight"][:, :, 0, 0]
    made = []
    for one in maps:
        mean, highest = one.mean((1, 2)), one.max((1, 2))
        pooled = [mean, highest] if separately else [mean + highest]
        total = sum(
            second @ np.maximum(first @ v + weights["shared.0.bias"], 0) + weights["shared.2.bias"] for v in pooled
        )
        weighed = one * sigmoid(total)[:, None, None]
        kernel = weights["fuse.weight"]
        reach = kernel.shape[-1] // 2
        padded = np.pad(weighed, ((0, 0), (reach, reach), (reach, reach)))
        height, width = one.shape[1:]
        out = np.zeros((len(kernel), height, width))
        for row in range(height):
            for col in range(width):
                seen = padded[:, row : row + 2 * reach + 1, col : col + 2 * reach + 1]
                out[:, row, col] = (kernel * seen).sum((1, 2, 3)) + weights["fuse.bias"]
        made.append(out)
    return np.stack(made)


def u_block(block, x, height, flat):
    """Fig. 3: n - 1 steps down, a bottom, n - 1 steps up, in two lists; of `block` the convolutions alone are used."""
    levels = [block.nest]
    while len(levels) < height - 1:
        levels.append(levels[-1].below)
    entered = block.enter(x)
    skips, seen = [], entered
    for place, level in enumerate(levels):
        if place and not flat:
            seen = F.max_pool2d(seen, 2, 2, ceil_mode=True)
        seen = level.down(seen)
        skips.append(seen)
    seen = levels[-1].below(seen)
    for level, skip in zip(reversed(levels), reversed(skips), strict=True):
        seen = F.interpolate(seen, skip.shape[2:], mode="bilinear", align_corners=False)
        seen = level.up(torch.cat([seen, skip], 1))
    return seen + entered
