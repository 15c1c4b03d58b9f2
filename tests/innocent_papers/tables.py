"""Innocent papers for rules that hold words against tables: gains, orderings, a figure in two places."""

from dataclasses import replace
from fractions import Fraction
from math import floor

from histolab_lib.audit.rules.cells import quantity, what
from tests.audit_papers import consistent_paper, made, printed
from tests.innocent_papers.drawn import ORGANS, cells, names, runs, scores, shown, some_images, style
from tests.innocent_papers.model import Model, Paper

__all__ = ["MODELS"]

_WORDS = {"dice": "Dice", "iou": "IoU", "f1": "F1", "aji": "AJI", "pq": "PQ"}


def _named(metric):
    return _WORDS.get(metric, metric.replace("object_", "object "))


def _said(row, words="", kind="ordering", place="Section 5", value="better", unit="none", dataset="monuseg"):
    note = f'"{words}"' if words else ""
    return made(value, row, kind, place, dataset=dataset, unit=unit, averaging="", note=note)


def _table(rng, fewest=2, dataset="monuseg", place="Table 1"):
    """The claims of a table, its metrics, and who is ahead in each."""
    systems = names(rng, fewest)
    metrics, truth = scores(rng, systems)
    ranked = {metric: sorted(systems, key=lambda system: -truth[system, metric]) for metric in metrics}
    return cells(rng, truth, place, dataset), metrics, ranked, truth


def _half_consistent(rng, mine):
    """Every other paper is one of the consistent papers of the property tests."""
    return Paper(consistent_paper(rng.getrandbits(32))) if rng.random() < 0.5 else mine(rng)


# Orderings


def _orderings(rng):
    claims, metrics, ranked, _ = _table(rng)
    for metric in metrics:
        first, *_, last = order = ranked[metric]
        called = _named(metric)
        better = order[rng.randrange(len(order) - 1)]
        said = [
            (f"{first} > *", f"{first} achieves the highest {called} compared to all other networks"),
            (f"{better} > {last}", f"{better} performs better than {last} in terms of {called}"),
            (" > ".join(order), f"the {called} falls in this order"),
        ]
        for row, words in rng.sample(said, rng.randint(1, 3)):
            claims.append(_said(f"{row} in {metric} (Table 1)", words if rng.random() < 0.8 else ""))
    if len({order[0] for order in ranked.values()}) == 1:
        best = ranked[metrics[0]][0]
        words = f"{best} outperformed all comparison models in all metrics"
        claims.append(_said(f"{best} > * in {', '.join(metrics)} (Table 1)", words, place="Abstract"))
    return Paper(claims)


def _score_open(rng):
    """Best in one score; the sentence names none, and the claim file takes all of the table."""
    claims, metrics, ranked, _ = _table(rng, 3)
    best = ranked[rng.choice(metrics)][0]
    words = f"{best} outperformed the state-of-the-art models in terms of performance"
    return Paper([*claims, _said(f"{best} > * in {', '.join(metrics)} (Table 1)", words)])


def _others_open(rng):
    """Better than some; the claim file takes all."""
    claims, metrics, ranked, _ = _table(rng, 3)
    metric = rng.choice(metrics)
    better = ranked[metric][rng.randrange(len(ranked[metric]) - 1)]
    words = f"{better} gives a better {_named(metric)} than other advanced segmentation methods"
    return Paper([*claims, _said(f"{better} > * in {metric} (Table 1)", words)])


def _data_open(rng):
    """Best on one of two sets; the sentence names neither, and the claim file has it for both."""
    claims, metrics, ranked, _ = _table(rng, 3)
    metric = rng.choice(metrics)
    other = {row: value for (row, one), value in scores(rng, names(rng, 3))[1].items() if one == metric}
    best = ranked[metric][0]
    other = {(row, metric): value for row, value in other.items()} or {(best, metric): Fraction(4, 5)}
    claims += cells(rng, other, "Table 2", "tnbc")
    words = f"{best} achieves the highest {_named(metric)} compared to all other networks"
    sides = (("Table 1", "monuseg"), ("Table 2", "tnbc"))
    return Paper([*claims, *(_said(f"{best} > * in {metric} ({t})", words, dataset=d) for t, d in sides)])


def _parts_open(rng):
    """Better in the mean over organs; the sentence does not say that the mean is meant."""
    systems, metric = names(rng, 2), "dice"
    organs, how = ORGANS[: rng.randint(2, 10)], style(rng)
    shift = {organ: rng.gauss(0, 0.04) for organ in organs}
    level = {system: rng.gauss(0.78, 0.03) for system in systems}
    truth, claims = {}, []
    for system in systems:
        parts = {o: Fraction(min(level[system] + shift[o] + rng.gauss(0, 0.015), 0.99)) for o in organs}
        truth[system] = parts["Average"] = sum(parts.values()) / len(parts)
        claims += [made(shown(v, how, rng), f"{system}: {o}", metric, unit=how[0]) for o, v in parts.items()]
    one, other = sorted(rng.sample(systems, 2), key=lambda system: -truth[system])
    return Paper([*claims, _said(f"{one} > {other} in {metric} (Table 1)", f"{one} gives a better Dice than {other}")])


