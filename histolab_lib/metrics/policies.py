"""What other libraries score when a map is empty: those at hand are run, the others are quoted as their source reads.

The book's table of empty policies comes from here, by way of ``data/facts/empty_policies.json``. No library is imported
before a fact about it is asked for, and one that cannot be imported is quoted.
"""

import json
import math
import warnings
from collections.abc import Callable
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from histolab_lib.compat import ensure_torchvision

__all__ = ["CASES", "Case", "collect_facts", "run_case", "write_facts"]

_Map: TypeAlias = npt.NDArray[np.bool_]
_Outcome: TypeAlias = float | str

# Where torchvision is installed and cannot be imported, neither can these.
_NEED_TORCHVISION = ("torchmetrics", "segmentation-models-pytorch")
_SITUATIONS = ("both_empty", "pred_empty", "true_empty")


class Case(NamedTuple):
    """One function of one library, and what it makes of empty maps.

    Attributes
    ----------
    library : str
        Name of the distribution, or of the repository where there is none.
    function : str
        The function, with the options that matter.
    read : tuple of three
        What its source says for two empty maps, an empty prediction and an empty truth: a number; "nan", "inf"; or the
        name of the exception that it raises.
    source : str
        The file in which that was read.
    call : callable, optional
        Takes (true, pred), two bool maps of shape (H, W), and asks the library itself; None: it is never run here.
    """

    library: str
    function: str
    read: tuple[_Outcome, _Outcome, _Outcome]
    source: str
    call: Callable[[_Map, _Map], Any] | None = None


def write_facts(path: Path | str) -> dict[str, Any]:
    """Write `collect_facts` as JSON and return it.

    Parameters
    ----------
    path : path
        The file; its folder must exist.

    Returns
    -------
    dict
        What was written.
    """
    facts = collect_facts()
    text = json.dumps(facts, indent=1, ensure_ascii=False, allow_nan=False)
    Path(path).write_text(text + "\n", encoding="utf-8")
    return facts


def collect_facts() -> dict[str, Any]:
    """Score three pairs of maps with every library at hand, and quote the others.

    Returns
    -------
    dict
        ``maps`` (the example, in words) and ``rows``: for each function library, version (None where only read),
        function, both_empty, pred_empty, true_empty, how ("run" or "read") and source. What is no finite number is
        written as a word ("nan", "inf", or the name of an exception), as JSON has no such numbers.
    """
    maps = "4x4 pixels: no object at all, or one object, a block of 2x2 pixels in the middle"
    return {"maps": maps, "rows": [_row(case) for case in CASES]}


def run_case(case: Case) -> tuple[_Outcome, ...] | None:
    """Ask the library itself, in the order of `Case.read`; None where it is never run or cannot be imported here."""
    if case.call is None or not _importable(case.library):
        return None
    nothing = np.zeros((4, 4), bool)
    block = nothing.copy()
    block[1:3, 1:3] = True
    pairs = ((nothing, nothing), (block, nothing), (nothing, block))
    return tuple(_outcome(case.call, true, pred) for true, pred in pairs)


def _row(case: Case) -> dict[str, Any]:
    ran = run_case(case)
    return {
        "library": case.library,
        "version": None if ran is None else metadata.version(case.library),
        "function": case.function,
        **dict(zip(_SITUATIONS, case.read if ran is None else ran, strict=True)),
        "how": "read" if ran is None else "run",
        "source": case.source,
    }


