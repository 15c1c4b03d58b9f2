"""One wrong line for each way in which scores go wrong: what is replaced, by what, and the tests that must notice."""

from typing import NamedTuple


class Mutation(NamedTuple):
    """`old`, found once in `file` (below the package), becomes `new`; `tests` are names of files and functions."""

    metric: str
    fault: str
    file: str
    old: str
    new: str
    tests: str  # "file: function, function"


_PIXELS = "pixels: test_equal_counting_pixel_by_pixel"
_IDS = "parity: test_ids_of_any_size_are_kept_by_all_of_ours"
_INSTANCES = "instances: test_maps_counted_by_hand, test_one_to_one_scores_equal_masks_and_every_matching_tried"
_AJI = "instances: test_maps_counted_by_hand, test_aji_equals_masks_and_loops"
_GLANDS = "glands: test_maps_counted_by_hand, test_equal_masks_and_loops"
_HAUSDORFF = "hausdorff: test_distances_counted_by_hand, test_equals_loops_over_all_pixels"
_SURFACES = "surfaces: test_maps_measured_by_hand, test_hd95_equals_loops_over_boundary_pixels"
_BOUNDARY = "surfaces: test_maps_measured_by_hand, test_boundary_f1_equals_loops_over_boundary_pixels"
_GROWING = "growing: test_equals_the_printed_algorithm_bit_for_bit"

_LAST_OF_TIES = "return candidates[np.append(_starts(group[candidates])[1:], candidates.size) - 1]"
_GREEDY = """taken: list[int] = []
    for k in np.argsort(-weight, kind="stable").tolist():
        if all(row[k] != row[other] and column[k] != column[other] for other in taken):
            taken.append(k)
    return np.array(taken, np.int64)"""
_BACKGROUND_IN_THE_MODE = """best = by_pred[best_of_each(table.j[by_pred], table.n[by_pred])]
    outside = table.pred_areas - np.bincount(table.j, table.n, table.pred_areas.size)
    return of_true, best[table.n[best] > outside[table.j[best]]]"""
_BOUNDARY_SOURCES = """on_edge = slice(one.edge_starts[k], one.edge_starts[k + 1])
    sources = (one.edges[0, on_edge] * one.width + one.edges[1, on_edge]).astype(np.int64)"""
_IN_PLACE = """for pixel in rim.tolist():
            labels[pixel] = min(labels[pixel + offset] for offset in around)"""

