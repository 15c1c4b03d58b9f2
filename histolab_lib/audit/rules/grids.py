"""How many windows lie on a set of images, for any step and any way to end at the border."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from histolab_lib.patches import BORDERS, positions

__all__ = ["Grid", "ranges"]


@dataclass(frozen=True)
class Grid:
    """Images to be cut.

    Attributes
    ----------
    images : mapping of (int, int) to int
        How many images have each height and width, in pixels.
    window_px : (int, int)
        Height and width of a window.

    Examples
    --------
    >>> tiles = Grid({(1000, 1000): 30}, (256, 256))
    >>> tiles.total(256, "drop"), tiles.total(256, "shift")
    (270, 480)
    >>> tiles.steps(1470)["drop"][0], tiles.steps(1470)["drop"][-1]
    (107, 124)
    """

    images: Mapping[tuple[int, int], int]
    window_px: tuple[int, int]

    def total(self, step_px: int, border: str) -> int:
        """Windows on all images together; every one of the grid counts."""
        height, width = self.window_px
        return sum(
            number * _places(rows, height, step_px, border) * _places(columns, width, step_px, border)
            for (rows, columns), number in self.images.items()
        )

    def totals(self) -> dict[tuple[int, str], int]:
        """All that can be had, by step and border: steps up to the longest side, beyond which nothing changes."""
        longest = max(max(size) for size in self.images)
        return {(step, border): self.total(step, border) for border in BORDERS for step in range(1, longest + 1)}

    def steps(self, total: int) -> dict[str, list[int]]:
        """Return the steps that give exactly so many windows, by border; without those borders that never do."""
        found: dict[str, list[int]] = {}
        for (step, border), windows in self.totals().items():
            if windows == total:
                found.setdefault(border, []).append(step)
        return found

    def most(self, step_px: int) -> int:
        """The most windows that any border gives at this step."""
        return max(self.total(step_px, border) for border in BORDERS)


def ranges(steps: Mapping[str, list[int]]) -> str:
    """Say which steps these are.

    Examples
    --------
    >>> ranges({"drop": [107, 108, 124], "shift": [124]})
    '107 to 124 px with the ragged border dropped, 124 px with the last window shifted inside'
    """
    ends = {
        "drop": "with the ragged border dropped",
        "shift": "with the last window shifted inside",
        "pad": "with the last window padded",
    }
    return ", ".join(
        f"{steps[border][0]}{f' to {steps[border][-1]}' if len(steps[border]) > 1 else ''} px {ends[border]}"
        for border in BORDERS
        if border in steps
    )


@cache
def _places(length_px: int, size_px: int, step_px: int, border: str) -> int:
    if length_px < size_px and border == "shift":
        return 0
    return len(positions(length_px, size_px, step_px, border=border))
