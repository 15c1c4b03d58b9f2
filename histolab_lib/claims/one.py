"""One published number: where it is printed, what it is about, and what its rounding allows."""

import re
from dataclasses import dataclass, field
from decimal import Decimal

from histolab_lib.claims.comparison import Comparison
from histolab_lib.claims.vocabulary import AVERAGING, COMPARING, PAPERS, PIXELS

__all__ = ["Claim"]

_WORDS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)  # fmt: skip
_TENS = ("thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred")
_SPELT = {word: Decimal(number) for number, word in enumerate(_WORDS)}
_SPELT |= {word: Decimal(10 * number) for number, word in enumerate(_TENS, start=3)}
_ABOUT = ("about ", "around ", "approximately ")
_POWER = re.compile(r"(-?[\d.]+)\s*[x×]\s*10\s*\^?\{?\s*(-\d+)\}?")


@dataclass(frozen=True)
class Claim:
    """One published number.

    Attributes
    ----------
    paper : str
        Key of the paper, as in `PAPERS`.
    location : str
        Where it is printed: ``"Table 1"``, ``"Section 4.1"``.
    row : str
        What the table or the sentence calls it, without reference marks; empty where the data set itself is meant.
        ``"system: group"`` where a table tells of parts of the data, such as organs. Of a gain and an ordering: who is
        better than whom, as `Comparison` reads it.
    dataset, split, metric, unit, averaging : str
        Of `DATASETS`, `SPLITS`, `METRICS`, `AVERAGING`.
    value : str
        As printed, or `UNREADABLE`.
    images : int, optional
        Number of images it was computed on, where the paper tells.
    note : str
        What a reader must know. For a number in a sentence it begins with the printed words in quotation marks.
    source : str
        File and line.

    Examples
    --------
    >>> from histolab_lib.claims import claim
    >>> unet = claim("haru_net/table-1/u-net/monuseg/test/dice")
    >>> unet.value, unet.unit, unet.images
    ('0.758', 'fraction', None)
    >>> print(*unet.interval)
    0.7575 0.7585
    >>> unet.tooltip
    'HARU-Net, Table 1, row U-Net: dice on monuseg, test; averaging not stated'
    """

    paper: str
    location: str
    row: str
    dataset: str
    split: str
    metric: str
    value: str
    unit: str
    averaging: str
    images: int | None = None
    note: str = ""
    source: str = field(default="", compare=False, repr=False)

    @property
    def key(self) -> str:
        """What it is cited by: paper, location, row, data set, split and metric, joined by "/".

        Location and row in lower case with hyphens for all but letters, digits, ".", "+" and "_"; an empty row and
        "none" are left out.
        """
        parts = (self.paper, _slug(self.location), _slug(self.row), self.dataset, self.split, self.metric)
        return "/".join(part for part in parts if part not in ("", "none"))

    @property
    def number(self) -> Decimal | None:
        """The value as a number, in its unit; None for words and for what is unreadable."""
        text = self.value.lower().removesuffix("%").removesuffix("percent").strip()
        for word in _ABOUT:
            text = text.removeprefix(word)
        if self.metric == "magnification":
            text = text.rstrip("x×")
        if text in _SPELT:
            return _SPELT[text]
        if power := _POWER.fullmatch(text):
            return Decimal(power[1]).scaleb(int(power[2]))
        return Decimal(text.replace(",", "")) if re.fullmatch(r"-?[\d,]*\.?\d+(e-?\d+)?", text) else None

    @property
    def interval(self) -> tuple[Decimal, Decimal] | None:
        """The smallest and the largest number that is printed so, both included; None where `number` is.

        Half a unit of the last printed place to each side, whichever way the authors round at a tie. A count and an
        image size are exact, unless they are printed with "around": then zeros at their end count as rounded.
        """
        number = self.number
        if number is None:
            return None
        if self.value.lower().startswith(_ABOUT):
            place = number.normalize().as_tuple().exponent
        elif self.unit == "count" or self.metric in (*PIXELS, "magnification"):
            return number, number
        else:
            place = number.as_tuple().exponent
        half = Decimal(5).scaleb(int(place) - 1)
        return number - half, number + half

    @property
    def system(self) -> str:
        """The row without the part of the data that it is about: ``"U-Net"`` of ``"U-Net: Bladder"``."""
        return self.row.partition(": ")[0]

    @property
    def group(self) -> str:
        """The part of the data that the row is about, ``"Average"`` for the mean over all; empty where it is all."""
        return self.row.partition(": ")[2]

    @property
    def comparison(self) -> Comparison | None:
        """What a ``gain`` or an ``ordering`` compares; None for all other metrics."""
        return Comparison.read(self.row) if self.metric in COMPARING else None

    @property
    def tooltip(self) -> str:
        """One line for people: paper, place, row, what it is, on which data, how averaged."""
        row = f", row {self.row}" if self.row else ""
        where = ", ".join(part for part in (self.dataset, self.split) if part != "none")
        images = f" ({self.images} images)" if self.images else ""
        data = f" on {where}{images}" if where else ""
        how = f"; {AVERAGING[self.averaging]}" if self.averaging else ""
        return f"{PAPERS.get(self.paper, self.paper)}, {self.location}{row}: {self.metric}{data}{how}"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9.+_]+", "-", text.lower()).replace("-+-", "+").strip("-")