def _importable(library: str) -> bool:
    name = {"scikit-image": "skimage"}.get(library, library.replace("-", "_"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if library in _NEED_TORCHVISION:
                ensure_torchvision()
            import_module(name)
    except ImportError:
        return False
    return True


def _outcome(call: Callable[[_Map, _Map], Any], true: _Map, pred: _Map) -> _Outcome:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = float(call(true, pred))
    except Exception as error:  # which one is the finding
        return type(error).__name__
    return round(value, 6) if math.isfinite(value) else str(value)


def _batch(labels: _Map, kind: str) -> Any:
    """Tensor of shape (1, 1, H, W): one image, one class."""
    torch = import_module("torch")
    return torch.as_tensor(labels).to(getattr(torch, kind))[None, None]


def _scipy(name: str) -> Callable[[_Map, _Map], Any]:
    def call(true: _Map, pred: _Map) -> Any:
        return 1 - getattr(import_module("scipy.spatial.distance"), name)(true.ravel(), pred.ravel())

    return call


def _skimage(module: str, name: str) -> Callable[[_Map, _Map], Any]:
    return lambda true, pred: getattr(import_module(f"skimage.{module}"), name)(true, pred)


def _monai(name: str, **options: Any) -> Callable[[_Map, _Map], Any]:
    def call(true: _Map, pred: _Map) -> Any:
        function = getattr(import_module("monai.metrics"), name)
        return function(_batch(pred, "float32"), _batch(true, "float32"), include_background=True, **options)

    return call


def _monai_pq(true: _Map, pred: _Map) -> Any:
    compute = import_module("monai.metrics").compute_panoptic_quality
    return compute(_batch(pred, "int64")[0, 0], _batch(true, "int64")[0, 0])


def _torchmetrics(module: str, name: str, **options: Any) -> Callable[[_Map, _Map], Any]:
    def call(true: _Map, pred: _Map) -> Any:
        function = getattr(import_module(f"torchmetrics.functional.{module}"), name)
        return function(_batch(pred, "int64"), _batch(true, "int64"), **options)

    return call


def _torchmetrics_pq(true: _Map, pred: _Map) -> Any:
    """PQ of the objects alone: class 1 is a thing, background (class 0) another class with a score of its own."""
    stack, tensors = import_module("torch").stack, [_batch(labels, "int64")[0] for labels in (pred, true)]
    panoptic_quality = import_module("torchmetrics.functional.detection").panoptic_quality
    classes_and_ids = [stack([tensor, tensor], dim=-1) for tensor in tensors]
    return panoptic_quality(*classes_and_ids, things={1}, stuffs={0}, return_per_class=True)[0, 0]


def _smp(name: str) -> Callable[[_Map, _Map], Any]:
    def call(true: _Map, pred: _Map) -> Any:
        functions = import_module("segmentation_models_pytorch.metrics.functional")
        counts = functions.get_stats(_batch(pred, "int64"), _batch(true, "int64"), mode="binary")
        return getattr(functions, name)(*counts, reduction="micro-imagewise")

    return call


_HOVER_NET = "vqdang/hover_net@67e2ce5, metrics/stats_utils.py"
_SMP = "segmentation_models_pytorch/metrics/functional.py: zero_division=1.0 by default"
_DICE, _DEFAULT, _HD95 = "compute_dice", "compute_dice, defaults", "compute_hausdorff_distance, percentile=95"

# The three outcomes: two empty maps, an empty prediction, an empty truth.
CASES = (
    Case("scipy", "1 - spatial.distance.dice", ("nan", 0, 0), "scipy/spatial/distance.py", _scipy("dice")),
    Case("scipy", "1 - spatial.distance.jaccard", (1, 0, 0), "scipy/spatial/distance.py", _scipy("jaccard")),
    Case(
        "scikit-image",
        "metrics.hausdorff_distance",
        (0, "inf", "inf"),
        "skimage/metrics/set_metrics.py",
        _skimage("metrics", "hausdorff_distance"),
    ),
    Case(
        "scikit-image",
        "measure.intersection_coeff (recall)",
        (0, 0, 0),
        "skimage/measure/_colocalization.py",
        _skimage("measure", "intersection_coeff"),
    ),
    Case("monai", _DEFAULT, ("nan", 0, "nan"), "monai/metrics/meandice.py", _monai(_DICE)),
    Case(
        "monai",
        "compute_dice, ignore_empty=False",
        (1, 0, 0),
        "monai/metrics/meandice.py",
        _monai(_DICE, ignore_empty=False),
    ),
    Case("monai", "compute_iou, defaults", ("nan", 0, "nan"), "monai/metrics/meaniou.py", _monai("compute_iou")),
    Case(
        "monai",
        "compute_hausdorff_distance",
        ("nan", "inf", "inf"),
        "monai/metrics/hausdorff_distance.py",
        _monai("compute_hausdorff_distance"),
    ),
    Case(
        "monai",
        _HD95,
        ("nan", "nan", "nan"),
        "monai/metrics/hausdorff_distance.py",
        _monai("compute_hausdorff_distance", percentile=95),
    ),
    Case("monai", "compute_panoptic_quality", (0, 0, 0), "monai/metrics/panoptic_quality.py", _monai_pq),
    Case(
        "torchmetrics",
        "segmentation.dice_score",
        ("nan", 0, 0),
        "torchmetrics/functional/segmentation/dice.py",
        _torchmetrics("segmentation", "dice_score", num_classes=1, include_background=True),
    ),
    Case(
        "torchmetrics",
        "classification.binary_f1_score",
        (0, 0, 0),
        "torchmetrics/functional/classification/f_beta.py",
        _torchmetrics("classification", "binary_f1_score"),
    ),
    Case(
        "torchmetrics",
        "classification.binary_jaccard_index",
        (0, 0, 0),
        "torchmetrics/functional/classification/jaccard.py",
        _torchmetrics("classification", "binary_jaccard_index"),
    ),
    Case(
        "torchmetrics",
        "detection.panoptic_quality, of the class of objects",
        (0, 0, 0),
        "torchmetrics/functional/detection/_panoptic_quality_common.py",
        _torchmetrics_pq,
    ),
    Case("segmentation-models-pytorch", "metrics.f1_score", (1, 0, 0), _SMP, _smp("f1_score")),
    Case("segmentation-models-pytorch", "metrics.iou_score", (1, 0, 0), _SMP, _smp("iou_score")),
    Case("segmentation-models-pytorch", "metrics.precision", (1, 1, 0), _SMP, _smp("precision")),
    Case("segmentation-models-pytorch", "metrics.recall", (1, 0, 1), _SMP, _smp("recall")),
    Case("hover_net", "get_dice_1", ("nan", 0, 0), _HOVER_NET),
    Case("hover_net", "get_fast_aji", ("ValueError", "ValueError", 0), _HOVER_NET),
    Case("hover_net", "get_fast_aji_plus", ("nan", 0, 0), _HOVER_NET),
    Case("hover_net", "get_fast_pq", ("ZeroDivisionError", 0, 0), _HOVER_NET),
    Case("hover_net", "get_fast_dice_2", ("ZeroDivisionError",) * 3, _HOVER_NET),
    Case("MoNuSeg", "Aggregated_Jaccard_Index_v1_0", ("nan", 0, 0), "the organisers' MATLAB program"),
    Case("GlaS", "F1score", (1, 0, 0), "the contest's MATLAB program, F1score.m"),
    Case("GlaS", "ObjectDice", (1, 0, 0), "the contest's MATLAB program, ObjectDice.m"),
    Case("GlaS", "Hausdorff, of two objects", (0, "inf", "inf"), "the contest's MATLAB program, Hausdorff.m"),
    Case("cellpose", "metrics.average_precision", ("nan", 0, 0), "MouseLand/cellpose@849ca11, cellpose/metrics.py"),
    Case("stardist", "matching.matching", (0, 0, 0), "stardist/stardist@650d3a1, stardist/matching.py"),
    Case("tiatoolbox", "utils.metrics.dice", ("nan", 0, 0), "tiatoolbox@6fc8a2e, tiatoolbox/utils/metrics.py"),
    Case("medpy", "metric.binary.dc", (1, 0, 0), "medpy/metric/binary.py"),
    Case("medpy", "metric.binary.hd", ("RuntimeError",) * 3, "medpy/metric/binary.py"),
    Case("surface-distance", "compute_dice_coefficient", ("nan", 0, 0), "google-deepmind/surface-distance@1f805ce"),
    Case(
        "surface-distance",
        "compute_robust_hausdorff",
        ("inf", "inf", "inf"),
        "google-deepmind/surface-distance@1f805ce",
    ),
    Case("HistoSeg", "f1_m", (0, 0, 0), "saadwazir/HistoSeg, HistoSeg_Test.py"),
    Case("HistoSeg", "dice_coef", (1, 0.875, 0.875), "saadwazir/HistoSeg, HistoSeg_Test.py"),
    Case("HistoSeg", "MeanIoU", (1, 0.375, 0.375), "saadwazir/HistoSeg, HistoSeg_Test.py"),
    Case("DAN-NucNet", "jaccard / 100", (1, 0.961538, 0.961538), "ibtihajahmadkhan/DAN-Nuc-Net, metrics.py"),
    Case("DAN-NucNet", "f1_score (0 and nan are dropped)", ("nan", 0, 0), "ibtihajahmadkhan/DAN-Nuc-Net, metrics.py"),
    Case("HARU-Net", "get_dice", ("nan", "nan", "nan"), "Junzhou-Chen/HARU-Net, appraise.py"),
)
