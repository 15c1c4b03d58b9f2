"""A trained network in two files: tensors as safetensors, and a JSON beside them with recipe, hash and origin."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from histolab_lib import papers
from histolab_lib.data_dir import DataError
from histolab_lib.recipe import Recipe
from histolab_lib.training.checkpoints import CheckpointError, read_tensors, write_tensors

__all__ = ["FORMAT", "Trained", "export", "network_with", "read"]

#: Number of the layout.
FORMAT = 1


@dataclass(frozen=True)
class Trained:
    """A trained network and what is known of it.

    Attributes
    ----------
    name : str
    network : nn.Module
        In evaluation mode, on the CPU, in float32.
    recipe : Recipe
        How it was trained, and how its maps become objects: ``inference.segment(network, image, recipe)``.
    about : mapping of str
        What else its JSON says, such as licence and origin; empty for a checkpoint of a run.
    """

    name: str
    network: nn.Module
    recipe: Recipe
    about: Mapping[str, Any] = field(default_factory=dict)


def export(
    network: nn.Module, recipe: Recipe, path: Path, *, half: bool = False, about: Mapping[str, Any] | None = None
) -> Path:
    """Write a trained network to ``path`` (safetensors) and, with its recipe, to a JSON of the same name.

    Parameters
    ----------
    network : nn.Module
    recipe : Recipe
        It must build this network: `papers.build_for`.
    path : pathlib.Path
        Ends in ``.safetensors``. Its folder must exist; files that are there are replaced.
    half : bool
        Whether weights of convolutions and matrices are rounded to float16, which halves the file. Statistics of batch
        norm and biases stay as they are.
    about : mapping, optional
        What JSON can hold, kept in `Trained.about`.

    Returns
    -------
    pathlib.Path
        Of the JSON.
    """
    if path.suffix != ".safetensors":
        raise ValueError(f"{path}: the name of a file of tensors ends in .safetensors")
    tensors = {name: _rounded(tensor) if half else tensor for name, tensor in network.state_dict().items()}
    sha256 = write_tensors(path, tensors)
    facts = {
        "format": FORMAT,
        "sha256": sha256,
        "parameters": sum(p.numel() for p in network.parameters()),
        "recipe": recipe.settings(),
        "about": dict(about or {}),
    }
    config = path.with_suffix(".json")
    config.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return config


def read(path: Path) -> Trained:
    """Read what `export` wrote; `path` is either of the two files.

    Raises
    ------
    DataError
        If a file is missing or damaged, the hash of the tensors is not the one in the JSON, or they do not fit the
        network of the recipe.
    """
    config, tensors = path.with_suffix(".json"), path.with_suffix(".safetensors")
    try:
        facts = json.loads(config.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{config}: {error.strerror}; a network is two files, .safetensors and .json") from None
    except ValueError as error:
        raise DataError(f"{config}: no JSON ({error})") from None
    if not isinstance(facts, dict) or facts.get("format") != FORMAT or "recipe" not in facts:
        raise DataError(f"{config}: no trained network of layout {FORMAT}: it must hold format, sha256 and recipe")
    try:
        recipe = Recipe.from_json(json.dumps(facts["recipe"]))
        found = read_tensors(tensors, str(facts.get("sha256")))
    except CheckpointError as error:
        raise DataError(f"{error}; take both files from one place") from None
    except ValueError as error:
        raise DataError(f"{config}: {error}") from None
    return Trained(path.stem, network_with(recipe, found, str(tensors)), recipe, facts.get("about", {}))


def network_with(recipe: Recipe, tensors: Mapping[str, Tensor], where: str) -> nn.Module:
    """Build the network of a recipe and give it these weights, all of them and in float32.

    Raises
    ------
    DataError
        If they do not fit; the message begins with `where`.
    """
    try:
        network = papers.build(recipe.key, reading=recipe.reading, **recipe.network)
        network.load_state_dict(dict(tensors))
    except ValueError as error:
        raise DataError(f"{where}: its recipe cannot be built ({error})") from None
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise DataError(f"{where}: these weights do not fit {recipe.key} as its recipe builds it ({first})") from None
    return network.eval()


def _rounded(tensor: Tensor) -> Tensor:
    return tensor.to(torch.float16) if tensor.is_floating_point() and tensor.ndim > 1 else tensor
