"""What is changed, and by how much: the recipes of the five papers and of this book, each value with its source."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

__all__ = ["RECIPES", "Augmentation", "varies"]

Range = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Which changes `augment` makes; what is not named is left as it is. Every sample draws its own.

    Attributes
    ----------
    name : str
        Of the recipe.
    flip_h, flip_v : bool
        Mirror left to right, upside down; each in half of the samples.
    quarter_turns : bool
        0, 1, 2 or 3, equally likely; crops must then be square.
    rotate_deg : float
        Rotation, uniform in +- this.
    shift : float
        Shift along x and along y, uniform in +- this share of the side of the result.
    shear_deg : float
        Shear along x, uniform in +- this.
    zoom : (float, float)
        Magnification; its logarithm is uniform, so that half as large is as likely as twice as large.
    od_scale, od_shift : float
        Of `jitter_stain`.
    stain_scale : (float, float)
        Scale of the concentration of each stain, uniform; of `jitter_concentrations`.
    stain_shift : float
        Shift of the same, uniform in +- this.
    blur_sigma_px : (float, float)
        Sigma of a Gaussian blur in pixels, uniform, in a share `blur_share` of the samples.
    blur_share : float
    contrast : (float, float)
        Factor of `adjust_contrast`, uniform.
    brightness : float
        Offset of the same, uniform in +- this.
    noise_sd : float
        Standard deviation of the noise, uniform in 0..this.
    sources : mapping of str to str
        For each attribute that is used, where its value stands: in the text (with the section), in the released code,
        or "ours" with the reason.

    Examples
    --------
    A recipe is changed with `dataclasses.replace`; what it needs around a crop follows from it:

    >>> from dataclasses import replace
    >>> msal = RECIPES["msal_net"]
    >>> msal.rotate_deg, msal.sources["rotate_deg"]
    (15, 'section Implementation details: "random rotation from -15 to 15"')
    >>> msal.margin_px(256), replace(msal, rotate_deg=0, shift=0, shear_deg=0).margin_px(256)
    (79, 0)
    """

    name: str
    flip_h: bool = False
    flip_v: bool = False
    quarter_turns: bool = False
    rotate_deg: float = 0
    shift: float = 0
    shear_deg: float = 0
    zoom: Range = (1, 1)
    od_scale: float = 0
    od_shift: float = 0
    stain_scale: Range = (1, 1)
    stain_shift: float = 0
    blur_sigma_px: Range = (0, 0)
    blur_share: float = 0
    contrast: Range = (1, 1)
    brightness: float = 0
    noise_sd: float = 0
    sources: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        lowest = {"zoom": 0.01, "stain_scale": 0, "blur_sigma_px": 0, "contrast": 0}
        for name, floor in lowest.items():
            low, high = getattr(self, name)
            if not floor <= low <= high:
                raise ValueError(f"{self.name}: {name} must be (low, high), low at least {floor}, got {(low, high)}")
        highest = {"rotate_deg": 180, "shift": 1, "shear_deg": 60, "od_scale": 0.99, "blur_share": 1}
        for name in (*highest, "od_shift", "stain_shift", "brightness", "noise_sd"):
            value, limit = getattr(self, name), highest.get(name, math.inf)
            if not 0 <= value <= limit:
                raise ValueError(f"{self.name}: {name} must be in 0..{limit}, got {value}")

    @property
    def warps(self) -> bool:
        """Whether pixels are interpolated: anything but flips and quarter turns."""
        return bool(self.rotate_deg or self.shift or self.shear_deg or varies(self.zoom))

    def margin_px(self, size_px: int) -> int:
        """Pixels around a crop of `size_px` that the result can show, so that it is tissue and no mirror image."""
        turn = math.radians(min(self.rotate_deg, 45))
        reach = (size_px / 2 + self.shift * size_px) * (math.cos(turn) + math.sin(turn)) / self.zoom[0]
        return max(0, math.ceil(reach * (1 + math.tan(math.radians(self.shear_deg))) - size_px / 2 - 1e-9))


def varies(factors: Range) -> bool:
    """Whether a range of factors holds any but 1."""
    return factors != (1.0, 1.0)


def _recipe(name: str, **values: tuple[object, str]) -> Augmentation:
    settings = {key: value for key, (value, _) in values.items()}
    sources = MappingProxyType({key: source for key, (_, source) in values.items()})
    return Augmentation(name=name, sources=sources, **settings)  # type: ignore[arg-type]


_HARU_FLIPS = 'section 4.3: "random horizontal and vertical flips"'
_OPEN = "is not printed; ours:"
_MSAL = 'section Implementation details: "'
_DAN_SMALL = 'section 4.1: "rotation and shifting", for data sets of less than 250 images; its range'
_TENTH = f"{_OPEN} a tenth of the side, the customary value"

