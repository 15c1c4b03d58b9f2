"""HARU-Net: nested U-blocks, attention on the skips, and two branches, one for nuclei and one for their contours.

Chen, Huang, Chen, Qian and Yu, "Enhancing Nucleus Segmentation with HARU-Net", arXiv 2308.03382; code released at
``github.com/Junzhou-Chen/HARU-Net``, read at commit df92e681 of 2024-02-12, with the first, 805f7b0f, beside it. It is
U2-Net (Qin et al. 2020) with CBAM (Woo et al. 2018) on its skips, a second set of outputs for contours, and a weighing
of the side outputs before they are fused. One set of blocks builds both readings.

What the text leaves open, and what we took
-------------------------------------------
- *Widths* are not printed, nor that the two deepest encoders and the deepest decoder dilate where the others pool:
  all as in U2-Net, which is what the released code has (`STAGES`). Its convolutions lose their bias, as there.
- "Replacing CBAM with a channel attention mechanism at the deepest layer" (section 3.4) "(32x32)" (section 4.5.2): of
  1000 px the sixth stage has 32, but no skip. The deepest skip is that of the fifth, 63x63; there the released code
  has it. `deep_attention` ``"cbam"`` puts CBAM there, too.
- Channel attention: the two pooled vectors are "concatenated" (section 3.2) after a network that they share; they are
  summed in CBAM's paper and in both codes, and here.
- *Context fusion* (section 3.3): hidden size not printed (as many as side maps: the released code's); the 3x3
  convolution "upsamples" maps that have the size of the image already.
- *Loss*: equation 4 sums over pixels; with the printed learning rate of 1e-5 that diverges within ten steps, at 1000 px
  and at 128, and its mean hardly learns. We keep both and limit the gradient (`recipe`; ``mean`` is a variant).
  Equation 5 is a sum of ratios; we take the ratio of sums that must be meant (``summed_dice`` is a variant).
- *Depth of supervision*: six side maps and the fused one, for both branches; equation 3's weights are not printed: 1.

Where the released code differs (`reading` ``"code"``)
------------------------------------------------------
- Two classes and a softmax instead of one and a sigmoid: twice the side maps. What we return is the difference of the
  two logits, whose sigmoid is that softmax.
- Context fusion adds the pooled vectors before the layers that they share, and ends in a 1x1 convolution.
- It trains on images shrunk to 0.3 of their sides (`scale`), with RMSprop, another "Dice" and other steps of
  post-processing: see `recipe`.

Table 5's rows are switches: `rsu`, `attention`, `fusion`; the splitting of touching nuclei is a matter of the recipe.
Without RSU a stage is two 3x3 convolutions, as in U-Net, and all around it stays. Table 5's first row repeats the
scores of Table 1's U-Net, quoted from another paper (AJI and PQ exchanged), so which network it was is not known.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from histolab_lib.choices import choose
from histolab_lib.layers import CBAM, ChannelAttention, check_images, double_conv, seeded_weights
from histolab_lib.outputs import Output
from histolab_lib.papers.clean import clean_recipe
from histolab_lib.papers.variants import Change, parts_of, varied
from histolab_lib.recipe import Recipe

__all__ = ["ROWS", "RSU", "STAGES", "ContextFusion", "HaruNet", "Stage", "haru_net", "recipe"]


class Stage(NamedTuple):
    """One stage: the height of its U-block, whether it dilates instead of pooling, and its channels."""

    name: str
    height: int
    flat: bool
    inside: int
    middle: int
    outside: int


#: The stages in the order in which an image passes them (section 3.4, Figs. 2 and 3; widths of U2-Net, its Table 1).
STAGES = (
    Stage("en1", 7, False, 3, 32, 64),
    Stage("en2", 6, False, 64, 32, 128),
    Stage("en3", 5, False, 128, 64, 256),
    Stage("en4", 4, False, 256, 128, 512),
    Stage("en5", 4, True, 512, 256, 512),
    Stage("en6", 4, True, 512, 256, 512),
    Stage("de5", 4, True, 1024, 256, 512),
    Stage("de4", 4, False, 1024, 128, 256),
    Stage("de3", 5, False, 512, 64, 128),
    Stage("de2", 6, False, 256, 32, 64),
    Stage("de1", 7, False, 128, 16, 64),
)
_DEPTH = 6  # encoders of the published network


def _conv(inside: int, outside: int, dilation: int = 1) -> nn.Sequential:
    """A 3x3 convolution that keeps the size, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, padding=dilation, dilation=dilation, bias=False),
        nn.BatchNorm2d(outside),
        nn.ReLU(inplace=True),
    )


