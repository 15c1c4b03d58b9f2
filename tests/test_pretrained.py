import json
from pathlib import Path

import numpy as np
import pytest
import torch

from histolab_lib import papers
from histolab_lib.data_dir import DataError
from histolab_lib.datasets import load as load_set
from histolab_lib.inference import predict
from histolab_lib.pretrained import export, load_checkpoint, read
from histolab_lib.recipe import Recipe
from histolab_lib.training import Data, Schedule, fit

pytestmark = pytest.mark.thorough

RECIPE = papers.recipe("small_unet").vary("narrow", "ours: a test", network={"width": 4, "levels": 2})


def _network(recipe: Recipe = RECIPE) -> torch.nn.Module:
    return papers.build_for(recipe, seed=3).eval()


def _image() -> np.ndarray:
    return np.random.default_rng(0).integers(256, size=(32, 48, 3), dtype=np.uint8)


# ---- two files


def test_a_network_comes_back_with_its_weights_and_its_recipe(tmp_path):
    network = _network()
    config = export(network, RECIPE, tmp_path / "mine.safetensors", about={"licence": "CC0"})
    assert config == tmp_path / "mine.json"
    for path in (config, tmp_path / "mine.safetensors"):
        found = read(path)
        assert (found.name, found.recipe, found.about) == ("mine", RECIPE, {"licence": "CC0"})
        assert found.recipe.sources == RECIPE.sources
        assert not found.network.training
        np.testing.assert_array_equal(predict(found.network, _image()), predict(network, _image()))


def test_half_precision_halves_the_file_and_hardly_changes_the_prediction(tmp_path):
    recipe = papers.recipe("small_unet")
    network = _network(recipe)
    for name, half in (("whole", False), ("half", True)):
        export(network, recipe, tmp_path / f"{name}.safetensors", half=half)
    whole, half = ((tmp_path / f"{name}.safetensors").stat().st_size for name in ("whole", "half"))
    assert 0.5 < half / whole < 0.52
    found = read(tmp_path / "half.json").network
    assert all(p.dtype == torch.float32 for p in found.parameters())
    difference = np.abs(predict(found, _image()) - predict(network, _image())).max()
    assert 0 < difference < 1e-3


def test_statistics_of_batch_norm_are_not_rounded(tmp_path):
    network = _network()
    network.down[0][1].running_mean += 1e-4 / 3
    export(network, RECIPE, tmp_path / "x.safetensors", half=True)
    kept = read(tmp_path / "x.json").network.down[0][1].running_mean
    assert torch.equal(kept, network.down[0][1].running_mean)


def test_a_changed_byte_is_noticed(tmp_path):
    path = tmp_path / "x.safetensors"
    export(_network(), RECIPE, path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"x\.safetensors: .* whose SHA-256 is not the one that was noted; take both"):
        read(path)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "x.json").unlink(), r"x\.json: No such file or directory; a network is two files"),
        (lambda folder: (folder / "x.safetensors").unlink(), r"x\.safetensors: cannot be read"),
        (lambda folder: (folder / "x.json").write_text("{"), r"x\.json: no JSON"),
        (lambda folder: (folder / "x.json").write_text("{}"), r"x\.json: no trained network of layout 1"),
        (lambda folder: _change(folder, lambda facts: facts["recipe"].pop("lr")), "a recipe needs lr"),
        (
            lambda folder: _change(folder, lambda facts: facts["recipe"]["network"].update(width=8)),
            "these weights do not fit small_unet as its recipe builds it .size mismatch",
        ),
        (lambda folder: _change(folder, lambda facts: facts["recipe"].update(key="unett")), "unknown network 'unett'"),
    ],
)
def test_files_that_are_missing_or_do_not_fit_are_errors(tmp_path, spoil, message):
    export(_network(), RECIPE, tmp_path / "x.safetensors")
    spoil(tmp_path)
    with pytest.raises(DataError, match=message):
        read(tmp_path / "x.safetensors")


def _change(folder: Path, change) -> None:
    facts = json.loads((folder / "x.json").read_text())
    change(facts)
    (folder / "x.json").write_text(json.dumps(facts))


def test_the_name_of_the_file_must_tell_what_it_is(tmp_path):
    with pytest.raises(ValueError, match=r"x\.pt: the name of a file of tensors ends in \.safetensors"):
        export(_network(), RECIPE, tmp_path / "x.pt")


# ---- what a run leaves


SHORT = Schedule(name="short", crops=4, crop_px=32, batch_size=2, validations=2, threads=1)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "mine"
    recipe = papers.recipe("small_unet")
    tiles = load_set("synthetic", "train", n=1, size=96)
    return folder, fit(recipe, Data(tiles), SHORT, 0, folder=folder, device="cpu", progress=False)


def test_the_folder_of_a_run_gives_the_network_that_fit_gave(run):
    folder, fitted = run
    for place in (folder, folder / "checkpoints"):
        found = load_checkpoint(place)
        assert (found.name, found.recipe) == ("mine", fitted.recipe)
        np.testing.assert_array_equal(predict(found.network, _image()), predict(fitted.network, _image()))


def test_of_a_run_that_selects_the_best_weights_are_taken(tmp_path, monkeypatch):
    best = papers.recipe("small_unet").vary("best", "ours: a test", selection="best_validation")
    monkeypatch.setattr(papers, "recipe", lambda key, reading, variant: best)
    tiles = load_set("synthetic", "val", n=1, size=96)
    fitted = fit(
        best, Data(load_set("synthetic", "train", n=1, size=96), tiles), SHORT, 0, folder=tmp_path, device="cpu"
    )
    found = load_checkpoint(tmp_path)
    np.testing.assert_array_equal(predict(found.network, _image()), predict(fitted.network, _image()))


def test_a_run_by_another_recipe_of_the_same_name_is_an_error(run, monkeypatch):
    folder, fitted = run
    other = fitted.recipe.vary("base", "ours: a test", lr=0.5)
    monkeypatch.setattr(papers, "recipe", lambda key, reading, variant: other)
    with pytest.raises(DataError, match=r"trained by an older recipe small_unet/.*; use the version of the library"):
        load_checkpoint(folder)


def test_what_is_no_checkpoint_is_an_error_that_says_what_to_name(run, tmp_path):
    folder, _ = run
    with pytest.raises(DataError, match="no such file or folder; name a"):
        load_checkpoint(tmp_path / "none.safetensors")
    with pytest.raises(DataError, match=r"holds no checkpoint \(step-\*\.json\) of a run"):
        load_checkpoint(tmp_path)
    (tmp_path / "model.pth").touch()
    with pytest.raises(DataError, match=r"got \.pth; pickled files .* are not read, because they can run any code"):
        load_checkpoint(tmp_path / "model.pth")
    inside = next((folder / "checkpoints").glob("*.json"))
    with pytest.raises(DataError, match="a checkpoint belongs to its run; name the folder"):
        load_checkpoint(inside)
