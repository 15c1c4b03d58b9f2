"""Scores of segmentations: always ``(true, pred)``, exact, and open about what empty maps are worth.

Every score takes two maps or one `Contingency`; compute that once where several scores are wanted.
"""

from histolab_lib.metrics.contingency import Contingency, contingency
from histolab_lib.metrics.detection import PanopticQuality, average_precision, panoptic_quality
from histolab_lib.metrics.glands import ObjectF1, object_dice, object_f1
from histolab_lib.metrics.instances import aji, aji_plus, dice2
from histolab_lib.metrics.pixels import PrecisionRecallF1, dice, iou, precision_recall_f1

__all__ = [
    "Contingency",
    "ObjectF1",
    "PanopticQuality",
    "PrecisionRecallF1",
    "aji",
    "aji_plus",
    "average_precision",
    "contingency",
    "dice",
    "dice2",
    "iou",
    "object_dice",
    "object_f1",
    "panoptic_quality",
    "precision_recall_f1",
]
