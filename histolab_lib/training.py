"""The training loop: crops, loss, gradient, step, and again."""

import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from rich.progress import track
from torch import Tensor, nn

from histolab_lib.augment import augment
from histolab_lib.inference import as_device, predict
from histolab_lib.losses import bce_dice
from histolab_lib.metrics import dice
from histolab_lib.patches import Crops, check_crop_fits, random_crops
from histolab_lib.tile import Tile

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["History", "TrainingError", "fit", "mean_dice"]

_SMOOTH = 1.0  # pixels; next to a batch of 100,000 it matters only where there is no foreground at all


class TrainingError(RuntimeError):
    """Training cannot go on; the message names the step and the batch."""


@dataclass
class History:
    """What happened during training.

    Attributes
    ----------
    losses : list of float
        Loss of the batch at step 1, 2, ..., before that step changed the weights.
    validation : dict of int to float
        Mean Dice of the validation tiles after so many steps.
    seconds : float
        Wall time, validation included.
    """

    losses: list[float] = field(default_factory=list, repr=False)
    validation: dict[int, float] = field(default_factory=dict)
    seconds: float = field(default=0.0, repr=False, compare=False)  # no two runs take the same time

    @property
    def steps(self) -> int:
        """Number of steps taken."""
        return len(self.losses)

    def frame(self) -> "pd.DataFrame":
        """Return one row per step: step (from 1), loss, validation_dice (NaN where not measured)."""
        import pandas as pd

        steps = range(1, self.steps + 1)
        validation_dice = [self.validation.get(step, np.nan) for step in steps]
        return pd.DataFrame({"step": steps, "loss": self.losses, "validation_dice": validation_dice})


def fit(
    network: nn.Module,
    tiles: Sequence[Tile],
    *,
    steps: int,
    batch_size: int,
    crop_px: int,
    seed: int,
    lr: float = 2e-3,
    weight_decay: float = 1e-4,
    device: str | torch.device = "cpu",
    validate: Sequence[Tile] | None = None,
    validate_every: int | None = None,
    progress: bool | None = None,
) -> History:
    """Train `network` in place to tell nuclei from the rest, on random crops of `tiles`.

    AdamW (Loshchilov and Hutter 2019) with a learning rate that falls from `lr` to 0 along half a cosine
    (Loshchilov and Hutter 2017), no restarts; loss `losses.bce_dice`; each batch changed by `augment.augment`.

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
        If the loss becomes infinite or not a number.
    """
    _check_counts(steps=steps, batch_size=batch_size, validate_every=validate_every)
    tiles = list(tiles)
    check_crop_fits(tiles, crop_px)
    target = as_device(device)
    held_out = list(validate or [])
    every = validate_every or math.ceil(steps / 10)
    shown = sys.stdout.isatty() if progress is None else progress

    network.to(target, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(network.parameters(), lr=lr, weight_decay=weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
    rng = np.random.default_rng(seed)
    history = History()
    start = time.perf_counter()
    with torch.random.fork_rng(devices=[target] if target.type == "cuda" else []):
        torch.manual_seed(seed)  # for networks that draw, such as those with dropout
        for step in track(range(1, steps + 1), "training", disable=not shown):
            network.train()
            crops = random_crops(tiles, batch_size, crop_px, rng)
            images, masks = augment(*_tensors(crops, target), rng)
            loss = bce_dice(network(images), masks, smooth=_SMOOTH)
            history.losses.append(_finite(loss, step, crops))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            if held_out and (step % every == 0 or step == steps):
                history.validation[step] = mean_dice(network, held_out)
    network.eval()
    history.seconds = time.perf_counter() - start
    return history


def mean_dice(network: nn.Module, tiles: Sequence[Tile], *, threshold: float = 0.5) -> float:
    """Return the mean over tiles of the Dice score of ``probability > threshold``, each tile predicted whole.

    Tiles without any foreground, true or predicted, are left out of the mean (`metrics.dice` with ``empty="nan"``).
    """
    masks = [predict(network, tile.image) > threshold for tile in tiles]
    return dice([tile.mask for tile in tiles], masks, empty="nan", reduction="mean")


def _tensors(crops: Crops, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return images (N, 3, S, S) in 0..1 and masks (N, 1, S, S), float32."""
    # (N, S, S, 3) seen as (N, 3, S, S) is what torch calls channels_last: nothing is copied
    images = torch.from_numpy(crops.images).to(device).permute(0, 3, 1, 2).float() / 255
    masks = torch.from_numpy(crops.instances > 0).to(device)[:, None].float()
    return images, masks


def _check_counts(**counts: int | None) -> None:
    for name, count in counts.items():
        if count is not None and count < 1:
            raise ValueError(f"{name} must be at least 1, got {count}")


def _finite(loss: Tensor, step: int, crops: Crops) -> float:
    value = loss.item()
    if math.isfinite(value):
        return value
    batch = ", ".join(f"{name} at row {top}, column {left}" for name, top, left in crops.origins)
    raise TrainingError(f"the loss became {value} at step {step}; a lower lr may help. The batch was: {batch}")