def _pooled(x: Tensor) -> Tensor:
    """Half the size, rounded up: 1000, 500, 250, 125, 63, 32."""
    return F.max_pool2d(x, 2, stride=2, ceil_mode=True)


def _sized(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Linearly interpolated, pixels counting as areas."""
    if (x.shape[2], x.shape[3]) == size:
        return x
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)


class _Nest(nn.Module):
    """The U inside a U-block, as a recursion: a U of height n is a step down, a U of height n - 1 below it, a step up.

    Where it pools, what is below sees half the size. Where it is flat, it sees the same size with twice the dilation.
    At the bottom there is one convolution of twice the dilation, at the same size.
    """

    def __init__(self, height: int, flat: bool, inside: int, middle: int, outside: int, dilation: int = 1) -> None:
        super().__init__()
        deeper = 2 * dilation if flat or height == 2 else dilation
        self.pool = not flat and height > 2
        self.down = _conv(inside, middle, dilation)
        self.below: nn.Module = (
            _conv(middle, middle, deeper) if height == 2 else _Nest(height - 1, flat, middle, middle, middle, deeper)
        )
        self.up = _conv(2 * middle, outside, dilation)

    def forward(self, x: Tensor) -> Tensor:
        here = self.down(x)
        below = self.below(_pooled(here) if self.pool else here)
        return self.up(torch.cat([_sized(below, (here.shape[2], here.shape[3])), here], dim=1))


class RSU(nn.Module):
    """Residual U-block (section 3.1, Fig. 3): a U-Net of height n over F(x), added to F(x).

    Parameters
    ----------
    height : int
        n, at least 2; `flat` ones dilate by 1, 2, 4, ... instead of pooling.
    flat : bool
    inside, middle, outside : int
        Channels of the input, within the U, and of the output.

    Examples
    --------
    >>> block = RSU(7, False, 3, 32, 64)
    >>> sum(p.numel() for p in block.parameters()), block(torch.zeros(2, 3, 48, 36)).shape
    (205504, torch.Size([2, 64, 48, 36]))
    """

    def __init__(self, height: int, flat: bool, inside: int, middle: int, outside: int) -> None:
        super().__init__()
        self.enter = _conv(inside, outside)
        self.nest = _Nest(height, flat, outside, middle, outside)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inside, H, W) to (N, outside, H, W)."""
        x = self.enter(x)  # F(x)
        return self.nest(x) + x  # U(F(x)) + F(x)


class ContextFusion(nn.Module):
    """Weigh the side maps, each by one number for the whole image, and make one of them (section 3.3, Fig. 5).

    Parameters
    ----------
    maps, classes : int
        Channels of the input, all side maps of all classes, and of the output.
    reading : {"paper", "code"}
        The text pools "separately" and ends in a 3x3 convolution; the released code adds the mean and the maximum
        before the two layers, and ends in a 1x1 convolution.

    Examples
    --------
    >>> [sum(p.numel() for p in ContextFusion(*made).parameters()) for made in ((6, 1, "paper"), (12, 2, "code"))]
    [139, 188]
    """

    def __init__(self, maps: int, classes: int, reading: str) -> None:
        super().__init__()
        hidden = maps // classes
        self.separately = reading == "paper"
        self.shared = nn.Sequential(nn.Conv2d(maps, hidden, 1), nn.ReLU(inplace=True), nn.Conv2d(hidden, maps, 1))
        side = 3 if reading == "paper" else 1
        self.fuse = nn.Conv2d(maps, classes, side, padding=side // 2)

    def weights(self, maps: Tensor) -> Tensor:
        """Map (N, C, H, W) to weights (N, C, 1, 1) in 0..1."""
        mean, highest = maps.mean((2, 3), keepdim=True), maps.amax((2, 3), keepdim=True)
        if self.separately:
            return torch.sigmoid(self.shared(mean) + self.shared(highest))
        return torch.sigmoid(self.shared(mean + highest))

    def forward(self, maps: Tensor) -> Tensor:
        """Map side maps (N, maps, H, W) to (N, classes, H, W)."""
        return self.fuse(self.weights(maps) * maps)


class _Branch(nn.Module):
    """Side maps of the deepest encoder and of all decoders, and what they are fused to: logits."""

    def __init__(self, channels: list[int], classes: int, fusion: str, reading: str) -> None:
        super().__init__()
        self.sides = nn.ModuleList(nn.Conv2d(one, classes, 3, padding=1) for one in channels)
        maps = classes * len(channels)
        self.fuse = ContextFusion(maps, classes, reading) if fusion == "context" else nn.Conv2d(maps, classes, 1)

    def forward(self, features: list[Tensor], size: tuple[int, int]) -> list[Tensor]:
        """Map features, the deepest first, to the fused map and the side maps, all (N, 1, *size)."""
        sides = [_sized(side(one), size) for side, one in zip(self.sides, features, strict=True)]
        return [_foreground(one) for one in (self.fuse(torch.cat(sides, dim=1)), *sides)]


def _foreground(logits: Tensor) -> Tensor:
    """One logit: of two classes their difference, since the softmax of the two is the sigmoid of that."""
    return logits if logits.shape[1] == 1 else logits[:, 1:] - logits[:, :1]


class HaruNet(nn.Module):
    """The network; make it with `haru_net`.

    Attributes
    ----------
    stride_px : int
        1: sizes are halved rounding up, and interpolated back to what they were.
    depth : int
        Number of encoders, and of the side maps of a branch: 6.
    en1, ..., en6, de5, ..., de1 : RSU
        The stages.
    attention : ModuleList
        On the skips of all encoders but the deepest; empty without attention.
    mask, contour : Module
        The branches.
    """

    def __init__(
        self,
        *,
        reading: str,
        rsu: bool,
        attention: bool,
        deep_attention: str,
        fusion: str,
        contour: bool,
        width: float,
        depth: int,
        scale: float,
    ) -> None:
        super().__init__()
        self.stride_px = 1
        self.scale = scale
        self.depth = depth
        stages = [stage for stage in STAGES if int(stage.name[2:]) <= depth - stage.name.startswith("de")]
        channels = {stage.name: max(1, round(stage.outside * width)) for stage in stages}
        below, inside = "", 3
        for stage in stages:
            if stage.name.startswith("de"):  # what comes up, and the skip
                inside = channels[below] + channels[f"en{stage.name[2:]}"]
            middle, outside = max(1, round(stage.middle * width)), channels[stage.name]
            block = RSU(stage.height, stage.flat, inside, middle, outside) if rsu else double_conv(inside, outside)
            self.add_module(stage.name, block)
            below, inside = stage.name, outside
        skips = [channels[f"en{level}"] for level in range(1, depth)]
        self.attention = nn.ModuleList(_attentions(skips, deep_attention) if attention else ())
        seen = [channels[f"en{depth}"], *(channels[f"de{level}"] for level in range(depth - 1, 0, -1))]
        classes = 2 if reading == "code" else 1
        self.mask = _Branch(seen, classes, fusion, reading)
        self.contour = _Branch(seen, classes, fusion, reading) if contour else None

    def forward(self, images: Tensor) -> Output:
        """Map RGB in 0..1, float (N, 3, H, W), to logits.

        Returns
        -------
        Output
            ``mask``: (N, 1, H, W), and in `extra` ``contour``, of the same shape, the paper's edge. In training also
            the side maps ``mask_1`` ... ``mask_6`` and ``contour_1`` ... ``contour_6``, 6 being the deepest. With a
            `scale` of less than 1, maps are as small as what the network saw in training, and as large as the images
            in evaluation.
        """
        check_images(images, 3, self.stride_px)
        size = images.shape[2], images.shape[3]
        seen = self._scaled(images)
        features = self._features(seen)
        maps: dict[str, Tensor] = {}
        for name, branch in (("mask", self.mask), ("contour", self.contour)):
            if branch is not None:
                fused, *sides = branch(features, (seen.shape[2], seen.shape[3]))
                maps[name] = fused if self.training else _sized(fused, size)
                if self.training:
                    maps |= {f"{name}_{self.depth - place}": side for place, side in enumerate(sides)}
        return Output(maps.pop("mask"), maps)

    def _features(self, x: Tensor) -> list[Tensor]:
        """Outputs of the deepest encoder and of the decoders, the deepest first."""
        skips: list[Tensor] = []
        for level in range(1, self.depth + 1):
            x = getattr(self, f"en{level}")(_pooled(x) if level > 1 else x)
            skips.append(x)
        features = [skips.pop()]
        for level in range(self.depth - 1, 0, -1):
            skip = skips.pop()
            attended = self.attention[level - 1](skip) if self.attention else skip
            above = _sized(features[-1], (skip.shape[2], skip.shape[3]))
            features.append(getattr(self, f"de{level}")(torch.cat([above, attended], dim=1)))
        return features

    def _scaled(self, images: Tensor) -> Tensor:
        """Shrunk as the released code does: by Pillow's bicubic filter, sizes rounded down."""
        if self.scale == 1:
            return images
        size = [max(1, int(side * self.scale)) for side in images.shape[2:]]
        shrunk = F.interpolate(images.float(), size=size, mode="bicubic", antialias=True, align_corners=False)
        return shrunk.clamp(0, 1)


def _attentions(channels: list[int], deepest: str) -> Iterator[nn.Module]:
    """One for each skip: hybrid attention (section 3.2), and for the deepest that of channels alone (section 3.4)."""
    for place, count in enumerate(channels, 1):
        if place == len(channels) and deepest == "channel":
            yield ChannelAttention(count, 32)  # reductions are not printed; the released code's, as the 16 below
        else:
            yield CBAM(count, 16)


def haru_net(
    *,
    reading: str = "paper",
    rsu: bool = True,
    attention: bool = True,
    deep_attention: str = "channel",
    fusion: str = "context",
    contour: bool = True,
    width: float = 1.0,
    depth: int = _DEPTH,
    scale: float = 1.0,
    seed: int = 0,
) -> HaruNet:
    """Build HARU-Net with random weights.

    Parameters
    ----------
    reading : {"paper", "code"}
        One class, and context fusion by the text; or two classes, and context fusion by the released code.
    rsu : bool
        False: each stage is two 3x3 convolutions.
    attention : bool
        Whether the skips are attended to.
    deep_attention : {"channel", "cbam"}
        That of the deepest skip.
    fusion : {"context", "plain"}
        How side maps become one: `ContextFusion`, or U2-Net's 1x1 convolution.
    contour : bool
        False: without the branch of contours.
    width : float
        Factor of all channels between images and side maps; the published network has 1.
    depth : int
        Number of encoders, 2 to 6; the published network has 6. With fewer, the deepest stages are left out.
    scale : float
        Greater than 0, at most 1: what the network sees, as a share of the images' sides.
    seed : int
        Decides the weights (PyTorch's own initialisation); the global random state is left as it was.

    Returns
    -------
    HaruNet
        In training mode, on the CPU.

    Raises
    ------
    ValueError
        If a name is unknown, or a factor out of range.

    Examples
    --------
    >>> network = haru_net(width=0.0625).eval()
    >>> output = network(torch.zeros(1, 3, 21, 34))
    >>> output.mask.shape, list(output.extra)
    (torch.Size([1, 1, 21, 34]), ['contour'])
    """
    choose("reading", reading, ("paper", "code"))
    choose("deep_attention", deep_attention, ("channel", "cbam"))
    choose("fusion", fusion, ("context", "plain"))
    if depth not in range(2, _DEPTH + 1):
        raise ValueError(f"depth must be in 2..{_DEPTH}, got {depth}")
    if not width > 0 or not 0 < scale <= 1:
        raise ValueError(f"width must be above 0, and scale above 0 and at most 1, got {width} and {scale}")
    with seeded_weights(seed):
        return HaruNet(
            reading=reading,
            rsu=rsu,
            attention=attention,
            deep_attention=deep_attention,
            fusion=fusion,
            contour=contour,
            width=width,
            depth=depth,
            scale=scale,
        )


#: Table 5 but its last row, which is the network itself: options of `haru_net` by variant.
ROWS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "unet": {"rsu": False, "attention": False, "fusion": "plain"},
        "rsu": {"attention": False, "fusion": "plain"},
        "rsu__cf": {"attention": False},
        "rsu__cbam": {"fusion": "plain"},
        "rsu__cbam__cf": {},
    }
)
_ROW_WORDS = ("unet", "rsu", "cbam", "cf")

