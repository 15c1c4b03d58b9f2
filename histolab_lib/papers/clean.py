"""The clean protocol: one way of training for every network, so that what differs between two scores is the network."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from histolab_lib.papers.variants import Change, parts_of, varied
from histolab_lib.recipe import Recipe

__all__ = ["clean_recipe", "recipes_of"]

# About as many as the strong U-Net's first run took.
_STEPS = 6000
_SEPARATE = "ours: the data set names no post-processing; chosen on training tiles (`watershed_instances`)"
_PROTOCOL: Mapping[str, tuple[Any, str]] = MappingProxyType(
    {
        "weights": ("none", "ours: not every encoder has weights that can be had; with them is a variant"),
        "patches": ("random", "ours: a grid shows a network the same borders in every epoch"),
        "crop_px": (256, "ours: what two of the five papers cut, HistoSeg and DAN-NucNet"),
        "batch_size": (8, "ours: as the strong U-Net's first run"),
        "augment": ("strong_unet", "ours: the strongest of the book; organs that training never saw need it"),
        "loss": ("bce_dice", "ours: judges pixels one by one, and nuclei as a whole"),
        "loss_options": (
            {"smooth": 1.0},
            "ours: next to a batch of half a million pixels it matters only without nuclei",
        ),
        "optimiser": ("adamw", "ours: needs the least care with the learning rate"),
        "lr": (1e-3, "ours: the usual one of this optimiser for networks with batch norm"),
        "weight_decay": (1e-4, "ours: as the small U-Net's"),
        "lr_schedule": ("cosine", "ours: needs no choice of steps"),
        "warmup": (0.02, "ours: a short one, so that no network starts with a jump"),
        "clip_norm": (1.0, "ours: keeps one bad batch from undoing many"),
        "averaged_weights": (0.998, "ours: reaches back 500 steps"),
        "steps": (_STEPS, "ours: the same for all; the schedule of a run may shorten it"),
        "selection": ("last", "ours: nothing is chosen, so nothing can be chosen on the wrong tiles"),
        "validation": ({"share": 0.2, "metric": "dice"}, "ours: groups of the set are kept apart"),
        "postprocess": ("watershed", _SEPARATE),
        "thresholds": ({"mask": 0.5}, "ours: what the loss is symmetric about"),
    }
)

# What the variants of every network with an encoder change. MobileNetV2's input and padding are those that the
# weights of the data folder ask for, without weights too, so that these are all that differs.
_MOBILENET = {"encoder": "mobilenetv2_100", "inputs": "symmetric", "padding": "same"}
_ENCODED: Mapping[str, Change] = MappingProxyType(
    {
        "resnet18": ("ours: half of ResNet-34", {"network": {"encoder": "resnet18"}}),
        "mobilenetv2": ("ours: two cores train it in minutes, and weights can be had", {"network": _MOBILENET}),
        "imagenet": (
            "ours: what weights are worth; they move slowly, lest they be lost",
            {"weights": "imagenet", "encoder_lr_factor": 0.4},
        ),
    }
)
_GLANDS: Change = (
    "ours: glands are no discs, a watershed of distances would cut them; GlaS numbers 8-connected components, and but "
    "for four specks of 1 or 2 px its smallest training gland has 388 px",
    {
        "postprocess": "components",
        "postprocess_options": {"connectivity": 8, "min_area_px": 300},
        "thresholds": {"mask": 0.5},
        "validation": {"share": 0.2, "metric": "object_dice"},
    },
)

# The strong U-Net has a recipe of its own, under which it was first measured.
_CONTOUR = "ours: seeds are mask without contour, opened; the mask is flooded from them"
_STRONG: Change = (
    "ours: the run that set the line to beat",
    {
        "weights": "imagenet",
        "encoder_lr_factor": 0.4,
        "lr": 1.5e-3,
        "steps": 5322,
        "loss": "mask_contour",
        "loss_options": {"smooth": 1.0, "width_px": 2},
    },
)
_STRONG_OBJECTS: Change = (
    _CONTOUR,
    {
        "postprocess": "contour_watershed",
        "postprocess_options": {"opening_px": 1, "min_seed_px": 12},
        "thresholds": {"mask": 0.5, "contour": 0.45},
    },
)
_WITHOUT: Mapping[str, Change] = MappingProxyType(
    {
        "no_weights": ("ours: without ImageNet weights", {"weights": "none", "encoder_lr_factor": 1.0}),
        "no_stain": ("ours: without stain augmentation", {"augment": "strong_unet_no_stain"}),
        "mask_alone": (
            "ours: without the contour map",
            {
                "network": {"contour": False},
                "loss": "bce_dice",
                "loss_options": {"smooth": 1.0},
                "postprocess": "watershed",
                "postprocess_options": {},
                "thresholds": {"mask": 0.5},
            },
        ),
        "no_average": ("ours: without averaged weights", {"averaged_weights": None}),
    }
)

# The floor: five minutes of two cores, as first measured.
_FLOOR: Change = (
    "ours: the five CPU minutes that set the floor",
    {
        "crop_px": 192,
        "augment": "small_unet",
        "lr": 2e-3,
        "steps": 900,
        "warmup": 0.0,
        "clip_norm": None,
        "averaged_weights": None,
        "postprocess": "components",
    },
)
_VARIANTS: Mapping[str, Mapping[str, Change]] = MappingProxyType(
    {"small_unet": {"floor": _FLOOR}, "attention_unet": {}, "nuclei_seg_net": {}, "strong_unet": _WITHOUT}
)


def clean_recipe(key: str, variant: str = "base", variants: Mapping[str, Change] | None = None) -> Recipe:
    """Return the clean protocol for a network.

    Parameters
    ----------
    key : str
        The network. ``"strong_unet"`` differs from all others in the recipe that its first run had: ImageNet weights,
        a contour map, a higher learning rate and 5,322 steps.
    variant : str
        ``"base"``, or names joined by two underscores, in any order but each once: ``glands`` (connected components
        instead of a watershed) and those in `variants`.
    variants : mapping of str to (str, dict), optional
        What each name changes, and why; default: nothing but ``glands``.

    Raises
    ------
    ValueError
        If a name is unknown.

    Examples
    --------
    >>> base = clean_recipe("dan_nucnet")
    >>> base.crop_px, base.steps, base.sources["crop_px"]
    (256, 6000, 'ours: what two of the five papers cut, HistoSeg and DAN-NucNet')
    >>> clean_recipe("dan_nucnet", "glands").postprocess
    'components'
    """
    known = {**(variants or {}), "glands": _GLANDS}
    made = Recipe.sourced(key, "clean", variant="base", **_PROTOCOL)
    if key == "strong_unet":
        for source, values in (_STRONG, _STRONG_OBJECTS):
            made = made.vary("base", source, **values)
    return varied(made, parts_of(variant), known)


def recipes_of(key: str) -> Callable[[str, str], Recipe]:
    """Return ``recipes(reading, variant)`` of a baseline: the clean protocol is the only reading."""

    def recipes(reading: str, variant: str) -> Recipe:
        if reading != "clean":
            raise ValueError(
                f"{key} is a baseline of this book: its only recipe has the reading 'clean', got {reading!r}"
            )
        return clean_recipe(key, variant, _VARIANTS.get(key, _ENCODED))

    return recipes
