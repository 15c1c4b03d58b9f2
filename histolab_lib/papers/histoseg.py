"""HistoSeg: MobileNetV2 at output stride 8, ASPP, and quick attention in encoder and decoder with a link between them.

Wazir and Fraz, "HistoSeg: Quick attention with multi-loss function for multi-structure segmentation in digital
histology images", ICPRS 2022, arXiv 2209.00729; code released at ``github.com/saadwazir/HistoSeg``, read at commit
0c0d8ba1 of 2025-04-11, whose two programs are those of 2022-01-21. It is DeepLabV3+ (Chen et al. 2018) on MobileNetV2
(Sandler et al. 2018) with an attention that adds a sigmoid to its input. One set of blocks builds both readings.

What the text leaves open, and what we took
-------------------------------------------
- *Encoder*: strides, widths and the projections of its blocks are not printed; a "pre-trained mobilenetv2" has one
  answer to each. Dilations of 2 and 4 begin where the caption of Fig. 1 has them, which is where output stride 8
  puts them by itself. "relu": pre-trained weights were trained with ReLU6 (`activation` ``"relu"`` for the word).
- *First attention*, "after expanded convolution 6": counted as Fig. 1 counts dilations, where 7 is the first with 2,
  it has 64 channels; the released code has it one block earlier, on 32 (`attention_after`).
- *Global average pooling* "after ASPP block", and a map of 32x32x256 from it that is joined to that block's: taken
  literally, on top of the block's own image pooling (`pooled`). The mean of a map, spread over it again, is all that
  such a branch can give; the released code has the block's own alone.
- *Link*: a 1x1 convolution, since the two attentions differ in channels, and a sum.
- *Head*: a 1x1 convolution before the sigmoid; dropout before it. The sigmoid comes before the interpolation
  (`upsampling`), so that an edge between two certain pixels of the coarse map lies in the middle: taught by
  cross-entropy, maps of 8 px draw discs of 8 to 11 px radius with a Dice of 0.86, and of 0.97 the other way round (the
  tests look for such maps). The printed factor of 4 would make 128 of 32 px: 8.
- *Loss*: whether equation 4 sums over a pixel, an image or a batch is not said: an image.
- *Data*: a step of 256 px gives 270 patches where Table I has 1470, which any step from 107 to 124 px gives: 120, the
  default of the authors' patch tool (``step_256`` is a variant).

Where the released code differs (`reading` ``"code"``)
------------------------------------------------------
- Attention of one filter without bias, the same number for all channels of a pixel, one block earlier.
- ASPP of two branches, image pooling and a 1x1 convolution: nothing is dilated; no ReLU behind it, one after the link.
- Logits are interpolated, corner pixels staying at the corners; the sigmoid comes last.
- Batch norm remembers a thousand batches in the encoder, a hundred behind it (`_KERAS_NORM`), where ours remembers ten.
- No focal term, a "Dice" of single pixels, a tenth of the learning rate: see `recipe`.

Table V's attentions are `ATTENTIONS`. Its references are not named in our text; the three "residual" ones carry the
names of Wang et al. 2017 (Residual Attention Network, section 3.2), whose three formulas they are here.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from histolab_lib.choices import choose
from histolab_lib.encoders import Pretrained, build_encoder
from histolab_lib.inputs import Inputs
from histolab_lib.layers import check_images, seeded_weights
from histolab_lib.papers.clean import clean_recipe
from histolab_lib.papers.variants import Change, parts_of, varied
from histolab_lib.recipe import Recipe

__all__ = [
    "ASPP",
    "ATTENTIONS",
    "ROWS",
    "HistoSeg",
    "LocalSelfAttention",
    "QuickAttention",
    "ResidualAttention",
    "histoseg",
    "recipe",
]

_STRIDE_PX = 8
_RATES = (6, 12, 18)
_DROPOUT = 0.1  # section VI
# Below it a probability counts as this: one over it, summed over the pixels that a coarse one reaches, is still finite.
_LEAST = 1e-30
# Keras' momentum of 0.999 and 0.99 is the share that stays; torch's is the share that is new.
_KERAS_NORM = {"encoder": (1e-3, 0.001), "head": (1e-5, 0.01)}


class QuickAttention(nn.Module):
    r"""Add to a map what a 1x1 convolution and a sigmoid make of it (section III-A, equation 1).

    .. math:: \text{QA}(x) = \sigma(f(x)) + x

    Parameters
    ----------
    channels : int
        Of the map.
    filters : int or None
        Of f: "the same number of filters as the input feature map" (None), or the released code's 1.
    bias : bool
        Whether f has one; not printed. The released code's has none.

    Notes
    -----
    The sum is at least x and at most x + 1: nothing can be taken away, whatever f learns. Irrelevant features are
    avoided only if later layers read a 0 added as "less".

    Examples
    --------
    >>> [sum(p.numel() for p in QuickAttention(*made).parameters()) for made in ((64, None, True), (32, 1, False))]
    [4160, 32]
    """

    def __init__(self, channels: int, filters: int | None = None, bias: bool = True) -> None:
        super().__init__()
        self.f = nn.Conv2d(channels, filters or channels, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        return torch.sigmoid(self.f(x)) + x  # equation 1


class ResidualAttention(nn.Module):
    r"""Multiply a map by one plus a mask of itself (Wang et al. 2017, equations 3 and 4 to 6).

    .. math:: H(x) = (1 + M(f(x))) \, x

    with a 1x1 convolution f in the place of their branch of poolings, so that all attentions here see as much.

    Parameters
    ----------
    channels : int
        Of the map.
    kind : {"channel", "spatial", "mixed"}
        M: f divided by its length over the channels of each pixel; or f minus the mean of its channel, divided by
        its standard deviation, and a sigmoid; or a sigmoid alone.

    Examples
    --------
    >>> ResidualAttention(4, "channel").weights(torch.ones(1, 4, 2, 2)).square().sum(1).round(decimals=3).unique()
    tensor([1.], grad_fn=<Unique2Backward0>)
    """

    def __init__(self, channels: int, kind: str) -> None:
        super().__init__()
        self.kind = choose("kind", kind, ("channel", "spatial", "mixed"))
        self.f = nn.Conv2d(channels, channels, 1)

    def weights(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape: in -1..1 of ``"channel"``, in 0..1 of the others."""
        made = self.f(x)
        if self.kind == "channel":
            return F.normalize(made, dim=1)
        if self.kind == "spatial":
            sd, mean = torch.std_mean(made, dim=(2, 3), keepdim=True, correction=0)
            made = (made - mean) / sd.clamp_min(1e-5)
        return torch.sigmoid(made)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        return (1 + self.weights(x)) * x


