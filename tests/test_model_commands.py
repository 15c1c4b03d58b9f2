import json

import pytest
from typer.testing import CliRunner

from histolab_lib.cli import app
from histolab_lib.data_dir import data_dir


def _run(*arguments):
    return CliRunner().invoke(app, ["models", *arguments])


def test_models_lists_every_build_with_its_size_and_what_its_paper_prints():
    done = _run()
    assert done.exit_code == 0, done.output
    header, *lines = done.output.splitlines()
    assert "multiply-adds at 256x256" in header
    kept = json.loads((data_dir() / "facts" / "parameters.json").read_text(encoding="utf-8"))
    assert len(lines) == sum(len(network["variants"]) for network in kept["networks"].values())
    assert any(line.split()[:5] == ["small_unet", "base", "482,737", "2.32", "billion"] for line in lines)
    (linknet,) = (line for line in lines if line.startswith("linknet") and "resnet18" in line)
    assert linknet.endswith("11 million (gland_linknet/section-ii-b/linknet/parameters)")


@pytest.mark.parametrize("arguments", [[], ["--facts"]])
def test_counts_that_cannot_be_read_or_written_are_told_without_a_traceback(monkeypatch, tmp_path, arguments):
    monkeypatch.setattr("histolab_lib.model_commands.data_dir", lambda: tmp_path)
    monkeypatch.setattr("histolab_lib.papers.parameters.networks", dict)
    done = _run(*arguments)
    assert done.exit_code == 1
    assert "parameters.json" in done.output
    assert "Traceback" not in done.output


def test_facts_counts_again_and_writes(monkeypatch, tmp_path):
    from histolab_lib.papers.registry import networks

    small = {"small_unet": networks()["small_unet"]}
    monkeypatch.setattr("histolab_lib.model_commands.data_dir", lambda: tmp_path)
    monkeypatch.setattr("histolab_lib.papers.parameters.networks", lambda: small)
    (tmp_path / "facts").mkdir()
    done = _run("--facts")
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[0].startswith("written: ")
    assert list(json.loads((tmp_path / "facts" / "parameters.json").read_text(encoding="utf-8"))["networks"]) == [
        "small_unet"
    ]
