"""The figure of stains: its algebra beside that of the library, and a page of it in Chromium, opened from disk."""

import json
import os
import shutil
import subprocess

import numpy as np
import pytest

from histolab_lib.bookbuild.stage import demo_html
from histolab_lib.datasets.synthetic import scene
from histolab_lib.demos import Calculator
from histolab_lib.stain import RUIFROK_HED, concentrations, rgb_to_od, tissue_mask
from tests.browser import test_pages as browser

pytestmark = pytest.mark.browser

STATIC = browser.ROOT / "book" / "_static"
START = RUIFROK_HED[:2] / np.linalg.norm(RUIFROK_HED[:2], axis=1, keepdims=True)
RUN = (
    "const {{ unit, turned, densities, tissue, known, measure }} = require({script});"
    "const {{ pixels, start, amount, turns }} = JSON.parse(require('fs').readFileSync(0, 'utf8'));"
    "const [h, e] = start.map(unit), od = densities(pixels), truth = amount && known(amount, tissue(od));"
    "const all = turns.map(([a, b]) => measure(od, [turned(h, e, a), turned(e, h, b)], [h, e], truth));"
    "console.log(JSON.stringify(all.map((one) => ({{ ...one, component: one.component && [...one.component] }}))));"
)
TURNS = [(0, 0), (-30, 0), (17, 0), (0, -30), (0, 9), (0, 16), (0, 30), (30, 30), (-30, -30), (13, -7)]


def _turned(vector, other, degrees):
    """A vector turned about the normal of the plane of both (Rodrigues)."""
    normal = np.cross(vector, other) / np.linalg.norm(np.cross(vector, other))
    x, y, z = normal
    cross, angle = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]), np.radians(degrees)
    return (np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross) @ vector


def _expected(image, start, truth, turns):
    """What the page tells, by the library and numpy."""
    pair = np.stack([_turned(start[0], start[1], turns[0]), _turned(start[1], start[0], turns[1])])
    amounts = concentrations(image, pair, solver="least_squares")[..., 0]
    seen, top = np.clip(amounts, 0, None), np.percentile(truth, 99, method="lower")
    alone, nuclei = tissue_mask(image) & (truth <= 0.1 * top), truth >= 0.5 * top
    with np.errstate(divide="ignore", invalid="ignore"):  # where hardly a pixel is left, or none
        told = {
            "correlation": np.corrcoef(seen.ravel(), truth.ravel())[0, 1],
            "alone": seen[alone].mean() / seen[nuclei].mean(),
        }
    return {
        **{key: value if np.isfinite(value) else np.nan for key, value in told.items()},
        "degrees": np.degrees(np.arccos(pair[0] @ pair[1])),
        "crossed": bool(np.cross(*pair) @ np.cross(*start) < 0),
        "clipped": np.mean(amounts < 0),
        "component": seen,
    }


@pytest.fixture(scope="module")
def gland():
    made, view = scene("test", 3, objects="glands", seed=0), np.s_[80:176, 64:192]
    steps = np.rint(255 * made.hematoxylin[view] / made.hematoxylin[view].max())
    return np.ascontiguousarray(made.image[view]), made.hematoxylin[view], steps, made.vectors


def _by_node(image, start, truth, turns):
    node = shutil.which("node")
    if node is None:
        pytest.fail("node is not installed") if os.environ.get("CI") else pytest.skip("node is not installed")
    opaque = np.concatenate([image, np.full((*image.shape[:2], 1), 255, np.uint8)], axis=2)
    given = {"pixels": opaque.ravel().tolist(), "start": np.asarray(start).tolist(), "turns": turns}
    given["amount"] = None if truth is None else truth.ravel().tolist()
    command = [node, "-e", RUN.format(script=json.dumps(str(STATIC / "stains.js")))]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout)


def test_the_script_measures_as_the_library_does_at_every_turn(gland):
    image, _, truth, made_with = gland
    image = image.copy()
    image[0, :3] = [[0, 0, 0], [255, 255, 255], [255, 0, 1]]  # the ends of the scale
    rng = np.random.default_rng(0)
    turns = TURNS + rng.integers(-30, 31, (20, 2)).tolist()
    for start in (START, made_with):  # no turn makes two vectors one; the next test looks at that
        for found, turn in zip(_by_node(image, start, truth, turns), turns, strict=True):
            expected = _expected(image, start, truth, turn)
            assert found["crossed"] == expected["crossed"], turn
            np.testing.assert_allclose(found.pop("component"), expected.pop("component").ravel(), rtol=1e-7, atol=1e-7)
            told = {key: np.nan if found[key] is None else found[key] for key in expected}  # JSON has no infinity
            assert told == pytest.approx(expected, rel=1e-6, abs=1e-6, nan_ok=True)


def test_of_two_vectors_that_are_one_nothing_is_told(gland):
    image, _, truth, _ = gland
    start = np.array([START[0], _turned(START[0], START[1], 20)])
    (found,) = _by_node(image, start, truth, [(10, 10)])
    assert found["degrees"] == pytest.approx(0, abs=1e-5)
    assert [found[key] for key in ("clipped", "correlation", "alone", "component")] == [None] * 4


