"""The learning rate as a function of the step: nothing to remember, so nothing to restore."""

import math
from collections.abc import Mapping

from histolab_lib.recipe import Recipe

__all__ = ["best_step", "learning_rate", "out_of_patience"]

# What each schedule takes beside the length of the run, and what it is where a recipe does not say.
_OPTIONS: Mapping[str, Mapping[str, float | None]] = {
    "constant": {},
    "cosine": {"floor": 0.0},
    "plateau": {"factor": None, "patience": None, "min_delta": 0.0, "min_lr": 0.0},
    "poly": {"power": None},
    "step": {"every": None, "factor": None},
}


def learning_rate(
    recipe: Recipe, step: int, steps: int, scores: Mapping[int, float] | None = None, every: int = 0
) -> float:
    """Return the learning rate of one step.

    Parameters
    ----------
    recipe : Recipe
        Its `lr`, `warmup`, `lr_schedule` and `lr_schedule_options`: ``cosine`` (Loshchilov and Hutter 2017, without
        restarts; `floor`: share of `lr` at the end), ``poly`` (`power` of what is left of the run), ``step``
        (times `factor` after `every`), ``plateau`` (times `factor` once the validation score has not improved by more
        than `min_delta` for `patience`, never below `min_lr`), ``constant``. `every` and `patience` are in the unit
        of the recipe's length, epochs or steps.
    step : int
        From 1.
    steps : int
        Of the whole run. Where that is not what the recipe asks for, everything is shortened alike: a rate that falls
        after half of the recipe's epochs falls after half of the run.
    scores : mapping of int to float, optional
        Validation scores so far, by step: what ``plateau`` looks at.
    every : int
        The least that an epoch of patience comes to, in steps: those between two validations, where a shortened run is
        to have as many chances as the recipe gives; 0: patience is shortened as everything is.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If an option is unknown or missing.

    Examples
    --------
    >>> from histolab_lib.recipe import _demo
    >>> [round(learning_rate(_demo(), step, 100), 6) for step in (1, 51, 100)]
    [0.001, 0.0005, 0.0]
    """
    options = _options(recipe)
    warm = round(recipe.warmup * steps)
    if step <= warm:
        return recipe.lr * step / (warm + 1)
    gone = (step - 1 - warm) / (steps - warm)
    if recipe.lr_schedule == "cosine":
        factor = options["floor"] + (1 - options["floor"]) * (1 + math.cos(math.pi * gone)) / 2
    elif recipe.lr_schedule == "poly":
        factor = (1 - gone) ** options["power"]
    elif recipe.lr_schedule == "step":
        factor = options["factor"] ** int((step - 1) / _in_steps(recipe, options["every"], steps))
    elif recipe.lr_schedule == "plateau":
        falls = _falls(recipe, scores or {}, _patience(recipe, options["patience"], steps, every), options["min_delta"])
        return max(recipe.lr * options["factor"] ** falls, min(recipe.lr, options["min_lr"]))
    else:
        factor = 1.0
    return recipe.lr * factor


def out_of_patience(recipe: Recipe, step: int, steps: int, scores: Mapping[int, float], every: int = 0) -> bool:
    """Whether the validation score has not improved for the recipe's patience, counted as `learning_rate` does."""
    best = best_step(recipe, scores)
    if recipe.patience is None or best is None:
        return False
    return step - best >= _patience(recipe, recipe.patience, steps, every)


def best_step(recipe: Recipe, scores: Mapping[int, float]) -> int | None:
    """Return the step with the best score, the earliest of equals; None where none is a number."""
    sign = _sign(recipe)
    known = [(sign * score, -step) for step, score in scores.items() if math.isfinite(score)]
    return -max(known)[1] if known else None


def _sign(recipe: Recipe) -> int:
    return -1 if recipe.validation.get("metric") == "loss" else 1


def _falls(recipe: Recipe, scores: Mapping[int, float], patience: float, min_delta: float) -> int:
    """How often the rate has been lowered: patience begins anew with each improvement and with each fall."""
    sign, best, since, falls = _sign(recipe), -math.inf, 0, 0
    for step, score in sorted(scores.items()):
        if sign * score > best + min_delta:
            best, since = sign * score, step
        elif step - since >= patience:
            falls, since = falls + 1, step
    return falls


def _patience(recipe: Recipe, amount: float, steps: int, every: int) -> float:
    """Patience in steps: for a recipe in epochs, at least a validation for each of them where `every` is given."""
    return max(_in_steps(recipe, amount, steps), amount * every if recipe.epochs else 0.0)


def _in_steps(recipe: Recipe, amount: float, steps: int) -> float:
    """Epochs (or steps) of the recipe as steps of a run of this length."""
    length = recipe.epochs or recipe.steps or 1
    return max(1.0, amount / length * steps)


def _options(recipe: Recipe) -> dict[str, float]:
    allowed, given = _OPTIONS[recipe.lr_schedule], recipe.lr_schedule_options
    for name in given:
        if name not in allowed:
            takes = ", ".join(allowed) or "none"
            raise ValueError(f"lr_schedule {recipe.lr_schedule!r} has no option {name!r}; it takes {takes}")
    if missing := [name for name, value in allowed.items() if value is None and name not in given]:
        raise ValueError(f"lr_schedule {recipe.lr_schedule!r} needs {', '.join(missing)}")
    return {name: given.get(name, value) for name, value in allowed.items()}  # type: ignore[misc]
