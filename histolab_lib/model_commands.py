"""``histolab models``: the networks of the book, how large they are, and what their papers print."""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer
from rich.console import Console

from histolab_lib.data_commands import plain_errors
from histolab_lib.data_dir import data_dir

__all__ = ["models"]

_out = Console()


def models(
    facts: Annotated[bool, typer.Option("--facts", help="Count again, and write data/facts/parameters.json.")] = False,
) -> None:
    """Show every network: parameters, multiply-adds for one 256x256 image, and what its paper prints."""
    path = data_dir() / "facts" / "parameters.json"
    with plain_errors(OSError):
        if facts:
            from histolab_lib.papers import parameters

            _say(f"written: {parameters.write(path)}")
        kept = json.loads(path.read_text(encoding="utf-8"))
    for line in _lines(kept):
        _say(line)


def _lines(kept: Mapping[str, Any]) -> Iterator[str]:
    """One line for each variant of each network, in columns."""
    size = kept["size_px"]
    yield f"{'network':<15}{'variant':<24}{'parameters':>12}  {f'multiply-adds at {size}x{size}':>26}  printed"
    for key, network in kept["networks"].items():
        for variant, counted in network["variants"].items():
            billions = f"{counted['multiply_adds'] / 1e9:.2f} billion"
            line = f"{key:<15}{variant:<24}{counted['parameters']:>12,}  {billions:>26}  {_printed(counted)}"
            yield line.rstrip()


def _printed(counted: Mapping[str, Any]) -> str:
    printed = counted.get("printed")
    return f"{printed['value']} {printed['unit']} ({printed['claim']})" if printed else ""


def _say(line: str) -> None:
    _out.print(line, highlight=False, markup=False, soft_wrap=True)
