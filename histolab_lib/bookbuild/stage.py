"""Lay out what the site is built from: executed chapters, static pages and a completed configuration."""

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbformat
import yaml
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from histolab_lib import __version__
from histolab_lib.bookbuild import mathjax
from histolab_lib.bookbuild.chapters import static_pages
from histolab_lib.bookbuild.colab.release import COLAB
from histolab_lib.bookbuild.execute import Executed, build_dir
from histolab_lib.bookbuild.exercises import fold
from histolab_lib.bookbuild.pictures import withhold
from histolab_lib.bookbuild.repository import Repository, commit, find_repository
from histolab_lib.bookbuild.timings import read_timings, takes
from histolab_lib.demos import DEMO_MIME, SCRIPTS
from histolab_lib.profiles import RUN_MIME

__all__ = ["complete_config", "demo_html", "foot", "run_facts", "stage"]

_MATHJAX = "mathjax"  # its folder below book/_static of the staged book


def foot(facts: Sequence[str]) -> str:
    """Return the lines at the foot of a page that say where it comes from, as MyST."""
    return "\n:::{container} provenance\n" + " · ".join(facts) + "\n:::\n"


def _commit_link(name: str, repository: Repository | None) -> str:
    if repository is None or not name[:1].isalnum() or name.startswith("unknown"):
        return f"commit {name}"
    return f"commit [{name}]({repository.url}/commit/{name.split('+')[0]})"


def run_facts(notebook: NotebookNode) -> dict[str, Any]:
    """Return what the chapter itself reported of its run: profile, tissue, real sets, subject and device.

    An empty dictionary where the chapter never called ``begin()``.
    """
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if RUN_MIME in output.get("data", {}):
                return dict(output.data[RUN_MIME])
    return {}


def _chapter_foot(executed: Executed, repository: Repository | None) -> str:
    record, facts, chapter = executed.record, run_facts(executed.notebook()), executed.chapter
    duration = takes(read_timings(chapter.root).get(chapter.key, {}))
    return foot(
        [
            f"Run with the profile {record['profile']}",
            *([] if duration is None else [duration]),
            facts.get("tissue", "no tissue"),
            facts.get("device", "CPU"),
            str(record["date"])[:10],
            _commit_link(str(record["commit"]), repository),
            f"histolab-lib {__version__}",
        ]
    )


def demo_html(output: Mapping[str, Any], key: str) -> str:
    """Return a demonstration as it stands in its page: words for everyone, data for the script beside it.

    The data lies in the page itself, because a page opened from disk may fetch nothing.

    Parameters
    ----------
    output : mapping
        The output's data by type: the demonstration, and in words what it shows.
    key : str
        The chapter's key, which tells how far up ``_static`` lies.
    """
    data = json.dumps(output[DEMO_MIME], separators=(",", ":")).replace("</", "<\\/")
    kind = output[DEMO_MIME].get("kind")  # of a figure that computes in the page
    static = "../" * key.count("/") + "_static"
    scripts = [f'<script src="{static}/{name}.js"></script>' for name in ("elements", SCRIPTS[kind])]
    opened = f'<div class="demo" data-kind="{escape(kind)}">' if kind else '<div class="demo">'
    return (
        f'{opened}<p class="demo-title">{escape(output[DEMO_MIME]["title"])}</p>'
        f'<p class="demo-static">{escape(output["text/plain"])}</p>'
        f'<script type="application/json">{data}</script></div>{"".join(scripts)}'
    )


def _under_title(text: str, note: str) -> str:
    title, _, rest = text.partition("\n")
    return f"{title}\n\n:::{{container}} tissue-note\n{note}\n:::\n{rest}"


def _tissue_note(facts: Mapping[str, Any]) -> str | None:
    """What to tell, under the title of a chapter, to who might take made tissue for real."""
    if not facts or facts.get("sets"):
        return None
    return (
        "Live pictures and scores on this page are of **synthetic tissue**; recorded runs, where it shows any, are of "
        f"real tiles. With {facts['about']} on your machine, `make book PROFILE=colab` makes the live part on real "
        "sections."
    )