_SIDE_PX = 1000
_EPOCHS = 200
_COPIES = 8  # of each tile in an epoch: 240 of 30 (section 4.4.1), 280 of 35 (section 4.4.3)
_LENGTH = _COPIES * _EPOCHS  # in our epochs, in which a tile is seen once, changed at random
_NOT_SAID = "the paper does not say; "
_SET_ASIDE = "tiles to steer by are set aside from training, patients kept apart where they are known"

_PAPER: Mapping[str, tuple[Any, str]] = MappingProxyType(
    {
        "weights": ("none", f"{_NOT_SAID}the released code begins at random"),
        "patches": ("haru_net", 'paper, section 4.3: "we retained the original sizes of all datasets"'),
        "crop_px": (_SIDE_PX, 'paper, section 4.3: "MoNuSeg and CoNSep had an input size of"'),
        "batch_size": (4, 'paper, section 4.3: "with a batch size of 4"; 12 on the sets of smaller images'),
        "augment": ("haru_net", "paper, section 4.3: see the augmentation's own sources"),
        "loss": ("deep_mask_contour", "paper, section 3.5, equations 3 to 6"),
        "loss_options": (
            {"pixels": "sum", "overlap": "ratio", "smooth": 1.0, "thickness_px": 2},
            "paper, equations 4 and 5, the sum of ratios read as a ratio of sums, which alone is bounded and looks at "
            "background; weights of equation 3 and the thickness of contours are not printed: 1, and the released "
            "code's 2 px; ours: smooth, for images without nuclei",
        ),
        "optimiser": ("sgd", 'paper, section 4.3: "Stochastic Gradient Descent (SGD)"'),
        "lr": (1e-5, 'paper, section 4.3: "a learning rate of 1e-5"'),
        "weight_decay": (0.0, f"{_NOT_SAID}ours: none"),
        "momentum": (0.9, f"{_NOT_SAID}ours: the usual one"),
        "clip_norm": (
            4000.0,
            f"{_NOT_SAID}ours: as printed, the sum over pixels gives gradients of a million, steps of 10, and within "
            "ten steps no number any more; so every step has the length 0.04, whatever the size of crops",
        ),
        "lr_schedule": ("plateau", 'paper, section 4.3: "an adaptive learning rate decay strategy"; released code'),
        "lr_schedule_options": (
            {"factor": 0.1, "patience": 40 * _COPIES},
            f"{_NOT_SAID}the released code has 0.1; ours: a fifth of the run, so that schedules that look rarely do "
            "not stop at the first look",
        ),
        "epochs": (
            _LENGTH,
            'paper, section 4.3: "The models are trained for 200 iterations", read as epochs, of eight changed copies '
            "of each tile (sections 4.4.1 and 4.4.3), which are eight epochs of ours",
        ),
        "selection": ("last", f"{_NOT_SAID}ours: nothing is chosen, so nothing can be chosen on the wrong tiles"),
        "validation": ({"share": 0.2, "metric": "dice"}, f"{_NOT_SAID}ours: {_SET_ASIDE}"),
        "postprocess": ("contour_propagation", "paper, section 3.6, Algorithm 1"),
        "postprocess_options": (
            {"connectivity": 8},
            "paper, Algorithm 1, until nothing changes; connected_components_with_stats is OpenCV's, by default of 8",
        ),
        "thresholds": ({"mask": 0.5, "contour": 0.5}, f"{_NOT_SAID}ours: what a sigmoid's two classes are parted by"),
    }
)
_CODE: Mapping[str, tuple[Any, str]] = MappingProxyType(
    {
        **_PAPER,
        "network": ({"scale": 0.3}, "released code, train.py; its predict.py has 1 by default, its README 0.5"),
        "weights": ("none", "released code, train.py"),
        "patches": ("haru_net", "released code, utils/data_loading.py: whole images"),
        "crop_px": (_SIDE_PX, "released code, utils/data_loading.py: whole images, those of Kumar's set and MoNuSeg"),
        "batch_size": (2, "released code, train.py"),
        "augment": ("haru_net_code", "released code, dataloading/dataAug.py"),
        "loss_options": (
            {"pixels": "mean", "overlap": "true_class", "thickness_px": 2},
            "released code, train.py; thickness by its last commit, its first had 3",
        ),
        "optimiser": ("rmsprop", "released code, train.py"),
        "lr": (1e-5, "released code, train.py"),
        "weight_decay": (1e-8, "released code, train.py"),
        "momentum": (0.999, "released code, train.py"),
        "lr_schedule": ("plateau", "released code, train.py"),
        "lr_schedule_options": (
            {"factor": 0.1, "patience": 10 * _COPIES, "min_delta": 1e-4},
            "released code, train.py: 50 validations, five of them an epoch; min_delta is torch's, relative there",
        ),
        "epochs": (_LENGTH, "released code, train.py: 200, of eight files for each tile"),
        "clip_norm": (
            1.0,
            "released code, train.py; there it acts on gradients that the mixed precision had multiplied by up to "
            "65536, so nearly every step was cut to one length, which RMSprop divides out again",
        ),
        "selection": ("last", "released code, train.py: a checkpoint each epoch, none chosen"),
        "validation": (
            {"share": 0.2, "metric": "dice"},
            f"ours: {_SET_ASIDE}; released code, train.py, steers by the test tiles, its first commit by a tenth of "
            "the augmented training images",
        ),
        "postprocess": ("contour_propagation", "released code, instance_process.py"),
        "postprocess_options": ({"connectivity": 8, "rounds": 6}, "released code, instance_process.py"),
        "thresholds": ({"mask": 0.5, "contour": 0.5}, "released code, predict.py: the larger of two classes"),
    }
)

