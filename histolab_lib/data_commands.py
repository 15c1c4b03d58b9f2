"""``histolab data ...``: which sets there are, which are here, how they are had, checked and counted."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from histolab_lib.data_dir import DataError

if TYPE_CHECKING:
    from histolab_lib.datasets.registry import Entry, Status

__all__ = ["app", "plain_errors"]

app = typer.Typer(help="What tissue there is, and under which licence.", no_args_is_help=True)

_out = Console()
_err = Console(stderr=True)

SetArgument = Annotated[str | None, typer.Argument(metavar="[NAME]", help="One set; default: all that are here.")]


@contextmanager
def plain_errors(*kinds: type[Exception]) -> Iterator[None]:
    """Show errors of these kinds, by default those about data, as a message instead of a traceback, and exit with 1."""
    shown = kinds or (DataError,)
    try:
        yield
    except shown as error:
        _err.print(f"[bold red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None


def _say(line: str) -> None:
    _out.print(line, highlight=False, markup=False, soft_wrap=True)


@app.command("list")
def _list() -> None:
    """Show every data set: how much of it is here, where, its licence and what to cite."""
    from histolab_lib.datasets import registry

    with plain_errors():
        known = registry.entries()
        rows = [registry.status(name) for name in known]
    for row in rows:
        _out.print(f"[bold]{row.name}[/]: {escape(row.title)}", highlight=False, soft_wrap=True)
        for key, value in _about(row, known[row.name]):
            if value:
                _say(f"  {key:<8} {value}")
    if not all(row.found for row in rows):
        _say("Set HISTOLAB_DATA to the folder that holds the sets you have; `histolab data fetch NAME` gets another.")


def _about(row: "Status", entry: "Entry") -> Iterator[tuple[str, str | None]]:
    yield "tiles", _split_counts(row.splits)
    yield "where", row.where if row.found else f"not complete, looked in {row.where}"
    yield "licence", f"{row.licence} ({entry.licence_note})" if entry.licence_note else row.licence
    yield "page", row.url
    for citation in entry.citations:
        yield "cite", citation
    yield "note", entry.note
    yield "problem", _problem(row)


def _split_counts(splits: Mapping[str, tuple[int, int]]) -> str:
    return ", ".join(f"{split} {found} of {wanted}" if wanted else split for split, (found, wanted) in splits.items())


def _problem(row: "Status") -> str | None:
    """Say what is missing of a set whose folder is there."""
    from histolab_lib import datasets

    if row.found or not Path(row.where).is_dir():
        return None
    found = datasets.validate(row.name)
    return found[0] + (f" (and {len(found) - 1} more: histolab data check {row.name})" if found[1:] else "")


@app.command("status")
def _status() -> None:
    """Show for each set, in one line, whether it is here, whether it is whole, and its licence."""
    from histolab_lib.datasets import registry

    with plain_errors():
        rows = [registry.status(name) for name in registry.entries()]
    wide = max(len(row.name) for row in rows)
    for row in rows:
        any_tile = any(found for found, _ in row.splits.values())
        state = "complete" if row.found else "not complete" if any_tile else "not found"
        _say(f"{row.name:<{wide}}  {state:<12}  {_split_counts(row.splits)}; licence: {row.licence}")


@app.command("fetch")
def _fetch(
    name: Annotated[str, typer.Argument(help="The set: see histolab data list.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")] = False,
    to: Annotated[Path | None, typer.Option(help="The folder of all sets; default: HISTOLAB_DATA.")] = None,
) -> None:
    """Download, check and unpack a set; where that is not possible, say what to do by hand."""
    from histolab_lib.datasets import fetch

    with plain_errors(DataError, ValueError):
        if dry_run:
            steps = fetch.plan(name, to)
            for line in steps or [f"{name} is made on demand; there is nothing to fetch"]:
                _say(str(line))
            if steps:
                _say("then: check counts, sizes and ids of all files")
            return
        problems = fetch.fetch(name, to, say=_say, progress=sys.stderr.isatty())
    _report(name, problems)
    if problems:
        raise typer.Exit(1)


@app.command("check")
def _check(
    name: SetArgument = None,
    against: Annotated[
        list[str] | None, typer.Option(help="Compare every picture with those of this set, too.")
    ] = None,
) -> None:
    """Check the files of a set, and what its splits share; fail on faulty files and on pictures that come twice.

    Patients on both sides, and tiles that another set has in training, are told and do not fail: that is how these
    sets were published.
    """
    from histolab_lib import datasets
    from histolab_lib.datasets.leaks import leaks

    faults = 0
    with plain_errors(DataError, ValueError):
        for each in _chosen(name):
            lines = datasets.validate(each)
            faults += len(lines)
            if not lines:  # leaks reads every tile, and a faulty one would end it
                found = leaks(each, against=against or ())
                lines = [f"{leak.kind}, {' / '.join(leak.splits)}: {leak.detail}" for leak in found]
                faults += sum("picture" in leak.kind for leak in found)
            _report(each, lines)
    if faults:
        raise typer.Exit(1)


@app.command("facts")
def _facts(
    name: SetArgument = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail where the kept ones differ.")] = False,
) -> None:
    """Count in the files of a set and write data/facts/NAME.json."""
    from histolab_lib.datasets import facts

    differ = 0
    with plain_errors(DataError, ValueError):
        for each in _chosen(name):
            if not check:
                _say(f"written: {facts.write(each)}")
                continue
            lines = facts.differences(facts.read(each), facts.compute(each))
            _report(each, lines)
            differ += len(lines)
    if differ:
        raise typer.Exit(1)


def _chosen(name: str | None) -> list[str]:
    """Return the set that was named, or all with files of which a whole copy is here."""
    from histolab_lib.datasets import registry

    if name is not None:
        return [name]
    here = [key for key, entry in registry.entries().items() if entry.folder and registry.status(key).found]
    if not here:
        raise DataError("no set is here; set HISTOLAB_DATA to the folder that holds those you have")
    return here


def _report(name: str, lines: list[str]) -> None:
    _say(f"{name}: {'to report:' if lines else 'in order'}")
    for line in lines:
        _say(f"  {line}")
