import pytest

from histolab_lib.bookbuild.prose import pictures_without_alt, typed_numbers

TYPED = [
    "The network reached a Dice of 0.81.",
    "Dice: 0.81",
    "Dice: 81 %",
    "The IoU of the net is about\n.75 on these tiles.",
    "It scores 0.5 in AJI; the floor less.",
    "Accuracy is, e.g. on test tiles, 93 percent.",
    "The loss fell to -1.5 in the end.",
    "AJI+ of 0.6",
    "An F1 of 0.7, said the authors.",
    "We gain 2.5 points of panoptic quality.",
    "| method | Dice |\n|---|---|\n| threshold | 0.61 |",
    ":::{note}\nThe Dice was 0.7.\n:::",
    "```{note}\nSome words.\n```\n\nThe Dice was 0.7.",
    "````{note}\n```python\nx = 1\n```\n````\nThe Dice was 0.7.",
    "```{figure} a.png\n:alt: Nuclei\n\nThe caption says a Dice of 0.7.\n```",
    "```python\nx = 1\n```\nThe Dice was 0.7.",
]
NOT_TYPED = [
    "The network reached a Dice of {glue:text}`dice:.3f`.",
    "A match needs an IoU above $0.5$.",
    "A score of `0.5` in code.",
    "```python\ndice = 0.81  # a score of 0.81\n```",
    "~~~\ndice 0.81\n~~~",
    "$$\n\\mathrm{Dice} = 0.5 \\cdot x\n$$ (eq-dice)",
    "```{math}\n\\mathrm{Dice} = 0.5\n```",
    "Dice counts pixels. The threshold stands at 0.5 micrometres.",
    "AJI has 2 sums and 1 quotient.",
    "- Dice judges the mask.\n- Pixels are 0.25 um wide.",
    "See [Dice](https://example.org/0.81).",
    "% The Dice was 0.81\n\nAnd so on.",
    "<!-- Dice 0.81 -->",
    "The dicer weighs 0.5 kg.",
    "Version 1.2.3 brought the Dice.",
]


@pytest.mark.parametrize("text", TYPED)
def test_a_score_typed_into_prose_is_found(text):
    assert len(typed_numbers(text)) == 1


@pytest.mark.parametrize("text", NOT_TYPED)
def test_what_is_no_typed_score_is_left_alone(text):
    assert typed_numbers(text) == []


def test_the_sentence_is_quoted_alone():
    assert typed_numbers("First. The Dice was 0.81. Last.") == ["The Dice was 0.81."]


@pytest.mark.parametrize(
    "text",
    [
        "![](a.png)",
        "![ ](a.png)",
        '<img src="a.png">',
        '<img src="a.png" alt="">',
        "```{figure} a.png\n:name: fig-a\n\nA caption.\n```",
        ":::{image} a.png\n:width: 50%\n:::",
    ],
)
def test_a_picture_without_words_is_found(text):
    assert len(pictures_without_alt(f"Words.\n\n{text}\n\nMore words.")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "![Two nuclei](a.png)",
        '<img alt="Two nuclei" src="a.png">',
        "```{figure} a.png\n:alt: Two nuclei\n\nA caption.\n```",
        ":::{image} a.png\n:alt: Two nuclei\n:::",
        "```\n![](a.png)\n```",
        "Write `![](a.png)` never.",
    ],
)
def test_a_picture_with_words_or_in_code_is_left_alone(text):
    assert pictures_without_alt(text) == []