def _turned(rng):
    """Not the best in a score that the sentence does not name, of which it is the best in another."""
    claims, metrics, ranked, truth = _table(rng, 4)
    best, metric = ranked[metrics[0]][0], metrics[1]
    rival = next(one for one in ranked[metric] if one != best)
    truth[best, metric] = truth[rival, metric] - Fraction(1, 10)
    claims = cells(rng, truth, "Table 1", how=("fraction", 4))
    words = f"{best} outperformed the state-of-the-art models"
    return Paper([*claims, _said(f"{best} > * in {', '.join(metrics)} (Table 1)", words)])


# Sentences that no table decides


def _untabled(rng, kind="plain"):
    """Sentences on the size of networks of which no table tells."""
    systems = names(rng, 3, 8)
    size = {system: rng.lognormvariate(2.5, 0.9) for system in systems}
    time = {system: size[system] ** 0.6 * rng.lognormvariate(0, 0.5) for system in systems}
    order = sorted(systems, key=size.get)
    said = [(f"{order[0]} > *", f"{order[0]} has the fewest parameters of all networks")] if rng.random() < 0.6 else []
    for _ in range(rng.randint(2, 4)):
        one, other = sorted(rng.sample(systems, 2), key=size.get)
        said.append((f"{one} > {other}", f"{one} has fewer parameters than {other}"))
    if kind == "time":
        one, other = sorted(rng.sample(systems, 2), key=time.get)
        said.append((f"{one} > {other}", f"{one} is more efficient than {other}"))
    if kind == "some":
        one = order[rng.randrange(len(order) - 1)]
        said.append((f"{one} > *", f"{one} has fewer parameters than several well-known networks"))
    if kind == "reverse":
        one, other = said[-1][0].split(" > ")
        said.append((f"{other} > {one}", f"{other} is more efficient than {one}"))
    rows = [(f"{row} in parameters", words, f"Section {place}") for place, (row, words) in enumerate(said, 1)]
    return Paper([_said(row, words, place=place, dataset="none") for row, words, place in rows])


# Gains


def _gain(value, row, words, unit="percent"):
    return _said(row, words, "gain", value=value, unit=unit)


def _cut(value, digits):
    whole = floor(value * 10**digits)
    return f"{whole // 10**digits}.{whole % 10**digits:0{digits}d}" if digits else str(whole)


def _difference(rng, a, b):
    return 100 * rng.choice([a - b, a - b, (a - b) / b])


def _gains(rng, cut=False, off=0):
    """Gains of the best over the next or a named one, with every word that is needed."""
    claims, metrics, ranked, truth = _table(rng)
    for metric in metrics:
        first, *rest = ranked[metric]
        other, named = (rest[0], False) if rng.random() < 0.5 else (rng.choice(rest), True)
        value, digits = _difference(rng, truth[first, metric], truth[other, metric]) + off, rng.randint(0, 2)
        text = _cut(value, digits) if cut else printed(value, digits, rng)
        whom = other if named else "all other networks"
        words = f"{first} shows an improvement of {text}% in {_named(metric)} compared to {whom}"
        claims.append(_gain(text, f"{first} > {other if named else '*'} in {metric} (Table 1)", words))
    return Paper(claims)


def _over_one(rng):
    """A gain over one of the others; the claim file takes all."""
    claims, metrics, ranked, truth = _table(rng, 3)
    metric = rng.choice(metrics)
    first, *rest = ranked[metric]
    text = printed(_difference(rng, truth[first, metric], truth[rng.choice(rest), metric]), rng.randint(1, 2), rng)
    words = f"{first} shows a {text} % improvement in {_named(metric)} over the base models"
    return Paper([*claims, _gain(text, f"{first} > * in {metric} (Table 1)", words)])


def _in_one(rng):
    """A gain in a score that the sentence does not name, taken for another."""
    claims, metrics, _, truth = _table(rng)
    meant, taken = rng.sample(metrics, 2)
    one, other = sorted(rng.sample(sorted({row for row, _ in truth}), 2), key=lambda row: -truth[row, meant])
    text = printed(_difference(rng, truth[one, meant], truth[other, meant]), rng.randint(0, 2), rng)
    return Paper([*claims, _gain(text, f"{one} > {other} in {taken} (Table 1)", f"a {text}% improvement over {other}")])


