"""Our scores beside those of other authors' libraries: where they agree, and each disagreement with its reason.

What each library makes of empty maps is asserted here next to ours; ``data/facts/empty_policies.json`` lists all of
it. The libraries take (pred, true), we take (true, pred).
"""

import math
import warnings
from importlib import import_module

import numpy as np
import pytest
from skimage.metrics import contingency_table, hausdorff_distance

from histolab_lib.compat import ensure_torchvision
from histolab_lib.metrics import (
    aji,
    aji_plus,
    average_precision,
    boundary_f1,
    contingency,
    dice,
    dice2,
    hd95,
    iou,
    object_dice,
    object_f1,
    object_hausdorff,
    panoptic_quality,
    precision_recall_f1,
)
from tests.literal.examples import EXAMPLES
from tests.literal.maps import grid

pytestmark = pytest.mark.thorough

FLOAT32 = 1e-6  # the torch libraries count in it
NOTHING, BLOCK = np.zeros((4, 4), int), np.pad(np.ones((2, 2), int), 1)
EMPTY_PAIRS = ((NOTHING, NOTHING), (BLOCK, NOTHING), (NOTHING, BLOCK))


def scene(seed):
    """Ellipses, later ones above, and a prediction of them: shifted, some lost, merged, split or made up."""
    rng = np.random.default_rng(seed)
    shape = rng.integers(30, 60, 2)
    row, column = np.indices(shape)
    true = np.zeros(shape, np.int32)
    for number in range(1, 13):
        r, c, a, b = *(rng.random(2) * shape), *rng.uniform(2, 7, 2)
        true[((row - r) / a) ** 2 + ((column - c) / b) ** 2 <= 1] = number
    pred = np.roll(true, rng.integers(-1, 2, 2), axis=(0, 1))
    pred[pred == 1] = 0
    pred[pred == 2] = 3
    pred[(pred == 4) & (column % 5 < 2)] = 20
    pred[rng.integers(0, shape[0] - 4) :, :3][:4] = 21
    return true, pred * 3  # with gaps in the ids


SCENES = [scene(seed) for seed in range(12)]
SQUARES = [[each[:30, :30] for each in pair] for pair in SCENES]


def close(ours, theirs, atol=FLOAT32):
    np.testing.assert_allclose(np.asarray(ours, float), np.asarray(theirs, float), rtol=0, atol=atol)


def tensor(labels, kind="int64"):
    torch = import_module("torch")
    return torch.as_tensor(np.ascontiguousarray(labels)).to(getattr(torch, kind))


def masks(*labels, kind="int64"):
    """(true, pred) maps as the foregrounds (pred, true), each (1, 1, H, W)."""
    return [tensor(each != 0, kind)[None, None] for each in reversed(labels)]


@pytest.fixture(scope="module")
def torchmetrics():
    ensure_torchvision()
    for name in ("classification", "detection", "segmentation"):
        import_module(f"torchmetrics.functional.{name}")
    return import_module("torchmetrics.functional")


@pytest.fixture(scope="module")
def smp():
    ensure_torchvision()
    functions = import_module("segmentation_models_pytorch.metrics.functional")

    def score(name, trues, preds, **options):
        torch = import_module("torch")
        pred, true = (torch.cat(each) for each in zip(*map(masks, trues, preds), strict=True))
        return getattr(functions, name)(*functions.get_stats(pred, true, mode="binary"), **options).squeeze(-1)

    return score


@pytest.fixture(scope="module")
def monai():
    """A function of MONAI by its name, without the two warnings that it cannot be asked not to give."""
    metrics = import_module("monai.metrics")

    def call(name, *arguments, **options):
        with warnings.catch_warnings():
            # MONAI 1.6.1 calls itself in a way that it has deprecated; gone with 1.7.
            warnings.filterwarnings("ignore", ".*always_return_as_numpy", FutureWarning)
            warnings.filterwarnings("ignore", "the (ground truth|prediction) of class 0 is all 0", UserWarning)
            return getattr(metrics, name)(*arguments, **options)

    return call


# Pixels


