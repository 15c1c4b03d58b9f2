"""Images made worse by measured amounts: paler, blurred, compressed, noisy, seen at another magnification.

Each corruption has one strength in a unit of its own, and a list of steps that begins with none. `curves` scores
whatever segments images along these steps. After Hendrycks and Dietterich (Benchmarking neural network robustness to
common corruptions and perturbations, ICLR 2019), whose severities 1 to 5 have no unit. Nothing here needs a network.
"""

from histolab_lib.corruptions.curves import METRICS, curves, means
from histolab_lib.corruptions.named import CORRUPTIONS, Corruption
from histolab_lib.corruptions.optics import (
    add_gaussian_noise,
    add_photon_noise,
    blur,
    change_light,
    compress_jpeg,
)
from histolab_lib.corruptions.scale import coarsen, rescale
from histolab_lib.corruptions.staining import own_stains, scale_stains, turn_stains

__all__ = [
    "CORRUPTIONS",
    "METRICS",
    "Corruption",
    "add_gaussian_noise",
    "add_photon_noise",
    "blur",
    "change_light",
    "coarsen",
    "compress_jpeg",
    "curves",
    "means",
    "own_stains",
    "rescale",
    "scale_stains",
    "turn_stains",
]
