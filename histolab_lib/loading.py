"""Batches for training: random crops of tiles, changed as a recipe says, the same ones however many processes help."""

import operator
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from histolab_lib.augment import Augmentation, augment
from histolab_lib.patches import check_crop_fits
from histolab_lib.tile import Tile

__all__ = ["Batch", "Batches"]

# Crops and changes draw from streams of their own, because different processes may draw them.
_CROPS, _CHANGES = 0, 1


class Batch(NamedTuple):
    """What one step of training sees.

    Attributes
    ----------
    images : Tensor of float32, shape (N, 3, size, size)
        RGB in 0..1, in channels_last memory.
    instances : Tensor of int32, shape (N, 1, size, size)
        Instance ids of the tile, moved as the image was; 0 is background.
    origins : tuple of (str, int, int), length N
        Name of the tile, top row and left column of the crop in it, in pixels, before it was changed.
    """

    images: Tensor
    instances: Tensor
    origins: tuple[tuple[str, int, int], ...]

    @property
    def masks(self) -> Tensor:
        """1 where any object is, else 0; float32, shape (N, 1, size, size)."""
        return (self.instances > 0).float()


class _Pixels(NamedTuple):
    """A tile as tensors: image (H, W, 3) uint8, instances (H, W) int32."""

    name: str
    image: Tensor
    instances: Tensor


