"""Reading images, label images and masks, so that a bad file says which file it is and what is wrong with it."""

import struct
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from histolab_lib.data_dir import DataError, tissue_dir

__all__ = ["read_labels", "read_mask", "read_rgb", "require", "set_folder"]

_CODECS = "install imagecodecs and tifffile (the extra `data` of histolab-lib)"
_COMPRESSIONS = {
    33003: "JPEG 2000, Aperio",
    33005: "JPEG 2000, Aperio",
    34712: "JPEG 2000",
    34887: "LERC",
    50002: "JPEG XL",
}
# TIFF tags: which compression, where the strips or tiles lie, how many bytes each has.
_COMPRESSION, _OFFSETS, _COUNTS = 259, (273, 324), (279, 325)


def set_folder(folder: str, *, page: str) -> Path:
    """Return the folder of one data set under ``HISTOLAB_DATA``.

    Parameters
    ----------
    folder : str
        Its name there, as in the registry.
    page : str
        Where the set is had, for the message.

    Raises
    ------
    DataError
        If ``HISTOLAB_DATA`` is not set, is not a folder, or holds no such folder.
    """
    root = tissue_dir()
    if root is None:
        raise DataError(
            f"HISTOLAB_DATA is not set, and {folder!r} is real tissue: set it to the folder that holds {folder}/ "
            f"(from {page}), or load 'synthetic', which needs no file"
        )
    if not (root / folder).is_dir():
        raise DataError(f"{root} (HISTOLAB_DATA) has no folder {folder}/; unpack the set there, from {page}")
    return root / folder


def require(missing: Iterable[str], *, of: int, problem: str, advice: str) -> None:
    """Raise if anything is missing, naming the first three and telling how many.

    Parameters
    ----------
    missing : iterable of str
        Names of what is not there.
    of : int
        How many there should be.
    problem : str
        What is wrong with them and where, as in ``"images are missing in FOLDER"``.
    advice : str
        What to do about it.

    Raises
    ------
    DataError
        If ``missing`` is not empty.
    """
    names = list(missing)
    if names:
        shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
        raise DataError(f"{len(names)} of {of} {problem} ({shown}); {advice}")


def read_rgb(path: Path) -> npt.NDArray[np.uint8]:
    """Read a colour image of 8 bits per channel.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)

    Raises
    ------
    DataError
        If the file is missing, damaged or no image, if its codec is missing, if it is larger than a tile can be
        (Pillow's limit, 89 million pixels), or if it is not RGB of 8 bits. An alpha channel is dropped where it
        is 255 throughout, and is an error otherwise.
    """
    mode, pixels = _decode(path)
    if mode == "RGBA":
        if pixels[..., 3].min() < 255:
            raise DataError(f"{path}: expected an opaque RGB image, got RGBA with transparent pixels; flatten it first")
        mode, pixels = "RGB", pixels[..., :3]
    if mode != "RGB":
        raise DataError(f"{path}: expected an RGB image of 8 bits per channel, got {_kind(mode, pixels)}; convert it")
    return np.ascontiguousarray(pixels, np.uint8)


def read_labels(path: Path, shape: tuple[int, int] | None = None) -> npt.NDArray[np.int32]:
    """Read a label image: 0 is background, every other value one object.

    Parameters
    ----------
    path : pathlib.Path
        A single-channel image of integers; of a palette image the indices are taken.
    shape : tuple of int, optional
        Height and width that it must have: those of its tile.

    Returns
    -------
    ndarray of int32, shape (H, W)

    Raises
    ------
    DataError
        As in `read_rgb`, or if it is not single-channel integer, has negative values, or has another size.
    """
    mode, pixels = _decode(path)
    if pixels.ndim != 2 or pixels.dtype.kind not in "iub":
        raise DataError(f"{path}: expected a label image, one channel of integers, got {_kind(mode, pixels)}")
    if shape is not None and pixels.shape != shape:
        raise DataError(
            f"{path}: label image is {pixels.shape[0]}x{pixels.shape[1]} pixels (height x width), but its tile is "
            f"{shape[0]}x{shape[1]}; take both from the same copy of the set"
        )
    if pixels.size and pixels.min() < 0:
        raise DataError(f"{path}: labels must not be negative, got {pixels.min()}")
    return pixels.astype(np.int32)


