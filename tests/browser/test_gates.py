"""The figure of gates: its numbers beside numpy's, and a page of it in Chromium, opened from disk."""

import base64
import io
import json
import os
import shutil
import subprocess
import zlib
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from PIL import Image

from histolab_lib.bookbuild.stage import demo_html
from histolab_lib.demos import Calculator
from tests.browser import test_pages as browser

pytestmark = pytest.mark.browser

STATIC = browser.ROOT / "book" / "_static"
RNG = np.random.default_rng(0)
HEIGHT, WIDTH, COUNT = 8, 12, 3
ROWS, COLUMNS = np.indices((2 * HEIGHT, 2 * WIDTH))
MASK = (ROWS - 6) ** 2 + (COLUMNS - 9) ** 2 < 40
CELLS = MASK.reshape(HEIGHT, 2, WIDTH, 2).mean((1, 3)) >= 0.5
FEATURES = np.maximum(0, RNG.normal(size=(COUNT, HEIGHT, WIDTH)) + np.array([1, -0.5, 0])[:, None, None])
GIVEN = {
    "image": RNG.integers(0, 256, (2 * HEIGHT, 2 * WIDTH, 3), dtype=np.uint8),
    "mask": MASK,
    "features": FEATURES,
    "spatial": np.where(CELLS, RNG.uniform(0.4, 1, CELLS.shape), RNG.uniform(0, 0.6, CELLS.shape)),
    "channel": np.array([0.9, 0.25, 0.6]),
    "readout": ([2.0, -1.0, 0.5], -0.75),
    "names": ["channel 2", "channel 7", "channel 11"],
}
LOCAL = {
    "features": RNG.normal(size=FEATURES.shape),
    "channel": RNG.uniform(size=FEATURES.shape),
    "readout": None,
}
FIGURES = [GIVEN, GIVEN | LOCAL]
STATES = [(0, 100, 100), (1, 100, 100), (2, 0, 0), (0, 100, 0), (0, 0, 100), (1, 35, 165), (0, 200, 100), (2, 200, 200)]
POSITIONS = [[a / 100, b / 100] for _, a, b in STATES] + RNG.uniform(0, 2, (30, 2)).tolist()
RUN = (
    "const {{ read, measure }} = require({script});"
    "const [data, all] = JSON.parse(require('fs').readFileSync(0, 'utf8'));"
    "read(data.features, data.spatial, data.channel, data.mask, data.readout).then((given) => {{"
    "console.log(JSON.stringify(all.map((at) => {{ const found = measure(given, at);"
    "return {{ ...found, refined: [...found.refined], chance: found.chance && [...found.chance] }}; }})));}});"
)


def _figure(given):
    return Calculator("Let through?", "gates", "A disc.", **given)


def _sent(data):
    """Maps and gates as they travel: in bytes, each map with a step of its own."""

    def unpacked(packed):
        return np.frombuffer(zlib.decompress(base64.b64decode(packed)), np.uint8).astype(float)

    step, zero = np.array(data["features"]["scale"]).T[..., None, None]
    maps = step * (unpacked(data["features"]["bytes"]).reshape(data["features"]["shape"]) - zero)
    channel = unpacked(data["channel"]) / 255
    channel = channel.reshape(maps.shape) if channel.size == maps.size else channel[:, None, None]
    return maps, unpacked(data["spatial"]).reshape(CELLS.shape) / 255, channel


def _between(gate, at):
    """A gate at 0, open, at 1, as learned, at 2, shut."""
    return 1 - at * (1 - gate) if at < 1 else gate * (2 - at)


def _expected(sent, at, readout):
    maps, spatial, channel = sent
    refined = maps * _between(spatial, at[0]) * _between(channel, at[1])

    def shares(axis):
        return [(refined[:, side] ** 2).sum(axis) / (maps[:, side] ** 2).sum(axis) for side in (CELLS, ~CELLS)]

    told = {"refined": refined, "shares": np.vstack([shares(None), np.transpose(shares(1))])}
    told["ratio"] = np.divide(*told["shares"][0]) if told["shares"][0, 1] > 0 else np.nan
    if readout is None:
        return told | {"chance": None, "dice": None}
    chance = 1 / (1 + np.exp(-np.tensordot(readout[0], refined, 1) - readout[1]))
    found = chance >= 0.5
    return told | {"chance": chance, "dice": 2 * (found & CELLS).sum() / (found.sum() + CELLS.sum())}


