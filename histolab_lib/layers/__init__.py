"""Blocks that networks are made of, each small enough to check by hand."""

from histolab_lib.layers.attention import CBAM, ChannelAttention, SpatialAttention
from histolab_lib.layers.convolutions import DenseDilated, LinkNetBlock, UpBlock, double_conv, full_conv, with_norm
from histolab_lib.layers.images import OpticalDensity, check_images
from histolab_lib.layers.keras import keras_normal, keras_uniform
from histolab_lib.layers.seeding import seeded_weights
from histolab_lib.layers.weights import copy_weights, count_weights

__all__ = [
    "CBAM",
    "ChannelAttention",
    "DenseDilated",
    "LinkNetBlock",
    "OpticalDensity",
    "SpatialAttention",
    "UpBlock",
    "check_images",
    "copy_weights",
    "count_weights",
    "double_conv",
    "full_conv",
    "keras_normal",
    "keras_uniform",
    "seeded_weights",
    "with_norm",
]
