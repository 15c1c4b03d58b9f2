"""Every network of the book by name, baselines too: how it is built, and how it is trained."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from histolab_lib.choices import choose
from histolab_lib.data_dir import DataError
from histolab_lib.encoders import imagenet_file
from histolab_lib.papers.entry import Network
from histolab_lib.papers.registry import networks
from histolab_lib.recipe import READINGS, Recipe

__all__ = ["Network", "build", "build_for", "encoder_of", "names", "recipe"]


def names() -> list[str]:
    """Return the names that `build` knows, baselines first.

    Examples
    --------
    >>> names()[:3]
    ['small_unet', 'unet', 'unetpp']
    """
    return list(networks())


def build(name: str, *, reading: str = "paper", **options: Any) -> nn.Module:
    """Build a network.

    Parameters
    ----------
    name : str
        One of `names`.
    reading : {"paper", "code", "clean"}
        Where the paper's text and the code released by its authors build different networks: whose. Baselines have
        one reading. ``"clean"`` is a way of training, and builds what ``"paper"`` does.
    **options
        Of the network, such as ``encoder="resnet18"``; with ``seed`` the weights that are not loaded.

    Returns
    -------
    nn.Module
        In training mode, on the CPU. It takes RGB in 0..1, float (N, 3, H, W) with sides that its `stride_px`
        divides, prepares what it sees by itself, and returns logits (N, 1, H, W) or an `outputs.Output`. Where it has
        an encoder with ImageNet weights, that is its ``encoder``.

    Raises
    ------
    ValueError
        If the name, the reading or an option is unknown, with the nearest known one, or an option's value is not
        allowed; or if ``reading="code"`` is asked for where no code was released.

    Examples
    --------
    >>> network = build("small_unet", width=8)
    >>> network.stride_px
    8
    >>> build("unett")
    Traceback (most recent call last):
    ...
    ValueError: unknown network 'unett', did you mean 'unet'? Allowed: 'small_unet', 'unet', ...
    """
    entry = _entry(name)
    _check_reading(name, entry, reading)
    allowed = [option for option in inspect.signature(entry.make).parameters if option != "reading"]
    for option in options:
        choose(f"option of {name!r}", option, allowed)
    if entry.code:
        options["reading"] = "code" if reading == "code" else "paper"
    return entry.make(**options)


def recipe(name: str, reading: str = "clean", variant: str = "base") -> Recipe:
    """Return how a network is trained.

    Parameters
    ----------
    name : str
        One of `names`.
    reading : {"paper", "code", "clean"}
        By the paper's text, by the released code, or by the protocol that treats all networks alike. Baselines have
        the last alone.
    variant : str
        ``"base"``, or names joined by two underscores, as the network's module documents them.

    Raises
    ------
    ValueError
        If there is no such recipe; the message tells which there are.

    Examples
    --------
    >>> recipe("unet", variant="mobilenetv2__imagenet").weights
    'imagenet'
    """
    entry = _entry(name)
    _check_reading(name, entry, reading)
    return entry.recipes(reading, variant)


def build_for(recipe: Recipe, *, seed: int, weights: Path | None = None) -> nn.Module:
    """Build the network of a recipe, with the starting weights that it asks for.

    Parameters
    ----------
    recipe : Recipe
    seed : int
        Decides all weights that are not loaded.
    weights : Path, optional
        The file of the encoder's weights, as `encoders.load_weights` reads it. None: for ImageNet's, the one in the
        data folder.

    Raises
    ------
    DataError
        If it asks for ImageNet weights and the data folder has none of this encoder, or for weights that are made here
        and no file of them is given.
    ValueError
        If it asks for none and a file is given.
    """
    options: dict[str, Any] = {**recipe.network, "seed": seed}
    if recipe.weights != "none":
        options["pretrained"] = weights or _file(recipe)
    elif weights is not None:
        raise ValueError(f"recipe {recipe.name} starts from random weights, got {weights}; leave out weights")
    return build(recipe.key, reading=recipe.reading, **options)


def encoder_of(recipe: Recipe) -> str:
    """Return the name of the encoder that a recipe's network has, whether it says so or leaves it to the default.

    Raises
    ------
    ValueError
        If the network has no encoder.
    """
    parameters: Mapping[str, inspect.Parameter] = inspect.signature(_entry(recipe.key).make).parameters
    if "encoder" not in parameters:
        raise ValueError(f"recipe {recipe.name}: weights={recipe.weights!r}, but {recipe.key} has no option encoder")
    return str(recipe.network.get("encoder", parameters["encoder"].default))


def _file(recipe: Recipe) -> Path:
    if recipe.weights == "imagenet":
        return imagenet_file(encoder_of(recipe))
    raise DataError(
        f"recipe {recipe.name} starts from weights={recipe.weights!r}, which are made for each run: histolab run makes "
        "them; or give the file that training.pretraining.pretrain has written as weights"
    )


def _entry(name: str) -> Network:
    known = networks()
    return known[choose("network", name, known)]


def _check_reading(name: str, entry: Network, reading: str) -> None:
    choose("reading", reading, READINGS)
    if reading == "code" and not entry.code:
        raise ValueError(
            f"no code was released for {entry.title} ({name!r}); leave out reading, or pass reading='paper'"
        )
