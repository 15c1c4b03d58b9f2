"""Interactive figures: the page looks up what the chapter computed, or a small script of its own computes there."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["DEMO_MIME", "KINDS", "Calculator", "Demo", "Slider"]

#: Under this type a demonstration travels from the chapter to the page; elsewhere the text beside it is shown.
DEMO_MIME = "application/vnd.histolab.demo+json"

#: The figures of ``book/_static/calculators.js``, with what each needs.
KINDS: Mapping[str, tuple[str, ...]] = {"means": ("start",), "pair": ("pairs", "images")}


@dataclass(frozen=True)
class Slider:
    """One thing that the reader can move.

    Attributes
    ----------
    label : str
        What it is, with its unit.
    values : sequence of numbers
        Where it can stand.
    start : int
        Index of the value at which it stands first.
    """

    label: str
    values: Sequence[float]
    start: int = 0


def _runs(labels: npt.NDArray[np.integer[Any]]) -> list[int]:
    """Run lengths of a label map, row after row: value, length, value, length ..."""
    flat = labels.ravel()
    starts = np.flatnonzero(np.concatenate(([True], flat[1:] != flat[:-1])))
    lengths = np.diff(np.concatenate((starts, [flat.size])))
    return [int(number) for pair in zip(flat[starts], lengths, strict=True) for number in pair]


def _jpeg(image: npt.NDArray[np.uint8]) -> str:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="JPEG", quality=80)
    return base64.b64encode(buffer.getvalue()).decode()


class Demo:
    """Sliders over a tile: for every position of all sliders one instance map and its numbers, computed beforehand.

    As the last line of a cell tagged ``demo`` it becomes a figure that readers can move; without the page's script
    it says in words what it would show.

    Parameters
    ----------
    title : str
        The question that moving something answers.
    image : ndarray of uint8, shape (H, W, 3)
    true : ndarray of integers, shape (H, W)
        True instances, drawn as outlines.
    sliders : sequence of Slider
    states : mapping of tuple of int to (ndarray of integers of shape (H, W), mapping of str to float)
        For the index of each slider's value: what is predicted there, and the numbers to show.

    Raises
    ------
    ValueError
        If a state is missing, or a map has another size than the image.
    """

    def __init__(
        self,
        title: str,
        image: npt.NDArray[np.uint8],
        true: npt.NDArray[np.integer[Any]],
        sliders: Sequence[Slider],
        states: Mapping[tuple[int, ...], tuple[npt.NDArray[np.integer[Any]], Mapping[str, float]]],
    ) -> None:
        self.title, self.image, self.true = title, image, true
        self.sliders, self.states = tuple(sliders), dict(states)
        for key in product(*(range(len(slider.values)) for slider in self.sliders)):
            if key not in self.states:
                raise ValueError(f"demo {title!r}: no state for slider positions {key}")
            shape = self.states[key][0].shape
            if shape != image.shape[:2]:
                raise ValueError(f"demo {title!r}: the map of {key} is {shape}, the image {image.shape[:2]}")

    def data(self) -> dict[str, Any]:
        """Return what the page's script needs, as JSON can hold it."""
        height, width = self.image.shape[:2]
        return {
            "title": self.title,
            "width": width,
            "height": height,
            "image": _jpeg(self.image),
            "true": _runs(self.true),
            "sliders": [{"label": s.label, "values": list(s.values), "start": s.start} for s in self.sliders],
            "states": {
                ",".join(map(str, key)): {
                    "map": _runs(labels),
                    # pairs, because writers of notebooks sort the keys of an object
                    "numbers": [[name, round(float(value), 3)] for name, value in numbers.items()],
                }
                for key, (labels, numbers) in self.states.items()
            },
        }

    def __str__(self) -> str:
        moves = ", ".join(f"{s.label} from {s.values[0]} to {s.values[-1]}" for s in self.sliders)
        return f"{self.title} (interactive on the book's page: {moves})"

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        return {"text/plain": str(self), DEMO_MIME: self.data()}


class Calculator:
    """A figure that computes in the page, for what has too many states to be listed.

    Parameters
    ----------
    title : str
        The question that it answers.
    kind : str
        Of `KINDS`: ``means``, mean Dice and mean IoU of images that readers move; ``pair``, by which readings a printed
        pair is possible.
    words : str
        What is to be seen, for who does not see it.
    **data
        What the kind needs. ``start``: Dice of each image at first. ``pairs``: (name, Dice, IoU) as printed, to choose
        from; ``images``: how many at first.

    Raises
    ------
    ValueError
        If the kind is unknown, or its data are not those that it needs.

    Examples
    --------
    >>> Calculator("How far?", "means", "Two curves.", start=[0.9, 0.5, 0.1])
    How far? (interactive on the book's page)
    >>> Calculator("How far?", "means", "Two curves.")
    Traceback (most recent call last):
        ...
    ValueError: demo 'How far?': the kind 'means' needs start, got nothing
    """

    def __init__(self, title: str, kind: str, words: str, **data: object) -> None:
        if kind not in KINDS:
            raise ValueError(f"demo {title!r}: unknown kind {kind!r}; there are {', '.join(KINDS)}")
        if set(data) != set(KINDS[kind]):
            got = ", ".join(data) or "nothing"
            raise ValueError(f"demo {title!r}: the kind {kind!r} needs {', '.join(KINDS[kind])}, got {got}")
        self.title, self.kind, self.words, self.given = title, kind, words, data

    def data(self) -> dict[str, Any]:
        """Return what the page's script needs, as JSON can hold it."""
        return {"title": self.title, "kind": self.kind, "words": self.words, **self.given}

    def __str__(self) -> str:
        return f"{self.title} (interactive on the book's page)"

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        return {"text/plain": str(self), DEMO_MIME: self.data()}
