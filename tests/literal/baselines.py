"""An attention gate and multi-kernel pooling, pixel by pixel, from their papers' equations."""

import numpy as np


def normed(values, weight, norm):
    """A 1x1 convolution (out, in) of one pixel's channels, then batch norm by its running statistics."""
    scale, shift, mean, variance = norm
    return (weight @ values - mean) / np.sqrt(variance + 1e-5) * scale + shift


def attention_gate(skip, gating, of_skip, of_gating, psi):
    """Oktay et al. 2018: of maps (C, H, W); each layer is (weight, (scale, shift, mean, variance))."""
    gated = np.empty_like(skip)
    for row in range(skip.shape[1]):
        for col in range(skip.shape[2]):
            x, g = skip[:, row, col], gating[:, row, col]
            together = np.maximum(normed(x, *of_skip) + normed(g, *of_gating), 0)
            gated[:, row, col] = x / (1 + np.exp(-normed(together, *psi)[0]))
    return gated


def pooled(channel, px):
    """Maxima of windows side by side; what does not fill one is left out."""
    rows, cols = (side // px for side in channel.shape)
    return np.array([[channel[r * px : (r + 1) * px, c * px : (c + 1) * px].max() for c in range(cols)]
                     for r in range(rows)])  # fmt: skip


def enlarged(small, shape):
    """Bilinear interpolation between pixel centres, the outermost held beyond them."""

    def places(count, wanted):
        where = np.clip((np.arange(wanted) + 0.5) * count / wanted - 0.5, 0, count - 1)
        low = np.floor(where).astype(int)
        return low, np.minimum(low + 1, count - 1), where - low

    top, bottom, down = places(small.shape[0], shape[0])
    left, right, across = places(small.shape[1], shape[1])
    upper = small[top][:, left] * (1 - across) + small[top][:, right] * across
    lower = small[bottom][:, left] * (1 - across) + small[bottom][:, right] * across
    return upper * (1 - down[:, None]) + lower * down[:, None]


def multi_kernel_pooling(x, weight, bias):
    """Gu et al. 2019: of a map (C, H, W) and one 1x1 convolution, weight (C,)."""
    summaries = []
    for px in (2, 3, 5, 6):
        small = np.stack([pooled(channel, px) for channel in x])
        summaries.append(enlarged(np.tensordot(weight, small, 1) + bias, x.shape[1:]))
    return np.concatenate([summaries, x])
