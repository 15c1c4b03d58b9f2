"""From one map of ids per class to one map of ids: who gets the pixel that two classes claim."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["unite_channels"]


def unite_channels(
    masks: npt.NDArray[Any], names: Sequence[str]
) -> tuple[npt.NDArray[np.int32], dict[int, str], dict[str, int]]:
    """Return one instance map from a map per class.

    Parameters
    ----------
    masks : ndarray of integers, shape (H, W, C + 1)
        Ids, unique within a channel only; 0 where there is no object of that class. The last channel is background:
        not 0 where there is no object at all.
    names : sequence of str
        The classes of the first C channels.

    Returns
    -------
    instances : ndarray of int32, shape (H, W)
        Ids 1, 2, ... by channel, and by id within a channel. In a pixel of several channels the last one wins. An
        object that is covered wholly leaves a gap.
    classes : dict of int to str
        The class of each id that has a pixel.
    noticed : dict of str to int
        ``regions`` (objects in the channels), ``vanished`` (those without a pixel left), ``contested_px`` (pixels in
        more than one channel), ``background_px_differing`` (pixels that background and classes both claim, or neither).

    Examples
    --------
    The two channels use the id 5 for two objects, and both claim the second pixel:

    >>> masks = np.array([[[5, 0, 0], [5, 5, 0], [0, 0, 1]]])
    >>> instances, classes, noticed = unite_channels(masks, ["dead", "epithelial"])
    >>> instances
    array([[1, 2, 0]], dtype=int32)
    >>> classes, noticed["contested_px"]
    ({1: 'dead', 2: 'epithelial'}, 1)
    """
    instances = np.zeros(masks.shape[:2], np.int32)
    claims = np.zeros(masks.shape[:2], np.int32)
    classes: dict[int, str] = {}
    for channel, name in enumerate(names):
        layer = masks[..., channel]
        inside = layer > 0
        ids, rank = np.unique(layer[inside], return_inverse=True)
        instances[inside] = rank + len(classes) + 1
        claims += inside
        classes |= {len(classes) + number: name for number in range(1, len(ids) + 1)}
    left = np.unique(instances[instances > 0]).tolist()
    noticed = {
        "regions": len(classes),
        "vanished": len(classes) - len(left),
        "contested_px": int(np.count_nonzero(claims > 1)),
        "background_px_differing": int(np.count_nonzero((masks[..., -1] > 0) == (claims > 0))),
    }
    return instances, {number: classes[number] for number in left}, noticed
