import io
import re

import pytest
from sphinx.application import Sphinx

from histolab_lib.claims import claim
from histolab_lib.results import result

pytestmark = pytest.mark.thorough

FLOOR = "floor_hematoxylin/monuseg/base-clean-none-seed0/test/dice"
KEY = "haru_net/table-1/u-net/monuseg/test/dice"


@pytest.fixture
def build(tmp_path):
    """Build a site of one page with the book's roles; return the page and what Sphinx complained about."""

    def run(text):
        (tmp_path / "conf.py").write_text(
            "extensions = ['myst_parser', 'roles_of_the_book']\nhtml_theme = 'basic'\n"
            "import sys, types\nfrom histolab_lib.bookbuild import roles\n"
            "sys.modules['roles_of_the_book'] = module = types.ModuleType('roles_of_the_book')\n"
            "module.setup = roles.connect\n"
        )
        (tmp_path / "index.md").write_text(text)
        said = io.StringIO()
        app = Sphinx(tmp_path, tmp_path, tmp_path / "out", tmp_path / "trees", "html", status=None, warning=said)
        app.build()
        return (tmp_path / "out" / "index.html").read_text(), said.getvalue()

    return run


def test_a_claim_stands_in_the_text_as_printed_and_says_where_it_comes_from(build):
    page, said = build(f"# Page\n\nThey print {{claim}}`{KEY}`.\n")
    assert "index.md" not in said  # a second site in one process has Sphinx itself complain, of something else
    tip = claim(KEY).tooltip
    assert f'title="{tip}"' in page
    assert f'data-tip="{tip}"' in page
    assert f">{claim(KEY).value}</span>." in page


def test_without_a_ledger_a_number_leads_nowhere_and_can_be_reached_by_keyboard(build):
    page, _ = build(f"# Page\n\nThey print {{claim}}`{KEY}`.\n")
    assert re.search(r'<span class="claim"[^>]* tabindex="0"[^>]*>' + re.escape(claim(KEY).value) + "</span>", page)
    assert "claim_ledger" not in page


def test_a_claim_in_percent_has_its_sign(build):
    page, _ = build("# Page\n\n{claim}`dan_nucnet/table-4/unet/pannuke/unstated/f1`\n")
    assert ">77.56 %</span>" in page


def test_an_unknown_claim_is_a_complaint_that_names_the_key_and_those_like_it(build):
    _, said = build("# Page\n\n{claim}`haru_net/table-1/u-net/monuseg/test/dise`\n")
    assert "index.md:3: ERROR: claim: unknown claim 'haru_net/table-1/u-net/monuseg/test/dise'" in said
    assert KEY in said


def test_a_result_stands_in_the_text_rounded_and_says_which_run_it_is_of(build):
    page, said = build(f"# Page\n\nWithout learning {{result}}`{FLOOR}`, and {{result}}`{FLOOR}`.\n")
    assert "index.md" not in said
    found = result(FLOOR)
    assert page.count(f'title="{found.tooltip}"') == 2
    assert f">{found.mean:.3f}</span>," in page
    assert f"95 % interval {found.low:.3f} to {found.high:.3f}" in found.tooltip


def test_an_unknown_result_is_a_complaint_that_names_the_key_and_those_like_it(build):
    _, said = build("# Page\n\n{result}`floor_hematoxylin/monuseg/base-clean-none-seed0/test/dise`\n")
    assert (
        "index.md:3: ERROR: result: unknown result 'floor_hematoxylin/monuseg/base-clean-none-seed0/test/dise'" in said
    )
    assert FLOOR in said
