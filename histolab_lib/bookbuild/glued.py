"""What chapters glued into their text on a GPU, kept as a fact: later runs of the same profile are held against it.

Smoke runs are compared cell by cell with the committed pairs. Those of the other profiles have no pair; of them the
numbers in the text are kept, in ``data/results/pages``, by an explicit command alone.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from histolab_lib.bookbuild.chapters import BookError, Chapter
from histolab_lib.bookbuild.references import TOLERANCE, moved
from histolab_lib.results import PAGES

__all__ = ["compare_page", "glued", "keep_page", "page_path"]

_PREFIX = "application/papermill.record/"


def glued(notebook: NotebookNode) -> dict[str, tuple[str, float]]:
    """Return what an executed chapter glued, by name: the text, and by how much its numbers may move.

    The tolerance is the cell's own, where its metadata say one, else `references.TOLERANCE`.
    """
    return {
        name: (text, float(cell.metadata.get("tolerance", TOLERANCE)))
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        for name, text in _glued_by(output)
    }


def _glued_by(output: NotebookNode) -> Iterator[tuple[str, str]]:
    name = output.get("metadata", {}).get("scrapbook", {}).get("name")
    data = output.get("data", {})
    text = data.get(f"{_PREFIX}text/plain", data.get("text/plain"))
    if name is not None and text is not None:
        yield str(name), str(text)


def page_path(chapter: Chapter) -> Path:
    """Return where the numbers of a chapter lie: ``data/results/pages/CHAPTER.json``."""
    return chapter.root / "data" / "results" / PAGES / f"{chapter.key.removeprefix('book/')}.json"


def keep_page(chapter: Chapter, record: dict[str, Any], device: str, notebook: NotebookNode) -> bool:
    """Write what a run glued; what is kept of other profiles stays.

    Parameters
    ----------
    chapter : Chapter
    record : dict
        Of the run: its profile, commit and date are kept.
    device : str
    notebook : NotebookNode
        As papermill wrote it.

    Returns
    -------
    bool
        Whether there was anything to write.
    """
    values = {name: text for name, (text, _) in glued(notebook).items()}
    if not values:
        return False
    path = page_path(chapter)
    kept = _read(path)
    facts = {"commit": str(record["commit"]), "date": str(record["date"])[:10], "device": device}
    kept[str(record["profile"])] = {**facts, "values": values}
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(kept, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(path)
    return True


def compare_page(chapter: Chapter, profile: str, notebook: NotebookNode) -> list[str]:
    """Return what a run glued differently from what is kept of its profile; nothing where nothing is kept."""
    kept = _read(page_path(chapter)).get(profile)
    if kept is None:
        return []
    before, now = kept["values"], glued(notebook)
    faults = [f"{chapter.key}: glued number {name!r} is gone" for name in sorted(set(before) - set(now))]
    faults += [f"{chapter.key}: glued number {name!r} is new" for name in sorted(set(now) - set(before))]
    for name, (text, tolerance) in now.items():
        if name in before and (how := moved(before[name], text, tolerance)):
            faults.append(f"{chapter.key}: glued number {name!r}: {how}")
    return faults


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BookError(f"{path}: cannot be read ({error}); histolab book pages writes it anew") from error
    return dict(found)