def _in_order(rng):
    """Gains in several scores whose order the sentence leaves open."""
    while True:
        claims, metrics, _, truth = _table(rng)
        if len(metrics) >= 3:
            break
    one, other = rng.sample(sorted({row for row, _ in truth}), 2)
    truth |= {(one, metric): truth[other, metric] + Fraction(rng.uniform(0.005, 0.06)) for metric in metrics[:3]}
    how = ("fraction", 3)
    claims = cells(rng, truth, "Table 1", how=how)
    texts = [printed(100 * (truth[one, metric] - truth[other, metric]), 1, rng) for metric in metrics[:3]]
    order = rng.sample(range(3), 3)
    words = f"improvements of {', '.join(texts[k] + '%' for k in order)} in the three evaluation metrics"
    row = f"{one} > {other} in {{}} (Table 1)"
    return Paper([*claims, *(_gain(texts[k], row.format(m), words) for k, m in zip(order, metrics, strict=False))])


# One figure in two places


def _again(rng, kind="rounded"):
    """A consistent paper that prints some cells of its second table once more in the abstract, with fewer digits.

    What is rounded or cut there is the figure with the most digits; rounded twice is what the table has.
    """
    claims = consistent_paper(rng.getrandbits(32))
    table = [one for one in claims if one.location == "Table 2"]
    for one in rng.sample(table, rng.randint(1, min(6, len(table)))):
        same = [other for other in claims if what(other) == what(one)]
        best = one if kind == "twice" else min(same, key=lambda other: quantity(other).high - quantity(other).low)
        value = Fraction(best.number)
        places = max(0, -best.number.as_tuple().exponent - rng.randint(1, 2))
        if kind == "rounded" and value * 10**places % 1 == Fraction(1, 2):
            continue  # the figure behind these digits is on an unknown side of the middle
        text = _cut(value, places) if kind == "cut" else printed(value, places, rng)
        text = (
            printed(value * Fraction(rng.choice([92, 95, 105, 108]), 100), places + 1, rng) if kind == "fault" else text
        )
        claims.append(replace(best, row=one.row, location="Abstract", value=text))
    return Paper(claims)


def _averaged_twice(rng):
    """A mean over images in the table, the same pooled in the text, which does not say so."""
    run = rng.choice(rng.choice(list(runs().values())))
    run = run.of(some_images(rng, run))
    how = style(rng)
    told = {"metric": "dice", "dataset": run.dataset, "split": run.split, "unit": how[0]}
    table = made(shown(Fraction(float(run.dice.mean())), how, rng), averaging="per_image", **told)
    return Paper([table, made(shown(Fraction(float(run.pooled)), how, rng), location="Text", **told)])


MODELS = {
    "ordering": Model(
        "Two to twelve systems whose scores vary and go together as in a printed table, or a consistent paper of the "
        "property tests; sentences with the words of the five papers that are true of the numbers before rounding.",
        lambda rng: _half_consistent(rng, _orderings),
        "a system that is the best in one score and not in another, said to be the best in words that name none",
        _turned,
        {
            "one score is meant, none is named, and the claim file enters all of the table": _score_open,
            "some are meant, and the claim file enters all others": _others_open,
            "one of two data sets is meant, none is named, and the claim file enters both": _data_open,
            "the mean over the parts is meant, and the sentence does not say so": _parts_open,
        },
    ),
    "opposite-orderings": Model(
        "Two to five sentences on the parameters of three to eight networks, all true; no table has the numbers.",
        _untabled,
        "one of the sentences turned round, in words that do not name the metric",
        lambda rng: _untabled(rng, kind="reverse"),
        {
            "one sentence means the training time, names no metric, and the claim file enters parameters": lambda rng: (
                _untabled(rng, kind="time")
            ),
            "one sentence means some networks, and the claim file enters all others": lambda rng: _untabled(
                rng, kind="some"
            ),
        },
    ),
    "gain": Model(
        "Two to twelve systems whose scores vary and go together as in a printed table, or a consistent paper of the "
        "property tests; gains in points or relative to the other, rounded to none to two places.",
        lambda rng: _half_consistent(rng, _gains),
        "three to ten points added to each gain",
        lambda rng: _gains(rng, off=rng.randint(3, 10)),
        {
            "gains are cut off, not rounded": lambda rng: _gains(rng, cut=True),
            "the gain is over one of the others, and the sentence does not say over whom": _over_one,
            "the gain is in a score that the sentence does not name, and the claim file enters another": _in_one,
            "three gains stand in another order, which the sentence leaves open": _in_order,
        },
    ),
    "same-figure": Model(
        "Consistent papers of the property tests, which print a figure in one to three places with their own units and "
        "digits; one to six of them once more, rounded to fewer digits.",
        _again,
        "the figures of the abstract off by 5 to 8 in a hundred",
        lambda rng: _again(rng, "fault"),
        {
            "digits are cut off, not rounded": lambda rng: _again(rng, "cut"),
            "what the table has rounded is rounded once more": lambda rng: _again(rng, "twice"),
            "one place averages over images, the other pools and does not say so": _averaged_twice,
        },
    ),
}
