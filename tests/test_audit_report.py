"""``histolab audit`` and the list of findings behind it."""

import csv
import io
import json
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from histolab_lib import cli
from histolab_lib.audit.finding import SEVERITIES, Finding
from histolab_lib.audit.registry import Rule
from histolab_lib.audit.report import COLUMNS, audit, to_csv, to_json
from histolab_lib.audit.rules import RULES
from histolab_lib.claims import HEADER, PAPERS, load_claims
from tests.audit_papers import made

MINE = f"""{",".join(HEADER)}
mine,Table 1,Ours,monuseg,test,dice,0.80,fraction,per_image,14,
mine,Table 1,Ours,monuseg,test,iou,0.90,fraction,per_image,14,
mine,Table 1,Theirs,monuseg,test,dice,0.80,fraction,per_image,14,
mine,Table 1,Theirs,monuseg,test,iou,0.68,fraction,per_image,14,
"""


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(MINE, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def found():
    return audit(load_claims())


def typed(*arguments):
    return CliRunner().invoke(cli.app, ["audit", *map(str, arguments)], env={"COLUMNS": "120"})


def test_a_readers_own_table_is_audited(mine):
    (one,) = [finding for finding in audit(load_claims(mine)) if finding.severity == "impossible"]
    assert (one.paper, one.location, one.rule) == ("mine", "Table 1", "jaccard-below-dice")
    assert sorted(one.values) == ["0.80", "0.90"]
    assert all("/ours/" in row for row in one.rows)
    answer = typed(mine)
    assert answer.exit_code == 0
    assert "Table 1, Ours (monuseg): dice: 0.80" in answer.stdout
    assert "[jaccard-below-dice]" in answer.stdout.replace("\n", "")
    assert "1 impossible" in answer.stdout


def test_json_and_csv_are_the_same_findings(mine):
    findings = json.loads(typed(mine, "--json").stdout)
    assert [tuple(one) for one in findings] == [COLUMNS] * len(findings)
    rows = list(csv.DictReader(io.StringIO(typed(mine, "--csv").stdout)))
    assert [row["explanation"] for row in rows] == [one["explanation"] for one in findings]
    assert rows[0]["values"] == "; ".join(findings[0]["values"])
    assert len(json.loads(typed(mine, "--json", "--all").stdout)) > len(findings)


def test_one_paper_can_be_chosen():
    answer = typed("--paper", "gland_linknet", "--json")
    assert {one["paper"] for one in json.loads(answer.stdout)} == {"gland_linknet"}
    answer = typed("--paper", "gland")
    assert answer.exit_code == 1
    assert "no claims of 'gland'; there are those of dan_nucnet, gland_linknet" in answer.stderr


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("averaging,images,note", "images,note"), "mine.csv, line 1: the header must be paper,location"),
        (("dice", "luck"), "mine.csv, line 2: unknown metric 'luck'"),
        (("0.90", "much"), "mine.csv, line 3: value must be a number as printed or 'unreadable', got 'much'"),
        (("Theirs", "Ours"), "mine.csv, line 4: mine/table-1/ours/monuseg/test/dice stands already at"),
        (("0.68,fraction", "0.68,px"), "mine.csv, line 5: unknown unit of iou 'px'"),
        (("0.68,fraction", "68,fraction"), "mine.csv, line 5: iou in fraction lies between 0 and 1, got '68'"),
        (("0.68,fraction", "168,percent"), "line 5: iou in percent lies between 0 and 100, got '168'; where the paper"),
    ],
)
def test_a_file_that_is_not_in_order_is_told_with_its_line_and_exits_with_1(mine, change, message):
    mine.write_text(MINE.replace(*change), encoding="utf-8")
    answer = typed(mine)
    assert answer.exit_code == 1
    assert message in answer.stderr.replace("\n", "")
    assert not answer.stdout


def test_a_score_out_of_range_that_is_really_printed_so_is_a_finding(mine):
    mine.write_text(MINE.replace("0.68,fraction,per_image,14,", "1.68,fraction,per_image,14,(sic)"), encoding="utf-8")
    answer = typed(mine, "--json")
    assert answer.exit_code == 0
    assert "score-range" in {one["rule"] for one in json.loads(answer.stdout)}


def test_what_is_asked_wrongly_is_refused(mine, tmp_path):
    assert "no such claim file" in typed(tmp_path / "none.csv").stderr
    assert typed(mine, "--json", "--csv").exit_code == 2


def test_every_check_stands_once_from_the_gravest(found):
    keys = [(one.rule, frozenset(one.rows), one.severity) for one in found]
    assert len(keys) == len(set(keys))
    for paper in PAPERS:
        own = [SEVERITIES.index(one.severity) for one in found if one.paper == paper]
        assert own == sorted(own)
        assert own


def test_findings_name_claims_and_quote_what_they_print(found):
    claims = {one.key: one for one in load_claims()}
    for one in found:
        assert [claims[row].value for row in one.rows] == list(one.values)
        assert {claims[row].paper for row in one.rows} == {one.paper}
        assert one.rule in RULES
        assert one.explanation.endswith(".")


def test_every_rule_has_been_used_on_the_papers_or_says_why_not(found):
    silent = set(RULES) - {one.rule for one in found}
    # No paper of the five tells these: pooled pairs, AJI beside IoU, DQ and SQ, object scores beside PQ.
    assert silent <= {
        "jaccard-pooled", "aji-below-jaccard", "pq-of-dq-and-sq", "pq-below-its-factors", "object-f1-above-pq",
    }  # fmt: skip


def test_a_finding_said_twice_is_listed_once():
    one = Finding("p", "Table 1", ("a", "b"), ("1", "2"), "twice", "impossible", "So.")
    again = Finding("p", "Table 1", ("b", "a"), ("2", "1"), "twice", "impossible", "So again.")
    twice = Rule("twice", "Twice?", "nothing", lambda claims: iter([one, again]))
    assert audit(load_claims()[:1], {"twice": twice}) == [one]


def test_the_same_numbers_of_one_system_in_two_tables_are_one_finding():
    here = [
        made(value, "Ours", metric, table)
        for table in ("Table 1", "Table 2")
        for metric, value in (("dice", "0.80"), ("iou", "0.90"))
    ]
    apart = [replace(one, row="Theirs") if one.location == "Table 2" else one for one in here]
    for claims, number in ((here, 1), (apart, 2)):
        found = [one for one in audit(claims) if one.rule == "jaccard-below-dice"]
        assert len(found) == number
    (one,) = [one for one in audit(here) if one.rule == "jaccard-below-dice"]
    assert (one.location, one.values) == ("Table 1, Table 2", ("0.80", "0.90", "0.80", "0.90"))


def test_the_audit_takes_less_than_five_seconds_and_no_network():
    code = (
        "import sys, time; start = time.process_time(); from histolab_lib.audit.report import audit;"
        "from histolab_lib.claims import load_claims; audit(load_claims());"
        "print(time.process_time() - start, *sorted({'torch', 'matplotlib', 'pandas', 'seaborn'} & set(sys.modules)))"
    )
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert time.perf_counter() > start
    seconds, *loaded = done.stdout.split()
    assert (float(seconds) < 5, loaded, done.stderr) == (True, [], "")


def test_json_and_csv_of_nothing_are_whole():
    assert json.loads(to_json([])) == []
    assert to_csv([]) == ",".join(COLUMNS) + "\n"
