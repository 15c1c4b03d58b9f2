import json

import pytest

from histolab_lib.bookbuild import pairs
from histolab_lib.bookbuild.chapters import BookError, chapters
from histolab_lib.bookbuild.pairs import check_pair, notebook_text, parse_source, read_source, syntax_tree, write_pair
from histolab_lib.bookbuild.references import reference_text
from tests.books import CLEAN, ROOT, Code, chapter, committed, git, ran, read, source, write_book

pytestmark = pytest.mark.thorough

LONGER = (*CLEAN[:3], Code("inserted = 1"), *CLEAN[3:])


def _referenced(root):
    """A book whose pair holds outputs, as after a smoke run."""
    (root / "book" / "tiny.ipynb").write_text(reference_text(ran()), encoding="utf-8")
    return chapter(root)


@pytest.fixture
def tiny(tmp_path):
    """A committed book whose pair is in step."""
    one = _referenced(write_book(tmp_path))
    committed(tmp_path)
    return one


def _edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_the_same_source_gives_the_same_bytes():
    text = source()
    assert notebook_text(parse_source(text)) == notebook_text(parse_source(text))
    assert "jupytext_version" not in notebook_text(parse_source(text))


def test_ids_come_from_the_text_so_that_an_inserted_cell_leaves_the_others_alone():
    before = [cell["id"] for cell in parse_source(source()).cells]
    after = [cell["id"] for cell in parse_source(source(LONGER)).cells]
    assert after[:3] + after[4:] == before
    assert after[3] not in before


def test_cells_with_the_same_text_have_different_ids():
    ids = [cell["id"] for cell in parse_source(source(["# T", Code("x = 1"), Code("x = 1"), Code("x = 1")])).cells]
    assert len(set(ids)) == 4


def test_a_new_chapter_gets_its_notebook(tmp_path):
    one = chapter(write_book(tmp_path))
    assert write_pair(one)
    assert not write_pair(one)
    assert [cell.source for cell in read(one.ipynb).cells] == [cell.source for cell in read_source(one).cells]


def test_outputs_of_unchanged_cells_stay_when_a_cell_is_inserted(tiny):
    before = {cell["id"]: cell for cell in read(tiny.ipynb).cells if cell.cell_type == "code"}
    tiny.md.write_text(source(LONGER), encoding="utf-8")
    assert write_pair(tiny)
    after = [cell for cell in read(tiny.ipynb).cells if cell.cell_type == "code"]
    new = [cell for cell in after if cell["id"] not in before]
    assert [(cell.source, cell.outputs, cell.execution_count) for cell in new] == [("inserted = 1", [], None)]
    assert all(cell == before[cell["id"]] for cell in after if cell not in new)


def test_the_output_of_a_changed_cell_goes(tiny):
    _edit(tiny.md, "0.5 + seed", "0.6 + seed")
    write_pair(tiny)
    cell = next(cell for cell in read(tiny.ipynb).cells if "0.6" in cell.source)
    assert (cell.outputs, cell.execution_count) == ([], None)


def test_a_source_may_be_edited_and_written_twice_between_two_commits(tiny):
    _edit(tiny.md, "It says little.", "It says more.")
    assert write_pair(tiny)
    _edit(tiny.md, "It says more.", "It says much more.")
    assert write_pair(tiny)
    assert check_pair(tiny) == []


def test_a_notebook_edited_after_it_was_written_is_still_protected(tiny):
    _edit(tiny.md, "It says little.", "It says more.")
    write_pair(tiny)
    _edit(tiny.ipynb, "It says more.", "It says something of its own.")
    with pytest.raises(BookError, match=r"only the .ipynb changed .* in cell 1 \('# A tiny chapter'\)"):
        write_pair(tiny)


def test_cells_changed_in_both_halves_are_refused_with_their_names(tiny):
    _edit(tiny.md, "It says little.", "One says this.")
    _edit(tiny.ipynb, "print(profile, seed)", "print(seed, profile)")
    before = tiny.md.read_text(), tiny.ipynb.read_text()
    for direction in ("md", "ipynb"):
        with pytest.raises(BookError, match=r"both changed since the last commit") as caught:
            write_pair(tiny, direction)
        assert "cell 1 ('# A tiny chapter'), cell 3 ('print(profile, seed)')" in str(caught.value)
        assert "book/tiny" in str(caught.value)
    assert (tiny.md.read_text(), tiny.ipynb.read_text()) == before


def test_a_change_in_the_notebook_alone_is_not_overwritten(tiny):
    _edit(tiny.ipynb, "print(profile, seed)", "print(seed)")
    with pytest.raises(BookError, match=r"only the .ipynb changed .* cell 3 .* Run make pairs FROM=ipynb instead"):
        write_pair(tiny)


