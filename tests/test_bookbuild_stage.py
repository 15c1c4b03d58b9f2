import json
from pathlib import Path

import pytest
import yaml
from nbformat.v4 import new_output

from histolab_lib import __version__
from histolab_lib.bookbuild import mathjax
from histolab_lib.bookbuild.execute import Executed
from histolab_lib.bookbuild.pairs import notebook_text
from histolab_lib.bookbuild.repository import Repository
from histolab_lib.bookbuild.stage import complete_config, demo_html, foot, run_facts, stage
from histolab_lib.demos import DEMO_MIME
from histolab_lib.profiles import RUN_MIME
from tests.books import ROOT, chapter, ran, read, write_book

HERE = Repository("https://github.com/owner/book", "main", "https://owner.github.io/book/")
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
BUTTONS = ("use_repository_button", "use_issues_button", "use_edit_page_button")


def test_without_a_repository_pages_carry_no_button():
    config = complete_config(CONFIG, None, with_mathjax=False)
    assert config == CONFIG
    assert "repository" not in config
    assert not any(config["html"].get(button) for button in (*BUTTONS, "baseurl"))
    assert "mathjax_path" not in config["sphinx"]["config"]


def test_with_a_repository_pages_carry_its_buttons_and_the_book_its_address():
    config = complete_config(CONFIG, HERE, with_mathjax=False)
    assert config["repository"] == {"url": HERE.url, "branch": "main", "path_to_book": ""}
    assert all(config["html"][button] for button in BUTTONS)
    assert config["html"]["baseurl"] == "https://owner.github.io/book/"
    assert config["html"]["favicon"] == CONFIG["html"]["favicon"]


def test_pages_of_a_repository_on_github_open_on_colab():
    config = complete_config(CONFIG, HERE, with_mathjax=False)
    assert config["launch_buttons"] == {"thebe": False, "colab_url": "https://colab.research.google.com"}
    elsewhere = Repository("https://gitlab.com/owner/book", "main", None)
    assert complete_config(CONFIG, elsewhere, with_mathjax=False)["launch_buttons"] == CONFIG["launch_buttons"]


@pytest.mark.parametrize(
    ("base", "prefix"),
    [("https://owner.github.io/book/", "/book/"), ("https://owner.github.io/", "/"), (None, "/")],
)
def test_the_missing_page_finds_its_files_on_project_pages_and_user_pages(base, prefix):
    config = complete_config(CONFIG, Repository(HERE.url, "main", base), with_mathjax=False)
    assert config["sphinx"]["config"]["notfound_urls_prefix"] == prefix


@pytest.mark.parametrize("url", ["https://git.example.org/owner/book", "https://github.com/owner"])
def test_a_host_whose_addresses_the_theme_does_not_know_gets_no_button(url):
    config = complete_config(CONFIG, Repository(url, "main", None), with_mathjax=False)
    assert config == CONFIG


def test_mathjax_is_named_only_where_it_is_vendored():
    config = complete_config(CONFIG, None, with_mathjax=True)
    assert config["sphinx"]["config"]["mathjax_path"] == "mathjax/tex-chtml.js"


def test_the_committed_configuration_is_not_touched():
    before = yaml.safe_dump(CONFIG)
    complete_config(CONFIG, HERE, with_mathjax=True)["html"]["favicon"] = "other"
    assert yaml.safe_dump(CONFIG) == before


def test_the_foot_is_one_line_of_facts():
    assert foot(["one", "two"]) == "\n:::{container} provenance\none · two\n:::\n"


def test_a_chapter_that_never_began_has_no_facts():
    assert run_facts(ran()) == {}


def _executed(root, *, with_facts=True):
    notebook = ran()
    notebook.metadata["papermill"] = {"duration": 1.5}
    for cell in notebook.cells:
        cell.metadata["papermill"] = {"start_time": "now"}
        cell.metadata["execution"] = {"a": "now"}
    if with_facts:
        facts = {"profile": "colab", "tissue": "real tissue (monuseg)", "sets": ["monuseg"], "device": "A Device"}
        notebook.cells[2].outputs = [new_output("display_data", {RUN_MIME: facts, "text/plain": "profile colab: ..."})]
    path = root / "executed.ipynb"
    path.write_text(notebook_text(notebook), encoding="utf-8")
    record = {"profile": "colab", "commit": "0123456789+changes", "date": "2001-02-03T10:00:00+00:00", "seconds": 2}
    return Executed(chapter(root), path, record, fresh=True)


@pytest.fixture
def staged(tmp_path, monkeypatch):
    monkeypatch.setenv("HISTOLAB_REPOSITORY", HERE.url)
    monkeypatch.setattr(mathjax, "vendor", lambda destination, listing: False)
    root = write_book(tmp_path)
    (root / "book" / "_static").mkdir()
    (root / "book" / "_static" / "book.css").write_text("p {}")
    (root / "book" / "index.md").write_text("# Start\n\n```{include} ../data/words.md\n:start-after: x\n```\n")
    (root / "data" / "words.md").write_text("Words.")
    target = root / "_build" / "stage"
    target.mkdir(parents=True)
    (target / "stale.md").write_text("from an earlier build")
    before = (root / "executed.ipynb", _executed(root))
    text = before[0].read_text()
    assert stage(root, [before[1]]) == target
    assert before[0].read_text() == text
    return target