MUTATIONS = (
    Mutation(
        "dice",
        "bool masks added, so that their union is the sum",
        "metrics/pixels.py",
        "return (Ratio(2 * both, t + p, t + p == 0),)",
        "return (Ratio(2 * both, t + p - both, t + p == 0),)",
        _PIXELS,
    ),
    Mutation(
        "dice",
        "ids cast to uint8",
        "metrics/pixels.py",
        "t, p = true != 0, pred != 0",
        "t, p = true.astype(np.uint8) != 0, pred.astype(np.uint8) != 0",
        _IDS,
    ),
    Mutation(
        "dice",
        "two empty maps score 1 whatever is asked for",
        "metrics/ratios.py",
        "    if ratio.empty:\n        return empty",
        "    if ratio.empty:\n        return 1.0",
        "pixels: test_two_empty_maps_follow_the_policy_and_one_empty_map_scores_0",
    ),
    Mutation(
        "iou",
        "shared pixels counted twice in the union",
        "metrics/pixels.py",
        "return (Ratio(both, t + p - both, t + p == 0),)",
        "return (Ratio(both, t + p, t + p == 0),)",
        _PIXELS,
    ),
    Mutation(
        "precision_recall_f1",
        "swapped arguments: precision is recall",
        "metrics/pixels.py",
        "return Ratio(both, p, nothing), Ratio(both, t, nothing), Ratio(2 * both, t + p, nothing)",
        "return Ratio(both, t, nothing), Ratio(both, p, nothing), Ratio(2 * both, t + p, nothing)",
        _PIXELS,
    ),
    Mutation(
        "precision_recall_f1",
        "an empty prediction has no precision that could be bad",
        "metrics/ratios.py",
        "    if ratio.empty:\n        return empty",
        "    if not ratio.denominator:\n        return empty",
        "pixels: test_two_empty_maps_follow_the_policy_and_one_empty_map_scores_0",
    ),
    Mutation(
        "aji",
        "largest id on ties",
        "metrics/matching.py",
        "return candidates[_starts(group[candidates])]",
        _LAST_OF_TIES,
        "instances: test_ties_go_to_the_lowest_id_whatever_the_sizes",
    ),
    Mutation(
        "aji",
        "unmatched true objects ignored",
        "metrics/instances.py",
        "union = int(table.union[taken].sum()) + _left_over(table.true_areas, table.i[taken])",
        "union = int(table.union[taken].sum())",
        _AJI,
    ),
    Mutation(
        "aji",
        "unmatched predicted objects ignored",
        "metrics/instances.py",
        "union + _left_over(table.pred_areas, table.j[taken])",
        "union",
        _AJI,
    ),
    Mutation(
        "aji",
        "swapped arguments",
        "metrics/instances.py",
        "table = as_contingency(true, pred)\n    taken",
        "table = as_contingency(true, pred) if pred is None else as_contingency(pred, true)\n    taken",
        "instances: test_the_order_of_the_arguments_matters",
    ),
    Mutation(
        "aji",
        "ids cast to uint8",
        "metrics/contingency.py",
        "at.append(ids.astype(np.int64))",
        "at.append(ids.astype(np.uint8).astype(np.int64))",
        _IDS,
    ),
    Mutation(
        "aji_plus",
        "greedy instead of optimal assignment",
        "metrics/matching.py",
        "took = min_weight_full_bipartite_matching(graph, maximize=True)[1]\n"
        "    return np.flatnonzero(column == took[row])",
        _GREEDY,
        _INSTANCES,
    ),
    Mutation(
        "aji_plus",
        "any of the matchings that tie",
        "metrics/matching.py",
        "_TIE_BREAK = 1e-9",
        "_TIE_BREAK = 0.0",
        "instances: test_of_equal_sums_of_iou_the_one_that_shares_most_pixels_counts_whatever_the_ids,"
        " test_one_to_one_scores_equal_masks_and_every_matching_tried",
    ),
    Mutation(
        "dice2",
        "every object counted once, partners or none",
        "metrics/instances.py",
        "areas = table.true_areas[table.i] + table.pred_areas[table.j]",
        "areas = np.concatenate((table.true_areas, table.pred_areas))",
        _INSTANCES,
    ),
    Mutation(
        "panoptic_quality",
        ">= for >",
        "metrics/detection.py",
        "matched = passing(table, limit, strict=True)",
        "matched = passing(table, limit, strict=False)",
        _INSTANCES,
    ),
    Mutation(
        "panoptic_quality",
        "an epsilon in the denominator",
        "metrics/detection.py",
        "Ratio(total, tp, empty)",
        "Ratio(total, tp + 1e-6, empty)",
        _INSTANCES,
    ),
    Mutation(
        "panoptic_quality",
        "background is void: predictions over nothing but it are forgiven",
        "metrics/detection.py",
        "return Detections(tp, table.pred_ids.size - tp,",
        "return Detections(tp, np.unique(table.j).size - tp,",
        _INSTANCES,
    ),
    Mutation(
        "panoptic_quality",
        "the first id taken for background, as unique(map)[1:] has it",
        "metrics/contingency.py",
        "true_ids=true_ids[true_ids > 0],",
        "true_ids=true_ids[1:],",
        _INSTANCES,
    ),
    Mutation(
        "average_precision",
        "> for >=",
        "metrics/detection.py",
        "found = [count_matches(table, limit, strict=strict)",
        "found = [count_matches(table, limit, strict=True)",
        _INSTANCES,
    ),
    Mutation(
        "average_precision",
        "pairs counted, though an object may be in several",
        "metrics/matching.py",
        "if count < 2 or threshold > Fraction(1, 2) or (strict and threshold == Fraction(1, 2)):",
        "if count >= 0:",
        _INSTANCES,
    ),
    Mutation(
        "object_f1",
        ">= for >",
        "metrics/glands.py",
        "2 * table.n[pointing] > table.true_areas[table.i[pointing]]",
        "2 * table.n[pointing] >= table.true_areas[table.i[pointing]]",
        _GLANDS,
    ),
    Mutation(
        "object_f1",
        "half of the predicted object instead of the true one",
        "metrics/glands.py",
        "2 * table.n[pointing] > table.true_areas[table.i[pointing]]",
        "2 * table.n[pointing] > table.pred_areas[table.j[pointing]]",
        _GLANDS,
    ),
    Mutation(
        "object_f1",
        "the older rule for the newer one",
        "metrics/glands.py",
        'found = tp if fn == "unmatched" else',
        'found = tp if fn != "unmatched" else',
        _GLANDS,
    ),
    Mutation(
        "object_dice",
        "background kept in the mode",
        "metrics/glands.py",
        "return of_true, by_pred[best_of_each(table.j[by_pred], table.n[by_pred])]",
        _BACKGROUND_IN_THE_MODE,
        "glands: test_background_is_nobodys_partner",
    ),
    Mutation(
        "object_dice",
        "unmatched predicted objects ignored",
        "metrics/glands.py",
        "Ratio(sum_pred, int(table.pred_areas.sum()), table.empty)",
        "Ratio(sum_pred, int(table.pred_areas[table.j[of_pred]].sum()), table.empty)",
        _GLANDS,
    ),
    Mutation(
        "object_dice",
        "largest id on ties",
        "metrics/matching.py",
        "return candidates[_starts(group[candidates])]",
        _LAST_OF_TIES,
        "glands: test_equal_shares_point_to_the_lowest_id_and_that_changes_the_value",
    ),
    Mutation(
        "object_hausdorff",
        "boundary-only",
        "metrics/farthest.py",
        "sources = one.pixels[one.starts[k] : one.starts[k + 1]]",
        _BOUNDARY_SOURCES,
        "hausdorff: test_distances_counted_by_hand, test_all_pixels_count_not_the_boundaries_alone",
    ),
    Mutation(
        "object_hausdorff",
        "one direction alone",
        "metrics/farthest.py",
        "return there if there >= stop_at else max(there, _farthest2(other, m, one, k))",
        "return there",
        _HAUSDORFF,
    ),
    Mutation(
        "object_hausdorff",
        "objects without partner at distance 0",
        "metrics/hausdorff.py",
        "far2[k] = nearest_object2(own, k, other)",
        "far2[k] = 0.0",
        _HAUSDORFF,
    ),
    Mutation(
        "object_hausdorff",
        "largest id on ties",
        "metrics/matching.py",
        "return candidates[_starts(group[candidates])]",
        _LAST_OF_TIES,
        "hausdorff: test_ties_for_the_partner_go_to_the_lowest_id",
    ),
    Mutation(
        "hd95",
        "the other variant",
        "metrics/surfaces.py",
        'if variant == "pooled":',
        'if variant == "max":',
        _SURFACES,
    ),
    Mutation(
        "hd95",
        "the maximum, no percentile",
        "metrics/surfaces.py",
        "max(np.percentile(from_true, 95), np.percentile(from_pred, 95))",
        "max(from_true.max(), from_pred.max())",
        _SURFACES,
    ),
    Mutation(
        "hd95",
        "no boundary at the border of the image",
        "metrics/surfaces.py",
        "framed = np.pad(mask, 1)",
        'framed = np.pad(mask, 1, mode="edge")',
        _SURFACES,
    ),
    Mutation(
        "boundary_f1",
        "< for <=",
        "metrics/surfaces.py",
        "near = [each <= tolerance_px for",
        "near = [each < tolerance_px for",
        _BOUNDARY,
    ),
    Mutation(
        "boundary_f1",
        "arithmetic instead of harmonic mean",
        "metrics/surfaces.py",
        "return np.asarray(2 * precision * recall / np.where(total == 0, 1, total))",
        "return np.asarray(total / 2)",
        _BOUNDARY,
    ),
    Mutation(
        "grow_labels",
        "corners are no neighbours",
        "postprocess/growing.py",
        "for right in (-1, 0, 1) if down or right]",
        "for right in (-1, 0, 1) if abs(down) != abs(right)]",
        _GROWING,
    ),
    Mutation(
        "grow_labels",
        "labels see what others claimed in the same pass",
        "postprocess/growing.py",
        "labels[rim] = _lowest(labels, rim, around)",
        _IN_PLACE,
        _GROWING,
    ),
    Mutation(
        "grow_labels",
        "ids cast to uint8",
        "postprocess/growing.py",
        'labels = np.pad(seeds, 1).astype(seeds.dtype.newbyteorder("="))',
        'labels = np.pad(seeds, 1).astype(np.uint8).astype(seeds.dtype.newbyteorder("="))',
        "growing: test_ids_as_large_as_their_type_holds_neither_wrap_nor_change_type",
    ),
    Mutation(
        "evaluate",
        "its own count of matches with >= for >",
        "metrics/counts.py",
        "ious = table.iou[2 * table.n > table.union]",
        "ious = table.iou[2 * table.n >= table.union]",
        "evaluate: test_a_record_holds_the_scores_that_the_functions_give",
    ),
)
