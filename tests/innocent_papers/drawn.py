"""What innocent papers are drawn from: the printed tables, and the recorded runs image by image."""

import csv
from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

from histolab_lib.audit.rules.cells import quantity
from histolab_lib.audit.rules.real import part
from histolab_lib.claims import SCORES, load_claims
from histolab_lib.data_dir import data_dir
from histolab_lib.floors import HEMATOXYLIN
from histolab_lib.results import alarms, load_results
from tests.audit_papers import made, printed

__all__ = ["NAMES", "ORGANS", "Run", "cells", "names", "runs", "scores", "shown", "some_images", "style"]

NAMES = (
    "Ours", "U-Net", "FCN-8", "SegNet", "LinkNet", "DIST", "HoVer-Net", "CE-Net", "Attention-Unet", "DeepLabV3+",
    "Mask R-CNN", "TransUNet",
)  # fmt: skip
ORGANS = ("Bladder", "Brain", "Breast", "Colon", "Kidney", "Liver", "Lung", "Prostate", "Stomach", "Testis")
#: How papers print scores: the unit, and digits of the score as a fraction.
_STYLES = (("fraction", 2), ("fraction", 3), ("fraction", 3), ("fraction", 4), ("percent", 3), ("percent", 4))


def names(rng, fewest=2, most=12):
    """Names of two to twelve systems."""
    return list(NAMES[: rng.randint(fewest, most)])


def style(rng):
    """A unit and a number of digits, for all cells of a place."""
    return rng.choice(_STYLES)


def shown(value, how, rng):
    """A score as print has it."""
    unit, digits = how
    return printed(Fraction(value) * (100 if unit == "percent" else 1), digits - 2 * (unit == "percent"), rng)


@cache
def _tables():
    """Metrics, their means, and a root of their covariance, of each table with five systems and two scores or more."""
    places = defaultdict(lambda: defaultdict(dict))
    for one in load_claims():
        if one.metric in SCORES and quantity(one) is not None and one.location.startswith("Table") and not one.group:
            printed_as = quantity(one)
            middle = float(printed_as.low + printed_as.high) / 2
            places[one.paper, one.location, one.dataset, one.split][one.row][one.metric] = middle
    found = []
    for rows in places.values():
        metrics = [one for one in SCORES if all(one in row for row in rows.values())]
        if len(rows) >= 5 and len(metrics) >= 2:
            values = np.array([[row[metric] for metric in metrics] for row in rows.values()])
            root = np.linalg.cholesky(np.cov(values.T) + 1e-8 * np.eye(len(metrics)))
            found.append((metrics, values.mean(0).tolist(), root.tolist()))
    return found


def scores(rng, systems):
    """True scores of systems by system and metric, spread and correlated as in one of the printed tables."""
    metrics, means, root = rng.choice(_tables())
    truth = {}
    for system in systems:
        away = [rng.gauss(0, 1) for _ in metrics]
        for metric, mean, row in zip(metrics, means, root, strict=True):
            value = mean + sum(a * b for a, b in zip(row, away, strict=True))
            truth[system, metric] = Fraction(round(10**6 * min(max(value, 0.01), 0.995)), 10**6)
    return metrics, truth


def cells(rng, truth, place, dataset="monuseg", how=None, **told):
    """A table of true scores, printed."""
    how = how or style(rng)
    facts = {"dataset": dataset, "unit": how[0]} | told
    return [made(shown(value, how, rng), row, metric, place, **facts) for (row, metric), value in truth.items()]


@dataclass(frozen=True)
class Run:
    """A recorded run on a test set, image by image: scores, part of the data, pixels."""

    dataset: str
    split: str
    learnt: bool
    dice: np.ndarray
    iou: np.ndarray
    group: tuple[str, ...]
    true: np.ndarray
    pred: np.ndarray
    both: np.ndarray
    all: np.ndarray

    def of(self, chosen):
        """The same run on these images."""
        fields = {name: getattr(self, name)[chosen] for name in ("dice", "iou", "true", "pred", "both", "all")}
        return Run(self.dataset, self.split, self.learnt, group=tuple(self.group[k] for k in chosen), **fields)

    @property
    def two_classes(self):
        """IoU of each image, averaged over foreground and background."""
        union = self.true + self.pred - self.both
        return (self.iou + (self.all - union) / np.maximum(self.all - self.both, 1)) / 2

    @property
    def pooled(self):
        """Dice of all pixels together."""
        return 2 * self.both.sum() / (self.true.sum() + self.pred.sum())


@cache
def runs():
    """The recorded runs by data set and split, but for those with an alarm, which no paper would print.

    Test sets of several parts stand there as a whole, too.
    """
    found, records = defaultdict(list), load_results()
    for record in records:
        if alarms(record, records):
            continue
        splits = dict(record.images)
        if len(splits) > 1:
            splits["test"] = [one for rows in record.images.values() for one in rows]
        for split, rows in splits.items():
            if not split.startswith("test_"):  # parts of Kumar's: papers print the whole
                found[record.dataset, split].append(_run(record, split, [r for r in rows if r["dice"] == r["dice"]]))
    return dict(found)


def _run(record, split, rows):
    pixels = {name: np.array([row[name] for row in rows]) for name in ("dice", "iou", "true_px", "pred_px", "both_px")}
    sizes = np.array([_pixels(record.dataset, row["name"]) for row in rows])
    learnt = record.key != HEMATOXYLIN
    groups = tuple(str(row["group"]) for row in rows)
    return Run(record.dataset, split, learnt, pixels["dice"], pixels["iou"], groups, *list(pixels.values())[2:], sizes)


@cache
def _glas():
    with (data_dir() / "facts" / "glas_tiles.csv").open(encoding="utf-8", newline="") as file:
        return {row["tile"]: int(row["height_px"]) * int(row["width_px"]) for row in csv.DictReader(file)}


def _pixels(dataset, name):
    if dataset == "glas":
        return _glas()[name]
    ((height, width),) = part(dataset, "test" if dataset != "tnbc" else "all").sizes_px
    return height * width


def some_images(rng, run):
    """As many images as the set has, drawn with replacement: a test set like it."""
    number = len(run.dice)
    return [rng.randrange(number) for _ in range(number)]
