r"""Rules on scores of pixels: range, Dice, F1 and IoU.

One image has $t$ true, $p$ predicted and $i$ common foreground pixels: $P=i/p$, $R=i/t$,
$D=F_1=\frac{2i}{t+p}=\frac{2PR}{P+R}$, $J=\frac{i}{t+p-i}=\frac{D}{2-D}$, all 0 where $i=0$. A score that a paper
prints is a mean of these over images, over patches, or over groups of them, or it is pooled: computed once from the
sums of $t$, $p$ and $i$. Every mean with weights that sum to 1, the same for the scores compared, lies in the *convex
hull* of the points that a single image can be. The rules test that hull, so that they need not know the weights; and a
pooled score is the point of one large image. Other consistency tests of published scores, such as those of
`mlscorecheck`, need the numbers of pixels; these do not.

What cannot be told: a mean of scores, or a ratio of hundreds of thousands of pixels, comes so close to every decimal
number that asking whether a ratio of integers can round to the printed digits (the GRIM test) tells nothing.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache, partial
from math import ceil, floor

from histolab_lib.audit.finding import Finding, finding
from histolab_lib.audit.intervals import Interval
from histolab_lib.audit.registry import rule
from histolab_lib.audit.rules import bounds
from histolab_lib.audit.rules.systems import averaging, images, judged, named, shares, together, unit_share
from histolab_lib.claims import DISTANCES, SCORES, Claim
from histolab_lib.data_dir import DataError
from histolab_lib.datasets import facts

__all__ = [
    "f1_is_dice",
    "jaccard_above_jensen",
    "jaccard_below_dice",
    "jaccard_pooled",
    "score_range",
]

# F1 of pixels is Dice; the metric of that name is one of pixels (`metrics.evaluate`), that of objects is `object_f1`.
_DICE = ("dice", "f1")
_ALIKE = "Foreground pixels; the same images and threshold; one way of averaging, whichever, for all scores"


@rule("score-range", title="Is the score between 0 and 1?", assumes="The unit is the printed one")
def score_range(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""Test that a score lies between 0 and 1 (0 and 100 %), and that a distance is not negative.

    **Statement.** $0\le s\le1$ for every score of the vocabulary; $h\ge0$ for every distance. So none is "negative",
    either, as a sentence may have it.

    **Proof.** Each score is a ratio of a count to another that includes it, or a mean of such ratios. $\square$

    **How sure.** Certain, of what is printed; mostly a misprint.
    """
    for one in claims:
        if one.interval is not None and one.metric in SCORES + DISTANCES:
            top = 100 if one.unit == "percent" else 1
            distance = one.metric in DISTANCES
            inside = one.interval[1] >= 0 if distance else unit_share(one) is not None
            allowed = "0 or more" if distance else f"between 0 and {top}"
            said = f"{named(one)} is {'' if inside else 'not '}{allowed}."
            yield finding([one], "score-range", "fine" if inside else "impossible", said)
        elif one.comparison and "negative" in one.value.split() and set(one.comparison.metrics) <= set(SCORES):
            said = f'"{one.value}": a score of this kind is a ratio of counts and never below 0; a loss can be.'
            yield finding([one], "score-range", "impossible", said)


