import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest
import yaml

from histolab_lib.bookbuild import sphinx_ext

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).resolve().parents[1]
_PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="  # one grey pixel
LONG_NAME = "histolab_lib.a_module." + "with_a_very_long_name_" * 6


def test_a_search_button_keeps_everything_but_its_label():
    stock = (
        '<button class="btn search-button-field search-button__button" title="Search" aria-label="Search" data-x="1">'
    )
    assert sphinx_ext.name_buttons_by_their_text(stock) == stock.replace(' aria-label="Search"', "")


def test_a_colour_button_written_over_several_lines_loses_its_label():
    stock = '<button class="btn theme-switch-button"\n  aria-label="Color mode"\n  data-bs-title="Color mode">'
    assert "aria-label" not in sphinx_ext.name_buttons_by_their_text(stock)


@pytest.mark.parametrize(
    "other", ['<button class="btn search-button" aria-label="Search">', '<a aria-label="Color mode">']
)
def test_icons_without_text_keep_their_label(other):
    assert sphinx_ext.name_buttons_by_their_text(other) == other


def test_only_folds_lose_the_label_of_folds():
    other = '<div aria-label="Toggle hidden content"><summary aria-label="Steps">'
    assert sphinx_ext.name_folds_by_their_text(other) == other


def test_entries_of_the_bibliography_lose_their_role_too():
    stock = '<div role="list" class="citation-list">\n<div class="citation" id="x" role="doc-biblioentry">'
    assert "role" not in sphinx_ext.plain_citation_list(stock)


def test_repairs_change_nothing_the_second_time():
    stock = '<summary aria-label="Toggle hidden content"><div role="list" class="citation-list">'
    for repair in (sphinx_ext.plain_citation_list, sphinx_ext.name_folds_by_their_text):
        assert repair(repair(stock)) == repair(stock) != stock


@pytest.mark.parametrize(
    ("stock", "ours"),
    [
        ("https://h/edit/main/book/a.ipynb", "https://h/edit/main/book/a.md"),
        ("https://h/src/main/book/a.ipynb?mode=edit", "https://h/src/main/book/a.md?mode=edit"),
        ("https://h/edit/main/book/index.md", "https://h/edit/main/book/index.md"),
        ("https://h/a.ipynb.d/b.md", "https://h/a.ipynb.d/b.md"),
    ],
)
def test_the_edit_button_opens_the_text(stock, ours):
    context = {"get_edit_provider_and_url": lambda: ("GitHub", stock)}
    sphinx_ext.edit_the_text(None, "page", "", context, None)
    assert context["get_edit_provider_and_url"]() == ("GitHub", ours)


def test_a_description_is_one_short_plain_line():
    paragraph = SimpleNamespace(astext=lambda: 'Says "A" & <B>,\nthen ' + "word " * 60)
    context = {"metatags": ""}
    sphinx_ext.describe_page(None, "page", "", context, SimpleNamespace(findall=lambda _: iter([paragraph])))
    content = re.fullmatch(r'\n<meta name="description" content="([^"]*)" />', context["metatags"])[1]
    assert content.startswith("Says &quot;A&quot; &amp; &lt;B&gt;, then word")
    assert content.endswith("word …")
    assert len(content) < 230


def test_a_page_with_a_description_of_its_own_keeps_it():
    context = {"metatags": '<meta name="description" content="mine" />'}
    paragraph = SimpleNamespace(astext=lambda: "other")
    sphinx_ext.describe_page(None, "page", "", context, SimpleNamespace(findall=lambda _: iter([paragraph])))
    assert context["metatags"] == '<meta name="description" content="mine" />'


def _cell(kind, source, **more):
    extra = {"execution_count": 1, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "id": f"id-{abs(hash(source)) % 10**8}", "metadata": {}, "source": source} | extra | more


