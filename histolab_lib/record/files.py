"""Records as files: JSON that is written whole or not at all, sealed against changes, and checked when it is read."""

import hashlib
import json
import math
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from histolab_lib.data_dir import DataError
from histolab_lib.record.fields import Record
from histolab_lib.record.schema import NAMES, check

__all__ = ["SCHEMA", "digest_of", "load_record", "save_record"]

#: Number of the layout; it changes when a field changes its meaning.
SCHEMA = 1

_NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}  # JSON has no such numbers


def digest_of(settings: Mapping[str, Any]) -> str:
    """Return 16 hex digits of what JSON can hold; the order of a mapping's keys does not count.

    Examples
    --------
    >>> digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1}) != digest_of({"a": 1, "b": 3})
    True
    """
    return _sha256(settings)[:16]


def save_record(record: Record, root: Path) -> Path:
    """Write a record below `root`: whole or not at all, whatever interrupts it or fills the disk.

    Returns
    -------
    pathlib.Path
        The file. One that was there is replaced.

    Raises
    ------
    OSError
        If it cannot be written; an earlier record is as it was, and no part of the new one is left.
    """
    values = {"schema": SCHEMA, **{one.name: _plain(getattr(record, one.name)) for one in fields(record)}}
    values["checksum"] = _sha256(values)
    path = record.path(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, scratch = tempfile.mkstemp(prefix=".part-", suffix=path.suffix, dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(_text(values))
            file.flush()
            os.fsync(file.fileno())
        Path(scratch).chmod(0o644)
        Path(scratch).replace(path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise
    return path


def load_record(path: Path) -> Record:
    """Read a record and check it.

    Raises
    ------
    DataError
        If the file is missing or no JSON, if a field is missing, unknown or not what it should be, if the record lies
        at another place than its fields say, or if anything in it was changed by hand. The message names file and
        field.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DataError(f"{path}: cannot be read as a record ({error})") from error
    if not isinstance(values, dict) or values.get("schema") != SCHEMA:
        got = values.get("schema") if isinstance(values, dict) else type(values).__name__
        raise DataError(f"{path}: field 'schema' must be {SCHEMA}, got {got!r}")
    stated = values.pop("checksum", None)
    sealed = _sha256(values)
    del values["schema"]
    values["images"] = _revived(values.get("images"), NAMES)
    for name in ("summary", "history"):
        values[name] = _revived(values.get(name), ("metric",))
    check(str(path), values)
    record = Record(**values)
    if record.path(Path()).parts != path.parts[-3:]:
        raise DataError(f"{path}: by its fields this record belongs at {record.name}.json")
    if stated != sealed:
        raise DataError(
            f"{path}: field 'checksum' does not fit the others: something was changed after the run. Records are not "
            "edited; run it again"
        )
    return record


def _sha256(values: object) -> str:
    text = json.dumps(_plain(values), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    """What JSON can hold: words for numbers that are not finite, lists for tuples."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _revived(value: Any, names: Sequence[str]) -> Any:
    """Turn those words into numbers again, except under the keys that hold words."""
    if isinstance(value, dict):
        return {key: one if key in names else _revived(one, names) for key, one in value.items()}
    if isinstance(value, list):
        return [_revived(one, names) for one in value]
    return _NOT_FINITE.get(value, value) if isinstance(value, str) else value


def _text(values: Mapping[str, Any]) -> str:
    """JSON with one field a line, and one image a line, so that two versions can be compared by eye."""

    def line(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)

    def block(rows: Sequence[Any]) -> str:
        return "[\n   " + ",\n   ".join(map(line, rows)) + "\n  ]"

    def mapping(value: Mapping[str, Any], each: Callable[[Any], str]) -> str:
        return "{\n  " + ",\n  ".join(f"{line(key)}: {each(one)}" for key, one in value.items()) + "\n }"

    parts = []
    for name, value in values.items():
        if name == "images":
            shown = mapping(value, block)
        elif name == "summary":
            shown = mapping(value, lambda split: "{\n   " + line(split)[1:-1].replace("}, ", "},\n   ") + "\n  }")
        else:
            shown = line(value)
        parts.append(f" {line(name)}: {shown}")
    return "{\n" + ",\n".join(parts) + "\n}\n"
