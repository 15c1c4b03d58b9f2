"""Claim files: read, with every word checked."""

import csv
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from histolab_lib.choices import choose, look_up
from histolab_lib.claims.one import Claim
from histolab_lib.claims.vocabulary import (
    AVERAGING,
    DATASETS,
    DISTANCES,
    HEADER,
    METRICS,
    SCORES,
    SPLITS,
    UNREADABLE,
    WORDED,
)
from histolab_lib.data_dir import DataError, data_dir

__all__ = ["claim", "load_claims", "variants_of"]

_SIC = re.compile(r"\(sic\)", re.IGNORECASE)


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
    >>> from histolab_lib.claims import PAPERS
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
    return look_up("claim", key, _by_key(), data_dir() / "claims")


@cache
def variants_of(paper: str) -> Mapping[str, str]:
    """Return the rows of a paper's tables that are a variant of its own network: printed row, variant of our recipe.

    From ``data/claims/variants.toml``; empty for a paper that has none there.

    Examples
    --------
    >>> variants_of("histoseg")["Self Attention"]
    'self'
    """
    with (data_dir() / "claims" / "variants.toml").open("rb") as file:
        return MappingProxyType(tomllib.load(file).get(paper, {}))


@cache
def _by_key() -> Mapping[str, Claim]:
    return {one.key: one for one in load_claims()}


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
        where, "averaging", text["averaging"], AVERAGING if text["metric"] in SCORES + DISTANCES else ("", *AVERAGING)
    )
    for column, pattern in (("paper", "[a-z0-9_]+"), ("location", ".+"), ("images", r"\d*")):
        if not re.fullmatch(pattern, text[column]):
            raise DataError(f"{where}: {column} must match {pattern}, got {text[column]!r}")
    images = text.pop("images")
    made = Claim(**text, images=int(images) if images else None, source=where)
    try:
        _ = made.comparison
    except ValueError as error:
        raise DataError(f"{where}: row of {made.metric}: {error}") from error
    if made.number is None and made.value != UNREADABLE and made.metric not in WORDED:
        raise DataError(f"{where}: value must be a number as printed or {UNREADABLE!r}, got {made.value!r}")
    _check_range(where, made)
    if not made.value:
        raise DataError(f"{where}: value is empty; write {UNREADABLE!r} where the text has lost it")
    return made


def _check(where: str, what: str, value: str, allowed: Iterable[str]) -> None:
    try:
        choose(what, value, allowed)
    except ValueError as error:
        raise DataError(f"{where}: {error}") from None


def _check_range(where: str, claim: Claim) -> None:
    most = 100 if claim.unit == "percent" else 1
    if claim.metric not in SCORES or claim.number is None or 0 <= claim.number <= most or _SIC.search(claim.note):
        return
    raise DataError(
        f"{where}: {claim.metric} in {claim.unit} lies between 0 and {most}, got {claim.value!r}; where the paper "
        "prints it so, say (sic) in the note"
    )
