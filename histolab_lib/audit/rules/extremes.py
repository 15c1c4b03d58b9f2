"""Rules on the image with the fewest objects, and on that with the most."""

import re
from collections.abc import Iterator, Sequence

from histolab_lib.audit.finding import Finding, finding
from histolab_lib.audit.registry import rule
from histolab_lib.audit.rules.real import part
from histolab_lib.audit.rules.rows import amount, counts, whole
from histolab_lib.claims import Claim
from histolab_lib.datasets import registry

__all__ = ["fewest_and_most", "fewest_and_most_of_the_set"]

_FEWEST = re.compile(r"\b(fewest|least|minimum|min)\b", re.IGNORECASE)
_MOST = re.compile(r"\b(most|maximum|max)\b", re.IGNORECASE)


@rule(
    "fewest-and-most",
    title="Can so many objects be in images of which none has fewer, and none more, than is said?",
    assumes="The sum, the number of images and the two extremes are of the same images.",
)
def fewest_and_most(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""**Statement.** If $n \ge 2$ images have at least $a$ and at most $b$ objects, and both numbers occur, all
    together have between $(n - 1)\,a + b$ and $a + (n - 1)\,b$.

    **Derivation.** One image has $a$, another one $b$, and each of the other $n - 2$ between $a$ and $b$: the sum lies
    between $a + b + (n - 2)\,a$ and $a + b + (n - 2)\,b$.

    **How sure.** `inconsistent`: a sum outside excludes the extremes, or the number of images.
    """
    for low, high in _pairs(claims):
        images = list(counts(claims, "images", low.dataset, low.split))
        number = max(map(amount, images), default=0)
        if number < 2 or any(amount(one) != number for one in images):
            continue
        least, most = (number - 1) * amount(low) + amount(high), amount(low) + (number - 1) * amount(high)
        for total in counts(claims, low.metric, low.dataset, low.split):
            fits = least <= amount(total) <= most
            why = (
                f"{number} images with {low.value} to {high.value} {low.metric} have {least:,} to {most:,} together; "
                f"{total.value} {'are' if fits else 'cannot be'} that many."
            )
            severity = "fine" if fits else "inconsistent"
            yield finding([total, images[0], low, high], "fewest-and-most", severity, why)


@rule(
    "fewest-and-most-of-the-set",
    title="Do the images with the fewest and the most objects have so many in the files of the set?",
    assumes="The paper used the version of the set whose files were counted here, and counts objects alike.",
)
def fewest_and_most_of_the_set(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""**Statement.** The smallest and the largest number of objects in one image are those in the files.

    **Derivation.** Counted (`data/facts`, recounted by a test), in one way: as the loader of the set numbers objects.

    **How sure.** `unlikely`: specks left out, or pieces that meet at a corner taken as one, change such a number by a
    few, and another version of the set has other images. `not testable here` for sets whose files could not be had.

    **False alarms.** None of papers that count as the loader does. One object in a hundred left out as a speck is
    enough for most.
    """
    for low, high in _pairs(claims):
        if low.dataset not in registry.entries() or low.dataset == "synthetic":
            continue
        real = part(low.dataset, low.split)
        if real is None or real.per_image is None:
            why = f"The files of {low.dataset} could not be had."
            yield finding([low, high], "fewest-and-most-of-the-set", "not testable here", why)
            continue
        fewest, most = real.per_image
        same = (amount(low), amount(high)) == (fewest, most)
        why = f"{low.value} to {high.value} {low.metric} in an image"
        why += ", as in the files." if same else f", while those of the files have {fewest} to {most}; {_OTHERWISE}."
        yield finding([low, high], "fewest-and-most-of-the-set", "fine" if same else "unlikely", why)


_OTHERWISE = "another version of the set, or specks left out, could explain it"


def _pairs(claims: Sequence[Claim]) -> Iterator[tuple[Claim, Claim]]:
    """The fewest and the most objects in an image, of one split, as one place tells them."""
    told = [one for one in claims if one.metric in ("nuclei", "glands") and whole(one) and one.dataset != "none"]
    for low in (one for one in told if _FEWEST.search(one.row)):
        for high in (one for one in told if _MOST.search(one.row)):
            about = (low.location, low.dataset, low.split, low.metric)
            if (high.location, high.dataset, high.split, high.metric) == about:
                yield low, high