class Batches(Sequence[Batch]):
    """A sequence of batches, of which batch k depends on the tiles, `seed` and k alone.

    Every tile is equally likely whatever its size, and so is every place where a crop fits whole
    (`patches.random_crops` draws alike). A recipe that rotates or shrinks sees what lies around the crop; only beyond
    the border of the tile is the image mirrored.

    Where the work is done: without workers, pixels wait on `device` as uint8 and int32, and are cut and changed there,
    which on a GPU leaves the processor nothing to do (MoNuSeg's 30 tiles take 0.2 GB). With workers they cut and, for a
    CPU, change; for a GPU they cut, and 8-bit crops travel there from pinned memory to be changed.

    Parameters
    ----------
    tiles : sequence of Tile
        At least one; an order, since crops are drawn by position.
    size_px, batch_size, steps : int
        Side of a crop in pixels, crops in a batch, number of batches.
    seed : int
        Not negative.
    recipe : Augmentation
        One of `augment.RECIPES`, or your own.
    workers : int
        Processes that make batches ahead while the network learns; 0: none.
    device : str or torch.device
        Where batches come out.
    keep : bool
        Read every tile once, now, and keep it in memory; False: read a tile again for each crop, for sets that are
        memory-mapped or too large.

    Raises
    ------
    ValueError
        If a number is out of range, there are no tiles, or one is smaller than the crop.

    Examples
    --------
    >>> from histolab_lib.augment import RECIPES
    >>> tile = Tile("demo", np.full((40, 60, 3), 255, np.uint8), np.ones((40, 60), np.int32))
    >>> batches = Batches([tile], size_px=32, batch_size=2, steps=100, seed=0, recipe=RECIPES["msal_net"])
    >>> len(batches), batches[0].images.shape, batches[0].masks.mean().item()
    (100, torch.Size([2, 3, 32, 32]), 1.0)
    >>> batches[99].origins == batches[99].origins != batches[98].origins
    True
    """

    def __init__(
        self,
        tiles: Sequence[Tile],
        *,
        size_px: int,
        batch_size: int,
        steps: int,
        seed: int,
        recipe: Augmentation,
        workers: int = 0,
        device: str | torch.device = "cpu",
        keep: bool = True,
    ) -> None:
        lowest = {"size_px": 1, "batch_size": 1, "steps": 1, "seed": 0, "workers": 0}
        given = {"size_px": size_px, "batch_size": batch_size, "steps": steps, "seed": seed, "workers": workers}
        for name, value in given.items():
            if value < lowest[name]:
                raise ValueError(f"{name} must be at least {lowest[name]}, got {value}")
        if len(tiles) == 0:
            check_crop_fits(tiles, size_px)
        self._size_px, self._batch_size, self._steps, self._seed = size_px, batch_size, steps, seed
        self._recipe, self._workers, self._device = recipe, workers, torch.device(device)
        self._margin_px = recipe.margin_px(size_px)
        self._held_on = torch.device("cpu") if workers else self._device
        self._workers_change = self._device.type == "cpu"  # a GPU is no business of theirs
        self._tiles: Sequence[Tile] | list[_Pixels] = [self._pixels(tile) for tile in tiles] if keep else tiles

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, step: int) -> Batch:  # type: ignore[override]  # a slice of batches has no use
        step = operator.index(step)
        if not 0 <= step < self._steps:
            raise IndexError(f"batch {step} asked for, but there are {self._steps}, counted from 0")
        return self._change(self._cut(step), step)

    def __iter__(self) -> Iterator[Batch]:
        return self.iterate()

    def iterate(self, start: int = 0) -> Iterator[Batch]:
        """Give the batches from `start` on, in order: what a run that is taken up again needs."""
        if not self._workers:
            yield from (self[step] for step in range(start, self._steps))
            return
        loader = DataLoader(
            _InWorkers(self, change=self._workers_change),
            batch_size=None,  # an item is a batch already
            sampler=range(start, self._steps),
            num_workers=self._workers,
            collate_fn=_as_it_is,
            pin_memory=self._device.type == "cuda",
            generator=torch.Generator(),  # else the loader would draw its seed from the global one
        )
        for step, batch in zip(range(start, self._steps), loader, strict=True):
            yield batch if self._workers_change else self._change(batch, step)

    def _pixels(self, tile: Tile) -> _Pixels:
        check_crop_fits([tile], self._size_px)
        # torch refuses memory that may not be written, such as a map of a file
        image, instances = (
            torch.from_numpy(np.require(a, requirements=["C", "W"])) for a in (tile.image, tile.instances)
        )
        return _Pixels(tile.name, image.to(self._held_on), instances.to(self._held_on))

    def _cut(self, step: int) -> Batch:
        """8-bit crops with the margin that the recipe needs: images (N, S, S, 3), instances (N, S, S)."""
        rng = np.random.default_rng([self._seed, step, _CROPS])
        images, instances, origins = [], [], []
        for _ in range(self._batch_size):
            tile = self._tiles[int(rng.integers(len(self._tiles)))]
            pixels = tile if isinstance(tile, _Pixels) else self._pixels(tile)
            top, left = (int(rng.integers(side - self._size_px + 1)) for side in pixels.instances.shape)
            images.append(self._window(pixels.image, top, left))
            instances.append(self._window(pixels.instances, top, left))
            origins.append((pixels.name, top, left))
        return Batch(torch.stack(images), torch.stack(instances), tuple(origins))

    def _window(self, plane: Tensor, top: int, left: int) -> Tensor:
        """The crop at a place and the margin around it; what lies beyond the tile is mirrored."""
        reach = self._size_px + self._margin_px
        for axis, first in enumerate((top, left)):
            start, stop, size = first - self._margin_px, first + reach, plane.shape[axis]
            if start >= 0 and stop <= size:
                plane = plane.narrow(axis, start, stop - start)
            else:
                places = torch.arange(start, stop, device=plane.device) % (2 * size)
                plane = plane.index_select(axis, torch.where(places < size, places, 2 * size - 1 - places))
        return plane

    def _change(self, crops: Batch, step: int) -> Batch:
        rng = np.random.default_rng([self._seed, step, _CHANGES])
        images, instances = (one.to(self._device, non_blocking=True) for one in crops[:2])
        images = images.permute(0, 3, 1, 2).float() / 255
        images, instances = augment(images, instances[:, None], rng, self._recipe, size_px=self._size_px)
        origins = tuple((name, top, left) for name, top, left in crops.origins)  # pinning makes lists of them
        return Batch(images.contiguous(memory_format=torch.channels_last), instances, origins)


class _InWorkers(Dataset[Batch]):
    """What a worker process makes of a step."""

    def __init__(self, batches: Batches, *, change: bool) -> None:
        self._batches, self._change = batches, change

    def __getitem__(self, step: int) -> Batch:
        return self._batches[step] if self._change else self._batches._cut(step)


def _as_it_is(batch: Any) -> Any:
    return batch
