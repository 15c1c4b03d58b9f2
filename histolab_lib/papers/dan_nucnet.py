"""DAN-NucNet: a U-Net of residual blocks whose skips pass a gate of two attentions, one for places, one for channels.

Ahmad, Xia, Cui and Islam, "DAN-NucNet: A Dual Attention Based Framework for Nuclei Segmentation in Cancer Histology
Images Under Wild Clinical Conditions", Expert Systems with Applications 213 (2023); code released at
``github.com/ibtihajahmadkhan/DAN-Nuc-Net``, read at commit fe9ca7f4 of 2023-07-02 and at the first upload, 4834173e.
The gates follow Khanh et al. 2020, the loss Lal et al. 2021 (`baselines.nuclei_seg_net`). One set of blocks builds both
readings.

What the text leaves open, and what we took
-------------------------------------------
- *Widths* are not in the text. Fig. 1 draws 16 to 256, with which the network has a quarter of the printed 9.276
  million parameters; the code has 32 to 512, and so has this.
- *The printed count* decides what the equations leave open: of 64 combinations (`COMBINATIONS`) one rounds to 9.276
  million, 9,276,113 with the running statistics of batch norm counted in, as Keras does. It has the text's residual
  block, 1/8 of the channels in the middle, sums in the gate, and a 1x1 convolution behind the inner sums that no
  equation has (`mid_conv`). With the code's 7x7 convolutions, which Eq. 3 lacks (`spatial_conv`), it has 9,276,513:
  9.276 if the rest is cut off. We take the first, which is nearer to the text, too. (The released code, with 1/16, has
  9,245,109, and 9,250,933 so counted.)
- *"⊕ denotes concatenation"*, below all equations. In Eq. 1 the convolution behind it makes F of 2F channels. In Eq. 3
  nothing follows but the sigmoid, and two maps cannot multiply others: a sum, as the figure's "+" and the code have it.
  In Eq. 2 either is possible; `join` ``"concatenate"`` is the word.
- *The last convolution of Eq. 2* has F/8 filters there, which cannot weigh F channels (Eq. 4): F.
- *AvgPool and MaxPool*: size and step are not said. The code's see 2x2 pixels with a step of 1, so that a channel has a
  weight at each place of its own: a local channel attention. `pool` ``"global"`` is one weight for the whole map, which
  "channel attention" means elsewhere; the pooling of the spatial gate stays local, else there would be no place left.
- *Order*: Fig. 1 draws the transposed convolution behind the gate, and the first gate would then be given a map of half
  the size. Here it comes first, as in the code.
- *Fusion* of the refined skip with what comes from below: concatenated, 3x3 convolution, ReLU, batch norm (code).
- *Transposed convolution*: 3x3, step 2. TensorFlow cuts off the last row and column; so does this, in both readings.
- *Bottleneck*: two 3x3 convolutions with ReLU, batch norm at the end (code; the printed count has it, too).
- *Initialisation and batch norm* of the paper's reading: PyTorch's own.
- *Without the residual block* (Table 5): two 3x3 convolutions, as the code's `conv_block`, which nothing calls.

Where the released code differs (`reading` ``"code"``)
------------------------------------------------------
- Residual block: batch norm behind each of the three layers and behind the shortcut, which has a ReLU, too; none behind
  the last convolution.
- 1/16 of the channels inside the channel gate; 7x7 convolutions in the spatial one.
- Kernels by a truncated normal (Glorot), biases 0.1; batch norm starts at 0.01 and remembers two batches.
- Learning rate, patience, the loss of single pixels: see `recipe`.
- Its validation images are flipped at random, too; ours are not. Its training F1 counts every pixel above 0 as found.
- Its scores (swapped precision and recall, 100 pixels added, images of F1 = 0 left out): `metrics.legacy`.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise, product
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from histolab_lib.choices import choose
from histolab_lib.inputs import Inputs
from histolab_lib.layers import check_images, keras_normal, keras_uniform, seeded_weights
from histolab_lib.papers.clean import clean_recipe
from histolab_lib.papers.variants import Change, parts_of, varied
from histolab_lib.recipe import Recipe

__all__ = [
    "COMBINATIONS",
    "ROWS",
    "ChannelGate",
    "Counted",
    "DANNucNet",
    "DualGate",
    "ResidualBlock",
    "SpatialGate",
    "count_parameters",
    "dan_nucnet",
    "recipe",
]

_FILTERS = (32, 64, 128, 256, 512)
_STRIDE_PX = 16


def _layer(inside: int, outside: int, kernel_px: int, *, norm: bool) -> nn.Sequential:
    """A convolution that keeps the size, ReLU, and batch norm behind it where there is one."""
    parts = [nn.Conv2d(inside, outside, kernel_px, padding=kernel_px // 2), nn.ReLU(inplace=True)]
    return nn.Sequential(*parts, *([nn.BatchNorm2d(outside)] if norm else []))


def _two_layers(inside: int, outside: int) -> nn.Sequential:
    """Two 3x3 convolutions with ReLU, batch norm at the end: the bottleneck, and the code's unused `conv_block`."""
    return nn.Sequential(_layer(inside, outside, 3, norm=False), _layer(outside, outside, 3, norm=True))


