"""Parts of tiles: cut at random, by sliding windows or as a paper says, resampled, and put together again."""

from histolab_lib.patches.crops import Crops, check_crop_fits, random_crops
from histolab_lib.patches.cutting import PADDINGS, cut, cut_array
from histolab_lib.patches.resampling import UM_PER_PX, resample, resize, resize_image, resize_map
from histolab_lib.patches.schemes import SCHEMES, Scheme
from histolab_lib.patches.stitching import BLENDS, stitch
from histolab_lib.patches.windows import BORDERS, Window, corners, positions, quarters, windows

__all__ = [
    "BLENDS",
    "BORDERS",
    "PADDINGS",
    "SCHEMES",
    "UM_PER_PX",
    "Crops",
    "Scheme",
    "Window",
    "check_crop_fits",
    "corners",
    "cut",
    "cut_array",
    "positions",
    "quarters",
    "random_crops",
    "resample",
    "resize",
    "resize_image",
    "resize_map",
    "stitch",
    "windows",
]
