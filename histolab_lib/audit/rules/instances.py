r"""Rules on scores of objects: AJI, PQ with its factors, F1 of objects.

What has no rule, for there is no bound. AJI+ can be below AJI (one predicted object over two true ones). PQ and DQ
count objects whatever their size, Dice and AJI count pixels: many small objects found and a large one missed give a PQ
near 1 with a Dice near 0, and touching objects split in halves a Dice of 1 with a PQ of 0; so nothing holds between PQ
and Dice, IoU or AJI. Object Dice weighs objects by area and object F1 does not: neither bounds the other.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from histolab_lib.audit.finding import Finding
from histolab_lib.audit.intervals import Interval
from histolab_lib.audit.registry import rule
from histolab_lib.audit.rules import bounds
from histolab_lib.audit.rules.systems import averaging, images, judged, together
from histolab_lib.claims import Claim

__all__ = ["aji_below_dice", "aji_below_jaccard", "object_f1_above_pq", "pq_below_factors", "pq_of_factors"]

_AJI = ("aji", "aji_plus")
_ALIKE = "The same instance maps and images; one way of averaging, whichever, for all scores"
_MATCHED = _ALIKE + "; objects match at IoU > 0.5, and SQ is 0 where none does"


@rule("aji-below-jaccard", title="Is AJI not above IoU?", assumes=_ALIKE + "; IoU of the maps' foreground")
def aji_below_jaccard(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""Test that AJI (or AJI+) is not larger than the IoU of the foregrounds.

    **Statement.** $\mathrm{AJI}\le J$ and $\mathrm{AJI}^+\le J$, whatever the averaging.

    **Proof.** Let the true objects have $A$ pixels, the predicted ones $B$, and $I$ of them common. The numerator $C$
    of AJI counts common pixels of some pairs, each true object once: $C\le I$. The denominator counts every true
    object and every predicted one at least once (within a union or alone), less the common pixels $C$ counted twice:
    $U\ge A+B-C$. As $x\mapsto\frac{x}{A+B-x}$ grows, $\frac CU\le\frac{C}{A+B-C}\le\frac{I}{A+B-I}=J$. AJI+ is
    $\frac{C}{A+B-C}$ with another $C\le I$. Means keep the order, and so do sums of $C$, $U$, $I$. $\square$ Reached
    by a single object.

    **How sure.** Certain if the IoU is of the same maps: post-processing between the two measurements can break it.
    """
    for metric in _AJI:
        for group in together(claims, "iou", metric):
            yield judged("aji-below-jaccard", claims, group, bounds.at_most)


@rule("aji-below-dice", title="Is AJI not above what Dice allows?", assumes=_ALIKE + "; Dice of the maps' foreground")
def aji_below_dice(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""Test that AJI (or AJI+) is not larger than the IoU that Dice (or F1) allows at most.

    **Statement.** $\overline{\mathrm{AJI}}\le\bar D$ for means (over $n$ images alike, the sharper bound of the rule
    jaccard-below-dice); pooled, $\mathrm{AJI}\le\frac{D}{2-D}$.

    **Proof.** $\mathrm{AJI}\le J$ (rule aji-below-jaccard), and $\bar J\le\bar D$, pooled $J=\frac{D}{2-D}$. $\square$
    The mean of AJI can be *above* $\frac{\bar D}{2-\bar D}$, as the mean of $J$ can: Jensen's inequality points the
    other way. How far the images must differ for it, the rule spread-between-images says.

    **How sure.** Certain if Dice is of the same maps.
    """
    for pair in [(dice, metric) for dice in ("dice", "f1") for metric in _AJI]:
        for group in together(claims, *pair):
            pooled = averaging(group) == "pooled"
            iou = bounds.jaccard_pooled if pooled else partial(bounds.jaccard, images=images(group))
            yield judged("aji-below-dice", claims, group, partial(_at_most, iou))


def _at_most(iou: Callable[[Interval], Interval], dice: Interval) -> Interval:
    return bounds.at_most(iou(dice))


@rule("pq-of-dq-and-sq", title="Can PQ come from this DQ and SQ?", assumes=_MATCHED)
def pq_of_factors(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""Test PQ against both its factors.

    **Statement.** With the means $x$ of DQ and $y$ of SQ, the mean of PQ lies between $\max(\frac x2,x+y-1)$ and
    $\min(x,y)$; pooled, $PQ=xy$.

    **Proof.** $PQ=xy$ with $x=DQ\in[0,1]$ and $y=SQ\in(\frac12,1]$, or $x=y=0$. Then $xy\ge\frac x2$;
    $xy-(x+y-1)=(1-x)(1-y)\ge0$; $xy\le x$ and $xy\le y$. All four bounds are linear in $x$ and $y$, so means obey
    them. $\square$ (McCormick's envelopes of a product, with the corner $(0,0)$ for images without a match.) The mean
    of PQ is the product of the means plus the covariance of DQ and SQ between images, and so may lie to either side of
    it.

    **How sure.** Certain under what is assumed.
    """
    for group in together(claims, "dq", "sq", "pq"):
        region = bounds.pq_pooled if averaging(group) == "pooled" else bounds.pq
        yield judged("pq-of-dq-and-sq", claims, group, region)


@rule("pq-below-its-factors", title="Is PQ between half of DQ and DQ, and not above SQ?", assumes=_MATCHED)
def pq_below_factors(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""Test PQ, DQ and SQ in pairs, for rows that lack one of them.

    **Statement.** $\frac12DQ\le PQ\le DQ$, $PQ\le SQ$ and $SQ\ge\frac12DQ$, whatever the averaging.

    **Proof.** For an image with a match $\frac12<SQ\le1$, so $PQ=DQ\cdot SQ$ lies between $\frac12DQ$ and $DQ$, and
    below $SQ$ as $DQ\le1$; $SQ>\frac12\ge\frac12DQ$. Without a match all three are 0. Means keep it, and pooled scores
    are those of one large image. $\square$

    **How sure.** Certain under what is assumed. A lower threshold of matching can break $\frac12DQ\le PQ$.
    """
    any_score = Interval.of(0, 1)
    for pair, region in {
        ("dq", "pq"): lambda dq: bounds.pq(dq, any_score),
        ("sq", "pq"): lambda sq: bounds.pq(any_score, sq),
        ("dq", "sq"): lambda dq: Interval(dq.low / 2, any_score.high),
    }.items():
        for group in together(claims, *pair):
            yield judged("pq-below-its-factors", claims, group, region)


@rule("object-f1-above-pq", title="Is the F1 of objects not below PQ and DQ?", assumes=_ALIKE + "; F1 as GlaS has it")
def object_f1_above_pq(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""Test that F1 of objects, where a hit covers over half of a true object, is not below DQ, nor below PQ.

    **Statement.** $PQ\le DQ\le F_1^{\mathrm{obj}}$, whatever the averaging.

    **Proof.** A pair with IoU $>\frac12$ has $n>\frac12|G|$ and $n>\frac12|S|$, so $G$ is the true object that $S$
    overlaps most, and over half of $G$ is covered: the pair is a hit of the contest's F1 as well. Both are
    $\frac{2TP}{m+n}$, with at least as many hits. Counting as misses only true objects that nothing points to, as an
    older program of the contest does, makes F1 larger still. $\square$

    **How sure.** Certain for that definition; an F1 that matches centres or at a higher overlap is another score.
    """
    for metric in ("dq", "pq"):
        for group in together(claims, metric, "object_f1"):
            yield judged("object-f1-above-pq", claims, group, bounds.at_least)