def _notebook():
    text = f"# Staining\n\nWater & *eosin* {{cite}}`ruifrok2001`, $x^2$, `{LONG_NAME}`.\n\n$$ a = {' + b' * 80} $$\n\n"
    wide = "| a |" + " column |" * 30 + "\n|---|" + "---|" * 30 + "\n| 1 |" + " 2 |" * 30 + "\n"
    fold = _cell("code", "print('hidden')", metadata={"tags": ["hide-input"]})
    image = {"image/png": _PNG, "text/plain": "dot"}
    shown = {"mystnb": {"image": {"alt": "A grey dot"}, "figure": {"caption": "A dot.", "name": "fig-dot"}}}
    output = {"output_type": "display_data", "data": image, "metadata": {}}
    end = "See {numref}`fig-dot`.\n\n```{bibliography}\n:filter: docname in docnames\n```\n"
    foot = ":::{container} provenance\nProfile smoke.\n:::\n"
    cells = [_cell("markdown", text + wide), fold, _cell("code", "draw()", metadata=shown, outputs=[output])]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {
        "cells": [*cells, _cell("markdown", end + foot)],
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _write_book(folder, repository):
    """A start page and one chapter, with the configuration of the real book and, where given, a repository."""
    shutil.copytree(ROOT / "book/_static", folder / "book/_static")
    shutil.copy(ROOT / "book/references.bib", folder / "book")
    (folder / "book/index.md").write_text("# A small book\n\nIt has one chapter.\n")
    (folder / "book/stain.ipynb").write_text(json.dumps(_notebook()))
    (folder / "_toc.yml").write_text("format: jb-book\nroot: book/index\nchapters:\n- file: book/stain.ipynb\n")
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    if repository:
        config["repository"] = {"url": repository, "path_to_book": "", "branch": "main"}
        config["html"] |= dict.fromkeys(("use_repository_button", "use_issues_button", "use_edit_page_button"), True)
        config["sphinx"]["config"]["html_theme_options"]["use_source_button"] = True
        config["launch_buttons"]["colab_url"] = "https://colab.research.google.com"
        config["sphinx"]["config"]["notfound_urls_prefix"] = "/some-book/"
    (folder / "_config.yml").write_text(yaml.safe_dump(config))


def _build(folder, repository=None):
    _write_book(folder, repository)
    jupyter_book = Path(sys.executable).with_name("jupyter-book")
    command = [str(jupyter_book), "build", str(folder), "-W", "-n", "--keep-going", "--all"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return folder / "_build/html"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return _build(tmp_path_factory.mktemp("book"), "https://github.com/someone/some-book")


@pytest.fixture(scope="module")
def homeless_site(tmp_path_factory):
    return _build(tmp_path_factory.mktemp("homeless"))


def _read(site, page):
    return (site / page).read_text(encoding="utf-8")


def test_pages_are_built_with_every_repair(site):
    for page in ("book/index.html", "book/stain.html", "404.html", "search.html", "genindex.html"):
        text = _read(site, page)
        assert "thebe" not in text.lower(), page
        assert 'role="list"' not in text, page
        assert 'aria-label="Toggle hidden content"' not in text, page
        assert not re.search(r"<button[^>]*(search-button-field|theme-switch-button)[^>]*aria-label", text), page
        assert 'data-default-mode="auto"' in text, page
        assert "book.css" in text, page
    assert "Show code cell source" in _read(site, "book/stain.html")
    assert 'class="citation-list"' in _read(site, "book/stain.html")


def test_every_local_file_that_a_page_names_is_there(site):
    for page in ("book/index.html", "book/stain.html"):
        for address in re.findall(r'(?:src|href)="([^"#?]+)', _read(site, page)):
            if not re.match(r"[a-z]+:", address):
                assert ((site / page).parent / address).exists(), f"{page} names {address}"


def test_buttons_open_the_text_and_the_download_has_a_name(site):
    text = _read(site, "book/stain.html")
    assert "https://github.com/someone/some-book/edit/main/book/stain.md" in text
    assert "https://github.com/someone/some-book/blob/main/book/stain.md?plain=1" in text
    assert "main/book/stain.ipynb" not in text
    assert 'href="../_sources/book/stain.ipynb" download' in text


def test_the_colab_button_alone_opens_the_branch_of_the_editions(site):
    text = _read(site, "book/stain.html")
    opened = re.findall(r'href="(https://colab\.[^"]+)"', text)
    assert opened == ["https://colab.research.google.com/github/someone/some-book/blob/notebooks/book/stain.ipynb"]
    assert "notebooks/" not in text.replace(opened[0], "")
    assert "colab." not in _read(site, "book/index.html")


@pytest.mark.slow
def test_without_a_repository_no_button_names_one(homeless_site):
    for page in ("book/index.html", "book/stain.html", "404.html"):
        assert not re.search(r"github\.com|btn-source-|btn-launch-", _read(homeless_site, page)), page
    assert 'href="/book/index.html">start page' in _read(homeless_site, "404.html")


def test_links_of_the_404_page_hold_at_any_depth(site):
    text = _read(site, "404.html")
    assert "<h1>This page is not in the book</h1>" in text
    assert 'href="/some-book/book/index.html">start page' in text
    assert 'href="/some-book/search.html">search the book' in text
    local = [a for a in re.findall(r'(?:src|href|action)="([^"]+)"', text) if not re.match(r"[a-z]+:|#", a)]
    assert len(local) > 10
    assert [address for address in local if not address.startswith("/some-book/")] == []


def test_pages_are_described_and_the_root_is_a_page(site):
    assert '<meta name="description" content="It has one chapter." />' in _read(site, "book/index.html")
    assert 'content="Water &amp; eosin' in _read(site, "book/stain.html")
    root = _read(site, "index.html")
    assert root.startswith("<!DOCTYPE html>\n<html lang=")
    assert 'url=book/index.html"' in root


def test_the_figure_has_its_text_and_the_foot_its_class(site):
    text = _read(site, "book/stain.html")
    assert 'alt="A grey dot"' in text
    assert re.search(r'<div class="provenance[^"]*">', text)


def test_text_before_and_after_the_attributes_of_a_docstring_stays():
    lines = [
        "A thing.",
        "",
        "Attributes",
        "----------",
        "a, b : int",
        "    Ends.",
        "",
        "c : str",
        "",
        "Notes",
        "-----",
        "x",
    ]
    made = sphinx_ext.one_entry_a_name(list(lines))
    assert made[:4] == lines[:4]
    assert made[4:] == ["a : int", "    Ends.", "", "b : int", "    Ends.", "", "c : str", "", "Notes", "-----", "x"]
    assert sphinx_ext.one_entry_a_name(["No attributes, b : int"]) == ["No attributes, b : int"]


def test_fields_of_named_tuples_are_left_out_and_nothing_else():
    skip = [sphinx_ext.skip_tuple_fields(None, "class", "", member, False, None) for member in (Pair.left, Pair, len)]
    assert skip == [True, None, None]


class Pair(NamedTuple):
    """A pair."""

    left: int
