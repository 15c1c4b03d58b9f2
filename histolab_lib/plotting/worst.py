"""The images that a recorded run scores worst on: their pictures where data and predictions are, else their scores."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from histolab_lib import datasets
from histolab_lib.choices import choose
from histolab_lib.datasets.registry import entries, status
from histolab_lib.datasets.sequence import TileSequence
from histolab_lib.plotting.look import PALETTE, check_there, finish, panels, rgb, style
from histolab_lib.plotting.tissue import EXTRA, HIT, MISSED, error_map, grey, outlines, short_name
from histolab_lib.record import Record, load_prediction
from histolab_lib.results import ranked, score_name, words
from histolab_lib.scoring import METRICS, score
from histolab_lib.tile import Tile

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_worst"]

_OF_PIXELS = ("dice", "iou", "precision", "recall", "f1")  # no outline tells anything about these
_PANEL_IN = 1.5
# Ten panels of noisy tissue make a figure of less than 400 kB with so many pixels on the longer side, and colours.
_MOST_PX, _COLOURS = 200, 8


class _Image(NamedTuple):
    split: str
    row: Mapping[str, Any]
    score: float


class _Shown(NamedTuple):
    tile: Tile
    pred: npt.NDArray[np.int32]
    score: float


def draw_worst(
    record: Record,
    metric: str,
    *,
    sets: Collection[str],
    n: int = 5,
    split: str | None = None,
    crop_px: int | None = None,
) -> "Figure":
    """Draw the images that a run scores worst on: a column for each, tissue above, what was found and missed below.

    That needs the set, and what the run predicted (`histolab_lib.record.predictions_dir`). Where either is missing the
    scores are drawn, which are in the record: a line for each of the worst images, by name, and all others in one.

    Parameters
    ----------
    record : Record
    metric : str
        One of ``scoring.METRICS``. The worst distance is the largest one, any other score's the smallest.
    sets : collection of str
        Real sets whose tissue may be drawn: ``run.sets`` in a chapter, so that the pipeline knows what is on the page
        and can leave it out where it is published. Synthetic tissue needs no leave.
    n : int
        How many images; all of them where there are fewer.
    split : str, optional
        One test split alone; None: all of the record's.
    crop_px : int, optional
        Draw of each tile only the square of this side with the most pixels wrong (the first of several): what objects
        as small as nuclei need. The score is still that of the whole tile. None: whole tiles.

    Raises
    ------
    ValueError
        If the metric or the split is unknown, or `n` or `crop_px` is below 1.
    DataError
        If a file of a set that is there cannot be read.

    Notes
    -----
    A prediction is drawn only if every count and score of it is the record's when it is scored again. One that is
    missing, or another run's, is reason enough to draw scores; the line above them names it.

    Undefined scores (NaN: nothing there and nothing found) come first, and so do infinite distances; both are called
    by their names. Large tiles are thinned, not stretched. Colours are those of `draw_errors`. For scores of objects
    there are outlines, too: true ones in yellow above, predicted ones in black below.
    """
    choose("metric", metric, METRICS)
    check_there("images", record.images, crop_px)
    if n < 1:
        raise ValueError(f"n must be at least 1 image, got {n}")
    images = [_Image(part, row, float(row[metric])) for part, row in ranked(record, metric, split)]
    worst = images[:n]
    found = _found(record, worst, sets)
    if isinstance(found, str):
        return _strip(worst, images[n:], metric, found)
    return _pictures(found, metric, crop_px)


def _found(record: Record, worst: Sequence[_Image], sets: Collection[str]) -> list[_Shown] | str:
    """The tiles and what was predicted on them, or the reason why they cannot be drawn."""
    there, entry = status(record.dataset).found, entries()[record.dataset]
    if not there or (entry.folder and record.dataset not in sets):
        return f"this page was made without the tiles of {entry.title.partition(':')[0]}"
    splits = dict.fromkeys(image.split for image in worst)
    tiles = {split: cast("TileSequence", datasets.load(record.dataset, split, **record.options)) for split in splits}
    shown = []
    for image in worst:
        one = _checked(record, image, tiles[image.split])
        if isinstance(one, str):
            return one
        shown.append(one)
    return shown


def _checked(record: Record, image: _Image, tiles: TileSequence) -> _Shown | str:
    """One tile and the prediction that was scored on it, or why one of them is not that of the record."""
    name = str(image.row["name"])
    pred = load_prediction(record.name, image.split, name)
    if pred is None:
        return f"the prediction of {short_name(name)} is not on this machine"
    if name not in tiles.names:
        return f"the set on this machine has no tile {short_name(name)}"
    (tile,) = tiles.select([name])
    if pred.shape != tile.shape:
        return f"the prediction of {short_name(name)} on this machine has another size than the tile"
    if other := _first_other(score(tile, pred), image.row):
        whose = "truth" if other.startswith("true_") else "prediction"
        return f"the {whose} of {short_name(name)} on this machine is not that of the record"
    return _Shown(tile, pred, image.score)


def _first_other(again: Mapping[str, Any], row: Mapping[str, Any]) -> str | None:
    """The first count or score that is not the record's; sums in another order may differ in their last digits."""
    for key, value in again.items():
        if key not in row:
            return key
        if value != row[key] and (isinstance(value, str) or not np.isclose(value, row[key], rtol=1e-9, equal_nan=True)):
            return key
    return None