def read_mask(path: Path, shape: tuple[int, int] | None = None) -> npt.NDArray[np.bool_]:
    """Read a mask of two values: 0 is background, and one other value foreground.

    Returns
    -------
    ndarray of bool, shape (H, W)

    Raises
    ------
    DataError
        As in `read_labels`, or if there is more than one value beside 0.

    Notes
    -----
    A mask of nothing but 0 is a tile without any object, which sets do contain, and one of nothing but another
    value is all foreground: both are legal, since 0 always means background. Two values neither of which is 0
    are an error, because nothing says which of them is meant.
    """
    labels = read_labels(path, shape)
    values = np.unique(labels)
    if np.count_nonzero(values) > 1:
        shown = ", ".join(map(str, values[:6])) + (", ..." if len(values) > 6 else "")
        raise DataError(
            f"{path}: expected a mask, 0 and one other value (as 0 and 255), got {len(values)} values: {shown}; "
            "a label image is read with labels, and a JPEG does not keep values"
        )
    return labels > 0


def _kind(mode: str, pixels: npt.NDArray[Any]) -> str:
    return f"mode {mode}, {pixels.dtype} {pixels.shape}"


def _decode(path: Path) -> tuple[str, npt.NDArray[Any]]:
    """Return the mode, in Pillow's words, and the pixels of an image file."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # remarks about metadata, which is not read here
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.filterwarnings("error", message="Truncated")
            with Image.open(path) as image:
                # Pillow cuts 16 bits per colour to 8 without a word; only the raw mode tells.
                deep = image.mode.startswith("RGB") and ";16" in str(image.tile)
                return ("RGB;16" if deep else image.mode), np.array(image)  # a copy, so that it can be written to
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; unpack the set again") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: too large for a tile ({error}); cut the slide into tiles first") from None
    except (OSError, SyntaxError, ValueError, UserWarning, struct.error) as error:
        if path.suffix.lower() in (".tif", ".tiff", ".svs"):
            return _decode_tiff(path, error)
        raise DataError(f"{path}: damaged or not an image ({error}); unpack or download it again") from error


def _decode_tiff(path: Path, reason: Exception) -> tuple[str, npt.NDArray[Any]]:
    """Decode what Pillow could not: with tifffile if the compression is the reason, else say what is wrong."""
    from PIL import features
    from PIL.TiffImagePlugin import COMPRESSION_INFO

    compression = _whole_tiff(path, reason)
    if compression in COMPRESSION_INFO and (compression == 1 or features.check("libtiff")):
        raise DataError(f"{path}: damaged TIFF ({reason}); unpack or download it again") from reason
    name = _COMPRESSIONS.get(compression, COMPRESSION_INFO.get(compression, "unknown"))
    problem = f"{path}: TIFF compression {compression} ({name}), which Pillow cannot decode"
    try:
        import imagecodecs  # noqa: F401  tifffile alone has no codec for it, and says so late
        import tifffile
    except ImportError:
        raise DataError(f"{problem}; {_CODECS}") from reason
    try:
        pixels = np.array(tifffile.imread(path))
    except Exception as error:  # codecs raise classes of their own
        raise DataError(f"{problem}, and imagecodecs failed too ({error}); convert the file to LZW") from error
    modes = {(2, 1): "L", (3, 3): "RGB", (3, 4): "RGBA"}
    mode = modes.get((pixels.ndim, 1 if pixels.ndim == 2 else pixels.shape[-1]), "unknown")
    return (mode if pixels.dtype == np.uint8 else f"{mode};{8 * pixels.dtype.itemsize}"), pixels


def _whole_tiff(path: Path, reason: Exception) -> int:
    """Return the compression of a TIFF, after checking that the file is as long as its directory says."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    try:
        with path.open("rb") as file:
            header = file.read(8)
            directory = ImageFileDirectory_v2(header + (file.read(8) if header[2] == 43 else b""))  # 43: BigTIFF
            file.seek(directory.next)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                directory.load(file)
        offsets, counts = (next(directory[tag] for tag in tags if tag in directory) for tags in (_OFFSETS, _COUNTS))
        end = max(offset + count for offset, count in zip(offsets, counts, strict=True))
    except Exception as error:  # a damaged directory fails in many ways
        raise DataError(f"{path}: truncated, or not a TIFF ({reason}); unpack or download it again") from error
    if (size := path.stat().st_size) < end:
        raise DataError(f"{path}: truncated TIFF, {size} of at least {end} bytes; unpack or download it again")
    return int(directory.get(_COMPRESSION, 1))
