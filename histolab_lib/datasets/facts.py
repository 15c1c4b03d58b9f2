"""Facts of a set, counted in its files: what ``histolab data facts`` writes, tests recompute and chapters quote."""

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from histolab_lib.choices import choose
from histolab_lib.data_dir import DataError, data_dir
from histolab_lib.datasets.registry import entries, modules
from histolab_lib.datasets.sides import as_number, patients_of, splits_of
from histolab_lib.tile import Tile

__all__ = ["TILES", "compute", "describe", "differences", "facts_path", "read", "tiles", "write"]

#: Sets of which something is known about every tile, and the file of ``data/facts`` that has it: Kumar's tiles are the
#: 30 training tiles of MoNuSeg 2018.
TILES: Mapping[str, str] = MappingProxyType(
    {"glas": "glas_tiles.csv", "kumar": "monuseg_tiles.csv", "monuseg": "monuseg_tiles.csv"}
)

_SMALL_PX = (10, 100)


def compute(name: str) -> dict[str, Any]:
    """Count in the files of a set, under the default options of its loader.

    Parameters
    ----------
    name : str
        A set with files; they must be where ``HISTOLAB_DATA`` says.

    Returns
    -------
    dict
        What JSON can hold: ``set``; ``splits``, each as `describe` gives it (optional ones left out), and ``all``, the
        splits that are not part of another one together; ``shared_patients``, by pair of splits; where the set has
        versions, ``versions``: the tiles of each split, and the patients that training and test share; for MoNuSeg
        ``raster`` (`histolab_lib.datasets.raster_facts`). Fields: ``data/facts/README.md``.

    Raises
    ------
    ValueError
        If there is no such set.
    DataError
        If the set is not on disk, or a file is damaged.
    """
    known = entries()
    choose("data set with files", name, [key for key, entry in known.items() if entry.folder])
    module, entry = modules()[name], known[name]
    tiles: dict[str, list[dict[str, Any]]] = {}
    for split in splits_of(module):
        if split not in entry.optional_splits:
            tiles[split] = [_counted(tile) for tile in module.load(split)]
    whole = [split for split in tiles if split not in entry.views]
    facts: dict[str, Any] = {"set": name, "splits": {split: _summary(rows) for split, rows in tiles.items()}}
    facts["splits"]["all"] = _summary([row for split in whole for row in tiles[split]])
    facts["shared_patients"] = _shared(module, whole)
    if versions := getattr(module, "VERSIONS", None):
        facts["versions"] = {version: _version(module, version) for version in versions}
    if name == "monuseg":
        from histolab_lib.datasets.raster_facts import compare_conventions

        facts["raster"] = compare_conventions()
    return facts


def describe(tiles: Iterable[Tile]) -> dict[str, Any]:
    """Count in tiles, real or made.

    Parameters
    ----------
    tiles : iterable of Tile
        At least one.

    Returns
    -------
    dict
        See ``data/facts/README.md``. Shares and areas are over all objects or pixels together, not means of tiles.

    Examples
    --------
    Two objects that meet at a corner, the second of them in two pieces:

    >>> instances = np.array([[1, 0, 0, 2], [0, 2, 0, 0]], np.int32)
    >>> facts = describe([Tile("demo", np.zeros((2, 4, 3), np.uint8), instances)])
    >>> facts["objects"], facts["components_4"], facts["components_8"], facts["touching"], facts["touching_by_edge"]
    (2, 3, 2, 2, 0)
    >>> facts["pieces_beyond_one_4"], facts["pieces_beyond_one_8"], facts["foreground_share"], facts["area_px"]
    (1, 1, 0.375, {'median': 1.5, 'min': 1, 'max': 2})
    """
    return _summary([_counted(tile) for tile in tiles])


def facts_path(name: str) -> Path:
    """Return where the facts of a set are kept."""
    return data_dir() / "facts" / f"{name}.json"


def read(name: str) -> dict[str, Any]:
    """Read the facts of a set, as they were written; needs no file of the set.

    Raises
    ------
    DataError
        If there are none, because nobody had the files.
    """
    path = facts_path(name)
    if not path.is_file():
        have = sorted(other for other in entries() if facts_path(other).is_file())
        raise DataError(f"{path}: no facts of {name!r} have been written; there are some of {', '.join(have)}")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def tiles(name: str) -> dict[str, dict[str, str]]:
    """Return what is known about each tile of a set, by its name; needs no file of the set.

    Parameters
    ----------
    name : str
        One of `TILES`.

    Returns
    -------
    dict of str to dict of str to str
        In the order of the file, fields as text, empty where something is not known: ``organ`` and ``set`` of MoNuSeg
        and Kumar, ``grade`` and ``split`` of GlaS; all of them are told in ``data/facts/README.md``.

    Raises
    ------
    ValueError
        If nothing is kept about the tiles of this set.

    Examples
    --------
    >>> tiles("monuseg")["TCGA-18-5592-01Z-00-DX1"]["organ"], tiles("glas")["train_1"]["grade"]
    ('liver', 'malignant')
    """
    choose("set with facts of each tile", name, TILES)
    with (data_dir() / "facts" / TILES[name]).open(encoding="utf-8", newline="") as file:
        found = {row["tile"]: row for row in csv.DictReader(file)}
    return {tile: row for tile, row in found.items() if name != "kumar" or row["set"] == "train"}


