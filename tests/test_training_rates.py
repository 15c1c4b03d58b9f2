"""Learning rates: each schedule against torch's own or a loop, and what follows from validation scores."""

import numpy as np
import pytest
import torch

from histolab_lib.training import learning_rate
from histolab_lib.training.rates import best_step, out_of_patience
from tests.tiny_training import recipe


def _rates(steps, scores=None, **changes):
    made = recipe(lr=0.1, **changes)
    return [learning_rate(made, step, steps, scores) for step in range(1, steps + 1)]


def _torch_rates(steps, scheduler, **options):
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    schedule, rates = getattr(torch.optim.lr_scheduler, scheduler)(optimiser, **options), []
    for _ in range(steps):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step()
    return rates


@pytest.mark.parametrize(
    ("changes", "scheduler", "options"),
    [
        ({"lr_schedule": "cosine"}, "CosineAnnealingLR", {"T_max": 100}),
        (
            {"lr_schedule": "cosine", "lr_schedule_options": {"floor": 0.1}},
            "CosineAnnealingLR",
            {"T_max": 100, "eta_min": 0.01},
        ),
        (
            {"lr_schedule": "poly", "lr_schedule_options": {"power": 0.9}},
            "PolynomialLR",
            {"total_iters": 100, "power": 0.9},
        ),
        (
            {"lr_schedule": "step", "lr_schedule_options": {"every": 30, "factor": 0.5}},
            "StepLR",
            {"step_size": 30, "gamma": 0.5},
        ),
        ({"lr_schedule": "constant"}, "ConstantLR", {"factor": 1.0}),
    ],
)
def test_schedules_are_those_of_torch(changes, scheduler, options):
    np.testing.assert_allclose(_rates(100, **changes), _torch_rates(100, scheduler, **options), atol=1e-12)


def test_a_shorter_run_has_the_same_curve():
    whole = _rates(100, lr_schedule="step", lr_schedule_options={"every": 30, "factor": 0.5})
    assert _rates(10, lr_schedule="step", lr_schedule_options={"every": 30, "factor": 0.5}) == whole[::10]


def test_a_warm_up_rises_in_equal_steps_to_where_the_schedule_begins():
    rates = _rates(50, lr_schedule="cosine", warmup=0.1)
    np.testing.assert_allclose(rates[:6], [0.1 * k / 6 for k in range(1, 7)])
    expected = [0.1 * (1 + np.cos(np.pi * k / 45)) / 2 for k in range(45)]
    np.testing.assert_allclose(rates[5:], expected, atol=1e-12)


def test_a_plateau_lowers_the_rate_when_the_score_has_not_risen_for_its_patience():
    scores = {10: 0.5, 20: 0.6, 30: 0.6, 40: 0.6, 50: 0.6005, 60: 0.7, 70: 0.6, 80: 0.6}
    options = {"factor": 0.5, "patience": 20, "min_delta": 0.001, "min_lr": 0.03}
    made = recipe(lr=0.1, lr_schedule="plateau", lr_schedule_options=options)

    def rate_after(step):
        return learning_rate(made, step + 1, 100, {k: v for k, v in scores.items() if k <= step})

    # 0.6 at 20; at 40 twenty steps without more: lowered; 0.6005 is no improvement, 0.7 is
    assert [rate_after(step) for step in (0, 30, 40, 50, 60, 70)] == [0.1, 0.1, 0.05, 0.05, 0.05, 0.05]
    assert rate_after(80) == 0.03  # 0.025 would be below the floor


def test_a_plateau_of_the_loss_waits_for_it_to_fall():
    options = {"factor": 0.1, "patience": 10}
    made = recipe(
        lr=0.1,
        lr_schedule="plateau",
        lr_schedule_options=options,
        validation={"share": 0.2, "metric": "loss"},
    )
    assert learning_rate(made, 31, 100, {10: 0.9, 20: 0.8, 30: 0.7}) == 0.1
    assert learning_rate(made, 31, 100, {10: 0.9, 20: 0.95, 30: 0.85}) == pytest.approx(0.01)


PLATEAU = {"lr_schedule": "plateau", "lr_schedule_options": {"factor": 0.1, "patience": 20, "min_delta": 0.01}}
BY_LOSS = {"validation": {"share": 0.2, "metric": "loss"}}


