"""One palette and one style for every figure of the book; all figures that more than one chapter draws."""

from collections.abc import Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from histolab_lib.metrics import ERROR_NAMES, errors
from histolab_lib.tile import Tile

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "PALETTE",
    "draw_errors",
    "draw_errors_by_object",
    "draw_instances",
    "draw_learning",
    "draw_scores",
    "draw_stains",
    "draw_table",
    "draw_tiles",
    "error_map",
    "outlines",
    "short_name",
    "style",
]

#: Okabe and Ito (2008): distinguishable with every common form of colour blindness.
PALETTE: Mapping[str, str] = {
    "black": "#000000",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "vermilion": "#D55E00",
    "purple": "#CC79A7",
}

_HIT, _MISSED, _EXTRA = PALETTE["sky"], PALETTE["vermilion"], PALETTE["yellow"]
#: Colour of each class of `metrics.ERROR_NAMES` but background; the first three as in the map of pixels.
_CLASS_COLOURS = dict(zip(ERROR_NAMES[1:], (_HIT, _MISSED, _EXTRA, PALETTE["purple"], PALETTE["green"]), strict=True))
#: What objects are told apart by; the same as in the interactive figures.
_OBJECT_COLOURS = [PALETTE[c] for c in ("sky", "orange", "green", "purple", "vermilion", "yellow", "blue")]


@contextmanager
def style() -> Iterator[None]:
    """Draw in the book's style inside a ``with`` block; the reader's own settings are left alone."""
    from matplotlib import rc_context
    from matplotlib.rcsetup import cycler

    settings: dict[Any, Any] = {
        "figure.dpi": 150,
        "savefig.dpi": 150,
        "figure.constrained_layout.use": True,
        "font.size": 10,
        "axes.titlesize": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.prop_cycle": cycler(color=[PALETTE[c] for c in ("blue", "vermilion", "green", "orange", "purple")]),
        "image.interpolation": "nearest",
    }
    with rc_context(settings):
        yield


def outlines(instances: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.bool_]:
    """Return the pixels of each object that touch another object or the background, shape (H, W).

    Touching objects both keep their outline, so a pair is seen as two.

    Examples
    --------
    >>> import numpy as np
    >>> outlines(np.array([[0, 1, 1, 2], [0, 1, 1, 2]])).astype(int)
    array([[0, 1, 1, 1],
           [0, 1, 1, 1]])
    """
    from skimage.segmentation import find_boundaries

    return find_boundaries(instances, mode="inner", background=0)


def _done(figure: "Figure") -> "Figure":
    """Take a figure out of pyplot's hands: a notebook would show it once as the cell's value and once as leftover."""
    import matplotlib.pyplot as plt

    plt.close(figure)
    return figure


def _check(what: str, items: Sized, crop_px: int | None = None) -> None:
    if len(items) == 0:
        raise ValueError(f"{what} is empty: there is nothing to draw")
    if crop_px is not None and crop_px < 1:
        raise ValueError(f"crop_px must be at least 1 pixel, or None for whole tiles, got {crop_px}")


