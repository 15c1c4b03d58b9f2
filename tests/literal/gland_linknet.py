"""LinkNet one layer after the other, from its table of layers: weights are taken from a list in their order."""

import math

import numpy as np
import torch
import torch.nn.functional as F

EPS = 1e-5


class Weights:
    """Tensors handed out one by one; a batch norm's counter is passed over."""

    def __init__(self, tensors):
        self.left = [tensor.double() for tensor in tensors if tensor.ndim > 0]

    def take(self, *shape):
        tensor = self.left.pop(0)
        assert tuple(tensor.shape) == shape, (tuple(tensor.shape), shape)
        return tensor


def norm(w, x):
    """Batch norm by its running statistics."""
    channels = x.shape[1]
    scale, shift, mean, variance = (w.take(channels)[None, :, None, None] for _ in range(4))
    return (x - mean) / (variance + EPS).sqrt() * scale + shift


def conv(w, x, channels, kernel, stride=1, bias=False):
    """A convolution padded so that stride 1 keeps the size."""
    weight = w.take(channels, x.shape[1], kernel, kernel)
    return F.conv2d(x, weight, w.take(channels) if bias else None, stride, kernel // 2)


def full_conv(w, x, channels, kernel, stride, bias=False):
    """A full convolution to exactly `stride` times the size: each pixel paints its kernel, and paint adds up."""
    n, inside, height, width = x.shape
    weight = w.take(inside, channels, kernel, kernel)
    painted = torch.zeros(n, channels, height * stride + kernel, width * stride + kernel, dtype=x.dtype)
    for row in range(kernel):
        for col in range(kernel):
            paint = torch.einsum("nihw,io->nohw", x, weight[:, :, row, col])
            painted[:, :, row : row + height * stride : stride, col : col + width * stride : stride] += paint
    first = (kernel - 1) // 2  # what hangs over at the upper left is cut off
    painted = painted[:, :, first : first + height * stride, first : first + width * stride]
    return painted + w.take(channels)[None, :, None, None] if bias else painted


def residual(w, x, channels, stride):
    """Two 3x3 convolutions around which the input goes, by a 1x1 convolution where the shape changes."""
    out = norm(w, conv(w, x, channels, 3, stride)).relu()
    out = norm(w, conv(w, out, channels, 3))
    if stride > 1:
        weight = w.take(channels, x.shape[1], 1, 1)
        x = norm(w, F.conv2d(x, weight, stride=stride))
    return (out + x).relu()


def decoder(w, x, channels, stride):
    narrow = x.shape[1] // 4
    x = norm(w, conv(w, x, narrow, 1)).relu()
    x = norm(w, full_conv(w, x, narrow, 3, stride)).relu()
    return norm(w, conv(w, x, channels, 1)).relu()


def linknet(tensors, x, *, links=4, inner=None):
    """Logits of the mask (N, 1, H, W), and of the coarse output, where `inner` says on what it sits."""
    w = Weights(tensors)
    x = norm(w, conv(w, x.double(), 64, 7, 2)).relu()
    x = F.max_pool2d(x, 3, 2, 1)
    given = []  # what each stage of the encoder is given
    for channels in (64, 128, 256, 512):
        given.append(x)
        x = residual(w, x, channels, 1 if channels == 64 else 2)
        x = residual(w, x, channels, 1)
    for number, channels in ((4, 256), (3, 128), (2, 64), (1, 64)):
        x = decoder(w, x, channels, 1 if number == 1 else 2)
        if number > 4 - links:
            x = x + given[number - 1]
    d1 = x
    f1 = x = norm(w, full_conv(w, x, 32, 3, 2, bias=True)).relu()
    x = norm(w, conv(w, x, 32, 3, bias=True)).relu()
    mask = full_conv(w, x, 1, 2, 2, bias=True)
    if inner is None:
        assert not w.left
        return mask, None
    seen = {"d1": d1, "f1": f1}[inner]
    coarse = conv(w, seen, 1, 1, bias=True)
    assert not w.left
    return mask, coarse


def loss(number, mask, coarse, truth):
    """Equation 1 with L1, L2 or L3 (equations 5 to 7) of probabilities (N, H, W).

    S is 1, accuracy the mean probability of the true class.
    """

    def one(o, g):
        entropy = -np.mean(g * np.log(o) + (1 - g) * np.log(1 - o))
        dice = (2 * np.sum(o * g) + 1) / (np.sum(o) + np.sum(g) + 1)
        accuracy = np.mean(o * g + (1 - o) * (1 - g))
        return {
            1: entropy - math.exp(1 + dice),
            2: entropy - math.exp(1 + dice) - accuracy,
            3: 2 * entropy - math.exp(1 + dice) - accuracy,
        }[number]

    step = truth.shape[1] // coarse.shape[1]
    n, height, width = coarse.shape
    small = truth.reshape(n, height, step, width, step).mean((2, 4))
    return 2 * one(coarse, small) + one(mask, truth)