def test_the_foot_of_a_chapter_says_where_its_numbers_come_from(staged):
    last = read(staged / "book" / "tiny.ipynb").cells[-1].source
    for fact in ("profile colab", "real tissue (monuseg)", "A Device", "2001-02-03", f"histolab-lib {__version__}"):
        assert fact in last
    assert "commit [0123456789+changes](https://github.com/owner/book/commit/0123456789)" in last


def test_a_page_shows_neither_raw_facts_nor_times_of_the_machine(staged):
    text = (staged / "book" / "tiny.ipynb").read_text()
    assert RUN_MIME not in text
    assert "papermill" not in text
    assert "start_time" not in text
    assert "profile colab: ..." in text


def test_the_foot_of_a_page_without_code_says_so(staged):
    text = (staged / "book" / "index.md").read_text()
    assert text.startswith("# Start")
    assert "This page runs no code" in text


def test_what_a_page_includes_lies_where_the_page_looks_for_it(staged):
    assert (staged / "data" / "words.md").read_text() == "Words."


def test_sources_and_leftovers_are_not_staged(staged):
    files = sorted(str(path.relative_to(staged)) for path in staged.rglob("*") if path.is_file())
    assert files == [
        "_config.yml", "_toc.yml", "book/_static/book.css", "book/index.md", "book/references.bib", "book/tiny.ipynb",
        "data/words.md",
    ]  # fmt: skip
    assert yaml.safe_load((staged / "_config.yml").read_text())["repository"]["url"] == HERE.url


def test_without_a_repository_the_commit_is_no_link(tmp_path, monkeypatch):
    monkeypatch.setattr(mathjax, "vendor", lambda destination, listing: False)
    for name in ("HISTOLAB_REPOSITORY", "GITHUB_SERVER_URL", "GITHUB_REPOSITORY"):
        monkeypatch.delenv(name, raising=False)
    root = write_book(tmp_path)
    (root / "book" / "_static").mkdir()
    last = read(Path(stage(root, [_executed(root, with_facts=False)])) / "book" / "tiny.ipynb").cells[-1].source
    assert "commit 0123456789+changes" in last
    assert "](" not in last
    assert "no tissue" in last


def test_a_demonstration_stands_in_its_page_with_its_data_and_its_words():
    data = {"title": "A <b> question?", "states": {"0": "</script>"}}
    html = demo_html({DEMO_MIME: data, "text/plain": "said & done"}, "book/foundations/x")
    assert '<p class="demo-title">A &lt;b&gt; question?</p>' in html
    assert '<p class="demo-static">said &amp; done</p>' in html
    assert html.endswith(
        '<script src="../../_static/elements.js"></script><script src="../../_static/demo.js"></script>'
    )
    held = html.partition('<script type="application/json">')[2].partition("</script>")[0]
    assert json.loads(held) == data


def test_a_figure_that_computes_in_the_page_has_its_own_script_and_says_its_kind():
    data = {"title": "How far?", "kind": "means", "words": "", "start": [1]}
    html = demo_html({DEMO_MIME: data, "text/plain": "said"}, "book/synthesis/x")
    assert html.startswith('<div class="demo" data-kind="means">')
    assert html.endswith('/elements.js"></script><script src="../../_static/calculators.js"></script>')


def test_a_page_on_synthetic_tissue_says_so_under_its_title(tmp_path, monkeypatch):
    facts = {"profile": "smoke", "tissue": "synthetic tissue", "sets": [], "about": "MoNuSeg 2018", "device": "CPU"}
    first = _staged_with(tmp_path, monkeypatch, facts).cells[0].source
    title, note = first.split("\n\n")[:2]
    assert title == "# A tiny chapter"
    assert "are of **synthetic tissue**" in note
    assert "recorded runs, where it shows any, are of real tiles" in note
    assert "With MoNuSeg 2018 on your machine" in note


def test_a_page_on_real_tissue_says_nothing_of_synthetic_tissue(staged):
    assert "synthetic" not in read(staged / "book" / "tiny.ipynb").cells[0].source


def _staged_with(tmp_path, monkeypatch, facts, **options):
    monkeypatch.setattr(mathjax, "vendor", lambda destination, listing: False)
    root = write_book(tmp_path)
    (root / "book" / "_static").mkdir()
    executed = _executed(root, with_facts=False)
    notebook = executed.notebook()
    notebook.cells[2].outputs = [new_output("display_data", {RUN_MIME: facts, "text/plain": "profile"})]
    executed.path.write_text(notebook_text(notebook), encoding="utf-8")
    return read(stage(root, [executed], **options) / "book" / "tiny.ipynb")
