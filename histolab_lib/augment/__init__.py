"""Random changes that leave the truth true: where the tissue lies, how it is stained, how it was photographed.

Every function takes a batch and one number (or a few) for each sample of it, does the same on a CPU and on a GPU, and
returns new tensors. `augment` draws those numbers as an `Augmentation` says; `RECIPES` holds those of the five papers.
"""

from histolab_lib.augment.batch import augment
from histolab_lib.augment.colour import adjust_contrast, jitter_concentrations, jitter_stain
from histolab_lib.augment.geometry import affine_matrices, warp
from histolab_lib.augment.optics import add_noise, blur
from histolab_lib.augment.recipes import RECIPES, Augmentation
from histolab_lib.augment.symmetries import apply_symmetries, turn_and_flip

__all__ = [
    "RECIPES",
    "Augmentation",
    "add_noise",
    "adjust_contrast",
    "affine_matrices",
    "apply_symmetries",
    "augment",
    "blur",
    "jitter_concentrations",
    "jitter_stain",
    "turn_and_flip",
    "warp",
]