class LocalSelfAttention(nn.Module):
    r"""Self-attention of each pixel to its neighbourhood (Ramachandran et al. 2019, section 3.1).

    .. math:: y_{ij} = \sum_{ab} \text{softmax}_{ab}\left(q_{ij}^T k_{ab} + q_{ij}^T r_{a-i,b-j}\right) v_{ab}

    with queries, keys and values by 1x1 convolutions without bias, and offsets r learned for rows and for columns,
    each for half of a head's channels. Beyond the border keys and values are 0, as in the authors' text.

    Parameters
    ----------
    channels : int
        Of the map; `heads` must divide it, into an even number each.
    window_px : int
        Side of the neighbourhood, odd; theirs is 7.
    heads : int
        Theirs are 8.

    Raises
    ------
    ValueError
        If the channels cannot be divided so.

    Examples
    --------
    >>> sum(p.numel() for p in LocalSelfAttention(64).parameters())  # 3 * 64 * 64 + 2 * 7 * 4
    12344
    """

    def __init__(self, channels: int, window_px: int = 7, heads: int = 8) -> None:
        super().__init__()
        if channels % (2 * heads):
            raise ValueError(f"channels must be divided by twice the heads, {2 * heads}; got {channels}")
        self.heads, self.window_px = heads, window_px
        self.query, self.key, self.value = (nn.Conv2d(channels, channels, 1, bias=False) for _ in range(3))
        half = channels // heads // 2
        self.row_offsets = nn.Parameter(torch.randn(half, window_px, 1))
        self.column_offsets = nn.Parameter(torch.randn(half, 1, window_px))

    def weights(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, heads, window_px ** 2, H * W): what each pixel looks at, adding up to 1."""
        n, channels, height, width = x.shape
        query = self.query(x).view(n, self.heads, channels // self.heads, 1, height * width)
        side = self.window_px
        offsets = torch.cat([self.row_offsets.expand(-1, side, side), self.column_offsets.expand(-1, side, side)])
        keys = self._neighbours(self.key(x)) + offsets.reshape(1, 1, -1, side * side, 1)
        return (query * keys).sum(2).softmax(dim=2)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        seen = self._neighbours(self.value(x))
        return (self.weights(x)[:, :, None] * seen).sum(3).reshape(x.shape)

    def _neighbours(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, heads, C / heads, window_px ** 2, H * W)."""
        n, channels, height, width = x.shape
        side = self.window_px
        seen = F.unfold(x, side, padding=side // 2)
        return seen.view(n, self.heads, channels // self.heads, side * side, height * width)


#: What can stand in the place of an attention, by name: from channels to a module.
ATTENTIONS: Mapping[str, Callable[[int], nn.Module]] = MappingProxyType(
    {
        "quick": QuickAttention,
        "quick_one_filter": lambda channels: QuickAttention(channels, 1, bias=False),
        "self": LocalSelfAttention,
        "channel": lambda channels: ResidualAttention(channels, "channel"),
        "spatial": lambda channels: ResidualAttention(channels, "spatial"),
        "mixed": lambda channels: ResidualAttention(channels, "mixed"),
        "none": lambda _: nn.Identity(),
    }
)


def _conv(inside: int, outside: int, dilation: int | None = None) -> nn.Sequential:
    """A convolution, 1x1 or dilated 3x3, that keeps the size; batch norm, ReLU."""
    conv = (
        nn.Conv2d(inside, outside, 1, bias=False)
        if dilation is None
        else nn.Conv2d(inside, outside, 3, padding=dilation, dilation=dilation, bias=False)
    )
    return nn.Sequential(conv, nn.BatchNorm2d(outside), nn.ReLU())


def _spread(x: Tensor, like: Tensor) -> Tensor:
    """One pixel as large as another map. `expand` would lose the memory format, and ASPP take twice as long."""
    return F.interpolate(x, size=(like.shape[2], like.shape[3]), mode="nearest")


class ASPP(nn.Module):
    """Atrous spatial pyramid pooling (section III-B, Fig. 1 d): one map seen at several scales, joined and mixed.

    Parameters
    ----------
    inside, outside : int
        Channels of the map, and of each branch and the result.
    rates : tuple of int
        A 3x3 convolution dilated by each; the released code has none.
    active : bool
        Whether ReLU follows the last convolution.

    Examples
    --------
    >>> [sum(p.numel() for p in ASPP(320, 256, *made).parameters()) for made in (((6, 12, 18), True), ((), False))]
    [2706432, 296448]
    """

    def __init__(self, inside: int, outside: int, rates: tuple[int, ...] = _RATES, active: bool = True) -> None:
        super().__init__()
        self.image = _conv(inside, outside)
        self.branches = nn.ModuleList([_conv(inside, outside), *(_conv(inside, outside, rate) for rate in rates)])
        mixed = _conv((2 + len(rates)) * outside, outside)
        self.mix = mixed if active else mixed[:2]

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inside, H, W) to (N, outside, H, W)."""
        image = _spread(self.image(x.mean((2, 3), keepdim=True)), x)
        return self.mix(torch.cat([image, *(branch(x) for branch in self.branches)], dim=1))


class HistoSeg(nn.Module):
    """The network; make it with `histoseg`.

    Attributes
    ----------
    stride_px : int
        8, what both sides of an image must be divisible by.
    prepare : Inputs
    encoder : nn.Module
        timm's; its stem and blocks are gone through one by one.
    attention_after : int
        Which of its blocks the first attention follows.
    encoder_attention, decoder_attention : nn.Module
    aspp, pooled, link, head : nn.Module
        `pooled` mixes the mean of ASPP's map into it; None where there is none.
    """

    def __init__(
        self,
        *,
        reading: str,
        encoder: nn.Module,
        encoder_attention: str,
        decoder_attention: str,
        attention_after: int,
        rates: tuple[int, ...],
        pooled: bool,
        upsampling: str,
        channels: int,
    ) -> None:
        super().__init__()
        self.stride_px = _STRIDE_PX
        self.prepare = Inputs("symmetric")
        self.encoder: Any = encoder
        self.attention_after = attention_after
        self.upsampling = upsampling
        widths = [_channels(block) for block in _blocks(encoder)]
        shallow = widths[attention_after]
        self.encoder_attention = ATTENTIONS[encoder_attention](shallow)
        self.aspp = ASPP(widths[-1], channels, rates, active=reading == "paper")
        self.pooled = _conv(2 * channels, channels) if pooled else None
        self.decoder_attention = ATTENTIONS[decoder_attention](channels)
        self.link = nn.Conv2d(shallow, channels, 1, bias=False)
        self.after_link: nn.Module = nn.ReLU() if reading == "code" else nn.Identity()
        self.dropout = nn.Dropout(_DROPOUT)
        self.head = nn.Conv2d(channels, 1, 1)
        if reading == "code":
            _remember(encoder, *_KERAS_NORM["encoder"])
            _remember(self.aspp, *_KERAS_NORM["head"])

    def forward(self, images: Tensor) -> Tensor:
        """Map RGB in 0..1, float (N, 3, H, W), to logits (N, 1, H, W)."""
        check_images(images, 3, self.stride_px)
        attended, deep = self._encoded(self.prepare(images))
        seen = self.aspp(deep)
        if self.pooled is not None:
            mean = _spread(seen.mean((2, 3), keepdim=True), seen)
            seen = self.pooled(torch.cat([mean, seen], dim=1))
        seen = self.after_link(self.decoder_attention(seen) + self.link(attended))
        logits = self.head(self.dropout(seen)).float()
        size = images.shape[2], images.shape[3]
        upsampled = _upsampled_probabilities if self.upsampling == "probabilities" else _upsampled
        return upsampled(logits, size)

    def _encoded(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What the first attention gives, and the last block."""
        x = self.encoder.bn1(self.encoder.conv_stem(x))
        attended = x
        for place, block in enumerate(_blocks(self.encoder)):
            x = block(x)
            if place == self.attention_after:
                x = attended = self.encoder_attention(x)
        return attended, x


def _blocks(encoder: Any) -> list[Any]:
    """Expanded convolutions in their order: 0, which does not expand, and 1 to 16."""
    return [block for stage in encoder.blocks for block in stage]


def _channels(block: Any) -> int:
    return int((block.conv_pwl if hasattr(block, "conv_pwl") else block.conv_pw).out_channels)


def _remember(part: nn.Module, eps: float, momentum: float) -> None:
    for norm in part.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.eps, norm.momentum = eps, momentum


def _upsampled(logits: Tensor, size: tuple[int, int]) -> Tensor:
    """Linearly interpolated, corners on corners, as the released code does."""
    return F.interpolate(logits, size=size, mode="bilinear", align_corners=True)


def _upsampled_probabilities(logits: Tensor, size: tuple[int, int]) -> Tensor:
    """Logits of linearly interpolated probabilities.

    Of p and of 1 - p, each interpolated by itself, the logarithms stay exact where one of the two is nearly 1.
    """
    both = torch.cat([logits, -logits], dim=1).sigmoid()
    up = F.interpolate(both, size=size, mode="bilinear", align_corners=False).clamp_min(_LEAST)
    yes, no = up.log().split(1, dim=1)
    return yes - no


def histoseg(
    encoder: str = "mobilenetv2_100",
    *,
    reading: str = "paper",
    encoder_attention: str | None = None,
    decoder_attention: str | None = None,
    attention_after: int | None = None,
    rates: tuple[int, ...] | None = None,
    pooled: bool | None = None,
    upsampling: str | None = None,
    activation: str = "relu6",
    channels: int = 256,
    pretrained: Pretrained = False,
    seed: int = 0,
) -> HistoSeg:
    """Build HistoSeg.

    Parameters
    ----------
    encoder : str
        A MobileNetV2 of timm; both readings have ``"mobilenetv2_100"``, others are narrower or wider.
    reading : {"paper", "code"}
        What every option that is None becomes.
    encoder_attention, decoder_attention : str or None
        Of `ATTENTIONS`: ``"quick"``, or ``"quick_one_filter"`` in the code.
    attention_after : int or None
        The expanded convolution, 0 to 16, that the first attention follows: 6, or 5 in the code.
    rates : tuple of int or None
        Of `ASPP`: 6, 12, 18, or none in the code.
    pooled : bool or None
        Whether the mean of ASPP's map is joined to it once more: True, or False in the code.
    upsampling : {"probabilities", "logits"} or None
        What is interpolated: the first, or the second in the code.
    activation : {"relu6", "relu"}
        Of the encoder.
    channels : int
        From ASPP to head.
    pretrained : bool or path
        ImageNet weights of the encoder, see `encoders.load_weights`: it sees -1..1 and pads as TensorFlow does.
    seed : int
        Decides all weights that are not loaded (PyTorch's and timm's own initialisation); the global random state is
        left as it was.

    Returns
    -------
    HistoSeg
        In training mode, on the CPU. Image pooling makes one pixel of an image, which batch norm cannot train on:
        batches of at least two.

    Raises
    ------
    ValueError
        If a name is unknown or a number out of range.
    DataError
        If weights cannot be had.

    Examples
    --------
    >>> network = histoseg(reading="code").eval()
    >>> sum(p.numel() for p in network.parameters()), network(torch.zeros(1, 3, 64, 48)).shape
    (2116897, torch.Size([1, 1, 64, 48]))
    """
    paper = choose("reading", reading, ("paper", "code")) == "paper"
    quick = "quick" if paper else "quick_one_filter"
    for name, chosen in (("encoder_attention", encoder_attention), ("decoder_attention", decoder_attention)):
        choose(name, quick if chosen is None else chosen, ATTENTIONS)
    upsampling = ("probabilities" if paper else "logits") if upsampling is None else upsampling
    choose("upsampling", upsampling, ("probabilities", "logits"))
    choose("activation", activation, ("relu6", "relu"))
    if not encoder.startswith("mobilenetv2"):
        raise ValueError(f"encoder must be a MobileNetV2 of timm, such as 'mobilenetv2_100', got {encoder!r}")
    with seeded_weights(seed):
        backbone = build_encoder(
            encoder, maps=(4,), output_stride=_STRIDE_PX, padding="same", inputs="symmetric", pretrained=pretrained
        )
        last = len(_blocks(backbone)) - 1
        after = (6 if paper else 5) if attention_after is None else attention_after
        if after not in range(last + 1):
            raise ValueError(f"attention_after must be in 0..{last}, got {after}")
        if activation == "relu":
            _without_six(backbone)
        return HistoSeg(
            reading=reading,
            encoder=backbone,
            encoder_attention=encoder_attention or quick,
            decoder_attention=decoder_attention or quick,
            attention_after=after,
            rates=(_RATES if paper else ()) if rates is None else tuple(rates),
            pooled=paper if pooled is None else pooled,
            upsampling=upsampling,
            channels=channels,
        )


def _without_six(part: nn.Module) -> None:
    for name, child in part.named_children():
        if isinstance(child, nn.ReLU6):
            setattr(part, name, nn.ReLU(inplace=True))
        else:
            _without_six(child)


#: Table V, and the network without any attention, which it lacks: options of `histoseg` by variant. Section VII has
#: self-attention in the encoder, the other three in the decoder; the other place is then left without.
ROWS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "no_attention": {"encoder_attention": "none", "decoder_attention": "none"},
        "self": {"encoder_attention": "self", "decoder_attention": "none"},
        "channel": {"encoder_attention": "none", "decoder_attention": "channel"},
        "spatial": {"encoder_attention": "none", "decoder_attention": "spatial"},
        "mixed": {"encoder_attention": "none", "decoder_attention": "mixed"},
    }
)

