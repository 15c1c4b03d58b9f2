"""The built book in Debian's Chromium: every page, wide and 390 px, light and dark, with the network cut.

Looks at the site that ``HISTOLAB_SITE`` names, else at ``_build/html``; leaves screenshots in ``_build/browser/shots``.
"""

import html
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import unquote

import pytest

from histolab_lib.bookbuild.ledger import LEDGER
from histolab_lib.bookbuild.serve import serving

pytestmark = pytest.mark.browser

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WORK = ROOT / "_build" / "browser"
MISSING = "no/such/page/anywhere"
LEDGER_PAGE = f"{LEDGER}.html"
LIMIT_S = 1200  # twenty pages, two of them long, take some minutes on two busy cores
_SEEN_OTHERWISE = ("index.html", "404.html")  # the redirect, and the page that answers unknown addresses

View = dict[str, Any]


def _site() -> Path:
    return Path(os.environ.get("HISTOLAB_SITE") or ROOT / "_build" / "html").resolve()


def _pages(site: Path) -> list[str]:
    """Every page of the site that has an address of its own."""
    names = (path.relative_to(site).as_posix() for path in sorted(site.rglob("*.html")))
    return [
        name
        for name in names
        if not name.startswith(("_static/", "_sources/")) and name not in ("index.html", "404.html")
    ]


def _source(page: str) -> str | None:
    """The file that the page was made from, below the root, as the site carries it; None for made pages."""
    keys = (page.removesuffix(".html") + ending for ending in (".ipynb", ".md"))
    return next((key for key in keys if (_site() / "_sources" / key).is_file()), None)


def _missing(what: str) -> NoReturn:
    """On a reader's machine the pages are then not looked at; before publishing they must be."""
    pytest.fail(what) if os.environ.get("CI") else pytest.skip(what)


