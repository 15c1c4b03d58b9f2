import os

import pytest

from histolab_lib.bookbuild.chapters import BookError
from histolab_lib.bookbuild.repository import Repository, commit, find_repository, git
from tests.books import committed, write_book
from tests.books import git as run_git

URL = "https://github.com/owner/book"


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch):
    for name in list(os.environ):
        if name.startswith(("GITHUB_", "HISTOLAB_", "GIT_")):
            monkeypatch.delenv(name)


@pytest.fixture
def checkout(tmp_path):
    return committed(write_book(tmp_path))


@pytest.mark.parametrize(
    "remote",
    [
        "https://github.com/owner/book",
        "https://github.com/owner/book.git",
        "https://github.com/owner/book/",
        "https://user:token@github.com/owner/book.git",
        "git@github.com:owner/book.git",
        "ssh://git@github.com/owner/book.git",
        "ssh://git@github.com:22/owner/book",
    ],
)
def test_every_spelling_of_a_remote_gives_the_page(checkout, remote):
    run_git(checkout, "remote", "add", "origin", remote)
    assert find_repository(checkout) == Repository(URL, "main", "https://owner.github.io/book/")


@pytest.mark.parametrize("remote", ["/srv/git/book.git", "../book", "file:///srv/book.git", "C:\\book"])
def test_a_remote_that_is_a_folder_is_no_page(checkout, remote):
    run_git(checkout, "remote", "add", "origin", remote)
    assert find_repository(checkout) is None


def test_without_a_remote_and_without_git_nothing_is_known(checkout, tmp_path, monkeypatch):
    assert find_repository(checkout) is None
    assert find_repository(tmp_path.parent) is None
    monkeypatch.setenv("PATH", "")
    assert find_repository(checkout) is None
    assert commit(checkout) == "unknown"
    assert git(checkout, "status") is None


def test_a_port_is_kept(checkout):
    run_git(checkout, "remote", "add", "origin", "https://me@git.example.org:8443/owner/book.git")
    assert find_repository(checkout) == Repository("https://git.example.org:8443/owner/book", "main", None)


def test_the_environment_comes_before_the_remote(checkout, monkeypatch):
    run_git(checkout, "remote", "add", "origin", "git@github.com:somebody/fork.git")
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.com")
    monkeypatch.setenv("GITHUB_REPOSITORY", "owner/book")
    assert find_repository(checkout).url == URL
    monkeypatch.setenv("HISTOLAB_REPOSITORY", "https://gitlab.com/group/book")
    assert find_repository(checkout).url == "https://gitlab.com/group/book"


def test_an_address_that_is_none_is_an_error(checkout, monkeypatch):
    monkeypatch.setenv("HISTOLAB_REPOSITORY", "owner/book")
    with pytest.raises(BookError, match=r"HISTOLAB_REPOSITORY is 'owner/book'; expected an address such as https://"):
        find_repository(checkout)


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://github.com/Owner/Book", "https://owner.github.io/Book/"),
        ("https://github.com/Owner/owner.github.io", "https://owner.github.io/"),
        ("https://gitlab.com/owner/book", None),
        ("https://github.com/owner", None),
    ],
)
def test_where_the_book_is_published_follows_only_from_github(checkout, monkeypatch, url, base):
    monkeypatch.setenv("HISTOLAB_REPOSITORY", url)
    assert find_repository(checkout).base_url == base


@pytest.mark.parametrize("address", ["https://book.example.org", "https://book.example.org/"])
def test_the_address_of_the_book_can_be_named(checkout, monkeypatch, address):
    monkeypatch.setenv("HISTOLAB_REPOSITORY", URL)
    monkeypatch.setenv("HISTOLAB_BASE_URL", address)
    assert find_repository(checkout).base_url == "https://book.example.org/"


def test_buttons_point_at_a_branch_never_at_a_tag_or_a_pull_request(checkout, monkeypatch):
    monkeypatch.setenv("HISTOLAB_REPOSITORY", URL)
    run_git(checkout, "switch", "-qc", "working")
    assert find_repository(checkout).branch == "working"
    monkeypatch.setenv("GITHUB_REF_NAME", "release")
    monkeypatch.setenv("GITHUB_REF_TYPE", "branch")
    assert find_repository(checkout).branch == "release"
    monkeypatch.setenv("GITHUB_REF_NAME", "12/merge")
    monkeypatch.setenv("GITHUB_HEAD_REF", "patch-1")
    assert find_repository(checkout).branch == "working"
    monkeypatch.delenv("GITHUB_HEAD_REF")
    monkeypatch.setenv("GITHUB_REF_TYPE", "tag")
    run_git(checkout, "switch", "-q", "--detach")
    assert find_repository(checkout).branch == "main"


def test_the_commit_says_where_tracked_files_differ_from_it(checkout):
    short = commit(checkout)
    assert run_git(checkout, "rev-parse", "HEAD").startswith(short)
    (checkout / "new.txt").write_text("untracked")
    assert commit(checkout) == short
    (checkout / "constraints.txt").write_text("changed")
    assert commit(checkout) == f"{short}+changes"
