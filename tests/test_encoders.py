"""Encoders of timm: maps, padding, and ImageNet weights that are all loaded, or refused."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from histolab_lib import encoders, papers
from histolab_lib.data_dir import DataError
from histolab_lib.encoders import build_encoder, imagenet_file, load_weights, timm_options
from tests import base_network as base

pytestmark = pytest.mark.thorough

NAME = "mobilenetv2_100"
SMALL = "resnet18"


@pytest.fixture(scope="module")
def timm():
    return encoders._timm()


@pytest.fixture
def weights(tmp_path, timm):
    """A file of seeded weights of the whole classifier, in half precision, that says what it was trained with."""

    def write(metadata=None, change=lambda state: state):
        torch.manual_seed(3)
        state = {key: value.contiguous() for key, value in timm.create_model(NAME).state_dict().items()}
        state = {key: value.half() if "conv" in key else value for key, value in state.items()}
        save_file(change(state), tmp_path / "weights.safetensors", metadata=metadata)
        return tmp_path / "weights.safetensors"

    with torch.random.fork_rng():
        yield write


TOLD = {"pad_type": "same", "input": "RGB, x/127.5-1"}
RIGHT = {"padding": "same", "inputs": "symmetric"}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "channels"), [("resnet18", [64, 64, 128, 256, 512]), (NAME, [16, 24, 32, 96, 320])])
def test_an_encoder_gives_maps_of_the_channels_and_strides_that_it_tells(name, channels):
    network = build_encoder(name).eval()
    with torch.inference_mode():
        found = network(base.images(1, 64, 96))
    assert [one.shape[1] for one in found] == network.feature_info.channels() == channels
    assert [tuple(one.shape[2:]) for one in found] == [(64 // s, 96 // s) for s in (2, 4, 8, 16, 32)]


@pytest.mark.slow
def test_an_output_stride_is_kept_by_dilation():
    network = build_encoder(NAME, output_stride=8, maps=(1, 4)).eval()
    with torch.inference_mode():
        shapes = [tuple(one.shape[1:]) for one in network(base.images(1, 64, 64))]
    assert shapes == [(24, 16, 16), (320, 8, 8)]


@pytest.mark.slow
def test_padding_decides_where_a_map_lies():
    networks = [build_encoder(NAME, maps=(0,), padding=padding).eval() for padding in encoders.PADDINGS]
    networks[1].load_state_dict(networks[0].state_dict())
    assert torch.equal(networks[0].conv_stem.weight, networks[1].conv_stem.weight)
    image = base.images(1, 32, 32)
    with torch.inference_mode():
        symmetric, same = (network.conv_stem(image) for network in networks)
        shifted = torch.nn.functional.conv2d(
            torch.nn.functional.pad(image, (0, 1, 0, 1)), networks[0].conv_stem.weight, stride=2
        )
    torch.testing.assert_close(same, shifted)
    assert not torch.allclose(symmetric, same, atol=1e-3)


@pytest.mark.slow
def test_names_and_paddings_that_do_not_exist_are_errors():
    with pytest.raises(ValueError, match=r"unknown encoder \(a model of timm\) 'resnet_34', did you mean 'resnet34'"):
        timm_options("resnet_34", "symmetric")
    with pytest.raises(ValueError, match="unknown padding 'valid'"):
        timm_options(NAME, "valid")
    with pytest.raises(ValueError, match="'resnet18' pads symmetrically; padding='same' is for MobileNet's kin"):
        timm_options("resnet18", "same")


@pytest.mark.slow
def test_every_tensor_of_a_file_is_loaded_and_the_classifier_is_passed_over(weights):
    from safetensors.torch import load_file

    path = weights(TOLD)
    network = build_encoder(NAME, pretrained=path, **RIGHT)
    stored, loaded = load_file(path), network.state_dict()
    assert len(stored) == 314
    assert len(loaded) == 306
    assert all(torch.equal(loaded[key], stored[key].to(loaded[key].dtype)) for key in loaded)
    assert loaded["conv_stem.weight"].dtype == torch.float32


@pytest.mark.slow
def test_weights_are_refused_where_input_or_padding_is_another(weights):
    path = weights(TOLD)
    told = r"weights of mobilenetv2_100 were trained with padding='same', inputs='symmetric', got padding='symmetric', "
    with pytest.raises(ValueError, match=told + r"inputs='imagenet'; pass padding='same', inputs='symmetric'"):
        build_encoder(NAME, pretrained=path)
    with pytest.raises(ValueError, match=r"trained with padding='same', got padding='symmetric'; pass padding='same'$"):
        build_encoder(NAME, pretrained=path, inputs="symmetric")
    build_encoder(NAME, pretrained=weights(None))  # a file that says nothing is trusted


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: {k: v for k, v in s.items() if k != "bn1.weight"}, r"1 missing \(bn1\.weight\)"),
        (lambda s: {**s, "stem.weight": s["bn1.weight"].clone()}, r"1 unknown \(stem\.weight\)"),
        (lambda s: {**s, "bn1.bias": s["bn1.bias"][:4].clone()}, r"1 of another shape \(bn1\.bias\)"),
        (lambda s: {f"model.{k}": v for k, v in s.items()}, r"255 missing \(blocks.*, \.\.\.\); 314 unknown \(model\."),
    ],
)
def test_a_file_that_does_not_fit_names_the_tensors(weights, change, message):
    with pytest.raises(DataError, match=r"weights\.safetensors: not the weights of this mobilenetv2_100: " + message):
        build_encoder(NAME, pretrained=weights(TOLD, change), **RIGHT)


@pytest.mark.slow
def test_weights_of_another_network_are_refused(weights):
    with pytest.raises(DataError, match=r"not the weights of this resnet18: .* missing .* unknown"):
        build_encoder(SMALL, pretrained=weights(None))


def test_a_file_that_is_none_says_what_to_do(tmp_path):
    (tmp_path / "torn.safetensors").write_bytes(b"\x00" * 40)
    for name in ("torn.safetensors", "absent.safetensors"):
        with pytest.raises(DataError, match=rf"{name}: cannot be read as safetensors .*; give pretrained=False"):
            load_weights(torch.nn.Identity(), SMALL, tmp_path / name, inputs="imagenet", padding="symmetric")


def test_random_weights_need_nothing():
    load_weights(torch.nn.Identity(), "no such network", False, inputs="", padding="")


def test_the_file_of_imagenet_weights_is_looked_for_in_the_data_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("HISTOLAB_DATA", raising=False)
    with pytest.raises(DataError, match="weights of resnet18 are looked for in HISTOLAB_DATA, which is not set; give"):
        imagenet_file(SMALL)
    monkeypatch.setenv("HISTOLAB_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"weights/resnet18_imagenet\.safetensors: no such file"):
        imagenet_file(SMALL)
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "resnet18_imagenet.safetensors").touch()
    assert imagenet_file(SMALL) == tmp_path / "weights" / "resnet18_imagenet.safetensors"


@pytest.mark.slow
def test_without_a_network_a_download_says_what_to_do(tmp_path):
    code = (
        "from histolab_lib import papers\n"
        "from histolab_lib.data_dir import DataError\n"
        "try: papers.build('unet', encoder='resnet18', pretrained=True)\n"
        "except DataError as error: print(error)"
    )
    offline = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "TORCH_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=offline)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("the ImageNet weights of resnet18 could not be downloaded (")
    assert "give pretrained=False for random weights, or the path of a safetensors file" in done.stdout


@pytest.mark.slow
def test_a_download_is_loaded_and_held_against_what_timm_says_of_it(monkeypatch, timm):
    made, served = timm.create_model, timm.create_model(SMALL)
    serve = lambda name, pretrained=False, **rest: served if pretrained else made(name, **rest)  # noqa: E731
    monkeypatch.setattr(timm, "create_model", serve)
    loaded, expected = build_encoder(SMALL, pretrained=True).state_dict(), served.state_dict()
    assert set(expected) - set(loaded) == {"fc.weight", "fc.bias"}
    assert all(torch.equal(loaded[key], expected[key]) for key in loaded)
    with pytest.raises(ValueError, match="trained with inputs='imagenet', got inputs='symmetric'"):
        build_encoder(SMALL, pretrained=True, inputs="symmetric")


@pytest.mark.slow
@pytest.mark.real
def test_the_weights_of_the_data_folder_fit_the_strong_unet_and_every_baseline(tissue, monkeypatch):
    from safetensors.torch import load_file

    path = tissue / "weights" / f"{NAME}_imagenet.safetensors"
    stored = load_file(path)
    monkeypatch.setenv("HISTOLAB_DATA", str(tissue))
    strong = papers.build_for(papers.recipe("strong_unet"), seed=0)
    networks = [papers.build_for(papers.recipe(name, variant="mobilenetv2__imagenet"), seed=0) for name in
                ("unet", "unetpp", "linknet", "deeplabv3plus")]  # fmt: skip
    for network in (strong, *networks):
        loaded = network.encoder.model.state_dict()
        assert len(loaded) == 306
        assert all(torch.equal(loaded[key], stored[key].to(loaded[key].dtype)) for key in loaded)


@pytest.mark.slow
@pytest.mark.real
def test_with_imagenet_weights_bfloat16_moves_maps_by_less_than_a_tenth(tissue):
    network = build_encoder(NAME, pretrained=tissue / "weights" / f"{NAME}_imagenet.safetensors", **RIGHT).eval()
    batch = base.images(2, 128, 128) * 2 - 1
    with torch.inference_mode():
        plain = network(batch)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rough = network(batch)
    errors = [float((b.float() - a).norm() / (a - a.mean()).norm()) for a, b in zip(plain, rough, strict=True)]
    np.testing.assert_array_less(0, errors)
    np.testing.assert_array_less(errors[:4], 0.1)
