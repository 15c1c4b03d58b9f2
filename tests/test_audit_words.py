"""Orderings cell by cell: what is accused, which readings excuse, and that no consistent paper ever is accused."""

from dataclasses import replace

import pytest

from histolab_lib.audit.rules.sentences import names_data, names_everybody, names_metric, names_rows
from histolab_lib.audit.rules.words import ordering
from tests.audit_papers import accusations, consistent_paper, made

TABLE = [
    made(value, row, metric, unit=unit, averaging=averaging)
    for row, *values in (
        ("Ours", "0.84", "0.70", "0.80", "194.5"),
        ("A", "0.80", "0.72", "0.78", "178.3"),
        ("B", "0.84", "0.65", "0.70", "300.1"),
    )
    for value, (metric, unit, averaging) in zip(
        values,
        [(m, "fraction", "unstated") for m in ("dice", "iou", "recall")] + [("training_time", "seconds", "")],
        strict=True,
    )
]


def _said(row, words="", location="Text", dataset="monuseg", split="test", value="better"):
    note = f'"{words}"' if words else ""
    return made(value, row, "ordering", location, dataset=dataset, split=split, unit="none", averaging="", note=note)


def _verdict(row, words="", claims=TABLE, **told):
    said = _said(row, words, **told)
    (found,) = ordering([*claims, said])
    assert found.rows[0] == said.key
    return found


def test_what_the_cells_show_is_fine_and_a_tie_contradicts_nobody():
    assert _verdict("Ours > A in dice, recall (Table 1)").severity == "fine"
    found = _verdict("B > Ours > A in dice (Table 1)")
    assert (found.severity, "in 1 rounding hides who is better" in found.explanation) == ("fine", True)
    assert _verdict("Ours > * in recall").values == ("better", "0.80", "0.78", "0.70")


def test_intervals_that_touch_leave_it_open():
    claims = [made("0.80", "A"), made("0.81", "B")]
    assert _verdict("A > B in dice", claims=claims).severity == "fine"
    apart = [made("0.80", "A"), made("0.811", "B")]
    assert _verdict("A > B in dice", claims=apart).severity == "inconsistent"


def test_a_cell_that_shows_the_contrary_is_named():
    found = _verdict("Ours > A | B in dice, iou (Table 1)")
    assert (found.severity, found.values) == ("inconsistent", ("better", "0.70", "0.72"))
    assert "Table 1, Ours, iou on monuseg: 0.70 is not better than A: 0.72 (1 of 4 comparisons" in found.explanation


def test_all_others_are_every_row_of_the_table():
    assert _verdict("Ours > * in iou (Table 1)", "best IoU of all methods").severity == "inconsistent"
    assert _verdict("A > * in iou (Table 1)").severity == "fine"
    elsewhere = [*TABLE, made("0.99", "C", "iou", "Table 2")]
    assert _verdict("A > * in iou (Table 1)", claims=elsewhere).severity == "fine"
    assert _verdict("A > * in iou", claims=[*elsewhere, made("0.72", "A", "iou", "Table 2")]).severity == "inconsistent"


def test_less_time_is_better():
    assert _verdict("A > Ours > B in training_time (Table 1)").severity == "fine"
    assert _verdict("Ours > * in training_time (Table 1)").severity == "inconsistent"


def test_less_distance_is_better():
    claims = [made("50.1", "A", "hd95", unit="px"), made("49.9", "B", "hd95", unit="px")]
    assert _verdict("B > A in hd95", claims=claims).severity == "fine"
    assert _verdict("A > B in hd95", claims=claims).severity == "inconsistent"


def test_variants_of_a_network_are_no_others_unless_the_table_is_named():
    claims = [*TABLE, made("0.9", "Ours + Res-50", "recall")]
    assert _verdict("Ours > * in recall", claims=claims).severity == "fine"
    assert _verdict("Ours > * in recall (Table 1)", claims=claims).severity == "inconsistent"


def test_like_is_compared_with_like():
    parts = [
        made(value, f"{row}: {group}")
        for row, values in (("Ours", ("0.90", "0.70", "0.80")), ("A", ("0.80", "0.75", "0.78")))
        for group, value in zip(("Liver", "Colon", "Average"), values, strict=True)
    ]
    assert _verdict("Ours: Liver > A: Liver in dice", claims=parts).severity == "fine"
    assert _verdict("Ours: Colon > A: Colon in dice", claims=parts).severity == "inconsistent"
    found = _verdict("Ours > A in dice", claims=parts)
    assert (found.severity, "for the means" in found.explanation) == ("unlikely", True)


@pytest.mark.parametrize(
    ("row", "words", "reading"),
    [
        (
            "Ours > * in dice, iou (Table 1)",
            "outperforms all others",
            "in dice, and the sentence does not name the score",
        ),
        ("Ours > * in iou (Table 1)", "outperforms all others", "in dice, and the sentence does not name the score"),
        ("Ours > * in training_time (Table 1)", "trains fast compared with some", "does not say whom it compares with"),
    ],
)
def test_what_the_words_leave_open_excuses(row, words, reading):
    found = _verdict(row, words)
    assert found.severity == "unlikely"
    assert reading in found.explanation


@pytest.mark.parametrize(
    "words", ["better IoU than all", "outperforms all others in all metrics", "better in terms of Dice only, of all"]
)
def test_what_the_words_say_does_not_excuse(words):
    assert _verdict("Ours > * in iou (Table 1)", words).severity == "inconsistent"


