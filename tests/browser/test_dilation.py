"""The figure of dilated convolutions: its counts beside numpy's, and a page of it in Chromium, opened from disk."""

import base64
import io
import json
import os
import re
import shutil
import subprocess
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from PIL import Image
from scipy.signal import convolve2d

from histolab_lib.bookbuild.stage import demo_html
from histolab_lib.demos import Calculator
from tests.browser import test_pages as browser

pytestmark = pytest.mark.browser

STATIC = browser.ROOT / "book" / "_static"
TILE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
UM_PER_PX = 0.5
EXAMPLES = [("branch 1", (1,)), ("branch 4", (1, 3, 5)), ("gridding", (2, 2, 2))]
STATES = [
    ((0, 0, 0, 0), 1),
    ((1, 0, 0, 0), 1),
    ((0, 3, 0, 0), 4),
    ((1, 3, 0, 0), 8),
    ((1, 3, 5, 0), 32),
    ((1, 2, 0, 0), 4),  # the output cell has fewer paths than others
    ((2, 2, 2, 0), 4),
    ((2, 2, 2, 0), 32),
    ((8, 8, 8, 8), 16),
]
STACKS = [
    *[list(rates) for rates, _ in STATES],
    *np.random.default_rng(1).integers(0, 9, (60, 4)).tolist(),
]
RUN = (
    "const {{ profile, paths, measure }} = require({script});"
    "const stacks = JSON.parse(require('fs').readFileSync(0, 'utf8'));"
    "console.log(JSON.stringify(stacks.map((r) => [paths(profile(r)), measure(r, 4, 0.5, [40, 60])])));"
)


def _paths(rates):
    """Paths from each cell to one output cell: an impulse through the layers' kernels of nine taps each."""
    found = np.ones((1, 1), np.int64)
    for rate in filter(None, rates):
        kernel = np.zeros((2 * rate + 1, 2 * rate + 1), np.int64)
        kernel[::rate, ::rate] = 1
        found = convolve2d(found, kernel)
    return found


def _measured(rates, stride, shape=TILE.shape[:2]):
    found = _paths(rates)
    px = len(found) * stride
    return {
        "side": 1 + 2 * sum(rates),
        "px": px,
        "um": px * UM_PER_PX,
        "most": found.max(),
        "seen": np.mean(found > 0),
        "weights": 9 * np.count_nonzero(rates),
        "dense": found.size,
        "shown": min(px, shape[0]) * min(px, shape[1]) / px**2,
    }


def _same(answers, stacks):
    for rates, (found, told) in zip(stacks, answers, strict=True):
        assert found == _paths(rates).ravel().tolist(), rates
        assert told == pytest.approx(_measured(rates, 4), rel=1e-12), rates


def test_the_script_counts_paths_as_numpy_does_for_many_stacks():
    node = shutil.which("node")
    if node is None:
        pytest.fail("node is not installed") if os.environ.get("CI") else pytest.skip("node is not installed")
    command = [node, "-e", RUN.format(script=json.dumps(str(STATIC / "dilation.js")))]
    done = subprocess.run(command, input=json.dumps(STACKS), capture_output=True, text=True, timeout=60, check=True)
    _same(json.loads(done.stdout), STACKS)


def test_the_fields_of_the_four_branches_are_3_7_9_and_19_and_rates_of_2_see_every_second_row_and_column():
    assert [_measured(rates, 1)["side"] for rates in ((1,), (3,), (1, 3), (1, 3, 5))] == [3, 7, 9, 19]
    seen = _paths((2, 2, 2)) > 0
    np.testing.assert_array_equal(seen, np.add.outer(*[np.arange(13) % 2] * 2) == 0)
    assert _measured((2, 2, 2), 1)["seen"] == pytest.approx(49 / 169)


