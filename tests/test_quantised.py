"""Networks as ONNX files, float and int8, held against PyTorch and against onnxruntime's other ways."""

import sys
from collections import Counter
from types import SimpleNamespace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnxruntime import quantization
from torch import nn

import histolab_lib
from histolab_lib import datasets, losses, papers, pretrained
from histolab_lib.baselines import small_unet
from histolab_lib.data_dir import DataError
from histolab_lib.inference import OnnxNetwork, export_onnx, predict, quantise, quantised_share
from histolab_lib.outputs import Output
from tests import base_network as base

pytestmark = pytest.mark.thorough

SMALL = {"encoder": "mobilenetv2_035", "channels": 32}


def written(network, folder, images):
    """The network, its float file, its int8 file, and the images that it was quantised by."""
    size = images.shape[-1]
    export_onnx(network, folder / "float.onnx", size_px=size)
    quantise(folder / "float.onnx", images, folder / "int8.onnx")
    return SimpleNamespace(
        network=network.eval(), float=folder / "float.onnx", int8=folder / "int8.onnx", images=images
    )


@pytest.fixture(scope="module")
def unet(tmp_path_factory):
    return written(base.settled(small_unet(width=4)), tmp_path_factory.mktemp("unet"), base.images(2))


@pytest.fixture(scope="module", params=["paper", "code"])
def by_heart(request, tmp_path_factory):
    """HistoSeg on a narrow encoder, which knows four patches by heart."""
    network = papers.build("histoseg", reading=request.param, **SMALL)
    recipe = papers.recipe("histoseg", request.param)
    assert base.learned_by_heart(network, losses.build(recipe.loss, **recipe.loss_options)) > 0.85
    made = written(network, tmp_path_factory.mktemp(request.param), base.four_patches()[0])
    made.name = request.param
    return made


def both(made):
    """Logits by PyTorch, and by the float file."""
    with torch.inference_mode():
        return made.network(made.images), OnnxNetwork(made.float)(made.images)


def dice(one, other):
    one, other = one > 0, other > 0
    assert 0.05 < one.float().mean() < 0.95  # of a mask that is nearly empty or full it says little
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


def kinds(path):
    return Counter(node.op_type for node in onnx.load(path).graph.node)


