"""What training makes small.

`build` gives a loss by name, of what a network returns and the `Targets` of a batch; the functions are the same losses
of logits and a target of one shape.
"""

from histolab_lib.losses.contours import canny_contour, canny_contour_8_bit
from histolab_lib.losses.deep import deep_mask_contour, summed_pixel_dice_loss
from histolab_lib.losses.pixels import (
    bce_loss,
    focal_loss,
    pixel_dice_loss,
    pixel_jaccard_loss,
    soft_accuracy,
    true_class_loss,
)
from histolab_lib.losses.regions import soft_dice_loss, soft_jaccard_loss
from histolab_lib.losses.registry import Loss, build, names
from histolab_lib.losses.sums import bce_dice, bce_focal_dice, bce_pixel_dice, dice_jaccard, exp_dice
from histolab_lib.losses.targets import Targets, contour_band

__all__ = [
    "Loss",
    "Targets",
    "bce_dice",
    "bce_focal_dice",
    "bce_loss",
    "bce_pixel_dice",
    "build",
    "canny_contour",
    "canny_contour_8_bit",
    "contour_band",
    "deep_mask_contour",
    "dice_jaccard",
    "exp_dice",
    "focal_loss",
    "names",
    "pixel_dice_loss",
    "pixel_jaccard_loss",
    "soft_accuracy",
    "soft_dice_loss",
    "soft_jaccard_loss",
    "summed_pixel_dice_loss",
    "true_class_loss",
]
