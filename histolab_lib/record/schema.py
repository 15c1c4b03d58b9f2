"""What a record must hold, field by field, and the two rules that keep test tiles out of training and choosing."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

from histolab_lib.data_dir import DataError

__all__ = ["LEAK", "NAMES", "check"]

#: The part of a variant's name that says that test tiles were looked at before they were scored.
LEAK = "leak"
#: What of an image's row is text; the rest are numbers.
NAMES = ("name", "group", "empty")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_word(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[a-z0-9_]+", value) is not None


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_amount(value: object) -> bool:
    return _is_number(value) and 0 <= value < math.inf  # type: ignore[operator]


def _is_names(value: object) -> bool:
    return isinstance(value, list | tuple) and all(map(_is_text, value)) and len({*value}) == len(value)


def _is_mapping(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping) and all(isinstance(key, str) for key in value)


def _is_data(value: object) -> bool:
    return _is_filled(value) and all(
        _is_mapping(one) and _is_count(one.get("tiles")) and re.fullmatch("[0-9a-f]{64}", str(one.get("sha256")))
        for one in value.values()
    )


def _is_filled(value: object) -> TypeGuard[Mapping[str, Any]]:
    return _is_mapping(value) and bool(value)


def _is_table(value: object) -> bool:
    return _is_mapping(value) and all(isinstance(one, list | tuple) for one in value.values())


_WORD = ("a word of small letters, digits and _", _is_word)
_TEXT = ("text", _is_text)
_MAPPING = ("a mapping", _is_mapping)
_TILES = ("a list of tile names, each once", _is_names)
_AMOUNT = ("a number of at least 0", _is_amount)
_MAYBE_AMOUNT = ("a number of at least 0, or null", lambda value: value is None or _is_amount(value))
_HASH = ("16 hex digits", lambda value: re.fullmatch("[0-9a-f]{16}", str(value)) is not None)

_FIELDS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "key": _WORD,
    "dataset": _WORD,
    "options": _MAPPING,
    "variant": _WORD,
    "reading": _WORD,
    "schedule": _WORD,
    "seed": ("a whole number of at least 0", _is_count),
    "recipe": ("a mapping of settings, not empty", _is_filled),
    "recipe_hash": _HASH,
    "settings": _MAPPING,
    "data": ("a mapping of splits, each with tiles (a count) and sha256 (64 hex digits)", _is_data),
    "fit_on": _TILES,
    "chosen_on": _TILES,
    "weights": _TEXT,
    "commit": _TEXT,
    "code": _HASH,
    "pins": ("16 hex digits, or null", lambda value: value is None or _HASH[1](value)),
    "packages": ("a mapping of names to versions", lambda v: _is_filled(v) and all(map(_is_text, v.values()))),
    "device": _TEXT,
    "torch": _TEXT,
    "date": ("a day as YYYY-MM-DD", lambda value: re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)) is not None),
    "wall_s": _AMOUNT,
    "images_per_s": _MAYBE_AMOUNT,
    "peak_memory_mib": _MAYBE_AMOUNT,
    "images": ("a mapping of test splits, not empty", _is_filled),
    "summary": ("a mapping of splits, not empty", _is_filled),
    "history": ("a mapping of columns", _is_table),
}


def check(where: str, values: Mapping[str, Any]) -> None:
    """Raise `DataError` unless `values` are the fields of a record; `where` begins its message."""
    for name, (wanted, holds) in _FIELDS.items():
        if name not in values:
            raise DataError(f"{where}: field {name!r} is missing; it must be {wanted}")
        if not holds(values[name]):
            raise DataError(f"{where}: field {name!r} must be {wanted}, got {_short(values[name])}")
    if unknown := sorted(set(values) - set(_FIELDS)):
        raise DataError(f"{where}: unknown field {unknown[0]!r}; a record has {', '.join(_FIELDS)}")
    for split, rows in values["images"].items():
        _check_rows(f"{where}: field 'images', split {split!r}", rows)
    _check_summary(where, values["summary"], values["images"])
    _check_apart(where, values)


def _check_rows(where: str, rows: object) -> None:
    if not isinstance(rows, list | tuple) or not rows:
        raise DataError(f"{where} must be a list of rows, not empty, got {_short(rows)}")
    for number, row in enumerate(rows):
        if not _is_mapping(row) or not _is_text(row.get("name")):
            raise DataError(f"{where}, row {number} must be a mapping with a name, got {_short(row)}")
        for key, value in row.items():
            if (key in NAMES and not _is_text(value)) or (key not in NAMES and not _is_number(value)):
                wanted = "text" if key in NAMES else "a number"
                raise DataError(f"{where}, image {row['name']}: {key!r} must be {wanted}, got {_short(value)}")
    if len({row["name"] for row in rows}) < len(rows):
        raise DataError(f"{where}: an image comes twice")


def _check_summary(where: str, summary: Mapping[str, Any], images: Mapping[str, Any]) -> None:
    wanted = set(images) | ({"test"} if len(images) > 1 else set())
    if set(summary) != wanted:
        expected, got = (", ".join(sorted(names)) for names in (wanted, summary))
        raise DataError(f"{where}: field 'summary' must have the splits {expected}, got {got}")
    for split, metrics in summary.items():
        for metric, values in metrics.items() if _is_filled(metrics) else [("", None)]:
            if not _is_mapping(values) or not {"mean", "low", "high", "images"} <= set(values):
                raise DataError(
                    f"{where}: field 'summary', split {split!r}, metric {metric!r} must have mean, low, high and "
                    f"images, got {_short(values)}"
                )


def _check_apart(where: str, values: Mapping[str, Any]) -> None:
    tested = {row["name"] for rows in values["images"].values() for row in rows}
    if met := sorted(tested & set(values["fit_on"])):
        raise DataError(f"{where}: field 'fit_on' holds test tiles ({', '.join(met[:3])}); they may not be trained on")
    met = sorted(tested & set(values["chosen_on"]))
    if met and LEAK not in values["variant"].split("__"):
        raise DataError(
            f"{where}: field 'chosen_on' holds test tiles ({', '.join(met[:3])}); only a variant {LEAK!r} may choose "
            "on what it is scored on"
        )


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
