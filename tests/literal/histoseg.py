"""HistoSeg's attentions from their formulas, pixel by pixel, sharing no code with the package."""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def pointwise(x, weight, bias=None):
    """A 1x1 convolution: at each pixel a matrix times the channels; x (C, H, W)."""
    made = np.einsum("oc,chw->ohw", weight[:, :, 0, 0], x)
    return made if bias is None else made + bias[:, None, None]


def quick_attention(x, weight, bias=None):
    """Equation 1; one filter is added to every channel."""
    return sigmoid(pointwise(x, weight, bias)) + x


def residual_attention(x, weight, bias, kind):
    """(1 + M) x, with M as Wang et al. 2017 have it in equations 4 to 6."""
    made, mask = pointwise(x, weight, bias), np.empty(x.shape)
    channels, height, width = x.shape
    for c in range(channels):
        for row in range(height):
            for col in range(width):
                here = made[c, row, col]
                if kind == "mixed":
                    mask[c, row, col] = sigmoid(here)
                elif kind == "channel":
                    mask[c, row, col] = here / np.sqrt((made[:, row, col] ** 2).sum())
                else:
                    mask[c, row, col] = sigmoid((here - made[c].mean()) / made[c].std())
    return (1 + mask) * x


def local_self_attention(x, query, key, value, rows, columns, side, heads):
    """Section 3.1 of Ramachandran et al. 2019, one pixel and one head after the other."""
    q, k, v = (pointwise(x, weight) for weight in (query, key, value))
    channels, height, width = x.shape
    size, reach = channels // heads, side // 2
    out = np.zeros(x.shape)
    for head in range(heads):
        mine = slice(head * size, (head + 1) * size)
        for row in range(height):
            for col in range(width):
                scores, values = [], []
                for a in range(-reach, reach + 1):
                    for b in range(-reach, reach + 1):
                        inside = 0 <= row + a < height and 0 <= col + b < width
                        seen = (slice(None), row + a, col + b)
                        here = k[mine][seen] if inside else np.zeros(size)
                        offset = np.concatenate([rows[:, a + reach, 0], columns[:, 0, b + reach]])
                        scores.append(q[mine][:, row, col] @ (here + offset))
                        values.append(v[mine][seen] if inside else np.zeros(size))
                weights = np.exp(np.array(scores) - max(scores))
                out[mine, row, col] = (weights / weights.sum()) @ np.array(values)
    return out


def doubled(p, times):
    """A map (H, W) made `times` as large on both sides, linearly, pixels counting as areas, ends held."""
    height, width = p.shape
    out = np.empty((height * times, width * times))
    for row in range(height * times):
        for col in range(width * times):
            y, x = ((place + 0.5) / times - 0.5 for place in (row, col))
            y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
            top, left = int(y), int(x)
            below, right = min(top + 1, height - 1), min(left + 1, width - 1)
            upper = p[top, left] * (1 - x + left) + p[top, right] * (x - left)
            lower = p[below, left] * (1 - x + left) + p[below, right] * (x - left)
            out[row, col] = upper * (1 - y + top) + lower * (y - top)
    return out