PAGE = """<!DOCTYPE html><html lang="en" data-theme="light"><head><meta charset="utf-8"><title>Dilation</title>
<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="../_static/book.css"></head>
<body class="bd-content"><main class="bd-article"><h1>Dilation</h1>{figures}</main></body></html>"""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """What a page of two figures shows, which begin with different stacks."""
    chromium, folder = browser._tools(), tmp_path_factory.mktemp("dilation")
    shutil.copy(browser.HERE / "dilation.mjs", browser.WORK)
    shutil.copytree(STATIC, folder / "_static")
    given = {"image": TILE, "um_per_px": UM_PER_PX, "examples": EXAMPLES}
    figures = [
        Calculator("Seen?", "dilation", "A square.", rates=rates, stride_px=stride, **given)
        for rates, stride in (((1, 3, 5), 32), ((2, 2, 2, 4), 1))
    ]
    html = "".join(demo_html(one._repr_mimebundle_(), "book/x") for one in figures)
    (folder / "book").mkdir()
    (folder / "book" / "x.html").write_text(PAGE.format(figures=html), encoding="utf-8")
    order = {"executable": chromium, "page": str(folder / "book" / "x.html"), "states": STATES, "stacks": STACKS[:20]}
    order["report"] = str(folder / "report.json")
    (folder / "job.json").write_text(json.dumps(order))
    command = ["node", "dilation.mjs", str(folder / "job.json")]
    done = subprocess.run(command, cwd=browser.WORK, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((folder / "report.json").read_text())


def test_the_page_says_nothing_on_its_console_and_fits_a_telephone(report):
    assert report["seen"] == []
    assert all(page <= window for page, window in report["widths"])


def test_the_figures_have_no_serious_fault_of_accessibility(report):
    assert [fault for fault in report["axe"] if fault[0] in ("serious", "critical")] == []


def test_the_page_counts_paths_as_numpy_does(report):
    _same(report["pure"], STACKS[:20])


def _decimal(value, places):
    """As the page rounds: halves upwards, of the number that the computer holds."""
    return str(Decimal(float(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))


def _numbers(rates, stride):
    told = _measured(rates, stride)
    um = _decimal(told["um"], 2 if told["um"] < 10 else 1)
    return {
        "receptive field": f"{told['side']} \N{MULTIPLICATION SIGN} {told['side']} cells",
        "cells seen at least once": f"{_decimal(100 * told['seen'], 1)} %",
        "weights per channel pair": str(told["weights"]),
        "share of a dense kernel's": f"{_decimal(100 * told['weights'] / told['dense'], 1)} % of {told['dense']}",
        "field on the image": f"{told['px']} px = {um} \N{MICRO SIGN}m",
        "of it on this tile": f"{_decimal(100 * told['shown'], 1)} %",
    }


def test_the_page_shows_the_numbers_of_every_stack(report):
    for figure in report["figures"]:
        for (rates, stride), state in zip(STATES, figure["states"], strict=True):
            assert state["numbers"] == _numbers(rates, stride)
            most = _paths(rates).max()
            assert state["legend"].startswith("1 path" if most == 1 else f"1 to {most} paths")


def _covered(path):
    """Pixels from the tile's middle that a path of squares covers: x, y, width and height of each."""
    found = re.findall(r"M(\S+) (\S+)h(\S+)v(\S+)h(\S+)z", path)
    assert len(found) == path.count("M")
    assert all(width == -back for width, back in ((float(one[2]), float(one[4])) for one in found))
    return [tuple(map(float, one[:4])) for one in found]


def test_the_field_lies_to_scale_in_the_middle_of_the_tile_and_covers_what_it_misses(report):
    for (rates, stride), state in zip(STATES, report["figures"][0]["states"], strict=True):
        seen = _paths(rates) > 0
        half = len(seen) * stride / 2
        assert _covered(state["field"]) == [(-half, -half, 2 * half, 2 * half)]
        x, y, width, height = state["view"]
        assert x == y == -width / 2
        assert width == pytest.approx(1.06 * max(*TILE.shape[:2], 2 * half))
        assert height == pytest.approx(1.13 * width)
        hidden = np.zeros(seen.shape, bool)
        for left, top, wide, high in _covered(state["unseen"]):
            corners = np.array([left + half, top + half, left + half + wide, top + half + high]) / stride
            np.testing.assert_array_equal(corners, corners.astype(int))
            x0, y0, x1, y1 = corners.astype(int)
            hidden[y0:y1, x0:x1] = True
        np.testing.assert_array_equal(hidden, ~seen)


def test_the_bar_of_the_scale_is_as_long_as_it_says(report):
    for state in report["figures"][0]["states"]:
        wide, words = state["bar"]
        assert wide * UM_PER_PX == pytest.approx(float(words.removesuffix(" \N{MICRO SIGN}m")))
        assert 0.1 < wide / state["view"][2] < 0.34


def _cells(url, count):
    """Colours of a canvas near the first corner of each cell, where so many are shown in a row: (count, count, 3)."""
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB"))
    cell = 656 // count
    left = (704 - count * cell) / 2
    at = np.arange(count) * cell + 4  # past the outline of the field
    return picture[np.ix_((at + left - 20).astype(int), (at + left).astype(int))]


def test_cells_are_drawn_where_paths_begin_and_the_darker_the_more(report):
    for (rates, _), state in zip(STATES, report["figures"][0]["states"], strict=True):
        found = _paths(rates)
        cells = max(41, len(found) + 2)
        drawn = _cells(state["canvas"], cells)
        margin = (cells - len(found)) // 2
        inside = drawn[margin : cells - margin, margin : cells - margin]
        outside = np.ones((cells, cells), bool)
        outside[margin : cells - margin, margin : cells - margin] = False
        assert (drawn[outside] == 255).all()
        share = 1.0 if found.max() == 1 else 0.2 + 0.8 * np.sqrt(found / found.max())
        expected = 255 + np.broadcast_to(share, found.shape)[..., None] * (np.array([8, 48, 107]) - 255)
        middle = np.zeros(found.shape, bool)
        middle[len(found) // 2, len(found) // 2] = True  # under the mark of the output cell
        np.testing.assert_allclose(inside[(found > 0) & ~middle], expected[(found > 0) & ~middle], atol=2)
        red, _, blue = np.moveaxis(inside[found == 0], -1, 0).astype(int)
        assert (red > blue + 15).all()  # orange; seen cells are blue


def test_a_stack_and_its_buttons_go_together(report):
    for figure, (rates, stride) in zip(report["figures"], (((1, 3, 5, 0), 32), ((2, 2, 2, 4), 1)), strict=True):
        assert figure["first"]["numbers"] == _numbers(rates, stride)
        *examples, (reset, last) = figure["buttons"]
        assert reset == "as at first"
        assert last == figure["first"]
        for (name, stack), (button, state) in zip(EXAMPLES, examples, strict=True):
            assert button == name
            assert state["pressed"] == [name]
            assert [int(one["value"]) for one in state["sliders"]] == [*stack, *[0] * (4 - len(stack))]
            assert state["stride"] == str(STATES[-1][1])  # a button moves layers alone
    assert report["figures"][0]["first"]["pressed"] == ["branch 4"]
    assert report["figures"][1]["first"]["pressed"] == []


def test_every_slider_moves_the_figure_by_keys_and_says_where_it_stands(report):
    for figure in report["figures"]:
        for n, (least, most) in enumerate(figure["keys"]):
            assert least["canvas"] != most["canvas"]
            assert least["numbers"] != most["numbers"]
            assert least["sliders"][n] == {"value": "0", "said": "not there", "label": f"layer {n + 1}: not there"}
            assert most["sliders"][n] == {"value": "8", "said": "rate 8", "label": f"layer {n + 1}: rate 8"}


def test_the_canvas_takes_its_colours_from_the_page_and_follows_its_scheme(report):
    for figure in report["figures"]:
        light, dark, again = figure["themes"]
        assert light == again
        assert [_cells(url, 41)[0, 0].tolist() for url in (light, dark)] == [[255] * 3, [235] * 3]


def test_the_figure_is_described_for_who_does_not_see_it(report):
    for figure in report["figures"]:
        assert figure["words"].startswith("Seen? A square. The darker a cell, the more paths")
        field = _numbers(*STATES[4])["field on the image"]
        assert figure["states"][4]["words"].startswith(f"The tile with the field on it, {field} wide and high")
