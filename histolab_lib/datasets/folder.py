"""A reader's own images, each with a label map or a binary mask: any folder, no entry in the registry."""

import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from histolab_lib.choices import choose
from histolab_lib.data_dir import DataError
from histolab_lib.datasets.files import read_labels, read_mask, read_rgb
from histolab_lib.datasets.matching import match_stems
from histolab_lib.datasets.paired import Pair, tile_problems
from histolab_lib.datasets.sequence import TileSequence
from histolab_lib.postprocess import split_components
from histolab_lib.tile import Tile

__all__ = ["GROUP", "KINDS", "SPLITS", "load", "present", "read_tile", "validate"]

SPLITS = ("all",)
GROUP = None  # files tell no patient
KINDS = ("auto", "labels", "mask")


def load(
    split: str,
    *,
    path: str | Path | None = None,
    images: str | Path | None = None,
    labels: str | Path | None = None,
    kind: str = "auto",
    connectivity: int | None = None,
    um_per_px: float | None = None,
) -> TileSequence:
    """Return the images of a folder with their objects, lazily.

    Parameters
    ----------
    split : {"all"}
    path : str or pathlib.Path
        The folder. In it, ``images/`` beside ``masks/`` or ``labels/``; or everything side by side, labels with an
        ending (``a.png`` and ``a_mask.png``; also ``_masks``, ``_anno``, ``_label``, ``_labels``). Matched by stem.
    images, labels : str or pathlib.Path, optional
        Two folders below `path` (or absolute ones), where they are called otherwise: both or neither.
    kind : {"auto", "labels", "mask"}
        What the label files hold: a label map (0 is background, every other value one object), or a binary mask (0
        and one other value). ``auto`` takes masks where `connectivity` is given, and else label maps, but refuses
        a file of two values whose objects are not certain.
    connectivity : {4, 8}, optional
        Needed for binary masks, where it says whether pixels that share only a corner belong to one object. The two
        give different counts, and neither is usual enough to be a default.
    um_per_px : float, optional
        Micrometres per pixel of all images, if you know it: no image file is asked.

    Returns
    -------
    TileSequence
        Sorted by name, the stem of the image. Images are PNG, TIFF, BMP or JPEG (RGB, 8 bits), labels PNG, TIFF or
        BMP. Each tile's `source` has ``image``, ``labels`` (paths), ``kind`` (``labels`` or ``mask``) and
        ``connectivity``. An image without any object is allowed.

    Raises
    ------
    ValueError
        If `path` is not given, or an option is unknown or does not fit the others.
    DataError
        If anything in the folder does not pair up, by name and in both directions, or is not read: nothing is left
        out in silence. What is wrong inside a file is told when the tile is read; `validate` reads them all.

    Examples
    --------
    Two pixels that meet at a corner are two objects or one, so a binary mask is not read without being told:

    >>> import tempfile
    >>> from PIL import Image
    >>> folder = tempfile.TemporaryDirectory()
    >>> place = Path(folder.name)
    >>> Image.new("RGB", (2, 2)).save(place / "a.png")
    >>> Image.fromarray(np.array([[255, 0], [0, 255]], np.uint8)).save(place / "a_mask.png")
    >>> [load("all", path=place, connectivity=connectivity)[0].count for connectivity in (4, 8)]
    [2, 1]
    >>> load("all", path=place)[0]
    Traceback (most recent call last):
    ...
    histolab_lib.data_dir.DataError: ...a_mask.png: holds 0 and 255 only, in 2 pieces ...
    >>> folder.cleanup()
    """
    choose("'folder' split", split, SPLITS)
    if path is None:
        raise ValueError("'folder' needs path=, the folder that holds your images and their masks or label maps")
    _check_options(kind, connectivity, um_per_px)
    pairs, problems = match_stems(Path(path).expanduser(), images=images, labels=labels)
    if problems:
        raise DataError("; ".join(problems))
    return TileSequence(pairs, partial(_read, pairs, kind, connectivity, um_per_px))


