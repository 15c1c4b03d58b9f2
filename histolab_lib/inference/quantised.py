"""Networks as ONNX files, in float32 and in int8: what a machine without PyTorch runs, and what it loses by that.

Quantised is *statically*: images that the network may learn from tell the range of every map in advance. Norms are part
of the convolutions before them by then (the exporter folds them in), and ReLU and ReLU6 of the range of what they give.

- Weights are int8, of which 7 bits are used (`quantise` says why), with one scale for each output channel; maps are
  uint8 with one for each map. Maps in int8 would be as exact, but onnxruntime 1.31 on x86 then leaves 26 of
  HistoSeg's 62 convolutions in float.
- What lies before the first convolution and behind the last one stays float: a reciprocal of intensities, or a
  logarithm of probabilities, has no use for 256 steps of one size.
- Transposed convolutions have int8 weights in the file; onnxruntime computes them in float, as it has no other way.
- *Dynamic* quantisation, onnxruntime's other kind, looks for the range of each map again at each image. It makes
  convolutions int8, too, but with one scale for all channels of one, and ran more than ten times slower than float.
"""

import copy
import warnings
from collections.abc import Iterable
from importlib import import_module
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from histolab_lib.data_dir import DataError
from histolab_lib.layers import check_images
from histolab_lib.outputs import mask_logits

__all__ = ["OnnxNetwork", "QuantisedShare", "export_onnx", "quantise", "quantised_share"]

_INPUT, _OUTPUT, _STRIDE = "images", "logits", "stride_px"
# Where each kind of convolution has its weights among its inputs.
_WEIGHTS = {"Conv": 1, "ConvTranspose": 1, "ConvInteger": 1, "QLinearConv": 3}


class QuantisedShare(NamedTuple):
    """How many convolutions of an ONNX file have weights of 8 bits.

    Attributes
    ----------
    quantised, total : int

    Examples
    --------
    >>> found = QuantisedShare(15, 18)
    >>> f"{found.quantised} of {found.total}"
    '15 of 18'
    """

    quantised: int
    total: int


class OnnxNetwork(nn.Module):
    """An ONNX file in the place of a network, run by onnxruntime on the CPU.

    `predict` and `segment` take it as any other, with ``window_px=network.size_px``.

    Parameters
    ----------
    path : pathlib.Path
        What `export_onnx` or `quantise` wrote.
    threads : int
        How many compute.

    Attributes
    ----------
    size_px : int
        Side of the images that it takes, no other.
    stride_px : int
        The exported network's, which sides of windows must be divisible by; `size_px` where the file does not tell.

    Raises
    ------
    DataError
        If the file is missing or is nothing that `export_onnx` would write.
    ValueError
        If `threads` is less than 1.
    ImportError
        If onnxruntime is not installed.
    """

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        super().__init__()
        runtime = _import("onnxruntime")
        if threads < 1:
            raise ValueError(f"threads must be at least 1, got {threads}")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3  # errors alone
        path = _there(path)
        try:
            self._session = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has a class of its own for each
            raise _damaged(path, error) from error
        shape = [one.shape for one in self._session.get_inputs()]
        self.size_px = _size(path, shape)
        told = self._session.get_modelmeta().custom_metadata_map
        self.stride_px = int(told.get(_STRIDE, self.size_px))

    def forward(self, images: Tensor) -> Tensor:
        """Map RGB in 0..1, float (N, 3, size_px, size_px), to logits (N, 1, size_px, size_px), one after the other."""
        check_images(images, 3, 1)
        height, width = images.shape[2:]
        if height != self.size_px or width != self.size_px:
            raise ValueError(
                f"this file takes images of {self.size_px}x{self.size_px} pixels, got {height}x{width}; "
                f"pass window_px={self.size_px}, or export the network for another size"
            )
        batch = np.ascontiguousarray(images.detach().cpu().numpy(), np.float32)
        logits = np.empty((len(batch), 1, height, width), np.float32)
        for place in range(len(batch)):
            (logits[place : place + 1],) = self._session.run([_OUTPUT], {_INPUT: batch[place : place + 1]})
        return torch.from_numpy(logits).to(images.device)