class ResidualBlock(nn.Module):
    r"""Join what three layers make of a map with what one makes of it (Eq. 1, Fig. 1).

    .. math:: \text{out} = \text{BN}(f(H_{3,3}\{X_0 \oplus X_1\})), \qquad X_0 = H_{1,1}(\text{in}), \qquad
              X_1 = f(H_{1,1}(\text{BN}(f(H_{3,3}(f(H_{1,1}(\text{in})))))))

    with ReLU f; nothing is added: the shortcut is a second, shorter way whose channels stand beside the first's.

    Parameters
    ----------
    inside, filters : int
        Channels of the map, and of every layer.
    block : {"paper", "code"}
        The code has batch norm behind each layer but the last, and ReLU on the shortcut.

    Examples
    --------
    >>> [sum(p.numel() for p in ResidualBlock(3, 32, block).parameters()) for block in ("paper", "code")]
    [29152, 29280]
    """

    def __init__(self, inside: int, filters: int, block: str = "paper") -> None:
        super().__init__()
        code = choose("block", block, ("paper", "code")) == "code"
        self.main = nn.Sequential(
            _layer(inside, filters, 1, norm=code),
            _layer(filters, filters, 3, norm=True),
            _layer(filters, filters, 1, norm=code),
        )
        self.shortcut = _layer(inside, filters, 1, norm=True) if code else nn.Conv2d(inside, filters, 1)
        self.join = _layer(2 * filters, filters, 3, norm=not code)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inside, H, W) to (N, filters, H, W)."""
        return self.join(torch.cat([self.main(x), self.shortcut(x)], dim=1))  # Eq. 1; the code's order


def _wider(x: Tensor) -> Tensor:
    """The map with its last row and column once more.

    TensorFlow's 2x2 pools of step 1 look one pixel down and right, and beyond the border count what there is: the same
    as the border repeated, for a mean and for a maximum.
    """
    return F.pad(x, (0, 1, 0, 1), mode="replicate")


def _mean(x: Tensor) -> Tensor:
    return F.avg_pool2d(_wider(x), 2, 1)


def _maximum(x: Tensor) -> Tensor:
    return F.max_pool2d(_wider(x), 2, 1)


class SpatialGate(nn.Module):
    r"""Weigh the places of a skip by what it and the map from below hold there (Eq. 3).

    .. math:: A_s = \sigma(c + d), \qquad c = H_{1,1}^1(\text{MaxPool}(\text{AvgPool}(F_e)))

    and d from F_d likewise. Pools of 2x2 pixels, step 1.

    Parameters
    ----------
    channels : int
        Of both maps.
    spatial_conv : bool
        Whether a 7x7 convolution of each one-channel map follows (code).

    Examples
    --------
    >>> [sum(p.numel() for p in SpatialGate(32, more).parameters()) for more in (False, True)]
    [66, 166]
    """

    def __init__(self, channels: int, spatial_conv: bool = False) -> None:
        super().__init__()
        self.of_skip, self.of_below = (self._way(channels, spatial_conv) for _ in range(2))

    @staticmethod
    def _way(channels: int, spatial_conv: bool) -> nn.Sequential:
        more = [nn.Conv2d(1, 1, 7, padding=3)] if spatial_conv else []
        return nn.Sequential(nn.Conv2d(channels, 1, 1), *more)

    def forward(self, skip: Tensor, below: Tensor) -> Tensor:
        """Map two maps (N, C, H, W) to weights (N, 1, H, W) in 0..1."""
        c, d = (way(_maximum(_mean(x))) for way, x in ((self.of_skip, skip), (self.of_below, below)))
        return (c + d).sigmoid()  # Eq. 3


class ChannelGate(nn.Module):
    r"""Weigh the channels of a skip by what it and the map from below hold (Eq. 2).

    .. math:: A_c = \sigma(H_{1,1}^F(a \oplus b)), \qquad
              a = H_{1,1}^{F/r}(\text{AvgPool}(F_e)) \oplus H_{1,1}^{F/r}(\text{MaxPool}(F_e))

    and b from F_d likewise; no activation in between.

    Parameters
    ----------
    channels : int
        Of both maps; the reduction must divide them.
    reduction : int
        r: 8 in the text, 16 in the code.
    pool : {"local", "global"}
        2x2 pixels with a step of 1, so that each place has weights of its own; or all of the map.
    join : {"add", "concatenate"}
        The sign ⊕.
    mid_conv : bool
        Whether a 1x1 convolution to F/r channels follows the inner ⊕ (code).

    Examples
    --------
    >>> import torch
    >>> gate, maps = ChannelGate(32, 8), torch.rand(2, 1, 32, 6, 4)
    >>> gate(*maps).shape, ChannelGate(32, 8, pool="global")(*maps).shape
    (torch.Size([1, 32, 6, 4]), torch.Size([1, 32, 1, 1]))
    >>> ChannelGate(36, 8)
    Traceback (most recent call last):
        ...
    ValueError: reduction must divide the channels of every gate, got 8 for 36 channels
    """

    def __init__(
        self, channels: int, reduction: int, *, pool: str = "local", join: str = "add", mid_conv: bool = True
    ) -> None:
        super().__init__()
        if reduction < 1 or channels % reduction:
            raise ValueError(
                f"reduction must divide the channels of every gate, got {reduction} for {channels} channels"
            )
        self.local = choose("pool", pool, ("local", "global")) == "local"
        self.join = choose("join", join, ("add", "concatenate"))
        few, times = channels // reduction, 1 if join == "add" else 2
        self.mean_of_skip, self.maximum_of_skip, self.mean_of_below, self.maximum_of_below = (
            nn.Conv2d(channels, few, 1) for _ in range(4)
        )
        self.of_skip, self.of_below = (nn.Conv2d(times * few, few, 1) if mid_conv else nn.Identity() for _ in range(2))
        self.last = nn.Conv2d(times * few * (1 if mid_conv else times), channels, 1)

    def forward(self, skip: Tensor, below: Tensor) -> Tensor:
        """Map two maps (N, C, H, W) to weights (N, C, H, W) in 0..1; of global pools (N, C, 1, 1)."""
        a = self.of_skip(self._joined(*self._pooled(skip, self.mean_of_skip, self.maximum_of_skip)))
        b = self.of_below(self._joined(*self._pooled(below, self.mean_of_below, self.maximum_of_below)))
        return self.last(self._joined(a, b)).sigmoid()  # Eq. 2

    def _pooled(self, x: Tensor, mean: nn.Conv2d, maximum: nn.Conv2d) -> tuple[Tensor, Tensor]:
        if self.local:
            return mean(_mean(x)), maximum(_maximum(x))
        return mean(x.mean((2, 3), keepdim=True)), maximum(x.amax((2, 3), keepdim=True))

    def _joined(self, one: Tensor, other: Tensor) -> Tensor:
        return one + other if self.join == "add" else torch.cat([one, other], dim=1)


class DualGate(nn.Module):
    r"""Refine a skip by both attentions, and fuse it with the map from below (Eq. 4, Fig. 1).

    .. math:: F_r = F_e \otimes A_s \otimes A_c

    Parameters
    ----------
    channels : int
        Of the skip, the map from below and the result.
    spatial : SpatialGate or None
    channel : ChannelGate or None
        None: that factor is 1.

    Examples
    --------
    >>> import torch
    >>> gate = DualGate(32, SpatialGate(32), ChannelGate(32, 8))
    >>> skip, below = torch.rand(2, 1, 32, 6, 4)
    >>> places, channels = gate.weights(skip, below)
    >>> torch.equal(gate.refined(skip, below), skip * places * channels)
    True
    >>> gate(skip, below).shape
    torch.Size([1, 32, 6, 4])
    """

    def __init__(self, channels: int, spatial: SpatialGate | None, channel: ChannelGate | None) -> None:
        super().__init__()
        self.spatial, self.channel = spatial, channel
        self.fuse = _layer(2 * channels, channels, 3, norm=True)

    def weights(self, skip: Tensor, below: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Return A_s (N, 1, H, W) and A_c (N, C, H, W), or (N, C, 1, 1) of global pools; None where there is none."""
        gates = (self.spatial, self.channel)
        places, channels = (None if gate is None else gate(skip, below) for gate in gates)
        return places, channels

    def refined(self, skip: Tensor, below: Tensor) -> Tensor:
        """Map two maps (N, C, H, W) to the skip's, weighed."""
        for weights in self.weights(skip, below):
            if weights is not None:
                skip = skip * weights  # Eq. 4
        return skip

    def forward(self, skip: Tensor, below: Tensor) -> Tensor:
        """Map two maps (N, C, H, W) to one."""
        return self.fuse(torch.cat([self.refined(skip, below), below], dim=1))


