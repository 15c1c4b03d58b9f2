"""The command line: ``histolab book ...`` and ``histolab data ...``."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from histolab_lib import __version__
from histolab_lib.data_dir import DataError

if TYPE_CHECKING:
    from histolab_lib.datasets.registry import Status

__all__ = ["app"]

app = typer.Typer(
    name="histolab",
    help="The library and the book about five papers on segmenting histology images.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
book = typer.Typer(help="Execute, check and build the book.", no_args_is_help=True)
data = typer.Typer(help="What tissue there is, and under which licence.", no_args_is_help=True)
app.add_typer(book, name="book")
app.add_typer(data, name="data")

_out = Console()
_err = Console(stderr=True)


class ProfileName(StrEnum):
    """The profiles that a run can have."""

    smoke = "smoke"
    colab = "colab"
    paper = "paper"


class PairHalf(StrEnum):
    """The halves of a chapter's pair."""

    md = "md"
    ipynb = "ipynb"


ProfileOption = Annotated[ProfileName, typer.Option(envvar="PROFILE", help="How long, and on which tissue.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Run again what is up to date.")]


def _version(value: bool) -> None:
    if value:
        typer.echo(f"histolab-lib {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Read what every command shares."""


def _fail(error: Exception) -> typer.Exit:
    _err.print(f"[bold red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
    return typer.Exit(1)


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Show what is wrong with the book, the data or the installation as a message, not as a traceback."""
    from histolab_lib.bookbuild.chapters import BookError

    try:
        yield
    except (BookError, DataError) as error:
        raise _fail(error) from None
    except ModuleNotFoundError as error:
        if str(error.name).startswith("histolab_lib"):
            raise
        raise _fail(ImportError(f"{error}; the book needs the extra [book]: make install, in a checkout")) from None


@book.command("execute")
def execute_command(profile: ProfileOption = ProfileName.smoke, force: ForceOption = False) -> None:
    """Run the chapters whose inputs changed, and hold them against the gates."""
    with _plain_errors():
        from histolab_lib.bookbuild.publish import execute_book

        execute_book(profile.value, force=force, console=_out)


@book.command("build")
def build_command(
    profile: ProfileOption = ProfileName.smoke,
    force: ForceOption = False,
    publish: Annotated[
        bool, typer.Option("--publish", envvar="HISTOLAB_PUBLISH", help="Leave out pictures that may not be shown.")
    ] = False,
) -> None:
    """Run the chapters, hold them against the gates, and build the site."""
    with _plain_errors():
        from histolab_lib.bookbuild.publish import build_book

        index = build_book(profile.value, force=force, publish=publish, console=_out)
        _out.print(f"The book lies at [bold]{escape(index)}[/]", highlight=False, soft_wrap=True)


@book.command("check")
def check_command(profile: ProfileOption = ProfileName.smoke) -> None:
    """Check pairs, prose and, for smoke, that the last run says what the committed outputs say."""
    with _plain_errors():
        from histolab_lib.bookbuild.publish import check_book

        _out.print(f"{check_book(profile.value)} pages are in order")


@book.command("pairs")
def pairs_command(
    source: Annotated[PairHalf, typer.Option("--from", help="Which half is the giver.")] = PairHalf.md,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; fail where a pair is out of step.")] = False,
) -> None:
    """Write each chapter's notebook from its source (or the other way), keeping outputs."""
    with _plain_errors():
        from histolab_lib.bookbuild.publish import check_pairs, write_pairs

        for line in check_pairs() if check else write_pairs(source.value):
            _out.print(line, highlight=False, markup=False, soft_wrap=True)


@book.command("references")
def references_command(force: ForceOption = False) -> None:
    """Run the smoke profile and commit its text outputs to the pairs."""
    with _plain_errors():
        from histolab_lib.bookbuild.publish import renew_references

        for line in renew_references(force=force, console=_out):
            _out.print(line, highlight=False, markup=False, soft_wrap=True)


@book.command("serve")
def serve_command(
    site: Annotated[Path | None, typer.Option(help="The built site; default: _build/html.")] = None,
    port: Annotated[int, typer.Option(help="Port on this machine; 0 takes a free one.")] = 8000,
) -> None:
    """Show the built book on this machine, until Ctrl+C."""
    from histolab_lib.bookbuild.chapters import BookError, find_root
    from histolab_lib.bookbuild.execute import build_dir
    from histolab_lib.bookbuild.serve import make_server, site_prefix

    try:
        folder = site or build_dir(find_root()) / "html"
        server = make_server(folder, port)
    except (BookError, OSError) as error:
        raise _fail(error) from None
    address = f"http://127.0.0.1:{server.server_address[1]}{site_prefix(folder)}"
    _out.print(f"The book is at {address} (Ctrl+C ends)", highlight=False)
    with suppress(KeyboardInterrupt), server:
        server.serve_forever()


@app.command("metrics")
def metrics_command(
    facts: Annotated[
        bool, typer.Option("--facts", help="Ask the installed libraries again and write what they say.")
    ] = False,
) -> None:
    """Show what libraries score where a map is empty."""
    from histolab_lib.data_dir import data_dir
    from histolab_lib.metrics.policies import write_facts

    path = data_dir() / "facts" / "empty_policies.json"
    if facts:
        write_facts(path)
        _out.print(f"written: {path}", highlight=False, soft_wrap=True)
    for row in json.loads(path.read_text(encoding="utf-8"))["rows"]:
        said = f"both empty {row['both_empty']}, prediction {row['pred_empty']}, truth {row['true_empty']}"
        _out.print(f"{row['library']} {row['function']}: {said} ({row['how']})", highlight=False, soft_wrap=True)


def _split_counts(splits: Mapping[str, tuple[int, int]]) -> str:
    return ", ".join(f"{split} {found} of {wanted}" if wanted else split for split, (found, wanted) in splits.items())


def _problem(row: "Status") -> str | None:
    """Say what is missing of a set whose folder is there."""
    from histolab_lib import datasets

    if row.found or not Path(row.where).is_dir():
        return None
    for split in row.splits:
        try:
            datasets.load(row.name, split)
        except DataError as error:
            return str(error)
    return None


@data.command("list")
def list_command() -> None:
    """Show every data set: how much of it is here, where, and its licence."""
    from histolab_lib.datasets import registry

    with _plain_errors():
        rows = [registry.status(name) for name in registry.entries()]
    for row in rows:
        _out.print(f"[bold]{row.name}[/]: {row.title}", highlight=False, soft_wrap=True)
        where = row.where if row.found else f"not complete, looked in {row.where}"
        lines = {"tiles": _split_counts(row.splits), "where": where, "licence": row.licence, "page": row.url}
        for key, value in lines.items():
            if value:
                _out.print(f"  {key:<8} {value}", highlight=False, markup=False, soft_wrap=True)
        if problem := _problem(row):
            _out.print(f"  {'problem':<8} {problem}", highlight=False, markup=False, soft_wrap=True)
    if not all(row.found for row in rows):
        advice = "Set HISTOLAB_DATA to the folder that holds the sets you have; their pages say how to get them."
        _out.print(advice, highlight=False, soft_wrap=True)