def _panels(count: int, columns: int, size: float) -> "tuple[Figure, list[Axes]]":
    import matplotlib.pyplot as plt

    columns = min(columns, count)
    rows = -(-count // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(size * columns, size * rows + 0.3), squeeze=False)
    flat = list(axes.flat)
    for ax in flat:
        ax.set_axis_off()
    return figure, flat[:count]


def short_name(name: str) -> str:
    """Return a tile's name as short as a title can be.

    Examples
    --------
    >>> short_name("TCGA-18-5592-01Z-00-DX1"), short_name("synthetic-mixed-256px-seed0-test-0003")
    ('TCGA-18-5592', 'synthetic, test 0003')
    """
    if name.startswith("synthetic-"):
        return f"synthetic, {' '.join(name.split('-')[-2:])}"
    return "-".join(name.split("-")[:3]) if name.startswith("TCGA-") else name


def draw_tiles(tiles: Sequence[Tile], *, columns: int = 3, crop_px: int | None = None) -> "Figure":
    """Draw tiles with the outline of every object in yellow.

    Parameters
    ----------
    tiles : sequence of Tile
    columns : int
        Panels in a row.
    crop_px : int, optional
        Show only so many pixels of the upper left corner, so that nuclei are large enough to see.
    """
    _check("tiles", tiles, crop_px)
    with style():
        figure, axes = _panels(len(tiles), columns, 2.6)
        for ax, tile in zip(axes, tiles, strict=True):
            window = slice(0, crop_px)
            image, instances = tile.image[window, window].copy(), tile.instances[window, window]
            image[outlines(instances)] = _rgb(_EXTRA)
            ax.imshow(image)
            ax.set_title(
                short_name(tile.name) if tile.organ is None else f"{short_name(tile.name)} ({tile.organ})", fontsize=8
            )
    return _done(figure)


def draw_stains(
    image: npt.NDArray[np.uint8], hematoxylin: npt.NDArray[np.floating], eosin: npt.NDArray[np.floating]
) -> "Figure":
    """Draw an image beside the amounts of its two stains, both on one scale from their 1st to 99th percentile."""
    with style():
        figure, axes = _panels(3, 3, 2.7)
        axes[0].imshow(image)
        axes[0].set_title("as scanned")
        low, high = np.percentile(np.stack([hematoxylin, eosin]), [1, 99])
        for ax, values, name, colours in (
            (axes[1], hematoxylin, "hematoxylin", "Purples"),
            (axes[2], eosin, "eosin", "RdPu"),
        ):
            ax.imshow(values, cmap=colours, vmin=low, vmax=high)
            ax.set_title(name)
    return _done(figure)


def draw_learning(losses: Sequence[float], validation: Mapping[int, float], *, floor: float | None = None) -> "Figure":
    """Draw the loss of each step with its running mean, and beside it the Dice of held-out tiles.

    Parameters
    ----------
    losses : sequence of float
        One a step.
    validation : mapping of int to float
        Mean Dice after so many steps.
    floor : float, optional
        Dice without learning, as a dashed line.
    """
    import matplotlib.pyplot as plt

    _check("losses", losses)
    with style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(8, 2.8))
        steps = np.arange(1, len(losses) + 1)
        left.plot(steps, losses, color=PALETTE["sky"], linewidth=0.8, alpha=0.7, label="each batch")
        window = max(1, len(losses) // 15)
        mean = np.convolve(losses, np.ones(window) / window, mode="valid")
        left.plot(steps[window - 1 :], mean, color=PALETTE["blue"], label=f"mean of {window}")
        left.set(xlabel="step", ylabel="loss", ylim=(0, None))
        left.legend(frameon=False)
        right.plot(list(validation), list(validation.values()), "o-", color=PALETTE["vermilion"], label="network")
        if floor is not None:
            right.axhline(floor, linestyle="--", color=PALETTE["black"], linewidth=1, label="without learning")
        right.set(xlabel="step", ylabel="Dice on held-out tiles", ylim=(0, 1))
        right.legend(frameon=False, loc="lower right")
    return _done(figure)


def error_map(
    image: npt.NDArray[np.uint8], true: npt.NDArray[np.bool_], pred: npt.NDArray[np.bool_]
) -> npt.NDArray[np.uint8]:
    """Tint an image by agreement: blue where both see nucleus, red where it was missed, yellow where it was invented.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
    true, pred : ndarray of bool, shape (H, W)

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
    """
    if not image.shape[:2] == true.shape == pred.shape:
        raise ValueError(f"image {image.shape}, true {true.shape} and pred {pred.shape} must have one size")
    grey = _grey(image)
    for region, colour in ((true & pred, _HIT), (true & ~pred, _MISSED), (~true & pred, _EXTRA)):
        grey[region] = 0.35 * grey[region] + 0.65 * np.array(_rgb(colour))
    return grey.round().astype(np.uint8)


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def draw_errors(
    tiles: Sequence[Tile],
    masks: Sequence[npt.NDArray[np.bool_]],
    scores: Sequence[float],
    *,
    crop_px: int | None = None,
) -> "Figure":
    """Draw predictions tile by tile: the tissue above, its agreement map below, the tile's Dice in the title.

    Parameters
    ----------
    tiles : sequence of Tile
    masks : sequence of ndarray of bool, shape (H, W)
        What was predicted, one a tile.
    scores : sequence of float
        Dice of each whole tile.
    crop_px : int, optional
        Show only so many pixels of the upper left corner.
    """
    from matplotlib.patches import Patch

    _check("tiles", tiles, crop_px)
    if not len(tiles) == len(masks) == len(scores):
        raise ValueError(f"got {len(tiles)} tiles, {len(masks)} masks and {len(scores)} scores; one of each is needed")
    with style():
        figure, axes = _panels(2 * len(tiles), len(tiles), 2.6)
        window = slice(0, crop_px)
        for i, (tile, mask, score) in enumerate(zip(tiles, masks, scores, strict=True)):
            image, true = tile.image[window, window], tile.mask[window, window]
            axes[i].imshow(image)
            axes[i].set_title(f"{short_name(tile.name)}\nDice {score:.2f}", fontsize=8)
            axes[len(tiles) + i].imshow(error_map(image, true, mask[window, window]))
        keys = [
            Patch(color=_HIT, label="found"),
            Patch(color=_MISSED, label="missed"),
            Patch(color=_EXTRA, label="invented"),
        ]
        figure.legend(handles=keys, loc="outside lower center", ncols=3, frameon=False)
    return _done(figure)


def draw_instances(
    image: npt.NDArray[np.uint8],
    maps: Mapping[str, npt.NDArray[Any]],
    *,
    points: Mapping[str, npt.NDArray[np.integer[Any]]] | None = None,
    columns: int = 3,
) -> "Figure":
    """Draw one image several times, once for each map: objects in colours, masks in black and white, numbers shaded.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
    maps : mapping of str to ndarray, shape (H, W)
        Title, then what to draw: integers are an instance map, whose objects are tinted so that neighbours differ;
        bool is a mask; float is a map from dark (low) to bright. An array (H, W, 3) is shown as it is.
    points : mapping of str to ndarray of integers, shape (n, 2)
        Rows and columns to mark in the map of that title, such as seeds.
    columns : int
        Panels in a row.

    Raises
    ------
    ValueError
        If there are no maps, one has another size than the image, or points belong to no map.
    """
    _check("maps", maps)
    points = points or {}
    if lost := set(points) - set(maps):
        raise ValueError(f"points for {', '.join(sorted(lost))}, but maps has only {', '.join(maps)}")
    with style():
        figure, axes = _panels(len(maps), columns, 2.7 if columns > 2 else 3.4)
        for ax, (name, values) in zip(axes, maps.items(), strict=True):
            _check_size(image, {name: values})
            if values.dtype.kind in "iu" and values.ndim == 2:
                ax.imshow(_tinted(image, values))
            else:
                ax.imshow(values, cmap="gray" if values.dtype == bool else "cividis")
            if name in points:
                ax.plot(*points[name].T[::-1], "o", color=_MISSED, markeredgecolor="white", markersize=4)
            ax.set_title(name)
    return _done(figure)


def _tinted(image: npt.NDArray[np.uint8], instances: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.uint8]:
    """The image in grey, each object in a colour, its outline in full."""
    shown = _grey(image)
    edge = outlines(instances)
    table = np.zeros((int(instances.max(initial=0)) + 1, 3))
    for label, colour in _colouring(instances).items():
        table[label] = _rgb(_OBJECT_COLOURS[colour])
    inside = instances > 0
    shown[inside] = 0.45 * shown[inside] + 0.55 * table[instances[inside]]
    shown[edge] = table[instances[edge]]
    return shown.round().astype(np.uint8)


def _colouring(instances: npt.NDArray[np.integer[Any]]) -> dict[int, int]:
    """A colour for each id, another one than any object within two pixels has wherever there are enough colours."""
    near: dict[int, set[int]] = {int(label): set() for label in np.unique(instances) if label}
    height, width = instances.shape
    for down, right in ((0, 1), (0, 2), (1, -1), (1, 0), (1, 1), (2, 0)):
        here = instances[: height - down, max(0, -right) : width - max(0, right)]
        there = instances[down:, max(0, right) : width - max(0, -right)]
        for pair in np.unique(np.stack([here, there])[:, (here != there) & (here > 0) & (there > 0)], axis=1).T:
            near[int(pair[0])].add(int(pair[1]))
            near[int(pair[1])].add(int(pair[0]))
    colours: dict[int, int] = {}
    for place, label in enumerate(near):  # in turn, so that the picture is colourful
        turn = [(place + step) % len(_OBJECT_COLOURS) for step in range(len(_OBJECT_COLOURS))]
        taken = {colours.get(other) for other in near[label]}
        colours[label] = next((colour for colour in turn if colour not in taken), turn[0])
    return colours


def draw_errors_by_object(
    image: npt.NDArray[np.uint8],
    true: npt.NDArray[np.integer[Any]],
    preds: Mapping[str, npt.NDArray[np.integer[Any]]],
    *,
    columns: int = 2,
) -> "Figure":
    """Draw what became of each object: the tissue with the true outlines, then `metrics.errors` of each prediction.

    Each true object, and each predicted pixel where there is no true one, has the colour of its class; black lines
    are the outlines of what was predicted.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
    true : ndarray of integers, shape (H, W)
    preds : mapping of str to ndarray of integers, shape (H, W)
        Title, then instance map.
    columns : int
        Panels in a row.
    """
    from matplotlib.patches import Patch

    _check("preds", preds)
    _check_size(image, {"true": true, **preds})
    with style():
        figure, axes = _panels(1 + len(preds), columns, 3.4)
        tissue = image.copy()
        tissue[outlines(true)] = _rgb(_EXTRA)
        axes[0].imshow(tissue)
        axes[0].set_title("true outlines")
        for ax, (name, pred) in zip(axes[1:], preds.items(), strict=True):
            ax.imshow(_by_class(image, true, pred))
            ax.set_title(name)
        keys = [Patch(color=colour, label=name) for name, colour in _CLASS_COLOURS.items()]
        figure.legend(handles=keys, loc="outside lower center", ncols=len(keys), frameon=False)
    return _done(figure)


def _by_class(
    image: npt.NDArray[np.uint8], true: npt.NDArray[np.integer[Any]], pred: npt.NDArray[np.integer[Any]]
) -> npt.NDArray[np.uint8]:
    shown, codes = _grey(image), errors(true, pred).map
    for name, colour in _CLASS_COLOURS.items():
        region = codes == ERROR_NAMES.index(name)
        shown[region] = 0.3 * shown[region] + 0.7 * np.array(_rgb(colour))
    shown[outlines(pred)] = 0
    return shown.round().astype(np.uint8)


def _grey(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.floating[Any]]:
    return np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2)


