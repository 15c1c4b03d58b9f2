"""From stain to picture: Beer-Lambert, the microscope and the sensor.

Light that passes stain of optical density D leaves with the share 10^-D, and the densities of several stains add
(Ruifrok and Johnston, Anal Quant Cytol Histol 23, 2001).
"""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from histolab_lib.datasets.synthetic.fields import Field, noise
from histolab_lib.stain import RUIFROK_HED

__all__ = ["MACENKO_HE", "photograph", "stain_vectors"]

#: Optical density vectors of hematoxylin and eosin, rows unit length, red, green, blue
#: (reference values of Macenko et al., ISBI 2009, as released with the method).
MACENKO_HE = np.array([[0.5626, 0.7201, 0.4062], [0.2159, 0.8012, 0.5581]])


def stain_vectors(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Draw one laboratory's stains: between two published measurements, with some spread around them.

    Returns
    -------
    ndarray of float64, shape (2, 3)
        Rows hematoxylin and eosin, unit length; columns red, green, blue.
    """
    towards = rng.beta(5.0, 1.3, size=(2, 1))
    vectors = towards * MACENKO_HE + (1 - towards) * RUIFROK_HED[:2] + rng.normal(0, 0.025, (2, 3))
    vectors = np.maximum(vectors, 0.02)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def photograph(
    rng: np.random.Generator, hematoxylin: Field, eosin: Field, vectors: npt.NDArray[np.float64]
) -> npt.NDArray[np.uint8]:
    """Take the picture of two concentration maps.

    Parameters
    ----------
    rng : numpy.random.Generator
    hematoxylin, eosin : ndarray of float32, shape (H, W)
        Amounts of stain in units of optical density.
    vectors : ndarray, shape (2, 3)
        Unit optical density vectors, see `stain_vectors`.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        RGB after absorption, blur of the objective (0.4 to 0.9 px), uneven light, sensor noise and rounding.
    """
    size = hematoxylin.shape[0]
    blur_px = rng.uniform(0.4, 0.9)
    white = rng.uniform(236, 250) * np.array([1.0, rng.uniform(0.97, 1.0), rng.uniform(0.985, 1.005)])
    light = 1 + np.float32(0.008) * noise(rng, size, size / 3)
    colours = np.float32(np.log(10)) * vectors.astype(np.float32)
    image = np.empty((size, size, 3), np.uint8)
    for channel in range(3):
        transmitted = np.exp(-(hematoxylin * colours[0, channel] + eosin * colours[1, channel]))
        seen = ndimage.gaussian_filter(transmitted, blur_px, truncate=3) * light
        grain = np.float32(1.2) * rng.standard_normal((size, size), dtype=np.float32)
        seen = np.float32(white[channel]) * seen + grain
        image[..., channel] = np.clip(np.rint(seen), 0, 255)
    return image
