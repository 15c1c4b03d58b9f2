"""Scores of segmentations: always ``(true, pred)``, exact, and open about what empty maps are worth.

Every score takes two maps or one `Contingency`; compute that once where several scores are wanted.
"""

from histolab_lib.metrics.contingency import Contingency, contingency
from histolab_lib.metrics.instances import aji
from histolab_lib.metrics.pixels import PrecisionRecallF1, dice, iou, precision_recall_f1

__all__ = ["Contingency", "PrecisionRecallF1", "aji", "contingency", "dice", "iou", "precision_recall_f1"]
