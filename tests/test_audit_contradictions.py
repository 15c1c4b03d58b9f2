"""Two sentences that order a pair in two ways."""

from dataclasses import replace

from histolab_lib.audit.rules.contradictions import opposite_orderings
from tests.audit_papers import consistent_paper, made


def _said(row, words="", location="Text", dataset="none"):
    note = f'"{words}"' if words else ""
    return made("better", row, "ordering", location, dataset=dataset, unit="none", averaging="", note=note)


def _severities(*said):
    return [
        one.severity for one in opposite_orderings([_said(*one, location=f"Text {i}") for i, one in enumerate(said)])
    ]


def test_two_sentences_that_name_each_of_two_the_better_one_are_inconsistent():
    assert _severities(("A > B in parameters",), ("b > a in parameters",)) == ["inconsistent"]
    assert _severities(("A > B > C in parameters",), ("C > A in parameters, dice",)) == ["inconsistent"]


def test_sentences_that_agree_are_fine_and_those_on_other_metrics_or_tables_are_not_compared():
    assert _severities(("A > B in parameters",), ("A > C in parameters",)) == ["fine"]
    assert _severities(("A > B in parameters",), ("B > A in dice",)) == []
    assert _severities(("A > B in parameters (Table 1)",), ("B > A in parameters (Table 2)",)) == []


def test_all_others_are_those_that_the_sentence_does_not_name():
    assert _severities(("A > * in parameters",), ("A > * in parameters",)) == ["fine"]
    assert _severities(("A > * in parameters",), ("B > A in parameters",)) == ["inconsistent"]
    assert _severities(("A > * in parameters",), ("B > * in parameters",)) == ["inconsistent"]


def test_words_that_leave_the_metric_or_the_others_open_excuse():
    assert _severities(("A > B in parameters", "A is better"), ("B > A in parameters",)) == ["unlikely"]
    assert _severities(("A > * in parameters", "A has few parameters"), ("B > A in parameters",)) == ["unlikely"]


def test_where_a_table_has_the_cells_it_decides():
    cells = [made("0.8", "A"), made("0.7", "B")]
    said = [_said("A > B in dice", location="Text 1"), _said("B > A in dice", location="Text 2")]
    assert list(opposite_orderings([*cells, *said])) == []


def test_no_consistent_paper_is_accused():
    for seed in range(20):
        said = [one for one in consistent_paper(seed) if one.metric == "ordering"]
        said += [replace(one, location="Abstract") for one in said]
        found = list(opposite_orderings(said))
        assert {one.severity for one in found} == {"fine"}, seed


def test_both_places_and_what_is_left_open_are_told():
    said = [_said("A > B in parameters", location="Text 1"), _said("B > * in parameters", "B is small", "Text 2")]
    (found,) = opposite_orderings(said)
    assert found.explanation.startswith(
        "In parameters, Text 1 has A ahead of B, Text 2 the reverse. The words of one leave"
    )
    minimal = _said("B > * in parameters", "B is of minimal complexity in parameters", "Text 2")
    assert [one.severity for one in opposite_orderings([said[0], minimal])] == ["unlikely"]