class _Up(nn.ConvTranspose2d):
    """A transposed convolution of 3x3 and step 2 that cuts off the last row and column, as TensorFlow's "same"."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__(inside, outside, 3, 2)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        return super().forward(x)[..., :-1, :-1]


class DANNucNet(nn.Module):
    """The network; make it with `dan_nucnet`.

    Attributes
    ----------
    stride_px : int
        16, what both sides of an image must be divisible by.
    prepare : Inputs
        What the first block sees of RGB.
    encoder : nn.ModuleList
        Four blocks, the finest first; a 2x2 maximum follows each, and the skip is taken before it.
    bottleneck : nn.Sequential
    up : nn.ModuleList
        Four transposed convolutions, the deepest first.
    gates : nn.ModuleList
        Four `DualGate`, the deepest first.
    head : nn.Sequential
        3x3 convolution with ReLU, 1x1 convolution to one logit.
    """

    def __init__(
        self, filters: Sequence[int], *, prepare: Inputs, block: str | None, gates: Iterable[DualGate]
    ) -> None:
        super().__init__()
        *widths, deepest = filters
        self.stride_px, self.prepare = _STRIDE_PX, prepare
        ins = [prepare.channels, *widths[:-1]]
        self.encoder = nn.ModuleList(
            _two_layers(i, o) if block is None else ResidualBlock(i, o, block) for i, o in zip(ins, widths, strict=True)
        )
        self.bottleneck = _two_layers(widths[-1], deepest)
        ways = [deepest, *reversed(widths)]
        self.up = nn.ModuleList(_Up(i, o) for i, o in pairwise(ways))
        self.gates = nn.ModuleList(gates)
        self.head = nn.Sequential(_layer(widths[0], widths[0], 3, norm=False), nn.Conv2d(widths[0], 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Map RGB in 0..1, float (N, 3, H, W), to logits (N, 1, H, W)."""
        check_images(images, 3, self.stride_px)
        x, skips = self.prepare(images), []
        for block in self.encoder:
            skips.append(block(x))
            x = F.max_pool2d(skips[-1], 2)
        x = self.bottleneck(x)
        for up, gate in zip(self.up, self.gates, strict=True):
            x = gate(skips.pop(), up(x))
        return self.head(x)


