"""A progress bar where there is somebody to see it, and a table of the run as it goes."""

import csv
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from histolab_lib.training.history import History

__all__ = ["CsvLog", "shown"]

T = TypeVar("T")


def shown(items: Iterable[T], *, total: int, done: int = 0, progress: bool | None = None) -> Iterator[T]:
    """Pass the items on, and draw a progress bar on the standard output.

    Parameters
    ----------
    items : iterable
    total, done : int
        Items in all, and how many were passed on before these.
    progress : bool, optional
        None: only where the standard output is a terminal. Without rich there is none.
    """
    if not (sys.stdout.isatty() if progress is None else progress):
        yield from items
        return
    try:
        from rich.progress import Progress
    except ImportError:
        yield from items
        return
    with Progress() as bar:
        task = bar.add_task("training", total=total, completed=done)
        for item in items:
            yield item
            bar.advance(task)


class CsvLog:
    """A table with a row for each step, whole at every validation: step, loss, lr, and the scores.

    Parameters
    ----------
    path : Path
        Written anew: what a killed run had written after its last checkpoint is gone, since it is computed again.
    history : History
        What is known already.
    """

    def __init__(self, path: Path, history: History) -> None:
        self._path = path
        self._rows = 0
        self._columns: list[str] = []
        self.write(history)

    def write(self, history: History) -> None:
        """Add what is new."""
        columns = ["step", "loss", "lr", *history.metrics]
        anew = columns != self._columns
        if anew:
            self._columns, self._rows = columns, 0
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("w" if anew else "a", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            if anew:
                table.writerow(columns)
            for at in range(self._rows, history.steps):
                scores = history.scores.get(at + 1, {})
                table.writerow(
                    [at + 1, history.losses[at], history.lrs[at], *(scores.get(name, "") for name in columns[3:])]
                )
        self._rows = history.steps
