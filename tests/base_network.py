"""What every network of the book must do, whichever it is: checks that the tests of each call."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from histolab_lib.losses import Targets
from histolab_lib.outputs import Output, mask_logits

# What rounding may change, as a share of the largest value, and how like themselves maps must stay in bfloat16: a
# network of random weights turns rounding into noise the more convolutions there are in a row; HARU-Net has 112.
ROUNDING, LIKENESS = {"HaruNet": 1e-3}, {"HaruNet": 0.5}

LOGITS = Path(__file__).with_name("logits.json")


def images(n=2, height_px=64, width_px=64, seed=0):
    """RGB in 0..1 with coarse and fine structure, as tissue has; float32 (n, 3, H, W)."""
    generator = torch.Generator().manual_seed(seed)
    layers = [torch.rand(n, 3, height_px // px + 1, width_px // px + 1, generator=generator) for px in (16, 4, 1)]
    size = (height_px, width_px)
    return sum(nn.functional.interpolate(one, size, mode="bilinear", align_corners=True) for one in layers) / 3


def side_of(network):
    """Twice the stride, so that the coarsest map has a few pixels; 64 where images of any size will do."""
    return 64 if network.stride_px == 1 else 2 * network.stride_px


def maps(output):
    """All maps that a network gives, the mask first."""
    return [mask_logits(output), *(output.extra.values() if isinstance(output, Output) else [])]


def run(network, batch):
    with torch.inference_mode():
        return maps(network.eval()(batch))


def _norms(network):
    return [part for part in network.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]


def awake(network):
    """The network with 1 in place of scales that start at 0 (of residual branches): no gradient comes past a 0."""
    for part in _norms(network):
        if not part.weight.any():
            nn.init.ones_(part.weight)
    return network


def settled(network):
    """The network with the statistics of some images: with those of a new one its maps are nearly constant."""
    for part in _norms(awake(network)):
        part.momentum = 1.0  # the running statistics are those of the last batch
    size = side_of(network)
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)  # for dropout
        network.train()(images(4, size, size, seed=2))
    return network.eval()


def check_forward(network):
    """The mask is as large as the image at any size that the stride divides, and the images are left as they were."""
    stride = network.stride_px if network.stride_px > 1 else 23
    for rows, cols in ((2, 2), (3, 2), (2, 5)):
        given = images(2, rows * stride, cols * stride)
        kept = given.clone()
        mask, *extra = run(network, given)
        assert mask.shape == (2, 1, rows * stride, cols * stride)
        assert all(one.ndim == 4 and len(one) == 2 for one in extra)
        assert all(one.dtype == torch.float32 and one.isfinite().all() for one in (mask, *extra))
        assert torch.equal(given, kept)


def check_stride_error(network):
    """A side that the stride does not divide is an error that names the size to pad to; so is 8-bit input."""
    stride = network.stride_px
    if stride > 1:
        low, high = 2 * stride - 1, 2 * stride
        message = f"images are {low}x{high} pixels, .* sides that {stride} divides; pad them to {high}x{high}"
        with pytest.raises(ValueError, match=message):
            network(torch.rand(1, 3, low, high))
    with pytest.raises(ValueError, match="images must be float in"):
        network(torch.zeros(1, 3, stride, stride, dtype=torch.uint8))
    with pytest.raises(ValueError, match=r"images must have the shape \(N, 3, H, W\), got \(1, 4,"):
        network(torch.zeros(1, 4, stride, stride))


def check_gradients(network, size_px=128):
    """In training every parameter that is to be learned gets a gradient, finite and not all 0."""
    awake(network).train()
    network.zero_grad()
    loss = sum(one.square().mean() + one.mean() for one in maps(network(images(4, size_px, size_px))))
    loss.backward()
    learned = [(name, p) for name, p in network.named_parameters() if p.requires_grad]
    assert learned
    assert [name for name, p in learned if p.grad is None or not p.grad.isfinite().all() or not p.grad.any()] == []


def check_evaluation(network):
    """In evaluation a second run gives the same bits, and a sample's logits do not depend on its neighbours."""
    settled(network)
    size = side_of(network)
    batch = images(3, size, size)
    first, again, alone = run(network, batch), run(network, batch), run(network, batch[1:2])
    for whole, second, one in zip(first, again, alone, strict=True):
        assert torch.equal(whole, second)
        _assert_close(one, whole[1:2], ROUNDING.get(type(network).__name__, 1e-4))