def test_torchmetrics_agrees_on_pixels(torchmetrics):
    for true, pred in SCENES:
        pair, ours = masks(true, pred), precision_recall_f1(true, pred)
        dices = torchmetrics.segmentation.dice_score(*pair, num_classes=1, average="macro", include_background=True)
        close(dice(true, pred), dices[0])
        close(iou(true, pred), torchmetrics.segmentation.mean_iou(*pair, num_classes=1)[0])
        binary = torchmetrics.classification
        close(iou(true, pred), binary.binary_jaccard_index(*pair))
        theirs = binary.binary_precision(*pair), binary.binary_recall(*pair), binary.binary_f1_score(*pair)
        close(ours, theirs)


def test_monai_agrees_on_pixels(monai):
    names = ("precision", "sensitivity", "f1 score")
    for true, pred in SCENES:
        pair = masks(true, pred, kind="float32")
        close(dice(true, pred), monai("compute_dice", *pair)[0, 0])
        close(iou(true, pred), monai("compute_iou", *pair)[0, 0])
        counts = monai("get_confusion_matrix", *pair)
        close(
            precision_recall_f1(true, pred),
            [monai("compute_confusion_matrix_metric", name, counts).item() for name in names],
        )


def test_segmentation_models_pytorch_agrees_on_pixels(smp):
    trues, preds = (list(each) for each in zip(*SQUARES, strict=True))
    ours = precision_recall_f1(trues, preds, reduction="none")
    for name, expected in zip(("precision", "recall", "f1_score"), ours, strict=True):
        close(expected, smp(name, trues, preds))
    close(iou(trues, preds, reduction="none"), smp("iou_score", trues, preds))


def test_the_two_ways_to_average_a_batch_have_other_names_elsewhere(smp, torchmetrics):
    trues, preds = [BLOCK, BLOCK, NOTHING], [BLOCK, np.roll(BLOCK, 1, 0), NOTHING]
    close(dice(trues, preds, empty="one"), smp("f1_score", trues, preds, reduction="micro-imagewise"))
    close(dice(trues, preds, reduction="pooled"), smp("f1_score", trues, preds, reduction="micro"))
    assert dice(trues, preds, empty="one") > dice(trues, preds, reduction="pooled")
    torch = import_module("torch")
    stacked = [torch.cat(each) for each in zip(*map(masks, trues, preds), strict=True)]
    options = {"num_classes": 1, "average": "macro", "include_background": True}
    pooled = torchmetrics.segmentation.dice_score(*stacked, **options, aggregation_level="global")
    close(dice(trues, preds, reduction="pooled"), pooled[0])
    each = torchmetrics.segmentation.dice_score(*stacked, **options)
    close(dice(trues, preds, reduction="none"), each)


def test_scikit_image_agrees_on_the_table_of_overlaps():
    for true, pred in SCENES:
        theirs, ours = contingency_table(true, pred).toarray(), contingency(true, pred)
        close(theirs[ours.true_ids[ours.i], ours.pred_ids[ours.j]], ours.n)
        assert np.count_nonzero(theirs[1:, 1:]) == ours.n.size
        close(theirs.sum(axis=1)[ours.true_ids], ours.true_areas)
        close(theirs.sum(axis=0)[ours.pred_ids], ours.pred_areas)


# Empty maps: (both empty, empty prediction, empty truth)


def test_ours_follows_the_policy_asked_for_and_is_0_for_one_empty_map():
    for empty, worth in (("nan", math.nan), ("one", 1), ("zero", 0)):
        for score in (dice, iou, lambda *pair, **how: precision_recall_f1(*pair, **how).precision):
            close([score(*pair, empty=empty) for pair in EMPTY_PAIRS], [worth, 0, 0])


