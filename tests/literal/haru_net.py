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


def u_block_of_4(block, x, flat):
    """Fig. 3 with n = 4: three steps down, a bottom, three up; of `block` the convolutions alone are used."""
    top, middle, low = block.nest, block.nest.below, block.nest.below.below
    pool = (lambda v: v) if flat else (lambda v: F.max_pool2d(v, 2, 2, ceil_mode=True))

    def joined(up, below, skip):
        below = F.interpolate(below, skip.shape[2:], mode="bilinear", align_corners=False)
        return up(torch.cat([below, skip], 1))

    entered = block.enter(x)
    first = top.down(entered)
    second = middle.down(pool(first))
    third = low.down(pool(second))
    bottom = low.below(third)
    up = joined(low.up, bottom, third)
    up = joined(middle.up, up, second)
    return joined(top.up, up, first) + entered


def four_patches():
    """Four patches of 64 px, each with discs of radius 8 to 11 px, darker than what is around them."""
    rng = np.random.default_rng(0)
    row, col = np.ogrid[:64, :64]
    ids = np.zeros((4, 64, 64), np.int32)
    for patch in ids:
        for number, (y, x) in enumerate(((16, 16), (16, 46), (46, 18), (47, 47)), 1):
            radius = rng.integers(8, 12)
            patch[(row - y) ** 2 + (col - x) ** 2 <= radius**2] = number
    grey = np.where(ids > 0, 0.35, 0.75) + rng.normal(0, 0.08, ids.shape)
    images = np.repeat(grey[:, None], 3, axis=1).clip(0, 1).astype(np.float32)
    return torch.from_numpy(images).contiguous(memory_format=torch.channels_last), torch.from_numpy(ids)