def _page_notebook(executed: Executed, repository: Repository | None, *, publish: bool) -> NotebookNode:
    """The executed notebook as readers see and download it: no machine's times, the foot at its end."""
    notebook = deepcopy(executed.notebook())
    notebook.metadata.pop("papermill", None)
    facts = run_facts(notebook)
    if publish:
        withhold(notebook, facts.get("sets", []))
    if note := _tissue_note(facts):
        notebook.cells[0].source = _under_title(notebook.cells[0].source, note)
    for cell in notebook.cells:
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(RUN_MIME, None)
            if DEMO_MIME in output.get("data", {}):
                output["data"] = {"text/html": demo_html(output["data"], executed.chapter.key)}
    fold(notebook)
    notebook.cells.append(new_markdown_cell(_chapter_foot(executed, repository), id="provenance"))
    return notebook


def _has_buttons(repository: Repository) -> bool:
    """Whether the theme knows how the host spells its addresses; for any other it would stop the build."""
    parts = urlsplit(repository.url)
    known = any(name in parts.netloc.lower() for name in ("github", "gitlab", "bitbucket"))
    return known and "/" in parts.path.strip("/")


def complete_config(config: Mapping[str, Any], repository: Repository | None, *, with_mathjax: bool) -> dict[str, Any]:
    """Return the site's configuration with what only the build knows: repository, base address, MathJax.

    Parameters
    ----------
    config : mapping
        The committed ``_config.yml``.
    repository : Repository or None
        Without one, pages carry no repository buttons rather than wrong ones.
    with_mathjax : bool
        Whether MathJax lies in the staged ``_static`` folder; otherwise pages load it from its public CDN.
    """
    full: dict[str, Any] = deepcopy(dict(config))
    sphinx = full.setdefault("sphinx", {}).setdefault("config", {})
    if with_mathjax:
        sphinx["mathjax_path"] = f"{_MATHJAX}/tex-chtml.js"
    if repository is not None and _has_buttons(repository):
        full["repository"] = {"url": repository.url, "branch": repository.branch, "path_to_book": ""}
        html = full.setdefault("html", {})
        html.update(use_repository_button=True, use_issues_button=True, use_edit_page_button=True)
        sphinx.setdefault("html_theme_options", {})["use_source_button"] = True
        if urlsplit(repository.url).hostname == "github.com":  # Colab opens notebooks from nowhere else
            full.setdefault("launch_buttons", {})["colab_url"] = COLAB
    if repository is not None and repository.base_url:
        full.setdefault("html", {})["baseurl"] = repository.base_url
        sphinx["notfound_urls_prefix"] = urlsplit(repository.base_url).path
    return full


def _bring_included(root: Path, target: Path, page: Path, text: str) -> None:
    """Copy what a page includes to the same place in the staged book; it is no page of its own."""
    for name in re.findall(r"^```{include} (\S+)", text, re.MULTILINE):
        included = (root / page.parent / name).resolve().relative_to(root.resolve())
        (target / included).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / included, target / included)


def stage(root: Path, executed: Sequence[Executed], *, publish: bool = False) -> Path:
    """Write ``_build/stage`` anew and return it.

    Parameters
    ----------
    root : Path
        The repository root.
    executed : sequence of Executed
        One for every chapter of the table of contents.
    publish : bool
        Leave out pictures that may not be published: see `histolab_lib.bookbuild.pictures.withhold`.
    """
    target = build_dir(root) / "stage"
    shutil.rmtree(target, ignore_errors=True)
    repository = find_repository(root)
    for one in executed:
        path = target / f"{one.chapter.key}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(_page_notebook(one, repository, publish=publish), path)
    today, here = datetime.now(UTC).date().isoformat(), commit(root)
    facts = ["This page runs no code", today, _commit_link(here, repository), f"histolab-lib {__version__}"]
    for page in static_pages(root):
        path = target / page
        path.parent.mkdir(parents=True, exist_ok=True)
        text = (root / page).read_text(encoding="utf-8")
        path.write_text(text + "\n" + foot(facts), encoding="utf-8")
        _bring_included(root, target, page, text)
    shutil.copytree(root / "book" / "_static", target / "book" / "_static", dirs_exist_ok=True)
    shutil.copy(root / "book" / "references.bib", target / "book" / "references.bib")
    shutil.copy(root / "_toc.yml", target / "_toc.yml")
    vendored = mathjax.vendor(target / "book" / "_static" / _MATHJAX, root / "book" / "_static" / "vendor.toml")
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    completed = complete_config(config, repository, with_mathjax=vendored)
    (target / "_config.yml").write_text(yaml.safe_dump(completed, sort_keys=False), encoding="utf-8")
    return target