def test_torchmetrics_disagrees_with_itself_on_empty_maps(torchmetrics):
    dices = {"num_classes": 1, "average": "macro", "include_background": True}
    scores = {
        "dice": (lambda *pair: torchmetrics.segmentation.dice_score(*pair, **dices), [math.nan, 0, 0]),
        "f1": (torchmetrics.classification.binary_f1_score, [0, 0, 0]),
        "jaccard": (torchmetrics.classification.binary_jaccard_index, [0, 0, 0]),
        "mean IoU": (lambda *pair: torchmetrics.segmentation.mean_iou(*pair, num_classes=1), [math.nan, 0, 0]),
        "IoU of each class": (
            lambda *pair: torchmetrics.segmentation.mean_iou(*pair, num_classes=1, per_class=True),
            [-1, 0, 0],
        ),
    }
    for score, expected in scores.values():
        close([score(*masks(*pair)).item() for pair in EMPTY_PAIRS], expected)


def test_monai_leaves_out_an_image_with_a_false_prediction_unless_told_otherwise(monai):
    pairs = [masks(*pair, kind="float32") for pair in EMPTY_PAIRS]
    for name in ("compute_dice", "compute_iou"):
        close([monai(name, *pair).item() for pair in pairs], [math.nan, 0, math.nan])
        close([monai(name, *pair, ignore_empty=False).item() for pair in pairs], [1, 0, 0])
    # Where the second image holds a prediction and no truth, its mean is twice ours.
    trues, preds = [BLOCK, NOTHING], [BLOCK, BLOCK]
    assert dice(trues, preds) == 0.5
    mean = import_module("monai.metrics").DiceMetric()
    for pair in zip(trues, preds, strict=True):
        mean(*masks(*pair, kind="float32"))
    assert mean.aggregate().item() == 1


def test_segmentation_models_pytorch_calls_every_0_by_0_perfect_precision_without_prediction_too(smp):
    trues, preds = (list(each) for each in zip(*EMPTY_PAIRS, strict=True))
    close(smp("f1_score", trues, preds), [1, 0, 0])
    close(smp("precision", trues, preds), [1, 1, 0])
    close(smp("recall", trues, preds), [1, 0, 1])
    close(smp("precision", trues, preds, zero_division=0.0), precision_recall_f1(trues, preds, empty="zero")[0])


# Boundaries


def test_hd95_is_monais(monai):
    for true, pred in SCENES:
        pair = masks(true, pred, kind="float32")
        theirs = monai("compute_hausdorff_distance", *pair, include_background=True, percentile=95)
        close(hd95(true, pred, variant="max"), theirs.item(), atol=1e-5)


def test_monai_has_no_hd95_where_a_map_is_empty_and_ours_is_0_or_infinite(monai):
    options = {"include_background": True, "percentile": 95}
    pairs = [masks(*pair, kind="float32") for pair in EMPTY_PAIRS]
    close([monai("compute_hausdorff_distance", *pair, **options).item() for pair in pairs], [math.nan] * 3)
    close([hd95(*pair) for pair in EMPTY_PAIRS], [0, math.inf, math.inf])


def test_the_boundary_agrees_within_monais_hausdorff_distance_and_not_within_less(monai):
    for true, pred in SCENES:
        pair = masks(true, pred, kind="float32")
        far = monai("compute_hausdorff_distance", *pair, include_background=True).item()
        assert boundary_f1(true, pred, tolerance_px=far + 1e-4) == 1
        assert boundary_f1(true, pred, tolerance_px=far - 1e-4) < 1


def test_torchmetrics_measures_distances_on_square_maps_only(monai, torchmetrics):
    """Version 1.9.0 finds its way in the flattened map by the number of rows where it needs that of columns."""

    def both(true, pred):
        options = {"num_classes": 1, "include_background": True}
        theirs = torchmetrics.segmentation.hausdorff_distance(*masks(true, pred), **options).item()
        pair = masks(true, pred, kind="float32")
        return theirs, monai("compute_hausdorff_distance", *pair, include_background=True).item()

    for true, pred in SQUARES:
        theirs, monais = both(true, pred)
        close(theirs, monais, atol=1e-5)
    true, pred, _ = EXAMPLES["prediction mostly on background"]
    assert both(true, pred) == (3, 2)  # the farthest pixel is (1, 3), two columns from (1, 1)
    assert boundary_f1(true, pred, tolerance_px=2) == 1


