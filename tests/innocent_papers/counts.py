"""Innocent papers for rules on counts: images, patches, steps, objects."""

import csv
from functools import cache
from math import log

from histolab_lib.audit.rules.grids import Grid
from histolab_lib.audit.rules.real import COUNTED, part
from histolab_lib.data_dir import data_dir
from histolab_lib.patches import BORDERS
from tests.audit_claims import said
from tests.innocent_papers.model import Model, Paper
from tests.test_audit_counts import _patches as windows_on
from tests.test_audit_counts import _set as parts_of
from tests.test_audit_extremes import _told as extremes
from tests.test_audit_networks import _by_organ as by_organ

__all__ = ["MODELS"]

_ORGANS = ("Bladder", "Brain", "Breast", "Colon", "Kidney", "Liver", "Lung", "Prostate", "Stomach", "Testis")
_SPLITS = (
    ("monuseg", "train"), ("monuseg", "test"), ("kumar", "train"), ("kumar", "test"), ("glas", "train"),
    ("glas", "testA"), ("glas", "testB"),
)  # fmt: skip


# Parts of a set


def _divided(rng, left_out=0.0, shared=False):
    """A set of 20 to 1,000 divided into training, validation and test, in one sentence or several."""
    total = round(20 * 50 ** rng.random())
    used = total - max(1, round(left_out * total)) if left_out else total
    test = max(1, round(used * rng.uniform(0.1, 0.5)))
    held = max(1, round(used * rng.uniform(0.05, 0.2))) if shared or rng.random() < 0.5 else 0
    among = not shared and rng.random() < 0.5
    train = used - test - (0 if among or shared else held)
    parts = {"train": train, "test": test} | ({"val": held} if held else {})
    metric = rng.choice(["images", "images", "patches", "nuclei"])
    place = rng.choice(["Section 1", "Section 2"])
    return Paper(parts_of(metric, all=total) + parts_of(metric, place, **parts))


def _enlarged(rng, kind="plain"):
    images, versions = round(10 * 20 ** rng.random()), rng.choice([2, 3, 4, 6, 8, 10, 13, 20])
    crops = rng.choice([0, 4, 5, 9, 13, 16])
    each = crops or 1
    number = {
        "plain": images * versions * each,
        "fault": images * versions * each + rng.choice([1, -1, 2]) if crops else rng.randrange(1, images),
        "added": max(1, round(images * rng.uniform(0.3, 3))) * each,
        "with": images * versions * each + images,
    }[kind]
    claims = [*parts_of(train=images), said("images", number, "augmented", split="train")]
    return Paper(claims + ([said("patches", crops, "crops of each image", split="train")] if crops else []))


def _organs(rng, left_out=0, elsewhere=0):
    kumar = rng.sample(_ORGANS, rng.randint(2 + left_out, 8))
    other = rng.sample(_ORGANS, rng.randint(2, 8))
    brought = rng.sample(_ORGANS, elsewhere and rng.randint(1, 10))
    rows = by_organ(kumar[left_out:], len(kumar)) + by_organ(other, len(other), "pannuke", "pannuke")
    return Paper([*rows, said("organs", len({*kumar, *other, *brought}), dataset="none", split="none")])


# Windows


