"""What tissues there are: the nuclei they hold, and what surroundings make a tissue of them.

Lengths in pixels are pixels at 40x (0.25 micrometres) and shrink with the scale of the preset; stain amounts are
optical densities. The values were set by eye and by the summary statistics of the MoNuSeg and GlaS training images
(``data/facts/synthetic.json``), not fitted.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from histolab_lib.datasets.synthetic.shapes import GlandShape, Preset

__all__ = ["GLAND_PRESETS", "NUCLEUS_PRESETS", "PRESETS"]

#: The scale of GlaS, 20x.
_UM_PER_PX_GLAS = 0.62

_STROMA_CELLS = {"spindle": 0.7, "lymphocyte": 0.3}

#: Tissues at 40x whose objects are nuclei.
NUCLEUS_PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        # lymphoid tissue: small dark nuclei, hardly any cytoplasm
        "dense": Preset(
            epithelium=0.88,
            cells={"lymphocyte": 0.76, "epithelial": 0.15, "dark": 0.08, "mitosis": 0.01},
            stroma_cells=_STROMA_CELLS,
            density=12.5,
            stroma_density=3.0,
            packing=1.02,
            crowding=0.16,
            cytoplasm=0.22,
            cytoplasm_hematoxylin=0.18,
            border=-0.95,
            halo=0.25,
            foam=0.2,
            stroma=0.32,
            looseness=0.7,
            clefts=0.4,
            lumen=0.06,
        ),
        # carcinoma with large pale nuclei, sharp membranes and nucleoli
        "vesicular": Preset(
            epithelium=0.75,
            cells={"vesicular": 0.74, "epithelial": 0.18, "dark": 0.06, "mitosis": 0.02},
            stroma_cells=_STROMA_CELLS,
            density=6.0,
            stroma_density=2.5,
            packing=0.97,
            cytoplasm=0.27,
            cytoplasm_hematoxylin=0.19,
            border=-0.75,
            stroma=0.42,
            looseness=0.5,
            lumen=0.1,
            clefts=0.6,
            foam=0.12,
        ),
        # fibres with spindle cells, vessels, now and then fat
        "stromal": Preset(
            epithelium=0.14,
            cells={"epithelial": 0.8, "lymphocyte": 0.2},
            stroma_cells={"spindle": 0.70, "lymphocyte": 0.18, "epithelial": 0.12},
            density=6.0,
            stroma_density=3.6,
            packing=0.96,
            crowding=0.16,
            lumen=0.0,
            looseness=0.75,
            vacuoles=0.6,
            red_cells=1.2,
            fat=0.2,
            foam=0.12,
        ),
        # clear cells: empty cytoplasm between stained membranes
        "clear": Preset(
            epithelium=0.82,
            cells={"epithelial": 0.78, "dark": 0.22},
            stroma_cells={"spindle": 0.8, "lymphocyte": 0.2},
            density=3.6,
            stroma_density=3.5,
            packing=0.96,
            crowding=0.18,
            cytoplasm=0.08,
            cytoplasm_hematoxylin=0.07,
            border=2.2,
            halo=0.0,
            foam=0.6,
            stroma=0.40,
            lumen=0.06,
            clefts=0.2,
            vacuoles=2.0,
            red_cells=1.0,
        ),
        # round nuclei in plenty of pink granular cytoplasm, as in liver
        "granular": Preset(
            epithelium=0.93,
            cells={"epithelial": 0.70, "vesicular": 0.24, "dark": 0.06},
            stroma_cells=_STROMA_CELLS,
            density=4.0,
            stroma_density=3.5,
            packing=1.0,
            crowding=0.12,
            cytoplasm=0.42,
            cytoplasm_hematoxylin=0.14,
            border=-0.5,
            halo=0.0,
            foam=0.07,
            lumen=0.05,
            clefts=0.3,
            vacuoles=1.5,
            red_cells=0.8,
        ),
        # high-grade carcinoma: nuclei of every size and darkness, mitoses, apoptosis
        "pleomorphic": Preset(
            epithelium=0.80,
            cells={"atypical": 0.62, "vesicular": 0.16, "dark": 0.14, "mitosis": 0.08},
            stroma_cells=_STROMA_CELLS,
            density=5.5,
            stroma_density=3.5,
            packing=0.97,
            crowding=0.16,
            cytoplasm=0.32,
            cytoplasm_hematoxylin=0.20,
            border=-0.8,
            halo=0.25,
            foam=0.15,
            stroma=0.42,
            clefts=0.8,
            vacuoles=1.0,
            red_cells=0.8,
            lumen=0.1,
        ),
        # thick or badly frozen: smudged dark nuclei, blue cytoplasm, torn tissue
        "smudged": Preset(
            epithelium=0.85,
            cells={"smudge": 0.75, "epithelial": 0.15, "dark": 0.10},
            stroma_cells={"spindle": 0.6, "smudge": 0.2, "lymphocyte": 0.2},
            density=5.5,
            stroma_density=3.0,
            packing=0.97,
            crowding=0.18,
            cytoplasm=0.30,
            cytoplasm_hematoxylin=0.36,
            border=-0.5,
            halo=0.0,
            foam=0.3,
            lumen=0.2,
            clefts=1.0,
            vacuoles=2.5,
            smudge=0.8,
        ),
        # tall cells in rows along a lumen, nuclei at their base
        "columnar": Preset(
            cells={"columnar": 0.92, "dark": 0.05, "lymphocyte": 0.02, "mitosis": 0.01},
            stroma_cells=_STROMA_CELLS,
            density=0.6,
            stroma_density=3.5,
            packing=0.90,
            cytoplasm=0.26,
            cytoplasm_hematoxylin=0.16,
            border=-0.5,
            halo=0.0,
            foam=0.15,
            glands=GlandShape(spacing_um=80, height_um=27, rows=(1, 2), goblets=0.15, irregularity=0.25),
        ),
    }
)

_BENIGN = Preset(
    cells={"columnar": 0.94, "dark": 0.06},
    stroma_cells={"lymphocyte": 0.75, "spindle": 0.25},
    density=0.2,
    stroma_density=7.0,
    packing=0.90,
    cytoplasm=0.26,
    cytoplasm_hematoxylin=0.16,
    border=-0.3,
    halo=0.0,
    foam=0.1,
    stroma=0.21,
    looseness=0.95,
    vacuoles=0.3,
    stains="glas",
    darkness=0.72,
    um_per_px=_UM_PER_PX_GLAS,
    glands=GlandShape(
        spacing_um=98,
        septum_um=18,
        height_um=25,
        rows=(1, 1),
        goblets=0.75,
        goblet_um=6.0,
        irregularity=0.15,
        clefts=0.35,
    ),
)
_MALIGNANT_GLANDS = GlandShape(
    spacing_um=128,
    septum_um=12,
    height_um=30,
    rows=(2, 3),
    goblets=0.04,
    irregularity=0.45,
    debris=0.4,
    clefts=0.5,
    grade="malignant",
)
_MALIGNANT = replace(
    _BENIGN,
    cells={"columnar": 0.62, "vesicular": 0.22, "dark": 0.13, "mitosis": 0.03},
    stroma_cells={"spindle": 0.6, "lymphocyte": 0.4},
    density=1.0,
    stroma_density=4.5,
    cytoplasm=0.32,
    cytoplasm_hematoxylin=0.20,
    stroma=0.30,
    red_cells=0.8,
    glands=_MALIGNANT_GLANDS,
)

#: Tissues at 20x whose objects are glands.
GLAND_PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        # round to oval crypts, one row of nuclei, goblet cells
        "gland_benign": _BENIGN,
        # irregular branching glands, nuclei in several rows, debris in the lumen
        "gland_irregular": _MALIGNANT,
        # sheets pierced by many small lumens
        "gland_cribriform": replace(
            _MALIGNANT,
            density=5.0,
            glands=replace(_MALIGNANT_GLANDS, spacing_um=150, rows=(1, 1), irregularity=0.3, cribriform_um=38.0),
        ),
        # back to back: hardly any stroma between, many glands touch
        "gland_crowded": replace(
            _MALIGNANT,
            glands=replace(
                _MALIGNANT_GLANDS, spacing_um=108, septum_um=-14, rows=(1, 2), irregularity=0.2, missing=0.04
            ),
        ),
    }
)

PRESETS: Mapping[str, Preset] = MappingProxyType({**NUCLEUS_PRESETS, **GLAND_PRESETS})
