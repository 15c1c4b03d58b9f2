"""What happened during training, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["History"]


@dataclass
class History:
    """What happened during training.

    Attributes
    ----------
    losses : list of float
        Loss of the batch at step 1, 2, ..., before that step changed the weights.
    lrs : list of float
        Learning rate at these steps.
    scores : dict of int to dict of str to float
        After so many steps, the scores of the validation tiles: ``"dice"`` always, others where they were asked for.
    seconds : float
        Wall time, validation included, of all sessions that the run took.

    Examples
    --------
    >>> history = History(losses=[0.9, 0.7], lrs=[1e-3, 5e-4], scores={2: {"dice": 0.8}})
    >>> history.steps, history.validation
    (2, {2: 0.8})
    """

    losses: list[float] = field(default_factory=list, repr=False)
    lrs: list[float] = field(default_factory=list, repr=False)
    scores: dict[int, dict[str, float]] = field(default_factory=dict)
    seconds: float = field(default=0.0, repr=False, compare=False)  # no two runs take the same time

    @property
    def steps(self) -> int:
        """Number of steps taken."""
        return len(self.losses)

    @property
    def validation(self) -> dict[int, float]:
        """Mean Dice of the validation tiles after so many steps."""
        return self.of("dice")

    def of(self, metric: str) -> dict[int, float]:
        """Return one score after so many steps, where it was measured."""
        return {step: scores[metric] for step, scores in self.scores.items() if metric in scores}

    def frame(self) -> "pd.DataFrame":
        """Return one row per step: step (from 1), loss, lr, and a column for each score, such as validation_dice.

        NaN where a score was not measured.
        """
        import pandas as pd

        steps = range(1, self.steps + 1)
        lrs = self.lrs or [float("nan")] * self.steps
        columns = {"step": steps, "loss": self.losses, "lr": lrs}
        for metric in self.metrics or ("dice",):
            columns[f"validation_{metric}"] = [self.of(metric).get(step, float("nan")) for step in steps]
        return pd.DataFrame(columns)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the scores that were measured, sorted."""
        return tuple(sorted({name for scores in self.scores.values() for name in scores}))

    def to_dict(self) -> dict[str, Any]:
        """Return it as what JSON knows."""
        scores = {str(step): dict(values) for step, values in self.scores.items()}
        return {"losses": self.losses, "lrs": self.lrs, "scores": scores, "seconds": self.seconds}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "History":
        """Read what `to_dict` wrote."""
        scores = {int(step): dict(found) for step, found in values["scores"].items()}
        return cls(list(values["losses"]), list(values["lrs"]), scores, values["seconds"])
