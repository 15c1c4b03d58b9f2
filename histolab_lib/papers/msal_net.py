"""MSAL-Net: a ResNet-34, a dense dilated block in its middle, channel attention and refinement on the way up.

Ali, Haq, Cui and Feng, "MSAL-Net: improve accurate segmentation of nuclei in histopathology images by multiscale
attention learning network", BMC Medical Informatics and Decision Making 22:90, 2022.
It is a LinkNet (Chaurasia and Culurciello 2017) on ResNet-34 with the dense dilated convolutions of CE-Net (Gu et
al. 2019), efficient channel attention (Wang et al. 2020) and boundary refinement (Peng et al. 2017). No code was
released: there is one reading.

What the text leaves open, and what we took
-------------------------------------------
- *Encoder*: "In-Block, 4 Residual-Blocks of Resnet 34", timm's. "Each Residual-Block doubled the feature channel and
  scaled down the image": the first does neither. Normalisation is not printed: ImageNet's mean and standard deviation.
- *Dense dilated convolutions (DDC)*: "from 1 to 1, 3, 5 ... the receptive field of every layer will be 3, 7, 9, 19".
  The four numbers fit stacks with rates (1), (3), (1, 3) and (1, 3, 5), which are CE-Net's block: `DenseDilated`, with
  its biases, its shared weights and without batch norm. Its "one 1 x 1 convolution for rectified linear activation"
  stands behind all stacks but the first.
- *Decoder*: "Similar to [40]", LinkNet, each block halves the channels and doubles the size (`LinkNetBlock`); four of
  them, the last from 64 channels to 64, with 1/2 of the size; then the ending of CE-Net's code: full convolution of
  4x4 to 32 channels and full size, 3x3, 3x3 to one logit, between them ReLU and, since "each deconvolutional block uses
  a deconv, batchnorm and relu layer", batch norm. How wider encoders end is not said: with 64 channels, too.
- *Skips*: "green arrows represent the skip connections": the maps of the first three residual blocks are added, as
  LinkNet does; the fourth decoder has none. `skips` ``"concatenate"``: joined, and brought back to the decoder's
  channels by a 1x1 convolution, so that nothing behind them changes.
- *Efficient channel attention (ECA)*, "after each decoder block", "of the same dimension": behind the skip. It
  "required dimensionality reduction", it says; what Wang et al. propose avoids it. Table 1 prints K = 3; `eca_kernel`
  None is the kernel that they compute from the channels (3 for 64, 5 for 128 and 256).
- *Boundary refinement (BR)*: "applying three convolution filter sizes", where the caption of Fig. 5 has 3x3 alone: two
  convolutions of 3x3 as Peng et al. have it, with biases and without batch norm; `br_convs` 3 is the other count.
- *Order*: ECA is "parallel"; to what, Fig. 5 may tell, the text does not. "After each decoder block" there is ECA, and
  "after the decoder block" BR: one after the other. `eca_br` ``"parallel"``: both see the same map and are added.
- *ResNet-50 and 101*: DDC on 2048 channels and BR on 1024 make 171 and 190 million parameters, and 3.9 and 4.4 times
  the multiply-adds of ResNet-34's network, where the printed training times are 1.6 and 2.2 times as long. With
  `bottleneck` 1x1 convolutions bring the encoder's four maps to ResNet-34's channels, so that all that follows is as
  with it: 34 and 53 million, 1.1 and 1.6 times.
- *Rows of Table 1* (`ROWS`): "Backbone + DDC" and "Backbone + Res-34 + DDC" are rows apart, and "Unet is ... the
  cornerstone for our proposed approach", so that a backbone with no ResNet is read as the U-Net of Ronneberger et al.
  2015 (64 to 1024 channels, zero-padded, with batch norm; `encoder` and `decoder` ``"unet"``), DDC in its middle, ECA
  and BR behind each of its steps up. (Where the text speaks of Fig. 7, "backbone + DDC" is the network on ResNet-34.)
  "Backbone + Res-18 + DDC + ECA + BR" is the whole network on ResNet-18: rows with a ResNet are the network without
  what they do not name, their way up LinkNet's. "Unet + Res-18", which is called U-Net, has U-Net's.
- *Decay rate* "of 0.00003": weight decay, as the optimiser of its framework has it. As a decay of the learning rate,
  lr / (1 + 0.00003 step), which other frameworks have, it would take off a third by the end of 300 epochs of 60
  batches; not built.
- *Patches*, "resized to 512 x 512 pixels from 4 corners": cut, see the scheme's own sources. Optimisation, validation,
  objects: see `recipe`.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from histolab_lib.choices import choose
from histolab_lib.encoders import Pretrained, build_encoder
from histolab_lib.inputs import Inputs
from histolab_lib.layers import DenseDilated, LinkNetBlock, check_images, double_conv, seeded_weights, with_norm
from histolab_lib.papers.clean import clean_recipe
from histolab_lib.papers.variants import Change, parts_of, varied
from histolab_lib.recipe import Recipe

__all__ = [
    "ROWS",
    "BoundaryRefinement",
    "DecoderStep",
    "EfficientChannelAttention",
    "MSALNet",
    "msal_net",
    "recipe",
]

_RESNET34 = (64, 128, 256, 512)  # channels of its four maps
_UNET = (64, 128, 256, 512, 1024)


class EfficientChannelAttention(nn.Module):
    r"""Weigh each channel by the means of itself and its neighbours (Fig. 5a; Wang et al. 2020).

    .. math:: \text{ECA}(x)_c = x_c \cdot \sigma\Big(\sum_{|j| < k/2} w_j\, \bar x_{c+j}\Big)

    with the mean of each channel over the image, 0 beyond the first and the last channel, and no bias.

    Parameters
    ----------
    channels : int
        Of the map.
    kernel : int or None
        Channels that each weight looks at, odd. None: as Wang et al. compute it, the odd number next to
        ``log2(channels) / 2 + 1 / 2``, as their code rounds it.

    Examples
    --------
    >>> [EfficientChannelAttention(channels, None).kernel for channels in (64, 128, 256, 512)]
    [3, 5, 5, 5]
    >>> sum(p.numel() for p in EfficientChannelAttention(256).parameters())
    3
    """

    def __init__(self, channels: int, kernel: int | None = 3) -> None:
        super().__init__()
        self.kernel = _adaptive_kernel(channels) if kernel is None else kernel
        if self.kernel < 1 or self.kernel % 2 == 0:
            raise ValueError(f"kernel of the channel attention must be odd and at least 1, got {kernel}")
        self.conv = nn.Conv1d(1, 1, self.kernel, padding=self.kernel // 2, bias=False)

    def weights(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to weights (N, C, 1, 1) in 0..1."""
        return torch.sigmoid(self.conv(x.mean((2, 3)).unsqueeze(1))).squeeze(1)[:, :, None, None]

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        return self.weights(x) * x


