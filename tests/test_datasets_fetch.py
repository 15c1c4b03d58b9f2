"""Fetching from a server of this test on 127.0.0.1: one that serves, redirects, refuses, stops half-way and lies."""

import hashlib
import io
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import ClassVar

import pytest

from histolab_lib.data_dir import DataError
from histolab_lib.datasets import fetch as module
from histolab_lib.datasets.fetch import fetch, plan
from histolab_lib.datasets.registry import Download, Entry, entries


def archive(*names, wrap="pictures/"):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in names:
            file.writestr(zipfile.ZipInfo(wrap + name), name * 1000)  # of a fixed date: hashes are the same each time
    return buffer.getvalue()


WHOLE = archive("a", "b")
SHA256 = hashlib.sha256(WHOLE).hexdigest()
MD5 = hashlib.md5(WHOLE).hexdigest()
OTHER = archive("a", "c")
HOSTILE = archive("../../../outside")


class _Server(ThreadingHTTPServer):
    daemon_threads = True


class _Answers(BaseHTTPRequestHandler):
    """What each path answers; every request is noted in ``asked``."""

    asked: ClassVar[list[str]] = []

    def log_message(self, *arguments):
        """Be silent."""

    def _send(self, body, kind="application/zip", status=200, length=None, **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if length != "unknown":
            self.send_header("Content-Length", str(length or len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.asked.append(self.path)
        page = b"<html><title>Sign in</title></html>"
        {
            "/whole": lambda: self._send(WHOLE),
            "/redirect": lambda: self._send(page, "text/html", 302, Location="/whole"),
            "/to-login": lambda: self._send(b"", "application/zip", 302, Location="/login"),
            "/login": lambda: self._send(page, "text/html; charset=utf-8"),
            "/page-without-type": lambda: self._send(page),
            "/half": lambda: self._send(WHOLE[: len(WHOLE) // 2], length=len(WHOLE)),
            "/half-unnoticed": lambda: self._send(WHOLE[: len(WHOLE) // 2], length="unknown"),
            "/other": lambda: self._send(OTHER),
            "/hostile": lambda: self._send(HOSTILE),
        }.get(self.path, lambda: self._send(page, "text/html", 404))()


@pytest.fixture(scope="module")
def address():
    server = _Server(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def demo(tmp_path, monkeypatch, address):
    """Fetch a set of one archive, described by the keywords; ``lines`` is what was said, ``folder`` where it goes."""
    monkeypatch.setenv("HISTOLAB_DATA", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    _Answers.asked.clear()
    folder, lines = tmp_path / "demo", []

    def describe(*urls, by_hand="Ask the authors.", **fields):
        fields = {"sha256": SHA256, **fields}
        urls = [address + url for url in urls] or [""]
        item = Download("all", "all.zip", ("pictures",), urls[0], tuple(urls[1:]), **fields)
        entry = Entry("demo", "Demo", "CC0", "", "https://example.org", "demo", {}, True, (), (), downloads=(item,))
        known = {"demo": Entry(**{**vars(entry), "by_hand": by_hand})}
        known["view"] = Entry("view", "View", "CC0", "", "", "demo", {}, True, same_files_as="demo")
        known["made"] = Entry("made", "Made", "CC0", "", "", "", {}, True)
        monkeypatch.setattr(module, "entries", lambda: known)

    def validate(folder):
        return [] if (folder / "pictures" / "b").is_file() else [f"{folder}: expected b, found none"]

    monkeypatch.setattr(module, "modules", lambda: dict.fromkeys(("demo", "view"), SimpleNamespace(validate=validate)))

    def run(*urls, name="demo", to=None, **fields):
        describe(*urls, **fields)
        return fetch(name, to, say=lines.append)

    run.describe, run.lines, run.folder, run.root = describe, lines, folder, tmp_path
    return run


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


COMPLETE = ["pictures", "pictures/a", "pictures/b"]


# ---- what works


@pytest.mark.parametrize("hashes", [{}, {"sha256": "", "md5": MD5}, {"sha256": "", "verify": "layout: none known"}])
@pytest.mark.parametrize("url", ["/whole", "/redirect"])
def test_an_archive_is_downloaded_checked_unpacked_and_validated(demo, url, hashes):
    assert demo(url, bytes=len(WHOLE), **hashes) == []
    assert files(demo.folder) == COMPLETE
    assert (demo.folder / "pictures" / "a").read_text() == "a" * 1000


def test_what_is_there_is_not_fetched_again(demo):
    demo("/whole")
    assert demo("/whole") == []
    assert _Answers.asked == ["/whole"]
    assert demo.lines[1] == f"all: is there: {demo.folder / 'pictures'}"


def test_what_validation_finds_is_handed_back(demo):
    assert demo("/other", sha256="", verify="layout: none known") == [f"{demo.folder}: expected b, found none"]
    assert files(demo.folder) == ["pictures", "pictures/a", "pictures/c"]


def test_mirrors_are_tried_in_order_until_one_gives_the_file(demo):
    assert demo("/gone", "/login", "/half", "/other", "/whole", "/never") == []
    assert _Answers.asked == ["/gone", "/login", "/half", "/other", "/whole"]
    assert files(demo.folder) == COMPLETE


def test_a_view_of_another_set_fetches_the_files_of_that_one(demo):
    assert demo("/whole", name="view") == []
    assert files(demo.folder) == COMPLETE


def test_another_folder_than_that_of_the_environment_is_made(demo):
    assert demo("/whole", to=demo.root / "some" / "where") == []
    assert files(demo.root / "some" / "where" / "demo") == COMPLETE
    assert not demo.folder.exists()


def test_a_set_that_is_made_on_demand_needs_nothing(demo):
    assert demo(name="made") == []
    assert demo.lines == ["made is made on demand; there is nothing to fetch"]


def test_the_bar_is_shown_on_standard_error_when_asked_for(demo, capfd):
    demo.describe("/whole")
    assert fetch("demo", progress=True) == []
    shown = capfd.readouterr()
    assert "100%" in shown.err
    assert shown.out == ""


# ---- what does not


REFUSED = "answered with a page (text/html; charset=utf-8) instead of the file: a login, a quota, or it has moved"
FAULTS = [
    ("/login", {}, REFUSED),
    ("/to-login", {}, REFUSED),
    ("/gone", {}, "404 Client Error"),
    ("/half", {}, "IncompleteRead"),
    ("/half-unnoticed", {}, f"expected {SHA256}"),
    ("/half-unnoticed", {"bytes": len(WHOLE)}, f"bytes, expected {len(WHOLE):,}"),
    ("/half-unnoticed", {"sha256": "", "verify": "layout: none known"}, "not a whole zip archive"),
    ("/page-without-type", {"sha256": "", "verify": "layout: none known"}, "it begins with b'<html><title>Sig'"),
    ("/other", {}, f"has sha256 {hashlib.sha256(OTHER).hexdigest()}, expected {SHA256}"),
    ("/other", {"sha256": "", "md5": MD5}, f"has md5 {hashlib.md5(OTHER).hexdigest()}, expected {MD5}"),
    ("/whole", {"max_bytes": 5}, "says it unpacks to 2,000 bytes, at most 5 are allowed"),
    (
        "/hostile",
        {"sha256": hashlib.sha256(HOSTILE).hexdigest()},
        "member 'pictures/../../../outside' is a path that leads outside; nothing was unpacked",
    ),
]


@pytest.mark.parametrize(("url", "fields", "reason"), FAULTS)
def test_what_a_server_does_wrong_is_told_and_leaves_nothing_behind(demo, url, fields, reason):
    with pytest.raises(DataError) as error:
        demo(url, **fields)
    assert reason in str(error.value)
    assert files(demo.root) == ["demo"]


def test_a_fetch_that_failed_can_simply_be_run_again(demo):
    with pytest.raises(DataError):
        demo("/half")
    assert demo("/whole") == []


def test_every_address_that_failed_is_told_with_its_reason_and_then_what_to_do_by_hand(demo, address):
    with pytest.raises(DataError) as error:
        demo("/login", "/gone")
    first, reasons, *rest = str(error.value).splitlines()
    assert first == "demo: 1 of 1 archives could not be had."
    assert reasons.startswith(f"  all: {address}/login: {REFUSED}; {address}/gone: 404 Client Error")
    assert rest == [
        "By hand:",
        "  page: https://example.org",
        "  Ask the authors.",
        f"  save all as {demo.folder / 'all.zip'}",
        "Then run `histolab data fetch demo` again: it checks and unpacks what lies there.",
    ]


def test_an_interrupted_download_leaves_nothing_and_a_second_run_begins_anew(demo, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("requests.Response.iter_content", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            demo("/whole")
    assert files(demo.root) == ["demo"]
    assert demo("/whole") == []


def test_what_a_killed_run_left_is_cleared_away(demo):
    (demo.folder / ".fetching" / "unpacked" / "pictures").mkdir(parents=True)
    (demo.folder / ".fetching" / "all.zip").write_bytes(WHOLE[:99])
    assert demo("/whole") == []
    assert files(demo.folder) == COMPLETE


def test_a_folder_that_nobody_may_write_to_is_told(demo):
    demo.folder.write_text("a file, not a folder")
    with pytest.raises(DataError, match=r"demo: .*; is there space, and may you write there\?"):
        demo("/whole")


def test_without_a_folder_of_data_it_says_how_to_set_one(demo, monkeypatch):
    monkeypatch.delenv("HISTOLAB_DATA")
    with pytest.raises(DataError, match=r"HISTOLAB_DATA is not set.*export HISTOLAB_DATA=/path/to/folder.*--to"):
        demo("/whole")


def test_an_unknown_set_lists_the_known_ones(demo):
    with pytest.raises(ValueError, match=r"unknown data set 'demmo', did you mean 'demo'\?"):
        demo("/whole", name="demmo")


# ---- by hand


def test_an_archive_put_there_by_hand_is_checked_unpacked_and_left_where_it_is(demo):
    demo.folder.mkdir()
    (demo.folder / "all.zip").write_bytes(WHOLE)
    assert demo() == []
    assert files(demo.folder) == ["all.zip", *COMPLETE]
    assert _Answers.asked == []


def test_an_archive_put_there_by_hand_that_is_another_one_is_told_and_left_where_it_is(demo):
    demo.folder.mkdir()
    (demo.folder / "all.zip").write_bytes(b"<html>")
    with pytest.raises(DataError, match=rf"all\.zip has sha256 .*, expected {SHA256}") as error:
        demo("/whole")
    assert "all.zip (instead of the one that lies there)" in str(error.value)
    assert files(demo.folder) == ["all.zip"]
    assert _Answers.asked == []


def test_a_set_without_an_address_says_what_to_do(demo):
    with pytest.raises(DataError, match=r"(?s)all: no direct address is known.*Ask.*save all as .*all\.zip"):
        demo()


# ---- the plan


def test_a_plan_touches_neither_disk_nor_network(demo):
    demo.describe("/whole", "/login", bytes=1234567)
    (step,) = plan("demo")
    assert (step.action, step.archive, step.targets) == (
        "download",
        demo.folder / "all.zip",
        (demo.folder / "pictures",),
    )
    url, mirror = step.download.url, step.download.mirrors[0]
    assert str(step) == (
        f"all: download {url}, else {mirror} (1,234,567 bytes), check sha256 {SHA256}, unpack {demo.folder}/pictures"
    )
    assert _Answers.asked == []
    assert files(demo.root) == []


def test_a_plan_tells_the_four_things_that_can_happen(demo):
    demo.describe("/whole", sha256="", md5=MD5)
    demo.folder.mkdir()
    (demo.folder / "all.zip").write_bytes(WHOLE)
    assert str(plan("demo")[0]).startswith(f"all: take {demo.folder}/all.zip, check md5 {MD5}, unpack")
    (demo.folder / "pictures").mkdir()
    assert str(plan("demo")[0]) == f"all: is there: {demo.folder}/pictures"
    demo.describe(sha256="", verify="layout: none known")
    assert str(plan("view", demo.root / "x")[0]) == (
        f"all: has no address; once {demo.root}/x/demo/all.zip is there: no hash to check (layout: none known), "
        f"unpack {demo.root}/x/demo/pictures"
    )


@pytest.mark.parametrize("name", entries())
def test_every_entry_of_the_registry_has_a_plan_also_without_a_folder_of_data(name, monkeypatch):
    monkeypatch.delenv("HISTOLAB_DATA", raising=False)
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("the network was asked"))
    steps = plan(name)
    assert bool(steps) == bool(entries()[name].folder)
    assert {step.action for step in steps} <= {"download", "by hand"}
    assert all("$HISTOLAB_DATA" in str(step) for step in steps)


def test_without_pooch_it_says_what_to_install(demo, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(DataError, match="downloading needs pooch; install the extra `data` of histolab-lib"):
        demo("/whole")