_NOT_SAID = "the paper does not say; "
_NOTHING_DONE = "neither the paper nor the released code does anything to the map; ours: connected pixels are an object"
_SET_ASIDE = "whole tiles of the training set, patients kept apart where they are known"

_PAPER: Mapping[str, tuple[Any, str]] = MappingProxyType(
    {
        "weights": ("imagenet", 'paper, section VI: "pre-trained mobilenetv2"; on what is not said, ours: ImageNet'),
        "patches": (
            "histoseg",
            "paper, Table I: 1470 patches are 49 of each tile, which steps from 107 to 124 px give; section IV-A has a "
            "step of 256, which gives 9; released tool: 120",
        ),
        "crop_px": (256, "paper, Tables I and II"),
        "batch_size": (8, 'paper, section VI: "batch size of 8 was set"'),
        "augment": ("histoseg", "neither the paper nor the released code names any"),
        "loss": ("bce_focal_dice", "paper, section III-C, equation 5"),
        "loss_options": (
            {"alpha": 0.25, "gamma": 2.0, "smooth": 1.0, "over": "image"},
            "paper, section III-C; over what equation 4 sums is not said: ours, an image",
        ),
        "optimiser": ("adam", 'paper, section VI: "We use Adam optimizer with"'),
        "lr": (0.01, 'paper, section VI: "0.01 learning rate"'),
        "weight_decay": (0.0, f"{_NOT_SAID}the released code has none"),
        "lr_schedule": ("constant", f"{_NOT_SAID}the released code has none"),
        "epochs": (200, 'paper, section VI: "for 200 epochs on MoNuSeg"'),
        "selection": ("last", f"{_NOT_SAID}ours: nothing is chosen, so nothing can be chosen on the wrong tiles"),
        "validation": (
            {"share": 0.2, "metric": "dice"},
            f'paper, section IV-A: "into training and validation sets"; ours: a fifth, {_SET_ASIDE}; the 686 of '
            "Table I are 49 of each of 14 tiles, and there are 14 test tiles",
        ),
        "postprocess": ("components", _NOTHING_DONE),
        "postprocess_options": ({"connectivity": 8}, "ours: as both sets number their objects"),
        "thresholds": ({"mask": 0.5}, f"{_NOT_SAID}the released code's F1 rounds"),
    }
)
_CODE: Mapping[str, tuple[Any, str]] = MappingProxyType(
    {
        **_PAPER,
        "weights": (
            "imagenet",
            "released code, HistoSeg_Train.py, begins with weights of a DeepLabV3+ taught on PASCAL VOC, which cannot "
            "be had here; ours: ImageNet weights of its encoder",
        ),
        "patches": ("histoseg", "released tool, Image_Patchyfy: a step of 120 px by default"),
        "crop_px": (256, "released code, HistoSeg_Train.py"),
        "batch_size": (16, "released code, README.md"),
        "loss": ("bce_pixel_dice", "released code, HistoSeg_Train.py: the focal loss is defined and not added"),
        "loss_options": (
            {"smooth": 1.0},
            "released code, HistoSeg_Train.py; whether its cross-entropy sees logits or probabilities depends on the "
            "version of its framework: ours, logits, as it must be meant (`double_sigmoid`)",
        ),
        "optimiser": ("adam", "released code, HistoSeg_Train.py"),
        "optimiser_options": ({"eps": 1e-7}, "released code: Keras' own"),
        "lr": (0.001, "released code: Keras' own, since the optimiser is given by its name"),
        "weight_decay": (0.0, "released code: none"),
        "lr_schedule": ("constant", "released code: the decay is commented out"),
        "epochs": (100, "released code, README.md"),
        "patience": (10, "released code, HistoSeg_Train.py: of the validation loss"),
        "selection": (
            "last",
            "released code: a file after each epoch, whose name tells its scores; which one to take is not said",
        ),
        "validation": (
            {"share": 0.2, "metric": "loss"},
            f"released code steers by validation patches that the reader brings; ours: a fifth, {_SET_ASIDE}",
        ),
        "thresholds": ({"mask": 0.5}, "released code, HistoSeg_Test.py: its F1 rounds"),
    }
)

