"""One scene of synthetic tissue, with everything that is true about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from histolab_lib.datasets.synthetic.nuclei import draw_nuclei, place_nuclei
from histolab_lib.datasets.synthetic.optics import photograph, stain_vectors
from histolab_lib.datasets.synthetic.presets import PRESETS
from histolab_lib.datasets.synthetic.tissue import draw_distractors, draw_ground, lay_out
from histolab_lib.tile import Tile

__all__ = ["UM_PER_PX", "Scene", "make"]

#: The scale of a 40x scan.
UM_PER_PX = 0.25


@dataclass(frozen=True, eq=False, slots=True)
class Scene:
    """A tile and the truth behind it.

    Attributes
    ----------
    name : str
    image : ndarray of uint8, shape (H, W, 3)
    instances : ndarray of int32, shape (H, W)
        0 is background, ids 1..n.
    hematoxylin, eosin : ndarray of float32, shape (H, W)
        Amounts of stain before the optics, in units of optical density.
    vectors : ndarray of float64, shape (2, 3)
        Unit optical density vectors of the two stains, columns red, green, blue.
    classes : mapping of int to str
        Kind of each nucleus.
    source : mapping
        How to make the scene again.
    """

    name: str
    image: npt.NDArray[np.uint8]
    instances: npt.NDArray[np.int32]
    hematoxylin: npt.NDArray[np.float32]
    eosin: npt.NDArray[np.float32]
    vectors: npt.NDArray[np.float64]
    classes: Mapping[int, str]
    source: Mapping[str, Any]

    def tile(self) -> Tile:
        """Return what a loader returns: the image and its instance map."""
        return Tile(
            self.name, self.image, self.instances, classes=self.classes, um_per_px=UM_PER_PX, source=self.source
        )


def make(
    rng: np.random.Generator, size: int, preset: str, *, name: str = "scene", source: Mapping[str, Any] | None = None
) -> Scene:
    """Make one scene from a random generator.

    Parameters
    ----------
    rng : numpy.random.Generator
        The only source of chance.
    size : int
        Side in pixels.
    preset : str
        A name in `PRESETS`.
    name : str
        Name of the scene.
    source : mapping, optional
        Added to the scene's ``source``.

    Returns
    -------
    Scene

    Examples
    --------
    >>> import numpy as np
    >>> scene = make(np.random.default_rng(0), 64, "dense")
    >>> scene.image.shape, int(scene.instances.max()) == len(scene.classes)
    ((64, 64, 3), True)
    """
    tissue = PRESETS[preset]
    layout = lay_out(rng, size, tissue)
    nuclei = place_nuclei(rng, layout, tissue)
    hematoxylin, eosin = draw_ground(rng, layout, tissue, [(n.y, n.x, n.radius_px) for n in nuclei])
    draw_distractors(rng, layout, tissue, hematoxylin, eosin)
    instances, classes = draw_nuclei(rng, nuclei, hematoxylin, eosin)
    hematoxylin *= np.float32(rng.lognormal(0.0, 0.25))  # laboratories stain darker or paler
    eosin *= np.float32(rng.lognormal(-0.1, 0.28))
    vectors = stain_vectors(rng)
    image = photograph(rng, hematoxylin, eosin, vectors)
    truth = {"synthetic": True, "preset": preset, **(source or {})}
    return Scene(name, image, instances, hematoxylin, eosin, vectors, classes, truth)
