"""Innocent papers for rules on networks, cards, patients and post-processing."""

import json
from fractions import Fraction
from functools import cache
from itertools import pairwise
from math import floor, log

from histolab_lib.audit.rules.known import known
from histolab_lib.audit.rules.real import Part
from histolab_lib.data_dir import data_dir
from tests.audit_claims import said
from tests.audit_papers import made, printed
from tests.innocent_papers.drawn import scores, shown, style
from tests.innocent_papers.model import Model, Paper
from tests.test_audit_patients import _drawn as drawn_images

__all__ = ["MODELS"]


# Parameters


@cache
def _networks():
    return json.loads((data_dir() / "facts" / "parameters.json").read_text(encoding="utf-8"))["networks"]


_NAMED = {"U-Net": "unet", "LinkNet": "linknet", "UNet++": "unetpp", "DeepLabV3+": "deeplabv3plus"}


def _counted(rng, numbers):
    """Numbers of parameters as tables print them: in millions, rounded or cut off, or in full."""
    claims = []
    for name, number in numbers:
        if rng.random() < 0.2:
            claims.append(said("parameters", f"{number:,}", name, dataset="none", unit="count"))
            continue
        digits = rng.randint(0, 2)
        whole = floor(Fraction(number, 10 ** (6 - digits)))
        text = (
            printed(Fraction(whole, 10**digits), digits)
            if rng.random() < 0.3
            else printed(Fraction(number, 10**6), digits)
        )
        claims.append(said("parameters", text, name, dataset="none", unit="million"))
    return Paper(claims)


def _usual(rng):
    numbers = []
    for row in rng.sample(sorted(_NAMED), rng.randint(1, 4)):
        variant = rng.choice(list(_networks()[_NAMED[row]]["variants"].values()))
        numbers.append((row, variant["parameters"] + rng.choice([0, variant["statistics"]])))
    return _counted(rng, numbers)


def _unet(rng):
    """A U-Net like that of 2015 with another width, depth, way up, or norm."""
    width, levels, norm = rng.choice([16, 32, 48, 64, 64]), rng.choice([4, 5, 5, 6]), rng.choice([0, 2, 2])
    sides = [width * 2**level for level in range(levels)]

    def pair(inside, outside):
        return sum((9 * channels + 1 + norm) * outside for channels in (inside, outside))

    number = sum(pair(a, b) for a, b in pairwise([3, *sides]))
    if rng.random() < 0.6:  # transposed convolutions on the way up, else enlarged without parameters
        number += sum(4 * a * b + a + pair(2 * a, a) for a, b in pairwise(sides))
    else:
        number += sum(pair(a + b, a) for a, b in pairwise(sides))
    return _counted(rng, [("U-Net", number + rng.choice([1, 2]) * (width + 1))])


def _any_number(rng):
    return _counted(rng, [(rng.choice(sorted(_NAMED)), round(10**6 * rng.uniform(1, 60)))])


# Time and memory

_TIMED = ("U-Net + Res-18", "LinkNet", "UNet++ + Res-18", "DeepLabV3+ + Res-18")


def _time(rng, share=None, epochs_told=True):
    """Training at a share of the card's peak, or one epoch of it."""
    row = rng.choice(_TIMED)
    name = _NAMED[row.partition(" + Res")[0]]
    work = _networks()[name]["variants"]["resnet18"]["multiply_adds"]
    card = rng.choice(known()["graphics"])
    side, patches = rng.choice([224, 256, 512]), round(100 * 100 ** rng.random())
    epochs = rng.choice([30, 50, 100, 200, 300])
    share = rng.lognormvariate(log(0.35), 0.45) if share is None else share
    seconds = (
        6 * work * (side / 256) ** 2 * patches * (epochs if epochs_told else 1) / (1e12 * card["teraflops"] * share)
    )
    unit, scale = rng.choice([("seconds", 1), ("minutes", 60), ("hours", 3600)])
    about = {"dataset": "monuseg", "split": "train"}
    value = printed(Fraction(seconds / scale), rng.randint(0, 2) if unit == "seconds" else 2, rng)
    return Paper([
        said("training_time", value, row, dataset="monuseg", split="test", unit=unit),
        said("patches", patches, **about), said("epochs", epochs, **about),
        said("hardware", card["name"], dataset="none"),
        said("height_px", side, "patch", **about), said("width_px", side, "patch", **about),
    ])  # fmt: skip


def _memory(rng, amounts):
    """Memory tied to a card, by a row of the card's name or by a sentence."""
    card = rng.choice(known()["graphics"])
    value = rng.choice(amounts(card["memory_gb"]))
    words = f"We trained on {rng.choice(['a', 'an NVIDIA', 'the GPU'])} {card['name']} with {value} GB of memory"
    return Paper([said("memory", value, dataset="none", split="none", quote=words, unit="gigabytes")])


_COMPUTERS = (8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512)


# Patients and slides


