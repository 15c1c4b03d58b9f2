"""One run that can be asked for: which network, on which set, how, for how long."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from histolab_lib import papers
from histolab_lib.floors import HEMATOXYLIN, rule_for
from histolab_lib.recipe import Recipe
from histolab_lib.record import digest_of, record_path, variant_name

__all__ = ["ALL_TILES", "FLOOR_UNET", "UNTRAINED", "Job", "NotBuiltError"]

#: The key of the small U-Net after five CPU minutes.
FLOOR_UNET = "floor_unet"
#: The part of a variant that trains on all training tiles, none held out: for recipes that decide nothing by scores.
ALL_TILES = "all_tiles"
#: The schedule of what is not trained.
UNTRAINED = "none"


class NotBuiltError(ValueError):
    """A network, a reading or a variant that this version of the library does not have."""


@dataclass(frozen=True)
class Job:
    """One run.

    Attributes
    ----------
    key : str
        A name of ``papers.names()``, `FLOOR_UNET` or ``floors.HEMATOXYLIN``.
    data : str
        The set; its test tiles are scored.
    schedule : str
        One of ``training.SCHEDULES``.
    reading, variant : str
        Of the recipe. To any variant `ALL_TILES` can be joined by two underscores.
    seed : int
    options : mapping
        Of the set's own ``load``, such as ``{"version": "patients"}``.

    Examples
    --------
    >>> Job("unet", "tnbc", "cpu", options={"version": "patients"}, seed=1).name
    'unet/tnbc/version_patients-clean-cpu-seed1'
    >>> Job("floor_hematoxylin", "tnbc", "cpu").name  # nothing is trained, so neither schedule nor seed count
    'floor_hematoxylin/tnbc/base-clean-none-seed0'
    """

    key: str
    data: str
    schedule: str
    reading: str = "clean"
    variant: str = "base"
    seed: int = 0
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        if self.is_floor:
            for name, value in (("schedule", UNTRAINED), ("reading", "clean"), ("seed", 0)):
                object.__setattr__(self, name, value)

    @property
    def is_floor(self) -> bool:
        """Whether nothing is trained."""
        return self.key == HEMATOXYLIN

    @property
    def record_variant(self) -> str:
        """Variant of the record: of the recipe, and the options of the set."""
        return variant_name(self.variant, self.options)

    @property
    def name(self) -> str:
        """Name of the record."""
        return self.path(Path()).as_posix().removesuffix(".json")

    def path(self, root: Path) -> Path:
        """Return the file of the record below `root`."""
        return record_path(root, self.key, self.data, self.record_variant, self.reading, self.schedule, self.seed)

    def recipe(self) -> Recipe:
        """Return the recipe of what is trained.

        Raises
        ------
        NotBuiltError
            If there is no such network, reading or variant here.
        """
        parts = [part for part in self.variant.split("__") if part not in ("base", ALL_TILES)]
        key = self.key
        if key == FLOOR_UNET:
            key, parts = "small_unet", ["floor", *parts]
        try:
            found = papers.recipe(key, self.reading, "__".join(parts) or "base")
        except ValueError as error:
            raise NotBuiltError(f"{self.name}: {error}") from error
        return _on_all_tiles(found) if ALL_TILES in self.variant.split("__") else found

    def settings(self) -> dict[str, Any]:
        """Return what a record keeps as its recipe."""
        if not self.is_floor:
            return self.recipe().settings()
        try:
            rule, _ = rule_for(self.data, self.variant)
        except ValueError as error:
            raise NotBuiltError(f"{self.name}: {error}") from error
        return {"key": self.key, "reading": self.reading, "variant": self.variant, **rule.settings}

    def recipe_hash(self) -> str:
        """Return the digest that tells this recipe from an older one under the same name."""
        return digest_of(self.settings()) if self.is_floor else self.recipe().digest()


def _on_all_tiles(recipe: Recipe) -> Recipe:
    decides = recipe.selection == "best_validation" or recipe.lr_schedule == "plateau" or recipe.patience is not None
    if decides:
        raise NotBuiltError(f"recipe {recipe.name} decides by validation scores, so it cannot learn from all tiles")
    why = "ours: nothing is decided by scores, so no tile need be held out"
    return recipe.vary(ALL_TILES, why, validation={"share": 0.0, "metric": "dice"})
