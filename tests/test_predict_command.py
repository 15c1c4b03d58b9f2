"""``histolab predict``, as typed."""

import csv
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from histolab_lib import cli, papers, predict_commands
from histolab_lib.datasets import load
from histolab_lib.datasets.files import read_labels, read_rgb
from histolab_lib.inference import nuclei_table, segment
from histolab_lib.pretrained import export
from tests.books import ROOT

pytestmark = pytest.mark.thorough


@pytest.fixture
def histolab(monkeypatch):
    """Run a command line without network; its answer has `exit_code`, `stdout` and `stderr`."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("the network was asked"))

    def run(*arguments):
        answer = CliRunner().invoke(cli.app, ["predict", *map(str, arguments)])
        assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
        return answer

    return run


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A network of random weights, small enough to be quick, which calls dark pixels nuclei."""
    recipe = papers.recipe("small_unet").vary("tiny", "ours: a test", network={"width": 2, "levels": 2})
    network = papers.build_for(recipe, seed=0)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    export(network, recipe, path)
    return path, network, recipe


@pytest.fixture(scope="module")
def tile():
    return load("synthetic", "test", n=1, size=96)[0]


def _table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("ending", ["png", "tif", "jpg"])
def test_labels_overlay_and_table_of_an_image(histolab, tmp_path, checkpoint, tile, ending, monkeypatch):
    path = checkpoint[0]
    image = tmp_path / f"my.tile.{ending}"
    Image.fromarray(tile.image).save(image)
    instances = tile.instances
    monkeypatch.setattr(predict_commands, "_segment", lambda trained, pixels, **_: instances)
    answer = histolab(image, "--out", tmp_path / "a" / "b", "--checkpoint", path, "--um-per-px", "0.25")
    assert (answer.exit_code, answer.stderr) == (0, "")
    out = tmp_path / "a" / "b"
    first, *rest = answer.stdout.splitlines()
    assert re.fullmatch(
        rf"my\.tile\.{ending}: {tile.instances.max()} nuclei on 96 x 96 px, [\d.]+% of it, in [\d.]+ s \(tiny\)", first
    )
    assert [line.strip() for line in rest] == [
        str(out / f"my.tile_{name}") for name in ("labels.tif", "overlay.png", "nuclei.csv")
    ]
    np.testing.assert_array_equal(read_labels(out / "my.tile_labels.tif"), instances)
    overlay, pixels = read_rgb(out / "my.tile_overlay.png"), read_rgb(image)
    changed = (overlay != pixels).any(axis=2)
    assert changed.any()
    assert (instances[changed] > 0).all()  # outlines lie inside
    rows, again = _table(out / "my.tile_nuclei.csv"), nuclei_table(pixels, instances, um_per_px=0.25)
    assert list(rows[0]) == ["id", "row_px", "column_px", "area_px", "area_um2", "eccentricity", "hematoxylin_od"]
    for row, known in zip(rows, again, strict=True):
        assert {name: float(value) for name, value in row.items()} == pytest.approx(known, abs=6e-4)


def test_the_network_of_the_checkpoint_is_used_by_its_recipe(histolab, tmp_path, checkpoint, tile):
    path, network, recipe = checkpoint
    image = tmp_path / "x.png"
    Image.fromarray(tile.image).save(image)
    for options, symmetries in (([], False), (["--symmetries"], True)):
        assert histolab(image, "--out", tmp_path, "--checkpoint", path, *options).exit_code == 0
        found = read_labels(tmp_path / "x_labels.tif")
        np.testing.assert_array_equal(found, segment(network, tile.image, recipe, symmetries=symmetries))


def test_more_nuclei_than_16_bits_can_number_get_32(histolab, tmp_path, checkpoint, monkeypatch):
    image = tmp_path / "x.png"
    Image.fromarray(np.full((300, 300, 3), 200, np.uint8)).save(image)
    many = np.zeros((300, 300), np.int32)
    many[0, :3] = [1, 65_535, 65_536]
    monkeypatch.setattr(predict_commands, "_segment", lambda trained, pixels, **_: many)
    assert histolab(image, "--out", tmp_path, "--checkpoint", checkpoint[0]).exit_code == 0
    np.testing.assert_array_equal(read_labels(tmp_path / "x_labels.tif"), many)


def test_an_image_without_nuclei_gives_empty_labels_and_a_table_of_no_rows(histolab, tmp_path, checkpoint, monkeypatch):
    image = tmp_path / "x.png"
    Image.fromarray(np.full((9, 7, 3), 255, np.uint8)).save(image)
    monkeypatch.setattr(predict_commands, "_segment", lambda trained, pixels, **_: np.zeros((9, 7), np.int32))
    answer = histolab(image, "--out", tmp_path, "--checkpoint", checkpoint[0])
    assert "x.png: 0 nuclei on 7 x 9 px, 0.0% of it" in answer.stdout
    assert not read_labels(tmp_path / "x_labels.tif").any()
    assert _table(tmp_path / "x_nuclei.csv") == []


