"""What goes into a training and what comes out of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from histolab_lib.recipe import Recipe
from histolab_lib.tile import Tile
from histolab_lib.training.history import History
from histolab_lib.training.schedules import Plan

__all__ = ["Data", "Fitted"]


@dataclass(frozen=True)
class Data:
    """What a network learns from, and what decisions are made on.

    Attributes
    ----------
    fit : sequence of Tile
        At least one.
    val : sequence of Tile
        Empty where nothing is decided. `datasets.validation_split` gives both.
    name : str
        Of the set.
    """

    fit: Sequence[Tile]
    val: Sequence[Tile] = ()
    name: str = ""

    @property
    def fit_names(self) -> tuple[str, ...]:
        """Names of the tiles that are learned from."""
        return _names(self.fit)

    @property
    def val_names(self) -> tuple[str, ...]:
        """Names of the tiles that decisions look at."""
        return _names(self.val)


@dataclass
class Fitted:
    """A trained network, and how it came about.

    Attributes
    ----------
    network : nn.Module
        With the weights that the recipe selects (averaged, where it averages), in evaluation mode, on its device.
    recipe : Recipe
    plan : Plan
        What the schedule made of the recipe.
    seed : int
    history : History
    step : int
        Whose weights these are.
    resumed_from : int
        Steps that an earlier session had taken; 0 for a run in one go.
    images_per_s : float
        Crops learned from in a second of this session, validation not counted; NaN where it took no step.
    peak_memory_mib : float
        Largest memory of this session: of tensors on a GPU, of the whole process on a CPU.
    first_process : bool
        Whether this process is the one that writes; of several, one is, and its network is the one to use: running
        means of batch norm are those of each process's own share.
    """

    network: nn.Module
    recipe: Recipe
    plan: Plan
    seed: int
    history: History
    step: int
    resumed_from: int
    images_per_s: float
    peak_memory_mib: float
    first_process: bool = True

    @property
    def stopped_early(self) -> bool:
        """Whether patience ran out before the steps did."""
        return self.history.steps < self.plan.steps


def _names(tiles: Sequence[Tile]) -> tuple[str, ...]:
    listed = getattr(tiles, "names", None)  # a TileSequence need not read its images for that
    return tuple(listed) if listed is not None else tuple(tile.name for tile in tiles)