def check_channels_last(network):
    settled(network)
    size = side_of(network)
    batch = images(2, size, size)
    plain = run(network, batch)
    network.to(memory_format=torch.channels_last)
    for one, other in zip(plain, run(network, batch.to(memory_format=torch.channels_last)), strict=True):
        _assert_close(other, one, ROUNDING.get(type(network).__name__, 1e-4))


def check_bfloat16(network):
    """Under bf16 autocast the maps are recognisably the same, and gradients finite.

    Recognisably: a network of random weights that is 50 layers deep turns rounding into a third of its spread.
    """
    settled(network)
    size = side_of(network)
    batch = images(2, size, size)
    plain = run(network, batch)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = run(network, batch)
        loss = sum(one.float().square().mean() for one in maps(network.train()(batch)))
    loss.backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in network.parameters())
    for one, other in zip(plain, rough, strict=True):
        assert not torch.equal(one, other.float())
        assert torch.corrcoef(torch.stack([one.flatten(), other.float().flatten()]))[0, 1] > LIKENESS.get(
            type(network).__name__, 0.8
        )


def check_stored_logits(network, key):
    """The logits of a seeded network are those that were stored: a change of numbers does not go unnoticed."""
    stored = json.loads(LOGITS.read_text(encoding="utf-8"))
    assert key in stored, f"add to {LOGITS.name}: {json.dumps({key: probe(network)})}"
    np.testing.assert_allclose(probe(network), stored[key], rtol=1e-3, atol=1e-3)


def probe(network):
    """Mean, standard deviation and six values of each map of a seeded image, rounded."""
    settled(network)
    size = side_of(network)
    numbers = []
    for one in run(network, images(1, size, size, seed=1)):
        flat = one.flatten()
        picked = flat[torch.linspace(0, len(flat) - 1, 6).long()]
        numbers += [round(float(value), 5) for value in (flat.mean(), flat.std(), *picked)]
    return numbers


def check_compile(network, backend):
    """`torch.compile` gives the same logits, with no break of the graph."""
    settled(network)
    size = side_of(network)
    batch = images(2, size, size)
    plain = run(network, batch)
    torch.compiler.reset()
    compiled = torch.compile(network, fullgraph=True, backend=backend)
    with torch.inference_mode():
        for one, other in zip(plain, maps(compiled(batch)), strict=True):
            _assert_close(other, one, 1e-3)


def check_onnx(network, path):
    """The network as an ONNX file, run by onnxruntime, gives the same logits."""
    import onnxruntime

    settled(network)
    size = side_of(network)
    batch = images(1, size, size)
    plain = run(network, batch)
    torch.onnx.export(network, (batch,), path, dynamo=True, verbose=False)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    given = session.run(None, {session.get_inputs()[0].name: batch.numpy()})
    for one, other in zip(plain, given, strict=True):
        _assert_close(torch.from_numpy(other), one, 1e-3)


def four_patches():
    """Four patches of 64 px, each with discs of radius 8 to 11 px, darker than what is around them."""
    rng = np.random.default_rng(0)
    row, col = np.ogrid[:64, :64]
    ids = np.zeros((4, 64, 64), np.int32)
    for patch in ids:
        for number, (y, x) in enumerate(((16, 16), (16, 46), (46, 18), (47, 47)), 1):
            radius = rng.integers(8, 12)
            patch[(row - y) ** 2 + (col - x) ** 2 <= radius**2] = number
    grey = np.where(ids > 0, 0.35, 0.75) + rng.normal(0, 0.08, ids.shape)
    images = np.repeat(grey[:, None], 3, axis=1).clip(0, 1).astype(np.float32)
    return torch.from_numpy(images).contiguous(memory_format=torch.channels_last), torch.from_numpy(ids)


def learned_by_heart(network, loss, steps=60):
    """Dice of the mask on `four_patches` after so many steps on them."""
    given, ids = four_patches()
    network = network.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3)
    truth = Targets.of(ids)
    for _ in range(steps):
        optimiser.zero_grad()
        loss(network(given), truth).backward()
        optimiser.step()
    for part in _norms(network):
        part.momentum = 1.0  # running statistics lag behind weights that move so fast: those of the last weights
    with torch.inference_mode():
        network(given)
        found = mask_logits(network.eval()(given)) > 0
    return float(2 * (found & (truth.mask > 0)).sum() / (found.sum() + truth.mask.sum()))


def _assert_close(found, expected, tolerance):
    """Within `tolerance` of the largest value."""
    torch.testing.assert_close(found, expected, rtol=0, atol=tolerance * max(1e-6, float(expected.abs().max())))
