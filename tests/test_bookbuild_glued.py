import json

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from rich.console import Console

from histolab_lib.bookbuild import publish
from histolab_lib.bookbuild.chapters import BookError
from histolab_lib.bookbuild.glued import compare_page, glued, keep_page, page_path
from histolab_lib.bookbuild.references import TOLERANCE
from histolab_lib.results import load_results
from tests.books import ROOT, chapter, write_book

RECORD = {"profile": "paper", "commit": "abc", "date": "2026-11-21T10:00:00+00:00", "seconds": 1}


def page(tolerance=None, **values):
    """A notebook of which each code cell glued one value, as MyST-NB writes it."""
    cells = []
    for name, text in values.items():
        output = new_output(
            "display_data",
            data={"application/papermill.record/text/plain": text},
            metadata={"scrapbook": {"name": name, "mime_prefix": "application/papermill.record/"}},
        )
        cells.append(new_code_cell("glue(...)", outputs=[new_output("stream", text="said"), output]))
        if tolerance is not None:
            cells[-1].metadata["tolerance"] = tolerance
    return new_notebook(cells=cells)


def test_what_myst_nb_glues_is_found():
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    shell = InteractiveShell.instance()
    with capture_output() as caught:
        shell.run_cell("from myst_nb import glue\nglue('dice', 0.8125, display=False)")
    shell.clear_instance()
    (output,) = caught.outputs
    notebook = new_notebook(
        cells=[new_code_cell("", outputs=[new_output("display_data", data=output.data, metadata=output.metadata)])]
    )
    assert glued(notebook) == {"dice": ("0.8125", TOLERANCE)}


def test_the_tolerance_is_the_cells_own_where_it_says_one():
    assert glued(page(dice="0.81"))["dice"] == ("0.81", TOLERANCE)
    assert glued(page(tolerance=3, nuclei="412"))["nuclei"] == ("412", 3.0)
    assert glued(new_notebook(cells=[new_code_cell("1")])) == {}


def test_what_a_page_glued_is_kept_by_profile(tmp_path):
    one = chapter(tmp_path, "papers/haru_net")
    assert keep_page(one, RECORD, "a GPU", page(dice="0.81"))
    assert keep_page(one, {**RECORD, "profile": "colab"}, "another", page(dice="0.79"))
    assert page_path(one) == tmp_path / "data" / "results" / "pages" / "papers" / "haru_net.json"
    kept = json.loads(page_path(one).read_text(encoding="utf-8"))
    assert kept["paper"] == {"commit": "abc", "date": "2026-11-21", "device": "a GPU", "values": {"dice": "0.81"}}
    assert kept["colab"]["values"] == {"dice": "0.79"}
    assert load_results(tmp_path / "data" / "results") == ()  # pages are no records


def test_a_page_that_glues_nothing_leaves_no_file(tmp_path):
    assert not keep_page(chapter(tmp_path), RECORD, "CPU", new_notebook())
    assert not page_path(chapter(tmp_path)).exists()


@pytest.mark.parametrize(
    ("now", "faults"),
    [
        ("0.81", 0),
        ("0.829", 0),
        ("0.791", 0),
        ("0.831", 1),
        ("0.789", 1),
        ("'0.81 of all'", 1),
    ],
)
def test_a_number_may_move_by_its_tolerance_up_or_down_and_words_may_not(tmp_path, now, faults):
    one = chapter(tmp_path)
    keep_page(one, RECORD, "a GPU", page(dice="0.81"))
    found = compare_page(one, "paper", page(dice=now))
    assert len(found) == faults
    assert all(line.startswith("book/tiny: glued number 'dice': ") for line in found)


def test_numbers_that_came_or_went_are_told(tmp_path):
    one = chapter(tmp_path)
    keep_page(one, RECORD, "a GPU", page(dice="0.81", pq="0.6"))
    assert compare_page(one, "paper", page(dice="0.81", aji="0.7")) == [
        "book/tiny: glued number 'pq' is gone",
        "book/tiny: glued number 'aji' is new",
    ]


def test_a_profile_of_which_nothing_is_kept_is_held_against_nothing(tmp_path):
    one = chapter(tmp_path)
    assert compare_page(one, "paper", page(dice="0.81")) == []
    keep_page(one, RECORD, "a GPU", page(dice="0.81"))
    assert compare_page(one, "colab", page(dice="0.1")) == []


def test_a_damaged_file_is_told(tmp_path):
    path = page_path(chapter(tmp_path))
    path.parent.mkdir(parents=True)
    path.write_text("{")
    with pytest.raises(BookError, match=r"tiny\.json: cannot be read .* histolab book pages writes it anew"):
        compare_page(chapter(tmp_path), "paper", page())


def test_pages_of_smoke_are_kept_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(write_book(tmp_path))
    with pytest.raises(BookError, match="histolab book references renews them"):
        publish.record_pages("smoke", console=Console())


def test_kept_pages_are_of_chapters_that_there_are():
    pages = ROOT / "data" / "results" / "pages"
    for path in pages.rglob("*.json"):
        assert (ROOT / "book" / path.relative_to(pages).with_suffix(".md")).is_file()
