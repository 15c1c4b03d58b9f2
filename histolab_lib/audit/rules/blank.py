"""A rule on scores that a map without any decision already has."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache

from histolab_lib.audit.finding import Finding, finding
from histolab_lib.audit.registry import rule
from histolab_lib.audit.rules.cells import is_mean
from histolab_lib.audit.rules.known import known
from histolab_lib.audit.rules.systems import doubts, named, released, unit_share
from histolab_lib.claims import Claim

__all__ = ["above_a_blank_map"]

_SCORE = {"iou": "iou", "dice": "dice", "f1": "dice"}


@rule(
    "above-a-blank-map",
    title="Is the score better than calling every pixel foreground?",
    assumes="Foreground pixels of the set's own test images, all of them, however weighted",
)
def above_a_blank_map(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""Compare IoU, Dice and F1 with those of a map that calls every pixel foreground.

    **Statement.** On an image of which a share $s$ is foreground that map has $J=s$ and $D=F_1=\frac{2s}{1+s}$.

    **Derivation.** All $t=sN$ true pixels are hit, $p=N$ are predicted: $J=\frac{t}{N}$, $D=\frac{2t}{N+t}$. Taken over
    the masks of a test set (`data/claims/known.toml`, recounted by a test), pooled and as the mean over images; the
    smaller of the two is what a score is held against.

    **How sure.** That the score lies below is exact. That it means something is not: any score is possible, and a
    method can be that bad. `unlikely`, therefore, that it is the score of its name, of a network trained to the end.
    A mean of the IoU of foreground and background has another floor.

    **False alarms.** Hardly any of the recorded networks, on test sets drawn from their images. Without learning,
    nuclei found by colour lie far above, glands about at the floor, below it more often than not.
    """
    for one in claims:
        floor = _floors().get((one.dataset, one.split, _SCORE.get(one.metric, "")))
        printed = unit_share(one)
        if floor is None or printed is None or (one.group and not is_mean(one)):
            continue
        below = printed.high < floor
        told = f"{100 * float(floor):.1f} %" if one.unit == "percent" else f"{float(floor):.3f}"
        said = f"{named(one)} is {'below' if below else 'not below'} {told}, what calling every pixel foreground gives."
        hints = [*doubts(claims, [one]), *_two_classes(one), *released([one], too_low=True)] if below else []
        yield finding([one], "above-a-blank-map", "unlikely" if below else "fine", " ".join([said, *hints]))


def _two_classes(one: Claim) -> list[str]:
    return ["Averaged over foreground and background, it would have another floor."] if one.metric == "iou" else []


@cache
def _floors() -> dict[tuple[str, str, str], Fraction]:
    """The least of pooled score and mean over images, by data set, split and score."""
    return {
        (told["dataset"], told["split"], score): Fraction(str(told[score]))
        for told in known()["blank"]
        for score in ("iou", "dice")
    }
