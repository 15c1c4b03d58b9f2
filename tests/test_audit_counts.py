"""The rules on counts and on windows: a made-up pass and fail of each, and consistent counts, none of them accused."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from histolab_lib.audit.rules import counts, windows
from histolab_lib.audit.rules.grids import Grid, ranges
from histolab_lib.audit.rules.rows import about_set, amount, enlarged, of_each_image, quoted, whole
from histolab_lib.claims import Claim
from histolab_lib.patches import BORDERS
from histolab_lib.patches import windows as place
from tests.audit_claims import said, severities

ACCUSED = {"impossible", "inconsistent", "unlikely"}
STEPS = {"stride_px": "sliding window"}


def _set(metric="images", location="Section 1", quote="", **parts):
    return [said(metric, value, split=split, location=location, quote=quote) for split, value in parts.items()]


def _sizes(side, row):
    return [said(metric, side, row) for metric in ("height_px", "width_px")]


def _patches(train, val=None, *, images=30, test=None, size=(1000, 1000), window=256, step=None, dataset="folder"):
    """What a paper says of windows on images of one size."""
    claims = [said("patches", train, "Training Set", split="train", location="Table 1", dataset=dataset)]
    claims += [said("images", images, split="train", dataset=dataset)]
    if val is not None:
        claims += [said("patches", val, "Validation Set", split="val", location="Table 1", dataset=dataset)]
    if test is not None:
        claims += [said("images", test, split="test", dataset=dataset)]
    for metric, side in (("height_px", size[0]), ("width_px", size[1])):
        claims += [said(metric, side, split="all", dataset=dataset)] if side else []
        claims += [said(metric, window, "Training Set", split="train", location="Table 1", dataset=dataset)]
    if step is not None:
        claims += [said("stride_px", step, "sliding window", split="train", dataset=dataset)]
    return claims


def test_parts_that_add_up_are_fine_and_those_that_do_not_are_told_by_how_many():
    assert severities(counts.parts_and_whole, _set(all=50, train=30, test=20)) == ["fine"]
    few = list(counts.parts_and_whole(_set(all=50, train=25, test=15)))
    assert [(one.severity, one.values) for one in few] == [("unlikely", ("25", "15", "50"))]
    assert "25 + 15 = 40, 10 fewer than the 50" in few[0].explanation
    many = list(counts.parts_and_whole(_set(all=50, train=40, test=20)))
    assert [one.severity for one in many] == ["inconsistent"]
    assert "10 more than the 50" in many[0].explanation


def test_what_is_called_the_remaining_images_must_be_all_that_remain():
    claims = _set(all=50) + _set(train=25, test=15, location="Section 2", quote="used the remaining 25 images")
    found = list(counts.parts_and_whole(claims))
    assert [one.severity for one in found] == ["inconsistent"]
    assert "10 are missing" in found[0].explanation
    assert found[0].location == "Section 2, Section 1"


def test_validation_images_may_be_told_beside_the_training_images_or_among_them():
    assert severities(counts.parts_and_whole, _set(all=165, train=65, val=20, test=80)) == ["fine"]
    assert severities(counts.parts_and_whole, _set(all=165, train=85, val=20, test=80)) == ["fine"]
    assert severities(counts.parts_and_whole, _set(all=165, train=80, val=20, test=80)) == ["unlikely"]


def test_two_test_splits_count_together():
    assert severities(counts.parts_and_whole, _set(all=165, train=85, testA=60, testB=20)) == ["fine"]
    assert severities(counts.parts_and_whole, _set(all=165, train=85, testA=60)) == []


@given(st.integers(1, 500), st.integers(0, 500), st.integers(1, 500), st.booleans())
def test_no_division_of_a_set_is_accused(train, val, test, among):
    parts = {"train": train + (val if among else 0), "test": test} | ({"val": val} if val else {})
    found = severities(counts.parts_and_whole, _set(all=train + val + test, **parts))
    assert found == ["fine"]


def test_the_counts_of_histoseg_are_those_of_overlapping_windows_and_of_the_test_tiles():
    claims = _patches(1470, 686, test=14, step=256)
    (by_step,) = windows.patches_by_windows(claims)
    assert by_step.severity == "inconsistent"
    assert "270 or 480 on 30 images" in by_step.explanation
    assert "107 to 124 px with the ragged border dropped" in by_step.explanation
    (source,) = windows.validation_from(claims)
    assert (source.severity, source.values) == ("inconsistent", ("1470", "686", "30", "14"))
    assert "686 on the 14 test images" in source.explanation


def test_a_number_that_no_step_gives_is_unlikely_not_more():
    claims = _patches(1644, 703, images=85, test=80, size=(None, None), step=256, dataset="glas")
    (by_step,) = windows.patches_by_windows(claims)
    assert (by_step.severity, "486 or 984" in by_step.explanation) == ("unlikely", True)
    (source,) = windows.validation_from(claims)
    assert source.severity == "unlikely"
    assert "together give 2,349, 2 off, at a step of 112 to 129 px" in source.explanation


@pytest.mark.parametrize(("train", "step"), [(270, 256), (480, 256), (200, 256), (540, 256), (1470, 120), (1470, None)])
def test_windows_that_fit_or_may_have_been_left_out_are_fine(train, step):
    assert severities(windows.patches_by_windows, _patches(train, step=step)) == ["fine"]


def test_validation_patches_of_the_training_images_are_fine():
    assert severities(windows.validation_from, _patches(1029, 441, test=14)) == ["fine"]
    told = [*_patches(1470, 686, test=14), said("images", 14, split="val")]
    assert severities(windows.validation_from, told) == []


def test_what_each_image_gives_is_counted_where_the_paper_says_it():
    def of(total, each=4):
        images = _set(all=44)
        return [
            *images,
            said("patches", total, split="all"),
            said("patches", each, "corners of each image", split="all"),
        ]

    (exact,) = windows.patches_by_windows([*of(176), *_sizes(1000, ""), *_sizes(512, "patch")])
    assert exact.explanation.startswith("176 patches from 44 images, with 4 of each: exactly 176.")
    assert exact.explanation.endswith("Those of one image have 48,576 pixels more than it: they overlap.")
    assert severities(windows.patches_by_windows, of(352)) == ["fine"]
    assert severities(windows.patches_by_windows, of(100)) == ["fine"]
    assert severities(windows.patches_by_windows, of(180)) == ["unlikely"]


def test_an_example_with_both_sizes_is_recomputed():
    def example(patches):
        quote = "if the original data size is 1024x1024, then 16 patches of 256x256 are extracted"
        rows = {"image": 1024, "patch": 256}
        sides = product(("height_px", "width_px"), rows)
        claims = [said(metric, rows[row], f"example, {row}", dataset="none", quote=quote) for metric, row in sides]
        return [*claims, said("patches", patches, "example, patches of one image", dataset="none", quote=quote)]

    (found,) = windows.patches_by_windows(example(16))
    assert (found.severity, "a step of 193 to 256 px" in found.explanation) == ("fine", True)
    assert severities(windows.patches_by_windows, example(17)) == ["unlikely"]


sides = st.integers(20, 60)


@given(
    st.integers(1, 20), st.integers(1, 20), sides, sides, st.integers(5, 20), st.integers(1, 30),
    st.sampled_from(BORDERS), st.floats(0, 1), st.integers(1, 4), st.booleans(),
)  # fmt: skip
def test_no_windows_on_a_grid_are_accused(images, test, height, width, window, step, border, share, factor, stated):
    """However many images, whatever step and border, however they are divided, and enlarged by a whole factor."""
    grid = Grid({(height, width): images}, (window, window))
    total = grid.total(step, border)
    train = max(1, round(share * total))
    divided = _patches(
        train, max(1, total - train), images=images, test=test, size=(height, width), window=window,
        step=step if stated else None,
    )  # fmt: skip
    if total > 1 and train < total:
        assert severities(windows.validation_from, divided) == ["fine"]
    assert set(severities(windows.patches_by_windows, divided)) <= {"fine"}
    enlarged = _patches(factor * total, images=images, size=(height, width), window=window, step=step)
    assert severities(windows.patches_by_windows, enlarged) == ["fine"]


@given(
    st.dictionaries(st.tuples(sides, sides), st.integers(1, 5), min_size=1, max_size=3), st.integers(5, 20), st.data()
)
def test_a_grid_counts_what_placing_its_windows_counts(images, window, data):
    grid = Grid(images, (window, window))
    step, border = data.draw(st.integers(1, 30)), data.draw(st.sampled_from(BORDERS))
    placed = sum(number * len(place(size, window, step, border=border)) for size, number in images.items())
    assert grid.total(step, border) == placed
    # Beyond the longest side nothing changes any more.
    assert min(step, max(map(max, images))) in grid.steps(placed)[border]
    assert grid.most(step) >= placed


def test_a_test_set_of_copies_is_found_and_the_factor_told():
    claims = [*_set(all=50, train=35, test=15), said("images", 280, "augmented", split="train")]
    claims.append(said("images", 120, "augmented", split="test"))
    (found,) = counts.size_of_test_set(claims)
    assert (found.severity, found.values) == ("inconsistent", ("120", "15", "280", "35"))
    assert "8 versions of each, as 280 training images are 8 of each of 35" in found.explanation


def test_a_test_set_larger_than_the_public_set_is_found_without_another_number():
    assert severities(counts.size_of_test_set, [said("images", 60, split="test", dataset="tnbc")]) == ["inconsistent"]
    assert severities(counts.size_of_test_set, [said("images", 20, split="test", dataset="tnbc")]) == ["fine"]
    assert severities(counts.size_of_test_set, [said("images", 60, split="test", dataset="cpm17")]) == []


def test_an_enlarged_set_holds_whole_numbers_of_crops():
    def of(total, crops="four"):
        images = [*_set(train=85), said("images", total, "augmented", split="train")]
        return [*images, said("patches", crops, "crops of each image", split="train")] if crops else images

    (found,) = counts.enlarged_by_whole_factor(of(4420))
    assert (found.severity, found.explanation) == (
        "fine",
        "4420 images are 52 for each of 85, four crops of each version.",
    )
    assert severities(counts.enlarged_by_whole_factor, of(4422)) == ["unlikely"]
    assert severities(counts.enlarged_by_whole_factor, of(4422, None)) == ["fine"]
    assert severities(counts.enlarged_by_whole_factor, of(60, None)) == ["unlikely"]


def test_of_several_splits_the_enlarged_one_is_told():
    claims = _set(train=30) + _set(train=35, location="Section 2")
    (found,) = counts.enlarged_by_whole_factor([*claims, said("images", 280, "augmented", split="train")])
    assert found.explanation == "280 images are 8 for each of 35; not a whole number for each of 30."


@given(st.integers(1, 200), st.integers(1, 20), st.integers(1, 9))
def test_no_whole_number_of_versions_and_crops_is_accused(images, versions, crops):
    claims = [*_set(train=images), said("images", images * versions * crops, "augmented", split="train")]
    claims.append(said("patches", crops, "crops of each image", split="train"))
    assert severities(counts.enlarged_by_whole_factor, claims) == ["fine"]


def test_iterations_are_asked_about_only_where_the_sentence_calls_them_so():
    def of(epochs, quote):
        batch = said("batch_size", 4, split="train")
        return [*_set(train=240), batch, said("epochs", epochs, dataset="none", split="train", quote=quote)]

    (found,) = counts.iterations_as_epochs(of(200, "trained for 200 iterations"))
    assert (found.severity, "see the 240 training images 3.3 times" in found.explanation) == ("unlikely", True)
    assert severities(counts.iterations_as_epochs, of(20_000, "trained for 20,000 iterations")) == ["fine"]
    assert severities(counts.iterations_as_epochs, of(200, "trained for 200 epochs")) == []


def test_rows_are_told_apart_by_their_words():
    rows = ["", "Training Set", "test images", "augmented", "crops of each image", "patch", "fewest in an image"]
    made = [said("images", 5, row) for row in rows]
    assert [about_set(one) for one in made] == [True, True, True, False, False, False, False]
    assert [enlarged(one) for one in made] == [False, False, False, True, False, False, False]
    assert [of_each_image(one) for one in made] == [False, False, False, False, True, False, True]
    assert [one.row for one in made if windows.about_windows(one)] == ["crops of each image", "patch"]


def test_only_exact_numbers_count():
    values = ["30", "thirty-one", "around 22,000", "seven", "unreadable"]
    assert [whole(said("nuclei", value)) for value in values] == [30, None, None, 7, None]
    assert amount(said("nuclei", "around 22,000")) == 0
    assert quoted(Claim("p", "l", "", "none", "none", "images", "1", "count", "", note="no words")) == ""


def test_steps_are_said_in_words():
    assert ranges({"drop": [5], "pad": [7, 8, 9]}) == (
        "5 px with the ragged border dropped, 7 to 9 px with the last window padded"
    )
