"""What careful readers of a paper have noticed, and what became of it (``data/leads``)."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from histolab_lib.data_dir import DataError, data_dir

__all__ = ["Lead", "load_leads"]

_TEXTS = ("what", "where", "rule", "fine", "refused")


@dataclass(frozen=True)
class Lead:
    """Something in a paper that a careful reader has looked at.

    Exactly one of `rule`, `fine` and `refused` is not empty.

    Attributes
    ----------
    paper : str
        Key of the paper.
    what : str
        One sentence: what was noticed.
    where : str
        Where in the paper.
    rule : str
        The rule that finds it.
    fine : str
        The rule that tests it and finds nothing: it holds.
    refused : str
        Why no rule tests it.
    claims : tuple of str
        Keys of claims that the findings of `rule`, or the checks of `fine`, are about.
    """

    paper: str
    what: str
    where: str
    rule: str = ""
    fine: str = ""
    refused: str = ""
    claims: tuple[str, ...] = ()


def load_leads(path: Path | None = None) -> tuple[Lead, ...]:
    """Read what became of the leads.

    Parameters
    ----------
    path : pathlib.Path, optional
        One TOML file with tables ``[[lead]]``, named after its paper, or a folder of them; None: ``data/leads``.

    Returns
    -------
    tuple of Lead
        In the order of the files' names and of their tables.

    Raises
    ------
    DataError
        If a file cannot be read; if a table has an unknown key, lacks what or where, has not exactly one of rule, fine
        and refused, has claims without a rule or a rule without claims, or says what an earlier one says. The message
        names file and table.

    Examples
    --------
    >>> {lead.paper for lead in load_leads() if lead.rule == "versions-that-exist"}
    {'haru_net'}
    """
    path = data_dir() / "leads" if path is None else path
    files = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    if not files:
        raise DataError(f"{path}: no file of leads (*.toml) there")
    return tuple(lead for file in files for lead in _read(file))


def _read(path: Path) -> tuple[Lead, ...]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DataError(f"{path}: cannot be read as a file of leads ({error})") from error
    tables = content.pop("lead", [])
    if content or not isinstance(tables, list) or not tables:
        raise DataError(f"{path}: expected tables [[lead]] and nothing else, got {', '.join(content) or 'none'}")
    leads: dict[tuple[str, str], Lead] = {}
    for number, table in enumerate(tables, 1):
        lead = _lead(f"{path}, lead {number}", path.stem, table)
        if leads.setdefault((lead.what, lead.rule or lead.fine), lead) is not lead:
            raise DataError(f"{path}, lead {number}: says what an earlier one says: {lead.what!r}")
    return tuple(leads.values())


def _lead(where: str, paper: str, table: Any) -> Lead:
    if not isinstance(table, dict):
        raise DataError(f"{where}: expected a table, got {table!r}")
    if strange := set(table) - {*_TEXTS, "claims"}:
        raise DataError(f"{where}: unknown key {min(strange)!r}; allowed: {', '.join((*_TEXTS, 'claims'))}")
    for key in _TEXTS:
        if key in table and not (isinstance(table[key], str) and table[key].strip()):
            raise DataError(f"{where}: {key} must be text, got {table[key]!r}")
    if lacking := [key for key in ("what", "where") if key not in table]:
        raise DataError(f"{where}: lacks {' and '.join(lacking)}")
    answers = [key for key in ("rule", "fine", "refused") if key in table]
    if len(answers) != 1:
        raise DataError(f"{where}: needs one of rule, fine and refused, got {' and '.join(answers) or 'none'}")
    claims = table.get("claims", [])
    if not isinstance(claims, list) or not all(isinstance(one, str) for one in claims):
        raise DataError(f"{where}: claims must be a list of keys, got {claims!r}")
    if bool(claims) == ("refused" in table):
        raise DataError(f"{where}: rule and fine need the keys of claims, refused has none")
    if stray := [one for one in claims if not one.startswith(f"{paper}/")]:
        raise DataError(f"{where}: {stray[0]!r} is no claim of {paper}, after which the file is named")
    return Lead(paper, **{key: value for key, value in table.items() if key != "claims"}, claims=tuple(claims))
