"""DAN-NucNet's released network from its description, channels last, one layer after the other, in numpy.

Weights come from a list in the order in which the network keeps them; maps are (H, W, C).
"""

import numpy as np

EPS = 1e-3
FILTERS = (32, 64, 128, 256, 512)


class Weights:
    """Arrays handed out one by one; a batch norm's counter is passed over."""

    def __init__(self, arrays):
        self.left = [np.asarray(array, np.float64) for array in arrays if np.ndim(array) > 0]

    def take(self, *shape):
        array = self.left.pop(0)
        assert array.shape == shape, (array.shape, shape)
        return array


def conv(w, x, filters, side):
    """A convolution padded with zeros so that the size stays."""
    kernel, bias = w.take(filters, x.shape[2], side, side), w.take(filters)
    height, width, _ = x.shape
    reach = side // 2
    wide = np.pad(x, ((reach, reach), (reach, reach), (0, 0)))
    out = np.zeros((height, width, filters)) + bias
    for row in range(side):
        for col in range(side):
            out += wide[row : row + height, col : col + width] @ kernel[:, :, row, col].T
    return out


def norm(w, x):
    gamma, beta, mean, variance = (w.take(x.shape[2]) for _ in range(4))
    return (x - mean) / np.sqrt(variance + EPS) * gamma + beta


def relu(x):
    return np.maximum(x, 0)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def pool(x, step, how):
    """2x2 pools; with step 1 they look right and down, and at the border see only what is there."""
    height, width, channels = x.shape
    out = np.empty((height // step, width // step, channels))
    for row in range(out.shape[0]):
        for col in range(out.shape[1]):
            seen = x[step * row : step * row + 2, step * col : step * col + 2]
            out[row, col] = how(seen, axis=(0, 1))
    return out


def transposed(w, x, filters):
    """3x3, step 2: each pixel paints a square; of the 2n + 1 rows and columns the last is cut off."""
    kernel, bias = w.take(x.shape[2], filters, 3, 3), w.take(filters)
    height, width, _ = x.shape
    out = np.zeros((2 * height + 1, 2 * width + 1, filters))
    for row in range(height):
        for col in range(width):
            out[2 * row : 2 * row + 3, 2 * col : 2 * col + 3] += np.einsum("c,cfab->abf", x[row, col], kernel)
    return out[:-1, :-1] + bias


def residual_block(w, x, filters):
    main = norm(w, relu(conv(w, x, filters, 1)))
    main = norm(w, relu(conv(w, main, filters, 3)))
    main = norm(w, relu(conv(w, main, filters, 1)))
    short = norm(w, relu(conv(w, x, filters, 1)))
    return relu(conv(w, np.concatenate([main, short], axis=2), filters, 3))


def bottleneck(w, x, filters):
    x = relu(conv(w, x, filters, 3))
    return norm(w, relu(conv(w, x, filters, 3)))


def spatial_gate(w, skip, below):
    ways = []
    for x in (skip, below):
        ways.append(conv(w, conv(w, pool(pool(x, 1, np.mean), 1, np.max), 1, 1), 1, 7))
    return sigmoid(ways[0] + ways[1])


def channel_gate(w, skip, below):
    channels = skip.shape[2]
    few = channels // 16
    four = [conv(w, pool(x, 1, how), few, 1) for x in (skip, below) for how in (np.mean, np.max)]
    a = conv(w, four[0] + four[1], few, 1)
    b = conv(w, four[2] + four[3], few, 1)
    return sigmoid(conv(w, a + b, channels, 1))


def gate(w, skip, below):
    filters = skip.shape[2]
    places, channels = spatial_gate(w, skip, below), channel_gate(w, skip, below)
    refined = channels * (places * skip)
    return norm(w, relu(conv(w, np.concatenate([refined, below], axis=2), filters, 3)))


def network(encoder, middle, ups, gates, head, image):
    """Logits (H, W) of an image (H, W, 3) in 0..1, from the weights of the five groups."""
    w = {"e": Weights(encoder), "m": Weights(middle), "u": Weights(ups), "g": Weights(gates), "h": Weights(head)}
    x, skips = image.astype(np.float64), []
    for filters in FILTERS[:4]:
        skips.append(residual_block(w["e"], x, filters))
        x = pool(skips[-1], 2, np.max)
    x = bottleneck(w["m"], x, FILTERS[4])
    for skip in skips[::-1]:
        x = gate(w["g"], skip, transposed(w["u"], x, skip.shape[2]))
    x = conv(w["h"], relu(conv(w["h"], x, FILTERS[0], 3)), 1, 1)
    assert not any(one.left for one in w.values())
    return x[:, :, 0]
