"""What a chapter's run depends on, as one key: where it has not changed, the chapter is not run again."""

import ast
import hashlib
import json
from functools import cache
from pathlib import Path

import grimp
from nbformat import NotebookNode

from histolab_lib.bookbuild.chapters import Chapter
from histolab_lib.bookbuild.environment import SMOKE
from histolab_lib.bookbuild.pairs import notebook_text, read_source, syntax_tree
from histolab_lib.data_dir import tissue_dir
from histolab_lib.profiles import has_gpu_driver

__all__ = ["TIMINGS", "chapter_key", "imported_modules"]

#: Among the facts, the file that tells how long chapters take.
TIMINGS = "timings.json"

_PACKAGE = Path(__file__).resolve().parents[1]


@cache
def _graph() -> grimp.ImportGraph:
    return grimp.build_graph("histolab_lib", cache_dir=None)


def _named_in(notebook: NotebookNode) -> set[str]:
    """The modules of the library that a chapter's own import statements name."""
    named = set()
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        for node in ast.walk(syntax_tree(cell)):
            if isinstance(node, ast.Import):
                named |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                named |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return named & _graph().modules


def imported_modules(notebook: NotebookNode) -> list[str]:
    """Return the library's modules that a chapter uses, directly or through others, sorted.

    A package counts with its ``__init__`` alone, as Python runs it; what that imports comes with it.
    """
    graph = _graph()
    wanted, open_ = set(), _named_in(notebook)
    while open_:
        module = open_.pop()
        wanted.add(module)
        parents = {module.rsplit(".", n)[0] for n in range(1, module.count(".") + 1)}
        open_ |= (graph.find_modules_directly_imported_by(module) | parents) - wanted
    return sorted(wanted)


def _module_bytes(module: str) -> bytes:
    path = _PACKAGE.parent.joinpath(*module.split("."))
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return source.read_bytes()


def _tissue_fingerprint() -> list[tuple[str, int, int]]:
    """Name, size and time of each file of real tissue: enough to notice that it changed, quick to read."""
    root = tissue_dir()
    if root is None:
        return []
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return [(str(p.relative_to(root)), p.stat().st_size, int(p.stat().st_mtime)) for p in files]


def chapter_key(chapter: Chapter, profile: str) -> str:
    """Return the key of a chapter's run: its text, the modules it imports, pins, settings and data.

    Parameters
    ----------
    chapter : Chapter
    profile : str
        The smoke profile never looks at real tissue, so only the other profiles depend on it.
    """
    notebook = read_source(chapter)
    digest = hashlib.sha256()

    def add(label: str, content: bytes) -> None:
        digest.update(f"{label}:{len(content)}:".encode() + content)

    add("text", notebook_text(notebook).encode())
    modules = imported_modules(notebook)
    for module in modules:
        add(module, _module_bytes(module))
    add("pins", (chapter.root / "constraints.txt").read_bytes())
    add("settings", json.dumps([profile, sorted(SMOKE.items())]).encode())
    data = chapter.root / "data"
    for path in sorted([data / "registry.toml", *(data / "facts").glob("*"), *(data / "claims").glob("*.csv")]):
        if path.is_file() and path.name != TIMINGS:  # times follow from runs, not runs from times
            add(path.name, path.read_bytes())
    if "histolab_lib.results" in modules:
        for path in sorted([data / "queue.yaml", *(data / "results").glob("*/*/*.json")]):
            if path.is_file():
                add(str(path.relative_to(data)), path.read_bytes())
    if profile != "smoke":
        add("tissue", json.dumps(_tissue_fingerprint()).encode())
        add("device", str(has_gpu_driver()).encode())
    return digest.hexdigest()