def _pictures(shown: Sequence[_Shown], metric: str, crop_px: int | None) -> "Figure":
    from matplotlib.patches import Patch

    seen = [_seen(tile, pred, crop_px) for tile, pred, _ in shown]
    tall = max(image.shape[0] / image.shape[1] for image, _, _ in seen)
    with style():
        figure, axes = panels(2 * len(shown), len(shown), _PANEL_IN)
        figure.set_size_inches(max(2, len(shown)) * _PANEL_IN, 2 * _PANEL_IN * min(1, tall) + 0.9)
        for i, (image, true, pred) in enumerate(seen):
            tissue, agreement = _fewer(image), error_map(_pale(image), true > 0, pred > 0)
            if metric not in _OF_PIXELS:
                tissue[outlines(true)] = rgb(EXTRA)
                agreement[outlines(pred)] = 0
            axes[i].imshow(tissue)
            axes[i].set_title(f"{short_name(shown[i].tile.name)}\n{_words(shown[i].score, metric)}", fontsize=8)
            axes[len(shown) + i].imshow(agreement)
        keys = [
            Patch(color=HIT, label="found"),
            Patch(color=MISSED, label="missed"),
            Patch(color=EXTRA, label="invented"),
        ]
        figure.legend(handles=keys, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
        figure.suptitle(score_name(metric) + (" of the whole tile" if crop_px else ""), fontsize=9)
    return finish(figure)


def _seen(tile: Tile, pred: npt.NDArray[np.int32], crop_px: int | None) -> tuple[npt.NDArray[Any], ...]:
    """Image, truth and prediction as they are drawn: the worst part of the tile, thinned."""
    from PIL import Image

    part = _worst_part((tile.instances > 0) != (pred > 0), crop_px)
    image, true, pred = tile.image[part], tile.instances[part], pred[part]
    step = -(-max(true.shape) // _MOST_PX)
    return np.asarray(Image.fromarray(image).reduce(step)), true[::step, ::step], pred[::step, ::step]


def _fewer(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """A copy in few colours, its own."""
    from PIL import Image

    few = Image.fromarray(image).quantize(_COLOURS, dither=Image.Dither.NONE)
    return np.array(few.convert("RGB"))


def _pale(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The image as a ground for colours: soft, pale, and in four greys."""
    from scipy.ndimage import uniform_filter

    soft = uniform_filter(grey(image), (3, 3, 0))
    return (soft // 64 * 32 + 144).astype(np.uint8)


def _worst_part(wrong: npt.NDArray[np.bool_], side_px: int | None) -> tuple[slice, slice]:
    """The square of this side, or as much of one as the tile has, with the most wrong pixels; the first of several."""
    if side_px is None:
        return slice(None), slice(None)
    height, width = (min(side_px, side) for side in wrong.shape)
    sums = np.pad(wrong.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    inside = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
    top, left = np.unravel_index(inside.argmax(), inside.shape)
    return slice(int(top), int(top) + height), slice(int(left), int(left) + width)


def _strip(worst: Sequence[_Image], others: Sequence[_Image], metric: str, why: str) -> "Figure":
    """A line for each of the worst images, and one for all others."""
    import matplotlib.pyplot as plt

    names = [short_name(str(image.row["name"])) for image in worst]
    lines = [*names, *([f"the other {len(others)}"] if others else [])]
    with style():
        figure, ax = plt.subplots(figsize=(8, 0.27 * len(lines) + 1.0))
        for y, image in enumerate(worst):
            _dot(ax, y, image, metric)
        dots: dict[str, Any] = {"s": 28, "color": PALETTE["sky"], "edgecolor": PALETTE["blue"], "alpha": 0.7}
        ax.scatter([image.score for image in others], [len(worst)] * len(others), **dots)
        ax.set(yticks=range(len(lines)), yticklabels=lines, ylim=(len(lines) - 0.5, -0.5))
        ax.set(xlabel=f"{score_name(metric)} of each image")
        ax.margins(x=0.08)
        ax.grid(axis="y", color="0.9")
        ax.set_axisbelow(True)
        ax.set_title(f"Scores, no pictures: {why}.", fontsize=8.5, loc="left")
    return finish(figure)


def _dot(ax: "Axes", y: int, image: _Image, metric: str) -> None:
    """One of the worst: a dot with its number, or, where there is no place on the axis, what it is instead."""
    where: dict[str, Any] = {"textcoords": "offset points", "xytext": (6, 0), "va": "center", "fontsize": 8}
    if math.isfinite(image.score):
        ax.scatter([image.score], [y], s=28, color=PALETTE["vermilion"], edgecolor=PALETTE["black"])
        ax.annotate(_words(image.score, metric), (image.score, y), **where)
    else:
        ax.annotate(_words(image.score, metric), (0, y), xycoords=("axes fraction", "data"), **where)


def _words(score: float, metric: str) -> str:
    return "undefined" if math.isnan(score) else "infinite" if math.isinf(score) else words(score, metric)
