"""The ledger: claims joined with findings and with recorded runs."""

from dataclasses import replace

from histolab_lib.audit.finding import SEVERITIES, finding
from histolab_lib.audit.ledger import NOT_A_SCORE, UNTOUCHED, ledger
from histolab_lib.claims import Claim, load_claims
from histolab_lib.results import compare
from tests.records import record

DICE = Claim("haru_net", "Table 1", "HARU-Net", "monuseg", "test", "dice", "0.838", "fraction", "per_image")
GAIN = Claim("haru_net", "Abstract", "HARU-Net > U-Net in dice", "monuseg", "test", "gain", "0.08", "fraction", "")


def lines(*claims, findings=(), records=()):
    return ledger(claims, findings, compare(records, claims, jobs=()))


def run(**fields):
    return record(**{"key": "haru_net", "reading": "paper", "schedule": "gpu", **fields})


def test_every_claim_has_one_line_in_the_order_of_the_files():
    claims = load_claims()
    assert [line.claim for line in ledger(claims, [], [])] == list(claims)


def test_a_claim_that_no_rule_has_looked_at_says_so():
    (line,) = lines(DICE)
    assert (line.severity, line.findings) == (UNTOUCHED, ())
    assert UNTOUCHED not in SEVERITIES


def test_the_gravest_finding_of_a_claim_comes_first():
    given = [
        finding([DICE, GAIN], "a", word, "Said.") for word in ("fine", "not testable here", "impossible", "unlikely")
    ]
    both = lines(DICE, GAIN, findings=given)
    for line in both:
        assert [one.severity for one in line.findings] == ["impossible", "unlikely", "fine", "not testable here"]
        assert line.severity == "impossible"


def test_a_finding_that_names_a_row_twice_counts_once():
    (line,) = lines(DICE, findings=[finding([DICE, DICE], "a", "fine", "Said.")])
    assert len(line.findings) == 1


def test_a_recorded_run_judges_the_score_of_its_network():
    (line,) = lines(replace(DICE, value="0.999"), records=[run()])
    assert line.verdict.word == "not reproduced"
    assert 0 < line.verdict.ours < 0.98


def test_f1_of_pixels_is_judged_as_dice():
    (line,) = lines(replace(DICE, metric="f1", value="0.999"), records=[run()])
    assert line.verdict.word == "not reproduced"


def test_a_run_of_another_network_judges_nothing():
    (line,) = lines(DICE, records=[run(key="unet")])
    assert (line.verdict.word, line.verdict.reason) == ("not tested", "no run is recorded")


def test_a_system_that_the_book_does_not_have_is_not_tested():
    (line,) = lines(replace(DICE, row="SegNet"), records=[run()])
    assert (line.verdict.word, line.verdict.reason) == ("not tested", "the book has no network of this name")


def test_a_score_of_a_part_of_the_data_is_not_tested():
    for group in ("Bladder", "Average"):
        (line,) = lines(replace(DICE, row=f"HARU-Net: {group}"), records=[run()])
        assert (line.verdict.word, line.verdict.reason[:24]) == ("not tested", "runs are scored by image")


def test_a_variant_does_not_stand_for_the_network_as_it_is_meant():
    (line,) = lines(DICE, records=[run(variant="no_attention")])
    assert line.verdict.word == "not tested"


def test_a_count_is_no_score_and_has_no_reason():
    (line,) = lines(replace(DICE, metric="images", value="14", unit="count", averaging=""), records=[run()])
    assert (line.verdict.word, line.verdict.reason) == (NOT_A_SCORE, "")


def test_a_gain_is_held_against_what_another_seed_changes():
    (nothing,) = lines(GAIN)
    assert nothing.verdict.reason == "not tested: no run is recorded of what is said to be better"
    _, one = lines(DICE, GAIN, records=[run()])
    assert one.verdict.reason == "not tested: fewer than two seeds are recorded"
    two = [run(seed=seed, summary=_summary(mean)) for seed, mean in ((0, 0.70), (1, 0.75))]
    _, both = lines(DICE, GAIN, records=two)
    assert both.verdict.reason == "larger than what another seed changes: 0.050 between 2 seeds"


def _summary(mean):
    one = record().summary
    return {"test": one["test"] | {"dice": one["test"]["dice"] | {"mean": mean}}}
