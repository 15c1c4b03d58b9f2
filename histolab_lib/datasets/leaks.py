"""What training and test share: the same picture, nearly the same picture, the same patient, another set's tiles.

Two checks. `notes` is the cheap one and runs whenever `datasets.load` is called: it compares patients and names,
reads no picture, and what it finds stays with the tiles as `TileSequence.notes`, for a page to print. It does not
warn: that GlaS was split across patients is a fact about GlaS, true at every load, and a warning that always comes
is not read. `leaks` is the thorough one, behind ``histolab data check``: it reads every picture.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations
from types import MappingProxyType, ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from histolab_lib.data_dir import DataError
from histolab_lib.datasets.choices import choose
from histolab_lib.datasets.registry import Entry, entries, modules

__all__ = [
    "NEAR_BITS",
    "Leak",
    "Picture",
    "as_number",
    "compare",
    "difference_hash",
    "leaks",
    "notes",
    "patients_of",
    "pictures",
    "splits_of",
]

_SIDE = 16
#: Two pictures whose difference hashes differ in at most this many of 256 bits count as nearly the same.
NEAR_BITS = 64
_ROWS = 512  # of the table of distances, at a time


@dataclass(frozen=True)
class Leak:
    """Something that two splits share.

    Attributes
    ----------
    kind : {"same picture", "near picture", "same patient", "other set"}
    names : tuple of str
        The tiles concerned.
    splits : tuple of str
        The two splits, as ``train``, or as ``monuseg train`` where they are of different sets.
    detail : str
        One sentence.
    """

    kind: str
    names: tuple[str, ...]
    splits: tuple[str, str]
    detail: str


@dataclass(frozen=True)
class Picture:
    """What is kept of a tile to compare it with others.

    Attributes
    ----------
    name, split : str
    patient : str or None
    pixels : str
        SHA-256 of shape and pixels, hexadecimal: equal only for the same picture.
    view : bytes
        `difference_hash`: similar for similar pictures.
    """

    name: str
    split: str
    patient: str | None
    pixels: str
    view: bytes


def leaks(name: str, *, against: Iterable[str] = (), **options: Any) -> list[Leak]:
    """Return what the splits of a set share with each other, and with other sets; reads every picture.

    Parameters
    ----------
    name : str
        The set.
    against : iterable of str
        Other sets, whose every picture is compared too. Without them only sets that are known to be views of the
        same files are compared, by name.
    **options
        Those of the set's ``load``, as the version of its splits.

    Returns
    -------
    list of Leak
        Splits that are by design part of another one (``fit`` of ``train``) are not compared with it. Optional splits
        that are not on disk are left out.

    Raises
    ------
    ValueError
        If a name or an option is unknown.
    DataError
        If a set is not on disk, or not whole.
    """
    choose("data set", name, modules())
    mine = pictures(name, **options)
    found = compare(mine, entries()[name].views if name in entries() else {})
    found += _shared_files(name, options)
    for other in against:
        choose("data set", other, modules())
        found += _across(name, mine, other, pictures(other))
    return found


def notes(name: str, split: str, **options: Any) -> tuple[str, ...]:
    """Return what a split is known to share with others, in sentences; no picture is read.

    Parameters
    ----------
    name, split : str
        As in `datasets.load`.
    **options
        Those of the set's ``load``.

    Examples
    --------
    >>> print(*notes("kumar", "test"))
    14 tiles of 'test' of 'kumar' are tiles of 'train' of 'monuseg'
    >>> notes("synthetic", "test")
    ()
    """
    entry = entries().get(name)
    if entry is None or not entry.folder:
        return ()
    module, said = modules()[name], []
    pairs = [pair for pair in _pairs(splits_of(module, options), entry.views) if split in pair]
    patients = {side: patients_of(module, side, options) for pair in pairs for side in pair}
    for a, b in pairs:
        other = b if split == a else a
        if both := set(patients[split]) & set(patients[other]):
            said.append(f"{len(both)} tiles are in {split!r} and in {other!r}")
        if both := set(patients[split].values()) & set(patients[other].values()):
            said.append(
                f"{len(both)} patients of {split!r} are in {other!r}, too: {', '.join(sorted(both, key=as_number))}"
            )
    known = (leak for leak in _shared_files(name, options) if leak.splits[0] == f"{name} {split}")
    said += [leak.detail for leak in known]
    return tuple(said)


def pictures(name: str, **options: Any) -> list[Picture]:
    """Return what is kept of every tile of a set, split by split.

    Raises
    ------
    DataError
        If a split that is not optional is not on disk.
    """
    module, entry = modules()[name], entries().get(name)
    found = []
    for split in splits_of(module, options):
        try:
            tiles = module.load(split, **options)
        except DataError:
            if entry is None or split not in entry.optional_splits:
                raise
            continue
        for tile in tiles:
            digest = hashlib.sha256(repr(tile.image.shape).encode() + tile.image.tobytes()).hexdigest()
            found.append(Picture(tile.name, split, tile.patient, digest, difference_hash(tile.image)))
    return found


def compare(found: Sequence[Picture], views: Mapping[str, str]) -> list[Leak]:
    """Return what the splits of one set share.

    Parameters
    ----------
    found : sequence of Picture
        Of all splits.
    views : mapping of str to str
        Splits that are part of another one, as in the registry.

    Examples
    --------
    >>> a, b = Picture("a", "train", "7", "00", bytes(32)), Picture("b", "test", "7", "00", bytes(32))
    >>> [leak.kind for leak in compare([a, b], {})]
    ['same picture', 'same patient']
    >>> compare([a, b], {"test": "train"})
    []
    """
    by_split: dict[str, list[Picture]] = defaultdict(list)
    for picture in found:
        by_split[picture.split].append(picture)
    result: list[Leak] = []
    for a, b in _pairs(tuple(by_split), views):
        result += _alike(by_split[a], by_split[b], (a, b))
        result += _same_patient(by_split[a], by_split[b], (a, b))
    return result


def difference_hash(image: npt.NDArray[np.uint8]) -> bytes:
    """Return 256 bits that similar pictures share: is each cell of a 16 x 17 grid brighter than its left neighbour?

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
        At least one pixel.

    Returns
    -------
    bytes
        32 of them.

    Notes
    -----
    The grid is the mean grey value of each cell, so recompression, another size and most changes of colour move few
    bits. Measured on the 259 pictures of MoNuSeg, GlaS and TNBC (33,411 pairs of different ones, the same patient's
    neighbouring crops among them): the nearest pair of different pictures differs in 83 bits, the mean is 128 with a
    standard deviation of 8.6; the same picture as JPEG of quality 30 differs in at most 38, at half its size in 24,
    with its colours shifted in 51, cut by 2 % on two sides in 61. `NEAR_BITS`, 64, lies between. A picture turned,
    mirrored or cut by 5 % is not recognised. A uniform picture has no bit set, so all uniform pictures are alike.

    Examples
    --------
    >>> difference_hash(np.full((20, 30, 3), 240, np.uint8)) == bytes(32)
    True
    """
    from PIL import Image

    small = Image.fromarray(image).convert("L").resize((_SIDE + 1, _SIDE), Image.Resampling.BOX)
    grid = np.asarray(small, dtype=np.int16)
    return np.packbits(grid[:, 1:] > grid[:, :-1]).tobytes()


def splits_of(module: ModuleType, options: Mapping[str, Any] = MappingProxyType({})) -> tuple[str, ...]:
    """Return the splits that a set has under these options: all, or those of the version.

    Examples
    --------
    >>> splits_of(modules()["synthetic"])
    ('train', 'val', 'test')
    """
    versions = getattr(module, "VERSIONS", None)
    if not isinstance(versions, Mapping):
        return tuple(module.SPLITS)
    return tuple(versions[choose("version", options.get("version", next(iter(versions))), versions)])


def patients_of(module: ModuleType, split: str, options: Mapping[str, Any] = MappingProxyType({})) -> dict[str, str]:
    """Return the patient of each tile of a split, by name, without reading a picture.

    Returns
    -------
    dict of str to str
        Empty where the set does not tell patients, or tells them in a file that is not on disk.

    Examples
    --------
    >>> patients_of(modules()["monuseg"], "train")["TCGA-18-5592-01Z-00-DX1"]
    'TCGA-18-5592'
    >>> patients_of(modules()["synthetic"], "train")
    {}
    """
    with suppress(DataError):
        if getattr(module, "GROUP", None) == "patient":
            return dict(module.groups(split, **options))
        if "patient" in getattr(module, "GROUPS", ()):
            return dict(module.groups(split, **options, by="patient"))
    return {}


def _alike(a: Sequence[Picture], b: Sequence[Picture], splits: tuple[str, str], kind: str = "") -> Iterator[Leak]:
    """Yield the pairs of pictures, one of each side, that are the same or nearly so."""
    left, right = (np.array([np.frombuffer(item.view, np.uint64) for item in side]) for side in (a, b))
    for start in range(0, len(a) if len(b) else 0, _ROWS):
        table = np.bitwise_count(left[start : start + _ROWS, None] ^ right[None]).sum(axis=-1, dtype=np.int64)
        for i, j in np.argwhere(table <= NEAR_BITS):
            one, other = a[start + i], b[j]
            same = one.pixels == other.pixels
            how = "is pixel by pixel" if same else f"is, but for {table[i, j]} of 256 bits of their difference hashes,"
            yield Leak(
                kind or ("same picture" if same else "near picture"),
                (one.name, other.name),
                splits,
                f"{one.name} ({splits[0]}) {how} {other.name} ({splits[1]})",
            )


def _same_patient(a: Sequence[Picture], b: Sequence[Picture], splits: tuple[str, str]) -> Iterator[Leak]:
    sides: list[dict[str, list[str]]] = [defaultdict(list), defaultdict(list)]
    for side, names in zip((a, b), sides, strict=True):
        for picture in side:
            if picture.patient is not None:
                names[picture.patient].append(picture.name)
    for patient in sorted(set(sides[0]) & set(sides[1]), key=as_number):
        one, other = sides[0][patient], sides[1][patient]
        detail = f"patient {patient} is in both: {splits[0]} {len(one)}, {splits[1]} {len(other)} of the tiles"
        yield Leak("same patient", (*one, *other), splits, detail)


def _across(name: str, mine: Sequence[Picture], other: str, theirs: Sequence[Picture]) -> Iterator[Leak]:
    for a, b in _learned_and_held_out(name, {item.split for item in mine}, other, {item.split for item in theirs}):
        one = [item for item in mine if item.split == a]
        two = [item for item in theirs if item.split == b]
        yield from _alike(one, two, (f"{name} {a}", f"{other} {b}"), "other set")


def _shared_files(name: str, options: Mapping[str, Any]) -> Iterator[Leak]:
    """Yield what is known without reading: tiles that a view of the same files puts on the other side."""
    known = entries()
    if name not in known:
        return
    for other in (key for key in known if key != name and _files(known[key]) == _files(known[name])):
        mine, theirs = (_names(set_, kept) for set_, kept in ((name, options), (other, {})))
        for a, b in _learned_and_held_out(name, mine, other, theirs):
            if both := sorted(mine[a] & theirs[b]):
                detail = f"{len(both)} tiles of {a!r} of {name!r} are tiles of {b!r} of {other!r}"
                yield Leak("other set", tuple(both), (f"{name} {a}", f"{other} {b}"), detail)


def _files(entry: Entry) -> str:
    return entry.same_files_as or entry.name


def _learned_and_held_out(
    name: str, mine: Iterable[str], other: str, theirs: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """Yield the pairs of splits of two sets of which one is for training and the other is not."""
    known = entries()
    parts_mine, parts_theirs = (known[set_].views if set_ in known else {} for set_ in (name, other))
    for a in sorted(set(mine) - set(parts_mine)):
        for b in sorted(set(theirs) - set(parts_theirs)):
            if (a == "train") != (b == "train"):
                yield a, b


def _pairs(splits: Iterable[str], views: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the splits to compare: whole ones with each other, parts of the same one with each other.

    Two test splits may share what they like: nothing is learned or chosen on either.
    """
    pairs = [(a, b) for a, b in combinations(splits, 2) if views.get(a) == views.get(b)]
    return [pair for pair in pairs if not all(split.startswith("test") for split in pair)]


def _names(name: str, options: Mapping[str, Any]) -> dict[str, set[str]]:
    """Return the names of the tiles of each split, as far as they are known without the files."""
    module = modules()[name]
    return {split: set(patients_of(module, split, options)) for split in splits_of(module, options)}


def as_number(patient: str) -> tuple[int, str]:
    """Return a key that sorts patients called by numbers as numbers.

    Examples
    --------
    >>> sorted(["10", "9", "TCGA-18"], key=as_number)
    ['TCGA-18', '9', '10']
    """
    return (int(patient) if patient.isdigit() else 0, patient)
