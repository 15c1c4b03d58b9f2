"""The recipe of a run that is wanted, where this version of the library has it."""

from typing import Any

from histolab_lib import papers
from histolab_lib.floors import rule_for
from histolab_lib.recipe import Recipe
from histolab_lib.record import digest_of
from histolab_lib.wanted import ALL_TILES, FLOOR_UNET, Job

__all__ = ["NotBuiltError", "recipe_hash", "recipe_of", "settings_of"]


class NotBuiltError(ValueError):
    """A network, a reading or a variant that this version of the library does not have."""


def recipe_of(job: Job) -> Recipe:
    """Return the recipe of what is trained.

    Raises
    ------
    NotBuiltError
        If there is no such network, reading or variant here.

    Examples
    --------
    >>> recipe = recipe_of(Job("strong_unet", "monuseg", "gpu", variant="all_tiles"))
    >>> recipe.validation["share"], recipe.variant
    (0.0, 'all_tiles')
    """
    parts = [part for part in job.variant.split("__") if part not in ("base", ALL_TILES)]
    key = job.key
    if key == FLOOR_UNET:
        key, parts = "small_unet", ["floor", *parts]
    try:
        found = papers.recipe(key, job.reading, "__".join(parts) or "base")
    except ValueError as error:
        raise NotBuiltError(f"{job.name}: {error}") from error
    return _on_all_tiles(found) if ALL_TILES in job.variant.split("__") else found


def settings_of(job: Job) -> dict[str, Any]:
    """Return what a record keeps as its recipe: of a floor, its rule.

    Raises
    ------
    NotBuiltError
        If there is none.
    """
    if not job.is_floor:
        return recipe_of(job).settings()
    try:
        rule, _ = rule_for(job.data, job.variant)
    except ValueError as error:
        raise NotBuiltError(f"{job.name}: {error}") from error
    return {"key": job.key, "reading": job.reading, "variant": job.variant, **rule.settings}


def recipe_hash(job: Job) -> str:
    """Return the digest that tells this recipe from an older one under the same name."""
    return digest_of(settings_of(job)) if job.is_floor else recipe_of(job).digest()


def _on_all_tiles(recipe: Recipe) -> Recipe:
    decides = recipe.selection == "best_validation" or recipe.lr_schedule == "plateau" or recipe.patience is not None
    if decides:
        raise NotBuiltError(f"recipe {recipe.name} decides by validation scores, so it cannot learn from all tiles")
    why = "ours: nothing is decided by scores, so no tile need be held out"
    return recipe.vary(ALL_TILES, why, validation={"share": 0.0, "metric": "dice"})
