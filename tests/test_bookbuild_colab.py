import json

import nbformat
import pytest
from nbformat.v4 import new_output
from packaging.requirements import Requirement
from typer.testing import CliRunner

from histolab_lib import cli
from histolab_lib.bookbuild import glue as stand_in
from histolab_lib.bookbuild.chapters import BookError, chapters
from histolab_lib.bookbuild.colab import NOT_ON_COLAB, Release, edition, find_release, left_over, write_editions
from histolab_lib.bookbuild.colab.contents import Work, read_contents
from histolab_lib.bookbuild.pairs import notebook_text
from histolab_lib.demos import DEMO_MIME
from histolab_lib.profiles import RUN_MIME
from tests.books import CLEAN, ROOT, Code, chapter, committed, git, ran, read, source, write_book

RELEASE = Release("https://github.com/owner/book", "v1.2.0", "https://owner.github.io/book/")
PAGES = "https://owner.github.io/book/book"
CHAPTERS = chapters(ROOT)
GLUED = "application/papermill.record/text/plain"


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch):
    for name in ("HISTOLAB_REPOSITORY", "HISTOLAB_BASE_URL", "GITHUB_SERVER_URL", "GITHUB_REPOSITORY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("GITHUB_REF_TYPE", "GITHUB_REF_NAME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def contents():
    return read_contents(ROOT, RELEASE)


def code(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def texts(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


@pytest.mark.parametrize("one", CHAPTERS, ids=lambda one: one.key)
def test_every_chapter_of_the_book_becomes_a_plain_notebook_with_the_same_code(one, contents):
    made, pair = edition(one, contents), read(one.ipynb)
    nbformat.validate(made)
    assert [fault for text in texts(made) for fault in left_over(text)] == []
    assert code(made)[1:] == code(pair)
    assert len({cell.id for cell in made.cells}) == len(made.cells)
    assert made.metadata.kernelspec.name == "python3"


@pytest.mark.parametrize("one", CHAPTERS, ids=lambda one: one.key)
def test_an_edition_asks_for_a_gpu_where_the_chapter_trains(one, contents):
    trains = any("trained" in cell.metadata.get("tags", []) for cell in read(one.ipynb).cells)
    assert (edition(one, contents).metadata.get("accelerator") == "GPU") == trains


def test_the_first_cell_installs_the_release_and_replaces_nothing(contents):
    first = edition(CHAPTERS[0], contents).cells[0]
    assert first.cell_type == "code"
    installs = [line for line in first.source.splitlines() if line.startswith("%pip")]
    assert installs == [
        '%pip install -q --no-deps "histolab-lib @ git+https://github.com/owner/book@v1.2.0"',
        "%pip install -q --no-deps imagecodecs lightning-fabric lightning-utilities segmentation-models-pytorch",
    ]
    assert first.source.startswith(f"# This chapter as a page: {PAGES}/foundations/first_segmentation.html\n")


def _colab():
    lines = (ROOT / "tests" / "colab" / "freeze.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def _requirements():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    return [Requirement(line) for line in (*project["dependencies"], *extras["data"], *extras["train"])]


def test_what_colab_has_is_new_enough_and_what_it_lacks_is_named():
    has = {name.lower().replace("_", "-"): version for name, version in _colab().items()}
    old = [str(r) for r in _requirements() if r.name.lower() in has and has[r.name.lower()] not in r.specifier]
    assert old == []
    lacks = {r.name.lower() for r in _requirements()} - set(has)
    assert set(NOT_ON_COLAB) - lacks == {"lightning-utilities"}  # what lightning-fabric needs in turn
    assert lacks - set(NOT_ON_COLAB) == set()


TEXT = (
    "# A tiny chapter\n\nIt says {glue:text}`later`.",
    *CLEAN[1:4],
    Code("print('loss 0.5')", tags=("trained", "nbval-ignore-output")),
    Code("from myst_nb import glue\n\nglue('mean', value, display=False)", tags=("remove-cell",)),
    "The mean is {glue:text}`mean:.2f`.",
    Code("value", tags=("demo", "nbval-ignore-output")),
    Code("glue('later', 1)"),
    Code("answer = None", tags=("exercise",)),
    Code("answer = 3", tags=("solution",)),
    Code("assert answer", tags=("check",)),
)


@pytest.fixture
def tiny(tmp_path):
    """A book of one tiny chapter with outputs of every kind, and its edition."""
    root = write_book(tmp_path, {"tiny": source(TEXT)})
    pair = ran(TEXT)
    cells = {cell.source.partition("\n")[0]: cell for cell in pair.cells}
    facts = {RUN_MIME: {"profile": "smoke"}, "text/plain": "profile smoke"}
    cells["print(profile, seed)"].outputs += [
        new_output("display_data", facts),
        new_output("execute_result", {"text/plain": "<Figure size 1x1 with 1 Axes>"}, execution_count=2),
        new_output("execute_result", {"text/html": "<table>", "text/plain": "a table"}, execution_count=2),
    ]
    about = {"scrapbook": {"name": "mean", "mime_prefix": "application/papermill.record/"}}
    cells["from myst_nb import glue"].outputs = [new_output("display_data", {GLUED: "'0.50'"}, metadata=about)]
    cells["value"].outputs = [new_output("display_data", {DEMO_MIME: {}, "text/plain": "Move it"})]
    cells["value = 0.5 + seed"].metadata["mystnb"] = {"figure": {"caption": "A {term}`mask`.", "name": "fig-tiny"}}
    (root / "book" / "tiny.ipynb").write_text(notebook_text(pair), encoding="utf-8")
    return root


@pytest.fixture
def tiny_edition(tiny):
    return edition(chapter(tiny), read_contents(tiny, RELEASE))


def outputs(notebook, start):
    (cell,) = [cell for cell in notebook.cells if cell.source.startswith(start)]
    return [output.get("text") or dict(output.data) for output in cell.outputs]


def test_outputs_that_hold_anywhere_are_kept_in_a_form_that_any_notebook_shows(tiny_edition):
    shown = outputs(tiny_edition, "print(profile")
    assert shown[1:] == [{"text/plain": "profile smoke"}, {"text/html": "<table>", "text/plain": "a table"}]
    assert outputs(tiny_edition, "from myst_nb") == ["mean: 0.50\n"]
    assert RUN_MIME not in json.dumps(tiny_edition)


def test_outputs_of_training_and_of_the_page_are_left_to_the_reader(tiny_edition):
    assert outputs(tiny_edition, "print('loss") == []
    assert [cell.outputs for cell in tiny_edition.cells if cell.metadata.get("tags") == ["demo"]] == []


def test_no_cell_pretends_to_have_run(tiny_edition):
    assert {cell.execution_count for cell in tiny_edition.cells if cell.cell_type == "code"} == {None}


def test_a_glued_number_stands_under_its_name_with_where_to_look(tiny_edition):
    first, last = [text for text in texts(tiny_edition) if "like_this" in text]
    assert first.startswith("# A tiny chapter\n\nIt says `later`.\n\n*")
    assert first.endswith("in what the cells below print.*")
    assert last.startswith("The mean is `mean`.\n\n*")
    assert last.endswith("in what the cells above print.*")


def test_figures_are_followed_by_their_captions_and_demonstrations_by_a_link(tiny_edition):
    assert "**Figure 1.** A mask." in texts(tiny_edition)
    assert f"*Sliders that move this figure are on [the page of this chapter]({PAGES}/tiny.html).*" in texts(
        tiny_edition
    )


def test_a_solution_is_folded_and_its_check_is_not(tiny_edition):
    headings = {cell.source.splitlines()[0]: cell for cell in tiny_edition.cells if cell.source.startswith("### ")}
    folded = tiny_edition.metadata.colab.collapsed_sections
    assert folded == [headings["### A solution"].metadata.id]
    after = [tiny_edition.cells[tiny_edition.cells.index(cell) + 1].source for cell in headings.values()]
    assert after == ["answer = 3", "assert answer"]


def test_a_substitution_in_a_chapter_stops_its_edition(tiny):
    pair = read(tiny / "book" / "tiny.ipynb")
    pair.cells[0].source += " It has {{ number }} cells."
    (tiny / "book" / "tiny.ipynb").write_text(notebook_text(pair), encoding="utf-8")
    with pytest.raises(BookError, match=r"book/tiny: plain Markdown has nothing for '\{\{ number \}\}'"):
        edition(chapter(tiny), read_contents(tiny, RELEASE))


def test_a_missing_pair_is_told(tiny):
    (tiny / "book" / "tiny.ipynb").unlink()
    with pytest.raises(BookError, match=r"book/tiny.ipynb does not exist; run make pairs"):
        read_contents(tiny, RELEASE)


def test_the_tag_comes_from_the_caller_the_workflow_or_the_checkout(tiny, monkeypatch):
    monkeypatch.setenv("HISTOLAB_REPOSITORY", RELEASE.url)
    committed(tiny)
    with pytest.raises(BookError, match=r"the checkout is at no tag; name one: --tag v0.1.0"):
        find_release(tiny)
    git(tiny, "tag", "v1.1.0")
    assert find_release(tiny) == Release(RELEASE.url, "v1.1.0", RELEASE.base_url)
    monkeypatch.setenv("GITHUB_REF_NAME", "v1.2.0")
    assert find_release(tiny).tag == "v1.1.0"  # a branch may be called so, too
    monkeypatch.setenv("GITHUB_REF_TYPE", "tag")
    assert find_release(tiny).tag == "v1.2.0"
    assert find_release(tiny, "v1.3.0").tag == "v1.3.0"


def test_without_a_repository_nothing_can_be_installed(tiny):
    with pytest.raises(BookError, match="set HISTOLAB_REPOSITORY=https://HOST/OWNER/NAME"):
        find_release(tiny, "v1.2.0")


def test_the_command_writes_the_same_bytes_twice(tiny, monkeypatch):
    monkeypatch.chdir(tiny)
    monkeypatch.setenv("HISTOLAB_REPOSITORY", RELEASE.url)
    answer = CliRunner().invoke(cli.app, ["book", "colab", "--out", "made", "--tag", "v1.2.0"])
    assert answer.exit_code == 0, answer.output
    assert answer.stdout.splitlines() == ["written: made/book/tiny.ipynb", "written: made/README.md"]
    first = (tiny / "made" / "book" / "tiny.ipynb").read_bytes()
    write_editions(tiny, tiny / "again", tag="v1.2.0")
    assert (tiny / "again" / "book" / "tiny.ipynb").read_bytes() == first
    listing = (tiny / "made" / "README.md").read_text(encoding="utf-8")
    link = "https://colab.research.google.com/github/owner/book/blob/notebooks/book/tiny.ipynb"
    assert f"- [A tiny chapter]({link})" in listing


def test_the_command_says_what_it_misses(tiny, monkeypatch):
    monkeypatch.chdir(tiny)
    monkeypatch.setenv("HISTOLAB_REPOSITORY", RELEASE.url)
    answer = CliRunner().invoke(cli.app, ["book", "colab"])
    assert answer.exit_code == 1
    assert answer.stderr.startswith("error: an edition installs a release")
    assert not (tiny / "_build" / "colab").exists()


def test_numbers_of_figures_and_equations_run_through_the_book(contents):
    for kind in (contents.figures, contents.equations):
        numbers = [one.number for one in kind.values()]
        assert numbers == sorted(set(numbers))
        assert numbers[0] == 1
    assert len({one.docname for one in contents.figures.values()}) > 1


def test_works_are_called_by_their_authors(contents):
    assert contents.works["otsu1979"].words == "Otsu, 1979"
    assert contents.works["beucher1979"] == Work("Beucher and Lantuéjoul, 1979", None)
    assert contents.works["tellez2019"].words == "Tellez et al., 2019"
    assert contents.works["vu2023"].url == "https://arxiv.org/abs/2301.03418"


def test_the_stand_in_for_glue_gives_way_where_the_real_one_is_installed(monkeypatch):
    import sys

    from myst_nb import glue as real

    stand_in.provide()
    from myst_nb import glue

    assert glue is real
    monkeypatch.delitem(sys.modules, "myst_nb")
    monkeypatch.setattr(stand_in, "find_spec", lambda _: None)
    stand_in.provide()
    from myst_nb import glue

    assert glue is stand_in.glue
    stand_in.provide()  # a second run of the first cell
