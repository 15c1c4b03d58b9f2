"""Many runs in the order of their value: what is recorded is skipped, what is interrupted is taken up next time."""

import gc
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from histolab_lib.data_dir import DataError, data_dir
from histolab_lib.record import load_record
from histolab_lib.training.job import NotBuiltError, recipe_hash
from histolab_lib.training.run import run_job
from histolab_lib.wanted import Job

__all__ = ["Tally", "is_recorded", "run_queue"]


class _OutOfTime(BaseException):
    """The budget is spent. Not an Exception, so that nothing on the way takes it for a failure of the run."""


@dataclass
class Tally:
    """What became of the runs of a queue, each by its name.

    Attributes
    ----------
    done : list of str
        Ran and were recorded.
    recorded : list of str
        Were recorded before.
    not_built, lacking, failed : dict of str to str
        What this version of the library lacks, what data or packages this machine lacks, what went wrong; with the
        reason.
    left : list of str
        Not reached, or begun and to be taken up again, when the budget was spent.
    """

    done: list[str] = field(default_factory=list)
    recorded: list[str] = field(default_factory=list)
    not_built: dict[str, str] = field(default_factory=dict)
    lacking: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        parts = (
            (self.done, "ran"),
            (self.recorded, "recorded before"),
            (self.not_built, "not built yet"),
            (self.lacking, "without data or packages here"),
            (self.failed, "failed"),
            (self.left, "left for the next time"),
        )
        return ", ".join(f"{len(names)} {what}" for names, what in parts)


def is_recorded(job: Job, roots: Sequence[Path]) -> bool:
    """Whether one of these folders has a whole record of this run under its present recipe.

    Raises
    ------
    NotBuiltError
        If there is no recipe.
    """
    wanted = recipe_hash(job)
    for root in roots:
        try:
            if job.path(root).is_file() and load_record(job.path(root)).recipe_hash == wanted:
                return True
        except DataError:  # damaged: the run is made again, and replaces it
            continue
    return False


def run_queue(
    jobs: Sequence[Job],
    *,
    out: Path | None = None,
    budget_s: float | None = None,
    say: Callable[[str], None],
    **settings: Any,
) -> Tally:
    """Run what is not recorded yet, one after the other; one that fails does not stop the others.

    Parameters
    ----------
    jobs : sequence of Job
    out : Path, optional
        Where records go; what is recorded there or in ``data/results`` is skipped.
    budget_s : float, optional
        Seconds after which to stop, inside a training too: what was trained until its last checkpoint is taken up the
        next time (`run_folder`).
    say : callable
        Takes a line about each run.
    **settings
        Of `run_job`.

    Returns
    -------
    Tally
    """
    tally, deadline = Tally(), None if budget_s is None else time.monotonic() + budget_s
    roots = [one for one in (out, data_dir() / "results") if one is not None]
    waiting = list(jobs)
    try:
        with _alarm(deadline):
            while waiting:
                _check_time(deadline)
                _one(waiting[0], roots, out, tally, say, settings)
                waiting.pop(0)
    except _OutOfTime:
        tally.left = [job.name for job in waiting if _is_open(job, roots)]
        say(f"{budget_s:g} s are over")
    return tally


def _one(
    job: Job, roots: Sequence[Path], out: Path | None, tally: Tally, say: Callable[[str], None], settings: Any
) -> None:
    try:
        if is_recorded(job, roots):
            tally.recorded.append(job.name)
            return
        say(f"{job.name}: begins")
        start = time.monotonic()
        record = run_job(job, out=out, **settings)
    except NotBuiltError as error:
        tally.not_built[job.name] = str(error)
    except (DataError, ImportError) as error:
        tally.lacking[job.name] = str(error)
        say(f"{job.name}: {error}")
    except Exception as error:  # whatever it is, the others want their turn
        tally.failed[job.name] = f"{type(error).__name__}: {error}"
        say(f"{job.name}: failed\n{traceback.format_exc()}")
    else:
        tally.done.append(job.name)
        dice = "" if record is None else f", Dice {next(iter(record.summary.values()))['dice']['mean']:.3f}"
        say(f"{job.name}: done in {time.monotonic() - start:.0f} s{dice}")
    finally:
        if torch.cuda.is_available():  # what a failed run held must not starve the next one
            gc.collect()
            torch.cuda.empty_cache()


def _is_open(job: Job, roots: Sequence[Path]) -> bool:
    try:
        return not is_recorded(job, roots)
    except NotBuiltError:
        return False


def _check_time(deadline: float | None) -> None:
    if deadline is not None and time.monotonic() >= deadline:
        raise _OutOfTime


@contextmanager
def _alarm(deadline: float | None) -> Iterator[None]:
    """Raise `_OutOfTime` at the deadline, wherever the program then is; again each second, should that be lost.

    Where a process has no such signal, or this is not its first thread, time is looked at between runs alone.
    """
    possible = hasattr(signal, "SIGALRM") and threading.current_thread() is threading.main_thread()
    if deadline is None or not possible:
        yield
        return

    def ring(*_: object) -> None:
        raise _OutOfTime

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, max(deadline - time.monotonic(), 1e-3), 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
