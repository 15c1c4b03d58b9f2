r"""Rules on precision and recall, and what they leave to F1 and to IoU.

Precision and recall enter every bound alike, so no score of the same row shows that the two columns are exchanged;
that needs a second place where they are printed.
"""

from collections.abc import Iterator, Sequence

from histolab_lib.audit.finding import Finding
from histolab_lib.audit.registry import rule
from histolab_lib.audit.rules import bounds
from histolab_lib.audit.rules.systems import averaging, judged, together
from histolab_lib.claims import Claim

__all__ = ["f1_of_rates", "jaccard_of_rates"]

_ALIKE = "Foreground pixels, or objects; the same images and threshold; one way of averaging, whichever, for all scores"
_TRIPLES = (
    ("precision", "recall", "dice"),
    ("precision", "recall", "f1"),
    ("object_precision", "object_recall", "object_f1"),
)


@rule("f1-of-precision-and-recall", title="Can F1 come from this precision and recall?", assumes=_ALIKE)
def f1_of_rates(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""Test F1 (or Dice) against precision and recall, of pixels or of objects.

    **Statement.** $\max(0,\bar P+\bar R-1)\le\bar F\le H(\bar P,\bar R)=\frac{2\bar P\bar R}{\bar P+\bar R}$, whatever
    the averaging; pooled, $F=H(P,R)$.

    **Proof.** For $\lambda\in[0,1]$, $2(\lambda^2P+(1-\lambda)^2R)\ge H(P,R)$, with equality at
    $\lambda=\frac{R}{P+R}$: the left side is a parabola in $\lambda$ with its minimum there. So $H$ is a minimum of
    linear functions of $(P,R)$, hence concave, and the mean of $H$ is at most $H$ of the means (Jensen). Below,
    $H\ge\frac{PR}{P+R-PR}\ge P+R-1$, the first as $P+R\ge 2PR$, the second as it is $(1-P)(1-R)(P+R)\ge0$ when
    multiplied out; the right side is linear, so it holds for means. $\square$ The upper end is reached where all
    images are alike; the lower one is approached by images that are hit exactly and others with $P=1$, $R\to0$ or the
    reverse.

    **How sure.** Certain if $P$, $R$ and $F$ of an image without prediction count as 0, or as 1, 0 and 0, and no image
    is left out of one mean only. An F1 computed once from the printed means of $P$ and $R$ obeys, too.
    """
    for group in (one for triple in _TRIPLES for one in together(claims, *triple)):
        region = bounds.f1_pooled if averaging(group) == "pooled" else bounds.f1
        yield judged("f1-of-precision-and-recall", claims, group, region)


@rule("jaccard-of-precision-and-recall", title="Can IoU come from this precision and recall?", assumes=_ALIKE)
def jaccard_of_rates(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""Test IoU against precision and recall.

    **Statement.** $\max(0,\bar P+\bar R-1)\le\bar J\le\min(\bar P,\bar R)$, whatever the averaging; pooled,
    $\frac1J=\frac1P+\frac1R-1$.

    **Proof.** $t+p-i\ge t$ and $\ge p$, so $J\le\min(P,R)$ for each image; each of the two is kept by a mean. The
    lower bound is proved with F1. Pooled, $\frac1J=\frac{t+p-i}{i}=\frac1R+\frac1P-1$. $\square$ As a function of
    $(P,R)$, $J$ is neither convex nor concave, so $J(\bar P,\bar R)$ bounds nothing: on $P=R=x$ it is $\frac{x}{2-x}$,
    convex, but mixing images with $(1,1)$, $(1,\varepsilon)$ and none found reaches $\min(\bar P,\bar R)$, and mixing
    $(1,1)$, $(1,\varepsilon)$ and $(\varepsilon,1)$ approaches $\bar P+\bar R-1$. The bounds are the hull; no better
    ones exist.

    **How sure.** As for F1.
    """
    for group in together(claims, "precision", "recall", "iou"):
        region = bounds.jaccard_of_rates_pooled if averaging(group) == "pooled" else bounds.jaccard_of_rates
        yield judged("jaccard-of-precision-and-recall", claims, group, region)