def _by_node(data):
    node = shutil.which("node")
    if node is None:
        pytest.fail("node is not installed") if os.environ.get("CI") else pytest.skip("node is not installed")
    command = [node, "-e", RUN.format(script=json.dumps(str(STATIC / "gates.js")))]
    text = json.dumps([data, POSITIONS])
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("given", FIGURES, ids=["global", "local"])
def test_the_script_multiplies_and_measures_as_numpy_does_at_every_position(given):
    data = _figure(given).data()
    sent = _sent(data)
    for at, found in zip(POSITIONS, _by_node(data), strict=True):
        expected = _expected(sent, at, given["readout"])
        np.testing.assert_allclose(found["refined"], expected["refined"].ravel(), rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(found["shares"], expected["shares"], rtol=1e-10, atol=1e-30)
        ratio = np.nan if found["ratio"] is None else found["ratio"]
        assert ratio == pytest.approx(expected["ratio"], rel=1e-10, nan_ok=True), at
        if given["readout"] is None:
            assert found["chance"] is found["dice"] is None
        else:
            assert found["dice"] == pytest.approx(expected["dice"], rel=1e-12), at
            np.testing.assert_allclose(found["chance"], expected["chance"].ravel(), rtol=1e-10)


@pytest.mark.parametrize("given", FIGURES, ids=["global", "local"])
def test_what_travels_tells_what_the_maps_themselves_would_within_a_hundredth(given):
    whole = (
        given["features"],
        given["spatial"],
        given["channel"].reshape(COUNT, *given["channel"].shape[1:] or (1, 1)),
    )
    for at in ([1, 1], [0, 1], [1, 0], [0.3, 1.6]):
        by_bytes, itself = (_expected(maps, at, None)["shares"] for maps in (_sent(_figure(given).data()), whole))
        np.testing.assert_allclose(by_bytes, itself, rtol=0.02, atol=1e-6)
        assert np.abs(by_bytes - itself).max() < 0.01


def test_open_gates_let_all_through_and_one_shut_gate_nothing_whatever_the_other_does():
    sent = _sent(_figure(GIVEN).data())
    for at, found in zip(POSITIONS, _by_node(_figure(GIVEN).data()), strict=True):
        if at == [0, 0]:
            assert found["refined"] == sent[0].ravel().tolist()
            assert np.array(found["shares"]).ravel().tolist() == [1] * 8
        if 2 in at:
            assert not np.any(found["shares"])
            assert found["ratio"] is None
            assert found["chance"] == pytest.approx([1 / (1 + np.exp(0.75))] * CELLS.size)  # what the bias says


PAGE = """<!DOCTYPE html><html lang="en" data-theme="light"><head><meta charset="utf-8"><title>Gates</title>
<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="../_static/book.css"></head>
<body class="bd-content"><main class="bd-article"><h1>Gates</h1>{figures}</main></body></html>"""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """What a page of two figures shows, of a global channel gate with a read-out, and of a local one without."""
    chromium, folder = browser._tools(), tmp_path_factory.mktemp("gates")
    shutil.copy(browser.HERE / "gates.mjs", browser.WORK)
    shutil.copytree(STATIC, folder / "_static")
    html = "".join(demo_html(_figure(given)._repr_mimebundle_(), "book/x") for given in FIGURES)
    (folder / "book").mkdir()
    (folder / "book" / "x.html").write_text(PAGE.format(figures=html), encoding="utf-8")
    order = {"executable": chromium, "page": str(folder / "book" / "x.html"), "states": STATES}
    order["report"] = str(folder / "report.json")
    (folder / "job.json").write_text(json.dumps(order))
    command = ["node", "gates.mjs", str(folder / "job.json")]
    done = subprocess.run(command, cwd=browser.WORK, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((folder / "report.json").read_text())


def test_the_page_says_nothing_on_its_console_and_fits_a_telephone(report):
    assert report["seen"] == []
    assert all(page <= window for page, window in report["widths"])


def test_the_figures_have_no_serious_fault_of_accessibility(report):
    assert [fault for fault in report["axe"] if fault[0] in ("serious", "critical")] == []


def _decimal(value, places):
    """As the page rounds: halves upwards, of the number that the computer holds."""
    return str(Decimal(float(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))


def _numbers(given, state):
    told = _expected(_sent(_figure(given).data()), [value / 100 for value in state[1:]], given["readout"])
    percent = [f"{_decimal(100 * share, 1)} %" for share in told["shares"][[0, state[0] + 1]].ravel()]
    names = [
        "energy in nuclei, let through",
        "energy outside, let through",
        "map shown: in nuclei",
        "map shown: outside",
    ]
    numbers = dict(zip(names, percent, strict=True))
    numbers["ratio of the two"] = _decimal(told["ratio"], 2) if np.isfinite(told["ratio"]) else "cannot be told"
    if given["readout"] is not None:
        numbers["Dice of the read-out, by cells"] = _decimal(told["dice"], 3)
    return numbers


def test_the_page_shows_numpys_numbers_in_every_state(report):
    for given, figure in zip(FIGURES, report["figures"], strict=True):
        assert figure["first"]["numbers"] == _numbers(given, (0, 100, 100))
        for state, shown in zip(STATES, figure["states"], strict=True):
            assert shown["numbers"] == _numbers(given, state), state


def _panels(url):
    """Colours near the middle of each cell, of the six panels: (6, HEIGHT, WIDTH, 3)."""
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB")).astype(float)
    cell, high = 344 / WIDTH, 344 * HEIGHT / WIDTH
    across, down = ((np.arange(count) + 0.5) * cell for count in (WIDTH, HEIGHT))
    corners = [((n % 2) * 360, (n // 2) * (40 + high + 16) + 40) for n in range(6)]
    return np.stack([picture[np.ix_((y + down).astype(int), (x + across).astype(int))] for x, y in corners])


def _mixed(share, to, ground=(255, 255, 255)):
    return np.array(ground) + share[..., None] * (np.array(to, float) - ground)


def test_maps_gates_and_the_readout_are_drawn_in_their_colours(report):
    for given, figure in zip(FIGURES, report["figures"], strict=True):
        maps, spatial, channel = sent = _sent(_figure(given).data())
        for state, shown in zip(STATES, figure["states"], strict=True):
            _, before, first, second, after, last = _panels(shown["canvas"])
            k, at = state[0], [value / 100 for value in state[1:]]
            told = _expected(sent, at, given["readout"])
            most = np.percentile(np.abs(maps[k]), 99, method="lower")
            for found, drawn in ((maps[k], before), (told["refined"][k], after)):
                share = np.sqrt(np.clip(np.abs(found) / most, 0, 1))
                colour = np.where((found < 0)[..., None], (142, 1, 82), (8, 48, 107))
                np.testing.assert_allclose(drawn, 255 + share[..., None] * (colour - 255), atol=1.5)
            own = np.broadcast_to(_between(channel, at[1])[k], CELLS.shape)
            for found, drawn in ((_between(spatial, at[0]), first), (own, second)):
                np.testing.assert_allclose(drawn, _mixed(1 - found, (0, 0, 0)), atol=1.5)
            chance = np.zeros(CELLS.shape) if told["chance"] is None else told["chance"]
            np.testing.assert_allclose(last, _mixed(chance, (8, 48, 107)), atol=1.5)


def test_buttons_open_each_gate_and_say_which_is_pressed(report):
    wanted = {"both open": ["0", "0"], "as learned": ["100", "100"]}
    wanted |= {"spatial alone": ["100", "0"], "channel alone": ["0", "100"]}
    for figure in report["figures"]:
        *examples, (reset, last) = figure["buttons"]
        assert [name for name, _ in examples] == list(wanted)
        for name, shown in examples:
            assert [one["value"] for one in shown["sliders"]] == wanted[name]
            assert shown["pressed"] == [name]
            assert shown["map"] == GIVEN["names"][STATES[-1][0]]  # a button moves the gates alone
        assert reset == "as at first"
        assert last == figure["first"]
        assert last["pressed"] == ["as learned"]
        assert figure["chosen"]["map"] == "channel 7"
        assert figure["chosen"]["canvas"] != last["canvas"]


def test_every_slider_moves_the_figure_by_keys_and_says_where_it_stands(report):
    for figure in report["figures"]:
        for n, (name, states) in enumerate(zip(("spatial gate", "channel gate"), figure["keys"], strict=True)):
            said = ["open, 1 everywhere", "5 % from open to learned", "shut, 0 everywhere"]
            for words, value, shown in zip(said, ("0", "5", "200"), states, strict=True):
                assert shown["sliders"][n] == {"value": value, "said": words, "label": f"{name}: {words}"}
            assert len({shown["canvas"] for shown in states}) == 3  # of the second although the first is shut
        assert figure["states"][0]["sliders"][0]["said"] == "as learned"
        assert figure["states"][5]["sliders"][1]["said"] == "65 % from learned to shut"


def test_the_pictures_take_their_colours_from_the_page_and_follow_its_scheme(report):
    for figure in report["figures"]:
        light, dark, again = figure["themes"]
        assert light == again
        assert [_panels(url)[4].ravel()[0] for url in (light, dark)] == [255, 235]  # shut: nothing is left of the map


def test_the_figure_says_what_its_colours_mean_and_what_is_to_be_seen(report):
    with_readout, negative = report["figures"]
    assert "below 0" not in with_readout["legend"]
    assert "read-out of 0.5 or more" in with_readout["legend"]
    assert "maps: nothing to much below 0" in negative["legend"]
    assert "read-out" not in negative["legend"]
    for figure in report["figures"]:
        assert figure["words"].startswith("Let through? A disc. Panels: the tile, a feature map, the spatial and")
    assert "and the read-out of all maps" in with_readout["words"]
    assert "read-out" not in negative["words"]
