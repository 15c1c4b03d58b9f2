"""What the variants of a recipe change, and how several are joined: one loop for all networks."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

from histolab_lib.choices import choose
from histolab_lib.recipe import Recipe

__all__ = ["Change", "parts_of", "varied"]

#: Why a variant departs, and the fields that it changes.
Change: TypeAlias = tuple[str, Mapping[str, Any]]

# Fields of options, and the field that says whose they are.
_OPTIONS_OF: Mapping[str, str] = MappingProxyType(
    {
        "network": "key",
        "loss_options": "loss",
        "optimiser_options": "optimiser",
        "lr_schedule_options": "lr_schedule",
        "postprocess_options": "postprocess",
    }
)


def parts_of(variant: str) -> list[str]:
    """Return the names that a variant is made of.

    Examples
    --------
    >>> parts_of("mobilenetv2__imagenet"), parts_of("base")
    (['mobilenetv2', 'imagenet'], [])
    """
    return [] if variant == "base" else variant.split("__")


def varied(recipe: Recipe, parts: Sequence[str], known: Mapping[str, Change]) -> Recipe:
    """Return a recipe with the changes of some variants, one after the other.

    Parameters
    ----------
    recipe : Recipe
    parts : sequence of str
        Names in `known`. A later one wins where two change the same.
    known : mapping of str to (str, mapping)
        For each name the reason and the fields. Options of the network, and those of a loss, an optimiser, a schedule
        or a post-processing that stays what it was, are joined to the options that are there; with another loss (and
        so on) they take their place. All other mappings are replaced.

    Raises
    ------
    ValueError
        If a name is unknown; the message gives the nearest.

    Examples
    --------
    >>> from histolab_lib.recipe import _demo
    >>> known = {"wide": ("ours", {"network": {"width": 32}}), "bce": ("ours", {"loss": "bce", "loss_options": {}})}
    >>> both = varied(_demo(), ["wide", "bce"], known)
    >>> both.variant, dict(both.network), dict(both.loss_options)
    ('wide__bce', {'width': 32}, {})
    >>> varied(_demo(), ["wyde"], known)
    Traceback (most recent call last):
        ...
    ValueError: unknown variant of 'small_unet' 'wyde', did you mean 'wide'? Allowed: 'base', 'wide', 'bce'
    """
    for part in parts:
        source, values = known[choose(f"variant of {recipe.key!r}", part, ["base", *known])]
        recipe = recipe.vary(part, source, **_joined(recipe, values))
    return recipe


def _joined(recipe: Recipe, values: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: getattr(recipe, name) for name, owner in _OPTIONS_OF.items() if owner not in values}
    return {name: {**kept[name], **value} if name in kept else value for name, value in values.items()}
