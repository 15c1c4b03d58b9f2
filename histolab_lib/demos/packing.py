"""What all figures do with their data before they travel: check, and make small."""

import base64
import io
import json
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["encoded", "got", "require_rgb", "run_lengths", "small", "whole"]

_MOST_BYTES = 60_000  # of JSON; a notebook holds the figure as text


def run_lengths(labels: npt.NDArray[np.integer[Any]]) -> list[int]:
    """Run lengths of a label map, row after row: value, length, value, length ..."""
    flat = labels.ravel()
    starts = np.flatnonzero(np.concatenate(([True], flat[1:] != flat[:-1])))
    lengths = np.diff(np.concatenate((starts, [flat.size])))
    return [int(number) for pair in zip(flat[starts], lengths, strict=True) for number in pair]


def encoded(image: npt.NDArray[np.uint8], form: str, **options: Any) -> str:
    """A picture, uint8, as a file of this form, in base64."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format=form, **options)
    return base64.b64encode(buffer.getvalue()).decode()


def got(value: object) -> str:
    """What was given, for an error: dtype and shape of an array, else its type."""
    return f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__


def whole(value: object) -> int | None:
    """A whole number that is no bool, or None."""
    return int(value) if isinstance(value, int | np.integer) and not isinstance(value, bool) else None


def require_rgb(image: Any) -> None:
    """Raise ValueError unless this is uint8 (H, W, 3) with a pixel or more."""
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"image: expected uint8 (H, W, 3), got {got(image)}")
    if image.size == 0:
        raise ValueError(f"image: expected at least one pixel, got shape {image.shape}")


def small(
    made: dict[str, object], image: npt.NDArray[np.uint8], view: str, maps: tuple[int, ...] = ()
) -> dict[str, object]:
    """What was made of an image, if it is not too large for a notebook; else ValueError, with what to do."""
    if (size := len(json.dumps(made))) > _MOST_BYTES:
        more = f" and maps {maps}" if maps else ""
        raise ValueError(
            f"image: {image.shape[0]} x {image.shape[1]} pixels{more} make {size} bytes, at most {_MOST_BYTES}; "
            f"cut a view of about {view} pixels" + (", or send fewer or coarser maps" if maps else "")
        )
    return made
