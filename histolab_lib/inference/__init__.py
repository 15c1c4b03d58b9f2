"""From an image of any size to a probability for every pixel: whole, or by overlapping windows; and on to objects."""

from histolab_lib.inference.devices import PRECISIONS, as_device
from histolab_lib.inference.predicting import predict, predict_bands, predict_maps
from histolab_lib.inference.quantised import OnnxNetwork, QuantisedShare, export_onnx, quantise, quantised_share
from histolab_lib.inference.segmenting import segment
from histolab_lib.inference.table import nuclei_table
from histolab_lib.inference.watching import watch

__all__ = [
    "PRECISIONS",
    "OnnxNetwork",
    "QuantisedShare",
    "as_device",
    "export_onnx",
    "nuclei_table",
    "predict",
    "predict_bands",
    "predict_maps",
    "quantise",
    "quantised_share",
    "segment",
    "watch",
]