def _check_size(image: npt.NDArray[np.uint8], maps: Mapping[str, npt.NDArray[Any]]) -> None:
    for name, values in maps.items():
        if values.shape[:2] != image.shape[:2]:
            raise ValueError(f"{name}: expected the image's size {image.shape[:2]}, got {values.shape}")


def draw_scores(scores: Mapping[str, Mapping[str, float]], *, score: str) -> "Figure":
    """Draw the score of every image as a dot, one row for each method, the means as bars.

    Parameters
    ----------
    scores : mapping of str to mapping of str to float
        Method, then image name, then its score. Images missing from a method are drawn for the others alone.
    score : str
        Name of the score, for the axis.
    """
    import matplotlib.pyplot as plt

    _check("scores", scores)
    with style():
        figure, ax = plt.subplots(figsize=(8, 0.7 * len(scores) + 0.9))
        methods = list(scores)
        shared = [name for name in scores[methods[0]] if all(name in scores[m] for m in methods)]
        for name in shared:
            ax.plot([scores[m][name] for m in methods], range(len(methods)), color="0.8", linewidth=0.8, zorder=1)
        for row, method in enumerate(methods):
            values = np.array(list(scores[method].values()))
            ax.scatter(
                values, np.full(values.size, row), s=28, color=PALETTE["sky"], edgecolor=PALETTE["blue"], zorder=2
            )
            ax.plot(
                [np.nanmean(values)] * 2, [row - 0.28, row + 0.28], color=PALETTE["vermilion"], linewidth=2, zorder=3
            )
        ax.set(
            yticks=range(len(methods)),
            yticklabels=methods,
            xlabel=f"{score}, one dot an image",
            ylim=(-0.5, len(methods) - 0.5),
        )
        ax.invert_yaxis()
    return _done(figure)


def draw_table(table: "pd.DataFrame", *, low: float, high: float) -> "Figure":
    """Draw a table of scores as a heat map with the numbers in it; undefined ones stay empty.

    Parameters
    ----------
    table : DataFrame of float
        One row a case, one column a score.
    low, high : float
        Scores drawn darkest and lightest.
    """
    import matplotlib.pyplot as plt
    import seaborn as sns

    _check("table", table)
    with style():
        figure, ax = plt.subplots(figsize=(0.95 * len(table.columns) + 1.6, 0.42 * len(table) + 0.9))
        sns.heatmap(table, vmin=low, vmax=high, cmap="cividis", annot=True, fmt=".2f", linewidths=1, cbar=False, ax=ax)
        ax.set(xlabel="", ylabel="")
        ax.tick_params(length=0)
        ax.xaxis.tick_top()
    return _done(figure)