def dan_nucnet(
    *,
    reading: str = "paper",
    filters: tuple[int, int, int, int, int] = _FILTERS,
    reduction: int | None = None,
    block: str | None = None,
    spatial: bool = True,
    channel: bool = True,
    residual: bool = True,
    pool: str = "local",
    join: str = "add",
    spatial_conv: bool | None = None,
    mid_conv: bool = True,
    inputs: str = "rgb",
    seed: int = 0,
) -> DANNucNet:
    """Build DAN-NucNet.

    Parameters
    ----------
    reading : {"paper", "code"}
        What every option that is None becomes; and, in the code, its initialisation and batch norm.
    filters : tuple of int
        Of the four blocks and of the bottleneck.
    reduction : int or None
        See `ChannelGate`: 8, or 16 in the code.
    block : {"paper", "code"} or None
        See `ResidualBlock`: the reading's.
    spatial, channel : bool
        Whether gates have the one attention, and the other.
    residual : bool
        Whether the encoder has residual blocks; else two 3x3 convolutions at each size.
    pool, join, mid_conv
        See `ChannelGate`.
    spatial_conv : bool or None
        See `SpatialGate`: False, or True in the code.
    inputs : str
        What it sees of RGB, see `inputs.Inputs`; both readings 0..1 as it comes.
    seed : int
        Decides the weights; the global random state is left as it was.

    Returns
    -------
    DANNucNet
        In training mode, on the CPU.

    Raises
    ------
    ValueError
        If a name is unknown, there are not five filters, or the reduction does not divide those of the gates.

    Examples
    --------
    >>> [sum(p.numel() for p in dan_nucnet(reading=reading).parameters()) for reading in ("paper", "code")]
    [9272209, 9245109]
    """
    code = choose("reading", reading, ("paper", "code")) == "code"
    kind = choose("block", block or reading, ("paper", "code"))
    if len(filters) != len(_FILTERS) or min(filters) < 1:
        raise ValueError(f"filters must be five whole numbers of at least 1, got {filters!r}")
    seven = code if spatial_conv is None else spatial_conv
    fewer = (16 if code else 8) if reduction is None else reduction

    def gate(width: int) -> DualGate:
        places = SpatialGate(width, seven) if spatial else None
        channels = ChannelGate(width, fewer, pool=pool, join=join, mid_conv=mid_conv) if channel else None
        return DualGate(width, places, channels)

    with seeded_weights(seed):
        gates = [gate(width) for width in reversed(filters[:-1])]
        made = DANNucNet(filters, prepare=Inputs(inputs), block=kind if residual else None, gates=gates)
        if code:
            _start_as_released(made, residual)
    return made


