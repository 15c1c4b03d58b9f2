"""Published numbers as data: one row for each number, where it is printed and what it is about (``data/claims``)."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import MappingProxyType

from histolab_lib.data_dir import DataError, data_dir

__all__ = [
    "AVERAGING",
    "DATASETS",
    "HEADER",
    "METRICS",
    "PAPERS",
    "SPLITS",
    "UNREADABLE",
    "Claim",
    "claim",
    "load_claims",
]

#: The columns of a claim file, in this order.
HEADER = (
    "paper", "location", "row", "dataset", "split", "metric", "value", "unit", "averaging", "images", "note",
)  # fmt: skip

#: The papers of this book, by key, as they are called in a sentence. A reader's own file may name another.
PAPERS: Mapping[str, str] = MappingProxyType(
    {
        "haru_net": "HARU-Net",
        "histoseg": "HistoSeg",
        "gland_linknet": "the modified LinkNet for glands",
        "msal_net": "MSAL-Net",
        "dan_nucnet": "DAN-NucNet",
    }
)

#: The names of ``datasets.load``, and "none" for what is not about a data set.
DATASETS = (
    "monuseg", "kumar", "glas", "tnbc", "cpm17", "consep", "pannuke", "synthetic", "folder", "none",
)  # fmt: skip

#: The splits of ``datasets.load``; "all" for a set as a whole, "unstated", and "none" for what is about no split.
SPLITS = (
    "train", "val", "test", "testA", "testB", "test_same", "test_diff", "fit", "extra", "fold1", "fold2", "fold3",
    "all", "unstated", "none",
)  # fmt: skip

#: How one number came from many images. Empty where the question does not arise, as for a count.
AVERAGING: Mapping[str, str] = MappingProxyType(
    {
        "per_image": "mean over images",
        "pooled": "pooled over all images",
        "per_group": "mean over groups of images",
        "unstated": "averaging not stated",
    }
)

_SHARE, _COUNT, _PX = ("fraction", "percent"), ("count",), ("px",)
_SCORES = (
    "dice", "iou", "precision", "recall", "f1", "aji", "aji_plus", "dice2", "pq", "dq", "sq",
    "object_dice", "object_f1", "object_precision", "object_recall", "boundary_f1",
)  # fmt: skip
_DISTANCES = ("object_hausdorff", "hd95")

#: What may be claimed, and in which units: scores by the names that `metrics.evaluate` gives them; then what only
#: papers tell. The value of an `organ` and of an `ordering` is the printed words, not a number.
METRICS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    dict.fromkeys(_SCORES, _SHARE)
    | dict.fromkeys(_DISTANCES, _PX)
    | dict.fromkeys(("images", "patches", "nuclei", "glands", "organs"), _COUNT)
    | dict.fromkeys(("width_px", "height_px"), _PX)
    | {
        "parameters": ("million", "count"),
        "training_time": ("seconds", "hours"),
        "learning_rate": ("none",),
        "organ": ("none",),
        "ordering": ("none",),
    }
)

#: Stands for a value that our text of the paper has lost.
UNREADABLE = "unreadable"

_WORDS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)  # fmt: skip
_SPELT = {word: Decimal(number) for number, word in enumerate(_WORDS)}
_ABOUT = ("about ", "around ", "approximately ")


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
        text = self.value.removesuffix("%").strip().lower()
        for word in _ABOUT:
            text = text.removeprefix(word)
        if text in _SPELT:
            return _SPELT[text]
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
        elif self.unit == "count" or self.metric in ("width_px", "height_px"):
            return number, number
        else:
            place = number.as_tuple().exponent
        half = Decimal(5).scaleb(int(place) - 1)
        return number - half, number + half

    @property
    def tooltip(self) -> str:
        """One line for people: paper, place, row, what it is, on which data, how averaged."""
        row = f", row {self.row}" if self.row else ""
        where = ", ".join(part for part in (self.dataset, self.split) if part != "none")
        images = f" ({self.images} images)" if self.images else ""
        data = f" on {where}{images}" if where else ""
        how = f"; {AVERAGING[self.averaging]}" if self.averaging else ""
        return f"{PAPERS.get(self.paper, self.paper)}, {self.location}{row}: {self.metric}{data}{how}"


def load_claims(path: Path | None = None) -> tuple[Claim, ...]:
    """Read claim files.

    Parameters
    ----------
    path : pathlib.Path, optional
        One CSV file, your own for instance, or a folder of them; None: those of this book, ``data/claims``.

    Returns
    -------
    tuple of Claim
        In the order of the files' names and lines.

    Raises
    ------
    DataError
        If a file is missing or its header differs from `HEADER`; if a line has too few or too many fields, a word that
        is not in its vocabulary, a value that is no number, or the key of an earlier line. The message names file and
        line.

    Examples
    --------
    >>> {claim.paper for claim in load_claims()} == set(PAPERS)
    True
    """
    path = data_dir() / "claims" if path is None else path
    files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    if not files:
        raise DataError(f"{path}: no claim file (*.csv) there")
    claims: dict[str, Claim] = {}
    for one in (one for file in files for one in _read(file)):
        if one.key in claims:
            raise DataError(f"{one.source}: {one.key} stands already at {claims[one.key].source}; rows must differ")
        claims[one.key] = one
    return tuple(claims.values())


def claim(key: str) -> Claim:
    """Return the published number of this book that `key` names.

    Raises
    ------
    LookupError
        If there is none; the message names the nearest keys.

    Examples
    --------
    >>> claim("dan_nucnet/section-4.1/cpm17/all/nuclei").value
    '7570'
    >>> claim("haru_net/table-1/u-net/monuseg/test/dise")
    Traceback (most recent call last):
    ...
    LookupError: unknown claim 'haru_net/table-1/u-net/monuseg/test/dise'; the nearest are ...
    """
    known = _by_key()
    if key in known:
        return known[key]
    near = get_close_matches(key, known, n=3, cutoff=0.3)
    hint = f"the nearest are {', '.join(map(repr, near))}" if near else f"{len(known)} are in {data_dir() / 'claims'}"
    raise LookupError(f"unknown claim {key!r}; {hint}")


@cache
def _by_key() -> Mapping[str, Claim]:
    return {one.key: one for one in load_claims()}


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9.+_]+", "-", text.lower()).replace("-+-", "+").strip("-")


def _read(path: Path) -> Iterator[Claim]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            if tuple(header) != HEADER:
                raise DataError(f"{path}, line 1: the header must be {','.join(HEADER)}, got {','.join(header)}")
            for fields in filter(None, reader):
                yield _claim(f"{path}, line {reader.line_num}", fields)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as a claim file ({error})") from error


def _claim(where: str, fields: list[str]) -> Claim:
    if len(fields) != len(HEADER):
        raise DataError(f"{where}: expected {len(HEADER)} fields, got {len(fields)}; quote a field that has a comma")
    text = dict(zip(HEADER, (one.strip() for one in fields), strict=True))
    for column, allowed in (("dataset", DATASETS), ("split", SPLITS), ("metric", METRICS)):
        _check(where, column, text[column], allowed)
    _check(where, f"unit of {text['metric']}", text["unit"], METRICS[text["metric"]])
    _check(
        where, "averaging", text["averaging"], AVERAGING if text["metric"] in _SCORES + _DISTANCES else ("", *AVERAGING)
    )
    for column, pattern in (("paper", "[a-z0-9_]+"), ("location", ".+"), ("images", r"\d*")):
        if not re.fullmatch(pattern, text[column]):
            raise DataError(f"{where}: {column} must match {pattern}, got {text[column]!r}")
    images = text.pop("images")
    made = Claim(**text, images=int(images) if images else None, source=where)
    if made.number is None and made.value != UNREADABLE and made.metric not in ("organ", "ordering"):
        raise DataError(f"{where}: value must be a number as printed or {UNREADABLE!r}, got {made.value!r}")
    if not made.value:
        raise DataError(f"{where}: value is empty; write {UNREADABLE!r} where the text has lost it")
    return made


def _check(where: str, what: str, value: str, allowed: Iterable[str]) -> None:
    names = list(allowed)
    if value not in names:
        near = get_close_matches(value, names, n=1)
        hint = f", did you mean {near[0]!r}?" if near else "."
        raise DataError(f"{where}: unknown {what} {value!r}{hint} Allowed: {', '.join(map(repr, names))}")
