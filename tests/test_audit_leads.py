"""Leads: every one is found by a rule, tested and fine, or refused with a reason; faults of the files are named."""

import re
from dataclasses import replace
from functools import cache

import pytest

from histolab_lib.audit.leads import Lead, load_leads
from histolab_lib.audit.report import audit
from histolab_lib.audit.rules import RULES
from histolab_lib.claims import load_claims
from histolab_lib.data_dir import DataError

LEADS = load_leads()


@cache
def found():
    return audit(load_claims())


def not_found(lead: Lead, findings) -> set[str]:
    """The claims of a lead that no finding of its rule is about, of the kind that the lead speaks of."""
    theirs = [one for one in findings if one.rule == (lead.rule or lead.fine)]
    told = [one for one in theirs if (one.severity == "fine") == bool(lead.fine)]
    return set(lead.claims) - {row for one in told for row in one.rows}


def named(lead: Lead) -> str:
    return f"{lead.paper}: {lead.what[:60]}"


@pytest.mark.parametrize("lead", [one for one in LEADS if one.claims], ids=named)
def test_what_a_lead_says_is_among_the_findings(lead):
    assert (lead.rule or lead.fine) in RULES
    assert not not_found(lead, found()), f"no finding of {lead.rule or lead.fine} is about these"


def test_a_lead_whose_finding_has_gone_or_become_fine_is_noticed():
    lead = next(one for one in LEADS if one.rule)
    assert not_found(lead, []) == set(lead.claims)
    assert not_found(lead, [replace(one, severity="fine") for one in found()]) == set(lead.claims)


def test_sentences_are_sentences():
    for lead in LEADS:
        assert re.fullmatch(r"(?s)[A-Z0-9\"].{20,}\.", lead.what), lead.what
        assert not lead.refused or re.fullmatch(r"(?s)[A-Z0-9\"].{20,}\.", lead.refused), lead.refused


@pytest.fixture
def read(tmp_path):
    """A file of leads for a paper of one's own, read."""

    def run(text):
        path = tmp_path / "mine.toml"
        path.write_text(text, encoding="utf-8")
        return load_leads(path)

    return run


GOOD = 'what = "A sum is wrong."\nwhere = "Table 1"\n'


def test_a_lead_is_found_fine_or_refused(read):
    keys = 'claims = ["mine/table-1/a/dice"]\n'
    text = f'[[lead]]\n{GOOD}rule = "scale"\n{keys}[[lead]]\n{GOOD}fine = "gain"\n{keys}[[lead]]\n{GOOD}refused = "No."'
    one, two, three = read(text)
    assert (one.paper, one.rule, one.claims) == ("mine", "scale", ("mine/table-1/a/dice",))
    assert (two.fine, two.rule, two.refused) == ("gain", "", "")
    assert (three.refused, three.claims) == ("No.", ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[lead", "cannot be read as a file of leads"),
        ("", r"expected tables \[\[lead\]\] and nothing else, got none"),
        (f'[[lead]]\n{GOOD}refused = "No."\n[other]\na = 1', "nothing else, got other"),
        ("lead = [1]", "lead 1: expected a table, got 1"),
        (f'[[lead]]\n{GOOD}refuse = "No."', "lead 1: unknown key 'refuse'; allowed: what, where, rule"),
        ('[[lead]]\nwhat = "A."\nrefused = "No."', "lead 1: lacks where"),
        ('[[lead]]\nwhat = 3\nwhere = "A"\nrefused = "No."', "lead 1: what must be text, got 3"),
        (f'[[lead]]\n{GOOD}refused = " "', "lead 1: refused must be text"),
        (f"[[lead]]\n{GOOD}", "lead 1: needs one of rule, fine and refused, got none"),
        (f'[[lead]]\n{GOOD}rule = "a"\nrefused = "No."', "got rule and refused"),
        (f'[[lead]]\n{GOOD}rule = "a"', "rule and fine need the keys of claims"),
        (f'[[lead]]\n{GOOD}refused = "No."\nclaims = ["mine/a"]', "refused has none"),
        (f'[[lead]]\n{GOOD}rule = "a"\nclaims = "mine/a"', "claims must be a list of keys, got 'mine/a'"),
        (f'[[lead]]\n{GOOD}rule = "a"\nclaims = ["yours/a"]', "'yours/a' is no claim of mine"),
        (f'[[lead]]\n{GOOD}refused = "No."\n' * 2, "lead 2: says what an earlier one says"),
    ],
)
def test_a_fault_is_named_with_its_place(read, text, message):
    with pytest.raises(DataError, match=message):
        read(text)


def test_a_folder_without_leads_is_named(tmp_path):
    with pytest.raises(DataError, match="no file of leads"):
        load_leads(tmp_path)
