"""What every loss asks of its arguments."""

from torch import Tensor

__all__ = ["check_pair", "check_smooth"]


def check_pair(logits: Tensor, target: Tensor) -> None:
    """Raise ValueError unless both have one shape."""
    if logits.shape != target.shape:
        raise ValueError(f"logits {tuple(logits.shape)} and target {tuple(target.shape)} must have the same shape")


def check_smooth(smooth: float) -> None:
    """Raise ValueError unless `smooth` is greater than 0."""
    if not smooth > 0:
        raise ValueError(f"smooth must be greater than 0, else an empty target gives 0/0; got {smooth}")
