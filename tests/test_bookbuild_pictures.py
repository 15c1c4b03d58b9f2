import base64
import io

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

from histolab_lib.bookbuild.pictures import withhold
from histolab_lib.datasets.registry import entries
from histolab_lib.demos import DEMO_MIME


def _notebook():
    picture = {"image/png": "aGlkZGVuIHRpc3N1ZQ==", "text/plain": "<Figure>"}
    return new_notebook(
        cells=[
            new_code_cell("tissue", outputs=[new_output("display_data", dict(picture))]),
            new_code_cell("dots", metadata={"tags": ["chart"]}, outputs=[new_output("display_data", dict(picture))]),
            new_code_cell("table", outputs=[new_output("execute_result", {"text/html": "<table>", "text/plain": "1"})]),
            new_code_cell("demo", outputs=[new_output("display_data", {DEMO_MIME: {"a": 1}, "text/plain": "words"})]),
        ]
    )


def test_pictures_of_a_set_that_may_not_be_shown_are_replaced_by_a_card_that_names_its_terms():
    notebook = _notebook()
    assert withhold(notebook, ["monuseg"]) == 2
    tissue, chart, table, demo = (cell.outputs[0].data for cell in notebook.cells)
    words = f"Not published here: MoNuSeg 2018 ({entries()['monuseg'].licence}).\nA run of your own draws it."
    assert tissue["text/plain"] == words
    assert Image.open(io.BytesIO(base64.b64decode(tissue["image/png"]))).size == (900, 225)
    assert demo == {"text/plain": words}
    assert "hidden" not in str(base64.b64decode(tissue["image/png"]))
    untouched = _notebook().cells
    assert (chart, table) == (untouched[1].outputs[0].data, untouched[2].outputs[0].data)


@pytest.mark.parametrize("sets", [[], ["tnbc"]])
def test_pictures_of_open_sets_and_of_synthetic_tissue_stay(sets):
    notebook = _notebook()
    assert withhold(notebook, sets) == 0
    assert [cell.outputs for cell in notebook.cells] == [cell.outputs for cell in _notebook().cells]


def test_one_set_that_may_not_be_shown_is_enough():
    assert withhold(_notebook(), ["tnbc", "monuseg"]) == 2
