"""MSAL-Net one layer after the other, from its text: weights are taken from a list in their order."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from tests.literal.gland_linknet import Weights, conv, decoder, full_conv, norm, residual

DEPTHS = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3), "resnet50": (3, 4, 6, 3)}


def bottleneck_residual(w, x, inside, stride):
    """1x1, 3x3 and 1x1 to four times the channels, around which the input goes."""
    out = norm(w, conv(w, x, inside, 1)).relu()
    out = norm(w, conv(w, out, inside, 3, stride)).relu()
    out = norm(w, conv(w, out, 4 * inside, 1))
    if stride > 1 or x.shape[1] != 4 * inside:
        x = norm(w, F.conv2d(x, w.take(4 * inside, x.shape[1], 1, 1), stride=stride))
    return (out + x).relu()


def resnet(w, x, name):
    """The four maps of a ResNet."""
    x = norm(w, conv(w, x, 64, 7, 2)).relu()
    x, maps = F.max_pool2d(x, 3, 2, 1), []
    block = bottleneck_residual if name == "resnet50" else residual
    for channels, blocks in zip((64, 128, 256, 512), DEPTHS[name], strict=True):
        for number in range(blocks):
            x = block(w, x, channels, 2 if number == 0 and channels > 64 else 1)
        maps.append(x)
    return maps


def twice(w, x, channels):
    """Two 3x3 convolutions."""
    for _ in range(2):
        x = norm(w, conv(w, x, channels, 3)).relu()
    return x


def unet(w, x):
    """The five maps of U-Net's way down."""
    maps = []
    for channels in (64, 128, 256, 512, 1024):
        x = twice(w, F.max_pool2d(x, 2) if maps else x, channels)
        maps.append(x)
    return maps


def with_holes(kernel, rate):
    """The kernel of a dilated convolution, its zeros written out."""
    side = (kernel.shape[-1] - 1) * rate + 1
    wide = torch.zeros(*kernel.shape[:2], side, side, dtype=kernel.dtype)
    wide[:, :, ::rate, ::rate] = kernel
    return wide


def dense_dilated(w, x):
    """The sum of the map and of what four stacks make of it."""
    channels = x.shape[1]
    kernels = [(w.take(channels, channels, side, side), w.take(channels)) for side in (3, 3, 3, 1)]

    def layer(name, seen):
        weight, bias = kernels[("d1", "d3", "d5", "p").index(name)]
        rate = int(name[1]) if name != "p" else 1
        return F.conv2d(seen, with_holes(weight, rate), bias, padding="same")

    total = x
    for stack in (("d1",), ("d3", "p"), ("d1", "d3", "p"), ("d1", "d3", "d5", "p")):
        seen = x
        for name in stack:
            seen = layer(name, seen)
        total = total + seen.relu()
    return total


def channel_attention(x, weight):
    """Each channel of (C, H, W) times the sigmoid of a weighted sum of neighbouring channels' means."""
    means, reach = [one.mean() for one in x], len(weight) // 2
    out = []
    for place, one in enumerate(x):
        score = 0.0
        for step, value in enumerate(weight):
            neighbour = place + step - reach
            if 0 <= neighbour < len(x):
                score += float(value) * float(means[neighbour])
        out.append(one / (1 + math.exp(-score)))
    return np.stack(out)


def kernel_of(channels):
    """The adaptive size of the channel attention: the odd number that its authors' code takes."""
    size = int(abs((math.log2(channels) + 1) / 2))
    return size if size % 2 else size + 1


def attended(w, x, kernel):
    weight = w.take(1, 1, kernel)[0, 0].numpy()
    return torch.from_numpy(np.stack([channel_attention(one, weight) for one in x.numpy()]))


def refined(w, x, convs):
    """The map and what two or three convolutions make of it."""
    seen = x
    for number in range(convs):
        seen = conv(w, seen.relu() if number else seen, x.shape[1], 3, bias=True)
    return x + seen


def network(
    tensors, x, *, encoder="resnet34", ddc=True, eca=True, br=True, eca_br="serial", skips="add", br_convs=2,
    eca_kernel=3, decoder_of="linknet", bottleneck=False,
):  # fmt: skip
    """Logits (N, 1, H, W)."""
    w = Weights(tensors)
    maps = unet(w, x.double()) if encoder == "unet" else resnet(w, x.double(), encoder)
    if bottleneck:
        maps = [norm(w, conv(w, one, c, 1)).relu() for one, c in zip(maps, (64, 128, 256, 512), strict=True)]
    x = dense_dilated(w, maps[-1]) if ddc else maps[-1]
    given = [*maps[-2::-1], *([] if encoder == "unet" else [None])]
    for skip in given:
        channels = 64 if skip is None else skip.shape[1]
        linknet = decoder_of == "linknet"
        x = decoder(w, x, channels, 2) if linknet else full_conv(w, x, channels, 2, 2, bias=True)
        if skip is not None:
            x = torch.cat([skip, x], 1) if skips == "concatenate" else skip + x
        if not linknet:
            x = twice(w, x, channels)
        elif skip is not None and skips == "concatenate":
            x = norm(w, conv(w, x, channels, 1)).relu()
        weighed = attended(w, x, eca_kernel or kernel_of(channels)) if eca else x
        if br and eca and eca_br == "parallel":
            x = weighed + refined(w, x, br_convs)
        else:
            x = refined(w, weighed, br_convs) if br else weighed
    if encoder == "unet":
        x = conv(w, x, 1, 1, bias=True)
    else:
        x = norm(w, full_conv(w, x, 32, 4, 2, bias=True)).relu()
        x = norm(w, conv(w, x, 32, 3, bias=True)).relu()
        x = conv(w, x, 1, 3, bias=True)
    assert not w.left
    return x
