"""The three arrays of a PanNuke fold: found, opened as memory maps, and read one tile at a time."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from histolab_lib.data_dir import DataError

__all__ = ["Fold", "locate_fold", "open_fold", "read_row", "tissues"]

_FILES = ("images", "masks", "types")
_SIDE_PX = 256
_CHANNELS = {"images": 3, "masks": 6}
_AGAIN = "unpack or download it again"


@dataclass(frozen=True)
class Fold:
    """Where the arrays of one fold lie."""

    images: Path
    masks: Path
    types: Path


def locate_fold(folder: Path, split: str) -> Fold:
    """Return the files of a fold.

    Parameters
    ----------
    folder : pathlib.Path
        Holds one folder per fold: ``Fold 1`` as published, or ``Fold1``, ``fold_1``, ``fold-1`` and the like. In it,
        however deep, ``images.npy``, ``masks.npy`` and ``types.npy`` (published:
        ``images/fold1/{images,types}.npy``, ``masks/fold1/masks.npy``).
    split : str
        ``fold1``, ``fold2`` or ``fold3``.

    Raises
    ------
    DataError
        If the folder or one of the files is missing, or is there twice.
    """
    spelt = f"Fold {split[-1]}"
    inside = sorted(folder.iterdir()) if folder.is_dir() else []
    tops = [path for path in inside if path.is_dir() and re.sub(r"[ _-]", "", path.name.lower()) == split]
    top = _only(tops, f"{folder}: expected a folder {spelt!r}")
    return Fold(*(_only(sorted(top.rglob(f"{what}.npy")), f"{top}: expected {what}.npy") for what in _FILES))


def _only(found: list[Path], expected: str) -> Path:
    if len(found) == 1:
        return found[0]
    if found:
        raise DataError(f"{expected} once, found {' and '.join(map(str, found))}; keep one")
    raise DataError(f"{expected}, found none; {_AGAIN}")


def open_fold(fold: Fold) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return images (n, 256, 256, 3) and masks (n, 256, 256, 6) as read-only memory maps.

    Raises
    ------
    DataError
        If one is no plain array of numbers, is cut off, has another shape, or if there are not as many images, masks
        and tissues.
    """
    images, masks = (_open(path, what) for path, what in ((fold.images, "images"), (fold.masks, "masks")))
    lengths = {"images": len(images), "masks": len(masks), "types": len(tissues(fold))}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{length} in {what}.npy" for what, length in lengths.items())
        raise DataError(f"{fold.images.parent}: expected as many tiles in each file of a fold, got {listed}; {_AGAIN}")
    return images, masks


def tissues(fold: Fold) -> list[str]:
    """Return the tissue of each tile, as ``types.npy`` spells it.

    Raises
    ------
    DataError
        If the file is damaged, or holds anything but one string per tile: pickled objects are never loaded.
    """
    names = _map(fold.types)
    if names.ndim != 1 or names.dtype.kind != "U":
        got = f"{names.dtype} {names.shape}"
        raise DataError(f"{fold.types}: expected one string per tile, shape (n,), got {got}; {_AGAIN}")
    return [str(name) for name in names]


def read_row(fold: Fold, index: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    """Read image and masks of one tile.

    Returns
    -------
    image : ndarray of uint8, shape (256, 256, 3)
    masks : ndarray of int32, shape (256, 256, 6)

    Raises
    ------
    DataError
        As `open_fold`, or if there is a number that is not whole, or lies outside 0 to 255 (images) or below 0 (masks).

    Notes
    -----
    The maps are opened anew for each tile, which takes 0.1 ms: an open map cannot be sent to another
    process, and would count as memory of this one.
    """
    images, masks = _open(fold.images, "images"), _open(fold.masks, "masks")
    if index >= min(len(images), len(masks)):
        raise DataError(f"{fold.images}: tile {index} asked for, but the fold has become shorter; {_AGAIN}")
    image = _whole(f"{fold.images}, tile {index}", images[index], 255)
    ids = _whole(f"{fold.masks}, tile {index}", masks[index], 2**31 - 1)
    return image.astype(np.uint8), ids.astype(np.int32)


def _whole(where: str, values: npt.NDArray[Any], highest: int) -> npt.NDArray[Any]:
    """Return `values`, or raise unless they are whole numbers from 0 to `highest`; false of what is not a number."""
    right = (values >= 0) & (values <= highest)
    if values.dtype.kind == "f":
        right &= np.floor(values) == values
    if not right.all():
        value = values[~right][0]
        raise DataError(f"{where}: expected whole numbers from 0 to {highest}, got {value}; {_AGAIN}")
    return values


def _open(path: Path, what: str) -> npt.NDArray[Any]:
    array = _map(path)
    shape = (_SIDE_PX, _SIDE_PX, _CHANNELS[what])
    if array.ndim != 4 or array.shape[1:] != shape or array.dtype.kind not in "uif":
        expected = f"numbers (n, {', '.join(map(str, shape))})"
        raise DataError(f"{path}: expected {expected}, got {array.dtype} {array.shape}; {_AGAIN}")
    return array


def _map(path: Path) -> npt.NDArray[Any]:
    """Open an array file as a memory map, which can hold no pickled object."""
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; unpack the set again") from None
    except ValueError as error:
        if "Python objects" in str(error):
            raise DataError(
                f"{path}: holds pickled Python objects, which can run any code when they are loaded, so they are not; "
                "take the published file, or, if you trust this one, save it again as plain strings: "
                "np.save(path, np.load(path, allow_pickle=True).astype(str))"
            ) from None
        raise DataError(f"{path}: cut off, empty, or not a .npy file ({error}); {_AGAIN}") from error
    except Exception as error:  # a damaged header fails in many ways
        raise DataError(f"{path}: damaged ({error}); {_AGAIN}") from error
