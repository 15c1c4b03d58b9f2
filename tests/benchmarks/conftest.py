"""Collect what the benchmarks measured, print it as one table and keep it under ``_build/benchmarks.json``."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Row = dict[str, float]


@pytest.fixture(scope="session")
def table() -> Iterator[Callable[[str, Row], None]]:
    """Note a row: what was measured, and its numbers by name."""
    rows: dict[str, Row] = {}
    yield rows.__setitem__
    kept = Path(__file__).resolve().parents[2] / "_build" / "benchmarks.json"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(json.dumps(rows, indent=1) + "\n")
    print()
    for name, row in rows.items():
        print(f"{name:<45}", "  ".join(f"{key} {value:.3g}" for key, value in row.items()))