def test_surface_dice_is_boundary_f1_without_tolerance_and_another_score_with_it(monai):
    def surface_dice(true, pred, tolerance_px):
        pair = masks(true, pred, kind="float32")
        return monai("compute_surface_dice", *pair, [float(tolerance_px)], include_background=True).item()

    for true, pred in SCENES:
        close(boundary_f1(true, pred, tolerance_px=0), surface_dice(true, pred, 0))
    true, pred, _ = EXAMPLES["prediction mostly on background"]
    close(surface_dice(true, pred, 1), 5 / 7)  # (3 + 2) / (4 + 3), both shares in one
    close(boundary_f1(true, pred, tolerance_px=1), 12 / 17)  # harmonic mean of 3/4 and 2/3
    close(
        [surface_dice(*pair, 1) for pair in EMPTY_PAIRS], [boundary_f1(*pair, tolerance_px=1) for pair in EMPTY_PAIRS]
    )


def test_scikit_image_agrees_on_the_distance_of_two_objects_over_all_their_pixels(monai):
    for true, pred in SCENES:
        one, other = (true > 0).astype(int), (pred > 0).astype(int)
        close(object_hausdorff(one, other), hausdorff_distance(one, other), atol=1e-12)
    disc, ring, _ = EXAMPLES["disc and ring"]
    assert object_hausdorff(disc, ring) == hausdorff_distance(disc, ring) == 2
    of_boundaries = monai("compute_hausdorff_distance", *masks(disc, ring, kind="float32"), include_background=True)
    assert of_boundaries.item() == 0
    close([object_hausdorff(*pair) for pair in EMPTY_PAIRS], [hausdorff_distance(*pair) for pair in EMPTY_PAIRS])


# Objects


def colours(torch, *labels):
    """(true, pred) maps as (pred, true) with a class (1: object, 0: background) and an id for each pixel."""
    return [torch.stack([tensor(each > 0), tensor(each)], dim=-1)[None] for each in reversed(labels)]


def counted(ours):
    return [ours.tp, ours.fp, ours.fn]


def test_torchmetrics_agrees_on_panoptic_quality_of_the_class_of_objects(torchmetrics):
    torch = import_module("torch")
    options = {"things": {1}, "stuffs": {0}, "return_per_class": True, "return_sq_and_rq": True}
    for true, pred in SCENES:
        ours = panoptic_quality(true, pred)
        theirs = torchmetrics.detection.panoptic_quality(*colours(torch, true, pred), **options)[0]
        close((ours.pq, ours.sq, ours.dq), theirs)
    close([panoptic_quality(*pair).pq for pair in EMPTY_PAIRS], [math.nan, 0, 0])
    theirs = [
        torchmetrics.detection.panoptic_quality(*colours(torch, *pair), **options)[0].tolist() for pair in EMPTY_PAIRS
    ]
    close(theirs, np.zeros((3, 3)))


def test_torchmetrics_pools_panoptic_quality_over_a_batch(torchmetrics):
    torch = import_module("torch")
    trues, preds = (list(each) for each in zip(*SQUARES, strict=True))
    batch = [torch.cat(each) for each in zip(*[colours(torch, *pair) for pair in SQUARES], strict=True)]
    theirs = torchmetrics.detection.panoptic_quality(*batch, things={1}, stuffs={0}, return_per_class=True)[0, 0]
    pooled = panoptic_quality(trues, preds, reduction="pooled").pq
    close(pooled, theirs)
    assert abs(panoptic_quality(trues, preds).pq - pooled) > 1e-3


def test_background_as_a_class_or_as_void_gives_torchmetrics_another_panoptic_quality(torchmetrics):
    torch, quality = import_module("torch"), torchmetrics.detection.panoptic_quality
    true, pred, _ = EXAMPLES["IoU exactly 1/2, and a gap"]
    pair = colours(torch, true, pred)
    close(panoptic_quality(true, pred).pq, 2 / 9)
    # Averaged with the background, which is no match here (0).
    close(quality(*pair, things={1}, stuffs={0}), 1 / 9)
    # As void: background leaves unions, and what lies mostly on it is neither missed nor false.
    close(quality(*pair, things={1}, stuffs=set(), allow_unknown_preds_category=True), 1)


