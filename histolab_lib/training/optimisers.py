"""The optimiser that a recipe names, with a rate of its own for the encoder."""

from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from histolab_lib.recipe import Recipe

__all__ = ["build_optimiser", "set_lr"]


def build_optimiser(recipe: Recipe, network: nn.Module) -> Optimizer:
    """Return the optimiser of a recipe over the parameters of a network that want a gradient.

    Weight decay is decoupled for ``adamw`` (Loshchilov and Hutter 2019) and added to the gradient for the others, as
    torch has it; it acts on all parameters. Where `encoder_lr_factor` is not 1, the parameters of ``network.encoder``
    learn at so many times the rate.

    Raises
    ------
    ValueError
        If the encoder is to have a rate of its own and the network has none, the optimiser has no momentum, or no
        such option.
    """
    settings: dict[str, Any] = {"lr": recipe.lr, "weight_decay": recipe.weight_decay, **recipe.optimiser_options}
    kinds = {
        "adam": torch.optim.Adam,
        "adamw": torch.optim.AdamW,
        "rmsprop": torch.optim.RMSprop,
        "sgd": torch.optim.SGD,
    }
    if recipe.optimiser in ("sgd", "rmsprop"):
        settings["momentum"] = recipe.momentum
    elif recipe.momentum:
        raise ValueError(f"{recipe.optimiser} takes no momentum, got {recipe.momentum}; its betas are an option")
    groups = _groups(recipe, network)
    if not any(group["params"] for group in groups):
        raise ValueError(f"{type(network).__name__} has no parameter that learns")
    try:
        return kinds[recipe.optimiser](groups, **settings)
    except TypeError as error:
        raise ValueError(f"optimiser_options of {recipe.optimiser}: {error}") from None


def set_lr(optimiser: Optimizer, lr: float) -> None:
    """Set the learning rate; a group with a factor learns at so many times it."""
    for group in optimiser.param_groups:
        group["lr"] = lr * group["lr_factor"]


def _groups(recipe: Recipe, network: nn.Module) -> list[dict[str, Any]]:
    learning = [p for p in network.parameters() if p.requires_grad]
    if recipe.encoder_lr_factor == 1:
        return [{"params": learning, "lr_factor": 1.0}]
    encoder = getattr(network, "encoder", None)
    if not isinstance(encoder, nn.Module):
        raise ValueError(
            f"encoder_lr_factor is {recipe.encoder_lr_factor}, but {type(network).__name__} has no encoder; say 1"
        )
    inside = {id(p) for p in encoder.parameters()}
    parts = ([p for p in learning if id(p) not in inside], [p for p in learning if id(p) in inside])
    return [
        {"params": part, "lr_factor": factor}
        for part, factor in zip(parts, (1.0, recipe.encoder_lr_factor), strict=True)
        if part
    ]
