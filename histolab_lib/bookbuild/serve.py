"""A small local server for the built book: for ``make serve``, and for the test that opens the pages in a browser."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

__all__ = ["make_server", "serving", "site_prefix"]


class _BookHandler(SimpleHTTPRequestHandler):
    """Files of one folder; an unknown address gets the book's own page, as on the published site."""

    protocol_version = "HTTP/1.1"
    # Written out: the system's own table differs between machines, and a module script with a wrong type does not run.
    extensions_map = {  # noqa: RUF012 - the base class has it so
        "": "application/octet-stream",
        ".css": "text/css; charset=utf-8",
        ".html": "text/html; charset=utf-8",
        ".ipynb": "application/x-ipynb+json",
        ".ico": "image/x-icon",
        ".jpg": "image/jpeg",
        ".js": "text/javascript; charset=utf-8",
        ".json": "application/json",
        ".md": "text/markdown; charset=utf-8",
        ".png": "image/png",
        ".svg": "image/svg+xml",
        ".txt": "text/plain; charset=utf-8",
        ".woff": "font/woff",
        ".woff2": "font/woff2",
        ".xml": "application/xml",
    }

    def __init__(self, *arguments: Any, prefix: str = "/", **named: Any) -> None:
        self.prefix = prefix  # before super(), which answers the request
        super().__init__(*arguments, **named)

    def translate_path(self, path: str) -> str:
        """Both ``/page.html`` and ``/PREFIX/page.html`` name the file ``page.html``."""
        return super().translate_path("/" + path.removeprefix(self.prefix))

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        missing = Path(self.directory) / "404.html"
        if code != HTTPStatus.NOT_FOUND or not missing.is_file():
            super().send_error(code, message, explain)
            return
        content = missing.read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")  # a rebuilt page shows at the next reload
        super().end_headers()

    def list_directory(self, path: object) -> None:
        """A folder without an index is an unknown address, as on the published site."""
        self.send_error(HTTPStatus.NOT_FOUND)

    def log_message(self, *_: object) -> None:
        """Quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A browser that closes a tab mid-answer is no fault worth a traceback."""


def site_prefix(folder: Path) -> str:
    """Return the path below which a book expects to be published, from its 404 page, whose links are absolute.

    ``/`` where it stands at the root of its host or has no such page, else such as ``/some-book/``.
    """
    missing = folder / "404.html"
    found = (
        re.search(r'href="(/(?:[^"]*/)?)_static/', missing.read_text(encoding="utf-8")) if missing.is_file() else None
    )
    return found[1] if found else "/"


def make_server(folder: Path, port: int = 0) -> ThreadingHTTPServer:
    """Return a server of a folder, bound to this machine alone (127.0.0.1); call its ``serve_forever``.

    Parameters
    ----------
    folder : Path
        The built book, such as ``_build/html``. One made for a host's subfolder (`site_prefix`) answers there too.
    port : int
        0 takes any free port; the one taken is ``server.server_address[1]``.

    Raises
    ------
    FileNotFoundError
        If the folder holds no ``index.html``: the book is not built.
    OSError
        If the port is taken; the message names it.
    """
    if not (folder / "index.html").is_file():
        raise FileNotFoundError(f"no index.html in {folder}; build the book first: make book")
    handler = partial(_BookHandler, directory=str(folder), prefix=site_prefix(folder))
    try:
        return _Server(("127.0.0.1", port), handler)
    except OSError as error:
        raise OSError(
            f"cannot serve on port {port} ({error.strerror}); choose another, or 0 for any free one"
        ) from error


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a folder while the block runs; gives its address, such as ``http://127.0.0.1:43127/``, prefix included."""
    server = make_server(folder)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}{site_prefix(folder)}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