def _tools() -> str:
    """Put what `package-lock.json` names under `_build/browser`; return the browser."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        _missing("Chromium is not installed (apt-get install chromium)")
    npm = shutil.which("npm")
    if npm is None:
        _missing("npm is not installed (apt-get install npm)")
    WORK.mkdir(parents=True, exist_ok=True)
    lock, stamp = (HERE / "package-lock.json").read_text(), WORK / "node_modules" / ".installed-lock"
    shutil.copy(HERE / "page.mjs", WORK)
    if not stamp.is_file() or stamp.read_text() != lock:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, WORK)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"]
        done = subprocess.run(command, cwd=WORK, capture_output=True, text=True, timeout=LIMIT_S)
        if done.returncode:
            _missing("npm could not fetch playwright-core and axe-core: " + done.stderr.strip()[-200:])
        stamp.write_text(lock)
    return chromium


def _title(page: Path) -> str:
    found = re.search(r"<h1>([^<]+)", page.read_text(encoding="utf-8").partition('id="main-content"')[2])
    return found[1] if found else ""


def _has_demo(page: Path) -> bool:
    return '<div class="demo"' in page.read_text(encoding="utf-8")


def _word_of(title: str) -> str:
    return max(re.findall(r"[A-Za-z]+", title) or ["book"], key=len)


def _look(site: Path, chromium: str) -> dict[str, Any]:
    pages = _pages(site)
    chapter = next(name for name in pages if (_source(name) or "").endswith(".ipynb"))
    shots, job, report = WORK / "shots", WORK / "job.json", WORK / "report.json"
    shutil.rmtree(shots, ignore_errors=True)
    shots.mkdir()
    report.unlink(missing_ok=True)
    with serving(site) as base:
        order = {"executable": chromium, "base": base, "pages": pages, "missing": MISSING, "chapter": chapter}
        order |= {
            "word": _word_of(_title(site / chapter)),
            "demos": [name for name in pages if _has_demo(site / name)],
            "ledger": LEDGER_PAGE if LEDGER_PAGE in pages else None,
            "site": str(site),
            "report": str(report),
            "shots": str(shots),
            "limit_s": LIMIT_S,
        }
        job.write_text(json.dumps(order))
        done = subprocess.run(
            ["node", "page.mjs", str(job)], cwd=WORK, capture_output=True, text=True, timeout=LIMIT_S + 30
        )
    assert done.returncode == 0, f"the browser script ended with {done.returncode}:\n{done.stderr[-3000:]}"
    found = json.loads(report.read_text())
    return found | {"pages": pages, "chapter": chapter}


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    site = _site()
    if not (site / "index.html").is_file():
        _missing("build the book first: make book")
    return _look(site, _tools())


def _where(view: View) -> str:
    return f"{view['page']} at {view['width']} px, {view['scheme']}"


def _faults(report: dict[str, Any], find: Callable[[View], list[Any]]) -> list[str]:
    return [f"{_where(view)}: {fault}" for view in report["views"] for fault in find(view)]


def _none(faults: list[str]) -> None:
    assert not faults, "\n" + "\n".join(faults)


def test_every_page_was_looked_at_in_four_views(report):
    views = {(view["page"], view["width"], view["scheme"]) for view in report["views"]}
    names = [*report["pages"], "404.html"]
    assert views == {(name, width, scheme) for name in names for width in (1280, 390) for scheme in ("light", "dark")}
    assert any(name.startswith("book/") for name in names)


def test_the_console_stays_empty(report):
    _none(_faults(report, lambda view: view["console"] + view["errors"]))


def test_no_request_fails(report):
    _none(_faults(report, lambda view: view["failed"]))


def test_no_page_asks_another_host(report):
    _none(_faults(report, lambda view: view["outside"]))


def test_no_page_is_wider_than_its_window(report):
    def too_wide(view: View) -> list[Any]:
        width = view["widths"]
        return [f"{width}, first {view['overhanging']}"] if width["page"] > width["window"] else []

    _none(_faults(report, too_wide))


def test_mathematics_is_set_with_the_network_cut(report):
    def unset(view: View) -> list[Any]:
        math = view["math"]
        return math["faults"] + ([f"{math['bare']} of {math['expected']} not set"] if math["bare"] else [])

    _none(_faults(report, unset))


def test_the_book_has_mathematics_to_set(report):
    assert any(view["math"]["expected"] for view in report["views"])


def test_no_serious_fault_of_accessibility(report):
    def serious(view: View) -> list[Any]:
        bad = [fault for fault in view["axe"] if fault["impact"] in ("serious", "critical")]
        return [f"{fault['impact']} {fault['rule']} ({fault['help']}) at {fault['where'][:3]}" for fault in bad]

    _none(_faults(report, serious))


def test_every_picture_is_loaded_and_described(report):
    def bad(view: View) -> list[Any]:
        return [image for image in view["images"] if image["alt"] is None or not image["loaded"]]

    _none(_faults(report, bad))


def test_every_page_has_a_language_a_title_and_a_heading(report):
    _none(_faults(report, lambda view: [key for key in ("language", "title", "heading") if not view[key].strip()]))


def test_colours_follow_the_system(report):
    _none(_faults(report, lambda view: [] if view["theme"] == view["scheme"] else [f"theme {view['theme']}"]))
    grounds = {
        scheme: {v["background"] for v in report["views"] if v["scheme"] == scheme} for scheme in ("light", "dark")
    }
    assert not grounds["light"] & grounds["dark"]


def test_the_colour_button_goes_through_its_three_states(report):
    assert sorted(report["theme"]) == ["auto", "dark", "light"]


@pytest.mark.parametrize("way", ["by_address", "by_keys"])
def test_search_finds_the_chapter_by_a_word_of_its_title(report, way):
    found = [url.partition("?")[0].partition("#")[0] for url in report["search"][way]]
    assert report["base"] + report["chapter"] in found, f"{report['search']['word']!r} found {found}"
    assert not report["search"]["console"] + report["search"]["errors"] + report["search"]["outside"]


def test_every_interactive_figure_answers_to_the_keyboard(report):
    found, pages = report["demos"]["found"], {name for name in report["pages"] if _has_demo(_site() / name)}
    assert {slider["page"] for slider in found} == pages
    _none([f"{one['page']}: {one['label']}" for one in found if not one["label"] or not one["redrawn"]])
    _none([f"{one['page']}: {one['label']} shows no numbers" for one in found if not one["after"].strip()])
    assert not report["demos"]["console"] + report["demos"]["errors"] + report["demos"]["failed"]


@pytest.fixture
def ledger(report):
    assert report["ledger"] is not None, "the site has no claim ledger"
    return report["ledger"]


def test_the_ledger_is_narrowed_down_by_words_and_choices_from_the_keyboard(ledger):
    everything, words, paper = ledger["all"], ledger["words"], ledger["paper"]
    assert everything["shown"] == everything["rows"] > 1000
    assert words["shown"] >= words["words"] == everything["words"] > 0
    assert words["shown"] < everything["shown"]
    assert len(paper["papers"]) == 1 < len(words["papers"])
    assert 0 < paper["shown"] < words["shown"]
    for state in (everything, words, paper):
        assert state["said"] == f"{state['shown']} of {state['rows']} rows"


def test_a_link_to_a_row_that_is_filtered_out_shows_it(ledger):
    assert ledger["followed"]["shown"] == ledger["all"]["rows"]
    assert ledger["aim"]


def test_the_table_of_the_ledger_scrolls_by_keyboard(ledger):
    assert ledger["scrolled"] > 0


def test_the_ledger_opens_narrowed_down_by_its_address_and_shows_all_again(ledger):
    assert (ledger["asked"]["papers"], ledger["asked"]["severities"]) == (["msal_net"], ["impossible"])
    assert ledger["reset"]["shown"] == ledger["all"]["rows"]
    assert not ledger["console"] + ledger["errors"] + ledger["failed"] + ledger["outside"]


def test_the_ledger_works_from_disk(ledger):
    assert ledger["disk"]["papers"] == ["msal_net"]


def test_without_scripts_the_ledger_is_a_plain_table_with_every_row_and_no_dead_control(ledger):
    assert ledger["plain"] == {"rows": ledger["all"]["rows"], "controls": 0}


def test_every_number_that_is_quoted_leads_to_a_row_of_the_ledger():
    site = _site()
    if not (site / LEDGER_PAGE).is_file():
        _missing("build the book first: make book")
    anchors = set(re.findall(r'\bid="([^"]+)"', (site / LEDGER_PAGE).read_text(encoding="utf-8")))
    aims = {
        (name, html.unescape(unquote(aim)))
        for name in _pages(site)
        for aim in re.findall(r'href="[^"]*claim_ledger\.html#([^"]+)"', (site / name).read_text(encoding="utf-8"))
    }
    assert aims
    _none([f"{name}: {aim}" for name, aim in sorted(aims) if aim not in anchors])


def test_the_download_button_gives_the_file_of_its_page(report):
    for view in report["views"]:
        source = _source(view["page"])
        expected = [f"{report['base']}_sources/{source}"] if source else []
        assert view["buttons"]["download"] == expected, _where(view)
        assert all(report["answers"][url]["status"] == 200 for url in expected)


def test_the_notebook_that_a_chapter_offers_has_cells(report):
    offered = report["answers"][f"{report['base']}_sources/{_source(report['chapter'])}"]
    assert offered["cells"] > 1


def test_source_and_edit_buttons_open_the_text_of_their_page_where_a_repository_is_known(report):
    known = any(view["buttons"]["repository"] for view in report["views"])
    for view in report["views"]:
        buttons, key = view["buttons"], view["page"].removesuffix(".html")
        written = known and _source(view["page"]) is not None
        for kind in ("source", "edit"):
            assert len(buttons[kind]) == int(written), f"{_where(view)}: {kind} {buttons[kind]}"
            assert all(url.partition("?")[0].endswith(f"/{key}.md") for url in buttons[kind]), (
                f"{_where(view)}: {buttons}"
            )
        if not known:
            assert not any(buttons[kind] for kind in ("source", "edit", "issues", "repository", "colab")), _where(view)


def test_every_link_inside_the_book_leads_somewhere(report):
    dead = {url: answer["status"] for url, answer in report["answers"].items() if answer["status"] != 200}
    assert not dead


def test_the_root_leads_to_the_start_page(report):
    assert report["start"] == report["base"] + "book/index.html"


def test_an_unknown_address_gets_the_page_of_the_book(report):
    for view in (view for view in report["views"] if view["page"] == "404.html"):
        assert view["status"] == 404
        assert view["heading"] == "This page is not in the book"
        assert {report["base"] + "book/index.html", report["base"] + "search.html"} <= set(view["links"])


def test_each_chapter_says_at_its_foot_where_it_comes_from(report):
    for view in report["views"]:
        if (_source(view["page"]) or "").endswith(".ipynb"):
            assert len(view["provenance"]) == 1, _where(view)
