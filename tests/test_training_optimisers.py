"""Optimisers, averaged weights, and what a checkpoint keeps of both."""

import numpy as np
import pytest
import torch
from torch import nn

from histolab_lib.training.averaging import AveragedNetwork
from histolab_lib.training.optimisers import build_optimiser, set_lr
from histolab_lib.training.state import load_optimiser, optimiser_state
from tests.tiny_training import Dots, recipe

pytestmark = pytest.mark.thorough


def _step(network, optimiser, seed):
    images = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(seed))
    optimiser.zero_grad()
    network(images).square().mean().backward()
    optimiser.step()


@pytest.mark.parametrize(
    ("changes", "kind", "settings"),
    [
        ({"optimiser": "adam", "optimiser_options": {"eps": 1e-7}}, torch.optim.Adam, {"eps": 1e-7}),
        ({"optimiser": "adamw", "weight_decay": 0.1}, torch.optim.AdamW, {"weight_decay": 0.1}),
        (
            {"optimiser": "sgd", "momentum": 0.9, "optimiser_options": {"nesterov": True}},
            torch.optim.SGD,
            {"momentum": 0.9, "nesterov": True},
        ),
        (
            {"optimiser": "rmsprop", "momentum": 0.999, "weight_decay": 1e-8},
            torch.optim.RMSprop,
            {"momentum": 0.999, "weight_decay": 1e-8},
        ),
    ],
)
def test_a_recipe_names_the_optimiser_and_its_settings(changes, kind, settings):
    optimiser = build_optimiser(recipe(**changes), Dots())
    assert type(optimiser) is kind
    (group,) = optimiser.param_groups
    assert group["lr"] == 0.01
    assert {name: group[name] for name in settings} == settings
    assert sum(p.numel() for p in group["params"]) == sum(p.numel() for p in Dots().parameters())


def test_the_encoder_learns_at_its_own_rate():
    network = Dots()
    optimiser = build_optimiser(recipe(encoder_lr_factor=0.4), network)
    set_lr(optimiser, 0.5)
    rate = {id(p): group["lr"] for group in optimiser.param_groups for p in group["params"]}
    assert len(rate) == len(list(network.parameters()))
    assert {rate[id(p)] for p in network.encoder.parameters()} == {0.2}
    assert {rate[id(p)] for p in network.head.parameters()} == {0.5}


def test_frozen_parameters_are_left_out():
    network = Dots()
    network.encoder.requires_grad_(False)
    optimiser = build_optimiser(recipe(encoder_lr_factor=0.4), network)
    assert [len(group["params"]) for group in optimiser.param_groups] == [2]
    with pytest.raises(ValueError, match="Dots has no parameter that learns"):
        build_optimiser(recipe(), network.requires_grad_(False))


def test_what_does_not_fit_a_network_or_an_optimiser_is_an_error():
    with pytest.raises(ValueError, match=r"encoder_lr_factor is 0\.4, but Conv2d has no encoder; say 1"):
        build_optimiser(recipe(encoder_lr_factor=0.4), nn.Conv2d(3, 1, 1))
    with pytest.raises(ValueError, match=r"adam takes no momentum, got 0\.9; its betas are an option"):
        build_optimiser(recipe(optimiser="adam", momentum=0.9), Dots())
    with pytest.raises(ValueError, match=r"optimiser_options of adam: .*unexpected keyword argument 'epsilon'"):
        build_optimiser(recipe(optimiser="adam", optimiser_options={"epsilon": 1e-7}), Dots())


def test_averaged_weights_are_those_of_a_loop_and_forget_the_start():
    network = Dots()
    average = AveragedNetwork(network, 0.5)
    expected = {name: tensor.double().numpy().copy() for name, tensor in network.state_dict().items()}
    for step in range(1, 8):
        with torch.no_grad():
            for tensor in network.state_dict().values():
                tensor.add_(step)
        average.update(network, step)
        decay = min(0.5, (1 + step) / (10 + step))
        for name, tensor in network.state_dict().items():
            whole = not tensor.is_floating_point()  # counters are copied
            mixed = decay * expected[name] + (1 - decay) * tensor.double().numpy()
            expected[name] = tensor.numpy().copy() if whole else mixed
    for name, tensor in average.network.state_dict().items():
        np.testing.assert_allclose(tensor.numpy(), expected[name], rtol=1e-5)
    assert not average.network.training
    assert network.training
    assert not any(p.requires_grad for p in average.network.parameters())
    with pytest.raises(ValueError, match="decay of averaged weights must be at least 0 and below 1, got 1"):
        AveragedNetwork(network, 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"optimiser": "adam"},
        {"optimiser": "adamw", "encoder_lr_factor": 0.4},
        {"optimiser": "sgd"},
        {"optimiser": "sgd", "momentum": 0.9},
        {"optimiser": "rmsprop", "momentum": 0.9},
    ],
)
def test_an_optimiser_that_is_put_back_goes_on_as_if_nothing_had_happened(changes):
    made = recipe(**changes)
    runs = []
    for stops in (False, True):
        network = Dots().to(memory_format=torch.channels_last)
        optimiser = build_optimiser(made, network)
        for seed in range(3):
            _step(network, optimiser, seed)
        if stops:
            tensors, plain = optimiser_state(optimiser)
            optimiser = build_optimiser(made, network)
            load_optimiser(optimiser, {name: one.clone() for name, one in tensors.items()}, plain)
            for group in optimiser.param_groups:
                for p in group["params"]:
                    for value in optimiser.state[p].values():
                        assert value is None or value.ndim == 0 or value.stride() == p.stride()
        for seed in range(3, 6):
            _step(network, optimiser, seed)
        runs.append(network.state_dict())
    assert all(torch.equal(runs[0][name], runs[1][name]) for name in runs[0])
