"""What an edition installs and links to: a tag of the repository, and the published pages."""

import os
from dataclasses import dataclass
from pathlib import Path

from histolab_lib.bookbuild.chapters import BookError
from histolab_lib.bookbuild.repository import find_repository, git

__all__ = ["BRANCH", "COLAB", "NOT_ON_COLAB", "Release", "find_release", "install_cell"]

#: Where editions lie in the repository; only the Colab button points there.
BRANCH = "notebooks"

#: Where they are opened.
COLAB = "https://colab.research.google.com"

#: What the chapters need and Colab does not bring, with what that needs in turn. Held against its list by a test.
NOT_ON_COLAB = ("imagecodecs", "lightning-fabric", "lightning-utilities", "segmentation-models-pytorch")


@dataclass(frozen=True)
class Release:
    """A release of the book.

    Attributes
    ----------
    url : str
        The repository's page.
    tag : str
    base_url : str or None
        Where the pages are published, ending in a slash; None where that is not known.
    """

    url: str
    tag: str
    base_url: str | None = None

    @property
    def requirement(self) -> str:
        """What pip installs: the repository at the tag, from no package index.

        Examples
        --------
        >>> Release("https://github.com/owner/book", "v1.0").requirement
        'histolab-lib @ git+https://github.com/owner/book@v1.0'
        """
        return f"histolab-lib @ git+{self.url}@{self.tag}"

    def page(self, docname: str) -> str | None:
        """Return the address of a published page, or None where it is not known.

        Examples
        --------
        >>> Release("https://github.com/owner/book", "v1.0", "https://owner.github.io/book/").page("book/index")
        'https://owner.github.io/book/book/index.html'
        """
        return f"{self.base_url}{docname}.html" if self.base_url else None

    def file(self, path: str) -> str:
        """Return the address of a file as it is at the tag, such as a picture."""
        return f"{self.url}/raw/{self.tag}/{path}"


def find_release(root: Path, tag: str | None = None) -> Release:
    """Return what editions of the checkout at `root` install.

    Parameters
    ----------
    root : Path
    tag : str, optional
        None: the tag that GitHub Actions runs on, or else the one that is checked out.

    Raises
    ------
    BookError
        If neither environment nor remote says where the repository lives, or no tag is known.
    """
    repository = find_repository(root)
    if repository is None:
        raise BookError(
            "an edition installs the library from its repository, and neither HISTOLAB_REPOSITORY nor a remote "
            "'origin' says where that is; set HISTOLAB_REPOSITORY=https://HOST/OWNER/NAME"
        )
    on_tag = os.environ.get("GITHUB_REF_TYPE") == "tag"
    tag = tag or (os.environ.get("GITHUB_REF_NAME") if on_tag else None)
    tag = tag or git(root, "describe", "--tags", "--exact-match", "HEAD")
    if tag is None:
        raise BookError("an edition installs a release, and the checkout is at no tag; name one: --tag v0.1.0")
    return Release(repository.url, tag, repository.base_url)


def install_cell(requirement: str, page: str | None) -> str:
    """Return the code of an edition's first cell.

    Parameters
    ----------
    requirement : str
        What pip installs as the library: see `Release.requirement`; also the path of a wheel.
    page : str or None
        Address of the chapter's page.

    Notes
    -----
    Both lines have ``--no-deps``: without it pip may replace a package that other notebooks rely on by another
    version, or bring a second torch. The names of the second line are left alone where they are installed.
    """
    about = f"# This chapter as a page: {page}\n" if page else ""
    return (
        f"{about}# Install the library of the book, and by name what Colab lacks; nothing that is there is replaced.\n"
        f'%pip install -q --no-deps "{requirement}"\n'
        f"%pip install -q --no-deps {' '.join(NOT_ON_COLAB)}\n\n"
        "from histolab_lib.bookbuild import glue\n\n"
        "glue.provide()  # prints the numbers that the text calls by name"
    )