def executed(path, folder):
    """Kinds of nodes that onnxruntime makes of a file before it runs it on the CPU."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # it warns that such a file suits this machine alone
    options.optimized_model_filepath = str(folder / "optimised.onnx")
    onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return kinds(folder / "optimised.onnx")


def assert_close(found, expected):
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-3 * float(expected.abs().max()))


def test_the_float_file_gives_what_the_small_u_net_gives(unet):
    torch_logits, onnx_logits = both(unet)
    assert_close(onnx_logits, torch_logits)


@pytest.mark.slow
def test_the_float_file_gives_what_histoseg_gives(by_heart):
    torch_logits, onnx_logits = both(by_heart)
    assert_close(onnx_logits, torch_logits)


def test_every_convolution_of_the_int8_file_is_quantised_and_none_of_the_float_file(unet):
    convolutions = [part for part in unet.network.modules() if isinstance(part, nn.Conv2d | nn.ConvTranspose2d)]
    assert quantised_share(unet.float) == (0, len(convolutions))
    assert quantised_share(unet.int8) == (len(convolutions), len(convolutions))


@pytest.mark.slow
def test_every_convolution_of_histoseg_is_quantised_and_computed_in_integers(by_heart, tmp_path):
    convolutions = sum(isinstance(part, nn.Conv2d) for part in by_heart.network.modules())
    assert quantised_share(by_heart.float) == (0, convolutions)
    assert quantised_share(by_heart.int8) == (convolutions, convolutions)
    run = executed(by_heart.int8, tmp_path)
    assert (run["QLinearConv"], run["Conv"]) == (convolutions, 0)


def test_transposed_convolutions_are_computed_in_float(unet, tmp_path):
    run = executed(unet.int8, tmp_path)
    assert (run["QLinearConv"], run["Conv"], run["ConvTranspose"]) == (15, 0, 3)


def test_norms_are_part_of_the_convolutions(unet):
    assert sum(isinstance(part, nn.BatchNorm2d) for part in unet.network.modules()) == 14
    assert kinds(unet.float)["BatchNormalization"] == kinds(unet.int8)["BatchNormalization"] == 0
    assert kinds(unet.float)["Relu"] == 14
    assert kinds(unet.int8)["Relu"] == 0  # what lies below 0 is below the range


def test_weights_have_one_scale_for_each_output_channel(unet):
    graph = onnx.load(unet.int8).graph
    stored = {one.name: onnx.numpy_helper.to_array(one) for one in graph.initializer}
    behind = {node.output[0]: node.input for node in graph.node if node.op_type == "DequantizeLinear"}
    for node in graph.node:
        if node.op_type in ("Conv", "ConvTranspose"):
            weights, scales, _ = (stored[name] for name in behind[node.input[1]])
            assert weights.dtype == np.int8
            assert np.abs(weights.astype(int)).max() == 64
            assert scales.shape == (weights.shape[0 if node.op_type == "Conv" else 1],)


def test_sums_of_two_products_fit_into_16_bits_unless_8_bits_of_weights_are_asked_for(unet, tmp_path):
    quantise(unet.float, unet.images, tmp_path / "8.onnx", weight_bits=8)
    largest = []
    for path in (unet.int8, tmp_path / "8.onnx"):
        stored = [onnx.numpy_helper.to_array(one) for one in onnx.load(path).graph.initializer]
        largest.append(max(np.abs(one.astype(int)).max() for one in stored if one.dtype == np.int8 and one.ndim == 4))
    assert largest == [64, 127]
    assert 2 * 255 * largest[0] < 2**15 < 2 * 255 * largest[1]
    with pytest.raises(ValueError, match="weight_bits must be 7 or 8, got 4"):
        quantise(unet.float, unet.images, tmp_path / "4.onnx", weight_bits=4)


def test_what_precedes_the_first_convolution_stays_float(unet):
    graph = onnx.load(unet.int8).graph
    quantised = {name for node in graph.node if node.op_type == "DequantizeLinear" for name in node.output}
    (logarithm,) = (node for node in graph.node if node.op_type == "Log")
    assert quantised.isdisjoint(logarithm.input)
    assert not quantised.isdisjoint(next(node for node in graph.node if node.op_type == "Conv").input)


@pytest.mark.slow
def test_what_follows_the_last_convolution_stays_float(by_heart):
    graph = onnx.load(by_heart.int8).graph
    last = max(place for place, node in enumerate(graph.node) if node.op_type == "Conv")
    tail = [node.op_type for node in graph.node[last + 1 :]]
    assert tail[:2] == ["QuantizeLinear", "DequantizeLinear"]
    assert not {"QuantizeLinear", "DequantizeLinear"} & set(tail[2:])


@pytest.mark.slow
def test_the_int8_mask_of_histoseg_is_nearly_the_float_mask(by_heart):
    torch_logits, _ = both(by_heart)
    found = OnnxNetwork(by_heart.int8)(by_heart.images)
    # after 60 steps the network of the code is less sure of itself: measured are 0.97 and 0.91
    assert {"paper": 0.92, "code": 0.85}[by_heart.name] < dice(torch_logits, found) < 1
    assert 0.005 < (torch_logits.sigmoid() - found.sigmoid()).abs().mean() < 0.08


@pytest.mark.slow
def test_the_int8_mask_of_a_trained_network_is_nearly_its_float_mask_on_new_images(tmp_path):
    crops = [tile.image[:256, :256].transpose(2, 0, 1) / np.float32(255) for tile in datasets.load("synthetic", "test")]
    made = written(pretrained.load().network, tmp_path, torch.from_numpy(np.stack(crops[:4])))
    made.images = torch.from_numpy(np.stack(crops[4:8]))
    torch_logits, onnx_logits = both(made)
    assert_close(onnx_logits, torch_logits)
    assert 0.98 < dice(torch_logits, OnnxNetwork(made.int8)(made.images)) < 1
    assert made.int8.stat().st_size < 0.3 * made.float.stat().st_size


@pytest.mark.slow
def test_dynamic_quantisation_has_one_scale_for_all_channels_of_a_convolution(by_heart, tmp_path):
    quantization.quant_pre_process(by_heart.float, tmp_path / "prepared.onnx")
    quantization.quantize_dynamic(tmp_path / "prepared.onnx", tmp_path / "dynamic.onnx")
    found = kinds(tmp_path / "dynamic.onnx")
    total = quantised_share(by_heart.float).total
    assert (found["ConvInteger"], found["Conv"]) == (total, 0)
    assert quantised_share(tmp_path / "dynamic.onnx") == (total, total)
    assert found["DynamicQuantizeLinear"] > 50  # a search for the range of a map, at each image again
    stored = {one.name: one.dims for one in onnx.load(tmp_path / "dynamic.onnx").graph.initializer}
    assert {tuple(dims) for name, dims in stored.items() if name.endswith("_scale")} == {()}


@pytest.mark.slow
@pytest.mark.parametrize("reading", ["paper", "code"])
def test_the_int8_file_of_histoseg_is_less_than_two_fifths_of_the_float_file(reading, tmp_path):
    network = papers.build("histoseg", reading=reading)
    made = written(network, tmp_path, base.images(1, 64, 64))
    weights = 4 * sum(p.numel() for p in network.parameters())
    assert 0.95 < made.float.stat().st_size / weights < 1.05  # norms are gone, what names nodes came
    assert 0.25 < made.int8.stat().st_size / made.float.stat().st_size < 0.4


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in papers.names() if name not in ("small_unet", "histoseg")])
def test_every_network_of_the_book_can_be_quantised(name, tmp_path):
    network = base.settled(papers.build(name))
    size = max(64, base.side_of(network))
    made = written(network, tmp_path, base.images(1, size, size))
    found = quantised_share(made.int8)
    assert found.quantised == found.total == quantised_share(made.float).total > 15
    assert OnnxNetwork(made.int8)(made.images).isfinite().all()


def test_a_file_is_a_network_to_predict(unet):
    network = OnnxNetwork(unet.float)
    assert (network.size_px, network.stride_px) == (64, 8)
    image = np.random.default_rng(0).integers(0, 256, (100, 84, 3), np.uint8)
    windows = {"window_px": 64, "overlap_px": 32}
    found, expected = (predict(one, image, **windows) for one in (network, unet.network))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert OnnxNetwork(unet.int8).stride_px == 8


def test_a_file_says_nothing_about_the_code_and_is_one(unet):
    folder = str(histolab_lib.__path__[0]).encode()
    for path in (unet.float, unet.int8):
        assert folder not in path.read_bytes()
        assert b"small.py" not in path.read_bytes()
    assert sorted(path.name for path in unet.float.parent.iterdir()) == ["float.onnx", "int8.onnx"]


def test_the_same_images_make_the_same_int8_file(unet, tmp_path):
    again = tmp_path / "again.onnx"
    quantise(unet.float, (image.numpy() for image in unet.images), again)
    assert again.read_bytes() == unet.int8.read_bytes()


def test_export_leaves_the_network_as_it_was_and_takes_the_mask_of_several_maps(tmp_path):
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.mask, self.contour, self.norm = nn.Conv2d(3, 1, 1), nn.Conv2d(3, 1, 1), nn.BatchNorm2d(3)

        def forward(self, images):
            seen = self.norm(images)
            return Output(self.mask(seen), {"contour": self.contour(seen)})

    network = Two()
    network.norm.eval()
    kept = {name: one.clone() for name, one in network.state_dict().items()}
    export_onnx(network, tmp_path / "two.onnx", size_px=8)
    assert network.training
    assert not network.norm.training
    assert all(torch.equal(one, kept[name]) for name, one in network.state_dict().items())
    images = torch.rand(3, 3, 8, 8)
    torch.testing.assert_close(OnnxNetwork(tmp_path / "two.onnx")(images), network.eval()(images).mask)
    assert OnnxNetwork(tmp_path / "two.onnx", threads=2)(images[:0]).shape == (0, 1, 8, 8)


def test_nothing_is_printed(tmp_path, capfd):
    written(nn.Conv2d(3, 1, 1), tmp_path, torch.rand(1, 3, 8, 8))
    OnnxNetwork(tmp_path / "int8.onnx")(torch.rand(1, 3, 8, 8))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("network", "size_px", "message"),
    [
        (small_unet(width=1), 60, "images are 60x60 pixels, but this network needs sides that 8 divides; pad them"),
        (nn.Conv2d(3, 1, 1, stride=2), 8, r"network must map \(1, 3, 8, 8\) to \(1, 1, 8, 8\), got \(1, 1, 4, 4\)"),
        (nn.Conv2d(3, 2, 1), 8, r"got \(1, 2, 8, 8\)"),
        (nn.Conv2d(3, 1, 1), 0, "size_px must be at least 1 pixel, got 0"),
    ],
)
def test_a_network_that_does_not_take_the_size_is_not_exported(network, size_px, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        export_onnx(network, tmp_path / "one.onnx", size_px=size_px)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([], "images must hold at least one image, got none"),
        (torch.rand(1, 3, 32, 64), r"images must be \(3, 64, 64\) each, as the file is; 0 is \(3, 32, 64\)"),
        (torch.rand(3, 64, 64), r"each, as the file is; 0 is \(64, 64\)"),
        (np.zeros((1, 3, 64, 64), np.uint8), "float in 0..1, 0 is uint8; divide 8-bit values by 255"),
        ([np.zeros((3, 64, 64)), np.full((3, 64, 64), 255.0)], "float in 0..1, 1 reaches from 255 to 255"),
        (np.full((1, 3, 64, 64), np.nan), "float in 0..1, 0 reaches from nan to nan"),
    ],
)
def test_images_that_tell_no_ranges_are_errors(images, message, unet, tmp_path):
    with pytest.raises(ValueError, match=message):
        quantise(unet.float, images, tmp_path / "out.onnx")
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_quantised_is_an_error(unet, tmp_path):
    with pytest.raises(ValueError, match="18 of its 18 convolutions are quantised; pass what export_onnx wrote"):
        quantise(unet.int8, unet.images, tmp_path / "out.onnx")

    class Mean(nn.Module):
        def forward(self, images):
            return images.mean(1, keepdim=True)

    export_onnx(Mean(), tmp_path / "mean.onnx", size_px=8)
    assert quantised_share(tmp_path / "mean.onnx") == (0, 0)
    with pytest.raises(ValueError, match=r"mean.onnx: has no convolution, so there is nothing to quantise"):
        quantise(tmp_path / "mean.onnx", torch.rand(1, 3, 8, 8), tmp_path / "out.onnx")


@pytest.mark.parametrize("use", [OnnxNetwork, quantised_share, lambda path: quantise(path, [], path)])
def test_files_that_are_missing_or_no_onnx_are_errors(use, tmp_path):
    with pytest.raises(DataError, match=r"none.onnx: no such file; write it with export_onnx"):
        use(tmp_path / "none.onnx")
    for content in (b"", b"no model"):
        (tmp_path / "bad.onnx").write_bytes(content)
        with pytest.raises(DataError, match=r"bad.onnx: no ONNX file, or a damaged one \(.+\); write it again"):
            use(tmp_path / "bad.onnx")


def test_a_file_of_another_shape_is_an_error(tmp_path):
    given, made = (onnx.helper.make_tensor_value_info(name, 1, [1, 3, 8, 9]) for name in "xy")
    graph = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["x"], ["y"])], "wide", [given], [made])
    model = onnx.helper.make_model(graph, ir_version=10, opset_imports=[onnx.helper.make_opsetid("", 20)])
    onnx.save(model, tmp_path / "wide.onnx")
    with pytest.raises(DataError, match=r"takes \[\[1, 3, 8, 9\]\], expected one input \[1, 3, S, S\]"):
        OnnxNetwork(tmp_path / "wide.onnx")


def test_images_of_another_size_and_threads_below_one_are_errors(unet):
    with pytest.raises(ValueError, match="takes images of 64x64 pixels, got 64x72; pass window_px=64, or export"):
        OnnxNetwork(unet.float)(torch.rand(1, 3, 64, 72))
    with pytest.raises(ValueError, match=r"images must be float in 0\.\.1, got torch.uint8"):
        OnnxNetwork(unet.float)(torch.zeros(1, 3, 64, 64, dtype=torch.uint8))
    with pytest.raises(ValueError, match="threads must be at least 1, got 0"):
        OnnxNetwork(unet.float, threads=0)


def test_a_folder_that_does_not_exist_is_an_error(tmp_path):
    with pytest.raises(DataError, match="nowhere: no such folder; make it first"):
        export_onnx(nn.Conv2d(3, 1, 1), tmp_path / "nowhere" / "one.onnx", size_px=8)


@pytest.mark.parametrize(
    ("missing", "use"),
    [
        ("onnx", lambda path: export_onnx(nn.Conv2d(3, 1, 1), path, size_px=8)),
        ("onnxscript", lambda path: export_onnx(nn.Conv2d(3, 1, 1), path, size_px=8)),
        ("onnx", quantised_share),
        ("onnxruntime", lambda path: quantise(path, [], path)),
        ("onnxruntime", OnnxNetwork),
    ],
)
def test_without_the_extra_it_is_named(missing, use, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.delitem(sys.modules, "onnxruntime.quantization", raising=False)
    with pytest.raises(ImportError, match=rf"need {missing}: python -m pip install 'histolab-lib\[export\]'"):
        use(tmp_path / "one.onnx")
