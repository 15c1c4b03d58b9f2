"""Innocent papers for rules that weigh magnitudes: scores, equal numbers, means over parts."""

from collections import defaultdict
from dataclasses import replace
from fractions import Fraction

import numpy as np

from histolab_lib.audit.rules.known import known
from tests.audit_papers import made, printed
from tests.innocent_papers.drawn import NAMES, ORGANS, cells, names, runs, scores, shown, some_images, style
from tests.innocent_papers.model import Model, Paper

__all__ = ["MODELS"]


# Two means of one test set


def _recorded(rng, sets=None, keep=lambda run: True):
    """Some runs on one test set, all on the same images."""
    told = {
        about: [run for run in found if keep(run)] for about, found in runs().items() if sets is None or about in sets
    }
    found = told[rng.choice(sorted(about for about, kept in told.items() if kept))]
    chosen = some_images(rng, found[0])
    return [run.of(chosen) for run in rng.sample(found, rng.randint(1, len(found)))]


def _scored(rng, found, iou=lambda run: run.iou.mean()):
    dice, how = rng.choice(["dice", "f1"]), style(rng)
    claims = []
    for name, run in zip(NAMES, found, strict=False):
        told = {"dataset": run.dataset, "split": run.split, "unit": how[0]}
        for metric, value in ((dice, run.dice.mean()), ("iou", iou(run))):
            claims.append(made(shown(Fraction(float(value)), how, rng), name, metric, **told))
    return Paper(claims)


def _close(rng):
    """IoU almost as large as Dice."""
    claims, how = [], style(rng)
    for name in names(rng):
        dice = rng.uniform(0.6, 0.8)
        iou = dice - rng.uniform(0, 0.4) * (dice - dice / (2 - dice))
        for metric, value in (("dice", dice), ("iou", iou)):
            claims.append(made(shown(Fraction(value), how, rng), name, metric, unit=how[0]))
    return Paper(claims)


def _below(rng):
    told = rng.choice(known()["blank"])
    metric, how = rng.choice(["iou", "dice"]), style(rng)
    value = Fraction(told[metric]) * Fraction(rng.uniform(0.2, 0.95))
    return Paper(
        [made(shown(value, how, rng), dataset=told["dataset"], split=told["split"], metric=metric, unit=how[0])]
    )


_GLANDS = {("glas", "test"), ("glas", "testA"), ("glas", "testB")}
_NUCLEI = {("monuseg", "test"), ("kumar", "test")}
_WHOLE = {("monuseg", "test"), ("kumar", "test"), ("tnbc", "test"), ("glas", "test")}
_FLOORED = _NUCLEI | _GLANDS


# Equal numbers


def _compared(rng, copy=False):
    """One to three data sets with the same systems, often their training times."""
    systems, claims = names(rng), []
    for place, dataset in enumerate(rng.sample(["monuseg", "kumar", "tnbc", "glas"], rng.randint(1, 3)), 1):
        _, truth = scores(rng, systems)
        table = cells(rng, truth, f"Table {place}", dataset)
        if copy and place == 1:
            given = {one.metric: one.value for one in table if one.row == systems[1]}
            table = [replace(one, value=given[one.metric]) if one.row == systems[0] else one for one in table]
        claims += table
    if rng.random() < 0.5:
        unit, digits = rng.choice([("seconds", 1), ("seconds", 0), ("minutes", 0), ("hours", 1)])
        for system in systems:
            value = Fraction(rng.lognormvariate({"seconds": 5.6, "minutes": 5, "hours": 2}[unit], 0.7))
            claims.append(made(printed(value, digits, rng), system, "training_time", unit=unit, averaging=""))
    return Paper(claims)


def _quoted(rng, spread=None, order=False):
    """A row quoted in one table, and a training of the same network in another."""
    metrics, truth = scores(rng, ["U-Net"])
    how = rng.choice([("fraction", 3), ("fraction", 3), ("percent", 3), ("percent", 4), ("fraction", 2)])
    spread = 10 ** rng.uniform(-3, -2) if spread is None else spread
    common, claims, values = rng.gauss(0, 1), [], []
    for metric in metrics:
        other = truth["U-Net", metric] + Fraction(spread * 2**0.5 * (0.95 * common + 0.3 * rng.gauss(0, 1)))
        note = "quoted there from another paper"
        claims.append(made(shown(truth["U-Net", metric], how, None), metric=metric, unit=how[0], note=note))
        values.append(shown(min(other, Fraction(1)), how, None))
    if order:
        rng.shuffle(values)
    return Paper(
        claims + [replace(one, value=v, location="Table 5", note="") for one, v in zip(claims, values, strict=True)]
    )


def _column(rng, failing, point=0):
    """A table of which some systems failed, or lost a factor of ten in print."""
    systems = names(rng, 4)
    metrics, truth = scores(rng, systems)
    for system in systems:
        if rng.random() < failing:
            for metric in metrics:
                truth[system, metric] *= Fraction(rng.uniform(0.02, 0.6))
    claims = cells(rng, truth, "Table 1")
    if point:
        place = rng.randrange(len(claims))
        number = claims[place].number
        claims[place] = replace(claims[place], value=f"{number / point:f}")
    return Paper(claims)


