"""Run chapters with papermill, in parallel where that helps, and only those whose inputs changed."""

import json
import os
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
import papermill
from jupyter_core.utils import ensure_event_loop
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from histolab_lib.bookbuild.cache import chapter_key
from histolab_lib.bookbuild.chapters import BookError, Chapter
from histolab_lib.bookbuild.environment import applied, kernel_environment
from histolab_lib.bookbuild.pairs import notebook_text, read_source
from histolab_lib.bookbuild.repository import commit

__all__ = ["Executed", "build_dir", "execute", "executed_path", "last_run", "prepare_kernels"]


@dataclass(frozen=True)
class Executed:
    """One finished run of a chapter.

    Attributes
    ----------
    chapter : Chapter
    path : Path
        The notebook as papermill wrote it.
    record : dict
        ``key``, ``profile``, ``commit``, ``date`` (UTC, ISO 8601) and ``seconds``.
    fresh : bool
        False where an earlier run with the same inputs was taken.
    """

    chapter: Chapter
    path: Path
    record: dict[str, Any]
    fresh: bool

    def notebook(self) -> NotebookNode:
        """Read the executed notebook."""
        return nbformat.read(self.path, as_version=4)


def build_dir(root: Path) -> Path:
    """Return the folder for everything that is made and can be made again."""
    return root / "_build"


def executed_path(chapter: Chapter, profile: str) -> Path:
    """Return where the finished run of a chapter lies."""
    return build_dir(chapter.root) / "executed" / profile / f"{chapter.key}.ipynb"


def _failed_path(chapter: Chapter, profile: str) -> Path:
    return build_dir(chapter.root) / "failed" / profile / f"{chapter.key}.ipynb"


def last_run(chapter: Chapter, profile: str, key: str | None = None) -> Executed | None:
    """Return the finished run of a chapter if its inputs are still the same, else None.

    Parameters
    ----------
    chapter : Chapter
    profile : str
    key : str, optional
        The key of its inputs, where the caller has it already.
    """
    key = chapter_key(chapter, profile) if key is None else key
    path = executed_path(chapter, profile)
    beside = path.with_suffix(".json")
    if not (path.is_file() and beside.is_file()):
        return None
    record = json.loads(beside.read_text(encoding="utf-8"))
    return Executed(chapter, path, record, fresh=False) if record.get("key") == key else None


def _describe(error: PapermillExecutionError) -> str:
    source = str(error.source).strip().splitlines()
    first_line = source[0] if source else "(empty)"
    return f"code cell [{error.exec_count}] ({first_line!r}): {error.ename}: {error.evalue}"


def _run(chapter: Chapter, profile: str, key: str, on_cell: Callable[[], None]) -> Executed:
    """Execute one chapter into a scratch file, and move that into place only when it is whole."""
    source = read_source(chapter)
    scratch = _failed_path(chapter, profile)
    final = executed_path(chapter, profile)
    for stale in (final, final.with_suffix(".json"), scratch):
        stale.unlink(missing_ok=True)
    scratch.parent.mkdir(parents=True, exist_ok=True)
    final.parent.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    try:
        papermill.execute_notebook(
            nbformat.reads(notebook_text(source), as_version=4),
            str(scratch),
            parameters={},
            kernel_name="python3",
            cwd=str(chapter.root),
            progress_bar=False,
            on_cell_executed=lambda **_: on_cell(),
        )
    except PapermillExecutionError as error:
        raise BookError(
            f"{chapter.key} failed in {_describe(error)}\n  what ran until then is kept in {scratch}"
        ) from error
    except Exception as error:
        raise BookError(f"{chapter.key} could not be run: {type(error).__name__}: {error}") from error
    finally:
        ensure_event_loop().close()  # papermill leaves this thread's loop open
    record = {
        "key": key,
        "profile": profile,
        "commit": commit(chapter.root),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - start, 1),
    }
    shutil.move(scratch, final)
    _write_whole(final.with_suffix(".json"), json.dumps(record, indent=1) + "\n")
    return Executed(chapter, final, record, fresh=True)


def _write_whole(path: Path, text: str) -> None:
    """Write a file that is there whole or not at all, however this process ends."""
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _workers(profile: str) -> int:
    """Smoke kernels take one thread each, so as many as there are cores; the others take the whole machine."""
    return max(1, os.cpu_count() or 1) if profile == "smoke" else 1


def _code_cells(chapter: Chapter) -> int:
    return sum(cell.cell_type == "code" for cell in read_source(chapter).cells)


def prepare_kernels(build: Path) -> None:
    """Prepare the folders that kernels read: their own settings, and matplotlib's font cache.

    A kernel that makes the font cache itself reports it on stderr, which the gates refuse.
    """
    from matplotlib import font_manager

    settings = build / "ipython" / "profile_default" / "ipython_kernel_config.py"
    settings.parent.mkdir(parents=True, exist_ok=True)
    # A kernel warns at each start that it talks to this machine unencrypted; it never leaves this machine.
    settings.write_text("c.IPKernelApp.log_level = 40\n", encoding="utf-8")

    fonts = build / "matplotlib" / f"fontlist-v{font_manager.FontManager.__version__}.json"
    if not fonts.is_file():
        fonts.parent.mkdir(parents=True, exist_ok=True)
        font_manager.json_dump(font_manager.fontManager, fonts)


def execute(chapters: Sequence[Chapter], profile: str, *, force: bool = False, console: Console) -> list[Executed]:
    """Run every chapter whose inputs changed since its last finished run.

    Parameters
    ----------
    chapters : sequence of Chapter
    profile : str
        Reaches the chapters through ``HISTOLAB_PROFILE``; nothing is injected into the notebooks.
    force : bool
        Run also what is up to date.
    console : rich.console.Console
        Where progress goes.

    Returns
    -------
    list of Executed
        In the order of `chapters`.

    Raises
    ------
    BookError
        After all chapters were tried, if any failed; it names each with its cell.
    """
    keys = {chapter: chapter_key(chapter, profile) for chapter in chapters}
    done = {c: hit for c in chapters if not force and (hit := last_run(c, profile, keys[c]))}
    open_ = [chapter for chapter in chapters if chapter not in done]
    failures: list[str] = []
    build = build_dir(chapters[0].root) if chapters else Path()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with applied(kernel_environment(profile, build)), Progress(*columns, console=console) as progress:
        if open_:
            prepare_kernels(build)
        with ThreadPoolExecutor(_workers(profile)) as pool:
            futures = {}
            for chapter in open_:
                task = progress.add_task(chapter.key, total=_code_cells(chapter))
                step = lambda task=task: progress.advance(task)  # noqa: E731
                futures[pool.submit(_run, chapter, profile, keys[chapter], step)] = chapter
            for future in as_completed(futures):
                try:
                    done[futures[future]] = future.result()
                except BookError as error:
                    failures.append(str(error))
    if failures:
        raise BookError("\n".join(failures))
    return [done[chapter] for chapter in chapters]
