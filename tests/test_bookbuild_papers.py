"""The chapter of a paper has what the template asks for, in its order, and a chapter about something else need not."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from histolab_lib.bookbuild.chapters import BookError, chapters
from histolab_lib.bookbuild.pairs import read_source
from histolab_lib.bookbuild.papers import FOLDER, paper_faults, template_headings
from tests.books import ROOT

KEY = FOLDER + "one"
TEMPLATE = "# Name\n\n## The question\n\n## A block (yours: many)\n\n### Its cost\n\n## Exercises\n"
OPENING = "# One\n\n**You will learn** it. **You need** nothing. **Time**: none."


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / FOLDER
    folder.mkdir(parents=True)
    (folder / "_template.md").write_text(TEMPLATE)
    return tmp_path


def _tagged(source, tag):
    return new_code_cell(source, metadata={"tags": [tag]})


def _chapter(headings=("## The question", "## Own words", "### Its cost", "## Exercises"), exercises=3, **cells):
    learned = cells.get("learned", "assert score > 0.7, 'nothing'")
    trio = [("f = 1", "exercise"), ("f = 2", "solution"), ("assert f == 2", "check")]
    return new_notebook(
        cells=[
            new_markdown_cell(cells.get("opening", OPENING)),
            *(new_markdown_cell(heading + "\n\nText.") for heading in headings),
            _tagged("figure", cells.get("demo", "demo")),
            new_code_cell(learned),
            *(_tagged(*one) for _ in range(exercises) for one in trio),
        ]
    )


def test_a_whole_chapter_lacks_nothing(root):
    assert list(paper_faults(KEY, _chapter(), root)) == []


@pytest.mark.parametrize(
    ("planted", "fault"),
    [
        ({"headings": ("## The question", "## Exercises")}, "'### Its cost' stands there 0 times"),
        ({"headings": ("## Exercises", "### Its cost", "## The question")}, "headings stand in the order ## Exercises"),
        ({"headings": 2 * ("## The question",) + ("### Its cost", "## Exercises")}, "there 2 times, expected once"),
        ({"opening": OPENING.replace("**Time**", "Time")}, r"does not say \*\*Time\*\*"),
        ({"demo": "chart"}, "no cell is tagged demo"),
        ({"exercises": 2}, "2 exercises; a chapter of a paper has at least 3"),
        ({"learned": "assert score > 0.6"}, "asserts that the live run has learned"),
        ({"learned": "assert score < 0.7"}, "asserts that the live run has learned"),
        ({"learned": "assert score > 350"}, "asserts that the live run has learned"),
    ],
)
def test_each_thing_that_is_missing_is_named(root, planted, fault):
    (found,) = paper_faults(KEY, _chapter(**planted), root)
    assert found.startswith(KEY + ": ")
    with pytest.raises(AssertionError, match=fault):
        raise AssertionError(found)


def test_other_chapters_are_left_alone(root):
    assert list(paper_faults("book/foundations/one", _chapter(exercises=0, headings=()), root)) == []


def test_a_template_that_is_missing_or_empty_is_told(tmp_path, root):
    (root / FOLDER / "_template.md").write_text("# Name\n")
    with pytest.raises(BookError, match="holds no heading"):
        template_headings(root)
    (root / FOLDER / "_template.md").unlink()
    with pytest.raises(BookError, match=r"_template\.md: the template of papers' chapters cannot be read"):
        template_headings(root)


def test_the_chapters_of_this_book_have_what_the_template_asks_for():
    own = [chapter for chapter in chapters(ROOT) if chapter.key.startswith(FOLDER)]
    assert own
    for chapter in own:
        assert list(paper_faults(chapter.key, read_source(chapter), ROOT)) == []
