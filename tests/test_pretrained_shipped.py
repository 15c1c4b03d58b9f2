"""The network that is committed: its files, its card, its records, and what it does."""

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from histolab_lib import cli
from histolab_lib.datasets import load as load_set
from histolab_lib.datasets import tnbc
from histolab_lib.datasets.files import read_labels
from histolab_lib.pretrained import SHIPPED, load, making, names, weights_dir
from histolab_lib.record import load_record
from histolab_lib.scoring import check_numbers

RECORDS = sorted((weights_dir() / SHIPPED).glob("*/*.json"))


def _facts() -> dict:
    return json.loads((weights_dir() / f"{SHIPPED}.json").read_text(encoding="utf-8"))


def test_the_file_has_the_hash_and_the_parameters_that_are_told_and_is_about_a_megabyte():
    assert names() == [SHIPPED]
    path, facts = weights_dir() / f"{SHIPPED}.safetensors", _facts()
    assert hashlib.sha256(path.read_bytes()).hexdigest() == facts["sha256"]
    assert 0.9e6 < path.stat().st_size < 1.1e6
    found = load()
    assert sum(p.numel() for p in found.network.parameters()) == facts["parameters"] == 482_737
    assert found.recipe == making.recipe()


def test_an_unknown_name_is_an_error_that_tells_those_there_are():
    with pytest.raises(ValueError, match=f"unknown shipped network 'unet'.* Allowed: '{SHIPPED}'"):
        load("unet")


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_a_record_s_scores_follow_from_its_counts(path: Path):
    check_numbers(load_record(path))


def test_the_shipped_weights_were_trained_on_all_of_tnbc_and_scored_on_all_test_tiles_of_monuseg():
    record = load_record(weights_dir() / SHIPPED / "monuseg" / "base-clean-shipped-seed0.json")
    every = {name for split in tnbc.SPLITS for name in tnbc.names(split)}
    assert set(record.fit_on) > every
    assert len(record.fit_on) == 100
    assert len(record.images["test"]) == 14
    assert record.recipe_hash == load().recipe.digest()


def test_each_fold_was_trained_without_the_patients_that_it_is_scored_on():
    for path in RECORDS:
        if path.parent.name == "tnbc":
            record = load_record(path)
            patients = set(making.PATIENTS[record.variant])
            assert {row["name"][:2] for row in record.images["test"]} == patients
            assert not [name for name in record.fit_on if name[:2] in patients]
            assert record.recipe_hash == load().recipe.digest()


def test_the_card_tells_hash_licence_and_every_score_that_was_recorded():
    card, facts = (weights_dir() / "README.md").read_text(encoding="utf-8"), _facts()
    for word in (SHIPPED, facts["sha256"], facts["about"]["licence"], "Naylor"):
        assert word in card
    for path in RECORDS:
        (line,) = [line for line in card.splitlines() if f"`{path.relative_to(weights_dir()).as_posix()}`" in line]
        printed = [float(number) for number in re.findall(r"\b0\.\d{3}\b", line)]
        summary = load_record(path).summary["test"]
        kept = [summary[metric][field] for metric in ("dice", "aji", "pq") for field in ("mean", "low", "high")]
        assert printed == [round(number, 3) for number in kept]


def test_the_shipped_network_finds_the_nuclei_of_synthetic_tissue(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("the network was asked"))
    tile = load_set("synthetic", "test", n=1, size=256)[0]
    Image.fromarray(tile.image).save(tmp_path / "tissue.png")
    answer = CliRunner().invoke(cli.app, ["predict", str(tmp_path / "tissue.png"), "--out", str(tmp_path)])
    assert answer.exit_code == 0
    assert f"({SHIPPED})" in answer.stdout
    found = read_labels(tmp_path / "tissue_labels.tif")
    assert 2 * np.count_nonzero((found > 0) & tile.mask) / (np.count_nonzero(found) + tile.mask.sum()) > 0.7
    assert 0.5 < found.max() / tile.count < 2


def test_the_networks_that_are_shipped_are_listed_with_licence_and_origin(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    answer = CliRunner().invoke(cli.app, ["weights"])
    assert answer.exit_code == 0
    assert re.match(
        rf"{SHIPPED}: Small U-Net .*, 482,737 parameters, CC BY 4\.0; in order\n  trained on 50 ", answer.stdout
    )


def test_a_part_that_is_none_is_an_error(tmp_path):
    answer = CliRunner().invoke(cli.app, ["weights", "--make", str(tmp_path), "--part", "fold_1"])
    assert answer.exit_code == 1
    assert "unknown part 'fold_1'. Allowed: 'all', 'patients_01_02_09', 'patients_04_06_07_11'" in answer.stderr


@pytest.mark.real
def test_the_recorded_score_of_a_tile_comes_out_again(tissue):
    from histolab_lib.inference import segment
    from histolab_lib.metrics import aji, dice

    record = load_record(weights_dir() / SHIPPED / "monuseg" / "base-clean-shipped-seed0.json")
    row, found, tile = record.images["test"][0], load(), load_set("monuseg", "test")[0]
    instances = segment(found.network, tile.image, found.recipe)
    assert row["name"] == tile.name
    assert dice(tile.mask, instances > 0) == pytest.approx(row["dice"], abs=1e-3)
    assert aji(tile.instances, instances) == pytest.approx(row["aji"], abs=5e-3)
