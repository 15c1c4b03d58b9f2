"""What sets there are: title, splits, licence, sources and hashes (``data/registry.toml``), and what is on disk."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from histolab_lib.choices import choose
from histolab_lib.data_dir import DataError, data_dir, tissue_dir
from histolab_lib.datasets.synthetic.compose import OBJECTS

__all__ = ["Download", "Entry", "Status", "entries", "modules", "status"]


def modules() -> Mapping[str, ModuleType]:
    """Return the module of each set, by the name that ``datasets.load`` takes.

    A module has ``load(split, *, options...)``, and for files on disk ``present(folder)``, which counts the tiles
    of each split. Adding a set: its module, one line here, its entry in ``data/registry.toml``; ``folder`` alone,
    which is any folder of the reader's own, has none.
    """
    from histolab_lib.datasets import consep, cpm17, folder, glas, kumar, monuseg, pannuke, synthetic, tnbc

    sets = {
        "monuseg": monuseg,
        "kumar": kumar,
        "glas": glas,
        "tnbc": tnbc,
        "cpm17": cpm17,
        "consep": consep,
        "pannuke": pannuke,
        "synthetic": synthetic,
        "folder": folder,
    }
    return MappingProxyType(sets)


@dataclass(frozen=True)
class Download:
    """One archive (zip) of a set.

    Attributes
    ----------
    what : str
        What it holds: ``train``, ``fold 1``, ``everything``.
    file : str
        The name under which it lies in the folder of the set, fetched or put there by hand.
    holds : tuple of str
        The folders or files that it brings. They are found however deep the archive wraps them; nothing else of it
        is kept.
    url : str
        Where it is; empty where there is no direct address, and then the entry says `by_hand`.
    mirrors : tuple of str
        Other addresses of the same file, tried in this order after `url`.
    into : str
        Where `holds` go, below the folder of the set; empty for that folder itself.
    sha256, md5 : str
        Hexadecimal; empty where unknown.
    verify : str
        Why there is no hash, and what is checked instead: ``layout: no hash is known``. Empty where there is one.
    bytes : int
        Its size; 0 where unknown.
    max_bytes : int
        What it may unpack to; an archive that says more is refused as a bomb.
    """

    what: str
    file: str
    holds: tuple[str, ...]
    url: str = ""
    mirrors: tuple[str, ...] = ()
    into: str = ""
    sha256: str = ""
    md5: str = ""
    verify: str = ""
    bytes: int = 0
    max_bytes: int = 2_000_000_000


@dataclass(frozen=True)
class Entry:
    """One data set.

    Attributes
    ----------
    name, title : str
    licence, licence_note : str
        The terms, and how we know them.
    page : str
        The official page; empty for a set that is made here.
    folder : str
        Its folder under ``HISTOLAB_DATA``; empty for a set that needs none.
    splits : mapping of str to int
        Tiles per split; 0 where any number can be asked for.
    optional_splits : tuple of str
        Those that a complete copy need not have.
    views : mapping of str to str
        Splits that are by design part of another one (``fit`` of ``train``), so that sharing tiles is no leak.
    show_pictures : bool
        Whether published pages may draw its tiles (CC0 and CC BY only).
    objects : {"nuclei", "glands"}
        What is outlined.
    citations : tuple of str
    note : str
        What a user should know, as where the sources were read.
    downloads : tuple of Download
    by_hand : str
        What to do in a browser where no address works; needed where a download has no address.
    same_files_as : str
        The set whose files this one is a view of, and whose downloads are its own.
    """

    name: str
    title: str
    licence: str
    licence_note: str
    page: str
    folder: str
    splits: Mapping[str, int]
    show_pictures: bool
    objects: str = "nuclei"
    citations: tuple[str, ...] = ()
    optional_splits: tuple[str, ...] = ()
    views: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    downloads: tuple[Download, ...] = ()
    by_hand: str = ""
    same_files_as: str = ""


@dataclass(frozen=True)
class Status:
    """What of a set is on this machine: one row of ``histolab data list``.

    Attributes
    ----------
    name, title, licence, url : str
        From the registry; `url` is the official page.
    splits : mapping of str to (int, int)
        Tiles found and tiles expected.
    found : bool
        Whether every split that is not optional is complete; always True for a set that is made here.
    where : str
        The folder, found or expected, or how else it comes.
    """

    name: str
    title: str
    licence: str
    url: str
    splits: Mapping[str, tuple[int, int]]
    found: bool
    where: str


def entries(path: Path | None = None) -> Mapping[str, Entry]:
    """Read the registry.

    Parameters
    ----------
    path : pathlib.Path, optional
        Another file than ``data/registry.toml``.

    Raises
    ------
    DataError
        If the file or an entry is not as it should be; the message names both.

    Examples
    --------
    >>> entries()["monuseg"].licence
    'CC BY-NC-SA 4.0'
    """
    path = data_dir() / "registry.toml" if path is None else path
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise DataError(f"{path}: cannot be read as TOML ({error}); correct it or reinstall histolab-lib") from error
    return MappingProxyType({name: _entry(f"{path}: [{name}]", name, entry) for name, entry in table.items()})


def status(name: str) -> Status:
    """Return what of a set is on this machine, without reading any tile.

    Raises
    ------
    ValueError
        If there is no such set.
    DataError
        If ``HISTOLAB_DATA`` names something that is not a folder.
    """
    known = entries()
    entry = known[choose("data set", name, known)]
    if not entry.folder:
        found, where, counts = True, "made on demand, no files", dict(entry.splits)
    else:
        folder = (tissue_dir() or Path("$HISTOLAB_DATA")) / entry.folder
        counts = modules()[name].present(folder) if folder.is_dir() else {}
        required = set(entry.splits) - set(entry.optional_splits)
        found, where = all(counts.get(split, 0) >= entry.splits[split] for split in required), str(folder)
    splits = {split: (counts.get(split, 0), expected) for split, expected in entry.splits.items()}
    return Status(name, entry.title, entry.licence, entry.page, splits, found, where)


def _entry(where: str, name: str, table: Any) -> Entry:
    if not isinstance(table, dict):
        raise DataError(f"{where}: expected a table, got {table!r}")
    data = _tuples(table)
    _need(where, Entry, {"name", *data})
    if not str(data["licence"]).strip():
        raise DataError(f"{where}: licence is empty; every set states its terms")
    if data["show_pictures"] and not str(data["licence"]).startswith(("CC0", "CC BY ")):
        raise DataError(f"{where}: show_pictures is true, but the licence is {data['licence']!r}, not CC0 or CC BY")
    if missing := set(data.get("optional_splits", ())) - set(data["splits"]):
        raise DataError(f"{where}: optional_splits names {sorted(missing)}, but splits are {sorted(data['splits'])}")
    if missing := {*data.get("views", {}), *data.get("views", {}).values()} - set(data["splits"]):
        raise DataError(f"{where}: views names {sorted(missing)}, but splits are {sorted(data['splits'])}")
    if data.get("objects", "nuclei") not in OBJECTS:
        raise DataError(f"{where}: objects must be {' or '.join(OBJECTS)}, got {data['objects']!r}")
    downloads = tuple(_download(where, item) for item in data.pop("downloads", ()))
    if not data.get("by_hand") and (lost := [item.what for item in downloads if not item.url]):
        raise DataError(f"{where}: {', '.join(lost)}: give an address, or say in `by_hand` what a reader is to do")
    return Entry(name=name, downloads=downloads, **data)


def _download(where: str, table: Mapping[str, Any]) -> Download:
    where = f"{where}, download {table.get('what', '?')!r}"
    data = _tuples(table)
    _need(where, Download, set(data))
    for key, digits in (("sha256", 64), ("md5", 32)):
        value = data.get(key, "")
        if value and not re.fullmatch(f"[0-9a-f]{{{digits}}}", value):
            raise DataError(f"{where}: {key} must be {digits} lower-case hexadecimal digits, got {value!r}")
    if not any(data.get(key) for key in ("sha256", "md5", "verify")):
        raise DataError(
            f"{where}: give sha256 or md5, or say in `verify` why there is none and what is checked instead"
        )
    return Download(**data)


def _tuples(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}


def _need(where: str, kind: type[Entry] | type[Download], keys: set[str]) -> None:
    """Raise unless ``keys`` hold every field of ``kind`` that has no default, and no other."""
    known = {item.name: item.default is MISSING is item.default_factory for item in fields(kind)}
    if missing := [key for key, needed in known.items() if needed and key not in keys]:
        raise DataError(f"{where}: {', '.join(missing)} missing")
    if unknown := sorted(keys - set(known)):
        raise DataError(f"{where}: unknown {', '.join(unknown)}; known are {', '.join(known)}")
