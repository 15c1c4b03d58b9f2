"""A network on some tiles, a few settings by keyword: the door that chapters go through."""

import math
import time
from collections.abc import Sequence

import torch
from torch import nn

from histolab_lib import losses
from histolab_lib.inference import as_device
from histolab_lib.patches import check_crop_fits
from histolab_lib.tile import Tile
from histolab_lib.training.batches import PlainBatches
from histolab_lib.training.engine import OneProcess
from histolab_lib.training.history import History
from histolab_lib.training.loop import Loop
from histolab_lib.training.validation import mean_dice

__all__ = ["train"]

_SMOOTH = 1.0  # pixels; next to a batch of 100,000 it matters only where there is no foreground at all


def train(
    network: nn.Module,
    tiles: Sequence[Tile],
    *,
    steps: int,
    batch_size: int,
    crop_px: int,
    seed: int,
    lr: float = 2e-3,
    weight_decay: float = 1e-4,
    loss: losses.Loss | None = None,
    device: str | torch.device = "cpu",
    validate: Sequence[Tile] | None = None,
    validate_every: int | None = None,
    progress: bool | None = None,
) -> History:
    """Train `network` in place to tell nuclei from the rest, on random crops of `tiles`.

    AdamW (Loshchilov and Hutter 2019) with a learning rate that falls from `lr` to 0 along half a cosine
    (Loshchilov and Hutter 2017), no restarts; each batch changed by `augment.augment`.
    The loop is that of `fit`, which has more to set, writes checkpoints, and knows several devices.

    Parameters
    ----------
    network : nn.Module
        Maps RGB (N, 3, H, W) in 0..1 to logits (N, 1, H, W). Left in evaluation mode, on `device`.
    tiles : sequence of Tile
        Read once and kept in memory as 8-bit pixels.
    steps, batch_size, crop_px : int
        Number of batches, crops in each, and their side in pixels.
    seed : int
        Decides crops, augmentation and whatever the network draws. On a CPU with one thread the same seed and the
        same network give the same weights to the last bit; the global random state is left as it was.
    lr, weight_decay : float
        Of AdamW.
    loss : callable, optional
        As `losses.build` gives it; None: ``bce_dice`` with a `smooth` of 1.
    device : str or torch.device
        ``"cpu"``, ``"cuda"``, ``"mps"``.
    validate : sequence of Tile, optional
        Scored by `mean_dice` as training goes. Nothing is chosen by it: the weights are those of the last step.
    validate_every : int, optional
        Steps between two validations; None: a tenth of `steps`. The last step is always validated.
    progress : bool, optional
        Whether to draw a progress bar on the standard output; None: only where that is a terminal.

    Returns
    -------
    History

    Raises
    ------
    ValueError
        If a number is out of range, there are no tiles, a tile is smaller than the crop, or the device is not there.
    TrainingError
        If the loss becomes infinite or not a number, or memory runs out.
    """
    _check_counts(steps=steps, batch_size=batch_size, validate_every=validate_every)
    tiles, held_out = list(tiles), list(validate or [])
    check_crop_fits(tiles, crop_px)
    target = as_device(device)
    network.to(target, memory_format=torch.channels_last)  # type: ignore[call-overload]
    group = {"params": list(network.parameters()), "lr_factor": 1.0}
    start = time.perf_counter()

    def look(history: History) -> bool:
        history.seconds = time.perf_counter() - start
        if held_out:
            history.scores[history.steps] = {"dice": mean_dice(network, held_out)}
        return False

    loop = Loop(
        engine=OneProcess(target),
        network=network,
        optimiser=torch.optim.AdamW([group], lr=lr, weight_decay=weight_decay),
        batches=PlainBatches(tiles, batch_size=batch_size, crop_px=crop_px, steps=steps, seed=seed, device=target),
        loss=loss or losses.build("bce_dice", smooth=_SMOOTH),
        lr=lambda step, _: lr * (1 + math.cos(math.pi * (step - 1) / steps)) / 2,
        seed=seed,
        every=validate_every or math.ceil(steps / 10),
        pause=look,
        progress=progress,
    )
    loop.run()
    network.eval()
    loop.history.seconds = time.perf_counter() - start
    return loop.history


def _check_counts(**counts: int | None) -> None:
    for name, count in counts.items():
        if count is not None and count < 1:
            raise ValueError(f"{name} must be at least 1, got {count}")