def export_onnx(network: nn.Module, path: Path, *, size_px: int) -> None:
    """Write the mask of a network as an ONNX file that computes in float32, without the paths and names of this code.

    Parameters
    ----------
    network : nn.Module
        Maps RGB (N, 3, H, W) in 0..1 to logits (N, 1, H, W), or to an `Output`, whose mask counts. A copy in
        evaluation mode is exported; the network is left as it was.
    path : pathlib.Path
        Where to; what is there is replaced. Weights are in this one file, whose size is thus the network's.
    size_px : int
        Side of the images that the file will take, one at a time: batch and size are fixed.

    Raises
    ------
    ValueError
        If the network does not take images of this size, or gives no logit for each of their pixels.
    DataError
        If there is no such folder.
    ImportError
        If onnx or onnxscript is not installed.
    """
    onnx = _import("onnx")
    _import("onnxscript")
    if not path.parent.is_dir():
        raise DataError(f"{path.parent}: no such folder; make it first")
    if size_px < 1:
        raise ValueError(f"size_px must be at least 1 pixel, got {size_px}")
    alone = _MaskAlone(copy.deepcopy(network).cpu()).eval()
    images = torch.zeros(1, 3, size_px, size_px)
    with torch.no_grad():
        shape = tuple(alone(images).shape)  # what the network says about its input is said here, not by the exporter
    if shape != (1, 1, size_px, size_px):
        raise ValueError(f"network must map (1, 3, {size_px}, {size_px}) to (1, 1, {size_px}, {size_px}), got {shape}")
    with warnings.catch_warnings():
        # torch 2.13's own exporter uses LeafSpec, which the same version deprecates; goes with the next torch.
        warnings.filterwarnings("ignore", r"`isinstance\(treespec, LeafSpec\)` is deprecated", FutureWarning)
        program: Any = torch.onnx.export(
            alone, (images,), dynamo=True, verbose=False, input_names=[_INPUT], output_names=[_OUTPUT]
        )
    model = program.model_proto
    _strip(model)
    model.metadata_props.add(key=_STRIDE, value=str(getattr(network, _STRIDE, size_px)))
    onnx.save(model, path)


def quantise(path: Path, images: Iterable[Any], out: Path, *, weight_bits: int = 7) -> None:
    """Write the int8 version of an ONNX file.

    Parameters
    ----------
    path : pathlib.Path
        What `export_onnx` wrote.
    images : array or iterable of arrays
        Float (3, H, W) each, RGB in 0..1, of the file's size; an array or tensor (N, 3, H, W) is such an iterable. The
        smallest and the largest value that each map takes on them are the ends of its range: crops of the training set,
        as they are in use, since a range that a test image leaves is a value cut off. Never those of the test set.
    out : pathlib.Path
        Where to; what is there is replaced.
    weight_bits : {7, 8}
        Weights are in -64..64, or in -127..127, which is closer to the float network but not safe: x86 without VNNI
        (AVX2; many rented machines) adds products in pairs of 16 bits and cuts off what is larger, as onnxruntime's
        documentation of quantisation warns; the same file can give another map there, without a word. With 64 the
        largest pair, 2 * 255 * 64, fits.

    Raises
    ------
    ValueError
        If `weight_bits` is neither; if there are no images, or one has another shape, type or range; if the file has no
        convolutions, or quantised ones.
    DataError
        If `path` is missing or nothing that `export_onnx` would write.
    ImportError
        If onnx or onnxruntime is not installed.
    """
    tools = _import("onnxruntime.quantization")
    if weight_bits not in (7, 8):
        raise ValueError(f"weight_bits must be 7 or 8, got {weight_bits}")
    model = _read(path)
    found = _share(model)
    if not found.total:
        raise ValueError(f"{path}: has no convolution, so there is nothing to quantise")
    if found.quantised:
        raise ValueError(
            f"{path}: {found.quantised} of its {found.total} convolutions are quantised; pass what export_onnx wrote"
        )
    size_px = _size(path, [[one.dim_value for one in given.type.tensor_type.shape.dim] for given in model.graph.input])
    calibration = _Calibration([_calibrating(n, image, size_px) for n, image in enumerate(images)])
    with TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        # Shapes are fixed; onnxruntime's search for others stops at a maximum over axes, as in HARU-Net's attention.
        tools.quant_pre_process(path, prepared, skip_symbolic_shape=True)
        tools.quantize_static(
            prepared,
            out,
            calibration,
            quant_format=tools.QuantFormat.QDQ,
            per_channel=True,
            reduce_range=weight_bits == 7,
            activation_type=tools.QuantType.QUInt8,
            weight_type=tools.QuantType.QInt8,
            nodes_to_exclude=_around(_read(prepared)),
        )


