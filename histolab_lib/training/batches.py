"""What the loop asks of batches, and the two kinds beside `loading.Batches`: a scheme's patches, and plain crops."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from histolab_lib.augment import Augmentation, augment
from histolab_lib.loading import Batch
from histolab_lib.patches import SCHEMES, Window, cut, random_crops, resize
from histolab_lib.tile import Tile

__all__ = ["PatchBatches", "PlainBatches", "Source"]


class Source(Protocol):
    """Batches, counted from 0, that can be taken up anywhere."""

    def __len__(self) -> int: ...
    def iterate(self, start: int = 0) -> Iterator[Batch]:
        """Give the batches from `start` on."""
        ...


class PatchBatches:
    """The patches of a paper's scheme, each once in an epoch, in an order drawn anew for each epoch.

    Batch k depends on the patches, `seed` and k alone. The last batch of an epoch is filled from the next one, so
    that all are of one size. Where the scheme says so (`Scheme.changed_whole`), the tile of each patch is changed as
    a whole, anew for each of its patches, and the patch cut from the result.

    Parameters
    ----------
    tiles : sequence of Tile
    scheme : str
        One of `patches.SCHEMES`.
    batch_size, steps : int
    seed : int
    recipe : Augmentation
        What a change brings in from beyond a patch (or the tile, if that is what is changed) is mirrored.
    device : str or torch.device
        Where patches, or tiles, wait, as 8-bit pixels.
    """

    def __init__(
        self,
        tiles: Sequence[Tile],
        *,
        scheme: str,
        batch_size: int,
        steps: int,
        seed: int,
        recipe: Augmentation,
        device: str | torch.device = "cpu",
    ) -> None:
        how = SCHEMES[scheme]
        sized = [tile if how.resize_px is None else resize(tile, how.resize_px) for tile in tiles]
        patches = [how.windows(tile.shape) for tile in sized]
        changed = [[Window(0, 0, *tile.shape)] for tile in sized] if how.changed_whole else patches
        crops = [cut(tile, where, padding="reflect") for tile, where in zip(sized, changed, strict=True)]
        if not crops:
            raise ValueError("found no tiles to cut patches from")
        shapes = sorted({one.images.shape[1:3] for one in crops})
        if len(shapes) > 1:
            raise ValueError(f"patches of scheme {scheme!r} must be of one size, got {shapes}; batch them by crops")
        self._images = torch.from_numpy(np.concatenate([one.images for one in crops])).to(device)
        self._instances = torch.from_numpy(np.concatenate([one.instances for one in crops])).to(device)
        self._patches = [
            (tile.name, number, window)
            for number, (tile, where) in enumerate(zip(sized, patches, strict=True))
            for window in where
        ]
        self._cut_last = how.changed_whole
        self._batch_size, self._steps, self._seed, self._recipe = batch_size, steps, seed, recipe

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, step: int) -> Batch:
        count = len(self._patches)
        places = [
            self._order(n // count)[n % count] for n in range(step * self._batch_size, (step + 1) * self._batch_size)
        ]
        chosen = [self._patches[place] for place in places]
        changed = [number for _, number, _ in chosen] if self._cut_last else places
        images = self._images[changed].permute(0, 3, 1, 2).float() / 255
        rng = np.random.default_rng([self._seed, step, 1])
        images, instances = augment(images, self._instances[changed][:, None], rng, self._recipe)
        if self._cut_last:
            where = [window for _, _, window in chosen]
            images, instances = _cut_each(images, where), _cut_each(instances, where)
        origins = tuple((name, window.top, window.left) for name, _, window in chosen)
        return Batch(images.contiguous(memory_format=torch.channels_last), instances, origins)

    def iterate(self, start: int = 0) -> Iterator[Batch]:
        """Give the batches from `start` on."""
        return (self[step] for step in range(start, self._steps))

    def _order(self, epoch: int) -> list[int]:
        return np.random.default_rng([self._seed, epoch, 0]).permutation(len(self._patches)).tolist()


def _cut_each(batch: Tensor, where: Sequence[Window]) -> Tensor:
    """Of each sample (C, H, W) its own window."""
    return torch.stack([sample[:, *window.slices] for sample, window in zip(batch, where, strict=True)])


class PlainBatches:
    """Random crops, one after the other from one generator: the loop that a chapter can write in five lines.

    Parameters
    ----------
    tiles : sequence of Tile
    batch_size, crop_px, steps : int
    seed : int
    device : torch.device
    """

    def __init__(
        self, tiles: Sequence[Tile], *, batch_size: int, crop_px: int, steps: int, seed: int, device: torch.device
    ) -> None:
        self._tiles, self._batch_size, self._crop_px, self._steps = tiles, batch_size, crop_px, steps
        self._seed, self._device = seed, device

    def __len__(self) -> int:
        return self._steps

    def iterate(self, start: int = 0) -> Iterator[Batch]:
        """Give the batches from `start` on; those before are drawn, too."""
        rng = np.random.default_rng(self._seed)
        for step in range(self._steps):
            crops = random_crops(self._tiles, self._batch_size, self._crop_px, rng)
            images, instances = augment(self._to(crops.images), self._ids(crops.instances), rng)
            if step >= start:
                yield Batch(images, instances, crops.origins)

    def _to(self, images: np.ndarray) -> Tensor:
        # (N, S, S, 3) seen as (N, 3, S, S) is what torch calls channels_last: nothing is copied
        return torch.from_numpy(images).to(self._device).permute(0, 3, 1, 2).float() / 255

    def _ids(self, instances: np.ndarray) -> Tensor:
        return torch.from_numpy(instances).to(self._device)[:, None]
