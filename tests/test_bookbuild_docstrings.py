"""Docstrings as the reference pages get them."""

from sphinx.ext.napoleon import Config, NumpyDocstring

from histolab_lib.bookbuild.docstrings import without_type

COMMENT = ["From the gravest. ``impossible``: no data; ``fine``: nothing found.", "And so on."]


def _set(lines):
    return str(NumpyDocstring("\n".join(lines), Config(napoleon_use_ivar=True), what="data", name="CONSTANT"))


def test_the_comment_of_a_constant_is_not_taken_apart_at_its_first_colon():
    assert ":type:" in _set(COMMENT)  # what the repair is for: without it the sentence is torn in two
    kept = _set(without_type(COMMENT))
    assert ":type:" not in kept
    assert kept.split() == ["..", *" ".join(COMMENT).split()]