def write(name: str) -> Path:
    """Compute the facts of a set and write them where `read` looks."""
    path = facts_path(name)
    path.write_text(json.dumps(compute(name), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def differences(kept: Any, found: Any, where: str = "") -> list[str]:
    """Return, one line each, where two facts differ.

    Examples
    --------
    >>> differences({"tiles": 30, "area": {"min": 1}}, {"tiles": 37, "area": {"min": 1, "max": 9}})
    ['tiles: kept 30, found 37', 'area.max: kept None, found 9']
    """
    if isinstance(kept, Mapping) and isinstance(found, Mapping):
        lines: list[str] = []
        for key in {**kept, **found}:
            lines += differences(kept.get(key), found.get(key), f"{where}.{key}" if where else str(key))
        return lines
    return [] if kept == found else [f"{where}: kept {kept}, found {found}"]


def _counted(tile: Tile) -> dict[str, Any]:
    """Count in one tile; everything that `_summary` adds up."""
    from scipy import ndimage
    from skimage.measure import label

    ids, mask = tile.instances, tile.mask
    areas = np.bincount(ids[mask])
    areas = areas[areas > 0]
    by_corner = np.ones((3, 3))
    return {
        "tile": tile,
        "areas": areas,
        "components_4": int(ndimage.label(mask)[1]),
        "components_8": int(ndimage.label(mask, by_corner)[1]),
        # neighbouring pixels of the same id are one piece
        "pieces_4": int(label(ids, background=0, connectivity=1).max(initial=0)),
        "pieces_8": int(label(ids, background=0, connectivity=2).max(initial=0)),
        "touching": _touching(ids, corners=True),
        "touching_by_edge": _touching(ids, corners=False),
        "digest": hashlib.sha256(repr((tile.name, ids.shape)).encode() + tile.image.tobytes() + ids.tobytes()).digest(),
    }


def _touching(ids: npt.NDArray[np.int32], *, corners: bool) -> int:
    """Return how many objects have a pixel beside one of another object."""
    sides = [(ids[:, :-1], ids[:, 1:]), (ids[:-1], ids[1:])]
    if corners:
        sides += [(ids[:-1, :-1], ids[1:, 1:]), (ids[:-1, 1:], ids[1:, :-1])]
    touched: set[int] = set()
    for one, other in sides:
        meet = (one != other) & (one > 0) & (other > 0)
        touched.update(one[meet].tolist(), other[meet].tolist())
    return len(touched)


def _summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    tiles = [row["tile"] for row in rows]
    per_tile = [row["areas"] for row in rows]
    areas = np.concatenate(per_tile)
    total = {key: sum(row[key] for row in rows) for key in ("components_4", "components_8", "pieces_4", "pieces_8")}
    facts: dict[str, Any] = {
        "tiles": len(tiles),
        "sizes_px": _counts(f"{tile.shape[0]}x{tile.shape[1]}" for tile in tiles),
        "objects": len(areas),
        "objects_per_tile": {"fewest": min(map(len, per_tile)), "most": max(map(len, per_tile))},
        "components_4": total["components_4"],
        "components_8": total["components_8"],
        "pieces_beyond_one_4": total["pieces_4"] - len(areas),
        "pieces_beyond_one_8": total["pieces_8"] - len(areas),
        "touching": sum(row["touching"] for row in rows),
        "touching_by_edge": sum(row["touching_by_edge"] for row in rows),
        "foreground_share": round(float(areas.sum()) / sum(tile.instances.size for tile in tiles), 6),
        "area_px": {"median": float(np.median(areas)), "min": int(areas.min()), "max": int(areas.max())},
        "smaller_than_px": {str(size): int(np.count_nonzero(areas < size)) for size in _SMALL_PX},
        "organs": _counts(tile.organ for tile in tiles if tile.organ),
        "patients": _counts(tile.patient for tile in tiles if tile.patient),
        "um_per_px": _counts(tile.um_per_px and f"{tile.um_per_px:g}" for tile in tiles),
    }
    facts |= _from_sources(tiles)
    return facts | {"sha256": hashlib.sha256(b"".join(row["digest"] for row in rows)).hexdigest()}


def _from_sources(tiles: Sequence[Tile]) -> dict[str, Any]:
    """Add up what the loaders noticed, where they noticed it."""
    facts: dict[str, Any] = {}
    if all("regions" in tile.source for tile in tiles):
        facts |= {key: sum(tile.source[key] for tile in tiles) for key in ("regions", "vanished")}
    if all("relabelled" in tile.source for tile in tiles):
        # a mask without ids was published as one object
        facts["objects_as_published"] = sum(tile.count if tile.source["relabelled"] == "no" else 1 for tile in tiles)
    for key in ("grade", "grade_2015"):
        if all(key in tile.source for tile in tiles):
            facts[key] = _counts(tile.source[key] for tile in tiles)
    classes = Counter(kind for tile in tiles for kind in (tile.classes or {}).values())
    return facts | ({"classes": dict(sorted(classes.items()))} if classes else {})


def _counts(values: Iterable[str | None]) -> dict[str, int]:
    return dict(sorted(Counter("unknown" if value is None else value for value in values).items()))


def _shared(module: ModuleType, splits: Sequence[str], **options: str) -> dict[str, list[str]]:
    """Return the patients that each pair of splits shares."""
    patients = {split: set(patients_of(module, split, options).values()) for split in splits}
    pairs = ((a, b, patients[a] & patients[b]) for a, b in combinations(splits, 2))
    return {f"{a} and {b}": sorted(both, key=as_number) for a, b, both in pairs if both}


def _version(module: ModuleType, version: str) -> dict[str, Any]:
    splits = splits_of(module, {"version": version})
    tiles = {split: len(patients_of(module, split, {"version": version})) for split in splits}
    return {"tiles": tiles, "shared_patients": _shared(module, ("train", "test"), version=version)}