_WATERSHED: Mapping[str, Any] = MappingProxyType(
    {"postprocess": "watershed", "postprocess_options": {}, "thresholds": {"mask": 0.5}}
)
_CHANGES: Mapping[str, Change] = MappingProxyType(
    {
        "cbam_deepest": (
            'paper, section 4.5.2: "one with CBAM attention mechanism applied at all levels"',
            {"network": {"deep_attention": "cbam"}},
        ),
        "summed_dice": ("paper, equation 5 as it is printed", {"loss_options": {"overlap": "summed"}}),
        "mean": (
            "released code, train.py: the mean over pixels, which no gradient need be clipped for",
            {"loss_options": {"pixels": "mean"}, "clip_norm": None},
        ),
        "thick": ("released code, first commit: 3x3 ones", {"loss_options": {"thickness_px": 3}}),
        "six_rounds": ("released code, instance_process.py", {"postprocess_options": {"rounds": 6}}),
        "eroded": (
            'paper, section 4.4.2, on CoNSeP: "we introduced an erosion operation", whose kernel is not printed; ours: '
            "the smallest disk",
            {"postprocess_options": {"erosion_px": 1}},
        ),
        "batch_12": (
            'paper, section 4.3, on cpm-17 and BNS (TNBC): "with a batch size of 12"; ours: whole tiles of TNBC, which '
            "have 512 px, not 600",
            {"batch_size": 12, "crop_px": 512},
        ),
        "cpm17": (
            'paper, section 4.4.4: "we applied only flip and translation data augmentation techniques"; section 4.3: '
            '"a batch size of 12"; ours: crops, since its tiles have 500 to 600 px and cannot be one batch as they are',
            {"batch_size": 12, "crop_px": 500, "patches": "random", "augment": "haru_net_cpm17"},
        ),
        "whole": (
            "ours: tiles predicted whole, however small the crops were that a schedule trains on",
            {"window_px": _SIDE_PX},
        ),
        "mask_alone": (
            "ours: section 4.5.4 has the contours' branch help the mask, so here it is without, split as in Table 5",
            {"network": {"contour": False}, **_WATERSHED},
        ),
    }
)