def test_a_change_in_the_source_alone_is_not_overwritten(tiny):
    _edit(tiny.md, "print(profile, seed)", "print(seed)")
    with pytest.raises(BookError, match=r"only the .md changed .* cell 3 .* Run make pairs without FROM instead"):
        write_pair(tiny, "ipynb")


def test_a_changed_tag_is_a_change(tiny):
    _edit(tiny.md, "[parameters]", "[parameters, hide-input]")
    assert "differ in cell 2" in check_pair(tiny)[0]
    assert write_pair(tiny)


def test_from_ipynb_carries_the_change_over_and_nothing_else(tiny):
    expected = tiny.md.read_text().replace("print(profile, seed)", "print(seed, profile)")
    _edit(tiny.ipynb, "print(profile, seed)", "print(seed, profile)")
    assert write_pair(tiny, "ipynb")
    assert tiny.md.read_text() == expected


def test_from_ipynb_without_a_notebook_is_an_error(tmp_path):
    with pytest.raises(BookError, match=r"book/tiny.ipynb does not exist"):
        write_pair(chapter(write_book(tmp_path)), "ipynb")


def test_without_git_pairs_are_written_all_the_same(tmp_path, monkeypatch):
    one = _referenced(write_book(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    _edit(one.md, "It says little.", "It says more.")
    assert write_pair(one)


@pytest.mark.parametrize("name", [one.key for one in chapters(ROOT)])
def test_the_committed_sources_come_back_from_their_notebooks(name, tmp_path):
    text = (ROOT / f"{name}.md").read_text(encoding="utf-8")
    one = chapter(write_book(tmp_path, {"real": text}), "real")
    write_pair(one)
    assert not write_pair(one, "ipynb")
    assert one.md.read_text(encoding="utf-8") == text  # byte by byte
    one.md.write_text(source(), encoding="utf-8")
    assert write_pair(one, "ipynb")
    assert notebook_text(read_source(one)) == notebook_text(parse_source(text))  # cell by cell, tags and alt texts too


def test_a_pair_in_step_has_no_fault(tiny):
    assert check_pair(tiny) == []


def test_a_missing_notebook_is_found(tmp_path):
    assert check_pair(chapter(write_book(tmp_path))) == [
        "book/tiny: pair out of step: there is no .ipynb; run make references"
    ]


def test_a_pair_out_of_step_is_found_with_its_cells(tiny):
    _edit(tiny.md, "Nothing more.", "Something more.")
    assert check_pair(tiny) == [
        "book/tiny: pair out of step: .md and .ipynb differ in cell 6 ('## The end'); run make pairs"
    ]


def test_other_ids_than_the_text_gives_are_found(tiny):
    _edit(tiny.ipynb, read(tiny.ipynb).cells[2]["id"], "somebody-elses")
    assert "ids or metadata of the .ipynb differ" in check_pair(tiny)[0]


def test_other_notebook_metadata_is_found(tiny):
    _edit(tiny.ipynb, "A page for tests.", "Another page.")
    assert "ids or metadata of the .ipynb differ" in check_pair(tiny)[0]


def test_an_unexecuted_reference_is_found(tmp_path):
    one = chapter(write_book(tmp_path))
    write_pair(one)
    assert "stale reference: counts of the .ipynb are [None, None, None, None]" in check_pair(one)[0]


def test_a_reference_out_of_order_is_found(tiny):
    notebook = read(tiny.ipynb)
    notebook.cells[2].execution_count, notebook.cells[3].execution_count = 3, 2
    tiny.ipynb.write_text(notebook_text(notebook), encoding="utf-8")
    assert "stale reference: counts of the .ipynb are [1, 3, 2, 4]" in check_pair(tiny)[0]


def test_a_file_that_is_no_notebook_is_named(tiny):
    tiny.ipynb.write_text("{", encoding="utf-8")
    with pytest.raises(BookError, match=r"book/tiny.ipynb: not a notebook"):
        check_pair(tiny)


def test_a_source_that_is_no_notebook_is_named(tiny):
    tiny.md.write_text("---\na: [\n---\n```{code-cell}\n:tags: [\n```\n", encoding="utf-8")
    with pytest.raises(BookError, match=r"book/tiny.md: not a MyST notebook"):
        check_pair(tiny)


def test_what_is_not_python_has_an_empty_tree():
    cells = parse_source(source(["# T", Code("def ("), Code("%%bash\nls | wc"), Code("%time x = 1\ny = !ls")])).cells
    assert [len(syntax_tree(cell).body) for cell in cells[1:]] == [0, 1, 2]


def test_nothing_is_noted_beside_the_sources(tiny):
    write_pair(tiny)
    assert git(tiny.root, "status", "--porcelain") == ""
    assert json.loads(pairs._agreement(tiny).read_text())
