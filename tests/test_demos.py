import base64
import io
import json
import re
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from histolab_lib.bookbuild.stage import demo_html
from histolab_lib.demos import DEMO_MIME, KINDS, SCRIPTS, Calculator, Demo, Slider
from histolab_lib.stain import RUIFROK_HED

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
    with pytest.raises(ValueError, match=r"'How far\?': unknown kind 'mean'; there are means, pair, stains, dilation"):
        Calculator("How far?", "mean", "", start=[1])
    with pytest.raises(ValueError, match="the kind 'pair' needs pairs, images, got pairs"):
        Calculator("How far?", "pair", "", pairs=[])


STATIC = Path(__file__).parents[1] / "book" / "_static"
SHARED = (STATIC / "elements.js").read_text(encoding="utf-8")


def test_every_kind_of_calculator_is_one_that_its_script_can_draw():
    assert set(SCRIPTS) == {None, *KINDS}
    bodies = {}
    for name in {*SCRIPTS.values()} - {"demo"}:
        script = (STATIC / f"{name}.js").read_text(encoding="utf-8")
        drawn = re.findall(r"function (\w+)\((?:c, side|figure), data, number\)(.*?)\n  }\n", script, re.DOTALL)
        assert {kind for kind, _ in drawn} == {kind for kind, its in SCRIPTS.items() if its == name}
        bodies |= dict(drawn)
    for kind, needed in KINDS.items():
        assert set(re.findall(r"\bdata\.(\w+)", bodies[kind])) - {"title", "words"} == set(needed)
    assert "window.histolabElement =" in SHARED


def test_all_scripts_of_figures_together_stay_small():
    names = {"elements", *SCRIPTS.values()}
    assert sum(len((STATIC / f"{name}.js").read_bytes()) for name in names) < 60_000


@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_has_the_script_of_its_kind_beside_it(kind):
    html = demo_html({DEMO_MIME: {"title": "?", "kind": kind}, "text/plain": "?"}, "book/synthesis/x")
    assert html.startswith(f'<div class="demo" data-kind="{kind}">')
    assert html.endswith(f'elements.js"></script><script src="../../_static/{SCRIPTS[kind]}.js"></script>')


START = RUIFROK_HED[:2] / np.linalg.norm(RUIFROK_HED[:2], axis=1, keepdims=True)
TILE = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
AMOUNTS = np.random.default_rng(1).uniform(0, 0.8, (5, 7)).astype(np.float32)


def _stains(**changed):
    given = {"image": TILE, "start": START, "vectors": None, "hematoxylin": None}
    return Calculator("Which?", "stains", "A cloud.", **(given | changed))


def _picture(encoded):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))))


def test_a_tile_travels_to_the_figure_of_stains_without_loss():
    data = json.loads(json.dumps(_stains(vectors=START[::-1], hematoxylin=AMOUNTS).data()))
    assert list(data) == ["title", "kind", "words", "image", "start", "vectors", "hematoxylin"]
    np.testing.assert_array_equal(_picture(data["image"]), TILE)
    np.testing.assert_allclose(_picture(data["hematoxylin"]) / 255 * AMOUNTS.max(), AMOUNTS, atol=0.8 / 510 + 1e-6)
    np.testing.assert_allclose(data["start"], START, atol=5e-6)
    np.testing.assert_allclose(data["vectors"], START[::-1], atol=5e-6)