def test_turning_hematoxylin_scales_what_is_seen_and_turning_eosin_changes_it(gland):
    image, _, truth, _ = gland
    still, own, other = _by_node(image, START, truth, [(0, 0), (10, 0), (0, 16)])
    keys = ("clipped", "correlation", "alone")
    assert [own[key] for key in keys] == pytest.approx([still[key] for key in keys], abs=1e-9)
    assert min(abs(other[key] - still[key]) for key in keys) > 0.02
    factor = np.array(own["component"])[np.array(still["component"]) > 0.01].sum() / sum(
        value for value in still["component"] if value > 0.01
    )
    np.testing.assert_allclose(own["component"], factor * np.array(still["component"]), atol=1e-9)
    assert factor > 1.1


PAGE = """<!DOCTYPE html><html lang="en" data-theme="light"><head><meta charset="utf-8"><title>Stains</title>
<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="../_static/book.css"></head>
<body class="bd-content"><main class="bd-article"><h1>Stains</h1>{figures}</main></body></html>"""


@pytest.fixture(scope="module")
def report(tmp_path_factory, gland):
    """What a page of two figures shows, one with the truth and one without."""
    chromium, folder = browser._tools(), tmp_path_factory.mktemp("stains")
    shutil.copy(browser.HERE / "stains.mjs", browser.WORK)
    shutil.copytree(STATIC, folder / "_static")
    image, truth, _, vectors = gland
    given = [{"vectors": vectors, "hematoxylin": truth}, {"vectors": None, "hematoxylin": None}]
    figures = [Calculator("How much?", "stains", "A cloud.", image=image, start=START, **one) for one in given]
    html = "".join(demo_html(one._repr_mimebundle_(), "book/x") for one in figures)
    (folder / "book").mkdir()
    (folder / "book" / "x.html").write_text(PAGE.format(figures=html), encoding="utf-8")
    order = {"executable": chromium, "page": str(folder / "book" / "x.html"), "turns": TURNS}
    order["report"] = str(folder / "report.json")
    (folder / "job.json").write_text(json.dumps(order))
    command = ["node", "stains.mjs", str(folder / "job.json")]
    done = subprocess.run(command, cwd=browser.WORK, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((folder / "report.json").read_text())


def test_the_page_says_nothing_on_its_console_and_fits_a_telephone(report):
    assert report["seen"] == []
    assert all(page <= window for page, window in report["widths"])


def test_the_figures_have_no_serious_fault_of_accessibility(report):
    assert [fault for fault in report["axe"] if fault[0] in ("serious", "critical")] == []


def test_the_page_shows_the_numbers_of_the_library(report, gland):
    image, _, truth, _ = gland
    for turns, state in zip(TURNS, report["figures"][0]["states"], strict=True):
        expected = _expected(image, START, truth, turns)
        crossed = ", crossed" if expected["crossed"] else ""
        assert state["numbers"] == {
            "angle between the two": f"{expected['degrees']:.1f}\N{DEGREE SIGN}{crossed}",
            "pixels clipped at 0": f"{100 * expected['clipped']:.1f} %",
            "correlation with the true amount": f"{expected['correlation']:.3f}",
            "hematoxylin seen in eosin alone, as share of that in nuclei": f"{100 * expected['alone']:.1f} %",
        }


def test_the_page_shows_the_hematoxylin_of_the_library_on_the_scale_of_the_first_vectors(report, gland):
    image, _, truth, _ = gland
    most = np.percentile(concentrations(image, START, solver="least_squares")[..., 0], 99.5, method="lower")
    for figure in report["figures"]:
        for turns, state in zip(TURNS, figure["states"], strict=True):
            seen = _expected(image, START, truth, turns)["component"].ravel()
            np.testing.assert_allclose(state["grey"], 255 * (1 - np.clip(seen / most, 0, 1)), atol=0.51)


def test_every_turn_is_seen_on_the_plane(report):
    for figure in report["figures"]:
        assert len({state["plane"] for state in figure["states"]}) == len(TURNS)


def test_the_button_and_the_keys_move_the_vectors_and_the_sliders_say_where_they_stand(report):
    for figure in report["figures"]:
        first = figure["states"][TURNS.index((0, 0))]
        reset, own, both = figure["keys"]
        assert reset == first
        assert [slider["said"] for slider in reset["sliders"]] == ["0 degrees, as at first"] * 2
        assert own["sliders"][0]["said"] == "30 degrees towards eosin"
        assert own["sliders"][0]["label"] == "hematoxylin turned: 30\N{DEGREE SIGN} towards eosin"
        assert both["sliders"][1]["said"] == "30 degrees away from hematoxylin"
        assert len({state["plane"] for state in figure["keys"]}) == 3


def test_without_the_truth_the_page_tells_only_what_it_can(report):
    numbers = report["figures"][1]["states"][0]["numbers"]
    assert list(numbers) == ["angle between the two", "pixels clipped at 0"]


def test_the_plane_is_described_for_who_does_not_see_it(report):
    for figure in report["figures"]:
        assert figure["words"].startswith("How much? A cloud. Horizontal: optical density along the middle of both")


def test_densities_of_the_page_are_those_of_the_library():
    every = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(16, 16, 3)
    by_script = _by_node(every, np.eye(3)[:2], None, [(0, 0)])[0]["component"]
    np.testing.assert_allclose(by_script, rgb_to_od(every)[..., 0].ravel(), rtol=1e-12)
