"""Training: batches, loss, gradient, step, and again.

`fit` trains the network of a recipe for as long as a schedule says, survives a kill and uses several devices; `train`
takes any network and a few settings. Both go through the loop of `Loop`.
"""

from histolab_lib.training.checkpoints import CheckpointError
from histolab_lib.training.fitting import Data, Fitted, fit
from histolab_lib.training.history import History
from histolab_lib.training.loop import TrainingError
from histolab_lib.training.plain import train
from histolab_lib.training.rates import learning_rate
from histolab_lib.training.schedules import SCHEDULES, Plan, Schedule
from histolab_lib.training.validation import mean_dice, mean_loss, mean_object_score

__all__ = [
    "SCHEDULES",
    "CheckpointError",
    "Data",
    "Fitted",
    "History",
    "Plan",
    "Schedule",
    "TrainingError",
    "fit",
    "learning_rate",
    "mean_dice",
    "mean_loss",
    "mean_object_score",
    "train",
]