def test_without_truth_the_figure_of_stains_says_so():
    data = _stains().data()
    assert data["vectors"] is None
    assert data["hematoxylin"] is None


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"image": TILE[..., :2]}, r"image: expected uint8 \(H, W, 3\), got uint8 \(5, 7, 2\)"),
        ({"image": TILE / 255}, r"image: expected uint8 \(H, W, 3\), got float64 \(5, 7, 3\)"),
        ({"image": None}, r"image: expected uint8 \(H, W, 3\), got NoneType"),
        ({"image": TILE[:0]}, r"image: expected at least one pixel, got shape \(0, 7, 3\)"),
        ({"start": RUIFROK_HED}, r"start: expected two finite rows, hematoxylin and eosin, got shape \(3, 3\)"),
        ({"start": START * [[1], [np.nan]]}, "start: expected two finite rows"),
        ({"start": None}, "start: expected two finite rows, hematoxylin and eosin, got NoneType"),
        ({"start": 2 * START}, r"start: expected rows of length 1, got \[2.0, 2.0\]; divide by it"),
        ({"start": START[[0, 0]]}, "start: the rows must be 1 degree apart or more, got 0.00"),
        ({"vectors": START[0]}, r"vectors: expected two finite rows, hematoxylin and eosin, got shape \(3,\)"),
        ({"hematoxylin": AMOUNTS.T}, r"hematoxylin: expected amounts of shape \(5, 7\), .*, got float32 \(7, 5\)"),
        ({"hematoxylin": AMOUNTS - 0.5}, "hematoxylin: expected finite amounts of 0 or more, not all 0, got -0.4"),
        ({"hematoxylin": 0 * AMOUNTS}, "not all 0, got 0 to 0"),
        ({"hematoxylin": AMOUNTS * np.nan}, "not all 0, got nan to nan"),
        (
            {"image": np.random.default_rng(0).integers(0, 256, (130, 130, 3), dtype=np.uint8)},
            "image: 130 x 130 pixels make 6[0-9]{4} bytes, at most 60000; cut a view of about 96 x 128 pixels",
        ),
    ],
)
def test_what_the_figure_of_stains_cannot_show_is_an_error_that_says_what_is_expected(changed, message):
    with pytest.raises(ValueError, match=r"demo 'Which\?': .*" + message):
        _stains(**changed)


def test_the_figure_of_stains_needs_all_four_even_where_there_is_no_truth():
    with pytest.raises(ValueError, match="'stains' needs image, start, vectors, hematoxylin, got image, start"):
        Calculator("Which?", "stains", "", image=TILE, start=START)


FIELD = {"image": TILE, "um_per_px": 0.25, "rates": (1, 3), "examples": [("gridding", (2, 2, 2))], "stride_px": 32}


def _dilation(**changed):
    return Calculator("Seen?", "dilation", "Cells.", **(FIELD | changed))


def test_a_tile_and_its_rates_travel_to_the_figure_of_dilation():
    smooth = np.broadcast_to(np.arange(160, dtype=np.uint8)[:, None, None], (160, 120, 3)).copy()
    data = json.loads(json.dumps(_dilation(image=smooth).data()))
    assert np.abs(_picture(data.pop("image")).astype(int) - smooth).max() <= 3
    assert data == {
        "title": "Seen?",
        "kind": "dilation",
        "words": "Cells.",
        "um_per_px": 0.25,
        "rates": [1, 3, 0, 0],
        "examples": [["gridding", [2, 2, 2, 0]]],
        "stride_px": 32,
    }


def test_the_figure_of_dilation_takes_numpys_numbers_and_no_examples():
    given = {"rates": list(np.array([8, 0, 1])), "um_per_px": np.float32(0.5), "stride_px": np.int64(4), "examples": ()}
    data = json.loads(json.dumps(_dilation(**given).data()))
    assert [data[key] for key in given] == [[8, 0, 1, 0], 0.5, 4, []]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"image": TILE[..., 0]}, r"image: expected uint8 \(H, W, 3\), got uint8 \(5, 7\)"),
        ({"image": TILE[:, :0]}, r"image: expected at least one pixel, got shape \(5, 0, 3\)"),
        ({"um_per_px": 0}, "um_per_px: expected a finite number above 0, got 0"),
        ({"um_per_px": float("inf")}, "um_per_px: expected a finite number above 0, got inf"),
        ({"um_per_px": float("nan")}, "um_per_px: expected a finite number above 0, got nan"),
        ({"um_per_px": "0.25"}, "um_per_px: expected a finite number above 0, got '0.25'"),
        ({"rates": (1, 9)}, r"rates: expected 1 to 4 whole numbers from 0 \(no layer\) to 8, got \(1, 9\)"),
        ({"rates": (-1,)}, r"rates: expected 1 to 4 whole numbers .*, got \(-1,\)"),
        ({"rates": (1.0,)}, r"rates: expected 1 to 4 whole numbers .*, got \(1.0,\)"),
        ({"rates": (True,)}, r"rates: expected 1 to 4 whole numbers .*, got \(True,\)"),
        ({"rates": ()}, r"rates: expected 1 to 4 whole numbers .*, got \(\)"),
        ({"rates": (1,) * 5}, r"rates: expected 1 to 4 whole numbers .*, got \(1, 1, 1, 1, 1\)"),
        ({"rates": 3}, "rates: expected 1 to 4 whole numbers .*, got 3"),
        ({"rates": "135"}, "rates: expected 1 to 4 whole numbers .*, got '135'"),
        (
            {"examples": [("one", (1,)), ("far", (16,))]},
            r"examples: far: expected 1 to 4 whole numbers .*, got \(16,\)",
        ),
        ({"examples": [(1, 3)]}, r"examples: expected pairs of a name and its rates, got \[\(1, 3\)\]"),
        ({"examples": "ab"}, "examples: expected pairs of a name and its rates, got 'ab'"),
        ({"examples": [("a", (1,)), ("a", (2,))]}, r"examples: expected names that differ, .*, got \['a', 'a'\]"),
        ({"examples": [("", (1,))]}, r"examples: expected names that differ, none of them empty, got \[''\]"),
        ({"stride_px": 2}, "stride_px: expected one of 1, 4, 8, 16, 32, got 2"),
        ({"stride_px": None}, "stride_px: expected one of 1, 4, 8, 16, 32, got None"),
        (
            {"image": np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)},
            "image: 300 x 300 pixels make [0-9]+ bytes, at most 60000; cut a view of about 160 x 160 pixels",
        ),
    ],
)
def test_what_the_figure_of_dilation_cannot_show_is_an_error_that_says_what_is_expected(changed, message):
    with pytest.raises(ValueError, match=r"demo 'Seen\?': " + message):
        _dilation(**changed)


