"""Losses pixel by pixel, in double precision, straight from their formulas."""

import numpy as np


def probabilities(logits):
    return [1 / (1 + np.exp(-float(z))) for z in np.ravel(logits)]


def pairs(logits, target):
    return list(zip(probabilities(logits), (float(t) for t in np.ravel(target)), strict=True))


def bce(logits, target):
    costs = [-(t * np.log(p) + (1 - t) * np.log(1 - p)) for p, t in pairs(logits, target)]
    return sum(costs) / len(costs)


def focal(logits, target, alpha, gamma):
    total = 0.0
    for p, t in pairs(logits, target):
        right = p if t == 1 else 1 - p
        weight = 1 if alpha is None else alpha if t == 1 else 1 - alpha
        total -= weight * (1 - right) ** gamma * np.log(right)
    return total / np.size(logits)


def dice(logits, target, smooth, over="batch", squares=False):
    if over == "image":
        losses = [dice(z, t, smooth, squares=squares) for z, t in zip(logits, target, strict=True)]
        return sum(losses) / len(losses)
    power, overlap, size = (2 if squares else 1), 0.0, 0.0
    for p, t in pairs(logits, target):
        overlap, size = overlap + p * t, size + p**power + t**power
    return 1 - (2 * overlap + smooth) / (size + smooth)


def jaccard(logits, target, smooth, over="batch"):
    if over == "image":
        losses = [jaccard(z, t, smooth) for z, t in zip(logits, target, strict=True)]
        return sum(losses) / len(losses)
    overlap = union = 0.0
    for p, t in pairs(logits, target):
        overlap, union = overlap + p * t, union + p + t - p * t
    return 1 - (overlap + smooth) / (union + smooth)


def pixel_dice(logits, target, smooth):
    costs = [1 - (2 * p * t + smooth) / (p * p + t * t + smooth) for p, t in pairs(logits, target)]
    return sum(costs) / len(costs)


def accuracy(logits, target):
    right = [t * p + (1 - t) * (1 - p) for p, t in pairs(logits, target)]
    return sum(right) / len(right)


def bce_pixel_dice(logits, target, smooth, double_sigmoid=False):
    seen = probabilities(logits) if double_sigmoid else logits
    return bce(seen, target) + pixel_dice(logits, target, smooth)


def dice_jaccard(logits, target, dice_smooth, jaccard_smooth, kind):
    d = dice(logits, target, dice_smooth)
    if kind == "region":
        j = jaccard(logits, target, jaccard_smooth)
        return d * j / (d + j)
    costs = []
    for p, t in pairs(logits, target):
        j = jaccard_smooth * (1 - (p * t + jaccard_smooth) / (p + t - p * t + jaccard_smooth))
        costs.append(j * d / (j + d))
    return sum(costs) / len(costs)


def hard_accuracy(logits, target):
    right = [(p > 0.5) == (t > 0.5) for p, t in pairs(logits, target)]
    return sum(right) / len(right)


def exp_dice(logits, target, bce_weight, accuracy_weight, smooth, over="batch", right=accuracy):
    score = 1 - dice(logits, target, smooth, over)
    return bce_weight * bce(logits, target) - np.exp(1 + score) - accuracy_weight * right(logits, target)


def contour_band(instances, width):
    """Pixels of objects that see another value at most `width` rows and columns away, in (H, W)."""
    height, width_px = instances.shape
    band = np.zeros(instances.shape, bool)
    for row in range(height):
        for col in range(width_px):
            around = instances[max(0, row - width) : row + width + 1, max(0, col - width) : col + width + 1]
            band[row, col] = instances[row, col] > 0 and (around != instances[row, col]).any()
    return band


def haru_net(logits, target, pixels, overlap):
    """Equation 6 of HARU-Net for one map of two images."""
    entropy = bce(logits, target) * (np.size(logits[0]) if pixels == "sum" else 1)
    if overlap == "ratio":
        return entropy + dice(logits, target, 1.0, "image", squares=True)
    if overlap == "true_class":
        return entropy + 1 - accuracy(logits, target)
    sums = [sum(2 * p * t / (p * p + t * t) for p, t in pairs(z, g)) for z, g in zip(logits, target, strict=True)]
    return entropy + sum(1 - one for one in sums) / len(sums)


def canny_contour(instances, thickness):
    """OpenCV's, of ids that 8 bits hold."""
    import cv2

    lines = cv2.Canny(instances.astype(np.uint8), 0, 1)
    return cv2.dilate(lines, np.ones((thickness, thickness), np.uint8)) > 0