def test_monai_agrees_on_panoptic_quality_up_to_its_epsilon(monai):
    for true, pred in [*SCENES, *(EXAMPLES[name][:2] for name in EXAMPLES)]:
        ours = panoptic_quality(true, pred, empty="zero")
        pair = tensor(pred), tensor(true)
        counts = monai("compute_panoptic_quality", *pair, output_confusion_matrix=True)
        close([*counted(ours), ours.sq * ours.tp], counts, atol=1e-5)
        theirs = [monai("compute_panoptic_quality", *pair, metric_name=name).item() for name in ("rq", "sq", "pq")]
        close(ours[:3], theirs, atol=2e-6)
    assert 1 - 2e-6 < monai("compute_panoptic_quality", tensor(BLOCK), tensor(BLOCK)).item() < 1
    assert panoptic_quality(BLOCK, BLOCK).pq == 1


def test_monai_scores_two_empty_maps_0(monai):
    theirs = [monai("compute_panoptic_quality", tensor(pred), tensor(true)).item() for true, pred in EMPTY_PAIRS]
    close(theirs, [0, 0, 0])
    close([panoptic_quality(*pair).pq for pair in EMPTY_PAIRS], [math.nan, 0, 0])


def test_maps_without_background_lose_no_object(monai):
    full, halves = np.ones((4, 4), int), np.repeat([[1, 1, 2, 2]], 4, axis=0)
    for true, pred in ((full, full), (halves, halves), (halves, full), (full, halves)):
        counts = monai("compute_panoptic_quality", tensor(pred), tensor(true), output_confusion_matrix=True)
        close(counted(panoptic_quality(true, pred)), counts[:3])


def test_monai_wraps_ids_above_32_bits_and_ours_keeps_them(monai):
    labels = np.array([[1, 1, 0, 2**32 + 1, 2**32 + 1], [0, 0, 2**32, 0, 0]])
    theirs = monai("compute_panoptic_quality", tensor(labels), tensor(labels), output_confusion_matrix=True)
    assert theirs[0].item() == 1  # 1 and 2**32 + 1 have become one object, 2**32 background
    assert panoptic_quality(labels, labels).tp == 3


@pytest.mark.parametrize("step", [2**8, 2**16, 2**32])
def test_ids_of_any_size_are_kept_by_all_of_ours(step):
    """Some ports cast ids to uint8, uint16 or float32: these would become background, or one another."""
    scores = [dice, iou, precision_recall_f1, aji, aji_plus, dice2, panoptic_quality, object_f1, object_dice]
    scores += [average_precision, object_hausdorff, hd95, lambda *pair: boundary_f1(*pair, tolerance_px=1)]
    for small in SCENES[:3]:
        true, pred = (each.astype(np.int64) for each in small)
        for score in scores:
            close(score(true * step, pred * step + (pred > 0)), score(true, pred), atol=0)


@pytest.mark.parametrize("percent", [50, 60, 75, 90])
def test_monais_counts_give_the_strict_average_precision(monai, percent):
    for true, pred in SCENES:
        counts = monai(
            "compute_panoptic_quality",
            tensor(pred),
            tensor(true),
            match_iou_threshold=percent / 100,
            output_confusion_matrix=True,
        )
        tp, fp, fn, _ = counts.tolist()
        close(average_precision(true, pred, thresholds=[(percent, 100)], strict=True)[0], tp / (tp + fp + fn))


def test_below_one_half_monai_finds_fewer_objects_than_can_be_had(monai):
    """It maximises the sum of IoU before it asks for the threshold: one pair of 8/14 rather than two of 3/11."""
    true, pred = grid("11111111111222"), grid("11111111222111")
    options = {"match_iou_threshold": 0.2, "output_confusion_matrix": True}
    assert monai("compute_panoptic_quality", tensor(pred), tensor(true), **options)[:3].tolist() == [1, 1, 1]
    assert average_precision(true, pred, thresholds=[(1, 5)]).tolist() == [1]
