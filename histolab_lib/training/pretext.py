"""A task without labels: to tell, from a grey crop with holes, where hematoxylin is.

What is asked for is computed from the crop itself. To answer, a network must know nuclei by their shape and texture,
because grey has no colour, and by what surrounds them, because half of the picture is missing: the idea of predicting
the hematoxylin component (Koohbanani et al. 2021, Self-Path) joined with that of filling in what was taken out (Pathak
et al. 2016, context encoders; He et al. 2022, masked autoencoders).

Chosen among ways to bring this into a training: the network is wrapped, and its wrapper spoils what it is given and
hands the answer on beside what the network says (`outputs.Output`). So batches, the loop, checkpoints and the plan are
those of any other training, and the loss is one more by name (``"bce_hematoxylin"``). Batches that carry the answer
would have needed a second kind of truth in all of these.
"""

import torch
from torch import Tensor, nn

from histolab_lib.inputs import Hematoxylin
from histolab_lib.outputs import Output, mask_logits

__all__ = ["BLANKED", "BLOCK_PX", "Pretext", "grey_with_holes", "holes"]

#: Side of a block that is blanked: about the width of a small nucleus at 40x, so that some are missing whole.
BLOCK_PX = 16
#: Share of the blocks that are blanked, on the average.
BLANKED = 0.5


class Pretext(nn.Module):
    """A network, given less than its image, beside the hematoxylin of the whole image.

    Parameters
    ----------
    network : nn.Module
        Its logits of the mask are taken as those of hematoxylin; other maps are passed over.

    Attributes
    ----------
    network : nn.Module
    stride_px : int
        As the network's.

    Examples
    --------
    >>> network = nn.Conv2d(3, 1, 1)
    >>> network.stride_px = 1
    >>> output = Pretext(network)(torch.ones(2, 3, 32, 40))
    >>> output.mask.shape, output.extra["hematoxylin"].max()
    (torch.Size([2, 1, 32, 40]), tensor(0.))
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network, self.stain = network, Hematoxylin()
        self.stride_px = network.stride_px

    def forward(self, images: Tensor) -> Output:
        """Map RGB in 0..1, float (N, 3, H, W), to logits and, as ``extra["hematoxylin"]``, the answer.

        The answer is (N, 1, H, W) in 0..1: an optical density along the stain's vector (`inputs.Hematoxylin`), of
        which what is above 1 counts as 1. Of 15 training tiles of MoNuSeg four have more than one such pixel in a
        hundred, and none has five.

        Blocks are drawn from torch's own random state, which the loop sets anew for each step; so a training that is
        taken up again sees the same holes.
        """
        answer = self.stain(images).clamp(max=1)
        n, _, height, width = images.shape
        logits = mask_logits(self.network(grey_with_holes(images, holes(n, height, width, images.device))))
        return Output(logits, {"hematoxylin": answer})


def holes(n: int, height: int, width: int, device: torch.device | None = None) -> Tensor:
    """Draw which pixels are blanked: bool (n, 1, height, width), in blocks of `BLOCK_PX` from the upper left corner."""
    rows, cols = (-(-side // BLOCK_PX) for side in (height, width))
    drawn = torch.rand(n, 1, rows, cols, device=device) < BLANKED
    whole = drawn.repeat_interleave(BLOCK_PX, 2).repeat_interleave(BLOCK_PX, 3)
    return whole[:, :, :height, :width]


def grey_with_holes(images: Tensor, blanked: Tensor) -> Tensor:
    """Take the colour away, and what is blanked.

    Parameters
    ----------
    images : Tensor of float, shape (N, 3, H, W)
        RGB in 0..1.
    blanked : Tensor of bool, shape (N, 1, H, W)

    Returns
    -------
    Tensor of float, shape (N, 3, H, W)
        The mean of the three colours, three times. A blanked pixel has the mean of its whole image: white or black
        would be taken for a gap in the tissue or for a nucleus.
    """
    grey = images.mean(1, keepdim=True)
    return torch.where(blanked, grey.mean((2, 3), keepdim=True), grey).expand_as(images)
