"""The command line: ``histolab book ...``, ``histolab data ...``, ``histolab run ...`` and the others."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from histolab_lib import __version__, audit_commands, data_commands, model_commands, predict_commands, run_commands
from histolab_lib.data_commands import plain_errors
from histolab_lib.data_dir import DataError

__all__ = ["app"]

app = typer.Typer(
    name="histolab",
    help="The library and the book about five papers on segmenting histology images.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
book = typer.Typer(help="Execute, check and build the book.", no_args_is_help=True)
app.add_typer(book, name="book")
app.add_typer(data_commands.app, name="data")
app.command("models")(model_commands.models)
app.command("predict")(predict_commands.predict)
app.command("weights")(predict_commands.weights)
app.command("audit")(audit_commands.audit)

# These two read their arguments themselves, because they must work where typer is missing.
_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

_out = Console()


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


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Show what is wrong with the book, the data or the installation as a message, not as a traceback."""
    from histolab_lib.bookbuild.chapters import BookError

    with plain_errors(BookError, DataError, _NotInstalled):
        try:
            yield
        except ModuleNotFoundError as error:
            if str(error.name).startswith("histolab_lib"):
                raise
            raise _NotInstalled(f"{error}; the book needs the extra [book]: make install, in a checkout") from None


class _NotInstalled(ImportError):
    """A tool of the book is missing."""


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


@book.command("colab")
def colab_command(
    out: Annotated[Path | None, typer.Option(help="Folder to write to; default: _build/colab.")] = None,
    tag: Annotated[str | None, typer.Option(help="Release that they install; default: the tag checked out.")] = None,
) -> None:
    """Write each chapter as a notebook for Colab, which installs the library first."""
    with _plain_errors():
        from histolab_lib.bookbuild.chapters import find_root
        from histolab_lib.bookbuild.colab import write_editions
        from histolab_lib.bookbuild.execute import build_dir

        root = find_root()
        for path in write_editions(root, out or build_dir(root) / "colab", tag=tag):
            _out.print(f"written: {path}", highlight=False, markup=False, soft_wrap=True)


@book.command("timings")
def timings_command(profile: ProfileOption = ProfileName.smoke, force: ForceOption = False) -> None:
    """Write how long each chapter takes on this machine, for its foot to tell (--force: measure all anew)."""
    with _plain_errors():
        from histolab_lib.bookbuild.publish import time_book

        for line in time_book(profile.value, force=force, console=_out):
            _out.print(line, highlight=False, markup=False, soft_wrap=True)


@book.command("pages")
def pages_command(profile: ProfileOption = ProfileName.paper) -> None:
    """Keep the numbers that chapters glue into their text on a GPU, for `check` to hold later runs against."""
    with _plain_errors():
        from histolab_lib.bookbuild.publish import record_pages

        for line in record_pages(profile.value, console=_out):
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

    with plain_errors(BookError, OSError):
        folder = site or build_dir(find_root()) / "html"
        server = make_server(folder, port)
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


@app.command("run", help=run_commands.COMMANDS["run"], context_settings=_PASSED_ON, add_help_option=False)
def run_command(context: typer.Context) -> None:
    """Pass the arguments on."""
    raise typer.Exit(run_commands.main(["run", *context.args]))


@app.command("results", help=run_commands.COMMANDS["results"], context_settings=_PASSED_ON, add_help_option=False)
def results_command(context: typer.Context) -> None:
    """Pass the arguments on."""
    raise typer.Exit(run_commands.main(["results", *context.args]))