RNG = np.random.default_rng(2)
NUCLEI = np.zeros((8, 12), bool)
NUCLEI[2:6, 1:5] = True
GATED = {
    "image": RNG.integers(0, 256, (8, 12, 3), dtype=np.uint8),
    "mask": NUCLEI,
    "features": RNG.normal(size=(3, 4, 6)).astype(np.float32) * np.float32([[[1]], [[100]], [[0]]]),
    "spatial": RNG.uniform(size=(4, 6)),
    "channel": RNG.uniform(size=3).astype(np.float32),
    "readout": (np.array([1.5, -2, 0]), np.float64(-0.25)),
    "names": ["a", "b", "c"],
}


def _gates(**changed):
    return Calculator("Let through?", "gates", "Maps.", **(GATED | changed))


def _bytes(packed):
    return np.frombuffer(zlib.decompress(base64.b64decode(packed)), np.uint8)


def test_maps_and_gates_travel_to_the_figure_of_gates_within_half_a_step_and_zero_as_it_is():
    data = json.loads(json.dumps(_gates().data()))
    assert list(data) == ["title", "kind", "words", *KINDS["gates"]]
    sent = data["features"]
    assert sent["shape"] == [3, 4, 6]
    step, zero = np.array(sent["scale"]).T[..., None, None]
    found = step * (_bytes(sent["bytes"]).reshape(3, 4, 6).astype(int) - zero)
    span = np.ptp(GATED["features"], axis=(1, 2))
    np.testing.assert_allclose(step.ravel(), [span[0] / 254, span[1] / 254, 1])
    assert (np.abs(found - GATED["features"]) <= step * 0.501).all()
    assert (found[2] == 0).all()
    np.testing.assert_allclose(_bytes(data["spatial"]) / 255, GATED["spatial"].ravel(), atol=0.5 / 255 + 1e-9)
    np.testing.assert_allclose(_bytes(data["channel"]) / 255, GATED["channel"], atol=0.5 / 255 + 1e-9)
    assert data["readout"] == [[1.5, -2, 0], -0.25]
    assert data["names"] == ["a", "b", "c"]
    assert _picture(data["image"]).shape == (8, 12, 3)


def test_maps_of_one_sign_alone_keep_their_zero():
    above = np.abs(GATED["features"]) + 5
    for maps in (above, -above):
        sent = _gates(features=maps).data()["features"]
        assert [zero for _, zero in sent["scale"]] == ([0, 0, 0] if maps.max() > 0 else [254, 254, 254])


def test_a_cell_lies_in_nuclei_where_at_least_half_of_its_pixels_do():
    cells = _unpacked(_gates().data()["mask"], (4, 6))
    expected = np.zeros((4, 6), int)
    expected[1:3, 0:3] = 1  # columns 1 to 4 of pixels: half of the first and of the third column of cells
    np.testing.assert_array_equal(cells, expected)
    fewer = NUCLEI.copy()
    fewer[2, 1] = False
    assert _unpacked(_gates(mask=fewer).data()["mask"], (4, 6))[1, 0] == 0


def test_a_channel_gate_may_be_a_map_for_each_channel_and_there_may_be_no_readout():
    local = RNG.uniform(size=(3, 4, 6))
    data = _gates(channel=local, readout=None).data()
    np.testing.assert_allclose(_bytes(data["channel"]).reshape(3, 4, 6) / 255, local, atol=0.5 / 255 + 1e-9)
    assert data["readout"] is None


