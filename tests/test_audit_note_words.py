"""Words in rows and notes that rules look for: those that the format of claim files names, and no others."""

import re

import pytest

from histolab_lib.audit.rules import RULES, extremes, patients, quotations
from histolab_lib.audit.rules.extremes import fewest_and_most
from histolab_lib.audit.rules.patients import patients_kept_apart
from histolab_lib.audit.rules.quotations import quoted_as_own
from tests.audit_claims import said, severities
from tests.audit_papers import made
from tests.books import ROOT


def _documented():
    """Rule and first word of each line of the table, and its words."""
    text = (ROOT / "data" / "claims" / "README.md").read_text(encoding="utf-8")
    section = text.split("## Words that rules look for")[1].split("\n## ")[0]
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return [tuple(re.findall(r"`([^`]+)`", cell) for cell in line[:3]) for line in lines]


(_, _, QUOTED), (_, _, FEWEST), (_, _, MOST), (_, _, RANDOM), (_, _, BY_PATIENT) = _documented()


def test_each_line_of_the_table_is_about_rules_that_exist_and_columns_of_the_format():
    for rules, columns, words in _documented():
        assert rules
        assert set(rules) <= set(RULES)
        assert columns in (["note"], ["row"])
        assert words


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (quotations._QUOTED, QUOTED),
        (extremes._FEWEST, FEWEST),
        (extremes._MOST, MOST),
        (patients._RANDOM, RANDOM),
        (patients._BY_PATIENT, BY_PATIENT),
    ],
)
def test_the_words_of_the_table_are_those_that_the_code_reads(pattern, words):
    whole = pattern.pattern.endswith(r"\b")
    read = pattern.pattern.replace(r"\b", "").strip("()").split("|")
    assert [word.removesuffix("…") for word in words] == read
    assert {word.endswith("…") for word in words} == {not whole}
    assert bool(pattern.flags & re.IGNORECASE) is (words != QUOTED)


def _extremes(low, high):
    told = [said("nuclei", 5, f"{low} in an image"), said("nuclei", 9, f"{high} in an image")]
    return [*told, said("nuclei", 24), said("images", 4)]


def test_each_word_for_an_extreme_is_understood_and_part_of_a_word_is_not():
    for low in FEWEST:
        assert severities(fewest_and_most, _extremes(low, MOST[0])) == ["fine"]
    for high in MOST:
        assert severities(fewest_and_most, _extremes(FEWEST[0].upper(), high)) == ["fine"]
    assert severities(fewest_and_most, _extremes("mini", "maximal")) == []


def test_each_word_for_a_drawn_set_is_understood():
    def told(words):
        return severities(patients_kept_apart, [said("images", 20, dataset="tnbc", split="test", quote=words)])

    (at_random,) = (word.removesuffix("…") for word in RANDOM)
    assert told(f"20 {at_random}ly chosen images") == told(f"20 images at {at_random.upper()}") == ["unlikely"]
    for word in BY_PATIENT:
        assert told(f"20 images of {at_random}ly chosen {word.removesuffix('…')}s") == []


def test_a_row_is_known_as_taken_over_by_those_words_in_the_notes_of_all_its_scores():
    def rows(*notes):
        scores = ("dice", "aji")
        first = zip(scores, notes, strict=True)
        taken = [made("0.712", "U-Net", metric, "Table 1", note=note) for metric, note in first]
        return taken + [made("0.712", "U-Net", metric, "Table 5") for metric in scores]

    (words,) = QUOTED
    assert severities(quoted_as_own, rows(words, f"as printed; {words}")) == ["unlikely"]
    assert severities(quoted_as_own, rows(words, "")) == []
    assert severities(quoted_as_own, rows(words.capitalize(), words.capitalize())) == []
