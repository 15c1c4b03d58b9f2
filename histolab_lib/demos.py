"""Interactive figures: the page looks up what the chapter computed, or a small script of its own computes there."""

import base64
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["DEMO_MIME", "KINDS", "SCRIPTS", "Calculator", "Demo", "Slider"]

#: Under this type a demonstration travels from the chapter to the page; elsewhere the text beside it is shown.
DEMO_MIME = "application/vnd.histolab.demo+json"

#: The figures that compute in the page, with what each needs.
KINDS: Mapping[str, tuple[str, ...]] = {
    "means": ("start",),
    "pair": ("pairs", "images"),
    "stains": ("image", "start", "vectors", "hematoxylin"),
    "dilation": ("image", "um_per_px", "rates", "examples", "stride_px"),
}
#: The script of each kind, a file of ``book/_static``; None is that of a `Demo`.
SCRIPTS: Mapping[str | None, str] = {
    None: "demo",
    "means": "calculators",
    "pair": "calculators",
    "stains": "stains",
    "dilation": "dilation",
}

_MOST_BYTES = 60_000  # of JSON; a notebook holds the figure as text
_LAYERS, _MOST_RATE = 4, 8  # sliders, and how far each goes
_STRIDES_PX = (1, 4, 8, 16, 32)
_LEAST_ANGLE_DEG = 1.0  # two vectors nearer to each other span no plane that noise would not turn


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


def _encoded(image: npt.NDArray[np.uint8], form: str, **options: Any) -> str:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format=form, **options)
    return base64.b64encode(buffer.getvalue()).decode()


def _got(value: object) -> str:
    return f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__


def _unit_rows(name: str, value: Any) -> list[list[float]]:
    """Two stain vectors as JSON holds them; the page makes them unit vectors to its last digit."""
    rows = np.asarray(value, np.float64) if isinstance(value, np.ndarray | list | tuple) else None
    if rows is None or rows.shape != (2, 3) or not np.isfinite(rows).all():
        got = _got(value) if rows is None else f"shape {rows.shape}"
        raise ValueError(f"{name}: expected two finite rows, hematoxylin and eosin, got {got}")
    lengths = np.linalg.norm(rows, axis=1)
    if (np.abs(lengths - 1) > 0.01).any():
        raise ValueError(f"{name}: expected rows of length 1, got {lengths.round(3).tolist()}; divide by it")
    angle = np.degrees(np.arccos(np.clip(rows[0] @ rows[1] / lengths.prod(), -1, 1)))
    if not _LEAST_ANGLE_DEG <= angle <= 180 - _LEAST_ANGLE_DEG:
        raise ValueError(f"{name}: the rows must be {_LEAST_ANGLE_DEG:g} degree apart or more, got {angle:.2f}")
    return [[float(entry) for entry in row] for row in rows.round(5)]


def _truth(value: Any, shape: tuple[int, ...]) -> str:
    """Amounts as a grey picture, the largest 255: what the page tells of them needs no unit."""
    amounts = np.asarray(value, np.float64) if isinstance(value, np.ndarray) and value.dtype.kind in "fui" else None
    if amounts is None or amounts.shape != shape:
        raise ValueError(f"hematoxylin: expected amounts of shape {shape}, as the image, or None, got {_got(value)}")
    if not (np.isfinite(amounts).all() and amounts.min() >= 0 and amounts.max() > 0):
        raise ValueError(
            f"hematoxylin: expected finite amounts of 0 or more, not all 0, got {amounts.min():g} to {amounts.max():g}"
        )
    return _encoded(np.rint(255 * amounts / amounts.max()).astype(np.uint8), "PNG", optimize=True)


def _require_rgb(image: Any) -> None:
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"image: expected uint8 (H, W, 3), got {_got(image)}")
    if image.size == 0:
        raise ValueError(f"image: expected at least one pixel, got shape {image.shape}")


def _small(made: dict[str, object], image: npt.NDArray[np.uint8], view: str) -> dict[str, object]:
    if (size := len(json.dumps(made))) > _MOST_BYTES:
        raise ValueError(
            f"image: {image.shape[0]} x {image.shape[1]} pixels make {size} bytes, at most {_MOST_BYTES}; "
            f"cut a view of about {view} pixels"
        )
    return made


