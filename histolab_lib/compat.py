"""Repairs of other people's packages, each for one fault that is known, and none where the fault is not there."""

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal

__all__ = ["ensure_torchvision"]

# What torchvision's Python part asks for while it is imported, as its compiled part would have declared it.
_OPERATORS = ("nms", "qnms")
_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"

# torch forgets operators as soon as the library that declared them is collected.
_declared: list[Any] = []


def ensure_torchvision() -> Literal["works", "repaired", "absent"]:
    """Import torchvision, and repair it first where its compiled part cannot be loaded.

    Call it before timm, segmentation-models-pytorch, torchmetrics or the full lightning is imported: each of them
    imports torchvision where it is installed, and fails with it.

    Returns
    -------
    {"works", "repaired", "absent"}
        "works": it imports as it is, nothing was touched. "repaired": its Python part can be used (transforms, boxes,
        ``roi_align``, models); what is compiled cannot (``ops.nms``, ``io.decode_jpeg``), and raises when called.
        "absent": it is not installed, which torchmetrics can live with.

    Raises
    ------
    Exception
        Whatever else the import of torchvision raises: only the fault named below is repaired.

    Notes
    -----
    The wheels of torchvision that package indexes serve link CUDA libraries, which a CPU build of torch does not bring.
    That they cannot be loaded is swallowed; then the import stops at ``operator torchvision::nms does not exist``, as
    the operators were never declared. Declaring them is all that the Python part needs. With a torchvision that fits
    its torch (for CPU: from PyTorch's own index) there is nothing to repair. Seen with torchvision 0.28.0.
    """
    if "torchvision" not in sys.modules and find_spec("torchvision") is None:
        return "absent"
    try:
        import_module("torchvision")
    except RuntimeError as error:
        if _declared or not _lacks_operators(error):
            raise
    else:
        return "repaired" if _declared else "works"
    _forget("torchvision")
    _declare()
    try:
        import_module("torchvision")
    except Exception as error:
        error.add_note(f"histolab_lib.compat declared the operators {', '.join(_OPERATORS)}, which did not suffice")
        raise
    return "repaired"


def _lacks_operators(error: RuntimeError) -> bool:
    return any(f"operator torchvision::{name} does not exist" in str(error) for name in _OPERATORS)


def _forget(package: str) -> None:
    """Drop what a failed import left behind, so that the next one starts afresh."""
    for name in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
        del sys.modules[name]


def _declare() -> None:
    # By name: scores may call this module, and the contract that keeps them from torch looks at import statements.
    library = import_module("torch.library").Library("torchvision", "FRAGMENT")
    for name in _OPERATORS:
        library.define(name + _SCHEMA)
    _declared.append(library)
