"""Rules on the sizes of images: against the files of a set, and of two sets against each other."""

import re
from collections.abc import Iterator, Sequence
from itertools import combinations

from histolab_lib.audit.finding import Finding, finding
from histolab_lib.audit.registry import rule
from histolab_lib.audit.rules.real import part
from histolab_lib.audit.rules.rows import quoted, whole
from histolab_lib.claims import Claim
from histolab_lib.datasets import registry

__all__ = ["input_sizes_exchanged", "sizes_of_the_set"]

Size = tuple[int, int]

_RESIZED = re.compile(r"resiz|rescal|scaled", re.IGNORECASE)


@rule(
    "sizes-of-the-set",
    title="Are the images of the size that the paper says?",
    assumes="The paper used the version of the set whose files were measured here.",
)
def sizes_of_the_set(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""**Statement.** The size that a paper gives to the images of a set, not to patches or to resized ones, is that of
    images in its files.

    **Derivation.** Measured (`data/facts`). Height and width may stand in either order, as papers do not agree on it.

    **How sure.** `inconsistent`; `not testable here` where the files could not be had.
    """
    for (dataset, row, _), pair in _pairs(claims).items():
        if row or dataset not in registry.entries() or dataset == "synthetic":
            continue
        real = part(dataset, pair[0].split)
        said = _size(pair)
        if real is None:
            why = f"The files of {dataset} could not be had."
            yield finding(pair, "sizes-of-the-set", "not testable here", why)
        elif said in real.sizes_px or said[::-1] in real.sizes_px:
            yield finding(pair, "sizes-of-the-set", "fine", "Images of the set have this size.")
        else:
            sizes = ", ".join(f"{width} x {height}" for height, width in real.sizes_px)
            why = f"{said[1]} x {said[0]} px, while the files hold {sizes}; other versions of the set may exist."
            yield finding(pair, "sizes-of-the-set", "inconsistent", why)


@rule(
    "input-sizes-exchanged",
    title="Do two sets have each other's input size?",
    assumes="Sets are given to the network at their own size, as a paper says that calls both sizes.",
)
def input_sizes_exchanged(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""**Statement.** If the input size of set $A$ is a size of the images of $B$ and none of $A$, and that of $B$ is
    one of $A$ and none of $B$, the two are exchanged.

    **Derivation.** From the sizes that the paper itself prints for images and for inputs. Two sets that are both
    resized could meet each other's size by intent, but a paper that keeps images at their own size cannot; so an input
    that is said to be resized is not accused. Height and width count in either order.

    **How sure.** `inconsistent`, since the exchange restores agreement; resizing each set to the other's size is the
    only other reading.
    """
    pairs = _pairs(claims)
    inputs = {key: pair for key, pair in pairs.items() if "input" in key[1].lower()}
    own: dict[str, set[Size]] = {}
    for key in pairs.keys() - inputs.keys():
        own.setdefault(key[0], set()).add(_turned(_size(pairs[key])))
    for one, two in combinations(inputs, 2):
        if one[0] == two[0]:
            continue
        mine, other = own.get(one[0]), own.get(two[0])
        if not mine or not other:
            continue
        first, second = _size(inputs[one]), _size(inputs[two])
        crossed = _turned(first) in other - mine and _turned(second) in mine - other
        crossed = crossed and not any(_RESIZED.search(f"{c.row} {quoted(c)}") for c in (*inputs[one], *inputs[two]))
        involved = [*inputs[one], *inputs[two]]
        if crossed:
            why = (
                f"{one[0]} is given at {first[1]} x {first[0]} px, a size of the images of {two[0]}, and {two[0]} at "
                f"{second[1]} x {second[0]}, a size of those of {one[0]}: exchanged."
            )
            yield finding(involved, "input-sizes-exchanged", "inconsistent", why)
        else:
            yield finding(involved, "input-sizes-exchanged", "fine", "The two are not exchanged.")


def _pairs(claims: Sequence[Claim]) -> dict[tuple[str, str, str], list[Claim]]:
    """Height and width that stand together, by data set, row and place with split."""
    found: dict[tuple[str, str, str], dict[str, Claim]] = {}
    for one in claims:
        if one.metric in ("height_px", "width_px") and one.dataset != "none" and whole(one):
            found.setdefault((one.dataset, one.row, f"{one.location}, {one.split}"), {})[one.metric] = one
    return {key: [pair["height_px"], pair["width_px"]] for key, pair in found.items() if len(pair) == 2}


def _turned(size: Size) -> Size:
    """Papers print height and width in either order."""
    return min(size), max(size)


def _size(pair: list[Claim]) -> Size:
    height, width = (whole(one) or 0 for one in pair)
    return height, width