def recipe(reading: str, variant: str = "base") -> Recipe:
    """Return how HARU-Net is trained.

    Parameters
    ----------
    reading : {"paper", "code", "clean"}
        ``"clean"``: `clean_recipe`, which teaches the mask alone.
    variant : str
        Of the first two: ``"base"``, or a row of Table 5 (`ROWS`, whose touching nuclei a watershed parts), or names
        joined by two underscores, a row first where there is one:

        - ``cbam_deepest``: CBAM on the deepest skip, too;
        - ``summed_dice``: equation 5 as it is printed;
        - ``mean``: equation 4 with the mean over pixels, and gradients as they are;
        - ``thick``: contours of 3 px;
        - ``six_rounds``: propagation as released;
        - ``eroded``: each object eroded in the end, as on CoNSeP;
        - ``batch_12``: batches for sets of tiles of 512 px;
        - ``cpm17``: batches, crops and augmentation for CPM-17;
        - ``whole``: tiles predicted whole by every schedule;
        - ``mask_alone``: without the branch of contours.

    Raises
    ------
    ValueError
        If reading or variant are unknown.

    Examples
    --------
    >>> recipe("code").optimiser, recipe("code").sources["momentum"]
    ('rmsprop', 'released code, train.py')
    >>> recipe("paper", "rsu__cf").postprocess
    'watershed'
    """
    if choose("reading", reading, ("paper", "code", "clean")) == "clean":
        return clean_recipe("haru_net", variant)
    made = Recipe.sourced("haru_net", reading, variant="base", **(_CODE if reading == "code" else _PAPER))
    parts = parts_of(variant)
    row = "__".join(part for part in parts if part in _ROW_WORDS)
    others = [part for part in parts if part not in _ROW_WORDS]
    if not row:
        return varied(made, others, _CHANGES)
    where = "paper, Table 5; details of its watershed are absent: ours"
    change = where, {"network": ROWS[choose("row of Table 5", row, ROWS)], **_WATERSHED}
    return varied(made, [row, *others], {row: change, **_CHANGES})
