"""What training and test share: the same picture, nearly the same picture, the same patient, another set's tiles.

Two checks. `notes` is the cheap one and runs whenever `datasets.load` is called: it compares patients and names,
reads no picture, and what it finds stays with the tiles as `TileSequence.notes`, for a page to print. It does not
warn: that GlaS was split across patients is a fact about GlaS, true at every load, and a warning that always comes
is not read. `leaks` is the thorough one, behind ``histolab data check``: it reads every picture.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from histolab_lib.choices import choose
from histolab_lib.data_dir import DataError
from histolab_lib.datasets.likeness import difference_hash, near_pairs
from histolab_lib.datasets.registry import Entry, entries, modules
from histolab_lib.datasets.sides import as_number, learned_and_held_out, pairs_of_sides, patients_of, splits_of

__all__ = ["Leak", "Picture", "compare", "leaks", "notes", "pictures"]


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
        `histolab_lib.datasets.likeness.difference_hash`: similar for similar pictures.
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
    pairs = [pair for pair in pairs_of_sides(splits_of(module, options), entry.views) if split in pair]
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
    for a, b in pairs_of_sides(tuple(by_split), views):
        result += _alike(by_split[a], by_split[b], (a, b))
        result += _same_patient(by_split[a], by_split[b], (a, b))
    return result


def _alike(a: Sequence[Picture], b: Sequence[Picture], splits: tuple[str, str], kind: str = "") -> Iterator[Leak]:
    """Yield the pairs of pictures, one of each side, that are the same or nearly so."""
    for i, j, bits in near_pairs([item.view for item in a], [item.view for item in b]):
        same = a[i].pixels == b[j].pixels
        how = "is pixel by pixel" if same else f"is, but for {bits} of 256 bits of their difference hashes,"
        yield Leak(
            kind or ("same picture" if same else "near picture"),
            (a[i].name, b[j].name),
            splits,
            f"{a[i].name} ({splits[0]}) {how} {b[j].name} ({splits[1]})",
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
    one, two = _whole(name, mine), _whole(other, theirs)
    for a, b in learned_and_held_out(one, two):
        yield from _alike(one[a], two[b], (f"{name} {a}", f"{other} {b}"), "other set")


def _whole(name: str, found: Iterable[Picture]) -> dict[str, list[Picture]]:
    """Return the pictures by split, without splits that are part of another one."""
    known, by_split = entries(), defaultdict(list)
    for picture in found:
        if name not in known or picture.split not in known[name].views:
            by_split[picture.split].append(picture)
    return by_split


def _shared_files(name: str, options: Mapping[str, Any]) -> Iterator[Leak]:
    """Yield what is known without reading: tiles that a view of the same files puts on the other side."""
    known = entries()
    if name not in known:
        return
    for other in (key for key in known if key != name and _files(known[key]) == _files(known[name])):
        mine, theirs = _names(name, options), _names(other, {})
        for a, b in learned_and_held_out(mine, theirs):
            if both := sorted(mine[a] & theirs[b]):
                detail = f"{len(both)} tiles of {a!r} of {name!r} are tiles of {b!r} of {other!r}"
                yield Leak("other set", tuple(both), (f"{name} {a}", f"{other} {b}"), detail)


def _files(entry: Entry) -> str:
    return entry.same_files_as or entry.name


def _names(name: str, options: Mapping[str, Any]) -> dict[str, set[str]]:
    """Return the names of the tiles of each whole split, as far as they are known without the files."""
    module, views = modules()[name], entries()[name].views
    splits = (split for split in splits_of(module, options) if split not in views)
    return {split: set(patients_of(module, split, options)) for split in splits}
