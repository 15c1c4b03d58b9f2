"""What the authors of each paper have released, as data: ``data/released_code.toml``."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from histolab_lib.choices import choose
from histolab_lib.claims import PAPERS
from histolab_lib.data_dir import DataError, data_dir

__all__ = ["ANSWERS", "ASPECTS", "THERE", "Aspect", "ReleasedCode", "released_code"]

#: What a reader needs to get from the code to the tables, in the order in which it is needed.
ASPECTS = ("dependencies", "training", "evaluation", "weights", "results", "licence")
#: Whether it is there.
THERE = ("yes", "part", "no")
#: Whether the published numbers follow from what is there.
ANSWERS = ("yes", "partly", "no")

_RELEASED = ("repository", "commit", "date", "read", *ASPECTS, "numbers_follow")
_SEARCHED = ("searched", "where", "found")


@dataclass(frozen=True)
class Aspect:
    """One thing that a release may hold.

    Attributes
    ----------
    name : str
        Of `ASPECTS`.
    there : str
        Of `THERE`.
    what : str
        A sentence or two: what is there, or what is missing.
    files : tuple of str
        Where it was seen, or is linked to; paths in the repository.
    """

    name: str
    there: str
    what: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class ReleasedCode:
    """What was found of one paper's code, and when.

    Attributes
    ----------
    paper : str
        Key of the paper.
    seen : datetime.date
        The day on which the repository was read, or searched for.
    repository, commit : str
        Address and full commit; empty where no code was found.
    dated : datetime.date, optional
        Day of the commit.
    aspects : tuple of Aspect
        In the order of `ASPECTS`; empty where no code was found.
    follow : str
        Of `ANSWERS`: whether the published numbers follow from what is there; ``"no"`` where no code was found.
    why : str
        Why; where no code was found: where it was searched for, and what came of it.
    """

    paper: str
    seen: date
    repository: str = ""
    commit: str = ""
    dated: date | None = None
    aspects: tuple[Aspect, ...] = ()
    follow: str = "no"
    why: str = ""


@cache
def released_code() -> Mapping[str, ReleasedCode]:
    """Return what was found of each paper of this book, by its key, in the order of `histolab_lib.claims.PAPERS`.

    Raises
    ------
    DataError
        If the file is missing or damaged, lacks a paper or a key, or has one that it should not have; the message names
        file and key.

    Examples
    --------
    >>> found = released_code()
    >>> found["haru_net"].commit[:8], found["haru_net"].follow
    ('df92e681', 'no')
    >>> {one.name: one.there for one in found["haru_net"].aspects}["weights"]
    'no'
    >>> found["msal_net"].repository, found["msal_net"].aspects
    ('', ())
    """
    return _read(data_dir() / "released_code.toml")


def _read(path: Path) -> Mapping[str, ReleasedCode]:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error
    _keys(str(path), tables, tuple(PAPERS))
    return {paper: _paper(path, paper, tables[paper]) for paper in PAPERS}


def _paper(path: Path, paper: str, table: Any) -> ReleasedCode:
    where = f"{path}: {paper}"
    if isinstance(table, dict) and "repository" not in table:
        _keys(where, table, _SEARCHED)
        why = f"Searched: {_text(where, table, 'where')}. Found: {_text(where, table, 'found')}"
        return ReleasedCode(paper, _day(where, table, "searched"), why=why)
    _keys(where, table, _RELEASED)
    follow = table["numbers_follow"]
    _keys(f"{where}.numbers_follow", follow, ("answer", "why"))
    return ReleasedCode(
        paper,
        seen=_day(where, table, "read"),
        repository=_text(where, table, "repository", r"https://\S+"),
        commit=_text(where, table, "commit", "[0-9a-f]{40}"),
        dated=_day(where, table, "date"),
        aspects=tuple(_aspect(f"{where}.{name}", name, table[name]) for name in ASPECTS),
        follow=_word(f"{where}.numbers_follow", follow, "answer", ANSWERS),
        why=_text(f"{where}.numbers_follow", follow, "why"),
    )


def _aspect(where: str, name: str, table: Any) -> Aspect:
    _keys(where, table, ("there", "what", "files"))
    files = table["files"]
    if not isinstance(files, list) or not all(isinstance(one, str) and one for one in files):
        raise DataError(f"{where}.files: expected a list of paths, got {files!r}")
    there = _word(where, table, "there", THERE)
    if there == "yes" and not files:
        raise DataError(f"{where}.files: what is there must name a file")
    return Aspect(name, there, _text(where, table, "what"), tuple(files))


def _keys(where: str, table: Any, expected: tuple[str, ...]) -> None:
    if not isinstance(table, dict):
        raise DataError(f"{where}: expected a table, got {table!r}")
    if lacking := [key for key in expected if key not in table]:
        raise DataError(f"{where}: lacks {', '.join(lacking)}")
    if strange := [key for key in table if key not in expected]:
        raise DataError(f"{where}: unknown key {strange[0]!r}; allowed: {', '.join(expected)}")


def _text(where: str, table: Mapping[str, Any], key: str, pattern: str = r"(?s)\S.*") -> str:
    value = table[key]
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise DataError(f"{where}.{key}: expected text that matches {pattern}, got {value!r}")
    return value


def _word(where: str, table: Mapping[str, Any], key: str, allowed: tuple[str, ...]) -> str:
    try:
        return choose(key, table[key], allowed)
    except ValueError as error:
        raise DataError(f"{where}: {error}") from None


def _day(where: str, table: Mapping[str, Any], key: str) -> date:
    value = table[key]
    if type(value) is not date:
        raise DataError(f"{where}.{key}: expected a day such as 2026-01-31, got {value!r}")
    return value
