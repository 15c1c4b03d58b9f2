"""The modified LinkNet: hematoxylin through a light encoder and decoder, with a second, coarse output on the way.

Rezaei et al., a gland segmentation by "a deep neural network with multiple loss functions based on LinkNet structure";
our text of it begins with its abstract, so title, year and place are not told here. It is LinkNet (Chaurasia and
Culurciello 2017) with a coarse map beside the mask (Fig. 3, equation 1), losses that join cross-entropy, an exponential
of Dice, and accuracy (equations 2 to 7), hematoxylin as its input, sharpened or not (section II-A, Fig. 2), and Otsu's
threshold and morphology behind it (section II-C). No code was released: there is one reading.

What the text leaves open, and what we took
-------------------------------------------
- *LinkNet* is not described beyond its "11 million" parameters: the published one, on ResNet-18, has 11,533,377 with
  one output and RGB. Layers as in its authors' code (``e-lab/pytorch-linknet``, commit 1f27384c): convolution 7x7,
  pooling, four stages of two residual blocks (`encoder`); four decoder blocks, the last of which keeps the size
  (`LinkNetBlock`); three layers to full size (`f1` to `f3`), those with a bias. By its text what each stage of the
  encoder is given is added to what its decoder gives, the pooled stem included: four links, as in that code. Read with
  three, `stem_skip` is False.
- *Input*: the hematoxylin component, by "an orthonormal transformation of RGB channels": the fixed stains of Ruifrok
  and Johnston 2001 (of length 1, though not at right angles). One channel, in optical densities, not standardised.
  RGB, the row that its tables lack, is 0..1.
- *Unsharp masking*: radius and amount are not printed: sigma 2 px at 832x576, amount 1. It is part of the network
  (`inputs` ``"unsharp_hematoxylin"``), so that it comes after rotation and cropping instead of before; within 8 px of a
  patch's border that is another number.
- *The new output*, "driven by the final layers of the network", for "a coarse-scale segmentation map": a 1x1
  convolution on what the last decoder block gives, a quarter of the size (`inner` ``"d1"``), or on `f1`, half of the
  size (``"f1"``). It is compared with the share of gland in each of its pixels.
- *Losses*: S of equation 3 is not printed: 1. Over what Dice sums is not said: a batch, as flattened masks give it.
  Accuracy counts decisions, which have no gradient: with it L2 would teach what L1 does. The mean probability of the
  true class stands in its place (`recipe` variant ``hard_accuracy`` has the printed one). All three losses are negative
  where they are small: at best L3 is -8.39, and with the coarse output three times that.
- *Versions*: 4420 crops are four of 13 versions of each of 85 images, by rotation and flips; which, is not said: both
  flips and any angle, drawn anew, the image mirrored where it ends.
- *Optimiser*, learning rate, batch, weights to keep, validation, kernels of the morphology: see `recipe`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from torch import Tensor, nn

from histolab_lib.choices import choose
from histolab_lib.claims import variants_of
from histolab_lib.encoders import build_encoder
from histolab_lib.inputs import Inputs
from histolab_lib.layers import LinkNetBlock, check_images, full_conv, seeded_weights, with_norm
from histolab_lib.outputs import Output
from histolab_lib.papers.clean import clean_recipe
from histolab_lib.papers.variants import Change, parts_of, varied
from histolab_lib.recipe import Recipe

__all__ = ["ROWS", "GlandLinkNet", "gland_linknet", "recipe"]

_STRIDE_PX = 32
_SIZE_PX = (576, 832)  # height and width; section III-A prints the width first
_INNER = ("d1", "f1")


class GlandLinkNet(nn.Module):
    """The network; make it with `gland_linknet`.

    Attributes
    ----------
    stride_px : int
        32, what both sides of an image must be divisible by.
    prepare : Inputs
        What the encoder sees of RGB.
    encoder : nn.Module
        timm's ResNet-18; its stem and stages are gone through one by one.
    decoder4, decoder3, decoder2, decoder1 : LinkNetBlock
        The deepest first.
    f1, f2, f3 : nn.Module
        To half of the size, a convolution there, and to full size.
    inner : nn.Module or None
        The coarse output.
    inner_on : {"d1", "f1"} or None
        What it looks at.
    stem_skip : bool
        Whether the last decoder's map is added to the pooled stem.
    """

    def __init__(self, *, inputs: str, inner: str | None, stem_skip: bool) -> None:
        super().__init__()
        self.stride_px = _STRIDE_PX
        self.prepare = Inputs(inputs)
        self.encoder: Any = build_encoder("resnet18", in_channels=self.prepare.channels, maps=(1, 2, 3, 4))
        self.decoder4 = LinkNetBlock(512, 256, 2)
        self.decoder3 = LinkNetBlock(256, 128, 2)
        self.decoder2 = LinkNetBlock(128, 64, 2)
        self.decoder1 = LinkNetBlock(64, 64, 1)
        self.f1 = with_norm(full_conv(64, 32, 2, bias=True))
        self.f2 = with_norm(nn.Conv2d(32, 32, 3, padding=1))
        self.f3 = nn.ConvTranspose2d(32, 1, 2, 2)
        self.inner_on, self.stem_skip = inner, stem_skip
        self.inner = None if inner is None else nn.Conv2d(64 if inner == "d1" else 32, 1, 1)

    def forward(self, images: Tensor) -> Tensor | Output:
        """Map RGB in 0..1, float (N, 3, H, W), to logits (N, 1, H, W), and ``"inner"`` (N, 1, H/4, W/4) beside it."""
        check_images(images, 3, self.stride_px)
        d1 = self._decoded(self.prepare(images))
        f1 = self.f1(d1)
        mask = self.f3(self.f2(f1))
        if self.inner is None:
            return mask
        return Output(mask, {"inner": self.inner(d1 if self.inner_on == "d1" else f1)})

    def _decoded(self, x: Tensor) -> Tensor:
        """What the last decoder gives, (N, 64, H/4, W/4); each adds the map that its encoder was given."""
        e = self.encoder
        stem = e.maxpool(e.act1(e.bn1(e.conv1(x))))
        e1 = e.layer1(stem)
        e2 = e.layer2(e1)
        e3 = e.layer3(e2)
        d4 = self.decoder4(e.layer4(e3)) + e3
        d3 = self.decoder3(d4) + e2
        d2 = self.decoder2(d3) + e1
        d1 = self.decoder1(d2)
        return d1 + stem if self.stem_skip else d1


def gland_linknet(
    *, inputs: str = "hematoxylin", inner: str | None = "d1", stem_skip: bool = True, seed: int = 0
) -> GlandLinkNet:
    """Build the modified LinkNet.

    Parameters
    ----------
    inputs : str
        What the encoder sees, see `inputs.Inputs`: ``"hematoxylin"``, ``"unsharp_hematoxylin"``, ``"rgb"``, or several
        joined by "+".
    inner : {"d1", "f1"} or None
        Where the coarse output sits: on the last decoder's map or on the layer behind it. None: LinkNet as it was.
    stem_skip : bool
        Whether the pooled stem is added to the last decoder's map.
    seed : int
        Decides all weights (PyTorch's and timm's own initialisation); the global random state is left as it was.

    Returns
    -------
    GlandLinkNet
        In training mode, on the CPU. It returns an `Output` whose extra is ``"inner"``, or, without it, logits.

    Raises
    ------
    ValueError
        If a name is unknown.

    Examples
    --------
    >>> [sum(p.numel() for p in gland_linknet(inputs=seen, inner=None).parameters()) for seen in ("hematoxylin", "rgb")]
    [11527105, 11533377]
    """
    if inner is not None:
        choose("inner", inner, _INNER)
    with seeded_weights(seed):
        return GlandLinkNet(inputs=inputs, inner=inner, stem_skip=stem_skip)


#: Tables 1 and 2: what each row is called there, by variant of `recipe`.
ROWS: Mapping[str, str] = MappingProxyType({variant: row for row, variant in variants_of("gland_linknet").items()})

_EPOCHS = 100
_VERSIONS = 13  # of each image: 4420 crops are 85 x 13 x 4
_NOT_SAID = "the paper does not say; "

_PAPER: Mapping[str, tuple[Any, str]] = MappingProxyType(
    {
        "weights": ("none", 'paper, section III: "Thus we do not use any pre-trained network"'),
        "patches": (
            "gland_linknet",
            'paper, section III-A: "we extract four same-size cropped images from each image"',
        ),
        "crop_px": (288, "paper, section III-A: quarters of 832 x 576, 416 x 288; the shorter side"),
        "batch_size": (4, f"{_NOT_SAID}ours: as many pixels as seven crops of 256 px, near the other networks' eight"),
        "augment": ("gland_linknet", "paper, section III-A: see the augmentation's own sources"),
        "loss": ("exp_dice", "paper, section II-B, equations 1 to 7"),
        "loss_options": (
            {"bce_weight": 2.0, "accuracy_weight": 1.0, "smooth": 1.0, "over": "batch", "inner_weight": 2.0},
            "paper, equations 1 and 7, which the text prefers; ours: S of equation 3, whose sums run over a batch, and "
            "an accuracy that has a gradient",
        ),
        "optimiser": ("adam", f"{_NOT_SAID}ours: the usual one of its framework's examples"),
        "lr": (1e-3, f"{_NOT_SAID}ours: that optimiser's own"),
        "weight_decay": (0.0, f"{_NOT_SAID}ours: none"),
        "lr_schedule": ("constant", f"{_NOT_SAID}ours: none"),
        "epochs": (
            _EPOCHS * _VERSIONS,
            'paper, section III: "for 100 epochs", of thirteen versions of each image (4420 crops), which are thirteen '
            "epochs of ours, in which each crop is seen once, changed anew",
        ),
        "selection": ("last", f"{_NOT_SAID}ours: nothing is chosen, so nothing can be chosen on the wrong tiles"),
        "validation": (
            {"share": 0.2, "metric": "object_dice"},
            f"{_NOT_SAID}ours: a fifth, whole tiles of the training set, patients kept apart",
        ),
        "resize_px": (_SIZE_PX, 'paper, section III-A: "to size (832 × 576)"; section II-C: back to the original size'),
        "postprocess": (
            "solid_components",
            'paper, section II-C: "Morphological operations are performed on the binary map for denoising and filling '
            'the holes", in this order; which they are is not said: ours, an opening, and small objects removed',
        ),
        "postprocess_options": (
            {"opening_px": 5, "connectivity": 8, "min_area_px": 300},
            "ours: the largest of the disks tried (2, 3, 4, 5, 6, 8, 10 px) that splits no gland of the 85 training "
            "tiles; they are 8-connected, the smallest has 388 px but for four specks of 1 or 2 px",
        ),
        "thresholds": (
            {"mask": "otsu"},
            'paper, section II-C: "Otsu thresholding is applied to convert the probability map into binary"',
        ),
    }
)

_TABLES = "paper, section II-B and Tables 1 and 2"
_CHANGES: Mapping[str, Change] = MappingProxyType(
    {
        "l1": (f"{_TABLES}, equation 5", {"loss_options": {"bce_weight": 1.0, "accuracy_weight": 0.0}}),
        "l2": (f"{_TABLES}, equation 6", {"loss_options": {"bce_weight": 1.0, "accuracy_weight": 1.0}}),
        "unsharp": (
            'paper, section II-A and Tables 1 and 2: "unsharp-masking is applied"; radius and amount are ours',
            {"network": {"inputs": "unsharp_hematoxylin"}},
        ),
        "rgb": (
            "ours: the row that the tables lack, without which they cannot tell what hematoxylin adds",
            {"network": {"inputs": "rgb"}},
        ),
        "rgb_hematoxylin": ("ours: both, four channels", {"network": {"inputs": "rgb+hematoxylin"}}),
        "no_inner": ("ours: what the coarse output adds", {"network": {"inner": None}}),
        "inner_f1": ("ours: the coarse output one layer later", {"network": {"inner": "f1"}}),
        "three_links": ("ours: LinkNet's figure, read so", {"network": {"stem_skip": False}}),
        "hard_accuracy": ("paper, equation 4 as it is printed", {"loss_options": {"accuracy": "hard"}}),
    }
)


def recipe(reading: str, variant: str = "base") -> Recipe:
    """Return how the modified LinkNet is trained.

    Parameters
    ----------
    reading : {"paper", "clean"}
        ``"clean"``: `clean_recipe`, which teaches the mask alone.
    variant : str
        Of the first: ``"base"``, which is loss L3 on hematoxylin, or names joined by two underscores:

        - ``l1``, ``l2``: the other two losses; ``unsharp``: hematoxylin sharpened (`ROWS` are the rows of its tables);
        - ``rgb``, ``rgb_hematoxylin``: colours instead of hematoxylin, and both;
        - ``no_inner``, ``inner_f1``: without the coarse output, and with it at half of the size;
        - ``three_links``: without the pooled stem's link;
        - ``hard_accuracy``: accuracy at a threshold, as printed.

    Raises
    ------
    ValueError
        If reading or variant are unknown, or the reading is that of code, of which none was released.

    Examples
    --------
    >>> recipe("paper").epochs, recipe("paper").resize_px, recipe("paper", "unsharp__l1").loss_options["bce_weight"]
    (1300, (576, 832), 1.0)
    """
    if choose("reading", reading, ("paper", "code", "clean")) == "clean":
        return clean_recipe("gland_linknet", variant)
    if reading == "code":
        raise ValueError("no code was released for the modified LinkNet; its readings are 'paper' and 'clean'")
    made = Recipe.sourced("gland_linknet", reading, variant="base", **_PAPER)
    return varied(made, parts_of(variant), _CHANGES)