# What the strong U-Net sees changed besides its stains.
_STRONG: dict[str, tuple[object, str]] = {
    "quarter_turns": (True, "ours: tissue has no upright"),
    "flip_h": (True, "ours: tissue has no upright"),
    "zoom": ((0.75, 1.33), "ours: tiles of one set differ in the size of their nuclei by more than that"),
    "blur_sigma_px": ((0.3, 1.5), "ours: what an objective slightly out of focus does at 40x"),
    "blur_share": (0.3, "ours: most tiles of these sets are in focus"),
    "contrast": ((0.8, 1.2), "ours: the spread between scanners is larger, but the stains vary already"),
    "brightness": (0.05, "ours: as for the contrast"),
    "noise_sd": (0.02, "ours: five grey levels of 255"),
}

_ALL = (
    _recipe("none"),
    _recipe(
        "small_unet",
        quarter_turns=(True, "ours: tissue has no upright"),
        flip_h=(True, "ours: tissue has no upright"),
        od_scale=(0.25, "ours: chosen on no test tile"),
        od_shift=(0.06, "ours: chosen on no test tile"),
    ),
    _recipe(
        "strong_unet",
        **_STRONG,
        stain_scale=((0.7, 1.35), "ours: chosen on no test tile"),
        stain_shift=(0.06, "ours: chosen on no test tile"),
    ),
    _recipe("strong_unet_no_stain", **_STRONG),  # what the change of stains is worth
    _recipe(
        "haru_net",
        flip_h=(True, _HARU_FLIPS),
        flip_v=(True, _HARU_FLIPS),
        rotate_deg=(15, f'section 4.3: "random rotations within a specified range", which {_OPEN} as MSAL-Net prints'),
    ),
    _recipe(
        "haru_net_cpm17",
        flip_h=(True, 'section 4.4.4: "only flip and translation"'),
        flip_v=(True, 'section 4.4.4: "only flip and translation"; which flips it were, as in section 4.3'),
        shift=(0.1, f'section 4.4.4: "only flip and translation", whose range {_TENTH}'),
    ),
    _recipe(
        "haru_net_code",
        quarter_turns=(
            True,
            "released code: eight files for each image, four rotations with and without a horizontal flip",
        ),
        flip_h=(True, "released code: eight files for each image, four rotations with and without a horizontal flip"),
    ),
    _recipe("histoseg"),  # neither the text nor the released code has any
    _recipe(
        "gland_linknet",
        flip_h=(True, 'section III-A: "rotation and flipping them in horizontal and vertical directions"'),
        flip_v=(True, 'section III-A: "rotation and flipping them in horizontal and vertical directions"'),
        rotate_deg=(180, f"section III-A: rotation, whose range {_OPEN} 4420 crops are 13 versions of each image"),
    ),
    _recipe(
        "msal_net",
        flip_h=(True, f'{_MSAL}random horizontal and vertical flipping"'),
        flip_v=(True, f'{_MSAL}random horizontal and vertical flipping"'),
        rotate_deg=(15, f'{_MSAL}random rotation from -15 to 15"'),
        shift=(0.1, f'{_MSAL}random shifting in x and y directions", whose range {_TENTH}'),
        shear_deg=(5.7, f'{_MSAL}random shearing", whose range {_OPEN} a slope of a tenth'),
        zoom=((1.0, 1.2), f'{_MSAL}random zooming from 0.0 to 0.2", read as magnified by 0 to 20 percent'),
    ),
    _recipe(
        "dan_nucnet",
        flip_h=(True, 'section 4.1: "flipped vertically and horizontally"; the released code does the same'),
        flip_v=(True, 'section 4.1: "flipped vertically and horizontally"; the released code does the same'),
    ),
    _recipe(
        "dan_nucnet_small",
        flip_h=(True, 'section 4.1: "flipped vertically and horizontally"'),
        flip_v=(True, 'section 4.1: "flipped vertically and horizontally"'),
        rotate_deg=(15, f"{_DAN_SMALL} {_OPEN} as MSAL-Net prints"),
        shift=(0.1, f"{_DAN_SMALL} {_TENTH}"),
    ),
)

#: The recipes by name. HistoSeg has none, so its recipe changes nothing. Not here: what HARU-Net's section 4.3 names
#: for CoNSeP ("feature enhancement, image denoising, and filtering"), which is not described.
RECIPES: Mapping[str, Augmentation] = MappingProxyType({recipe.name: recipe for recipe in _ALL})
