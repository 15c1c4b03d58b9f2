"""When two names mean one system: spelling, and a table of aliases (``data/claims/aliases.toml``)."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from histolab_lib.data_dir import DataError, data_dir

__all__ = ["Alias", "load_aliases", "one_name"]

_FIELDS = {"paper", "names", "words", "reason"}


@dataclass(frozen=True)
class Alias:
    """Names of one system in one paper.

    Attributes
    ----------
    paper : str
        Key of the paper.
    names : tuple of str
        As the tables print them, without reference marks; "" for a row that is about the data set itself.
    words : str
        Printed words of the paper that say so or show it; a test finds them in its text.
    reason : str
        Why that makes them one.
    """

    paper: str
    names: tuple[str, ...]
    words: str
    reason: str


def load_aliases(path: Path | None = None) -> tuple[Alias, ...]:
    """Read the table of aliases.

    Parameters
    ----------
    path : pathlib.Path, optional
        A TOML file with tables ``[[alias]]``; None: that of this book.

    Raises
    ------
    DataError
        If the file cannot be read, a table lacks a key or has an unknown one, has fewer than two names or no reason,
        or a name stands in two tables of one paper.

    Examples
    --------
    >>> load_aliases()[0].names
    ('U-Net', 'Baseline U-Net')
    """
    path = data_dir() / "claims" / "aliases.toml" if path is None else path
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8")).get("alias", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DataError(f"{path}: cannot be read as a table of aliases ({error})") from error
    seen: set[tuple[str, str]] = set()
    for number, table in enumerate(tables, 1):
        where = f"{path}, alias {number}"
        if set(table) != _FIELDS:
            raise DataError(f"{where}: expected the keys {', '.join(sorted(_FIELDS))}, got {', '.join(sorted(table))}")
        if len(table["names"]) < 2 or not table["reason"] or not table["words"]:
            raise DataError(f"{where}: needs two names or more, printed words and a reason, got {table}")
        for name in {_spelling(one) for one in table["names"]}:
            if (table["paper"], name) in seen:
                raise DataError(f"{where}: {name!r} stands in an earlier table of {table['paper']}")
            seen.add((table["paper"], name))
    return tuple(Alias(one["paper"], tuple(one["names"]), one["words"], one["reason"]) for one in tables)


@cache
def one_name(paper: str, name: str) -> str:
    """Return a name that is the same for all names of one system of a paper; for comparing, not for printing.

    Two names are one where they differ only in case, blanks and hyphens, or where the table of aliases says so. A part
    of the data after ": " is kept. Nothing else makes two names one: equal numbers do not.

    Examples
    --------
    >>> one_name("dan_nucnet", "UNet") == one_name("dan_nucnet", "U-Net")
    True
    >>> one_name("dan_nucnet", "UNet") == one_name("dan_nucnet", "UNet++")
    False
    >>> one_name("haru_net", "Baseline U-Net")
    'unet'
    """
    system, mark, group = name.partition(": ")
    spelt = _spelling(system)
    return _known().get((paper, spelt), spelt) + mark + group.casefold()


def _spelling(name: str) -> str:
    return re.sub(r"[\s‐-–-]+", "", name).casefold()


@cache
def _known() -> Mapping[tuple[str, str], str]:
    return {(one.paper, _spelling(name)): _spelling(one.names[0]) for one in load_aliases() for name in one.names}
