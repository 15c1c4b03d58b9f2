"""Colab editions: each chapter as a notebook that installs the library, in Markdown that any notebook shows."""

from histolab_lib.bookbuild.colab.edition import edition, write_editions
from histolab_lib.bookbuild.colab.leftovers import left_over
from histolab_lib.bookbuild.colab.release import BRANCH, NOT_ON_COLAB, Release, find_release

__all__ = ["BRANCH", "NOT_ON_COLAB", "Release", "edition", "find_release", "left_over", "write_editions"]
