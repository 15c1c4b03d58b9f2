"""What the row of a claim says: whether it is about the data set itself, a window, an enlarged set."""

import re
from collections.abc import Iterable, Iterator

from histolab_lib.claims import Claim

__all__ = ["about_set", "about_windows", "amount", "counts", "enlarged", "of_each_image", "quoted", "whole"]

_SET = re.compile(r"((the )?(training|train|test|testing|validation)( set| data| images| split)?)?", re.IGNORECASE)
_EACH = re.compile(
    r"(of|per|from|in|for) (each|every|an|one|a single) (image|tile)\b|per (image|tile)\b", re.IGNORECASE
)
_WINDOW = re.compile(r"patch|window|crop|tile|step|slid", re.IGNORECASE)
_ENLARGED = re.compile(r"augment|enlarge|after flip|generated", re.IGNORECASE)
_QUOTED = re.compile(r'"([^"]*)"')


def about_set(claim: Claim) -> bool:
    """Whether the row means the set or a split as it is, and not a part, a copy or an extreme of it."""
    return bool(_SET.fullmatch(claim.row.strip()))


def about_windows(claim: Claim) -> bool:
    """Whether the row, or the sentence that it quotes, speaks of windows that are cut from an image."""
    return bool(_WINDOW.search(f"{claim.row} {quoted(claim)}"))


def enlarged(claim: Claim) -> bool:
    """Whether the row means a set that augmentation has enlarged."""
    return bool(_ENLARGED.search(claim.row))


def of_each_image(claim: Claim) -> bool:
    """Whether the row means what one image gives, as in "crops of each image"."""
    return bool(_EACH.search(claim.row))


def quoted(claim: Claim) -> str:
    """Return the printed words that the note begins with, without quotation marks; empty where it quotes none.

    Examples
    --------
    >>> from histolab_lib.claims import claim
    >>> quoted(claim("histoseg/section-iv-a/monuseg/test/images"))
    'test data consist of 14 RGB images'
    """
    found = _QUOTED.match(claim.note)
    return found[1] if found else ""


def whole(claim: Claim) -> int | None:
    """Return the number if it is a whole one and exact, None otherwise ("around 22,000")."""
    if claim.interval is None or claim.interval[0] != claim.interval[1]:
        return None
    value = claim.interval[0]
    return int(value) if value == int(value) and value > 0 else None


def amount(claim: Claim) -> int:
    """Return `whole`, or 0 where there is none."""
    return whole(claim) or 0


def counts(claims: Iterable[Claim], metric: str, dataset: str, split: str) -> Iterator[Claim]:
    """Return the exact counts of a split as it is."""
    for one in claims:
        if (one.metric, one.dataset, one.split) == (metric, dataset, split) and about_set(one) and whole(one):
            yield one
