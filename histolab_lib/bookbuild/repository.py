"""Where the repository lives: read at build time from the environment or the git remote, never written down."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from histolab_lib.bookbuild.chapters import BookError

__all__ = ["Repository", "commit", "find_repository", "git"]


@dataclass(frozen=True)
class Repository:
    """A public repository.

    Attributes
    ----------
    url : str
        Its page, such as ``https://github.com/OWNER/NAME``.
    branch : str
        The branch whose files the source buttons show.
    base_url : str or None
        Where the book is published, ending in a slash; None where that cannot be known.
    """

    url: str
    branch: str
    base_url: str | None


def git(root: Path, *arguments: str) -> str | None:
    """Return what git answers about the checkout at `root`; None where it fails, says nothing or is not installed."""
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")  # noqa: S603
    except FileNotFoundError:
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None


def commit(root: Path) -> str:
    """Return the short commit of the checkout, with ``+changes`` where tracked files differ from it."""
    short = git(root, "rev-parse", "--short=10", "HEAD")
    if short is None:
        return "unknown"
    return f"{short}+changes" if git(root, "status", "--porcelain", "--untracked-files=no") else short


def _page(remote: str) -> str | None:
    """Turn a git remote into the address of its page, or None where it has none (a folder, a file)."""
    ssh = re.fullmatch(r"(?:ssh://)?(?:[^@/]+@)([^:/]+)(?::\d+/|[:/])(.+?)(?:\.git)?/?", remote)
    if ssh:
        return f"https://{ssh[1]}/{ssh[2]}"
    parts = urlsplit(remote)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    host = parts.netloc.rpartition("@")[2]  # a remote may carry a user's token
    return f"https://{host}{parts.path.rstrip('/').removesuffix('.git')}"


def _base_url(url: str) -> str | None:
    """GitHub's pages stand at an address that follows from the repository's; elsewhere nothing is assumed."""
    parts = urlsplit(url)
    owner, _, name = parts.path.strip("/").partition("/")
    if parts.hostname != "github.com" or not owner or not name:
        return None
    host = f"https://{owner.lower()}.github.io/"
    return host if name.lower() == f"{owner.lower()}.github.io" else f"{host}{name}/"


def _branch_of_action() -> str | None:
    """The branch that GitHub Actions runs on; on a tag or a pull request its name is none that people can edit."""
    environ = os.environ
    on_branch = environ.get("GITHUB_REF_TYPE") == "branch" and not environ.get("GITHUB_HEAD_REF")
    return environ.get("GITHUB_REF_NAME") if on_branch else None


def find_repository(root: Path) -> Repository | None:
    """Return where the checkout at `root` is published, or None where neither environment nor remote says.

    ``HISTOLAB_REPOSITORY`` (an address) comes first, then ``GITHUB_SERVER_URL`` with ``GITHUB_REPOSITORY``,
    then the remote ``origin``. ``HISTOLAB_BASE_URL`` overrides where the book is published.

    Raises
    ------
    BookError
        If ``HISTOLAB_REPOSITORY`` is set to something that is no address.
    """
    environ = os.environ
    named = environ.get("HISTOLAB_REPOSITORY")
    if named:
        url = _page(named)
        if url is None:
            raise BookError(f"HISTOLAB_REPOSITORY is {named!r}; expected an address such as https://HOST/OWNER/NAME")
    elif environ.get("GITHUB_SERVER_URL") and environ.get("GITHUB_REPOSITORY"):
        url = _page(f"{environ['GITHUB_SERVER_URL']}/{environ['GITHUB_REPOSITORY']}")
    else:
        url = _page(git(root, "remote", "get-url", "origin") or "")
    if url is None:
        return None
    branch = _branch_of_action() or git(root, "symbolic-ref", "--short", "HEAD") or "main"
    base_url = environ.get("HISTOLAB_BASE_URL") or _base_url(url)
    return Repository(url, branch, base_url.rstrip("/") + "/" if base_url else None)