def _stains(*, image: Any, start: Any, vectors: Any, hematoxylin: Any) -> dict[str, object]:
    """What the figure of stains is sent: checked, pictures without loss, because their densities are computed."""
    _require_rgb(image)
    made: dict[str, object] = {
        "image": _encoded(image, "PNG", optimize=True),
        "start": _unit_rows("start", start),
        "vectors": None if vectors is None else _unit_rows("vectors", vectors),
        "hematoxylin": None if hematoxylin is None else _truth(hematoxylin, image.shape[:2]),
    }
    return _small(made, image, "96 x 128")


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, int | np.integer) and not isinstance(value, bool) else None


def _rates(name: str, value: Any) -> list[int]:
    """One rate for each slider; what is not given is not there."""
    given = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []
    rates = [rate for rate in map(_whole, given) if rate is not None and 0 <= rate <= _MOST_RATE]
    if not 1 <= len(given) <= _LAYERS or len(rates) < len(given):
        raise ValueError(
            f"{name}: expected 1 to {_LAYERS} whole numbers from 0 (no layer) to {_MOST_RATE}, got {value!r}"
        )
    return rates + [0] * (_LAYERS - len(rates))


def _examples(value: Any) -> list[list[object]]:
    pairs: list[Any] = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [None]
    if not all(isinstance(pair, Sequence) and len(pair) == 2 and isinstance(pair[0], str) for pair in pairs):
        raise ValueError(f"examples: expected pairs of a name and its rates, got {value!r}")
    names = [name for name, _ in pairs]
    if not all(names) or len(set(names)) < len(names):
        raise ValueError(f"examples: expected names that differ, none of them empty, got {names}")
    return [[name, _rates(f"examples: {name}", rates)] for name, rates in pairs]


def _dilation(*, image: Any, um_per_px: Any, rates: Any, examples: Any, stride_px: Any) -> dict[str, object]:
    """What the figure of dilated convolutions is sent: checked, with rates for all layers, the tile as JPEG."""
    _require_rgb(image)
    known = isinstance(um_per_px, int | float | np.number) and not isinstance(um_per_px, bool)
    if not known or not 0 < um_per_px < float("inf"):
        raise ValueError(f"um_per_px: expected a finite number above 0, got {um_per_px!r}")
    if _whole(stride_px) not in _STRIDES_PX:
        raise ValueError(f"stride_px: expected one of {', '.join(map(str, _STRIDES_PX))}, got {stride_px!r}")
    made: dict[str, object] = {
        "image": _encoded(image, "JPEG", quality=80),
        "um_per_px": float(um_per_px),
        "rates": _rates("rates", rates),
        "examples": _examples(examples),
        "stride_px": int(stride_px),
    }
    return _small(made, image, "160 x 160")