NOISE = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"image": GATED["image"][..., 0]}, r"image: expected uint8 \(H, W, 3\), got uint8 \(8, 12\)"),
        ({"mask": NUCLEI.astype(int)}, r"mask: expected bool \(8, 12\), as the image, got int64 \(8, 12\)"),
        ({"mask": NUCLEI.T}, r"mask: expected bool \(8, 12\), as the image, got bool \(12, 8\)"),
        ({"mask": NUCLEI | True}, "mask: expected cells of nuclei and others, got 24 of 24 cells in nuclei"),
        ({"mask": NUCLEI & False}, "mask: expected cells of nuclei and others, got 0 of 24 cells in nuclei"),
        (
            {"features": GATED["features"][0]},
            r"features: expected float \(K, h, w\), 1 to 6 maps, got float32 \(4, 6\)",
        ),
        ({"features": np.ones((7, 4, 6))}, r"features: .* 1 to 6 maps, got float64 \(7, 4, 6\)"),
        ({"features": np.ones((3, 0, 6))}, r"features: .* 1 to 6 maps, got float64 \(3, 0, 6\)"),
        ({"features": None}, "features: .* 1 to 6 maps, got NoneType"),
        ({"features": np.ones((3, 4, 6), int)}, r"features: expected float \(3, 4, 6\), got int64 \(3, 4, 6\)"),
        ({"features": GATED["features"] * np.nan}, "features: expected finite numbers, got 72 that are not"),
        (
            {"features": np.ones((3, 4, 4)), "spatial": np.ones((4, 4))},
            "features: expected maps of which each cell is a square of whole pixels of the 8 x 12 image, got 4 x 4",
        ),
        ({"features": np.ones((3, 3, 6))}, "features: .* of the 8 x 12 image, got 3 x 6"),
        ({"spatial": GATED["spatial"].T}, r"spatial: expected float \(4, 6\), got float64 \(6, 4\)"),
        ({"spatial": GATED["spatial"] + 0.5}, r"spatial: expected 0 \(shut\) to 1 \(open\), got 0.5[0-9]* to 1.4"),
        ({"spatial": GATED["spatial"] * np.nan}, "spatial: expected finite numbers, got 24 that are not"),
        ({"channel": np.ones(2)}, r"channel: expected float \(3,\) or \(3, 4, 6\), got float64 \(2,\)"),
        ({"channel": -np.ones(3)}, r"channel: expected 0 \(shut\) to 1 \(open\), got -1 to -1"),
        ({"channel": [0.5, 0.5, 0.5]}, r"channel: expected float \(3,\) or \(3, 4, 6\), got list"),
        ({"readout": ([1, 2], 0)}, r"readout: expected \(3 finite weights, finite bias\) or None, got \(\[1, 2\], 0\)"),
        ({"readout": ([1, 2, 3], np.inf)}, "readout: expected .* or None, got"),
        ({"readout": ([1, 2, 3], None)}, "readout: expected .* or None, got"),
        ({"readout": 4}, "readout: expected .* or None, got 4"),
        ({"names": ["a", "b"]}, r"names: expected 3 strings that differ, .*, got \['a', 'b'\]"),
        ({"names": ["a", "b", "b"]}, "names: expected 3 strings that differ, .*, got"),
        ({"names": ["a", "b", ""]}, "names: expected 3 strings .*, none of them empty, got"),
        ({"names": [1, 2, 3]}, r"names: expected 3 strings .*, got \[1, 2, 3\]"),
        ({"names": "abc"}, "names: expected 3 strings .*, got 'abc'"),
        (
            {
                "image": np.zeros((128, 128, 3), np.uint8),
                "mask": np.arange(128 * 128).reshape(128, 128) % 128 < 64,
                "features": NOISE.normal(size=(3, 128, 128)),
                "spatial": NOISE.uniform(size=(128, 128)),
            },
            r"image: 128 x 128 pixels and maps \(3, 128, 128\) make [0-9]+ bytes, at most 60000; cut a view of about "
            "128 x 128 pixels, or send fewer or coarser maps",
        ),
    ],
)
def test_what_the_figure_of_gates_cannot_show_is_an_error_that_says_what_is_expected(changed, message):
    with pytest.raises(ValueError, match=r"demo 'Let through\?': " + message):
        _gates(**changed)
