"""``histolab audit``: what published numbers cannot be."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from histolab_lib.audit.finding import by_place
from histolab_lib.claims import PAPERS, Claim, load_claims
from histolab_lib.data_commands import plain_errors
from histolab_lib.data_dir import DataError

if TYPE_CHECKING:
    from histolab_lib.audit.finding import Finding

__all__ = ["audit"]

_COLOURS = {"impossible": "bold red", "inconsistent": "red", "unlikely": "yellow", "fine": "green"}


def audit(
    file: Annotated[
        Path | None, typer.Argument(help="A claim file of your own; default: those of this book.", show_default=False)
    ] = None,
    paper: Annotated[str | None, typer.Option(help="One paper alone, by its key.", show_default=False)] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also checks that found nothing, or could not test.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A list of findings as JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="The same as CSV.")] = False,
) -> None:
    """Hold published numbers against each other, against the data and against what their definitions allow.

    A finding is no error: the exit status is 1 only where a claim file is not in order.
    """
    if as_json and as_csv:
        raise typer.BadParameter("--json and --csv exclude each other")
    with plain_errors():
        claims = load_claims(_existing(file))
        keys = {one.paper for one in claims}
        if paper is not None and paper not in keys:
            raise DataError(f"no claims of {paper!r}; there are those of {', '.join(sorted(keys))}")
    from histolab_lib.audit import report

    found = report.audit(one for one in claims if paper in (None, one.paper))
    shown = [one for one in found if everything or one.severity in ("impossible", "inconsistent", "unlikely")]
    if as_json or as_csv:
        typer.echo(report.to_json(shown) if as_json else report.to_csv(shown), nl=False)
    else:
        _print(shown, found, {one.key: one for one in claims})


def _existing(file: Path | None) -> Path | None:
    if file is not None and not file.exists():
        raise DataError(f"{file}: no such claim file; histolab audit alone takes those of this book")
    return file


def _print(shown: Sequence["Finding"], found: Sequence["Finding"], claims: Mapping[str, Claim]) -> None:
    out = Console()
    for key in dict.fromkeys(one.paper for one in found):
        name = PAPERS.get(key, key)
        table = Table(title=name, title_justify="left", title_style="bold", show_lines=True, expand=True)
        table.add_column("severity", no_wrap=True)
        table.add_column("where, and what is printed", ratio=2)
        table.add_column("finding, and by which rule", ratio=3)
        for one in shown:
            if one.paper == key:
                severity = Text(one.severity, _COLOURS.get(one.severity, ""))
                where = Text("\n".join(_places([claims[row] for row in one.rows])))
                table.add_row(severity, where, Text.assemble(one.explanation, (f" [{one.rule}]", "dim")))
        if table.row_count:
            out.print(table, highlight=False)
        told = Counter(one.severity for one in found if one.paper == key)
        counted = ", ".join(f"{number} {severity}" for severity, number in told.items())
        out.print(f"{name}: {sum(told.values())} checks: {counted}", highlight=False, markup=False)


def _places(claims: Sequence[Claim]) -> list[str]:
    """One line for each row of a table or sentence, with what it prints."""
    return [f"{place}: {'; '.join(map(_said, own))}" for place, own in by_place(claims).items()]


def _said(claim: Claim) -> str:
    return f"{claim.metric}{f' {claim.row}' if claim.comparison else ''}: {claim.value}"