def test_data_that_the_words_leave_open_excuse_and_data_that_they_name_do_not():
    other = [
        replace(one, dataset="tnbc", location="Table 2", value="0.9" if one.row == "Ours" else "0.5") for one in TABLE
    ]
    for words, severity in (("best IoU of all", "unlikely"), ("best IoU of all on MoNuSeg and TNBC", "inconsistent")):
        said = [_said("Ours > * in iou", words), _said("Ours > * in iou", words, dataset="tnbc")]
        found = accusations(ordering, [*TABLE, *other, *said])
        assert [one.severity for one in found] == [severity]


def test_precision_and_recall_that_may_be_exchanged_are_told():
    claims = [
        made("0.80", "A", "precision"),
        made("0.70", "B", "precision"),
        made("0.70", "A", "recall"),
        made("0.80", "B", "recall"),
    ]
    found = _verdict("B > A in precision", "B has the better precision", claims=claims)
    assert "It would hold if precision and recall were exchanged" in found.explanation


def test_one_contradiction_that_several_sentences_share_is_one_finding():
    said = [_said("Ours > A in iou (Table 1)", location=place) for place in ("Abstract", "Text", "Conclusion")]
    (found,) = accusations(ordering, [*TABLE, *said])
    assert found.location == "Abstract, Text, Conclusion, Table 1"


def test_contradictions_of_one_sentence_are_one_finding():
    said = [_said(f"A > {row} in dice (Table 1)", "A has the best Dice") for row in ("Ours", "B")]
    (found,) = accusations(ordering, [*TABLE, *said])
    assert len(found.rows) == 2 + 3


def test_a_comparison_with_what_no_table_has_is_not_testable():
    for row in ("Ours > D in dice", "Ours > A in dice (Table 7)", "Ours > A in pq"):
        assert _verdict(row).severity == "not testable here"
    assert _verdict("Ours > A in dice", dataset="tnbc").severity == "not testable here"


def test_cells_across_places_are_compared_where_no_place_has_both():
    claims = [made("0.80", "A"), made("0.70", "B", location="Table 2")]
    assert _verdict("B > A in dice", claims=claims).severity == "inconsistent"
    assert _verdict("A > B in dice", claims=claims).severity == "fine"
    both = [*claims, made("0.90", "B", location="Table 3"), made("0.70", "B")]
    assert _verdict("A > B in dice", claims=both).severity == "fine"


def test_key_words_are_found_in_the_quotation_alone():
    said = _said("Ours > A in dice", "our net has a DC of 0.8 on GlaS")
    assert names_metric(said, "dice")
    assert not names_metric(said, "iou")
    assert names_metric(_said("Ours > A in dice"), "iou")
    assert not names_data(said)
    assert names_data(replace(said, dataset="glas"))
    assert names_data(_said("Ours > A in dice", "on three different benchmark datasets"))
    assert not names_everybody(said)
    assert names_everybody(_said("Ours > * in dice", "compared to state-of-the-art methods"))
    assert names_rows(replace(said, row="Our Net > A in dice"))
    assert not names_rows(said)


def test_no_consistent_paper_is_accused():
    checked = 0
    for seed in range(25):
        found = list(ordering(consistent_paper(seed)))
        assert {one.severity for one in found} == {"fine"}, seed
        checked += len(found)
    assert checked > 150


def test_an_ordering_turned_round_is_always_found():
    for seed in range(15):
        claims = consistent_paper(seed)
        place = next(i for i, one in enumerate(claims) if one.metric == "ordering" and one.location == "Section 6")
        sides, told = claims[place].row.split(" in ")
        claims[place] = replace(claims[place], row=f"{' > '.join(reversed(sides.split(' > ')))} in {told}")
        found = accusations(ordering, claims)
        assert [(one.severity, one.rows[0]) for one in found] == [("inconsistent", claims[place].key)], seed


def test_what_can_be_so_needs_one_case_and_the_split_is_told():
    entries = [
        _said(f"{row} in dice, iou (Table 1)", "Ours can be better", value="can be better")
        for row in ("Ours > A", "Ours > B")
    ]
    (found,) = ordering([*TABLE, *entries])
    assert found.severity == "fine"
    assert "2 of 4 comparisons of cells show it, 1 the contrary, and in 1 rounding hides it." in found.explanation
    never = _said("A > Ours in dice (Table 1)", "A can be better in Dice", value="can be better")
    assert [one.severity for one in ordering([*TABLE, never])] == ["inconsistent"]


def test_comparable_is_no_order():
    found = _verdict("Ours | A in dice (Table 1)")
    assert (found.severity, "calls them comparable" in found.explanation) == ("not testable here", True)


def test_splits_are_compared_system_by_system():
    cells = [
        made(value, row, "dice", f"Table {table}", split=split)
        for table, split, values in ((1, "testA", ("0.90", "0.80")), (2, "testB", ("0.85", "0.82")))
        for row, value in zip(("Ours", "A"), values, strict=True)
    ]
    found = _verdict("testA > testB in dice", claims=cells, split="none")
    assert (found.severity, found.values) == ("inconsistent", ("better", "0.80", "0.82"))
    assert "1 of 2 comparisons" in found.explanation
    ours = _verdict("testA > testB in dice", claims=cells[::2], split="none")
    assert (ours.severity, ours.explanation) == ("fine", "In 1 comparison of cells none contradicts it.")


def test_a_reading_that_rounding_leaves_open_is_not_said_to_hold():
    claims = [made("0.70", "A"), made("0.704", "B"), made("0.50", "A", "iou"), made("0.60", "B", "iou")]
    found = _verdict("A > B in dice, iou (Table 1)", "A is better", claims=claims)
    assert "It is not contradicted in dice, and the sentence does not name the score." in found.explanation
