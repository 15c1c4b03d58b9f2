"""What tissues there are: kinds of nuclei, and the mixtures and surroundings that make a tissue of them.

Lengths are pixels at 40x (0.25 micrometres per pixel); stain amounts are optical densities. The values were set by
eye and by the summary statistics of the MoNuSeg training tiles (nuclei per tile, area, mean optical density inside
and outside nuclei), not fitted.
"""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["KINDS", "PRESETS", "Kind", "Preset"]


@dataclass(frozen=True)
class Kind:
    """One kind of nucleus.

    Attributes
    ----------
    radius_px, radius_spread : float
        Median radius of a disc of the same area, and the standard deviation of its logarithm.
    elongation, elongation_spread : float
        Median ratio of the axes, and the standard deviation of its logarithm.
    roughness : float
        Amplitude of the outline's Fourier terms, relative to the radius.
    hematoxylin : float
        Median optical density of the stain inside.
    rim, clumps : float
        Share of the stain that sits in the membrane, and contrast of the chromatin.
    nucleoli : float
        Expected number of nucleoli.
    """

    radius_px: float
    radius_spread: float
    elongation: float
    elongation_spread: float
    roughness: float
    hematoxylin: float
    rim: float
    clumps: float
    nucleoli: float


KINDS: Mapping[str, Kind] = {
    "epithelial": Kind(11.8, 0.19, 1.28, 0.14, 0.065, 0.50, 0.45, 0.55, 0.4),
    "vesicular": Kind(14.0, 0.19, 1.22, 0.12, 0.055, 0.36, 0.95, 1.0, 1.3),
    "dark": Kind(10.5, 0.22, 1.45, 0.20, 0.090, 0.85, 0.15, 0.30, 0.0),
    "lymphocyte": Kind(8.6, 0.10, 1.12, 0.08, 0.045, 0.85, 0.15, 0.45, 0.0),
    "spindle": Kind(9.2, 0.22, 2.70, 0.22, 0.060, 0.55, 0.25, 0.40, 0.0),
}


@dataclass(frozen=True)
class Preset:
    """One tissue: which nuclei, how dense, and what lies between them.

    Attributes
    ----------
    epithelium : float
        Share of the tile that is epithelium (or the sheet of cells that takes its place); the rest is stroma.
    cells, stroma_cells : mapping of str to float
        Weights of the kinds of nuclei in epithelium and in stroma.
    density, stroma_density : float
        Nuclei per 10,000 pixels aimed at in each; crowding may leave fewer.
    packing : float
        Smallest distance of two centres, relative to the sum of their radii; below 1 nuclei touch and overlap.
    crowding : float
        Share of nuclei proposed right beside another one.
    cytoplasm, cytoplasm_hematoxylin : float
        Optical density of eosin and hematoxylin in the cytoplasm.
    border : float
        Cell borders: positive for stained membranes, negative for pale clefts.
    halo : float
        Strength of the pale ring around nuclei.
    stroma, looseness : float
        Optical density of eosin in fibres, and the share of it that is missing between them.
    lumen, clefts, vacuoles : float
        Share of epithelium opened to lumen; how much of its edge is torn from the stroma; expected number of vacuoles.
    red_cells : float
        Expected number of groups of red blood cells.
    """

    epithelium: float
    cells: Mapping[str, float]
    stroma_cells: Mapping[str, float]
    density: float
    stroma_density: float
    packing: float
    crowding: float
    cytoplasm: float
    cytoplasm_hematoxylin: float
    border: float
    halo: float
    stroma: float
    looseness: float
    lumen: float
    clefts: float
    vacuoles: float
    red_cells: float


PRESETS: Mapping[str, Preset] = {
    "dense": Preset(
        epithelium=0.85,
        cells={"lymphocyte": 0.75, "epithelial": 0.17, "dark": 0.08},
        stroma_cells={"spindle": 0.7, "lymphocyte": 0.3},
        density=14.0,
        stroma_density=3.0,
        packing=0.99,
        crowding=0.28,
        cytoplasm=0.20,
        cytoplasm_hematoxylin=0.18,
        border=-0.95,
        halo=0.25,
        stroma=0.32,
        looseness=0.7,
        lumen=0.03,
        clefts=0.4,
        vacuoles=0.5,
        red_cells=0.5,
    ),
    "vesicular": Preset(
        epithelium=0.72,
        cells={"vesicular": 0.72, "epithelial": 0.20, "dark": 0.08},
        stroma_cells={"spindle": 0.75, "lymphocyte": 0.25},
        density=5.5,
        stroma_density=2.5,
        packing=0.97,
        crowding=0.26,
        cytoplasm=0.27,
        cytoplasm_hematoxylin=0.19,
        border=-0.75,
        halo=0.2,
        stroma=0.42,
        looseness=0.5,
        lumen=0.08,
        clefts=0.6,
        vacuoles=0.4,
        red_cells=0.5,
    ),
    "stromal": Preset(
        epithelium=0.14,
        cells={"epithelial": 0.8, "lymphocyte": 0.2},
        stroma_cells={"spindle": 0.74, "lymphocyte": 0.16, "epithelial": 0.10},
        density=7.0,
        stroma_density=4.2,
        packing=0.92,
        crowding=0.20,
        cytoplasm=0.25,
        cytoplasm_hematoxylin=0.17,
        border=-0.7,
        halo=0.2,
        stroma=0.38,
        looseness=0.75,
        lumen=0.0,
        clefts=0.5,
        vacuoles=0.6,
        red_cells=1.2,
    ),
    "clear": Preset(
        epithelium=0.80,
        cells={"epithelial": 0.75, "dark": 0.25},
        stroma_cells={"spindle": 0.8, "lymphocyte": 0.2},
        density=4.2,
        stroma_density=3.5,
        packing=0.92,
        crowding=0.22,
        cytoplasm=0.10,
        cytoplasm_hematoxylin=0.10,
        border=1.6,
        halo=0.0,
        stroma=0.40,
        looseness=0.6,
        lumen=0.02,
        clefts=0.2,
        vacuoles=3.0,
        red_cells=1.0,
    ),
}