def _patients(rng, by_patient=False, most=8, fewest=1):
    """Images of patients, some drawn for testing: one by one, or patient by patient."""
    owners = {f"p{k}": rng.randint(fewest, most) for k in range(rng.randint(3, 40))}
    images = [name for name, number in owners.items() for _ in range(number)]
    wanted = max(1, round(rng.uniform(0.1, 0.5) * len(images)))
    if by_patient:
        order = rng.sample(sorted(owners), len(owners))
        test, number = set(), 0
        while number < wanted:
            test.add(order[len(test)])
            number = sum(owners[one] for one in test)
        kept_apart = True
    else:
        rng.shuffle(images)
        number = wanted
        kept_apart = not set(images[:number]) & set(images[number:])
    real = Part(len(images), {}, {}, {}, {}, owners, None)
    where = "histolab_lib.audit.rules.patients"
    instead = {f"{where}.part": lambda dataset, split: real, f"{where}.drawn_by_authors": lambda dataset: True}
    return Paper([drawn_images(number)], right=not kept_apart, instead=instead)


def _many_each(rng):
    paper = _patients(rng, most=8, fewest=3)
    return Paper(paper.claims, instead=paper.instead)


def _magnified(rng, factor=1.0):
    """A slide scanner's pixel, about ten micrometres divided by the magnification."""
    power = rng.choice([10, 20, 20, 40, 40])
    size = factor * 10 / power * rng.lognormvariate(0, 0.15)
    real = Part(30, {}, {}, {}, {f"{size:.3f}": 30}, {}, None)
    instead = {"histolab_lib.audit.rules.truth.part": lambda dataset, split: real}
    text = rng.choice(["{}x", "{}"]).format(power)
    return Paper([said("magnification", text, dataset="monuseg")], instead=instead)


# Post-processing


def _after(rng, cost=0.0, filled=0.0):
    """A network's scores of pixels, and those after its mask was divided."""
    metrics, truth = scores(rng, ["Net"])
    pixels = [metric for metric in metrics if metric in ("dice", "f1", "iou", "precision", "recall")] or ["dice"]
    how, claims = style(rng), []
    for metric in pixels:
        value = truth.get(("Net", metric), Fraction(4, 5))
        other = value - Fraction(cost) * (2 if metric == "iou" else 1) + Fraction(filled)
        for row, number in (("Net", value), (rng.choice(["Net + Post Processing", "Net with post-processing"]), other)):
            claims.append(made(shown(number, how, None), row, metric, unit=how[0]))
    return Paper(claims)


MODELS = {
    "parameters-of-the-network": Model(
        "One to four networks by their usual names, each in one of the forms that were counted, in millions with none "
        "to two places, rounded or cut off, or in full, with or without running statistics.",
        _usual,
        "any number from 1 to 60 million",
        _any_number,
        {"the U-Net has another width, depth, way up or norm than those counted": _unet},
    ),
    "training-time-against-work": Model(
        "Trainings of four networks on four cards that reach 0.35 of the card's peak, give or take a factor of 1.6 (a "
        "standard deviation): an assumption, not measured.",
        _time,
        "three to thirty times as much work as the card can do",
        lambda rng: _time(rng, share=rng.uniform(3, 30)),
        {"the time is that of one epoch": lambda rng: _time(rng, epochs_told=False)},
    ),
    "memory-of-the-card": Model(
        "One to eight of the four cards that are known, with their memory together or each.",
        lambda rng: _memory(rng, lambda own: [own * number for number in (1, 1, 1, 2, 4, 8)]),
        "the memory off by one to five gigabytes",
        lambda rng: _memory(rng, lambda own: [own + off for off in (1, 2, 3, 4, 5)]),
        {
            "the sentence means the memory of the computer, 8 to 512 GB": lambda rng: _memory(
                rng, lambda own: _COMPUTERS
            )
        },
    ),
    "patients-kept-apart": Model(
        "3 to 40 patients with one to eight images each, of which a tenth to a half are drawn one by one; accused "
        "falsely is a paper in which chance has kept the patients apart.",
        _patients,
        "images of patients with three to eight each, drawn one by one",
        _many_each,
        {"patients were drawn, and the sentence calls them images": lambda rng: _patients(rng, by_patient=True)},
    ),
    "magnification-of-the-set": Model(
        "Pixels of 10 / m micrometres at magnification m, give or take 15 % (a standard deviation), as the two sets "
        "have them whose pixel and magnification are known here.",
        _magnified,
        "the magnification of slides scanned at twice or half of it",
        lambda rng: _magnified(rng, rng.choice([0.5, 2])),
        {"the images were brought to half the size after scanning": lambda rng: _magnified(rng, 2)},
    ),
    "post-processing-keeps-the-mask": Model(
        "Scores of pixels of a network with and without a step that divides its mask and changes no pixel of it.",
        _after,
        "a gain of one to five points",
        lambda rng: _after(rng, filled=rng.uniform(0.01, 0.05)),
        {
            "lines between instances are drawn as background, at 0.001 to 0.009 Dice": lambda rng: _after(
                rng, rng.uniform(0.001, 0.009)
            ),
            "holes are filled or specks removed, for 0.0005 to 0.005 Dice": lambda rng: _after(
                rng, filled=rng.uniform(0.0005, 0.005)
            ),
        },
    ),
}
