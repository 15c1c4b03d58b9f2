"""From counts to a score: what two empty maps are worth, and how a batch becomes one number."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from histolab_lib.metrics.contingency import Contingency

__all__ = ["EMPTY", "REDUCTIONS", "Empty", "Maps", "Ratio", "ratio_scores"]

Empty: TypeAlias = Literal["nan", "one", "zero"]
Maps: TypeAlias = npt.NDArray[Any] | Contingency | Sequence[npt.NDArray[Any]] | Sequence[Contingency]

# What two empty maps score. NaN is every metric's default: nothing was there to be right or wrong about, and 0 or 1
# would move the mean of a set by how many of its images happen to be empty.
EMPTY = {"nan": float("nan"), "one": 1.0, "zero": 0.0}
REDUCTIONS = ("mean", "pooled", "none")


class Ratio(NamedTuple):
    """A score as the integers that it is made of, so that a set can be pooled."""

    numerator: int
    denominator: int
    empty: bool  # neither map holds an object


def ratio_scores(
    measure: Callable[[Any, Any], tuple[Ratio, ...]], true: Maps, pred: Any, *, empty: str, reduction: str
) -> tuple[Any, ...]:
    """Score one image or a batch.

    Parameters
    ----------
    measure : callable
        Takes ``(true, pred)`` or ``(Contingency, None)``, returns one or several ratios.
    true, pred
        Two maps; or one Contingency and None; or a list (tuple) of either. A single image is a batch of one.
    empty : {"nan", "one", "zero"}
        What two empty maps score. With "nan" such an image is left out of the mean; where nothing is left the mean is
        NaN too.
    reduction : {"mean", "pooled", "none"}
        Mean over images; ratio of the summed counts; or an array with one score for each image.

    Returns
    -------
    tuple
        One result for each ratio: a float, or with "none" a float64 array of shape (number of images,).

    Raises
    ------
    ValueError
        For a policy, a reduction or a batch that is not allowed: the message lists what is.
    """
    _check("empty", empty, tuple(EMPTY))
    _check("reduction", reduction, REDUCTIONS)
    images = [_measured(measure, *pair, where) for pair, where in _images(true, pred)]
    return tuple(_reduce(column, EMPTY[empty], reduction) for column in zip(*images, strict=True))


def _check(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name}: got {value!r}, allowed are {', '.join(map(repr, allowed))}")


def _images(true: Any, pred: Any) -> list[tuple[tuple[Any, Any], str]]:
    """Pair the maps of each image, with the words that say where a fault lies."""
    if not isinstance(true, list | tuple):
        return [((true, pred), "")]
    if not true:
        raise ValueError("true: an empty batch has no score; expected at least one map")
    if pred is None:
        pred = [None] * len(true)
    if not isinstance(pred, list | tuple) or len(pred) != len(true):
        got = f"{len(pred)} maps" if isinstance(pred, list | tuple) else f"one {type(pred).__name__}"
        raise ValueError(f"pred: expected a list of {len(true)} maps, as true is, got {got}")
    return [(pair, f"image {k} of {len(true)}: ") for k, pair in enumerate(zip(true, pred, strict=True))]


def _measured(measure: Callable[[Any, Any], tuple[Ratio, ...]], true: Any, pred: Any, where: str) -> tuple[Ratio, ...]:
    try:
        return measure(true, pred)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{where}{error}") from error


def _reduce(images: tuple[Ratio, ...], empty: float, reduction: str) -> Any:
    if reduction == "pooled":
        return _value(_pooled(images), empty)
    scores = np.array([_value(ratio, empty) for ratio in images])
    if reduction == "none":
        return scores
    counted = scores[~np.isnan(scores)]
    return float(counted.mean()) if counted.size else float("nan")


def _pooled(images: tuple[Ratio, ...]) -> Ratio:
    return Ratio(
        sum(image.numerator for image in images),
        sum(image.denominator for image in images),
        all(image.empty for image in images),
    )


def _value(ratio: Ratio, empty: float) -> float:
    """Two empty maps follow the policy; 0/0 with one of them empty (precision without a prediction) is 0."""
    if ratio.empty:
        return empty
    return ratio.numerator / ratio.denominator if ratio.denominator else 0.0
