"""Stains: what dye a pixel holds, estimated, separated, normalised and varied.

Densities are decimal, ``-log10(value / 255)``. Stain vectors are rows, their columns red, green and blue; where two
stains are estimated, row 0 is hematoxylin and row 1 eosin.
"""

from histolab_lib.stain.amounts import SOLVERS, concentrations
from histolab_lib.stain.density import RUIFROK_HED, as_density, combine, hematoxylin, od_to_rgb, rgb_to_od, separate
from histolab_lib.stain.estimation import estimate_macenko, estimate_vahadane, stain_angles
from histolab_lib.stain.jitter import jitter_concentrations
from histolab_lib.stain.normalisation import METHODS, StainProfile, normalise, profile_of
from histolab_lib.stain.reinhard import ColourProfile, colour_profile_of, normalise_colour
from histolab_lib.stain.sharpening import unsharp_mask
from histolab_lib.stain.tissue import StainError, tissue_mask

__all__ = [
    "METHODS",
    "RUIFROK_HED",
    "SOLVERS",
    "ColourProfile",
    "StainError",
    "StainProfile",
    "as_density",
    "colour_profile_of",
    "combine",
    "concentrations",
    "estimate_macenko",
    "estimate_vahadane",
    "hematoxylin",
    "jitter_concentrations",
    "normalise",
    "normalise_colour",
    "od_to_rgb",
    "profile_of",
    "rgb_to_od",
    "separate",
    "stain_angles",
    "tissue_mask",
    "unsharp_mask",
]
