"""Trained networks by name, from the library's own ``data/weights``, or from a file or folder of a run."""

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from histolab_lib import papers
from histolab_lib.choices import choose
from histolab_lib.data_dir import DataError, data_dir
from histolab_lib.pretrained.exported import Trained, network_with, read
from histolab_lib.recipe import Recipe
from histolab_lib.training.checkpoints import CheckpointError, newest, read_tensors

__all__ = ["SHIPPED", "load", "load_checkpoint", "names", "weights_dir"]

#: The network that `histolab predict` uses.
SHIPPED = "small_unet_tnbc"

_RECIPE = re.compile(r"(\w+)/(\w+)-(\w+) ([0-9a-f]{16})")


def weights_dir() -> Path:
    """Return the folder of the networks that the library ships."""
    return data_dir() / "weights"


def names() -> list[str]:
    """Return the names of the networks that the library ships."""
    return sorted(path.stem for path in weights_dir().glob("*.safetensors"))


def load(name: str = SHIPPED) -> Trained:
    """Return a network that the library ships; its hash is checked.

    Parameters
    ----------
    name : str
        One of `names`.

    Raises
    ------
    ValueError
        If there is none of this name.
    DataError
        If its files are damaged.
    """
    return read(weights_dir() / f"{choose('shipped network', name, names())}.safetensors")


def load_checkpoint(path: Path) -> Trained:
    """Return a network that was trained with this library.

    Parameters
    ----------
    path : pathlib.Path
        What `export` wrote (either file); or the folder of a run, or its ``checkpoints``, of which the newest whole
        checkpoint is taken: its best weights where the recipe selects them, else the averaged ones where it averages,
        else the last.

    Raises
    ------
    DataError
        If there is no such file or folder, it is no network of this library, it is damaged, or it was trained by a
        recipe that this version of the library does not have.
    """
    if path.is_dir():
        return _of_run(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file or folder; name a .safetensors with its .json beside it, or a run")
    if path.parent.name == "checkpoints":
        raise DataError(f"{path}: a checkpoint belongs to its run; name the folder, {path.parent}")
    if path.suffix not in (".safetensors", ".json"):
        raise DataError(
            f"{path}: expected a .safetensors with its .json beside it, as this library writes them, got "
            f"{path.suffix or 'no ending'}; pickled files (.pt, .pth) are not read, because they can run any code"
        )
    return read(path)


def _of_run(folder: Path) -> Trained:
    inside = folder / "checkpoints" if (folder / "checkpoints").is_dir() else folder
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a run that was killed leaves a damaged one; any will do
            found = newest(inside)
        if found is None:
            raise DataError(f"{folder}: holds no checkpoint (step-*.json) of a run")
        recipe = _recipe_of(str(found.facts.get("identity", {}).get("recipe")), folder)
        best: Mapping[str, Any] | None = found.facts.get("best")
        if best is not None:
            tensors = _part("network", read_tensors(inside / best["file"], best["sha256"]))
        else:
            tensors = _part("average", found.tensors) or _part("network", found.tensors)
    except CheckpointError as error:
        raise DataError(str(error)) from None
    name = (inside.parent if inside.name == "checkpoints" else inside).name
    return Trained(name, network_with(recipe, tensors, str(inside)), recipe)


def _recipe_of(text: str, folder: Path) -> Recipe:
    """The recipe that a run names, if the library still has it."""
    match = _RECIPE.fullmatch(text)
    if match is None:
        raise DataError(f"{folder}: its checkpoint does not name a recipe, got {text!r}")
    key, variant, reading, digest = match.groups()
    try:
        recipe = papers.recipe(key, reading, variant)
    except ValueError as error:
        raise DataError(f"{folder}: trained by a recipe that this library does not have ({error})") from None
    if recipe.digest() != digest:
        raise DataError(
            f"{folder}: trained by an older recipe {recipe.name} ({digest}; this library has {recipe.digest()}); use "
            "the version of the library that trained it"
        )
    return recipe


def _part(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    begin = f"{prefix}."
    return {name.removeprefix(begin): tensor for name, tensor in tensors.items() if name.startswith(begin)}