# Means over parts of the data


def _grouped(rng, unit_mean=True, averaging="unstated"):
    """Recorded runs by part of the data, with a mean over the parts, or over the images."""
    how, claims = style(rng), []
    for name, run in zip(NAMES, _recorded(rng, _WHOLE), strict=False):
        told = {"dataset": run.dataset, "split": run.split, "unit": how[0]}
        parts = defaultdict(list)
        for group, value in zip(run.group, run.dice, strict=True):
            parts[group].append(value)
        means = [float(np.mean(values)) for values in parts.values()]
        way = "per_image" if averaging == "pooled" else averaging
        for group, value in zip(parts, means, strict=True):
            claims.append(
                made(shown(Fraction(value), how, rng), f"{name}: Part {group}", "dice", averaging=way, **told)
            )
        whole = run.pooled if averaging == "pooled" else np.mean(means if unit_mean else run.dice)
        mean = shown(Fraction(float(whole)), how, rng)
        claims.append(made(mean, f"{name}: Average", "dice", averaging=averaging, **told))
    return Paper(claims)


def _wrong_mean(rng):
    claims, how = [], style(rng)
    for name in names(rng, 1, 4):
        parts = [Fraction(rng.uniform(0.6, 0.9)) for _ in ORGANS[: rng.randint(3, 10)]]
        for organ, value in zip(ORGANS, parts, strict=False):
            claims.append(made(shown(value, how, rng), f"{name}: {organ}", unit=how[0]))
        value = min(parts) + (max(parts) - min(parts)) * Fraction(rng.uniform(0, 1))
        claims.append(made(shown(value, how, rng), f"{name}: Average", unit=how[0]))
    return Paper(claims)


MODELS = {
    "spread-between-images": Model(
        "Mean Dice and mean IoU of recorded runs without an alarm, on as many images as the test set has, drawn from "
        "it with replacement; printed with two to four digits.",
        lambda rng: _scored(rng, _recorded(rng)),
        "an IoU that lies more than half of the way from Dice / (2 - Dice) to Dice",
        _close,
        {
            "IoU is averaged over foreground and background": lambda rng: _scored(
                rng, _recorded(rng), lambda run: run.two_classes.mean()
            ),
            "every method finds glands by colour alone": lambda rng: _scored(
                rng,
                _recorded(rng, _GLANDS, lambda run: not run.learnt),
            ),
        },
    ),
    "above-a-blank-map": Model(
        "Mean Dice and IoU of recorded networks without an alarm on MoNuSeg, Kumar and GlaS, on as many images as the "
        "test set has, drawn from it with replacement.",
        lambda rng: _scored(rng, _recorded(rng, _FLOORED, lambda run: run.learnt)),
        "a score of 0.2 to 0.95 times the floor",
        _below,
        {
            "the method finds nuclei by colour alone": lambda rng: _scored(
                rng, _recorded(rng, _NUCLEI, lambda run: not run.learnt)
            ),
            "the method finds glands by colour alone": lambda rng: _scored(
                rng,
                _recorded(rng, _GLANDS, lambda run: not run.learnt),
            ),
        },
    ),
    "same-number": Model(
        "Two to twelve systems on one to three data sets, whose scores vary and go together as in a printed table; in "
        "half of the papers with training times in seconds, minutes or hours that vary by a factor of two.",
        _compared,
        "one row of scores copied into another",
        lambda rng: _compared(rng, copy=True),
    ),
    "quoted-as-own": Model(
        "A quoted row and a training of the same network that differs as much as another seed would: by a standard "
        "deviation of 0.001 to 0.01 in each score, nearly all of it common to the two to four scores.",
        _quoted,
        "the quoted row put in place of the training, its numbers in any order",
        lambda rng: _quoted(rng, 0, order=True),
        {"the row is quoted in both tables, and one of them does not say so": lambda rng: _quoted(rng, 0)},
    ),
    "scale": Model(
        "Tables of four to twelve systems whose scores vary and go together as in a printed table; one network in "
        "fifty has failed and keeps 0.02 to 0.6 of its scores.",
        lambda rng: _column(rng, 0.02),
        "one score divided by ten or by a hundred",
        lambda rng: _column(rng, 0, rng.choice([10, 100])),
        {"every fifth network has failed": lambda rng: _column(rng, 0.2)},
    ),
    "mean-row": Model(
        "Dice of recorded runs without an alarm by organ, patient or grade with their unweighted mean, on images "
        "drawn with replacement; how it is averaged is not said.",
        _grouped,
        "a mean that lies anywhere between the smallest and the largest row",
        _wrong_mean,
        {
            "the mean is over images, and the parts have unequal numbers of them": lambda rng: _grouped(
                rng, unit_mean=False
            ),
            "the mean is pooled over all pixels, and the rows are means over images": lambda rng: _grouped(
                rng, averaging="pooled"
            ),
        },
    ),
}
