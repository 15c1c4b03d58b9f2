"""The two kinds of figures: one looks up what was computed beforehand, one computes in the page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from histolab_lib.demos.dilation import dilation
from histolab_lib.demos.gates import gates
from histolab_lib.demos.packing import encoded, run_lengths
from histolab_lib.demos.stains import stains

__all__ = ["DEMO_MIME", "KINDS", "SCRIPTS", "Calculator", "Demo", "Slider"]

#: Under this type a demonstration travels from the chapter to the page; elsewhere the text beside it is shown.
DEMO_MIME = "application/vnd.histolab.demo+json"

#: The figures that compute in the page, with what each needs.
KINDS: Mapping[str, tuple[str, ...]] = {
    "means": ("start",),
    "pair": ("pairs", "images"),
    "stains": ("image", "start", "vectors", "hematoxylin"),
    "dilation": ("image", "um_per_px", "rates", "examples", "stride_px"),
    "gates": ("image", "mask", "features", "spatial", "channel", "readout", "names"),
}
#: The script of each kind, a file of ``book/_static``; None is that of a `Demo`.
SCRIPTS: Mapping[str | None, str] = {
    None: "demo",
    "means": "calculators",
    "pair": "calculators",
    "stains": "stains",
    "dilation": "dilation",
    "gates": "gates",
}


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


#: What is done with the data of a kind before they travel; those of the others are JSON as they are.
_PREPARED: Mapping[str, Callable[..., dict[str, object]]] = {
    "stains": stains,
    "dilation": dilation,
    "gates": gates,
}


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
            "image": encoded(self.image, "JPEG", quality=80),
            "true": run_lengths(self.true),
            "sliders": [{"label": s.label, "values": list(s.values), "start": s.start} for s in self.sliders],
            "states": {
                ",".join(map(str, key)): {
                    "map": run_lengths(labels),
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
        turn; ``dilation``, which cells a stack of dilated 3 x 3 convolutions sees, and its field on a tile; ``gates``,
        what a spatial and a channel gate let through of feature maps, each opened or shut by readers.
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

        ``gates``: ``image``, ndarray of uint8 (H, W, 3), about 128 x 128 pixels, sent as JPEG; ``mask``, bool (H, W),
        True in nuclei; ``features``, float (K, h, w), one to six maps of an encoder's skip, whose cells are squares of
        H / h pixels, sent in 255 steps a map; ``spatial``, float (h, w), and ``channel``, float (K,) where it is global
        or (K, h, w) where local, the gates as learned, 0 (shut) to 1 (open), sent in 256 steps; ``readout``, (K
        weights, bias) of a logistic read-out of the refined maps, or None; ``names``, K strings, one a map.

    Raises
    ------
    ValueError
        If the kind is unknown, or its data are not those that it needs; for ``stains``, ``dilation`` and ``gates`` also
        if a shape or a range is not as above, or the JSON is larger than 60 kB.

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

    ``gates`` multiplies features by both gates (DAN-NucNet, Eq. 4). A gate moves in a straight line from 1 everywhere
    (open) to what was learned, and on to 0 everywhere (shut). Energy is the sum of squares, over all maps given; a cell
    lies in nuclei where at least half of its pixels do, and Dice compares such cells with those where the read-out is
    0.5 or more. Outlines on the tile are those of cells. Features are dark by the root of their share of what 1 % of
    the cells exceed, before and behind the gates alike.

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

    A gate is a share of what arrives; what is not between 0 and 1 was taken before its sigmoid:

    >>> mask = np.arange(96 * 128).reshape(96, 128) % 128 < 40
    >>> tile = {"image": pink, "mask": mask, "features": np.ones((1, 24, 32)), "readout": None, "names": ["channel 7"]}
    >>> Calculator("What passes?", "gates", "Maps.", spatial=np.full((24, 32), 0.5), channel=np.ones(1), **tile)
    What passes? (interactive on the book's page)
    >>> Calculator("What passes?", "gates", "Maps.", spatial=np.full((24, 32), -3.0), channel=np.ones(1), **tile)
    Traceback (most recent call last):
        ...
    ValueError: demo 'What passes?': spatial: expected 0 (shut) to 1 (open), got -3 to -3
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
