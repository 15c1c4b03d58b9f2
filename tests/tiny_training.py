"""What tests of training share: a tiny network, tiles with disks, and a recipe that trains it in a moment."""

import numpy as np
import torch
from torch import nn

from histolab_lib.recipe import Recipe, _demo
from histolab_lib.tile import Tile
from histolab_lib.training import Data, Schedule

WHY = "ours: a test"
#: Twelve steps of two crops, a pause after every fourth.
SHORT = Schedule(name="short", crops=24, crop_px=16, batch_size=2, validations=3, threads=1)


class Dots(nn.Module):
    """Two convolutions with batch norm, and dropout where asked for: an encoder and a head."""

    stride_px = 1

    def __init__(self, dropout: float = 0.0, norm: bool = True) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            between = nn.BatchNorm2d(4) if norm else nn.Identity()
            self.encoder = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), between, nn.ReLU(), nn.Dropout(dropout))
            self.head = nn.Conv2d(4, 1, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.encoder(images))


def disks(seed: int, size_px: int = 32) -> Tile:
    """Dark violet disks on pink, with noise."""
    rng = np.random.default_rng(seed)
    rows, cols = np.mgrid[:size_px, :size_px]
    instances = np.zeros((size_px, size_px), np.int32)
    for i in range(1, 5):
        row, col = rng.uniform(0, size_px, 2)
        instances[(rows - row) ** 2 + (cols - col) ** 2 < rng.uniform(3, 6) ** 2] = i
    noise = rng.normal(0, 12, (size_px, size_px, 3))
    image = np.where(instances[..., None] > 0, [110, 70, 150], [225, 170, 200]) + noise
    return Tile(f"disks{seed}", image.clip(0, 255).astype(np.uint8), instances)


def data() -> Data:
    """Three tiles to learn from, two to validate on."""
    return Data([disks(seed) for seed in range(3)], [disks(seed) for seed in (7, 8)], "disks")


def recipe(**changes: object) -> Recipe:
    """The recipe of examples, with crops of 16 px and these changes."""
    return _demo().vary("test", WHY, **{"crop_px": 16, "batch_size": 2, "lr": 1e-2, **changes})


def weights(network: nn.Module) -> dict[str, torch.Tensor]:
    """A copy of all tensors by name."""
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    """Whether two networks are the same to the last bit."""
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)
