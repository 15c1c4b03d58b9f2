"""Checkpoints: whole or not at all, the newest whole one taken, and nothing that could run code."""

import json
from pathlib import Path

import pytest
import torch

from histolab_lib.training.checkpoints import Checkpoint, CheckpointError, newest, read_tensors, save


def _checkpoint(step, **facts):
    tensors = {"a": torch.full((2, 3), float(step)), "b": torch.tensor(step), "c": torch.tensor([True, False])}
    return Checkpoint(step, tensors, {"note": step / 7, **facts})


def _names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_is_saved_comes_back_to_the_last_bit(tmp_path):
    saved = _checkpoint(7, best=None)
    saved = Checkpoint(
        7, {**saved.tensors, "d": torch.rand(2, 3, 4, 5).to(memory_format=torch.channels_last)}, saved.facts
    )
    save(tmp_path, saved)
    found = newest(tmp_path)
    assert (found.step, found.facts) == (7, saved.facts)
    assert found.tensors.keys() == saved.tensors.keys()
    for name, tensor in saved.tensors.items():
        assert torch.equal(found.tensors[name], tensor)
        assert found.tensors[name].dtype == tensor.dtype


def test_tensors_that_share_memory_are_saved_each(tmp_path):
    whole = torch.arange(6.0)
    save(tmp_path, Checkpoint(1, {"whole": whole, "part": whole[2:4]}, {}))
    assert newest(tmp_path).tensors["part"].tolist() == [2, 3]


def test_the_newest_two_are_kept_with_the_best_weights_that_they_name(tmp_path):
    for step in (1, 2, 3):
        (tmp_path / f"best-{step:08d}.safetensors").write_bytes(b"weights")
        save(tmp_path, _checkpoint(step, best={"file": f"best-{step:08d}.safetensors"}))
    (tmp_path / ".step-00000009.json.1234").write_text("left by a kill")
    (tmp_path / "notes.txt").write_text("the reader's own")
    save(tmp_path, _checkpoint(4, best={"file": "best-00000003.safetensors"}))
    assert _names(tmp_path) == [
        "best-00000003.safetensors",
        "notes.txt",
        *(f"step-0000000{step}.{kind}" for step in (3, 4) for kind in ("json", "safetensors")),
    ]


def test_there_is_none_in_a_folder_that_is_empty_or_not_there(tmp_path):
    assert newest(tmp_path) is None
    assert newest(tmp_path / "nowhere") is None


def _cut_tensors(path: Path):
    tensors = path.with_suffix(".safetensors")
    tensors.write_bytes(tensors.read_bytes()[:-5])


def _flip_a_bit(path: Path):
    tensors = path.with_suffix(".safetensors")
    content = bytearray(tensors.read_bytes())
    content[-3] ^= 4
    tensors.write_bytes(bytes(content))


def _remove_tensors(path: Path):
    path.with_suffix(".safetensors").unlink()


def _cut_json(path: Path):
    path.write_text(path.read_text()[:-9])


def _forget_a_key(path: Path):
    facts = json.loads(path.read_text())
    del facts["sha256"]
    path.write_text(json.dumps(facts))


def _another_layout(path: Path):
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))


DAMAGE = [_cut_tensors, _flip_a_bit, _remove_tensors, _cut_json, _forget_a_key, _another_layout]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_checkpoint_is_recognised_and_the_one_before_taken(tmp_path, damage):
    save(tmp_path, _checkpoint(1))
    damage(save(tmp_path, _checkpoint(2)))
    with pytest.warns(UserWarning, match=r"step-00000002.*; the one before is taken"):
        assert newest(tmp_path).step == 1


def test_if_all_are_damaged_nothing_is_begun_anew_in_silence(tmp_path):
    _cut_json(save(tmp_path, _checkpoint(1)))
    with (
        pytest.warns(UserWarning, match="the one before"),
        pytest.raises(CheckpointError, match="all 1 checkpoints are damaged; remove the folder to begin the run anew"),
    ):
        newest(tmp_path)


@pytest.mark.parametrize("at", [1, 2])
def test_a_kill_or_a_full_disk_while_saving_leaves_the_one_before(tmp_path, monkeypatch, at):
    save(tmp_path, _checkpoint(1))
    before, moves = _names(tmp_path), []
    replace = Path.replace

    def fails(self, target):
        moves.append(target)
        if len(moves) == at:  # 1: the tensors are not in place; 2: they are, and the JSON is not
            raise OSError(28, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(OSError, match="No space left on device"):
        save(tmp_path, _checkpoint(2))
    monkeypatch.undo()
    assert newest(tmp_path).step == 1
    assert set(_names(tmp_path)) - set(before) == ({"step-00000002.safetensors"} if at == 2 else set())
    save(tmp_path, _checkpoint(3))
    assert "step-00000002.safetensors" not in _names(tmp_path)


def test_a_file_of_tensors_that_is_none_is_named(tmp_path):
    path = tmp_path / "weights.safetensors"
    with pytest.raises(CheckpointError, match=r"weights.safetensors: cannot be read \(No such file"):
        read_tensors(path)
    path.write_bytes(b"no tensors")
    with pytest.raises(CheckpointError, match=r"weights.safetensors: no safetensors file"):
        read_tensors(path)
    with pytest.raises(CheckpointError, match=r"10 bytes whose SHA-256 is not the one that was noted"):
        read_tensors(path, "00")
