"""``histolab run ...`` and ``histolab results ...``, with the standard library's own parser.

A machine that only trains may have neither typer nor rich; there ``python -m histolab_lib run`` comes here directly.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from histolab_lib.data_dir import DataError, data_dir

if TYPE_CHECKING:
    from histolab_lib.results import Row

__all__ = ["COMMANDS", "main"]

#: What this module answers to, with a line of help for each.
COMMANDS = {
    "run": "Train a network as its recipe says, score it once, and write the record.",
    "results": "Show what is recorded, beside what papers print.",
}


def main(arguments: Sequence[str]) -> int:
    """Do what a command line says, and return its exit status.

    Parameters
    ----------
    arguments : sequence of str
        The first is one of `COMMANDS`.
    """
    parser = argparse.ArgumentParser(prog="histolab", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    _run_parser(commands.add_parser("run", help=COMMANDS["run"], description=_RUN, allow_abbrev=False))
    _results_parser(commands.add_parser("results", help=COMMANDS["results"], description=_RESULTS, allow_abbrev=False))
    given = parser.parse_args(arguments)
    try:
        return _run(given, parser) if given.command == "run" else _results(given)
    except (DataError, ValueError, OSError, ImportError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1


_RUN = (
    "Train a network as its recipe says, for as long as a schedule says, score it once on the test tiles, and write "
    "the record. What is interrupted is taken up at its last checkpoint when the same command is given again. With "
    "--grid: all runs of a queue, the most valuable first, but those that are recorded; KEY and --data then choose "
    "among them."
)
_RESULTS = (
    "Show, for each network and set, what the paper prints, what the released code's reading reaches here, what ours "
    "reaches, and the difference. What has no record reads 'not run'."
)


_SINGLE: dict[str, Any] = {"reading": "clean", "variant": "base", "seed": 0, "option": []}


def _run_parser(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("key", metavar="KEY", nargs="?", help="the network (histolab models lists them), or a floor")
    add("--data", metavar="SET", help="the data set (histolab data list)")
    add("--schedule", required=True, help="smoke, cpu, cpu_long or gpu")
    add("--reading", default=_SINGLE["reading"], help="whose recipe: clean (default), paper or code")
    add("--variant", default=_SINGLE["variant"], help="of the recipe; all_tiles holds no training tile out")
    add("--seed", type=int, default=_SINGLE["seed"], help="default: 0")
    add(
        "--option",
        action="append",
        default=list(_SINGLE["option"]),
        metavar="NAME=VALUE",
        help="of the set, such as version=patients",
    )
    add("--out", type=Path, metavar="DIR", help="where records go; default: data/results")
    add("--grid", type=Path, metavar="FILE", help="run a queue: data/queue.yaml")
    add("--budget", type=float, metavar="SECONDS", help="stop after so long; with --grid")
    add("--dry-run", action="store_true", help="only list what would run; with --grid")
    add("--device", default="auto", help="cpu, cuda, mps; default: a GPU where there is one")
    add("--processes", type=int, default=1, help="on each machine; default: 1")
    add("--nodes", type=int, default=1, help="machines; default: 1")


def _results_parser(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--check", action="store_true", help="compute every stored number again, and look for alarms; show no table")
    add("--dir", type=Path, metavar="DIR", help="the folder of records; default: data/results")
    add("--data", metavar="SET", help="this set alone")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _run(given: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    if given.grid is not None:
        return _run_grid(given, parser)
    if given.key is None or given.data is None:
        parser.error("run: name a network and a set (KEY --data SET), or a queue (--grid FILE)")
    if given.budget is not None or given.dry_run:
        parser.error("run: --budget and --dry-run belong to --grid")
    from histolab_lib.training.loop import TrainingError
    from histolab_lib.training.run import run

    try:
        record = run(
            given.key,
            data=given.data,
            schedule=given.schedule,
            seed=given.seed,
            reading=given.reading,
            variant=given.variant,
            options=_options(given.option),
            out=given.out,
            **_settings(given),
        )
    except TrainingError as error:
        raise ValueError(str(error)) from error
    if record is not None:
        from histolab_lib.results import alarms, lines_of

        for line in [*lines_of(record), *alarms(record)]:
            _say(line)
        _say(f"written: {record.path(given.out or data_dir() / 'results')}")
    return 0


def _settings(given: argparse.Namespace) -> dict[str, Any]:
    return {"device": given.device, "processes": given.processes, "nodes": given.nodes}


def _options(pairs: Sequence[str]) -> dict[str, Any]:
    """``version=patients`` as a mapping; true, false and whole numbers are what they look like."""
    found: dict[str, Any] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign:
            raise ValueError(f"--option must be NAME=VALUE, got {pair!r}")
        words: dict[str, Any] = {"true": True, "false": False}
        found[name] = words.get(value.lower(), int(value) if value.isdecimal() else value)
    return found


def _run_grid(given: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    changed = [name for name, default in _SINGLE.items() if getattr(given, name) != default]
    if changed:
        parser.error(f"run: --{changed[0]} belongs to a single run; a queue says it for each of its runs")
    from histolab_lib.training.job import NotBuiltError
    from histolab_lib.training.queue import is_recorded, run_queue
    from histolab_lib.wanted import read_queue

    jobs = [
        job
        for job in read_queue(given.grid, given.schedule)
        if given.key in (None, job.key) and given.data in (None, job.data)
    ]
    if given.dry_run:
        roots = [root for root in (given.out, data_dir() / "results") if root is not None]
        for job in jobs:
            try:
                state = "recorded" if is_recorded(job, roots) else "to run"
            except NotBuiltError:
                state = "not built yet"
            _say(f"{job.name}: {state}")
        return 0
    tally = run_queue(jobs, out=given.out, budget_s=given.budget, say=_say, **_settings(given))
    _say(f"{len(jobs)} runs wanted: {tally}")
    return 1 if tally.failed else 0


def _results(given: argparse.Namespace) -> int:
    from histolab_lib.results import alarms, check, load_results, table

    root = data_dir() / "results" if given.dir is None else given.dir
    if not root.is_dir():
        raise DataError(f"{root}: no such folder of records")
    if given.check:
        records, faults = check(root)
        for line in faults:
            sys.stderr.write(f"error: {line}\n")
        floors = records if given.dir is None else [*records, *load_results()]
        for record in records:
            for line in dict.fromkeys(alarms(record, floors)):
                _say(f"alarm: {line}")
        _say(f"{len(records)} records are in order" + (f", {len(faults)} are not" if faults else ""))
        return 1 if faults else 0
    wide = os.environ.get("COLUMNS", "")
    width = int(wide) if wide.isdecimal() else None
    for line in table(load_results(root), data=given.data, width=width, verdicts=_verdicts):
        _say(line)
    return 0


def _verdicts(row: "Row") -> list[str]:
    from histolab_lib.audit.verdicts import judge_row

    return [one.word for one in judge_row(row)]
