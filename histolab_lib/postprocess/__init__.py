"""From what a network (or no network) says about pixels to clean masks and separate objects."""

from histolab_lib.postprocess.growing import grow_labels, subtract_contours
from histolab_lib.postprocess.masks import fill_and_open, hematoxylin_floor, otsu_mask
from histolab_lib.postprocess.named import by_name
from histolab_lib.postprocess.objects import erode_instances, remove_small, split_components
from histolab_lib.postprocess.watershed import watershed_instances

__all__ = [
    "by_name",
    "erode_instances",
    "fill_and_open",
    "grow_labels",
    "hematoxylin_floor",
    "otsu_mask",
    "remove_small",
    "split_components",
    "subtract_contours",
    "watershed_instances",
]
