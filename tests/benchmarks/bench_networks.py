"""Training step and inference of each network, plain and by faster settings, as ``tests.measure_speed`` has them.

HISTOLAB_BENCH names some builds, as ``unet,unet/mobilenetv2``; default: those of ``data/facts/speed.json``. With
HISTOLAB_BENCH_COMPILE=1 the fastest setting goes through ``torch.compile`` as well.
"""

import os

import pytest

from histolab_lib.bookbuild.speeds import KINDS, PLAIN
from tests.measure_speed import chosen, measured

CHOSEN = chosen([name for name in os.environ.get("HISTOLAB_BENCH", "").split(",") if name])


@pytest.mark.parametrize("build", CHOSEN)
def test_a_faster_setting_is_found_or_the_plain_one_stated(table, build):
    settings = measured(build, compiled=bool(os.environ.get("HISTOLAB_BENCH_COMPILE")))["settings"]
    for kind in KINDS:
        row = {setting: told[kind] for setting, told in settings.items()}
        table(f"{build}, {kind}, images/s", row | {"best/plain": max(row.values()) / row[PLAIN]})
        assert row["channels_last"] > 0.5 * row[PLAIN]
    table(f"{build}, training, peak MiB", {setting: told["peak_mib"] for setting, told in settings.items()})