def present(folder: Path) -> dict[str, int]:
    """Return how many images of a folder have a mask or label map; 0 where it is not arranged as `load` says."""
    try:
        return {"all": len(match_stems(folder)[0])}
    except DataError:
        return {"all": 0}


def read_tile(
    name: str, pair: Pair, *, kind: str = "auto", connectivity: int | None = None, um_per_px: float | None = None
) -> Tile:
    """Read one tile: see `load`, of which this is one item.

    Raises
    ------
    DataError
        If a file is missing or damaged or is not what it should be, or if it has two values and nothing says
        whether it is a mask.
    """
    image = read_rgb(pair.image)
    shape = (image.shape[0], image.shape[1])
    _refuse_jpeg(pair.labels)
    kind = "mask" if connectivity is not None else kind
    if kind == "mask":
        instances = split_components(read_mask(pair.labels, shape), connectivity=connectivity)
    else:
        instances = read_labels(pair.labels, shape)
        if kind == "auto":
            _refuse_uncertain(pair.labels, instances)
            kind = "labels"
    source = {"image": str(pair.image), "labels": str(pair.labels), "kind": kind, "connectivity": connectivity}
    return Tile(name, image, instances, um_per_px=um_per_px, source=source)


def validate(
    folder: Path,
    *,
    images: str | Path | None = None,
    labels: str | Path | None = None,
    kind: str = "auto",
    connectivity: int | None = None,
) -> list[str]:
    """Return what is wrong with the files in `folder`, one sentence each; nothing where all is in order.

    Options are those of `load`, and so are the errors about them. Every file is read.
    """
    _check_options(kind, connectivity, None)
    try:
        pairs, problems = match_stems(folder, images=images, labels=labels)
    except DataError as error:
        return [str(error)]
    return problems + tile_problems(pairs, partial(_read, pairs, kind, connectivity, None), lambda tile: [])[0]


def _check_options(kind: str, connectivity: int | None, um_per_px: float | None) -> None:
    choose("'folder' kind", kind, KINDS)
    if connectivity not in (None, 4, 8):
        raise ValueError(f"connectivity: expected 4 (sides) or 8 (sides and corners), got {connectivity!r}")
    if kind == "mask" and connectivity is None:
        raise ValueError("kind='mask' needs connectivity=4 (sides) or 8 (sides and corners): they count differently")
    if kind == "labels" and connectivity is not None:
        raise ValueError(f"kind='labels' takes ids as they are, so connectivity={connectivity} has no meaning; omit it")
    if um_per_px is not None and not 0 < um_per_px < math.inf:
        raise ValueError(f"um_per_px: expected a positive number of micrometres, got {um_per_px!r}")


def _refuse_jpeg(path: Path) -> None:
    """Raise where a file of another name holds a JPEG, whose values are not those that were saved."""
    if not path.is_file():
        return  # which the reader of labels tells
    with path.open("rb") as file:
        if file.read(3) == b"\xff\xd8\xff":
            raise DataError(f"{path}: a JPEG under another name, which does not keep values; save the labels as PNG")


def _refuse_uncertain(path: Path, instances: npt.NDArray[np.int32]) -> None:
    """Raise where one value has several pieces: one object in pieces, or a mask of several objects."""
    values = np.unique(instances[instances > 0])
    if len(values) != 1:
        return
    by_sides, by_corners = (int(split_components(instances > 0, connectivity=by).max()) for by in (4, 8))
    if by_sides > 1:
        raise DataError(
            f"{path}: holds 0 and {values[0]} only, in {by_sides} pieces by sides, {by_corners} by sides and corners; "
            "a binary mask needs connectivity=4 or 8, because the two can give different counts; if it is a label map "
            "of one object in pieces, say kind='labels'"
        )


def _read(pairs: Mapping[str, Pair], kind: str, connectivity: int | None, um_per_px: float | None, name: str) -> Tile:
    return read_tile(name, pairs[name], kind=kind, connectivity=connectivity, um_per_px=um_per_px)
