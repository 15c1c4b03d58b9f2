"""MATLAB files of version 5 to 7, as label maps are published in: arrays by name, and what a label map must be."""

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from histolab_lib.data_dir import DataError

__all__ = ["label_map", "read_mat", "whole_numbers"]

_AGAIN = "unpack or download it again"


def read_mat(path: Path, keys: Iterable[str]) -> dict[str, npt.NDArray[Any]]:
    """Read some of the arrays of a MATLAB file; nothing in it is ever executed.

    Parameters
    ----------
    path : pathlib.Path
        A file of version 5, 6 or 7 (``-v7`` is what MATLAB writes unless told otherwise).
    keys : iterable of str
        Names of the arrays that it must hold. Others are not read.

    Returns
    -------
    dict of str to ndarray
        As stored: MATLAB often writes whole numbers as double, and a list of n numbers as (n, 1).

    Raises
    ------
    DataError
        If the file is missing, damaged, of version 7.3 (which is HDF5, and not read here), or lacks a key.
    """
    from scipy.io import loadmat

    wanted = list(keys)
    if not path.is_file():
        raise DataError(f"{path}: no such file; unpack the set again")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # as of one name that comes twice in a file
            found = loadmat(path, appendmat=False, variable_names=wanted)
    except NotImplementedError:
        raise DataError(
            f"{path}: a MATLAB file of version 7.3, which is HDF5; expected version 5 to 7: take the published file, "
            "or save it again with save(..., '-v7')"
        ) from None
    except Exception as error:  # a damaged file fails in many ways
        raise DataError(f"{path}: damaged or not a MATLAB file ({error}); {_AGAIN}") from error
    if missing := [key for key in wanted if key not in found]:
        raise DataError(f"{path}: expected {', '.join(wanted)}, but {', '.join(missing)} is not in it; {_AGAIN}")
    return {key: np.asarray(found[key]) for key in wanted}


def whole_numbers(path: Path, what: str, values: npt.NDArray[Any], *, highest: int) -> npt.NDArray[np.int32]:
    """Return ``values`` as int32, unless a number among them is not whole, is negative or is too high.

    Parameters
    ----------
    path : pathlib.Path
        The file, for the message.
    what : str
        The name of the array in it.
    values : ndarray
        Integers, or floats that are whole.
    highest : int
        The largest that may come.

    Raises
    ------
    DataError
        If there is a fraction, a negative number, one above ``highest``, or no number at all.

    Examples
    --------
    >>> whole_numbers(Path("a.mat"), "inst_map", np.array([0.0, 7.0]), highest=9)
    array([0, 7], dtype=int32)
    >>> whole_numbers(Path("a.mat"), "inst_map", np.array([0.0, 0.5]), highest=9)
    Traceback (most recent call last):
    ...
    histolab_lib.data_dir.DataError: a.mat: inst_map must hold whole numbers from 0 to 9, got 0.5; ...
    """
    if values.dtype.kind not in "biuf":
        raise DataError(f"{path}: {what} must hold numbers, got {values.dtype} {values.shape}; {_AGAIN}")
    wrong = (values < 0) | (values > highest)
    if values.dtype.kind == "f":
        wrong |= ~np.isfinite(values) | (values != np.floor(values))
    if wrong.any():
        raise DataError(f"{path}: {what} must hold whole numbers from 0 to {highest}, got {values[wrong][0]}; {_AGAIN}")
    return values.astype(np.int32)


def label_map(
    path: Path, key: str, values: npt.NDArray[Any], shape: tuple[int, int], *, highest: int = 2**31 - 1
) -> npt.NDArray[np.int32]:
    """Return an array of a MATLAB file as a map with one whole number per pixel of its image.

    Parameters
    ----------
    path, key, values
        The file, the name of the array, and the array.
    shape : tuple of int
        Height and width of the image it belongs to, in pixels.
    highest : int
        The largest number that may come.

    Returns
    -------
    ndarray of int32, shape (H, W)

    Raises
    ------
    DataError
        If it has another shape than the image, or as `whole_numbers` says.
    """
    if values.shape != shape:
        raise DataError(
            f"{path}: {key} has shape {values.shape}, but its image is {shape[0]}x{shape[1]} pixels (height x width); "
            "take both from the same copy of the set"
        )
    return whole_numbers(path, key, values, highest=highest)
