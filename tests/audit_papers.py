"""Claims for the tests of the audit: single ones, and whole papers that are consistent by construction."""

import random
from dataclasses import replace
from fractions import Fraction
from math import floor

from histolab_lib.claims import Claim

__all__ = ["accusations", "consistent_paper", "made", "printed"]

METRICS = ("dice", "iou", "precision", "recall", "aji")


def made(value, row="U-Net", metric="dice", location="Table 1", **told):
    """One claim of a paper called mine; what is not told is as in most tables."""
    facts = {"dataset": "monuseg", "split": "test", "unit": "fraction", "averaging": "unstated"} | told
    return Claim("mine", location, row, metric=metric, value=value, **facts)


def printed(value, digits, rng=None):
    """A number as print has it: rounded half up or half to even, as chance wants."""
    scaled = Fraction(value) * 10**digits
    whole = round(scaled) if rng is None or rng.random() < 0.5 else floor(scaled + Fraction(1, 2))
    sign, whole = "-" * (whole < 0), abs(whole)
    return f"{sign}{whole // 10**digits}.{whole % 10**digits:0{digits}d}" if digits else f"{sign}{whole}"


def consistent_paper(seed):
    """Claims that true numbers give: a table by groups with means, one of the means, text, orderings and gains."""
    rng = random.Random(seed)
    systems = ["Ours", "U-Net", "FCN", "DIST", "LinkNet"][: rng.randint(2, 5)]
    groups = ["Liver", "Colon", "Breast", "Lung"][: rng.randint(2, 4)]
    metrics = rng.sample(METRICS, rng.randint(2, 5))
    claims = []
    for dataset in rng.sample(["monuseg", "pannuke", "tnbc"], rng.randint(1, 2)):
        truth = {
            (system, metric): [Fraction(rng.randint(500_000, 960_000), 10**6) for _ in groups]
            for system in systems
            for metric in metrics
        }
        means = {key: sum(parts) / len(parts) for key, parts in truth.items()}
        claims += _tables(rng, dataset, groups, truth, means)
        claims += _sentences(rng, dataset, systems, metrics, means)
    return claims


def _score(rng, value, unit, digits):
    return printed(value * (100 if unit == "percent" else 1), digits - 2 * (unit == "percent"), rng)


def _tables(rng, dataset, groups, truth, means):
    styles = {
        place: (rng.choice(["percent", "fraction"]), rng.randint(3, 5)) for place in ("Table 1", "Table 2", "Text")
    }
    told = {"dataset": dataset, "averaging": "per_group"}
    for (system, metric), parts in truth.items():
        unit, digits = styles["Table 1"]
        for group, value in zip(groups, parts, strict=True):
            yield made(_score(rng, value, unit, digits), f"{system}: {group}", metric, unit=unit, dataset=dataset)
        mean = means[system, metric]
        yield made(_score(rng, mean, unit, digits), f"{system}: Average", metric, unit=unit, **told)
        for place in ("Table 2", "Text"):
            unit, digits = styles[place]
            if place == "Table 2" or rng.random() < 0.3:
                yield made(_score(rng, mean, unit, digits), system, metric, place, unit=unit, **told)


def _sentences(rng, dataset, systems, metrics, means):
    for metric in metrics:
        ranked = sorted(systems, key=lambda system: -means[system, metric])
        about = {"dataset": dataset, "unit": "none", "averaging": ""}
        yield made("best", f"{ranked[0]} > * in {metric} (Table 2)", "ordering", "Section 5", **about)
        yield made("in this order", f"{' > '.join(ranked)} in {metric}", "ordering", "Section 6", **about)
        low = rng.randrange(1, len(ranked))
        a, b = means[ranked[0], metric], means[ranked[low], metric]
        value = rng.choice([a - b, (a - b) / b, (a - b) / a, (a - b) / (1 - b)])
        opponent = ranked[low] if low > 1 or rng.random() < 0.5 else "*"
        text = printed(100 * value, rng.randint(0, 2), rng)
        row = f"{ranked[0]} > {opponent} in {metric} (Table 2)"
        yield made(text, row, "gain", "Section 5", **(about | {"unit": "percent"}))


def accusations(check, claims):
    """What a rule says beyond "fine" and "not testable here"."""
    return [found for found in check(claims) if found.severity in ("impossible", "inconsistent", "unlikely")]


def changed(claims, key_part, **new):
    """The claims with those whose key holds these words changed."""
    return [replace(one, **new) if key_part in one.key else one for one in claims]
