import pytest

from histolab_lib.bookbuild.chapters import BookError, chapters, find_root, static_pages
from tests.books import ROOT, write_book


def test_the_root_is_found_from_any_folder_below_it(tmp_path):
    root = write_book(tmp_path / "checkout")
    assert find_root(root / "book") == root
    assert find_root(root) == root


def test_outside_a_checkout_the_folder_is_named(tmp_path):
    with pytest.raises(BookError, match=r"no _config.yml and _toc.yml at or above .*; run this inside a checkout"):
        find_root(tmp_path)


def test_chapters_and_static_pages_come_in_reading_order(tmp_path):
    root = write_book(tmp_path, {"second": "x", "first": "y"})
    assert [chapter.key for chapter in chapters(root)] == ["book/second", "book/first"]
    assert [str(page) for page in static_pages(root)] == ["book/index.md"]


def test_a_chapter_without_its_source_is_named(tmp_path):
    root = write_book(tmp_path)
    (root / "book" / "tiny.md").unlink()
    with pytest.raises(BookError, match=r"_toc.yml names book/tiny.ipynb, but its source .*tiny.md does not exist"):
        chapters(root)


def test_a_page_that_does_not_exist_is_named(tmp_path):
    root = write_book(tmp_path)
    (root / "book" / "index.md").unlink()
    with pytest.raises(BookError, match=r"_toc.yml names book/index.md, which does not exist"):
        static_pages(root)


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "format: [\n", "format: jb-book\n"])
def test_a_table_of_contents_that_names_nothing_is_an_error(tmp_path, text):
    root = write_book(tmp_path)
    (root / "_toc.yml").write_text(text)
    with pytest.raises(BookError, match=r"_toc.yml"):
        chapters(root)


def test_the_committed_book_lists_pages_that_exist():
    assert [chapter.key for chapter in chapters(ROOT)]
    assert str(static_pages(ROOT)[0]) == "book/index.md"
