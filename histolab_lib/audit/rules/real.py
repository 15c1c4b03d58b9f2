"""What was counted in the files of a set, by the splits that papers speak of."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from histolab_lib.data_dir import DataError
from histolab_lib.datasets import facts

__all__ = ["COUNTED", "Part", "drawn_by_authors", "part"]

#: What a paper may rightly call the number of nuclei or glands: fields of ``data/facts``.
COUNTED = ("objects", "regions", "objects_as_published", "components_4", "components_8")
_TOGETHER = {("glas", "test"): ("testA", "testB")}


@dataclass(frozen=True)
class Part:
    """A split of a set, or several together.

    Attributes
    ----------
    images : int
    sizes_px : mapping of (int, int) to int
        Images of each height and width.
    objects : mapping of str to int
        How many nuclei or glands, by the way of counting, of `COUNTED`.
    organs, um_per_px : mapping of str to int
        Images of each organ and of each known pixel size.
    patients : mapping of str to int
        Images of each; empty where the set does not tell.
    per_image : (int, int), optional
        Objects of the image with the fewest and of that with the most.
    """

    images: int
    sizes_px: Mapping[tuple[int, int], int]
    objects: Mapping[str, int]
    organs: Mapping[str, int]
    um_per_px: Mapping[str, int]
    patients: Mapping[str, int]
    per_image: tuple[int, int] | None


@cache
def part(dataset: str, split: str) -> Part | None:
    """Return what the files hold; None for a set or split of which no facts have been written.

    Examples
    --------
    >>> part("glas", "test").images, part("monuseg", "test").objects["regions"], part("pannuke", "all")
    (80, 6697, None)
    """
    kept = _facts(dataset)
    if kept is None:
        return None
    splits = [kept["splits"].get(name) for name in _TOGETHER.get((dataset, split), (split,))]
    return None if None in splits else _merged(splits)


@cache
def drawn_by_authors(dataset: str) -> bool:
    """Whether the set has no split of its own, so that each paper draws one.

    Examples
    --------
    >>> drawn_by_authors("tnbc"), drawn_by_authors("kumar"), drawn_by_authors("monuseg")
    (True, False, False)
    """
    versions = (_facts(dataset) or {}).get("versions", {})
    tests = {version["tiles"]["test"] for version in versions.values()}
    return len(tests) > 1


@cache
def _facts(dataset: str) -> dict[str, Any] | None:
    try:
        kept = facts.read(dataset)
    except DataError:
        return None
    return kept if "splits" in kept else None


def _extremes(told: list[dict[str, int] | None]) -> tuple[int, int] | None:
    kept = [one for one in told if one]
    return (min(o["fewest"] for o in kept), max(o["most"] for o in kept)) if len(kept) == len(told) else None


def _merged(splits: list[dict[str, Any]]) -> Part:
    sizes: Counter[tuple[int, int]] = Counter()
    tables: dict[str, Counter[str]] = {"organs": Counter(), "um_per_px": Counter(), "patients": Counter()}
    for one in splits:
        for size, images in one["sizes_px"].items():
            height, width = map(int, size.split("x"))
            sizes[height, width] += images
        for name, table in tables.items():
            table.update({key: count for key, count in one.get(name, {}).items() if key != "unknown"})
    return Part(
        images=sum(one["tiles"] for one in splits),
        sizes_px=dict(sizes),
        objects={name: sum(one[name] for one in splits) for name in COUNTED if all(name in one for one in splits)},
        organs=dict(tables["organs"]),
        um_per_px=dict(tables["um_per_px"]),
        patients=dict(tables["patients"]),
        per_image=_extremes([one.get("objects_per_tile") for one in splits]),
    )
