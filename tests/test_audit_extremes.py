"""The images with the fewest and the most objects: sums that they allow, and what the files hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from histolab_lib.audit.rules.extremes import fewest_and_most, fewest_and_most_of_the_set
from histolab_lib.audit.rules.real import part
from tests.audit_claims import said, severities


def _told(low, high, total=None, images=None, dataset="folder", split="all", metric="nuclei"):
    facts = {"dataset": dataset, "split": split}
    claims = [said(metric, low, "fewest in an image", **facts), said(metric, high, "most in an image", **facts)]
    claims += [] if total is None else [said(metric, total, **facts)]
    return claims + ([] if images is None else [said("images", images, **facts)])


def test_a_sum_within_reach_is_fine_and_one_beyond_is_inconsistent():
    # four images: 5 + 5 + 5 + 9 = 24 at least, 5 + 9 + 9 + 9 = 32 at most
    assert [severities(fewest_and_most, _told(5, 9, total, 4)) for total in (24, 32)] == [["fine"], ["fine"]]
    assert [severities(fewest_and_most, _told(5, 9, total, 4)) for total in (23, 33)] == [["inconsistent"]] * 2
    (found,) = fewest_and_most(_told(5, 9, 33, 4))
    assert found.values == ("33", "4", "5", "9")
    assert found.explanation == "4 images with 5 to 9 nuclei have 24 to 32 together; 33 cannot be that many."


def test_nothing_is_said_without_a_sum_or_where_two_numbers_of_images_are_told():
    assert severities(fewest_and_most, _told(5, 9, None, 4)) == []
    assert severities(fewest_and_most, _told(5, 9, 40)) == []
    twice = [said("images", 5, location="Section 2")]
    assert severities(fewest_and_most, _told(5, 9, 40, 4) + twice) == []
    assert severities(fewest_and_most, _told(5, 9, 5, 1)) == []


@given(st.lists(st.integers(1, 400), min_size=2, max_size=60))
def test_counts_of_real_images_are_never_accused(numbers):
    assert severities(fewest_and_most, _told(min(numbers), max(numbers), sum(numbers), len(numbers))) == ["fine"]


@pytest.mark.parametrize(("dataset", "split", "metric"), [("tnbc", "all", "nuclei"), ("glas", "test", "glands")])
def test_the_numbers_of_the_files_are_fine_and_others_unlikely(dataset, split, metric):
    fewest, most = part(dataset, split).per_image
    told = {"dataset": dataset, "split": split, "metric": metric}
    assert severities(fewest_and_most_of_the_set, _told(fewest, most, **told)) == ["fine"]
    assert severities(fewest_and_most_of_the_set, _told(fewest + 1, most, **told)) == ["unlikely"]
    (found,) = fewest_and_most_of_the_set(_told(fewest, most - 1, **told))
    assert f"while those of the files have {fewest} to {most}; another version" in found.explanation


def test_sets_without_files_cannot_be_tested_and_own_ones_need_not():
    assert severities(fewest_and_most_of_the_set, _told(5, 9, dataset="cpm17")) == ["not testable here"]
    assert severities(fewest_and_most_of_the_set, _told(5, 9, dataset="synthetic")) == []
    assert severities(fewest_and_most_of_the_set, _told(5, 9, dataset="none")) == []