def test_a_scale_that_the_network_never_saw_is_told(histolab, tmp_path, checkpoint, tile):
    image = tmp_path / "x.png"
    Image.fromarray(tile.image).save(image)
    arguments = (image, "--out", tmp_path, "--checkpoint", checkpoint[0], "--um-per-px")
    assert "note: the shipped network was trained at 0.25 um per pixel; at 0.5" in histolab(*arguments, "0.5").stdout
    assert "note" not in histolab(*arguments, "0.25").stdout


# ---- what cannot be done


def _fails(answer, message):
    assert answer.exit_code == 1
    assert answer.stderr.startswith("error: ")
    assert answer.stderr.count("\n") == 1
    assert re.search(message, answer.stderr), answer.stderr


def test_what_is_no_rgb_image_is_told_in_one_line(histolab, tmp_path):
    def made(name, pixels):
        path = tmp_path / name
        Image.fromarray(pixels).save(path)
        return path

    text = tmp_path / "text.png"
    text.write_text("no image")
    faint = np.zeros((8, 8, 4), np.uint8)
    _fails(histolab(tmp_path / "none.png"), "none.png: no such file")
    _fails(histolab(tmp_path), "is a folder; name an image")
    _fails(histolab(text), "text.png: damaged or not an image")
    _fails(histolab(made("grey.png", np.zeros((8, 8), np.uint8))), "grey.png: expected an RGB image .*, got mode L")
    _fails(histolab(made("deep.tif", np.zeros((8, 8), np.uint16))), "deep.tif: expected an RGB image .*, got mode I;16")
    _fails(histolab(made("faint.png", faint)), "faint.png: expected an opaque RGB image, got RGBA")


def test_a_folder_that_cannot_be_written_is_told_before_anything_is_computed(histolab, tmp_path, monkeypatch, tile):
    image, file = tmp_path / "x.png", tmp_path / "file"
    Image.fromarray(tile.image).save(image)
    file.touch()
    monkeypatch.setattr(predict_commands, "_network", lambda checkpoint: pytest.fail("too late"))
    _fails(histolab(image, "--out", file), r"File exists: .*file")
    _fails(histolab(image, "--out", file / "below"), r"Not a directory: .*below")


def test_a_full_disk_leaves_no_probe_and_a_plain_message(histolab, tmp_path, monkeypatch, tile, checkpoint):
    image = tmp_path / "x.png"
    Image.fromarray(tile.image).save(image)

    def full(*_, **__):
        raise OSError(28, "No space left on device", "x_labels.tif")

    monkeypatch.setattr(Image.Image, "save", full)
    _fails(histolab(image, "--out", tmp_path, "--checkpoint", checkpoint[0]), "No space left on device: 'x_labels.tif'")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.png"]


def test_options_and_checkpoints_that_make_no_sense_are_told(histolab, tmp_path, tile, checkpoint):
    image = tmp_path / "x.png"
    Image.fromarray(tile.image).save(image)
    _fails(histolab(image, "--um-per-px", "0"), "--um-per-px must be above 0, got 0.0")
    arguments = (image, "--out", tmp_path, "--checkpoint")
    _fails(histolab(*arguments, tmp_path / "none.safetensors"), "no such file or folder")
    _fails(histolab(*arguments, checkpoint[0], "--device", "tpu"), "unknown device 'tpu': this machine has cpu")


def test_without_safetensors_the_extra_to_install_is_told(histolab, tmp_path, monkeypatch, checkpoint, tile):
    image = tmp_path / "x.png"
    Image.fromarray(tile.image).save(image)
    monkeypatch.setitem(__import__("sys").modules, "safetensors", None)
    monkeypatch.setitem(__import__("sys").modules, "safetensors.torch", None)
    answer = histolab(image, "--out", tmp_path, "--checkpoint", checkpoint[0])
    _fails(answer, r"safetensors.*; trained networks need: python -m pip install 'histolab-lib\[train\]'")


def test_the_shipped_network_needs_none_of_the_extras(tmp_path, tile):
    image = tmp_path / "x.png"
    Image.fromarray(tile.image).save(image)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extra = {re.split(r"[<>=~!\[ ]", one)[0] for extras in project["optional-dependencies"].values() for one in extras}
    blocked = sorted({name for name, owners in packages_distributions().items() if extra.intersection(owners)})
    assert {"timm", "lightning_fabric", "tifffile"} <= set(blocked)
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({blocked}));"
        "from histolab_lib.__main__ import main; sys.argv[0] = 'histolab'; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "predict", image, "--out", tmp_path], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "x_labels.tif").is_file()
