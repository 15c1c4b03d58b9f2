"""Instance maps: every object in a colour of its own, and what became of each."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from histolab_lib.metrics import ERROR_NAMES, errors
from histolab_lib.plotting.look import PALETTE, check_there, finish, folded, panels, rgb, style
from histolab_lib.plotting.tissue import EXTRA, HIT, MISSED, grey, outlines

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_errors_by_object", "draw_instances", "draw_rasters"]


#: Colour of each class of `metrics.ERROR_NAMES` but background; the first three as in the map of pixels.
_CLASS_COLOURS = dict(zip(ERROR_NAMES[1:], (HIT, MISSED, EXTRA, PALETTE["purple"], PALETTE["green"]), strict=True))

#: What objects are told apart by; the same as in the interactive figures.
_OBJECT_COLOURS = [PALETTE[c] for c in ("sky", "orange", "green", "purple", "vermilion", "yellow", "blue")]


def draw_instances(
    image: npt.NDArray[np.uint8],
    maps: Mapping[str, npt.NDArray[Any]],
    *,
    points: Mapping[str, npt.NDArray[np.integer[Any]]] | None = None,
    limits: tuple[float, float] | None = None,
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
    limits : (float, float), optional
        The values that are darkest and brightest in every map of floats, such as 0 and 1 for probabilities; a colour
        bar shows the scale. Without limits each map is drawn from its own lowest to its own highest value, and how
        bright one is says nothing beside another.
    columns : int
        Panels in a row.

    Raises
    ------
    ValueError
        If there are no maps, one has another size than the image, or points belong to no map; if limits are given and
        do not rise, or no map is of floats.
    """
    check_there("maps", maps)
    points = points or {}
    if lost := set(points) - set(maps):
        raise ValueError(f"points for {', '.join(sorted(lost))}, but maps has only {', '.join(maps)}")
    numbers = {name for name, values in maps.items() if values.dtype.kind == "f" and values.ndim == 2}
    low, high = _checked(limits, numbers)
    columns = min(columns, len(maps))
    with style():
        figure, axes = panels(len(maps), columns, 2.7 if columns > 2 else 3.4)
        scaled = []
        for ax, (name, values) in zip(axes, maps.items(), strict=True):
            _check_size(image, {name: values})
            if values.dtype.kind in "iu" and values.ndim == 2:
                ax.imshow(_tinted(image, values))
            elif name in numbers:
                scaled.append(ax.imshow(values, cmap="cividis", vmin=low, vmax=high))
            else:
                ax.imshow(values, cmap="gray")  # of an array (H, W, 3) the colours are its own
            if name in points:
                ax.plot(*points[name].T[::-1], "o", color=MISSED, markeredgecolor="white", markersize=4)
            ax.set_title(folded(name, figure.get_figwidth() / columns))
        if limits is not None:
            bar = figure.colorbar(scaled[-1], ax=axes, location="right", shrink=0.7, aspect=25)
            bar.ax.tick_params(labelsize=8)
    return finish(figure)


def _checked(limits: tuple[float, float] | None, numbers: set[str]) -> tuple[float | None, float | None]:
    """The ends of the common scale; None twice where there is none."""
    if limits is None:
        return None, None
    low, high = limits
    if not low < high:
        raise ValueError(f"limits must rise, such as (0, 1), got ({low}, {high})")
    if not numbers:
        raise ValueError("limits are the scale of maps of floats, and none of the maps is one")
    return low, high


def _tinted(image: npt.NDArray[np.uint8], instances: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.uint8]:
    """The image in grey, each object in a colour, its outline in full."""
    shown = grey(image)
    edge = outlines(instances)
    table = np.zeros((int(instances.max(initial=0)) + 1, 3))
    for label, colour in _colouring(instances).items():
        table[label] = rgb(_OBJECT_COLOURS[colour])
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


def draw_rasters(outline: npt.ArrayLike, masks: Mapping[str, npt.NDArray[np.bool_]]) -> "Figure":
    """Draw which pixels an outline covers, once for each rule, with the outline over them.

    Parameters
    ----------
    outline : array_like, shape (n, 2)
        Vertices as (x, y); a whole number is the centre of a pixel.
    masks : mapping of str to ndarray of bool, shape (H, W)
    """
    check_there("masks", masks)
    closed = np.vstack([outline, np.asarray(outline)[:1]])
    with style():
        figure, axes = panels(len(masks), len(masks), 2.7)
        for ax, (name, mask) in zip(axes, masks.items(), strict=True):
            shown = np.where(mask[..., None], rgb(HIT), 245).astype(np.uint8)
            ax.imshow(shown)
            height, width = mask.shape
            ax.hlines(np.arange(height + 1) - 0.5, -0.5, width - 0.5, color="white", linewidth=0.6)
            ax.vlines(np.arange(width + 1) - 0.5, -0.5, height - 0.5, color="white", linewidth=0.6)
            ax.plot(*closed.T, "o-", color=MISSED, markersize=3, linewidth=1.2)
            ax.set_title(f"{name}: {np.count_nonzero(mask)} pixels")
    return finish(figure)


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

    check_there("preds", preds)
    _check_size(image, {"true": true, **preds})
    with style():
        figure, axes = panels(1 + len(preds), columns, 3.4)
        tissue = image.copy()
        tissue[outlines(true)] = rgb(EXTRA)
        axes[0].imshow(tissue)
        axes[0].set_title("true outlines")
        for ax, (name, pred) in zip(axes[1:], preds.items(), strict=True):
            ax.imshow(_by_class(image, true, pred))
            ax.set_title(name)
        keys = [Patch(color=colour, label=name) for name, colour in _CLASS_COLOURS.items()]
        figure.legend(handles=keys, loc="outside lower center", ncols=len(keys), frameon=False)
    return finish(figure)


def _by_class(
    image: npt.NDArray[np.uint8], true: npt.NDArray[np.integer[Any]], pred: npt.NDArray[np.integer[Any]]
) -> npt.NDArray[np.uint8]:
    shown, codes = grey(image), errors(true, pred).map
    for name, colour in _CLASS_COLOURS.items():
        region = codes == ERROR_NAMES.index(name)
        shown[region] = 0.3 * shown[region] + 0.7 * np.array(rgb(colour))
    shown[outlines(pred)] = 0
    return shown.round().astype(np.uint8)


def _check_size(image: npt.NDArray[np.uint8], maps: Mapping[str, npt.NDArray[Any]]) -> None:
    for name, values in maps.items():
        if values.shape[:2] != image.shape[:2]:
            raise ValueError(f"{name}: expected the image's size {image.shape[:2]}, got {values.shape}")