_CHANGES: Mapping[str, Change] = MappingProxyType(
    {
        **{
            row: ("paper, section VII and Table V", {"network": options})
            for row, options in ROWS.items()
            if row != "no_attention"
        },
        "no_attention": (
            "ours: the row that Table V lacks, without which it cannot tell what attention adds",
            {"network": ROWS["no_attention"]},
        ),
        "glands": ('paper, section VI: "for 100 epochs on GlaS"', {"epochs": 100}),
        "leak": (
            "paper, Table I: 686 validation patches are as many as the test tiles give; which of the released code's "
            "files to take is then told by the scores of the test tiles",
            {"validation": {"on": "test", "metric": "loss"}, "selection": "best_validation"},
        ),
        "scratch": ("ours: what the weights of ImageNet are worth", {"weights": "none"}),
        "augmented": (
            "ours: what crops changed in colour, size and focus are worth; neither text nor released code names any",
            {"augment": "strong_unet"},
        ),
        "step_256": ('paper, section IV-A: "with a 256 step size to avoid overlap"', {"patches": "histoseg_text"}),
        "not_pooled": (
            "ours: global average pooling read as the image pooling of ASPP, as the released code has it",
            {"network": {"pooled": False}},
        ),
        "logits": (
            "released code, HistoSeg_Train.py: first the interpolation, then the sigmoid",
            {"network": {"upsampling": "logits"}},
        ),
        "no_focal": (
            'paper, section III-C: "Each one of them contributes individually"',
            {"loss": "bce_dice", "loss_options": {"smooth": 1.0, "over": "image"}},
        ),
        "bce": (
            'paper, section III-C: "Each one of them contributes individually"',
            {"loss": "bce", "loss_options": {}},
        ),
        "double_sigmoid": (
            "released code with a framework that does not remember what its sigmoid was applied to",
            {"loss": "bce_pixel_dice", "loss_options": {"smooth": 1.0, "double_sigmoid": True}},
        ),
    }
)


