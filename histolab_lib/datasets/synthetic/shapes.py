"""What a tissue is described by: kinds of nuclei, the plan of its glands, and a preset that puts them together."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["KINDS", "GlandShape", "Kind", "Preset"]

_UM_PER_PX_40X = 0.25


class Kind(NamedTuple):
    """One kind of nucleus; lengths in pixels at 40x.

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
    defocus_px : float
        Expected softness of the outline beyond that of the others.
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
    defocus_px: float = 0.0


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "epithelial": Kind(12.4, 0.15, 1.28, 0.14, 0.065, 0.44, 0.45, 0.60, 0.4),
        "columnar": Kind(12.2, 0.13, 1.75, 0.16, 0.060, 0.46, 0.40, 0.60, 0.4),
        "vesicular": Kind(14.8, 0.17, 1.25, 0.12, 0.055, 0.34, 0.90, 1.0, 1.2),
        "atypical": Kind(15.0, 0.30, 1.40, 0.20, 0.110, 0.50, 0.45, 0.80, 0.8),
        "dark": Kind(11.5, 0.20, 1.45, 0.20, 0.090, 0.75, 0.15, 0.35, 0.0),
        "smudge": Kind(15.0, 0.22, 1.35, 0.20, 0.080, 0.62, 0.0, 0.25, 0.0, 1.6),
        "lymphocyte": Kind(9.8, 0.10, 1.12, 0.08, 0.045, 0.72, 0.15, 0.50, 0.0),
        "spindle": Kind(10.2, 0.20, 2.70, 0.22, 0.060, 0.50, 0.25, 0.45, 0.0),
        # a plate of condensed chromosomes, seen edge on, without a membrane
        "mitosis": Kind(9.0, 0.12, 2.20, 0.25, 0.200, 1.00, 0.0, 0.35, 0.0, 0.3),
    }
)


@dataclass(frozen=True, kw_only=True)
class GlandShape:
    """Plan of the glands of a tissue; lengths in micrometres.

    Attributes
    ----------
    spacing_um : float
        Distance of the centres of neighbouring glands.
    septum_um : float
        Width of the stroma between two neighbours; they touch where it is below 0.
    height_um : float
        Height of the epithelium; a gland cut deeper than this opens to a lumen.
    rows : (int, int)
        Fewest and most rows of nuclei at its base.
    goblets : float
        Share of cells filled with mucin.
    goblet_um : float
        Half the length of a drop of mucin.
    irregularity : float
        How far outlines are bent, relative to the spacing.
    stretch : float
        How much longer than wide glands may be, those cut lengthwise.
    missing : float
        Share of places without a gland.
    debris : float
        Share of glands with dead cells in the lumen.
    clefts : float
        Share of the outline torn from the stroma.
    cribriform_um : float
        Distance of the many small lumens of a cribriform gland; 0 for one lumen.
    grade : {"benign", "malignant"}
    """

    spacing_um: float
    septum_um: float = 14.0
    height_um: float = 25.0
    rows: tuple[int, int] = (1, 1)
    goblets: float = 0.0
    goblet_um: float = 5.0
    irregularity: float = 0.1
    stretch: float = 1.3
    missing: float = 0.12
    debris: float = 0.1
    clefts: float = 0.4
    cribriform_um: float = 0.0
    grade: str = "benign"


@dataclass(frozen=True, kw_only=True)
class Preset:
    """One tissue: which nuclei, how dense, and what lies between them.

    Attributes
    ----------
    epithelium : float
        Share of the tile that is epithelium (or the sheet of cells that takes its place); the rest is stroma. Not
        read where `glands` says where epithelium is.
    cells, stroma_cells : mapping of str to float
        Weights of the kinds of nuclei in epithelium and in stroma.
    density, stroma_density : float
        Nuclei per 10,000 pixels (at 40x) aimed at in each; crowding may leave fewer.
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
    foam : float
        How full of small empty bubbles the cytoplasm is.
    stroma, looseness : float
        Optical density of eosin in fibres, and the share of it that is missing between them.
    lumen, clefts, vacuoles : float
        Share of epithelium opened to lumen; how much of its edge is torn from the stroma; expected number of vacuoles.
    red_cells : float
        Expected number of groups of red blood cells.
    fat : float
        Probability of a patch of fat.
    smudge : float
        Expected blur in pixels beyond that of the objective: thick or badly frozen sections.
    stains : str
        Which laboratories stain it, a name in `optics.STAINS`.
    darkness : float
        Amount of both stains relative to the values above.
    um_per_px : float
        Micrometres per pixel.
    glands : GlandShape, optional
        Where epithelium forms glands.
    """

    epithelium: float = 0.7
    cells: Mapping[str, float]
    stroma_cells: Mapping[str, float]
    density: float
    stroma_density: float
    packing: float = 0.98
    crowding: float = 0.16
    cytoplasm: float = 0.25
    cytoplasm_hematoxylin: float = 0.17
    border: float = -0.7
    halo: float = 0.2
    foam: float = 0.15
    stroma: float = 0.38
    looseness: float = 0.6
    lumen: float = 0.03
    clefts: float = 0.5
    vacuoles: float = 0.5
    red_cells: float = 0.5
    fat: float = 0.0
    smudge: float = 0.0
    stains: str = "monuseg"
    darkness: float = 1.0
    um_per_px: float = _UM_PER_PX_40X
    glands: GlandShape | None = None

    @property
    def zoom(self) -> float:
        """Size of things relative to a 40x scan."""
        return _UM_PER_PX_40X / self.um_per_px