def _grid(rng):
    images, side = rng.randint(5, 100), rng.choice([250, 400, 512, 600, 775, 1000])
    window = rng.choice([size for size in (64, 96, 128, 224, 256) if size <= side])
    step = rng.choice([window, window, window // 2, window - 8, round(0.9 * window), 48])
    border = rng.choice(BORDERS)
    return Grid({(side, side): images}, (window, window)).total(step, border), images, side, window, step


def _windows(rng, kind="plain"):
    total, images, side, window, step = _grid(rng)
    share, factor = rng.uniform(0.5, 0.95), rng.choice([2, 3, 4, 6, 8])
    told = {"images": images, "size": (side, side), "window": window, "step": step}
    if kind == "held back":
        train = max(1, round(share * factor * total))
        held = factor * total - train if rng.random() < 0.5 else 0
        return Paper(windows_on(train, held or None, **told))
    if kind == "fault":
        return Paper(windows_on(factor * total + rng.randrange(1, total + 1), **told))
    divided = rng.random() < 0.6
    train = max(1, round(share * total)) if divided else total * rng.choice([1, factor])
    return Paper(windows_on(train, max(1, total - train) if divided else None, **told))


def _sources(rng, kind="plain"):
    total, images, side, window, step = _grid(rng)
    kept = max(2, round(total * rng.uniform(0.6, 0.98))) if kind == "left out" else total
    train = min(kept - 1, max(1, round(kept * rng.uniform(0.6, 0.9)))) if kept > 1 else 1
    val = max(1, kept - train)
    train *= rng.choice([2, 4, 8]) if kind == "enlarged" else 1
    train += rng.randrange(1, total + 1) if kind == "fault" else 0
    told = {"images": images, "size": (side, side), "window": window}
    return Paper(windows_on(train, val, test=rng.randint(5, 80), step=step if rng.random() < 0.5 else None, **told))


# Steps and epochs


def _trained(rng, low=None, high=None):
    """Enough steps for the set to be seen about a hundred times, or so many times."""
    images, batch = round(20 * 500 ** rng.random()), rng.choice([1, 2, 4, 8, 12, 16, 32])
    times = rng.lognormvariate(log(100), 1) if low is None else rng.uniform(low, high)
    steps = float(f"{max(1, times * images / batch):.2g}")
    return Paper(_steps(images, batch, int(steps)))


def _steps(images, batch, number):
    words = f"The models are trained for {number} iterations"
    trained = said("epochs", number, dataset="none", split="train", quote=words)
    return [*parts_of(train=images), said("batch_size", batch, split="train"), trained]


def _epochs(rng):
    return Paper(_steps(rng.randint(100, 2000), rng.choice([2, 4, 8]), rng.choice([50, 100, 150, 200, 300])))


# Public sets


def _counted(rng, number=lambda rng, real: real.images):
    """Images, objects and patients of public splits, objects in any way of counting."""
    claims = []
    for dataset, split in rng.sample(_SPLITS, rng.randint(1, 4)):
        real = part(dataset, split)
        claims.append(said("images", number(rng, real), dataset=dataset, split=split))
        metric = "glands" if dataset == "glas" else "nuclei"
        objects = real.objects[rng.choice([one for one in COUNTED if one in real.objects])]
        text = objects if rng.random() < 0.7 or objects < 1000 else f"around {round(objects, -3):,}"
        claims.append(said(metric, text, dataset=dataset, split=split))
    return Paper(claims)


def _fewer(rng, real):
    return real.images - rng.randint(1, max(1, real.images // 5))


@cache
def _objects(dataset, split):
    """Objects of each tile, as the loader counts them."""
    name = "glas" if dataset == "glas" else "monuseg"
    with (data_dir() / "facts" / f"{name}_tiles.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return tuple(int(row["label_ids"]) for row in rows if row["split" if name == "glas" else "set"] == split)


def _extremes(rng, lost=0.0, slip=0):
    """The fewest and the most objects of an image, of which a share was left out."""
    dataset, split = rng.choice([("monuseg", "train"), ("monuseg", "test"), ("glas", "train"), ("glas", "testA")])
    left = [sum(rng.random() >= lost for _ in range(n)) if lost else n for n in _objects(dataset, split)]
    metric = "glands" if dataset == "glas" else "nuclei"
    return Paper(extremes(min(left) + slip, max(left), dataset=dataset, split=split, metric=metric))


MODELS = {
    "parts-and-whole": Model(
        "Sets of 20 to 1,000 divided into training, test and, in half of them, validation, which is told beside the "
        "training images or among them.",
        _divided,
        "one to ten in a hundred are missing",
        lambda rng: _divided(rng, left_out=rng.uniform(0.01, 0.1)),
        {
            "images are left out, and the paper does not say so": lambda rng: _divided(rng, rng.uniform(0.01, 0.3)),
            "validation images are test images, too": lambda rng: _divided(rng, shared=True),
        },
    ),
    "enlarged-by-whole-factor": Model(
        "Training sets of 10 to 200 images in 2 to 20 versions, each cut into a number of crops or not at all.",
        _enlarged,
        "a number that is off by one or two, or smaller than the images that it was made from",
        lambda rng: _enlarged(rng, "fault"),
        {
            "the number is of the added images alone, and only some were enlarged": lambda rng: _enlarged(rng, "added"),
            "the uncut images are counted with their crops": lambda rng: _enlarged(rng, "with"),
        },
    ),
    "organs-in-tables": Model(
        "Two tables by organ with every organ of their set, and the number of organs of each set and of both.",
        _organs,
        "a table without one or two of the organs",
        lambda rng: _organs(rng, rng.randint(1, 2)),
        {
            "a table leaves organs out": lambda rng: _organs(rng, rng.randint(1, 2)),
            "a set without a table by organ counts, too": lambda rng: _organs(rng, elsewhere=1),
        },
    ),
    "patches-by-windows": Model(
        "Windows of 64 to 256 px at any step and border on 5 to 100 images of 250 to 1,000 px, all of them, in whole "
        "multiples, or less those held back for validation.",
        _windows,
        "more than a whole multiple by any number",
        lambda rng: _windows(rng, "fault"),
        {
            "the set was enlarged first and divided afterwards, the rest told or not": lambda rng: _windows(
                rng, "held back"
            )
        },
    ),
    "validation-from": Model(
        "All windows of 64 to 256 px at any step and border on 5 to 100 images, divided into training and validation.",
        _sources,
        "any number added to the training patches",
        lambda rng: _sources(rng, "fault"),
        {
            "2 to 40 in a hundred windows were left out for what they show": lambda rng: _sources(rng, "left out"),
            "the training patches alone were enlarged": lambda rng: _sources(rng, "enlarged"),
        },
    ),
    "iterations-as-epochs": Model(
        "Steps of the optimiser that see the training images 100 times, give or take a factor of e (a standard "
        "deviation), as the five papers' epochs do; 20 to 10,000 images, batches of 1 to 32.",
        _trained,
        "50 to 300 epochs that the sentence calls iterations",
        _epochs,
        {"the network is fine-tuned for one to ten passes": lambda rng: _trained(rng, 1, 9.5)},
    ),
    "counts-of-the-set": Model(
        "Images, and objects in any way of counting, of one to four public splits as their files hold them, exact or "
        "rounded to thousands.",
        _counted,
        "fewer images than the split has",
        lambda rng: _counted(rng, _fewer),
        {"images are left out, and the paper does not say so": lambda rng: _counted(rng, _fewer)},
    ),
    "fewest-and-most-of-the-set": Model(
        "The fewest and the most objects in an image of two splits of MoNuSeg and two of GlaS as their files hold "
        "them: no more than four different papers.",
        _extremes,
        "the fewest off by one to nine",
        lambda rng: _extremes(rng, slip=rng.randint(1, 9)),
        {
            "one object in a thousand is left out as a speck": lambda rng: _extremes(rng, 0.001),
            "one object in a hundred is left out as a speck": lambda rng: _extremes(rng, 0.01),
        },
    ),
}
