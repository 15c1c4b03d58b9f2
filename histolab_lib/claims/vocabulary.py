"""The words that claim files may use, and the order of their columns."""

from collections.abc import Mapping
from types import MappingProxyType

__all__ = [
    "AVERAGING",
    "COMPARING",
    "DATASETS",
    "DISTANCES",
    "HEADER",
    "METRICS",
    "PAPERS",
    "PIXELS",
    "SCORES",
    "SPLITS",
    "UNREADABLE",
    "VERSION",
    "WORDED",
]

#: Of the header and the vocabularies; raised when a file that was right would no longer be.
VERSION = 1

#: The columns of a claim file, in this order.
HEADER = (
    "paper", "location", "row", "dataset", "split", "metric", "value", "unit", "averaging", "images", "note",
)  # fmt: skip

#: The papers of this book, by key, as they are called in a sentence. A reader's own file may name another.
PAPERS: Mapping[str, str] = MappingProxyType(
    {
        "haru_net": "HARU-Net",
        "histoseg": "HistoSeg",
        "gland_linknet": "the modified LinkNet for glands",
        "msal_net": "MSAL-Net",
        "dan_nucnet": "DAN-NucNet",
    }
)

#: The names of ``datasets.load``, and "none" for what is not about a data set.
DATASETS = (
    "monuseg", "kumar", "glas", "tnbc", "cpm17", "consep", "pannuke", "synthetic", "folder", "none",
)  # fmt: skip

#: The splits of ``datasets.load``; "all" for a set as a whole, "unstated", and "none" for what is about no split.
SPLITS = (
    "train", "val", "test", "testA", "testB", "test_same", "test_diff", "fit", "extra", "fold1", "fold2", "fold3",
    "all", "unstated", "none",
)  # fmt: skip

#: How one number came from many images. Empty where the question does not arise, as for a count.
AVERAGING: Mapping[str, str] = MappingProxyType(
    {
        "per_image": "mean over images",
        "pooled": "pooled over all images",
        "per_group": "mean over groups of images",
        "unstated": "averaging not stated",
    }
)

_SHARE, _COUNT, _PX = ("fraction", "percent"), ("count",), ("px",)
SCORES = (
    "dice", "iou", "precision", "recall", "f1", "aji", "aji_plus", "dice2", "pq", "dq", "sq",
    "object_dice", "object_f1", "object_precision", "object_recall", "boundary_f1",
)  # fmt: skip
DISTANCES = ("object_hausdorff", "hd95")
_COUNTS = (
    "images", "patches", "nuclei", "glands", "organs", "patients", "classes", "batch_size", "epochs", "patience",
    "layers", "filters", "channels", "branches", "iterations", "slides", "datasets",
)  # fmt: skip
PIXELS = ("width_px", "height_px", "kernel_px", "stride_px", "receptive_field_px")
_FACTORS = (
    "learning_rate", "lr_factor", "weight_decay", "momentum", "dropout", "loss_weight", "threshold", "zoom",
    "reduction", "magnification", "dilation", "focal_gamma", "smoothing", "min_delta",
)  # fmt: skip
COMPARING = ("gain", "ordering")
WORDED = ("organ", "ordering", "software", "hardware")

#: What may be claimed, and in which units: scores by the names that `metrics.evaluate` gives them; then what only
#: papers tell. The value of `organ`, `ordering`, `software` and `hardware` is the printed words, not a number.
METRICS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    dict.fromkeys(SCORES, _SHARE)
    | dict.fromkeys(DISTANCES, _PX)
    | dict.fromkeys(_COUNTS, _COUNT)
    | dict.fromkeys(PIXELS, _PX)
    | dict.fromkeys((*_FACTORS, *WORDED), ("none",))
    | {
        "parameters": ("million", "count"),
        "training_time": ("seconds", "minutes", "hours", "unstated"),
        "threshold": (*_SHARE, "none"),
        "memory": ("gigabytes",),
        "rotation": ("degrees",),
        "translation": _SHARE,
        "shear": (*_SHARE, "degrees"),
        "gain": (*_SHARE, "px", "none"),
    }
)

#: Stands for a value that our text of the paper has lost.
UNREADABLE = "unreadable"
