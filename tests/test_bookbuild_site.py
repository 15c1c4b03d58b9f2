import io
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from rich.console import Console

from histolab_lib.bookbuild import mathjax
from histolab_lib.bookbuild.chapters import BookError
from histolab_lib.bookbuild.publish import build_book
from histolab_lib.bookbuild.site import build_site
from histolab_lib.profiles import RUN_MIME
from tests.books import BEGIN, CLEAN, ROOT, Code, git, source, write_book

QUIET = Console(file=io.StringIO())
PAGE = source([*CLEAN[:2], Code(BEGIN), *CLEAN[3:]])


@pytest.fixture
def staged(tmp_path):
    (tmp_path / "_build" / "stage").mkdir(parents=True)
    (tmp_path / "_build" / "html").mkdir()
    (tmp_path / "_build" / "html" / "index.html").write_text("an earlier build")
    return tmp_path / "_build"


def _answer(monkeypatch, code, output, *, page=None):
    """Let jupyter-book end with `code` after saying `output`, and write `page` where it builds."""

    def run(command, **_):
        if page is not None:
            built = Path(command[command.index("--path-output") + 1], "_build", "html")
            built.mkdir(parents=True)
            (built / "index.html").write_text(page)
        return subprocess.CompletedProcess(command, code, output, "")

    monkeypatch.setattr(subprocess, "run", run)


def test_a_built_site_replaces_the_one_before(staged, monkeypatch):
    (staged / "html" / "old.html").write_text("no longer a page")
    _answer(monkeypatch, 0, "fine", page="new")
    assert build_site(staged / "stage", staged / "html").read_text() == "new"
    assert not (staged / "html" / "old.html").exists()
    assert (staged / "site.log").read_text() == "fine"


@pytest.mark.parametrize(("code", "page"), [(1, "half"), (1, None), (0, None)])
def test_a_site_that_was_not_built_leaves_the_one_before(staged, monkeypatch, code, page):
    _answer(monkeypatch, code, "reading\n\x1b[91mindex.md:3: WARNING: unknown word\x1b[39;49;00m\ndone", page=page)
    with pytest.raises(BookError, match=r"the site was not built:\nindex.md:3: WARNING: unknown word\n .*site.log"):
        build_site(staged / "stage", staged / "html")
    assert (staged / "html" / "index.html").read_text() == "an earlier build"


def test_a_build_that_ends_in_silence_without_a_site_is_an_error(staged, monkeypatch):
    _answer(monkeypatch, 0, "")
    with pytest.raises(BookError, match=r"the site was not built:\nsee .*site.log"):
        build_site(staged / "stage", staged / "html")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A two-page book, executed and built by the real thing, with a made remote on a project page."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "HISTOLAB_REPOSITORY", "HISTOLAB_BASE_URL"):
            patch.delenv(name, raising=False)
        patch.setattr(mathjax, "vendor", lambda destination, listing: False)
        root = write_book(tmp_path_factory.mktemp("built"), {"tiny": PAGE})
        shutil.copytree(ROOT / "book" / "_static", root / "book" / "_static")
        git(root, "init", "-q")
        git(root, "add", "-A")
        git(root, "commit", "-qm", "a book")
        git(root, "remote", "add", "origin", "git@github.com:owner/some-book.git")
        patch.chdir(root)
        build_book("smoke", console=QUIET)
        yield root


def _page(root, name):
    return (root / "_build" / "html" / name).read_text(encoding="utf-8")


@pytest.mark.slow
def test_every_page_says_at_its_foot_where_it_comes_from(built):
    short = git(built, "rev-parse", "--short=10", "HEAD").strip()
    link = f'href="https://github.com/owner/some-book/commit/{short}"'
    for name, first in (("book/tiny.html", "Run with the profile smoke · synthetic tissue · CPU"),
                        ("book/index.html", "This page runs no code")):  # fmt: skip
        foot = _page(built, name).split('class="provenance')[1]
        assert first in foot
        assert link in foot


@pytest.mark.slow
def test_a_page_shows_its_run_in_words_and_never_as_raw_facts(built):
    page = re.sub(r"<[^>]+>", "", _page(built, "book/tiny.html"))
    assert "profile smoke: synthetic tissue" in page
    assert RUN_MIME not in page
    assert "{'profile'" not in page


@pytest.mark.slow
def test_the_download_is_the_executed_notebook_and_the_buttons_point_at_the_remote(built):
    page = _page(built, "book/tiny.html")
    assert 'href="../_sources/book/tiny.ipynb"' in page
    assert "profile smoke" in _page(built, "_sources/book/tiny.ipynb")
    assert "https://github.com/owner/some-book/edit/main/book/tiny.md" in page


@pytest.mark.slow
def test_the_missing_page_finds_its_files_below_the_project(built):
    missing = _page(built, "404.html")
    assert "This page is not in the book" in missing
    assert '"/some-book/_static/' in missing


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("See {ref}`nowhere`.", r"index\.md:\d+: WARNING: .*nowhere"),
        ("See {cite}`nobody2000`.", r"WARNING: .*nobody2000"),
        ("{nosuchrole}`x`", r"index\.md:\d+: WARNING: .*nosuchrole"),
    ],
)
def test_a_warning_fails_the_build_by_its_name_and_leaves_the_site(built, monkeypatch, text, warning):
    monkeypatch.chdir(built)
    before = _page(built, "book/index.html")
    start = built / "book" / "index.md"
    good = start.read_text()
    start.write_text(f"{good}\n{text}\n")
    try:
        with pytest.raises(BookError, match=rf"the site was not built:\n[\s\S]*{warning}"):
            build_book("smoke", console=QUIET)
    finally:
        start.write_text(good)
    assert _page(built, "book/index.html") == before
