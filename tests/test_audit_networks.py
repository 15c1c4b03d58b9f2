"""The rules on networks and on post-processing."""

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histolab_lib.audit.rules import groups, networks, postprocessing, shapes
from histolab_lib.audit.rules.known import known
from histolab_lib.claims import Claim, load_claims
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


def _chained(**values):
    """The claims of the chain of HistoSeg's decoder, with other values."""
    keys = {name: f"histoseg/section-iii-b/{name}" for name in ("decoder/height_px", "upsampling-layer/zoom")}
    keys["upsampling-layer/height_px"] = "histoseg/section-iii-b/upsampling-layer/height_px"
    chosen = [one for one in load_claims() if one.key in keys.values()]
    return [replace(one, value=values.get(one.metric, one.value)) for one in chosen]


def test_sizes_are_followed_through_the_steps_that_the_paper_tells():
    (found,) = shapes.sizes_through_the_network(_chained())
    assert (found.severity, found.explanation) == ("inconsistent", "The decoder: 32 x 4 = 128, not 256.")
    assert severities(shapes.sizes_through_the_network, _chained(zoom="8")) == ["fine"]
    assert severities(shapes.sizes_through_the_network, _chained()[:2]) == []


def test_what_could_explain_a_misfit_is_told_with_it_and_only_with_it():
    claims = [one for one in load_claims() if one.paper == "msal_net"]
    told = {one.severity: one.explanation for one in shapes.sizes_through_the_network(claims)}
    assert told["inconsistent"].endswith("with three that halve it would be 16.")
    fitting = [replace(one, value="8") if one.key.endswith("encoder-output/height_px") else one for one in claims]
    assert not any("ResNet" in one.explanation for one in shapes.sizes_through_the_network(fitting))


def test_every_chain_names_claims_that_there_are():
    keys = {one.key for one in load_claims()}
    for chain in known()["chain"]:
        names = [chain["start"], chain["end"], *(name for step in chain["steps"] for name in shapes._names(step))]
        assert {name for name in names if name not in keys} == set()
        assert all(name.startswith(chain["paper"] + "/") for name in names)


def _told(key, metric, value):
    """What the rule reads of a claim, under the key of another one."""
    about = vars(said(metric, value, dataset="none"))
    return about | {"key": key, "number": Decimal(value)}


@given(st.integers(1, 6), st.sampled_from([256, 512, 1000, 517]))
def test_no_halving_of_a_side_is_accused_whichever_way_odd_sides_are_rounded(halvings, side):
    down = up = side
    for _ in range(halvings):
        down, up = down // 2, -(-up // 2)
    start, layers, end = (
        f"msal_net/methodology-dense-dilated-convolutions/{name}"
        for name in ("network-input/height_px", "downsampling-layers/layers", "encoder-output/height_px")
    )
    for last in (down, up):
        told = ((start, "height_px", side), (layers, "layers", halvings), (end, "height_px", last))
        claims = [SimpleNamespace(**_told(key, metric, value)) for key, metric, value in told]
        assert severities(shapes.sizes_through_the_network, claims) == ["fine"]


def _by_organ(organs, counted, dataset="kumar", of="kumar"):
    rows = [said("f1", "80.1", f"Net: {organ}", dataset=dataset, split="test") for organ in (*organs, "Average")]
    return [*rows, said("organs", counted, dataset=of, split="none" if of == "none" else "all")]


def test_tables_by_organ_have_as_many_rows_as_the_paper_counts():
    organs = ["Liver", "Lung", "Colon"]
    assert severities(groups.organs_in_tables, _by_organ(organs, "three")) == ["fine"]
    assert severities(groups.organs_in_tables, _by_organ(organs, 4)) == ["unlikely"]
    (found,) = groups.organs_in_tables(_by_organ(organs, 2))
    assert (found.severity, len(found.rows)) == ("inconsistent", 4)
    assert severities(groups.organs_in_tables, _by_organ(organs, 4, of="none")) == ["unlikely"]
    assert severities(groups.organs_in_tables, _by_organ(organs, 3, of="monuseg")) == []


@given(st.sets(st.sampled_from("abcdefgh"), min_size=1), st.sets(st.sampled_from("abcdefgh"), min_size=1))
def test_no_true_number_of_organs_is_accused(one, two):
    claims = _by_organ(one, len(one)) + _by_organ(two, len(two), dataset="pannuke", of="pannuke")
    claims += [said("organs", len(one | two), dataset="none", split="none")]
    assert set(severities(groups.organs_in_tables, claims)) == {"fine"}


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
