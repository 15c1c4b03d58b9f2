"""Scores of segmentations: always ``(true, pred)``, exact, and open about what empty maps are worth.

Every score takes two maps or one `Contingency`; compute that once where several scores are wanted. Distances and the
error map need the maps.
"""

from histolab_lib.metrics.coarse import coarsened
from histolab_lib.metrics.contingency import Contingency, contingency
from histolab_lib.metrics.detection import PanopticQuality, average_precision, panoptic_quality
from histolab_lib.metrics.errors import ERROR_NAMES, Errors, errors
from histolab_lib.metrics.evaluate import check_record, evaluate, scores_from_counts
from histolab_lib.metrics.glands import ObjectF1, object_dice, object_f1
from histolab_lib.metrics.hausdorff import object_hausdorff
from histolab_lib.metrics.instances import aji, aji_plus, dice2
from histolab_lib.metrics.pixels import PrecisionRecallF1, dice, iou, precision_recall_f1
from histolab_lib.metrics.summary import Comparison, Summary, compare, pooled_interval, summarise
from histolab_lib.metrics.surfaces import boundary_f1, hd95

__all__ = [
    "ERROR_NAMES",
    "Comparison",
    "Contingency",
    "Errors",
    "ObjectF1",
    "PanopticQuality",
    "PrecisionRecallF1",
    "Summary",
    "aji",
    "aji_plus",
    "average_precision",
    "boundary_f1",
    "check_record",
    "coarsened",
    "compare",
    "contingency",
    "dice",
    "dice2",
    "errors",
    "evaluate",
    "hd95",
    "iou",
    "object_dice",
    "object_f1",
    "object_hausdorff",
    "panoptic_quality",
    "pooled_interval",
    "precision_recall_f1",
    "scores_from_counts",
    "summarise",
]
