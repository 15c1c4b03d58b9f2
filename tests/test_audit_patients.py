"""Random choices of images and the patients they come from: counted against every choice."""

from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from histolab_lib.audit.rules import patients as module
from histolab_lib.audit.rules.patients import apart, patients_kept_apart
from histolab_lib.audit.rules.real import part
from tests.audit_claims import said, severities

WORDS = "we randomly selected images as the test set"


def _drawn(number, quote=WORDS, dataset="tnbc", split="test", row=""):
    return said("images", number, row, dataset=dataset, split=split, quote=quote)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.integers(0, 20))
def test_the_probability_is_that_of_every_choice_counted(images, drawn):
    owners = [patient for patient, number in enumerate(images) for _ in range(number)]
    choices = list(combinations(range(len(owners)), drawn)) if drawn <= len(owners) else []
    good = 0
    for choice in choices:
        test = {owners[place] for place in choice}
        train = {owners[place] for place in range(len(owners)) if place not in choice}
        good += not test & train
    assert apart(images, drawn) == (Fraction(good, len(choices)) if choices else 0)


def test_images_drawn_one_by_one_from_a_few_patients_are_told():
    (found,) = patients_kept_apart([_drawn(20), said("images", 50, dataset="tnbc")])
    assert (found.severity, found.values) == ("unlikely", ("20",))
    assert "20 of 50 images drawn at random, of 11 patients with 3 to 8 each" in found.explanation


def test_two_such_sentences_are_one_finding_with_the_larger_probability():
    (found,) = patients_kept_apart([_drawn(20), _drawn(15, WORDS + " again")])
    assert found.values == ("20", "15")
    largest = max(apart(part("tnbc", "all").patients.values(), number) for number in (15, 20))
    assert f"a probability of {float(largest):.1g}." in found.explanation


@pytest.mark.parametrize(
    "one",
    [
        _drawn(20, "20 images were selected as the test set"),
        _drawn(20, "we randomly selected patients, whose 20 images are the test set"),
        _drawn(14, dataset="monuseg"),
        _drawn(20, dataset="folder"),
        _drawn(30, split="train"),
        _drawn(160, row="augmented"),
    ],
)
def test_nothing_is_said_where_no_images_were_drawn_one_by_one(one):
    assert severities(patients_kept_apart, [one]) == []


@given(st.integers(2, 12), st.data())
def test_one_image_of_each_patient_is_never_accused(number, data):
    singles = part("tnbc", "all").__class__(number, {}, {}, {}, {}, {str(one): 1 for one in range(number)}, None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "part", lambda dataset, split: singles)
        drawn = data.draw(st.integers(1, number))
        assert severities(patients_kept_apart, [_drawn(drawn)]) == ["fine"]
