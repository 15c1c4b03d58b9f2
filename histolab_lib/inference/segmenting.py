"""From an image to objects, as a recipe says."""

from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn

from histolab_lib.inference.predicting import predict_maps
from histolab_lib.postprocess import by_name
from histolab_lib.recipe import Recipe

__all__ = ["segment"]

# Reaches as far as a network with a stride of 32 needs, and divides by it.
_OVERLAP_PX = 128


def segment(network: nn.Module, image: npt.NDArray[np.uint8], recipe: Recipe, **options: Any) -> npt.NDArray[np.int32]:
    """Return the objects that a network sees: its maps, and the post-processing of its recipe.

    Parameters
    ----------
    network, image
        As of `predict`.
    recipe : Recipe
        Its `resize_px`, `window_px`, `overlap_px`, `tta`, `thresholds`, `postprocess` and `postprocess_options` are
        used.
    **options
        As of `predict`: ``batch_size``, ``precision``, ``device``. A ``resize_px``, ``window_px``, ``overlap_px`` or
        ``symmetries`` given here takes the place of the recipe's.

    Returns
    -------
    ndarray of int32, shape (H, W)
        0 is background.
    """
    settings: dict[str, Any] = {
        "resize_px": recipe.resize_px,
        "window_px": recipe.window_px,
        "overlap_px": _OVERLAP_PX if recipe.overlap_px is None else recipe.overlap_px,
        "symmetries": recipe.tta,
        **options,
    }
    maps = predict_maps(network, image, maps=tuple(recipe.thresholds), **settings)
    return by_name(recipe.postprocess)(maps, thresholds=recipe.thresholds, **recipe.postprocess_options)
