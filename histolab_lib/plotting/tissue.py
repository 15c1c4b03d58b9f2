"""Tissue as it is, its stains, and where a prediction agrees with the truth."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from histolab_lib.plotting.look import PALETTE, check_there, finish, folded, panels, rgb, style
from histolab_lib.tile import Tile

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "EXTRA",
    "HIT",
    "MISSED",
    "draw_errors",
    "draw_maps",
    "draw_stains",
    "draw_tiles",
    "error_map",
    "grey",
    "outlines",
    "short_name",
]


HIT, MISSED, EXTRA = PALETTE["sky"], PALETTE["vermilion"], PALETTE["yellow"]


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


def short_name(name: str) -> str:
    """Return a tile's name as short as a title can be.

    Examples
    --------
    >>> short_name("TCGA-18-5592-01Z-00-DX1"), short_name("synthetic-mixed-256px-seed0-test-0003")
    ('TCGA-18-5592', 'synthetic, test 0003')
    >>> short_name("synthetic-dense-256px-seed0-train-0000")
    'dense, train 0000'
    """
    if name.startswith("synthetic-"):
        tissue, *_, split, index = name.removeprefix("synthetic-").split("-")
        kind = "synthetic" if tissue == "mixed" else tissue.replace("_", " ")
        return f"{kind}, {split} {index}"
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
    check_there("tiles", tiles, crop_px)
    with style():
        figure, axes = panels(len(tiles), columns, 2.6)
        for ax, tile in zip(axes, tiles, strict=True):
            window = slice(0, crop_px)
            image, instances = tile.image[window, window].copy(), tile.instances[window, window]
            image[outlines(instances)] = rgb(EXTRA)
            ax.imshow(image)
            ax.set_title(
                short_name(tile.name) if tile.organ is None else f"{short_name(tile.name)} ({tile.organ})", fontsize=8
            )
    return finish(figure)


def draw_stains(
    image: npt.NDArray[np.uint8], hematoxylin: npt.NDArray[np.floating], eosin: npt.NDArray[np.floating]
) -> "Figure":
    """Draw an image beside the amounts of its two stains, both on one scale from their 1st to 99th percentile."""
    with style():
        figure, axes = panels(3, 3, 2.7)
        axes[0].imshow(image)
        axes[0].set_title("as scanned")
        low, high = np.percentile(np.stack([hematoxylin, eosin]), [1, 99])
        for ax, values, name, colours in (
            (axes[1], hematoxylin, "hematoxylin", "Purples"),
            (axes[2], eosin, "eosin", "RdPu"),
        ):
            ax.imshow(values, cmap=colours, vmin=low, vmax=high)
            ax.set_title(name)
    return finish(figure)


def draw_maps(
    image: npt.NDArray[np.uint8], maps: Mapping[str, npt.NDArray[np.floating[Any]]], *, columns: int = 4
) -> "Figure":
    """Draw an image beside maps of it, each on a scale of its own, which stands below it.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
    maps : mapping of str to ndarray of float, shape (h, w)
        What a network makes of it, by title. Coarser ones are drawn as large as the image, pixel by pixel.
    columns : int
        Panels in a row, the image's among them.
    """
    from matplotlib.ticker import MaxNLocator

    check_there("maps", maps)
    height, width = image.shape[:2]
    columns = min(columns, len(maps) + 1)
    with style():
        figure, axes = panels(len(maps) + 1, columns, 2.5)
        axes[0].imshow(image)
        axes[0].set_title("image", fontsize=9)
        for ax, (name, values) in zip(axes[1:], maps.items(), strict=True):
            if values.ndim != 2:
                raise ValueError(f"map {name!r}: expected shape (h, w), got {values.shape}")
            drawn = ax.imshow(values, cmap="cividis", extent=(0, width, height, 0), interpolation="nearest")
            ax.set_title(folded(name, figure.get_figwidth() / columns, 9), fontsize=9)
            scale = figure.colorbar(drawn, ax=ax, location="bottom", shrink=0.8, aspect=30)
            scale.ax.tick_params(labelsize=8)
            if np.array_equal(values, np.round(values)):  # counts
                scale.locator = MaxNLocator(nbins=5, integer=True)
    return finish(figure)


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
    tinted = grey(image)
    for region, colour in ((true & pred, HIT), (true & ~pred, MISSED), (~true & pred, EXTRA)):
        tinted[region] = 0.35 * tinted[region] + 0.65 * np.array(rgb(colour))
    return tinted.round().astype(np.uint8)


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

    check_there("tiles", tiles, crop_px)
    if not len(tiles) == len(masks) == len(scores):
        raise ValueError(f"got {len(tiles)} tiles, {len(masks)} masks and {len(scores)} scores; one of each is needed")
    with style():
        figure, axes = panels(2 * len(tiles), len(tiles), 2.6)
        window = slice(0, crop_px)
        for i, (tile, mask, score) in enumerate(zip(tiles, masks, scores, strict=True)):
            image, true = tile.image[window, window], tile.mask[window, window]
            axes[i].imshow(image)
            axes[i].set_title(f"{short_name(tile.name)}\nDice {score:.2f}", fontsize=8)
            axes[len(tiles) + i].imshow(error_map(image, true, mask[window, window]))
        keys = [
            Patch(color=HIT, label="found"),
            Patch(color=MISSED, label="missed"),
            Patch(color=EXTRA, label="invented"),
        ]
        figure.legend(handles=keys, loc="outside lower center", ncols=3, frameon=False)
    return finish(figure)


def grey(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.floating[Any]]:
    """Return the mean of the three channels, three times, shape (H, W, 3)."""
    return np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2)