@pytest.mark.parametrize("shift", [-24.0, -1.0, 1e-9, 5.0])
def test_rates_and_patience_do_not_care_whether_a_loss_is_negative(shift):
    """The modified LinkNet's is; nothing here may look at a ratio of losses."""
    made = recipe(lr=0.1, patience=30, **PLATEAU, **BY_LOSS)
    fallen = {step: 1 - min(step, 40) / 50 for step in range(10, 101, 10)}  # until step 40, then it stays
    moved = {step: loss + shift for step, loss in fallen.items()}
    for step in range(1, 101):
        known, other = ({k: v for k, v in scores.items() if k < step} for scores in (fallen, moved))
        assert learning_rate(made, step, 100, known) == learning_rate(made, step, 100, other)
        assert out_of_patience(made, step, 100, known) == out_of_patience(made, step, 100, other)
    assert best_step(made, moved) == 40
    assert learning_rate(made, 100, 100, moved) < 0.1
    assert out_of_patience(made, 70, 100, moved)


def test_a_relative_plateau_takes_a_negative_loss_that_stays_for_one_that_falls():
    """Why ours are absolute: below 0 torch's default threshold lies above the best loss, not below it."""

    def lowered(loss, mode):
        optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, patience=5, threshold_mode=mode)
        for _ in range(50):
            schedule.step(loss)
        return optimiser.param_groups[0]["lr"] < 0.1

    at_its_best = 3 * (-(np.e**2) - 1)  # L3 with the coarse output
    assert [lowered(loss, mode) for mode in ("rel", "abs") for loss in (1.0, at_its_best)] == [True, False, True, True]
    made = recipe(lr=0.1, **PLATEAU, **BY_LOSS)
    assert learning_rate(made, 51, 100, dict.fromkeys(range(10, 51, 10), at_its_best)) < 0.1


def test_the_best_step_is_the_earliest_of_equals_and_never_one_without_a_number():
    high, low = recipe(), recipe(validation={"share": 0.2, "metric": "loss"})
    scores = {1: 0.3, 2: 0.9, 3: 0.9, 4: float("nan")}
    assert (best_step(high, scores), best_step(low, scores)) == (2, 1)
    assert best_step(high, {1: float("nan")}) is None


def test_patience_is_in_the_unit_of_the_recipe_and_shrinks_with_the_run():
    made = recipe(patience=20)  # of 100 steps
    scores = {10: 0.5, 30: 0.4}
    assert not out_of_patience(made, 29, 100, scores)
    assert out_of_patience(made, 30, 100, scores)
    assert out_of_patience(made, 14, 20, scores)
    assert not out_of_patience(recipe(), 99, 100, scores)
    assert not out_of_patience(made, 99, 100, {})


def test_patience_can_be_counted_in_validations_where_an_epoch_of_a_shortened_run_has_none_of_its_own():
    plateau = {"lr_schedule": "plateau", "lr_schedule_options": {"factor": 0.5, "patience": 2}}
    made = recipe(lr=0.1, steps=None, epochs=100, patience=4, **plateau)
    scores = {10: 0.5, 20: 0.4, 30: 0.4, 40: 0.4, 50: 0.4}  # a run of 100 steps, in the place of 100 epochs of many
    assert out_of_patience(made, 20, 100, scores)
    assert [out_of_patience(made, step, 100, scores, every=10) for step in (20, 40, 49, 50)] == [False] * 3 + [True]

    def rate_after(step, every):
        return learning_rate(made, step + 1, 100, {k: v for k, v in scores.items() if k <= step}, every)

    assert [rate_after(step, 0) for step in (10, 20, 30)] == [0.1, 0.05, 0.025]
    assert [rate_after(step, 10) for step in (10, 20, 30, 40, 50)] == [0.1, 0.1, 0.05, 0.05, 0.025]
    # A run with several validations an epoch has its patience in epochs, as the recipe says.
    assert not out_of_patience(made, 49, 1000, {10: 0.5}, every=10)
    assert out_of_patience(made, 50, 1000, {10: 0.5}, every=10)
    assert out_of_patience(recipe(patience=20), 30, 100, {10: 0.5}, every=50)  # a recipe in steps has no epochs


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lr_schedule": "poly"}, "lr_schedule 'poly' needs power"),
        ({"lr_schedule": "plateau", "lr_schedule_options": {"factor": 0.1}}, "lr_schedule 'plateau' needs patience"),
        (
            {"lr_schedule": "cosine", "lr_schedule_options": {"power": 1}},
            "lr_schedule 'cosine' has no option 'power'; it takes floor",
        ),
        (
            {"lr_schedule": "constant", "lr_schedule_options": {"power": 1}},
            "lr_schedule 'constant' has no option 'power'; it takes none",
        ),
    ],
)
def test_options_that_are_missing_or_unknown_are_errors(changes, message):
    with pytest.raises(ValueError, match=message):
        learning_rate(recipe(**changes), 1, 10)
