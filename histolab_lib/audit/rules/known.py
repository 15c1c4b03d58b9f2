"""Well-known facts that claims are compared with, each with its source (``data/claims/known.toml``)."""

import tomllib
from collections.abc import Mapping
from functools import cache
from typing import Any

from histolab_lib.data_dir import DataError, data_dir

__all__ = ["known"]

#: The fields that every entry of a table must have.
_FIELDS = {
    "software": ("name", "last_minor", "source"),
    "graphics": ("name", "memory_gb", "teraflops", "source"),
    "chain": ("paper", "what", "start", "steps", "end", "source"),
    "cascade": ("paper", "kernel_px", "branches", "source"),
    "published": ("dataset", "split", "metric", "value", "source"),
    "network": ("name", "form", "parameters", "source"),
    "blank": ("dataset", "split", "iou", "dice", "source"),
    "evaluation": ("paper", "metric", "words", "source"),
}


@cache
def known() -> Mapping[str, Any]:
    """Return the facts by table, as the file has them.

    Raises
    ------
    DataError
        If the file is missing or damaged, or an entry lacks a field; above all its source.

    Examples
    --------
    >>> [card["memory_gb"] for card in known()["graphics"] if card["name"] == "GTX 1080 Ti"]
    [11]
    """
    path = data_dir() / "claims" / "known.toml"
    try:
        facts = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error
    for table, fields in _FIELDS.items():
        for place, entry in enumerate(facts.get(table, []), 1):
            if lacking := [field for field in fields if not entry.get(field)]:
                raise DataError(f"{path}: entry {place} of {table} lacks {', '.join(lacking)}")
    return facts
