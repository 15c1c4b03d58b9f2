r"""How far the images of a test set must differ for two printed means to be possible."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import sqrt

from histolab_lib.audit.finding import Finding, finding
from histolab_lib.audit.registry import rule
from histolab_lib.audit.rules import bounds
from histolab_lib.audit.rules.systems import averaging, named, released, shares, together
from histolab_lib.claims import Claim

__all__ = ["LARGE", "spread_between_images"]

#: A standard deviation of Dice between images that is called unlikely.
LARGE = Fraction(1, 5)


@rule(
    "spread-between-images",
    title="How far must images differ in Dice?",
    assumes="Means over images or patches, foreground pixels; the same images; not both pooled",
)
def spread_between_images(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""Compute the least standard deviation of Dice between images that mean Dice and mean IoU (or AJI) leave possible.

    **Statement.** With $g=\bar J-\frac{\bar D}{2-\bar D}$, the variance of $D$ between images (or whatever was
    averaged) obeys $\frac g2(2-\bar D)^2\le\operatorname{Var}D\le g\,(2-\bar D)^2$. As $\mathrm{AJI}\le J$, the lower
    bound holds with AJI in place of $J$, too.

    **Proof.** With $d=\bar D$ and $\varphi(x)=\frac{2}{2-x}-1$, putting over one denominator gives
    $\varphi(x)-\varphi(d)-\varphi'(d)(x-d)=\frac{2(x-d)^2}{(2-x)(2-d)^2}$. Its mean over images is $g$, as the linear
    term vanishes, and $1\le2-x\le2$. $\square$

    **How sure.** The bound is certain. That a least standard deviation of 0.2 or more is called ``unlikely`` is a
    choice.

    **False alarms.** Measured on the recorded runs, of which none gives more than 0.16 (glands found by colour alone,
    or by a network trained for minutes), on test sets drawn from their images. Test sets of 14 images of glands are
    called so more often, at most 1 in 25. Small patches, of which some hold hardly a nucleus, can spread that far, and
    so can a set with easy and hopeless images. A smoothed IoU, or one averaged over two classes, gives the same picture
    without any spread.
    """
    for pair in [(dice, other) for dice in ("dice", "f1") for other in ("iou", "aji", "aji_plus")]:
        for group in (one for one in together(claims, *pair) if averaging(one) != "pooled"):
            dice, other = shares(group)
            if not other.above(dice):  # else another rule has said so
                yield _found(group, bounds.least_variance(dice, other))


def _found(group: tuple[Claim, ...], variance: Fraction) -> Finding:
    said = (
        f"{named(group[0])} and {named(group[1])} are possible together if Dice differs between images "
        f"with a standard deviation of at least {sqrt(variance):.2f}"
    )
    if variance < LARGE**2:
        return finding(list(group), "spread-between-images", "fine", said + ".")
    said += ", which is much. Small patches, or scores defined in another way, could explain it."
    return finding(list(group), "spread-between-images", "unlikely", " ".join([said, *released(group)]))
