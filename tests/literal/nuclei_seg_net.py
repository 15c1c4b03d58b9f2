"""NucleiSegNet one layer after the other, as its authors released it: weights are taken from a list in their order."""

import torch
import torch.nn.functional as F

from tests.literal.gland_linknet import Weights, conv, full_conv, norm

WIDTHS = (32, 64, 128, 256, 512)


def layer(w, x, filters, side=3, normed=True):
    x = conv(w, x, filters, side, bias=True).relu()
    return norm(w, x) if normed else x


def joined_block(w, x, filters):
    x1 = layer(w, x, filters)
    depthwise = w.take(filters, 1, 3, 3)
    x2 = torch.cat([F.conv2d(x1[:, [c]], depthwise[[c]], padding=1) for c in range(filters)], 1)
    x2 = layer(w, x2, filters, 1)
    x3 = layer(w, x2, filters)
    return layer(w, torch.cat([x, x3], 1), filters)


def gate(w, skip, below):
    filters = skip.shape[1]
    theta = layer(w, skip, filters // 2, normed=False)
    phi = layer(w, layer(w, below, filters, 1, normed=False), filters // 2, normed=False)
    up = F.interpolate(phi, (skip.shape[2], skip.shape[3]), mode="bilinear", align_corners=False)
    psi = layer(w, (theta + up).relu(), filters, 1)
    return psi.sigmoid() * skip


def network(tensors, x):
    """Logits (N, 1, H, W) of what the network is given behind its preparation."""
    w, skips = Weights(tensors), []
    x = x.double()
    for filters in WIDTHS[:4]:
        skips.append(joined_block(w, x, filters))
        x = F.max_pool2d(skips[-1], 2)
    for _ in range(3):
        x = layer(w, x, WIDTHS[4])
    for skip in skips[::-1]:
        filters = skip.shape[1]
        weighed = gate(w, skip, x)
        up = full_conv(w, x, filters, 2, 2, bias=True).relu()
        x = torch.cat([up, weighed], 1)
        x = layer(w, layer(w, x, filters), filters)
    x = conv(w, x, 1, 1, bias=True)
    assert not w.left
    return x