def _adaptive_kernel(channels: int) -> int:
    whole = int(math.log2(channels) / 2 + 1 / 2)
    return whole if whole % 2 else whole + 1


class BoundaryRefinement(nn.Module):
    r"""Add to a map what 3x3 convolutions make of it (Fig. 5b; Peng et al. 2017).

    .. math:: \text{BR}(x) = x + f_2(\max(f_1(x), 0))

    Parameters
    ----------
    channels : int
        Of the map, and of all layers.
    convs : int
        2, or 3 with one more ReLU and convolution. Each has a bias.

    Examples
    --------
    >>> [sum(p.numel() for p in BoundaryRefinement(64, convs).parameters()) for convs in (2, 3)]
    [73856, 110784]
    """

    def __init__(self, channels: int, convs: int = 2) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(convs))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        first, *others = self.convs
        seen = first(x)
        for conv in others:
            seen = conv(F.relu(seen))
        return x + seen


class DecoderStep(nn.Module):
    """One step up: double the size, join what the encoder saw there, weigh the channels, refine.

    Parameters
    ----------
    in_channels, out_channels : int
        From below, at half the size; of the encoder's map and of the result.
    joined : bool
        Whether there is a map of the encoder.
    decoder : {"linknet", "unet"}
        `LinkNetBlock`; or a transposed convolution of 2x2, and behind the skip two 3x3 convolutions.
    skips : {"add", "concatenate"}
        Concatenated maps are brought back to `out_channels`: by a 1x1 convolution after LinkNet's block, by U-Net's
        own two convolutions.
    attention, refinement : nn.Module or None
        ECA and BR.
    parallel : bool
        Where there are both: False, the second refines what the first gives; True, both see the same and are added.

    Attributes
    ----------
    up, join, attention, refinement : nn.Module or None
        Its four parts.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        joined: bool,
        decoder: str,
        skips: str,
        attention: nn.Module | None,
        refinement: nn.Module | None,
        parallel: bool,
    ) -> None:
        super().__init__()
        self.concatenated = joined and skips == "concatenate"
        inside = 2 * out_channels if self.concatenated else out_channels
        self.up: nn.Module
        self.join: nn.Module | None = None
        if decoder == "linknet":
            self.up = LinkNetBlock(in_channels, out_channels, 2)
            if self.concatenated:
                self.join = with_norm(nn.Conv2d(inside, out_channels, 1, bias=False))
        else:
            self.up = nn.ConvTranspose2d(in_channels, out_channels, 2, 2)
            self.join = double_conv(inside, out_channels)
        self.attention, self.refinement, self.parallel = attention, refinement, parallel

    def forward(self, below: Tensor, skip: Tensor | None = None) -> Tensor:
        """Map (N, in, H/2, W/2), and the encoder's (N, out, H, W) where there is one, to (N, out, H, W)."""
        x = self.up(below)
        if skip is not None:
            x = torch.cat([skip, x], dim=1) if self.concatenated else x + skip
        return self._refined(x if self.join is None else self.join(x))

    def _refined(self, x: Tensor) -> Tensor:
        weighed = x if self.attention is None else self.attention(x)
        if self.refinement is None:
            return weighed
        if self.parallel and self.attention is not None:
            return weighed + self.refinement(x)
        return self.refinement(weighed)


