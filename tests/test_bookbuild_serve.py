from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from histolab_lib.bookbuild.serve import make_server, serving, site_prefix


@pytest.fixture
def site(tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "index.html").write_text("<h1>start</h1>")
    (tmp_path / "book/page.html").write_text("<h1>page</h1>")
    (tmp_path / "book/script.js").write_text("1")
    (tmp_path / "book/demo.ipynb").write_text("{}")
    (tmp_path / "404.html").write_text('<link href="/_static/a.css" /><h1>our own</h1>')
    return tmp_path


def ask(base, path, method="GET"):
    connection = HTTPConnection(urlsplit(base).netloc, timeout=5)
    connection.request(method, path)
    answer = connection.getresponse()
    try:
        return answer.status, answer.getheader("Content-Type"), answer.read().decode()
    finally:
        connection.close()


def test_pages_come_with_their_type(site):
    with serving(site) as base:
        assert ask(base, "/book/page.html") == (200, "text/html; charset=utf-8", "<h1>page</h1>")
        assert ask(base, "/")[2] == "<h1>start</h1>"
        assert ask(base, "/book/script.js")[1] == "text/javascript; charset=utf-8"
        assert ask(base, "/book/demo.ipynb?v=1")[:2] == (200, "application/x-ipynb+json")


@pytest.mark.parametrize("path", ["/no/such/page", "/book/", "/../../etc/passwd", "/book/page.htm"])
def test_an_unknown_address_gets_the_page_of_the_book(site, path):
    with serving(site) as base:
        status, kind, text = ask(base, path)
    assert (status, kind) == (404, "text/html; charset=utf-8")
    assert "our own" in text


def test_an_unknown_address_of_a_site_without_such_a_page_is_still_404(site):
    (site / "404.html").unlink()
    with serving(site) as base:
        assert ask(base, "/no/such/page")[0] == 404


def test_the_head_of_an_unknown_address_has_no_body(site):
    with serving(site) as base:
        status, _, text = ask(base, "/no/such/page", "HEAD")
    assert (status, text) == (404, "")


def test_a_book_made_for_a_subfolder_answers_there_and_at_the_root(site):
    (site / "404.html").write_text('<link href="/some-book/_static/a.css" />')
    assert site_prefix(site) == "/some-book/"
    with serving(site) as base:
        assert base.endswith("/some-book/")
        assert ask(base, "/some-book/book/page.html")[2] == ask(base, "/book/page.html")[2] == "<h1>page</h1>"


def test_the_server_is_bound_to_this_machine_and_says_nothing(site, capfd):
    with serving(site) as base:
        assert base.startswith("http://127.0.0.1:")
        ask(base, "/book/page.html")
        ask(base, "/no/such/page")
    assert capfd.readouterr() == ("", "")


def test_a_folder_that_is_no_built_book_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no index.html in .*; build the book first: make book"):
        make_server(tmp_path)


def test_a_port_in_use_is_named(site):
    with make_server(site) as first:
        port = first.server_address[1]
        with pytest.raises(OSError, match=rf"cannot serve on port {port} \(.*\); choose another"):
            make_server(site, port)
