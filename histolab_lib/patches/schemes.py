"""How each of the five papers cuts its tiles."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from histolab_lib.patches.windows import Window, corners, quarters, windows

__all__ = ["SCHEMES", "Scheme"]


@dataclass(frozen=True)
class Scheme:
    """One way of cutting, and where it comes from.

    Attributes
    ----------
    paper : str
        Key of the paper.
    says : str
        What is written, and where.
    ours : str
        What we had to decide, and why; empty where nothing was open.
    place : callable
        From the shape of a tile (height, width) to its windows.
    resize_px : (int, int) or None
        Height and width that every tile is brought to first (`resize`).
    changed_whole : bool
        Whether augmentation comes before cutting: a patch then shows what lies around it where it turns, and mirrored
        tissue only beyond the border of its tile. Else each patch is changed by itself.
    """

    paper: str
    says: str
    ours: str
    place: Callable[[tuple[int, int]], tuple[Window, ...]]
    resize_px: tuple[int, int] | None = None
    changed_whole: bool = False

    def windows(self, shape: tuple[int, int]) -> tuple[Window, ...]:
        """Windows on a tile of this height and width, after `resize_px` where there is one.

        Examples
        --------
        >>> len(SCHEMES["histoseg"].windows((1000, 1000))), len(SCHEMES["histoseg_text"].windows((1000, 1000)))
        (49, 9)
        >>> SCHEMES["gland_linknet"].windows((522, 775))[0]
        Window(top=0, left=0, height=288, width=416)
        """
        return self.place(self.resize_px or shape)


def _whole(shape: tuple[int, int]) -> tuple[Window, ...]:
    return (Window(0, 0, *shape),)


#: By name. Windows that overhang are to be cut with a padding.
SCHEMES: Mapping[str, Scheme] = MappingProxyType(
    {
        "histoseg": Scheme(
            "histoseg",
            "Table I counts 1470 training and 686 validation patches of MoNuSeg, that is 49 of each of 30 and "
            "14 tiles. The authors' patch tool has a step of 120 by default, no padding, the ragged border dropped.",
            "Any step from 107 to 124 gives 49; 120 is the tool's.",
            partial(windows, size_px=256, step_px=120, border="drop"),
        ),
        "histoseg_text": Scheme(
            "histoseg",
            "Section IV-A: sliding windows of 256 with a step of 256 to avoid overlap.",
            "Border dropped, as the tool does. Gives 9 of a tile of MoNuSeg, 270 of 30: not the counts of Table I.",
            partial(windows, size_px=256, step_px=256, border="drop"),
        ),
        "msal_net": Scheme(
            "msal_net",
            "512 x 512 from the 4 corners of each image, 176 patches in total, 120 of them for training (data sets).",
            "The text says resized; taken as cut, since corners of a resized tile have no meaning. Overlap 24 px.",
            partial(corners, size_px=512),
        ),
        "gland_linknet": Scheme(
            "gland_linknet",
            "Section III-A: all images resized to 832 x 576, augmented, then four crops of the same size.",
            "832 is the width. Four equal crops without overlap: quarters of 416 x 288.",
            quarters,
            resize_px=(576, 832),
            changed_whole=True,
        ),
        "dan_nucnet": Scheme(
            "dan_nucnet",
            "Section 4.1: 256 x 256 patches, 16 from 1024 x 1024. What has no label is removed; what is neither 20x "
            "nor 40x is zoomed to one of them (`resample`).",
            "What happens to a ragged border is open: padded, so that patches do not overlap and every pixel of a test "
            "tile is scored.",
            partial(windows, size_px=256, step_px=256, border="pad"),
        ),
        "haru_net": Scheme(
            "haru_net",
            "Section 4.3: all sets at their original size. The evaluation on MoNuSeg speaks of cropping and flipping "
            "to 240 training images.",
            "No cropping: 240 is 30 tiles in 8 positions each, as the released code makes them (which then shrinks "
            "them to 0.3 of their sides to train).",
            _whole,
        ),
    }
)
