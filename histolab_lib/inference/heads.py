"""What a network returns, as probabilities by name."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from histolab_lib.outputs import Output, mask_logits

__all__ = ["probabilities"]


def probabilities(
    output: Tensor | Output, size_px: tuple[int, int], maps: Sequence[str] | None = None
) -> dict[str, Tensor]:
    """Turn logits into probabilities.

    Parameters
    ----------
    output : Tensor or Output
        What the network returned: logits of the mask, and perhaps raw maps beside it.
    size_px : (int, int)
        Height and width of the images.
    maps : sequence of str, optional
        Which maps: ``"mask"``, or a name in ``output.extra``. None: the mask, and of the others all that `maps` could
        name; side outputs of a coarser size and maps of many channels are left to those who know them.

    Returns
    -------
    dict of str to Tensor of float32, shape (N, H, W)
        The sigmoid of one channel; of two, of the second minus the first, which is the softmax's second.

    Raises
    ------
    ValueError
        If there is no such map, or it is not of the size of the images with one channel or two.

    Examples
    --------
    >>> import torch
    >>> output = Output(torch.zeros(1, 1, 4, 4), {"contour": torch.zeros(1, 2, 4, 4), "side": torch.zeros(1, 1, 2, 2)})
    >>> {name: values.shape for name, values in probabilities(output, (4, 4)).items()}
    {'mask': torch.Size([1, 4, 4]), 'contour': torch.Size([1, 4, 4])}
    >>> probabilities(output, (4, 4), ["side"])
    Traceback (most recent call last):
        ...
    ValueError: map 'side' is (1, 1, 2, 2), no probability of every pixel of 4x4, one channel or two
    """
    there = {"mask": mask_logits(output), **(output.extra if isinstance(output, Output) else {})}
    if maps is None:
        maps = [name for name, logits in there.items() if name == "mask" or _fits(logits, size_px)]
    return {name: _probability(name, there, size_px) for name in maps}


def _probability(name: str, there: Mapping[str, Tensor], size_px: tuple[int, int]) -> Tensor:
    if name not in there:
        raise ValueError(f"the network gives no map {name!r}; it gives {', '.join(there)}")
    logits = there[name]
    if not _fits(logits, size_px):
        raise ValueError(
            f"map {name!r} is {tuple(logits.shape)}, no probability of every pixel of {size_px[0]}x{size_px[1]}, "
            "one channel or two"
        )
    values = logits.float()
    return (values[:, 0] if values.shape[1] == 1 else values[:, 1] - values[:, 0]).sigmoid()


def _fits(logits: Tensor, size_px: tuple[int, int]) -> bool:
    return logits.ndim == 4 and logits.shape[1] in (1, 2) and tuple(logits.shape[2:]) == size_px
