"""A chapter as a notebook for Colab: the code of its pair, with text that needs no tools of the book."""

import ast
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import yaml
from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from histolab_lib.bookbuild.chapters import BookError, Chapter, chapters
from histolab_lib.bookbuild.colab.contents import Contents, read_chapter, read_contents
from histolab_lib.bookbuild.colab.leftovers import left_over
from histolab_lib.bookbuild.colab.prose import markdown
from histolab_lib.bookbuild.colab.release import BRANCH, COLAB, Release, find_release, install_cell
from histolab_lib.bookbuild.colab.roles import Place, page_link
from histolab_lib.bookbuild.pairs import notebook_text

__all__ = ["edition", "write_editions"]

_GLUED = "application/papermill.record/text/plain"
_SHOWN = ("text/html", "text/plain")  # of an output; what else a pair holds is for the book's own page

# Headings of their own, because Colab folds what stands under a heading.
_SOLUTION = "### A solution\n\nRun this cell or your own above: whichever ran last is checked."
_CHECK = "### The check\n\nSays nothing where the answer is right."
_TRAINED = (
    "*In this notebook the numbers of this text stand under their names (`like_this`) in what the cells {where} print.*"
)


def edition(chapter: Chapter, contents: Contents, *, requirement: str | None = None) -> NotebookNode:
    """Return the Colab edition of a chapter.

    The code is that of the pair, cell by cell, after a first cell that installs the library. Outputs that hold on any
    machine are kept; those that depend on training or belong to the page are left for the reader's own run.

    Parameters
    ----------
    chapter : Chapter
    contents : Contents
        Of the whole book, from `read_contents`.
    requirement : str, optional
        What the first cell installs; None: the release of `contents`.

    Raises
    ------
    BookError
        If the text holds what plain Markdown cannot say.
    """
    place, release = Place(contents, chapter.key), contents.release
    source = read_chapter(chapter)
    first = install_cell(requirement or release.requirement, release.page(chapter.key))
    made = new_notebook(cells=[new_code_cell(first, id="install")])
    for index, cell in enumerate(source.cells):
        made.cells += _code(cell, place) if cell.cell_type == "code" else _text(source, index, place)
    made.metadata = _metadata(chapter, source)
    faults = [fault for cell in made.cells if cell.cell_type == "markdown" for fault in left_over(cell.source)]
    if faults:
        raise BookError(f"{chapter.key}: plain Markdown has nothing for {', '.join(map(repr, faults))}")
    return made


def _text(source: NotebookNode, index: int, place: Place) -> list[NotebookNode]:
    cell = source.cells[index]
    text = markdown(cell.source, place)
    if "{glue:text}`" in cell.source:
        text += "\n\n" + _TRAINED.format(where=_where(source, index))
    return [new_markdown_cell(text, id=cell.id)]


def _where(source: NotebookNode, index: int) -> str:
    """Whether the numbers of a text are printed above it or below: most are, by the cell before the text."""
    names = {part.partition("`")[0].partition(":")[0] for part in source.cells[index].source.split("{glue:text}`")[1:]}
    before = {name for cell in source.cells[:index] for name in names if _glues(cell, name)}
    return "above" if before == names else "above and below" if before else "below"


def _glues(cell: NotebookNode, name: str) -> bool:
    if cell.cell_type != "code":
        return False
    known = {output.get("metadata", {}).get("scrapbook", {}).get("name") for output in cell.outputs}
    return name in known or f'"{name}"' in cell.source