def _start_as_released(network: DANNucNet, residual: bool) -> None:
    """Weights and batch norm as the code's Keras makes them; transposed convolutions and head are left to defaults."""
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.eps, part.momentum = 1e-3, 0.5
            nn.init.constant_(part.bias, 0.01)
        elif isinstance(part, nn.ConvTranspose2d):
            keras_uniform(part)
        elif isinstance(part, nn.Conv2d):
            keras_normal(part, bias=0.1)
    for part in network.head.modules():
        if isinstance(part, nn.Conv2d):
            keras_uniform(part)
    for plain in (network.bottleneck, *(() if residual else (network.encoder,))):  # here batch norm starts at 0
        for part in plain.modules():
            if isinstance(part, nn.BatchNorm2d):
                nn.init.zeros_(part.bias)


class Counted(NamedTuple):
    """Parameters of a network: those that are learned, and these with the running statistics of batch norm."""

    learned: int
    with_statistics: int


def count_parameters(**options: Any) -> Counted:
    """Count the parameters that `dan_nucnet` has with some options; nothing is computed.

    Examples
    --------
    >>> count_parameters(reading="code")
    Counted(learned=9245109, with_statistics=9250933)
    """
    with torch.device("meta"):
        made = dan_nucnet(**options)
    statistics = sum(b.numel() for name, b in made.named_buffers() if name.endswith(("running_mean", "running_var")))
    learned = sum(p.numel() for p in made.parameters())
    return Counted(learned, learned + statistics)


_OPEN: Mapping[str, tuple[Any, ...]] = MappingProxyType(
    {
        "filters": (_FILTERS, tuple(width // 2 for width in _FILTERS)),
        "block": ("paper", "code"),
        "reduction": (8, 16),
        "join": ("add", "concatenate"),
        "mid_conv": (True, False),
        "spatial_conv": (False, True),
    }
)
#: Every combination of what text, figure and code leave open and parameters depend on: options of `dan_nucnet`.
COMBINATIONS: tuple[Mapping[str, Any], ...] = tuple(
    MappingProxyType(dict(zip(_OPEN, chosen, strict=True))) for chosen in product(*_OPEN.values())
)

#: Table 5 in its order: what variants of `recipe` change in the network; its last row but one changes the loss.
ROWS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "no_spatial": {"spatial": False},
        "no_channel": {"channel": False},
        "no_residual": {"residual": False},
        "bce": {},
        "base": {},
    }
)

