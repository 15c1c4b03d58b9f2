"""A rule on what post-processing can and cannot change."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from histolab_lib.audit.finding import Finding, finding
from histolab_lib.audit.intervals import share
from histolab_lib.audit.registry import rule
from histolab_lib.claims import Claim

__all__ = ["post_processing_keeps_the_mask"]

_PIXELS = ("dice", "iou", "f1", "precision", "recall")
_POST = re.compile(r"^(?P<base>.+?)\s*(?:\+|with|w/)\s*(?:the )?post[- ]?processing$", re.IGNORECASE)


@rule(
    "post-processing-keeps-the-mask",
    title="Does a step that makes instances change a score of pixels?",
    assumes="Both rows are the same network; pixels are scored on the union of the instances.",
)
def post_processing_keeps_the_mask(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""**Statement.** Two rows that differ by post-processing alone, where it splits, merges or grows labels inside the
    mask of the network until that mask is filled, have equal Dice, IoU, pixel precision and pixel recall.

    **Derivation.** These scores depend on $|P|$, $|T|$ and $|P \cap T|$ alone, where $P$ is the union of the labels.
    Splitting and merging rename pixels of $P$. Removing contours and growing the labels back inside the mask $M$ gives
    $P \subseteq M$, and $P = M$ if every component of $M$ keeps a seed and growth runs until nothing is left.

    **How sure.** `unlikely`, for the premise is rarely told in full. What can make a difference: lines between
    instances that are drawn as background (on the true masks of the 14 test tiles of MoNuSeg they cost 0.001 Dice
    with one watershed seed for a nucleus, 0.009 with half as many seeds again); components that lose their seed and
    vanish; filling of holes, opening, a threshold; and a network that was trained with one more output. The finding
    is a question to the paper: which of these?

    **False alarms.** None where no pixel of the mask changes. Where lines are drawn, holes filled or specks removed,
    most: two digits of print hide it, three seldom.
    """
    cells: dict[tuple[str, ...], list[Claim]] = defaultdict(list)
    for one in claims:
        cells[one.row, one.location, one.dataset, one.split, one.metric].append(one)
    for one in claims:
        found = _POST.match(one.row)
        if not found or one.metric not in _PIXELS:
            continue
        for other in cells.get((found["base"], one.location, one.dataset, one.split, one.metric), ()):
            yield from _compared(other, one)


def _compared(before: Claim, after: Claim) -> Iterator[Finding]:
    first, second = share(before), share(after)
    if first is None or second is None:
        return
    name = "post-processing-keeps-the-mask"
    if first.meets(second):
        yield finding([before, after], name, "fine", "The score of pixels is the same.")
        return
    least = second - first
    gap = f"{float(min(abs(least.low), abs(least.high))):.4f}".rstrip("0")
    why = (
        f"{after.metric} {before.value} and {after.value} in rows that differ by post-processing alone, at least {gap} "
        "apart: dividing a mask into instances leaves it as it is. Either the masks differ (lines between instances, "
        "lost or filled pieces), or more than post-processing was changed."
    )
    yield finding([before, after], name, "unlikely", why)