def _code(cell: NotebookNode, place: Place) -> Iterator[NotebookNode]:
    tags = cell.metadata.get("tags", [])
    for tag, heading in (("solution", _SOLUTION), ("check", _CHECK)):
        if tag in tags:
            # Colab knows a heading that it folds by the id in its metadata.
            yield new_markdown_cell(heading, id=f"{cell.id}-{tag}", metadata={"id": f"{cell.id}-{tag}"})
    made = new_code_cell(cell.source, id=cell.id, outputs=_kept(cell))
    if tags:
        made.metadata["tags"] = list(tags)
    yield made
    if "demo" in tags:
        page = page_link(place, place.docname, "the page of this chapter")
        yield new_markdown_cell(f"*Sliders that move this figure are on {page}.*", id=f"{cell.id}-demo")
    figure = cell.metadata.get("mystnb", {}).get("figure")
    if figure:
        name = place.contents.figures.get(figure.get("name", ""))
        head = f"**Figure {name.number}.** " if name else ""
        yield new_markdown_cell(head + markdown(figure["caption"], place), id=f"{cell.id}-caption")


def _kept(cell: NotebookNode) -> list[NotebookNode]:
    if {"trained", "demo"} & set(cell.metadata.get("tags", [])):
        return []
    return [made for output in cell.outputs if (made := _plain_output(output)) is not None]


def _plain_output(output: NotebookNode) -> NotebookNode | None:
    """An output as any notebook shows it; None for a picture, of which pairs keep the name alone."""
    if output.output_type == "stream":
        return deepcopy(output)
    data = output.get("data", {})
    if _GLUED in data:
        name, value = output.metadata.scrapbook.name, ast.literal_eval(data[_GLUED])
        return new_output("stream", name="stdout", text=f"{name}: {value}\n")
    shown = {mime: data[mime] for mime in _SHOWN if mime in data}
    if not shown or str(shown.get("text/plain", "")).startswith("<Figure"):
        return None
    return new_output("display_data", shown)


def _metadata(chapter: Chapter, source: NotebookNode) -> NotebookNode:
    tags = [(cell, cell.metadata.get("tags", [])) for cell in source.cells]
    colab = {
        "name": chapter.ipynb.name,
        "provenance": [],
        "toc_visible": True,
        "collapsed_sections": [f"{cell.id}-solution" for cell, tagged in tags if "solution" in tagged],
    }
    kernel = {"kernelspec": {"display_name": "Python 3", "name": "python3"}, "language_info": {"name": "python"}}
    if any("trained" in tagged for _, tagged in tags):
        return from_dict(kernel | {"accelerator": "GPU", "colab": colab | {"gpuType": "T4"}})
    return from_dict(kernel | {"colab": colab})


def write_editions(root: Path, out: Path, *, tag: str | None = None) -> list[Path]:
    """Write the editions of all chapters, and a page that lists them, as they lie on the branch `BRANCH`.

    Parameters
    ----------
    root : Path
        The repository root.
    out : Path
        Folder to write to; made if need be. The same book and release give the same bytes.
    tag : str, optional
        See `find_release`.

    Returns
    -------
    list of Path
        What was written, in reading order, the list last.

    Raises
    ------
    BookError
        If a chapter cannot be converted, or it is not known what editions install. Nothing is written then.
    """
    release = find_release(root, tag)
    contents = read_contents(root, release)
    found = chapters(root)
    texts = {f"{one.key}.ipynb": notebook_text(edition(one, contents)) for one in found}
    texts["README.md"] = _listing(root, contents, [one.key for one in found])
    for name, text in texts.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return [out / name for name in texts]


def _listing(root: Path, contents: Contents, keys: list[str]) -> str:
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    release = contents.release
    lines = [f"- [{contents.titles[key]}]({_colab_link(release, key)})" for key in keys]
    return (
        f"# {config['title']}\n\nThe chapters as notebooks for Colab, made from the release {release.tag} by "
        "`histolab book colab`. Changes made here are overwritten by the next release: their sources are on the other "
        f"branches of {release.url}.\n\n" + "\n".join(lines) + "\n\nText: CC BY 4.0. Code: BSD-3-Clause.\n"
    )


def _colab_link(release: Release, key: str) -> str:
    return release.url.replace("https://github.com", f"{COLAB}/github", 1) + f"/blob/{BRANCH}/{key}.ipynb"
