"""How good a network is on tiles that it does not learn from."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import nn

from histolab_lib.inference import predict, segment
from histolab_lib.losses import Loss, Targets
from histolab_lib.metrics import aji, dice, object_dice
from histolab_lib.patches import check_crop_fits, cut, windows
from histolab_lib.postprocess import otsu_mask
from histolab_lib.recipe import Recipe
from histolab_lib.tile import Tile

__all__ = ["OBJECT_SCORES", "mean_dice", "mean_loss", "mean_object_score"]

#: Of the objects that post-processing makes, by the name that a recipe's validation has for them.
OBJECT_SCORES = MappingProxyType({"aji": aji, "object_dice": object_dice})


def mean_dice(network: nn.Module, tiles: Sequence[Tile], *, threshold: float | str = 0.5, **options: Any) -> float:
    """Return the mean over tiles of the Dice score of ``probability > threshold``, each tile predicted whole.

    Tiles without any foreground, true or predicted, are left out of the mean (`metrics.dice` with ``empty="nan"``).

    Parameters
    ----------
    network : nn.Module
    tiles : sequence of Tile
    threshold : float or "otsu"
        Otsu's is chosen on each tile.
    **options
        Of `inference.predict`.
    """
    maps = (predict(network, tile.image, **options) for tile in tiles)
    masks = [otsu_mask(one) if isinstance(threshold, str) else one > threshold for one in maps]
    return dice([tile.mask for tile in tiles], masks, empty="nan", reduction="mean")


def mean_object_score(network: nn.Module, tiles: Sequence[Tile], recipe: Recipe, metric: str, **options: Any) -> float:
    """Return the mean over tiles of a score of the objects that the recipe's post-processing makes.

    Tiles without any object, true or predicted, are left out of the mean.

    Parameters
    ----------
    network : nn.Module
    tiles : sequence of Tile
    recipe : Recipe
    metric : {"aji", "object_dice"}
    **options
        Of `inference.segment`.
    """
    objects = [segment(network, tile.image, recipe, **options) for tile in tiles]
    return OBJECT_SCORES[metric]([tile.instances for tile in tiles], objects, empty="nan", reduction="mean")


@torch.no_grad()
def mean_loss(network: nn.Module, tiles: Sequence[Tile], loss: Loss, *, crop_px: int, batch_size: int) -> float:
    """Return the mean loss over crops that lie side by side on the tiles, the ragged border left out.

    Parameters
    ----------
    network : nn.Module
        In evaluation mode while it is asked.
    tiles : sequence of Tile
    loss : callable
    crop_px, batch_size : int
    """
    check_crop_fits(tiles, crop_px)
    device = next(network.parameters()).device
    was_training, total, count = network.training, 0.0, 0
    network.eval()
    for tile in tiles:
        crops = cut(tile, windows(tile.shape, crop_px, crop_px, border="drop"))
        for start in range(0, len(crops.images), batch_size):
            images = torch.from_numpy(crops.images[start : start + batch_size]).to(device)
            instances = torch.from_numpy(crops.instances[start : start + batch_size].astype(np.int32)).to(device)
            output = network(images.permute(0, 3, 1, 2).float() / 255)
            total += float(loss(output, Targets.of(instances))) * len(images)
            count += len(images)
    network.train(was_training)
    return total / count
