"""Trained networks: those that the library ships, and whatever a run has left."""

from histolab_lib.pretrained.exported import Trained, export, read
from histolab_lib.pretrained.loading import SHIPPED, load, load_checkpoint, names, weights_dir

__all__ = ["SHIPPED", "Trained", "export", "load", "load_checkpoint", "names", "read", "weights_dir"]