_SETUP = "paper, section 5.1:"
_NOT_SAID = "the paper does not say; "
_TRAIN = "released code, train.py"
_NOTHING_DONE = "neither the paper nor the released code does anything to the map; ours: connected pixels are an object"
_SIDE_PX = 256

_PAPER: Mapping[str, tuple[Any, str]] = MappingProxyType(
    {
        "weights": ("none", f"{_NOT_SAID}the released code starts at random"),
        "patches": ("dan_nucnet", 'paper, section 4.1: "it is resized by taking 256x256 patches from the image"'),
        "crop_px": (_SIDE_PX, 'paper, section 4.1: "The size of the image should be 256x256"'),
        "batch_size": (5, f"{_NOT_SAID}{_TRAIN}; its first version had 10"),
        "augment": (
            "dan_nucnet",
            'paper, section 4.1: "Datasets with more than 250 images are flipped vertically and horizontally", as '
            "PanNuke, and 16 tiles of Kumar's set cut into 256 patches; for smaller ones the variant `small`",
        ),
        "loss": ("dice_jaccard", "paper, section 3.3, equation 5"),
        "loss_options": (
            {"dice_smooth": 1.0, "jaccard_smooth": 1.0, "jaccard": "region"},
            "paper, equation 5; over what the two are summed and what is added is not said: ours, the batch, a pixel",
        ),
        "optimiser": ("adam", f"{_NOT_SAID}{_TRAIN.replace('train', 'model')}"),
        "lr": (0.003, f'{_SETUP} "The learning rate is initiated as 0.003"'),
        "weight_decay": (0.0, f"{_NOT_SAID}the released code has none"),
        "lr_schedule": ("plateau", f'{_SETUP} "the learning rate is reduced by a factor of 0.5 when the improvement"'),
        "lr_schedule_options": (
            {"factor": 0.5, "patience": 5, "min_delta": 1e-6},
            f'{_SETUP} "for five consecutive epochs"; of the loss, ours: that of the validation tiles, as in the code',
        ),
        "epochs": (100, f"{_NOT_SAID}{_TRAIN}"),
        "patience": (10, f'{_SETUP} "does not improve for ten consecutive epochs"'),
        "selection": ("best_validation", f"{_NOT_SAID}{_TRAIN}, keeps the weights of the least validation loss"),
        "validation": (
            {"share": 0.2, "metric": "loss"},
            f'{_SETUP} "We stop the training process when the validation loss does not improve"; which images it is '
            "computed on is not said: ours, a fifth of the training tiles, groups of the set kept apart, or the set's "
            "own validation split",
        ),
        "postprocess": ("components", _NOTHING_DONE),
        "postprocess_options": ({"connectivity": 8}, "ours: as the sets number their objects"),
        "thresholds": ({"mask": 0.5}, f"{_NOT_SAID}released code, test.py"),
        "window_px": (_SIDE_PX, "paper, section 4.1: 256x256 patches, those of the test sets too; so released code"),
        "overlap_px": (0, 'paper, section 4.1: "16 patches of 256x256 are extracted" from 1024x1024'),
    }
)
_CODE: Mapping[str, tuple[Any, str]] = MappingProxyType(
    {
        **_PAPER,
        "weights": ("none", "released code, model.py"),
        "crop_px": (_SIDE_PX, "released code, model.py and train.py"),
        "batch_size": (5, f"{_TRAIN}; its first version had 10"),
        "augment": (
            "dan_nucnet",
            f"{_TRAIN}: flips alone; its validation images are flipped at random, too, ours are not",
        ),
        "loss": ("dice_jaccard", "released code, loss.py"),
        "loss_options": (
            {"dice_smooth": 1.0, "jaccard_smooth": 100.0, "jaccard": "pixel"},
            "released code, loss.py: Dice over the batch, Jaccard over a channel axis of length 1, that is each pixel",
        ),
        "optimiser": ("adam", "released code, model.py"),
        "optimiser_options": ({"eps": 1e-7}, "released code: Keras' own"),
        "lr": (0.001, "released code, model.py"),
        "weight_decay": (0.0, "released code: none"),
        "lr_schedule": ("plateau", f"{_TRAIN}: ReduceLROnPlateau"),
        "lr_schedule_options": (
            {"factor": 0.5, "patience": 4, "min_delta": 1e-4, "min_lr": 1e-6},
            f"{_TRAIN}; its first version had a patience of 3; min_delta is Keras' own, and the paper's 1e-6 may be "
            "the min_lr",
        ),
        "epochs": (100, _TRAIN),
        "patience": (9, _TRAIN),
        "selection": ("best_validation", f"{_TRAIN}: the weights of the least validation loss"),
        "validation": (
            {"share": 0.2, "metric": "loss"},
            f"{_TRAIN}, steers by a folder that the reader brings; ours: a fifth of the training tiles, groups of the "
            "set kept apart, or the set's own validation split",
        ),
        "thresholds": ({"mask": 0.5}, "released code, test.py"),
        "window_px": (_SIDE_PX, "released code, predict.py: images of 256x256"),
        "overlap_px": (0, "released code, predict.py: images of 256x256"),
    }
)

