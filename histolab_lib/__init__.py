"""Histology segmentation, rebuilt from the papers and tested: the library of the histolab book."""

__version__ = "0.1.0"
