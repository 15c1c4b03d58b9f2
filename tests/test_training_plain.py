import re
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import nn

from histolab_lib.baselines import small_unet
from histolab_lib.inference import predict
from histolab_lib.tile import Tile
from histolab_lib.training import History, TrainingError, mean_dice, train

pytestmark = pytest.mark.thorough


def _blobs(seed: int, size_px: int = 96) -> Tile:
    """Dark violet disks on pink, with noise."""
    rng = np.random.default_rng(seed)
    rows, cols = np.mgrid[:size_px, :size_px]
    instances = np.zeros((size_px, size_px), np.int32)
    for i in range(1, 13):
        row, col = rng.uniform(0, size_px, 2)
        instances[(rows - row) ** 2 + (cols - col) ** 2 < rng.uniform(4, 9) ** 2] = i
    noise = rng.normal(0, 12, (size_px, size_px, 3))
    image = np.where(instances[..., None] > 0, [110, 70, 150], [225, 170, 200]) + noise
    return Tile(f"blobs{seed}", image.clip(0, 255).astype(np.uint8), instances)


def _fit(network: nn.Module, **changes: object) -> History:
    options = {"tiles": [_blobs(0), _blobs(1)], "steps": 4, "batch_size": 2, "crop_px": 32, "seed": 0, **changes}
    return train(network, options.pop("tiles"), **options)


@pytest.fixture
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_a_small_network_learns_blobs_and_the_loss_falls(one_thread: None):
    network, held_out = small_unet(width=4, levels=3), [_blobs(7), _blobs(8)]
    before = mean_dice(network, held_out)
    history = _fit(network, steps=60, batch_size=4, lr=1e-2, validate=held_out, validate_every=25)
    assert history.steps == 60
    assert np.mean(history.losses[-10:]) < 0.7 * np.mean(history.losses[:10])
    assert list(history.validation) == [25, 50, 60]
    assert history.validation[60] == mean_dice(network, held_out)
    assert history.validation[60] > max(0.9, before + 0.2)
    assert history.seconds > 0
    assert not network.training


def test_the_same_seed_gives_the_same_weights_to_the_last_bit(one_thread: None):
    runs = []
    for seed in (3, 3, 4):
        torch.rand(1)  # what was drawn before must not matter
        network = nn.Sequential(small_unet(width=4, levels=2), nn.Dropout(0.1))
        runs.append((_fit(network, seed=seed), network.state_dict()))
    (history, weights), (history_again, weights_again), (other, _) = runs
    assert history == history_again
    assert history != other
    assert all(torch.equal(weights[name], weights_again[name]) for name in weights)


def test_validation_changes_nothing_and_the_global_random_state_is_left_alone(one_thread: None):
    torch_state, numpy_state = torch.random.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002 - on purpose
    watched, alone = small_unet(width=4, levels=2), small_unet(width=4, levels=2)
    _fit(watched, validate=[_blobs(5)], validate_every=1)
    _fit(alone)
    assert all(torch.equal(watched.state_dict()[name], value) for name, value in alone.state_dict().items())
    assert torch.equal(torch.random.get_rng_state(), torch_state)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002


def test_the_learning_rate_falls_along_half_a_cosine_and_weights_decay(monkeypatch: pytest.MonkeyPatch):
    seen = []

    class Spy(torch.optim.AdamW):
        def step(self, closure: None = None) -> None:
            group = self.param_groups[0]
            seen.append((group["lr"], group["weight_decay"]))
            super().step(closure)

    monkeypatch.setattr(torch.optim, "AdamW", Spy)
    _fit(small_unet(width=2, levels=1), steps=8, lr=0.01, weight_decay=0.03)
    expected = [0.01 * (1 + np.cos(np.pi * k / 8)) / 2 for k in range(8)]
    np.testing.assert_allclose([lr for lr, _ in seen], expected, atol=1e-12)
    assert {decay for _, decay in seen} == {0.03}


def test_a_lazy_sequence_is_read_once():
    class Lazy:
        reads = 0

        def __len__(self) -> int:
            return 2

        def __getitem__(self, index: int) -> Tile:
            if index >= 2:
                raise IndexError
            Lazy.reads += 1
            return _blobs(index)

    _fit(small_unet(width=2, levels=1), tiles=Lazy())
    assert Lazy.reads == 2


def test_mean_dice_is_the_mean_over_tiles_of_the_literal_score():
    network, tiles = small_unet(width=4, levels=2), [_blobs(1), _blobs(2, 50)]
    scores = []
    for tile in tiles:
        mask = predict(network, tile.image) > 0.48
        both = sum(bool(a) and bool(b) for a, b in zip(mask.ravel(), tile.mask.ravel(), strict=True))
        scores.append(2 * both / (mask.sum() + tile.mask.sum()))
    assert mean_dice(network, tiles, threshold=0.48) == pytest.approx(np.mean(scores), abs=1e-12)


def test_the_history_as_a_table_has_one_row_per_step():
    frame = History(losses=[3.0, 2.0, 1.0], lrs=[0.3, 0.2, 0.1], scores={2: {"dice": 0.5}}, seconds=9.0).frame()
    assert frame.columns.tolist() == ["step", "loss", "lr", "validation_dice"]
    assert frame["step"].tolist() == [1, 2, 3]
    assert frame["loss"].tolist() == [3.0, 2.0, 1.0]
    assert frame["lr"].tolist() == [0.3, 0.2, 0.1]
    np.testing.assert_array_equal(frame["validation_dice"], [np.nan, 0.5, np.nan])


def test_the_history_shows_no_seconds():
    assert "seconds" not in repr(History(losses=[1.0], seconds=3.0))


def test_nothing_is_printed_where_the_output_is_no_terminal(capfd: pytest.CaptureFixture[str]):
    _fit(small_unet(width=2, levels=1))
    assert capfd.readouterr() == ("", "")


def test_a_progress_bar_goes_to_the_standard_output(capfd: pytest.CaptureFixture[str]):
    _fit(small_unet(width=2, levels=1), progress=True)
    out, err = capfd.readouterr()
    assert "training" in out
    assert err == ""


def test_a_loss_that_is_not_a_number_stops_with_the_step_and_the_batch():
    class Breaks(nn.Module):
        stride_px = 1

        def __init__(self) -> None:
            super().__init__()
            self.conv, self.calls = nn.Conv2d(3, 1, 1), 0

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            return self.conv(images) * (float("nan") if self.calls == 3 else 1)

    with pytest.raises(TrainingError, match=r"the loss became nan at step 3; a lower lr may help") as caught:
        _fit(Breaks())
    assert len(re.findall(r"blobs[01] at row \d+, column \d+", str(caught.value))) == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"validate_every": 0}, "validate_every must be at least 1, got 0"),
        ({"tiles": []}, "found no tiles to cut crops from"),
        ({"crop_px": 128}, "tile blobs0 is 96x96 pixels, smaller than the crop of 128x128"),
        ({"crop_px": 36}, "images are 36x36 pixels, .* sides that 8 divides; pad them to 40x40"),
        ({"device": "abacus"}, "unknown device 'abacus': this machine has cpu"),
        ({"device": "xpu"}, "unknown device 'xpu': this machine has cpu"),
    ],
)
def test_what_cannot_be_trained_is_told_before_the_first_step(changes: dict[str, object], message: str):
    network = small_unet(width=2)
    before = network.head.weight.clone()
    with pytest.raises(ValueError, match=message):
        _fit(network, **changes)
    assert torch.equal(network.head.weight, before)
