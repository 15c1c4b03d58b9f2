import pytest
from nbformat.v4 import new_code_cell, new_output

from histolab_lib.bookbuild.gates import GATES, check_notebook
from histolab_lib.demos import DEMO_MIME
from tests.books import BEGIN, CLEAN, PARAMETERS, ROOT, Code, ran


def _error(notebook):
    notebook.cells[3].outputs = [new_output("error", ename="KeyError", evalue="'x'", traceback=[])]


def _unexecuted(notebook):
    notebook.cells[3].execution_count = None


def _empty(notebook):
    notebook.cells.insert(4, new_code_cell(""))


def _out_of_order(notebook):
    notebook.cells[2].execution_count, notebook.cells[3].execution_count = 3, 2


def _run_twice(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.execution_count += 1


def _stderr(notebook):
    notebook.cells[3].outputs.append(new_output("stream", name="stderr", text="a warning"))


def _loads_past_the_run(notebook):
    notebook.cells[3].source += '\nfrom histolab_lib import datasets\ndatasets.load("monuseg", "test")'


def _injected(notebook):
    notebook.cells[2].metadata["tags"] = ["injected-parameters"]


def _no_parameters(notebook):
    del notebook.cells[1].metadata["tags"]


def _two_parameters(notebook):
    notebook.cells[3].metadata["tags"] = ["parameters"]
    notebook.cells[3].source = "seed = 1"


def _unread(notebook):
    notebook.cells[1].source += "\ndepth = 4"


def _read_nowhere_but_assigned(notebook):
    notebook.cells[1].source += "\ndepth = 4"
    notebook.cells[3].source += "\ndepth = 5"


def _no_description(notebook):
    del notebook.metadata["histolab"]


def _other_kernel(notebook):
    notebook.metadata["kernelspec"]["name"] = "julia"


def _no_title(notebook):
    notebook.cells[0].source = "No title."


def _figure(notebook, mime="image/png"):
    notebook.cells[2].outputs.append(new_output("display_data", {mime: "", "text/plain": "<Figure>"}))


def _vector_figure(notebook):
    _figure(notebook, "image/svg+xml")


def _two_figures(notebook):
    notebook.cells[2].metadata["mystnb"] = {"image": {"alt": "A line."}}
    _figure(notebook)
    _figure(notebook)


def _caption_of_nothing(notebook):
    notebook.cells[2].metadata["mystnb"] = {"figure": {"caption": "A line.", "name": "fig-line"}}


def _silent_picture(notebook):
    notebook.cells[-1].source += "\n\n![](a.png)"


def _trained_alone(notebook):
    notebook.cells[4].metadata["tags"] = ["trained"]


def _ignored_alone(notebook):
    notebook.cells[4].metadata["tags"] = ["nbval-ignore-output"]


def _tagged(tag):
    def break_it(notebook):
        notebook.cells[3].metadata["tags"] = [tag]

    return break_it


def _comment(notebook):
    notebook.cells[3].source = "# NBVAL_IGNORE_OUTPUT\n" + notebook.cells[3].source


def _tolerance_alone(notebook):
    notebook.cells[3].metadata["tolerance"] = 0.5


def _all_trained(notebook):
    for cell in notebook.cells[2:5]:
        cell.metadata["tags"] = ["trained", "nbval-ignore-output"]


def _typed(notebook):
    notebook.cells[0].source += "\n\nThe Dice was 0.81."


def _exercise_without_check(notebook):
    notebook.cells[3].metadata["tags"] = ["exercise"]


def _demo_without_tag(notebook):
    notebook.cells[3].outputs = [new_output("display_data", {DEMO_MIME: {"title": "?"}, "text/plain": "?"})]


def _demo_without_figure(notebook):
    notebook.cells[3].metadata["tags"] = ["demo", "nbval-ignore-output"]


def _heavy_demo(notebook):
    _demo_without_tag(notebook)
    notebook.cells[3].metadata["tags"] = ["demo", "nbval-ignore-output"]
    notebook.cells[3].outputs[0].data[DEMO_MIME]["image"] = "x" * 200_000


FAULTS = [
    ("error output", _error, r"cell 4 \('value = 0.5 \+ seed'\) raised KeyError: 'x'"),
    ("unexecuted cell", _unexecuted, r"cell 4 .* was not executed"),
    ("unexecuted cell", _empty, r"cell 5 \('empty'\) was not executed"),
    ("out of order", _out_of_order, r"counts are \[1, 3, 2, 4\], expected 1 to 4 in order"),
    ("out of order", _run_twice, r"counts are \[2, 3, 4, 5\]"),
    ("tissue loaded past the run", _loads_past_the_run, r"cell 4 .* loads 'monuseg' itself; take tiles from run.tiles"),
    ("stderr", _stderr, r"cell 4 .* wrote to stderr: a warning"),
    ("injected cell", _injected, r"cell 3 .* was injected"),
    ("no parameters cell", _no_parameters, r"0 cells are tagged parameters, expected exactly one"),
    ("no parameters cell", _two_parameters, r"2 cells are tagged parameters"),
    ("parameter never read", _unread, r"cell 2 .* sets 'depth', which no other cell reads"),
    ("parameter never read", _read_nowhere_but_assigned, r"sets 'depth'"),
    ("metadata missing", _no_description, r"histolab: description:"),
    ("metadata missing", _other_kernel, r"kernelspec must be named python3"),
    ("metadata missing", _no_title, r"begins with the chapter's title"),
    ("figure without alt text", _figure, r"cell 3 .* draws a figure without alt text"),
    ("figure without alt text", _vector_figure, r"cell 3 .* draws a figure without alt text"),
    ("figure without alt text", _caption_of_nothing, r"cell 3 .* has the caption of a figure .* and draws none"),
    ("figure without alt text", _two_figures, r"cell 3 .* draws 2 figures, but one alt text describes one"),
    ("figure without alt text", _silent_picture, r"cell 6 .* shows a picture without alt text: !\[\]\(a.png\)"),
    ("tags", _trained_alone, r"cell 5 .* is tagged trained without nbval-ignore-output"),
    ("tags", _ignored_alone, r"cell 5 .* stands only beside trained or demo"),
    ("tags", _tagged("nbval-skip"), r"cell 4 .* is tagged nbval-skip; no cell is exempt"),
    ("tags", _tagged("raises-exception"), r"tagged raises-exception"),
    ("tags", _comment, r"cell 4 .* steers nbval by a comment"),
    ("tags", _tolerance_alone, r"cell 4 .* has a tolerance, which stands only beside trained"),
    ("too much is trained", _all_trained, r"3 of 3 cells with output are tagged trained; at most a third"),
    ("exercise", _exercise_without_check, r"cell 4 is tagged exercise, but exercise, solution and check must follow"),
    ("demo", _demo_without_tag, r"cell 4 .* must show a Demo if, and only if, it is tagged demo"),
    ("demo", _demo_without_figure, r"cell 4 .* must show a Demo if, and only if"),
    ("demo", _heavy_demo, r"cell 4 .* puts 2000\d\d bytes into the page, more than 200000"),
    ("number typed into prose", _typed, r"cell 1 .* types a score into its prose: 'The Dice was 0.81.'"),
]


def test_a_clean_chapter_has_no_fault():
    assert check_notebook("tiny", ran()) == []


@pytest.mark.parametrize(("gate", "break_it", "detail"), FAULTS, ids=[f"{gate}-{f.__name__}" for gate, f, _ in FAULTS])
def test_each_fault_is_caught_by_its_name_and_by_no_other_gate(gate, break_it, detail):
    notebook = ran()
    break_it(notebook)
    found = check_notebook("book/tiny", notebook)
    assert {fault.gate for fault in found} == {gate}
    assert str(found[0]).startswith(f"book/tiny: {gate}: ")
    with pytest.raises(AssertionError, match=detail):
        raise AssertionError(found[0].detail)


def test_every_gate_has_a_fault_that_it_catches():
    assert {gate for gate, _, _ in FAULTS} == set(GATES)


@pytest.mark.parametrize("gate", GATES)
def test_without_a_gate_its_faults_go_through(gate, monkeypatch):
    monkeypatch.delitem(GATES, gate)
    for name, break_it, _ in FAULTS:
        notebook = ran()
        break_it(notebook)
        assert bool(check_notebook("tiny", notebook)) == (name != gate)


def test_a_parameter_read_in_an_f_string_a_function_or_a_magic_free_line_counts_as_read():
    cells = [*CLEAN[:2], Code("%matplotlib inline\nfiles = !ls\ndef f():\n    return f'{profile} {seed}'\nprint(f())")]
    assert check_notebook("tiny", ran(cells)) == []


def test_a_figure_with_alt_text_passes():
    notebook = ran()
    notebook.cells[2].metadata["mystnb"] = {"image": {"alt": "A line that rises."}}
    _figure(notebook)
    assert check_notebook("tiny", notebook) == []


def test_a_demo_may_be_ignored_by_nbval():
    notebook = ran()
    _demo_without_tag(notebook)
    notebook.cells[3].metadata["tags"] = ["demo", "nbval-ignore-output"]
    assert check_notebook("tiny", notebook) == []


def test_a_third_of_the_outputs_may_be_trained_and_no_more():
    cells = [*CLEAN[:3], Code("print(1)"), CLEAN[4]]
    assert check_notebook("tiny", ran(cells)) == []
    assert [fault.gate for fault in check_notebook("tiny", ran([*CLEAN[:3], CLEAN[4]]))] == ["too much is trained"]


def test_the_gates_leave_the_notebook_as_it_is():
    notebook = ran()
    before = str(notebook)
    check_notebook("tiny", notebook)
    assert str(notebook) == before


def test_the_cells_of_the_tiny_book_are_those_that_chapters_use():
    text = (ROOT / "book" / "foundations" / "first_segmentation.md").read_text(encoding="utf-8")
    assert PARAMETERS in text
    assert BEGIN.split("\n")[0] in text