class _UNetEncoder(nn.Module):
    """U-Net's way down: two 3x3 convolutions at full size, and behind each of four poolings."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        ins = (in_channels, *_UNET[:-1])
        self.down = nn.ModuleList(double_conv(i, o) for i, o in zip(ins, _UNET, strict=True))

    def forward(self, x: Tensor) -> list[Tensor]:
        maps: list[Tensor] = []
        for level, block in enumerate(self.down):
            x = block(F.max_pool2d(x, 2) if level else x)
            maps.append(x)
        return maps


class MSALNet(nn.Module):
    """The network; make it with `msal_net`.

    Attributes
    ----------
    stride_px : int
        What both sides of an image must be divisible by: 32, and 16 with U-Net's encoder.
    prepare : Inputs
        What the encoder sees of RGB.
    encoder : nn.Module
        Gives its maps, the finest first: four of timm's ResNet, at 1/4 to 1/32 of the size, or five of U-Net.
    bottleneck : nn.ModuleList or None
        One convolution of 1x1 for each map.
    ddc : DenseDilated or None
        On the deepest map.
    decoder4, decoder3, decoder2, decoder1 : DecoderStep
        The deepest first.
    head : nn.Module
        To one logit for each pixel.
    """

    def __init__(
        self,
        *,
        encoder: nn.Module,
        channels: list[int],
        prepare: Inputs,
        bottleneck: bool,
        ddc: bool,
        step: Callable[[int, int, bool], DecoderStep],
    ) -> None:
        super().__init__()
        self.prepare, self.encoder = prepare, encoder
        whole = len(channels) == len(_UNET)  # the finest map is as large as the image
        self.stride_px = 16 if whole else 32
        self.bottleneck: nn.ModuleList | None = None
        if bottleneck:
            pairs = zip(channels, _RESNET34, strict=True)
            self.bottleneck = nn.ModuleList(with_norm(nn.Conv2d(i, o, 1, bias=False)) for i, o in pairs)
            channels = list(_RESNET34)
        self.ddc = DenseDilated(channels[-1]) if ddc else None
        ways = [*channels[::-1], *([] if whole else [64])]
        self.decoder4, self.decoder3, self.decoder2, self.decoder1 = (
            step(i, o, place < len(channels) - 1) for place, (i, o) in enumerate(pairwise(ways))
        )
        self.head = nn.Conv2d(ways[-1], 1, 1) if whole else _ending()

    def forward(self, images: Tensor) -> Tensor:
        """Map RGB in 0..1, float (N, 3, H, W), to logits (N, 1, H, W)."""
        check_images(images, 3, self.stride_px)
        maps = self.encoder(self.prepare(images))
        if self.bottleneck is not None:
            maps = [conv(one) for conv, one in zip(self.bottleneck, maps, strict=True)]
        *skips, x = maps
        if self.ddc is not None:
            x = self.ddc(x)
        for step in (self.decoder4, self.decoder3, self.decoder2, self.decoder1):
            x = step(x, skips.pop() if skips else None)
        return self.head(x)


def _ending() -> nn.Sequential:
    """Three layers from 1/2 of the size to the logit."""
    return nn.Sequential(
        with_norm(nn.ConvTranspose2d(64, 32, 4, 2, 1)),
        with_norm(nn.Conv2d(32, 32, 3, padding=1)),
        nn.Conv2d(32, 1, 3, padding=1),
    )


def msal_net(
    *,
    encoder: str = "resnet34",
    ddc: bool = True,
    eca: bool = True,
    br: bool = True,
    eca_br: str = "serial",
    skips: str = "add",
    br_convs: int = 2,
    eca_kernel: int | None = 3,
    decoder: str = "linknet",
    bottleneck: bool = False,
    inputs: str = "imagenet",
    pretrained: Pretrained = False,
    seed: int = 0,
) -> MSALNet:
    """Build MSAL-Net.

    Parameters
    ----------
    encoder : str
        A ResNet of timm (the paper has 18, 34, 50 and 101 layers), or ``"unet"``: U-Net's way down.
    ddc, eca, br : bool
        Whether there are the dense dilated block, efficient channel attention and boundary refinement.
    eca_br : {"serial", "parallel"}
        Where there are both, see `DecoderStep`.
    skips : {"add", "concatenate"}
        How the encoder's maps join.
    br_convs : {2, 3}
        Convolutions in the refinement.
    eca_kernel : int or None
        See `EfficientChannelAttention`.
    decoder : {"linknet", "unet"}
        See `DecoderStep`. ``encoder="unet", decoder="unet", skips="concatenate"`` is U-Net.
    bottleneck : bool
        Whether 1x1 convolutions bring a wider ResNet's maps to ResNet-34's channels.
    inputs : str
        What the encoder sees, see `inputs.Inputs`.
    pretrained : bool or path
        Weights of the ResNet, see `encoders.load_weights`.
    seed : int
        Decides all weights that are not loaded (PyTorch's and timm's own initialisation); the global random state is
        left as it was.

    Returns
    -------
    MSALNet
        In training mode, on the CPU.

    Raises
    ------
    ValueError
        If a name is unknown, a number not allowed, or options do not fit one another.
    DataError
        If weights cannot be had.

    Examples
    --------
    >>> sum(p.numel() for p in msal_net().parameters())
    30621165
    >>> network = msal_net(encoder="resnet18", ddc=False, br=False).eval()
    >>> network(torch.zeros(1, 3, 64, 96)).shape
    torch.Size([1, 1, 64, 96])
    """
    choose("eca_br", eca_br, ("serial", "parallel"))
    choose("skips", skips, ("add", "concatenate"))
    choose("decoder", decoder, ("linknet", "unet"))
    if br_convs not in (2, 3):
        raise ValueError(f"br_convs must be 2 or 3, got {br_convs!r}")
    prepare = Inputs(inputs)
    with seeded_weights(seed):
        down, channels = _encoder(encoder, prepare, pretrained)
        if bottleneck and (encoder == "unet" or channels[-1] <= _RESNET34[-1]):
            raise ValueError(f"bottleneck is for ResNets wider than ResNet-34, and {encoder} is none; leave it out")

        def step(inside: int, outside: int, joined: bool) -> DecoderStep:
            return DecoderStep(
                inside,
                outside,
                joined=joined,
                decoder=decoder,
                skips=skips,
                attention=EfficientChannelAttention(outside, eca_kernel) if eca else None,
                refinement=BoundaryRefinement(outside, br_convs) if br else None,
                parallel=eca_br == "parallel",
            )

        return MSALNet(encoder=down, channels=channels, prepare=prepare, bottleneck=bottleneck, ddc=ddc, step=step)


def _encoder(name: str, prepare: Inputs, pretrained: Pretrained) -> tuple[nn.Module, list[int]]:
    """The way down, and the channels of its maps."""
    if name == "unet":
        if pretrained is not False:
            raise ValueError(f"U-Net's encoder has no weights to load, got pretrained={pretrained!r}; leave it out")
        return _UNetEncoder(prepare.channels), list(_UNET)
    if not name.startswith("resnet"):
        raise ValueError(f"encoder must be 'unet' or a ResNet of timm, such as 'resnet34', got {name!r}")
    made: Any = build_encoder(
        name, in_channels=prepare.channels, maps=(1, 2, 3, 4), inputs=prepare.kinds, pretrained=pretrained
    )
    return made, made.feature_info.channels()


_PLAIN: Mapping[str, Any] = MappingProxyType({"ddc": False, "eca": False, "br": False})
_VANILLA: Mapping[str, Any] = MappingProxyType({"encoder": "unet", "decoder": "unet", "skips": "concatenate"})

#: Table 1 in its order: options of `msal_net` by variant of `recipe`.
ROWS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "unet_res18": {**_PLAIN, "encoder": "resnet18", "decoder": "unet", "skips": "concatenate"},
        "res34": {**_PLAIN},
        "ddc": {**_VANILLA, "eca": False, "br": False},
        "res34__ddc": {"eca": False, "br": False},
        "eca": {**_VANILLA, "ddc": False, "br": False},
        "eca__br": {**_VANILLA, "ddc": False},
        "ddc__eca": {**_VANILLA, "br": False},
        "res18": {"encoder": "resnet18"},
        "base": {},
        "res50": {"encoder": "resnet50"},
        "res101": {"encoder": "resnet101"},
    }
)
_ROW_WORDS = ("unet_res18", "res34", "ddc", "eca", "br", "res18", "res50", "res101")

_IMPLEMENTATION = "paper, section Implementation details:"
_NOT_SAID = "the paper does not say; "
_EPOCHS = 300
_SIDE_PX = 512

_PAPER: Mapping[str, tuple[Any, str]] = MappingProxyType(
    {
        "weights": (
            "none",
            f'{_IMPLEMENTATION} "a pre-trained ResNet-34 structure", taught on ImageNet; ours: at random, since those '
            "weights could not be had where this book was made (`imagenet`, where they can)",
        ),
        "patches": ("msal_net", 'paper, section Dataset: "from 4 corners of each image"'),
        "crop_px": (_SIDE_PX, f'{_IMPLEMENTATION} "resized by 512 × 512"'),
        "batch_size": (2, f'{_IMPLEMENTATION} "we employed batch size 2"'),
        "augment": ("msal_net", f"{_IMPLEMENTATION} see the augmentation's own sources"),
        "loss": ("bce", f'{_IMPLEMENTATION} "cross-entropy loss", behind a sigmoid'),
        "optimiser": ("adam", f'{_IMPLEMENTATION} "with the Adam optimizer"'),
        "lr": (1e-3, f'{_IMPLEMENTATION} "The learning rate was set to 0.001"'),
        "weight_decay": (
            3e-5,
            f'{_IMPLEMENTATION} "A decay rate of 0.00003"; of what is not said: ours, of the weights, as the optimiser '
            "of its framework has it",
        ),
        "lr_schedule": ("constant", f"{_NOT_SAID}ours: none"),
        "epochs": (_EPOCHS, f'{_IMPLEMENTATION} "with 300 epochs"'),
        "selection": ("last", f"{_NOT_SAID}ours: nothing is chosen, so nothing can be chosen on the wrong tiles"),
        "validation": (
            {"share": 0.2, "metric": "dice"},
            'paper, section Dataset: "120 patches are used for training, and 56 patches are used for testing", so no '
            "tiles to steer by; ours: a fifth of the training set, whole tiles, patients kept apart where known",
        ),
        "postprocess": ("components", f"{_NOT_SAID}the paper scores pixels; ours: connected pixels are an object"),
        "postprocess_options": ({"connectivity": 8}, "ours: as the sets number their objects"),
        "thresholds": ({"mask": 0.5}, f"{_NOT_SAID}ours: what the loss is symmetric about"),
        "window_px": (_SIDE_PX, 'paper, section Dataset: "56 patches are used for testing", four of each of 14 tiles'),
        "overlap_px": (24, "paper: what four corners of 512 px of a tile of 1000 px have in common"),
    }
)

_MADE = "ours: a substitute for the weights of ImageNet, made here"
_LACKS = "ours: a row that Table 1 lacks, the network without one of its parts"
_CHANGES: Mapping[str, Change] = MappingProxyType(
    {
        "parallel": (
            'paper, section Decoder structure: "a parallel efficient channel attention (ECA) module"',
            {"network": {"eca_br": "parallel"}},
        ),
        "concatenate": (
            "ours: the skips read as U-Net's, which the paper starts from",
            {"network": {"skips": "concatenate"}},
        ),
        "three_convs": (
            'paper, section Decoder structure: "applying three convolution filter sizes"',
            {"network": {"br_convs": 3}},
        ),
        "adaptive": ("ours: the kernel of ECA as its authors compute it", {"network": {"eca_kernel": None}}),
        "bottleneck": (
            "ours: ResNet-50 and 101 with a decoder as large as ResNet-34's",
            {"network": {"bottleneck": True}},
        ),
        "no_ddc": (_LACKS, {"network": {"ddc": False}}),
        "no_eca": (_LACKS, {"network": {"eca": False}}),
        "no_br": (_LACKS, {"network": {"br": False}}),
        "imagenet": (
            f'{_IMPLEMENTATION} "a pre-trained ResNet-34 structure", taught on ImageNet',
            {"weights": "imagenet"},
        ),
        "synthetic": (f"{_MADE} of synthetic tissue", {"weights": "synthetic"}),
        "self_supervised": (f"{_MADE} of the training tiles without their labels", {"weights": "self_supervised"}),
    }
)


def recipe(reading: str, variant: str = "base") -> Recipe:
    """Return how MSAL-Net is trained.

    Parameters
    ----------
    reading : {"paper", "clean"}
        ``"clean"``: `clean_recipe`.
    variant : str
        Of the first: ``"base"``, or a row of Table 1 (`ROWS`), or names joined by two underscores, a row first where
        there is one:

        - ``parallel``, ``concatenate``, ``three_convs``, ``bottleneck``, ``adaptive``: the network read otherwise;
        - ``no_ddc``, ``no_eca``, ``no_br``: without one of its parts;
        - ``imagenet``, ``synthetic``, ``self_supervised``: what the encoder starts from.

    Raises
    ------
    ValueError
        If reading or variant are unknown, the reading is that of code, of which none was released, or weights are
        asked for where the encoder is U-Net's.

    Examples
    --------
    >>> recipe("paper").weight_decay, dict(recipe("paper", "res34__ddc__imagenet").network)
    (3e-05, {'eca': False, 'br': False})
    """
    if choose("reading", reading, ("paper", "code", "clean")) == "clean":
        return clean_recipe("msal_net", variant)
    if reading == "code":
        raise ValueError("no code was released for MSAL-Net; its readings are 'paper' and 'clean'")
    made = Recipe.sourced("msal_net", reading, variant="base", **_PAPER)
    made = varied(made, *_changes(parts_of(variant)))
    if made.weights != "none" and made.network.get("encoder") == "unet":
        raise ValueError(f"variant {variant!r}: U-Net's encoder has no weights to start from, leave out {made.weights}")
    return made


def _changes(parts: Iterable[str]) -> tuple[list[str], Mapping[str, Change]]:
    """Names of changes, that of a row of the table in one piece, and what there is."""
    row = "__".join(part for part in parts if part in _ROW_WORDS)
    others = [part for part in parts if part not in _ROW_WORDS]
    if not row:
        return others, _CHANGES
    change = "paper, Table 1", {"network": ROWS[choose("row of Table 1", row, ROWS)]}
    return [row, *others], {row: change, **_CHANGES}
