"""The rules on networks and on post-processing."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histolab_lib.audit import networks, postprocessing
from histolab_lib.audit.known import known
from histolab_lib.claims import Claim
from histolab_lib.metrics import evaluate
from histolab_lib.postprocess import grow_labels, split_components, watershed_instances
from tests.audit_claims import said, severities


def _parameters(row, value, unit="million", paper="mine"):
    return severities(
        networks.parameters_of_the_network, [said("parameters", value, row, dataset="none", unit=unit, paper=paper)]
    )


@pytest.mark.parametrize(
    ("row", "value", "unit"),
    [
        ("LinkNet", "11", "million"), ("LinkNet", "11.7", "million"), ("Link-Net", "11,663,777", "count"),
        ("U-Net", "31.03", "million"), ("UNet", "24.4", "million"), ("Unet++", "26.1", "million"),
        ("DeepLabV3+", "22", "million"), ("LinkNet", "21.791073", "million"),
    ],
)  # fmt: skip
def test_a_number_that_some_variant_has_is_fine_rounded_or_cut_off(row, value, unit):
    assert _parameters(row, value, unit) == ["fine"]


def test_another_number_is_unlikely_under_a_name_and_inconsistent_for_a_network_as_described(monkeypatch):
    assert _parameters("U-Net", "33") == ["unlikely"]
    assert _parameters("LinkNet", "11.5") == ["unlikely"]
    built = {"mine": {"variants": {"base": {"parameters": 9_276_113, "statistics": 3_904, "options": {}}}}}
    monkeypatch.setattr(networks, "_networks", lambda: built)
    assert _parameters("Proposed", "9.276") == ["fine"]
    assert _parameters("Proposed", "9.277") == ["inconsistent"]


def test_a_network_that_was_not_built_is_said_so():
    assert _parameters("SCPP-Net", "4.6") == ["not built yet"]
    assert severities(networks.parameters_of_the_network, [said("parameters", "unreadable", "U-Net")]) == []


@given(st.integers(100_000, 99_999_999), st.integers(0, 6), st.booleans())
def test_no_rounding_or_cutting_off_of_a_true_number_is_accused(parameters, digits, cut):
    millions = parameters / 1e6
    shown = f"{np.floor(millions * 10**digits) / 10**digits if cut else millions:.{digits}f}"
    allowed = networks._parameters(Claim("p", "l", "r", "none", "none", "parameters", shown, "million", ""))
    assert allowed[0] <= parameters <= allowed[1]


def test_the_parameters_of_the_first_unet_are_those_of_its_figure():
    """Two convolutions of kernel 3 to a level, 64 to 1024 channels, transposed ones of kernel 2 upwards, all biased."""
    widths = (64, 128, 256, 512, 1024)
    down = [3, *widths]
    total = sum(9 * a * b + b + 9 * b * b + b for a, b in zip(down, widths, strict=False))
    total += sum(4 * b * a + a + 9 * 2 * a * a + a + 9 * a * a + a for a, b in pairwise(widths))
    assert [one["parameters"] for one in known()["network"] if one["name"] == "unet"] == [total + 64 + 1]


def _fields(values, paper="msal_net"):
    return [said("receptive_field_px", value, f"layer {place}", paper=paper) for place, value in enumerate(values, 1)]


def test_receptive_fields_are_those_of_the_described_stack():
    (found,) = networks.receptive_fields(_fields([3, 7, 9, 19]))
    assert (found.severity, found.values) == ("fine", ("3", "7", "9", "19"))
    assert severities(networks.receptive_fields, _fields([3, 7, 9, 17])) == ["inconsistent"]
    assert severities(networks.receptive_fields, _fields([3, 8], paper="mine")) == []


def test_the_formula_of_receptive_fields_is_what_ones_spread_to():
    """Independent: an impulse goes through the stack, and what it reaches is measured."""
    for stack in known()["cascade"]:
        for rates in stack["branches"]:
            seen = np.zeros(101)
            seen[50] = 1
            for rate in rates:
                seen = sum(np.roll(seen, rate * shift) for shift in (-1, 0, 1))
            reached = np.flatnonzero(seen)
            assert reached[-1] - reached[0] + 1 == 1 + (stack["kernel_px"] - 1) * sum(rates)


def _trained(seconds, row="Unet + Res-18", card="GTX 1080 Ti"):
    about = {"dataset": "monuseg", "split": "train"}
    return [
        said("training_time", seconds, row, dataset="monuseg", split="test"),
        said("patches", 120, **about), said("epochs", 300, **about), said("hardware", card, dataset="none"),
        said("height_px", 512, "patch", **about), said("width_px", 512, "patch", **about),
    ]  # fmt: skip


def test_a_training_faster_than_the_card_is_unlikely_to_be_the_whole():
    (found,) = networks.training_time_against_work(_trained("211.9"))
    assert (found.severity, "at least 413 seconds" in found.explanation) == ("unlikely", True)
    assert severities(networks.training_time_against_work, _trained("4000.0")) == ["fine"]
    assert severities(networks.training_time_against_work, _trained("211.9", card="some GPU")) == []
    assert severities(networks.training_time_against_work, _trained("211.9", row="CE-Net")) == []


def test_the_same_time_in_two_places_is_judged_once():
    claims = _trained("211.9")
    again = said("training_time", "211.9", "Unet + Res-18", dataset="monuseg", split="test", location="Discussion")
    assert severities(networks.training_time_against_work, [*claims, again]) == ["unlikely"]


def _rows(before, after, metric="dice", name="Net + Post Processing"):
    about = {"dataset": "monuseg", "split": "test"}
    return [said(metric, before, "Net", **about), said(metric, after, name, **about)]


def test_equal_dice_with_and_without_post_processing_is_fine_and_another_one_asked_about():
    check = postprocessing.post_processing_keeps_the_mask
    assert severities(check, _rows("0.827", "0.827")) == ["fine"]
    (found,) = check(_rows("0.827", "0.838"))
    assert (found.severity, "at least 0.01 apart" in found.explanation) == ("unlikely", True)
    assert severities(check, _rows("0.827", "0.838", name="Net with post-processing")) == ["unlikely"]
    assert severities(check, _rows("0.827", "0.838", metric="aji")) == []
    assert severities(check, _rows("0.827", "0.838", name="Net + CBAM")) == []


@settings(deadline=None)  # the first call imports scikit-image
@given(st.integers(0, 10_000))
def test_no_division_of_one_mask_into_instances_is_accused(seed):
    """Watershed without lines, or parts of each piece grown until the mask is full: Dice and IoU stay as they are."""
    rng = np.random.default_rng(seed)
    true, mask = (np.kron(rng.random((8, 8)) < 0.4, np.ones((3, 3))).astype(bool) for _ in range(2))
    true[0, 0] = mask[0, 0] = True
    pieces, truth = (split_components(one, connectivity=8) for one in (mask, true))
    seeds = np.where(rng.random(mask.shape) < 0.5, pieces, 0)
    _, first = np.unique(pieces, return_index=True)
    seeds.flat[first] = pieces.flat[first]
    for post in (watershed_instances(mask, connectivity=8), grow_labels(seeds, mask)):
        for metric in ("dice", "iou"):
            shown = [f"{evaluate(truth, labels, metrics=[metric])[metric]:.4f}" for labels in (pieces, post)]
            assert severities(postprocessing.post_processing_keeps_the_mask, _rows(*shown, metric=metric)) == ["fine"]
