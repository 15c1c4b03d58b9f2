"""False alarms: every rule that can say unlikely has a measured rate, others have none, and the rates come again."""

import ast
import inspect
import json
import re
import subprocess
import sys
from random import Random

import pytest
from scipy.stats import binom, hypergeom

from histolab_lib.audit.false_alarms import Counted, load_false_alarms
from histolab_lib.audit.rules import RULES
from histolab_lib.data_dir import DataError, data_dir
from tests.innocent_papers import MODELS, count
from tests.measure_false_alarms import FILE, at_most, main, measured

FOUND = load_false_alarms()
#: Numbers of papers that are not among the measured ones.
OTHERS = range(10**6, 10**6 + 10**4)


def _says_unlikely(module):
    """The functions and methods of a module whose text has the word, by themselves or through what they name."""
    defined = {one.name: one for one in ast.parse(inspect.getsource(module)).body if hasattr(one, "name")}
    words = {
        name: {n.value for n in ast.walk(one) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
        for name, one in defined.items()
    }
    names = {
        name: {n.id for n in ast.walk(one) if isinstance(n, ast.Name)} & set(defined) for name, one in defined.items()
    }
    saying = {name for name in defined if "unlikely" in words[name]}
    while more := {name for name in defined if names[name] & saying} - saying:
        saying |= more
    return saying


def test_every_rule_that_can_say_unlikely_has_a_rate_and_no_other_has():
    can = {
        name
        for name, rule in RULES.items()
        if rule.check.__name__ in _says_unlikely(inspect.getmodule(inspect.unwrap(rule.check)))
    }
    assert len(can) > 20
    assert set(FOUND) == set(MODELS) == can
    for name, rule in RULES.items():
        assert rule.false_alarms == FOUND.get(name)
        assert rule.proof.count("**False alarms.**") == (name in can), name


def test_no_docstring_says_that_a_rate_is_not_known():
    for name, rule in RULES.items():
        text = " ".join(rule.proof.split())
        assert not re.search(r"no rate|rate that is not known|not known\. `|is not known", text), name


@pytest.mark.parametrize("rule", MODELS)
def test_other_papers_are_accused_as_often_as_the_file_says(rule):
    """By the larger of the two tails of a binomial distribution about what was measured, with a little room."""
    model, told = MODELS[rule], FOUND[rule]
    drawn = [(model.plain, told.innocent, 8)]
    drawn += [(draw, told.accused_when[name], 4) for name, draw in model.otherwise.items()]
    drawn += [(model.guilty, told.guilty, 4)]
    for draw, measurement, number in drawn:
        seen = count(rule, draw, "again", OTHERS[:number])
        assert seen["checks"] > 0
        share = (measurement.accused + 1) / (measurement.papers + 2)
        assert binom.sf(seen["accused"] - 1, number, share) > 1e-4, (rule, seen, measurement)
        assert binom.cdf(seen["accused"], number, share) > 1e-4, (rule, seen, measurement)


def test_guilty_papers_of_the_same_kind_are_found_so_that_a_rate_of_zero_is_no_silence():
    for rule, told in FOUND.items():
        assert told.guilty.accused > 0.7 * told.guilty.papers, rule
        assert told.guilty.accused / told.guilty.papers > 10 * told.innocent.at_most, rule


def test_innocent_papers_are_looked_at_and_never_called_more_than_unlikely():
    for rule, told in FOUND.items():
        assert (told.innocent.papers, told.innocent.graver) == (2000, 0), rule
        assert told.innocent.checks >= 0.9 * told.innocent.papers, rule
        assert told.innocent.accused <= 0.05 * told.innocent.papers, rule
        assert all(one.graver <= 0.01 * one.papers for one in told.accused_when.values()), rule
        assert told.model == MODELS[rule].says
        assert list(told.accused_when) == list(MODELS[rule].otherwise)


def test_the_bound_is_what_would_hide_so_few_in_one_of_twenty_samples():
    assert at_most(0, 2000) == pytest.approx(3 / 2000, rel=0.01)  # the rule of three
    assert at_most(7, 7) == 1
    assert binom.cdf(14, 2000, at_most(14, 2000)) == pytest.approx(0.05, abs=1e-6)
    for told in FOUND.values():
        for one in (told.innocent, told.guilty, *told.accused_when.values()):
            assert one.at_most == pytest.approx(at_most(one.accused, one.papers), rel=0.05)


def test_papers_are_drawn_with_variety_and_come_again():
    for rule, model in MODELS.items():
        claims = [model.plain(Random(f"{rule} {number}")).claims for number in range(8)]
        assert len({tuple(one.value for one in paper) for paper in claims}) >= 3, rule
        assert model.plain(Random(f"{rule} 0")).claims == claims[0], rule


@pytest.mark.parametrize(
    ("text", "said"), [("{", "JSONDecodeError"), ("{}", "KeyError"), ('{"rules": {"a": {"model": "m"}}}', "KeyError")]
)
def test_a_file_that_is_damaged_is_named(tmp_path, text, said):
    (tmp_path / "rates.json").write_text(text)
    with pytest.raises(DataError, match=rf"rates\.json: cannot be read as measured false alarms \({said}"):
        load_false_alarms(tmp_path / "rates.json")
    with pytest.raises(DataError, match="FileNotFoundError"):
        load_false_alarms(tmp_path / "none.json")


def test_shares_are_told_as_a_bound_where_they_are_rare_and_as_they_are_elsewhere():
    assert Counted(2000, 9, 14, 0, 0.011).words == "14 of 2,000, at most 1.1 %"
    assert Counted(500, 9, 500, 0, 1.0).words == "500 of 500, 100 %"


@pytest.mark.thorough
def test_rules_are_imported_without_reading_the_file():
    code = (
        "import histolab_lib.audit.report, histolab_lib.audit.false_alarms as f; print(f._measured.cache_info().misses)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "0\n"


def test_measuring_one_rule_again_leaves_the_others(tmp_path, monkeypatch):
    path = tmp_path / "false_alarms.json"
    path.write_text(FILE.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr("tests.measure_false_alarms.FILE", path)
    monkeypatch.setattr("tests.measure_false_alarms.measured", lambda rule: measured(rule, 3, 2))
    main(["scale"])
    now, before = (json.loads(one.read_text(encoding="utf-8"))["rules"] for one in (path, FILE))
    assert list(now) == list(before)
    assert {rule for rule in now if now[rule] != before[rule]} == {"scale"}
    assert now["scale"]["innocent"]["papers"] == 3


def test_the_file_is_small_and_beside_the_other_facts():
    assert FILE.parent == data_dir() / "facts"
    assert FILE.stat().st_size < 30_000


@pytest.mark.thorough
@pytest.mark.parametrize("rule", MODELS)
def test_the_first_papers_are_among_those_that_the_file_counts(rule):
    """A tenth of them drawn again: as many are accused as a tenth of the counted ones likely has."""
    kept, some = json.loads(FILE.read_text(encoding="utf-8"))["rules"][rule], measured(rule, 200, 50)
    told = {"": (kept["innocent"], some["innocent"]), "guilty": (kept["guilty"], some["guilty"])}
    told |= {name: (one, some["accused_when"][name]) for name, one in kept["accused_when"].items()}
    for name, (whole, part) in told.items():
        likely = hypergeom(whole["papers"], whole["accused"], part["papers"])
        assert likely.sf(part["accused"] - 1) > 1e-4, (name, whole, part)
        assert likely.cdf(part["accused"]) > 1e-4, (name, whole, part)
        assert part["graver"] <= whole["graver"]
