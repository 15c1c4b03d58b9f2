"""Batches through a network: eight symmetries if wanted, smaller batches where memory runs out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from histolab_lib.inference.devices import autocast
from histolab_lib.inference.heads import probabilities

__all__ = ["Forward"]

Maps = dict[str, npt.NDArray[np.float32]]


@dataclass
class Forward:
    """A network made ready to be asked.

    Attributes
    ----------
    network : nn.Module
        In evaluation mode, on `device`.
    device : torch.device
    maps : sequence of str or None
        See `heads.probabilities`.
    precision : {"float32", "bfloat16"}
    symmetries : bool
        Whether the mean over the eight flips and quarter turns is taken.
    batch_size : int
        Images in one call of the network; halved for good whenever memory runs out.
    """

    network: nn.Module
    device: torch.device
    maps: Sequence[str] | None
    precision: str
    symmetries: bool
    batch_size: int

    def __call__(self, images: npt.NDArray[np.uint8]) -> Maps:
        """Map images (N, H, W, 3) to probabilities (N, H, W) by name.

        Raises
        ------
        MemoryError
            If memory does not suffice for one image.
        """
        done: list[Maps] = []
        start = 0
        while start < len(images):
            batch = images[start : start + self.batch_size]
            made = self._attempt(batch)
            if made is not None:
                done.append(made)
                start += len(batch)
            elif len(batch) == 1:
                height, width = images.shape[1:3]
                raise MemoryError(
                    f"{self.device.type}: memory does not suffice for one image of {height}x{width} pixels; pass a "
                    f"smaller window_px (smaller than {max(height, width)}), or another device"
                )
            else:
                self.batch_size = len(batch) // 2
        return {name: np.concatenate([maps[name] for maps in done]) for name in done[0]}

    def _attempt(self, batch: npt.NDArray[np.uint8]) -> Maps | None:
        """None where memory ran out; the error is dropped, because it holds on to what was computed so far."""
        try:
            return self._run(batch)
        except RuntimeError as error:
            if not _out_of_memory(error):
                raise
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        return None

    @torch.inference_mode()
    def _run(self, batch: npt.NDArray[np.uint8]) -> Maps:
        # (N, H, W, 3) seen as (N, 3, H, W) is what torch calls channels_last: nothing is copied
        images = torch.from_numpy(np.require(batch, requirements=["C", "W"])).to(self.device)
        images = images.permute(0, 3, 1, 2).float() / 255
        if not self.symmetries:
            return {name: values.cpu().numpy() for name, values in self._ask(images).items()}
        total: dict[str, Tensor] = {}
        for turns in range(4):
            for flip in (False, True):
                seen = torch.rot90(images, turns, (2, 3))
                seen = (seen.flip(3) if flip else seen).contiguous(memory_format=torch.channels_last)
                for name, values in self._ask(seen).items():
                    back = torch.rot90(values.flip(2) if flip else values, -turns, (1, 2))
                    total[name] = total[name] + back if name in total else back
        return {name: (values / 8).cpu().numpy() for name, values in total.items()}

    def _ask(self, images: Tensor) -> dict[str, Tensor]:
        with autocast(self.device, self.precision):
            output = self.network(images)
        return probabilities(output, (images.shape[2], images.shape[3]), self.maps)


def _out_of_memory(error: RuntimeError) -> bool:
    """Whether memory ran out; a CPU has no class of its own for it."""
    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)
