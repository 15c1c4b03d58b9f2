"""The bounds that a page's script computes, beside those of the library."""

import json
import os
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from histolab_lib.audit.intervals import Interval
from histolab_lib.audit.rules import bounds

pytestmark = pytest.mark.browser

SCRIPT = Path(__file__).parents[2] / "book" / "_static" / "calculators.js"
RUN = (
    "const {{ printed, readings }} = require({script});"
    "const pairs = JSON.parse(require('fs').readFileSync(0, 'utf8'));"
    "console.log(JSON.stringify(pairs.map(([d, j, n]) => readings(printed(d), printed(j), n).map((one) => one[1]))));"
)


def _interval(text):
    half = Fraction(1, 2 * 10 ** len(text.partition(".")[2]))
    value = Fraction(text)
    return Interval(max(Fraction(0), value - half), min(Fraction(1), value + half))


def _expected(dice, iou, images):
    dice, iou = _interval(dice), _interval(iou)
    regions = (bounds.jaccard_pooled(dice), bounds.jaccard(dice, images), bounds.jaccard(dice))
    return ["possible" if iou.meets(region) else "impossible" for region in regions]


def test_the_script_reads_printed_pairs_as_the_library_does():
    node = shutil.which("node")
    if node is None:
        pytest.fail("node is not installed") if os.environ.get("CI") else pytest.skip("node is not installed")
    rng = np.random.default_rng(0)
    pairs = [
        (f"{d:.{places}f}", f"{np.clip(d / (2 - d) + gap, 0, 1):.{places}f}", int(n))
        for d, gap, places, n in zip(
            rng.uniform(0, 1, 3000),
            rng.uniform(-0.01, 0.2, 3000),
            rng.integers(1, 5, 3000),
            rng.integers(1, 31, 3000),
            strict=True,
        )
    ]
    command = [node, "-e", RUN.format(script=json.dumps(str(SCRIPT)))]
    done = subprocess.run(command, input=json.dumps(pairs), capture_output=True, text=True, timeout=60, check=True)
    found = [said[:3] for said in json.loads(done.stdout)]
    assert found == [_expected(*pair) for pair in pairs]
    assert {tuple(said) for said in found} >= {("impossible",) * 3, ("possible",) * 3}
