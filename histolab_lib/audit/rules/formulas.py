"""A rule on what papers say of a formula: at which exponent the focal loss is cross entropy."""

import re
from collections.abc import Iterator, Sequence

from histolab_lib.audit.finding import Finding, finding
from histolab_lib.audit.registry import rule
from histolab_lib.claims import Claim

__all__ = ["focal_loss_as_cross_entropy"]

_CROSS_ENTROPY = re.compile(r"cross[- ]?entropy|\bBCE\b", re.IGNORECASE)


@rule(
    "focal-loss-as-cross-entropy",
    title="Is the focal loss cross entropy at this exponent?",
    assumes="The focal loss of Lin et al. (2017), with the exponent gamma at the factor 1 - p.",
)
def focal_loss_as_cross_entropy(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""**Statement.** $-\alpha(1-p)^\gamma\log p$ is a multiple of cross entropy $-\log p$ at $\gamma=0$ and at no
    other exponent.

    **Proof.** The quotient is $\alpha(1-p)^\gamma$; for $\gamma\ne0$ it differs between $p=\frac12$ and $p=\frac34$,
    by a factor of $2^\gamma$. $\square$ Looked at only where the row says that cross entropy is meant.

    **How sure.** `inconsistent`: the sentence contradicts the formula that it explains; mostly a slip of the pen, on
    which no result depends.
    """
    for one in claims:
        if one.metric == "focal_gamma" and one.interval and _CROSS_ENTROPY.search(one.row):
            fits = one.interval[0] <= 0 <= one.interval[1]
            said = "At gamma 0 the focal loss is cross entropy, up to a constant factor"
            words = f"{said}." if fits else f"{said}; at {one.value} a factor (1 - p)^{one.value} is left."
            yield finding([one], "focal-loss-as-cross-entropy", "fine" if fits else "inconsistent", words)
