"""Colour transfer without a model of stains: Reinhard et al. (2001)."""

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from histolab_lib.stain.tissue import BETA, LEAST_SHARE, StainError, check_little_tissue, tissue_density, tissue_mask

__all__ = ["ColourProfile", "colour_profile_of", "normalise_colour"]


@dataclass(frozen=True, eq=False)
class ColourProfile:
    """Mean and standard deviation of the tissue's colour.

    Attributes
    ----------
    mean, std : ndarray of float64, shape (3,)
        In CIELAB: lightness, green to red, blue to yellow.
    """

    mean: npt.NDArray[np.float64]
    std: npt.NDArray[np.float64]


def colour_profile_of(image: npt.NDArray[np.uint8]) -> ColourProfile:
    """Measure the colours of a tile's tissue (pixels of `tissue_mask`).

    Raises
    ------
    StainError
        If too little is tissue, or all of it has one value in a channel.
    TypeError, ValueError
        If `image` is not uint8 (H, W, 3).
    """
    tissue_density(image, beta=BETA, least_share=LEAST_SHARE)
    colours = _lab(image)[tissue_mask(image)]
    std = colours.std(axis=0)
    if (std < 1e-6).any():
        raise StainError(f"the tissue of this tile has one colour only (standard deviations {std.round(6)} in CIELAB)")
    return ColourProfile(colours.mean(axis=0), std)


def normalise_colour(
    image: npt.NDArray[np.uint8], to: ColourProfile, *, on_little_tissue: str
) -> npt.NDArray[np.uint8]:
    """Shift and scale a tile's colours so that mean and spread of its tissue become those of another.

    After Reinhard et al., IEEE Computer Graphics and Applications 21 (2001) 34, with CIELAB for their colour space, as
    packages for histology have it, and with the statistics of the tissue alone.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
        RGB.
    to : ColourProfile
        `colour_profile_of` the target.
    on_little_tissue : {"raise", "identity"}
        As `normalise` has it.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        Every pixel is moved, glass too: it may come out tinted. Colours beyond RGB are clipped.

    Raises
    ------
    StainError
        If ``on_little_tissue="raise"`` and the tile holds too little tissue.
    TypeError, ValueError
        If an argument is not as above.
    """
    check_little_tissue(on_little_tissue)
    try:
        source = colour_profile_of(image)
    except StainError:
        if on_little_tissue == "raise":
            raise
        return image.copy()
    moved = (_lab(image) - source.mean) * (to.std / source.std) + to.mean
    moved[..., 0] = moved[..., 0].clip(0, 100)
    return _rgb_of(moved)


def _lab(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    from skimage.color import rgb2lab

    return np.asarray(rgb2lab(image))


def _rgb_of(lab: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    from skimage.color import lab2rgb

    with warnings.catch_warnings():
        # Colours that no screen shows are clipped, as the docstring says.
        warnings.filterwarnings("ignore", "Conversion from CIE-LAB", UserWarning)
        colours = lab2rgb(lab)
    return np.asarray(np.rint(255 * colours.clip(0, 1)), np.uint8)