def recipe(reading: str, variant: str = "base") -> Recipe:
    """Return how HistoSeg is trained.

    Parameters
    ----------
    reading : {"paper", "code", "clean"}
        ``"clean"``: `clean_recipe`.
    variant : str
        Of the first two: ``"base"``, or names joined by two underscores:

        - a row of Table V: ``self``, ``channel``, ``spatial``, ``mixed``, or ``no_attention``;
        - ``glands``: the paper's epochs on GlaS;
        - ``scratch``: no weights of ImageNet;
        - ``augmented``: crops changed as for the strong U-Net;
        - ``step_256``: patches that do not overlap, as the text has them;
        - ``not_pooled``: without a second image pooling;
        - ``logits``: sigmoid after the interpolation, as in the released code;
        - ``no_focal``, ``bce``: the loss without one part, and without two;
        - ``double_sigmoid``: the released code's loss as some versions of its framework compute it;
        - ``leak``: an exhibit, steered by the test tiles.

    Raises
    ------
    ValueError
        If reading or variant are unknown.

    Examples
    --------
    >>> recipe("paper").lr, recipe("code").lr, recipe("paper", "glands").epochs
    (0.01, 0.001, 100)
    """
    if choose("reading", reading, ("paper", "code", "clean")) == "clean":
        return clean_recipe("histoseg", variant)
    made = Recipe.sourced("histoseg", reading, variant="base", **(_CODE if reading == "code" else _PAPER))
    return varied(made, parts_of(variant), _CHANGES)
