"""The page of the ledger: its parts as HTML, and a small site whose links all lead to a row."""

import io
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest
from sphinx.application import Sphinx

from histolab_lib.audit.false_alarms import Counted, FalseAlarms
from histolab_lib.audit.finding import SEVERITIES, finding
from histolab_lib.audit.ledger import ledger
from histolab_lib.audit.registry import Rule
from histolab_lib.audit.released_code import ASPECTS, released_code
from histolab_lib.bookbuild import ledger as page
from histolab_lib.bookbuild import ledger_parts as parts
from histolab_lib.bookbuild.ledger_parts import Links
from histolab_lib.claims import PAPERS, Claim, claim, load_claims
from histolab_lib.results import load_results, result
from tests.books import ROOT

CLAIM = Claim("haru_net", "Table 1", "A <b> & C", "monuseg", "test", "dice", "75.8", "percent", "unstated")
NOWHERE = Links(lambda rule: "", lambda path: "")
FLOOR = "floor_hematoxylin/monuseg/base-clean-none-seed0/test/dice"
KEY = "haru_net/table-1/u-net/monuseg/test/dice"


class _Reader(HTMLParser):
    """What a reader without scripts and styles gets: the cells of each row, all anchors, all addresses."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.ids, self.links, self.open = [], [], [], []
        self.feed(text)
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found["href"]] if tag == "a" else []
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        if tag == "br":
            self.handle_data("|")
        else:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "tr" in self.open and self.rows[-1]:
            self.rows[-1][-1] += data


def _said(*severities):
    return [finding([CLAIM], f"rule-{at}", severity, "a < b.") for at, severity in enumerate(severities)]


def test_a_row_says_where_what_how_tested_and_with_which_verdict():
    found = _said("fine", "impossible")
    table = _Reader(parts.claims_table(ledger([CLAIM], found, []), found))
    head, row = table.rows
    assert head == ["paper", "where", "set", "metric", "printed", "severity", "verdict"]
    assert row == [
        "haru_net", "Table 1|A <b> & C", "monuseg|test", "dice", "75.8 %", "impossible|rule-1, rule-0",
        "not tested|the book has no network of this name",
    ]  # fmt: skip
    assert CLAIM.key in table.ids
    assert table.links == ["#finding-1", "#rule-rule-0"]


@pytest.mark.parametrize(
    ("metric", "value", "unit", "shown"),
    [("dice", "76%", "percent", "76%"), ("training_time", "7", "hours", "7 hours"), ("images", "14", "count", "14")],
)
def test_percent_and_units_stand_beside_the_value(metric, value, unit, shown):
    one = replace(CLAIM, metric=metric, value=value, unit=unit)
    assert _Reader(parts.claims_table(ledger([one], [], []), [])).rows[1][4] == shown


def test_a_rule_that_found_something_and_nothing_leads_to_the_finding_alone():
    found = [finding([CLAIM], "mine", severity, "Said.") for severity in ("fine", "unlikely")]
    table = _Reader(parts.claims_table(ledger([CLAIM], found, []), found))
    assert table.links == ["#finding-1"]


def test_findings_stand_once_from_the_gravest_without_those_that_found_nothing():
    found = _said(*reversed(SEVERITIES))
    table = _Reader(parts.findings_table(found, ledger([CLAIM], found, [])))
    assert [row[0] for row in table.rows[1:]] == list(parts.ACCUSING)
    assert [one for one in table.ids if one.startswith("finding-")] == ["finding-1", "finding-2", "finding-3"]
    assert table.rows[1][2] == "a < b.|Printed. Table 1, A <b> & C (monuseg): dice 75.8"
    assert table.links[:2] == [f"#{CLAIM.key}", "#rule-rule-5"]


def test_numbers_are_counted_by_paper_and_over_all():
    found = _said("impossible", "fine")
    head, *body = _Reader(parts.counts(ledger([CLAIM], found, []), found, NOWHERE)).rows
    ours = {row[0]: dict(zip(head, row, strict=True)) for row in body}
    for name in ("HARU-Net", "all"):
        assert (ours[name]["claims"], ours[name]["looked at by a rule"]) == ("1", "1")
        assert (ours[name]["found impossible"], ours[name]["found unlikely"]) == ("1", "0")
        assert ours[name]["not tested"] == "1"
    assert ours["MSAL-Net"]["claims"] == "0"


def test_released_code_is_told_in_short_and_in_sentences_with_day_commit_and_files():
    rows = _Reader(parts.code_table(released_code(), NOWHERE)).rows
    head, short = rows[0], {row[0]: row for row in rows[1 : 1 + len(PAPERS)]}
    assert head == ["paper", *ASPECTS, "do the numbers follow?"]
    assert short["HARU-Net"][4] == "no"
    assert short["MSAL-Net"][1:] == ["no"] * 7
    told = {(row[0], row[1]): row[2:] for row in rows[2 + len(PAPERS) :]}
    assert told["HARU-Net", "repository"][1].endswith(", commit df92e681c6 of 2024-02-12, read on 2026-11-21.")
    assert told["HARU-Net", "dependencies"][0] == "part"
    assert told["HARU-Net", "dependencies"][1].endswith("(requirements.txt, README.md)")
    assert told["MSAL-Net", "repository"] == ["no", "Nothing was found on 2026-11-21."]
    assert told["MSAL-Net", "do the numbers follow?"][1].startswith("Searched: ")


def _rule(name="rule-0"):
    def my_check(claims):
        """A rule."""

    my_check.__module__ = "histolab_lib.audit.mine"
    return Rule(name, "Is A < B?", "nothing", my_check)


def test_a_rule_is_listed_with_its_checks_its_derivation_and_its_test(monkeypatch):
    monkeypatch.setattr(parts, "file_of_test", lambda rule: "tests/test_audit_mine.py")
    links = Links(lambda one: f"proofs.html#{one.name}", lambda path: f"https://example.org/{path}")
    table = _Reader(parts.rules_table({"rule-0": _rule()}, _said("fine", "impossible"), links))
    assert table.rows[1] == ["rule-0", "Is A < B?", "nothing", "1 fine", "-", "derivation", "tests/test_audit_mine.py"]
    assert table.links == ["proofs.html#rule-0", "https://example.org/tests/test_audit_mine.py"]
    assert "rule-rule-0" in table.ids


def test_false_alarms_are_told_with_what_was_measured_and_other_meanings():
    counted = [Counted(2000, 5000, 0, 0, 0.0015), Counted(500, 600, 473, 0, 0.96), Counted(500, 500, 500, 0, 1.0)]
    found = FalseAlarms("Papers < books.", counted[0], {"A is meant": counted[1]}, "a slip", counted[2])
    table = _Reader(f"<table><tr><td>{parts._false_alarms(found)}</td></tr></table>")
    assert table.rows == [
        [
            "0 of 2,000, at most 0.15 %of whatPapers < books. 5,000 checks.Otherwise:where A is "
            "meant: 473 of 500, 94.6 %Guilty ones (a slip): 500 of 500, 100 %."
        ]
    ]
    assert parts._false_alarms(None) == "-"


def test_the_reference_has_the_rate_of_a_rule_after_its_proof():
    from histolab_lib.audit.rules import RULES

    lines, check = [], RULES["mean-row"].check
    page._add_rates(None, "function", "mean_row", check, None, lines)
    assert lines == page.rates_of(RULES["mean-row"])
    assert RULES["mean-row"].false_alarms.model in lines[1]
    assert page.rates_of(RULES["score-range"]) == []


def test_the_test_of_a_rule_is_that_of_its_module_or_another_that_names_it(tmp_path):
    assert parts.file_of_test(_rule(), tmp_path) == ""
    (tmp_path / "test_audit_a.py").write_text("my_checks, rule-01")
    assert parts.file_of_test(_rule(), tmp_path) == ""
    (tmp_path / "test_audit_b.py").write_text("module.my_check(claims)")
    assert parts.file_of_test(_rule(), tmp_path) == "tests/test_audit_b.py"
    (tmp_path / "test_audit_mine.py").write_text('by_name["rule-0"]')
    assert parts.file_of_test(_rule(), tmp_path) == "tests/test_audit_mine.py"


def test_a_run_has_a_row_for_each_split_with_its_intervals():
    (one,) = (one for one in load_results() if one.name == FLOOR.rpartition("/test/")[0])
    table = _Reader(parts.runs_table([one]))
    assert f"{one.name}/test" in table.ids
    assert re.match(r"dice 0\.\d{3} \[0\.\d{3}, 0\.\d{3}\]; iou ", table.rows[1][-1])


def test_a_box_can_be_reached_by_keyboard_and_has_a_name():
    for made in (parts.claims_table([], []), parts.findings_table([], []), parts.runs_table([])):
        assert re.match(r'<div class="ledger[^>]* tabindex="0" role="region" aria-label="[^"]+">', made)


def test_columns_to_choose_from_are_marked():
    chosen = re.findall(r"<th scope=\"col\" data-choose>(\w+)<", parts.claims_table([], []))
    assert chosen == ["paper", "set", "metric", "severity", "verdict"]


def test_the_script_is_small_and_asks_nobody():
    names = ("elements.js", "ledger.js")
    script = "".join((ROOT / "book" / "_static" / name).read_text(encoding="utf-8") for name in names)
    assert len(script.encode()) < 60_000
    assert not re.search(r"fetch\(|XMLHttpRequest|https?:|innerHTML", script)


@pytest.fixture(scope="module")
def whole():
    return {part: _Reader(page.html_of(part, NOWHERE)) for part in page.PARTS}


@pytest.mark.thorough
def test_every_claim_of_the_book_has_a_row_with_its_key_and_its_printed_value(whole):
    rows = {one.key: row for one, row in zip(load_claims(), whole["claims"].rows[1:], strict=True)}
    assert [one for one in whole["claims"].ids if one != "ledger-claims"] == list(rows)
    for key, row in rows.items():
        assert row[4].startswith(claim(key).value)


@pytest.mark.thorough
def test_no_anchor_stands_twice_and_every_link_within_the_page_leads_to_one(whole):
    anchors = [one for part in whole.values() for one in part.ids]
    assert len(anchors) == len(set(anchors))
    aims = {one[1:] for part in whole.values() for one in part.links if one.startswith("#")}
    assert aims <= set(anchors)
    assert len(aims) > 100


@pytest.mark.thorough
def test_every_result_that_can_be_cited_has_the_row_of_its_run(whole):
    for one in load_results():
        assert {f"{one.name}/{split}" for split in one.summary} <= set(whole["runs"].ids)


@pytest.mark.thorough
def test_the_page_stays_light():
    assert sum(len(page.html_of(part, NOWHERE).encode()) for part in page.PARTS) < 1_200_000


@pytest.mark.thorough
def test_every_rule_has_its_test_file():
    from histolab_lib.audit.rules import RULES

    _none([f"no tests/test_audit_*.py names {rule.name}" for rule in RULES.values() if not parts.file_of_test(rule)])


def _none(faults):
    assert not faults, "\n" + "\n".join(faults)


def test_the_reference_page_has_one_section_for_each_module_with_rules():
    text = page.sections([_rule("a"), _rule("b")])
    assert text.count("automodule:: histolab_lib.audit.mine\n") == 1
    source = [(ROOT / "book" / "reference" / "audit.md").read_text(encoding="utf-8")]
    listed = source[0].count("automodule")
    page._list_modules(None, "book/reference/audit", source)
    assert "automodule:: histolab_lib.audit.rules.scores\n" in source[0]
    assert source[0].count("automodule") > listed + 10


@pytest.fixture
def site(tmp_path):
    """Build a site of a start page and the ledger; return both pages and what Sphinx complained about."""

    def run(start, ledger_text):
        (tmp_path / "book" / "synthesis").mkdir(parents=True)
        (tmp_path / "conf.py").write_text(
            "extensions = ['myst_parser', 'of_the_book']\nhtml_theme = 'basic'\nimport sys, types\n"
            "from histolab_lib.bookbuild import ledger, roles\n"
            "sys.modules['of_the_book'] = module = types.ModuleType('of_the_book')\n"
            "module.setup = lambda app: (ledger.connect(app), roles.connect(app)) and None\n"
            "html_theme_options = {}\n"
        )
        (tmp_path / "index.md").write_text(start + "\n```{toctree}\nbook/synthesis/claim_ledger\n```\n")
        (tmp_path / f"{page.LEDGER}.md").write_text(ledger_text)
        said = io.StringIO()
        Sphinx(tmp_path, tmp_path, tmp_path / "out", tmp_path / "trees", "html", status=None, warning=said).build()
        out = tmp_path / "out"
        return (out / "index.html").read_text(), (out / f"{page.LEDGER}.html").read_text(), said.getvalue()

    return run


@pytest.mark.thorough
def test_a_number_in_the_text_leads_to_its_row(site):
    text = f"# Page\n\nThey print {{claim}}`{KEY}`, we have {{result}}`{FLOOR}`.\n"
    start, ledger_page, said = site(text, "# Ledger\n\n```{ledger} claims\n```\n\n```{ledger} runs\n```\n")
    assert "claim_ledger" not in said
    aims = re.findall(r'href="book/synthesis/claim_ledger\.html#([^"]+)"', start)
    assert [unquote(unescape(one)) for one in aims] == [KEY, FLOOR.removesuffix("/dice")]
    for aim in aims:
        assert ledger_page.count(f'id="{unquote(unescape(aim))}"') == 1
    assert f'title="{result(FLOOR).tooltip}"' in start
    assert 0 < ledger_page.index("elements.js") < ledger_page.index("ledger.js")
    assert "ledger.js" not in start


@pytest.mark.thorough
def test_a_rule_leads_to_where_the_book_derives_it(site):
    _, ledger_page, _ = site("# Page\n\n(rule-score-range)=\n## Why\n", "# Ledger\n\n```{ledger} rules\n```\n")
    assert re.findall(r'<a href="([^"]+)">derivation</a>', ledger_page) == ["../../index.html#rule-score-range"]


@pytest.mark.thorough
def test_an_unknown_part_of_the_ledger_is_a_complaint_that_names_those_there_are(site):
    _, _, said = site("# Page\n", "# Ledger\n\n```{ledger} claim\n```\n")
    assert 'ledger: "claim" unknown' in said
    assert '"claims"' in said