#: What is done with the data of a kind before they travel; those of the others are JSON as they are.
_PREPARED: Mapping[str, Callable[..., dict[str, object]]] = {"stains": _stains, "dilation": _dilation}


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
            "image": _encoded(self.image, "JPEG", quality=80),
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
        pair is possible; ``stains``, the optical densities of a tile, and its hematoxylin by two vectors that readers
        turn; ``dilation``, which cells a stack of dilated 3 x 3 convolutions sees, and its field on a tile.
    words : str
        What is to be seen, for who does not see it.
    **data
        What the kind needs, all of it by name.

        ``means``: ``start``, Dice of each image at first.

        ``pair``: ``pairs``, (name, Dice, IoU) as printed, to choose from; ``images``, how many at first.

        ``stains``: ``image``, ndarray of uint8 (H, W, 3), about 96 x 128 pixels, sent without loss; ``start``, float
        (2, 3), the unit vectors of hematoxylin and eosin (rows) at first, optical density of red, green and blue;
        ``vectors``, the same of what the tissue was made with, or None; ``hematoxylin``, float (H, W), the true amount
        in each pixel, 0 or more, in any unit, sent in 256 steps, or None. Scenes of synthetic tissue have all of it.

        ``dilation``: ``image``, ndarray of uint8 (H, W, 3), about 160 x 160 pixels, sent as JPEG; ``um_per_px``, how
        wide a pixel is in micrometres; ``rates``, one to four whole numbers from 0 (no layer) to 8, the stack at first;
        ``examples``, (name, rates) of each stack that has a button; ``stride_px``, 1, 4, 8, 16 or 32, how many pixels
        of the image a cell is wide at first.

    Raises
    ------
    ValueError
        If the kind is unknown, or its data are not those that it needs; for ``stains`` and ``dilation`` also if a shape
        or a range is not as above, or the JSON is larger than 60 kB.

    Notes
    -----
    ``stains`` draws the pixels whose density vector is 0.15 or longer (``stain.tissue_mask``), turns the vectors in the
    plane of the two first ones, draws the true ones as they project on it, and takes the amounts that
    ``stain.concentrations`` gives with ``least_squares``, those below 0 clipped. Black is what half a percent of the
    pixels exceed with the first vectors. The correlation with the truth is over all pixels. "Eosin alone" is tissue
    that holds at most a tenth, and a nucleus what holds at least half, of the amount that 1 % of the pixels exceed.

    ``dilation`` counts the paths from each cell to one output cell, of layers of stride 1 and with no edge nearby: a
    layer of rate r takes what lies at -r, 0 and r in both directions, so the field is 1 + 2 (r1 + r2 + ...) cells wide.
    On the image it is that times the stride; the layers before the stack, which make it wider, are left out. Weights
    are nine a layer, beside one dense kernel as wide as the field, without biases and 1 x 1 layers.

    Examples
    --------
    >>> Calculator("How far?", "means", "Two curves.", start=[0.9, 0.5, 0.1])
    How far? (interactive on the book's page)
    >>> Calculator("How far?", "means", "Two curves.")
    Traceback (most recent call last):
        ...
    ValueError: demo 'How far?': the kind 'means' needs start, got nothing

    Of real tissue nobody knows what it was made with, or how much there is:

    >>> from histolab_lib.stain import RUIFROK_HED
    >>> pink = np.full((96, 128, 3), (220, 150, 200), np.uint8)
    >>> Calculator("Which?", "stains", "A cloud.", image=pink, start=RUIFROK_HED[:2], vectors=None, hematoxylin=None)
    Which? (interactive on the book's page)
    >>> Calculator("Which?", "stains", "A cloud.", image=pink, start=RUIFROK_HED, vectors=None, hematoxylin=None)
    Traceback (most recent call last):
        ...
    ValueError: demo 'Which?': start: expected two finite rows, hematoxylin and eosin, got shape (3, 3)

    No layer at all sees one cell; a rate that is no whole number has no taps on the grid:

    >>> tile = {"image": pink, "um_per_px": 0.25, "examples": [("gridding", (2, 2, 2))], "stride_px": 32}
    >>> Calculator("What is missed?", "dilation", "Cells.", rates=(0,), **tile)
    What is missed? (interactive on the book's page)
    >>> Calculator("What is missed?", "dilation", "Cells.", rates=(1, 2.5), **tile)
    Traceback (most recent call last):
        ...
    ValueError: demo 'What is missed?': rates: expected 1 to 4 whole numbers from 0 (no layer) to 8, got (1, 2.5)
    """

    def __init__(self, title: str, kind: str, words: str, **data: object) -> None:
        if kind not in KINDS:
            raise ValueError(f"demo {title!r}: unknown kind {kind!r}; there are {', '.join(KINDS)}")
        if set(data) != set(KINDS[kind]):
            got = ", ".join(data) or "nothing"
            raise ValueError(f"demo {title!r}: the kind {kind!r} needs {', '.join(KINDS[kind])}, got {got}")
        self.title, self.kind, self.words = title, kind, words
        try:
            self.given = _PREPARED.get(kind, dict)(**data)
        except ValueError as error:
            raise ValueError(f"demo {title!r}: {error}") from None

    def data(self) -> dict[str, Any]:
        """Return what the page's script needs, as JSON can hold it."""
        return {"title": self.title, "kind": self.kind, "words": self.words, **self.given}

    def __str__(self) -> str:
        return f"{self.title} (interactive on the book's page)"

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        return {"text/plain": str(self), DEMO_MIME: self.data()}
