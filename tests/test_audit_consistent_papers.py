"""Papers that are consistent by construction, on their images, steps and input sizes: no rule may accuse one of them.

Each also holds what a rule could mistake: windows, a part of a training, a set of another hospital, turned sizes.
"""

from fractions import Fraction
from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from histolab_lib.audit.rules import counts, sizes
from histolab_lib.audit.rules.real import part
from tests.audit_claims import said, severities

KNOWN = ("monuseg", "kumar", "glas", "tnbc")
UNKNOWN = ("folder", "cpm17", "consep")
#: What a test set may be beside itself: parts of it, and what is cut from it. None is a set of more images.
PARTS = ("malignant", "smallest hospital", "with a gland")
CUT = ("crops", "patches of each image", "sliding window")

numbers = st.integers(1, 400)
sides = st.integers(100, 2000)


@st.composite
def sets_to_test_on(draw):
    """Test images of a set, in one or two places, a part of them, an enlarged training set, and windows."""
    dataset = draw(st.sampled_from(KNOWN + UNKNOWN))
    split = draw(st.sampled_from(("test", "testA", "test_same")))
    held = part(dataset, "all")
    test = draw(st.integers(1, held.images if held else 400))
    about = {"dataset": dataset, "split": split}
    claims = [said("images", test, row, location=place, **about) for row, place in
              (("", "Section 1"), (draw(st.sampled_from(("", "Test Set"))), "Table 1"))]  # fmt: skip
    claims.append(said("images", draw(st.integers(1, test)), draw(st.sampled_from(PARTS)), **about))
    claims.append(said("images", test * draw(st.integers(2, 500)), draw(st.sampled_from(CUT)), **about))
    train = draw(numbers)
    claims += [said("images", train, dataset=dataset, split="train")]
    claims += [said("images", 8 * train, "augmented", dataset=dataset, split="train")]
    if held is None:
        claims.append(said("images", draw(numbers), "second hospital", **about))
    return claims, test, about


@given(sets_to_test_on())
def test_no_test_set_of_its_own_images_is_accused(made):
    claims, _, _ = made
    found = list(counts.size_of_test_set(claims))
    assert {one.severity for one in found} == {"fine"}
    assert {row for one in found for row in one.rows} >= {one.key for one in claims[:2]}


@given(sets_to_test_on(), st.integers(2, 20))
def test_copies_of_test_images_are_accused_with_their_number(made, versions):
    claims, test, about = made
    enlarged = said("images", versions * test, "augmented", location="Section 2", **about)
    accused = [one for one in counts.size_of_test_set([*claims, enlarged]) if one.severity == "inconsistent"]
    assert [one.rows[0] for one in accused] == [enlarged.key]


@given(st.sampled_from(KNOWN), st.integers(1, 100))
def test_more_test_images_than_a_public_set_has_are_accused(dataset, more):
    one = said("images", part(dataset, "all").images + more, dataset=dataset, split="test")
    assert severities(counts.size_of_test_set, [one]) == ["inconsistent"]


@st.composite
def trainings(draw):
    """Training in steps that see every set ten times or more, however the sentence is put, and what lies about it."""
    chosen = draw(st.lists(st.sampled_from(KNOWN + UNKNOWN), min_size=1, max_size=3, unique=True))
    claims, fewest = [], Fraction(0)
    for dataset in chosen:
        images, batch, versions = draw(numbers), draw(st.integers(1, 64)), draw(st.sampled_from((1, 4, 8)))
        claims += [said("batch_size", batch, dataset=dataset, split="train")]
        claims += [said("images", images, dataset=dataset, split="train")]
        if versions > 1:
            claims += [said("images", images * versions, "augmented", dataset=dataset, split="train")]
        fewest = max(fewest, Fraction(10 * images * versions, batch))
    one_set = len(chosen) == 1 and draw(st.booleans())
    dataset = chosen[0] if one_set else "none"
    about = {"dataset": dataset, "split": "train"}
    steps = ceil(fewest) + draw(st.integers(0, 10**5))
    quote = draw(
        st.sampled_from(("trained for {} iterations", "after {} training iterations", "for {} iterations each"))
    )
    metric = draw(st.sampled_from(("iterations", "epochs")))
    training = said(metric, steps, quote=quote.format(steps), **about)
    return claims, training, chosen, fewest