@rule("f1-is-dice", title="Are Dice and F1 of pixels one number?", assumes=_ALIKE)
def f1_is_dice(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""Test that pixel F1 and Dice of one system are equal.

    **Statement.** $F_1=D$, whatever the averaging.

    **Proof.** $F_1=\frac{2PR}{P+R}=\frac{2i/p\cdot i/t}{i/p+i/t}=\frac{2i}{t+p}=D$ for each image and for the sums.
    Equal terms have equal means. $\square$

    **How sure.** As sure as that both are of pixels. A paper that describes its F1 as one of objects as well is only
    told that its two definitions do not go together.
    """
    for group in together(claims, *_DICE):
        yield judged("f1-is-dice", claims, group, lambda dice: dice)


@rule("jaccard-below-dice", title="Is IoU not above Dice?", assumes=_ALIKE)
def jaccard_below_dice(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""Test that IoU is not larger than Dice (or F1) of the same system.

    **Statement.** $\bar J\le\bar D$, whatever the averaging (pooled, the rule jaccard-pooled says more). For a plain
    mean over $n$ images, with $k$ the whole part of $n\bar D$ and $r$ the rest,
    $\bar J\le\frac1n\left(k+\frac{r}{2-r}\right)$.

    **Proof.** $J=\frac{D}{2-D}\le D$ as $2-D\ge1$; a mean keeps the order. For the second, $\varphi(x)=\frac{x}{2-x}$
    is convex, so $\sum\varphi(D_i)$ over all $D\in[0,1]^n$ with the given sum is largest at a corner of that set,
    where all $D_i$ but one are 0 or 1. $\square$ Both are reached: by images that are hit exactly or missed wholly.

    **How sure.** Certain for the IoU of the foreground. A mean of the IoU of foreground and background can be larger,
    and so can one with a constant added above and below the fraction line.
    """
    for dice in _DICE:
        for group in (one for one in together(claims, dice, "iou") if averaging(one) != "pooled"):
            first, second = shares(group)
            region = partial(_at_most_dice, images=images(group))
            hint = "An IoU averaged over foreground and background, or smoothed, could be that large."
            if second.above(first) and bounds.least_variance(second, first) < _NARROW:
                hint = "Exchanged, the two would fit. " + hint
            yield judged("jaccard-below-dice", claims, group, region, hint=hint)


def _at_most_dice(dice: Interval, images: int | None) -> Interval:
    return bounds.at_most(bounds.jaccard(dice, images))


# Exchanged columns are named as an explanation where the pair would then be an everyday one.
_NARROW = Fraction(1, 100)


@rule("jaccard-above-jensen", title="Is IoU not below D/(2-D)?", assumes=_ALIKE)
def jaccard_above_jensen(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""Test that a mean IoU is not smaller than what the mean Dice (or F1) requires.

    **Statement.** $\bar J\ge\frac{\bar D}{2-\bar D}$, whatever the averaging (pooled, with equality).

    **Proof.** Each image has $J=\varphi(D)$ with $\varphi(x)=\frac{x}{2-x}=\frac{2}{2-x}-1$, and
    $\varphi''(x)=\frac{4}{(2-x)^3}>0$ on $[0,1]$: $\varphi$ is convex. By Jensen's inequality the mean of $\varphi(D)$
    is at least $\varphi$ of the mean, for any weights. Pooled scores have equality. $\square$ Reached where all images
    score alike.

    **Another reading.** Were the printed $J$ the mean of $b=J$ of the background and $f=\varphi(D)$ of the foreground,
    both pooled, then with $e$ wrong pixels and $u$ in the union of the foregrounds $1-f=e/u$ and $b=\frac{c}{c+e}$,
    where $c$ pixels are rightly background. The true background has at most $c+e$ of $u+c$ pixels, a share of at most
    $\frac{1-f}{1-fb}$. An accusation quotes that share, and the share that the images of the set really have, where
    this book has counted it.

    **How sure.** Certain for foreground pixels; see the other reading.
    """
    for dice in _DICE:
        for group in (one for one in together(claims, dice, "iou") if averaging(one) != "pooled"):
            other = f"Taken over foreground and background, {named(group[0]).split()[0]} could be that large."
            hint = f"{_two_classes(*group)} {other}"
            yield judged("jaccard-above-jensen", claims, group, _at_least_jensen, hint=hint)


def _at_least_jensen(dice: Interval) -> Interval:
    return bounds.at_least(bounds.jaccard(dice))


def _two_classes(dice: Claim, iou: Claim) -> str:
    most = bounds.background(*shares([dice, iou]))
    if most is None:
        return "Nor could a pooled mean of the IoU of foreground and background be that small."
    said = (
        "Were the IoU a mean of that of foreground and background, both pooled, "
        f"the background could fill at most {ceil(most * 1000) / 10:.1f} % of the pixels"
    )
    least = _background(iou.dataset, iou.split)
    return said + (f"; it fills {floor(least * 1000) / 10:.1f} % or more of the set's." if least is not None else ".")


@cache
def _background(dataset: str, split: str) -> float | None:
    """Return the share of background in the files of a split, of its parts the smallest; None where not counted."""
    try:
        counted = facts.read(dataset).get("splits", {})
    except DataError:
        return None
    parts = [one["foreground_share"] for name, one in counted.items() if name == split or name[:-1] == split]
    return 1 - max(parts) if parts else None


@rule(
    "jaccard-pooled", title="Is the pooled IoU D/(2-D)?", assumes="Foreground pixels; both pooled over the same images"
)
def jaccard_pooled(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""Test that IoU and Dice (or F1), both pooled, are each other's transform.

    **Statement.** $J=\frac{D}{2-D}$ within rounding.

    **Proof.** With $D=\frac{2i}{t+p}$: $\frac{D}{2-D}=\frac{2i}{2(t+p)-2i}=\frac{i}{t+p-i}=J$. $\square$

    **How sure.** Certain where the paper says that both are pooled; asked only there.
    """
    for dice in _DICE:
        for group in (one for one in together(claims, dice, "iou") if averaging(one) == "pooled"):
            yield judged("jaccard-pooled", claims, group, bounds.jaccard_pooled)
