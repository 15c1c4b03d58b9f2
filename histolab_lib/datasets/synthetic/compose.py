"""One scene of synthetic tissue, with everything that is true about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from histolab_lib.choices import choose
from histolab_lib.datasets.synthetic.distractors import draw_distractors
from histolab_lib.datasets.synthetic.glands import lay_out_glands, line_up_nuclei
from histolab_lib.datasets.synthetic.nuclei import draw_nuclei
from histolab_lib.datasets.synthetic.optics import drift, photograph, stain_vectors
from histolab_lib.datasets.synthetic.place import Nucleus, place_nuclei
from histolab_lib.datasets.synthetic.presets import PRESETS
from histolab_lib.datasets.synthetic.tissue import draw_ground, lay_out
from histolab_lib.tile import Tile

__all__ = ["OBJECTS", "Scene", "make"]

#: What the instances of a tile may be.
OBJECTS = ("nuclei", "glands")


@dataclass(frozen=True, eq=False, slots=True)
class Scene:
    """A tile and the truth behind it.

    Attributes
    ----------
    name : str
    image : ndarray of uint8, shape (H, W, 3)
    instances : ndarray of int32, shape (H, W)
        Nuclei: 0 is background, ids 1..n.
    glands : ndarray of int32, shape (H, W)
        Each gland with its lumen, ids 1..n; all 0 where the preset has none.
    hematoxylin, eosin : ndarray of float32, shape (H, W)
        Amounts of stain before the optics, in units of optical density, drift included.
    vectors : ndarray of float64, shape (2, 3)
        Unit optical density vectors of the two stains, columns red, green, blue.
    classes : mapping of int to str
        Kind of each nucleus.
    source : mapping
        How to make the scene again.
    um_per_px : float
        Micrometres per pixel: 0.25 (40x), in presets whose objects are glands 0.62, as in GlaS.
    """

    name: str
    image: npt.NDArray[np.uint8]
    instances: npt.NDArray[np.int32]
    glands: npt.NDArray[np.int32]
    hematoxylin: npt.NDArray[np.float32]
    eosin: npt.NDArray[np.float32]
    vectors: npt.NDArray[np.float64]
    classes: Mapping[int, str]
    source: Mapping[str, Any]
    um_per_px: float

    def tile(self, objects: str = "nuclei") -> Tile:
        """Return what a loader returns: the image and the instance map of its nuclei or glands.

        The class of a gland is its grade, ``benign`` or ``malignant``.
        """
        instances, classes = self.instances, self.classes
        if choose("kind of objects", objects, OBJECTS) == "glands":
            shape = PRESETS[self.source["preset"]].glands
            instances = self.glands
            classes = {} if shape is None else dict.fromkeys(range(1, int(self.glands.max()) + 1), shape.grade)
        return Tile(self.name, self.image, instances, classes=classes, um_per_px=self.um_per_px, source=self.source)


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
    growth = tissue.zoom * rng.lognormal(-0.04, 0.17)  # nuclei of one tile are alike in size
    rows: list[Nucleus] = []
    if tissue.glands is None:
        layout, glands = lay_out(rng, size, tissue), np.zeros((size, size), np.int32)
    else:
        layout, plan = lay_out_glands(rng, size, tissue)
        rows, glands = line_up_nuclei(rng, plan, tissue, growth), plan.instances
    nuclei = place_nuclei(rng, layout, tissue, growth, rows)
    hematoxylin, eosin = draw_ground(rng, layout, tissue, [(n.y, n.x, n.radius_px) for n in nuclei])
    draw_distractors(rng, layout, tissue, hematoxylin, eosin)
    instances, classes = draw_nuclei(rng, nuclei, tissue.zoom, hematoxylin, eosin)
    # laboratories stain darker or paler, and sections vary in thickness
    hematoxylin *= np.float32(tissue.darkness * rng.lognormal(-0.15, 0.25)) * drift(rng, size)
    eosin *= np.float32(tissue.darkness * rng.lognormal(-0.13, 0.28)) * drift(rng, size)
    vectors = stain_vectors(rng, tissue.stains)
    image = photograph(rng, hematoxylin, eosin, vectors, tissue.smudge)
    truth = {"synthetic": True, "preset": preset, **(source or {})}
    return Scene(name, image, instances, glands, hematoxylin, eosin, vectors, classes, truth, tissue.um_per_px)