#: What is called iterations and is not how long training takes, or is counted in epochs in a sentence with iterations.
ASIDE = (
    ("iterations", "each epoch", "train", "with 5 iterations"),
    ("iterations", "", "train", "each epoch has 5 iterations of the optimiser"),
    ("iterations", "", "train", "we train with 5 iterations per epoch"),
    ("iterations", "", "train", "the rate is halved every 5 iterations"),
    ("iterations", "warm-up", "train", "the rate rises for 5 iterations"),
    ("iterations", "erosion", "none", "5 iterations of erosion"),
    ("epochs", "", "train", "we train for 5 epochs of 900 iterations"),
)


@given(trainings(), st.sampled_from(ASIDE), st.integers(10**5, 10**7))
def test_no_training_in_steps_is_accused(made, aside, pretrained):
    claims, training, chosen, _ = made
    metric, row, split, quote = aside
    odd = said(metric, 5, row, dataset=chosen[0], split=split, location="Section 3", quote=quote)
    other = said("images", pretrained, "ImageNet", dataset=chosen[0], split="train", location="Section 4")
    (found,) = counts.iterations_as_epochs([*claims, odd, other, training])
    assert (found.severity, found.rows[0]) == ("fine", training.key)


@given(trainings(), st.data())
def test_steps_that_see_some_set_fewer_than_ten_times_are_asked_about(made, data):
    claims, training, _, fewest = made
    if fewest > 1:
        steps = data.draw(st.integers(1, ceil(fewest) - 1))
        few = said("iterations", steps, dataset=training.dataset, split="train", quote=f"for {steps} iterations")
        assert severities(counts.iterations_as_epochs, [*claims, few]) == ["unlikely"]


def _sizes(size, row="", **about):
    return [said(metric, side, row, **about) for metric, side in zip(("height_px", "width_px"), size, strict=True)]


@st.composite
def size_tables(draw):
    """Sets with the sizes of their images, each given to the network as it is, cut, or resized and said to be so."""
    chosen = draw(st.lists(st.sampled_from(KNOWN + UNKNOWN), min_size=2, max_size=4, unique=True))
    own = {dataset: draw(st.tuples(sides, sides)) for dataset in chosen}
    turned = draw(st.booleans())
    claims = []
    for dataset in chosen:
        claims += _sizes(own[dataset], dataset=dataset)
        way = draw(st.sampled_from(("own", "cut", "resized", "common")))
        other = own[draw(st.sampled_from(chosen))]
        size = {"own": own[dataset], "cut": (256, 256), "resized": other, "common": (512, 512)}[way]
        if way == "cut":
            claims += _sizes(size, "patch", dataset=dataset)
        quote = "images are resized before" if way == "resized" else "an input size of"
        size = size[::-1] if turned else size
        claims += _sizes(size, "network input", dataset=dataset, location="Section 4", quote=quote)
    return claims


@given(size_tables())
def test_no_sets_at_their_own_size_cut_or_resized_are_accused(claims):
    sets = len({one.dataset for one in claims})
    assert severities(sizes.input_sizes_exchanged, claims) == ["fine"] * (sets * (sets - 1) // 2)


@given(st.tuples(sides, sides), st.tuples(sides, sides), st.booleans(), st.booleans())
def test_two_sets_that_have_each_others_input_size_are_accused(first, second, turned, patches):
    if sorted(first) == sorted(second):
        return
    claims = [*_sizes(first, dataset="tnbc"), *_sizes(second, dataset="cpm17")]
    claims += _sizes((50, 60), "patch", dataset="tnbc") if patches else []
    given_at = (second[::-1], first[::-1]) if turned else (second, first)
    for dataset, size in zip(("tnbc", "cpm17"), given_at, strict=True):
        claims += _sizes(size, "network input", dataset=dataset, location="Section 4")
    assert severities(sizes.input_sizes_exchanged, claims) == ["inconsistent"]