def quantised_share(path: Path) -> QuantisedShare:
    """Return how many convolutions of an ONNX file have weights of 8 bits, and how many there are.

    Parameters
    ----------
    path : pathlib.Path
        Float, or quantised by whatever means: weights behind a ``DequantizeLinear``, ``QLinearConv``, ``ConvInteger``.

    Raises
    ------
    DataError
        If the file is missing or no ONNX.
    ImportError
        If onnx is not installed.
    """
    return _share(_read(path))


class _MaskAlone(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return mask_logits(self.network(images))


class _Calibration:
    """What onnxruntime asks for one image after the other, until None."""

    def __init__(self, images: list[npt.NDArray[np.float32]]) -> None:
        if not images:
            raise ValueError("images must hold at least one image, got none; ranges of maps are found on them")
        self._images = iter(images)

    def get_next(self) -> dict[str, npt.NDArray[np.float32]] | None:
        image = next(self._images, None)
        return None if image is None else {_INPUT: image[None]}


def _calibrating(number: int, given: Any, size_px: int) -> npt.NDArray[np.float32]:
    image = np.asarray(given)
    if image.shape != (3, size_px, size_px):
        raise ValueError(f"images must be (3, {size_px}, {size_px}) each, as the file is; {number} is {image.shape}")
    if not np.issubdtype(image.dtype, np.floating):
        raise ValueError(f"images must be float in 0..1, {number} is {image.dtype}; divide 8-bit values by 255")
    if not (image.min() >= 0 and image.max() <= 1):
        raise ValueError(f"images must be float in 0..1, {number} reaches from {image.min():g} to {image.max():g}")
    return image.astype(np.float32)


def _share(model: Any) -> QuantisedShare:
    kinds = {_import("onnx").TensorProto.INT8, _import("onnx").TensorProto.UINT8}
    small = {one.name for one in model.graph.initializer if one.data_type in kinds}
    small |= {n.output[0] for n in model.graph.node if n.op_type == "DequantizeLinear" and n.input[0] in small}
    weights = [node.input[_WEIGHTS[node.op_type]] for node in model.graph.node if node.op_type in _WEIGHTS]
    return QuantisedShare(sum(name in small for name in weights), len(weights))


def _around(model: Any) -> list[str]:
    """Names of the nodes that no convolution precedes, or none follows. Nodes of an ONNX file are in order."""
    names: list[str] = []
    for nodes, before, after in (
        (model.graph.node, "input", "output"),
        (reversed(model.graph.node), "output", "input"),
    ):
        touched: set[str] = set()
        for node in nodes:
            if node.op_type in _WEIGHTS or not touched.isdisjoint(getattr(node, before)):
                touched.update(getattr(node, after))
            else:
                names.append(node.name)
    return names


def _strip(model: Any) -> None:
    """Remove what the exporter noted beside the graph: a ninth of a small file, with paths of this machine."""
    graph = model.graph
    parts = (graph.node, graph.input, graph.output, graph.value_info, graph.initializer)
    for part in chain([model, graph], *parts):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")


def _read(path: Path) -> Any:
    onnx = _import("onnx")
    path = _there(path)
    try:
        model = onnx.load(path)
    except Exception as error:  # protobuf has classes of its own
        raise _damaged(path, error) from error
    if not model.graph.node:
        raise _damaged(path, ValueError("it computes nothing"))
    return model


def _there(path: Path) -> Path:
    if not path.is_file():
        raise DataError(f"{path}: no such file; write it with export_onnx")
    return path


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(f"{path}: no ONNX file, or a damaged one ({error}); write it again with export_onnx")


def _size(path: Path, shapes: list[list[int]]) -> int:
    if len(shapes) == 1 and shapes[0] == [1, 3, shapes[0][-1], shapes[0][-1]]:
        return shapes[0][-1]
    raise DataError(f"{path}: takes {shapes}, expected one input [1, 3, S, S]; write it again with export_onnx")


def _import(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(
            f"ONNX files need {name.partition('.')[0]}: python -m pip install 'histolab-lib[export]'"
        ) from error