_TABLE_5 = "paper, section 6.3 and Table 5"
_LACKS = "ours: what Table 5 lacks"
_CHANGES: Mapping[str, Change] = MappingProxyType(
    {
        **{row: (_TABLE_5, {"network": options}) for row, options in ROWS.items() if options},
        "bce": (_TABLE_5, {"loss": "bce", "loss_options": {}}),
        "plain_skips": (
            f"{_LACKS}: neither attention, so that each can be told from both",
            {"network": {"spatial": False, "channel": False}},
        ),
        "filters16": ("paper, Fig. 1: 16 to 256 filters", {"network": {"filters": tuple(f // 2 for f in _FILTERS)}}),
        "reduction16": ("released code, model.py", {"network": {"reduction": 16}}),
        "global_pool": (
            "ours: one weight for each channel of a map, as channel attention is usually understood",
            {"network": {"pool": "global"}},
        ),
        "concatenate": (
            'paper, section 3.2: "denotes concatenation", in equation 2 taken by the word',
            {"network": {"join": "concatenate"}},
        ),
        "seven": (
            "released code, model.py; its number of parameters, cut off, is the printed one, too",
            {"network": {"spatial_conv": True}},
        ),
        "pixel_jaccard": (
            "released code, loss.py",
            {"loss_options": {"dice_smooth": 1.0, "jaccard_smooth": 100.0, "jaccard": "pixel"}},
        ),
        "small": (
            'paper, section 4.1: "such as rotation and shifting, are applied to the datasets having less than 250 '
            'images"',
            {"augment": "dan_nucnet_small"},
        ),
        "cpm17": (
            'paper, section 4.1: "are applied to the datasets having less than 250 images"; ours: tiles to steer by '
            "are drawn one by one, since the files of CPM-17 tell no patients",
            {"augment": "dan_nucnet_small", "validation": {"share": 0.2, "metric": "loss", "by": "tile"}},
        ),
    }
)


def recipe(reading: str, variant: str = "base") -> Recipe:
    """Return how DAN-NucNet is trained.

    By both readings on PanNuke: one fold teaches, one steers, one tests, as the option ``version`` of the set says
    (``"213"`` in this order). Kumar's set and CPM-17, which the authors only test on, have the same recipe here.

    Parameters
    ----------
    reading : {"paper", "code", "clean"}
        ``"clean"``: `clean_recipe`.
    variant : str
        Of the first two: ``"base"``, or names joined by two underscores:

        - a row of Table 5: ``no_spatial``, ``no_channel``, ``no_residual``, ``bce``; or ``plain_skips``;
        - ``filters16``: the widths of Fig. 1;
        - ``reduction16``, ``seven``, ``pixel_jaccard``: one thing as released;
        - ``global_pool``, ``concatenate``: the channel gate read otherwise;
        - ``small``: rotation and shift, too, as for sets of less than 250 images;
        - ``cpm17``: the same, steered by tiles drawn one by one.

    Raises
    ------
    ValueError
        If reading or variant are unknown.

    Examples
    --------
    >>> recipe("paper").lr, recipe("code").lr, dict(recipe("paper", "no_spatial").network)
    (0.003, 0.001, {'spatial': False})
    """
    if choose("reading", reading, ("paper", "code", "clean")) == "clean":
        return clean_recipe("dan_nucnet", variant)
    made = Recipe.sourced("dan_nucnet", reading, variant="base", **(_CODE if reading == "code" else _PAPER))
    return varied(made, parts_of(variant), _CHANGES)
