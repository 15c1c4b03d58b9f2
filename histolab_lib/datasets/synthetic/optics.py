"""From stain to picture: Beer-Lambert, the microscope, the sensor, and the file.

Light that passes stain of optical density D leaves with the share 10^-D, and the densities of several stains add
(Ruifrok and Johnston, Anal Quant Cytol Histol 23, 2001).
"""

import io
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from histolab_lib.datasets.synthetic.fields import Field, noise

__all__ = ["STAINS", "Stains", "drift", "photograph", "stain_vectors"]


class Stains(NamedTuple):
    """Stain vectors of many slides: red and blue part of hematoxylin and eosin, shape (2, 2)."""

    mean: npt.NDArray[np.float64]
    spread: npt.NDArray[np.float64]


#: Stains as on the slides of two sets, by name: MoNuSeg's come from many hospitals, those of GlaS from one. Set by eye
#: and so that Macenko's estimates on synthetic tiles come near those on the set's training images: within 0.06 in each
#: channel, but for eosin's red, where the estimate is 0.1 (MoNuSeg) and 0.2 (GlaS) higher than there
#: (``data/facts/synthetic.json``).
STAINS: Mapping[str, Stains] = {
    "monuseg": Stains(np.array([[0.625, 0.330], [0.180, 0.530]]), np.array([[0.042, 0.024], [0.042, 0.038]])),
    "glas": Stains(np.array([[0.540, 0.270], [0.200, 0.280]]), np.array([[0.030, 0.040], [0.040, 0.040]])),
}
_DRIFT_PER_PX = 0.25e-3
_CHROMA_SUBSAMPLING = 1  # 4:2:2, as slide scanners write it


def stain_vectors(rng: np.random.Generator, stains: str = "monuseg") -> npt.NDArray[np.float64]:
    """Draw the stains of one slide.

    Parameters
    ----------
    rng : numpy.random.Generator
    stains : str
        A name in `STAINS`.

    Returns
    -------
    ndarray of float64, shape (2, 3)
        Rows hematoxylin and eosin, unit length; columns red, green, blue. Red and blue are drawn;
        green, the strongest, is what the unit length leaves.
    """
    mean, spread = STAINS[stains]
    red_blue = np.clip(mean + spread * np.clip(rng.standard_normal((2, 2)), -2.5, 2.5), 0.02, 0.7)
    green = np.sqrt(1 - (red_blue**2).sum(axis=1))
    return np.stack([red_blue[:, 0], green, red_blue[:, 1]], axis=1)


def drift(rng: np.random.Generator, size: int) -> Field:
    """How the amount of one stain changes across a tile: a plane, mean 1, about a quarter per thousand pixels."""
    slope_y, slope_x = rng.normal(0, _DRIFT_PER_PX, 2)
    steps = np.arange(size) - (size - 1) / 2
    plane = np.exp(np.clip(slope_y * steps[:, None] + slope_x * steps, -1, 1))
    return plane.astype(np.float32)


def photograph(
    rng: np.random.Generator,
    hematoxylin: Field,
    eosin: Field,
    vectors: npt.NDArray[np.float64],
    smudge_px: float = 0.0,
) -> npt.NDArray[np.uint8]:
    """Take the picture of two concentration maps.

    Parameters
    ----------
    rng : numpy.random.Generator
    hematoxylin, eosin : ndarray of float32, shape (H, W)
        Amounts of stain in units of optical density.
    vectors : ndarray, shape (2, 3)
        Unit optical density vectors, see `stain_vectors`.
    smudge_px : float
        Expected blur beyond that of the objective.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        RGB after absorption, blur of the objective (0.4 to 0.9 px; one tile in twelve lies out of focus), uneven light,
        sensor noise, and JPEG compression of quality 60 to 95.

    Raises
    ------
    ValueError
        If an amount of stain is not finite: it has no colour.
    """
    for name, amount in (("hematoxylin", hematoxylin), ("eosin", eosin)):
        if bad := np.count_nonzero(~np.isfinite(amount)):
            raise ValueError(f"{name} must be finite everywhere, got NaN or infinity in {bad} of {amount.size} pixels")
    size = hematoxylin.shape[0]
    out_of_focus = rng.uniform(0.3, 0.9) if rng.uniform() < 0.08 else 0.0
    blur_px = rng.uniform(0.4, 0.9) + out_of_focus + smudge_px * rng.uniform(0.3, 1.7)
    white = rng.uniform(236, 250) * np.array([1.0, rng.uniform(0.97, 1.0), rng.uniform(0.985, 1.005)])
    light = 1 + np.float32(0.008) * noise(rng, size, size / 3)
    colours = np.float32(np.log(10)) * vectors.astype(np.float32)
    image = np.empty((size, size, 3), np.uint8)
    for channel, colour_blur in enumerate((1.0, 0.95, 1.15)):  # objectives focus green best, blue worst
        transmitted = np.exp(-(hematoxylin * colours[0, channel] + eosin * colours[1, channel]))
        seen = ndimage.gaussian_filter(transmitted, blur_px * colour_blur, truncate=3) * light
        grain = np.float32(1.2) * rng.standard_normal((size, size), dtype=np.float32)
        seen = np.float32(white[channel]) * seen + grain
        image[..., channel] = np.clip(np.rint(seen), 0, 255)
    return _through_jpeg(image, int(rng.integers(60, 96)))


def _through_jpeg(image: npt.NDArray[np.uint8], quality: int) -> npt.NDArray[np.uint8]:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality, subsampling=_CHROMA_SUBSAMPLING)
    return np.asarray(Image.open(file)).copy()
