"""Sets of one image file and one label file per tile: where the pairs lie, which are torn, what else lies there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from histolab_lib.data_dir import DataError
from histolab_lib.datasets.files import require
from histolab_lib.datasets.problems import absent, unexpected
from histolab_lib.tile import Tile

__all__ = ["Pair", "check_pairs", "count_pairs", "locate_pairs", "pair_problems", "tile_problems"]


@dataclass(frozen=True)
class Pair:
    """Where one tile lies, whether the files exist or not."""

    image: Path
    labels: Path


def locate_pairs(folder: Path, split: str, stems: Mapping[str, str]) -> dict[str, Pair]:
    """Return image and labels of each tile of a split: ``SPLIT/Images/STEM.png`` and ``SPLIT/Labels/STEM.mat``.

    Parameters
    ----------
    folder : pathlib.Path
        Holds the folder of the split, or one folder that does (as when the archive brings one of its own).
    split : str
        The split's folder, spelt as on disk.
    stems : mapping of str to str
        The stem of the files of each tile, by its name.
    """
    deeper = [inner.parent for inner in sorted(folder.glob(f"*/{split}")) if inner.is_dir()]
    nested = len(deeper) == 1 and not (folder / split).is_dir()
    top = (deeper[0] if nested else folder) / split
    return {name: Pair(top / "Images" / f"{stem}.png", top / "Labels" / f"{stem}.mat") for name, stem in stems.items()}


def count_pairs(pairs: Mapping[str, Pair]) -> int:
    """Return how many tiles have both their files."""
    return sum(pair.image.is_file() and pair.labels.is_file() for pair in pairs.values())


def check_pairs(pairs: Mapping[str, Pair], *, again: str) -> None:
    """Raise a `DataError` where a file is missing, saying ``again``: half a set gives wrong means in silence."""
    for what, files in _columns(pairs).items():
        missing = [path.name for path in files if not path.is_file()]
        require(missing, of=len(files), problem=f"{what} are missing in {files[0].parent}", advice=again)


def pair_problems(pairs: Mapping[str, Pair]) -> list[str]:
    """Return what is missing in each folder, and what lies there that belongs to no pair, a sentence each.

    Hidden files are passed over.
    """
    problems = []
    for what, files in _columns(pairs).items():
        folder = files[0].parent
        found = [path for path in folder.iterdir() if not path.name.startswith(".")] if folder.is_dir() else []
        problems += absent(folder, files, what=what) + unexpected(folder, found, files, what=what)
    return problems


def tile_problems(
    pairs: Mapping[str, Pair], read: Callable[[str], Tile], look: Callable[[Tile], list[str]]
) -> tuple[list[str], int]:
    """Read every whole pair and return what is wrong with it, and how many objects there are in all.

    Parameters
    ----------
    pairs : mapping of str to Pair
    read : callable
        Reads the tile of a name; what it raises is a problem.
    look : callable
        Takes a tile that could be read, and returns what is odd about it.
    """
    problems, objects = [], 0
    for name, pair in pairs.items():
        if not (pair.image.is_file() and pair.labels.is_file()):
            continue
        try:
            tile = read(name)
        except (DataError, OSError) as error:
            problems.append(str(error))
            continue
        problems += look(tile)
        objects += tile.count
    return problems, objects


def _columns(pairs: Mapping[str, Pair]) -> dict[str, list[Path]]:
    return {
        "images": [pair.image for pair in pairs.values()],
        "label files": [pair.labels for pair in pairs.values()],
    }
