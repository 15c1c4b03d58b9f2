import json
import re
from pathlib import Path

import numpy as np
import pytest

from histolab_lib.demos import DEMO_MIME, KINDS, Calculator, Demo, Slider

IMAGE = np.full((4, 6, 3), 200, np.uint8)
LABELS = np.array([[0, 0, 1, 1, 0, 7]] * 4, np.int32)
SLIDERS = [Slider("shift (px)", (0, 1)), Slider("size (px)", (-1, 0, 1), start=1)]
STATES = {(i, j): (LABELS + 0, {"Dice": 1 / (1 + i + j)}) for i in range(2) for j in range(3)}


def _unpacked(runs, shape):
    pairs = np.array(runs).reshape(-1, 2)
    return np.repeat(pairs[:, 0], pairs[:, 1]).reshape(shape)


def test_a_demonstration_travels_as_json_with_every_state_and_its_words():
    bundle = Demo("What if?", IMAGE, LABELS, SLIDERS, STATES)._repr_mimebundle_()
    data = json.loads(json.dumps(bundle[DEMO_MIME]))
    assert bundle["text/plain"] == (
        "What if? (interactive on the book's page: shift (px) from 0 to 1, size (px) from -1 to 1)"
    )
    assert sorted(data["states"]) == ["0,0", "0,1", "0,2", "1,0", "1,1", "1,2"]
    assert data["states"]["1,2"]["numbers"] == [["Dice", 0.25]]
    assert data["sliders"][1] == {"label": "size (px)", "values": [-1, 0, 1], "start": 1}


def test_maps_come_back_from_their_runs():
    data = Demo("What if?", IMAGE, LABELS, SLIDERS, STATES).data()
    np.testing.assert_array_equal(_unpacked(data["true"], LABELS.shape), LABELS)
    empty = {key: (np.zeros((4, 6), np.int32), numbers) for key, (_, numbers) in STATES.items()}
    data = Demo("What if?", IMAGE, LABELS, SLIDERS, empty).data()
    assert data["states"]["0,0"]["map"] == [0, 24]


def test_a_position_of_the_sliders_without_a_state_is_an_error_that_names_it():
    states = {key: state for key, state in STATES.items() if key != (1, 2)}
    with pytest.raises(ValueError, match=r"demo 'What if\?': no state for slider positions \(1, 2\)"):
        Demo("What if?", IMAGE, LABELS, SLIDERS, states)


def test_a_map_of_another_size_than_the_image_is_an_error():
    states = STATES | {(0, 1): (LABELS[:2], {})}
    with pytest.raises(ValueError, match=r"the map of \(0, 1\) is \(2, 6\), the image \(4, 6\)"):
        Demo("What if?", IMAGE, LABELS, SLIDERS, states)


def test_a_calculator_travels_with_its_kind_and_what_it_was_given():
    bundle = Calculator("How far?", "means", "Two curves.", start=[0.9, 0.5])._repr_mimebundle_()
    assert json.loads(json.dumps(bundle[DEMO_MIME])) == {
        "title": "How far?",
        "kind": "means",
        "words": "Two curves.",
        "start": [0.9, 0.5],
    }
    assert bundle["text/plain"] == "How far? (interactive on the book's page)"


def test_a_calculator_of_an_unknown_kind_or_without_its_data_is_an_error_that_says_so():
    with pytest.raises(ValueError, match=r"demo 'How far\?': unknown kind 'mean'; there are means, pair"):
        Calculator("How far?", "mean", "", start=[1])
    with pytest.raises(ValueError, match="the kind 'pair' needs pairs, images, got pairs"):
        Calculator("How far?", "pair", "", pairs=[])


def test_every_kind_of_calculator_is_one_that_the_page_can_draw():
    script = (Path(__file__).parents[1] / "book" / "_static" / "calculators.js").read_text(encoding="utf-8")
    kinds = re.search(r"const KINDS = \{ ([\w, ]+) \};", script)[1].split(", ")
    assert set(kinds) == set(KINDS)
    for kind, needed in KINDS.items():
        body = script.partition(f"function {kind}(c, side, data, number)")[2].partition("\n  function ")[0]
        assert set(re.findall(r"\bdata\.(\w+)", body)) == set(needed)
    shared = (Path(__file__).parents[1] / "book" / "_static" / "elements.js").read_text(encoding="utf-8")
    assert "window.histolabElement =" in shared
    assert len(script) + len(shared) < 60_000
