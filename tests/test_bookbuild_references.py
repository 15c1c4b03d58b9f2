from copy import deepcopy

import pytest
from nbformat.v4 import new_output

from histolab_lib.bookbuild.pairs import notebook_text, parse_source
from histolab_lib.bookbuild.references import TOLERANCE, compare, reference, reference_text
from histolab_lib.profiles import RUN_MIME
from tests.books import CLEAN, Code, ran, source

PLAIN, TRAINED = 3, 4  # places of two cells in the clean chapter


def _saying(text, place=TRAINED):
    notebook = ran()
    notebook.cells[place].outputs = [new_output("stream", name="stdout", text=text)]
    return notebook


def _compared(was, now, place=TRAINED, **metadata):
    old, new = _saying(was, place), _saying(now, place)
    new.cells[place].metadata.update(metadata)
    return compare("book/tiny", reference(old), new)


def test_pictures_are_dropped_and_their_words_stay():
    notebook = ran()
    data = {"image/png": "aGk=", "text/plain": "<Figure size 10x10>"}
    notebook.cells[PLAIN].outputs = [
        new_output("display_data", data, metadata={"image/png": {"width": 3}}),
        new_output("display_data", {"image/svg+xml": "<svg/>"}),
    ]
    kept = reference(notebook).cells[PLAIN].outputs
    assert kept == [new_output("display_data", {"text/plain": "<Figure size 10x10>"})]


def test_memory_addresses_are_cleaned():
    notebook = _saying("<a thing at 0x7f01ab>")
    notebook.cells[PLAIN].outputs = [new_output("execute_result", {"text/plain": "<x at 0x7f>"}, execution_count=3)]
    clean = reference(notebook)
    assert clean.cells[TRAINED].outputs[0].text == "<a thing at 0x>"
    assert clean.cells[PLAIN].outputs[0].data["text/plain"] == "<x at 0x>"


def test_a_stream_that_came_in_pieces_is_joined_and_two_streams_are_not():
    notebook = ran()
    pieces = [("stdout", "a"), ("stdout", "b\n"), ("stderr", "c"), ("stdout", "d")]
    notebook.cells[PLAIN].outputs = [new_output("stream", name=name, text=text) for name, text in pieces]
    kept = [(output.name, output.text) for output in reference(notebook).cells[PLAIN].outputs]
    assert kept == [("stdout", "ab\n"), ("stderr", "c"), ("stdout", "d")]


def test_what_papermill_adds_is_dropped_and_the_executed_notebook_left_as_it_is():
    notebook = ran()
    notebook.metadata["papermill"] = {"duration": 1.5}
    notebook.metadata["language_info"] = {"version": "3.11.7"}
    for cell in notebook.cells:
        cell.metadata["papermill"] = {"start_time": "now"}
        cell.metadata["execution"] = {"iopub.status.busy": "now"}
        cell.metadata.setdefault("tags", [])
        cell["id"] = "random"
    before = deepcopy(notebook)
    assert reference_text(notebook) == reference_text(ran())
    assert notebook == before


def test_a_reference_without_its_outputs_is_the_parsed_source():
    notebook = reference(ran())
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    assert notebook_text(notebook) == notebook_text(parse_source(source()))


def test_a_run_that_says_the_same_has_no_fault():
    assert compare("book/tiny", reference(ran()), ran()) == []


def test_a_changed_output_is_found_with_its_cell():
    assert _compared("value 1.5\n", "value 1.6\n", PLAIN) == [
        "book/tiny: output changed: cell 4: 'value 1.5' became 'value 1.6'"
    ]


def test_without_the_tag_there_is_no_tolerance():
    assert "output changed" in _compared("1.50000", "1.50001", PLAIN)[0]
    assert "output changed" in _compared("1.5", "1.9", PLAIN, tolerance=1)[0]


@pytest.mark.parametrize("now", [0.5 + 0.9 * TOLERANCE, 0.5 - 0.9 * TOLERANCE])
def test_a_trained_number_may_move_within_its_tolerance(now):
    assert _compared("score 0.5\n", f"score {now:.4f}\n") == []


@pytest.mark.parametrize("now", [0.5 + 1.1 * TOLERANCE, 0.5 - 1.1 * TOLERANCE])
def test_a_trained_number_that_moved_too_far_is_found_up_and_down(now):
    assert _compared("score 0.5\n", f"score {now:.4f}\n") == [
        f"book/tiny: trained number moved too far: cell 5: 0.5 became {now:.4f}, further than 0.02"
    ]


@pytest.mark.parametrize(("now", "ok"), [("5.4", True), ("4.6", True), ("5.6", False), ("4.4", False)])
def test_a_tolerance_of_its_own_is_honoured(now, ok):
    assert (_compared("loss 5.0\n", f"loss {now}\n", tolerance=0.5) == []) == ok


@pytest.mark.parametrize("now", ["loss nan\n", "cost 0.5\n", "loss 0.5 0.5\n", "loss\n", "loss -\n"])
def test_the_words_around_a_trained_number_must_stay(now):
    assert "trained number moved too far: cell 5: the words differ" in _compared("loss 0.5\n", now)[0]


def test_every_number_of_a_trained_cell_is_compared():
    assert "0.7 became 0.9" in _compared("a 0.5 b 0.7\n", "a 0.5 b 0.9\n")[0]
    assert "-0.7 became 0.7" in _compared("a -0.7\n", "a 0.7\n")[0]
    assert "3 became 4" in _compared("3 of 6\n", "4 of 6\n")[0]
    assert "1e-3 became 1e-1" in _compared("lr 1e-3\n", "lr 1e-1\n")[0]


def test_a_column_that_became_wider_is_no_change_of_words():
    assert _compared("a  9.99\nb  0.10\n", "a  10.00\nb   0.10\n") == []


def test_another_kind_or_number_of_outputs_is_found():
    old, new = _saying("a 1.0"), _saying("a 1.0")
    new.cells[TRAINED].outputs = [new_output("display_data", {"text/plain": "a 1.0"})]
    assert "kinds of output were ['stdout'], are ['text/plain']" in compare("p", reference(old), new)[0]
    new.cells[TRAINED].outputs = []
    assert "are []" in compare("p", reference(old), new)[0]


def test_the_facts_of_a_run_are_compared_whatever_their_order():
    def with_facts(facts):
        notebook = ran()
        notebook.cells[PLAIN].outputs = [new_output("display_data", {RUN_MIME: facts, "text/plain": "a run"})]
        return notebook

    old = reference(with_facts({"device": "CPU", "tissue": "synthetic tissue"}))
    assert compare("p", old, with_facts({"tissue": "synthetic tissue", "device": "CPU"})) == []
    assert "output changed" in compare("p", old, with_facts({"tissue": "real", "device": "CPU"}))[0]


def test_other_cells_than_the_committed_ones_are_a_pair_out_of_step():
    longer = ran((*CLEAN, Code("more = 1")))
    assert compare("book/tiny", reference(ran()), longer) == [
        "book/tiny: pair out of step: the executed notebook has other cells than the committed one"
    ]
