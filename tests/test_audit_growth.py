"""The audit of a paper with four times the numbers takes about four times the work."""

import random
import sys

import pytest

from histolab_lib.audit.report import audit
from histolab_lib.audit.rules import RULES
from histolab_lib.audit.rules.paper import Paper
from tests.audit_papers import made


class Counted(Paper):
    """A paper that counts how often all its claims are gone through."""

    scans = 0

    def __iter__(self):
        type(self).scans += 1
        return super().__iter__()


def _tables(systems, paper="mine"):
    """Five tables of the same systems, every number drawn anew: of all that can be found in scores there is much."""
    rng = random.Random(systems)
    return [
        made(f"{rng.uniform(0.5, 0.95):.3f}", row, metric, f"Table {table}")
        for table in range(5)
        for row in [f"{paper} {number}{end}" for number in range(systems) for end in ("", " + post-processing")]
        for metric in ("dice", "iou", "precision", "recall", "aji")
    ]


def _scans(rule, systems):
    claims = Counted(_tables(systems))
    Counted.scans = 0
    found = list(rule.check(claims))
    assert len(found) < 100 * len(claims)
    return Counted.scans


@pytest.mark.parametrize("name", RULES)
def test_no_rule_goes_through_all_claims_for_each_one_that_it_accuses(name):
    assert _scans(RULES[name], 12) == _scans(RULES[name], 3)


def _calls(systems):
    """How many functions an audit calls: its work as a number that no busy machine changes."""
    calls = 0

    def count(_frame, event, _argument):
        nonlocal calls
        calls += event in ("call", "c_call")

    claims = _tables(systems, f"of {systems}")
    before = sys.getprofile()
    sys.setprofile(count)
    try:
        found = audit(claims)
    finally:
        sys.setprofile(before)
    assert len(found) > len(claims)
    return calls


def test_four_times_the_claims_take_less_than_five_times_the_work():
    assert _calls(16) < 5 * _calls(4)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_finds_the_same_in_a_list_of_claims_as_in_a_paper(name):
    claims = _tables(3)
    assert list(RULES[name].check(claims)) == list(RULES[name].check(Paper.of(claims)))
