"""Training step and inference of each network, plain and by faster settings: images a second and ratios in one run.

Seconds of the processor's time on one thread, so that neighbours on a shared machine count little; two cores come to
nearly twice as much. HISTOLAB_BENCH names some networks, as ``unet,unet/mobilenetv2``; default: all. With
HISTOLAB_BENCH_COMPILE=1 the fastest setting goes through ``torch.compile`` as well, which takes minutes to compile.
"""

import os
from time import process_time

import pytest
import torch
import torch.nn.functional as F

from histolab_lib import papers
from histolab_lib.outputs import mask_logits
from histolab_lib.papers.registry import networks

SIZE_PX, BATCH = 256, 4
BUILDS = [f"{name}/{variant}" for name, entry in networks().items() for variant in entry.rows]
CHOSEN = os.environ.get("HISTOLAB_BENCH", "").split(",") if os.environ.get("HISTOLAB_BENCH") else BUILDS
# memory format, autocast, compiled
SETTINGS = {
    "plain": (torch.contiguous_format, False, False),
    "channels_last": (torch.channels_last, False, False),
    "bf16": (torch.channels_last, True, False),
}
if os.environ.get("HISTOLAB_BENCH_COMPILE"):
    SETTINGS["compiled"] = (torch.channels_last, True, True)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def images_per_s(work):
    work()
    times = []
    for _ in range(2):
        start = process_time()
        work()
        times.append(process_time() - start)
    return BATCH / min(times)


def steps(network, memory_format, half, compiled):
    """A training step and an inference, each without arguments."""
    network = network.to(memory_format=memory_format)
    network = torch.compile(network) if compiled else network
    images = torch.rand(BATCH, 3, SIZE_PX, SIZE_PX).to(memory_format=memory_format)
    masks = (torch.rand(BATCH, 1, SIZE_PX, SIZE_PX) > 0.5).float()
    optimiser = torch.optim.AdamW(network.parameters())

    def train():
        network.train()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            logits = mask_logits(network(images))
        optimiser.zero_grad()
        F.binary_cross_entropy_with_logits(logits.float(), masks).backward()
        optimiser.step()

    def infer():
        network.eval()
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
            network(images)

    return train, infer


@pytest.mark.parametrize("build", CHOSEN)
def test_a_faster_setting_is_found_or_the_plain_one_stated(table, build):
    name, variant = build.split("/") if "/" in build else (build, "base")
    options = networks()[name].rows[variant]
    speeds = {}
    for setting, how in SETTINGS.items():
        torch.manual_seed(0)
        train, infer = steps(papers.build(name, **options), *how)
        speeds[setting] = images_per_s(train), images_per_s(infer)
    for place, what in enumerate(("training", "inference")):
        row = {setting: speeds[setting][place] for setting in SETTINGS}
        table(f"{build}, {what}, images/s", row | {"best/plain": max(row.values()) / row["plain"]})
        assert row["channels_last"] > 0.5 * row["plain"]
