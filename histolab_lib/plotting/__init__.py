"""One palette and one style for every figure of the book; all figures that more than one chapter draws."""

from histolab_lib.plotting.audit import draw_gaps, draw_intervals, draw_mean_rows, draw_region
from histolab_lib.plotting.charts import draw_bars, draw_curves, draw_dots, draw_learning, draw_scores, draw_table
from histolab_lib.plotting.look import PALETTE, style
from histolab_lib.plotting.objects import draw_errors_by_object, draw_instances, draw_rasters
from histolab_lib.plotting.records import Experiment, draw_records, experiments, main_scores
from histolab_lib.plotting.robustness import draw_corruptions
from histolab_lib.plotting.schemes import draw_chain, draw_u, shape_of
from histolab_lib.plotting.tissue import (
    draw_errors,
    draw_maps,
    draw_stains,
    draw_tiles,
    error_map,
    outlines,
    short_name,
)
from histolab_lib.plotting.worst import draw_worst

__all__ = [
    "PALETTE",
    "Experiment",
    "draw_bars",
    "draw_chain",
    "draw_corruptions",
    "draw_curves",
    "draw_dots",
    "draw_errors",
    "draw_errors_by_object",
    "draw_gaps",
    "draw_instances",
    "draw_intervals",
    "draw_learning",
    "draw_maps",
    "draw_mean_rows",
    "draw_rasters",
    "draw_records",
    "draw_region",
    "draw_scores",
    "draw_stains",
    "draw_table",
    "draw_tiles",
    "draw_u",
    "draw_worst",
    "error_map",
    "experiments",
    "main_scores",
    "outlines",
    "shape_of",
    "short_name",
    "style",
]
