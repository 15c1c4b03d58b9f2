"""What a score is worth: the floors that no paper reports, found without learning."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from histolab_lib.choices import choose
from histolab_lib.datasets import kumar, monuseg
from histolab_lib.postprocess import fill_and_open, hematoxylin_floor, otsu_mask, remove_small, split_components
from histolab_lib.stain import hematoxylin

__all__ = ["HEMATOXYLIN", "RULES", "Rule", "gland_floor", "nucleus_floor", "rule_for"]

#: The key of these floors among records.
HEMATOXYLIN = "floor_hematoxylin"

Image = npt.NDArray[np.uint8]
Instances = npt.NDArray[np.int32]

_GLAND_SIGMA_PX = 8.0
_GLAND_RADIUS_PX = 5
_GLAND_AREA_PX = 1000


def nucleus_floor(image: Image) -> Instances:
    """Segment nuclei by thresholded hematoxylin: `postprocess.hematoxylin_floor`, its 4-connected components.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)

    Returns
    -------
    ndarray of int32, shape (H, W)
    """
    return split_components(hematoxylin_floor(hematoxylin(image)), connectivity=4)


def gland_floor(image: Image) -> Instances:
    """Segment glands by hematoxylin blurred over the width of an epithelium: where nuclei crowd, a gland is near.

    Gaussian blur of 8 px, Otsu's threshold, opening with a disk of radius 5 px, holes filled, 4-connected components
    of fewer than 1,000 px removed.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)

    Returns
    -------
    ndarray of int32, shape (H, W)

    Notes
    -----
    Of blurs of 4, 8, 12, 16 and 24 px this one gives the highest mean Dice on the 85 training images of GlaS: 0.644. To
    call all of every image gland gives 0.653, so it is a floor for objects alone.
    """
    mask = fill_and_open(otsu_mask(hematoxylin(image), sigma_px=_GLAND_SIGMA_PX), radius_px=_GLAND_RADIUS_PX)
    return split_components(remove_small(mask, min_area_px=_GLAND_AREA_PX, connectivity=4), connectivity=4)


@dataclass(frozen=True)
class Rule:
    """One floor.

    Attributes
    ----------
    segment : callable
        Takes an image (H, W, 3) uint8 and returns instances (H, W) int32.
    settings : mapping
        What decides its numbers, in words and pixels: the recipe of its records.
    """

    segment: Callable[[Image], Instances]
    settings: Mapping[str, Any]


#: By variant. Glands are no nuclei: on GlaS the rule of nuclei finds the nuclei of everything, stroma included.
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "base": Rule(
            nucleus_floor,
            {"sigma_px": 2.0, "threshold": "otsu", "radius_px": 2, "min_area_px": 51, "connectivity": 4},
        ),
        "glands": Rule(
            gland_floor,
            {
                "sigma_px": _GLAND_SIGMA_PX,
                "threshold": "otsu",
                "radius_px": _GLAND_RADIUS_PX,
                "min_area_px": _GLAND_AREA_PX,
                "connectivity": 4,
            },
        ),
    }
)


def rule_for(dataset: str, variant: str = "base") -> tuple[Rule, tuple[str, ...]]:
    """Return a floor, and the tiles on which it was chosen.

    Parameters
    ----------
    dataset : str
        The set that is going to be scored.
    variant : {"base", "glands"}
        Of `RULES`.

    Returns
    -------
    rule : Rule
    chosen_on : tuple of str
        Names of tiles, none of which is a test tile of `dataset`. The rule of nuclei was chosen on the 30 training
        tiles of MoNuSeg. Kumar's test tiles are among these; its own 16 training tiles alone choose the same rule.

    Raises
    ------
    ValueError
        If there is no such floor, or if it is no floor for this set.

    Examples
    --------
    >>> rule, chosen_on = rule_for("kumar")
    >>> rule.settings["sigma_px"], len(chosen_on), len(rule_for("tnbc")[1])
    (2.0, 16, 30)
    """
    rule = RULES[choose(f"variant of {HEMATOXYLIN!r}", variant, RULES)]
    if (variant == "glands") != (dataset == "glas"):
        wanted = "glands" if dataset == "glas" else "base"
        raise ValueError(f"{HEMATOXYLIN!r} on {dataset!r}: the variant must be {wanted!r}, got {variant!r}")
    if dataset == "glas":
        return rule, tuple(f"train_{number}" for number in range(1, 86))
    return rule, kumar.names("train") if dataset == "kumar" else tuple(monuseg.groups("train"))
